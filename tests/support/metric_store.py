"""A metric store on plain dictionaries, with faults on demand, and the model of what it should hold."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, BinaryIO

from msgspec import json

from adweir.model.errors import Throttled, Transient
from adweir.model.metrics import Grain, Level, Mark, MetricRow, Series, Slot, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Cause, Pull, Stamp
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import LISTS, Raw, ToWrite
from adweir.store.metrics.journal import ChangesStore
from adweir.store.metrics.load import PartitionLeases
from adweir.store.metrics.partitions import ItemKey, Table
from adweir.store.metrics.store import MetricStore, Patience, StoredRow
from adweir.store.raw.store import ObjectInfo
from support.clock import FrozenClock
from support.crash import Crash, Killed

VOLATILE = frozenset({"fence", "at", "list", "stopped"})
"""Attributes of coverage that differ with the order of loads."""


@dataclass
class FakeTable(Table):
    """A table in memory, with small batches: each is a write at which a worker can die."""

    crash: Crash = field(default_factory=Crash)
    items: dict[tuple[str, str], Raw] = field(default_factory=dict)
    read_units: float = 0.0
    write_units: float = 0.0
    batch: int = 2

    def get(self, pk: str, sk: str) -> Raw | None:
        item = self.items.get((pk, sk))
        return None if item is None else _copied(item)

    def get_many(self, keys: Iterable[ItemKey]) -> list[Raw]:
        return [_copied(self.items[key]) for key in sorted(set(keys)) if key in self.items]

    def query(self, pk: str) -> Iterator[Raw]:
        yield from self._of(pk, lists=False)

    def lists(self, pk: str) -> Iterator[Raw]:
        yield from self._of(pk, lists=True)

    def _of(self, pk: str, *, lists: bool) -> Iterator[Raw]:
        for key in sorted(self.items):
            if key[0] == pk and key[1].startswith(LISTS) == lists and key in self.items:  # others may delete it
                yield _copied(self.items[key])

    def write(self, items: Iterable[ToWrite]) -> None:
        waiting = map(_copied, items)
        while batch := list(islice(waiting, self.batch)):
            self.crash.around(self._write)(batch)

    def put(self, item: Raw, *, fence: int | None) -> None:
        if fence is not None:
            stored = self.items.get(_key(item))
            if int(stored["fence"]["N"] if stored else 0) not in {fence, int(item["fence"]["N"])}:
                raise Transient("another loader took over")
        self.crash.around(self._write)([item])

    def delete(self, pk: str, sk: str) -> None:
        self.crash.around(self._write)([{"pk": {"S": pk}, "sk": {"S": sk}}])

    def _write(self, items: list[Raw]) -> None:
        """Put items; an item that is only a key is deleted."""
        for item in items:
            if len(item) > 2:
                self.items[_key(item)] = _copied(item)
            else:
                self.items.pop(_key(item), None)
            self.write_units += 1

    def state(self) -> dict[tuple[str, str], Raw]:
        """Everything stored, without what depends on the order: fencing tokens, times of changes files, lists."""
        kept = {key: item for key, item in self.items.items() if not key[1].startswith(LISTS)}
        return {key: {n: v for n, v in item.items() if n not in VOLATILE} for key, item in kept.items()}


def _copied(item: ToWrite) -> Raw:
    """A copy as DynamoDB makes one, through JSON; three times faster than copy.deepcopy."""
    copied: Raw = json.decode(json.encode(item))
    return copied


def _key(item: Raw) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


@dataclass
class FakeLease:
    leases: FakeLeases
    name: str
    fence: int

    def check(self) -> None:
        if self.leases.held.get(self.name) != self.fence:
            raise Transient("the lease was lost")


@dataclass
class FakeLeases(PartitionLeases):
    """One holder per name; fencing tokens only grow. A killed worker's lease stays until `expire`."""

    held: dict[str, int] = field(default_factory=dict)
    fences: int = 0

    @contextmanager
    def lease(self, name: str, seconds: float) -> Iterator[FakeLease]:
        if name in self.held:
            raise Throttled("busy", retry_after=1)
        self.fences += 1
        lease = FakeLease(self, name, self.fences)
        self.held[name] = lease.fence
        try:
            yield lease
        except Killed:
            raise
        except BaseException:
            self._release(lease)
            raise
        self._release(lease)

    def expire(self) -> None:
        self.held.clear()

    def _release(self, lease: FakeLease) -> None:
        if self.held.get(lease.name) == lease.fence:
            del self.held[lease.name]


@dataclass
class FakeObjects(ChangesStore):
    """`put_once` and what finds it again, of the raw store."""

    crash: Crash = field(default_factory=Crash)
    objects: dict[str, bytes] = field(default_factory=dict)
    about: dict[str, dict[str, str]] = field(default_factory=dict)

    def put_once(
        self, key: str, body: bytes | BinaryIO, metadata: Mapping[str, str] | None = None, content_type: str = ""
    ) -> bool:
        if key in self.objects:
            return False
        data = body if isinstance(body, bytes) else body.read()
        self.about[key] = dict(metadata or {})
        self.crash.around(self.objects.__setitem__)(key, data)
        return True

    def list(self, prefix: str, start_after: str = "") -> Iterator[ObjectInfo]:
        for key in sorted(self.objects):
            if key.startswith(prefix) and key > start_after:
                yield ObjectInfo(key, len(self.objects[key]), FrozenClock().now())

    def folders(self, prefix: str) -> Iterator[str]:
        below = (key[len(prefix) :] for key in sorted(self.objects) if key.startswith(prefix))
        yield from dict.fromkeys(name.partition("/")[0] for name in below if "/" in name)

    def metadata(self, key: str) -> dict[str, str]:
        return self.about[key]

    def open_stream(self, key: str) -> BinaryIO:
        return io.BytesIO(self.objects[key])


class StoreWorld:
    """A store with its fakes."""

    def __init__(self, table: FakeTable | None = None) -> None:
        self.crash = Crash()
        self.table = table or FakeTable()
        self.table.crash = self.crash
        self.leases = FakeLeases()
        self.objects = FakeObjects(self.crash)
        self.clock = FrozenClock()
        self.store = MetricStore(
            Patience(self.clock, 60, lambda _: None),
            self.leases,
            self.objects,
            table=self.table,
            slices=REGISTRY.slices,
        )

    def rows(self, day: str) -> list[StoredRow]:
        window = Window(date.fromisoformat(day), date.fromisoformat(day))
        return list(self.store.read(Series(Platform("amazon_ads"), "p1", Level.AD, Grain.DAY), window))

    def load(self, brought: Brought, *, accept_vanish: bool = True, is_new: bool = False) -> Any:
        return self.store.load(brought.pull, brought.rows(), accept_vanish=accept_vanish, is_new=is_new)

    def load_meeting(self, pulls: Sequence[Brought], rng: random.Random) -> list[Brought]:
        """Load each of the pulls; in the middle of its writes it meets another of them. Returns those found busy."""
        refused: list[Brought] = []

        def intrude() -> None:
            other, self.crash.on_write = rng.choice(pulls), None
            try:
                self.load(other)
            except Throttled:
                refused.append(other)
            self.crash.on_write = intrude

        self.crash.on_write = intrude
        for pull in pulls:
            self.load(pull)
        self.crash.on_write = None
        return refused


PARENTS = {
    "a1": ("c1", "sp"),
    "a2": ("c1", "sp"),
    "b1": ("c2", "sb"),
    "b2": ("c2", "sd"),
}
"""Entities of the property tests: their campaign and ad product."""


@dataclass(frozen=True)
class Brought:
    """A pull and what it brought, as data. `values` (entity, day[, hour]) → spend; `bad` quarantined (entity, day)."""

    number: int
    window: tuple[str, str]
    values: Mapping[tuple[str, str], int]
    bad: frozenset[tuple[str, str]] = frozenset()
    slice: str = "all"
    complete: bool = True
    source: Source = Source.PULL
    as_of: str = ""
    level: Level = Level.AD
    has_totals: bool = False
    load: int = 0
    cause: Cause = Cause.PULL
    definition: str = ""
    currency: str = "EUR"

    @property
    def stamp(self) -> Stamp:
        as_of = self.as_of or f"2026-11-20T{self.number // 2:02d}:00:00.000000Z"
        return Stamp(as_of, f"task{self.number:04d}", self.load)

    @property
    def pull(self) -> Pull:
        return Pull(
            platform=Platform("amazon_ads"),
            profile_id="p1",
            level=self.level,
            grain=Grain.DAY,
            source=self.source,
            slice=self.slice,
            window=Window(date.fromisoformat(self.window[0]), date.fromisoformat(self.window[1])),
            stamp=self.stamp,
            complete=self.complete,
            currency=self.currency,
            timezone="UTC",
            has_totals=self.has_totals,
            cause=self.cause,
            definition=self.definition,
        )

    def inside(self, entity: str) -> bool:
        campaign, product = PARENTS[entity]
        return self.slice in {"all", product, f"campaign={campaign}"}

    def rows(self) -> PullRows:
        rows = PullRows()
        for (entity, day), spend in self.values.items():
            campaign, product = PARENTS.get(entity, ("c9", "sp"))
            rows.offer(
                MetricRow(
                    entity,
                    day,
                    spend * 3,
                    spend,
                    0,
                    spend,
                    -spend,
                    campaign_id=campaign,
                    ad_product=product,
                    currency=self.currency,
                )
            )
        for entity, day in self.bad:
            rows.quarantined(entity, day)
            rows.adjusting.quarantine(day, (entity, "", "", "", self.currency), numbers(7))
        return rows


def numbers(spend: int) -> Slot:
    """The slot that a row of `Brought` has."""
    return (spend * 3, spend, 0, spend, -spend)


def expected(loads: Iterable[Brought]) -> dict[tuple[str, str], Slot]:
    """The model: each (entity, day) is decided by the newest load that answers for it."""
    winners: dict[tuple[str, str], tuple[Stamp, int | None]] = {}
    for load in loads:
        days = [day.isoformat() for day in load.pull.window.days()]
        for entity in PARENTS:
            for day in days:
                key = (entity, day)
                spend = load.values.get(key)
                answers = spend is not None or (load.complete and load.inside(entity) and key not in load.bad)
                if answers and (key not in winners or load.stamp > winners[key][0]):
                    winners[key] = (load.stamp, spend)
    return {key: numbers(spend) for key, (_, spend) in winners.items() if spend is not None}


def expected_with_totals(loads: Sequence[Brought]) -> dict[tuple[str, str], tuple[Slot, Mark]]:
    """The model where account totals decide: the newest load that *brought* an entity and day has its numbers; those
    that the newest complete one lacks are missing, and gone together where the newest total does without them."""
    ads = [load for load in loads if load.level is Level.AD]
    totals = [load for load in loads if load.level is Level.ACCOUNT]
    days = sorted({day.isoformat() for load in loads for day in load.pull.window.days()})
    found: dict[tuple[str, str], tuple[Slot, Mark]] = {}
    for day in days:
        rows, missing = _rows_of(ads, day)
        newest = max((load.stamp for load in ads if load.complete and _has(load, day)), default=None)
        total = max((load for load in totals if _has(load, day)), key=lambda load: load.stamp, default=None)
        gone = False
        if total is not None and newest is not None and total.stamp >= newest:
            rest = total.values.get(("p1", day), 0) - sum(spend for spend, _ in rows.values())
            gone = abs(rest) <= abs(rest - sum(missing.values()))
        for entity, (spend, mark) in rows.items():
            found[entity, day] = (numbers(spend), mark)
        if not gone:
            found |= {(entity, day): (numbers(spend), Mark.KEPT) for entity, spend in missing.items()}
    return found


def _has(load: Brought, day: str) -> bool:
    return load.window[0] <= day <= load.window[1]


def _rows_of(ads: Sequence[Brought], day: str) -> tuple[dict[str, tuple[int, Mark]], dict[str, int]]:
    """The rows of a day that count, and the missing ones: entity → spend."""
    rows: dict[str, tuple[int, Mark]] = {}
    missing: dict[str, int] = {}
    for entity in PARENTS:
        brought = [load for load in ads if (entity, day) in load.values]
        answers = [load for load in ads if load.complete and load.inside(entity) and _has(load, day)]
        if not brought:
            continue
        best = max(brought, key=lambda load: load.stamp)
        last = max(answers, key=lambda load: load.stamp, default=None)
        spend = best.values[entity, day]
        if last is not None and (entity, day) in last.bad:
            rows[entity] = (spend, Mark.HELD)
        elif last is not None and last.stamp > best.stamp:
            missing[entity] = spend
        else:
            rows[entity] = (spend, Mark.NONE)
    return rows, missing


def seen(store: MetricStore, start: str, end: str) -> dict[tuple[str, str], tuple[Slot, Mark]]:
    """What the store reads back of its pulls, with marks."""
    window = Window(date.fromisoformat(start), date.fromisoformat(end))
    rows = store.read(Series(Platform("amazon_ads"), "p1", Level.AD, Grain.DAY), window, sources=(Source.PULL,))
    return {(row.entity_id, row.day): (row.slot, row.mark) for row in rows}


def stored(store: MetricStore, start: str, end: str) -> dict[tuple[str, str], Slot]:
    """What the store reads back of its pulls."""
    window = Window(date.fromisoformat(start), date.fromisoformat(end))
    rows = store.read(Series(Platform("amazon_ads"), "p1", Level.AD, Grain.DAY), window, sources=(Source.PULL,))
    return {(row.entity_id, row.day): row.slot for row in rows}
