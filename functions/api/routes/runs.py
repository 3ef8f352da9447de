"""Runs: what happened and what failed; redrive and cancel."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.model.errors import NotFound
from adweir.model.flows import StageKind
from adweir.model.runs import Run, RunState
from adweir.model.tasks import Task, TaskState
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import (
    PAGE_ITEMS,
    AccountId,
    Given,
    Instant,
    Limit,
    NextToken,
    OneOf,
    PageToken,
    PlatformId,
    RunId,
    RunPath,
    Shown,
    StartedRun,
)

TaskId = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_WORD_CHARS)]


class RedriveRequest(Given):
    """Which tasks to try again."""

    task_ids: list[TaskId] = Field(
        default=[],
        max_length=limits.MAX_REDRIVEN_TASKS,
        description="Without ids, all tasks that failed, are parked or were quarantined.",
    )
    accept_vanish: bool = Field(
        default=False, description="Let through a pull that was held back because it would zero too much stored spend."
    )


class RunResult(Shown):
    """What came of a run."""

    success: bool
    records_processed: int | None = Field(description="Rows that its tasks read; null where nobody counted them.")
    duration_seconds: float | None
    error: str | None = Field(description="Why it did not succeed.")


class RunAnswer(Shown):
    """One execution of a workflow."""

    run_id: RunId
    workflow: str = Field(examples=["daily"])
    state: RunState
    trigger: str = Field(description="What started it.", examples=["schedule", "api", "arrivals"])
    because: str | None = Field(
        description="Of a run that arrivals started: what came, in how many loads.", examples=["file: 2 loads"]
    )
    scheduled_at: Instant
    started_at: str = Field(description="When it began (ISO 8601); empty before that.")
    ended_at: Instant | None
    stage: str = Field(description="The current or last stages.", examples=["pulls", "google, meta"])
    reason: str | None = Field(description="Why it failed or was cancelled.")
    scope: dict[str, Any] = Field(description="What it covers; empty means everything.")
    args: dict[str, Any] = Field(description="A pipeline's arguments, with the defaults.", examples=[{}])
    result: RunResult | None = Field(description="Null while it has not ended.")


class RunList(Shown):
    """One page of runs, newest first."""

    runs: list[RunAnswer]
    next_token: NextToken


class Progress(Shown):
    """Counts of tasks. A task that was split is not counted: its parts are."""

    total: int
    done: int
    failed: int
    tasks: dict[str, int] = Field(description="Tasks by state.", examples=[{"loaded": 12}])


class StageAnswer(Progress):
    """A stage of a run."""

    name: str
    state: Annotated[str, OneOf("running", "ended", "left_out")]
    reason: str | None = Field(description="Why it was left out.")
    datasets: dict[str, Progress] = Field(description="The same counts by dataset of pulls.")
    started_at: Instant | None
    ended_at: Instant | None


class NamedTask(Shown):
    """A task of a run."""

    task_id: str
    stage: str
    kind: StageKind = Field(description="What it does: only a `pull` has what comes next.")
    account_id: AccountId
    platform: PlatformId | None
    profile_id: str | None
    dataset: str | None
    slice: str | None
    window: str | None = Field(description="The days it asks for, first and last.")
    generation: int


class WaitingTask(NamedTask):
    """A task that has not ended, and why."""

    state: Annotated[str, OneOf("planned", "running", "waiting_report", "landed")]
    waits_for: str = Field(examples=["https://api.example/x answered 429; next try 12:05 UTC"])
    until: Instant | None = Field(description="When it is tried again at the earliest; null where nobody knows.")


class FailedTask(NamedTask):
    """A task that failed, is parked, was quarantined or was cancelled."""

    state: Annotated[str, OneOf("cancelled", "failed", "parked", "quarantined")]
    error: dict[str, Any] | None = Field(description="`code`, `message` and the error's context.")


class CountedPart(Shown):
    """How many there are: with those that are still to be planned, those that are done, and those that failed."""

    total: int
    done: int
    failed: int


class BackfilledPlatform(Shown):
    """How far a backfill has come on a platform."""

    platform: PlatformId
    windows: CountedPart
    days: CountedPart
    whole_since: str | None = Field(
        description="All days from this one on are done, of all its ad accounts. It is a day that the platform keeps."
    )
    waits_for: str | None = Field(description="Why nothing more is asked for at this moment.")
    until: Instant | None


class Estimate(Shown):
    """How many seconds a backfill still takes at its pace so far, pauses included."""

    seconds: int | None
    at_least: int | None
    at_most: int | None = Field(description="Four of five ends lie between `at_least` and `at_most`.")
    reason: str | None = Field(description="Why there is no estimate.")


class BackfillProgress(Shown):
    """How far a backfill has come, from the newest days back."""

    windows: CountedPart = Field(description="Requests for a window of days.")
    days: CountedPart = Field(description="Days in them, of each ad account, dataset and slice.")
    platforms: list[BackfilledPlatform]
    estimate: Estimate


class RunDetails(RunAnswer):
    """A run with its stages in order, the tasks that failed, and those that have not ended."""

    stages: list[StageAnswer]
    tasks_total: int
    tasks_done: int
    tasks_failed: int
    tasks_waiting: int = Field(description="Tasks that have not ended.")
    rows_stored: int
    failed_tasks: list[FailedTask] = Field(max_length=limits.MAX_FAILED_TASKS_SHOWN)
    waiting_tasks: list[WaitingTask] = Field(max_length=limits.MAX_FAILED_TASKS_SHOWN)
    backfill: BackfillProgress | None = Field(description="Of a backfill: how far it has come.")


class TaskAnswer(NamedTask):
    """A task's life."""

    state: TaskState
    created_at: Instant | None
    updated_at: Instant | None = Field(description="Its last step; of one that has ended, its end.")
    deadline: Instant = Field(description="When it fails if it has not ended.")
    attempts: int = Field(description="How often a worker took it since it was planned or redriven.")
    as_of: Instant | None = Field(description="The moment that its numbers are of.")
    object_key: str | None = Field(description="The answer as it was stored.")
    parent: str | None = Field(description="The task that was split into it and others.")
    counts: dict[str, int] = Field(examples=[{"rows_stored": 12}])
    error: dict[str, Any] | None = Field(description="`code`, `message` and the error's context.")
    waits_for: str | None
    until: Instant | None


class TaskList(Shown):
    """One page of a run's tasks, by id; it may have fewer than `limit`, and even none, before the last."""

    tasks: list[TaskAnswer]
    next_token: NextToken


class LeftTask(Shown):
    """A task that was named and is not tried again."""

    task_id: str
    state: TaskState
    reason: str = Field(description="Why it stays as it is.", examples=["its rows are stored"])


class RedrivenRun(StartedRun):
    """The run whose tasks are tried again: follow it at `GET /api/v1/runs/{run_id}`."""

    tasks: int = Field(description="How many tasks are tried again.")
    left: list[LeftTask] = Field(description="The tasks that were named and stay as they are.")
    waits_for: RunId | None = Field(description="The open run of the same workflow and scope, after which it begins.")


runs = Resource("Runs", "Executions of workflows: progress, failures, trying again")


@runs.route("GET", "/api/v1/runs", "List the runs, newest first")
def list_runs(app: Here, limit: Limit = PAGE_ITEMS, next_token: PageToken = "") -> RunList:
    from adweir.reporting.runs import summary

    found, token = app.ledger.list_runs(limit, next_token)
    return RunList(runs=[RunAnswer.of(summary(run)) for run in found], next_token=token or None)


@runs.route("GET", "/api/v1/runs/{run_id}", "Get a run", limited=True)
def get_run(app: Here, run_id: RunPath) -> RunDetails:
    """Its stages with counts of tasks, the tasks that failed, and what the others wait for."""
    from adweir.pipeline.releasing import backfilled
    from adweir.reporting.runs import details

    run, now = _run(app, run_id), app.clock.now()
    tasks = list(app.ledger.tasks(run.run_id))
    pulls = (task for task in tasks if isinstance(task, Task))
    far = backfilled(app.ledger, app.catalog, app.platforms.parse, run, pulls, now)
    return RunDetails.of(details(run, tasks, now) | {"backfill": far})


@runs.route("GET", "/api/v1/runs/{run_id}/tasks", "List the tasks of a run", limited=True)
def list_tasks(
    app: Here,
    run_id: RunPath,
    state: Annotated[TaskState | None, Query(description="Only those in this state.")] = None,
    stage: Annotated[str, Query(max_length=limits.MAX_WORD_CHARS, description="Only those of this stage.")] = "",
    limit: Limit = PAGE_ITEMS,
    next_token: PageToken = "",
) -> TaskList:
    """Each with its times, attempts and error."""
    from adweir.reporting.runs import life
    from adweir.store.dynamo.paging import from_token
    from adweir.store.ledger.tasks import tasks_of

    from_token(tasks_of(run_id), next_token)  # a wrong token is refused whatever the run
    run, now = _run(app, run_id), app.clock.now()
    found, token = app.ledger.page_of_tasks(
        run.run_id, limit, next_token, lambda task: state in {None, task.state} and stage in {"", task.stage}
    )
    return TaskList(tasks=[TaskAnswer.of(life(task, now)) for task in found], next_token=token or None)


@runs.route(
    "POST", "/api/v1/runs/{run_id}/redrive", "Try failed tasks of a run again", scope="write", status=202, errors=(409,)
)
def redrive_run(app: Here, caller: Caller, run_id: RunPath, asked: RedriveRequest | None = None) -> RedrivenRun:
    """Without a body all tasks that failed, are parked or were quarantined are tried again.

    A loaded task stays as it is, even when it is named. A run without a task to try again, or that was cancelled, is a
    409. A run that has ended waits while another one of its workflow and scope is open. It may be requested again at
    any time.
    """
    from adweir.pipeline.starting import ask_to_redrive

    run, request = _run(app, run_id), asked or RedriveRequest()
    vanish = request.accept_vanish
    done = ask_to_redrive(app.ledger, app.queues.runs, run, request.task_ids, accept_vanish=vanish)
    _note(app, caller, "redrive run", run, done.outcome)
    named = [LeftTask(task_id=task.id, state=task.state, reason=reason) for task, reason in done.left]
    return RedrivenRun(run_id=run.run_id, tasks=done.tasks, left=named, waits_for=done.waits_for or None)


@runs.route("POST", "/api/v1/runs/{run_id}/cancel", "Cancel a run", scope="write", status=202, errors=(409,))
def cancel_run(app: Here, caller: Caller, run_id: RunPath) -> StartedRun:
    """What is not finished is cancelled. A run that has ended otherwise is a 409."""
    from adweir.pipeline.starting import ask_to_cancel

    run = _run(app, run_id)
    ask_to_cancel(app.queues.runs, run)
    _note(app, caller, "cancel run", run, f"it was {run.state}")
    return StartedRun(run_id=run.run_id)


def _note(app: App, caller: str, action: str, run: Run, outcome: str) -> None:
    note_change(app, caller, action, run.run_id, outcome, kind="run", account_id=run.scope.only_account)


def _run(app: App, run_id: str) -> Run:
    run = app.ledger.get_run(run_id)
    if run is not None and app.accounts and not (run.scope.accounts and app.accounts.issuperset(run.scope.accounts)):
        run = None  # it works on accounts of others, too
    if run is None:
        raise NotFound(f"there is no run {run_id[:100]}", [{"field": "run_id", "message": "is unknown"}])
    return run
