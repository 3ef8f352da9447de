"""`adweir breaches`: what is wrong with the data of ad accounts, and what was until lately."""

from __future__ import annotations

from textwrap import wrap
from typing import Annotated

import typer

from adweir.model.breaches import Breach
from adweir.model.times import parse_instant
from ops.options import app_of


def list_breaches(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also those of the last month that are over.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """List what is wrong with data: late pulls, refused rows, missing rows or values, low scores, unexplained bills."""
    kept = app_of(context).findings.breaches.all().values()
    found = [one.breach for one in kept if one.breach.state.is_open or (every and one.breach.cleared_at)]
    for breach in sorted(found, key=lambda each: each.opened_at, reverse=True):
        for line in lines_of(breach):
            typer.echo(
                "\n".join(wrap(line, 80, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))
            )
    if not found:
        typer.echo("there is no breach")


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
