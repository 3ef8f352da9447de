"""What values of rows are, whoever made the rows: numbers, dates, and text that a message can hold."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

NUMBERS = (int, float, Decimal)
_SHOWN = 100
_ISSUE_CHARS = 200
_LONG_NUMBER = 10**40
"""Whole numbers from here on are shown as text."""


def is_number(value: Any) -> bool:
    """Whether it is a finite number. A boolean is not."""
    if isinstance(value, int):
        return not isinstance(value, bool)
    # math.isfinite would ask the float, and the largest numbers have none.
    return value.is_finite() if isinstance(value, Decimal) else isinstance(value, float) and math.isfinite(value)


def is_integer(value: Any) -> bool:
    """Whether it is a whole number; a float is not, whatever its value."""
    if isinstance(value, Decimal):  # as DynamoDB reads every number
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def as_float(value: Any) -> float:
    """A number as float; infinite where it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def as_date(value: Any) -> date | None:
    """A date, or ISO text of one (`2026-11-01`), as date; else None."""
    if isinstance(value, datetime):
        return None
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or len(value) != 10 or value[7] != "-":  # 2026-W01-1 is ISO, too, and no day of ours
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def as_datetime(value: Any) -> datetime | None:
    """A datetime, or ISO text of one, as datetime; else None."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) < 11 or value[7] != "-":
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def shown(value: Any, most: int = _SHOWN) -> str:
    """A value as text that a message can hold; "?" for a number of too many digits, or a list that is too deep."""
    try:
        return str(value)[:most]
    except (ValueError, ArithmeticError, RecursionError):
        return "?"


def in_issue(value: Any) -> Any:
    """A value as an issue may carry it: JSON, and short."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _LONG_NUMBER):
        return value if math.isfinite(value) else str(value)
    return shown(value, _ISSUE_CHARS)
