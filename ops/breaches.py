"""`adweir breaches`: what is wrong with the data of ad accounts, and what was until lately."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from adweir.model.breaches import Breach
from adweir.model.times import parse_instant
from ops.options import Json, app_of
from ops.output import hanging, remark, show_json

_FIELDS = (
    *("cause", "kind", "state", "says", "value", "expected", "do"),
    *("since", "opened_at", "cleared_at", "cleared_because"),
)


def list_breaches(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also those of the last month that are over.")] = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List what is wrong with data: late pulls, refused rows, missing rows or values, low scores, unexplained bills."""
    kept = app_of(context).findings.breaches.all().values()
    found = [one.breach for one in kept if one.breach.state.is_open or (every and one.breach.cleared_at)]
    for breach in sorted(found, key=lambda each: each.opened_at, reverse=True):
        if as_json:
            show_json(breach.subject._asdict() | {name: str(getattr(breach, name)) for name in _FIELDS})
            continue
        typer.echo("\n".join(lines_of(breach)))
    if not found:
        remark("there is no breach" if every else "there is no breach; --all lists those that are over")


def lines_of(breach: Breach) -> Iterator[str]:
    """A breach in a few lines that fit."""
    when = f"{parse_instant(breach.opened_at):%Y-%m-%d %H:%M}"
    if breach.cleared_at:
        over = f"{parse_instant(breach.cleared_at):%Y-%m-%d %H:%M}"
        state, more = f"over {over}", [breach.cleared_because]
    else:
        state = "open"
        more = [f"found {breach.value}; expected {breach.expected}" if breach.value else "", breach.do]
    yield from hanging("", f"{when}  {state}  {breach.cause}", 2)
    for text in filter(None, (breach.says, *more)):
        yield from hanging("  ", text)
