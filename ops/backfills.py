"""`adweir backfill`: pulls days that were never pulled, and shows how far it has come. The same checks as through the
API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any

import typer

from adweir.model.errors import NotFound
from adweir.model.ids import run_id_for
from adweir.model.messages import Scope, StartRun
from adweir.model.runs import RunState
from adweir.pipeline.releasing import backfilled
from adweir.pipeline.scopes import account_scope, check_scope
from adweir.pipeline.starting import ask_for
from adweir.pipeline.workflows import workflow
from adweir.runtime.app import App
from ops import deeds
from ops.errors import CommandFailed
from ops.options import app_of

_POLL_SECONDS = 2.0
_SHARE = 20
"""A look at a run reads all of its tasks: it may cost this part of the time at most."""


def day(text: str) -> date:
    """`2026-11-01` → the day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day such as 2026-11-01") from None


def backfill(
    context: typer.Context,
    start: Annotated[date, typer.Option(parser=day, metavar="DAY", help="The first day.", show_default=False)],
    end: Annotated[date, typer.Option(parser=day, metavar="DAY", help="The last day.", show_default=False)],
    account: Annotated[
        str, typer.Option(help="A client account or an ad account, by id; left out: the only client's.")
    ] = "",
    platform: Annotated[list[str] | None, typer.Option(help="Only this platform; repeatable.")] = None,
) -> None:
    """Pull the days of a range that were never pulled, from the newest back, and show how far it has come.

    It goes on when this command is interrupted; the same command shows it again.
    """
    app = app_of(context)
    run_id = _ask(app, account, platform or [], {"start": str(start), "end": str(end)})
    typer.echo(run_id)
    _follow(app, run_id)


def _ask(app: App, account: str, platforms: list[str], days: Mapping[str, str]) -> str:
    scope = _scope(app, account).model_copy(update=dict(days))
    if platforms:
        scope = scope.model_copy(update={"platforms": tuple(app.platforms.parse(name) for name in platforms)})
    now = app.clock.now()
    check_scope(app.platforms, workflow("backfill"), scope, now.date())
    asked = run_id_for("backfill", now, app.new_id())
    message = StartRun(workflow="backfill", scheduled_at=now, scope=scope, run_id=asked, trigger="api")
    run_id = ask_for(app.ledger, app.queues.runs, message)
    deeds.note(app, "backfill", run_id, f"run_id {run_id}", kind="run", account_id=scope.only_account)
    return run_id


def _scope(app: App, account: str) -> Scope:
    if not account:
        known = app.catalog.accounts()
        if len(known) != 1:
            raise CommandFailed(f"which client account? Add --account ID: there are {len(known)}")
        account = known[0].account_id
    try:
        return account_scope(app.catalog, account)
    except NotFound as error:
        raise CommandFailed(error.message) from None


def _follow(app: App, run_id: str) -> None:
    """Print how far a run has come, as often as that changes, until it has ended. Raises CommandFailed when not all of
    it succeeded."""
    said = ""
    while True:
        began = time.monotonic()
        run = app.ledger.get_run(run_id)
        if run is not None:
            pulls, now = app.ledger.pulls(run_id), app.clock.now()
            far = backfilled(app.ledger, app.catalog, app.platforms.parse, run, pulls, now)
            text = "\n".join(lines_of(far)) if far else ""
            if text and text != said:
                typer.echo(text)
                said = text
            if run.state.is_terminal:
                typer.echo(f"{run.state}{f': {run.reason}' if run.reason else ''}")
                if run.state is not RunState.SUCCEEDED:
                    raise CommandFailed(f"not all of it was pulled: GET /api/v1/runs/{run_id} has the failed tasks")
                return
        time.sleep(max(_POLL_SECONDS, (time.monotonic() - began) * _SHARE))


def lines_of(far: Mapping[str, Any]) -> Iterator[str]:
    """How far a backfill has come, in lines for people."""
    days, estimate = far["days"], far["estimate"]
    failed = f", {days['failed']:,} failed" if days["failed"] else ""
    yield f"{days['done']:,} of {days['total']:,} days{failed}; {_left(estimate)}"
    for one in far["platforms"]:
        windows = one["windows"]
        since = f"whole since {one['whole_since']}" if one["whole_since"] else "not whole yet"
        waits = f"; waits: {one['waits_for']}" if one["waits_for"] else ""
        yield f"  {one['platform']:<14} {windows['done']:>6,} of {windows['total']:<6,} windows  {since}{waits}"


def _left(estimate: Mapping[str, Any]) -> str:
    if estimate["seconds"] is None:
        return str(estimate["reason"])
    spans = (span_text(estimate[name]) for name in ("at_least", "at_most"))
    return f"about {span_text(estimate['seconds'])} left ({' to '.join(spans)})"


def span_text(seconds: int) -> str:
    """`40 s`, `12 min`, `3 h 20 min`, `2 d 5 h`."""
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"
