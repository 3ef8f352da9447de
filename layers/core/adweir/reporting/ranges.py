"""Time ranges as callers write them, and the days and hours that they mean for each profile.

A start or an end is a date (`2026-11-01`) or a datetime (`2026-11-01T09:00:00+01:00`), both inclusive. Metrics are kept
by the local days and hours of each profile, so:

- a date, and a datetime without an offset, mean the time zone of each profile; with an offset, one moment everywhere;
- a day or an hour counts when any moment of it lies within the range. Days are never cut: to ask for a part of a day,
  ask by hour.

A range may also be words as `last_7_days` (`reporting.relative`): the local days of each profile at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.times import DAY, Window, first_of_month, local_time
from adweir.reporting.relative import RelativeDays, check_relative

_FIRST_HOUR, _LAST_HOUR = 0, 23
_DATE_CHARS = 10
_DAYS = 30
_MONTH_CHARS, _MONTHS = 7, 12
_FIRST_ZONE, _LAST_ZONE = "Etc/GMT+12", "Etc/GMT-14"
"""Where a day ends last, and where it begins first."""
_EDGES = (date.min.year, date.max.year)
"""In these years, converting to another time zone could leave the range of datetime."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """An inclusive range of dates or datetimes.

    `relative`: what it means in each time zone; then `start` and `end` are the first and last day that it is anywhere,
    or those of a part of it.
    """

    start: date | datetime
    end: date | datetime
    relative: RelativeDays | None = None

    @classmethod
    def of_words(cls, relative: RelativeDays) -> Self:
        """The range that words mean."""
        return cls(relative.window(_FIRST_ZONE).start, relative.window(_LAST_ZONE).end, relative)

    def window(self, timezone: str) -> Window:
        """The local days of a profile that the range touches. It ends before it starts where there are none."""
        if self.relative:
            days = self.relative.window(timezone)
            return Window(max(days.start, _day(self.start)), min(days.end, _day(self.end)))
        return Window(_day(_local(self.start, timezone)), _day(_local(self.end, timezone)))

    @property
    def days(self) -> Window:
        """The first and the last day as they are written; those of a profile may be a day or two off."""
        return Window(_day(self.start), _day(self.end))

    def hours(self, timezone: str) -> tuple[tuple[str, int], tuple[str, int]]:
        """The first and the last (local day, hour) of a profile that the range touches."""
        if self.relative:
            days = self.window(timezone)
            return (days.start.isoformat(), _FIRST_HOUR), (days.end.isoformat(), _LAST_HOUR)
        first, last = _local(self.start, timezone), _local(self.end, timezone)
        return (
            (_day(first).isoformat(), first.hour if isinstance(first, datetime) else _FIRST_HOUR),
            (_day(last).isoformat(), last.hour if isinstance(last, datetime) else _LAST_HOUR),
        )


def parse_words(words: str, now: datetime, field: str = "time_range") -> TimeSpan:
    """Words as `last_7_days` → a range. Raises Unprocessable that lists the words."""
    check_relative(words, field)
    return TimeSpan.of_words(RelativeDays(words, now))


def parse_range(start: Any, end: Any, today: date, field: str = "time_range") -> TimeSpan:
    """Texts → a range; missing ones mean the last 30 days. Raises Unprocessable that names the field.

    `today` is UTC's. Without an end the day after it counts too, because it has already begun east of Greenwich.
    """
    try:
        last = _parse(end) if end else today + DAY
        first = _parse(start) if start else _day(last) - timedelta(days=_DAYS - 1)
    except (TypeError, ValueError, OverflowError):
        message = "start and end are dates, YYYY-MM-DD, or datetimes, YYYY-MM-DDThh:mm:ss with or without an offset"
        raise Unprocessable(message, [{"field": field, "message": message}]) from None
    if not _in_order(first, last) or (_day(last) - _day(first)).days >= limits.MAX_QUERY_DAYS:
        message = f"the range must not end before it starts and has at most {limits.MAX_QUERY_DAYS} days"
        raise Unprocessable(message, [{"field": field, "message": message}])
    return TimeSpan(first, last)


def months(start: str, end: str, today: date) -> tuple[str, str]:
    """Months as callers write them (`2026-09`, or a day of it) → their first and last day, as `parse_range` takes them.

    Missing ones mean the twelve months up to the current one. Raises Unprocessable.
    """
    first, last = _month(start, "query.start"), _month(end, "query.end") or today.replace(day=1)
    first = first or first_of_month(last, 1 - _MONTHS)
    return first.isoformat(), (first_of_month(last, 1) - DAY).isoformat()


def _month(text: str, field: str) -> date | None:
    """The first day of a month; None for ""."""
    day = parse_day(f"{text}-01" if len(text) == _MONTH_CHARS else text, field)
    return None if day is None else day.replace(day=1)


def parse_day(text: str, field: str) -> date | None:
    """A date as text, None for "". Raises Unprocessable."""
    try:
        return _day(_parse(text)) if text else None
    except (TypeError, ValueError, OverflowError):
        message = "is no date, YYYY-MM-DD"
        raise Unprocessable(f"{field} {message}", [{"field": field, "message": message}]) from None


def _parse(text: Any) -> date | datetime:
    """A date or datetime in ISO 8601's extended form and in none of its others. Raises ValueError, TypeError."""
    day = date.fromisoformat(text[:_DATE_CHARS])
    if day.year in _EDGES:
        raise ValueError(f"{day} has no other time zone")
    if text == day.isoformat():
        return day
    if not text.startswith(f"{day.isoformat()}T"):
        raise ValueError(f"neither a date nor a datetime: {text[:40]!r}")
    return datetime.fromisoformat(text)


def _in_order(first: date | datetime, last: date | datetime) -> bool:
    """Whether the range starts before it ends; by the day where only one of the two names a moment."""
    if isinstance(first, datetime) and isinstance(last, datetime) and bool(first.tzinfo) == bool(last.tzinfo):
        return first <= last
    return _day(first) <= _day(last)


def _local(moment: date | datetime, timezone: str) -> date | datetime:
    if isinstance(moment, datetime) and moment.tzinfo:
        return local_time(moment, timezone)
    return moment


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
