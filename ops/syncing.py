"""`adweir sync`: pull what is new, now."""

from __future__ import annotations

from typing import Annotated

import typer

from adweir.model.messages import Scope
from adweir.pipeline.scopes import account_scope
from adweir.pipeline.starting import ask_for, started_now
from ops import deeds
from ops.options import Json, app_of
from ops.output import remark
from ops.runs import Watch, begun


def sync(
    context: typer.Context,
    account: Annotated[
        str, typer.Argument(help="A client account or an ad account, by id; everything when left out.")
    ] = "",
    watched: Watch = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Pull the ad accounts, then the campaigns, ads and metrics of each; prints the run's id."""
    app = app_of(context)
    scope = account_scope(app.catalog, account) if account else Scope()
    asked = started_now("sync", scope, app.clock.now(), app.new_id)
    run_id = ask_for(app.ledger, app.queues.runs, asked)
    if run_id != asked.run_id:
        remark("the same sync is open already; what it has pulled by now it does not pull again")
    about = {"kind": "run", "account_id": scope.only_account}
    deeds.note(app, "sync account" if account else "sync all", account, f"run_id {run_id}", **about)
    begun(app, run_id, watched=watched, as_json=as_json)
