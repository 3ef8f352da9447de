"""Days that depend on the day it is (`yesterday`, `last_7_days`), and the days that others are compared with.

They are the local days of each ad account: at one moment, `yesterday` is another day in another time zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.times import DAY, Window, first_of_month, local_date

RELATIVE = (
    "today",
    "yesterday",
    "last_7_days",
    "last_14_days",
    "last_28_days",
    "last_30_days",
    "last_90_days",
    "this_week",
    "last_week",
    "this_month",
    "last_month",
    "this_quarter",
    "last_quarter",
    "this_year",
    "last_year",
)
"""The words; `last_7_days` stands for any number of days, the last of them yesterday. Weeks begin on Monday."""
_LAST_DAYS = re.compile(r"last_([1-9][0-9]{0,3})_days")
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_SHOWN = 40


class Before(StrEnum):
    """Which days a range is compared with: as many right before it, or the same dates a year before."""

    PERIOD = "previous_period"
    YEAR = "previous_year"

    def window(self, days: Window) -> Window:
        """The days that these are compared with; of 29 February alone none, a window that ends before it starts."""
        if self is Before.PERIOD:
            return Window(days.start - timedelta(days=days.length), days.start - DAY)
        return Window(_a_year_before(days.start, first=True), _a_year_before(days.end, first=False))

    def compared_with(self, day: date, days: Window) -> date:
        """The day of a range that a day before it is compared with. 29 February counts for the 28th."""
        if self is Before.PERIOD:
            return day + timedelta(days=days.length)
        return date(day.year + 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def _a_year_before(day: date, *, first: bool) -> date:
    """The date a year before; in place of 29 February the first or last day that there was."""
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 3, 1) if first else date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)


@dataclass(frozen=True, slots=True)
class RelativeDays:
    """Words at a moment. `before`: the days that they are compared with in place of theirs."""

    words: str
    now: datetime
    before: Before | None = None

    def window(self, timezone: str) -> Window:
        """The days in a time zone."""
        days = self.own(timezone)
        return days if self.before is None else self.before.window(days)

    def own(self, timezone: str) -> Window:
        """The days of the words themselves."""
        return days_of(self.words, local_date(self.now, timezone))


def is_relative(words: str) -> bool:
    """Whether these are such words."""
    return words in RELATIVE or _LAST_DAYS.fullmatch(words) is not None


def check_relative(words: str, field: str) -> None:
    """Raises Unprocessable that lists the words."""
    found = _LAST_DAYS.fullmatch(words)
    if not is_relative(words) or (found and int(found[1]) > limits.MAX_QUERY_DAYS):
        message = f"{words[:_SHOWN]!r} is no range: known are {', '.join(RELATIVE)}, last_<number>_days"
        message = f"{message} of at most {limits.MAX_QUERY_DAYS}, and dates"
        raise Unprocessable(message, [{"field": field, "message": message, "known": list(RELATIVE)}])


def days_of(words: str, today: date) -> Window:
    """The days that words mean on a day. Raises ValueError for other words."""
    if words == "today":
        return Window(today, today)
    if words == "yesterday":
        return Window(today - DAY, today - DAY)
    if found := _LAST_DAYS.fullmatch(words):
        return Window(today - timedelta(days=int(found[1])), today - DAY)
    which, _, unit = words.partition("_")
    if which not in {"this", "last"}:
        raise ValueError(words)
    begin, before = _begin(unit, today)
    return Window(begin, today) if which == "this" else Window(before, begin - DAY)


def _begin(unit: str, today: date) -> tuple[date, date]:
    """The first day of the week, month, quarter or year that it is, and of the one before. Raises ValueError."""
    if unit == "week":
        begin = today - timedelta(days=today.weekday())
        return begin, begin - timedelta(days=7)
    if unit not in _MONTHS:
        raise ValueError(unit)
    months = _MONTHS[unit]
    begin = first_of_month(today, -((today.month - 1) % months))
    return begin, first_of_month(begin, -months)
