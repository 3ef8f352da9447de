"""One bad thing hurts itself alone: a run, an item, a task or a send that cannot be used, and what health says then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import boto3
import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign
from adweir.model.errors import RequestRejected, Unavailable, UnreadableItem
from adweir.model.messages import Message, RedriveCredential, StartRun, Sweep
from adweir.model.platforms import Platform
from adweir.model.runs import RunState, StageState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import epoch, iso
from adweir.pipeline.health import health
from adweir.store.catalog.items import Item
from adweir.store.ledger.rows import Row
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.pipeline import a_run, a_task
from support.pipeline_world import DAILY, HOURLY, PipelineWorld, run_to_end, state

pytestmark = pytest.mark.usefixtures("tables")
META = Platform("meta_ads")


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock)


def edit_item(pk: str, sk: str, **body: Any) -> None:
    """Make a catalog item what another version wrote."""
    item = Item.get(pk, sk)
    item.body = dict(item.body) | body
    item.save()


def edit_row(pk: str, sk: str, **body: Any) -> None:
    row = Row.get(pk, sk)
    row.body = dict(row.body) | body
    row.save()


def overdue(world: PipelineWorld, run_id: str, **fields: Any) -> Task:
    """A task past its deadline in an open run."""
    world.ledger.create_run(a_run(run_id, workflow="weekly", stage="metrics", stage_state=StageState.OPEN))
    task = a_task(run_id=run_id, deadline=epoch(world.clock.now()) - 1, **fields)
    world.ledger.plan(task)
    return task


def sweep(world: PipelineWorld, times: int = 1) -> None:
    for _ in range(times):
        world.clock.advance(300)
        world.handle(Sweep())


def faults(world: PipelineWorld) -> dict[str, Any]:
    part: dict[str, Any] = health(world.ledger, world.catalog, list, world.clock)["parts"]["faults"]
    return part


# --- the sweep


@pytest.mark.parametrize("fields", [{"workflow": "daily", "stage": "metrics"}, {"workflow": "forgotten"}])
def test_a_run_of_an_older_version_ends_and_does_not_stop_the_sweep_of_the_others(
    world: PipelineWorld, fields: dict[str, Any]
) -> None:
    # given a run whose stage or workflow this version does not have, and one with an overdue task behind it
    world.ledger.create_run(a_run("daily-old", **({"stage": "metrics", "stage_state": StageState.OPEN} | fields)))
    task = overdue(world, "weekly-new")

    sweep(world)

    assert world.state(task) is TaskState.FAILED
    run = world.ledger.get_run("daily-old")
    assert run is not None
    assert run.state is RunState.FAILED
    assert "unknown workflow" in run.reason or "has no stage" in run.reason
    assert not world.ledger.open_mark("daily-old")


def test_a_requested_stage_that_this_version_does_not_have_ends_its_run(world: PipelineWorld) -> None:
    world.ledger.create_run(a_run("daily-old", stage="metrics"))
    sweep(world)
    assert state(world, "daily-old") is RunState.FAILED


def test_a_run_that_cannot_be_read_is_named_and_the_others_are_swept(
    world: PipelineWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.ledger.create_run(a_run("daily-old"))
    edit_row("run#daily-old", "run", state="of another version")
    task = overdue(world, "weekly-new")

    with caplog.at_level("WARNING", logger="adweir.parts"):
        sweep(world)

    assert world.state(task) is TaskState.FAILED
    assert "run daily-old" in caplog.text
    part = faults(world)
    assert part["status"] == "degraded"
    assert "daily-old" in part["reason"]


def test_a_run_with_a_field_of_the_next_version_is_read(world: PipelineWorld) -> None:
    world.ledger.create_run(a_run("daily-new"))
    edit_row("run#daily-new", "run", priority=3)
    assert state(world, "daily-new") is RunState.RUNNING


def test_a_task_that_cannot_be_sent_does_not_stop_the_sweep(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run_id in ("a", "b"):
        world.ledger.create_run(a_run(run_id, workflow="weekly", stage="metrics", stage_state=StageState.OPEN))
        world.ledger.plan(a_task(run_id=run_id, profile_id=f"of-{run_id}"))
        world.ledger.plan(a_task(run_id=run_id, profile_id="2"))
    refuse_group(world, monkeypatch, "meta_ads#of-a")
    world.clock.advance(1800)

    world.handle(Sweep())

    assert sorted(world.collect.groups) == ["meta_ads#2", "meta_ads#2", "meta_ads#of-b"]
    assert "refused" in faults(world)["reason"]


def refuse_group(world: PipelineWorld, patch: pytest.MonkeyPatch, group: str) -> None:
    """SQS refuses the messages of one group."""
    send: Callable[..., None] = world.collect.send

    def refusing(message: Message, **options: Any) -> None:
        if options.get("group") == group:
            raise RequestRejected("SQS refused a message: InvalidParameterValue")
        send(message, **options)

    patch.setattr(world.collect, "send", refusing)


def test_a_fault_that_is_gone_leaves_the_health(world: PipelineWorld, clock: FrozenClock) -> None:
    world.ledger.create_run(a_run("daily-old"))
    edit_row("run#daily-old", "run", state="of another version")
    sweep(world)
    edit_row("run#daily-old", "run", state="running")
    clock.advance(3601)

    assert faults(world) == {"status": "healthy", "items": []}


# --- planning


def test_a_profile_that_cannot_be_read_is_named_and_the_others_are_pulled(world: PipelineWorld) -> None:
    world.found = ("1", "2")
    run_to_end(world)
    edit_item("profiles", "meta_ads#2", status="of another version")
    world.found = ("1",)

    run_to_end(world, DAILY.model_copy(update={"run_id": "next"}))

    assert {key for key, *_ in world.tasks("next")} == {"meta_ads#@acc-1", "meta_ads#1"}
    assert state(world, "next") is RunState.SUCCEEDED
    part = faults(world)
    assert part["status"] == "degraded"
    assert "profiles meta_ads#2" in part["reason"]
    edit_item("profiles", "meta_ads#2", status="active")
    assert faults(world)["status"] == "healthy"


def test_text_that_was_broken_in_the_console_hurts_its_item_alone(world: PipelineWorld) -> None:
    world.add_profile("1")
    world.add_profile("2")
    world.ledger.create_run(a_run("broken"))
    for model, key in ((Item, ("profiles", "meta_ads#2")), (Row, ("run#broken", "run"))):
        broken = {"pk": {"S": key[0]}, "sk": {"S": key[1]}, ":body": {"S": '{"platform": "meta_ads",'}}
        boto3.client("dynamodb").update_item(
            TableName=model.Meta.table_name,
            Key={name: broken[name] for name in ("pk", "sk")},
            UpdateExpression="SET body = :body",
            ExpressionAttributeValues={":body": broken[":body"]},
        )

    run_to_end(world, HOURLY)
    sweep(world)

    assert {task.profile_id for task in world.ledger.pulls("r")} == {"1"}
    assert "profiles meta_ads#2" in faults(world)["reason"]
    assert "run broken" in faults(world)["reason"]


def test_a_profile_with_a_field_of_the_next_version_is_pulled(world: PipelineWorld) -> None:
    world.add_profile("1")
    edit_item("profiles", "meta_ads#1", business_id="a field of the next version")
    run_to_end(world, HOURLY)
    assert ("meta_ads#1", "campaign_hourly", "2026-11-19..2026-11-20") in world.tasks("r")


def test_what_cannot_be_planned_fails_alone_and_says_why(world: PipelineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ("1", "2", "3"):
        world.add_profile(number)
    read = world.engine._planner._coverage

    def coverage(series: Any, days: Any) -> Any:
        if series.profile_id == "2":
            raise ValueError("a coverage item cannot be read")
        return read(series, days)

    monkeypatch.setattr(world.engine._planner, "_coverage", coverage)

    run_to_end(world, HOURLY)

    tasks = {task.profile_id: task for task in world.ledger.pulls("r")}
    assert {number: task.state for number, task in tasks.items()} == {
        "1": TaskState.LOADED,
        "2": TaskState.FAILED,
        "3": TaskState.LOADED,
    }
    assert tasks["2"].error == {"code": "unplannable", "message": "ValueError: a coverage item cannot be read"}
    assert state(world) is RunState.PARTIAL
    assert "planning of meta_ads#2 campaign_hourly" in faults(world)["reason"]


def test_a_profile_whose_options_are_not_what_they_should_be_fails_alone(world: PipelineWorld) -> None:
    world.add_profile("1")
    world.add_profile("2")
    edit_item("profiles", "meta_ads#2", options={"datasets": 7})
    world.specs[META][Dataset.CAMPAIGN_HOURLY] = on_request(world)

    run_to_end(world, HOURLY)

    (task,) = world.ledger.pulls("r")
    assert (task.profile_id, task.state) == ("2", TaskState.FAILED)
    assert task.error is not None
    assert "options cannot be read" in task.error["message"]
    assert "planning of meta_ads#2" in faults(world)["reason"]


def on_request(world: PipelineWorld) -> Any:
    world.specs[META] = dict(world.specs[META])
    return replace(world.specs[META][Dataset.CAMPAIGN_HOURLY], on_request=True)


@at_the_bound("MAX_STAGE_REQUESTS", as_if=3)
def test_a_run_whose_planning_always_fails_ends_and_says_so(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    # given a stage of which some tasks exist, and whose planning never comes to its end
    world.add_profile("1")

    def entries(*_: Any) -> Any:
        raise ZeroDivisionError

    world.handle(HOURLY)
    world.ledger.plan(a_task(run_id="r", profile_id="1"))
    monkeypatch.setattr(world.engine._planner, "entries", entries)

    for _ in range(size):
        for message in world.runs.take():
            with suppress(ZeroDivisionError):
                world.handle(message)
        sweep(world)

    run = world.ledger.get_run("r")
    assert run is not None
    assert (run.state is RunState.RUNNING) is fits
    if not fits:
        assert run.reason == "stage metrics was not planned although it was requested 3 times"
        assert {task.state for task in world.ledger.tasks("r")} == {TaskState.FAILED}
        assert not world.ledger.progress("r")[1]
        assert [event.state for event in world.bus.events] == ["failed"]


def test_storage_that_does_not_answer_is_no_fault_of_the_profile(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_profile("1")

    def coverage(*_: Any) -> Any:
        raise Unavailable("the table does not answer")

    monkeypatch.setattr(world.engine._planner, "_coverage", coverage)
    world.handle(HOURLY)
    with pytest.raises(Unavailable):
        world.handle(world.runs.take()[0])
    assert world.tasks("r") == {}


def test_a_task_that_cannot_be_sent_does_not_stop_planning(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("1", "2", "3"):
        world.add_profile(number)
    refuse_group(world, monkeypatch, "meta_ads#2")

    world.handle(HOURLY)
    world.handle(world.runs.take()[0])

    assert world.collect.groups == ["meta_ads#1", "meta_ads#3"]
    assert "refused" in faults(world)["reason"]


def test_parked_tasks_of_a_run_that_cannot_be_read_do_not_hold_back_the_others(world: PipelineWorld) -> None:
    for run_id in ("a", "b"):
        world.ledger.create_run(a_run(run_id, workflow="weekly", stage="metrics", stage_state=StageState.OPEN))
        world.ledger.plan(a_task(run_id=run_id))
        world.ledger.finish(run_id, a_task(run_id=run_id).id, 0, TaskState.PARKED)
    edit_row("run#a", "run", state="of another version")

    world.handle(RedriveCredential(account_id="acc-1", platform="meta_ads"))

    assert world.state(a_task(run_id="b")) is TaskState.PLANNED
    assert "run a" in faults(world)["reason"]


# --- reading


def test_lists_leave_out_what_cannot_be_read(world: PipelineWorld) -> None:
    world.add_profile("1")
    at = iso(world.clock.now())
    world.catalog.put_objects([AdCampaign(platform=META, profile_id="1", id=one) for one in ("7", "8")], at)
    world.add_credential("acc-2")
    edit_item("objects#meta_ads#1#campaigns", "7", status="of another version")
    edit_item("accounts", "acc-2", company_name=7)
    edit_item("credentials", "acc-2#meta_ads#default", version="no number")

    assert [found.id for found in world.catalog.objects(META, "1", Dataset.CAMPAIGNS)] == ["8"]
    found = world.catalog.find_objects(META, ["1"], Dataset.CAMPAIGNS, ["7", "8"])
    assert list(found) == ["8"]
    assert [one.account_id for one in world.catalog.accounts()] == ["acc-1"]
    assert [one.account_id for one in world.catalog.list_accounts()[0]] == ["acc-1"]
    assert [one.account_id for one in world.catalog.credentials()] == ["acc-1"]
    with pytest.raises(UnreadableItem):
        world.catalog.account("acc-2")


def test_a_listing_leaves_a_profile_alone_that_cannot_be_read(world: PipelineWorld) -> None:
    world.add_profile("1")
    edit_item("profiles", "meta_ads#1", status="of another version")
    world.clock.advance(1)

    world.add_profile("2")

    assert [profile.profile_id for profile in world.catalog.profiles()] == ["2"]


def test_a_run_counts_a_task_that_cannot_be_read_as_failed(world: PipelineWorld, clock: FrozenClock) -> None:
    for number in ("1", "2"):
        world.add_profile(number)
    world.handle(HOURLY)
    world.handle(world.runs.take()[0])
    lost, _ = (message.task_id for message in world.collect.messages)
    edit_row("run#r", f"task#{lost}", dataset="of another version")
    world.collect.messages = world.collect.messages[1:]
    world.drain()
    clock.advance(1801)

    sweep(world)
    world.drain()  # the stage after it

    run = world.ledger.get_run("r")
    assert run is not None
    assert (run.state, run.tasks_total, run.tasks_failed) == (RunState.PARTIAL, 2, 1)


def test_runs_are_listed_past_one_that_cannot_be_read(world: PipelineWorld) -> None:
    for number in range(3):
        world.ledger.create_run(a_run(f"run-{number}"))
        world.clock.advance(1)
    edit_row("run#run-1", "run", scope={"narrower": "in another version"})
    assert [run.run_id for run in world.ledger.list_runs()[0]] == ["run-2", "run-0"]


def test_a_part_of_the_health_that_fails_is_named_and_the_others_answer(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_profile("1")
    monkeypatch.setattr(world.ledger, "successes", lambda: iter([("meta_ads#1", "ad_daily", "t", "not a date")]))

    parts = health(world.ledger, world.catalog, list, world.clock)["parts"]

    assert parts["profiles"]["status"] == "unhealthy"
    assert "ValueError" in parts["profiles"]["reason"]
    assert parts["credentials"]["status"] == "healthy"


@at_the_bound("MAX_FAULTS_NAMED", as_if=3)
def test_how_many_faults_are_named(world: PipelineWorld, size: int, fits: bool) -> None:
    for number in range(size):
        world.add_profile(str(number))
        edit_item("profiles", f"meta_ads#{number}", status="of another version")
    part = faults(world)
    assert (len(part["items"]) == size) is fits
    assert part["status"] == "degraded"


def test_the_task_of_a_profile_that_cannot_be_read_fails_at_once(world: PipelineWorld) -> None:
    world.add_profile("1")
    edit_item("profiles", "meta_ads#1", status="of another version")
    with pytest.raises(UnreadableItem) as caught:
        world.catalog.profile(META, "1")
    assert "meta_ads#1" in caught.value.message


def test_a_scope_that_another_version_narrowed_is_not_widened(world: PipelineWorld) -> None:
    world.handle(StartRun(workflow="hourly", scheduled_at=HOURLY.scheduled_at, run_id="r"))
    edit_row("run#r", "run", scope={"only_country": "DE"})
    with pytest.raises(UnreadableItem):
        world.ledger.get_run("r")
