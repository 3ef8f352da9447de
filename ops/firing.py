"""`adweir fire`: what a schedule would send now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from adweir.pipeline.workflows import WORKFLOWS
from ops import commands
from ops.options import Json, moment, target_of
from ops.output import show_outcome

Moment = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="The scheduled time, ISO 8601; now when left out."),
]


def fire(
    context: typer.Context,
    workflow: Annotated[
        str,
        typer.Argument(metavar="WORKFLOW", help=f"{', '.join(WORKFLOWS)} or sweep.", show_default=False),
    ],
    at: Moment = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Send what a schedule would send now; prints the run's id."""
    if workflow not in (*WORKFLOWS, "sweep"):
        raise typer.BadParameter(f"{workflow!r} is not one of {', '.join(WORKFLOWS)}, sweep", param_hint="WORKFLOW")
    target = target_of(context)
    run_id = commands.fire(target, workflow, at or target.app().clock.now().replace(microsecond=0))
    show_outcome({"run_id": run_id or None}, run_id or "sweep sent", as_json=as_json)
