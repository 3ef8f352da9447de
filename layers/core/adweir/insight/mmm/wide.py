"""The wide layer, `mmm_input`: one row per period, the columns that Meridian, PyMC-Marketing and Robyn load.

National (no `geo` column), daily or weekly on Mondays, a full grid: a day that was pulled and brought nothing is zero,
a day that was not pulled is an error that `gates` reports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from adweir.model.metrics import Slot, plus
from adweir.model.money import from_micros
from adweir.model.times import DAY, Window

_IMPUTE_PERIODS = 28
_ZERO: Slot = (0, 0, 0, 0, 0)


class Cadence(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(slots=True)
class Sums:
    """Sums of all ads of one currency by day and platform: `days[date][platform]` is a slot."""

    days: dict[date, dict[str, Slot]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, day: date, platform: str, slot: Slot) -> None:
        old = self.days[day].get(platform, _ZERO)
        self.days[day][platform] = plus(old, slot)


@dataclass(frozen=True, slots=True)
class Dropped:
    """Columns that were left out, and why, in words that a data scientist can act on."""

    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wide:
    """The table: `columns[name]` has one number per period, `times` the labels `YYYY-MM-DD`."""

    cadence: Cadence
    times: Sequence[str]
    columns: Mapping[str, Sequence[Decimal]]
    channels: Sequence[str]
    organic: Sequence[str]
    dropped: Sequence[Dropped]

    def rows(self) -> Iterator[list[str]]:
        """A header, then a row per period, with numbers as exact text without exponents."""
        yield ["time", *self.columns]
        for index, time in enumerate(self.times):
            yield [time, *(f"{values[index]:f}" for values in self.columns.values())]


def build(sums: Sums, window: Window, platforms: Iterable[str], cadence: Cadence) -> Wide:
    """Daily sums → the wide table over `window` (inclusive). Weekly keeps whole Monday-to-Sunday weeks only."""
    periods = _periods(window, cadence)
    totals = [_total(sums, days) for days in periods]
    columns: dict[str, list[Decimal]] = {}
    channels, organic, dropped = [], [], []
    for platform in sorted(platforms):
        slots = [total.get(platform, _ZERO) for total in totals]
        reason = _unusable(slots)
        if reason:
            dropped.append(Dropped(platform, reason))
        elif not any(slot[3] for slot in slots):
            organic.append(platform)
            columns[f"organic_{platform}_impressions"] = [Decimal(slot[0] or 0) for slot in slots]
            dropped.append(Dropped(platform, "no spend in the window: its impressions are kept as organic media"))
        else:
            channels.append(platform)
            columns[f"{platform}_impressions"] = [Decimal(slot[0] or 0) for slot in slots]
            columns[f"{platform}_spend"] = [from_micros(slot[3] or 0) for slot in slots]
            columns[f"{platform}_clicks"] = [Decimal(slot[1] or 0) for slot in slots]
    conversions = [from_micros(sum(slot[2] or 0 for slot in total.values())) for total in totals]
    revenue = [from_micros(sum(slot[4] or 0 for slot in total.values())) for total in totals]
    columns["conversions"] = conversions
    if any(revenue):
        columns["revenue"] = revenue
        columns["revenue_per_conversion"] = _revenue_per_conversion(revenue, conversions)
    times = [days[0].isoformat() for days in periods]
    return Wide(cadence, times, columns, channels, organic, dropped)


def _periods(window: Window, cadence: Cadence) -> list[list[date]]:
    if cadence is Cadence.DAILY:
        return [[day] for day in window.days()]
    monday = window.start + timedelta(days=-window.start.weekday() % 7)
    weeks = []
    while monday + 6 * DAY <= window.end:
        weeks.append([monday + offset * DAY for offset in range(7)])
        monday += 7 * DAY
    return weeks


def _total(sums: Sums, days: Iterable[date]) -> dict[str, Slot]:
    total = Sums()
    key = date.min
    for day in days:
        for platform, slot in sums.days.get(day, {}).items():
            total.add(key, platform, slot)
    return total.days[key]


def _unusable(slots: Sequence[Slot]) -> str:
    """Why a model would refuse this channel, or "": Meridian and Robyn stop in both cases."""
    impressions = {slot[0] for slot in slots}
    if impressions <= {0} and not any(slot[3] for slot in slots):
        return "no activity in the window"
    if len(impressions) == 1 and len({slot[3] for slot in slots}) == 1:
        return "impressions and spend never change: there is no variation to learn from"
    return ""


def _revenue_per_conversion(revenue: Sequence[Decimal], conversions: Sequence[Decimal]) -> list[Decimal]:
    """Revenue per conversion; a period without conversions takes the trailing 28-period ratio, else the overall one.

    Zero conversions would make it NaN, which Meridian refuses and PyMC-Marketing swallows.
    """
    overall = _quotient(sum(revenue, Decimal(0)), sum(conversions, Decimal(0))) or Decimal(1)
    ratios = []
    for index in range(len(revenue)):
        start = max(0, index - _IMPUTE_PERIODS)
        own = _quotient(revenue[index], conversions[index])
        trailing = _quotient(sum(revenue[start:index], Decimal(0)), sum(conversions[start:index], Decimal(0)))
        ratios.append(own or trailing or overall)
    return ratios


def _quotient(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    return round(numerator / denominator, 6) if denominator > 0 and numerator > 0 else None
