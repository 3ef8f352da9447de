"""`adweir workflows`: what runs do. The same checks as through the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from adweir.model import limits
from adweir.model.errors import BadInput, NotFound
from adweir.model.flows import KINDS
from adweir.model.ids import run_id_for
from adweir.model.messages import Scope, StartRun
from adweir.pipeline.flow_forms import find_flow, form_of, read, warnings
from adweir.pipeline.scopes import check_scope
from adweir.pipeline.starting import ask_for
from adweir.pipeline.workflows import WORKFLOWS
from adweir.runtime.app import App
from ops.errors import CommandFailed
from ops.options import Stack, home_of
from ops.target import open_target

workflows = typer.Typer(name="workflows", help="What runs do, stage by stage.", no_args_is_help=True)
WorkflowArgument = Annotated[str, typer.Argument(help="The workflow's name.", show_default=False)]


@workflows.command("list")
def list_workflows(context: typer.Context, stack: Stack = "") -> None:
    """Show all workflows, each with its stages."""
    app = _app(context, stack)
    for flow in (*WORKFLOWS.values(), *(find_flow(app.catalog, each.name) for each in app.catalog.stored_workflows())):
        origin = "built-in" if flow.name in WORKFLOWS else "stored"
        typer.echo(f"{flow.name:<20} {origin:<9} {', '.join(stage.name for stage in flow.stages)}")


@workflows.command()
def kinds(context: typer.Context, stack: Stack = "") -> None:
    """Show the kinds of stages that there is a function for."""
    deployed = _app(context, stack).stage_kinds
    for kind, about in KINDS.items():
        if kind in deployed:
            typer.echo(f"{kind.value:<10} {about}")


@workflows.command()
def show(context: typer.Context, name: WorkflowArgument, stack: Stack = "") -> None:
    """Print a workflow as `put` reads it."""
    typer.echo(json.dumps(form_of(find_flow(_app(context, stack).catalog, name)), indent=2))


@workflows.command()
def put(
    context: typer.Context,
    name: WorkflowArgument,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The workflow as JSON.")],
    stack: Stack = "",
) -> None:
    """Check a workflow and store it, or replace the one of its name."""
    body = file.read_bytes()
    if len(body) > limits.MAX_WORKFLOW_BYTES:
        raise CommandFailed(f"{file} has more than {limits.MAX_WORKFLOW_BYTES} bytes")
    try:
        given: Any = json.loads(body)
    except ValueError as error:
        raise CommandFailed(f"{file} is not JSON: {error}") from None
    app = _app(context, stack)
    try:
        flow = read(name, given, app.platforms.parse)
    except BadInput as error:
        said = "\n".join(f"  {one.get('field')}: {one.get('message')}" for one in error.details)
        raise CommandFailed(f"the workflow is refused:\n{said}") from None
    stored = app.catalog.put_workflow(name, json.dumps(form_of(flow)))
    typer.echo(f"stored {name}, version {stored.version}")
    for warning in warnings(flow, app.stage_kinds):
        typer.echo(f"  {warning}")


@workflows.command()
def remove(context: typer.Context, name: WorkflowArgument, stack: Stack = "") -> None:
    """Delete a stored workflow; runs that are open go on."""
    if name in WORKFLOWS:
        raise CommandFailed(f"{name} is a built-in workflow")
    try:
        _app(context, stack).catalog.delete_workflow(name)
    except NotFound as error:
        raise CommandFailed(error.message) from None
    typer.echo(f"deleted {name}")


@workflows.command()
def run(
    context: typer.Context,
    name: WorkflowArgument,
    account: Annotated[list[str] | None, typer.Option(help="Only this client account; repeatable.")] = None,
    stack: Stack = "",
) -> None:
    """Start a workflow now; prints the run's id, or that of the open run that it joins."""
    app = _app(context, stack)
    now = datetime.now(UTC)
    for account_id in account or ():
        app.catalog.account(account_id)
    try:
        flow, scope = find_flow(app.catalog, name), Scope(accounts=tuple(account or ()))
        check_scope(app.platforms, flow, scope, now.date())
    except BadInput as error:
        raise CommandFailed(error.message) from None
    run_id = run_id_for(name, now, app.new_id())
    message = StartRun(workflow=name, scheduled_at=now, scope=scope, run_id=run_id, trigger="api")
    typer.echo(ask_for(app.ledger, app.queues.runs, message))


def _app(context: typer.Context, stack: str) -> App:
    return open_target(stack, home_of(context)).app()
