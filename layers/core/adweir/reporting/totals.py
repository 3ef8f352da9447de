"""Sums of rows: five numbers, how many rows a number was unknown in, and what a reader should know about the rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from adweir.model.metrics import METRICS, Slot, derive, plus
from adweir.model.money import to_units

KEPT, LIVE, UNATTRIBUTED = "kept", "live", "unattributed"
"""What a row says about itself: the newest pull did not bring it, and it is kept; it is of a day that is not over, from
the day's hours; it is what the finer rows leave of the account."""
NOTHING: Slot = (0, 0, 0, 0, 0)


class RowSum:
    """A sum that grows: `slot` as in `model.metrics.plus`, `unknown` metric to rows without it, `marks` of any row."""

    __slots__ = ("marks", "slot", "unknown")

    def __init__(self, slot: Slot, marks: frozenset[str] = frozenset()) -> None:
        self.slot = slot
        self.marks = marks
        self.unknown: dict[str, int] = {}
        if None in slot:
            self._count(slot)

    def add(self, slot: Slot, marks: frozenset[str] = frozenset()) -> None:
        """Add a row."""
        self.slot = plus(self.slot, slot)
        if marks:
            self.marks |= marks
        if None in slot:
            self._count(slot)

    def merge(self, other: RowSum) -> None:
        """Add another sum."""
        self.slot = plus(self.slot, other.slot)
        self.marks |= other.marks
        for name, count in other.unknown.items():
            self.unknown[name] = self.unknown.get(name, 0) + count

    def copy(self) -> RowSum:
        """The same sum, to go on with."""
        copied = RowSum(NOTHING, self.marks)
        copied.slot, copied.unknown = self.slot, dict(self.unknown)
        return copied

    @property
    def notes(self) -> dict[str, Any]:
        """What an answer says beside the numbers: only what there is."""
        said: dict[str, Any] = {"unknown": dict(self.unknown)} if self.unknown else {}
        return said | dict.fromkeys(sorted(self.marks), True)

    def _count(self, slot: Slot) -> None:
        for name, number in zip(METRICS, slot, strict=True):
            if number is None:
                self.unknown[name] = self.unknown.get(name, 0) + 1


def minus(one: Slot, other: Slot) -> Slot:
    """What is left of a slot without another; unknown where the first one is."""
    pairs = zip(one, other, strict=True)
    return cast("Slot", tuple(None if a is None else a - (b or 0) for a, b in pairs))


def measures(slot: Slot) -> dict[str, int | Decimal | None]:
    """Sums → every metric by name: counts as integers, the rest as exact decimals, None where unknown or undefined."""
    impressions, clicks, conversions, spend, revenue = slot
    ratios = derive(slot)
    return {
        "impressions": impressions,
        "clicks": clicks,
        "conversions": to_units(conversions),
        "spend": to_units(spend),
        "revenue": to_units(revenue),
        **ratios,
        "conversion_rate": ratios["cvr"],
    }
