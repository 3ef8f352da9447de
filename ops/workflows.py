"""`adweir workflows`: what runs do. The same checks as through the API."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.flows import KINDS
from adweir.model.messages import Scope
from adweir.model.times import Window
from adweir.pipeline.asking import check_asked
from adweir.pipeline.flow_forms import find_flow, form_of, read, shadowed, to_store, warnings
from adweir.pipeline.pipelines import from_text
from adweir.pipeline.recorded import workflow_changes
from adweir.pipeline.scopes import account_scope
from adweir.pipeline.starting import ask_for, started_now
from adweir.pipeline.workflows import WORKFLOWS
from adweir.reporting.runs import result as result_of
from adweir.runtime.app import App
from ops import deeds
from ops.errors import CommandFailed
from ops.options import Json, Yes, app_of, days_of, group
from ops.output import confirm, remark, show_json, show_outcome, show_table

workflows = group("What runs do, stage by stage.")
_POLL_SECONDS = 1.0
Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME=VALUE",
        help="Of a pipeline: source_platform, account_id, date_range=FIRST..LAST, validate, enrich, destination,"
        " batch_size.",
        show_default=False,
    ),
]
WorkflowArgument = Annotated[str, typer.Argument(help="The workflow's name.", show_default=False)]


@workflows.command("list")
def list_workflows(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show all workflows, each with its stages."""
    app = app_of(context)
    stored = [("stored", read(one.name, json.loads(one.body)), shadowed(one)) for one in app.catalog.stored_workflows()]
    found = [("built-in", find_flow(app.catalog, name), list[str]()) for name in WORKFLOWS] + stored
    if as_json:
        for origin, flow, warned in found:
            show_json({**form_of(flow), "name": flow.name, "built_in": origin == "built-in", "warnings": warned})
        return
    rows = [(flow.name, origin, ", ".join(stage.name for stage in flow.stages)) for origin, flow, _ in found]
    show_table(("WORKFLOW", "ORIGIN", "STAGES"), rows, "")
    for _, flow, warned in found:
        for warning in warned:
            remark(f"{flow.name}: {warning}")


@workflows.command()
def kinds(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show the kinds of stages that there is a function for."""
    deployed = app_of(context).stage_kinds
    for kind, about in KINDS.items():
        if kind in deployed:
            show_outcome({"kind": kind, "about": about}, f"{kind.value:<10} {about}", as_json=as_json)


@workflows.command()
def show(context: typer.Context, name: WorkflowArgument) -> None:
    """Print a workflow as `put` reads it."""
    typer.echo(json.dumps(form_of(find_flow(app_of(context).catalog, name)), indent=2))


@workflows.command()
def put(
    context: typer.Context,
    name: WorkflowArgument,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The workflow as JSON.")],
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Check a workflow and store it, or replace the one of its name."""
    body = file.read_bytes()
    if len(body) > limits.MAX_WORKFLOW_BYTES:
        raise CommandFailed(f"{file} has more than {limits.MAX_WORKFLOW_BYTES} bytes")
    try:
        given: Any = json.loads(body)
    except ValueError as error:
        raise CommandFailed(f"{file} is not JSON: {error}") from None
    app = app_of(context)
    try:
        flow, form = to_store(name, _unnamed(name, given), app.platforms.parse)
    except BadInput as error:
        faults = "\n".join(f"  {one.get('field')}: {one.get('message')}" for one in error.details)
        raise CommandFailed(f"the workflow is refused:\n{faults}") from None
    was = app.catalog.stored_workflow(name)
    stored = app.catalog.put_workflow(name, form)
    changes = workflow_changes(was.body if was else "", form)
    deeds.note(app, "store workflow", name, f"version {stored.version}", kind="workflow", changes=changes)
    warned = warnings(flow, app.stage_kinds)
    said = "\n  ".join([f"stored {name}, version {stored.version}", *warned])
    show_outcome({"name": name, "version": stored.version, "warnings": warned}, said, as_json=as_json)


@workflows.command()
def remove(
    context: typer.Context,
    name: WorkflowArgument,
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Delete a stored workflow; runs that are open go on."""
    app = app_of(context)
    stored = app.catalog.stored_workflow(name)
    if stored is None and name in WORKFLOWS:
        raise CommandFailed(f"{name} is a built-in workflow")
    if stored is not None:
        confirm(context, f"Delete workflow {name}, version {stored.version},", yes=yes)
    app.catalog.delete_workflow(name)
    deeds.note(app, "delete workflow", name, "deleted", kind="workflow")
    show_outcome({"name": name, "status": "deleted"}, f"deleted {name}", as_json=as_json)


@workflows.command()
def run(
    context: typer.Context,
    name: WorkflowArgument,
    arguments: Arguments = None,
    account: Annotated[
        list[str] | None, typer.Option(help="Only this client account, or this ad account, by id; repeatable.")
    ] = None,
    days: Annotated[
        Window | None,
        typer.Option(parser=days_of, metavar="FIRST..LAST", help="Only these days.", show_default=False),
    ] = None,
    wait: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="Wait so long for its end, and print its result.")
    ] = 0,
) -> None:
    """Start a workflow now; prints the run's id, or that of the open run that it joins.

    adweir workflows run daily --days 2026-11-01..2026-11-07
    adweir workflows run platform source_platform=meta date_range=2026-11-01..2026-11-07 --wait 600
    """
    app = app_of(context)
    now = app.clock.now()
    covered = {"start": days.start.isoformat(), "end": days.end.isoformat()} if days else {}
    given = _covers(app, account or ()).model_copy(update=covered), _read(arguments or ())
    flow, scope, args = check_asked(app.catalog, app.platforms, name, given, now.date())
    run_id = ask_for(app.ledger, app.queues.runs, started_now(name, scope, now, app.new_id, args))
    deeds.note(app, "run workflow", name, f"run_id {run_id}", kind="workflow", account_id=scope.only_account)
    typer.echo(run_id)
    for warning in warnings(flow, app.stage_kinds):
        typer.echo(f"  {warning}", err=True)
    if wait:
        _print_result(app, run_id, wait)


@workflows.command()
def result(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="The run's id.", show_default=False)],
    wait: Annotated[int, typer.Option(min=0, metavar="SECONDS", help="Wait so long for its end.")] = 0,
) -> None:
    """Print what came of a run: success, records, seconds, error. Exits with 1 unless it succeeded."""
    _print_result(app_of(context), run_id, wait)


def _covers(app: App, accounts: Sequence[str]) -> Scope:
    """What client accounts, or ad accounts, cover together; everything for none. Raises NotFound, CommandFailed."""
    found = [account_scope(app.catalog, each) for each in accounts]
    if len({bool(one.profiles) for one in found}) > 1:
        raise CommandFailed("--account takes client accounts or ad accounts, and here are both: start a run for each")
    fields = ("accounts", "platforms", "profiles")
    together = {name: tuple(dict.fromkeys(each for one in found for each in getattr(one, name))) for name in fields}
    return Scope.model_validate(together)


def _print_result(app: App, run_id: str, seconds: float) -> None:
    """Wait for a run's end, and print what came of it. Raises CommandFailed when it has not ended, or not well."""
    deadline = time.monotonic() + seconds
    while (run := app.ledger.get_run(run_id)) is None or not run.state.is_terminal:
        if time.monotonic() >= deadline:
            unknown = f"there is no run {run_id}: it has not begun, or see adweir quarantine messages"
            raise CommandFailed(f"run {run_id} has not ended" if run else unknown)
        time.sleep(_POLL_SECONDS)
    came = result_of(run, run.records)
    typer.echo(json.dumps(came))
    if came is None or not came["success"]:
        raise typer.Exit(1)


def _unnamed(name: str, given: Any) -> Any:
    """A workflow without its own name, which the fluent form writes. Raises CommandFailed where it has another."""
    if not isinstance(given, dict) or "name" not in given:
        return given
    if given["name"] != name:
        named = str(given["name"])[: limits.MAX_WORD_CHARS]
        raise CommandFailed(f"the workflow in the file is named {named!r}: store it by that name, or leave `name` out")
    return {field: value for field, value in given.items() if field != "name"}


def _read(given: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` texts as arguments. Raises CommandFailed."""
    found: dict[str, Any] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator:
            raise CommandFailed(f"{text!r} is not NAME=VALUE")
        found[name] = from_text(name, value)
    return found
