"""The sweep, and runs whose workers die between any two writes."""

from __future__ import annotations

import pytest

from adweir.model import limits
from adweir.model.errors import Transient
from adweir.model.messages import (
    CancelRun,
    Message,
    Redrive,
    StartRun,
    Sweep,
)
from adweir.model.runs import RunState
from adweir.model.tasks import TaskState
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash
from support.pipeline import a_run
from support.pipeline_world import DAILY, HOURLY, PipelineWorld, begin, run_to_end, state

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock)


# --- the sweep


def test_a_task_past_its_deadline_fails_and_the_run_ends(world: PipelineWorld, clock: FrozenClock) -> None:
    world.fate = lambda task: None
    run_to_end(world)
    clock.advance(21_601)

    world.runs.send(Sweep())
    world.drain()

    (task,) = world.ledger.tasks("r")
    assert task.error == {"code": "deadline", "message": "not finished by its deadline; it was running"}
    assert state(world) is RunState.FAILED


@at_the_bound("MAX_LISTING_SECONDS")
def test_a_list_of_ad_accounts_that_waits_does_not_hold_up_those_that_are_known(
    world: PipelineWorld, clock: FrozenClock, size: int, fits: bool
) -> None:
    # given two clients, of whose credentials the platform lets one wait
    world.add_credential("acc-2")
    world.fate = lambda task: None if task.account_id == "acc-2" else TaskState.LOADED
    run_to_end(world)
    # when the sweep looks after that time
    clock.advance(size)
    world.runs.send(Sweep())
    world.drain()
    # then the other's ad accounts are pulled
    pulled = [task.state for task in world.ledger.pulls("r") if task.profile_id]
    assert pulled == ([] if fits else [TaskState.LOADED] * len(pulled))
    assert bool(pulled) is not fits
    assert state(world) is (RunState.RUNNING if fits else RunState.PARTIAL)


def test_a_list_of_ad_accounts_that_nobody_waits_for_has_the_time_of_any_task(
    world: PipelineWorld, clock: FrozenClock
) -> None:
    world.fate = lambda task: None
    run_to_end(world)
    clock.advance(limits.MAX_LISTING_SECONDS + 1)

    world.runs.send(Sweep())
    world.drain()

    assert state(world) is RunState.RUNNING


def test_stalled_tasks_are_sent_again_to_the_queue_of_their_state(world: PipelineWorld, clock: FrozenClock) -> None:
    for number in ("1", "2", "3"):
        world.add_profile(number)
    world.handle(HOURLY)
    world.handle(world.runs.take()[0])
    planned, waiting, landed = (message.task_id for message in world.collect.take())
    for task_id in (waiting, landed):
        task = world.ledger.claim("r", task_id, 0, 30)
        assert task is not None
        if task_id == waiting:
            world.ledger.wait_report(task, "report", "2026-11-20T04:00:00.000000Z")
        else:
            world.ledger.landed(task, "raw/x.gz", "2026-11-20T04:00:00.000000Z")
    world.handle(Sweep())
    assert not world.collect.messages + world.queues.reports.messages + world.queues.landing.messages
    clock.advance(1800)

    world.handle(Sweep())
    world.handle(Sweep())

    assert [message.task_id for message in world.collect.messages] == [planned]
    assert [message.task_id for message in world.queues.reports.messages] == [waiting]
    assert [(message.bucket, message.key) for message in world.queues.landing.messages] == [("data", "raw/x.gz")]


def test_a_task_that_nobody_claims_is_sent_again_after_waits_that_double(
    world: PipelineWorld, clock: FrozenClock
) -> None:
    """Its message may wait behind many others, which a message more per sweep would make more and more."""
    world.add_profile("1")
    begin(world, HOURLY)
    (message,) = world.collect.take()
    sent = []
    for half_hour in range(1, 9):
        clock.advance(1800)
        world.handle(Sweep())
        if world.collect.take():
            sent.append(half_hour)
    assert sent == [1, 3, 7]

    task = world.ledger.claim(message.run_id, message.task_id, message.generation, 30)
    assert task is not None
    world.ledger.release(task)
    clock.advance(1800)
    world.handle(Sweep())
    assert world.collect.take(), "it was claimed since: that begins anew"


def test_a_task_that_is_being_worked_on_is_left_alone(world: PipelineWorld, clock: FrozenClock) -> None:
    world.handle(DAILY)
    world.handle(world.runs.take()[0])
    (message,) = world.collect.take()
    world.ledger.claim("r", message.task_id, 0, 4000)
    clock.advance(1801)

    world.handle(Sweep())

    assert world.collect.messages == []


def test_a_sweep_that_runs_out_of_time_goes_on_with_the_next(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        world.ledger.create_run(a_run(f"run-{number}"))
    seen: list[str] = []
    monkeypatch.setattr(world.engine.progress, "advance", seen.append)
    left = iter([60, 60, 1])

    world.engine.handle(Sweep(), lambda: next(left))
    world.handle(Sweep())
    world.handle(Sweep())

    assert seen == [f"run-{number}" for number in (0, 1, 2, 3, 4, 0, 1, 2, 3, 4)]


@at_the_bound("MAX_SWEPT_RUNS", as_if=3)
def test_the_runs_of_one_sweep(world: PipelineWorld, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool) -> None:
    for number in range(size):
        world.ledger.create_run(a_run(f"run-{number}"))
    seen: list[str] = []
    monkeypatch.setattr(world.engine.progress, "advance", seen.append)
    world.handle(Sweep())
    assert (len(seen) == size) is fits


def test_a_run_that_another_worker_changes_does_not_stop_the_sweep(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        world.ledger.create_run(a_run(f"run-{number}"))
    seen: list[str] = []

    def advance(run_id: str) -> None:
        seen.append(run_id)
        raise Transient("moved")

    monkeypatch.setattr(world.engine.progress, "advance", advance)
    world.handle(Sweep())

    assert seen == ["run-0", "run-1"]


def test_leftover_marks_and_markers_are_removed(world: PipelineWorld, clock: FrozenClock) -> None:
    world.ledger.mark_open("ghost")
    world.handle(DAILY)
    world.handle(world.runs.take()[0])
    world.ledger._mark("r", "profiles", "no-such-task", 0)
    world.ledger._mark("r", "profiles", "!planning", 0)
    world.handle(Sweep())
    assert [run_id for run_id, _ in world.ledger.open_runs()] == ["ghost", "r"]
    clock.advance(1801)

    world.handle(Sweep())

    assert [run_id for run_id, _ in world.ledger.open_runs()] == ["r"]
    world.fate = lambda task: TaskState.LOADED
    world.drain()
    assert state(world) is RunState.SUCCEEDED


def test_a_redrive_that_died_behind_its_marker_is_completed(world: PipelineWorld, clock: FrozenClock) -> None:
    world.fate = lambda task: TaskState.FAILED
    run_to_end(world)
    (task,) = world.ledger.tasks("r")
    world.ledger.mark_open("r")
    world.ledger._mark("r", "profiles", task.id, 1)
    clock.advance(1801)

    world.handle(Sweep())

    again = world.ledger.get_task("r", task.id)
    assert again is not None
    assert (again.state, again.generation) == (TaskState.PLANNED, 1)


# --- a worker dies between any two writes


def drive(world: PipelineWorld, crash: Crash, message: Message, *, lose: bool) -> None:
    with world.dying(crash):
        world.runs.messages.append(message)
        world.drain(lose=lose)


def small_world(clock: FrozenClock) -> PipelineWorld:
    world = PipelineWorld(clock, found=("1",))
    world.add_profile("1")
    return world


# Behind one write is before the next: with both, every second write is enough.
MODES = [
    pytest.param(lose, after, id=f"{'lost' if lose else 'redelivered'}-{'behind' if after else 'before'}")
    for lose in (False, True)
    for after in (False, True)
]


@pytest.mark.parametrize(("lose", "after"), MODES)
@pytest.mark.parametrize(("message", "step"), [(HOURLY, 2), (DAILY, 8)], ids=["hourly", "daily"])
def test_a_run_ends_whichever_write_a_worker_dies_at(
    clock: FrozenClock, message: StartRun, step: int, lose: bool, after: bool
) -> None:
    dry = Crash()
    drive(small_world(clock), dry, message.model_copy(update={"run_id": "dry"}), lose=False)

    for at in range(1 + (step // 2 - 1) * lose, dry.writes + 1, step):
        world, run_id = small_world(clock), f"run-{at}"
        start = message.model_copy(update={"run_id": run_id})
        drive(world, Crash(at, after=after), start, lose=lose)
        if world.ledger.get_run(run_id) is None:
            world.runs.send(start)  # nothing was stored: the schedule's own retry delivers it again
            world.drain()
        run = world.sweep_until_quiet(run_id)

        assert run.state is RunState.SUCCEEDED, f"died at write {at}"
        assert {event.state for event in world.bus.events} == {"succeeded"}, f"died at write {at}"
        assert not world.ledger.progress(run_id)[1], f"died at write {at}"


@pytest.mark.parametrize(("lose", "after"), MODES)
def test_a_redrive_converges_whichever_write_a_worker_dies_at(clock: FrozenClock, lose: bool, after: bool) -> None:
    def failed(run_id: str) -> PipelineWorld:
        world = small_world(clock)
        world.add_profile("2")
        world.fate = lambda task: TaskState.QUARANTINED
        run_to_end(world, HOURLY.model_copy(update={"run_id": run_id}))
        world.fate = lambda task: TaskState.LOADED
        return world

    dry = Crash()
    drive(failed("dry"), dry, Redrive(run_id="dry"), lose=False)

    for at in range(1 + 2 * (lose and after), dry.writes + 1, 4 if lose else 2):
        run_id = f"run-{at}"
        world = failed(run_id)
        drive(world, Crash(at, after=after), Redrive(run_id=run_id), lose=lose)
        run = world.sweep_until_quiet(run_id)

        states = set(world.tasks(run_id).values())
        assert not world.ledger.progress(run_id)[1], f"died at write {at}"
        if lose:  # it may not have happened, or in part; what it began has come to an end
            assert states <= {TaskState.LOADED, TaskState.QUARANTINED}, f"died at write {at}"
        else:
            assert (run.state, states) == (RunState.SUCCEEDED, {TaskState.LOADED}), f"died at write {at}"


@pytest.mark.parametrize(("lose", "after"), MODES)
def test_a_cancellation_converges_whichever_write_a_worker_dies_at(clock: FrozenClock, lose: bool, after: bool) -> None:
    def waiting(run_id: str) -> PipelineWorld:
        world = small_world(clock)
        world.handle(HOURLY.model_copy(update={"run_id": run_id}))
        world.handle(world.runs.take()[0])
        world.collect.take()
        return world

    dry = Crash()
    drive(waiting("dry"), dry, CancelRun(run_id="dry"), lose=False)

    for at in range(1 + lose * (1 - after), dry.writes + 1):
        run_id = f"run-{at}"
        world = waiting(run_id)
        drive(world, Crash(at, after=after), CancelRun(run_id=run_id), lose=lose)
        run = world.sweep_until_quiet(run_id)

        assert run.state is RunState.CANCELLED, f"died at write {at}"
        assert set(world.tasks(run_id).values()) == {TaskState.CANCELLED}, f"died at write {at}"
        assert not world.ledger.progress(run_id)[1], f"died at write {at}"
