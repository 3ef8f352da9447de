"""`adweir brakes`: what holds pulls back, and how to release it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from adweir.model.times import iso_of
from adweir.pipeline.health import brakes_on, says
from adweir.pipeline.held_back import release, waiting
from ops import deeds
from ops.options import app_of, group

app = group("What holds pulls back: pauses that platforms asked for, and circuits.")


@app.command("list")
def list_brakes(context: typer.Context) -> None:
    """Show the brakes that are on: why, since when, until when, and how many tasks wait."""
    target = app_of(context)
    on = sorted(brakes_on(target.ledger, target.catalog), key=lambda brake: brake.key)
    tasks = waiting(target.ledger, target.catalog, {brake.key for brake in on})
    for brake in on:
        since = f", since {iso_of(brake.since)[:16]}Z" if brake.since else ""
        count = tasks[brake.key]
        wait = "1 task waits" if count == 1 else f"{count} tasks wait"
        typer.echo(f"{brake.key}  {says(brake, datetime.now(UTC))}{since}; {wait}")
    if not on:
        typer.echo("no brake is on")


@app.command("release")
def release_brake(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="The brake, as the list has it.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
) -> None:
    """Take a brake off: the tasks that wait for it are tried at once."""
    target = app_of(context)
    _, outcome = release(target.ledger, target.queues.runs, target.platforms, key)
    deeds.note(target, "release brake", key, outcome, reason=reason, kind="brake")
    typer.echo(outcome)
