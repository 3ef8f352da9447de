"""What a window of days says: exact sums and means, ratios of sums, how often and how unevenly something delivered.

A day is a slot of numbers, or None where it is not known: unknown days count nowhere, neither as 0 nor as a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import sqrt
from typing import NamedTuple

from adweir.model.metrics import METRICS, Slot, plus
from adweir.model.money import from_micros

Days = Sequence[Slot | None]
"""Days one after the other, the newest last."""
_MICRO = 10**6
_COUNTS = METRICS[:2]


class _RatioParts(NamedTuple):
    """A ratio of two sums as they are stored, each in its unit: the quotient is multiplied by `factor` / `divisor`."""

    above: str
    below: str
    factor: int = 1
    divisor: int = 1


RATIOS: Mapping[str, _RatioParts] = {
    "ctr": _RatioParts("clicks", "impressions"),
    "cvr": _RatioParts("conversions", "clicks", divisor=_MICRO),
    "cpa": _RatioParts("spend", "conversions"),
    "cpc": _RatioParts("spend", "clicks", divisor=_MICRO),
    "cpm": _RatioParts("spend", "impressions", factor=1000, divisor=_MICRO),
    "roas": _RatioParts("revenue", "spend"),
    "acos": _RatioParts("spend", "revenue"),
}


class WindowSums(NamedTuple):
    """`sums` in the units of a slot, None where no day has the number; `counts`: of how many days each is the sum."""

    sums: Slot
    counts: tuple[int, ...]
    known_days: int
    delivery_days: int

    def mean(self, name: str) -> Decimal | None:
        """Per known day, rounded to millionths, half to even: money is never a float."""
        place = METRICS.index(name)
        total, count = self.sums[place], self.counts[place]
        if total is None:
            return None
        quotient, rest = divmod(total * _MICRO if name in _COUNTS else total, count)
        is_up = 2 * rest > count or (2 * rest == count and quotient % 2 == 1)
        return from_micros(quotient + is_up)

    def total(self, name: str) -> int | Decimal | None:
        """The sum: a count, or an exact decimal."""
        found = self.sums[METRICS.index(name)]
        return found if found is None or name in _COUNTS else from_micros(found)

    def ratio(self, name: str) -> float | None:
        """A ratio of the sums; None where its denominator is 0, or the two are sums of different days."""
        parts = RATIOS[name]
        above, below = METRICS.index(parts.above), METRICS.index(parts.below)
        numerator, denominator = self.sums[above], self.sums[below]
        if numerator is None or not denominator or self.counts[above] != self.counts[below]:
            return None
        return (numerator * parts.factor) / (denominator * parts.divisor)


def is_delivery(slot: Slot) -> bool:
    """Whether a day has impressions or spend."""
    return bool(slot[0]) or bool(slot[3])


def summed(days: Days) -> WindowSums:
    """What the known days of a window add up to."""
    known = [slot for slot in days if slot is not None]
    sums: Slot = (None,) * len(METRICS)  # type: ignore[assignment]
    for slot in known:
        sums = plus(sums, slot)
    counts = tuple(sum(number is not None for number in numbers) for numbers in zip(*known, strict=True))
    return WindowSums(sums, counts or (0,) * len(METRICS), len(known), sum(map(is_delivery, known)))


def variation(days: Days, name: str) -> float | None:
    """The deviation of a number by day as a part of its mean; None where that is 0 or unknown."""
    place = METRICS.index(name)
    known = [number for slot in days if slot is not None and (number := slot[place]) is not None]
    total = sum(known)
    if total <= 0:
        return None
    squares = sum(number * number for number in known)
    return sqrt(max(len(known) * squares - total * total, 0)) / total


def share_of(days: Days, whole: Days, name: str) -> float | None:
    """The part of another one's sum over the days of which both have the number; None where that sum is 0."""
    place, above, below = METRICS.index(name), 0, 0
    for one, other in zip(days, whole, strict=True):
        if one is not None and other is not None:
            mine, all_of_it = one[place], other[place]
            if mine is not None and all_of_it is not None:
                above, below = above + mine, below + all_of_it
    return above / below if below > 0 else None
