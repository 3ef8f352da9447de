"""Repairs of rows of any origin: what a value plainly says is written as its field's type has it. Each one is logged.

Nothing is filled in and nothing is guessed: what can be read in two ways, or contradicts its row, stays as it came, for
the check to name. A repaired row is a copy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.numerals import (
    OTHER_MARK,
    Numerals,
    Undecided,
    currency_of,
    exactly,
    has_mark,
    is_nothing,
    mark_said,
    may_mean,
    unit_named,
)
from adweir.model.statuses import status_named
from adweir.quality.checking import Field, Schema
from adweir.quality.values import is_number

TRIM, EMPTY, NUMBER, UNIT, PERCENT = "trim", "empty", "number", "unit", "percent"
STATUS, NEGATIVE_ZERO = "status", "negative_zero"
RULES = (TRIM, EMPTY, NUMBER, UNIT, PERCENT, STATUS, NEGATIVE_ZERO)
"""What repairs are called, in their order."""
_NUMERIC = frozenset({"integer", "float", "number"})
_NOT_TEXT = _NUMERIC | {"date", "datetime", "boolean"}
_STATUS = "status"
_SHARES = (
    ("ctr", "clicks", "impressions"),
    ("conversion_rate", "conversions", "clicks"),
    ("cvr", "conversions", "clicks"),
)
"""A fraction, and the counts that it is made of."""
_PERCENT_ROUNDING, _SHARE_ROUNDING = 0.00005, 0.01
"""How far a percentage of two decimals is from its fraction, and what platforms' own counts differ by."""
_LEAST_PERCENT = 10
"""A percentage is about 100 times its fraction; rounded to two decimals, it may be less."""
_AMOUNTS = ("impressions", "clicks", "conversions", "spend", "revenue")
"""What has no percentage: one in their place is of another column."""
_DIGITS_AND_MARKS, _GROUP = "0123456789.,+-", 3
_BLANKS = "\ufeff\u200b\u200e\u200f"


class Repair(NamedTuple):
    """What was changed: by which rule, in which field, from what, to what."""

    rule: str
    field: str
    before: Any
    after: Any


class Repairs:
    """The repairs of rows of one origin, by the types of a schema's fields.

    `decimal` is the decimal mark of numbers that are text; without it the rows say it themselves, once for all
    (`learn`): of `1,234` or `1.234` alone nobody knows whether it is a thousand. Nor does anybody where some rows say
    the one and some the other: then no number with such a mark is repaired, in whatever order the rows come.
    """

    def __init__(self, schema: Schema, decimal: str | None = None) -> None:
        self._fields = schema.fields
        self._numbers = {each.name: each.rules["type"] for each in schema.fields if each.rules.get("type") in _NUMERIC}
        self._numerals = {mark: Numerals(mark) for mark in OTHER_MARK}
        self._marks = {decimal} if decimal else set[str]()
        self._is_stated = decimal is not None
        self._units = set[str]()

    def learn(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Find out how numbers are written, and which currencies are named beside numbers alone."""
        for row in rows:
            for name, kind in self._numbers.items():
                value = row.get(name)
                if isinstance(value, str) and not value.isdecimal():
                    self._note(_stripped(value), whole=kind == "integer", alone=not row.get("currency"))

    def _note(self, text: str, *, whole: bool, alone: bool) -> None:
        """Take in what one number that is text says; `alone`: its row has no currency."""
        is_plain = not text.strip(_DIGITS_AND_MARKS)
        if alone and not is_plain and len(self._units) <= 1 and (unit := unit_named(text)):
            self._units.add(currency_of(unit) or unit)
        if self._is_stated or not ("." in text or "," in text):
            return
        (known,) = self._marks if len(self._marks) == 1 else ("",)
        before, _, after = text.partition(known) if known else ("", "", "")
        if not (before.isdecimal() and after.isdecimal() and len(after) != _GROUP):  # most say it once more
            self._marks.add(mark_said(text, whole=whole))
            self._marks.discard("")

    def repaired(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Repair]]:
        """A copy of a row, and what was changed in it, in the order of its fields."""
        made, changes = dict(row), list[Repair]()
        for field in self._fields:
            if made.get(field.name) is not None:
                self._repair(field, made, changes)
        for name, part, whole in _SHARES:
            if name in self._numbers and _is_percent(made, name, part, whole):
                said = next((each for each in changes if (each.rule, each.field) == (PERCENT, name)), None)
                if said is None:
                    _change(made, changes, PERCENT, name, _hundredth(made[name]))
                else:  # it says per cent, and is it once more by its counts: it contradicts its row
                    made[name] = said.before
                    changes.remove(said)
        return made, changes

    def _repair(self, field: Field, made: dict[str, Any], changes: list[Repair]) -> None:
        name, kind = field.name, field.rules.get("type")
        if isinstance(made[name], str):
            _change(made, changes, TRIM, name, _stripped(made[name]))
            if kind in _NOT_TEXT and is_nothing(made[name]):
                _change(made, changes, EMPTY, name, None)
                return
            if kind in _NUMERIC:
                found = self._number(made, name, whole=kind == "integer")
                if found is not None:
                    _change(made, changes, found[0], name, found[1])
            elif name == _STATUS:
                _change(made, changes, STATUS, name, _status(field, made[name]))
        value = made[name]
        if kind == "integer" and isinstance(value, float) and value.is_integer():
            _change(made, changes, NUMBER, name, int(value))
        elif kind in _NUMERIC and _is_negative_zero(value):
            _change(made, changes, NEGATIVE_ZERO, name, abs(value))

    def _number(self, made: Mapping[str, Any], name: str, *, whole: bool) -> tuple[str, int | Decimal] | None:
        """The number that a text is, and the rule by which; None where it is none, or may be two."""
        text, currency = made[name], str(made.get("currency") or "").strip().upper()
        if len(text) > limits.MAX_NUMBER_CHARS or (text.endswith("%") and (whole or name in _AMOUNTS)):
            return None
        if text.isdecimal() and text.isascii():
            return NUMBER, int(text) if whole else Decimal(text)
        mark = self._mark_of(text, currency)
        if not mark:
            return None
        try:
            plain = self._numerals[mark].plain(text, whole=whole)
            value = Decimal(exactly(plain, -2 if text.endswith("%") else 0))
        except (ValueError, Undecided, BadInput):
            return None
        rule = PERCENT if text.endswith("%") else UNIT if text.lstrip("+-") != plain.lstrip("-") else NUMBER
        if not whole:
            return rule, value
        return (rule, int(value)) if value == value.to_integral_value() else None

    def _mark_of(self, text: str, currency: str) -> str:
        """The decimal mark by which to read a number; "" where nobody knows, or its sign is of another currency."""
        is_plain = not text.strip(_DIGITS_AND_MARKS)
        unit = "" if is_plain else unit_named(text)
        if unit and not (may_mean(unit, currency) if currency else len(self._units) <= 1):
            return ""
        if not (("." in text or "," in text) if is_plain else has_mark(text)):
            return "."
        return next(iter(self._marks)) if len(self._marks) == 1 else ""


def _change(made: dict[str, Any], changes: list[Repair], rule: str, name: str, after: Any) -> None:
    before = made[name]
    if after is before or (type(after) is type(before) and after == before and rule != NEGATIVE_ZERO):
        return
    changes.append(Repair(rule, name, before, after))
    made[name] = after


def _stripped(text: str) -> str:
    return text.strip().strip(_BLANKS).strip()


def _status(field: Field, text: str) -> str:
    allowed = field.rules.get("allowed")
    if allowed is not None and text in allowed:
        return text
    status = status_named(text)
    return text if status is None or (allowed is not None and status not in allowed) else str(status)


def _is_negative_zero(value: Any) -> bool:
    if isinstance(value, float):
        return value == 0 and math.copysign(1, value) < 0
    return isinstance(value, Decimal) and value.is_zero() and value.is_signed()


def _is_percent(made: Mapping[str, Any], name: str, part: str, whole: str) -> bool:
    """Whether a share is written in per cent: it is a hundred times what the row's own counts say."""
    values = [made.get(each) for each in (name, part, whole)]
    if not all(map(is_number, values)):
        return False
    try:
        share, counted, of = map(float, values)  # type: ignore[arg-type]  # all are numbers
    except OverflowError:
        return False
    if not (of > 0 and 0 < counted < math.inf and share < math.inf):
        return False
    expected = counted / of
    if share < _LEAST_PERCENT * expected:
        return False
    near = _PERCENT_ROUNDING + _SHARE_ROUNDING * expected
    return abs(share / 100 - expected) <= near < abs(share - expected)


def _hundredth(value: Any) -> Any:
    return value / 100 if isinstance(value, float) else Decimal(value) / 100
