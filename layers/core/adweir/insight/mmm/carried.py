"""What earlier versions of coefficients say of days that the newest data no longer has, and how much it counts.

Each fit is made of a whole window of days, and the next one of nearly the same days. Its estimate already has what the
one before knew of the days that both have; to weigh the two by their precision would count these days twice, and daily
runs would shrink every interval without any new data. So a fit is weighed only with what *left* the window:

- When the window moves on, the share of its periods that are gone takes that share of the precision (1 / variance) of
  the previous fit along, and what was carried before stays. A window that only grows, or whose numbers were restated,
  takes nothing along: the new fit replaces the old one.
- What is carried counts 0.9 times as much for each four weeks of data that came since. It is time that counts, not
  runs: a daily and a weekly run forget alike.
- The published estimate is `(carried / v_carried + fitted / v_fitted) / (1 / v_carried + 1 / v_fitted)`, of the ROI,
  which channels keep when a fit chooses another saturation; contribution, beta and curve follow it.
- The ends of the interval are averaged with the same weights. Past windows share days with the newest one, by an
  amount that nobody knows for the estimate itself: an average of estimates is never less certain than the average of
  their intervals, whatever they share. Only where no window that is carried shares a day do precisions add up.
- Nothing is carried from another version of the method, nor when a window reaches back to days that are carried (they
  are in the data again), nor when the two intervals do not meet: then something changed, and a warning says so.
- Of a channel that vanished from the data, what is carried stays for two years of data, and counts if it comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import isfinite, sqrt
from typing import Any, NamedTuple, Self

from adweir.model.times import DAY

FORGET = 0.9
"""What of the precision is left after `FORGET_DAYS` of new data."""
FORGET_DAYS = 28
KEEP_DAYS = 730
"""Days of data after which what is carried of a channel is dropped: a sixteenth of it counted by then."""
_ENDS = 1.6448536269514722
"""Standard deviations from the middle of a 90 % interval to its ends."""


class RoiEstimate(NamedTuple):
    """A number with its 90 % interval."""

    estimate: float
    low: float
    high: float

    @property
    def precision(self) -> float:
        """1 / variance; 0 where the interval says nothing."""
        deviation = (self.high - self.low) / (2 * _ENDS)
        return 1 / deviation**2 if isfinite(deviation) and deviation > 0 else 0.0

    def averaged(self, other: RoiEstimate, weight: float, *, independent: bool = False) -> RoiEstimate:
        """With `weight` of the other one."""
        middle = (1 - weight) * self.estimate + weight * other.estimate
        ends = []
        for own, its in ((self.low, other.low), (self.high, other.high)):
            parts = (1 - weight) * (own - self.estimate), weight * (its - other.estimate)
            spread = sqrt(parts[0] ** 2 + parts[1] ** 2) if independent else abs(parts[0]) + abs(parts[1])
            ends.append(spread)
        return RoiEstimate(middle, middle - ends[0], middle + ends[1])


@dataclass(frozen=True, slots=True)
class Carried:
    """What is carried of a channel's ROI: of days up to `until`, out of fits that saw days up to `seen`."""

    roi: RoiEstimate
    precision: float
    until: date
    seen: date

    def shown(self) -> dict[str, str]:
        """As it is stored."""
        numbers = {**self.roi._asdict(), "precision": self.precision}
        days = {"until": self.until.isoformat(), "seen": self.seen.isoformat()}
        return {name: f"{value:.9g}" for name, value in numbers.items()} | days

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """What `shown` made."""
        roi = RoiEstimate(*(float(stored[name]) for name in RoiEstimate._fields))
        days = (date.fromisoformat(stored[name]) for name in ("until", "seen"))
        return cls(roi, float(stored["precision"]), *days)


class FittedWindow(NamedTuple):
    """The periods of a fit: the first days of the first and of the last one, their number, and the method."""

    first: date
    last: date
    periods: int
    method: str

    def share_gone(self, newer: FittedWindow) -> float:
        """The share of the periods that begin before the newer window."""
        whole = (self.last - self.first).days + self._step
        return min(max((newer.first - self.first).days, 0) / whole, 1.0)

    @property
    def _step(self) -> int:
        return max((self.last - self.first).days // max(self.periods - 1, 1), 1)

    @property
    def end(self) -> date:
        """Its last day."""
        return self.last + timedelta(days=self._step - 1)


class Blended(NamedTuple):
    """A channel's published ROI; `weight` is the share of what is carried in it. `conflict`: it was left out."""

    roi: RoiEstimate
    weight: float = 0.0
    conflict: bool = False


def carry(
    carried: Mapping[str, Carried], fitted: Mapping[str, RoiEstimate], window: FittedWindow, newer: FittedWindow
) -> dict[str, Carried]:
    """What is carried into a newer fit, by channel: from the previous one (its own `fitted` ROIs over `window`) and
    from what was carried into that."""
    if window.method != newer.method:
        return {}
    left = FORGET ** (max((newer.end - window.end).days, 0) / FORGET_DAYS)
    found = {
        name: each
        for name, each in carried.items()
        if each.until < newer.first and (newer.end - each.seen).days <= KEEP_DAYS
    }
    share = window.share_gone(newer)
    for name, own in fitted.items():
        fresh = own.precision * share
        if fresh > 0:
            before = found.get(name)
            roi = own.averaged(before.roi, before.precision / (before.precision + fresh)) if before else own
            precision = fresh + (before.precision if before else 0.0)
            found[name] = Carried(roi, precision, newer.first - DAY, window.end)
    return {name: replace(each, precision=left * each.precision) for name, each in found.items()}


def blend(fitted: RoiEstimate, carried: Carried | None, window: FittedWindow) -> Blended:
    """A fit's ROI of a channel with what is carried into it, weighed by their precision."""
    if carried is None or fitted.precision <= 0:
        return Blended(fitted)
    if carried.roi.low > fitted.high or carried.roi.high < fitted.low:
        return Blended(fitted, conflict=True)
    weight = carried.precision / (carried.precision + fitted.precision)
    independent = carried.seen < window.first
    return Blended(fitted.averaged(carried.roi, weight, independent=independent), weight)
