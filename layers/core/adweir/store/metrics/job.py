"""One pull with its rows, side by side with what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from math import inf
from typing import NamedTuple

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.metrics import Grain, Source
from adweir.model.tasks import Pull
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition, Raw, can_be_key
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.merge import Merged, Merger
from adweir.store.metrics.totals import DaySums

_TOGETHER = 100
"""Entities whose slots are read together."""


class Loaded(NamedTuple):
    """A stored item (None: there was none), its bucket, and what the pull makes of it."""

    entity_id: str
    item: Raw | None
    stored: Bucket | None
    merged: Merged


@dataclass(frozen=True, slots=True)
class Job:
    """One pull with its rows, to be stored. `complete` may be false though the pull's own flag is true.

    `got_on`: this invocation has stored a partition of it.
    """

    pull: Pull
    rows: PullRows
    complete: bool
    entities: list[str]
    holes: Mapping[str, frozenset[str]]
    until: float = inf
    got_on: bool = False

    @classmethod
    def of(cls, pull: Pull, rows: PullRows, until: float = inf) -> Job:
        """`until`: when to stop, by the monotonic clock.

        Raises BadInput for a row outside the pull's window, or an entity id that cannot be a key.
        """
        days = rows.days()
        first, last = pull.window.start.isoformat(), pull.window.end.isoformat()
        if days and not first <= min(days) <= max(days) <= last:
            raise BadInput(f"rows from {min(days)} to {max(days)} in a pull of {pull.window}")
        entities = rows.entities()
        holes = {day: rows.holes(day) for day in days}
        for entity_id in entities:
            if not can_be_key(entity_id):
                raise BadInput(f"not an entity id: {entity_id[:40]!r}")
        bad = rows.incomplete or sum(map(len, holes.values())) > limits.MAX_HOLES
        partial = pull.source is not Source.PULL or bad
        return cls(pull, rows, pull.complete and not partial, entities, holes, until)

    def goal(self, partition: Partition, coverage: Coverage) -> Coverage:
        """The partition's coverage once this pull is stored."""
        if not self.complete:
            return coverage
        empty: frozenset[str] = frozenset()
        pull = self.pull
        return coverage.merged(
            pull.stamp, pull.slice, partition.days, lambda day: self.holes.get(day, empty), pull.definition
        )

    def concerns(self, partition: Partition, coverage: Coverage | None) -> bool:
        """Whether the pull can change a partition; `coverage` of a complete pull as it was seen without a lease."""
        brings = not self.rows.days().isdisjoint(partition.days)
        if not self.complete or coverage is None:
            return brings
        if self.goal(partition, coverage).days != coverage.days:
            return True
        # An older pull brings back what newer ones do not bring any more: account totals decide what is gone. And of an
        # entity that is held in both, it may bring the hours that the newer one could not store.
        pull = self.pull
        may_add = pull.has_totals or (pull.grain is Grain.HOUR and any(map(self.holes.get, partition.days)))
        return may_add and brings and not coverage.is_answer(pull.stamp, pull.slice, partition.days)

    def merger(self, partition: Partition, coverage: Coverage, goal: Coverage) -> Merger:
        """What merges the pull into the partition's buckets."""
        sums = DaySums(partition.days) if self.pull.has_totals else None
        return Merger(self.pull, self.complete, partition, coverage, goal, self.holes, self.rows.currency, sums)

    def walk(self, merger: Merger, items: Iterable[Raw]) -> Iterator[Loaded]:
        """Stored buckets and brought entities side by side, in the table's order. Other items are left out."""
        parents, waiting = self.rows.parents, iter(self.entities)
        slots = self.rows.reader(key for key, _ in merger.partition.names.values())
        entity = next(waiting, None)
        for item in items:
            entity_id = item["sk"]["S"]
            if entity_id.startswith(RESERVED):
                continue
            while entity is not None and entity < entity_id:
                yield Loaded(entity, None, None, merger.merge(entity, None, slots(entity), parents(entity)))
                entity = next(waiting, None)
            bucket = Bucket.decode(item)
            merged = merger.merge(entity_id, bucket, slots(entity_id), parents(entity_id))
            yield Loaded(entity_id, item, bucket, merged)
            if entity == entity_id:
                entity = next(waiting, None)
        if entity is not None:
            yield from self._unstored(merger, chain([entity], waiting))

    def _unstored(self, merger: Merger, entities: Iterator[str]) -> Iterator[Loaded]:
        """Those that come after all that is stored: in a first load, all."""
        slots = self.rows.many(key for key, _ in merger.partition.names.values())
        while chunk := list(islice(entities, _TOGETHER)):
            for entity, (keys, numbers) in zip(chunk, slots(chunk), strict=True):
                yield Loaded(entity, None, None, merger.first(entity, keys, numbers, self.rows.parents(entity)))
