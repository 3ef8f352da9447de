"""Asks for the lists that answer for a dataset, one after the other, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from adweir.model.errors import Transient
from adweir.platforms import json_text
from adweir.platforms.amazon_ads import envelopes, wire
from adweir.platforms.amazon_ads.api import AmazonCalls, unexpected
from adweir.platforms.amazon_ads.lists import ObjectList, Turning
from adweir.platforms.connector import Page
from adweir.platforms.http import Response

_PAGE_SIZE = 100
"""Limits differ by resource and are unpublished; 100 is safe for all."""
_CAMPAIGNS_NAMED = 100
"""Campaigns per request: 100 ids make a URL of about 2,000 characters."""


class _ListPage(NamedTuple):
    """A page of one list. `place`: where its next page is, "" for none. `short`: it ends before its own total."""

    response: Response
    place: str
    short: bool = False


class _Cursor(NamedTuple):
    """The list and the place in it where a pull goes on; `short`: a list before it ended too early."""

    name: str
    place: str
    short: bool

    def __str__(self) -> str:
        return f"{self.name}{'!' if self.short else ''} {self.place}"

    @classmethod
    def parse(cls, text: str, lists: Sequence[ObjectList]) -> _Cursor:
        """A cursor that names no list was made when there was one list per dataset."""
        name, _, place = text.partition(" ")
        if name.removesuffix("!") in [one.name for one in lists]:
            return cls(name.removesuffix("!"), place, name.endswith("!"))
        return cls(lists[0].name, text, short=False)


class ListPages:
    """The lists of one profile. `campaigns` lists the campaigns by which some lists have to be asked."""

    def __init__(self, api: AmazonCalls, profile_id: str, campaigns: ObjectList) -> None:
        self._api = api
        self._profile_id = profile_id
        self._campaigns = campaigns

    def of(self, lists: Sequence[ObjectList], resume: str = "") -> Iterator[Page]:
        """All pages of all lists. The last one is marked so only when each list came to its own end."""
        at = _Cursor.parse(resume, lists)
        first = next(number for number, one in enumerate(lists) if one.name == at.name)
        short = at.short
        for number, one in enumerate(lists[first:], first):
            following = lists[number + 1].name if number + 1 < len(lists) else ""
            ended = False
            for answer in self._way(one)(one, at.place if number == first else ""):
                ended = not answer.place
                short |= answer.short
                last = ended and not following and not short
                cursor = _Cursor(one.name if answer.place else following, answer.place, short)
                resume = str(cursor) if cursor.name else ""
                yield Page(
                    answer.response.body, answer.response.url, answer.response.status, last, one.name, resume=resume
                )
            short |= not ended

    def _way(self, one: ObjectList) -> Callable[[ObjectList, str], Iterator[_ListPage]]:
        if one.by_campaign:
            return self._by_campaign
        return self._by_chain if one.paging is Turning.CHAIN else self._by_position

    def _by_chain(self, one: ObjectList, place: str) -> Iterator[_ListPage]:
        """The last page has no nextToken; one that stops short of the list's own total is not taken for the end."""
        counted, _, token = place.partition(" ")
        seen = int(counted or 0)
        while True:
            body = {"maxResults": _PAGE_SIZE, **one.asked} | ({"nextToken": token} if token else {})
            response = self._api.post(one.path, self._profile_id, one.content, body, accept=one.accept)
            paged, count = _page(response, one.key)
            if paged.next_token and paged.next_token == token:
                raise Transient(f"{response.url} repeats its nextToken")
            seen, token = seen + count, paged.next_token or ""
            yield _ListPage(response, f"{seen} {token}" if token else "", not token and seen < paged.total)
            if not token:
                return

    def _by_position(self, one: ObjectList, place: str, query: dict[str, str] | None = None) -> Iterator[_ListPage]:
        """A page that is not full is the last one. Ends without one when the server ignores the position."""
        start, before = int(place or 0), b""
        while True:
            params = {"startIndex": str(start), "count": str(_PAGE_SIZE), **one.asked, **(query or {})}
            response = self._api.get(one.path, self._profile_id, params, accept=one.accept)
            if response.body == before:
                return
            before, count = response.body, len(_elements(response, one.key))
            start += count
            yield _ListPage(response, str(start) if count == _PAGE_SIZE else "")
            if count != _PAGE_SIZE:
                return

    def _by_campaign(self, one: ObjectList, place: str) -> Iterator[_ListPage]:
        """The list for some campaigns at a time; a place is `<the first of them>:<the position>`.

        Campaigns come in the order of their ids: a pull goes on where it was, whichever were added meanwhile.
        """
        saved, _, start = place.partition(":")
        known, all_known = self._campaign_ids()
        ids = [campaign for campaign in sorted(known) if campaign >= saved]
        batches = [ids[at : at + _CAMPAIGNS_NAMED] for at in range(0, len(ids), _CAMPAIGNS_NAMED)] or [[]]
        for number, batch in enumerate(batches):
            following = batches[number + 1][0] if number + 1 < len(batches) else ""
            query, ended = ({"campaignIdFilter": ",".join(batch)} if batch else {}), False
            for answer in self._by_position(one, start if number == 0 else "", query):
                ended = not answer.place
                onward = f"{following}:" if following else ""
                place = onward if ended else f"{batch[0] if batch else ''}:{answer.place}"
                yield answer._replace(place=place, short=not all_known)
            if not ended:
                return

    def _campaign_ids(self) -> tuple[set[str], bool]:
        """The ids of the profile's campaigns, and whether each campaign has one that can be read."""
        found: set[str] = set()
        for answer in self._by_chain(self._campaigns, ""):
            if answer.short:
                raise Transient(f"{answer.response.url} lists fewer campaigns than there are")
            found.update(map(_campaign_id, _elements(answer.response, self._campaigns.key)))
        return found - {""}, "" not in found


def _page(response: Response, key: str) -> tuple[wire.Paged, int]:
    try:
        return envelopes.page(response.body, key)
    except ValueError as error:
        raise unexpected(response, error) from None


def _elements(response: Response, key: str) -> list[msgspec.Raw]:
    try:
        return envelopes.elements(response.body, key)
    except ValueError as error:
        raise unexpected(response, error) from None


def _campaign_id(campaign: msgspec.Raw) -> str:
    """The id, also of a campaign that cannot be read otherwise; "" where it has none."""
    try:
        found = json_text.loose(bytes(campaign))
    except ValueError:
        return ""
    value = found.get("campaignId") if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""
