"""`adweir replay`: stored answers of the platforms are loaded again."""

from __future__ import annotations

from typing import Annotated

import typer

from adweir.model.times import Window
from adweir.reporting.replays import progress
from ops.commands import replay_days, replay_of
from ops.errors import CommandFailed
from ops.options import days_of, target_of
from ops.target import Deployment

_REPLAY_SECONDS = 600
"""How long `replay` waits for the end."""


def replay(
    context: typer.Context,
    platform: Annotated[str, typer.Argument(help="The platform or an alias of it.", show_default=False)],
    profile: Annotated[str, typer.Argument(help="The ad account's id on its platform.", show_default=False)],
    days: Annotated[Window, typer.Option(parser=days_of, metavar="FIRST..LAST", help="The days.", show_default=False)],
    dataset: Annotated[list[str] | None, typer.Option(help="A dataset; may be repeated. All when left out.")] = None,
) -> None:
    """Load an ad account's stored answers again, counted by its present options."""
    target = target_of(context)
    replay_id, will = replay_days(target, platform, profile, days, dataset or [])
    for name, covered, pulls in will:
        what = "not counted" if covered is None else f"{covered} days of {pulls} pulls"
        typer.echo(f"  {name:30} {what}")
    typer.echo(f"{replay_id}: {replayed(target, replay_id, _REPLAY_SECONDS)}")


def replayed(target: Deployment, replay_id: str, seconds: float) -> str:
    """A replay's end in one line. Raises CommandFailed when an object failed or it did not end in time."""
    record = replay_of(target, replay_id, seconds)
    if record is None:
        raise CommandFailed(f"not done after {seconds:g} s; follow it at GET /api/v1/replays/{replay_id}")
    done = progress(record)
    lost = sum(one.window.length for one in record.lost)
    rest = f"; {lost} days have no stored answer any more" if lost else ""
    if done["failures"]:
        first = done["failures"][0]
        why = f"{first['object_key']}: {first['reason']}"
        raise CommandFailed(f"{done['failed']} of {done['sent']} objects failed, the first is {why}")
    return f"{done['slots_changed']:,} numbers changed, {done['loaded']} objects loaded{rest}"
