"""What rounding to millionths added to the amounts of a row, where a platform sent more decimals."""

from __future__ import annotations

from decimal import Decimal

from adweir.model.metrics import Deltas

CONVERSIONS, SPEND, REVENUE = 2, 3, 4
"""Places of the amounts in a slot."""


class Rounding:
    """What rounding added to the amounts of one row; `clear` before the next."""

    __slots__ = ("added",)

    def __init__(self) -> None:
        self.added: list[tuple[int, Decimal]] = []

    def clear(self) -> None:
        self.added.clear()

    def deltas(self) -> Deltas | None:
        """By the places of a slot; None where nothing was rounded."""
        if not self.added:
            return None
        found = [Decimal(0)] * 5
        for place, delta in self.added:
            found[place] += delta
        impressions, clicks, conversions, spend, revenue = found
        return impressions, clicks, conversions, spend, revenue
