"""Google's numbers as integers: int64 is text on the wire, a double is a JSON number, cost is in millionths already."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import cast

import msgspec

from adweir.model.money import all_micros, rounded
from adweir.platforms.numbers import counts
from adweir.platforms.rounding import CONVERSIONS, REVENUE, Roundings

_decimal = msgspec.json.Decoder(Decimal | None).decode
_FIELDS = {CONVERSIONS: "conversions", REVENUE: "conversions_value"}


def integer(text: str | None, name: str) -> int | None:
    """An int64 as JSON has it; None where it is absent. Raises ValueError (field, message)."""
    return None if text is None else counts((text,), name)[0]


def integers(texts: Sequence[str | None], name: str) -> Sequence[int | None]:
    """A column of them. Raises ValueError."""
    try:
        return counts(cast("Sequence[str]", texts), name)
    except TypeError:  # a None is among them, which no text can be joined with
        return [integer(text, name) for text in texts]


def amounts(raws: Sequence[msgspec.Raw], place: int, roundings: Roundings) -> Sequence[int | None]:
    """A column of doubles as millionths, from their text: no float ever exists. An absent one is unknown.

    More than six decimals, as of 59.980000000000004, are rounded half to even, which `roundings` notes. Raises
    ValueError (field, message).
    """
    texts = b",".join(raws).decode().split(",")
    found = all_micros(texts) if len(texts) == len(raws) else None
    if found is not None:
        return found
    return roundings.each(lambda raw: _amount(raw, place, roundings), raws)


def _amount(raw: msgspec.Raw, place: int, roundings: Roundings) -> int | None:
    if not raw:
        return None
    try:
        number = _decimal(raw)
        if number is None:
            return None
        amount, added = rounded(number)
    except (ValueError, msgspec.MsgspecError) as error:
        raise ValueError(_FIELDS[place], str(error)) from None
    if added:
        roundings.row.added.append((place, added))
    return amount
