"""Workflows: what runs do, stage by stage; the built-in ones and those that users store."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.model.errors import Conflict, NotFound
from adweir.model.labels import PATTERN
from adweir.model.messages import Scope
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import Given, Instant, NextToken, PlatformName, Shown, StartedRun
from routes.ingestion import start

if TYPE_CHECKING:
    from adweir.model.entities import StoredWorkflow
    from adweir.pipeline.workflows import Workflow

Name = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_PATH_ID_CHARS)]
Names = Annotated[list[Name], Field(max_length=limits.MAX_SCOPE_NAMES)]
WorkflowName = Annotated[
    str, StringConstraints(pattern=PATTERN, max_length=limits.MAX_WORD_CHARS), Field(examples=["nightly"])
]
WorkflowPath = Annotated[str, Path(description="The workflow's name.")]


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
    args: Annotated[dict[str, Any], Field(max_length=limits.MAX_SCOPE_NAMES)] = Field(
        default={}, description="Of a pipeline: its `arguments`, by name.", examples=[{}]
    )


class AskedRun(StartedRun):
    """The run that was asked for."""

    warnings: list[str] = Field(description="Stages that are left out, since there is no function for them.")


class WorkflowAnswer(Shown):
    """A workflow."""

    name: str
    about: str
    built_in: bool
    stages: list[dict[str, Any]] = Field(description="Each after those that it waits for: docs/workflows.md.")
    arguments: list[dict[str, Any]] = Field(description="Of a pipeline: name, type, default and what each is for.")
    warnings: list[str] = Field(description="Stages that are left out, since there is no function for them.")
    version: int | None = Field(description="Grows by 1 with each replacement; null for a built-in one.")
    updated_at: Instant | None


class WorkflowList(Shown):
    """All workflows, in one page."""

    workflows: list[WorkflowAnswer]
    next_token: NextToken = None


class DeletedWorkflow(Shown):
    """The workflow that was deleted."""

    name: str
    status: Literal["deleted"] = "deleted"


class StageKindAnswer(Shown):
    """A kind of stages."""

    kind: str = Field(examples=["pull"])
    about: str


class StageKindList(Shown):
    """The kinds of stages that there is a function for."""

    stage_kinds: list[StageKindAnswer]
    next_token: NextToken = None


class WorkflowBody(Given):
    """Stages, each of which begins when those that it comes after have ended."""

    about: Annotated[str, StringConstraints(max_length=limits.MAX_NAME_CHARS)] = Field(
        default="", description="What it is for."
    )
    stages: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=limits.MAX_WORKFLOW_STAGES)] = Field(
        description="Their fields are in docs/workflows.md."
    )


class NewWorkflow(WorkflowBody):
    """A workflow to store."""

    name: WorkflowName


workflows = Resource("Workflows", "What runs do")


@workflows.route("GET", "/api/v1/workflows", "List the workflows", limited=True)
def list_workflows(app: Here) -> WorkflowList:
    """The built-in ones, then the stored ones. A key that is limited to accounts sees the built-in ones."""
    from adweir.pipeline.pipelines import flow_with
    from adweir.pipeline.workflows import WORKFLOWS

    found = [_shown(app, flow_with(name, {}), None) for name in WORKFLOWS]
    if app.accounts is None:
        found += [_stored(app, stored) for stored in app.catalog.stored_workflows()]
    return WorkflowList(workflows=found)


@workflows.route("GET", "/api/v1/stage-kinds", "List the kinds of stages")
def list_stage_kinds(app: Here) -> StageKindList:
    """Those that there is a function for. A workflow may name others: such a stage is left out, with the reason."""
    from adweir.model.flows import KINDS

    found = [StageKindAnswer(kind=kind.value, about=about) for kind, about in KINDS.items() if kind in app.stage_kinds]
    return StageKindList(stage_kinds=found)


@workflows.route("GET", "/api/v1/workflows/{name}", "Get a workflow", errors=(404,))
def get_workflow(app: Here, name: WorkflowPath) -> WorkflowAnswer:
    from adweir.pipeline.pipelines import flow_with
    from adweir.pipeline.workflows import WORKFLOWS

    if name in WORKFLOWS:
        return _shown(app, flow_with(name, {}), None)
    stored = app.catalog.stored_workflow(name)
    if stored is None:
        raise NotFound(f"there is no workflow {name[:64]!r}", [{"field": "name", "message": "is unknown"}])
    return _stored(app, stored)


@workflows.route("POST", "/api/v1/workflows", "Create a workflow", scope="write", status=201, errors=(409, 413))
def create_workflow(app: Here, caller: Caller, new: NewWorkflow) -> WorkflowAnswer:
    """It is checked first; a refused one (422) is not stored, and each detail names a field and what to do."""
    return _put(app, caller, new.name, new, replace=False)


@workflows.route("PUT", "/api/v1/workflows/{name}", "Store or replace a workflow", scope="write", errors=(409, 413))
def put_workflow(app: Here, caller: Caller, name: WorkflowPath, new: WorkflowBody) -> WorkflowAnswer:
    """It is checked first; a refused one (422) changes nothing. Runs that are open go on as they began."""
    return _put(app, caller, name, new, replace=True)


@workflows.route("DELETE", "/api/v1/workflows/{name}", "Delete a workflow", scope="write", errors=(404, 409))
def delete_workflow(app: Here, caller: Caller, name: WorkflowPath) -> DeletedWorkflow:
    """Runs that are open go on. Built-in workflows stay (409)."""
    from adweir.pipeline.workflows import WORKFLOWS

    if name in WORKFLOWS and app.catalog.stored_workflow(name) is None:
        raise Conflict(f"{name} is a built-in workflow")
    app.catalog.delete_workflow(name)
    note_change(app, caller, "delete workflow", name, "deleted", kind="workflow")
    return DeletedWorkflow(name=name)


@workflows.route("POST", "/api/v1/workflows/{name}/runs", "Start a workflow", scope="write", status=202)
def run_workflow(app: Here, caller: Caller, name: WorkflowPath, body: NewRun | None = None) -> AskedRun:
    """Without a body it covers everything. Where a run of the same workflow, scope and arguments is open, it is that
    run's id. A pipeline's arguments may say what its run covers, in place of the scope."""
    from adweir.pipeline.asking import check_asked
    from adweir.pipeline.flow_forms import warnings

    new = body or NewRun()
    given = Scope.model_validate(new.scope.model_dump()), new.args
    flow, scope, args = check_asked(app.catalog, app.platforms, name, given, app.clock.now().date())
    for account_id in scope.accounts:
        app.catalog.account(account_id)
    run_id = start(app, flow.name, scope, args).run_id
    note_change(app, caller, "run workflow", name, f"run_id {run_id}", kind="workflow", account_id=scope.only_account)
    return AskedRun(run_id=run_id, warnings=warnings(flow, app.stage_kinds)[: limits.MAX_WORKFLOW_STAGES])


def _put(app: App, caller: str, name: str, new: WorkflowBody, *, replace: bool) -> WorkflowAnswer:
    from adweir.pipeline.flow_forms import to_store
    from adweir.pipeline.recorded import workflow_changes

    flow, body = to_store(name, new.model_dump(include={"about", "stages"}), app.platforms.parse)
    was = app.catalog.stored_workflow(name)
    stored = app.catalog.put_workflow(name, body, replace=replace)
    changed = workflow_changes(was.body if was else "", body)
    note_change(app, caller, "store workflow", name, f"version {stored.version}", kind="workflow", changes=changed)
    return _shown(app, flow, stored)


def _stored(app: App, stored: "StoredWorkflow") -> WorkflowAnswer:
    from adweir.pipeline.flow_forms import read

    return _shown(app, read(stored.name, json.loads(stored.body)), stored)


def _shown(app: App, flow: "Workflow", stored: "StoredWorkflow | None") -> WorkflowAnswer:
    from adweir.pipeline.flow_forms import form_of, shadowed, warnings
    from adweir.pipeline.pipelines import described

    form: dict[str, Any] = form_of(flow)
    return WorkflowAnswer(
        name=flow.name,
        about=flow.about,
        built_in=stored is None,
        stages=form["stages"],
        arguments=described(flow.name) if stored is None else [],
        warnings=[*(shadowed(stored) if stored else ()), *warnings(flow, app.stage_kinds)],
        version=stored and stored.version,
        updated_at=stored and stored.updated_at,
    )
