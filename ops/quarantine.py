"""`adweir quarantine`: what was refused, row by row, and another try after a repair."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from adweir.model.errors import Conflict, NotFound
from adweir.quality.quarantine import held_lines
from adweir.store.findings.held_rows import HeldObject
from ops import deeds
from ops.errors import CommandFailed
from ops.options import Json, app_of, group, target_of
from ops.output import remark, show_json, show_table, time_text
from ops.target import Deployment

_POLL_SECONDS = 0.5
HeldId = Annotated[str, typer.Argument(metavar="ID", help="The entry's id, qrn_..., as the list has it.")]

app = group("List, inspect and replay rows that were refused.")


@app.command("list")
def list_held(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most entries.")] = 50,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List the objects of which rows are in quarantine, the newest first."""
    held, found, token = app_of(context).findings.held, list[HeldObject](), ""
    while len(found) < limit:
        page, token = held.page(limit, token)
        found += [each for each in page if every or each.state not in {"cleared", "superseded"}]
        if not token:
            break
    for each in found[:limit] if as_json else ():
        show_json(asdict(each))
    if not as_json:
        rows = [(each.id, time_text(each.held_at), each.state, each.rows, about(each)) for each in found[:limit]]
        show_table(("ENTRY", "REFUSED (UTC)", "STATE", ">ROWS", "WHAT, AND WHY"), rows, "nothing is in quarantine")


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
        remark(f"asked for; see: adweir quarantine show {held_id}")
        return
    found = _ended(target, held_id, wait)
    if found.reason:
        raise CommandFailed(f"it could not be loaded again: {found.reason}")
    typer.echo(f"rows moved: {found.moved or 0:,}; still in quarantine: {found.rows:,}")


def about(found: HeldObject) -> str:
    """What an entry is about, and which rules its rows break."""
    whose = " ".join(filter(None, (found.platform, found.profile_id, found.dataset)))
    why = ", ".join(f"{rule} {rows:,}" for rule, rows in found.reasons.items())
    return f"{whose}{f': {why}' if why else ''}"


def shown(target: Deployment, found: HeldObject, most: int) -> Iterator[str]:
    """An entry with its rows, in lines. Of rows that are personal data only the faults are shown."""
    rows = "1 row" if found.rows == 1 else f"{found.rows:,} rows"
    yield f"{found.id}  {time_text(found.held_at)}  {found.state}  {rows}"
    yield f"  {about(found)}"
    yield f"  came in    {found.source_key}"
    for key in found.keys:
        yield f"  rows are in {key}"
    if found.asked_at:
        ended = found.reason or f"rows moved: {found.moved or 0:,}"
        came = "not ended yet" if found.state == "replaying" else ended
        yield f"  replayed   {time_text(found.asked_at)} by {found.asked_by}: {came}"
    if found.personal:
        yield from (f"  line {each['line']}: {_fault(each)}" for each in found.first[:most])
        return
    for each in held_lines(target.app().raw, found.keys, most):
        yield f"  line {each['line']}: {'; '.join(map(_fault, each['errors']))}"
        yield f"    {each['row'] if isinstance(each['row'], str) else json.dumps(each['row'])}"


def _fault(fault: Mapping[str, Any]) -> str:
    return str(fault.get("message") or ": ".join(filter(None, (fault.get("field"), fault.get("rule")))))


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
