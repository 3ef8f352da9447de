"""`adweir breaches`: what is wrong with the data of ad accounts, and what was until lately."""

from __future__ import annotations

from typing import Annotated

import typer

from adweir.model.breaches import Breach
from adweir.model.times import parse_instant
from ops.options import Json, app_of
from ops.output import folded, remark, show_json, width

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
        for line in lines_of(breach):
            typer.echo("\n  ".join(folded(line.strip(), width() - 2)) if line[0] != " " else _below(line))
    if not found:
        remark("there is no breach" if every else "there is no breach; --all lists those that are over")


def _below(line: str) -> str:
    return "\n".join(f"  {each}" for each in folded(line.strip(), width() - 2))


def lines_of(breach: Breach) -> list[str]:
    """A breach in a few lines."""
    when = f"{parse_instant(breach.opened_at):%Y-%m-%d %H:%M}"
    if breach.cleared_at:
        over = f"{parse_instant(breach.cleared_at):%Y-%m-%d %H:%M}"
        return [f"{when}  over {over}  {breach.cause}", f"  {breach.says}", f"  {breach.cleared_because}"]
    found = [f"{when}  open  {breach.cause}", f"  {breach.says}"]
    if breach.value:
        found.append(f"  found {breach.value}; expected {breach.expected}")
    return [*found, f"  {breach.do}"] if breach.do else found
