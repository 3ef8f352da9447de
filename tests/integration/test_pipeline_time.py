"""`orchestrate` fits the time it has: whatever is long stops in time, and its message goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adweir.model.errors import Throttled
from adweir.model.messages import Advance, CancelRun, Message, Redrive, RedriveCredential, Sweep
from adweir.model.runs import RunState, StageState
from adweir.model.tasks import Task, TaskState
from support.clock import FrozenClock
from support.pipeline import a_run, a_task
from support.pipeline_world import PipelineWorld, state

pytestmark = pytest.mark.usefixtures("tables")
MANY = 60


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    """A run with many open tasks."""
    world = PipelineWorld(clock)
    world.ledger.create_run(a_run("r", stage="metrics", workflow="weekly", stage_state=StageState.OPEN))
    for number in range(MANY):
        world.ledger.plan(a_task(run_id="r", profile_id=str(number)))
    return world


class Slow:
    """An invocation of a minute in which each call of `method` takes a second."""

    def __init__(self, owner: Any, method: str, patch: pytest.MonkeyPatch) -> None:
        self.left, self.calls = 60.0, 0
        call: Callable[..., Any] = getattr(owner, method)

        def slow(*args: Any, **options: Any) -> Any:
            self.left -= 1.0
            self.calls += 1
            return call(*args, **options)

        patch.setattr(owner, method, slow)

    def handle(self, world: PipelineWorld, message: Message) -> bool:
        """One invocation; whether it was done. It never runs into its end."""
        self.left = 60.0
        try:
            world.engine.handle(message, lambda: self.left)
        except Throttled:
            done = False
        else:
            done = True
        assert self.left > 0, "killed"
        return done


def end_all(world: PipelineWorld, end: TaskState) -> list[Task]:
    tasks = list(world.ledger.pulls("r"))
    for task in tasks:
        world.ledger.finish("r", task.id, 0, end)
    world.handle(Advance(run_id="r"))
    return tasks


def test_a_sweep_stops_in_time_also_inside_one_large_run(
    world: PipelineWorld, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(1801)
    slow = Slow(world.ledger, "note_resent", monkeypatch)

    slow.handle(world, Sweep())
    first = len(world.collect.messages)
    slow.handle(world, Sweep())

    assert 0 < first < MANY
    assert len({message.task_id for message in world.collect.messages}) == len(world.collect.messages) == MANY


def test_cancelling_a_large_run_goes_on_in_another_invocation(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(world.ledger, "finish", monkeypatch)

    assert not slow.handle(world, CancelRun(run_id="r"))
    assert state(world) is RunState.CANCELLED
    assert slow.handle(world, CancelRun(run_id="r"))

    assert {task.state for task in world.ledger.tasks("r")} == {TaskState.CANCELLED}
    assert slow.calls == MANY
    assert [event.state for event in world.bus.events] == ["cancelled"]


def test_a_redrive_of_many_tasks_goes_on_in_another_invocation(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_all(world, TaskState.FAILED)
    slow = Slow(world.ledger, "redrive", monkeypatch)

    assert not slow.handle(world, Redrive(run_id="r"))
    assert state(world) is RunState.RUNNING, "what was redriven is worked on at once"
    assert world.collect.messages
    assert slow.handle(world, Redrive(run_id="r"))

    assert {task.generation for task in world.ledger.tasks("r")} == {1}
    assert {message.task_id for message in world.collect.messages} == {task.id for task in world.ledger.tasks("r")}
    assert slow.calls == MANY


def test_many_parked_tasks_are_redriven_in_several_invocations(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_all(world, TaskState.PARKED)
    slow = Slow(world.ledger, "redrive", monkeypatch)
    message = RedriveCredential(account_id="acc-1", platform="meta_ads")

    assert not slow.handle(world, message)
    assert slow.handle(world, message)

    assert {task.generation for task in world.ledger.tasks("r")} == {1}
    assert slow.calls == MANY


@pytest.mark.parametrize(
    "message",
    [
        Advance(run_id="r"),
        CancelRun(run_id="r"),
        Redrive(run_id="r"),
        RedriveCredential(account_id="acc-1", platform="meta_ads"),
    ],
)
def test_a_message_for_which_the_batch_left_no_time_waits(world: PipelineWorld, message: Message) -> None:
    with pytest.raises(Throttled):
        world.engine.handle(message, lambda: 10.0)
    assert {task.state for task in world.ledger.tasks("r")} == {TaskState.PLANNED}
    assert state(world) is RunState.RUNNING
