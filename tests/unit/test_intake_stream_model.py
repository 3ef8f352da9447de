"""The stream's loader as a model: any order, repetition, interleaving and death counts each record once."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.errors import Throttled
from adweir.model.metrics import Level, Slot
from support.crash import Killed
from support.stream_world import StreamWorld, conversion, traffic

Records = list[list[dict[str, Any]]]


@st.composite
def objects(draw: st.DrawFn) -> Records:
    """Objects with records of two hours and three ads of two campaigns; several may hold the same record."""
    made = []
    for number in range(draw(st.integers(1, 8))):
        ad = draw(st.sampled_from([("c1", "g1", "a1"), ("c1", "g1", "a2"), ("c2", "g2", "b1")]))
        more = dict(zip(("campaign_id", "ad_group_id", "ad_id"), ad, strict=True))
        more["time_window_start"] = f"2026-11-20T0{draw(st.integers(2, 3))}:00:00-08:00"
        first, second = draw(st.integers(-3, 9)), draw(st.integers(-3, 9))
        row = traffic(number, first * 10, first, first / 4, **more)
        made.append(draw(st.sampled_from([row, conversion(number, second, second * 9.99, **more)])))
    groups = draw(st.lists(st.lists(st.sampled_from(made), min_size=1, max_size=5), min_size=1, max_size=4))
    return [list(group) for group in groups]


def expected(given_: Iterable[Iterable[dict[str, Any]]], level: Level) -> dict[tuple[str, int], Slot]:
    """Each id once, summed by entity and hour."""
    sums: dict[tuple[str, int], list[int]] = {}
    for row in {(row["dataset_id"], row["idempotency_id"]): row for group in given_ for row in group}.values():
        entity = row["campaign_id"] if level is Level.CAMPAIGN else f"{row['ad_group_id']}~{row['ad_id']}"
        mine = sums.setdefault((entity, int(row["time_window_start"][11:13])), [0] * 5)
        mine[0] += row.get("impressions", 0)
        mine[1] += row.get("clicks", 0)
        mine[2] += row.get("attributed_conversions_7d", 0) * 1_000_000
        mine[3] += round(row.get("cost", 0) * 1_000_000)
        mine[4] += round(row.get("attributed_sales_7d", 0) * 1_000_000)
    return {key: (i, c, n, s, r) for key, (i, c, n, s, r) in sums.items()}


def assert_counted_once(world: StreamWorld, given_: Records) -> None:
    for level in (Level.AD, Level.CAMPAIGN):
        assert world.hours(level) == expected(given_, level)


@settings(max_examples=30)
@given(objects(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_objects_counts_each_record_once(given_: Records, rng: random.Random) -> None:
    shuffled = [*given_, *rng.choices(given_, k=len(given_))]
    rng.shuffle(shuffled)
    world = StreamWorld()
    for group in shuffled:
        world.work(*rng.sample(group, len(group)))
    assert_counted_once(world, given_)


@settings(max_examples=12)
@given(objects(), st.booleans(), st.randoms(use_true_random=False))
def test_a_load_killed_at_any_of_its_writes_counts_each_record_once(
    given_: Records, after: bool, rng: random.Random
) -> None:
    world = StreamWorld()
    for group in given_:
        for nth in range(1, 80):
            world.crash.arm(nth, after=after)
            try:
                world.work(*group)
            except Killed:
                world.leases.expire()
                world.crash.arm(0)
                if rng.random() < 0.3:
                    world.work(*rng.choice(given_))
                continue
            break
    assert_counted_once(world, given_)


@settings(max_examples=15)
@given(objects(), st.randoms(use_true_random=False))
def test_two_loads_of_the_same_hours_at_once_lose_nothing(given_: Records, rng: random.Random) -> None:
    world, waiting = StreamWorld(), Records()

    def intrude() -> None:
        world.crash.on_write = None
        work(rng.choice(given_))
        world.crash.on_write = intrude

    def work(group: list[dict[str, Any]]) -> None:
        try:
            world.work(*group)
        except Throttled:
            waiting.append(group)

    world.crash.on_write = intrude
    for group in given_:
        work(group)
    world.crash.on_write = None
    for group in waiting:
        world.work(*group)
    assert_counted_once(world, given_)
