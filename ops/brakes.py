"""`adweir brakes`: what holds pulls back, and how to release it."""

from __future__ import annotations

from typing import Annotated

import typer

from adweir.model.times import iso_of
from adweir.pipeline.health import brakes_on, says
from adweir.pipeline.held_back import release, waiting
from ops import deeds
from ops.options import Json, app_of, group
from ops.output import remark, show_json, show_outcome, show_table, time_text

app = group("What holds pulls back: pauses that platforms asked for, and circuits.")


@app.command("list")
def list_brakes(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show the brakes that are on: why, since when, until when, and how many tasks wait."""
    target = app_of(context)
    on = sorted(brakes_on(target.ledger, target.catalog), key=lambda brake: brake.key)
    tasks, now = waiting(target.ledger, target.catalog, {brake.key for brake in on}), target.clock.now()
    for brake in on if as_json else ():
        times = {"since": iso_of(brake.since) if brake.since else None, "until": iso_of(brake.until)}
        more = {"key": brake.key, "says": says(brake, now), "waiting": tasks[brake.key]}
        show_json(brake._asdict() | times | more)
    if as_json:
        return
    rows = [
        (brake.key, time_text(iso_of(brake.since)) if brake.since else "", tasks[brake.key], says(brake, now))
        for brake in on
    ]
    show_table(("BRAKE", "SINCE (UTC)", ">WAITING", "WHY"), rows, "no brake is on")
    if rows:
        remark("they end by themselves; when the platform says that it is mended: adweir brakes release BRAKE")


@app.command("release")
def release_brake(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="The brake, as the list has it.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Take a brake off: the tasks that wait for it are tried at once."""
    target = app_of(context)
    released, outcome = release(target.ledger, target.queues.runs, target.platforms, key)
    deeds.note(target, "release brake", key, outcome, reason=reason, kind="brake")
    show_outcome({"key": key, "released": released, "outcome": outcome}, outcome, as_json=as_json)
