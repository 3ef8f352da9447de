"""Amounts for people: grouped, rounded to the currency's own decimals, never without the currency."""

from __future__ import annotations

from decimal import Decimal

from adweir.model.money import MICRO

_WITHOUT_MINOR_UNIT = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)
"""ISO 4217: these have no decimals."""


def shown(micros: int, currency: str) -> str:
    """Millionths of a currency's unit → `1,234.57 USD`, `1,235 JPY`."""
    places = 0 if currency in _WITHOUT_MINOR_UNIT else 2
    return f"{Decimal(micros) / MICRO:,.{places}f} {currency}"


def count(micros: int) -> str:
    """Millionths of a conversion → `1,234.5`."""
    return f"{Decimal(micros) / MICRO:,.1f}"


def ratio(value: Decimal | None) -> str:
    """ROAS → `3.25`, or `-` where it is undefined."""
    return "-" if value is None else f"{value:.2f}"
