"""Users' workflows of two joined branches, of which one failed in part while workers were killed.

Their runs were begun before other stories. What was closed to them is opened here, and what they lack is pulled.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from support.joined_stories import CLOSED, Joined
from support.river import Client, River, adweir
from support.slow_stories import Begun


@pytest.fixture
def joined(begun: Begun) -> Joined:
    return begun.joined


def test_given_half_of_a_branch_that_fails_when_half_is_enough_then_what_joins_the_branches_runs(
    river: River, joined: Joined
) -> None:
    """Given by the API; the worker died that pulled the other half."""
    run = river.ended(joined.by_api, "partial")

    stages = counts(run)
    assert stages == {"days": ("ended", 2, 4), "reports": ("ended", 3, 3), "ads": ("ended", 3, 3)}
    failed = [(task["stage"], task["profile_id"], task["error"]["code"]) for task in run["failed_tasks"]]
    assert failed == [("days", joined.lumen.meta, CLOSED)] * 2
    assert run["result"]["error"] == "2 of 10 tasks did not load"
    tasks = river.api.get(f"/api/v1/runs/{run['run_id']}/tasks", limit=200)["tasks"]
    pulls = [task for task in tasks if (task["stage"], task["profile_id"]) == ("days", joined.kestrel.meta)]
    assert max(pull["attempts"] for pull in pulls) > 1, "no pull was broken off"
    begun = {stage["name"]: stage["started_at"] for stage in run["stages"]}
    ended = [stage["ended_at"] for stage in run["stages"] if stage["name"] != "ads"]
    assert begun["days"] == begun["reports"] <= max(ended) <= begun["ads"]
    assert_whole(river, joined.kestrel, joined.day, joined.day)
    assert river.stored(joined.lumen.meta, joined.day, joined.day) == {}


def test_given_half_of_a_branch_that_fails_when_more_is_needed_then_what_joins_the_branches_is_left_out(
    river: River, joined: Joined
) -> None:
    """Given by the command line; the worker died that had the run's start."""
    run = river.ended(joined.by_command, "partial")

    stages = counts(run)
    state, done, total = stages["days"]
    assert state == "ended"
    assert 0 < done < total
    assert {task["profile_id"] for task in run["failed_tasks"]} == {joined.lumen.meta}
    assert is_whole(stages["accounts"])
    assert is_whole(stages["objects"])
    assert stages["totals"] == ("left_out", 0, 0)
    assert run["reason"] == (
        f"stage days: {done} of {total} tasks loaded; stage totals was left out: it comes after days, which failed"
    )
    late = datetime.fromisoformat(run["started_at"]) - datetime.fromisoformat(run["scheduled_at"])
    assert late > timedelta(seconds=20), "nobody died over its start"


def test_given_a_branch_that_failed_when_its_cause_is_gone_then_a_redrive_also_begins_what_was_left_out(
    river: River, joined: Joined
) -> None:
    kestrel, lumen = joined.kestrel, joined.lumen
    river.world.post("switches", {"clear": CLOSED})
    scope = {"accounts": [lumen.account_id], "platforms": ["meta_ads"], "datasets": ["profiles"]}
    river.ended(river.api.post("/api/v1/workflows/daily/runs", {"scope": scope})["run_id"], "succeeded")

    for run_id in (joined.by_api, joined.by_command):
        river.redrive(run_id)
    result = adweir(river.home, "workflows", "result", joined.by_command, "--wait", "200")

    assert counts(river.ended(joined.by_api, "succeeded"))["days"] == ("ended", 4, 4)
    run = river.ended(joined.by_command, "succeeded")
    assert {name: is_whole(stage) for name, stage in counts(run).items()} == dict.fromkeys(counts(run), True)
    assert json.loads(result) == run["result"]
    assert river.holds(lumen.meta, joined.day, joined.day)
    for client in (kestrel, lumen):
        assert_whole(river, client, river.day(21), river.day(2))


def counts(run: dict[str, Any]) -> dict[str, tuple[str, int, int]]:
    """By stage: its state, how many of its tasks are done, and how many there are."""
    return {stage["name"]: (stage["state"], stage["done"], stage["total"]) for stage in run["stages"]}


def is_whole(stage: tuple[str, int, int]) -> bool:
    """Whether a stage has ended with all of its tasks done."""
    state, done, total = stage
    return state == "ended" and done == total > 0


def assert_whole(river: River, client: Client, *days: str) -> None:
    """What is stored of a client from one day to another is the platforms' own."""
    pulled = {client.meta: ("ad", "account")} | ({client.amazon: ("campaign",)} if client.amazon else {})
    for profile_id, names in pulled.items():
        truth = river.totals(profile_id, *days)
        assert {level: river.summed(profile_id, level, *days) for level in names} == dict.fromkeys(names, truth)
        assert truth
