"""Runs of which a part fails, is split, taken up again or cancelled, on moto's ledger."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from adweir.model.errors import NotFound
from adweir.model.messages import (
    Advance,
    CancelRun,
    Redrive,
    RedriveCredential,
)
from adweir.model.runs import RunState
from adweir.model.tasks import Task, TaskState
from adweir.store.ledger import Marker
from support.clock import FrozenClock
from support.pipeline_world import DAILY, HOURLY, PipelineWorld, run_to_end, state

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock)


def test_one_failed_task_makes_a_run_partial(world: PipelineWorld) -> None:
    world.found = ("1", "2")
    world.fate = lambda task: TaskState.FAILED if task.profile_id == "2" else TaskState.LOADED

    run_to_end(world)

    assert state(world) is RunState.PARTIAL
    assert (world.bus.events[0].tasks_total, world.bus.events[0].tasks_failed) == (11, 2)


def test_a_stage_of_which_nothing_loaded_ends_the_run_as_failed(world: PipelineWorld) -> None:
    world.fate = lambda task: TaskState.FAILED if task.stage == "pulls" else TaskState.LOADED

    run_to_end(world)

    run = world.ledger.get_run("r")
    assert run is not None
    assert (run.state, run.stage) == (RunState.FAILED, "pulls")
    assert run.reason == "stage pulls: 0 of 2 tasks loaded"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America", ""])
def test_a_profile_in_an_unknown_time_zone_fails_alone(world: PipelineWorld, zone: str) -> None:
    world.add_profile("7")
    world.add_profile("8", timezone=zone)

    run_to_end(world, HOURLY)

    assert state(world) is RunState.PARTIAL
    (failed,) = [task for task in world.ledger.pulls("r") if task.state is TaskState.FAILED]
    assert (failed.profile_id, failed.error) == (
        "8",
        {"code": "bad_input", "message": f"unknown time zone {zone!r}"},
    )


def test_a_split_task_is_judged_by_its_children(world: PipelineWorld) -> None:
    def split(task: Task) -> TaskState | None:
        if task.window is None or task.depth:
            return TaskState.LOADED
        children = [task.child(window=half) for half in task.window.halves()]
        world.ledger.split(task, children)
        world.engine.sender.send(children)
        world.runs.send(Advance(run_id=task.run_id))
        return None

    world.fate = split

    run_to_end(world)

    run = world.ledger.get_run("r")
    assert run is not None
    assert run.state is RunState.SUCCEEDED
    assert [stage.tasks for stage in run.stages] == [1, 3, 0, 0, 1, 1, 1, 1, 1, 1]
    assert sorted(world.tasks("r").values()).count(TaskState.SPLIT) == 1


def test_a_redrive_repeats_the_failed_tasks_and_ends_the_run_again(world: PipelineWorld) -> None:
    world.found = ("1", "2")
    world.fate = lambda task: TaskState.FAILED if task.profile_id == "2" and task.window else TaskState.LOADED
    run_to_end(world)
    worked = len(world.worked)
    world.fate = lambda task: TaskState.LOADED
    world.clock.advance(86400)

    world.runs.send(Redrive(run_id="r"))
    world.drain()

    assert len(world.worked) == worked + 1
    assert state(world) is RunState.SUCCEEDED
    assert [event.state for event in world.bus.events] == ["partial", "succeeded"]
    (again,) = [task for task in world.ledger.pulls("r") if task.generation]
    assert again.window is not None
    assert again.window.end.isoformat() == "2026-11-19", "the window stays what scheduled_at made it"
    assert again.deadline > world.clock.now().timestamp()


def test_a_redrive_of_an_early_stage_goes_on_through_the_later_ones(world: PipelineWorld) -> None:
    world.fate = lambda task: TaskState.PARKED if task.stage == "profiles" else TaskState.LOADED
    run_to_end(world)
    assert state(world) is RunState.FAILED
    world.fate = lambda task: TaskState.LOADED

    world.runs.send(RedriveCredential(account_id="acc-1", platform="facebook"))
    world.drain()

    assert state(world) is RunState.SUCCEEDED
    assert ("meta_ads#1", "ad_daily", "2026-09-21..2026-11-19") in world.tasks("r")


def test_a_redrive_of_named_tasks_leaves_the_others(world: PipelineWorld) -> None:
    world.found = ("1", "2")
    world.fate = lambda task: TaskState.QUARANTINED if task.window else TaskState.LOADED
    run_to_end(world)
    first, second = (task for task in world.ledger.pulls("r") if task.window)

    world.handle(Redrive(run_id="r", task_ids=(first.id,), accept_vanish=True))

    chosen, other = world.ledger.get_pull("r", first.id), world.ledger.get_pull("r", second.id)
    assert chosen is not None
    assert other is not None
    assert (chosen.generation, chosen.accept_vanish, other.generation) == (1, True, 0)
    world.fate = lambda task: TaskState.LOADED
    world.drain()
    assert state(world) is RunState.PARTIAL


def test_a_redrive_while_the_run_goes_on_holds_its_end_back(world: PipelineWorld) -> None:
    world.found = ("1", "2")
    world.fate = lambda task: TaskState.FAILED if task.profile_id == "1" and not task.window else TaskState.LOADED
    world.runs.send(DAILY)
    while not any(task.state is TaskState.FAILED for task in world.ledger.tasks("r")):
        queue = world.runs if world.runs.messages else world.collect
        world._deliver(queue, queue.messages.pop(0), lose=False)
    world.handle(Redrive(run_id="r"))
    held = [message for message in world.collect.messages if message.generation]
    assert held
    world.collect.messages = [message for message in world.collect.messages if message not in held]

    world.drain()
    assert state(world) is RunState.RUNNING

    world.fate = lambda task: TaskState.LOADED
    world.collect.messages += held
    world.drain()
    assert state(world) is RunState.SUCCEEDED


def test_redriving_what_has_no_failed_task_does_nothing_and_an_unknown_run_is_not_found(world: PipelineWorld) -> None:
    run_to_end(world)

    assert world.engine.interventions.redrive("r") == 0
    assert state(world) is RunState.SUCCEEDED
    with pytest.raises(NotFound):
        world.engine.interventions.redrive("unknown")


def test_cancelling_ends_a_run_and_its_open_tasks(world: PipelineWorld) -> None:
    world.fate = lambda task: None
    run_to_end(world)
    world.ledger._mark("r", "profiles", "no-such-task", 0)

    world.handle(CancelRun(run_id="r"))
    world.handle(CancelRun(run_id="r"))

    assert state(world) is RunState.CANCELLED
    assert set(world.tasks("r").values()) == {TaskState.CANCELLED}
    assert [event.state for event in world.bus.events] == ["cancelled"]
    assert not world.ledger.progress("r")[1]


def test_a_stage_that_is_cancelled_while_it_is_planned_leaves_nothing_open(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.handle(DAILY)
    (plan,) = world.runs.take()
    send = world.engine.sender.send

    def send_and_cancel(tasks: Iterable[Task]) -> None:
        send(tasks)
        world.engine.interventions.cancel("r")

    monkeypatch.setattr(world.engine.sender, "send", send_and_cancel)

    world.handle(plan)
    world.sweep_until_quiet("r")

    assert not world.ledger.progress("r")[1]
    assert set(world.tasks("r").values()) <= {TaskState.CANCELLED}


def test_a_planner_that_wakes_up_when_its_run_has_ended_leaves_no_marker(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was frozen for longer than its lease, has no time left, and another worker planned the stage. A marker that it
    left would reopen the run as if a redrive had died."""
    world.engine.start(DAILY)
    (request,) = world.runs.take()
    begin = world.ledger.begin_planning

    def after_a_long_sleep(run_id: str, stage: str) -> Marker:
        monkeypatch.setattr(world.ledger, "begin_planning", begin)
        world.clock.advance(100)
        world.runs.send(request)
        world.drain()
        assert state(world) is RunState.SUCCEEDED
        return begin(run_id, stage)

    monkeypatch.setattr(world.ledger, "begin_planning", after_a_long_sleep)
    world.engine.plan_stage(request.run_id, request.stage, lambda: 0.0)

    assert not world.ledger.progress("r")[1]
    assert world.bus.names().count("RunFinished") == 1
