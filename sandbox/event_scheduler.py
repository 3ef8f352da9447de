"""EventBridge Scheduler as its user guide describes it: at which minutes a schedule fires.

MiniStack keeps schedules and knows no time zones. The product works out its next times by itself; whether both agree
is what tests find out, so this asks about one minute at a time and shares no code with the product.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")


@dataclass(frozen=True)
class Rhythm:
    """A schedule's expression and the zone it is read in; `start` is the first time of a rate."""

    expression: str
    timezone: str
    start: datetime

    def fires(self, minute: datetime) -> bool:
        """Whether it fires at a minute (aware, without seconds). False for an expression that is not known."""
        if rate := _RATE.fullmatch(self.expression):
            passed = minute - self.start.replace(second=0, microsecond=0)
            return passed >= timedelta() and passed % (int(rate[1]) * _UNITS[rate[2]]) == timedelta()
        cron = _CRON.fullmatch(self.expression)
        fields = cron[1].upper().split() if cron else []
        if len(fields) not in {5, 6}:
            return False
        local = minute.astimezone(ZoneInfo(self.timezone))
        if local.fold:  # this clock time was there before the clocks went back, and fired then
            return False
        minutes, hours, in_month, months, in_week, years = [*fields, "*"][:6]
        return (
            _has(minutes, local.minute, 0, 59)
            and _has(hours, local.hour, 0, 23)
            and _has(_numbers(months, _MONTHS), local.month, 1, 12)
            and _has(years, local.year, 1970, 2199)
            and _in_month(in_month, local.date())
            and _in_week(_numbers(in_week, _DAYS), local.date())
        )


def minutes_between(after: datetime, until: datetime) -> list[datetime]:
    """The whole minutes after one moment until another one, in UTC."""
    minute = after.astimezone(UTC).replace(second=0, microsecond=0)
    found = []
    while (minute := minute + timedelta(minutes=1)) <= until:
        found.append(minute)
    return found


def _numbers(text: str, names: dict[str, int]) -> str:
    return re.sub("[A-Z]{3}", lambda word: str(names.get(word[0], word[0])), text)


def _has(text: str, value: int, first: int, last: int) -> bool:
    """Whether a field of lists, ranges and steps has a value."""
    for part in text.split(","):
        reach, _, step = part.partition("/")
        begin, _, end = reach.partition("-")
        low = first if begin == "*" else int(begin)
        high = int(end) if end else last if step or begin == "*" else low
        if low <= value <= high and (value - low) % int(step or 1) == 0:
            return True
    return False


def _in_month(text: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if text == "?":
        return True
    if text == "L":
        return day.day == last
    if text.endswith("W"):
        wanted = int(text[:-1])
        working = [one for one in range(1, last + 1) if day.replace(day=one).weekday() < 5]
        return day.day == min(working, key=lambda one: abs(one - wanted))
    return _has(text, day.day, 1, 31)


def _in_week(text: str, day: date) -> bool:
    today = (day.weekday() + 1) % 7 + 1
    if text == "?":
        return True
    if text == "L":
        return today == 7
    if text.endswith("L"):
        return today == int(text[:-1]) and (day + timedelta(days=7)).month != day.month
    if "#" in text:
        wanted, number = text.split("#")
        return today == int(wanted) and (day.day - 1) // 7 + 1 == int(number)
    return _has(text, today, 1, 7)
