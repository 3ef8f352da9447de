"""Changes files: any earlier state can be read again, and every difference that readers saw is told."""

from __future__ import annotations

import gzip
import io
import random
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.metrics import Grain, Level, Mark, Series, Slot, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Cause
from adweir.model.times import Window
from adweir.store.metrics.buckets import LISTS, Raw, prefix
from adweir.store.metrics.changes import PREFIX, ChangedSlot, ChangesKey, ItemImage, after, folder, read_changes
from support.brought import DECIDED_DAYS, level_and_totals
from support.crash import Killed
from support.metric_store import VOLATILE, Brought, StoreWorld, numbers, seen

FIRST, LAST = DECIDED_DAYS[0], DECIDED_DAYS[-1]
DAY = "2026-11-01"
ADS = Series(Platform("amazon_ads"), "p1", Level.AD, Grain.DAY)
SERIES = [ADS, ADS._replace(level=Level.ACCOUNT)]
Items = dict[tuple[str, str], Raw]


def stable(items: Items) -> Items:
    """Items without what says that a load is under way, without coverage that says nothing else, and without lists."""
    left_out = {*VOLATILE, "loading"}
    kept = {key: item for key, item in items.items() if not key[1].startswith(LISTS)}
    found = {key: {n: v for n, v in item.items() if n not in left_out} for key, item in kept.items()}
    return {key: item for key, item in found.items() if item.keys() != {"pk", "sk", "cov"} or item["cov"]["M"]}


def as_it_was(world: StoreWorld, moment: datetime) -> Items:
    """The pulled items as they were at a moment: those of now, behind the images in each earliest file after it."""
    found = dict(world.table.items)
    done: set[tuple[str, str]] = set()
    for series in SERIES:
        for suffix in ("2026-10", "2026-11"):
            pk = f"{prefix(series, Source.PULL)}#{suffix}"
            for entry in world.objects.list(folder(series, suffix), after(series, suffix, moment)):
                assert ChangesKey.parse(entry.key).at > moment
                for line in lines(world, entry.key):
                    if isinstance(line, ItemImage) and (pk, line.item) not in done:
                        done.add((pk, line.item))
                        found.pop((pk, line.item), None)
                        if line.was is not None:
                            found[pk, line.item] = line.was
    return found


def lines(world: StoreWorld, key: str) -> list[ChangedSlot | ItemImage]:
    return list(read_changes(io.BytesIO(world.objects.objects[key]))[1])


@settings(max_examples=100, deadline=None)
@given(level_and_totals, st.randoms(use_true_random=False))
def test_every_earlier_state_can_be_read_again_also_those_that_a_killed_load_left(
    pulls: tuple[Brought, ...], rng: random.Random
) -> None:
    # given loads in any order, some of them killed and repeated, and what was stored after each
    world, moments = StoreWorld(), list[tuple[datetime, Items]]()
    for pull in rng.choices(pulls, k=2 * len(pulls)):
        world.clock.advance(1)
        world.crash.arm(rng.choice([0, 0, rng.randint(1, 12)]), after=rng.random() < 0.5)
        try:
            world.load(pull)
        except Killed:
            world.leases.expire()
        moments.append((world.clock.now(), stable(world.table.items)))
    # then each of them is what the files say about its moment
    for moment, items in moments:
        assert stable(as_it_was(world, moment)) == items


@settings(max_examples=100, deadline=None)
@given(level_and_totals, st.randoms(use_true_random=False))
def test_the_changes_one_after_another_are_what_readers_saw(pulls: tuple[Brought, ...], rng: random.Random) -> None:
    # given loads in any order
    world, known = StoreWorld(), dict[tuple[str, str], tuple[Slot, Mark]]()
    shuffled = [*pulls, *rng.choices(pulls, k=2)]
    rng.shuffle(shuffled)
    for pull in shuffled:
        before = set(world.objects.objects)
        world.load(pull)
        # when its files are applied to what was seen before
        for key in sorted(set(world.objects.objects) - before):
            if key.startswith(f"{PREFIX}amazon_ads/p1/ad/"):
                for line in lines(world, key):
                    if isinstance(line, ChangedSlot):
                        assert known.pop((line.entity_id, line.day), (None, Mark.NONE)) == (line.old, line.old_mark)
                        if line.new is not None:
                            known[line.entity_id, line.day] = (line.new, line.new_mark)
        # then it is what is seen now
        assert known == seen(world.store, FIRST, LAST)


def ads(number: int, *values: tuple[str, int], **facts: Any) -> Brought:
    spends = {(entity, DAY): spend for entity, spend in values}
    return Brought(number, (DAY, DAY), spends, has_totals=True, **facts)


def told(world: StoreWorld, pull: Brought) -> list[ChangedSlot]:
    """The changes that loading a pull tells."""
    keys = world.load(pull).changes_keys
    return [line for key in keys for line in lines(world, key) if isinstance(line, ChangedSlot)]


def test_a_total_that_flips_the_verdict_is_the_cause() -> None:
    # given a kept ad
    world = StoreWorld()
    world.load(ads(2, ("a1", 10), ("b1", 20)))
    (kept,) = told(world, ads(4, ("a1", 10)))
    assert (kept.entity_id, kept.old_mark, kept.new_mark, kept.cause) == ("b1", Mark.NONE, Mark.KEPT, Cause.PULL)
    assert kept.old == kept.new == numbers(20)
    # when the account's total drops it
    total = Brought(6, (DAY, DAY), {("p1", DAY): 10}, level=Level.ACCOUNT)
    gone = next(line for line in told(world, total) if line.entity_id == "b1")
    # then that is why
    assert (gone.old_mark, gone.new, gone.new_mark, gone.cause) == (Mark.KEPT, None, Mark.NONE, Cause.TOTAL)


def test_a_replay_replaces_its_own_pull_and_nothing_newer() -> None:
    # given a pull of two days, and a newer one of the second
    world = StoreWorld()
    first = Brought(2, ("2026-11-01", "2026-11-02"), {("a1", "2026-11-01"): 1, ("a1", "2026-11-02"): 1})
    world.load(first)
    world.load(Brought(4, ("2026-11-02", "2026-11-02"), {("a1", "2026-11-02"): 2}))
    # when the first is loaded again under other options
    again = Brought(
        2, first.window, dict.fromkeys(first.values, 7), load=1763700000, cause=Cause.OPTIONS, definition="leads"
    )
    outcome = world.load(again)
    # then it replaces its own numbers, in a file of its own, and coverage remembers how it counted
    assert {day: slot[1] for (_, day), slot in _slots(world).items()} == {"2026-11-01": 7, "2026-11-02": 2}
    (key,) = outcome.changes_keys
    assert key.endswith(".pull.task0002.0.1763700000.jsonl.gz")
    (line,) = [line for line in lines(world, key) if isinstance(line, ChangedSlot)]
    assert (line.old, line.new, line.cause) == (numbers(1), numbers(7), Cause.OPTIONS)
    days = world.store.days(ADS, Window(date(2026, 11, 1), date(2026, 11, 2)))
    assert [days[day].slices["all"].definition for day in sorted(days)] == ["leads", ""]
    assert [row.definition for row in world.rows("2026-11-01")] == ["leads"]
    # and the first load, delivered again, changes nothing
    assert world.load(first).write_units == 0


def _slots(world: StoreWorld) -> dict[tuple[str, str], Slot]:
    return {key: slot for key, (slot, _) in seen(world.store, FIRST, LAST).items()}


def test_a_load_that_was_stopped_tells_all_its_files_when_it_comes_again() -> None:
    # given a load killed in the middle of its items
    world = StoreWorld()
    pull = ads(2, ("a1", 10), ("a2", 20), ("b1", 30), ("b2", 40))
    world.crash.arm(3)
    with pytest.raises(Killed):
        world.load(pull)
    world.leases.expire()
    (first,) = world.objects.objects
    world.clock.advance(60)
    # when it comes again, then it tells both files, and the second names the first
    outcome = world.load(pull)
    assert outcome.changes_keys[0] == first
    header, _ = read_changes(io.BytesIO(world.objects.objects[outcome.changes_keys[1]]))
    assert header.continues == (first,)
    assert outcome.slots_changed == 4
    # and when it comes once more, because nobody was told, then it tells both again
    assert world.load(pull).changes_keys == outcome.changes_keys


def test_a_slice_that_is_not_applicable_changes_coverage_and_says_so() -> None:
    world = StoreWorld()
    world.store.skip(Brought(2, (DAY, DAY), {}, slice="sd", complete=False).pull)
    (key,) = world.objects.objects
    assert lines(world, key) == [ItemImage("!coverage", None)]
    assert gzip.decompress(world.objects.objects[key]).startswith(b'{"format":1,')


def test_the_time_of_a_key_is_read_back_and_grows_though_a_clock_goes_back() -> None:
    # given a load, and another one by a worker whose clock is behind
    world = StoreWorld()
    (first,) = world.load(ads(2, ("a1", 10))).changes_keys
    world.clock.advance(-30)
    (second,) = world.load(ads(4, ("a1", 11))).changes_keys
    # then its file comes later all the same
    assert first < second
    assert ChangesKey.parse(first).at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert ChangesKey.parse(second).at > ChangesKey.parse(first).at
    assert str(ChangesKey.parse(second)) == second
    assert ChangesKey.parse(second).source is Source.PULL
