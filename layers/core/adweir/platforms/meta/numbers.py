"""Meta's amounts, which are text on the wire, as integers."""

from __future__ import annotations

from adweir.platforms import numbers
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND, Rounding

_FIELDS = {CONVERSIONS: "actions", SPEND: "spend", REVENUE: "action_values"}


def micros(text: str, place: int, rounding: Rounding) -> int:
    """`numbers.micros` with Meta's names for what is wrong."""
    return numbers.micros(text, place, rounding, _FIELDS)
