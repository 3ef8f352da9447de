"""What a media-mix table has beside what the platforms report: KPIs of one's own, controls, reach, population.

They come as dropped files (docs/data-types.md): `kpi_series`, `controls`, `population`. The reach of a channel is two
series of the type `controls`, `<channel>_reach` and `<channel>_frequency`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

from adweir.model.times import Window

NATIONAL = ""
"""In place of a region: of all of them."""
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_FLAGS = frozenset({Decimal(0), Decimal(1)})


@dataclass(frozen=True)
class DaySeries:
    """A named series by region and day. `clock`: the time zone whose days these are, `source` who says so."""

    values: Mapping[str, Mapping[date, Decimal]]
    source: str = ""
    clock: str = ""

    @property
    def geos(self) -> frozenset[str]:
        return frozenset(self.values)

    @cached_property
    def days(self) -> frozenset[date]:
        """The days of which there is any value."""
        return frozenset(day for days in self.values.values() for day in days)

    @cached_property
    def is_flag(self) -> bool:
        """Whether it is given for some days as 1, such as those of a promotion: other days are then 0."""
        return {value for days in self.values.values() for value in days.values()} <= _FLAGS

    @cached_property
    def is_of_weeks(self) -> bool:
        """Whether it is given for Mondays alone, as values of weeks are."""
        return all(day.weekday() == 0 for day in self.days)

    def value(self, geo: str, day: date) -> Decimal | None:
        """The region's own value, else the national one."""
        own = self.values.get(geo, {}).get(day)
        return own if own is not None or geo == NATIONAL else self.values.get(NATIONAL, {}).get(day)

    def total(self, geo: str, day: date) -> Decimal | None:
        """Of what adds up over regions: the region's value; nationally the national one, else the regions' sum."""
        own = self.values.get(geo, {}).get(day)
        if own is not None or geo != NATIONAL:
            return own
        found = [days[day] for days in self.values.values() if day in days]
        return sum(found, Decimal(0)) if found else None


@dataclass(frozen=True)
class Beside:
    """By what each is for: `kpi` by the column that it replaces, `controls` by name, `reach` by channel (reach and
    frequency), `population` by region."""

    kpi: Mapping[str, DaySeries] = field(default_factory=dict)
    controls: Mapping[str, DaySeries] = field(default_factory=dict)
    reach: Mapping[str, tuple[DaySeries, DaySeries]] = field(default_factory=dict)
    population: Mapping[str, Decimal] = field(default_factory=dict)

    def within(self, window: Window) -> Window:
        """The part of a window from the first to the last day of which every KPI has a value; all of it without one."""
        spans = [series.days for series in self.kpi.values() if series.days]
        start, end = max([window.start, *map(min, spans)]), min([window.end, *map(max, spans)])
        return Window(start, end) if start <= end else window

    def lacking(self, geos: Iterable[str], days: Iterable[date]) -> dict[str, list[date]]:
        """The days on which a KPI has no value in some region: they may not be zero."""
        places, asked = list(geos), list(days)
        found = {
            name: [day for day in asked if any(series.total(geo, day) is None for geo in places)]
            for name, series in self.kpi.items()
        }
        return {name: lacks for name, lacks in found.items() if lacks}


ALONE = Beside()
"""Nothing."""


def in_periods(
    series: DaySeries, geos: Sequence[str], periods: Sequence[Sequence[date]]
) -> tuple[list[Decimal] | None, str]:
    """A control's value per region and period, the mean of its days; None and why where some day has none.

    A flag is 0 on other days. A series that is given for Mondays alone has values of weeks.
    """
    found: list[Decimal] = []
    for geo in geos:
        for days in periods:
            asked = days[:1] if len(days) > 1 and series.is_of_weeks and not series.is_flag else days
            values = [series.value(geo, day) for day in asked]
            if None in values and not series.is_flag:
                where = f" in {geo}" if geo else ""
                return None, f"has no value on {asked[values.index(None)].isoformat()}{where}: give every day"
            known = [value or Decimal(0) for value in values]
            found.append(known[0] if len(known) == 1 else round(sum(known, Decimal(0)) / len(known), 6))
    return found, ""


def column_name(name: str) -> str:
    """A series' name as columns have it: small letters, digits and _; begins with a letter."""
    plain = _NOT_IN_NAMES.sub("_", name.casefold()).strip("_")[:60]
    return plain if plain[:1].isalpha() else f"x_{plain}".rstrip("_")
