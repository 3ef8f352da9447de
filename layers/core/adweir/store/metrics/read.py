"""Reading metric buckets: one row per stored slot, each entity-day from the source that readers prefer."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, groupby
from typing import NamedTuple

from adweir.model.metrics import SOURCE_ORDER, Level, Mark, Series, Slot, Source
from adweir.model.tasks import Stamp
from adweir.model.times import HOURS_A_DAY, Window
from adweir.store.metrics import adjusted
from adweir.store.metrics.adjusted import Adjustment
from adweir.store.metrics.adjusting import AdjustedEntity
from adweir.store.metrics.brought import NO_PARENTS, Parents
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition, Raw, partitions
from adweir.store.metrics.coverage import COVERAGE, Coverage, read_coverage
from adweir.store.metrics.partitions import ItemKey, Readable

SlicesOf = Callable[[Series], Collection[str]]
"""The slices whose pulls together answer for everything of a series; the platform's spec names them."""
_FEW = 500
"""At most this many entities are read by key instead of with their whole partition."""


class StoredRow(NamedTuple):
    """One slot. `hour` is 0-23, the same for both passes of a repeated hour, and -1 for a day.

    `as_of` is when its pull began, None when no coverage says so yet. `definition` says how conversions and revenue
    were counted, in the platform's words; "" is the platform's default.
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
    mark: Mark = Mark.NONE
    definition: str = ""


class SliceState(NamedTuple):
    """The newest complete pull of a slice and day: when it began, its task, how it counted conversions."""

    as_of: str
    task_id: str
    definition: str = ""


class DayState(NamedTuple):
    """What coverage says about a day: the slices that were pulled, and those that are not applicable."""

    slices: Mapping[str, SliceState]
    not_applicable: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        """The slices that are not missing."""
        return self.not_applicable | self.slices.keys()

    @property
    def began(self) -> dict[str, str]:
        """Slice → when its pull began; "" for one that is not applicable."""
        return dict.fromkeys(self.not_applicable, "") | {name: state.as_of for name, state in self.slices.items()}


class _Shelf:
    """One source's copy of a partition: its coverage, then its buckets in order of the entity id."""

    def __init__(self, rank: int, source: Source, partition: Partition, items: Iterable[Raw]) -> None:
        self.rank = rank
        self.source = source
        self.partition = partition
        self._items = iter(items)
        first = next(self._items, None)
        while first is not None and first["sk"]["S"].startswith(adjusted.ADJUSTED):
            first = next(self._items, None)
        is_coverage = first is not None and first["sk"]["S"] == COVERAGE
        self.coverage = Coverage.decode(first if is_coverage else None)
        self._first = None if is_coverage else first

    def whole(self, day: str, slices: Collection[str]) -> bool:
        """Whether pulls of all these slices, or of all that are applicable, answer for a day."""
        return day in self.coverage.days and self.coverage.known(day).issuperset(slices)

    def buckets(self, wanted: set[str] | None) -> Iterator[tuple[int, Bucket]]:
        """(rank, bucket) of each entity, or of the wanted ones."""
        for item in chain([self._first] if self._first else [], self._items):
            entity_id = item["sk"]["S"]
            if not entity_id.startswith(RESERVED) and (wanted is None or entity_id in wanted):
                yield self.rank, Bucket.decode(item)


class Reader:
    """Streams rows partition by partition, entity by entity; memory does not grow with the window.

    All reads are consistent: coverage from one replica and slots from another that lags would make a false zero.
    """

    def __init__(self, table: Readable, slices: SlicesOf) -> None:
        self._table = table
        self._slices = slices

    def read(
        self,
        series: Series,
        window: Window,
        sources: Sequence[Source] = SOURCE_ORDER,
        entity_ids: Iterable[str] | None = None,
        *,
        overridden: bool = False,
    ) -> Iterator[StoredRow]:
        """The stored rows of a window; see `MetricStore.read`."""
        wanted = None if entity_ids is None else set(entity_ids)
        whole = self._slices(series)
        copies = [[(source, each) for each in partitions(series, source, window)] for source in sources]
        begun = read_coverage(self._table, (each for copy in copies for _, each in copy))
        for same in zip(*copies, strict=True):
            shelves = [
                _Shelf(rank, source, each, self._items(each, wanted) if each.pk in begun else ())
                for rank, (source, each) in enumerate(same)
            ]
            streams = [shelf.buckets(wanted) for shelf in shelves]
            merged = heapq.merge(*streams, key=lambda pair: (pair[1].entity_id, pair[0]))
            for _, copied in groupby(merged, key=lambda pair: pair[1].entity_id):
                found = _rows(dict(copied), shelves, series.level, whole)
                yield from found if overridden else (row for row in found if row.mark is not Mark.OVERRIDDEN)

    def days(self, series: Series, window: Window) -> dict[date, DayState]:
        """What coverage says about each day; days of which it says nothing are left out."""
        found: dict[date, DayState] = {}
        months = list(partitions(series, Source.PULL, window))
        begun = read_coverage(self._table, months)
        for partition in months:
            coverage = begun.get(partition.pk) or Coverage()
            for day in partition.days:
                answers = coverage.days.get(day, {})
                slices = {
                    name: SliceState(a.stamp.as_of, a.stamp.task_id, coverage.definitions.get(a.stamp, ""))
                    for name, a in answers.items()
                }
                absent = frozenset(name for name, days in coverage.not_applicable.items() if day in days)
                if slices or absent:
                    found[date.fromisoformat(day)] = DayState(slices, absent)
        return found

    def adjusted(self, series: Series, window: Window) -> Iterator[Adjustment]:
        """The adjustments of the pulls that answer for each day; see `MetricStore.adjusted`."""
        months = list(partitions(series, Source.PULL, window))
        begun = read_coverage(self._table, months)
        for partition in months:
            coverage = begun.get(partition.pk) or Coverage()
            days = [day for day in partition.days if day in coverage.adjusted]
            items = self._table.get_many(ItemKey(partition.pk, adjusted.key(day)) for day in days)
            found = [
                (item["sk"]["S"].removeprefix(adjusted.ADJUSTED), Stamp.parse(each.stamp), entry)
                for item in items
                for each in adjusted.decode(item).values()
                for entry in each.entries
            ]
            stored = self._parents(partition, series.level, (entry for _, _, entry in found))
            for day, stamp, e in found:
                parents = adjusted.parents_of(e, stored.get(e.entity_id, NO_PARENTS))
                if coverage.newest(day, series.level, e.entity_id, parents) == stamp:
                    yield Adjustment(e.entity_id, *parents, day, e.rows, e.quarantined, e.cleaned, e.currency)

    def _parents(self, partition: Partition, level: Level, entries: Iterable[AdjustedEntity]) -> dict[str, Parents]:
        """What is stored of the parents of entities whose rows did not name their campaign, which tells what answers.

        It is known once another pull has brought them. Few rows do not name it, so that this is rarely a request.
        """
        open_ids = {e.entity_id for e in entries if e.entity_id and not e.campaign_id}
        if level is Level.ACCOUNT or not open_ids:
            return {}
        items = self._table.get_many(ItemKey(partition.pk, entity_id) for entity_id in open_ids)
        return {item["sk"]["S"]: Bucket.decode(item).parents for item in items}

    def _items(self, partition: Partition, wanted: set[str] | None) -> Iterable[Raw]:
        if wanted is not None and len(wanted) <= _FEW:
            return self._table.get_many(ItemKey(partition.pk, sk) for sk in wanted | {COVERAGE})
        return self._table.query(partition.pk)


def _rows(
    copies: dict[int, Bucket], shelves: Sequence[_Shelf], level: Level, whole: Collection[str]
) -> list[StoredRow]:
    """The rows of one entity, by time and source. On each day the first source decides that has a slot, or answers
    that there is none; the rows of the others are marked as overridden.

    `whole`: the slices that together answer for everything. An entity whose ad product nobody knows is in one of them.
    """
    any_copy = next(iter(copies.values()))
    taken: set[str] = set()
    rows: list[StoredRow] = []
    for shelf in shelves:
        bucket = copies.get(shelf.rank)
        slots = bucket.slots if bucket else {}
        owner = bucket or any_copy
        about = (level, owner.entity_id, owner.parents)
        coverage = shelf.coverage
        mine: set[str] = set()
        asked, answered = "", False
        for name, (_, day) in shelf.partition.names.items():
            slot = slots.get(name)
            if day != asked:  # all hours of a day have one answer
                asked = day
                answered = coverage.answered(day, *about) is not None or (
                    not (owner.parents.ad_product or bucket) and shelf.whole(day, whole)
                )
            if slot is None:
                if answered:
                    mine.add(day)
                continue
            mine.add(day)
            stamp, mark = coverage.shown(slot, day, *about)
            if mark is Mark.KEPT and day in coverage.gone:
                continue
            rows.append(
                StoredRow(
                    owner.entity_id,
                    *owner.parents,
                    slot.currency,
                    day,
                    int(name[1:]) % HOURS_A_DAY if name[0] == "h" else -1,
                    slot.numbers,
                    shelf.source,
                    stamp.as_of if stamp else None,
                    Mark.OVERRIDDEN if day in taken else mark,
                    slot.definition or (coverage.definitions.get(stamp, "") if stamp else ""),
                )
            )
        taken |= mine
    return sorted(rows, key=lambda row: (row.day, row.hour))
