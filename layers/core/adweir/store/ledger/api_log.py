"""The API log: requests to the API and calls of platforms, `api-log#<day>#<platform>#<ok or failed>` / `<time>#<id>`.

An item holds the calls of one invocation, at most `limits.MAX_CALLS_TOGETHER`, packed: a write per call would cost more
than the call. Its time is that of the write, which comes at most an invocation after the call. Failed calls have items
of their own, because they are what people look for. A request to the API has no platform.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from heapq import merge
from itertools import groupby
from operator import attrgetter

import msgspec

from adweir.model import limits
from adweir.model.calls import INBOUND, OUTBOUND, ApiCall, CallsWanted
from adweir.model.times import DAY, epoch, iso
from adweir.store.dynamo.keyed import new_token
from adweir.store.dynamo.paging import from_token, to_token, unknown_token
from adweir.store.ledger.rows import Row, Rows

_LIST = "api-log"
_LAST = "~"
"""Sorts behind each sort key."""
_INVOCATION = timedelta(minutes=15)
"""A call is written at most so long after it was made: Lambda ends each invocation by then."""
_DATE = len("2026-11-20")
_FEW = 50
"""Items per request: one of a platform has 2 to 20 kB."""
_FIELDS = frozenset(ApiCall._fields)
_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder()


class ApiLog(Rows):
    """Written by whoever answers or makes calls, read by people."""

    def add(self, calls: Iterable[ApiCall], days: int) -> None:
        """Keep calls for so many days. Raises Unavailable."""
        now = self._clock.now()
        at, name = iso(now), attrgetter("platform", "success")
        for (platform, success), together in groupby(sorted(calls, key=name), key=name):
            found = list(together)
            packed = zlib.compress(_encoder.encode([call._asdict() for call in found]))
            row = self._row(_partition(now.date(), platform, success), f"{at}#{found[0].request_id}#{new_token()}")
            row.packed, row.expires = packed, epoch(now + timedelta(days=days))
            self._put(row)

    def page(
        self, limit: int, token: str, wanted: CallsWanted, platforms: Collection[str]
    ) -> tuple[list[ApiCall], str]:
        """Those wanted, and the token of the next page, "" after the last. `platforms` are those that may be there.

        Newest first, except that those of one invocation come together. It reads `limits.MAX_CALL_LOG_BYTES` at most,
        so that a page may have fewer, and even none. Raises BadInput for a wrong token.
        """
        first, last = iso(wanted.since), iso(wanted.until)
        place, shown = _place(token)
        found: list[ApiCall] = []
        read, before = 0, ""
        for row in self._rows(wanted, platforms, place):
            if read > limits.MAX_CALL_LOG_BYTES:
                return found, to_token(_LIST, f"{before}#{limits.MAX_CALLS_TOGETHER}")
            for number, call in enumerate(self._calls(row)):
                if row.sk == place and number < shown:
                    continue
                if len(found) == limit:
                    return found, to_token(_LIST, f"{row.sk}#{number}")
                if wanted.has(call, first, last):
                    found.append(call)
            read, before = read + (len(row.packed or b"") if row.sk != place else 0), row.sk
        return found, ""

    def _rows(self, wanted: CallsWanted, platforms: Collection[str], place: str) -> Iterator[Row]:
        """The items that may have wanted calls, from a place on, the newest first."""
        first, latest = iso(wanted.since), wanted.until + _INVOCATION
        last = min(iso(latest) + _LAST, place or _LAST)
        of_api = [] if wanted.direction == OUTBOUND or wanted.platform else [""]
        asked = [one for one in platforms if wanted.direction != INBOUND and wanted.platform in {"", one}]
        outcomes = (True, False) if wanted.success is None else (wanted.success,)
        day = min(latest.date(), date.fromisoformat(place[:_DATE])) if place else latest.date()
        while day >= wanted.since.date():
            names = [_partition(day, platform, outcome) for platform in of_api + asked for outcome in outcomes]
            rows = [self._backwards(name, first, last) for name in names]
            yield from merge(*rows, key=lambda row: row.sk, reverse=True)
            day -= DAY

    def _backwards(self, pk: str, first: str, last: str) -> Iterator[Row]:
        """The items of a partition from the last to the first, few at a time: a page of a list needs no more."""
        after = ""
        while True:
            count = 0
            for row in self._query(pk, first, up_to=last, after=after, newest_first=True, limit=_FEW):
                count, after = count + 1, row.sk
                yield row
            if count < _FEW:
                return

    def _calls(self, row: Row) -> list[ApiCall]:
        """The calls of an item, the newest first; none of one that cannot be read."""
        return [call for calls in self._readable([row], _unpacked) for call in calls]


def _place(token: str) -> tuple[str, int]:
    """The item at which a page begins, and how many of its calls were shown. Raises BadInput."""
    place, _, shown = from_token(_LIST, token).rpartition("#")
    try:
        if token:
            date.fromisoformat(place[:_DATE])
        return place, int(shown or 0)
    except ValueError:
        raise unknown_token() from None


def _partition(day: date, platform: str, success: bool) -> str:  # noqa: FBT001  private
    return f"api-log#{day.isoformat()}#{platform}#{'ok' if success else 'failed'}"


def _unpacked(row: Row) -> list[ApiCall]:
    """The calls of an item, without fields that another version added."""
    try:
        calls = _decoder.decode(zlib.decompress(row.packed or b""))
    except zlib.error as error:
        raise ValueError(str(error)) from None
    return [ApiCall(**{name: one[name] for name in one if name in _FIELDS}) for one in reversed(calls)]
