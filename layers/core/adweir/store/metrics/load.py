"""Loads one pull into one partition: lease, read once, merge, changes file, items, coverage.

Wherever a load is stopped, coverage never claims more than what was written, and the same pull again converges.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from typing import BinaryIO, NamedTuple, Protocol

from adweir.model import limits
from adweir.model.errors import Throttled, Transient
from adweir.model.tasks import Pull
from adweir.model.times import Clock, local_date, parse_instant
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition, Raw
from adweir.store.metrics.coverage import COVERAGE, Coverage
from adweir.store.metrics.merge import Merged, Merger
from adweir.store.metrics.partitions import Table
from adweir.store.metrics.spool import WriteSpool
from adweir.store.metrics.vanish import Proposals, Vanishing

_TURNS = 16
"""Attempts at a busy partition before giving up, about 2.5 s in all: the load of a neighboring slice is usually done by
then, and going through the queue would take at least a second."""
_TURN_SECONDS = 0.15

_FEW = 500
"""A partial pull of at most this many entities reads only those instead of the whole partition."""


class PartitionLease(Protocol):
    """A held lease, as `store.ledger.leases` gives it."""

    @property
    def fence(self) -> int: ...
    def check(self) -> None: ...


class PartitionLeases(Protocol):
    """What hands out leases: the ledger."""

    def lease(self, name: str, seconds: float) -> AbstractContextManager[PartitionLease]: ...


class ChangesStore(Protocol):
    """Where changes files go: the raw store."""

    def put_once(
        self, key: str, body: bytes | BinaryIO, metadata: Mapping[str, str] | None = None, content_type: str = ""
    ) -> bool: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a partition is held, and the means to wait for one."""

    clock: Clock
    lease_seconds: float
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.Random)


@dataclass(slots=True)
class Counts:
    """What loading changed, over all partitions of a pull."""

    changed: int = 0
    unchanged: int = 0
    zeroed: int = 0
    changes_keys: list[str] = field(default_factory=list)


class Loaded(NamedTuple):
    """A stored bucket (None: there was none) and what the pull makes of it."""

    entity_id: str
    stored: Bucket | None
    merged: Merged


@dataclass(frozen=True, slots=True)
class Job:
    """One pull with its rows, to be stored."""

    pull: Pull
    rows: PullRows
    complete: bool
    entities: list[str]
    holes: Mapping[str, frozenset[str]]

    def goal(self, partition: Partition, coverage: Coverage) -> Coverage:
        """The partition's coverage once this pull is stored."""
        if not self.complete:
            return coverage
        empty: frozenset[str] = frozenset()
        return coverage.merged(self.pull.stamp, self.pull.slice, partition.days, lambda day: self.holes.get(day, empty))

    def walk(self, partition: Partition, coverage: Coverage, items: Iterable[Raw]) -> Iterator[Loaded]:
        """Stored buckets and brought entities side by side, in the table's order."""
        merger = Merger(self.pull, self.complete, partition, coverage, self.holes, self.rows.currency)
        rows, waiting = self.rows, iter(self.entities)
        entity = next(waiting, None)
        for item in items:
            entity_id = item["sk"]["S"]
            if entity_id.startswith(RESERVED):
                continue
            while entity is not None and entity < entity_id:
                yield Loaded(entity, None, merger.merge(entity, None, rows.slots(entity), rows.parents(entity)))
                entity = next(waiting, None)
            bucket = Bucket.decode(item)
            yield Loaded(
                entity_id, bucket, merger.merge(entity_id, bucket, rows.slots(entity_id), rows.parents(entity_id))
            )
            if entity == entity_id:
                entity = next(waiting, None)
        while entity is not None:
            yield Loaded(entity, None, merger.merge(entity, None, rows.slots(entity), rows.parents(entity)))
            entity = next(waiting, None)


class PartitionLoader:
    """Loads partitions one after another; never holds two leases."""

    def __init__(self, patience: Patience, table: Table, leases: PartitionLeases, changes: ChangesStore) -> None:
        self._patience = patience
        self._table = table
        self._leases = leases
        self._changes = changes

    def coverage(self, partition: Partition) -> Coverage:
        """A partition's coverage as it is now."""
        return Coverage.decode(self._table.get(partition.pk, COVERAGE))

    def load(
        self,
        job: Job,
        partition: Partition,
        changes_key: str,
        guard: tuple[Vanishing, Proposals] | None,
        counts: Counts,
    ) -> None:
        """Make this pull part of one partition.

        With `guard` the pull is held back here when it would zero too much. Raises Throttled (lease busy), MassVanish,
        Transient (lease lost), Unavailable.
        """
        with ExitStack() as stack:
            lease = self._take(stack, f"metrics#{partition.pk}")
            spool = stack.enter_context(WriteSpool())
            deadline = self._patience.clock.monotonic() + self._patience.lease_seconds
            coverage = self.coverage(partition)
            goal = job.goal(partition, coverage)
            if job.complete and goal.size > limits.MAX_COVERAGE_BYTES:
                job, goal = replace(job, complete=False), coverage
            self._decide(job, partition, coverage, spool, guard[0] if guard else None, counts)
            if guard and guard[0].too_much:
                guard[1].hold_back(guard[0])
            if not spool.writes and goal.days == coverage.days:
                return
            fence = coverage.fence
            if spool.writes:
                if job.complete:
                    marked = replace(coverage, loading=str(job.pull.stamp), fence=lease.fence)
                    self._table.put(marked.encode(partition.pk), fence=fence)
                    fence = lease.fence
                if spool.changes:
                    self._put_changes(job.pull, partition, changes_key, spool)
                    counts.changes_keys.append(changes_key)
                lease.check()
                self._table.write(self._in_time(spool.items(partition.pk), deadline))
            if job.complete:
                lease.check()
                done = replace(goal, loading="", fence=lease.fence)
                self._table.put(done.encode(partition.pk), fence=fence)

    def skip(self, pull: Pull, partition: Partition) -> None:
        """Mark the pull's slice as not applicable. Raises Throttled (lease busy), Transient (lost), Unavailable."""
        with ExitStack() as stack:
            lease = self._take(stack, f"metrics#{partition.pk}")
            coverage = self.coverage(partition)
            goal = coverage.skipped(pull.slice, partition.days)
            if goal.not_applicable != coverage.not_applicable:
                lease.check()
                self._table.put(replace(goal, fence=lease.fence).encode(partition.pk), fence=coverage.fence)

    def _take(self, stack: ExitStack, name: str) -> PartitionLease:
        """The partition's lease, held until the stack closes. Raises Throttled when it stays busy."""
        patience = self._patience
        for _ in range(_TURNS - 1):
            try:
                return stack.enter_context(self._leases.lease(name, patience.lease_seconds))
            except Throttled:
                patience.sleep(_TURN_SECONDS * patience.rng.uniform(0.5, 1.5))
        return stack.enter_context(self._leases.lease(name, patience.lease_seconds))

    def weigh(self, job: Job, partition: Partition, coverage: Coverage, vanishing: Vanishing) -> None:
        """Add to `vanishing` what the pull would zero here, without writing anything."""
        before = vanishing.settled_before
        items = self._table.query(partition.pk, consistent=False)
        for loaded in job.walk(partition, coverage, items):
            if loaded.stored:
                vanishing.add(partition, loaded.stored, loaded.merged, before)

    def _decide(
        self,
        job: Job,
        partition: Partition,
        coverage: Coverage,
        spool: WriteSpool,
        vanishing: Vanishing | None,
        counts: Counts,
    ) -> None:
        before = vanishing.settled_before if vanishing else ""
        as_of = local_date(parse_instant(job.pull.stamp.as_of), job.pull.timezone)
        for loaded in job.walk(partition, coverage, self._items(job, partition)):
            merged = loaded.merged
            if vanishing and loaded.stored:
                vanishing.add(partition, loaded.stored, merged, before)
            counts.unchanged += merged.unchanged
            if not merged.dirty:
                continue
            if merged.bucket:
                spool.put(merged.bucket)
            else:
                spool.remove(loaded.entity_id)
            for change in merged.changes:
                spool.change(loaded.entity_id, change, (as_of - date.fromisoformat(change.day)).days)
                counts.changed += 1
                counts.zeroed += change.new is None

    def _items(self, job: Job, partition: Partition) -> Iterable[Raw]:
        if job.complete or len(job.entities) > _FEW:
            return self._table.query(partition.pk, consistent=True)
        return self._table.get_many(partition.pk, job.entities, consistent=True)

    def _put_changes(self, pull: Pull, partition: Partition, key: str, spool: WriteSpool) -> None:
        about = {
            "platform": str(pull.platform),
            "profile": pull.profile_id,
            "account": pull.account_id,
            "level": pull.level.value,
            "grain": pull.grain.value,
            "source": pull.source.value,
            "slice": pull.slice,
            "window": str(pull.window),
            "as_of": pull.stamp.as_of,
            "partition": partition.suffix,
            "currency": pull.currency,
        }
        # Put once: after a crash the file of the first attempt stays, because its "old" is what was there before it.
        self._changes.put_once(key, spool.changes_file(), about, "application/gzip")

    def _in_time(self, items: Iterator[Raw], deadline: float) -> Iterator[Raw]:
        for item in items:
            if self._patience.clock.monotonic() >= deadline:
                raise Transient("the lease ran out while writing")
            yield item
