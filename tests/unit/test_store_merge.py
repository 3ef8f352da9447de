"""Merging pulls into an entity's bucket, against a model that decides each slot anew from all pulls so far."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.metrics import Grain, Level, Mark, Slot, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.brought import NO_PARENTS, Parents
from adweir.store.metrics.buckets import Bucket, Partition, StoredSlot, partitions
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.merge import Merged, Merger, SlotChange
from adweir.store.metrics.totals import DaySums

ADS = {"a1": Parents("c1", "g1", "sp"), "a2": Parents("c1", "g1", "sb"), "b1": Parents("c2", "g2", "sp")}
SLICES = ("all", "all", "sp", "campaign=c1", "campaign=c2")
MONTH = ("2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03")
"""Days of pulls. The partition is November's, or of hours that of its first day."""
HOURS = ("T01", "T02", "T26")
VALUES: tuple[Slot, ...] = ((3, 1, 0, 1, -1), (6, 2, 0, 2, -2), (6, None, 0, 2, None))


@dataclass(frozen=True)
class Load:
    """A pull and what it brought: (entity, slot key) → numbers, and the quarantined (entity, day)."""

    number: int
    days: tuple[str, ...]
    grain: Grain = Grain.DAY
    slice: str = "all"
    complete: bool = True
    values: Mapping[tuple[str, str], Slot] = field(default_factory=dict)
    bad: frozenset[tuple[str, str]] = frozenset()
    currency: str = "EUR"
    definition: str = ""
    level: Level = Level.AD

    @property
    def stamp(self) -> Stamp:
        return Stamp(f"2026-11-20T{self.number:02d}:00:00.000000Z", f"t{self.number}")

    @property
    def pull(self) -> Pull:
        window = Window(date.fromisoformat(self.days[0]), date.fromisoformat(self.days[-1]))
        return Pull(
            Platform("amazon_ads"),
            "p1",
            self.level,
            self.grain,
            Source.PULL,
            self.slice,
            window,
            self.stamp,
            self.complete,
            definition=self.definition,
        )

    def partition(self) -> Partition | None:
        """The part of the pull that falls into the partition."""
        suffix = "2026-11" if self.grain is Grain.DAY else "2026-11-01"
        found = (part for part in partitions(self.pull.series, Source.PULL, self.pull.window) if part.suffix == suffix)
        return next(found, None)

    def holes(self, day: str) -> frozenset[str]:
        return frozenset(entity for entity, bad_day in self.bad if bad_day == day)

    def of(self, entity: str) -> dict[str, Slot]:
        return {key: slot for (one, key), slot in self.values.items() if one == entity}

    def covers(self, entity: str, day: str) -> bool:
        """Whether it is complete, and about the entity and day."""
        campaign, _, product = ADS[entity]
        return self.complete and day in self.days and self.slice in {"all", product, f"campaign={campaign}"}

    def answers(self, entity: str, key: str) -> bool:
        day = key[:10]
        return (entity, key) in self.values or (self.covers(entity, day) and (entity, day) not in self.bad)


class Shown(NamedTuple):
    """A slot as readers are to see it, and the load that it is from."""

    numbers: Slot
    mark: Mark
    load: Load


def shown(loads: Sequence[Load], entity: str, key: str, *, totals: bool) -> Shown | None:
    """The model: the newest load that answers decides; with account totals the newest that brought the slot."""
    day = key[:10]
    answers = [one for one in loads if one.answers(entity, key) and (not totals or (entity, key) in one.values)]
    if not answers:
        return None
    best = max(answers, key=lambda one: one.number)
    if (entity, key) not in best.values:
        return None
    last = max((one for one in loads if one.covers(entity, day)), key=lambda one: one.number, default=best)
    mark = Mark.NONE
    if last.number != best.number and (entity, day) in last.bad:
        mark = Mark.HELD
    elif last.number > best.number:
        mark = Mark.KEPT
    return Shown(best.values[entity, key], mark, best)


class Counted(DaySums):
    """Remembers what it was told."""

    def __init__(self, days: Sequence[str]) -> None:
        super().__init__(days)
        self.told: Counter[tuple[str, Slot, bool]] = Counter()

    def add(self, day: str, slot: Slot) -> None:
        self.told[day, slot, False] += 1

    def miss(self, day: str, slot: Slot) -> None:
        self.told[day, slot, True] += 1


class Merging:
    """One partition in memory, and the loads so far. With `totals` a random part of the days' missing rows is gone."""

    def __init__(self, rng: random.Random, *, totals: bool) -> None:
        self.rng = rng
        self.totals = totals
        self.coverage = Coverage()
        self.buckets: dict[str, Bucket] = {}
        self.loads: list[Load] = []

    def load(self, load: Load) -> None:
        """Merge a load, and compare what comes of it with the model."""
        partition = load.partition()
        if partition is None:
            return
        before, after = self.loads, [*self.loads, load]
        goal = self.coverage
        if load.complete:
            goal = goal.merged(load.stamp, load.slice, partition.days, load.holes, load.definition)
        holes = {day: load.holes(day) for day in load.days if load.holes(day)}
        sums = Counted(partition.days) if self.totals else None
        merger = Merger(load.pull, load.complete, partition, self.coverage, goal, holes, load.currency, sums)
        keys = [key for key, _ in partition.names.values()]
        for entity, parents in ADS.items():
            stored = self.buckets.pop(entity, None)
            was, brought = deepcopy(stored), load.of(entity)
            claims = parents if brought else NO_PARENTS
            if stored is None and self.rng.random() < 0.5:
                first = tuple(key for key in keys if key in brought)
                merged = merger.first(entity, first, [brought[key] for key in first], claims)
            else:
                merged = merger.merge(entity, stored, brought, claims)
            changes = self.expected(entity, partition, before, after)
            found = [merged.changes[place] for place in range(len(merged.changes))]
            assert sorted(found, key=lambda one: (one.day, one.hour)) == changes
            assert merged.unchanged == sum(key in keys for key in brought) - sum(
                (f"{one.day}T{one.hour:02d}" if one.hour >= 0 else one.day) in brought for one in changes
            )
            assert merged.dirty is (merged.bucket != was)
            assert stored == was, "what was stored is compared with what comes of it"
            if merged.bucket is not None:
                self.buckets[entity] = merged.bucket
        if sums is not None:
            assert sums.told == self.sums(after, keys)
            missing = goal.missing - set(partition.days) | {day for day, _, missed in sums.told if missed}
            gone = frozenset(day for day in sorted(missing) if self.rng.random() < 0.5)
            goal = replace(goal, missing=missing, gone=gone)
        self.coverage, self.loads = goal, after
        self.check(load.grain)

    def expected(
        self, entity: str, partition: Partition, before: Sequence[Load], after: Sequence[Load]
    ) -> list[SlotChange]:
        """The changes that a load is to bring in the slots of its window."""
        found = []
        for name, (key, day) in partition.names.items():
            old, new = (shown(loads, entity, key, totals=self.totals) for loads in (before, after))
            missing, was_missing = (one is not None and one.mark is Mark.KEPT for one in (new, old))
            gone = was_missing and day in self.coverage.gone
            counted = new or old
            change = SlotChange(
                day,
                int(name[1:]) if name[0] == "h" else -1,
                old.numbers if old and not gone else None,
                new.numbers if new else None,
                old.mark if old and not gone else Mark.NONE,
                new.mark if new else Mark.NONE,
                missing,
                was_missing,
                bool(old and new and old.load.currency != new.load.currency),
                counted.load.currency if counted else "",
            )
            if missing or change.seen:
                found.append(change)
        return sorted(found, key=lambda one: (one.day, one.hour))

    def sums(self, loads: Sequence[Load], keys: Sequence[str]) -> Counter[tuple[str, Slot, bool]]:
        """The slots of a load's window with what they count for."""
        found = [(key, shown(loads, entity, key, totals=True)) for entity in ADS for key in keys]
        return Counter((key[:10], one.numbers, one.mark is Mark.KEPT) for key, one in found if one is not None)

    def check(self, grain: Grain) -> None:
        """Every slot is stored as the model has it, and names its pull only where coverage does not."""
        for entity, parents in ADS.items():
            bucket = self.buckets.get(entity, Bucket(entity, parents))
            assert bucket.parents == parents
            found = {}
            for name, slot in bucket.slots.items():
                key = f"2026-11-{name[1:]}" if grain is Grain.DAY else f"2026-11-01T{name[1:]}"
                found[key] = slot
                stamp, mark = self.coverage.shown(slot, key[:10], Level.AD, entity, parents)
                model = shown(self.loads, entity, key, totals=self.totals)
                assert model is not None
                assert (slot.numbers, mark, stamp) == (model.numbers, model.mark, model.load.stamp)
                answered = self.coverage.answered(key[:10], Level.AD, entity, parents)
                assert (slot.stamp is None) == (answered == model.load.stamp)
                known = slot.definition if slot.stamp else self.coverage.definitions.get(model.load.stamp, "")
                assert (slot.currency, known) == (model.load.currency, model.load.definition)
            keys = {key for one in self.loads for name, key in one.values if name == entity}
            assert found.keys() == {key for key in keys if shown(self.loads, entity, key, totals=self.totals)} - {
                key for key in keys if not key.startswith("2026-11" if grain is Grain.DAY else "2026-11-01")
            }


def story(rng: random.Random) -> list[Load]:
    """Some pulls of days or hours: of everything or a slice, complete or broken off, with quarantined rows."""
    grain = rng.choice([Grain.DAY, Grain.DAY, Grain.HOUR])
    return [a_load(number, grain, rng) for number in range(rng.randint(2, 6))]


def a_load(number: int, grain: Grain, rng: random.Random) -> Load:
    first = rng.randrange(2)
    made = Load(
        number,
        MONTH[first : rng.randint(first + 1, 4)],
        grain,
        rng.choice(SLICES),
        rng.random() < 0.8,
        currency=rng.choice(["EUR", "EUR", "EUR", "USD"]),
        definition=rng.choice(["", "clicks", "views"]),
    )
    inside = [(entity, day) for entity in ADS for day in made.days if replace(made, complete=True).covers(entity, day)]
    keys = [(entity, day + hour) for entity, day in inside for hour in (HOURS if grain is Grain.HOUR else ("",))]
    bad = frozenset(one for one in inside if rng.random() < 0.2)
    values = {key: rng.choice(VALUES[: rng.randint(1, 3)]) for key in keys if rng.random() < 0.6}
    if grain is Grain.DAY:
        values = {key: slot for key, slot in values.items() if key not in bad}
    return replace(made, values=values, bad=bad)


@pytest.mark.parametrize("totals", [False, True])
@settings(max_examples=80)
@given(st.integers(0, 10**9))
def test_each_load_changes_what_the_newest_answer_decides_and_says_so(totals: bool, seed: int) -> None:
    rng = random.Random(seed)
    loads = story(rng)
    straight, other = Merging(rng, totals=totals), Merging(rng, totals=totals)
    for one in loads:
        straight.load(one)
    # and in any order, some of them again
    for one in rng.sample([*loads, *loads], 2 * len(loads)):
        other.load(one)

    assert other.buckets == straight.buckets
    assert other.coverage.days == straight.coverage.days


# --- parents


DAY = "2026-11-01"
KEPT_SLOT = {"d01": StoredSlot(VALUES[0], None, "EUR")}


def alone(
    load: Load, entity: str, stored: Bucket | None, parents: Parents = NO_PARENTS, coverage: Coverage | None = None
) -> Merged:
    """What a load makes of one entity's bucket, where nothing was covered before unless `coverage` says so."""
    partition, coverage = load.partition(), coverage or Coverage()
    assert partition is not None
    goal = coverage.merged(load.stamp, load.slice, partition.days, load.holes) if load.complete else coverage
    return Merger(load.pull, load.complete, partition, coverage, goal, {}, load.currency).merge(
        entity, stored, load.of(entity), parents
    )


def test_a_row_of_a_slice_belongs_to_it_also_where_it_does_not_say_so() -> None:
    one = Load(1, (DAY,), slice="campaign=c1", values={("x", DAY): VALUES[0]})

    merged = alone(one, "x", None)

    assert merged.bucket == Bucket("x", Parents("c1", "", ""), KEPT_SLOT)
    assert merged.dirty is True
    # and a slot that the next one does not bring is deleted
    assert alone(Load(2, (DAY,), slice="campaign=c1"), "x", merged.bucket) == Merged(
        None, [SlotChange(DAY, -1, VALUES[0], None, currency="EUR")], dirty=True, unchanged=0
    )


def test_a_pull_says_nothing_about_parents_of_what_it_does_not_bring() -> None:
    # given an entity of no known campaign, when a pull of a campaign does not bring it
    stored = Bucket("x", NO_PARENTS, dict(KEPT_SLOT))

    merged = alone(Load(2, (DAY,), slice="campaign=c1"), "x", stored)

    assert merged == Merged(stored, [], dirty=False, unchanged=0)
    assert merged.bucket is stored


@pytest.mark.parametrize(("slice_", "stays"), [("campaign=x", False), ("campaign=y", True), ("all", False)])
def test_a_campaign_is_inside_its_own_slice(slice_: str, stays: bool) -> None:
    stored = Bucket("x", NO_PARENTS, dict(KEPT_SLOT))

    merged = alone(Load(2, (DAY,), slice=slice_, level=Level.CAMPAIGN), "x", stored)

    assert (merged.bucket is not None) is stays


def test_an_older_pull_brings_back_no_campaign_that_a_newer_one_of_its_slice_did_not_bring() -> None:
    newer = Coverage().merged(Load(4, (DAY,)).stamp, "campaign=x", [DAY], lambda _: frozenset())
    older = Load(2, (DAY,), level=Level.CAMPAIGN, values={("x", DAY): VALUES[0], ("y", DAY): VALUES[0]})

    assert alone(older, "x", None, coverage=newer) == Merged(None, [], dirty=False, unchanged=1)
    assert alone(older, "y", None, coverage=newer).bucket == Bucket("y", NO_PARENTS, KEPT_SLOT)


@pytest.mark.parametrize("spend", [VALUES[0], VALUES[1]])
@pytest.mark.parametrize("days", [(DAY,), (DAY, "2026-11-02")])
def test_parents_that_a_row_adds_are_stored_also_if_its_numbers_are_known(spend: Slot, days: tuple[str, ...]) -> None:
    stored = Bucket("x", Parents("", "g1", ""), dict(KEPT_SLOT))
    one = Load(2, days, values={("x", DAY): spend})

    merged = alone(one, "x", stored, Parents("c1", "", "sp"))

    assert merged.bucket == Bucket("x", Parents("c1", "g1", "sp"), {"d01": StoredSlot(spend, None, "EUR")})
    assert (merged.dirty, len(merged.changes), merged.unchanged) == (True, spend != VALUES[0], spend == VALUES[0])


@pytest.mark.parametrize("complete", [True, False])
def test_parents_count_only_in_the_partitions_where_a_row_is_brought(complete: bool) -> None:
    # given a pull of two months that brings a row in the other one
    other = {"d02": StoredSlot(VALUES[2], None, "EUR")}
    stored = Bucket("x", NO_PARENTS, KEPT_SLOT | other)
    one = Load(2, ("2026-10-31", DAY), complete=complete, values={("x", "2026-10-31"): VALUES[1]})

    merged = alone(one, "x", stored, Parents("c1", "", "sp"))

    # then a complete one deletes the slot that it does not bring, and neither says anything about parents here
    assert merged.bucket == Bucket("x", NO_PARENTS, other if complete else KEPT_SLOT | other)
    assert (merged.dirty, len(merged.changes), merged.unchanged) == (complete, complete, 0)


def test_nothing_is_stored_of_an_entity_without_a_slot_in_the_partition() -> None:
    one = Load(2, ("2026-10-31", "2026-11-01"), values={("x", "2026-10-31"): VALUES[1]})

    assert alone(one, "x", None, Parents("c1", "", "sp")) == Merged(None, [], dirty=False, unchanged=0)
