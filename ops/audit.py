"""`adweir audit`: what was changed, and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer

from adweir.model import limits
from adweir.model.deeds import Deed, Wanted
from ops.errors import CommandFailed
from ops.options import Json, app_of, moment
from ops.output import hanging, remark, show_json
from ops.paging import every_item

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
    any_fits = False
    for deed in islice(every_item(lambda token: audit.page(limit, token, wanted)), limit):
        any_fits = True
        if as_json:
            show_json(_plain(deed))
        else:
            typer.echo("\n".join(lines_of(deed)))
    if not any_fits:
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
    yield from hanging("", f"{when:%Y-%m-%d %H:%M:%S}  {deed.who}  {what}: {deed.outcome}".rstrip(), 2)
    further = [f"because  {deed.reason}"] if deed.reason else []
    for change in deed.changes:
        before = "nothing" if change.before is None else change.before
        further.append(f"{change.field}  {before} -> {'nothing' if change.after is None else change.after}")
    for text in further:
        yield from hanging("  ", text)


def _plain(deed: Deed) -> dict[str, object]:
    return deed._asdict() | {"changes": [change._asdict() for change in deed.changes]}
