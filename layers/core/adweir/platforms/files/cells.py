"""What canonical cells say: days, numbers and texts. Each function raises LineFault for what cannot be stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from adweir.model import limits
from adweir.model.money import to_micros
from adweir.model.times import local_date, local_hour
from adweir.platforms.files.lines import LineFault

_DAY_CHARS = len("2026-11-21")
_BEFORE_OFFSET = re.compile(r" +(?=[+-][0-9]{2}:?[0-9]{2}$)")


@lru_cache(maxsize=4096)
def day(text: str, name: str = "date") -> str:
    """`2026-11-21` as it stands."""
    try:
        if len(text) == _DAY_CHARS:
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass  # reported below, with the other malformed dates
    raise LineFault(name, "format", "must be a date, YYYY-MM-DD")


@lru_cache(maxsize=4096)
def local_day(text: str, timezone: str, name: str = "date") -> str:
    """The day of a date, of a local time, or of a moment with an offset (`2026-11-21T23:30:00-0500`) in a time zone."""
    if len(text) <= _DAY_CHARS:
        return day(text, name)
    try:
        when = datetime.fromisoformat(_BEFORE_OFFSET.sub("", text))
        return (local_date(when, timezone) if when.tzinfo else when.date()).isoformat()
    except (ValueError, OverflowError):
        raise LineFault(name, "format", "must be a date, YYYY-MM-DD, or a date and time in ISO 8601") from None


def local_slot(text: str, timezone: str) -> tuple[str, int]:
    """The day and the hour (`times.SLOT_HOURS`) of a moment with an offset in a time zone, or of a local time."""
    try:
        when = datetime.fromisoformat(_BEFORE_OFFSET.sub("", text))
        day_of, slot = local_hour(when, ZoneInfo(timezone)) if when.tzinfo else (when.date(), when.hour)
    except (ValueError, OverflowError):
        raise LineFault("date", "format", "must be a date and time in ISO 8601") from None
    return day_of.isoformat(), slot


def hour(text: str) -> int:
    """0 to 23."""
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) < 24:
        return int(text)
    raise LineFault("hour", "range", "must be a whole number, 0 to 23")


def count(cell: Mapping[str, str], name: str) -> int:
    """A whole number, 0 or more."""
    text = cell.get(name, "")
    if text.isascii() and text.isdigit() and len(text) <= limits.MAX_COUNT_DIGITS:
        return int(text)
    raise LineFault(
        name, "integer" if text else "required", "must be a whole number, 0 or more" if text else "is required"
    )


def number(cell: Mapping[str, str], name: str) -> int:
    """Millionths of a decimal number of either sign."""
    text = cell.get(name, "")
    if not text:
        raise LineFault(name, "required", "is required")
    try:
        return to_micros(text)
    except ValueError as error:
        raise LineFault(name, "number", f"cannot be stored: {error}") from None


def amount(cell: Mapping[str, str], name: str) -> int:
    """Millionths of a decimal number, 0 or more."""
    value = number(cell, name)
    if value < 0:
        raise LineFault(name, "number", "must be a decimal number, 0 or more")
    return value


def currency(cell: Mapping[str, str], name: str = "currency") -> str:
    """Three letters, "" for none."""
    text = cell.get(name, "").upper()
    if text and not (len(text) == 3 and text.isascii() and text.isalpha()):
        raise LineFault(name, "format", "must have three letters")
    return text


def text(cell: Mapping[str, str], name: str) -> str:
    """Printable text of at most so many characters as a name has, "" for none."""
    found = cell.get(name, "")
    if len(found) > limits.MAX_NAME_CHARS:
        raise LineFault(name, "length", f"has more than {limits.MAX_NAME_CHARS} characters")
    if not found.isprintable():
        raise LineFault(name, "format", "must be printable")
    return found
