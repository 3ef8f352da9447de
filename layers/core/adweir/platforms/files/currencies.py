"""What a file says of the currency of a row's amounts: in a column of its own, in columns' names, and in the amounts.

A sign that several currencies share (`$`, `kr`) names none of them, but says which it cannot be: `$5` is not an amount
in euros. Where a row does not say its currency, the sign waits in it until its ad account is known (`check_sign`).
"""

from __future__ import annotations

from collections.abc import Mapping

from adweir.model.numerals import currency_of, may_mean, unit_named
from adweir.platforms.files.lines import LineFault

SIGN, SIGN_IN = "currency_sign", "currency_sign_in"
"""Cells of a row whose amounts have a sign of several currencies: the sign, and where it stands."""


def named_in(text: str) -> str:
    """The currency that an amount names, or its sign of several currencies; "" for neither."""
    unit = unit_named(text)
    return (currency_of(unit) or unit.rstrip(".")) if unit else ""


def agree(made: dict[str, str], said: str, where: str) -> None:
    """Take in a currency or a sign from another place than the row's own cell. Raises LineFault where they differ."""
    known = made.get("currency", "")
    if currency_of(said):
        if not known:
            made["currency"] = said
        elif known.upper() != said:
            raise _other(known, said, where)
    else:
        if made.setdefault(SIGN, said) != said:
            raise _other(made[SIGN], said, where)
        made.setdefault(SIGN_IN, where)
    if SIGN in made:
        check_sign(made, made.get("currency", ""))


def check_sign(cell: Mapping[str, str], currency: str) -> None:
    """Raises LineFault where a row's amounts have a sign that is not written for a currency; "" is unknown."""
    sign = cell.get(SIGN, "")
    if sign and currency and not may_mean(sign, currency.upper()):
        raise _other(currency, sign, cell.get(SIGN_IN, "a cell"))


def _other(known: str, said: str, where: str) -> LineFault:
    return LineFault(
        "currency",
        "consistent",
        f"is {known[:3]}, but {where} says {said}: write the amount in {known[:3]}, or name its currency in a column",
    )
