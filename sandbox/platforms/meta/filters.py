"""Meta's `filtering`: one operator on one value (Ad Account Insights, `filtering`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from sandbox.platforms.meta.errors import GraphError, invalid
from sandbox.platforms.meta.parameters import json_objects
from sandbox.platforms.meta.vocabulary import one_of

_LISTS = frozenset({"IN", "NOT_IN", "IN_RANGE", "NOT_IN_RANGE", "CONTAINS_ANY", "CONTAINS_ALL", "NOT_CONTAINS_ANY"})
_UNMODELLED = frozenset({"ANY", "ALL", "NONE", "TOP", "STEM_MATCH"})
"""Operators of Meta's list that concern fields which no ad here has."""


class Condition(NamedTuple):
    """One condition: `kind` is what stands before the field's point, empty without one."""

    kind: str
    name: str
    operator: str
    value: Any

    @property
    def field(self) -> str:
        """The field as it was written."""
        return f"{self.kind}.{self.name}" if self.kind else self.name

    def unsupported(self) -> GraphError:
        """Meta's error for a field that cannot be filtered by, or not in this way."""
        return invalid(f"Filtering field '{self.field}' with operation '{self.operator.lower()}' is not supported")

    def matches(self, actual: Any) -> bool:
        """Whether a value passes. Raises Meta's error 100 for values that cannot be compared."""
        if self.operator in _UNMODELLED:
            raise self.unsupported()
        if actual is None:
            return self.operator.startswith("NOT_")
        return _TESTS[self.operator](actual, self.value)


def conditions(params: Mapping[str, str]) -> list[Condition]:
    """The request's conditions. Raises Meta's error 100 for what is not of this form."""
    found = []
    for at, item in enumerate(json_objects(params, "filtering")):
        kind, point, name = str(item.get("field", "")).rpartition(".")
        operator = one_of(f"filtering[{at}][operator]", str(item.get("operator", "")), OPERATORS)
        value = item.get("value")
        if not name or (point and not kind) or value is None or isinstance(value, dict):
            raise invalid(f"filtering[{at}] must have field, operator and value")
        if operator in _LISTS and not isinstance(value, list):
            raise invalid(f"filtering[{at}][value] must be an array for the operator {operator}")
        found.append(Condition(kind, name, operator, value))
    return found


def _number(value: Any) -> Decimal:
    """A number, a number's text, or a time as Unix seconds (Graph compares times both ways)."""
    text = str(value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite():
        return number
    try:
        return Decimal(int(datetime.fromisoformat(text).timestamp()))
    except (ValueError, OverflowError):
        raise invalid(f"Filtering value {value!r} cannot be compared") from None


def _equal(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, Decimal | int) and not isinstance(actual, bool):
        return _number(actual) == _number(wanted)
    return str(actual) == str(wanted)


def _among(actual: Any, wanted: list[Any]) -> bool:
    return any(_equal(actual, each) for each in wanted)


def _within(actual: Any, wanted: list[Any]) -> bool:
    if len(wanted) != 2:
        raise invalid("a range must have two values")
    return _number(wanted[0]) <= _number(actual) <= _number(wanted[1])


def _has(actual: Any, wanted: Any) -> bool:
    """Texts are searched without regard to case."""
    return str(wanted).casefold() in str(actual).casefold()


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "EQUAL": _equal,
    "NOT_EQUAL": lambda actual, wanted: not _equal(actual, wanted),
    "IN": _among,
    "NOT_IN": lambda actual, wanted: not _among(actual, wanted),
    "GREATER_THAN": lambda actual, wanted: _number(actual) > _number(wanted),
    "GREATER_THAN_OR_EQUAL": lambda actual, wanted: _number(actual) >= _number(wanted),
    "LESS_THAN": lambda actual, wanted: _number(actual) < _number(wanted),
    "LESS_THAN_OR_EQUAL": lambda actual, wanted: _number(actual) <= _number(wanted),
    "AFTER": lambda actual, wanted: _number(actual) > _number(wanted),
    "ON_OR_AFTER": lambda actual, wanted: _number(actual) >= _number(wanted),
    "BEFORE": lambda actual, wanted: _number(actual) < _number(wanted),
    "ON_OR_BEFORE": lambda actual, wanted: _number(actual) <= _number(wanted),
    "IN_RANGE": _within,
    "NOT_IN_RANGE": lambda actual, wanted: not _within(actual, wanted),
    "CONTAIN": _has,
    "NOT_CONTAIN": lambda actual, wanted: not _has(actual, wanted),
    "CONTAINS_ANY": lambda actual, wanted: any(_has(actual, each) for each in wanted),
    "CONTAINS_ALL": lambda actual, wanted: all(_has(actual, each) for each in wanted),
    "NOT_CONTAINS_ANY": lambda actual, wanted: not any(_has(actual, each) for each in wanted),
    "STARTS_WITH": lambda actual, wanted: str(actual).casefold().startswith(str(wanted).casefold()),
    "ENDS_WITH": lambda actual, wanted: str(actual).casefold().endswith(str(wanted).casefold()),
}
OPERATORS = frozenset(_TESTS) | _UNMODELLED
