"""What the values of records mean: numbers with their units, dates with their forms, ids, words.

Money is never a float: numbers of JSON are read as the text that they are written in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from adweir.model import limits
from adweir.model.money import exact_number, minor_digits, rounded
from adweir.model.times import local_date, local_hour
from adweir.platforms.described import paths
from adweir.platforms.described.parts import SpecPart, Text
from adweir.platforms.numbers import count

Unit = Literal["units", "minor", "micros"]
NEEDED = ("impressions", "spend")
"""The numbers that each row has, so that a column which an API renames is not taken for nothing."""
NAMED_FORMATS = ("iso", "unix", "unix_ms", "parts")
_FORMAT = re.compile(r"(?:[^%]|%[YymdHMSfbBjz%])+")
_GROUPED = {
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?"),
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?"),
}
"""Numbers with signs between thousands. What begins with a zero is none: "0,125" is an eighth, not 125."""
_EXACT = Context(prec=limits.MAX_AMOUNT_DIGITS)
"""No text has as many digits, so moving the point rounds nothing."""


class FieldRule(SpecPart):
    """Where a value is, and what it means.

    It is at `path`, or the sum of what is at the paths of `sum`, or a `constant`. `unit`: of money and conversions.
    `format`: of dates, one of `NAMED_FORMATS` or directives as `strptime` has them. `decimal`: the sign before the
    decimals of a number that is text. `absent`: what a number is that is not there, or is one of `blank`; without it,
    impressions and spend are refused and others unknown. `values` translate words, `prefix` is taken off the front of
    ids.
    """

    path: Text | None = None
    sum: tuple[Text, ...] = Field(default=(), max_length=20)
    constant: Text | None = None
    unit: Unit = "units"
    format: Text = "iso"
    decimal: Literal[".", ","] = "."
    absent: Literal["unknown", "zero"] | None = None
    blank: tuple[Text, ...] = Field(default=("", "-", "--"), max_length=20)
    values: dict[Text, Text] = Field(default={}, max_length=200)
    prefix: Text = ""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if sum(bool(given) for given in (self.path is not None, self.sum, self.constant is not None)) != 1:
            raise ValueError("needs exactly one of path, sum, constant")
        if self.format not in NAMED_FORMATS and not _FORMAT.fullmatch(self.format):
            raise ValueError(f"{self.format[:40]!r} is no format; there are {', '.join(NAMED_FORMATS)} and strptime's")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that is read."""
        return self.sum or ((self.path,) if self.path is not None else ())


class ExactAmount(NamedTuple):
    """An exact number in millionths, and what rounding to them added."""

    micros: int
    added: Decimal


Get = Callable[[str], Any]
"""What a record has at a path; `paths.MISSING` for nothing."""


class FieldReader:
    """Reads values by a rule. `name` is the canonical field, for messages; all raise ValueError (field, message)."""

    def __init__(self, name: str, rule: FieldRule) -> None:
        self.name = name
        self._rule = rule

    def text(self, get: Get) -> str:
        """Text, translated and without its prefix; "" for nothing."""
        found = self.word(get)
        return self._rule.values.get(found, found)

    def word(self, get: Get) -> str:
        """The same before it is translated."""
        rule = self._rule
        if rule.constant is not None:
            return rule.constant
        found = self._plain(get(rule.path or ""))
        return "" if found is None or found in rule.blank else found.removeprefix(rule.prefix)

    def whole(self, get: Get) -> int | None:
        """A count."""
        found = [self._whole(text) for text in self._given(get)]
        return self._sum(found)

    def amount(self, get: Get, currency: str) -> ExactAmount | None:
        """Money or conversions in millionths of a unit."""
        found = [self._amount(text, currency) for text in self._given(get)]
        known = [each for each in found if each is not None]
        if len(known) < len(found) and self._rule.absent != "zero":
            return None
        return ExactAmount(sum(each.micros for each in known), sum((each.added for each in known), Decimal(0)))

    def day(self, get: Get, timezone: str) -> str:
        """A date as it is written; in the time zone, of Unix time and of the moment at which a day begins there."""
        found = self._moment(get)
        if not isinstance(found, datetime):
            return found.isoformat()
        try:
            if self._rule.format.startswith("unix") or _begins_elsewhere(found, timezone):
                return local_date(found, timezone).isoformat()
        except OverflowError:
            raise ValueError(self.name, f"out of range: {found.isoformat()}") from None
        return found.date().isoformat()

    def hour(self, get: Get, timezone: str) -> tuple[str, int]:
        """The date and hour (`times.SLOT_HOURS`) of a moment: in this zone where it says its own, else as written."""
        found = self._moment(get)
        if not isinstance(found, datetime):
            raise ValueError(self.name, "has no hour")  # noqa: TRY004  every fault of a value is a ValueError
        if found.tzinfo is None:
            return found.date().isoformat(), found.hour
        try:
            day, hour = local_hour(found, ZoneInfo(timezone))
        except OverflowError:
            raise ValueError(self.name, f"out of range: {found.isoformat()}") from None
        return day.isoformat(), hour

    # -- values -------------------------------------------------------------------------------------------------------

    def _given(self, get: Get) -> list[str | None]:
        """The value's text, or those of all that is added up; None for each that is unknown."""
        rule = self._rule
        if rule.constant is not None:
            return [rule.constant]
        found = [self._plain(get(path)) for path in rule.paths]
        given = [None if text is None or text in rule.blank else text for text in found]
        if None in given and rule.absent is None and self.name in NEEDED:
            raise ValueError(self.name, 'is missing; "absent" says what that means where the API leaves it out')
        return given

    def _plain(self, value: Any) -> str | None:
        if value is paths.MISSING or value is None:
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, int):
            return str(value)
        raise ValueError(self.name, f"is {'a list' if isinstance(value, list) else 'an object'}, not a single value")

    def _sum(self, found: Sequence[int | None]) -> int | None:
        if self._rule.absent == "zero":
            return sum(each or 0 for each in found)
        known = [each for each in found if each is not None]
        return sum(known) if len(known) == len(found) else None

    def _number(self, text: str) -> str:
        """The number with a point and without signs between thousands."""
        decimal = self._rule.decimal
        if _GROUPED[decimal].fullmatch(text):
            text = text.replace("," if decimal == "." else ".", "")
        return text.replace(",", ".") if decimal == "," else text

    def _whole(self, text: str | None) -> int | None:
        if text is None:
            return None
        text = self._number(text)
        whole, _, decimals = text.partition(".")
        return count(whole if not decimals.strip("0") else text, self.name)

    def _amount(self, text: str | None, currency: str) -> ExactAmount | None:
        if text is None:
            return None
        try:
            number = self._number(text)
            if self._rule.unit == "units":
                return ExactAmount(*rounded(number))
            places = 6 if self._rule.unit == "micros" else minor_digits(currency)
            return ExactAmount(*rounded(exact_number(number).scaleb(-places, _EXACT)))
        except (ValueError, InvalidOperation):
            raise ValueError(self.name, f"not a number, or out of range: {text[:40]!r}") from None

    def _moment(self, get: Get) -> date:
        """A date, or a datetime where the format has a time."""
        value = get(self._rule.path or "")
        try:
            if self._rule.format == "parts":
                return date(*(int(value[name]) for name in ("year", "month", "day")))
            text = self._plain(value) or ""
            if self._rule.format == "iso":
                return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
            if self._rule.format.startswith("unix"):
                return datetime.fromtimestamp(int(text) // (1000 if self._rule.format == "unix_ms" else 1), UTC)
            found = datetime.strptime(text, self._rule.format)  # noqa: DTZ007  as it is written
        except (ValueError, TypeError, KeyError, OverflowError, OSError):
            shown = str(value)[:40] if value is not paths.MISSING else "nothing"
            raise ValueError(self.name, f"not a date of format {self._rule.format[:40]}: {shown!r}") from None
        return found


def _begins_elsewhere(moment: datetime, timezone: str) -> bool:
    """Whether a day of the zone begins at a moment that is written with another zone's date, as UTC."""
    if moment.tzinfo is None or moment.time() == time():
        return False
    return moment.astimezone(ZoneInfo(timezone)).time() == time()
