"""Stored workflows whose stages branch and join: what begins, what is left out, and what dies on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import Transient, Unprocessable
from adweir.model.messages import Redrive, Scope, StartRun, Sweep
from adweir.model.runs import Run, RunState
from adweir.model.tasks import Task, TaskState
from adweir.pipeline.starting import ask_for
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash
from support.pipeline_world import MORNING, PipelineWorld, run_of, run_to_end

pytestmark = pytest.mark.usefixtures("tables")

MINE = StartRun(workflow="mine", scheduled_at=MORNING, run_id="r")
WAYS = ("redelivered", "lost")


def pull(name: str, dataset: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "kind": "pull", "datasets": [dataset], **fields}


def store(world: PipelineWorld, *stages: dict[str, Any]) -> None:
    world.catalog.put_workflow("mine", json.dumps({"stages": stages}))


def joined(world: PipelineWorld, **of_days: Any) -> PipelineWorld:
    """Two branches and what joins them; the fields are those of the branch `days`, of two ad accounts."""
    store(
        world,
        pull("hours", "campaign_hourly", after=["objects", "days"]),
        pull("objects", "campaigns"),
        pull("days", "ad_daily", **of_days),
    )
    for profile in ("1", "2"):
        world.add_profile(profile)
    return world


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock)


def failing(*profiles: str, dataset: Dataset = Dataset.AD_DAILY) -> Callable[[Task], TaskState]:
    def fate(task: Task) -> TaskState:
        fails = task.dataset is dataset and task.profile_id in profiles
        return TaskState.FAILED if fails else TaskState.LOADED

    return fate


def outcome(run: Run) -> dict[str, tuple[int, int, str]]:
    """By stage: tasks, how many loaded, and why it was left out."""
    return {stage.name: (stage.tasks, stage.loaded, stage.left_out) for stage in run.stages}


def shares(run: Run) -> dict[str, tuple[float | None, str]]:
    """By stage: how much of it loaded, and why it was left out. A planning that is repeated asks only for the days that
    are still missing, so that the tasks are not always as many."""
    return {name: (loaded / tasks if tasks else None, why) for name, (tasks, loaded, why) in outcome(run).items()}


def test_branches_are_current_at_once_and_what_joins_them_begins_when_both_have_ended(world: PipelineWorld) -> None:
    # given two branches, when the run begins
    joined(world)
    world.handle(MINE)
    for message in world.runs.take():
        world.handle(message)
    # then both are current, each with its tasks
    assert run_of(world).stage == "objects, days"
    tasks = world.collect.take()
    assert len(tasks) == 4
    # when one of them has ended
    for message in tasks:
        if world.ledger.get_task("r", message.task_id).dataset is Dataset.CAMPAIGNS:  # type: ignore[union-attr]
            world.work(message)
    for message in world.runs.take():
        world.handle(message)
    # then what joins them still waits for the other
    assert run_of(world).stage == "days"
    assert world.runs.take() == []
    # when the other has ended, too
    for message in tasks:
        world.work(message)
    world.drain()
    # then it runs
    assert run_of(world).state is RunState.SUCCEEDED
    assert outcome(run_of(world)) == {"objects": (2, 2, ""), "days": (2, 2, ""), "hours": (2, 2, "")}


@pytest.mark.parametrize(
    ("fails", "rule", "hours", "state", "reason"),
    [
        (("1",), {"threshold": 0.5}, (2, 2, ""), RunState.PARTIAL, ""),
        (("1",), {"threshold": 0.6}, None, RunState.PARTIAL, "stage days: 1 of 2 tasks loaded"),
        (("1", "2"), {"on_failure": "stop"}, None, RunState.PARTIAL, "stage days: 0 of 2 tasks loaded"),
        (("1", "2"), {"on_failure": "go_on"}, (2, 2, ""), RunState.PARTIAL, "stage days: 0 of 2 tasks loaded"),
        (
            ("1", "2"),
            {"on_failure": "skip"},
            (0, 0, "it comes after days, which failed"),
            RunState.PARTIAL,
            "stage days: 0 of 2 tasks loaded; stage hours was left out: it comes after days, which failed",
        ),
    ],
)
def test_the_rule_of_a_stage_says_what_becomes_of_those_behind_it(
    world: PipelineWorld,
    fails: tuple[str, ...],
    rule: dict[str, Any],
    hours: tuple[int, int, str] | None,
    state: RunState,
    reason: str,
) -> None:
    joined(world, **rule)
    world.fate = failing(*fails)

    run_to_end(world, MINE)

    run = run_of(world)
    assert (outcome(run).get("hours"), run.state, run.reason) == (hours, state, reason)
    assert outcome(run)["objects"] == (2, 2, "")


def test_a_stage_without_a_function_is_left_out_and_holds_nobody_up(world: PipelineWorld) -> None:
    """Given a workflow that begins and ends with kinds that are not deployed, when it runs."""
    store(
        world,
        {"name": "report", "kind": "report"},
        pull("days", "ad_daily", after=["report"]),
        {"name": "digest", "kind": "digest", "after": ["days"]},
    )
    world.add_profile("1")

    run_to_end(world, MINE)

    why = "no function for stages of the kind {} is deployed"
    run = run_of(world)
    assert run.state is RunState.SUCCEEDED
    assert outcome(run) == {
        "report": (0, 0, why.format("report")),
        "days": (1, 1, ""),
        "digest": (0, 0, why.format("digest")),
    }
    assert "stage digest was left out: no function" in run.reason


def test_a_workflow_of_nothing_that_is_deployed_ends_at_once(world: PipelineWorld) -> None:
    store(world, {"name": "digest", "kind": "digest"})

    run_to_end(world, MINE)

    assert run_of(world).state is RunState.SUCCEEDED
    assert world.bus.events[0].workflow == "mine"


def test_what_is_open_when_a_stage_times_out_has_failed(world: PipelineWorld, clock: FrozenClock) -> None:
    """Given a branch with a time-out, of which an ad account never answers, when its time is over."""
    joined(world, timeout_minutes=30, on_failure="skip")
    world.fate = lambda task: None if task.dataset is Dataset.AD_DAILY else TaskState.LOADED
    run_to_end(world, MINE)
    clock.advance(29 * 60)
    world.handle(Sweep())
    assert run_of(world).stage == "days"

    clock.advance(61)
    world.handle(Sweep())

    run = run_of(world)
    assert run.state is RunState.PARTIAL
    assert outcome(run)["hours"] == (0, 0, "it comes after days, which failed")
    errors = {task.error["code"] for task in world.ledger.tasks("r") if task.error}
    assert errors == {"timed_out"}


def test_a_redrive_lets_begin_what_was_left_out(world: PipelineWorld) -> None:
    """Given a run of which a branch failed, when its tasks are tried again and load."""
    joined(world, on_failure="skip")
    world.fate = failing("1", "2")
    run_to_end(world, MINE)
    world.fate = lambda task: TaskState.LOADED

    world.handle(Redrive(run_id="r"))
    world.drain()

    run = run_of(world)
    assert run.state is RunState.SUCCEEDED
    assert outcome(run) == {"objects": (2, 2, ""), "days": (2, 2, ""), "hours": (2, 2, "")}
    assert world.worked.count(next(task.id for task in world.ledger.tasks("r") if task.stage == "objects")) == 1


def test_tasks_that_are_tried_again_while_another_branch_works_count(world: PipelineWorld) -> None:
    """Given a branch that failed while the other is still at work, when it is redriven and loads."""
    joined(world, on_failure="skip")
    world.fate = lambda task: None if task.dataset is Dataset.CAMPAIGNS else failing("1", "2")(task)
    run_to_end(world, MINE)
    assert run_of(world).stage == "objects"
    world.fate = lambda task: TaskState.LOADED

    world.handle(Redrive(run_id="r"))
    world.drain()
    run = world.sweep_until_quiet("r", most=20)

    assert run.state is RunState.SUCCEEDED
    assert outcome(run)["hours"] == (2, 2, "")


@pytest.mark.parametrize("way", WAYS)
def test_a_run_with_branches_ends_right_whichever_write_a_worker_dies_at(clock: FrozenClock, way: str) -> None:
    """Two joined branches, one of which fails but for the share that it needs; the last stage fails, too."""

    def world() -> PipelineWorld:
        made = joined(PipelineWorld(clock), threshold=0.5, on_failure="stop")
        store(
            made,
            pull("hours", "campaign_hourly", after=["objects", "days"], on_failure="skip"),
            pull("objects", "campaigns", on_failure="go_on"),
            pull("days", "ad_daily", threshold=0.5),
            {"name": "digest", "kind": "digest", "after": ["hours"]},
        )
        fates = (failing("1"), failing("1", "2", dataset=Dataset.CAMPAIGNS))
        made.fate = lambda task: next((state for fate in fates if not (state := fate(task)).is_good), TaskState.LOADED)
        return made

    dry, lose = Crash(), way == "lost"
    made = world()
    with made.dying(dry):
        made.runs.messages.append(MINE.model_copy(update={"run_id": "dry"}))
        made.drain()
    assert outcome(run_of(made, "dry")) == {
        "objects": (2, 0, ""),
        "days": (2, 1, ""),
        "hours": (2, 2, ""),
        "digest": (0, 0, "no function for stages of the kind digest is deployed"),
    }
    wanted = shares(run_of(made, "dry"))

    for at in range(1 + lose, dry.writes + 1, 3):
        made, run_id = world(), f"{way}-{at}"
        start = MINE.model_copy(update={"run_id": run_id})
        with made.dying(Crash(at, after=bool(at % 2))):
            made.runs.messages.append(start)
            made.drain(lose=lose)
        if made.ledger.get_run(run_id) is None:
            made.runs.send(start)
            made.drain()
        run = made.sweep_until_quiet(run_id)

        assert run.state is RunState.PARTIAL, f"died at write {at}"
        assert shares(run) == wanted, f"died at write {at}"
        assert not made.ledger.progress(run_id)[1], f"died at write {at}"


def test_every_message_twice_changes_nothing(world: PipelineWorld) -> None:
    joined(world, on_failure="skip")
    world.fate = failing("1", "2")
    world.runs.send(MINE)

    world.drain(times=2)

    assert run_of(world).state is RunState.PARTIAL
    assert len(world.worked) == 4


def test_who_loses_the_write_looks_again(world: PipelineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a worker that sees the end of a branch at the moment at which another one changes the run."""
    joined(world)
    run_to_end(world, MINE)
    change = world.ledger.change_run
    lost: list[int] = []

    def at_once(run: Run, **changes: Any) -> Run | None:
        if "current" in changes and len(lost) < 2:
            lost.append(run.version)
            change(run, reason="somebody else was here")
        return change(run, **changes)

    monkeypatch.setattr(world.ledger, "change_run", at_once)
    run_to_end(world, MINE.model_copy(update={"run_id": "again"}))

    assert run_of(world, "again").state is RunState.SUCCEEDED
    assert len(lost) == 2


def test_a_run_that_keeps_changing_is_left_for_the_next_message(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined(world)
    world.handle(MINE)
    (first, _) = world.runs.take()
    monkeypatch.setattr(world.ledger, "change_run", lambda *_, **__: None)

    with pytest.raises(Transient, match="keeps changing"):
        world.handle(first)


def test_a_run_keeps_the_workflow_that_it_began_with(world: PipelineWorld) -> None:
    """Given a run that has begun, when its workflow is replaced and then deleted."""
    joined(world)
    world.handle(MINE)
    store(world, pull("other", "ad_daily"))
    world.catalog.delete_workflow("mine")

    world.drain()

    assert list(outcome(run_of(world))) == ["objects", "days", "hours"]
    with pytest.raises(Unprocessable, match="unknown workflow 'mine'; known: account, ad, backfill, daily"):
        world.handle(MINE.model_copy(update={"run_id": "later"}))


# --- one run of a workflow and scope at a time


def again(hours: int, trigger: str = "schedule", **fields: Any) -> StartRun:
    at = MORNING + timedelta(hours=hours)
    return StartRun(workflow="mine", scheduled_at=at, run_id=f"r{hours}", trigger=trigger, **fields)


def test_who_asks_for_a_run_that_is_open_joins_it(world: PipelineWorld) -> None:
    joined(world)
    world.handle(MINE)

    def ask(hours: int, **fields: Any) -> str:
        return ask_for(world.ledger, world.runs, again(hours, "api", **fields))

    joining = [ask(hours) for hours in (0, 1)]
    elsewhere = ask(2, scope=Scope(accounts=("acc-1",)))

    assert joining == ["r", "r"]
    assert elsewhere == "r2"
    world.drain()
    assert [run.run_id for run in world.ledger.list_runs()[0]] == ["r2", "r"]
    assert ask(3) == "r3"


def test_what_a_clock_asks_for_later_runs_when_the_open_run_has_ended(world: PipelineWorld) -> None:
    """Given an open run, when the schedule asks for two later ones: the newest of them follows it."""
    joined(world)
    world.handle(MINE)
    for hours in (2, 1):
        world.handle(again(hours))
    for hours in (3, 0):
        world.handle(again(hours))

    world.drain()

    ended = {run.run_id: run.state for run in world.ledger.list_runs()[0]}
    assert ended == {"r": RunState.SUCCEEDED, "r3": RunState.SUCCEEDED}


@pytest.mark.parametrize("way", WAYS)
def test_the_run_that_waits_begins_whichever_write_a_worker_dies_at(clock: FrozenClock, way: str) -> None:
    def world() -> PipelineWorld:
        made = PipelineWorld(clock)
        store(made, pull("objects", "campaigns"))
        made.add_profile("1")
        return made

    def drive(made: PipelineWorld, crash: Crash, name: str) -> None:
        made.handle(again(0).model_copy(update={"run_id": f"{name}-first"}))
        made.handle(again(1).model_copy(update={"run_id": f"{name}-next"}))
        with made.dying(crash):
            made.drain(lose=way == "lost")

    dry = Crash()
    drive(world(), dry, f"dry-{way}")
    for at in range(1 + (way == "lost"), dry.writes + 1, 3):
        made, name = world(), f"{way}-{at}"
        drive(made, Crash(at, after=bool(at % 2)), name)
        made.sweep_until_quiet(f"{name}-first")
        if made.ledger.get_run(f"{name}-next") is None:
            assert way == "lost"  # its own message was: an operator sends it again from the dead letters
            made.handle(again(1).model_copy(update={"run_id": f"{name}-next"}))

        assert made.sweep_until_quiet(f"{name}-next").state is RunState.SUCCEEDED, f"died at write {at}"


@at_the_bound("MAX_START_SECONDS", as_if=3600)
def test_a_request_that_was_lost_does_not_hold_its_workflow_up_for_ever(
    world: PipelineWorld, clock: FrozenClock, size: int, *, fits: bool
) -> None:
    """Given a turn that was taken for a run which never began, when it is old."""
    joined(world)
    assert world.ledger.turns.take(again(0), waits=True) == "r0"

    clock.advance(size)

    assert world.engine.start(again(2)) == ("r0" if fits else "r2")
