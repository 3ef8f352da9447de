"""Files, pushes and pulls that broke off: readers find them, their counts are whole, their changes are in order."""

from __future__ import annotations

from datetime import date

import pytest

from adweir.model.errors import NotReady
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.store.metrics.coverage import COVERAGE
from support.metric_store import PARENTS, Brought, StoreWorld

DAY = "2026-11-01"
FOUR = {(entity, DAY): 10 for entity in ("a1", "a2", "b1", "b2")}


def stopping(world: StoreWorld, load: Brought) -> tuple[int, list[str]]:
    """Load with so little time that several attempts are needed; how many slots changed, and the changes files."""
    world.crash.on_write = lambda: world.clock.advance(10)
    for attempt in range(1, 20):
        try:
            until = world.clock.monotonic() + 25
            outcome = world.store.load(load.pull, load.rows(), accept_vanish=True, until=until)
        except NotReady:
            continue
        assert attempt > 1, "it was not stopped"
        world.crash.on_write = None
        return outcome.slots_changed, list(outcome.changes_keys)
    pytest.fail("the load never ends")


@pytest.mark.parametrize("source", [Source.FILE, Source.PUSH, Source.PULL])
def test_rows_that_an_earlier_version_stored_without_coverage_are_read_once_they_are_loaded_again(
    source: Source,
) -> None:
    world = StoreWorld()
    load = Brought(2, (DAY, DAY), {("a1", DAY): 10}, source=source, complete=False)
    world.load(load)
    for key in [key for key in world.table.items if key[1] == COVERAGE]:
        del world.table.items[key]

    world.load(load)

    assert [row.slot[3] for row in world.rows(DAY)] == [10]


@pytest.mark.parametrize("complete", [True, False])
def test_a_load_that_was_stopped_counts_what_each_attempt_changed_once(complete: bool) -> None:
    world, load = StoreWorld(), Brought(2, (DAY, DAY), FOUR, complete=complete)

    changed, keys = stopping(world, load)

    assert changed == 4
    assert sorted(keys) == sorted(world.objects.objects)
    # and when the message comes again
    assert world.load(load).slots_changed == 4


@pytest.mark.parametrize("source", [Source.FILE, Source.PULL])
def test_what_was_known_before_two_loads_is_nothing_also_when_the_second_worker_s_clock_is_behind(
    source: Source,
) -> None:
    world = StoreWorld()
    before = world.clock.now()
    world.clock.advance(60)
    for number, spend in ((2, 10), (4, 30)):
        world.load(Brought(number, (DAY, DAY), {("a1", DAY): spend}, source=source, complete=source is Source.PULL))
        world.clock.advance(-1)

    day = Window(date.fromisoformat(DAY), date.fromisoformat(DAY))
    known = world.store.known_at(before)
    assert list(known.read(Series(Platform("amazon_ads"), "p1", Level.AD, Grain.DAY), day)) == []


@pytest.mark.parametrize("complete", [True, False])
def test_a_load_that_was_stopped_counts_the_same_when_another_one_came_between(complete: bool) -> None:
    # given a load that is stopped after half of its writes
    world, load = StoreWorld(), Brought(2, (DAY, DAY), FOUR, complete=complete)
    world.crash.on_write = lambda: world.clock.advance(10)
    with pytest.raises(NotReady):
        world.store.load(load.pull, load.rows(), accept_vanish=True, until=world.clock.monotonic() + 35)
    world.crash.on_write = None
    assert 0 < len([key for key in world.table.items if key[1] in PARENTS]) < 4
    # when another one stores something in the partition before it goes on
    world.load(Brought(4, (DAY, DAY), {("c1", DAY): 7}, complete=False))
    # then it counts each slot once
    outcome = world.load(load)
    assert outcome.slots_changed == 4
    assert len(outcome.changes_keys) == 2
    assert world.load(load).slots_changed == 4
