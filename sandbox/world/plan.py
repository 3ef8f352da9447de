"""What moves an ad account's numbers beside chance: its budgets, and the anomalies and level shifts planted in it.

Everything is known and listed (`/_world/planted`). Budgets change by channel and week, and independently of each other,
so that a media-mix model has something to learn from. Shifts are of an ad account as a whole, and so are anomalies, but
for those that somebody plants in a campaign (`/_world/anomaly`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from sandbox.world.draw import between, mix, seed_of

HISTORY_DAYS = 1096
"""Three years, a leap day among them, with the world's first today."""
RECENT_DAYS = 60
"""In the last days before the first today, ads begin and end."""

SPEND, CLICKS, IMPRESSIONS, CONVERSIONS = METRICS = ("spend", "clicks", "impressions", "conversions")
_KINDS = (
    (SPEND, 2200, 3000, 2),
    (SPEND, 60, 250, 3),
    (CLICKS, 2500, 4000, 1),
    (CONVERSIONS, 0, 0, 2),
    (IMPRESSIONS, 3000, 5000, 1),
    (CONVERSIONS, 2200, 3200, 1),
)
"""Anomalies: the metric, per mille of its usual from and to, days at most."""
_ANOMALY_AGES = ((32, 44), (46, 57), (64, 78), (80, 92), (100, 180), (190, 360), (370, 540), (550, 720), (730, 1000))
"""Each ad account has an anomaly that many days before the first today."""
_SHIFTS = ((SPEND, 62, 88), (CONVERSIONS, 260, 340), (SPEND, 480, 640))
"""Level shifts: the metric, and how many days before the first today."""
_BUDGET = (750, 1650)
"""Per mille of an ad's own typical spend that a week has, from and to."""
_SWING = 300
"""The most, per mille, by which hidden demand moves spend and sales at full strength."""
_FORTNIGHT = 14


def recent(day: int) -> int:
    """A day of the last sixty before the first today (0 to 59), counted from the world's first."""
    return HISTORY_DAYS - RECENT_DAYS + day


class UsualLevel(NamedTuple):
    """Per mille of the usual. What spend does, clicks, impressions and conversions do too; the others act alone."""

    spend: int = 1000
    clicks: int = 1000
    impressions: int = 1000
    conversions: int = 1000


class PlannedDay(NamedTuple):
    """A day of a channel: `number` counts from the world's first, `weekday` from Monday."""

    number: int
    weekday: int
    level: UsualLevel


class Anomaly(NamedTuple):
    """From day `first` to `last`, the metric of the ad account, or of one campaign, has `per_mille` of its usual."""

    metric: str
    first: int
    last: int
    per_mille: int
    campaign_id: str = ""


class BudgetChange(NamedTuple):
    """From day `day` on, a channel's budget is `per_mille` of its usual; it was `before`."""

    channel: str
    day: int
    before: int
    per_mille: int


class Shift(NamedTuple):
    """Before day `day`, the metric of the ad account had `before` per mille of what it has since."""

    metric: str
    day: int
    before: int


class AccountPlan:
    """One ad account's. `weekday`: that of the world's first day. `swing`: hidden demand per mille, by day."""

    def __init__(self, seed: int, platform: str, profile_id: str, weekday: int, hidden: HiddenDemand) -> None:
        self._budget_seed = (seed, platform, profile_id, "budget")
        self._weekday = weekday
        self._hidden = hidden
        planted = seed_of(seed, platform, profile_id, "planted")
        self.anomalies = tuple(_anomalies(planted))
        self.shifts = tuple(_shifts(planted))
        self._own = {each.campaign_id for each in self.anomalies}
        self._days = cache(self._planned)

    def plant(self, anomaly: Anomaly) -> None:
        """One more, that somebody asked for."""
        self.anomalies += (anomaly,)
        self._own = {each.campaign_id for each in self.anomalies}
        self._days = cache(self._planned)

    def day(self, channel: str, index: int, campaign_id: str = "") -> PlannedDay:
        """A channel's day, in a campaign of it: most have nothing of their own."""
        return self._days(channel, index, campaign_id if campaign_id in self._own else "")

    def budget_changes(self, channel: str, first: int, last: int) -> Iterator[BudgetChange]:
        """How the channel's budget changed from a day to another one."""
        for week in range(first // 7 + 1, last // 7 + 1):
            before, now = (self._budget(channel, one) for one in (week - 1, week))
            yield BudgetChange(channel, 7 * week, before, now)

    def _budget(self, channel: str, week: int) -> int:
        return between(seed_of(*self._budget_seed, channel), week, *_BUDGET)

    def _planned(self, channel: str, index: int, campaign_id: str) -> PlannedDay:
        per_mille = dict.fromkeys(METRICS, 1000)
        per_mille[SPEND] = self._budget(channel, index // 7)
        per_mille[SPEND] = per_mille[SPEND] * (1000 + self._hidden.swing(index)) // 1000
        for shift in self.shifts:
            if index < shift.day:
                per_mille[shift.metric] = per_mille[shift.metric] * shift.before // 1000
        for anomaly in self.anomalies:
            if anomaly.first <= index <= anomaly.last and anomaly.campaign_id in {"", campaign_id}:
                per_mille[anomaly.metric] = per_mille[anomaly.metric] * anomaly.per_mille // 1000
        return PlannedDay(index, (self._weekday + index) % 7, UsualLevel(**per_mille))


class HiddenDemand:
    """A latent series that moves a company's spend and its sales alike. `per_mille`: its strength; 0: there is none."""

    def __init__(self, seed: int, company: str, per_mille: int) -> None:
        self._seed = seed_of(seed, company, "hidden demand")
        self._per_mille = per_mille

    def swing(self, index: int) -> int:
        """Per mille above or below the usual: straight lines between the draws of a fortnight."""
        if not self._per_mille:
            return 0
        knot, after = divmod(index, _FORTNIGHT)
        here, there = (between(self._seed, at, -_SWING, _SWING) for at in (knot, knot + 1))
        return (here * (_FORTNIGHT - after) + there * after) * self._per_mille // (_FORTNIGHT * 1000)


def _anomalies(seed: int) -> Iterator[Anomaly]:
    first_kind = mix(seed, 0)
    for place, (nearest, farthest) in enumerate(_ANOMALY_AGES):
        metric, least, most, longest = _KINDS[(first_kind + place) % len(_KINDS)]
        first = HISTORY_DAYS - 1 - between(seed, 100 + place, nearest, farthest)
        last = first + between(seed, 200 + place, 1, longest) - 1
        yield Anomaly(metric, first, last, between(seed, 300 + place, least, most))


def _shifts(seed: int) -> Iterator[Shift]:
    for place, (metric, nearest, farthest) in enumerate(_SHIFTS):
        low, high = ((600, 780), (1280, 1600))[mix(seed, 400 + place) % 2]
        day = HISTORY_DAYS - 1 - between(seed, 500 + place, nearest, farthest)
        yield Shift(metric, day, between(seed, 600 + place, low, high))
