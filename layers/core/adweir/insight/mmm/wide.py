"""The wide layer, `mmm_input`: one row per region and period, the columns that Meridian, PyMC-Marketing and Robyn load.

National (no `geo` column) or by region, daily or weekly on Mondays, a full grid: a day that was pulled and brought
nothing is zero, a day that was not pulled is an error that `gates` reports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from adweir.insight.mmm.beside import ALONE, NATIONAL, Beside, DaySeries, in_periods
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
    """Sums of all rows of one currency by day and channel: `days[date][channel]` is a slot."""

    days: dict[date, dict[str, Slot]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, day: date, channel: str, slot: Slot) -> None:
        old = self.days[day].get(channel, _ZERO)
        self.days[day][channel] = plus(old, slot)


@dataclass(frozen=True, slots=True)
class Dropped:
    """Columns that were left out, and why, in words that a data scientist can act on."""

    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wide:
    """The table: `columns[name]` has one number per row; rows are all periods of the first region, then of the next.

    `times` are the labels `YYYY-MM-DD` of the periods, `geos` the regions, none of a national table. `channels` have
    spend, `organic` media has not; of the channels, those in `reach` have reach and frequency in place of impressions,
    and those in `by_spend` no exposure that varies: their spend is their exposure. `target`: the column to explain.
    """

    cadence: Cadence
    times: Sequence[str]
    columns: Mapping[str, Sequence[Decimal]]
    channels: Sequence[str]
    organic: Sequence[str]
    dropped: Sequence[Dropped]
    geos: Sequence[str] = ()
    controls: Sequence[str] = ()
    reach: Sequence[str] = ()
    by_spend: Sequence[str] = ()
    target: str = "conversions"
    national_controls: Sequence[str] = ()
    """Of a table by region, the controls that are the same in all of them."""

    @property
    def size(self) -> int:
        """How many rows it has."""
        return len(self.times) * max(1, len(self.geos))

    @property
    def media(self) -> dict[str, str]:
        """The exposure of each paid channel that has one column of it: impressions, else its spend."""
        plain = [channel for channel in self.channels if channel not in self.reach]
        return {each: f"{each}_{'spend' if each in self.by_spend else 'impressions'}" for each in plain}

    def rows(self) -> Iterator[list[str]]:
        """A header, then a row per region and period, with numbers as exact text without exponents."""
        keys = [[geo, time] for geo in self.geos for time in self.times] or [[time] for time in self.times]
        yield [*(("geo",) if self.geos else ()), "time", *self.columns]
        for index, key in enumerate(keys):
            yield [*key, *(f"{values[index]:f}" for values in self.columns.values())]


def build(
    sums: Mapping[str, Sums] | Sums,
    window: Window,
    channels: Iterable[str],
    cadence: Cadence,
    beside: Beside = ALONE,
) -> Wide:
    """Daily sums → the wide table over `window` (inclusive). Weekly keeps whole Monday-to-Sunday weeks only.

    `sums` by region make a table by region; what is the same nationally is then in each of them.
    """
    if isinstance(sums, Sums):
        sums = {NATIONAL: sums}
    periods = _periods(window, cadence)
    return _Building(sums, periods, cadence, beside).wide(sorted(channels))


class _Building:
    """One table in the making."""

    def __init__(self, sums: Mapping[str, Sums], periods: list[list[date]], cadence: Cadence, beside: Beside) -> None:
        self._geos = sorted(sums)
        self._periods = periods
        self._cadence = cadence
        self._beside = beside
        self._totals = [_total(sums[geo], days) for geo in self._geos for days in periods]
        self._columns: dict[str, list[Decimal]] = {}
        self._channels: list[str] = []
        self._organic: list[str] = []
        self._reach: list[str] = []
        self._by_spend: list[str] = []
        self._dropped: list[Dropped] = []
        self._controls: list[str] = []
        self._national: list[str] = []

    def wide(self, channels: Sequence[str]) -> Wide:
        """The table with these channels, so far as they can be modelled."""
        for channel in channels:
            self._add_channel(channel)
        target = self._add_kpi()
        self._add_controls()
        has_geo = self._geos != [NATIONAL]
        if has_geo:
            people = self._beside.population
            found = [people.get(geo) for geo in self._geos]
            if all(found):
                self._columns["population"] = [each or Decimal(0) for each in found for _ in self._periods]
        return Wide(
            self._cadence,
            [days[0].isoformat() for days in self._periods],
            self._columns,
            self._channels,
            self._organic,
            self._dropped,
            self._geos if has_geo else (),
            self._controls,
            self._reach,
            self._by_spend,
            target,
            self._national if has_geo else (),
        )

    def _add_channel(self, channel: str) -> None:
        slots = [total.get(channel, _ZERO) for total in self._totals]
        impressions, spend = ([Decimal(slot[0] or 0) for slot in slots], [from_micros(slot[3] or 0) for slot in slots])
        if not any(impressions) and not any(spend):
            self._drop(channel, "no activity in the window")
            return
        varies, is_paid = len(set(impressions)) > 1, any(spend)
        if not varies and len(set(spend)) == 1:
            self._drop(channel, "impressions and spend never change: there is no variation to learn from")
            return
        if not is_paid:
            self._organic.append(channel)
            self._columns[f"organic_{channel}_impressions"] = impressions
            self._drop(channel, "no spend in the window: its impressions are kept as organic media")
            return
        self._channels.append(channel)
        reached = self._reached(channel)
        if reached is not None:
            self._reach.append(channel)
            self._columns[f"{channel}_reach"], self._columns[f"{channel}_frequency"] = reached
        elif varies:
            self._columns[f"{channel}_impressions"] = impressions
        else:
            self._by_spend.append(channel)
            self._drop(f"{channel}_impressions", "never change: the channel's spend stands for its exposure")
        self._columns[f"{channel}_spend"] = spend
        self._columns[f"{channel}_clicks"] = [Decimal(slot[1] or 0) for slot in slots]

    def _drop(self, name: str, reason: str) -> None:
        self._dropped.append(Dropped(name, reason))

    def _reached(self, channel: str) -> tuple[list[Decimal], list[Decimal]] | None:
        """Reach and frequency, where both are given for every row, and vary as exposure has to."""
        given = self._beside.reach.get(channel)
        if given is None:
            return None
        both = [self._of_labels(series) for series in given]
        lacking = sum(None in pair for pair in zip(*both, strict=True))
        if lacking:
            self._drop(f"{channel}_reach", f"reach or frequency is unknown in {lacking} rows: impressions are used")
            return None
        reach, frequency = ([value or Decimal(0) for value in values] for values in both)
        if len(set(reach)) == 1 or any(value < 0 for value in (*reach, *frequency)):
            self._drop(f"{channel}_reach", "reach never changes or is below zero: impressions are used")
            return None
        return reach, frequency

    def _of_labels(self, series: DaySeries) -> list[Decimal | None]:
        """Values that do not add up over days: a week has one where it is given for its Monday alone."""
        return [
            series.value(geo, days[0]) if self._cadence is Cadence.DAILY or series.is_of_weeks else None
            for geo in self._geos
            for days in self._periods
        ]

    def _add_kpi(self) -> str:
        """Conversions, revenue and their ratio; the name of the one to explain."""
        own = self._beside.kpi
        conversions = [from_micros(sum(slot[2] or 0 for slot in total.values())) for total in self._totals]
        revenue = [from_micros(sum(slot[4] or 0 for slot in total.values())) for total in self._totals]
        if own:
            given = {name: self._summed(series) for name, series in own.items()}
            self._columns |= given
            if len(given) == 1:
                return next(iter(given))
            conversions, revenue = given["conversions"], given["revenue"]
        else:
            self._columns["conversions"] = conversions
        if any(revenue):
            self._columns["revenue"] = revenue
            size = len(self._periods)
            self._columns["revenue_per_conversion"] = [
                ratio
                for start in range(0, len(revenue), max(1, size))
                for ratio in revenue_per_conversion(
                    revenue[start : start + size], conversions[start : start + size], _ratio_of(revenue, conversions)
                )
            ]
        return "conversions"

    def _summed(self, series: DaySeries) -> list[Decimal]:
        """Values of days that add up. A day without one is zero here, and an error that `Beside.lacking` names."""
        return [
            sum((series.total(geo, day) or Decimal(0) for day in days), Decimal(0))
            for geo in self._geos
            for days in self._periods
        ]

    def _add_controls(self) -> None:
        for name, series in sorted(self._beside.controls.items()):
            found, reason = in_periods(series, self._geos, self._periods)
            if found is None:
                self._drop(f"{name}_control", reason)
            elif len(set(found)) < 2:
                self._drop(f"{name}_control", "never changes in the window: Meridian refuses a constant control")
            else:
                self._columns[f"{name}_control"] = found
                self._controls.append(f"{name}_control")
                if not series.geos - {NATIONAL}:
                    self._national.append(f"{name}_control")


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
        for channel, slot in sums.days.get(day, {}).items():
            total.add(key, channel, slot)
    return total.days[key]


def _ratio_of(revenue: Sequence[Decimal], conversions: Sequence[Decimal]) -> Decimal:
    return _quotient(sum(revenue, Decimal(0)), sum(conversions, Decimal(0))) or Decimal(1)


def revenue_per_conversion(
    revenue: Sequence[Decimal], conversions: Sequence[Decimal], overall: Decimal
) -> list[Decimal]:
    """Revenue per conversion; a period without conversions takes the trailing 28-period ratio, else the overall one.

    Zero conversions would make it NaN, which Meridian refuses and PyMC-Marketing swallows.
    """
    ratios = []
    for index in range(len(revenue)):
        start = max(0, index - _IMPUTE_PERIODS)
        own = _quotient(revenue[index], conversions[index])
        trailing = _quotient(sum(revenue[start:index], Decimal(0)), sum(conversions[start:index], Decimal(0)))
        ratios.append(own or trailing or overall)
    return ratios


def _quotient(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    return round(numerator / denominator, 6) if denominator > 0 and numerator > 0 else None
