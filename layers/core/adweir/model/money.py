"""Exact money and fractional counts as integer millionths (micros). Never a float."""

from __future__ import annotations

from decimal import Decimal, DecimalException

MICRO = 1_000_000
_MAX_MICROS = 10**18  # a trillion units: DynamoDB numbers are exact to 38 digits, int64 consumers to 9.2e18


def to_micros(value: str | int | Decimal) -> int:
    """`"45.67"`, `45` or `Decimal("45.67")` in units → 45_670_000 or 45_000_000 millionths.

    Raises ValueError on text that is no number, NaN, infinity, more than six decimals that are not zero, or an amount
    of a trillion units and more. A float is a TypeError: it has already lost the cents.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError(f"money must be text, int or Decimal, not {type(value).__name__}")
    if isinstance(value, int):
        micros = value * MICRO
    elif isinstance(value, str) and value.isascii() and value.isdigit():
        micros = int(value) * MICRO if len(value) <= 13 else _MAX_MICROS
    else:
        try:
            scaled = Decimal(value).scaleb(6)
            # "1e999999" is eight characters and a million digits: refused before it becomes an int.
            micros = int(scaled) if scaled.is_zero() or scaled.adjusted() <= 18 else _MAX_MICROS
        except (DecimalException, ValueError, OverflowError):
            raise ValueError(f"not a number: {str(value)[:40]!r}") from None
        if scaled != micros and micros < _MAX_MICROS:
            raise ValueError(f"more than six decimals: {str(value)[:40]!r}")
    if not -_MAX_MICROS < micros < _MAX_MICROS:
        raise ValueError(f"out of range: {str(value)[:40]!r}")
    return micros


def from_micros(micros: int) -> Decimal:
    """Millionths → exact units, without an exponent and without superfluous zeros (`Decimal("45.67")`)."""
    whole = Decimal(micros).scaleb(-6).normalize()
    return whole.quantize(Decimal(1)) if whole == whole.to_integral_value() else whole
