"""What was learned may be damaged in the store: `detect` learns it anew; and what it does not keep is said."""

from __future__ import annotations

import json
import random

import pytest

from adweir.insight.anomalies.watched import EntityState
from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.store.findings.anomalies import EntityItem, WatchItem
from support.anomalies import SPIKE, WatchedDays, WatchedWorld, spiked
from support.clock import FrozenClock


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> WatchedWorld:
    return WatchedWorld(clock)


def put_text(world: WatchedWorld, entity: str, text: str) -> None:
    key = f"watched#{world.days.watcher.key}"
    EntityItem(key, entity).update([EntityItem.text.set(text)])


@pytest.mark.parametrize("entity", ["account#1", "campaign#c1"])
@pytest.mark.parametrize("text", ["", "{", "[]", '{"through":"x"}'])
def test_given_a_damaged_state_when_the_next_day_settles_then_all_is_learned_anew_and_nothing_is_lost(
    world: WatchedWorld, clock: FrozenClock, entity: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    spiked(world.days, (0.1, 0.1, 0.1, 0.1))
    whole = WatchedWorld(clock, spiked(WatchedDays(), (0.1, 0.1, 0.1, 0.1)))
    whole.days.watcher = whole.days.watcher._replace(profile_id="2")
    whole.look()
    world.look(80)
    before = [each.id for each in world.incidents() if each.profile_id == "1"]
    put_text(world, entity, text)

    assert world.look(90) == 90

    assert world.states() == whole.states()
    assert [each.id for each in world.incidents() if each.profile_id == "1"] == before
    assert "all of meta_ads#1 is learned anew: this is no state of an entity" in caplog.text
    assert world.look(90) == 0


def test_given_a_mark_that_cannot_be_read_when_detect_looks_then_all_is_learned_anew(
    world: WatchedWorld, clock: FrozenClock
) -> None:
    """Its number of changes stays, so that the new one may replace it, and its states replace the older ones."""
    world.look(60)
    world.days.deliver(3, dict.fromkeys(world.days.numbers[min(world.days.numbers)], 0.0))
    world.look(70)
    WatchItem(f"watched#{world.days.watcher.key}", "!watch").update([WatchItem.body.set("no mark")])

    assert world.look(90) == 90

    assert world.store.watches.get("meta_ads#1").through == "2026-10-29"
    assert {json.loads(text)["through"] for text in world.states().values()} == {"2026-10-29"}
    assert world.look(90) == 0


def test_a_state_that_anybody_changed_anywhere_is_no_state(world: WatchedWorld) -> None:
    """Given the text of a state, when one character of it is another one, then it is not taken for a state."""
    world.look()
    text = world.states()["account", "1"]
    assert EntityState.from_json(text).to_json() == text

    rng = random.Random(1)
    for place in rng.sample(range(len(text)), 300):
        other = rng.choice([one for one in '0123456789-.e,[]{}"' if one != text[place]])
        with pytest.raises(BadInput, match="this is no state of"):
            EntityState.from_json(text[:place] + other + text[place + 1 :])


def test_incidents_of_a_day_that_are_not_kept_are_counted_logged_and_said(
    world: WatchedWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Given two campaigns of which one rises and one falls, when one incident of a day is kept, then it is the
    furthest off, and the other is counted."""
    monkeypatch.setattr(limits, "MAX_ANOMALIES_PER_DAY", 1)
    spiked(world.days, (1.0, 1.0, 4.0, 0.0))

    world.look(SPIKE + 2)

    (kept,) = world.incidents()
    assert (kept.entity_id, kept.left_out) == ("c3", 1)
    assert world.kept is not None
    assert world.kept.left_out == 1
    assert "1 incidents of meta_ads#1 are not kept: at most 1 begin on one day" in caplog.text
    assert world.bus.events[0].reason.endswith(
        "Not kept: 1 more incident of the ad account that began on 2026-09-30, less far off."
    )
