"""`adweir audit`: what was changed, and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from adweir.model import limits
from adweir.model.deeds import Deed, Wanted
from ops.errors import CommandFailed
from ops.options import Json, app_of, moment
from ops.output import folded, remark, show_json, width

_Filters = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILTER=VALUE",
        help="Only what fits: account (acc_...), who (an API key's id, cli:<user>, a function), kind (job, run ...),"
        " since and until (ISO 8601).",
        show_default=False,
    ),
]


def list_deeds(
    context: typer.Context,
    filters: _Filters = None,
    limit: Annotated[int, typer.Option(min=1, max=limits.MAX_PAGE_ITEMS, help="The most entries.")] = 50,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List what was changed in the last 90 days, and by whom, the newest first."""
    wanted = wanted_of(filters or [])
    audit = app_of(context).ledger.audit
    left, token = limit, ""
    while left:
        found, token = audit.page(left, token, wanted)
        left -= len(found)
        for deed in found:
            if as_json:
                show_json(_plain(deed))
            else:
                typer.echo("\n".join(lines_of(deed)))
        if not token:
            break
    if left == limit:
        remark("nothing that fits was changed in the last 90 days" if filters else "nothing was changed yet")


def wanted_of(filters: Sequence[str]) -> Wanted:
    """`NAME=VALUE` texts as a filter. Raises CommandFailed."""
    given: dict[str, Any] = {}
    for text in filters:
        name, separator, value = text.partition("=")
        field = "account_id" if name == "account" else name
        if not separator or field not in Wanted._fields:
            raise CommandFailed(f"{text!r} is not FILTER=VALUE; filters: account, who, kind, since, until")
        given[field] = moment(value) if field in {"since", "until"} else value
    return Wanted(**given)


def lines_of(deed: Deed) -> Iterator[str]:
    """A deed as people read it."""
    when = datetime.fromisoformat(deed.at).astimezone(UTC)
    what = f"{deed.action} {deed.subject}".rstrip()
    first, *more = folded(f"{when:%Y-%m-%d %H:%M:%S}  {deed.who}  {what}: {deed.outcome}".rstrip(), width())
    yield first
    further = [*more, *([f"because  {deed.reason}"] if deed.reason else [])]
    for change in deed.changes:
        before = "nothing" if change.before is None else change.before
        further.append(f"{change.field}  {before} -> {'nothing' if change.after is None else change.after}")
    for text in further:
        yield from (f"  {line}" for line in folded(text, width() - 2))


def _plain(deed: Deed) -> dict[str, object]:
    return deed._asdict() | {"changes": [change._asdict() for change in deed.changes]}
