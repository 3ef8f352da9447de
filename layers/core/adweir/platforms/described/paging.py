"""From one page of an answer to the next, by the rule of a spec."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from adweir.model import limits
from adweir.model.errors import RequestRejected, TooMuchData, Transient
from adweir.platforms.connector import Page
from adweir.platforms.described import answers, paths
from adweir.platforms.described.calls import Filled
from adweir.platforms.described.fields import FieldReader
from adweir.platforms.described.language import DescribedList
from adweir.platforms.described.ways import Cursors, LinkHeader, NextLink, Offsets, PageNumbers
from adweir.platforms.http import Response

NOTHING = "nothing"
"""The label of a page about no objects, where there were none to ask about."""
_NEXT = re.compile(r"<([^<>]*)>([^<]*)")
"""A link of the header and its parameters, whose quoted values may have commas (RFC 8288)."""
_REL = re.compile(r";\s*rel\s*=\s*(?:\"[^\"]*\bnext\b[^\"]*\"|'?next\b)", re.IGNORECASE)
_LONGEST_PLACE = 2000
"""Characters of a place that a pull can be resumed at: it is part of its task's item."""


class PageTurns:
    """The requests of one list, each made from the answer before.

    `asked` is the next request. `place` is where it is, for a pull that goes on later; "" where that cannot be said.
    """

    def __init__(
        self, listing: DescribedList, asked: Filled, following: Callable[[Filled, str], Filled], resume: str = ""
    ) -> None:
        self._listing = listing
        self._paging = listing.paging
        self._first = asked
        self._following = following
        self._places: set[str] = set()
        # A cursor or number means nothing to another request: where the spec was replaced, the list begins anew.
        self._mark = hashlib.sha256(f"{self._paging!r} {asked!r}".encode("utf-8", "replace")).hexdigest()[:8] + ":"
        begin = resume.removeprefix(self._mark) if resume.startswith(self._mark) else ""
        self._number = int(begin) if begin and isinstance(self._paging, PageNumbers | Offsets) else None
        self.place = f"{self._mark}{begin}" if begin else ""
        self.asked = self._at(begin)

    def turn(self, answer: Response, body: Any) -> bool:
        """Take in an answer. True when it was the last one; else `asked` is the next request.

        Raises Transient for an answer without the list of records, RequestRejected for pages that go in a circle.
        """
        place = self._next(answer, body, _count(body, self._listing, answer.url))
        if not place:
            return True
        if place in self._places or len(self._places) >= limits.MAX_DESCRIBED_PAGES:
            raise RequestRejected(f"{answer.url}: the pages go in a circle, or have no end")
        self._places.add(place)
        self.place = f"{self._mark}{place}" if len(place) <= _LONGEST_PLACE else ""
        self.asked = self._at(place)
        return False

    def _next(self, answer: Response, body: Any, count: int) -> str:
        """Where the next page is; "" after the last."""
        paging = self._paging
        if isinstance(paging, PageNumbers | Offsets):
            return self._next_number(paging, answer, body, count)
        if isinstance(paging, Cursors):
            return _word(body, paging.cursor)
        if isinstance(paging, NextLink):
            return _word(body, paging.link)
        return _next_of(answer.headers) if isinstance(paging, LinkHeader) else ""

    def _next_number(self, paging: PageNumbers | Offsets, answer: Response, body: Any, count: int) -> str:
        # A short page proves nothing: an API may give fewer records than it was asked for.
        end = _whole(body, paging.last_page if isinstance(paging, PageNumbers) else paging.total)
        current = paging.first if self._number is None else self._number
        following = current + (1 if isinstance(paging, PageNumbers) else count)
        done = following - paging.first if isinstance(paging, Offsets) else current
        if end is not None and count and done > end:
            raise Transient(f"{answer.url}: the answer has records beyond the end that it names: {end}")
        if not count if end is None else done >= end:
            return ""
        if not count and isinstance(paging, Offsets):
            raise Transient(f"{answer.url}: no record at {done}, and the answer says that there are {end}")
        self._number = following
        return str(following)

    def _at(self, place: str) -> Filled:
        """The request of a place."""
        paging, asked = self._paging, self._first
        if paging is None or isinstance(paging, NextLink | LinkHeader):
            return self._following(asked, place) if place else asked
        given: dict[str, str | int] = {}
        if isinstance(paging, PageNumbers | Offsets):
            given[paging.parameter] = int(place or paging.first)
        elif place:
            given[paging.parameter] = place
        if paging.size_parameter:
            given[paging.size_parameter] = paging.size
        if paging.place == "body":
            return replace(asked, json=_with(asked.json, given))
        kept = tuple(pair for pair in asked.query if pair[0] not in given)
        return replace(asked, query=(*kept, *((name, str(value)) for name, value in given.items())))


def _count(body: Any, listing: DescribedList, url: str) -> int:
    """How many elements the list of an answer has, with records in them or not. Raises Transient without a list."""
    try:
        for _ in paths.records(body, listing.records, null_is_empty=listing.null_is_empty):
            pass
        return paths.outermost(body, listing.records, null_is_empty=listing.null_is_empty)
    except paths.NoRecords as error:
        raise Transient(f"{url}: {error}") from None


def check_records(body: bytes, listing: DescribedList, url: str) -> None:
    """Raises Transient for a body that is not JSON, or without the list of records."""
    try:
        _count(answers.decode(body), listing, url)
    except ValueError:
        raise Transient(f"{url} answers with text that is not JSON") from None


def file_page(listing: DescribedList, chunks: Iterator[bytes], url: str) -> Page:
    """A file as a page.

    Raises TooMuchData for one in JSON that memory should not hold, Transient for one without its records. The chunks of
    an empty CSV raise Transient.
    """
    if listing.form.type == "csv":
        return Page(chunks if listing.null_is_empty else _some(chunks, url), url, 200, last=True, media="csv")
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > limits.MAX_DESCRIBED_BYTES:
            raise TooMuchData(f"{url} answers with more than {limits.MAX_DESCRIBED_BYTES} bytes of JSON")
    check_records(bytes(held), listing, url)
    return Page(bytes(held), url, 200, last=True)


def _some(chunks: Iterator[bytes], url: str) -> Iterator[bytes]:
    """The same chunks, if there is a byte in them: a file without rows has its header."""
    empty = True
    for chunk in chunks:
        empty = empty and not chunk
        yield chunk
    if empty:
        raise Transient(f"{url} answers with an empty file")


def texts(body: bytes, listing: DescribedList, name: str) -> Iterator[str]:
    """The values of one field of the records of a page, those that have one. Raises RequestRejected for an object."""
    reader = FieldReader(name, listing.fields[name])
    for record in paths.records(answers.decode(body), listing.records, null_is_empty=listing.null_is_empty):
        try:
            text = reader.text(record.at)
        except ValueError as error:
            raise RequestRejected(f"what objects are asked about by: {name} {error.args[-1]}") from None
        if text:
            yield text


def _with(body: Any, given: Mapping[str, str | int]) -> Any:
    """A JSON body with values at dotted paths of objects."""
    found = dict(body) if isinstance(body, Mapping) else {}
    for path, value in given.items():
        first, _, rest = path.partition(".")
        found[first] = _with(found.get(first), {rest: value}) if rest else value
    return found


def _word(body: Any, path: str) -> str:
    found = paths.FoundRecord((body,)).at(path)
    return "" if found is paths.MISSING or found is None or found is False else answers.word(found)


def _whole(body: Any, path: str | None) -> int | None:
    """A whole number of an answer; None where it has none there. Raises Transient for anything else."""
    if path is None:
        return None
    text = _word(body, path)
    if not (text.isdecimal() and text.isascii() and len(text) < 16):
        raise Transient(f"the answer has no number at {path!r}: {text[:40]!r}")
    return int(text)


def _next_of(headers: Mapping[str, str]) -> str:
    """The URL with rel="next" of a Link header."""
    for link in _NEXT.finditer(headers.get("Link", "")):
        if _REL.search(link[2]):
            return link[1]
    return ""
