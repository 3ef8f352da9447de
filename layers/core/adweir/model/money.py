"""Exact money and fractional counts as integer millionths (micros). Never a float."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from decimal import MAX_PREC, MIN_EMIN, Context, Decimal
from typing import cast

from adweir.model import limits

MICRO = 1_000_000
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})(?:[eE][+-]?[0-9]{1,2})?")
"""A number as text: ASCII digits, and an exponent of at most two digits. Other text that Decimal() reads is refused."""

_SCALE = (1_000_000, 100_000, 10_000, 1_000, 100, 10, 1)
_LONGEST = 19
"""Characters of an amount in the common form."""
_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN)
"""Nothing is rounded: moving the point and subtracting need no more digits than there are."""
_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_DIGITS = {code: places for places, codes in _PLACES.items() for code in codes.split()}


def minor_digits(currency: str) -> int:
    """How many decimals a currency's minor unit stands for (ISO 4217, list one): EUR 2, JPY 0, KWD 3."""
    return _MINOR_DIGITS.get(currency, 2)


def to_micros(value: str | int | Decimal) -> int:
    """`"45.67"`, `45` or `Decimal("45.67")` in units → 45_670_000 or 45_000_000 millionths.

    Raises ValueError for text that is not a number, NaN, infinity, more than six decimals that are not zero, or an
    amount of a trillion units or more. A float is a TypeError: it has already lost the cents.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError(f"money must be text, int or Decimal, not {type(value).__name__}")
    if isinstance(value, int):
        micros = value * MICRO
    elif isinstance(value, str) and value.isascii() and value.isdigit():
        micros = int(value) * MICRO
    else:
        micros = _exact(value)
    if abs(micros) > limits.MAX_MICROS:
        raise ValueError(f"out of range: {str(value)[:40]!r}")
    return micros


_known: dict[str, int] = {}
"""Texts that were read before. Amounts repeat: most are a few cents, or nothing."""


def all_micros(texts: Sequence[str]) -> list[int] | None:
    """A column of units as text → millionths; None unless all are in the common form: digits, at most six decimals."""
    found = list(map(_known.get, texts))
    if None not in found:
        return cast("list[int]", found)
    new = {text for text, amount in zip(texts, found, strict=True) if amount is None}
    amounts = _scaled(new)
    if amounts is None:
        return None
    if len(_known) + len(amounts) > limits.MAX_KNOWN_AMOUNTS:
        _known.clear()
    else:
        _known.update(amounts)
    return [amounts[text] if amount is None else amount for text, amount in zip(texts, found, strict=True)]


def _scaled(texts: Collection[str]) -> dict[str, int] | None:
    """Texts of digits and dots → millionths; None where one is not a number, or too large."""
    digits = "".join(texts).replace(".", "")
    if not (digits.isascii() and digits.isdecimal()) or max(map(len, texts)) > _LONGEST:
        return None
    try:
        amounts = _evenly_scaled(texts)
        if amounts is None:
            parts = [text.partition(".") for text in texts]
            amounts = [int(whole + part) * _SCALE[len(part)] for whole, _, part in parts]
    except (ValueError, IndexError):
        return None
    return dict(zip(texts, amounts, strict=True)) if max(amounts) <= limits.MAX_MICROS else None


def _evenly_scaled(texts: Collection[str]) -> list[int] | None:
    """`_scaled` of texts that all have as many decimals as the first, in a third of the time; None for others."""
    first = next(iter(texts))
    places = len(first) - first.find(".") - 1 if "." in first else 0
    if places and {text[-places - 1 : -places] for text in texts} != {"."}:
        return None
    joined = "\n".join(texts)
    if joined.count(".") != (len(texts) if places else 0):
        return None
    scale = _SCALE[places]
    return [number * scale for number in map(int, joined.replace(".", "").split("\n"))]


def rounded(value: str | Decimal) -> tuple[int, Decimal]:
    """Units of any number of decimals → millionths, rounded half to even, and what rounding added to them.

    `rounded("0.1234567")` is 123457 millionths and `Decimal("0.3")`. Raises ValueError as `to_micros` does, except for
    decimals.
    """
    number = exact_number(value)
    if (number and number.adjusted() >= 12) or len(number.as_tuple().digits) > limits.MAX_AMOUNT_DIGITS:
        raise ValueError(f"not a number, or out of range: {str(value)[:40]!r}")
    exact = number.scaleb(6, _EXACT)
    micros = round(exact)
    return micros, _EXACT.subtract(Decimal(micros), exact)


def to_units(micros: int | None) -> Decimal | None:
    """`from_micros`, and None for an unknown number."""
    return None if micros is None else from_micros(micros)


def exact_number(value: str | Decimal) -> Decimal:
    """Text as a finite number. Raises ValueError."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError(f"not a number: {value[:40]!r}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"not a number: {str(value)[:40]!r}")
    return number


def _exact(value: str | Decimal) -> int:
    """Text or a Decimal as millionths: nothing is rounded, nothing large is computed."""
    number = exact_number(value)
    # "1e999999" is eight characters and a million digits: refused before it becomes an int.
    if number and number.adjusted() >= 12:
        raise ValueError(f"out of range: {str(value)[:40]!r}")
    scaled = number.scaleb(6, _EXACT)
    micros = int(scaled)
    if micros != scaled:
        raise ValueError(f"more than six decimals: {str(value)[:40]!r}")
    return micros


def from_micros(micros: int) -> Decimal:
    """Millionths → exact units, without an exponent and without superfluous zeros (`Decimal("45.67")`)."""
    if micros % MICRO == 0:
        return Decimal(micros // MICRO)
    return Decimal(micros).scaleb(-6).normalize()
