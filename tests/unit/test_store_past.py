"""What was known when: a read as of a moment answers what the same read answered then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.errors import TooLarge
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Cause
from adweir.model.times import Window
from adweir.store.metrics import past as past_module
from adweir.store.metrics.store import MetricStore, Only
from support.bounds import at_the_bound, refuses
from support.metric_store import Brought, StoreWorld

OCTOBER, NOVEMBER = ("2026-10-28", "2026-10-31"), ("2026-10-30", "2026-11-02")
WINDOW = Window(date(2026, 10, 28), date(2026, 11, 2))
ADS = Series(Platform("amazon_ads"), "p1", Level.AD, Grain.DAY)

entities = st.sampled_from(["a1", "a2", "b1"])
loads = st.builds(
    Brought,
    number=st.integers(0, 19),
    window=st.sampled_from([OCTOBER, NOVEMBER]),
    values=st.dictionaries(st.tuples(entities, st.sampled_from(["2026-10-30", "2026-10-31"])), st.integers(1, 9)),
    bad=st.frozensets(st.tuples(entities, st.just("2026-10-30")), max_size=1),
    slice=st.sampled_from(["all", "sp", "campaign=c1"]),
    complete=st.booleans(),
    source=st.sampled_from([Source.PULL, Source.PULL, Source.FILE]),
)


def answers(store: Any) -> tuple[Any, ...]:
    """Everything that a reader can ask."""
    rows = list(store.read(ADS, WINDOW, overridden=True))
    return rows, store.days(ADS, WINDOW), list(store.adjusted(ADS, WINDOW))


def pause(world: StoreWorld) -> datetime:
    """A moment at which no load runs."""
    world.clock.advance(60)
    moment = world.clock.now()
    world.clock.advance(60)
    return moment


@settings(deadline=None)
@given(st.lists(loads, max_size=8))
def test_every_moment_is_answered_as_it_was_then(pulls: Sequence[Brought]) -> None:
    world = StoreWorld()
    then = [(pause(world), answers(world.store))]
    for pull in pulls:
        world.load(pull)
        then.append((pause(world), answers(world.store)))
    for moment, expected in then:
        assert answers(world.store.known_at(moment)) == expected


def test_a_single_entity_is_answered_as_it_was_then() -> None:
    world = StoreWorld()
    world.load(Brought(1, OCTOBER, {("a1", "2026-10-30"): 5, ("a2", "2026-10-30"): 7}))
    moment = pause(world)
    world.load(Brought(2, OCTOBER, {("a1", "2026-10-30"): 6}))

    past = world.store.known_at(moment)
    found = {row.entity_id: row.slot[3] for row in past.read(ADS, WINDOW, only=Only(own=frozenset({"a1", "a2", "b1"})))}
    assert found == {"a1": 5, "a2": 7}


def test_what_changed_since_a_moment_has_old_new_lag_and_cause() -> None:
    world = StoreWorld()
    world.load(Brought(1, OCTOBER, {("a1", "2026-10-30"): 5}))
    moment = pause(world)
    world.load(Brought(2, OCTOBER, {("a1", "2026-10-30"): 6, ("a2", "2026-10-31"): 1}))
    between = pause(world)
    world.load(Brought(4, OCTOBER, {("a1", "2026-10-30"): 8, ("a2", "2026-10-31"): 1}))

    def spends(since: datetime, until: datetime) -> list[tuple[str, int | None, int | None, int, str]]:
        found = world.store.changed(ADS, WINDOW, since, until)
        return [
            (each.slot.entity_id, each.slot.old and each.slot.old[3], each.slot.new and each.slot.new[3],
             each.slot.lag, each.slot.cause)
            for each in found
        ]  # fmt: skip

    now = pause(world)
    assert spends(moment, now) == [
        ("a1", 5, 6, 21, Cause.PULL),
        ("a2", None, 1, 20, Cause.PULL),
        ("a1", 6, 8, 21, Cause.PULL),
    ]
    assert spends(between, now) == [("a1", 6, 8, 21, Cause.PULL)]
    assert spends(moment, between) == spends(moment, now)[:2]
    assert spends(now, now + timedelta(days=1)) == []


def changed_often(times: int) -> tuple[MetricStore, datetime]:
    """A store whose one row was changed so many times since a moment."""
    world = StoreWorld()
    moment = pause(world)
    first = Brought(1, OCTOBER, {("a1", "2026-10-30"): 1})
    for number in range(times):
        as_of = (datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=number)).isoformat()
        world.load(replace(first, number=number, values={("a1", "2026-10-30"): 1 + number}, as_of=as_of))
        world.clock.advance(1)
    return world.store, moment


@at_the_bound("MAX_CHANGES_FILES", as_if=5)
def test_the_bound_of_the_loads_that_are_undone(size: int, fits: bool) -> None:
    store, moment = changed_often(size)
    for ask in (
        lambda: list(store.known_at(moment).read(ADS, WINDOW)),
        lambda: list(store.changed(ADS, WINDOW, moment, moment + timedelta(days=9))),
    ):
        with refuses(TooLarge, fits=fits):
            ask()


@at_the_bound("MAX_PAST_ITEMS", as_if=4)
def test_the_bound_of_the_items_that_are_undone(size: int, fits: bool) -> None:
    world = StoreWorld()
    moment = pause(world)
    items = size - 1  # coverage is an item, too
    world.load(Brought(1, OCTOBER, {(f"a{number}", "2026-10-30"): 1 for number in range(items)}))
    with refuses(TooLarge, fits=fits):
        list(world.store.known_at(moment).read(ADS, WINDOW))


def past_answers(store: Any, between: Callable[[], None]) -> tuple[Any, ...]:
    """`answers`, with something happening before each row that is read."""
    rows = []
    for row in store.read(ADS, WINDOW, overridden=True):
        rows.append(row)
        between()
    between()
    days = store.days(ADS, WINDOW)
    between()
    return rows, days, list(store.adjusted(ADS, WINDOW))


@settings(deadline=None)
@given(st.lists(loads, min_size=1, max_size=4), st.lists(loads, max_size=12), st.sampled_from([1, 2, 1000]))
def test_loads_while_a_moment_is_read_change_nothing(
    before: Sequence[Brought], meanwhile: list[Brought], part: int
) -> None:
    # given what was answered at a moment
    world = StoreWorld()
    for pull in before:
        world.load(pull)
    moment, expected = pause(world), answers(world.store)
    past = world.store.known_at(moment)

    def load() -> None:
        if meanwhile:
            world.clock.advance(60)
            world.load(meanwhile.pop())

    # when it is asked for again and again while other pulls are loaded
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past_module, "_PART", part)
        found = [past_answers(past, load) for _ in range(3)]
    # then each answer is the one that was given then
    assert found == [expected] * 3
