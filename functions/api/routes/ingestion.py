"""Starting work: syncs, backfills, any workflow. The answer is the run's id; the work goes on by itself."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from adweir.model.ids import run_id_for
from adweir.model.messages import Scope, StartRun
from adweir.model.platforms import parse_platform
from adweir.runtime.http import Answer, answer, json_body
from adweir.runtime.routes import Request, Route

Short = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Backfill(BaseModel):
    """The days to pull where they were never pulled; no platforms means all."""

    model_config = ConfigDict(extra="forbid")
    account_id: Short
    platforms: list[Short] = []
    start: date
    end: date

    @model_validator(mode="after")
    def _in_order(self) -> Backfill:
        if self.start > self.end:
            raise ValueError("start is after end")
        return self


class NewRun(BaseModel):
    """What a run is to cover; nothing means everything."""

    model_config = ConfigDict(extra="forbid")
    scope: Scope = Scope()


def sync_all(request: Request) -> Answer:
    return _start(request, "sync", Scope())


def sync_account(request: Request) -> Answer:
    account = request.app.catalog.account(request.params["account_id"])
    return _start(request, "sync", Scope(accounts=(account.account_id,)))


def backfill(request: Request) -> Answer:
    from adweir.pipeline.stages import check_scope
    from adweir.pipeline.workflows import workflow

    asked = request.body(Backfill)
    account = request.app.catalog.account(asked.account_id)
    scope = Scope(
        accounts=(account.account_id,),
        platforms=tuple(parse_platform(name).value for name in asked.platforms),
        start=asked.start.isoformat(),
        end=asked.end.isoformat(),
    )
    check_scope(workflow("backfill"), scope, request.app.clock.now().date())
    return _start(request, "backfill", scope)


def workflows(_request: Request) -> Answer:
    from adweir.pipeline.workflows import WORKFLOWS

    found = [
        {"name": flow.name, "about": flow.about, "stages": [stage.name for stage in flow.stages]}
        for flow in WORKFLOWS.values()
    ]
    return answer({"workflows": found})


def run_workflow(request: Request) -> Answer:
    from adweir.pipeline.stages import check_scope
    from adweir.pipeline.workflows import workflow

    flow = workflow(request.params["name"])
    asked = request.body(NewRun) if json_body(request.event, empty=True) else NewRun()
    check_scope(flow, asked.scope, request.app.clock.now().date())
    for account_id in asked.scope.accounts:
        request.app.catalog.account(account_id)
    return _start(request, flow.name, asked.scope)


def _start(request: Request, workflow: str, scope: Scope) -> Answer:
    """Ask for a run: the id is ours, so that the caller can follow it."""
    now = request.app.clock.now()
    run_id = run_id_for(workflow, now, request.app.new_id())
    message = StartRun(workflow=workflow, scheduled_at=now, scope=scope, run_id=run_id, trigger="api")
    request.app.queues.runs.send(message, group=run_id)
    return answer({"run_id": run_id}, 202)


ROUTES = (
    Route("POST", "/api/v1/ingestion/sync-all", sync_all, "Pull everything of all accounts", "write", status=202),
    Route(
        "POST",
        "/api/v1/ingestion/sync-account/{account_id}",
        sync_account,
        "Pull everything of one account",
        "write",
        status=202,
    ),
    Route("POST", "/api/v1/ingestion/backfill", backfill, "Pull days that were never pulled", "write", Backfill, 202),
    Route("GET", "/api/v1/workflows", workflows, "The workflows"),
    Route("POST", "/api/v1/workflows/{name}/runs", run_workflow, "Start a workflow", "write", NewRun, 202),
)
