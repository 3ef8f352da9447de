"""`data_pipeline/retrieve`: stored data by data type, filtered and paged.

`account_id` in a record is the platform's ad account, with the client company beside it as `client_account_id`; in a
profile it is the client company. Money and conversions are exact JSON numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, PlatformObject, Profile, Status
from adweir.model.errors import Unprocessable
from adweir.model.metrics import SOURCE_ORDER, Grain, Level
from adweir.model.money import from_micros
from adweir.model.times import local_date
from adweir.reporting.ads import Flights, Measured, ad_records
from adweir.reporting.filters import Filters
from adweir.reporting.query import SOURCE, Queries, Query, measures, parse_sources
from adweir.reporting.ranges import parse_range
from adweir.store.catalog.store import Catalog

_PARENTS = {
    Level.ACCOUNT: (),
    Level.CAMPAIGN: ("campaign_id",),
    Level.AD_GROUP: ("campaign_id", "ad_group_id"),
    Level.AD: ("campaign_id", "ad_group_id", "ad_id"),
    Level.KEYWORD: ("campaign_id", "ad_group_id", "keyword_id"),
}
_OBJECTS = {"campaigns": Dataset.CAMPAIGNS, "ad_groups": Dataset.AD_GROUPS, "keywords": Dataset.KEYWORDS}
_DAILY = ("spend", "impressions", "clicks", "conversions", "revenue", "roas")
_NO_METRICS = (0, 0, 0, 0, 0)


class RecordPage(NamedTuple):
    """One page of records, and how many there are in all."""

    records: list[dict[str, Any]]
    total: int


class _Metrics(NamedTuple):
    level: Level
    grain: Grain


_PERFORMANCE = {f"{level.value}_performance": _Metrics(level, Grain.DAY) for level in Level} | {
    f"{level.value}_performance_hourly": _Metrics(level, Grain.HOUR) for level in Level
}
_ACCOUNT_DAYS = _Metrics(Level.ACCOUNT, Grain.DAY)
DATA_TYPES = (*sorted(_PERFORMANCE), "ads", *sorted(_OBJECTS), "profiles")


class StoredRecords:
    """Answers `retrieve`."""

    def __init__(self, catalog: Catalog, queries: Queries) -> None:
        self._catalog = catalog
        self._queries = queries

    def retrieve(
        self, data_type: str, filters: Mapping[str, Any], limit: int, offset: int, now: datetime
    ) -> RecordPage:
        """A page of records. Raises Unprocessable that lists the known data types or filters, TooLarge, Unavailable.

        `filters` may hold `date_range {start, end}` and `source` beside those of `reporting.filters`.
        """
        given = dict(filters)
        dates = given.pop("date_range", None) or {}
        if not isinstance(dates, dict):
            message = "date_range is {start, end}"
            raise Unprocessable(message, [{"field": "filters.date_range", "message": message}])
        today = now.astimezone(UTC).date()
        asked_range = parse_range(dates.get("start"), dates.get("end"), today, field="filters.date_range")
        sources = parse_sources(given.pop(SOURCE)) if SOURCE in given else None
        kept = self._queries.filters(given)
        asked = Query(asked_range, (), kept, sources=sources or SOURCE_ORDER)
        if data_type in _PERFORMANCE:
            dimensions = () if sources is None else (SOURCE,)
            return self._performance(
                _PERFORMANCE[data_type], replace(asked, dimensions=dimensions), slice(offset, offset + limit)
            )
        if data_type == "ads":
            return _page(self._ads(asked, now), limit, offset)
        if data_type in _OBJECTS:
            return _page(self._objects(_OBJECTS[data_type], kept), limit, offset)
        if data_type == "profiles":
            return _page((p.model_dump(mode="json") for p in self._queries.profiles(kept)), limit, offset)
        raise Unprocessable(
            f"unknown data_type {data_type[:40]!r}; known: {', '.join(DATA_TYPES)}",
            [{"field": "data_type", "message": "is unknown", "known": list(DATA_TYPES)}],
        )

    def _performance(self, kind: _Metrics, asked: Query, page: slice) -> RecordPage:
        time = ("date", "hour") if kind.grain is Grain.HOUR else ("date",)
        names = ("platform", "profile_id", *_PARENTS[kind.level], *time, *asked.dimensions)
        sums = self._queries.sums(replace(asked, dimensions=names, grain=kind.grain, level=kind.level))
        profiles = {(str(p.platform), p.profile_id): p for p in self._queries.profiles(asked.filters)}
        active: dict[str, tuple[int, int]] = {}
        records = []
        for key, slot in islice(sums.items(), page.start, page.stop):
            row = dict(zip((*names, "currency"), key, strict=True)) | measures(slot)
            profile = profiles[key[0], key[1]]
            if kind == _ACCOUNT_DAYS:
                records.append(_account_day(row, profile, self._active(profile, active)))
            else:
                records.append(row | {"account_id": profile.profile_id, "client_account_id": profile.account_id})
        return RecordPage(records, len(sums))

    def _active(self, profile: Profile, known: dict[str, tuple[int, int]]) -> tuple[int, int]:
        """How many campaigns and ads of the profile are active now."""
        if profile.key not in known:
            campaigns, ads = (
                sum(1 for item in self._of(profile, dataset) if item.status is Status.ACTIVE)
                for dataset in (Dataset.CAMPAIGNS, Dataset.ADS)
            )
            known[profile.key] = (campaigns, ads)
        return known[profile.key]

    def _ads(self, asked: Query, now: datetime) -> Iterator[dict[str, Any]]:
        """The ads, each with its metrics summed over the range."""
        names = ("platform", "profile_id", "ad_group_id", "ad_id")
        sums = self._queries.sums(replace(asked, dimensions=names, grain=Grain.DAY, level=Level.AD))
        by_ad = {key[: len(names)]: slot for key, slot in sums.items()}
        for profile in self._queries.profiles(asked.filters):
            flights = Flights(self._of(profile, Dataset.CAMPAIGNS), self._of(profile, Dataset.AD_GROUPS))
            today = local_date(now, profile.timezone).isoformat()

            def measured(ad: Ad, profile: Profile = profile) -> Measured:
                key = (str(profile.platform), profile.profile_id, ad.ad_group_id, ad.id)
                return measures(by_ad.get(key, _NO_METRICS))

            found = (item for item in self._of(profile, Dataset.ADS) if isinstance(item, Ad))
            kept = (ad for ad in found if asked.filters.keep_object(ad))
            yield from ad_records(((flights.dated(ad, today), measured(ad)) for ad in kept), profile)

    def _objects(self, dataset: Dataset, filters: Filters) -> Iterator[dict[str, Any]]:
        for profile in self._queries.profiles(filters):
            for item in self._of(profile, dataset):
                if filters.keep_object(item):
                    record = item.model_dump(mode="json")
                    for name in ("budget", "bid"):
                        if record.get(name) is not None:
                            record[name] = from_micros(record[name])
                    for name in ("start_date", "end_date"):
                        record[name] = record[name] or None
                    yield record | {
                        "currency": profile.currency,
                        "account_id": profile.profile_id,
                        "client_account_id": profile.account_id,
                    }

    def _of(self, profile: Profile, dataset: Dataset) -> Iterator[PlatformObject]:
        return self._catalog.objects(profile.platform, profile.profile_id, dataset)


def _account_day(row: dict[str, Any], profile: Profile, active: tuple[int, int]) -> dict[str, Any]:
    """The 14 fields of an account day; the numbers of active campaigns and ads are those of now."""
    return {
        "account_id": profile.profile_id,
        "platform": str(profile.platform),
        "account_name": profile.name,
        "currency": row["currency"],
        "timezone": profile.timezone,
        "date": row["date"],
        **{f"daily_{name}": row[name] for name in _DAILY},
        **({SOURCE: row[SOURCE]} if SOURCE in row else {}),
        "campaign_count": active[0],
        "ad_count": active[1],
        "client_account_id": profile.account_id,
    }


def _page(records: Iterator[dict[str, Any]], limit: int, offset: int) -> RecordPage:
    """The page and the total, without keeping the rest."""
    page, total = [], 0
    for total, record in enumerate(records, 1):
        if offset < total <= offset + limit:
            page.append(record)
    return RecordPage(page, total)
