"""Reading metric buckets: one row per stored slot, each entity-day from the source that readers prefer."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain, groupby
from typing import NamedTuple

from adweir.model.metrics import SOURCE_ORDER, Level, Series, Slot, Source
from adweir.model.tasks import Stamp
from adweir.model.times import HOURS_A_DAY, Window
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition, Raw, partitions
from adweir.store.metrics.coverage import COVERAGE, Coverage, newer
from adweir.store.metrics.partitions import Table

_FEW = 500
"""At most this many entities are read by key instead of with their whole partition."""


class StoredRow(NamedTuple):
    """One slot. `hour` is 0-23, the same for both passes of a repeated hour, and -1 for a day.

    `as_of` is when its pull began, None when no coverage says so yet.
    """

    entity_id: str
    campaign_id: str
    ad_group_id: str
    ad_product: str
    currency: str
    day: str
    hour: int
    slot: Slot
    source: Source
    as_of: str | None


class _Shelf:
    """One source's copy of a partition: its coverage, then its buckets in order of the entity id."""

    def __init__(self, rank: int, source: Source, partition: Partition, items: Iterable[Raw]) -> None:
        self.rank = rank
        self.source = source
        self.partition = partition
        self._items = iter(items)
        first = next(self._items, None)
        is_coverage = first is not None and first["sk"]["S"] == COVERAGE
        self.coverage = Coverage.decode(first if is_coverage else None)
        self._first = None if is_coverage else first

    def buckets(self, wanted: set[str] | None) -> Iterator[tuple[int, Bucket]]:
        """(rank, bucket) of each entity, or of the wanted ones."""
        for item in chain([self._first] if self._first else [], self._items):
            entity_id = item["sk"]["S"]
            if not entity_id.startswith(RESERVED) and (wanted is None or entity_id in wanted):
                yield self.rank, Bucket.decode(item)


class Reader:
    """Streams rows partition by partition, entity by entity; memory does not grow with the window."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(
        self,
        series: Series,
        window: Window,
        sources: Sequence[Source] = SOURCE_ORDER,
        entity_ids: Iterable[str] | None = None,
    ) -> Iterator[StoredRow]:
        """The stored rows of a window; see `MetricStore.read`."""
        wanted = None if entity_ids is None else set(entity_ids)
        copies = [[(source, each) for each in partitions(series, source, window)] for source in sources]
        for same in zip(*copies, strict=True):
            shelves = [
                _Shelf(rank, source, each, self._items(each, wanted)) for rank, (source, each) in enumerate(same)
            ]
            streams = [shelf.buckets(wanted) for shelf in shelves]
            merged = heapq.merge(*streams, key=lambda pair: (pair[1].entity_id, pair[0]))
            for _, copied in groupby(merged, key=lambda pair: pair[1].entity_id):
                yield from _rows(dict(copied), shelves, series.level)

    def coverage(self, series: Series, window: Window) -> dict[date, dict[str, Stamp]]:
        """Day → slice → the newest complete pull's stamp; days that were not pulled are left out."""
        found: dict[date, dict[str, Stamp]] = {}
        for partition in partitions(series, Source.PULL, window):
            days = Coverage.decode(self._table.get(partition.pk, COVERAGE)).days
            for day in partition.days:
                if day in days:
                    found[date.fromisoformat(day)] = {slice_: answer.stamp for slice_, answer in days[day].items()}
        return found

    def known(self, series: Series, window: Window) -> dict[date, frozenset[str]]:
        """Day → the pulled or not applicable slices; days without any are left out."""
        found: dict[date, frozenset[str]] = {}
        for partition in partitions(series, Source.PULL, window):
            coverage = Coverage.decode(self._table.get(partition.pk, COVERAGE))
            found |= {date.fromisoformat(day): slices for day in partition.days if (slices := coverage.known(day))}
        return found

    def _items(self, partition: Partition, wanted: set[str] | None) -> Iterable[Raw]:
        if wanted is not None and len(wanted) <= _FEW:
            return self._table.get_many(partition.pk, wanted | {COVERAGE}, consistent=False)
        return self._table.query(partition.pk, consistent=False)


def _rows(copies: dict[int, Bucket], shelves: Sequence[_Shelf], level: Level) -> Iterator[StoredRow]:
    """The rows of one entity. On each day the first source that has a slot, or answers that there is none, decides."""
    any_copy = next(iter(copies.values()))
    taken: set[str] = set()
    rows: list[StoredRow] = []
    for shelf in shelves:
        bucket = copies.get(shelf.rank)
        slots = bucket.slots if bucket else {}
        owner = bucket or any_copy
        mine: set[str] = set()
        asked, known = "", None
        for name, (_, day) in shelf.partition.names.items():
            if day in taken:
                continue
            slot = slots.get(name)
            if day != asked:  # all hours of a day have one answer
                asked, known = day, shelf.coverage.answered(day, level, owner.entity_id, owner.parents)
            if slot is None and known is None:
                continue
            mine.add(day)
            if slot is not None:
                stamp = newer(slot.stamp, known)
                campaign, group, product, currency = owner.parents
                hour = int(name[1:]) % HOURS_A_DAY if name[0] == "h" else -1
                as_of = stamp.as_of if stamp else None
                rows.append(
                    StoredRow(
                        owner.entity_id,
                        campaign,
                        group,
                        product,
                        currency,
                        day,
                        hour,
                        slot.numbers,
                        shelf.source,
                        as_of,
                    )
                )
        taken |= mine
    yield from sorted(rows, key=lambda row: (row.day, row.hour))
