"""Days and times as files write them; the order of day and month is one answer per file, as the decimal mark is.

Read are `2026-01-15`, `20260115`, `15.01.2026`, `1/15/2026`, `15 Jan 2026`, `Jan 15, 2026` (English and German names),
each with a time or without: `10:00`, `10:00:00.000 PM`, `T10:00:00Z`, `10:00 +0200`, Microsoft's `2020-03-15|7`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from adweir.model.errors import BadInput
from adweir.model.numerals import Undecided

_TIME = (
    r"(?:(?:[T,]|\s)\s*(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?P<offset>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}(?::?00)?|[+-][0-9]{2})?)?(?:\|(?P<slot>[0-9]{1,2}))?"
)
_FORMS = tuple(
    re.compile(each + _TIME)
    for each in (
        r"(?P<y>[0-9]{4})(?P<mark>[-/.])(?P<m>[0-9]{1,2})(?P=mark)(?P<d>[0-9]{1,2})",
        r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})",
        r"(?P<one>[0-9]{1,2})(?P<mark>[-/.])\s?(?P<two>[0-9]{1,2})(?P=mark)\s?(?P<y>[0-9]{4}|[0-9]{2})",
        r"(?:[^\W\d_]{2,12}\.?,?\s+)?(?P<d>[0-9]{1,2})\.?[\s-]+(?P<name>[^\W\d_]{3,9})\.?,?[\s-]+(?P<y>[0-9]{4})",
        r"(?:[^\W\d_]{2,12}\.?,\s+)?(?P<name>[^\W\d_]{3,9})\.?\s+(?P<d>[0-9]{1,2}),?\s+(?P<y>[0-9]{4})",
    )
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan jän", "feb", "mar mär mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"), 1
    )
    for name in names.split()
}
_LONGEST = 60


class CalendarDays:
    """How one file writes its days. `order`: of day and month where that is not plain; None: the file has to say it.

    `source_zone`: in which zone times without an offset are, None for the ad account's own.
    """

    def __init__(self, order: str | None = None, source_zone: ZoneInfo | None = None) -> None:
        self._stated = order is not None
        self._seen = ""
        self._source_zone = source_zone
        self.order = order or ""

    def read(self, text: str) -> str:
        """`2026-01-15`, with a time `2026-01-15T10:00:00`, of a moment `2026-01-15T10:00:00+02:00`.

        Raises ValueError for what is no day, Undecided, BadInput for a file that writes days in two orders.
        """
        found = _matched(text)
        if found is None:
            month = re.fullmatch(r"[0-9]{4}-[0-9]{2}|[0-9]{6}", text)
            raise ValueError("is a month; each row is of one day" if month else "is not a date")
        return self._at(self._day(text, found), found)

    def is_plain(self, text: str) -> bool:
        """Whether a text is read in the same way whatever other cells say."""
        found = None if self.order else _matched(text)
        return found is None or "one" not in found.groupdict() or found["mark"] == "."

    def learn(self, text: str) -> None:
        """Take in what a cell says of the order, if it says anything."""
        found = None if self.order else _matched(text)
        order = _says(found) if found else ""
        if order:
            self.order, self._seen = order, text

    def _day(self, text: str, found: re.Match[str]) -> date:
        parts = found.groupdict()
        year = int(parts["y"]) + (2000 if len(parts["y"]) == 2 else 0)
        if "name" in parts:
            month = _MONTHS.get(parts["name"][:3].casefold())
            if month is None:
                raise ValueError("is not a date: the month's name is neither English nor German")
            return date(year, month, int(parts["d"]))
        if "one" not in parts:
            return date(year, int(parts["m"]), int(parts["d"]))
        says = _says(found)
        if parts["mark"] == ".":
            order = "dmy"
        else:
            self.learn(text)
            order = self.order
            if not order:
                raise Undecided(text)
            if (says and says != order) or order == "ymd":
                self._contradicted(text)
        one, two = int(parts["one"]), int(parts["two"])
        return date(year, one, two) if order == "mdy" else date(year, two, one)

    def _contradicted(self, text: str) -> None:
        if not self._stated:
            raise BadInput(
                f"the file writes dates in two orders, {self._seen[:30]!r} and {text[:30]!r}: "
                "export it in one language, or say the order in its mapping (date_order)",
                [{"field": "date_order", "rule": "consistent"}],
            )
        raise ValueError("is not a date in the order that the mapping says")

    def _at(self, day: date, found: re.Match[str]) -> str:
        if found["slot"]:
            return f"{day.isoformat()}T{_in_day(int(found['slot'])):02}:00:00"
        if found["hour"] is None:
            return day.isoformat()
        hour = _in_day(_of_half(int(found["hour"]), found["half"]))
        local = datetime.combine(day, time(hour, int(found["minute"] or 0), int(found["second"] or 0)))
        zone = _offset(found["offset"]) if found["offset"] else self._source_zone
        return local.replace(tzinfo=zone).isoformat()


def _matched(text: str) -> re.Match[str] | None:
    if len(text) > _LONGEST:
        return None
    return next((found for form in _FORMS if (found := form.fullmatch(text))), None)


def _says(found: re.Match[str]) -> str:
    parts = found.groupdict()
    if "one" not in parts or parts["mark"] == ".":
        return ""
    one, two = int(parts["one"]), int(parts["two"])
    return "dmy" if one > 12 else "mdy" if two > 12 else ""


def _of_half(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("is not a time")
    return hour % 12 + (12 if half in "pP" else 0)


def _in_day(hour: int) -> int:
    if hour > 23:
        raise ValueError("is not a time")
    return hour


def _offset(text: str) -> timezone:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4] or 0))
    return timezone(-away if text[0] == "-" else away)
