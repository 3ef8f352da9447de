"""Questions to the stored metrics: profiles, a window and filters, grouped, as exact sums.

Only the finest level that a platform reports is pulled, so a coarser question sums finer rows. On each day one level
answers: the finest one that a complete pull covers; on days that nobody pulled (files, pushes) the asked level itself,
then finer ones. Ratios are derived from the sums; sums never cross currencies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import SOURCE_ORDER, Grain, Level, Slot, Source, derive
from adweir.model.money import from_micros
from adweir.model.platforms import Platform, parse_platform
from adweir.model.times import Window
from adweir.store.catalog.store import Catalog
from adweir.store.metrics.store import MetricStore, StoredRow

_FINENESS = (Level.ACCOUNT, Level.CAMPAIGN, Level.AD_GROUP, Level.AD)
_NEEDS = {
    "campaign_id": Level.CAMPAIGN,
    "ad_group_id": Level.AD_GROUP,
    "ad_id": Level.AD,
    "keyword_id": Level.KEYWORD,
}
_ABOUT_PROFILE = ("platform", "account_id", "profile_id", "currency")
DIMENSIONS = (
    "platform",
    "account_id",
    "profile_id",
    "campaign_id",
    "ad_group_id",
    "ad_id",
    "keyword_id",
    "date",
    "hour",
    "week",
    "month",
    "currency",
)
FILTERS = (*_ABOUT_PROFILE, *_NEEDS)
SOURCE = "source"

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What to sum. `filters`: name → allowed values; `account_id` matches the client account or the ad account.

    `sources` are asked in their order, day by day; the dimension `source` says which one answered.
    """

    window: Window
    dimensions: tuple[str, ...]
    filters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    grain: Grain = Grain.DAY
    level: Level = Level.ACCOUNT
    sources: tuple[Source, ...] = SOURCE_ORDER

    @property
    def finest(self) -> Level:
        """The level that the dimensions and filters need. Raises Unprocessable when keywords and ads are mixed."""
        needed = {self.level} | {_NEEDS[name] for name in (*self.dimensions, *self.filters) if name in _NEEDS}
        if Level.KEYWORD in needed:
            if Level.AD in needed:
                raise Unprocessable("keywords and ads cannot be asked for together: neither is a part of the other")
            return Level.KEYWORD
        return max(needed, key=_FINENESS.index)


def parse_window(start: Any, end: Any, today: date, days: int = 30) -> Window:
    """Two ISO dates → a window; missing ones mean the last `days` days. Raises Unprocessable.

    `today` is UTC's: without an end the day after counts too, because east of Greenwich it has begun already.
    """
    try:
        last = _date(end) if end else today + timedelta(days=1)
        first = _date(start) if start else last - timedelta(days=days - 1)
    except (TypeError, ValueError, OverflowError):
        message = "start and end are dates, YYYY-MM-DD"
        raise Unprocessable(message, [{"field": "date_range", "message": message}]) from None
    if first > last or (last - first).days >= limits.MAX_QUERY_DAYS:
        message = f"the range begins before it ends and has at most {limits.MAX_QUERY_DAYS} days"
        raise Unprocessable(message, [{"field": "date_range", "message": message}])
    return Window(first, last)


def _date(text: Any) -> date:
    """`YYYY-MM-DD` and none of ISO's other forms. Raises ValueError, TypeError."""
    found = date.fromisoformat(text)
    if text != found.isoformat():
        raise ValueError(f"no date: {text[:40]!r}")
    return found


def parse_sources(given: Any) -> tuple[Source, ...]:
    """A source or a list of them → sources in the order of preference; all when none is named. Raises Unprocessable."""
    names = [] if given is None else given if isinstance(given, list) else [given]
    if not all(isinstance(name, str) and name in set(SOURCE_ORDER) for name in names):
        message = f"source is one or more of {', '.join(SOURCE_ORDER)}"
        raise Unprocessable(message, [{"field": "filters.source", "message": "unknown", "known": list(SOURCE_ORDER)}])
    return tuple(source for source in SOURCE_ORDER if not names or source in names)


def parse_filters(given: Mapping[str, Any], where: str = "filters") -> dict[str, frozenset[str]]:
    """Name → value or list of values → filters. Raises Unprocessable that names what is unknown."""
    filters: dict[str, frozenset[str]] = {}
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        if name not in FILTERS:
            known = ", ".join(FILTERS)
            raise Unprocessable(
                f"unknown filter {name[:40]!r}; known: {known}",
                [{"field": f"{where}.{name[:40]}", "message": "unknown"}],
            )
        if not all(isinstance(each, str | int) and not isinstance(each, bool) for each in values):
            raise Unprocessable(
                f"{name} is a text or a list of texts", [{"field": f"{where}.{name}", "message": "wrong type"}]
            )
        texts = frozenset(str(each) for each in values)
        filters[name] = frozenset(parse_platform(each).value for each in texts) if name == "platform" else texts
    return filters


class Queries:
    """Answers queries from the metric store."""

    def __init__(self, catalog: Catalog, metrics: MetricStore) -> None:
        self._catalog = catalog
        self._metrics = metrics

    def profiles(self, filters: Mapping[str, frozenset[str]]) -> list[Profile]:
        """The profiles that the filters leave, by platform and id; those of deleted accounts too."""
        platforms = filters.get("platform", frozenset())
        platform = Platform(next(iter(platforms))) if len(platforms) == 1 else None
        return [profile for profile in self._catalog.profiles(platform=platform) if _wanted(profile, filters)]

    def sums(self, query: Query) -> dict[Key, Slot]:
        """Group (values in the order of the dimensions, then the currency) → sums, sorted by group.

        Raises Unprocessable, TooLarge (more than 300,000 groups), Unavailable.
        """
        _ = query.finest  # refuses what cannot be asked together, also when nothing is stored
        groups: dict[Key, list[int]] = {}
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
                        groups[key] = list(row.slot)
                    else:
                        for index, value in enumerate(row.slot):
                            total[index] += value
        return {key: _slot(groups[key]) for key in sorted(groups)}

    def _rows(self, profile: Profile, query: Query) -> Iterator[StoredRow]:
        """A profile's rows of the window, of the one level that answers for each day."""
        asked = query.finest
        levels = [asked, *_FINENESS[_FINENESS.index(asked) + 1 :]] if asked in _FINENESS else [asked]
        start, end = query.window
        place = (profile.platform, profile.profile_id)
        covered: dict[str, Level] = {}
        for level in levels if Source.PULL in query.sources else ():  # from the asked to the finest, which overrules
            for day in self._metrics.coverage(*place, level, query.grain, start, end):
                covered[day.isoformat()] = level
        taken: dict[str, Level] = {}
        for level in levels:
            if len(covered) == query.window.length and level not in covered.values():
                continue
            for row in self._metrics.read(*place, level, query.grain, start, end, sources=query.sources):
                answers = covered.get(row.day) or taken.setdefault(row.day, level)
                if answers is level:
                    yield _named(row, level)


def measures(slot: Slot) -> dict[str, int | Decimal | None]:
    """Sums → every metric by name: counts as integers, the rest as exact decimals, ratios None where undefined."""
    impressions, clicks, conversions, spend, revenue = slot
    ratios = derive(*slot)
    return {
        "impressions": impressions,
        "clicks": clicks,
        "conversions": from_micros(conversions),
        "spend": from_micros(spend),
        "revenue": from_micros(revenue),
        **ratios,
        "conversion_rate": ratios["cvr"],
    }


def _slot(values: Sequence[int]) -> Slot:
    impressions, clicks, conversions, spend, revenue = values
    return (impressions, clicks, conversions, spend, revenue)


def _wanted(profile: Profile, filters: Mapping[str, frozenset[str]]) -> bool:
    for name in _ABOUT_PROFILE:
        allowed = filters.get(name)
        if allowed is None:
            continue
        values = {profile.account_id, profile.profile_id} if name == "account_id" else {str(getattr(profile, name))}
        if not values & allowed:
            return False
    return True


def _matching(filters: Mapping[str, frozenset[str]]) -> Callable[[StoredRow], bool]:
    asked = [(_ROW_VALUES[name], allowed) for name, allowed in filters.items() if name in _NEEDS]
    return lambda row: all(value(row) in allowed for value, allowed in asked)


def _grouping(dimensions: Iterable[str]) -> Callable[[Profile, StoredRow], Key]:
    """A function that makes the group of a row; the currency is always its last part."""
    named = tuple(dimensions)

    def group(profile: Profile, row: StoredRow) -> Key:
        values = [_ROW_VALUES[name](row) if name in _ROW_VALUES else str(getattr(profile, name)) for name in named]
        return (*values, row.currency or profile.currency)

    return group


def _named(row: StoredRow, level: Level) -> StoredRow:
    """A campaign's or ad group's own row may not repeat its id among the parents."""
    if level is Level.CAMPAIGN and not row.campaign_id:
        return row._replace(campaign_id=row.entity_id)
    if level is Level.AD_GROUP and not row.ad_group_id:
        return row._replace(ad_group_id=row.entity_id)
    return row


def _campaign(row: StoredRow) -> str:
    return row.campaign_id


def _week(row: StoredRow) -> str:
    day = date.fromisoformat(row.day)
    return (day - timedelta(days=day.weekday())).isoformat()


_ROW_VALUES: dict[str, Callable[[StoredRow], Any]] = {
    "campaign_id": _campaign,
    "ad_group_id": lambda row: row.ad_group_id,
    "ad_id": lambda row: row.entity_id.rpartition("~")[2],
    "keyword_id": lambda row: row.entity_id.rpartition("~")[2],
    "date": lambda row: row.day,
    "hour": lambda row: row.hour,
    "week": _week,
    "month": lambda row: row.day[:7],
    "currency": lambda row: row.currency,
    SOURCE: lambda row: row.source.value,
}
