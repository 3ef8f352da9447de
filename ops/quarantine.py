"""`adweir quarantine`: rows and messages that were refused, and another try after a repair."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any

import typer

from adweir.model.errors import NotFound
from adweir.quality.quarantine import held_lines
from adweir.runtime.app import App
from adweir.runtime.dead_letter_list import refused, send_refused
from adweir.store.findings.held_rows import HeldObject
from ops import deeds
from ops.dead_letters import explained
from ops.errors import CommandFailed
from ops.options import Json, Yes, app_of, group
from ops.output import confirm, hanging, printable, remark, show_json, show_outcome, show_table, time_text
from ops.paging import every_item

_POLL_SECONDS = 0.5
_BODY_CHARS = 300
_OVER = {"cleared", "superseded", "dropped"}
HeldId = Annotated[str, typer.Argument(metavar="ID", help="The entry's id, qrn_..., as the list has it.")]
AnyId = Annotated[str, typer.Argument(metavar="ID", help="An entry of the list, qrn_..., or a message's id.")]

app = group("Rows and messages that were refused: list, inspect and replay them.")


@app.command("list")
def list_held(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most entries.")] = 50,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List the objects of which rows are in quarantine, the newest first."""
    target = app_of(context)
    held = target.findings.held
    listed = every_item(lambda token: held.page(limit, token))
    found = list(islice((each for each in listed if every or each.state not in _OVER), limit))
    if as_json:
        for each in found:
            show_json(asdict(each))
        return
    rows = [(each.id, time_text(each.held_at), each.state, each.rows, about(each)) for each in found]
    show_table(("ENTRY", "REFUSED (UTC)", "STATE", ">ROWS", "WHAT, AND WHY"), rows, "no row is in quarantine")
    if refused(target, 1)[0]:
        remark("messages that no function could work on are there, too: adweir quarantine messages")


@app.command("messages")
def list_messages(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most messages.")] = 50,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List messages that no function could work on, and dead letters that were dropped, queue by queue."""
    found, more = refused(app_of(context), limit)
    for each in found:
        if as_json:
            show_json(each)
            continue
        lines = explained(each, time_text(each["quarantined_at"]))
        typer.echo("\n".join([*lines, *hanging("  body    ", each["body"][:_BODY_CHARS])]))
    if more:
        remark(f"there are more than {limit}: --limit")
    if not found:
        remark("no message is in quarantine")


@app.command()
def show(
    context: typer.Context,
    held_id: HeldId,
    rows: Annotated[int, typer.Option(min=0, help="The most rows.")] = 20,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Show what is wrong with an object's refused rows, and the rows."""
    target = app_of(context)
    found = _held(target, held_id)
    faulty = found.first[:rows] if found.personal else list(held_lines(target.raw, found.keys, rows))
    if as_json:
        show_json(asdict(found) | {"refused": faulty})
        return
    for line in shown(found, faulty):
        typer.echo(line)
    if found.state == "held":
        remark(f"after a repair: adweir quarantine replay {found.id}")
        remark(f"or where a corrected file brought its rows: adweir quarantine drop {found.id}")


@app.command()
def replay(
    context: typer.Context,
    held_id: AnyId,
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for the end; 0 does not wait.")] = 120,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Load an object again after a repair: rows that are valid now are stored, the others stay.

    A message is sent to its queue again, and stays in the quarantine, too.
    """
    target = app_of(context)
    if ":" in held_id:
        _send(target, held_id, as_json=as_json)
        return
    asked = target.held_replays.request(_held(target, held_id).id, deeds.who())
    more = {"kind": "quarantine", "account_id": asked.account_id}
    deeds.note(target, "replay quarantine", held_id, f"{asked.source_key} is loaded again", **more)
    found = _ended(target, held_id, wait) if wait else asked
    if as_json:
        show_json(asdict(found))
    if not wait:
        remark(f"asked for; see: adweir quarantine show {held_id}")
    elif found.reason:
        raise CommandFailed(f"it could not be loaded again: {found.reason}")
    elif not as_json:
        typer.echo(f"rows moved: {found.moved or 0:,}; still in quarantine: {found.rows:,}")


@app.command()
def drop(
    context: typer.Context,
    held_id: HeldId,
    reason: Annotated[str, typer.Option(help="Why, for the audit.", show_default=False)] = "",
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Say that an object's refused rows are not needed any more: a corrected file brought them, or they were wrong.

    The health does not count them then. They stay in the bucket until they expire, and can be replayed.
    """
    target = app_of(context)
    found = _held(target, held_id)
    if found.state != "held":
        raise CommandFailed(f"{held_id} is {found.state}: adweir quarantine list has what can be dropped")
    said = f"{_rows(found)} of {found.source_key}"
    confirm(context, f"Drop {said}", yes=yes)
    dropped = target.findings.held.drop(held_id)
    more = {"kind": "quarantine", "account_id": found.account_id, "reason": reason}
    deeds.note(target, "drop quarantine", held_id, said, **more)
    show_outcome(asdict(dropped), f"dropped {said}", as_json=as_json)


def _send(target: App, name: str, *, as_json: bool) -> None:
    """Send a message to its queue again. Raises CommandFailed, Conflict."""
    try:
        outcome = send_refused(target, name)
    except NotFound:
        raise CommandFailed(f"there is no message {name} in quarantine: adweir quarantine messages") from None
    deeds.note(target, "replay quarantine", name, outcome, kind="quarantine")
    show_outcome({"id": name, "outcome": outcome}, outcome, as_json=as_json)


def _rows(found: HeldObject) -> str:
    return "1 row" if found.rows == 1 else f"{found.rows:,} rows"


def about(found: HeldObject) -> str:
    """What an entry is about, and which rules its rows break."""
    whose = " ".join(filter(None, (found.platform, found.profile_id, found.dataset)))
    why = ", ".join(f"{rule} {rows:,}" for rule, rows in found.reasons.items())
    return f"{whose}{f': {why}' if why else ''}"


def shown(found: HeldObject, faulty: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """An entry with refused rows, in lines. Of rows that are personal data only the faults are there."""
    yield f"{found.id}  {time_text(found.held_at)}  {found.state}  {_rows(found)}"
    yield f"  {about(found)}"
    yield f"  came in    {found.source_key}"
    for key in found.keys:
        yield f"  rows are in {key}"
    if found.asked_at:
        ended = found.reason or f"rows moved: {found.moved or 0:,}"
        came = "not ended yet" if found.state == "replaying" else ended
        yield f"  replayed   {time_text(found.asked_at)} by {found.asked_by}: {came}"
    for each in faulty:
        faults = [each] if found.personal else each["errors"]
        yield from hanging(f"  line {each['line']}: ", "; ".join(map(_fault, faults)), 4)
        if not found.personal:
            yield printable(f"    {each['row'] if isinstance(each['row'], str) else json.dumps(each['row'])}")


def _fault(fault: Mapping[str, Any]) -> str:
    return str(fault.get("message") or ": ".join(filter(None, (fault.get("field"), fault.get("rule")))))


def _held(target: App, held_id: str) -> HeldObject:
    try:
        return target.findings.held.get(held_id)
    except NotFound:
        raise CommandFailed(f"there is nothing in quarantine called {held_id}: adweir quarantine list") from None


def _ended(target: App, held_id: str, seconds: float) -> HeldObject:
    deadline = time.monotonic() + seconds
    while (found := _held(target, held_id)).state == "replaying":
        if time.monotonic() >= deadline:
            raise CommandFailed(f"not done after {seconds:g} s; see: adweir quarantine show {held_id}")
        time.sleep(_POLL_SECONDS)
    return found
