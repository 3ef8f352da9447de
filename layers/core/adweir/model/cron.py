"""Cron expressions in the dialect of EventBridge Scheduler: minutes, hours, day of month, month, day of week, year.

Source: the Scheduler's user guide, "Schedule types". What it does not document (steps from `*`, names before `L` and
`#`) is rewritten into what it does; what cannot be rewritten is refused, because nobody knows when AWS would fire it.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from adweir.model import limits
from adweir.model.errors import BadInput

MINUTES_A_DAY = 24 * 60
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = "minutes, hours, day of month, month, day of week, and optionally a year"
_SURE_DAYS = 28
"""Days that every month has."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field's name and values; `words` are names of values, the first is that of `first`."""

    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()

    def read(self, text: str) -> tuple[tuple[int, ...], str]:
        """The field's values in order, and its text as AWS documents it. Raises BadInput."""
        if text == "*":
            return tuple(range(self.first, self.last + 1)), text
        values: set[int] = set()
        written: list[str] = []
        for part in text.split(","):
            found, shown = self._part(part)
            values.update(found)
            written.append(shown)
        return tuple(sorted(values)), ",".join(written)

    def _part(self, text: str) -> tuple[range, str]:
        reach, slash, step = text.partition("/")
        begin, dash, end = reach.partition("-")
        first = self.first if begin == "*" and slash and not dash else self.value(begin)
        if not slash:
            last = self.value(end) if dash else first
            self._in_order(first, last, text)
            return range(first, last + 1), f"{first}-{last}" if dash else str(first)
        most = self.last - self.first
        if not re.fullmatch("[0-9]{1,4}", step) or not 0 < int(step) <= most:
            raise BadInput(f"{self.name}: the step of {text[:20]!r} is not one of 1-{most}")
        last = self.value(end) if dash else self.last
        self._in_order(first, last, text)
        found = range(first, last + 1, int(step))
        return found, ",".join(map(str, found)) if dash else f"{first}/{step}"

    def _in_order(self, first: int, last: int, text: str) -> None:
        if first > last:
            raise BadInput(f"{self.name}: {text[:20]!r} runs backwards; write two ranges with a comma between them")

    def value(self, text: str) -> int:
        """One value, by number or name. Raises BadInput."""
        if text in self.words:
            return self.words.index(text) + self.first
        if re.fullmatch("[0-9]{1,4}", text) and self.first <= int(text) <= self.last:
            return int(text)
        names = f" or {self.words[0]}-{self.words[-1]}" if self.words else ""
        raise BadInput(f"{self.name}: {text[:20]!r} is not one of {self.first}-{self.last}{names}")


_MINUTE = _Field("minutes", 0, 59)
_HOUR = _Field("hours", 0, 23)
_DAY = _Field("day of month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of week", 1, 7, _DAYS)
_YEAR = _Field("year", 1970, 2199)


@dataclass(frozen=True, slots=True)
class _Days:
    """Which days of a month: `days` of the month, its `last` one, the weekday `nearest` to a day; or by day of the week
    (1 is Sunday) all `weekdays`, only the `nth` of them in the month, or the last one (`nth` is -1)."""

    days: tuple[int, ...] = ()
    last: bool = False
    nearest: int = 0
    weekdays: tuple[int, ...] = ()
    nth: int = 0

    def of(self, year: int, month: int) -> list[int]:
        """The days of a month, in order."""
        length = calendar.monthrange(year, month)[1]
        if self.last:
            return [length]
        if self.nearest:
            return [_nearest_weekday(year, month, self.nearest)]
        if not self.weekdays:
            return [day for day in self.days if day <= length]
        found = [day for day in range(1, length + 1) if date(year, month, day).isoweekday() % 7 + 1 in self.weekdays]
        if not self.nth:
            return found
        chosen = found[-1:] if self.nth < 0 else found[self.nth - 1 : self.nth]
        return list(chosen)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression: `text` has six fields, as EventBridge Scheduler takes them between `cron(` and `)`."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: _Days
    months: tuple[int, ...]
    years: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """An expression with or without `cron(...)` around it, and with or without a year. Raises BadInput."""
        plain = text.strip().upper()
        if plain.startswith("CRON(") and plain.endswith(")"):
            plain = plain[5:-1]
        fields = plain.split()
        if len(fields) == 5:
            fields.append("*")
        if len(fields) != 6:
            raise BadInput(f"{text[:60]!r} has {len(fields)} fields; a cron expression has {_FIELDS}")
        minutes, hours, in_month, month, in_week, year = fields
        read = [_MINUTE.read(minutes), _HOUR.read(hours), _MONTH.read(month), _YEAR.read(year)]
        days, in_month, in_week = _days_of(in_month, in_week)
        written = " ".join((read[0][1], read[1][1], in_month, read[2][1], in_week, read[3][1]))
        if len(written) > limits.MAX_CRON_CHARS:
            raise BadInput(f"the expression has more than {limits.MAX_CRON_CHARS} characters when it is written out")
        return cls(written, read[0][0], read[1][0], days, read[2][0], read[3][0])

    @property
    def is_every_hour(self) -> bool:
        """Whether it names every hour of every day."""
        every_day = len(self.days.days) == _DAY.last or (len(self.days.weekdays) == _WEEKDAY.last and not self.days.nth)
        rest = ((self.hours, _HOUR), (self.months, _MONTH), (self.years, _YEAR))
        return every_day and all(len(values) == field.last - field.first + 1 for values, field in rest)

    def times(self, first: date) -> Iterator[datetime]:
        """The local times that it names, without a zone, from a day on, in order."""
        of_day = [time(hour, minute) for hour in self.hours for minute in self.minutes]
        for year in self.years:
            if year < first.year:
                continue
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for day in self.days.of(year, month):
                    if (today := date(year, month, day)) >= first:
                        yield from (datetime.combine(today, each) for each in of_day)

    def nearest_minutes(self) -> int:
        """The fewest minutes between two of its times of day, the last and the next day's first included."""
        of_day = [hour * 60 + minute for hour in self.hours for minute in self.minutes]
        following = [*of_day[1:], of_day[0] + MINUTES_A_DAY]
        return min(after - before for before, after in zip(of_day, following, strict=True))


def _days_of(in_month: str, in_week: str) -> tuple[_Days, str, str]:
    """The two fields that name days, one of which has to be `?`; and how both are written. Raises BadInput."""
    if (in_month == "?") == (in_week == "?"):
        raise BadInput(
            "exactly one of day of month and day of week has to be ? (for every day write * and ?):"
            f" these are {in_month[:20]} and {in_week[:20]}"
        )
    if in_week == "?":
        found, written = _in_month(in_month)
        return found, written, "?"
    found, written = _in_week(in_week)
    return found, "?", written


def _in_month(text: str) -> tuple[_Days, str]:
    if text == "L":
        return _Days(last=True), "L"
    if nearest := re.fullmatch("([0-9]{1,2})W", text):
        day = _DAY.value(nearest[1])
        if day > _SURE_DAYS:
            raise BadInput(f"day of month: not every month has a day {day}; W takes 1 to {_SURE_DAYS}, or write L")
        return _Days(nearest=day), f"{day}W"
    if "L" in text or "W" in text:
        raise BadInput(f"day of month: {text[:20]!r} is refused: L, or one day and W such as 15W, stands alone")
    values, written = _DAY.read(text)
    return _Days(days=values), written


def _in_week(text: str) -> tuple[_Days, str]:
    if text == "L":
        return _Days(weekdays=(7,)), "7"
    if last := re.fullmatch("([0-9A-Z]+)L", text):
        day = _WEEKDAY.value(last[1])
        return _Days(weekdays=(day,), nth=-1), f"{day}L"
    if nth := re.fullmatch("([0-9A-Z]+)#([0-9]+)", text):
        day, number = _WEEKDAY.value(nth[1]), int(nth[2])
        if not 1 <= number <= 5:
            raise BadInput(f"day of week: {text[:20]!r} names no day; after # stands 1 to 5")
        return _Days(weekdays=(day,), nth=number), f"{day}#{number}"
    if "#" in text or re.search("[0-9A-Z]L", text):
        raise BadInput(f"day of week: {text[:20]!r} is refused: a day with L or # such as 6L or 3#2 stands alone")
    values, written = _WEEKDAY.read(text)
    return _Days(weekdays=values), written


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """The day from Monday to Friday next to a day, in the same month."""
    falls = date(year, month, day).isoweekday()
    if falls == 6:
        return day - 1 if day > 1 else day + 2
    if falls == 7:
        return day + 1 if day < calendar.monthrange(year, month)[1] else day - 2
    return day
