"""Reading metric buckets: one row per stored slot, each entity-day from the source that readers prefer."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby, islice
from typing import NamedTuple

from adweir.model.metrics import SOURCE_ORDER, Grain, Level, Mark, Series, Source
from adweir.model.tasks import Stamp
from adweir.model.times import Window
from adweir.store.metrics import adjusted
from adweir.store.metrics.adjusted import Adjustment
from adweir.store.metrics.adjusting import AdjustedEntity
from adweir.store.metrics.ahead import Asked
from adweir.store.metrics.brought import NO_PARENTS, Parents
from adweir.store.metrics.buckets import Bucket, Partition, partitions
from adweir.store.metrics.coverage import Coverage, read_coverage
from adweir.store.metrics.members import Only, chosen
from adweir.store.metrics.partitions import ItemKey, Readable
from adweir.store.metrics.shelves import Bundle, Bundles, Shelf, StoredRow, SummedRows, rows_of
from adweir.store.metrics.slots import StoredBucket

SlicesOf = Callable[[Series], Collection[str]]
"""The slices whose pulls together answer for everything of a series; the platform's spec names them."""

_KEPT_BUCKETS = 500
"""That a snapshot keeps: a month of a bucket takes up to 20 kB."""


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


class Reader:
    """Streams rows partition by partition, entity by entity; memory does not grow with the window.

    All reads are consistent: coverage from one replica and slots from another that lags would make a false zero.
    """

    def __init__(self, table: Readable, slices: SlicesOf, known: dict[str, Coverage | None] | None = None) -> None:
        self._table = table
        self._slices = slices
        self._known = known
        self._kept: dict[tuple[str, tuple[str, ...]], list[StoredBucket]] = {}
        self._room = _KEPT_BUCKETS

    def read(
        self,
        series: Series,
        window: Window,
        *,
        sources: Sequence[Source] = SOURCE_ORDER,
        only: Only | None = None,
        overridden: bool = False,
    ) -> Iterator[StoredRow]:
        """The stored rows of a window; see `MetricStore.read`."""
        months = self._months(series, window, sources)
        for shelves, streams in self._shelves(series, months, only):
            if len(shelves) > 1:
                yield from self._merged(series, shelves, streams, overridden=overridden)
                continue
            yield from _one_by_one(shelves[0], streams[0])

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
        """What `read` yields, of the days that `bundle` leaves; days are added up where they can be, hours are not. The
        order of an entity's rows is another."""
        months = self._months(series, window, sources, bundle)
        for shelves, streams in self._shelves(series, months, only, bundle):
            if len(shelves) > 1:
                yield from self._merged(series, shelves, streams, overridden=overridden)
                continue
            if series.grain is Grain.HOUR:
                yield from _one_by_one(shelves[0], streams[0])
                continue
            bundles = Bundles(shelves[0], bundle)
            for bucket in streams[0]:
                yield from bundles.sums(bucket)

    def snapshot(self) -> Reader:
        """A reader for one question, or several: each coverage is read once, and each partition of few buckets, which
        levels are compared with or answered from. Its own snapshot is itself."""
        return Reader(self._table, self._slices, {}) if self._known is None else self

    def foresee(self, series: Iterable[Series], window: Window, sources: Sequence[Source] = SOURCE_ORDER) -> None:
        """Read, with few requests, what a snapshot will look up of these series: their coverage of all sources."""
        if self._known is not None:
            self._coverage(part for each in series for source in sources for part in partitions(each, source, window))

    def _merged(
        self, series: Series, shelves: Sequence[Shelf], streams: Sequence[Iterator[StoredBucket]], *, overridden: bool
    ) -> Iterator[StoredRow]:
        whole = self._slices(series)
        merged = heapq.merge(*map(_ranked, shelves, streams), key=lambda pair: (pair[1].entity_id, pair[0]))
        for _, copied in groupby(merged, key=lambda pair: pair[1].entity_id):
            found = rows_of(dict(copied), shelves, whole)
            yield from found if overridden else (row for row in found if row.mark is not Mark.OVERRIDDEN)

    def _months(
        self, series: Series, window: Window, sources: Sequence[Source], bundle: Bundle | None = None
    ) -> list[list[tuple[Source, Partition]]]:
        """The partitions of each month (of each day, for hours) of which any day is read, by source."""
        copies = [
            [(source, each) for each in partitions(series, source, window) if _is_read(each, bundle)]
            for source in sources
        ]
        return [list(same) for same in zip(*copies, strict=True)]

    def _shelves(
        self,
        series: Series,
        months: Sequence[Sequence[tuple[Source, Partition]]],
        only: Only | None,
        bundle: Bundle | None = None,
    ) -> Iterator[tuple[list[Shelf], list[Iterator[StoredBucket]]]]:
        """The copies of each month that something was loaded into, and their buckets."""
        known = self._coverage(part for month in months for _, part in month)
        stored = [[(source, _of_days(part, bundle)) for source, part in month if part.pk in known] for month in months]
        listings = [[(part, known[part.pk].listing) for _, part in month] for month in stored]
        keys = chosen(self._table, series, listings, only)
        asked = [
            Asked(part.pk, series.grain, part.names, of_month)
            for month, of_month in zip(stored, keys, strict=True)
            for _, part in month
        ]
        streams = self._buckets(asked)
        for month in stored:
            if month:
                shelves = [
                    Shelf(rank, source, part, known[part.pk], series.level) for rank, (source, part) in enumerate(month)
                ]
                yield shelves, list(islice(streams, len(shelves)))

    def _buckets(self, asked: Sequence[Asked]) -> Iterator[Iterator[StoredBucket]]:
        """The buckets of each partition; a snapshot keeps the first that it reads, and reads them once."""
        if self._known is None:
            return self._table.buckets(asked)
        known = [self._kept.get(_named(each)) if each.keys is None else None for each in asked]
        return self._remembered(list(zip(asked, known, strict=True)))

    def _remembered(self, asked: Sequence[tuple[Asked, list[StoredBucket] | None]]) -> Iterator[Iterator[StoredBucket]]:
        fresh = self._table.buckets([each for each, known in asked if known is None])
        for each, known in asked:
            yield self._noted(each, next(fresh)) if known is None else iter(known)

    def _noted(self, asked: Asked, found: Iterator[StoredBucket]) -> Iterator[StoredBucket]:
        """The buckets, which are kept once all of them were read and are few enough."""
        read: list[StoredBucket] = []
        for bucket in found:
            if len(read) <= _KEPT_BUCKETS:
                read.append(bucket)
            yield bucket
        if asked.keys is None and len(read) <= self._room:
            self._room -= len(read)
            self._kept[_named(asked)] = read

    def days(self, series: Series, window: Window) -> dict[date, DayState]:
        """What coverage says about each day; days of which it says nothing are left out."""
        found: dict[date, DayState] = {}
        months = list(partitions(series, Source.PULL, window))
        begun = self._coverage(months)
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
        begun = self._coverage(months)
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

    def _coverage(self, parts: Iterable[Partition]) -> dict[str, Coverage]:
        """`read_coverage`, of what this reader has not read before where it keeps it."""
        asked = list(parts)
        if self._known is None:
            return read_coverage(self._table, asked)
        known = self._known
        fresh = [part for part in asked if part.pk not in known]
        if fresh:
            found = read_coverage(self._table, fresh)
            known.update((part.pk, found.get(part.pk)) for part in fresh)
        return {part.pk: coverage for part in asked if (coverage := known[part.pk]) is not None}


def _named(asked: Asked) -> tuple[str, tuple[str, ...]]:
    """What tells questions about whole partitions apart."""
    return asked.pk, tuple(asked.names)


def _is_read(partition: Partition, bundle: Bundle | None) -> bool:
    return bundle is None or any(bundle(day) is not None for _, day in partition.names.values())


def _of_days(partition: Partition, bundle: Bundle | None) -> Partition:
    """The days of a partition that are read."""
    if bundle is None:
        return partition
    names = {name: at for name, at in partition.names.items() if bundle(at[1]) is not None}
    return replace(partition, names=names)


def _one_by_one(shelf: Shelf, buckets: Iterable[StoredBucket]) -> Iterator[StoredRow]:
    for bucket in buckets:
        found = shelf.rows(bucket, shelf.slots(bucket))
        yield from sorted(found, key=_time)  # the two passes of an hour that comes twice are side by side


def _ranked(shelf: Shelf, buckets: Iterable[StoredBucket]) -> Iterator[tuple[int, StoredBucket]]:
    return ((shelf.rank, bucket) for bucket in buckets)


def _time(row: StoredRow) -> tuple[str, int]:
    return row.day, row.hour
