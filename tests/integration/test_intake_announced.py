"""From a platform's list of changes to runs that pull the changed campaigns again."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.events import QualityBreached
from adweir.model.messages import StartRun
from adweir.model.platforms import Platform
from support.clock import FrozenClock
from support.google_wire import page
from support.load_world import LoadWorld

GOOGLE_ADS = Platform("google_ads")


class GoogleWorld(LoadWorld):
    platform = GOOGLE_ADS


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return GoogleWorld(clock, "adweir-data")


def change(campaign: str = "111", day: int = 20) -> dict[str, Any]:
    named = {"campaign": f"customers/1/campaigns/{campaign}"} if campaign else {}
    about = {"lastChangeDateTime": f"2026-11-{day} 12:00:00.000000", "resourceType": "CAMPAIGN", **named}
    return {"changeStatus": about}


def started(world: LoadWorld) -> list[StartRun]:
    return [message for message in world.queues.runs.take() if isinstance(message, StartRun)]


def load(world: LoadWorld, *rows: dict[str, Any], run_id: str = "r") -> str:
    return world.pull(world.plan(Dataset.CHANGES, None, run_id), page(list(rows)))


def test_a_changed_campaign_is_pulled_again_once_per_change(world: LoadWorld) -> None:
    # given a campaign that changed, of which the platform tells each hour
    for run_id in ("r1", "r2"):
        assert load(world, change(), run_id=run_id) == "loaded"
    first, second = started(world)
    # then its objects are pulled, in one run: the same id twice is one
    assert first.run_id == second.run_id
    assert (first.workflow, first.trigger, first.scope.slice) == ("repull", "changes", "campaign=111")
    assert (first.scope.accounts, first.scope.profiles) == (("acme",), ("1",))
    assert {"campaigns", "ad_groups", "ads", "keywords", "negatives"} <= set(first.scope.datasets)
    # when it changes once more
    load(world, change(day=21), run_id="r3")
    # then that is another run
    (third,) = started(world)
    assert third.run_id != first.run_id


def test_a_change_without_a_campaign_has_the_ad_account_pulled(world: LoadWorld) -> None:
    load(world, change(""), change("7"))
    assert [run.scope.slice for run in started(world)] == ["all"]


def test_nothing_is_stored_or_removed_by_a_list_of_changes(world: LoadWorld) -> None:
    stored = world.catalog.profile(GOOGLE_ADS, "1")
    assert load(world, change(), {"changeStatus": {}}) == "loaded"
    assert world.catalog.profile(GOOGLE_ADS, "1") == stored
    assert [type(event) for event in world.bus.events] == [QualityBreached]
    assert [info.key for info in world.raw.list("quarantine/")] != []
