"""`adweir receipts`: what became of dropped files."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from adweir.model import limits
from ops.accounts import account_or_only
from ops.options import Json, app_of
from ops.output import hanging, painted, printable, remark, show_json, time_text
from ops.receipts import lines_of


def list_receipts(
    context: typer.Context,
    account: Annotated[str, typer.Option(help="The client account, by id; needed where there are several.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=limits.MAX_PAGE_ITEMS, help="The most files.")] = 20,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List what became of dropped files, the newest first: what was stored, and why the rest was not.

    A file without a receipt is not taken in yet.
    """
    app = app_of(context)
    found, _ = app.ledger.receipts.page(account_or_only(app, account), limit, "")
    for receipt in found:
        if as_json:
            show_json(receipt)
        else:
            _show(receipt)
    if not found:
        remark("no file was dropped in the last 90 days")


def _show(receipt: dict[str, Any]) -> None:
    typer.echo(f"{time_text(receipt['last_modified'])}  {painted(receipt['state'])}  {printable(receipt['key'])}")
    if receipt["state"] == "loaded":
        lines = list(lines_of(receipt, "  "))
    else:
        why = receipt.get("reason") or f"these bytes were loaded before: {receipt.get('duplicate_of')}"
        lines = hanging("  ", str(why))
    typer.echo("\n".join(lines))
