"""`adweir replay`: stored answers of the platforms are loaded again."""

from __future__ import annotations

from typing import Annotated

import typer

from adweir.model.times import Window
from adweir.reporting.replays import progress
from adweir.runtime.http import to_json
from adweir.store.ledger.replays import ReplayRecord
from ops.commands import replay_days, replay_of
from ops.errors import CommandFailed
from ops.options import Json, days_of, target_of
from ops.output import remark
from ops.target import Deployment
from ops.watching import Board, bar

_REPLAY_SECONDS = 600
"""How long `replay` waits for the end."""


def replay(
    context: typer.Context,
    platform: Annotated[str, typer.Argument(help="The platform or an alias of it.", show_default=False)],
    profile: Annotated[str, typer.Argument(help="The ad account's id on its platform.", show_default=False)],
    days: Annotated[Window, typer.Option(parser=days_of, metavar="FIRST..LAST", help="The days.", show_default=False)],
    dataset: Annotated[list[str] | None, typer.Option(help="A dataset; may be repeated. All when left out.")] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Load an ad account's stored answers again, counted by its present options."""
    target = target_of(context)
    replay_id, will = replay_days(target, platform, profile, days, dataset or [])
    for name, covered, pulls in will:
        what = "not counted" if covered is None else f"{covered} days of {pulls} pulls"
        remark(f"  {name:30} {what}")
    record = _ended(target, replay_id, _REPLAY_SECONDS)
    typer.echo(to_json(progress(record)) if as_json else f"{replay_id}: {summed_up(record)}")
    _check(record)


def summed_up(record: ReplayRecord) -> str:
    """A replay's end in one line."""
    done = progress(record)
    lost = sum(one.window.length for one in record.lost)
    rest = f"; {lost} days have no stored answer any more" if lost else ""
    return f"{done['slots_changed']:,} numbers changed, {done['loaded']} objects loaded{rest}"


def _ended(target: Deployment, replay_id: str, seconds: float) -> ReplayRecord:
    """Wait for a replay's end, and show how far it is. Raises CommandFailed when it did not end in time."""
    board = Board()

    def show(now: ReplayRecord) -> None:
        done = progress(now)
        board.show(
            [f"  {bar(done['loaded'], done['failed'], done['sent'])} {done['loaded']} of {done['sent']} objects"]
        )

    record = replay_of(target, replay_id, seconds, show)
    if record is None:
        raise CommandFailed(f"not done after {seconds:g} s; follow it at GET /api/v1/replays/{replay_id}")
    return record


def _check(record: ReplayRecord) -> None:
    """Raises CommandFailed when an object failed."""
    done = progress(record)
    if done["failures"]:
        first = done["failures"][0]
        why = f"{first['object_key']}: {first['reason']}"
        raise CommandFailed(f"{done['failed']} of {done['sent']} objects failed, the first is {why}")
