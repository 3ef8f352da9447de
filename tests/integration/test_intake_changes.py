"""Changes files from the outside: each group of a drop has its own, and a killed worker's changes are told."""

from __future__ import annotations

import io
from collections import defaultdict

import pytest

from adweir.model.entities import Profile
from adweir.model.times import iso
from adweir.store.metrics.changes import ChangedSlot, read_changes
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.load_world import META, LoadWorld, insights


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


def told(world: LoadWorld) -> dict[str, list[str]]:
    """Profile → the entities whose changes its events name."""
    found: dict[str, list[str]] = defaultdict(list)
    for event in world.bus.events:
        for key in event.changes_keys:
            header, lines = read_changes(io.BytesIO(world.raw.get_bytes(key)))
            assert header.profile_id == event.profile_id
            found[event.profile_id] += [line.entity_id for line in lines if isinstance(line, ChangedSlot)]
    return found


def test_each_profile_of_a_drop_has_its_changes_file(world: LoadWorld, clock: FrozenClock) -> None:
    other = Profile(account_id="acme", platform=META, profile_id="2", name="n", currency="USD", timezone="UTC")
    world.catalog.put_objects([other], iso(clock.now()))
    lines = ["platform,profile_id,level,date,entity_id,impressions,clicks,spend"]
    lines += ["meta,1,campaign,2026-11-18,7,10,1,1.00", "meta,2,campaign,2026-11-18,9,20,2,2.00"]
    world.arrive("drops/acme/a.csv", "\n".join(lines).encode())
    assert told(world) == {"1": ["7"], "2": ["9"]}


def test_what_a_killed_worker_changed_is_told_when_its_message_comes_again(
    world: LoadWorld, clock: FrozenClock
) -> None:
    # given a worker that dies before it says what it changed
    key = world.land(world.plan(), insights(["1.00", "2.00"]))
    crash = Crash(1)
    crash.watch(world.bus, "publish")
    with pytest.raises(Killed):
        world.arrive(key)
    # when the message comes again, then it does
    clock.advance(1800)
    world.arrive(key)
    event = next(event for event in world.bus.events if event.name == "MetricsChanged")
    assert event.slots_changed == 2
    assert told(world) == {"1": ["8~0", "8~1"]}
