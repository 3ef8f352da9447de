"""Days, windows, stamps. UTC inside; a metric's date is the profile's local date; windows are inclusive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
HOURS_A_DAY = 24
SLOT_HOURS = range(2 * HOURS_A_DAY)
"""The hours of a local day as they are stored: 0-23, plus 24 for the second pass of an hour that comes twice.

On the night when clocks go back, one hour happens twice. Its second pass is stored as the hour plus 24 (the second
02:30 is in hour 26) and read as the same hour: the two add up.
"""


class Clock(Protocol):
    """The injected clock: `now()` is the aware UTC time, `monotonic()` seconds for measuring spans."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class Window(NamedTuple):
    """Inclusive local dates."""

    start: date
    end: date

    @classmethod
    def parse(cls, text: str) -> Window:
        """`2026-11-01..2026-11-07` → Window. Raises ValueError."""
        start, _, end = text.partition("..")
        window = cls(date.fromisoformat(start), date.fromisoformat(end or start))
        if window.start > window.end:
            raise ValueError(f"window ends before it starts: {text}")
        return window

    def __str__(self) -> str:
        return f"{self.start.isoformat()}..{self.end.isoformat()}"

    @property
    def length(self) -> int:
        """Days, both ends counted."""
        return (self.end - self.start).days + 1

    def days(self) -> Iterator[date]:
        for offset in range(self.length):
            yield self.start + timedelta(days=offset)

    def halves(self) -> tuple[Window, Window]:
        """Two windows that together are this one. Raises ValueError for a single day."""
        if self.length < 2:
            raise ValueError("a single day has no halves")
        middle = self.start + timedelta(days=self.length // 2 - 1)
        return Window(self.start, middle), Window(middle + DAY, self.end)

    def pieces(self, most: int) -> list[Window]:
        """Cut into windows of at most `most` days, the oldest first."""
        pieces, start = [], self.start
        while start <= self.end:
            end = min(start + timedelta(days=most - 1), self.end)
            pieces.append(Window(start, end))
            start = end + DAY
        return pieces


def first_of_month(day: date, after: int = 0) -> date:
    """The first day of the month that comes so many after a day's; a negative number means before."""
    months = day.year * 12 + day.month - 1 + after
    return date(months // 12, months % 12 + 1, 1)


def is_zone(name: str) -> bool:
    """Whether text is the name of an IANA time zone; `America` is not: it is a folder of zones."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def local_time(instant: datetime, timezone: str) -> datetime:
    """An aware instant as the clocks of an IANA zone show it."""
    return instant.astimezone(ZoneInfo(timezone))


def local_date(instant: datetime, timezone: str) -> date:
    """The calendar date of an aware instant in an IANA zone."""
    return local_time(instant, timezone).date()


def latest_date(instant: datetime) -> date:
    """The latest calendar date that it is anywhere at an aware instant: clocks are at most 14 hours ahead of UTC."""
    return (instant.astimezone(UTC) + timedelta(hours=14)).date()


def local_hour(instant: datetime, timezone: ZoneInfo) -> tuple[date, int]:
    """The local date of an aware instant and its hour, one of `SLOT_HOURS`: the second pass of an hour is + 24."""
    local = instant.astimezone(timezone)
    return local.date(), local.hour + HOURS_A_DAY * local.fold


def iso(instant: datetime) -> str:
    """An aware instant → `2026-11-21T06:48:03.123456Z`: fixed width, so text order is time order."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parse_instant(text: str) -> datetime:
    """ISO 8601 with an offset or Z → aware UTC. Raises ValueError for a naive time, and one outside of years 1-9999."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"time without a zone: {text}")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"time out of range: {text}") from None


def iso_of(seconds: int) -> str:
    """Whole Unix seconds → `iso` text."""
    return iso(datetime.fromtimestamp(seconds, UTC))


def clock_text(instant: datetime, now: datetime) -> str:
    """An aware instant for people: `12:05 UTC`, on another day than `now` `2026-11-21 12:05 UTC`."""
    instant = instant.astimezone(UTC)
    return instant.strftime("%H:%M UTC" if instant.date() == now.astimezone(UTC).date() else "%Y-%m-%d %H:%M UTC")


def epoch(instant: datetime) -> int:
    """Whole Unix seconds."""
    return int(instant.timestamp())
