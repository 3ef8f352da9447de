"""`data_pipeline/retrieve`: stored data by data type, filtered and paged (canonical schema, sections 1, 2 and 4).

`account_id` in a record is the platform's ad account, as the contract has it; `client_account_id` is the client
company. Money and conversions are exact JSON numbers.
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
from adweir.reporting.query import SOURCE, Queries, Query, measures, parse_filters, parse_sources, parse_window
from adweir.store.catalog.store import Catalog

_PARENTS = {
    Level.ACCOUNT: (),
    Level.CAMPAIGN: ("campaign_id",),
    Level.AD_GROUP: ("campaign_id", "ad_group_id"),
    Level.AD: ("campaign_id", "ad_group_id", "ad_id"),
    Level.KEYWORD: ("campaign_id", "ad_group_id", "keyword_id"),
}
_OBJECTS = {"campaigns": Dataset.CAMPAIGNS, "ad_groups": Dataset.AD_GROUPS, "keywords": Dataset.KEYWORDS}


class Found(NamedTuple):
    """One page of records, and how many there are in all."""

    records: list[dict[str, Any]]
    total: int


class _Flight(NamedTuple):
    """First and last day, ISO; "" where the platform sets none."""

    start: str
    end: str


_OPEN = _Flight("", "")


class _Metrics(NamedTuple):
    level: Level
    grain: Grain


_PERFORMANCE = {f"{level.value}_performance": _Metrics(level, Grain.DAY) for level in Level} | {
    f"{level.value}_performance_hourly": _Metrics(level, Grain.HOUR) for level in Level
}
DATA_TYPES = (*sorted(_PERFORMANCE), "ads", *sorted(_OBJECTS), "profiles")


class Records:
    """Answers `retrieve`."""

    def __init__(self, catalog: Catalog, queries: Queries) -> None:
        self._catalog = catalog
        self._queries = queries

    def retrieve(self, data_type: str, filters: Mapping[str, Any], limit: int, offset: int, now: datetime) -> Found:
        """A page of records. Raises Unprocessable that lists the known data types or filters, TooLarge, Unavailable."""
        given = dict(filters)
        dates = given.pop("date_range", None) or {}
        if not isinstance(dates, dict):
            raise Unprocessable("date_range is {start, end}", [{"field": "filters.date_range", "message": "no object"}])
        window = parse_window(dates.get("start"), dates.get("end"), now.astimezone(UTC).date())
        sources = parse_sources(given.pop(SOURCE, None)) if SOURCE in given else None
        kept = parse_filters(given)
        if data_type in _PERFORMANCE:
            dimensions = () if sources is None else (SOURCE,)
            asked = Query(window, dimensions, kept, sources=sources or SOURCE_ORDER)
            return self._performance(_PERFORMANCE[data_type], asked, limit, offset)
        if data_type == "ads":
            return _page(self._ads(Query(window, (), kept, sources=sources or SOURCE_ORDER), now), limit, offset)
        if data_type in _OBJECTS:
            return _page(self._objects(_OBJECTS[data_type], kept), limit, offset)
        if data_type == "profiles":
            return _page((p.model_dump(mode="json") for p in self._queries.profiles(kept)), limit, offset)
        raise Unprocessable(
            f"unknown data_type {data_type[:40]!r}; known: {', '.join(DATA_TYPES)}",
            [{"field": "data_type", "message": "unknown", "known": list(DATA_TYPES)}],
        )

    def _performance(self, kind: _Metrics, asked: Query, limit: int, offset: int) -> Found:
        time = ("date", "hour") if kind.grain is Grain.HOUR else ("date",)
        names = ("platform", "profile_id", *_PARENTS[kind.level], *time, *asked.dimensions)
        sums = self._queries.sums(replace(asked, dimensions=names, grain=kind.grain, level=kind.level))
        profiles = {(p.platform.value, p.profile_id): p for p in self._queries.profiles(asked.filters)}
        active: dict[str, tuple[int, int]] = {}
        records = []
        for key, slot in islice(sums.items(), offset, offset + limit):
            row = dict(zip((*names, "currency"), key, strict=True)) | measures(slot)
            profile = profiles[key[0], key[1]]
            if kind == _Metrics(Level.ACCOUNT, Grain.DAY):
                records.append(_account_day(row, profile, self._active(profile, active)))
            else:
                records.append(_entity_row(row, profile))
        return Found(records, len(sums))

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
        """The 24 fields of each ad, its metrics summed over the window."""
        names = ("platform", "profile_id", "ad_group_id", "ad_id")
        sums = self._queries.sums(replace(asked, dimensions=names, grain=Grain.DAY, level=Level.AD))
        by_ad = {key[:4]: slot for key, slot in sums.items()}
        for profile in self._queries.profiles(asked.filters):
            flights = self._flights(profile)
            today = local_date(now, profile.timezone).isoformat()
            for ad in self._of(profile, Dataset.ADS):
                if isinstance(ad, Ad) and _kept(ad, asked.filters):
                    key = (profile.platform.value, profile.profile_id, ad.ad_group_id, ad.id)
                    numbers = measures(by_ad.get(key, (0, 0, 0, 0, 0)))
                    yield _ad(_dated(ad, flights, today), profile, numbers)

    def _flights(self, profile: Profile) -> dict[str, _Flight]:
        """The first and last day of each campaign, under its id, and of each ad group, under `campaign~ad group`."""
        flights = {item.id: _Flight(item.start_date, item.end_date) for item in self._of(profile, Dataset.CAMPAIGNS)}
        for group in self._of(profile, Dataset.AD_GROUPS):
            flights[f"{group.campaign_id}~{group.id}"] = _Flight(group.start_date, group.end_date)
        return flights

    def _objects(self, dataset: Dataset, filters: Mapping[str, frozenset[str]]) -> Iterator[dict[str, Any]]:
        for profile in self._queries.profiles(filters):
            for item in self._of(profile, dataset):
                if _kept(item, filters):
                    record = item.model_dump(mode="json")
                    for name in ("budget", "bid"):
                        if record.get(name) is not None:
                            record[name] = from_micros(record[name])
                    yield record | {"currency": profile.currency}

    def _of(self, profile: Profile, dataset: Dataset) -> Iterator[PlatformObject]:
        return self._catalog.objects(profile.platform, profile.profile_id, dataset)


def _dated(ad: Ad, flights: Mapping[str, _Flight], today: str) -> Ad:
    """The ad with the dates of its flight: its own, else its ad group's, else its campaign's, each by itself.

    An active ad whose last day is past has ended (platform protocols, 2.10, 3.10 and 7.4).
    """
    group, campaign = flights.get(f"{ad.campaign_id}~{ad.ad_group_id}", _OPEN), flights.get(ad.campaign_id, _OPEN)
    end = ad.end_date or group.end or campaign.end
    over = ad.status is Status.ACTIVE and bool(end) and end < today
    return ad.model_copy(
        update={
            "start_date": ad.start_date or group.start or campaign.start,
            "end_date": end,
            "status": Status.ENDED if over else ad.status,
        }
    )


def _entity_row(row: dict[str, Any], profile: Profile) -> dict[str, Any]:
    return row | {"account_id": profile.profile_id, "client_account_id": profile.account_id}


def _account_day(row: dict[str, Any], profile: Profile, active: tuple[int, int]) -> dict[str, Any]:
    """The 14 fields of an account day; the counts are those of now."""
    daily = {
        f"daily_{name}": row[name] for name in ("spend", "impressions", "clicks", "conversions", "revenue", "roas")
    }
    return {
        "account_id": profile.profile_id,
        "platform": profile.platform.value,
        "account_name": profile.name,
        "currency": row["currency"],
        "timezone": profile.timezone,
        "date": row["date"],
        **daily,
        **{name: row[name] for name in (SOURCE,) if name in row},
        "campaign_count": active[0],
        "ad_count": active[1],
        "client_account_id": profile.account_id,
    }


def _ad(ad: Ad, profile: Profile, numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ad_id": ad.id,
        "platform": ad.platform.value,
        "account_id": profile.profile_id,
        "campaign_id": ad.campaign_id,
        "ad_group_id": ad.ad_group_id,
        "headline": ad.headline,
        "description": ad.description,
        "cta": ad.cta,
        "image_url": ad.image_url,
        "video_url": ad.video_url,
        "landing_page_url": ad.landing_page_url,
        "start_date": ad.start_date or None,
        "end_date": ad.end_date or None,
        "status": ad.status.value,
        **{name: numbers[name] for name in ("impressions", "clicks", "ctr", "spend", "conversions", "conversion_rate")},
        "cpa": numbers["cpa"],
        "roas": numbers["roas"],
        "relevance_score": ad.relevance_score,
        "quality_score": ad.quality_score,
        "status_raw": ad.status_raw,
        "name": ad.name,
        "currency": profile.currency,
        "revenue": numbers["revenue"],
        "client_account_id": profile.account_id,
    }


def _kept(item: PlatformObject, filters: Mapping[str, frozenset[str]]) -> bool:
    own = {Dataset.ADS: "ad_id", Dataset.KEYWORDS: "keyword_id"}
    values = {"campaign_id": item.campaign_id, "ad_group_id": item.ad_group_id}
    kind = type(item).__name__
    values |= {
        "AdCampaign": {"campaign_id": item.id},
        "AdGroup": {"ad_group_id": item.id},
        "Ad": {own[Dataset.ADS]: item.id},
        "Keyword": {own[Dataset.KEYWORDS]: item.id},
    }.get(kind, {})
    return all(values[name] in allowed for name, allowed in filters.items() if name in values)


def _page(records: Iterator[dict[str, Any]], limit: int, offset: int) -> Found:
    """The page and the total, without keeping the rest."""
    page, total = [], 0
    for total, record in enumerate(records, 1):
        if offset < total <= offset + limit:
            page.append(record)
    return Found(page, total)
