"""An ad account with ads, its stored days, and the features that a worker records of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from math import inf
from typing import Any

from adweir.insight.ad_features.entity import Row
from adweir.insight.ad_features.offline import OfflineFeatures
from adweir.insight.ad_features.recorder import FeatureCounts, FeatureRecorder, RecorderParts, RecordTaker
from adweir.insight.curated.layout import PREFIX
from adweir.model.entities import PlatformObject
from adweir.model.metrics import MetricRow
from adweir.model.times import iso
from adweir.store.findings.features import AdFeatures
from adweir.store.raw.curated import CuratedObjects
from support.clock import FrozenClock
from support.curated_world import CONNECTED, CuratedWorld
from support.reading_world import ACCOUNT, AD, ONE, account, ad

TODAY = date(2026, 11, 20)
KEY = ONE.key
Known = dict[tuple[str, str], Row]
"""Rows by level and entity."""


def ago(days: int) -> str:
    """A day so many days before today, ISO."""
    return (TODAY - timedelta(days=days)).isoformat()


def delivered(name: str, spends: Iterable[int], *, until: int = 1, **more: Any) -> list[MetricRow]:
    """Days of an ad, the last of them so many days ago. On days on which nothing is spent it has no row."""
    numbers = list(spends)
    days = [until + len(numbers) - 1 - place for place in range(len(numbers))]
    return [ad(name, spend, ago(day), **more) for day, spend in zip(days, numbers, strict=True) if spend]


class FeaturesWorld(CuratedWorld):
    """`ran` stores days, `record` is what a task does, `online` what anybody would read then."""

    def __init__(self, *objects: PlatformObject) -> None:
        super().__init__(ONE, objects=objects)
        self.online_store = AdFeatures(FrozenClock(self.now))
        self.taker: RecordTaker | None = None

    def ran(self, *ads: Sequence[MetricRow], days: int = 56) -> None:
        """Have these be all rows of the last days, and the account's their sums."""
        rows = [row for each in ads for row in each]
        window = ago(days), ago(1)
        self.pull(AD, *rows, days=window)
        totals: dict[str, int] = {}
        for row in rows:
            totals[row.day] = totals.get(row.day, 0) + (row.spend or 0) // 10**6
        self.pull(ACCOUNT, *(account(spend, day) for day, spend in totals.items()), days=window)

    def pass_by(self, **times: float) -> None:
        """Have time pass."""
        self.now += timedelta(**times)

    def record(
        self,
        remaining: Callable[[], float] = lambda: inf,
        *,
        online: AdFeatures | None = None,
        at: datetime | None = None,
    ) -> FeatureCounts:
        """What a task does now, or by a clock of its own."""
        clock = FrozenClock(at or self.now)
        objects = OfflineFeatures(CuratedObjects(self.bucket), CONNECTED)
        parts = RecorderParts(
            self.catalog, self.queries, self.scores, online or self.online_store, objects, clock, self.taker
        )
        return FeatureRecorder(parts).record("acc_a", remaining, 1.0)

    @property
    def online(self) -> Known:
        """The newest rows."""
        return {(row["level"], row["entity_id"]): row for _, row in self.online_store.rows(KEY)}

    def offline(self, as_of: str) -> Known:
        """The newest row of each entity as of a moment, by the offline table."""
        if not self.has_features:
            return {}
        found = self.ask(
            "SELECT * EXCLUDE (platform, month) FROM features "  # noqa: S608  a moment of the test's own
            f"WHERE as_of <= TRY_CAST('{as_of}' AS TIMESTAMP) "
            "QUALIFY row_number() OVER (PARTITION BY level, entity_id ORDER BY as_of DESC) = 1"
        )
        return {(row["level"], row["entity_id"]): {name: plain(value) for name, value in row.items()} for row in found}

    @property
    def has_features(self) -> bool:
        return any(key.startswith(f"{PREFIX}features/") for key in self.keys)

    @property
    def moment(self) -> str:
        """Now, as rows say it."""
        return iso(self.now)


def plain(value: Any) -> Any:
    """Days and moments as texts."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds") + "Z"
    return value.isoformat() if isinstance(value, date) else value
