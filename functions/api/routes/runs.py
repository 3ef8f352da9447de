"""Runs: what happened, what failed, again or stop."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adweir.model.errors import Conflict, NotFound
from adweir.model.messages import CancelRun
from adweir.model.messages import Redrive as RedriveMessage
from adweir.model.runs import Run
from adweir.runtime.http import Answer, answer, json_body
from adweir.runtime.routes import Request, Route

TaskId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Redrive(BaseModel):
    """Which tasks (none: all failed, parked, quarantined ones); `accept_vanish` lets a held-back pull through."""

    model_config = ConfigDict(extra="forbid")
    task_ids: list[TaskId] = Field(default=[], max_length=1000)
    accept_vanish: bool = False


def listing(request: Request) -> Answer:
    from adweir.reporting.runs import summary

    runs, token = request.app.ledger.list_runs(request.limit, request.token)
    return answer({"runs": [summary(run) for run in runs], "next_token": token or None})


def one(request: Request) -> Answer:
    from adweir.reporting.runs import details

    run = _run(request)
    return answer(details(run, request.app.ledger.tasks(run.run_id)))


def redrive(request: Request) -> Answer:
    run = _run(request)
    asked = request.body(Redrive) if json_body(request.event, empty=True) else Redrive()
    for task_id in asked.task_ids:
        if request.app.ledger.get_task(run.run_id, task_id) is None:
            raise NotFound(f"run {run.run_id} has no task {task_id}", [{"field": "task_ids", "message": "unknown"}])
    request.app.queues.runs.send(
        RedriveMessage(run_id=run.run_id, task_ids=tuple(asked.task_ids), accept_vanish=asked.accept_vanish),
        group=run.run_id,
    )
    return answer({"run_id": run.run_id}, 202)


def cancel(request: Request) -> Answer:
    run = _run(request)
    if run.state.is_terminal:
        raise Conflict(f"run {run.run_id} has ended already: {run.state}")
    request.app.queues.runs.send(CancelRun(run_id=run.run_id), group=run.run_id)
    return answer({"run_id": run.run_id}, 202)


def _run(request: Request) -> Run:
    run = request.app.ledger.get_run(request.params["run_id"])
    if run is None:
        raise NotFound(f"no run {request.params['run_id'][:100]}")
    return run


_ONE = "/api/v1/runs/{run_id}"
ROUTES = (
    Route("GET", "/api/v1/runs", listing, "List the runs, newest first", query=("limit", "next_token")),
    Route("GET", _ONE, one, "A run: its stages, counts and failed tasks"),
    Route("POST", _ONE + "/redrive", redrive, "Try failed tasks again", "write", Redrive, 202),
    Route("POST", _ONE + "/cancel", cancel, "Cancel what is still open", "write", status=202),
)
