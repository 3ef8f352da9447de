"""Lists and reports page by page, to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from adweir.model.errors import TooMuchData, Transient
from adweir.platforms.connector import Page
from adweir.platforms.tiktok_ads import wire
from adweir.platforms.tiktok_ads.calls import TikTokAnswer, TikTokCalls

PAGE_SIZE = 1000
SMALL_PAGE_SIZE = 100
"""Of the lists that take no larger one: upgraded Smart+, TopView, GMV Max."""
MOST_PAGES = 100
"""Of a report before its window is halved."""
LAST_PAGE = 1000
"""The longest list or report of one day: a million entries. One that goes on has no end."""


class Turned(NamedTuple):
    """An answer of a list, and whether it is the last one."""

    answer: TikTokAnswer
    last: bool

    def page(self, label: str = "", *, last: bool = True) -> Page:
        """As a page of a pull. A list of which TikTok says that a part is missing has no last page."""
        response = self.answer.response
        ends = last and self.last and self.answer.whole
        return Page(response.body, response.url, response.status, last=ends, label=label)


def listed(calls: TikTokCalls, path: str, params: Mapping[str, Any], size: int = PAGE_SIZE) -> Iterator[Turned]:
    """A list's answers. Raises Transient where the pages do not fit together: entries moved while it was read.

    Raises TooMuchData for more than `LAST_PAGE` pages.
    """
    total, seen, whole = -1, 0, True
    for number in range(1, LAST_PAGE + 1):
        answer = calls.get(path, {**params, "page": str(number), "page_size": str(size)})
        whole = whole and answer.whole
        found = answer.read(wire.ListPage)
        info = found.page_info
        seen += len(found.entries)
        total = info.total_number if total < 0 else total
        last = number >= info.total_page
        if total != info.total_number or (last and seen != total):
            raise Transient(
                f"{answer.response.url}: {seen} entries on {number} pages, TikTok counts {info.total_number}"
            )
        yield Turned(answer._replace(whole=whole), last)
        if last:
            return
    raise TooMuchData(f"{path}: more than {LAST_PAGE} pages")


class ReportPages:
    """A report's pages. They are in no order, and move while they are read: then all of it has to be read anew.

    `narrowed`: the parameters that narrow the report to some campaigns. `campaigns`: asks for those of the account.
    """

    def __init__(
        self,
        calls: TikTokCalls,
        question: Mapping[str, Any],
        narrowed: Callable[[Sequence[str]], Mapping[str, Any]],
        campaigns: Callable[[], Sequence[str]] | None,
    ) -> None:
        self._calls = calls
        self._question = question
        self._narrowed = narrowed
        self._campaigns = campaigns

    def all(self, *, halves: bool) -> Iterator[Page]:
        """The pages. Where TikTok covers the newest ads only, those of some campaigns after the others.

        `halves`: whether the window can be halved, as it is when there are too many pages. Raises TooMuchData,
        Transient.
        """
        whole = True
        waiting: list[Sequence[str]] = [()]
        while waiting:
            ids = waiting.pop(0)
            try:
                for turned in self._one(ids, halves=halves):
                    whole = whole and turned.answer.whole
                    yield turned.page(last=whole and not waiting)
            except _NewestOnly as error:
                waiting = [*self._narrower(ids, error), *waiting]

    def _narrower(self, ids: Sequence[str], error: _NewestOnly) -> list[Sequence[str]]:
        if self._campaigns is None or len(ids) == 1:
            raise TooMuchData(error.message, newest_only=True)
        if not ids:
            found = self._campaigns()
            if not found:
                raise TooMuchData(error.message, newest_only=True)
            return [found[at : at + _CAMPAIGNS] for at in range(0, len(found), _CAMPAIGNS)]
        return [ids[: len(ids) // 2], ids[len(ids) // 2 :]]

    def _one(self, ids: Sequence[str], *, halves: bool) -> Iterator[Turned]:
        seen = set[int]()
        total = -1
        params = {**self._question, **self._narrowed(ids)}
        for number in range(1, LAST_PAGE + 1):
            answer = self._calls.get(REPORT, {**params, "page": str(number), "page_size": str(PAGE_SIZE)})
            said = answer.response.url
            if answer.newest_only:
                kind = _NewestOnly if number == 1 else Transient
                raise kind(f"{said} covers the newest ads only")
            found = answer.read(wire.KeyedPage)
            info = found.page_info
            total = info.total_number if total < 0 else total
            if halves and info.total_page > MOST_PAGES:
                raise TooMuchData(f"{said}: {info.total_page} pages")
            before = len(seen)
            seen.update(hash(bytes(row.dimensions)) for row in found.entries)
            last = number >= info.total_page
            if info.total_number != total or len(seen) - before != len(found.entries) or (last and len(seen) != total):
                raise Transient(f"{said}: the report moved while it was read, at page {number}")
            yield Turned(answer, last)
            if last:
                return
        raise TooMuchData(f"a report of one day has more than {LAST_PAGE} pages")


class _NewestOnly(TooMuchData):
    """The first page of a report says that it covers the newest ads of the account only."""


REPORT = "/report/integrated/get/"
_CAMPAIGNS = 30
"""Campaigns per narrowed report, as TikTok advises; it takes a hundred."""
