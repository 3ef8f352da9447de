"""Numbers that are text on the wire, as integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adweir.model import limits
from adweir.model.metrics import METRICS
from adweir.model.money import all_micros, rounded
from adweir.platforms.rounding import Rounding


def micros(text: str, place: int, rounding: Rounding, fields: Mapping[int, str] | Sequence[str] = METRICS) -> int:
    """Text in units → millionths: the common form by integer arithmetic, any other by `model.money`.

    More than six decimals are rounded half to even, which `rounding` notes. `fields`: by place, what the platform calls
    the amount. Raises ValueError (field, message).
    """
    plain = all_micros((text,))
    if plain:
        return plain[0]
    try:
        amount, added = rounded(text)
    except ValueError as error:
        raise ValueError(fields[place], str(error)) from None
    if added:
        rounding.added.append((place, added))
    return amount


def count(text: str, name: str) -> int:
    """A whole number with a sign: the quality rules decide whether it may be negative."""
    if not text.removeprefix("-").isdecimal() or len(text) > limits.MAX_COUNT_DIGITS + 1:
        raise ValueError(name, f"not a whole number, or out of range: {text[:40]!r}")
    return int(text)


def counts(texts: Sequence[str], name: str) -> list[int]:
    """A column of them; digits alone may be more, which is for the quality rules too."""
    if "".join(texts).isdecimal() and all(texts):
        return list(map(int, texts))
    return [int(text) if text.isdecimal() else count(text, name) for text in texts]
