"""`adweir backfill`: pulls days that were never pulled, and shows how far it has come. The same checks as through the
API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import typer

from adweir.model.messages import Scope
from adweir.pipeline.scopes import account_scope, check_scope
from adweir.pipeline.starting import ask_for, started_now
from adweir.pipeline.workflows import workflow
from adweir.runtime.app import App
from ops import deeds
from ops.accounts import account_or_only
from ops.options import app_of
from ops.runs import begun


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
    begun(app, run_id, watched=True)


def _ask(app: App, account: str, platforms: list[str], days: Mapping[str, str]) -> str:
    scope = _of(app, account).model_copy(update=dict(days))
    if platforms:
        scope = scope.model_copy(update={"platforms": tuple(app.platforms.parse(name) for name in platforms)})
    now = app.clock.now()
    check_scope(app.platforms, workflow("backfill"), scope, now.date())
    run_id = ask_for(app.ledger, app.queues.runs, started_now("backfill", scope, now, app.new_id))
    deeds.note(app, "backfill", run_id, f"run_id {run_id}", kind="run", account_id=scope.only_account)
    return run_id


def _of(app: App, account: str) -> Scope:
    return account_scope(app.catalog, account or account_or_only(app, ""))
