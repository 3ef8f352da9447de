"""`adweir dead-letters`: messages that failed, why, and what to do with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from adweir.model import limits
from adweir.runtime.app import App
from adweir.runtime.dead_letter_list import letters_of, listed
from adweir.runtime.dead_letter_moves import Moved, dropping, move, sending
from adweir.store.raw.refused import RefusedMessages
from ops import deeds
from ops.errors import CommandFailed
from ops.options import Json, Yes, app_of, group
from ops.output import confirm, hanging, remark, show_json, show_outcome, span_text

app = group("Messages that failed five times, or could not be delivered.")
Queue = Annotated[str, typer.Option(help="Only those of this queue, such as runs.", show_default=False)]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="These; without ids, all.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why, for the audit.", show_default=False)]


@app.command("list")
def list_letters(
    context: typer.Context,
    queue: Queue = "",
    limit: Annotated[int, typer.Option(min=1, max=limits.MAX_DEAD_LETTERS, help="The most messages.")] = 50,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List dead letters: what each wants, why it failed, and what comes of sending it again."""
    found, warnings = listed(app_of(context), queue, limit)
    for each in found:
        if as_json:
            show_json(each)
            continue
        typer.echo("\n".join(explained(each, f"{span_text(each['age_seconds'])} old")))
    for warning in warnings:
        remark(warning)
    if not found:
        remark("there is no dead letter")


@app.command()
def send(
    context: typer.Context,
    ids: Ids = None,
    queue: Queue = "",
    reason: Reason = "",
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Send dead letters to the queue that they were in. Sent twice, each is done once all the same."""
    target = app_of(context)
    letters = letters_of(target)
    moved = move(letters, queue, ids or [], sending(letters))
    _report(target, moved, ("send dead letters", queue, ids or [], reason), as_json=as_json)


@app.command()
def drop(
    context: typer.Context,
    ids: Ids = None,
    queue: Queue = "",
    reason: Reason = "",
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Put dead letters into the quarantine, where they are kept with the reason and are not tried again."""
    target = app_of(context)
    which = f"{len(ids)} dead letters" if ids else f"all dead letters{f' of {queue}' if queue else ''}"
    confirm(context, f"Drop {which}", yes=yes)
    letters = letters_of(target)
    do = dropping(letters, RefusedMessages(target.raw), target.ledger.last_words, target.clock, reason)
    moved = move(letters, queue, ids or [], do)
    _report(target, moved, ("drop dead letters", queue, ids or [], reason), as_json=as_json)


def explained(message: Mapping[str, Any], when: str) -> Iterator[str]:
    """A message in lines: its id, queue and age, what it wants, why it failed, what comes of sending it again."""
    yield f"{message['id']}  {message['queue']}  {when}"
    for name, label in (("about", "wants"), ("reason", "failed"), ("again", "again")):
        yield from hanging(f"  {label:6}  ", message[name])


def _report(target: App, moved: Moved, asked: tuple[str, str, list[str], str], *, as_json: bool) -> None:
    """Record and print what was moved. `asked`: the action's name, the queue, the ids, the reason. Raises CommandFailed
    when any stays."""
    action, queue, ids, reason = asked
    if moved.ids:
        subject = ", ".join(ids[:5]) or queue or "all queues"
        deeds.note(target, action, subject, moved.outcome, reason=reason, kind="message")
    show_outcome({"moved": moved.ids, "left": moved.left, "more": moved.more}, moved.outcome, as_json=as_json)
    if not as_json:
        for one, why in moved.left.items():
            remark(f"  {one} stays: {why}")
        if moved.more:
            remark("run the same again for the others")
    if moved.left:
        raise CommandFailed(f"{len(moved.left)} stay where they are")
