"""A stage that begins anew in a run that was opened again: most of its tasks are there and have ended."""

from __future__ import annotations

from dataclasses import replace

from adweir.model.messages import PlanStage
from adweir.model.runs import StageState
from support.aws_calls import AwsCalls
from support.clock import FrozenClock
from support.pipeline import a_run
from support.pipeline_world import PipelineWorld, run_of


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
