"""What came of a run, for whoever asked for it; and runs of pipelines from their arguments to their result."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import Unprocessable
from adweir.model.flows import StageKind
from adweir.model.messages import CancelRun, Scope, StartRun
from adweir.model.runs import RunState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import iso
from adweir.pipeline.engine import run_id_of
from adweir.reporting.runs import details, summary
from support.clock import FrozenClock
from support.pipeline_world import DAILY, MORNING, PipelineWorld, run_of, run_to_end

pytestmark = pytest.mark.usefixtures("tables")
WEEK = {"start": "2026-11-01", "end": "2026-11-07"}


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock)


def asked(name: str, run_id: str = "r", **args: Any) -> StartRun:
    days = args.get("date_range", {})
    return StartRun(workflow=name, scheduled_at=MORNING, run_id=run_id, args=args, scope=Scope.model_validate(days))


def came(world: PipelineWorld, run_id: str = "r") -> Any:
    """The result: the same in the list as beside the tasks."""
    run = run_of(world, run_id)
    found = details(run, world.ledger.tasks(run_id), world.clock.now())["result"]
    assert summary(run)["result"] == found
    return found


def tasks(world: PipelineWorld, dataset: Dataset, run_id: str = "r") -> list[Task]:
    return [task for task in world.ledger.pulls(run_id) if task.dataset is dataset]


def test_a_run_that_succeeded_says_what_it_read_and_how_long_it_took(world: PipelineWorld, clock: FrozenClock) -> None:
    world.handle(DAILY)
    assert came(world) is None
    clock.advance(90)
    world.drain()

    read = 10 * len(list(world.ledger.pulls("r")))
    assert read > 0
    assert came(world) == {"success": True, "records_processed": read, "duration_seconds": 90.0, "error": None}


def test_a_run_of_which_a_part_failed_is_no_success_and_says_how_much_is_missing(world: PipelineWorld) -> None:
    world.fate = lambda task: TaskState.FAILED if task.dataset is Dataset.CAMPAIGNS else TaskState.LOADED
    run_to_end(world)

    assert run_of(world).state is RunState.PARTIAL
    found = came(world)
    assert (found["success"], found["error"]) == (False, f"1 of {run_of(world).tasks_total} tasks did not load")
    # what is tried again and loads makes it one
    world.fate = lambda task: TaskState.LOADED
    world.engine.interventions.redrive("r")
    assert came(world) is None
    world.drain()
    assert (came(world)["success"], came(world)["error"]) == (True, None)


def test_a_run_that_failed_or_was_cancelled_says_why(world: PipelineWorld) -> None:
    world.fate = lambda task: TaskState.FAILED
    run_to_end(world)
    assert came(world)["error"] == "stage profiles: 0 of 1 tasks loaded"

    world.handle(DAILY.model_copy(update={"run_id": "other"}))
    world.handle(CancelRun(run_id="other"))

    assert came(world, "other") == {
        "success": False,
        "records_processed": 0,
        "duration_seconds": 0.0,
        "error": "it was cancelled",
    }


def test_a_run_that_an_earlier_version_ended_is_counted_from_its_tasks(world: PipelineWorld) -> None:
    run_to_end(world)
    run = world.ledger.change_run(run_of(world), records=None)
    assert run is not None

    assert summary(run)["result"]["records_processed"] is None
    assert details(run, world.ledger.tasks("r"), world.clock.now())["result"]["records_processed"] > 0


def test_a_pipeline_pulls_its_days_in_batches_again_where_they_are_stored(world: PipelineWorld) -> None:
    run_to_end(world)
    args: dict[str, Any] = {"date_range": WEEK, "batch_size": 3, "validate": False}

    run_to_end(world, asked("ad", "again", **args))

    windows = sorted(str(task.window) for task in tasks(world, Dataset.AD_DAILY, "again"))
    assert windows == ["2026-11-01..2026-11-03", "2026-11-04..2026-11-06", "2026-11-07..2026-11-07"]
    assert run_of(world, "again").args == {"enrich": False, "destination": "database"} | args
    assert came(world, "again")["success"]


def test_stages_that_no_function_is_there_for_are_left_out_with_the_reason(clock: FrozenClock) -> None:
    world = PipelineWorld(clock, deployed=frozenset({StageKind.PULL, StageKind.RECONCILE}))
    run_to_end(world, asked("platform", destination="feature_store"))

    records = {record.name: record.left_out for record in run_of(world).stages}
    assert {name for name, why in records.items() if not why} >= {"profiles", "pulls", "totals"}
    assert records["features"] == "no function for stages of the kind features is deployed"
    assert run_of(world).state is RunState.SUCCEEDED
    assert "stage features was left out: no function" in run_of(world).reason
    assert came(world)["error"] is None


def test_a_pipeline_without_arguments_has_the_id_that_was_said_and_the_defaults(world: PipelineWorld) -> None:
    message = StartRun(workflow="platform", scheduled_at=MORNING)
    world.handle(message)

    assert run_of(world, run_id_of(message)).args == {"validate": True, "enrich": False, "destination": "database"}


def test_arguments_that_nobody_checked_start_no_run(world: PipelineWorld) -> None:
    for name, args in (("ad", {"batch_size": 0}), ("daily", {"enrich": True}), ("ad", {"x": 1})):
        with pytest.raises(Unprocessable, match=r"args\."):
            world.handle(StartRun(workflow=name, scheduled_at=MORNING, run_id="r", args=args))
    assert world.ledger.get_run("r") is None


def test_a_later_request_waits_for_the_run_with_its_arguments_alone(world: PipelineWorld) -> None:
    world.handle(asked("ad", "first", validate=False))

    later = {"scheduled_at": MORNING + timedelta(hours=1)}
    world.handle(asked("ad", "second").model_copy(update=later))
    world.handle(asked("ad", "third", validate=False, enrich=False).model_copy(update=later))

    assert world.ledger.get_run("second") is not None
    assert world.ledger.get_run("third") is None
    world.drain()
    assert run_of(world, "third").scheduled_at == iso(MORNING + timedelta(hours=1))
