"""Quarantined rows hold an entity's day; of its hours the newest pull may have brought the others."""

from __future__ import annotations

from itertools import permutations

from adweir.model.metrics import Grain, Level, Mark, Series, Source
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.brought import PullRows
from support.metric_store import StoreWorld
from support.reading_world import DAY, LOSSY, ReadingWorld, campaign

HOURS = Series(LOSSY, "p1", Level.CAMPAIGN, Grain.HOUR)
WINDOW = Window.parse(DAY)


def pulled(number: int, spends: dict[int, int], bad: bool, load: int = 0) -> tuple[Pull, PullRows]:
    """A complete pull of a campaign's hours, one of which may be quarantined."""
    rows = PullRows()
    for hour, spend in spends.items():
        rows.offer(campaign("c1", spend, hour=hour))
    if bad:
        rows.quarantined("c1", DAY)
        rows.adjusting.quarantine(DAY, ("c1", "c1", "", "", "USD"), (0, 0, 0, 7_000_000, 0))
    stamp = Stamp(f"2026-11-19T{number:02d}:00:00.000000Z", f"t{number}", load)
    pull = Pull(LOSSY, "p1", Level.CAMPAIGN, Grain.HOUR, Source.PULL, "all", WINDOW, stamp, complete=True)
    return pull, rows


def read(world: StoreWorld) -> dict[int, tuple[int | None, Mark]]:
    return {row.hour: (row.slot[3], row.mark) for row in world.store.read(HOURS, WINDOW)}


def test_only_the_hours_that_the_newest_pull_could_not_store_are_held() -> None:
    # given two hours, of which the next pull restates one and has a bad row for the other
    world = StoreWorld()
    world.store.load(*pulled(1, {1: 10, 2: 20}, bad=False))
    world.store.load(*pulled(2, {1: 11}, bad=True))
    # then the restated one is as new as any, and the other is the older number
    assert read(world) == {1: (11_000_000, Mark.NONE), 2: (20_000_000, Mark.HELD)}


def test_what_was_sent_by_hour_adds_up_beside_a_quarantined_hour() -> None:
    world = ReadingWorld()
    for number, spends in ((1, {1: 10, 2: 20}), (2, {1: 11})):
        world.store.load(*pulled(number, spends, bad=number == 2))
    (found,) = world.report("campaign", "hour").adjustments
    terms = {term: number for term, number in found["spend"].items() if number}
    assert terms == {"shown": 31, "raw": 11 + 7, "held": 20, "quarantined": 7}


def test_pulls_that_quarantined_different_hours_end_alike_in_any_order() -> None:
    # given two pulls and a replay, each with a bad row, that brought different hours
    loads = [pulled(1, {1: 10, 3: 30}, bad=True), pulled(2, {2: 21}, bad=True), pulled(2, {2: 22}, bad=True, load=5)]
    states = []
    for order in permutations(loads):
        world = StoreWorld()
        for load in order:
            world.store.load(*load)
        states.append((world.table.state(), read(world)))
    # then each order ends in the same hours
    assert all(state == states[0] for state in states)
    assert states[0][1] == {
        1: (10_000_000, Mark.HELD),
        2: (22_000_000, Mark.NONE),
        3: (30_000_000, Mark.HELD),
    }
