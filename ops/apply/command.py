"""`adweir apply` and `adweir describe`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from adweir.model import limits
from ops.apply import plan as plans
from ops.apply import show
from ops.apply.described import Description, environment_of
from ops.apply.planning import PlannedStep, StepVerb
from ops.apply.text import written
from ops.errors import CommandFailed, say_error
from ops.options import Json, Yes, app_of, target_of, where_of
from ops.output import ask, confirm, hanging, remark, show_json

_DIFFERS = 3
"""The exit code of --dry-run where something differs: 1 is a failure, 2 wrong usage."""
_REMOVE = "remove"


def apply(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file; - is standard input.", show_default=False)],
    dry_run: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--dry-run", help="Show what differs and change nothing; 3 is the exit code if anything.")
    ] = False,
    prune: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--prune", help="Also remove what the sections of the file do not have.")
    ] = False,
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Make a deployment what a file says: show what differs, ask, and do it. Applied again, it changes nothing.

    Exits with 0 when all is as the file says, with 1 when something failed.
    """
    name, content = _content(file)
    app = target_of(context).app_of_api()
    try:
        plan = plans.plan(app, content, os.environ, prune=prune, reason=f"adweir apply {name}")
    except plans.FileRefused as refused:
        raise CommandFailed(refused.lines(name)) from None
    for note in plan.notes:
        remark("\n".join(hanging("note: ", note, 2)))
    typer.echo("\n".join(show.lines_of(plan)), err=as_json)
    if dry_run or not plan.steps:
        if as_json:
            show_json(show.plain(plan, None))
        raise typer.Exit(_DIFFERS if plan.steps else 0)
    if not yes:
        _ask(context, plan)
    outcome = plans.carry_out(plan.steps, _tell)
    if as_json:
        show_json(show.plain(plan, outcome))
    if outcome.failed:
        done = f"{len(outcome.done)} of {len(plan.steps)} were done; apply again to go on with the others"
        message = "\n".join([f"{done}:", *show.failures(outcome)])
        if outcome.interrupted:
            say_error(message, 1)
            raise typer.Abort
        raise CommandFailed(message)


def describe(
    context: typer.Context,
    no_ids: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--no-ids", help="Client companies by name alone: for another deployment.")
    ] = False,
) -> None:
    """Write a deployment as the file that `adweir apply` reads. Secrets are names of variables in it.

    adweir describe > adweir.yaml
    """
    document = Description(app_of(context), ids=not no_ids).document()
    typer.echo(written(document), nl=False)
    if variables := environment_of(document):
        said = (
            f"it names {len(variables)} secrets by variables. Where one is not set, apply leaves that secret as it is"
        )
        remark(f"note: {said}")


def _content(file: str) -> tuple[str, bytes]:
    """The name of the file in messages, and its bytes; no more than one too many."""
    most = limits.MAX_APPLIED_BYTES + 1
    if file == "-":
        return "standard input", sys.stdin.buffer.read(most)
    with Path(file).open("rb") as stream:
        return Path(file).name, stream.read(most)


def _ask(context: typer.Context, plan: plans.ApplyPlan) -> None:
    """Raises CommandFailed unless somebody agrees. What removes something asks for a word."""
    removed = plan.count(StepVerb.REMOVE)
    if not removed:
        confirm(context, "Do this", yes=False)
        return
    question = f"{removed} of these are removals. Type {_REMOVE} to do this on {where_of(context).words}"
    if ask(context, question, "add --yes").strip() != _REMOVE:
        raise CommandFailed("nothing was done")


def _tell(step: PlannedStep, found: str) -> None:
    remark(f"done: {step.verb} {step.title}{f' ({found})' if found else ''}")
