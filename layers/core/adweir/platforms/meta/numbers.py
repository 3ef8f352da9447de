"""Meta's numbers, which are text on the wire, as integers."""

from __future__ import annotations

from adweir.model import limits
from adweir.model.money import rounded
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND, Rounding

_FIELDS = {CONVERSIONS: "actions", SPEND: "spend", REVENUE: "action_values"}
_SCALE = (1_000_000, 100_000, 10_000, 1_000, 100, 10, 1)


def micros(text: str, place: int, rounding: Rounding) -> int:
    """Text in units → millionths: the common form by integer arithmetic, any other by `model.money`.

    More than six decimals are rounded half to even, which `rounding` notes. Raises ValueError (field, message).
    """
    whole, _, part = text.partition(".")
    digits = whole + part
    if digits.isascii() and digits.isdecimal() and whole and len(part) <= 6 and len(whole) <= 12:
        return int(digits) * _SCALE[len(part)]
    try:
        amount, added = rounded(text)
    except ValueError as error:
        raise ValueError(_FIELDS[place], str(error)) from None
    if added:
        rounding.added.append((place, added))
    return amount


def count(text: str, name: str) -> int:
    """A whole number with a sign: the quality rules decide whether it may be negative."""
    if not text.removeprefix("-").isdecimal() or len(text) > limits.MAX_COUNT_DIGITS + 1:
        raise ValueError(name, f"not a whole number, or out of range: {text[:40]!r}")
    return int(text)
