"""`adweir runs`, `run`, `redrive`, `cancel`: what ran, what failed and why, and another try."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any

import typer

from adweir.model import limits
from adweir.model.errors import AccessDenied
from adweir.model.runs import Run, RunState
from adweir.model.tasks import AnyTask, Task, TaskState
from adweir.model.times import parse_instant
from adweir.pipeline.releasing import backfilled
from adweir.pipeline.starting import ask_to_cancel, ask_to_redrive
from adweir.reporting.runs import details, life, summary
from adweir.runtime.app import App
from ops import deeds
from ops.errors import CommandFailed
from ops.options import Json, Yes, app_of
from ops.output import (
    argument_text,
    confirm,
    hanging,
    remark,
    show_fields,
    show_json,
    show_outcome,
    show_table,
    span_text,
    time_text,
)
from ops.paging import every_item
from ops.watching import follow

_BEGINS_SECONDS, _POLL_SECONDS = 15.0, 0.5
"""How long `watch` waits for a run that there is not: who asked for one knows its id before it begins."""
_YEAR = len("2026-")
_NAMED = 5
"""So many tasks that failed for one reason are named."""
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.", show_default=False)]
AnyRun = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id; the newest one when left out.", show_default=False)
]
AcceptVanish = Annotated[
    bool,
    typer.Option("--accept-vanish", help="Let a pull through that would zero much stored spend.", show_default=False),
]
Watch = Annotated[bool, typer.Option("--watch", help="Show how far it comes, until its end.", show_default=False)]


def list_runs(
    context: typer.Context,
    state: Annotated[RunState | None, typer.Option(metavar="STATE", help="Only these, such as failed.")] = None,
    workflow: Annotated[str, typer.Option(help="Only those of this workflow.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Also those of refresh, which follow arrivals.")] = False,  # noqa: FBT002 - a flag
    limit: Annotated[int, typer.Option(min=1, max=limits.MAX_PAGE_ITEMS, help="The most runs.")] = 20,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List the runs, the newest first: how each went, and how many of how many tasks failed."""
    app = app_of(context)
    found = _found(app, limit, state, workflow, refreshes=every or workflow == "refresh")
    if as_json:
        for run in found:
            show_json(summary(run))
        return
    headings = ("UTC", "STATE", ">TOOK", ">FAILED", "RUN")
    show_table(headings, [_row(app, run) for run in found], "no run fits: adweir runs --all lists every one")


def show_run(
    context: typer.Context,
    run_id: AnyRun = "",
    tasks: Annotated[bool, typer.Option("--tasks", help="List its tasks, too.")] = False,  # noqa: FBT002 - a flag
    state: Annotated[
        TaskState | None, typer.Option(metavar="STATE", help="With --tasks: only these, such as failed.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Show a run: its stages, what failed and why, what it waits for, and what to do."""
    app = app_of(context)
    run = run_of(app, run_id)
    has = list(app.ledger.tasks(run.run_id))
    found = look(app, run, has)
    listed = [life(task, app.clock.now()) for task in has if tasks and state in {None, task.state}]
    if as_json:
        show_json(found | ({"tasks": listed} if tasks else {}))
        return
    show_fields(_head(app, run, found))
    _show_stages(found)
    for line in troubles(found):
        typer.echo(line)
    if tasks:
        typer.echo()
        rows = [(task["task_id"], task["state"], what(task)) for task in listed]
        show_table(("TASK", "STATE", "WHAT"), rows, "it has no such task")


def watch(context: typer.Context, run_id: AnyRun = "", as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show how far a run comes, until its end; exits with 1 unless it succeeds.

    It goes on when this command is interrupted. With --json, each change is a line.
    """
    app = app_of(context)
    ended(app, _soon(app, run_id).run_id, as_json=as_json)


def redrive(
    context: typer.Context,
    run_id: RunId,
    task: Annotated[list[str] | None, typer.Option(help="Only this task, by id; repeatable.")] = None,
    accept_vanish: AcceptVanish = False,  # noqa: FBT002 - a flag
    watched: Watch = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Try again what failed, is parked or was quarantined of a run. What was loaded stays."""
    app = app_of(context)
    run = run_of(app, run_id)
    done = ask_to_redrive(app.ledger, app.queues.runs, run, task or [], accept_vanish=accept_vanish)
    _note(app, "redrive run", run, done.outcome)
    named = [{"task_id": one.id, "state": one.state.value, "reason": why} for one, why in done.left]
    if as_json:
        show_json({"run_id": run.run_id, "tasks": done.tasks, "left": named, "waits_for": done.waits_for or None})
    else:
        typer.echo(f"{done.tasks} {'task is' if done.tasks == 1 else 'tasks are'} tried again")
        for one in named:
            remark(f"  {one['task_id']} stays {one['state']}: {one['reason']}")
    if done.waits_for:
        remark(f"it begins after run {done.waits_for}, which is open: adweir watch {done.waits_for}")
    elif watched:
        ended(app, run.run_id, as_json=as_json, seen=run.version if run.state.is_terminal else -1)
    elif not as_json:
        remark(f"follow it: adweir watch {run.run_id}")


def cancel(
    context: typer.Context,
    run_id: RunId,
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """End a run with what it has: what is stored stays, what is open is cancelled. It cannot be redriven afterwards."""
    app = app_of(context)
    run = run_of(app, run_id)
    if not run.state.is_terminal:
        confirm(context, f"Cancel run {run.run_id}, which is at {run.stage},", yes=yes)
    ask_to_cancel(app.queues.runs, run)
    _note(app, "cancel run", run, f"it was {run.state}")
    said = "was cancelled before" if run.state.is_terminal else "is being cancelled"
    show_outcome({"run_id": run.run_id, "was": run.state}, f"{run.run_id} {said}", as_json=as_json)


def run_of(app: App, run_id: str = "") -> Run:
    """A run by its id, or the newest one, those of `refresh` aside. Raises CommandFailed."""
    if not run_id:
        newest, _ = app.ledger.list_runs(1, refreshes=False)
        if not newest:
            raise CommandFailed("nothing has run yet: adweir sync starts a run")
        return newest[0]
    run = app.ledger.get_run(run_id)
    if run is None:
        listed = "adweir runs lists them. One that was just asked for begins within seconds"
        raise CommandFailed(f"there is no run {run_id[:100]}: {listed}; else see adweir dead-letters list")
    return run


def _soon(app: App, run_id: str) -> Run:
    """A run by its id, which may have been asked for a moment ago. Raises CommandFailed."""
    deadline = time.monotonic() + _BEGINS_SECONDS
    while run_id and app.ledger.get_run(run_id) is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return run_of(app, run_id)


def look(app: App, run: Run, tasks: Sequence[AnyTask]) -> dict[str, Any]:
    """A run with these tasks as the API answers it."""
    now = app.clock.now()
    pulls = (task for task in tasks if isinstance(task, Task))
    return details(run, tasks, now) | {
        "backfill": backfilled(app.ledger, app.catalog, app.platforms.parse, run, pulls, now)
    }


def begun(app: App, run_id: str, *, watched: bool, as_json: bool) -> None:
    """Print the id of a run that was just asked for, and say how it is followed, or follow it."""
    if not as_json:
        typer.echo(run_id)
    elif not watched:
        show_json({"run_id": run_id})
    if watched:
        ended(app, run_id, as_json=as_json)
    elif not as_json:
        remark(f"follow it: adweir watch {run_id}")


def ended(app: App, run_id: str, *, as_json: bool, seen: int = -1) -> None:
    """Follow a run to its end, and print what came of it. `seen`: a version of which the end is not meant.

    Raises Exit with 1 unless it succeeded.
    """
    found: dict[str, Any] = {}
    try:
        for found in follow(app, run_id, lambda one: look(app, one, list(app.ledger.tasks(run_id))), seen=seen):
            if as_json:
                show_json(found)
    except KeyboardInterrupt:
        remark(f"the run goes on: adweir watch {run_id}")
        raise
    if not as_json:
        typer.echo(f"{run_id} {found['state']}: {found['rows_stored']:,} rows stored")
        for line in troubles(found):
            typer.echo(line)
    if found["state"] != RunState.SUCCEEDED:
        raise typer.Exit(1)


def troubles(found: Mapping[str, Any]) -> Iterator[str]:
    """What failed and what waits of a run, by reason, with what to do, in lines."""
    causes = defaultdict[str, list[Mapping[str, Any]]](list)
    for task in found["failed_tasks"]:
        error = task["error"] or {}
        unsaid = "with the run" if task["state"] == TaskState.CANCELLED else "no reason is recorded"
        why = ": ".join(str(error[name]) for name in ("code", "message") if error.get(name)) or unsaid
        causes[f"{task['state']}: {why}"].append(task)
    for why, tasks in causes.items():
        yield from _group(f"{len(tasks)} {why}", tasks)
    waits = defaultdict[str, list[Mapping[str, Any]]](list)
    for task in found["waiting_tasks"]:
        waits[task["waits_for"]].append(task)
    for why, tasks in waits.items():
        yield from _group(f"{len(tasks)} open: {why}", tasks)
    if found["tasks_failed"] and found["state"] != RunState.CANCELLED:
        yield ""
        yield from _advice(found)


def _advice(found: Mapping[str, Any]) -> Iterator[str]:
    """What mends a run: tasks behind a refused credential go on by themselves, and an ad account that was denied has to
    be listed anew."""
    failed = found["failed_tasks"]
    parked = [task for task in failed if task["state"] == TaskState.PARKED]
    denied = [task for task in failed if (task["error"] or {}).get("code") == AccessDenied.code]
    if parked:
        yield "a refused credential has to be stored anew, then its tasks go on: adweir health"
    for account in dict.fromkeys(task["account_id"] for task in denied):
        yield f"when the permission is back: adweir sync {account}"
    if len(parked) + len(denied) < found["tasks_failed"]:
        yield f"when the cause is mended: adweir redrive {found['run_id']}"


def what(task: Mapping[str, Any]) -> str:
    """What a task pulls or does, in words."""
    if not task["dataset"]:
        return f"{task['kind']} of {task['account_id']}"
    part = "" if task["slice"] in {None, "", "all"} else task["slice"]
    profile = task["profile_id"] or f"of {task['account_id']}"
    return " ".join(filter(None, (task["platform"], profile, task["dataset"], part, task["window"])))


def _group(heading: str, tasks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield from hanging("", heading, 2)
    for task in tasks[:_NAMED]:
        yield from hanging(f"  {task['task_id']}  ", what(task))
    if len(tasks) > _NAMED:
        yield f"  and {len(tasks) - _NAMED} more: --tasks lists all"


def _found(app: App, most: int, state: RunState | None, workflow: str, *, refreshes: bool) -> list[Run]:
    size = limits.MAX_PAGE_ITEMS if state or workflow else most
    every = every_item(lambda token: app.ledger.list_runs(size, token, refreshes=refreshes))
    fits = (run for run in every if state in {None, run.state} and workflow in {"", run.workflow})
    return list(islice(fits, most))


def _row(app: App, run: Run) -> tuple[object, ...]:
    failed = f"{run.tasks_failed:,}/{run.tasks_total:,}" if run.state.is_terminal else ""
    return time_text(run.started_at)[_YEAR:], run.state.value, _took(app, run), failed, run.run_id


def _took(app: App, run: Run) -> str:
    if not run.started_at:
        return ""
    until = parse_instant(run.ended_at) if run.ended_at else app.clock.now()
    return span_text(max(0.0, (until - parse_instant(run.started_at)).total_seconds()))


def _head(app: App, run: Run, found: Mapping[str, Any]) -> dict[str, object]:
    scope = "; ".join(
        f"{name} {', '.join(value) if isinstance(value, list) else value}" for name, value in found["scope"].items()
    )
    began = f"{time_text(run.started_at)} UTC" if run.started_at else "not begun"
    return {
        "run": run.run_id,
        "state": f"{run.state}{'' if run.state.is_terminal else f', at {run.stage}'}",
        "reason": run.reason,
        "workflow": f"{run.workflow}, started by {run.trigger}",
        "because": found["because"],
        "covers": scope or "everything",
        "args": "; ".join(f"{name} {argument_text(value)}" for name, value in run.args.items()),
        "started": f"{began}, {'took' if run.ended_at else 'for'} {_took(app, run)}",
        "rows": found["rows_stored"] or "none stored",
    }


def _show_stages(found: Mapping[str, Any]) -> None:
    rows = [
        (stage["name"], stage["state"], stage["done"], stage["total"], stage["failed"] or "", stage["reason"] or "")
        for stage in found["stages"]
    ]
    if rows:
        typer.echo()
        show_table(("STAGE", "STATE", ">DONE", ">OF", ">FAILED", "WHY"), rows, "")


def _note(app: App, action: str, run: Run, outcome: str) -> None:
    deeds.note(app, action, run.run_id, outcome, kind="run", account_id=run.scope.only_account)
