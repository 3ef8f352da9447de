"""`adweir key`: API keys."""

from __future__ import annotations

from typing import Annotated

import typer

from adweir.store.catalog.keys import SCOPES
from ops.commands import create_key
from ops.options import target_of


def key(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What the key is for.", show_default=False)],
    scopes: Annotated[str, typer.Option(help="Comma-separated: read, write, admin.")] = "read",
    account: Annotated[list[str] | None, typer.Option(help="Limit it to this client account; repeatable.")] = None,
    days: Annotated[int, typer.Option(min=0, max=3650, help="It stops working after so many days; 0: never.")] = 0,
) -> None:
    """Create an API key and print it. It is not shown again."""
    wanted = [scope.strip() for scope in scopes.split(",")]
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(SCOPES)}", param_hint="--scopes")
    typer.echo(create_key(target_of(context), name, wanted, account or (), days))
