"""A catalog and a metric store that answer from lists, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

from adweir.model.campaigns import Campaign
from adweir.model.datasets import Dataset
from adweir.model.entities import Account, PlatformObject, Profile
from adweir.model.metrics import SOURCE_ORDER, Series, Source
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.store.catalog.objects import dataset_of
from adweir.store.catalog.references import ReferenceRow
from adweir.store.catalog.store import Catalog
from adweir.store.metrics.read import Reader
from adweir.store.metrics.store import Adjustment, Bundle, DayState, MetricStore, Only, StoredRow, SummedRows
from support.clock import FrozenClock

Rows = Callable[[Series, Sequence[Source]], Iterable[StoredRow]]
"""The rows of a series, given the sources that are asked."""


class ListedCatalog(Catalog):
    def __init__(self, profiles: Sequence[Profile], objects: Sequence[PlatformObject] = ()) -> None:
        super().__init__(FrozenClock())
        self._profiles = profiles
        self.campaigns: list[Campaign] = []
        self.reference_rows: list[ReferenceRow] = []
        """Those of each client, in the order of their dates."""
        self._objects = objects

    def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> list[Profile]:
        return [profile for profile in self._profiles if platform in {None, profile.platform}]

    def accounts(self) -> list[Account]:
        return []

    def reference_sources(self, account_id: str, data_type: str) -> Iterator[str]:
        return iter(sorted({str(row.source) for row in self.reference_rows}))

    def reference_days(
        self, account_id: str, data_type: str, source: str, said: Mapping[str, str], days: Window
    ) -> Iterator[ReferenceRow]:
        for row in self.reference_rows:
            is_asked = row.source == source and said.items() <= row.cells.items()
            if is_asked and days.start.isoformat() <= row.cells["date"] <= days.end.isoformat():
                yield row

    def campaigns_of(self, account_id: str) -> list[Campaign]:
        return [each for each in self.campaigns if each.account_id == account_id]

    def few_campaigns(self, ids: Iterable[str]) -> dict[str, Campaign]:
        known = {each.campaign_id: each for each in self.campaigns}
        known |= {arm.arm_id: each for each in self.campaigns for arm in each.arms}
        return {each: known[each] for each in ids if each in known}

    def named_campaigns(self, ids: Iterable[str]) -> dict[str, Campaign]:
        return self.few_campaigns(ids)

    def objects(self, platform: Platform, profile_id: str, dataset: Dataset) -> Iterator[PlatformObject]:
        return (item for item in self._objects if dataset_of(item) is dataset)

    def find_objects(
        self, platform: Platform, profile_ids: Sequence[str], dataset: Dataset, ids: Sequence[str]
    ) -> dict[str, list[PlatformObject]]:
        found: dict[str, list[PlatformObject]] = {}
        for item in (item for profile_id in profile_ids for item in self.objects(platform, profile_id, dataset)):
            if item.id in ids:
                found.setdefault(item.id, []).append(item)
        return found


class ListedReader(Reader):
    """No day counts as pulled."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def days(self, series: Series, window: Window) -> dict[date, DayState]:
        return {}

    def adjusted(self, series: Series, window: Window) -> Iterator[Adjustment]:
        return iter(())

    def foresee(self, series: Iterable[Series], window: Window, sources: Sequence[Source] = SOURCE_ORDER) -> None:
        """Nothing is looked up."""

    def sums(
        self,
        series: Series,
        window: Window,
        bundle: Bundle,
        *,
        sources: Sequence[Source] = SOURCE_ORDER,
        only: Only | None = None,
        overridden: bool = False,
    ) -> Iterator[StoredRow | SummedRows]:
        return (row for row in self._rows(series, sources) if bundle(row.day) is not None)


class ListedMetrics(MetricStore):
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def days(self, series: Series, window: Window) -> dict[date, DayState]:
        return {}

    def snapshot(self) -> ListedReader:
        return ListedReader(self._rows)
