"""Texts with placeholders, as a spec writes its requests: `{start}`, `{end:%d.%m.%Y}`, `{profile}`.

A placeholder is a name and an optional form, nothing more: no attribute, index or expression can be reached through
it. Two braces stand for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from adweir.model.errors import RequestRejected

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_DIRECTIVE = re.compile(r"%(-?.)")
_DATE_FORMS: Mapping[str, Callable[[date], str]] = {
    "%Y": lambda day: f"{day.year:04}",
    "%y": lambda day: f"{day.year % 100:02}",
    "%m": lambda day: f"{day.month:02}",
    "%d": lambda day: f"{day.day:02}",
    "%-m": lambda day: str(day.month),
    "%-d": lambda day: str(day.day),
    "%%": lambda _: "%",
}
INSTANTS = ("zoned", "utc", "unix", "unix_ms")
"""Forms of the moment at which a day begins in the ad account's time zone."""
NUMBER = "number"
"""The form of a placeholder that is alone in its text and stands for a number in a JSON body."""

Values = Mapping[str, "str | date"]
"""What the placeholders of a request stand for."""


def check(text: str, dates: Collection[str], names: Collection[str]) -> None:
    """Raises ValueError that says what is wrong with a text and which placeholders there are."""
    for part in _PART.finditer(text):
        if part[0] in {"{{", "}}"}:
            continue
        name, _, form = (part[1] or "").partition(":")
        if part[1] is None or name not in {*dates, *names}:
            known = ", ".join(f"{{{each}}}" for each in (*dates, *names)) or "none"
            raise ValueError(f"{part[0][:60]!r} is no placeholder here; there are: {known}; write {{{{ for a brace")
        if name in dates:
            _check_form(form)
        elif form not in {"", NUMBER} or (form and part[0] != text):
            raise ValueError(f"{part[0][:60]!r}: {name} has no form but :{NUMBER}, alone in a value of a JSON body")


def _check_form(form: str) -> None:
    unknown = [found[0] for found in _DIRECTIVE.finditer(form) if found[0] not in _DATE_FORMS]
    if form and form not in INSTANTS and (unknown or "%" not in form):
        known = ", ".join((*_DATE_FORMS, *INSTANTS))
        raise ValueError(f"{(unknown or [form])[0][:40]!r} is no form of a date; there are: {known}")


def names(text: str) -> Iterator[str]:
    """The names of the placeholders of a checked text."""
    return (part[1].partition(":")[0] for part in _PART.finditer(text) if part[1] is not None)


def fill(text: str, values: Values, timezone: str = "UTC", escape: Callable[[str], str] = str) -> str:
    """A checked text with its values; each goes through `escape`."""

    def value(part: re.Match[str]) -> str:
        if part[1] is None:
            return part[0][0]
        name, _, form = part[1].partition(":")
        found = values[name]
        return escape(_shown(found, form, timezone) if isinstance(found, date) else found)

    return _PART.sub(value, text)


def fill_all(value: Any, values: Values, timezone: str = "UTC") -> Any:
    """A JSON value with all its texts filled; a lone placeholder with the form `number` becomes an integer.

    Raises RequestRejected where the value of such a placeholder is no whole number.
    """
    if isinstance(value, str):
        filled = fill(value, values, timezone)
        if not (value.startswith("{") and value.endswith(f":{NUMBER}}}")):
            return filled
        if not (filled.isascii() and filled.isdecimal()):
            raise RequestRejected(f"{value} stands for {filled[:40]!r}, which is no number: leave out :{NUMBER}")
        return int(filled)
    if isinstance(value, Mapping):
        return {name: fill_all(each, values, timezone) for name, each in value.items()}
    return [fill_all(each, values, timezone) for each in value] if isinstance(value, list | tuple) else value


def _shown(day: date, form: str, timezone: str) -> str:
    if form not in INSTANTS:
        return _DIRECTIVE.sub(lambda found: _DATE_FORMS[found[0]](day), form or "%Y-%m-%d")
    begins = datetime.combine(day, time(), ZoneInfo(timezone))
    if form == "zoned":
        return begins.isoformat()
    if form == "utc":
        return begins.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(begins.timestamp()) * (1000 if form == "unix_ms" else 1))
