"""Queries over the stored metrics: profiles, a range and filters, grouped, as exact sums.

Only the finest level that a platform reports is pulled, so a coarser question sums finer rows. On each day one level
answers: the finest one that a complete pull covers; on days without a pull (files, pushes) the requested level, then
finer ones. Ratios are derived from the sums; sums never cross currencies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import SOURCE_ORDER, Grain, Level, Series, Slot, Source, derive, plus
from adweir.model.money import to_units
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser
from adweir.reporting.filters import EVERYTHING, NEEDS, OF_PROFILE, Filters, parse_filters
from adweir.reporting.ranges import TimeSpan
from adweir.store.catalog.store import Catalog
from adweir.store.metrics.store import MetricStore, StoredRow

_FINENESS = (Level.ACCOUNT, Level.CAMPAIGN, Level.AD_GROUP, Level.AD)
SOURCE = "source"

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What to sum, by which dimensions (names of `DIMENSIONS`, or `source`).

    `sources` are asked in their order, day by day; the dimension `source` says which one answered.
    """

    range: TimeSpan
    dimensions: tuple[str, ...]
    filters: Filters = EVERYTHING
    grain: Grain = Grain.DAY
    level: Level = Level.ACCOUNT
    sources: tuple[Source, ...] = SOURCE_ORDER

    @property
    def finest(self) -> Level:
        """The level that the dimensions and filters need. Raises Unprocessable when keywords and ads are mixed."""
        needed = {self.level} | {NEEDS[name] for name in (*self.dimensions, *self.filters.of_rows) if name in NEEDS}
        if Level.KEYWORD in needed:
            if Level.AD in needed:
                raise Unprocessable("keywords and ads cannot be asked for together: neither is a part of the other")
            return Level.KEYWORD
        return max(needed, key=_FINENESS.index)


def parse_sources(given: Any) -> tuple[Source, ...]:
    """A source or a list of them → sources in the order of preference; all when none is named. Raises Unprocessable."""
    names = [] if given is None else given if isinstance(given, list) else [given]
    if not all(isinstance(name, str) and name in set(SOURCE_ORDER) for name in names):
        message = f"source is one or more of {', '.join(SOURCE_ORDER)}"
        raise Unprocessable(message, [{"field": "filters.source", "message": message, "known": list(SOURCE_ORDER)}])
    return tuple(source for source in SOURCE_ORDER if not names or source in names)


class Queries:
    """Answers queries from the metric store."""

    def __init__(self, catalog: Catalog, metrics: MetricStore, parse_platform: PlatformParser) -> None:
        self._catalog = catalog
        self._metrics = metrics
        self._parse_platform = parse_platform

    def filters(self, given: Mapping[str, Any], where: str = "filters") -> Filters:
        """Filters as a caller wrote them. Raises Unprocessable that names what is unknown."""
        return parse_filters(given, self._parse_platform, where)

    def profiles(self, filters: Filters) -> list[Profile]:
        """The profiles that the filters leave, by platform and id; those of deleted accounts too."""
        platform = Platform(filters.platform) if filters.platform else None
        return [profile for profile in self._catalog.profiles(platform=platform) if filters.keep_profile(profile)]

    def sums(self, query: Query) -> dict[Key, Slot]:
        """Group (values in the order of the dimensions, then the currency) → sums, sorted by group.

        Raises Unprocessable, TooLarge (more than 300,000 groups), Unavailable.
        """
        _ = query.finest  # refuses what cannot be asked together, also when nothing is stored
        groups: dict[Key, Slot] = {}
        of_row = _grouping(query.dimensions)
        matches = _matching(query.filters)
        for profile in self.profiles(query.filters):
            for row in self._rows(profile, query):
                if matches(row):
                    key = of_row(profile, row)
                    total = groups.get(key)
                    if total is None:
                        if len(groups) >= limits.MAX_QUERY_GROUPS:
                            raise TooLarge(f"more than {limits.MAX_QUERY_GROUPS} groups: ask for less at once")
                        groups[key] = row.slot
                    else:
                        groups[key] = plus(total, row.slot)
        return {key: groups[key] for key in sorted(groups)}

    def _rows(self, profile: Profile, query: Query) -> Iterator[StoredRow]:
        """A profile's rows of the range, of the one level that answers for each day."""
        rows = self._rows_of_days(profile, query)
        if query.grain is Grain.DAY:
            return rows
        first, last = query.range.hours(profile.timezone)
        return (row for row in rows if first <= (row.day, row.hour) <= last)

    def _rows_of_days(self, profile: Profile, query: Query) -> Iterator[StoredRow]:
        asked = query.finest
        levels = [asked, *_FINENESS[_FINENESS.index(asked) + 1 :]] if asked in _FINENESS else [asked]
        window = query.range.window(profile.timezone)

        def series(level: Level) -> Series:
            return Series(profile.platform, profile.profile_id, level, query.grain)

        covered: dict[str, Level] = {}
        for level in levels if Source.PULL in query.sources else ():  # the finest covered level wins
            for day in self._metrics.coverage(series(level), window):
                covered[day.isoformat()] = level
        taken: dict[str, Level] = {}
        for level in levels:
            if len(covered) == window.length and level not in covered.values():
                continue
            for row in self._metrics.read(series(level), window, sources=query.sources):
                answers = covered.get(row.day) or taken.setdefault(row.day, level)
                if answers is level:
                    yield _named(row, level)


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


def _matching(filters: Filters) -> Callable[[StoredRow], bool]:
    asked = [(_OF_ROW[name], values) for name, values in filters.of_rows.items()]
    return lambda row: all(value(row) in values for value, values in asked)


def _grouping(dimensions: Iterable[str]) -> Callable[[Profile, StoredRow], Key]:
    """A function that makes the group of a row; the currency is always its last part."""
    named = tuple(dimensions)

    def group(profile: Profile, row: StoredRow) -> Key:
        values = [_OF_ROW[name](row) if name in _OF_ROW else OF_PROFILE[name](profile) for name in named]
        return (*values, row.currency or profile.currency)

    return group


def _named(row: StoredRow, level: Level) -> StoredRow:
    """A campaign's or ad group's own row may not repeat its id among the parents."""
    if level is Level.CAMPAIGN and not row.campaign_id:
        return row._replace(campaign_id=row.entity_id)
    if level is Level.AD_GROUP and not row.ad_group_id:
        return row._replace(ad_group_id=row.entity_id)
    return row


def _week(row: StoredRow) -> str:
    day = date.fromisoformat(row.day)
    return (day - timedelta(days=day.weekday())).isoformat()


_OF_ROW: dict[str, Callable[[StoredRow], Any]] = {
    "campaign_id": lambda row: row.campaign_id,
    "ad_group_id": lambda row: row.ad_group_id,
    "ad_id": lambda row: row.entity_id.rpartition("~")[2],
    "keyword_id": lambda row: row.entity_id.rpartition("~")[2],
    "date": lambda row: row.day,
    "hour": lambda row: row.hour,
    "week": _week,
    "month": lambda row: row.day[:7],
    SOURCE: lambda row: row.source.value,
}
DIMENSIONS = (*OF_PROFILE, *(name for name in _OF_ROW if name != SOURCE))
