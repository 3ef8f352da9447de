"""`adweir backfill`: pulls days that were never pulled, and shows how far it has come. The same checks as through the
API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import typer

from adweir.pipeline.scopes import account_scope, check_scope
from adweir.pipeline.starting import ask_for, started_now
from adweir.pipeline.workflows import workflow
from adweir.runtime.app import App
from ops import deeds
from ops.accounts import account_or_only
from ops.options import Json, app_of, day
from ops.runs import begun


def backfill(
    context: typer.Context,
    start: Annotated[date, typer.Option(parser=day, metavar="DAY", help="The first day.", show_default=False)],
    end: Annotated[date, typer.Option(parser=day, metavar="DAY", help="The last day.", show_default=False)],
    account: Annotated[
        str, typer.Option(help="A client account or an ad account, by id; left out: the only client's.")
    ] = "",
    platform: Annotated[list[str] | None, typer.Option(help="Only this platform; repeatable.")] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Pull the days of a range that were never pulled, from the newest back, and show how far it has come.

    It goes on when this command is interrupted; the same command shows it again. With --json, each change is a line.
    """
    app = app_of(context)
    run_id = _ask(app, account, platform or [], {"start": str(start), "end": str(end)})
    begun(app, run_id, watched=True, as_json=as_json)


def _ask(app: App, account: str, platforms: list[str], days: Mapping[str, str]) -> str:
    scope = account_scope(app.catalog, account or account_or_only(app, "")).model_copy(update=dict(days))
    if platforms:
        scope = scope.model_copy(update={"platforms": tuple(app.platforms.parse(name) for name in platforms)})
    now = app.clock.now()
    check_scope(app.platforms, workflow("backfill"), scope, now.date())
    run_id = ask_for(app.ledger, app.queues.runs, started_now("backfill", scope, now, app.new_id))
    deeds.note(app, "backfill", run_id, f"run_id {run_id}", kind="run", account_id=scope.only_account)
    return run_id
