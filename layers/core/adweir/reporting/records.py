"""`data_pipeline/retrieve`: stored data by data type, filtered and paged.

`account_id` in a record is the platform's ad account, with the client company beside it as `client_account_id`; in a
profile it is the client company. Money and conversions are exact JSON numbers; what is unknown is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, PlatformObject, Profile
from adweir.model.errors import Unprocessable
from adweir.model.metrics import AD_LEVELS, SOURCE_ORDER, Grain, Level, Slot
from adweir.model.times import is_zone, local_date
from adweir.reporting.active import ActiveCounts
from adweir.reporting.ads import Flights, Measured, ad_records
from adweir.reporting.breakdowns import BREAKDOWNS
from adweir.reporting.changes import ChangeList, listed
from adweir.reporting.dimensions import SOURCE
from adweir.reporting.filters import Filters, parse_sources
from adweir.reporting.invoices import invoice_lines
from adweir.reporting.metric_rows import LEVEL, asked_levels, metric_rows
from adweir.reporting.moments import Moments
from adweir.reporting.names import Naming
from adweir.reporting.query import Answer, Queries
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan, parse_range, parse_words
from adweir.reporting.references import REFERENCES, ReferenceQuestion
from adweir.reporting.series import SERIES, SeriesNames, series_records
from adweir.reporting.shown import account_day, accounts, object_record
from adweir.reporting.totals import NOTHING, RowSum, measures
from adweir.store.catalog.store import Catalog

PARENTS = {
    Level.ACCOUNT: (),
    Level.CAMPAIGN: ("campaign_id",),
    Level.AD_GROUP: ("campaign_id", "ad_group_id"),
    Level.AD: ("campaign_id", "ad_group_id", "ad_id"),
    Level.KEYWORD: ("campaign_id", "ad_group_id", "keyword_id"),
}
_OBJECTS: Mapping[str, tuple[Dataset, ...]] = {
    "campaigns": (Dataset.CAMPAIGNS,),
    "ad_groups": (Dataset.AD_GROUPS,),
    "keywords": (Dataset.KEYWORDS, Dataset.TARGETS, Dataset.NEGATIVES),
    "creatives": (Dataset.CREATIVES,),
}
ACCOUNT_DAY_FIELDS = (
    "account_id",
    "platform",
    "account_name",
    "currency",
    "timezone",
    "date",
    "daily_spend",
    "daily_impressions",
    "daily_clicks",
    "daily_conversions",
    "daily_revenue",
    "daily_roas",
    "campaign_count",
    "ad_count",
    "client_account_id",
)
"""The names in a record of an account day: the 14 canonical fields, and the client beside the ad account."""
METRICS = "metrics"
_LOOKS = 5000
"""Records between two looks at the time."""
_UNKNOWN: Slot = (None, None, None, None, None)


def data_type_of(dataset: Dataset) -> str:
    """The data type that shows a dataset of metrics."""
    by = f"_by_{dataset.breakdown}" if dataset.breakdown else ""
    return f"{dataset.level.value}_performance{by}{'_hourly' if dataset.grain is Grain.HOUR else ''}"


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """What to retrieve. `filters` may hold `date_range` (`{start, end}`, or words) and `source` beside those of
    `reporting.filters`.

    `live`: days that are not over are answered by their hours. `moments`: the moment that is asked about, and since
    when changes are listed. `metrics`: False leaves those of ads unread, and unknown. `counts`: False leaves the active
    campaigns and ads of account days uncounted. `where`: what a fault calls the place of the filters.
    """

    data_type: str
    filters: Mapping[str, Any] = field(default_factory=dict)
    limit: int = 100
    offset: int = 0
    live: bool = False
    moments: Moments | None = None
    metrics: bool = True
    counts: bool = True
    where: str = "filters"


class EveryRecord(NamedTuple):
    """All records, made while they are read, and what they rest on (nothing where they hold no metrics)."""

    records: Iterator[dict[str, Any]]
    coverage: list[dict[str, Any]]
    warnings: list[str]


class RecordPage(NamedTuple):
    """One page of records, how many there are in all, and what they rest on (nothing where they hold no metrics)."""

    records: list[dict[str, Any]]
    total: int
    coverage: list[dict[str, Any]]
    warnings: list[str]
    changes: ChangeList | None = None


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """What records ask, and how they are made of an answer; `query` is None where they hold no metrics.

    `of_groups`: each group of an answer is a record. `changes`: what is asked where changes are listed.
    """

    range: TimeSpan
    records: Callable[[Answer], Iterator[dict[str, Any]]]
    query: Query | None = None
    moments: Moments | None = None
    changes: Query | None = None
    of_groups: bool = False

    def answer(self, queries: Queries, piece: TimeSpan | None = None) -> Answer:
        """The answer, or that for a piece of the range. Raises Unprocessable, TooLarge, Unavailable."""
        if self.query is None:
            return Answer()
        return queries.answer(self.query if piece is None else replace(self.query, range=piece))

    def changed(self, queries: Queries) -> ChangeList | None:
        """What has changed since, where that was asked for. Raises TooLarge, Unavailable."""
        if self.changes is None or self.moments is None or self.moments.changed_since is None:
            return None
        return listed(queries.changes(self.changes, self.moments.changed_since, self.moments.now))


class _Metrics(NamedTuple):
    level: Level
    grain: Grain
    breakdown: str = ""


PERFORMANCE: Mapping[str, _Metrics] = (
    {f"{level.value}_performance": _Metrics(level, Grain.DAY) for level in AD_LEVELS}
    | {f"{level.value}_performance_hourly": _Metrics(level, Grain.HOUR) for level in AD_LEVELS}
    | {
        data_type_of(dataset): _Metrics(dataset.level, Grain.DAY, dataset.breakdown)
        for dataset in Dataset
        if dataset.breakdown
    }
)
"""Data type → the series that it shows."""
_ACCOUNT_DAYS = _Metrics(Level.ACCOUNT, Grain.DAY)
DATA_TYPES = (
    *sorted(PERFORMANCE),
    "ads",
    *sorted(_OBJECTS),
    "invoices",
    METRICS,
    "profiles",
    *sorted(REFERENCES),
    *sorted(SERIES),
)


class StoredRecords:
    """Answers `retrieve`."""

    def __init__(self, catalog: Catalog, queries: Queries) -> None:
        self._catalog = catalog
        self._queries = queries

    def retrieve(self, wanted: RecordRequest, now: datetime) -> RecordPage:
        """A page of records. Raises Unprocessable that lists the known data types or filters, TooLarge, Unavailable."""
        made = self.plan(wanted, now)
        found = made.answer(self._queries)
        page = slice(wanted.offset, wanted.offset + wanted.limit)
        if made.of_groups:
            total = len(found.groups)
            groups = dict(islice(found.groups.items(), page.start, page.stop))
            records = list(made.records(replace(found, groups=groups)))
        else:
            records, total = self._page(made.records(found), page)
        return RecordPage(records, total, found.coverage.answer(), found.warnings, made.changed(self._queries))

    def every(self, wanted: RecordRequest, now: datetime) -> EveryRecord:
        """All records, whatever `limit` and `offset` say. Raises Unprocessable, TooLarge, Unavailable."""
        made = self.plan(wanted, now)
        found = made.answer(self._queries)
        return EveryRecord(made.records(found), found.coverage.answer(), found.warnings)

    def plan(self, wanted: RecordRequest, now: datetime) -> RecordPlan:
        """How to answer. Raises Unprocessable that lists the known data types or filters."""
        given = dict(wanted.filters)
        dates = given.pop("date_range", None) or {}
        asked_range = _range_of(dates, now, f"{wanted.where}.date_range")
        if wanted.data_type in SERIES:
            return self._series(SERIES[wanted.data_type], asked_range, given, wanted)
        if wanted.data_type in REFERENCES:
            return self._references(asked_range, given, wanted, of_days=bool(dates))
        sources = parse_sources(given.pop(SOURCE)) if SOURCE in given else None
        within = wanted.data_type == METRICS and LEVEL in given
        levels = asked_levels(given.pop(LEVEL, None), wanted.where) if wanted.data_type == METRICS else ()
        kept = self._queries.filters(given, wanted.where)
        dimensions = () if sources is None else (SOURCE,)
        asked = Query(asked_range, dimensions, kept, sources=sources or SOURCE_ORDER, live=wanted.live)
        if wanted.data_type == METRICS:
            if wanted.moments and wanted.moments.changed_since:
                raise _no_past(wanted, "changed_since")
            return RecordPlan(asked_range, lambda _: metric_rows(self._queries, asked, levels, within=within))
        return self._of_platforms(asked, wanted, now)

    def _of_platforms(self, asked: Query, wanted: RecordRequest, now: datetime) -> RecordPlan:
        """How to answer what is about ad accounts."""
        kept, asked_range = asked.filters, asked.range
        if wanted.data_type in PERFORMANCE:
            return self._performance(PERFORMANCE[wanted.data_type], asked, wanted)
        if wanted.data_type == "ads":
            made = self._ads(asked, now, wanted.moments)
            return made if wanted.metrics else replace(made, query=None)
        _refuse_past(wanted)
        if wanted.data_type in _OBJECTS:
            return RecordPlan(asked_range, lambda _: self._objects(_OBJECTS[wanted.data_type], kept))
        if wanted.data_type == "invoices":
            profiles = self._queries.profiles(kept)
            return RecordPlan(asked_range, lambda _: invoice_lines(self._catalog, profiles, asked_range, kept))
        if wanted.data_type == "profiles":
            listed = self._queries.profiles
            return RecordPlan(asked_range, lambda _: (each.model_dump(mode="json") for each in listed(kept)))
        raise Unprocessable(
            f"unknown data_type {wanted.data_type[:40]!r}; known: {', '.join(DATA_TYPES)}",
            [{"field": "data_type", "message": "is unknown", "known": list(DATA_TYPES)}],
        )

    def _performance(self, kind: _Metrics, asked: Query, wanted: RecordRequest) -> RecordPlan:
        time = ("date", "hour") if kind.grain is Grain.HOUR else ("date",)
        split = BREAKDOWNS.get(kind.breakdown, ())
        names = ("platform", "profile_id", *PARENTS[kind.level], *split, *time, *asked.dimensions)

        def records(found: Answer) -> Iterator[dict[str, Any]]:
            profiles = {(str(p.platform), p.profile_id): p for p in self._queries.profiles(asked.filters)}
            shown = [
                (profiles[key[0], key[1]], dict(zip((*names, "currency"), key, strict=True)), total)
                for key, total in found.groups.items()
            ]
            counts = ActiveCounts(self._queries, asked.sources)
            if kind == _ACCOUNT_DAYS and wanted.counts:
                counts.read((profile, row["date"]) for profile, row, _ in shown)
            for profile, row, total in shown:
                if kind == _ACCOUNT_DAYS:
                    active = counts.of(profile, row["date"])
                    record = account_day(profile, row["date"], row["currency"], total.slot, active)
                    said = {"client_account_id": profile.account_id} | total.notes
                    yield record | ({SOURCE: row[SOURCE]} if SOURCE in row else {}) | said
                else:
                    yield (
                        row | measures(total.slot) | {"profile_id": profile.shown_id} | accounts(profile) | total.notes
                    )

        query = replace(asked, dimensions=names, grain=kind.grain, level=kind.level)
        changes = replace(query, dimensions=split)
        return RecordPlan(asked.range, records, query, wanted.moments, changes, of_groups=True)

    def _series(self, kind: SeriesNames, span: TimeSpan, given: Mapping[str, Any], wanted: RecordRequest) -> RecordPlan:
        """A record per day and what its rows say of themselves."""
        kept = kind.filters(given, self._queries.parse_platform, wanted.where)
        names = ("platform", "profile_id", "date", *kind.parts.values())
        query = Query(span, names, kept, level=kind.level)

        def records(found: Answer) -> Iterator[dict[str, Any]]:
            profiles = {(str(p.platform), p.profile_id): p for p in self._queries.profiles(kept)}
            return series_records(kind, profiles, found.groups)

        return RecordPlan(span, records, query, wanted.moments, query, of_groups=True)

    def _references(
        self, span: TimeSpan, given: Mapping[str, Any], wanted: RecordRequest, *, of_days: bool
    ) -> RecordPlan:
        """All rows that match, of whatever day unless days are asked for."""
        _refuse_past(wanted)
        days = span.window("UTC") if of_days else None
        asks = ReferenceQuestion.of(REFERENCES[wanted.data_type], given, days, wanted.where)
        return RecordPlan(span, lambda _: asks.records(self._catalog))

    def _ads(self, asked: Query, now: datetime, moments: Moments | None) -> RecordPlan:
        """The ads, each with its metrics summed over the range: a record per currency where there are several."""
        names = ("platform", "profile_id", "ad_group_id", "ad_id")

        def records(found: Answer) -> Iterator[dict[str, Any]]:
            by_ad: dict[tuple[Any, ...], dict[str, RowSum]] = {}
            for (*key, currency), total in found.groups.items():  # an ad's sources are one sum
                sums = by_ad.setdefault(tuple(key[: len(names)]), {})
                if currency in sums:
                    sums[currency].merge(total)
                else:
                    sums[currency] = total
            profiles, _ = self._queries.dated_profiles(asked.filters)
            naming = Naming(self._catalog.accounts())
            for profile in profiles:
                yield from ad_records(self._ads_of(profile, asked, found, by_ad, now), profile, naming)

        query = replace(asked, dimensions=names, level=Level.AD, rest=False)
        return RecordPlan(asked.range, records, query, moments, replace(asked, dimensions=(), level=Level.AD))

    def _ads_of(
        self,
        profile: Profile,
        asked: Query,
        found: Answer,
        by_ad: Mapping[tuple[Any, ...], Mapping[str, RowSum]],
        now: datetime,
    ) -> Iterator[tuple[Ad, Measured]]:
        """A profile's ads, each with its metrics in each currency."""
        flights = Flights(self._of(profile, Dataset.CAMPAIGNS), self._of(profile, Dataset.AD_GROUPS))
        today = local_date(now, profile.timezone).isoformat()
        nothing = {profile.currency: RowSum(NOTHING if profile.key in found.pulled else _UNKNOWN)}

        for ad in self._of(profile, Dataset.ADS):
            if isinstance(ad, Ad) and asked.filters.keep_object(ad, profile.account_id):
                dated = flights.dated(ad, today)
                sums = by_ad.get((str(profile.platform), profile.profile_id, ad.ad_group_id, ad.id), nothing)
                for currency, total in sums.items():
                    yield dated, measures(total.slot) | total.notes | {"currency": currency}

    def _objects(self, datasets: Sequence[Dataset], filters: Filters) -> Iterator[dict[str, Any]]:
        naming = Naming(self._catalog.accounts())
        for profile in self._queries.profiles(filters):
            today = self._queries.today(profile).isoformat() if is_zone(profile.timezone) else ""
            for item in (each for dataset in datasets for each in self._of(profile, dataset)):
                if filters.keep_object(item, profile.account_id):
                    record = object_record(item, profile, today)
                    if isinstance(item, AdCampaign | AdGroup):
                        record["name_parts"] = naming.parts(profile, item)
                    yield record

    def _page(self, records: Iterable[dict[str, Any]], page: slice) -> tuple[list[dict[str, Any]], int]:
        """The page and the total, without keeping the rest."""
        kept, total = [], 0
        for total, record in enumerate(records, 1):
            if page.start < total <= page.stop:
                kept.append(record)
            if not total % _LOOKS:
                self._queries.check_time()
        return kept, total

    def _of(self, profile: Profile, dataset: Dataset) -> Iterator[PlatformObject]:
        return self._catalog.objects(profile.platform, profile.profile_id, dataset)


def _range_of(dates: Any, now: datetime, field: str) -> TimeSpan:
    """`{start, end}`, or words as `last_7_days` → a range. Raises Unprocessable."""
    if isinstance(dates, str):
        return parse_words(dates, now, field)
    if not isinstance(dates, dict):
        message = "date_range is {start, end}, or words as last_7_days"
        raise Unprocessable(message, [{"field": field, "message": message}])
    return parse_range(dates.get("start"), dates.get("end"), now.astimezone(UTC).date(), field=field)


def _refuse_past(wanted: RecordRequest) -> None:
    """Raises Unprocessable where a moment of the past is asked of what is kept as it is now."""
    if wanted.moments and (wanted.moments.as_known_at or wanted.moments.changed_since):
        raise _no_past(wanted, "as_known_at and changed_since")


def _no_past(wanted: RecordRequest, names: str) -> Unprocessable:
    message = f"{wanted.data_type[:40]} has no past: {names} are for metrics of one level"
    known = [*PERFORMANCE, "ads", *SERIES]
    return Unprocessable(message, [{"field": "data_type", "message": message, "known": known}])
