"""Values that have a type, as texts: exactly what they are, in the form that a cell of a CSV has."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

_MOST_PLACES = 40
"""Decimals of a number with an exponent that are written out; more is no amount of anything."""


def number_text(text: str) -> str:
    """A number without exponent and without decimals that say nothing: `1e-07` → `0.0000001`, `5.0` → `5`."""
    if "e" in text or "E" in text:
        try:
            value = Decimal(text)
        except InvalidOperation:
            return text
        exponent = value.as_tuple().exponent
        if isinstance(exponent, str) or abs(exponent) > _MOST_PLACES:
            return text
        text = format(value, "f")
    return text.removesuffix(".0")
