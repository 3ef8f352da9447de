"""Meta's `filtering`: one operator on one value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.platforms.meta.errors import invalid


def matches(actual: Any, operator: str, wanted: Any) -> bool:
    """Whether a value passes. Raises Meta's error 100 for an unknown operator or a value of the wrong kind."""
    many = wanted if isinstance(wanted, list) else [wanted]
    tests: dict[str, Callable[[], bool]] = {
        "IN": lambda: actual in many,
        "NOT_IN": lambda: actual not in many,
        "EQUAL": lambda: bool(actual == wanted),
        "NOT_EQUAL": lambda: bool(actual != wanted),
        "GREATER_THAN": lambda: _number(actual) > _number(wanted),
        "LESS_THAN": lambda: _number(actual) < _number(wanted),
        "CONTAIN": lambda: str(wanted) in str(actual),
    }
    if operator not in tests:
        raise invalid(f"Filtering operator {operator!r} is unknown")
    return tests[operator]()


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
