"""`adweir etl`: make media-mix datasets and their coefficients, now."""

from __future__ import annotations

from typing import Annotated

import typer

from adweir.model import limits
from adweir.model.messages import Scope
from adweir.model.runs import REFRESH
from adweir.pipeline.starting import ask_for, started_now
from ops import deeds
from ops.errors import CommandFailed
from ops.options import Json, app_of
from ops.output import remark
from ops.runs import Watch, begun


def etl(
    context: typer.Context,
    account: Annotated[str, typer.Option("--account", metavar="ID", help="Of one client.", show_default=False)] = "",
    campaign: Annotated[
        str, typer.Option("--campaign", metavar="ID", help="Of one cross-platform campaign.", show_default=False)
    ] = "",
    lookback_days: Annotated[
        int,
        typer.Option(
            "--lookback-days", min=0, max=limits.MAX_MIX_DAYS, help="Of the last days only; 0: all that there are."
        ),
    ] = 0,
    watched: Watch = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Make media-mix datasets and coefficients of what is stored; prints the run's id."""
    app = app_of(context)
    owner = account
    if campaign:
        owner = app.catalog.campaign(campaign).account_id
        if account not in {"", owner}:
            raise CommandFailed(f"{campaign} is a campaign of {owner}")
    elif account:
        owner = app.catalog.account(account).account_id
    scope = Scope(accounts=(owner,) if owner else (), campaign=campaign, mix_days=lookback_days)
    asked = started_now(REFRESH, scope, app.clock.now(), app.new_id)
    run_id = ask_for(app.ledger, app.queues.runs, asked)
    if run_id != asked.run_id:
        remark("the same run is open already; this follows it")
    deeds.note(app, "build datasets", campaign or owner, f"run_id {run_id}", kind="run", account_id=owner)
    begun(app, run_id, watched=watched, as_json=as_json)
