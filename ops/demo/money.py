"""Amounts for people: grouped, rounded to the currency's own decimals, never without the currency."""

from __future__ import annotations

from decimal import Decimal

from adweir.model.money import MICRO, minor_digits


def shown(micros: int, currency: str) -> str:
    """Millionths of a currency's unit → `1,234.57 USD`, `1,235 JPY`."""
    return f"{Decimal(micros) / MICRO:,.{minor_digits(currency)}f} {currency}"


def count(micros: int) -> str:
    """Millionths of a conversion → `1,234.5`."""
    return f"{Decimal(micros) / MICRO:,.1f}"


def ratio(value: Decimal | None) -> str:
    """ROAS → `3.25`, or `-` where it is undefined."""
    return "-" if value is None else f"{value:.2f}"
