"""A task whose object takes too long to load is replaced by the halves of its days."""

from __future__ import annotations

from datetime import date

import pytest

from adweir.model.messages import Narrow
from adweir.model.runs import StageState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window
from support.clock import FrozenClock
from support.pipeline import a_run, a_task
from support.pipeline_world import PipelineWorld

pytestmark = pytest.mark.usefixtures("tables")
DAYS = Window(date(2026, 11, 1), date(2026, 11, 10))


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    made = PipelineWorld(clock)
    made.ledger.create_run(a_run("r", workflow="daily", stage="pulls", stage_state=StageState.OPEN))
    return made


def landed(world: PipelineWorld) -> Task:
    task = a_task(run_id="r", stage="pulls", window=DAYS)
    world.ledger.plan(task)
    claimed = world.ledger.claim("r", task.id, 0, 60)
    assert claimed is not None
    world.ledger.landed(claimed, "raw/key", "2026-11-11T00:00:00.000000Z")
    return task


def test_its_halves_are_pulled_in_its_place(world: PipelineWorld) -> None:
    task = landed(world)

    world.handle(Narrow(run_id="r", task_id=task.id))

    halves = sorted(world.ledger.pulls("r"), key=lambda each: (each.depth, str(each.window)))[1:]
    assert world.ledger.get_pull("r", task.id).state is TaskState.SPLIT  # type: ignore[union-attr]
    assert [each.window for each in halves] == list(DAYS.halves())
    assert sorted(message.task_id for message in world.collect.take()) == sorted(each.id for each in halves)
    assert {marker.task_id for marker, _ in world.ledger.open_tasks("r")} == {each.id for each in halves}


def test_when_it_is_asked_again_only_what_nobody_began_with_is_sent_again(world: PipelineWorld) -> None:
    # given an orchestrator that may have died between the split and its messages
    task = landed(world)
    world.handle(Narrow(run_id="r", task_id=task.id))
    first, second = world.collect.take()
    world.ledger.claim("r", first.task_id, 0, 60)
    # when the message comes again
    world.handle(Narrow(run_id="r", task_id=task.id))
    # then the half that has begun is left alone
    assert [message.task_id for message in world.collect.take()] == [second.task_id]


@pytest.mark.parametrize("generation", [0, 1])
def test_a_task_that_has_ended_or_was_tried_anew_stays_as_it_is(world: PipelineWorld, generation: int) -> None:
    task = landed(world)
    if not generation:
        world.ledger.finish("r", task.id, 0, TaskState.LOADED)

    world.handle(Narrow(run_id="r", task_id=task.id, generation=generation))

    assert len(list(world.ledger.tasks("r"))) == 1
    assert world.collect.take() == []
