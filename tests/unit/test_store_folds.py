"""Folds: any order, repetition, interleaving and death of workers counts each record once, also where it is read."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import Throttled, TooLarge, UnreadableItem
from adweir.model.metrics import Grain, Level, MetricRow, Series, Slot, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.folds import Delta, Folds, counted_once
from adweir.store.metrics.brought import PullRows
from adweir.store.swaps import Swaps
from support.bounds import at_the_bound, refuses
from support.crash import Killed
from support.metric_store import StoreWorld
from support.stream_world import FakeFolds

HOUR = "folds/amazon_ads/p1/2026-11-20T07"
DAY = date(2026, 11, 20)
ADS = ("g1~a1", "g1~a2", "g2~b1")


class Record(NamedTuple):
    """One record: impressions, clicks and cost may be negative."""

    id: int
    ad: str
    numbers: tuple[int, int, int]

    @property
    def delta(self) -> Delta:
        return Delta(counted_once(str(self.id)), self.ad, self.numbers)


class Batch(NamedTuple):
    """The records of one landed object."""

    name: str
    records: tuple[Record, ...]


class World(StoreWorld):
    """Workers that fold batches and store the hour from the fold, with one counter of writes for both."""

    def __init__(self) -> None:
        super().__init__()
        self.fold_objects = FakeFolds(self.crash)
        self.slept: list[float] = []
        self.folds = Folds(self.fold_objects, self.clock, Swaps(self.slept.append, random.Random(1)))

    def work(self, batch: Batch) -> None:
        """What a worker does with an object: fold, then store the sums of what the object names."""
        fold = self.folds.add(HOUR, (record.delta for record in batch.records)).fold
        rows = PullRows()
        for ad in {record.ad for record in batch.records}:
            rows.offer(row(ad, fold.amounts(ad)))
        self.store.load(pull(fold.as_of), rows)

    def stored(self) -> dict[str, Slot]:
        """What readers find."""
        series = Series(Platform("amazon_ads"), "p1", Level.AD, Grain.HOUR)
        return {each.entity_id: each.slot for each in self.store.read(series, Window(DAY, DAY))}


def row(ad: str, sums: Sequence[int]) -> MetricRow:
    impressions, clicks, cost = sums
    return MetricRow(ad, DAY.isoformat(), impressions, clicks, None, cost, None, hour=7, currency="USD")


def pull(as_of: str) -> Pull:
    return Pull(
        platform=Platform("amazon_ads"),
        profile_id="p1",
        level=Level.AD,
        grain=Grain.HOUR,
        source=Source.STREAM,
        slice="all",
        window=Window(DAY, DAY),
        stamp=Stamp(as_of, "hour07"),
        complete=False,
        currency="USD",
    )


def expected(batches: Iterable[Batch]) -> Mapping[str, Slot]:
    """The model: each id counts once, whatever it adds."""
    once = {record.id: record for batch in batches for record in batch.records}
    sums: dict[str, list[int]] = {}
    for record in once.values():
        mine = sums.setdefault(record.ad, [0, 0, 0])
        mine[:] = [a + b for a, b in zip(mine, record.numbers, strict=True)]
    return {ad: (impressions, clicks, None, cost, None) for ad, (impressions, clicks, cost) in sums.items()}


@st.composite
def batches(draw: st.DrawFn) -> list[Batch]:
    """Objects with records of one hour; several objects may hold the same record."""
    numbers = st.tuples(*[st.integers(-50, 200)] * 3)
    made = draw(st.lists(st.tuples(st.sampled_from(ADS), numbers), min_size=1, max_size=10))
    records = [Record(number, ad, values) for number, (ad, values) in enumerate(made)]
    groups = draw(st.lists(st.lists(st.sampled_from(records), min_size=1, max_size=6), min_size=1, max_size=5))
    return [Batch(f"task{number}", tuple(group)) for number, group in enumerate(groups)]


@settings(max_examples=40)
@given(batches(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_counts_each_record_once(given_: list[Batch], rng: random.Random) -> None:
    # given objects that come shuffled, some of them twice or more
    shuffled = [*given_, *rng.choices(given_, k=len(given_))]
    rng.shuffle(shuffled)
    # when they are folded
    world = World()
    for batch in shuffled:
        world.work(batch)
    # then the stored hour is the sum of all records
    assert world.stored() == expected(given_)
    # and the fold is not written again, nor is the hour once all of it has the fold's last stamp
    puts, fold = world.fold_objects.puts, dict(world.fold_objects.objects)
    for batch in shuffled:
        world.work(batch)
    writes = world.crash.writes
    for batch in shuffled:
        world.work(batch)
    assert (world.fold_objects.puts, world.fold_objects.objects, world.crash.writes) == (puts, fold, writes)


@settings(max_examples=25)
@given(batches(), st.booleans(), st.randoms(use_true_random=False))
def test_a_worker_killed_at_any_of_its_writes_counts_each_record_once(
    given_: list[Batch], after: bool, rng: random.Random
) -> None:
    # given objects whose worker dies at its first write, then at its second, ... before it may end
    world = World()
    for batch in given_:
        for nth in range(1, 40):
            world.crash.arm(nth, after=after)
            try:
                world.work(batch)
            except Killed:
                world.leases.expire()
                world.crash.arm(0)
                if rng.random() < 0.5:  # another one comes in between
                    world.work(rng.choice(given_))
                continue
            break
    # then the stored hour is the sum of all records
    assert world.stored() == expected(given_)


@settings(max_examples=40)
@given(batches(), st.randoms(use_true_random=False))
def test_two_workers_on_one_hour_lose_nothing(given_: list[Batch], rng: random.Random) -> None:
    # given workers that after each of their writes meet another one
    world, waiting = World(), list[Batch]()

    def intrude() -> None:
        world.crash.on_write = None
        work(rng.choice(given_))
        world.crash.on_write = intrude

    def work(batch: Batch) -> None:
        try:
            world.work(batch)
        except Throttled:
            waiting.append(batch)

    world.crash.on_write = intrude
    for batch in given_:
        work(batch)
    # when those that found the hour busy come again
    world.crash.on_write = None
    for batch in waiting:
        world.work(batch)
    # then everything is counted once
    assert world.stored() == expected(given_)


def test_a_fold_that_somebody_replaced_since_it_was_read_is_read_again() -> None:
    # given a worker that has read the fold, before another one replaces it
    world = World()
    inner = world.fold_objects.tagged

    def overtaken(key: str) -> tuple[bytes, str] | None:
        found = inner(key)
        if not world.slept:
            world.fold_objects.tagged = inner  # type: ignore[method-assign]
            world.folds.add(HOUR, [Record(1, "g1~a1", (10, 1, 5)).delta])
            world.slept.append(0)
        return found

    world.fold_objects.tagged = overtaken  # type: ignore[method-assign]
    # when it puts its own
    folded = world.folds.add(HOUR, [Record(2, "g1~a1", (7, 0, -2)).delta])
    # then both records count
    assert folded.fold.amounts("g1~a1") == (17, 1, 3)
    assert folded.fold.revision == folded.fold.size == 2


def test_what_is_said_first_stays_also_between_two_that_say_something_at_once() -> None:
    # given a worker that has seen that nothing is said yet
    world = World()
    swap = world.fold_objects.swap

    def overtaken(key: str, body: bytes, tag: str) -> bool:
        world.fold_objects.swap = swap  # type: ignore[method-assign]
        assert world.folds.first(key, "theirs") == "theirs"
        return swap(key, body, tag)

    world.fold_objects.swap = overtaken  # type: ignore[method-assign]
    # when another one is quicker
    assert world.folds.first("folds/x", "ours") == "theirs"
    # then both hear the same, at any time
    assert world.folds.first("folds/x", "ours") == "theirs"
    assert world.slept == []


def test_what_was_said_and_expires_at_the_same_moment_is_said_again() -> None:
    world = World()
    world.folds.first("folds/x", "old")
    tagged = world.fold_objects.tagged

    def expired(key: str) -> tuple[bytes, str] | None:
        world.fold_objects.objects.pop(key, None)
        return tagged(key)

    world.fold_objects.tagged = expired  # type: ignore[method-assign]
    assert world.folds.first("folds/x", "new") == "new"


def test_a_fold_that_keeps_changing_asks_to_wait() -> None:
    world = World()
    world.fold_objects.swap = lambda key, body, tag: False  # type: ignore[method-assign]

    with pytest.raises(Throttled):
        world.folds.add(HOUR, [Record(1, "g1~a1", (1, 1, 1)).delta])

    assert all(later > earlier / 3 for earlier, later in zip(world.slept, world.slept[1:], strict=False))
    assert sum(world.slept) < 5


def test_each_revision_is_later_than_the_one_before_also_by_a_clock_that_stands_still() -> None:
    world = World()
    stamps = [world.folds.add(HOUR, [Record(n, "g1~a1", (1, 0, 0)).delta]).fold.as_of for n in range(3)]

    assert stamps == sorted(set(stamps))


def test_a_sum_below_zero_stays_below_zero() -> None:
    # given a correction that comes before what it corrects
    world = World()
    world.work(Batch("first", (Record(1, "g1~a1", (-5, -1, -900_000)),)))
    assert world.stored() == {"g1~a1": (-5, -1, None, -900_000, None)}
    # when the rest follows
    world.work(Batch("second", (Record(2, "g1~a1", (8, 1, 1_000_000)),)))
    # then nothing was lost below zero
    assert world.stored() == {"g1~a1": (3, 0, None, 100_000, None)}


def test_sums_grow_beyond_what_64_bits_hold() -> None:
    world = World()
    for number in range(3):
        fold = world.folds.add(HOUR, [Record(number, "g1~a1", (1 << 62, 0, 0)).delta]).fold

    assert world.folds.add(HOUR, []).fold.amounts("g1~a1") == fold.amounts("g1~a1") == (3 << 62, 0, 0)


def test_a_record_may_have_more_amounts_than_the_sum_had_places() -> None:
    world = World()
    world.folds.add(HOUR, [Delta(counted_once("1"), "k", (1,))])

    assert world.folds.add(HOUR, [Delta(counted_once("2"), "k", (1, 2))]).fold.amounts("k") == (2, 2)
    assert world.folds.add(HOUR, []).fold.amounts("unknown") == ()


def test_ten_thousand_records_of_a_fold_take_little_time_and_each_counts() -> None:
    world = World()
    for part in range(10):
        world.folds.add(HOUR, [Record(part * 1000 + n, ADS[n % 3], (1, 0, 0)).delta for n in range(1000)])

    fold = world.folds.add(HOUR, []).fold
    assert (fold.size, fold.revision, sum(fold.amounts(ad)[0] for ad in ADS)) == (10_000, 10, 10_000)


@at_the_bound("MAX_FOLDED_RECORDS", as_if=20)
def test_the_records_of_a_fold(size: int, fits: bool) -> None:
    world = World()
    world.folds.add(HOUR, [Record(n, "g1~a1", (1, 0, 0)).delta for n in range(size - 1)])

    with refuses(TooLarge, fits=fits):
        world.folds.add(HOUR, [Record(size, "g1~a1", (1, 0, 0)).delta])

    assert world.folds.add(HOUR, []).fold.size == (size if fits else size - 1)
    assert limits.MAX_FOLDED_RECORDS == 20


@at_the_bound("MAX_FOLDED_KEYS", as_if=20)
def test_the_sums_of_a_fold(size: int, fits: bool) -> None:
    world = World()
    with refuses(TooLarge, fits=fits):
        world.folds.add(HOUR, [Record(n, f"ad{n}", (1, 0, 0)).delta for n in range(size)])

    assert len(world.folds.add(HOUR, []).fold.sums) == (size if fits else 0)


def test_a_fold_that_is_none_is_named() -> None:
    world = World()
    world.fold_objects.objects[HOUR] = b"{"

    with pytest.raises(UnreadableItem, match=HOUR):
        world.folds.add(HOUR, [Record(1, "g1~a1", (1, 1, 1)).delta])
