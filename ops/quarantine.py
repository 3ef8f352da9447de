"""`adweir quarantine`: what was refused, row by row, and another try after a repair."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from adweir.model.errors import Conflict, NotFound
from adweir.quality.quarantine import held_lines
from adweir.store.findings.held_rows import HeldObject
from ops import deeds
from ops.errors import CommandFailed
from ops.options import app_of, group, target_of
from ops.target import Deployment

_POLL_SECONDS = 0.5
HeldId = Annotated[str, typer.Argument(metavar="ID", help="The entry's id, qrn_..., as the list has it.")]

app = group("List, inspect and replay rows that were refused.")


@app.command("list")
def list_held(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most entries.")] = 50,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """List the objects of which rows are in quarantine, the newest first."""
    held, found, token = app_of(context).findings.held, list[HeldObject](), ""
    while len(found) < limit:
        page, token = held.page(limit, token)
        found += [each for each in page if every or each.state not in {"cleared", "superseded"}]
        if not token:
            break
    for each in found[:limit]:
        typer.echo(line_of(each))
    if not found:
        typer.echo("nothing is in quarantine")


@app.command()
def show(
    context: typer.Context,
    held_id: HeldId,
    rows: Annotated[int, typer.Option(min=0, help="The most rows.")] = 20,
) -> None:
    """Show what is wrong with an object's refused rows, and the rows."""
    target = target_of(context)
    for line in shown(target, _held(target, held_id), rows):
        typer.echo(line)


@app.command()
def replay(
    context: typer.Context,
    held_id: HeldId,
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for the end; 0 does not wait.")] = 120,
) -> None:
    """Load an object again after a repair: rows that are valid now are stored, the others stay."""
    target = target_of(context)
    try:
        app = target.app()
        asked = app.held_replays.request(_held(target, held_id).id, deeds.who())
    except Conflict as error:
        raise CommandFailed(error.message) from None
    about = {"kind": "quarantine", "account_id": asked.account_id}
    deeds.note(app, "replay quarantine", held_id, f"{asked.source_key} is loaded again", **about)
    if not wait:
        typer.echo(f"asked for; see: adweir quarantine show {held_id}")
        return
    found = _ended(target, held_id, wait)
    if found.reason:
        raise CommandFailed(f"it could not be loaded again: {found.reason}")
    typer.echo(f"rows moved: {found.moved or 0:,}; still in quarantine: {found.rows:,}")


def line_of(found: HeldObject) -> str:
    """An entry in one line."""
    why = ", ".join(f"{rule} {rows:,}" for rule, rows in found.reasons.items())
    when = datetime.fromisoformat(found.held_at).strftime("%Y-%m-%d %H:%M")
    whose = " ".join(filter(None, (found.platform, found.profile_id, found.dataset)))
    rows = "row" if found.rows == 1 else "rows"
    return f"{found.id}  {when}  {found.state:9}  {found.rows:>6,} {rows:4}  {whose}{f': {why}' if why else ''}"


def shown(target: Deployment, found: HeldObject, most: int) -> Iterator[str]:
    """An entry with its rows, in lines."""
    yield line_of(found)
    yield f"  came in    {found.source_key}"
    for key in found.keys:
        yield f"  rows are in {key}"
    if found.asked_at:
        ended = found.reason or f"rows moved: {found.moved or 0:,}"
        came = "not ended yet" if found.state == "replaying" else ended
        yield f"  replayed   {found.asked_at} by {found.asked_by}: {came}"
    for each in held_lines(target.app().raw, found.keys, most):
        faults = "; ".join(str(fault.get("message") or fault.get("rule", "")) for fault in each["errors"])
        yield f"  line {each['line']}: {faults}"
        yield f"    {each['row'] if isinstance(each['row'], str) else json.dumps(each['row'])}"


def _held(target: Deployment, held_id: str) -> HeldObject:
    try:
        return target.app().findings.held.get(held_id)
    except NotFound:
        raise CommandFailed(f"there is nothing in quarantine called {held_id}: adweir quarantine list") from None


def _ended(target: Deployment, held_id: str, seconds: float) -> HeldObject:
    deadline = time.monotonic() + seconds
    while (found := _held(target, held_id)).state == "replaying":
        if time.monotonic() >= deadline:
            raise CommandFailed(f"not done after {seconds:g} s; see: adweir quarantine show {held_id}")
        time.sleep(_POLL_SECONDS)
    return found
