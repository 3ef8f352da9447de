"""Registers: any order, repetition, interleaving and death of workers leaves the sums of the newest statements."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import Throttled, TooLarge, UnreadableItem
from adweir.model.metrics import Grain, Level, MetricRow, Series, Source
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window, iso
from adweir.store.folds import counted_once
from adweir.store.metrics.brought import PullRows
from adweir.store.register_shards import UNCOUNTED, CountedAt, EntityAbout, Stated
from adweir.store.registers import Registers, Restated
from adweir.store.swaps import Swaps
from support.bounds import at_the_bound, refuses
from support.crash import Killed
from support.metric_store import StoreWorld
from support.stream_world import FakeFolds

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = "registers/acme/shop/order"
DAYS = Window(date(2026, 11, 18), date(2026, 11, 20))
SERIES = Series(Platform("shop"), "direct~acme", Level.ORDER, Grain.DAY)
ENTITIES = ("campaign_id=7", "campaign_id=8", "all")
PLACES = tuple(CountedAt(entity, f"2026-11-{day}") for entity in ENTITIES for day in (18, 19, 20))
ORDERS = 40
"""So many make shards of a few of them split several times."""
Shown = Mapping[CountedAt, tuple[int, int | None]]


@pytest.fixture(autouse=True, scope="module")
def _small_shards() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MAX_SHARD_RECORDS", 4)
        yield


class File(NamedTuple):
    """What a file that was written `minutes` after noon says of orders."""

    minutes: int
    stated: Mapping[int, Stated]

    @property
    def stamp(self) -> Stamp:
        return Stamp(iso(NOON + timedelta(minutes=self.minutes)), f"file{self.minutes}")


class World(StoreWorld):
    """Workers that state files and store the sums, with one counter of writes for both."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = FakeFolds(self.crash)
        self.slept: list[float] = []
        self.registers = Registers(self.kept, self.clock, Swaps(self.slept.append, random.Random(1)))

    def state(self, file: File) -> Restated:
        stated = {counted_once(str(order)): each for order, each in file.stated.items()}
        about = {each.place.entity_id: EntityAbout("", "7") for each in stated.values() if each.place}
        return self.registers.state(KEY, file.stamp, stated, about)

    def work(self, file: File) -> None:
        """What a worker does with a file: state its orders, store the sums, note that they are stored."""
        found = self.state(file)
        rows = PullRows()
        for place, sums in found.sums.items():
            rows.offer(_row(place, sums.conversions, sums.revenue, found.about[place.entity_id]))
        self.store.load(_pull(Stamp(found.as_of, file.stamp.task_id)), rows)
        self.registers.stored(KEY, found.revision)

    def sums(self) -> bytes:
        """What is kept of places."""
        return b"".join(body for key, body in self.kept.objects.items() if key.startswith(f"{KEY}/s"))

    def stored(self) -> Shown:
        """What readers find, without zeros."""
        rows = list(self.store.read(SERIES, DAYS))
        assert all(each.campaign_id == "7" for each in rows)
        found = {CountedAt(each.entity_id, str(each.day)): (each.slot[2] or 0, each.slot[4]) for each in rows}
        return {place: sums for place, sums in found.items() if sums != (0, 0)}


def _row(place: CountedAt, conversions: int, revenue: int | None, about: EntityAbout) -> MetricRow:
    return MetricRow(
        place.entity_id, place.day, None, None, conversions, None, revenue, about.campaign_id, currency="USD"
    )


def _pull(stamp: Stamp) -> Pull:
    return Pull(
        platform=SERIES.platform,
        profile_id=SERIES.profile_id,
        level=SERIES.level,
        grain=SERIES.grain,
        source=Source.FILE,
        slice=ALL,
        window=DAYS,
        stamp=stamp,
        complete=False,
        currency="USD",
    )


def expected(files: Iterable[File]) -> Shown:
    """The model: of each order the newest file counts, whatever the others say."""
    newest: dict[int, Stated] = {}
    for file in sorted(files, key=lambda each: each.minutes):
        newest |= file.stated
    sums: dict[CountedAt, tuple[int, int | None]] = {}
    for each in newest.values():
        if each.place:
            conversions, revenue = sums.get(each.place, (0, None))
            known = revenue if each.revenue is None else (revenue or 0) + each.revenue
            sums[each.place] = conversions + each.conversions, known
    return {place: each for place, each in sums.items() if each != (0, 0)}


counted = st.builds(Stated, st.sampled_from(PLACES), st.integers(1, 3), st.none() | st.integers(-900, 900))
few = st.dictionaries(st.integers(1, 6), counted | st.just(UNCOUNTED), min_size=1, max_size=6)
many = st.dictionaries(st.integers(1, ORDERS), counted | st.just(UNCOUNTED), min_size=8, max_size=ORDERS)
statements = few | many
histories = st.lists(statements, min_size=1, max_size=5).map(
    lambda found: [File(minutes, stated) for minutes, stated in enumerate(found)]
)


@settings(max_examples=40)
@given(histories, st.randoms(use_true_random=False))
def test_any_order_and_repetition_leaves_the_newest_statements(files: list[File], rng: random.Random) -> None:
    # given files that come shuffled, some of them twice or more
    shuffled = [*files, *rng.choices(files, k=len(files))]
    rng.shuffle(shuffled)
    # when they are stated
    world = World()
    for file in shuffled:
        world.work(file)
    # then what is stored are the sums of what each order's newest file says
    assert world.stored() == expected(files)
    # and stated again, the register is not written again
    puts = world.kept.puts
    for file in shuffled:
        world.work(file)
    assert (world.kept.puts, world.stored()) == (puts, expected(files))


@settings(max_examples=25)
@given(histories, st.booleans(), st.randoms(use_true_random=False))
def test_a_worker_killed_at_any_of_its_writes_leaves_the_newest_statements(
    files: list[File], after: bool, rng: random.Random
) -> None:
    # given files whose worker dies at its first write, then at its second, ... before it may end
    world = World()
    for file in rng.sample(files, len(files)):
        for nth in range(1, 150):
            world.crash.arm(nth, after=after)
            try:
                world.work(file)
            except Killed:
                world.leases.expire()
                world.crash.arm(0)
                if rng.random() < 0.5:  # another one comes in between
                    world.work(rng.choice(files))
                continue
            break
    # then nothing is missing, and nothing counts at two places
    assert world.stored() == expected(files)


@settings(max_examples=25)
@given(histories, st.randoms(use_true_random=False))
def test_a_later_file_stores_what_a_killed_one_left(files: list[File], rng: random.Random) -> None:
    """Given a worker that died and never came again, then whatever it had stated is stored by the next one."""
    world = World()
    *dead, last = rng.sample(files, len(files))
    for file in dead:
        world.state(file)
    world.work(last)
    assert world.stored() == expected(files)


@settings(max_examples=40)
@given(histories, st.randoms(use_true_random=False))
def test_two_workers_on_one_register_lose_nothing(files: list[File], rng: random.Random) -> None:
    # given workers that after each of their writes meet another one
    world, waiting = World(), list[File]()

    def intrude() -> None:
        world.crash.on_write = None
        work(rng.choice(files))
        world.crash.on_write = intrude

    def work(file: File) -> None:
        try:
            world.work(file)
        except Throttled:
            waiting.append(file)

    world.crash.on_write = intrude
    for file in files:
        work(file)
    # when those that found something busy come again
    world.crash.on_write = None
    for file in waiting:
        world.work(file)
    # then what is stored are the sums of what each order's newest file says
    assert world.stored() == expected(files)


def states(*stated: Stated, at: int = 0) -> File:
    return File(at, dict(enumerate(stated)))


HERE, THERE = PLACES[0], PLACES[4]


def test_a_place_without_records_is_kept_until_its_zeros_are_stored_and_no_longer() -> None:
    world = World()
    world.work(states(Stated(HERE, 1, 5)))
    world.work(states(Stated(THERE, 1, 5), at=1))
    assert HERE.entity_id.encode() in world.sums()
    # when another file comes, then the place that is zero by now takes no room
    world.work(states(Stated(THERE, 1, 6), at=2))
    assert HERE.entity_id.encode() not in world.sums()
    assert world.stored() == {THERE: (1, 6)}


def test_a_register_keeps_the_shards_that_count_and_no_others() -> None:
    # given workers that die after some of their shards are stored
    world = World()
    for at in range(6):
        world.crash.arm(3)
        with suppress(Killed):
            world.work(states(*[Stated(PLACES[each % 9], 1, at) for each in range(ORDERS)], at=at))
        world.leases.expire()
    assert KEY not in world.kept.objects
    # when another one ends its work
    world.crash.arm(0)
    world.work(states(*[Stated(PLACES[each % 9], 1, 9) for each in range(ORDERS)], at=9))
    # then each shard is one of the register's, and has no more than it may
    listed = world.kept.objects[KEY]
    shards = [key for key in world.kept.objects if key.startswith(f"{KEY}/")]
    assert len(shards) >= ORDERS / limits.MAX_SHARD_RECORDS
    assert all(key.removeprefix(f"{KEY}/").encode() in listed for key in shards)
    before = dict(world.kept.objects)
    # and one order more changes its shard, that of its day, and no other
    world.work(File(10, {ORDERS + 1: Stated(HERE, 1, 1)}))
    changed = {key for key in shards if key not in world.kept.objects}
    assert len(changed) == 2
    assert sum(key not in before for key in world.kept.objects) <= 4


def test_a_shard_that_another_worker_replaces_meanwhile_is_looked_up_anew() -> None:
    world = World()
    world.work(states(*[Stated(HERE, 1, 1)] * 9))
    read, others = world.kept.tagged, [states(*[Stated(THERE, 1, 2)] * 9, at=2)]

    def tagged(key: str) -> tuple[bytes, str] | None:
        found = read(key)
        if key == KEY and others:  # between the register and its shards
            world.work(others.pop())
        return found

    world.kept.tagged = tagged  # type: ignore[method-assign]
    world.work(states(Stated(HERE, 5, 5), at=3))
    assert not others
    assert world.stored() == {HERE: (5, 5), THERE: (8, 16)}


def test_a_shard_that_is_lost_is_named() -> None:
    world = World()
    world.work(states(Stated(HERE, 1, 5)))
    (name,) = (key for key in world.kept.objects if key.startswith(f"{KEY}/i"))
    del world.kept.objects[name]
    with pytest.raises(UnreadableItem, match=name.removeprefix(f"{KEY}/")):
        world.work(states(Stated(HERE, 1, 6), at=1))


def test_a_register_that_keeps_changing_asks_to_wait() -> None:
    world = World()
    world.kept.swap = lambda key, body, tag: False  # type: ignore[method-assign]
    with pytest.raises(Throttled):
        world.work(states(Stated(HERE, 1, 5)))
    assert all(later > earlier / 3 for earlier, later in pairwise(world.slept))
    assert sum(world.slept) < 5


@pytest.mark.parametrize("name", [KEY, f"{KEY}.stored"])
@pytest.mark.parametrize("body", [b"", b"{}", b"\x91\x01", b"\xff"])
def test_a_damaged_register_is_named(name: str, body: bytes) -> None:
    world = World()
    world.kept.objects[name] = body
    with pytest.raises(UnreadableItem, match=KEY):
        world.work(states(Stated(HERE, 1, 5)))


@at_the_bound("MAX_REGISTERED_RECORDS", as_if=3)
def test_the_records_of_a_register(size: int, fits: bool) -> None:
    world = World()
    world.work(states(Stated(HERE, 1, 1)))
    with refuses(TooLarge, fits=fits):
        world.work(states(*[Stated(HERE, 1, 2)] * size, at=1))
    assert world.stored() == {HERE: (size, 2 * size) if fits else (1, 1)}


@at_the_bound("MAX_SHARD_RECORDS", as_if=3)
def test_the_records_of_a_shard(size: int, fits: bool) -> None:
    world = World()
    world.work(states(*[Stated(HERE, 1, 2)] * size))
    assert (sum(key.startswith(f"{KEY}/i") for key in world.kept.objects) == 1) == fits
    assert world.stored() == {HERE: (size, 2 * size)}
