"""Starting work: syncs, backfills, any workflow. The answer is the run's id; the work continues in the background."""

from datetime import date
from typing import Annotated, Self

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, StringConstraints, model_validator

from adweir.model import limits
from adweir.model.ids import run_id_for
from adweir.model.messages import Scope, StartRun
from adweir.runtime.app import App
from adweir.runtime.routes import Here, Resource
from routes.accounts import only_account
from routes.fields import Given, NextToken, OneOf, PlatformName, Shown, StartedRun

Name = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_PATH_ID_CHARS)]
Names = Annotated[list[Name], Field(max_length=limits.MAX_SCOPE_NAMES)]


class BackfillRequest(Given):
    """The days to pull where they were never pulled."""

    account_id: Name = Field(
        default="",
        min_length=0,
        description="A client company or an ad account, by id; may be left out where there is only one client.",
    )
    platforms: Annotated[list[PlatformName], Field(max_length=limits.MAX_SCOPE_NAMES)] = Field(
        default=[], description="None means all."
    )
    start: date = Field(description="The first day, in each ad account's time zone.")
    end: date = Field(description="The last day, inclusive.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start > self.end:
            raise ValueError("start is after end")
        return self


class RunScope(Given):
    """What a run is to cover. A part that is left out means everything."""

    accounts: Names = Field(default=[], description="Client companies, by id.")
    platforms: Annotated[list[PlatformName], Field(max_length=limits.MAX_SCOPE_NAMES)] = Field(default=[])
    profiles: Names = Field(default=[], description="Ad accounts: by their platform's id, or `<platform>#<id>`.")
    datasets: Names = Field(default=[], description="Datasets, e.g. ad_daily.", examples=[["ad_daily"]])
    slice: Name = Field(default="all", description="An ad product, e.g. sp, or a campaign, campaign=<id>.")
    start: str = Field(default="", max_length=limits.MAX_WORD_CHARS, description="The first day, YYYY-MM-DD.")
    end: str = Field(default="", max_length=limits.MAX_WORD_CHARS, description="The last day, inclusive.")


class NewRun(Given):
    """A run of a workflow."""

    scope: RunScope = RunScope()


class WorkflowAnswer(Shown):
    """A workflow and its stages, in order."""

    name: str
    about: str
    stages: list[str]


class WorkflowList(Shown):
    """All workflows, in one page."""

    workflows: list[WorkflowAnswer]
    next_token: NextToken = None


def _workflows() -> list[str]:
    from adweir.pipeline.workflows import WORKFLOWS

    return sorted(WORKFLOWS)


ingestion = Resource("Ingestion", "Pulling from the platforms, now")
EitherAccountPath = Annotated[
    str, Path(description="A client company's id, acc_…, or an ad account's id on its platform.")
]
WorkflowPath = Annotated[str, Path(description="The workflow's name."), OneOf(known=_workflows)]


@ingestion.route("POST", "/api/v1/ingestion/sync-all", "Sync all accounts", scope="write", status=202)
def sync_all(app: Here) -> StartedRun:
    """Pulls the ad accounts, then the campaigns, ad groups, ads, keywords and metrics of each."""
    return _start(app, "sync", Scope())


@ingestion.route(
    "POST", "/api/v1/ingestion/sync-account/{account_id}", "Sync one account", limited=True, scope="write", status=202
)
def sync_account(app: Here, account_id: EitherAccountPath) -> StartedRun:
    """Pulls the account's ad accounts, then the campaigns, ad groups, ads, keywords and metrics of each."""
    from adweir.pipeline.scopes import account_scope

    return _start(app, "sync", account_scope(app.catalog, account_id))


@ingestion.route(
    "POST",
    "/api/v1/ingestion/backfill",
    "Pull days that were never pulled",
    limited=True,
    scope="write",
    status=202,
    errors=(404,),
)
def backfill(app: Here, asked: BackfillRequest) -> StartedRun:
    from adweir.pipeline.scopes import account_scope, check_scope
    from adweir.pipeline.workflows import workflow

    scope = account_scope(app.catalog, asked.account_id or only_account(app))
    days = {"start": asked.start.isoformat(), "end": asked.end.isoformat()}
    platforms = tuple(app.platforms.parse(name) for name in asked.platforms)
    scope = scope.model_copy(update=days | ({"platforms": platforms} if platforms else {}))
    check_scope(app.platforms, workflow("backfill"), scope, app.clock.now().date())
    return _start(app, "backfill", scope)


@ingestion.route("GET", "/api/v1/workflows", "List the workflows", limited=True)
def list_workflows() -> WorkflowList:
    from adweir.pipeline.workflows import WORKFLOWS

    found = [
        WorkflowAnswer(name=flow.name, about=flow.about, stages=[stage.name for stage in flow.stages])
        for flow in WORKFLOWS.values()
    ]
    return WorkflowList(workflows=found)


@ingestion.route("POST", "/api/v1/workflows/{name}/runs", "Start a workflow", scope="write", status=202)
def run_workflow(app: Here, name: WorkflowPath, asked: NewRun | None = None) -> StartedRun:
    """Without a body it covers everything."""
    from adweir.pipeline.scopes import check_scope
    from adweir.pipeline.workflows import workflow

    flow = workflow(name)
    scope = Scope.model_validate(asked.scope.model_dump()) if asked else Scope()
    check_scope(app.platforms, flow, scope, app.clock.now().date())
    for account_id in scope.accounts:
        app.catalog.account(account_id)
    return _start(app, flow.name, scope)


def _start(app: App, workflow: str, scope: Scope) -> StartedRun:
    """Ask for a run: the id is ours, so that the caller can follow it."""
    now = app.clock.now()
    run_id = run_id_for(workflow, now, app.new_id())
    message = StartRun(workflow=workflow, scheduled_at=now, scope=scope, run_id=run_id, trigger="api")
    app.queues.runs.send(message, group=run_id)
    return StartedRun(run_id=run_id)
