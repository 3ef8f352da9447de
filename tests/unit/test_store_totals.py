"""Account totals decide what is gone: in any order of loads, whatever is killed, the same rows are kept."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.errors import Throttled
from adweir.model.metrics import Level, Mark
from adweir.store.metrics.buckets import Raw
from adweir.store.metrics.coverage import COVERAGE
from support.brought import DECIDED_DAYS, level_and_totals
from support.crash import Killed
from support.metric_store import Brought, StoreWorld, expected_with_totals, numbers, seen

FIRST, LAST = DECIDED_DAYS[0], DECIDED_DAYS[-1]
DAY = "2026-11-01"
PK = "amazon_ads#p1#ad#day#pull#2026-11"


@settings(max_examples=200, deadline=None)
@given(level_and_totals, st.randoms(use_true_random=False))
def test_any_order_and_repetition_keeps_the_same_rows(pulls: tuple[Brought, ...], rng: random.Random) -> None:
    # given the pulls in their own order
    straight = StoreWorld()
    for pull in pulls:
        straight.load(pull)
    # when they come shuffled, some of them twice or more
    shuffled = [*pulls, *rng.choices(pulls, k=len(pulls))]
    rng.shuffle(shuffled)
    other = StoreWorld()
    for pull in shuffled:
        other.load(pull, is_new=rng.random() < 0.5)
    # then both hold what the model says, byte for byte alike
    assert seen(straight.store, FIRST, LAST) == expected_with_totals(pulls)
    assert other.table.state() == straight.table.state()
    # and a repetition of everything writes nothing
    writes = other.crash.writes
    for pull in shuffled:
        other.load(pull, is_new=rng.random() < 0.5)
    assert other.crash.writes == writes


@settings(max_examples=80, deadline=None)
@given(level_and_totals, st.randoms(use_true_random=False))
def test_a_load_killed_after_any_of_its_writes_converges(pulls: tuple[Brought, ...], rng: random.Random) -> None:
    # given loads that each die after one write, then after two, ... before they may end, with others in between
    world = StoreWorld()
    for pull in pulls:
        for nth in range(1, 60):
            world.crash.arm(nth, after=rng.random() < 0.5)
            try:
                world.load(pull)
            except Killed:
                world.leases.expire()
                if rng.random() < 0.5:
                    world.load(rng.choice(pulls))
                continue
            break
    # when everything was redelivered, as it is until it succeeds, then the same rows are kept
    for pull in pulls:
        world.load(pull)
    assert seen(world.store, FIRST, LAST) == expected_with_totals(pulls)
    straight = StoreWorld()
    for pull in pulls:
        straight.load(pull)
    assert world.table.state() == straight.table.state()


@settings(max_examples=80, deadline=None)
@given(level_and_totals, st.integers(0, 10**6))
def test_loads_of_a_level_and_of_its_totals_that_meet_lose_nothing(pulls: tuple[Brought, ...], seed: int) -> None:
    # given loads that each, in the middle of their writes, meet another loader
    world = StoreWorld()
    refused = world.load_meeting(pulls, random.Random(seed))
    # when those that found a partition busy come again
    for pull in refused:
        world.load(pull)
    # then the rows are those of the model
    assert seen(world.store, FIRST, LAST) == expected_with_totals(pulls)


def ads(number: int, values: dict[str, int], **changes: object) -> Brought:
    spends = {(entity, DAY): spend for entity, spend in values.items()}
    return replace(Brought(number, (DAY, DAY), spends, has_totals=True), **changes)  # type: ignore[arg-type]


def total(number: int, spend: int) -> Brought:
    return Brought(number, (DAY, DAY), {("p1", DAY): spend}, level=Level.ACCOUNT)


def marks(world: StoreWorld) -> dict[str, Mark]:
    return {entity: mark for (entity, _), (_, mark) in seen(world.store, DAY, DAY).items()}


def test_a_deleted_ad_stays_as_long_as_the_account_total_contains_it() -> None:
    # given two ads and the account's total, when a newer pull brings only one
    world = StoreWorld()
    for load in (ads(2, {"a1": 10, "b1": 20}), total(4, 30), ads(6, {"a1": 10})):
        world.load(load)
    # then the other is kept, for the total is older than the pull; and still when the newer total contains it
    assert marks(world) == {"a1": Mark.NONE, "b1": Mark.KEPT}
    assert world.load(total(8, 30)).changes_keys != ()
    assert marks(world) == {"a1": Mark.NONE, "b1": Mark.KEPT}


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize(("before", "meanwhile"), [(total(4, 30), total(8, 10)), (total(7, 10), total(8, 30))])
def test_a_total_that_meets_the_load_that_first_misses_a_row_decides(
    nth: int, before: Brought, meanwhile: Brought
) -> None:
    # given a load that misses an ad for the first time, and a newer total that is loaded between two of its writes
    world = StoreWorld()
    loads = [ads(2, {"a1": 10, "b1": 20}), before, ads(6, {"a1": 10}), meanwhile]
    for load in loads[:2]:
        world.load(load)
    writes, refused = [0], list[Brought]()

    def meet() -> None:
        writes[0] += 1
        if writes[0] == nth:
            world.crash.on_write = None
            try:
                world.load(meanwhile)
            except Throttled:
                refused.append(meanwhile)

    world.crash.on_write = meet
    world.load(loads[2])
    assert writes[0] == nth, "they met"
    for load in refused:
        world.load(load)
    # then the newest total has decided
    assert seen(world.store, DAY, DAY) == expected_with_totals(loads)


def test_a_restatement_to_zero_is_believed_when_the_total_agrees() -> None:
    # given a pull that no longer brings an ad
    world = StoreWorld()
    for load in (ads(2, {"a1": 10, "b1": 20}), total(4, 30), ads(6, {"a1": 10})):
        world.load(load)
    # when the account's newer total lacks its spend too, then it is gone, and its last numbers are still stored
    outcome = world.load(total(8, 10))
    assert marks(world) == {"a1": Mark.NONE}
    assert (outcome.slots_changed, outcome.slots_zeroed) == (2, 1)
    assert world.table.items[PK, "b1"]["d01"]["L"][3] == {"N": "20"}
    # when it is pulled again, then it is back
    world.load(ads(10, {"a1": 10, "b1": 20}))
    assert marks(world) == {"a1": Mark.NONE, "b1": Mark.NONE}


def test_all_missing_rows_of_a_day_are_decided_together() -> None:
    # given two missing ads of which the total still contains the larger one
    world = StoreWorld()
    for load in (ads(2, {"a1": 10, "b1": 20, "b2": 50}), ads(4, {"a1": 10}), total(6, 60)):
        world.load(load)
    # then which of them the total lost cannot be known: they are kept, and the rest is negative
    assert marks(world) == {"a1": Mark.NONE, "b1": Mark.KEPT, "b2": Mark.KEPT}
    # and are gone once it contains the smaller one only
    world.load(total(8, 30))
    assert marks(world) == {"a1": Mark.NONE}


@pytest.mark.parametrize(("unattributed", "gone"), [(0, True), (5, True), (10, True), (11, False), (100, False)])
def test_a_rest_that_no_ad_explains_may_not_grow(unattributed: int, gone: bool) -> None:
    # given a missing ad of 20, and a total that has none of it but other spend without ads
    world = StoreWorld()
    for load in (ads(2, {"a1": 10, "b1": 20}), ads(4, {"a1": 10}), total(6, 10 + unattributed)):
        world.load(load)
    assert ("b1" not in marks(world)) is gone


def test_a_total_that_is_quarantined_decides_nothing() -> None:
    world = StoreWorld()
    for load in (ads(2, {"a1": 10, "b1": 20}), total(3, 10), ads(4, {"a1": 10})):
        world.load(load)
    world.load(replace(total(6, 0), values={}, bad=frozenset({("p1", DAY)})))
    assert marks(world) == {"a1": Mark.NONE, "b1": Mark.KEPT}


def test_a_load_of_totals_reads_only_coverage_where_nothing_is_missing() -> None:
    # given a level without missing rows
    world = StoreWorld()
    world.load(ads(2, {"a1": 10, "b1": 20}))
    read: list[str] = []
    query = world.table.query

    def watched(pk: str) -> Iterator[Raw]:
        read.append(pk)
        return query(pk)

    world.table.query = watched  # type: ignore[method-assign]
    # when a total is loaded, then no bucket of the level is read
    world.load(total(4, 30))
    assert PK not in read
    assert "miss" not in world.table.items[PK, COVERAGE]


def test_a_kept_row_says_when_and_how_it_was_counted() -> None:
    # given a kept row of a pull that counted conversions in its own way
    world = StoreWorld()
    first = ads(2, {"a1": 10, "b1": 20}, definition="purchases 7d_click")
    world.load(first)
    world.load(ads(4, {"a1": 10}, definition="leads 1d_click"))
    rows = {row.entity_id: row for row in world.rows(DAY)}
    assert (rows["b1"].as_of, rows["b1"].definition) == (first.stamp.as_of, "purchases 7d_click")
    assert rows["a1"].definition == "leads 1d_click"
    assert rows["b1"].slot == numbers(20)
