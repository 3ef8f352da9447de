"""`adweir raw`: a stored object, readable."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands import is_text, raw_pages, stored_text
from ops.options import target_of


def raw(
    context: typer.Context,
    object_key: Annotated[
        str, typer.Argument(metavar="KEY", help="Its key: raw/..., quarantine/..., receipts/... or stream/...")
    ],
) -> None:
    """Print a stored object: what a platform answered (each page's status and URL go to standard error), refused rows,
    a receipt."""
    target = target_of(context)
    if is_text(object_key):
        for piece in stored_text(target, object_key):
            typer.echo(piece, nl=False)
        return
    for page in raw_pages(target, object_key):
        typer.echo(f"page {page.number}: {page.status} {page.url}", err=True)
        while piece := page.stream.read(1 << 20):
            typer.echo(piece, nl=False)
        typer.echo()
