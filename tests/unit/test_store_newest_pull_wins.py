"""Newest pull wins: any order, repetition, interleaving and death of loads ends in the same stored state."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.errors import BadInput, Transient
from adweir.model.metrics import Source
from adweir.store.metrics.coverage import COVERAGE, Coverage
from support.bounds import at_the_bound
from support.crash import Killed
from support.metric_store import PARENTS, Brought, StoreWorld, expected, stored

DAYS = ["2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02"]
FIRST, LAST = DAYS[0], DAYS[-1]
PK = "amazon_ads#p1#ad#day#pull#2026-11"


@st.composite
def brought(draw: st.DrawFn, number: int) -> Brought:
    """A pull of a few days across the month's end: whole or a slice, complete or not, with quarantined rows."""
    first = draw(st.integers(0, 3))
    last = draw(st.integers(first, 3))
    slice_ = draw(st.sampled_from(["all", "all", "sp", "sb", "campaign=c1", "campaign=c2"]))
    load = Brought(number, (DAYS[first], DAYS[last]), {}, slice=slice_, complete=draw(st.integers(0, 3)) > 0)
    keys = [(entity, day) for entity in PARENTS if load.inside(entity) for day in DAYS[first : last + 1]]
    fates = draw(st.lists(st.integers(0, 8), min_size=len(keys), max_size=len(keys)))
    values = {key: fate * 10 + number % 2 for key, fate in zip(keys, fates, strict=True) if fate < 6}
    bad = frozenset(key for key, fate in zip(keys, fates, strict=True) if fate == 6)
    return replace(load, values=values, bad=bad)


loads = st.integers(1, 6).flatmap(lambda n: st.tuples(*(brought(number) for number in range(n))))
fast = settings(max_examples=150, deadline=None)


@fast
@given(loads, st.randoms(use_true_random=False))
def test_any_order_and_repetition_ends_in_the_same_bytes(pulls: tuple[Brought, ...], rng: random.Random) -> None:
    # given the pulls in their own order
    straight = StoreWorld()
    for pull in pulls:
        straight.load(pull)
    # when they come shuffled, some of them twice or more
    shuffled = [*pulls, *rng.choices(pulls, k=len(pulls))]
    rng.shuffle(shuffled)
    other = StoreWorld()
    for pull in shuffled:
        other.load(pull)
    # then both hold what the model says, byte for byte alike
    assert stored(straight.store, FIRST, LAST) == expected(pulls)
    assert other.table.state() == straight.table.state()
    # and a repetition of everything writes nothing
    writes, files = other.crash.writes, dict(other.objects.objects)
    for pull in shuffled:
        assert other.load(pull).write_units == 0
    assert other.crash.writes == writes
    assert other.objects.objects == files


@settings(max_examples=60, deadline=None)
@given(loads, st.randoms(use_true_random=False))
def test_a_load_killed_after_any_of_its_writes_converges(pulls: tuple[Brought, ...], rng: random.Random) -> None:
    # given the state that undisturbed loads end in
    straight = StoreWorld()
    for pull in pulls:
        straight.load(pull)
    # when each load dies after one write, then after two, ... before it may end, with other loads in between
    world = StoreWorld()
    for pull in pulls:
        for nth in range(1, 40):
            world.crash.arm(nth)
            try:
                world.load(pull)
            except Killed:
                world.leases.expire()
                if rng.random() < 0.5:
                    world.load(rng.choice(pulls))
                continue
            break
    # then nothing differs, and no partition says that it is being loaded
    assert world.table.state() == straight.table.state()
    assert not any("loading" in item for item in world.table.items.values())


@settings(max_examples=60, deadline=None)
@given(loads, st.integers(0, 10**6))
def test_two_loaders_on_one_partition_lose_nothing(pulls: tuple[Brought, ...], seed: int) -> None:
    # given loads that each, in the middle of their writes, meet another loader
    world = StoreWorld()
    refused = world.load_meeting(pulls, random.Random(seed))
    # when those that found the partition busy come again
    for pull in refused:
        world.load(pull)
    # then everything is there
    assert stored(world.store, FIRST, LAST) == expected(pulls)


@pytest.mark.parametrize("seconds", [31, 61])
def test_a_worker_that_lost_its_lease_cannot_set_coverage(seconds: int) -> None:
    """After half a minute it looks at the lease, after the lease's minute it need not."""
    # given a load during whose writes the lease passes to another worker
    world = StoreWorld()

    def take_over() -> None:
        world.crash.on_write = None
        world.clock.advance(seconds)
        world.leases.expire()
        world.load(NEWER)

    world.crash.on_write = take_over
    # when it goes on, then it is stopped, and its retry converges
    with pytest.raises(Transient):
        world.load(OLDER)
    world.load(OLDER)
    assert stored(world.store, FIRST, LAST) == expected([OLDER, NEWER])


OLDER = Brought(2, ("2026-11-01", "2026-11-02"), {("a1", "2026-11-01"): 10, ("b1", "2026-11-01"): 20})
NEWER = Brought(4, ("2026-11-01", "2026-11-02"), {("a1", "2026-11-01"): 11})


def test_an_older_pull_that_arrives_late_brings_no_row_back() -> None:
    # given a newer pull without b1, when the older one that has it comes after it
    world = StoreWorld()
    world.load(NEWER)
    outcome = world.load(OLDER)
    # then b1 stays gone
    assert stored(world.store, FIRST, LAST) == expected([NEWER])
    assert outcome.slots_changed == 0


def test_a_newer_pull_that_changed_nothing_still_outranks_what_lies_between() -> None:
    # given a pull and a later one with the same numbers
    same, between = replace(OLDER, number=6), NEWER
    world = StoreWorld()
    world.load(OLDER)
    outcome = world.load(same)
    # then its changes file has nothing but the coverage as it was, and one whose as_of lies between has nothing to say
    assert outcome.slots_changed == 0
    assert [json.loads(line).get("item") for key in outcome.changes_keys for line in _lines(world, key)] == [
        None,
        COVERAGE,
    ]
    assert world.load(between).slots_changed == 0
    assert stored(world.store, FIRST, LAST) == expected([same])


@pytest.mark.parametrize(
    ("later", "gone"),
    [
        (Brought(4, OLDER.window, {}, complete=False), set()),
        (Brought(4, OLDER.window, {}, source=Source.FILE), set()),
        (Brought(4, OLDER.window, {}, slice="sp"), {"a1"}),
        (Brought(4, OLDER.window, {}, slice="campaign=c2"), {"b1"}),
        (Brought(4, ("2026-11-02", "2026-11-02"), {}), set()),
        (Brought(4, OLDER.window, {}), {"a1", "b1"}),
    ],
)
def test_rows_vanish_only_by_a_complete_pull_and_inside_its_slice_and_window(later: Brought, gone: set[str]) -> None:
    # given two stored ads, when a pull comes that lacks them
    world = StoreWorld()
    world.load(OLDER)
    world.load(later)
    # then only those that it answers for are gone
    assert {entity for entity, _ in stored(world.store, FIRST, LAST)} == {"a1", "b1"} - gone


def test_a_quarantined_row_keeps_its_old_value_until_an_answer_comes() -> None:
    # given a stored value and a newer pull whose row for it is bad
    world = StoreWorld()
    world.load(OLDER)
    bad = replace(NEWER, bad=frozenset({("b1", "2026-11-01")}))
    world.load(bad)
    assert stored(world.store, FIRST, LAST)["b1", "2026-11-01"][3] == 20
    # when a pull between the two arrives late, it fills the hole; a still older one does not
    world.load(replace(OLDER, number=3, values={("b1", "2026-11-01"): 33}))
    world.load(replace(OLDER, number=1, values={("b1", "2026-11-01"): 99}))
    assert stored(world.store, FIRST, LAST)["b1", "2026-11-01"][3] == 33
    assert stored(world.store, FIRST, LAST)["a1", "2026-11-01"][3] == 11


def test_changes_say_old_new_and_lag() -> None:
    # given two pulls across a month's end
    world = StoreWorld()
    one = Brought(1, (FIRST, LAST), {("a1", "2026-10-31"): 5, ("a1", "2026-11-01"): 6})
    two = Brought(2, (FIRST, LAST), {("a1", "2026-10-31"): 7})
    world.load(one)
    outcome = world.load(two)
    parents = {"campaign_id": "c1", "ad_group_id": "", "ad_product": "sp", "currency": ""}
    plain = {"old_mark": "", "new_mark": "", "cause": "pull"} | parents
    # then there is one file per partition, with each change; their times grow though the clock stands still
    folder, name = "changes/amazon_ads/p1/ad/day", "20261120T120000000001Z-000000000"
    assert outcome.changes_keys == (
        f"{folder}/2026-10/{name}3.pull.task0002.0.jsonl.gz",
        f"{folder}/2026-11/{name}4.pull.task0002.0.jsonl.gz",
    )
    lines = [json.loads(line) for key in outcome.changes_keys for line in _lines(world, key)]
    assert [line for line in lines if "old" in line] == [
        {"entity_id": "a1", "day": "2026-10-31", "hour": None, "old": [15, 5, 0, 5, -5], "new": [21, 7, 0, 7, -7]}
        | {"lag": 20}
        | plain,
        {"entity_id": "a1", "day": "2026-11-01", "hour": None, "old": [18, 6, 0, 6, -6], "new": None, "lag": 19}
        | plain,
    ]


def _lines(world: StoreWorld, key: str) -> list[bytes]:
    return gzip.decompress(world.objects.objects[key]).splitlines()


def test_coverage_stays_small_and_readable() -> None:
    # given campaign pulls of a month, then one of everything
    world = StoreWorld()
    for number, campaign in enumerate(["c1", "c2"]):
        world.load(Brought(number, ("2026-11-01", "2026-11-19"), {}, slice=f"campaign={campaign}"))
    whole = Brought(5, ("2026-11-01", "2026-11-18"), {})
    world.load(whole)
    # then only what the later one does not answer for is left of the narrower ones
    cov = world.table.items[PK, COVERAGE]["cov"]["M"]
    assert cov["all"] == {"M": {str(whole.stamp): {"S": "01-18"}}}
    assert [days["S"] for name in ("campaign=c1", "campaign=c2") for days in cov[name]["M"].values()] == ["19", "19"]


@at_the_bound("MAX_HOLES")
def test_a_pull_with_too_many_holes_counts_as_partial(size: int, fits: bool) -> None:
    world = StoreWorld()
    bad = frozenset((f"x{number}", "2026-11-01") for number in range(size))
    world.load(OLDER)
    world.load(replace(NEWER, bad=bad))

    assert (set(stored(world.store, FIRST, LAST)) == {("a1", "2026-11-01"), ("b1", "2026-11-01")}) is not fits
    assert (str(NEWER.stamp) in str(world.table.items[PK, COVERAGE])) is fits


@pytest.mark.parametrize(
    "change",
    [
        lambda pull: replace(pull, values={("a1", "2026-11-03"): 1}),
        lambda pull: replace(pull, values={("!coverage", "2026-11-01"): 1}),
        lambda pull: replace(pull, values={("", "2026-11-01"): 1}),
        lambda pull: replace(pull, values={("x" * 1025, "2026-11-01"): 1}),
    ],
)
def test_what_cannot_be_stored_is_refused_whole(change: Callable[[Brought], Brought]) -> None:
    world = StoreWorld()
    with pytest.raises(BadInput):
        world.load(change(OLDER))
    assert world.table.items == {}


def test_a_large_partial_pull_merges_like_a_small_one() -> None:
    # given a partial pull of more entities than are read by key, beside stored ones
    world = StoreWorld()
    world.load(OLDER)
    values = {(f"x{number:04d}", "2026-11-01"): number for number in range(501)} | {("a1", "2026-11-01"): 12}
    world.load(Brought(4, OLDER.window, values, complete=False))
    found = stored(world.store, FIRST, LAST)
    # then nothing is lost, and what it brought outranks an older complete pull that comes late
    assert (len(found), found["a1", "2026-11-01"][3], found["b1", "2026-11-01"][3]) == (503, 12, 20)
    world.load(replace(OLDER, number=3))
    assert stored(world.store, FIRST, LAST)["a1", "2026-11-01"][3] == 12


@at_the_bound("MAX_COVERAGE_BYTES", as_if=200)
def test_a_coverage_item_near_its_limit_makes_pulls_partial(size: int, fits: bool) -> None:
    # given a pull whose answer takes 120 bytes and its slice's name
    pull = replace(OLDER, slice="campaign=".ljust(size - 120, "c"))
    world = StoreWorld()
    world.load(pull)

    assert bool(Coverage.decode(world.table.items[PK, COVERAGE]).days) is fits
    assert stored(world.store, FIRST, LAST) == expected([pull])
