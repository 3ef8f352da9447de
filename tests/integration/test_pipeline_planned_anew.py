"""A stage that begins anew in a run that was opened again: most of its tasks are there and have ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adweir.model.errors import Throttled
from adweir.model.messages import Advance, PlanStage
from adweir.model.runs import RunState, StageState
from support.aws_calls import AwsCalls
from support.clock import FrozenClock
from support.pipeline import a_run
from support.pipeline_world import PipelineWorld, run_of, state


def test_a_stage_that_is_planned_anew_reads_what_has_ended_by_the_hundred_and_sends_only_what_is_new(
    tables: None, clock: FrozenClock
) -> None:
    """Given sixty ad accounts that are loaded, and another one that a list brought since."""
    world = PipelineWorld(clock)
    for number in range(60):
        world.add_profile(str(number))
    world.ledger.create_run(a_run("r", workflow="hourly", stage="metrics"))
    world.handle(PlanStage(run_id="r", stage="metrics"))
    for message in world.collect.take():
        world.work(message)
    run = run_of(world)
    world.ledger.change_run(run, current=run.with_stage(replace(run.current[0], state=StageState.REQUESTED)))
    world.covered.clear()
    world.add_profile("another")

    with AwsCalls().counting() as calls:
        calls.about = "planning"
        world.handle(PlanStage(run_id="r", stage="metrics"))

    (message,) = world.collect.take()
    assert message.profile_id == "another"
    assert calls.of("dynamodb") <= 30


def test_a_planning_that_a_redrive_of_an_earlier_stage_interrupted_holds_that_one_up_no_longer_than_its_message(
    tables: None, clock: FrozenClock
) -> None:
    """Given a stage that was half planned when the one before it was opened again, and has loaded since."""
    world = PipelineWorld(clock)
    world.add_profile("1")
    world.ledger.create_run(a_run("r", workflow="daily", stage="profiles", stage_state=StageState.OPEN))
    world.ledger.begin_planning("r", "pulls")
    world.handle(Advance(run_id="r"))
    assert run_of(world).current[0].name == "profiles"

    world.handle(PlanStage(run_id="r", stage="pulls"))
    world.drain()

    assert state(world) is RunState.SUCCEEDED


def test_a_message_that_comes_late_takes_no_marker_from_who_plans_the_stage_now(
    tables: None, clock: FrozenClock
) -> None:
    world = PipelineWorld(clock)
    world.ledger.create_run(a_run("r", workflow="daily", stage="profiles", stage_state=StageState.OPEN))
    world.ledger.begin_planning("r", "pulls")

    with world.ledger.lease("plan#r#pulls", 60), pytest.raises(Throttled):
        world.handle(PlanStage(run_id="r", stage="pulls"))

    assert world.ledger.has_open("r", "pulls")
