"""`adweir drop`: a file is loaded, and its receipt is the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.accounts import account_or_only
from ops.commands import drop_key, put_drop, receipt_of
from ops.errors import CommandFailed
from ops.options import Json, target_of
from ops.output import show_json, show_outcome
from ops.receipts import lines_of
from ops.target import Deployment


def drop(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, TSV, JSON or Parquet; .gz and .zip too."),
    ],
    account: Annotated[str, typer.Option(help="The client account (acc_...); needed where there are several.")] = "",
    kind: Annotated[
        str, typer.Option("--as", metavar="SOURCE/DATA_TYPE", help="How it is read; adweir/metrics when left out.")
    ] = "",
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for the receipt; 0 does not wait.")] = 60,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Load a file and report the result; exits with 1 when nothing of it was stored.

    With --json it prints the receipt; with --wait 0, where that will be.
    """
    target = target_of(context)
    place = drop_key(target, file.name, account_or_only(target.app(), account), kind)
    name = put_drop(target, place, file)
    if not as_json:
        typer.echo(f"stored {place}")
    if not wait:
        later = f"receipts/{name}.json"
        show_outcome({"key": place, "receipt": later}, f"its receipt will be {later}", as_json=as_json)
        return
    receipt = outcome(target, name, wait)
    if as_json:
        show_json(receipt)
    else:
        for line in _lines(receipt):
            typer.echo(line)
    _check(receipt)


def outcome(target: Deployment, name: str, seconds: float) -> dict[str, Any]:
    """A drop's receipt. Raises CommandFailed when none came in time."""
    receipt = receipt_of(target, name, seconds)
    if receipt is None:
        look = "adweir receipts lists it later, adweir health says what holds it up"
        raise CommandFailed(f"no receipts/{name}.json after {seconds:g} s: {look}")
    return receipt


def _lines(receipt: Mapping[str, Any]) -> Iterator[str]:
    """A receipt in lines; none for a file that was rejected."""
    if receipt["state"] == "duplicate":
        yield f"nothing changed: these bytes were loaded before ({receipt['duplicate_of']})"
    elif receipt["state"] != "rejected":
        yield from lines_of(receipt)


def _check(receipt: Mapping[str, Any]) -> None:
    """Raises CommandFailed when nothing of the file was stored."""
    if receipt["state"] == "rejected":
        again = "correct it and drop it again; adweir map proposes how a file of another tool is read"
        raise CommandFailed(f"the file was rejected: {receipt['reason']}\n  {again}")
    if receipt["state"] != "duplicate" and receipt["rows_quarantined"] and not receipt["rows_stored"]:
        raise CommandFailed("no row was stored")
