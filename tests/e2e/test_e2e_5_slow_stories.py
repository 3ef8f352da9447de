"""The results of the stories that last until a time-out, a deadline or a time; they were begun before all others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from support.river import River, until
from support.slow_stories import Begun

FOLLOWING = {"reconcile", "etl", "curate", "detect", "learn", "enrich", "features"}


def pulls_done(run: dict[str, Any]) -> int:
    """How many pulls of a run are done, without the work on the account that follows them."""
    return sum(int(stage["done"]) for stage in run["stages"] if stage["name"] not in FOLLOWING)


def test_given_a_worker_killed_while_it_starts_a_run_then_the_run_still_ends(river: River, begun: Begun) -> None:
    story = begun.killed_planner
    assert pulls_done(river.ended(story.run_id, "succeeded")) == 1
    assert river.holds(story.profile_id, story.start, story.end)


def test_given_a_message_that_vanished_then_the_sweep_sends_its_task_again(river: River, begun: Begun) -> None:
    story = begun.lost_message
    assert pulls_done(river.ended(story.run_id, "succeeded")) == 1
    assert river.holds(story.profile_id, story.start, story.end)


def test_given_a_worker_killed_in_the_middle_of_a_pull_then_another_one_finishes_it(river: River, begun: Begun) -> None:
    story = begun.killed_puller
    assert pulls_done(river.ended(story.run_id, "succeeded")) == 1
    assert river.holds(story.profile_id, story.start, story.end)
    asked = [request for request in river.requests() if request["path"].endswith(f"act_{story.profile_id}/insights")]
    assert len(asked) >= 2, "the pull was never broken off"


def test_given_a_worker_killed_in_the_middle_of_a_load_then_the_load_converges(river: River, begun: Begun) -> None:
    story = begun.killed_loader
    assert pulls_done(river.ended(story.run_id, "succeeded")) == 1
    assert river.holds(story.profile_id, story.start, story.end)


def test_given_one_ad_account_that_is_refused_everything_then_its_task_fails_at_its_deadline_and_the_others_load(
    river: River, begun: Begun
) -> None:
    throttled, mori = begun.throttled, river.clients["mori"]
    run = river.ended(throttled.run_id, "partial")
    (task,) = run["failed_tasks"]
    assert (task["profile_id"], task["state"], task["error"]["code"]) == (throttled.profile_id, "failed", "deadline")
    assert river.holds_product(mori.amazon, throttled.start, throttled.end, "sp")
    assert river.stored(throttled.profile_id, throttled.start, throttled.end) == {}

    river.world.post("switches", {"clear": "throttle"})
    river.redrive(throttled.run_id)
    river.ended(throttled.run_id, "succeeded")
    assert river.holds_product(throttled.profile_id, throttled.start, throttled.end, "sp")


def test_given_a_job_in_a_zone_of_quarter_hours_then_it_fired_when_it_said_and_started_one_run(
    river: River, begun: Begun
) -> None:
    until(lambda: river.api.get("/api/v1/jobs/soon")["last_fired"], "the job's first run")

    fired = river.api.get("/api/v1/jobs/soon")["last_fired"]
    assert fired["outcome"] == "started"
    run = river.ended(fired["run_id"], "succeeded")
    assert datetime.fromisoformat(run["scheduled_at"]) == begun.due.astimezone(UTC)
    assert run["trigger"] == "job:soon"
    found = [each["run_id"] for each in river.api.get("/api/v1/runs", limit=1000)["runs"]]
    assert [run_id for run_id in found if run_id.startswith("run_soon-")] == [fired["run_id"]]
    river.api.delete("/api/v1/jobs/soon")
    assert river.api.get("/api/v1/jobs")["jobs"] == []
