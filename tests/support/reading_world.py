"""Stored metrics and what reads them, in memory: a store with its fakes, platforms whose datasets a test chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.base import DatasetSpec, datasets
from adweir.reporting.coverage_list import CoverageList, CoveragePage, CoverageRequest
from adweir.reporting.filters import EVERYTHING
from adweir.reporting.query import Queries
from adweir.reporting.ranges import parse_range
from adweir.reporting.records import RecordPage, RecordRequest, StoredRecords
from adweir.reporting.reports import MetricReport, ReportRequest, report
from adweir.store.metrics.brought import PullRows
from support.clock import FrozenClock
from support.listed import ListedCatalog
from support.metric_store import StoreWorld

LOSSY, EXACT = Platform("meta_ads"), Platform("amazon_ads")
"""Finer levels of the first lack what deleted objects spent; those of the second sum to their parents, in two parts."""
DAY = "2026-11-18"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = "2026-11-20"
TWO = ("sp", "sb")
AD, CAMPAIGN, ACCOUNT = Level.AD, Level.CAMPAIGN, Level.ACCOUNT
HOURS: dict[str, Any] = {"grain": Grain.HOUR, "days": (TODAY, TODAY)}
"""A pull of today's hours."""


def served(dataset: Dataset, slices: tuple[str, ...] = ("all",), *, sums: bool = False, **more: Any) -> DatasetSpec:
    return DatasetSpec(dataset, slices, settles_after_days=28, sums_to_parent=sums, **more)


SERVED = {
    LOSSY: datasets(
        served(Dataset.ACCOUNT_DAILY),
        served(Dataset.CAMPAIGN_DAILY),
        served(Dataset.AD_DAILY),
        served(Dataset.ACCOUNT_HOURLY),
        served(Dataset.CAMPAIGN_HOURLY),
        served(Dataset.AD_BY_AGE_GENDER_DAILY, on_request=True),
        served(Dataset.AD_BY_COUNTRY_DAILY, on_request=True),
    ),
    EXACT: datasets(
        served(Dataset.CAMPAIGN_DAILY, TWO, sums=True),
        served(Dataset.AD_DAILY, TWO, sums=True),
        served(Dataset.KEYWORD_DAILY, TWO),
        served(Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, TWO),
    ),
}


class ChosenPlatforms:
    """The platforms of a test, by the names that people use."""

    def __init__(self, by_platform: Mapping[Platform, Mapping[Dataset, DatasetSpec]]) -> None:
        self._served = by_platform

    def __contains__(self, name: object) -> bool:
        return name in self._served

    def parse(self, name: str) -> Platform:
        return REGISTRY.parse(name)

    def datasets(self, platform: Platform) -> Mapping[Dataset, DatasetSpec]:
        return self._served[platform]

    def lists(self, platform: str) -> bool:
        return platform in self._served

    def served(self, profile: Profile) -> Mapping[Dataset, DatasetSpec]:
        known = self._served.get(profile.platform, {}) if profile.is_listed else {}
        return {dataset: spec.under(profile.pulled_by) for dataset, spec in known.items()}


def a_profile(platform: Platform = LOSSY, profile_id: str = "p1", timezone: str = "UTC", **more: Any) -> Profile:
    return Profile(
        **{"account_id": "acc_a", "name": "Main", "currency": "USD"} | more,
        platform=platform,
        profile_id=profile_id,
        timezone=timezone,
    )


ONE = a_profile()


class ReadingWorld:
    """`pull` and `file` store rows, `report` and `records` read them. Pulls are newer the later they are made."""

    def __init__(
        self,
        *profiles: Profile,
        objects: Sequence[PlatformObject] = (),
        now: datetime = NOW,
        platforms: ChosenPlatforms | None = None,
    ) -> None:
        self.now = now
        self.stored = StoreWorld()
        self.store = self.stored.store
        self.platforms = platforms or ChosenPlatforms(SERVED)
        self.catalog = ListedCatalog(profiles or (a_profile(), a_profile(EXACT)), objects)
        self._made = 0

    @property
    def queries(self) -> Queries:
        return Queries(self.catalog, self.store, self.platforms, FrozenClock(self.now))

    def pull(
        self,
        level: Level,
        *rows: MetricRow,
        platform: Platform = LOSSY,
        slice_: str = "all",
        days: tuple[str, str] = (DAY, DAY),
        bad: Sequence[tuple[str, str]] = (),
        **more: Any,
    ) -> str:
        """Load a complete pull, an hour after the last one, and return when it began."""
        found = PullRows()
        for row in rows:
            found.offer(row)
        for entity_id, day in bad:
            found.quarantined(entity_id, day)
        pull = self.made_pull(level, platform, slice_, days, **more)
        self.store.load(pull, found, accept_vanish=True)
        return pull.stamp.as_of

    def skip(self, level: Level, slice_: str, platform: Platform = EXACT) -> None:
        """Have the platform call a slice of the day not applicable."""
        self.store.skip(self.made_pull(level, platform, slice_, (DAY, DAY)))

    def made_pull(self, level: Level, platform: Platform, slice_: str, days: tuple[str, str], **more: Any) -> Pull:
        """A pull, an hour newer than the one before."""
        self._made += 1
        more.setdefault("currency", "USD")
        common: dict[str, Any] = {"profile_id": "p1", "grain": Grain.DAY, "source": Source.PULL, "complete": True}
        later, hour = divmod(self._made, 24)
        stamp = Stamp(f"2026-11-{19 + later}T{hour:02d}:00:00.000000Z", f"t{self._made}")
        window = Window(date.fromisoformat(days[0]), date.fromisoformat(days[1]))
        return Pull(**common | {"stamp": stamp} | more, platform=platform, level=level, slice=slice_, window=window)

    def file(self, level: Level, *rows: MetricRow, **more: Any) -> None:
        """Load a file's rows."""
        self.pull(level, *rows, source=Source.FILE, complete=False, **more)

    def report(self, *dimensions: str, metrics: tuple[str, ...] = ("spend",), **more: Any) -> MetricReport:
        """A report over `days`, by default the one of the rows."""
        first, last = more.pop("days", (DAY, DAY))
        segments = [{"name": name, "values": values} for name, values in more.pop("segments", {}).items()]
        span = parse_range(first, last, self.now.date())
        return report(self.queries, ReportRequest("r", span, metrics, dimensions, segments, **more))

    def records(self, data_type: str, filters: Mapping[str, Any] | None = None, **more: Any) -> RecordPage:
        """A page of records over `days`."""
        first, last = more.pop("days", (DAY, DAY))
        asked = {"date_range": {"start": first, "end": last}, **(filters or {})}
        records = StoredRecords(self.catalog, self.queries)
        return records.retrieve(RecordRequest(data_type, asked, **more), self.now)


def account(spend: int, day: str = DAY, **more: Any) -> MetricRow:
    return _row("p1", spend, day, **more)


def campaign(id_: str, spend: int, day: str = DAY, **more: Any) -> MetricRow:
    return _row(id_, spend, day, campaign_id=id_, **more)


def ad(id_: str, spend: int, day: str = DAY, campaign_id: str = "c1", **more: Any) -> MetricRow:
    return _row(f"g1~{id_}", spend, day, campaign_id=campaign_id, ad_group_id="g1", **more)


def _row(entity: str, spend: int, day: str, **more: Any) -> MetricRow:
    """`spend` in units; the other numbers follow from it."""
    numbers: dict[str, Any] = {
        "impressions": spend * 10,
        "clicks": spend,
        "conversions": spend * 1_000_000,
        "spend": spend * 1_000_000,
        "revenue": spend * 2_000_000,
        "currency": "USD",
    }
    return MetricRow(entity, day, **numbers | more)


def spends(report: MetricReport, *by: str) -> dict[Any, int | None]:
    """The report's spend by the values of some columns."""
    keys = [tuple(row[name] for name in by) for row in report.rows]
    return {key[0] if len(key) == 1 else key: row["spend"] for key, row in zip(keys, report.rows, strict=True)}


def days_of(world: ReadingWorld, data_type: str, **more: Any) -> dict[str, dict[str, Any]]:
    """The coverage beside a page of records, by date."""
    return {day.pop("date"): day for day in world.records(data_type, **more).coverage}


def gap(profile_id: str = "p1", slice_: str = "all", platform: str = LOSSY) -> dict[str, str]:
    """A slice as `missing` names it."""
    return {"platform": platform, "profile_id": profile_id, "slice": slice_}


def listed(world: ReadingWorld, data_type: str = "", days: tuple[str, str] = (DAY, DAY), **more: Any) -> CoveragePage:
    """A page of the coverage list over `days`."""
    limit, position = more.pop("limit", 100), more.pop("position", "")
    span = parse_range(days[0], days[1], world.now.date())
    return CoverageList(world.queries).page(
        CoverageRequest(span, more.pop("filters", EVERYTHING), data_type), limit, position
    )
