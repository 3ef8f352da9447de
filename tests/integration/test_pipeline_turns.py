"""A redrive reopens a run in its turn: of one workflow and scope, one run is open at a time."""

from __future__ import annotations

import json
from types import ModuleType

import pytest

from adweir.model.errors import Conflict, Throttled
from adweir.model.messages import Advance, Redrive, RedriveCredential, StartRun, Sweep
from adweir.model.runs import RunState
from adweir.model.tasks import TaskState
from adweir.pipeline.starting import ask_for
from support.api import Call
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash
from support.pipeline import a_run, a_task
from support.pipeline_world import DAILY, MORNING, PipelineWorld, run_of, run_to_end, state

pytestmark = pytest.mark.usefixtures("tables")

LATER = DAILY.model_copy(update={"run_id": "later"})


def open_runs(world: PipelineWorld) -> list[str]:
    return sorted(run.run_id for run in world.ledger.list_runs()[0] if run.state is RunState.RUNNING)


def failed(clock: FrozenClock, fate: TaskState = TaskState.FAILED, run_id: str = "r") -> PipelineWorld:
    """A daily run that has ended with failed tasks; what is tried from now on loads."""
    world = PipelineWorld(clock)
    world.fate = lambda task: fate if task.window else TaskState.LOADED
    run_to_end(world, DAILY.model_copy(update={"run_id": run_id}))
    world.fate = lambda task: TaskState.LOADED
    assert state(world, run_id) is RunState.PARTIAL
    return world


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    """The same, while a later run of the same workflow and scope is open."""
    made = failed(clock)
    made.handle(LATER)
    assert open_runs(made) == ["later"]
    return made


def test_a_redrive_waits_for_the_end_of_an_open_run_and_changes_nothing_before(world: PipelineWorld) -> None:
    # when the ended run is redriven beside an open one
    before = world.tasks("r")
    with pytest.raises(Throttled, match="run later of the same workflow and scope is open"):
        world.handle(Redrive(run_id="r"))
    # then nothing has changed, and no sweep reopens it
    world.handle(Sweep())
    assert (world.tasks("r"), state(world), open_runs(world)) == (before, RunState.PARTIAL, ["later"])
    assert world.ledger.open_mark("r") == 0
    # and when the open run has ended, the same message does it
    world.drain()
    assert open_runs(world) == []
    world.runs.send(Redrive(run_id="r"))
    world.drain()
    assert state(world) is RunState.SUCCEEDED
    assert ask_for(world.ledger, world.runs, LATER.model_copy(update={"run_id": "next"})) == "next"


def test_a_reopened_run_has_the_turn(clock: FrozenClock) -> None:
    world = failed(clock)
    world.handle(Redrive(run_id="r"))
    assert open_runs(world) == ["r"]

    assert ask_for(world.ledger, world.runs, LATER) == "r"
    world.handle(LATER.model_copy(update={"scheduled_at": MORNING.replace(hour=5)}))
    assert open_runs(world) == ["r"]

    world.drain()
    assert {run.run_id: run.state for run in world.ledger.list_runs()[0]} == {"r": "succeeded", "later": "succeeded"}


def test_a_request_that_comes_while_a_run_is_being_reopened_does_not_overtake_it(clock: FrozenClock) -> None:
    """Given a redrive whose worker is between the turn and the run."""
    world = failed(clock)
    world.ledger.turns.take_again(run_of(world))

    world.handle(LATER)
    assert open_runs(world) == []

    world.handle(Redrive(run_id="r"))
    assert open_runs(world) == ["r"]


def test_the_end_of_a_run_that_is_announced_late_leaves_the_turn_to_its_redrive(clock: FrozenClock) -> None:
    world = failed(clock)
    run = run_of(world)
    world.ledger.turns.take_again(run)

    assert world.ledger.turns.give_back(run) is None  # a worker who was slow to announce the end

    world.handle(LATER)
    assert open_runs(world) == []


def test_a_request_that_comes_again_after_its_run_has_ended_leaves_no_turn(clock: FrozenClock) -> None:
    world = PipelineWorld(clock)
    for _ in range(2):
        run_to_end(world)

    assert list(world.ledger.turns._query("turn#daily")) == []


@at_the_bound("MAX_START_SECONDS")
def test_a_turn_that_was_taken_for_a_redrive_which_never_came_is_over_in_an_hour(
    clock: FrozenClock, size: int, *, fits: bool
) -> None:
    world = failed(clock)
    world.ledger.turns.take_again(run_of(world))
    clock.advance(size)

    world.handle(LATER)

    assert (open_runs(world) == []) is fits


def test_a_redrive_that_finds_nothing_left_to_do_gives_its_turn_back(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a task that somebody else has planned again at this moment."""
    world = failed(clock)
    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "redrive", lambda *_arguments, **_options: None)
        world.handle(Redrive(run_id="r"))

    world.handle(LATER)

    assert open_runs(world) == ["later"]


def test_parked_tasks_of_a_run_that_waits_hold_up_no_others(clock: FrozenClock) -> None:
    # given parked tasks of two runs of different workflows, one of which waits for its turn
    world = failed(clock, TaskState.PARKED)
    world.fate = lambda task: TaskState.PARKED if task.window else TaskState.LOADED
    run_to_end(world, DAILY.model_copy(update={"workflow": "hourly", "run_id": "s"}))
    world.fate = lambda task: TaskState.LOADED
    world.handle(LATER)
    # when a new credential comes
    with pytest.raises(Throttled):
        world.handle(RedriveCredential(account_id="acc-1", platform="meta_ads"))
    # then those of the other run are tried again
    assert open_runs(world) == ["later", "s"]


@at_the_bound("MAX_TURN_WAITS")
def test_a_redrive_waits_for_two_days_at_most(world: PipelineWorld, size: int, *, fits: bool) -> None:
    with pytest.raises(Throttled if fits else Conflict, match="run later of the same workflow and scope is open"):
        world.handle(Redrive(run_id="r", attempt=size - 1))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("lose", [False, True], ids=["redelivered", "lost"])
def test_two_runs_are_never_open_whichever_write_a_worker_dies_at(clock: FrozenClock, lose: bool, after: bool) -> None:
    """Given a redrive and a later run of the same workflow at the same moment."""
    world, both = PipelineWorld(clock), list[str]()
    world.add_profile("1")

    def drive(name: str, crash: Crash) -> None:
        stage = {"name": "days", "kind": "pull", "datasets": ["campaigns"], "on_failure": "stop"}
        world.catalog.put_workflow(name, json.dumps({"stages": [stage]}))
        first = StartRun(workflow=name, scheduled_at=MORNING, run_id=name)
        world.fate = lambda _task: TaskState.FAILED
        run_to_end(world, first)
        world.fate = lambda _task: TaskState.LOADED
        world.runs.send(Redrive(run_id=name))
        world.runs.send(first.model_copy(update={"run_id": f"{name}-2", "scheduled_at": MORNING.replace(hour=5)}))
        runs = (name, f"{name}-2")
        crash.on_write = lambda: both.extend([name] if all(map(is_open, runs)) else [])
        with world.dying(crash):
            world.drain(lose=lose)

    def is_open(run_id: str) -> bool:
        run = world.ledger.get_run(run_id)
        return run is not None and run.state is RunState.RUNNING

    dry = Crash()
    drive(f"dry-{lose}-{after}".lower(), dry)
    for at in range(1 + 3 * after + 6 * lose, dry.writes + 1, 20):
        name = f"died-{at}-{lose}-{after}".lower()
        drive(name, Crash(at, after=after))
        world.runs.send(Redrive(run_id=name))  # an operator repeats what may have been lost
        world.drain()
        ended = world.sweep_until_quiet(name)

        assert ended.state is RunState.SUCCEEDED, f"died at write {at}"
        assert not world.ledger.progress(name)[1], f"died at write {at}"
    assert both == []


def test_an_ended_run_whose_redrive_died_is_reopened_by_the_sweep_in_its_turn(world: PipelineWorld) -> None:
    """Given a task that was planned again, and a run that another one overtook before it was reopened."""
    (task,) = [task for task in world.ledger.tasks("r") if task.state is TaskState.FAILED]
    world.ledger.mark_open("r")
    world.ledger.redrive(task, 2_000_000_000)
    world.handle(Advance(run_id="r"))
    world.clock.advance(1801)
    world.handle(Sweep())
    assert open_runs(world) == ["later"]
    assert [message.run_id for message in world.collect.take()] == []

    world.drain()
    world.clock.advance(1801)
    world.runs.send(Sweep())
    world.drain()
    world.sweep_until_quiet("r")

    assert state(world) is RunState.SUCCEEDED


def test_the_api_says_which_run_a_redrive_waits_for(call: Call, api: ModuleType) -> None:
    ledger = api.app.ledger
    ended = a_run("run-1")
    ledger.create_run(ended)
    ledger.plan(a_task())
    ledger.finish("run-1", a_task().id, 0, TaskState.FAILED)
    ledger.change_run(ledger.get_run("run-1"), state=RunState.FAILED)
    start = StartRun(workflow=ended.workflow, scheduled_at=MORNING, run_id="run-2", scope=ended.scope)
    ledger.turns.take(start, waits=False)
    ledger.create_run(a_run("run-2"))

    answer = call("POST", "/api/v1/runs/run-1/redrive", expect=202)

    assert (answer["tasks"], answer["waits_for"]) == (1, "run-2")
    (deed,) = call("GET", "/api/v1/audit", kind="run")["deeds"]
    assert deed["outcome"] == "1 tasks are tried again, after run run-2"
