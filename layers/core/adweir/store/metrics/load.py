"""Loads one pull into one partition: lease, read once, merge, changes file, items, coverage.

Wherever a load is stopped, coverage never claims more than what was written, and the same pull again converges.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from math import inf
from typing import Protocol

import msgspec

from adweir.model import limits
from adweir.model.errors import NotReady, Throttled, Transient
from adweir.model.metrics import Mark, Series
from adweir.model.tasks import Cause, Pull
from adweir.model.times import Clock, local_date, parse_instant
from adweir.store.metrics import adjusted
from adweir.store.metrics.brought import NO_PARENTS, Parents
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition, Raw, ToWrite
from adweir.store.metrics.changes import ChangedSlot, ItemImage
from adweir.store.metrics.coverage import COVERAGE, Coverage, ListState, read_coverage
from adweir.store.metrics.job import Job
from adweir.store.metrics.journal import ChangesStore, Counts, Journal, Left, cause_of, header
from adweir.store.metrics.members import NewMembers
from adweir.store.metrics.merge import Merger, SlotChange
from adweir.store.metrics.partitions import ItemKey, Table
from adweir.store.metrics.spool import WriteSpool
from adweir.store.metrics.totals import DaySums, Total, read_totals
from adweir.store.metrics.vanish import Proposals, Vanishing

_TURNS = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Seconds between attempts at a busy partition before giving up: the load of a neighboring slice is usually done by
then, and going through the queue would take at least a second."""

_LOOK_SECONDS = 30
"""How long a lease that was taken, or looked at, counts as held without another look."""

_BETWEEN_LOOKS = 100
"""Entities that are merged between two looks at the time: about 10 ms."""

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


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a partition is held, and the means to wait for one."""

    clock: Clock
    lease_seconds: float
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.Random)


@dataclass(slots=True)
class _Turn:
    """One turn at a partition, under its lease: what it found, and what it will write."""

    pull: Pull
    series: Series
    partition: Partition
    lease: PartitionLease
    seen: float
    """When the lease was taken or last looked at, by the monotonic clock."""
    deadline: float
    spool: WriteSpool
    before: Raw | None
    coverage: Coverage
    left: list[Left]
    stored: Iterator[Raw]
    """The buckets that are read, in the table's order. Once."""
    reserved: dict[str, Raw]
    """The other items that were read, by key."""
    until: float = inf
    got_on: bool = False
    """Whether this invocation has stored something of the pull."""
    began: date = field(init=False)
    """The local day on which the pull began."""
    counts: Counts = field(default_factory=Counts)
    beside: list[Raw] = field(default_factory=list)
    """Items to write that are not buckets."""
    has_buckets: bool = False
    totals: dict[str, Total] | None = None
    """The account totals that decided about missing rows; None where there are none."""
    members: NewMembers | None = None
    """What the load adds to the lists of campaigns; None where it sees no entities."""

    def __post_init__(self) -> None:
        self.began = local_date(parse_instant(self.pull.stamp.as_of), self.pull.timezone)

    @property
    def writes(self) -> bool:
        """Whether any item changes, coverage apart."""
        return bool(self.spool.writes or self.beside)

    def adjust(self, job: Job, goal: Coverage, stored: dict[str, Raw]) -> Coverage:
        """Replace the adjustments of the days for which the pull answers. Returns the goal that names these days."""
        found = adjusted.adjust(job.pull, job.rows, self.partition.days, goal, stored)
        for day, entries in found.items():
            before = stored.get(adjusted.key(day))
            if entries != adjusted.decode(before):
                self.spool.line(ItemImage(adjusted.key(day), before))
                self.beside.append(adjusted.encode(self.partition.pk, day, entries))
        named = (goal.adjusted - found.keys()) | {day for day, entries in found.items() if entries}
        return replace(goal, adjusted=named)

    def items(self) -> Iterator[ToWrite]:
        """All items to write."""
        yield from self.spool.items(self.partition.pk)
        yield from self.beside

    def line(self, entity_id: str, parents: Parents, change: SlotChange, cause: Cause) -> None:
        """Note a change that readers see."""
        numbers = change.old != change.new or change.recounted
        self.counts.changed += numbers
        self.counts.zeroed += numbers and change.new is None
        self.spool.line(
            ChangedSlot(
                entity_id,
                change.day,
                None if change.hour < 0 else change.hour,
                change.old,
                change.new,
                (self.began - date.fromisoformat(change.day)).days,
                change.old_mark,
                change.new_mark,
                cause,
                *parents,
                "" if change.currency == self.pull.currency else change.currency,
            )
        )

    def settle(self, goal: Coverage, sums: DaySums, table: Table) -> Coverage:
        """Decide which missing rows are gone, and note the changes that waited for it. Returns the goal with both."""
        days = frozenset(self.partition.days)
        self.totals = read_totals(table, self.series, self.partition) if sums.days else None
        known = self.totals or {}
        gone = {day for day in sums.days if sums.gone(day, goal.newest_of_day(day), known.get(day))}
        for entity_id, parents, change in self.spool.waiting():
            if change.day in gone:
                change = msgspec.structs.replace(change, new=None, new_mark=Mark.NONE)  # noqa: PLW2901
            if change.seen:
                cause = Cause.TOTAL if change.was_missing else cause_of(self.pull, self.series)
                self.line(entity_id, parents, change, cause)
        return replace(goal, missing=(goal.missing - days) | sums.days, gone=(goal.gone - days) | gone)


class PartitionLoader:
    """Loads partitions one after another; never holds two leases."""

    def __init__(self, patience: Patience, table: Table, leases: PartitionLeases, changes: ChangesStore) -> None:
        self._patience = patience
        self._table = table
        self._leases = leases
        self._journal = Journal(changes, patience.clock)

    def coverage(self, parts: Sequence[Partition]) -> dict[str, Coverage]:
        """Partition key → its coverage as it is now."""
        found = read_coverage(self._table, parts)
        return {part.pk: found.get(part.pk) or Coverage() for part in parts}

    def recall(self, pull: Pull, partition: Partition, counts: Counts) -> None:
        """Count what an earlier load of the same pull has changed in a partition, of which it may have told nobody."""
        counts.add(_recalled(self._journal.left(pull, pull.series, partition)))

    def load(self, job: Job, partition: Partition, guard: tuple[Vanishing, Proposals] | None, counts: Counts) -> None:
        """Make this pull part of one partition.

        With `guard` the pull is held back here when it would zero too much. Raises Throttled (lease busy), MassVanish,
        NotReady (the job's time is up: the same load goes on where this one stopped), Transient (lease lost),
        Unavailable.
        """
        self.check_time(job)
        with ExitStack() as stack:
            turn = self._turn(stack, job.pull, job.pull.series, partition, lambda: self._items(job, partition))
            turn.until, turn.got_on = job.until, job.got_on
            coverage = turn.coverage
            goal = job.goal(partition, coverage)
            if job.complete and goal.size > limits.MAX_COVERAGE_BYTES:
                job, goal = replace(job, complete=False), coverage
            merger = job.merger(partition, coverage, goal)
            turn.members = NewMembers(turn.series, listing=coverage.listing)
            self._merge(turn, job, merger, turn.members, guard[0] if guard else None)
            if guard and guard[0].suspicious:
                guard[1].hold_back(guard[0])
            if merger.sums is not None:
                goal = turn.settle(goal, merger.sums, self._table)
            if job.complete:
                goal = turn.adjust(job, goal, turn.reserved)
            self._write(turn, goal)
            counts.add(turn.counts)
        if turn.totals and turn.totals != read_totals(self._table, turn.series, partition):
            # Totals that were loaded meanwhile saw the coverage as it was before, perhaps without missing rows.
            self.decide(job.pull, turn.series, partition, counts)

    def decide(self, pull: Pull, series: Series, partition: Partition, counts: Counts) -> None:
        """Decide again, after account totals were loaded, which missing rows of a finer level are gone.

        Raises Throttled, Transient, Unavailable.
        """
        with ExitStack() as stack:
            turn = self._turn(stack, pull, series, partition, lambda: self._table.query(partition.pk))
            coverage = turn.coverage
            names = {name: (key, day) for name, (key, day) in partition.names.items() if day in coverage.missing}
            turn.partition = replace(partition, names=names)
            sums = DaySums(turn.partition.days)
            for item in turn.stored:
                _weigh_stored(turn, Bucket.decode(item), sums)
            self._write(turn, turn.settle(coverage, sums, self._table))
            counts.add(turn.counts)

    def skip(self, pull: Pull, partition: Partition) -> None:
        """Mark the pull's slice as not applicable. Raises Throttled (lease busy), Transient (lost), Unavailable."""
        with ExitStack() as stack:
            only = [ItemKey(partition.pk, COVERAGE)]
            turn = self._turn(stack, pull, pull.series, partition, lambda: self._table.get_many(only))
            self._write(turn, turn.coverage.skipped(pull.slice, partition.days))

    def weigh(self, job: Job, partition: Partition, coverage: Coverage, vanishing: Vanishing) -> None:
        """Add to `vanishing` what the pull would zero here, without writing anything."""
        merger = job.merger(partition, coverage, job.goal(partition, coverage))
        for loaded in job.walk(merger, self._table.query(partition.pk)):
            if loaded.stored:
                vanishing.add(partition, loaded.stored, loaded.merged)

    def check_time(self, job: Job) -> None:
        """Raises NotReady when the job's time is up."""
        if self._patience.clock.monotonic() >= job.until:
            raise _goes_on()

    def _turn(
        self, stack: ExitStack, pull: Pull, series: Series, partition: Partition, read: Callable[[], Iterable[Raw]]
    ) -> _Turn:
        """Take the partition's lease, until the stack closes, and begin to read: what is not a bucket comes first."""
        lease = self._take(stack, f"metrics#{partition.pk}")
        taken = self._patience.clock.monotonic()
        deadline = taken + self._patience.lease_seconds
        spool = stack.enter_context(WriteSpool())
        items, reserved = iter(read()), dict[str, Raw]()
        for item in items:
            if not item["sk"]["S"].startswith(RESERVED):
                items = chain([item], items)
                break
            reserved[item["sk"]["S"]] = item
        before = reserved.get(COVERAGE)
        coverage = Coverage.decode(before)
        left = self._journal.left(pull, series, partition) if coverage.began(pull.stamp) else []
        spool.line(header(pull, series, partition, [file.key for file in left]))
        return _Turn(pull, series, partition, lease, taken, deadline, spool, before, coverage, left, items, reserved)

    def _take(self, stack: ExitStack, name: str) -> PartitionLease:
        """The partition's lease, held until the stack closes. Raises Throttled when it stays busy."""
        patience = self._patience
        for pause in _TURNS:
            try:
                return stack.enter_context(self._leases.lease(name, patience.lease_seconds))
            except Throttled:
                patience.sleep(pause * patience.rng.uniform(0.5, 1.5))
        return stack.enter_context(self._leases.lease(name, patience.lease_seconds))

    def _merge(self, turn: _Turn, job: Job, merger: Merger, members: NewMembers, vanishing: Vanishing | None) -> None:
        """Merge each bucket, and spool what will be written. Raises NotReady when the job's time is up."""
        cause = cause_of(turn.pull, turn.series)
        for number, loaded in enumerate(job.walk(merger, turn.stored), 1):
            if number % _BETWEEN_LOOKS == 0 and self._patience.clock.monotonic() >= turn.until:
                raise _goes_on(is_stuck=not turn.got_on)
            merged = loaded.merged
            turn.has_buckets |= loaded.item is not None
            members.note(loaded.stored, merged.bucket)
            if vanishing and loaded.stored:
                vanishing.add(turn.partition, loaded.stored, merged)
            turn.counts.unchanged += merged.unchanged
            if merged.dirty:
                turn.spool.line(ItemImage(loaded.entity_id, loaded.item))
                if merged.bucket:
                    turn.spool.put(merged.bucket)
                else:
                    turn.spool.remove(loaded.entity_id)
            owner = merged.bucket or loaded.stored
            parents = owner.parents if owner else NO_PARENTS
            for change in merged.changes:
                if change.missing:
                    turn.spool.wait(loaded.entity_id, parents, change)
                else:
                    turn.line(loaded.entity_id, parents, change, cause)

    def _items(self, job: Job, partition: Partition) -> Iterable[Raw]:
        """What the load has to see: all that is stored, until all of it is on lists, or what it brings itself."""
        if not (job.complete or job.pull.has_totals or len(job.entities) > _FEW):
            found = self._table.get_many(ItemKey(partition.pk, name) for name in (COVERAGE, *job.entities))
            if found and found[0]["sk"]["S"] == COVERAGE and "list" in found[0]:
                return found
        return self._table.query(partition.pk)

    def _write(self, turn: _Turn, goal: Coverage) -> None:
        """Write what the turn decided: the mark that it is being written, the changes file, lists of campaigns, items,
        then coverage.

        The mark is also what readers find the partition by. Mark and coverage each have a fence of their own and
        replace only what was read. So a loader whose lease ran out unnoticed, and the one that took it over, cannot
        both get through: whoever is second is refused.
        """
        pk, spool, fence = turn.partition.pk, turn.spool, turn.coverage.fence
        marking, done = 2 * turn.lease.fence, 2 * turn.lease.fence + 1
        loading, stopped = str(turn.pull.stamp), turn.coverage.overtaken(turn.pull.stamp)
        changed = goal.facts != turn.coverage.facts
        if not turn.writes and not changed and turn.coverage.loading != loading:
            turn.counts.add(_recalled(self._journal.left(turn.pull, turn.series, turn.partition)))
            if turn.before is None and turn.has_buckets:  # an earlier version wrote none for files and pushes
                self._table.put(replace(goal, fence=done).encode(pk), fence=fence)
            return
        listing = turn.members.listing if turn.members else turn.coverage.listing
        if turn.writes:
            before = listing if listing is ListState.ODD else turn.coverage.listing
            marked = replace(turn.coverage, loading=loading, stopped=stopped, fence=marking, listing=before)
            self._table.put(marked.encode(pk), fence=fence)
            fence = marking
        at = turn.coverage.at
        if turn.writes or changed:
            if changed:
                spool.line(ItemImage(COVERAGE, turn.before))
            load = (turn.pull, turn.series, turn.partition)
            at = self._journal.put(load, spool, turn.counts, newest=at, fence=turn.lease.fence)
        turn.counts.recall(turn.left)
        if turn.members and (lists := turn.members.items(self._table, pk)):
            self._table.write(self._in_time(turn, lists))
        if turn.writes:
            self._table.write(self._in_time(turn, turn.items()))
        goal = replace(goal, loading="", stopped=stopped, fence=done, at=at, listing=listing)
        self._table.put(goal.encode(pk), fence=fence)

    def _in_time(self, turn: _Turn, items: Iterable[ToWrite]) -> Iterator[ToWrite]:
        """Items to write, as long as there is time and the lease is ours."""
        for item in items:
            now = self._patience.clock.monotonic()
            if now >= turn.deadline:
                raise Transient("the lease ran out while writing")
            if now >= turn.seen + _LOOK_SECONDS:
                turn.lease.check()
                turn.seen = now
            if now >= turn.until:
                raise _goes_on(is_stuck=not turn.got_on)
            yield item
            turn.got_on = True


def _goes_on(*, is_stuck: bool = False) -> NotReady:
    """`is_stuck`: there was time to begin with a partition, but not to write any of it, nor anything before."""
    return NotReady("the load continues in another invocation", after=1, is_stuck=is_stuck)


def _weigh_stored(turn: _Turn, bucket: Bucket, sums: DaySums) -> None:
    """Add a stored bucket to the sums of its days, and let its missing slots wait for the verdict."""
    for name, (_, day) in turn.partition.names.items():
        slot = bucket.slots.get(name)
        if slot is None:
            continue
        _, mark = turn.coverage.shown(slot, day, turn.series.level, bucket.entity_id, bucket.parents)
        if mark is not Mark.KEPT:
            sums.add(day, slot.numbers)
            continue
        sums.miss(day, slot.numbers)
        old, old_mark = (None, Mark.NONE) if day in turn.coverage.gone else (slot.numbers, Mark.KEPT)
        change = SlotChange(
            day, -1, old, slot.numbers, old_mark, Mark.KEPT, missing=True, was_missing=True, currency=slot.currency
        )
        turn.spool.wait(bucket.entity_id, bucket.parents, change)


def _recalled(left: list[Left]) -> Counts:
    counts = Counts()
    counts.recall(left)
    return counts
