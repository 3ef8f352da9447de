"""`adweir drop`: a file is loaded, and its receipt is the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ops.commands import drop_key, put_drop, receipt_of
from ops.errors import CommandFailed
from ops.options import target_of
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
) -> None:
    """Load a file and report the result; exits with 1 when nothing of it was stored."""
    target = target_of(context)
    place = drop_key(target, file.name, account, kind)
    receipt = put_drop(target, place, file)
    typer.echo(f"stored {place}")
    if wait:
        for line in outcome(target, receipt, wait):
            typer.echo(line)
    else:
        typer.echo(f"its receipt will be receipts/{receipt}.json")


def outcome(target: Deployment, name: str, seconds: float) -> Iterator[str]:
    """A drop's receipt in lines. Raises CommandFailed when nothing of it was stored or no receipt came in time."""
    receipt = receipt_of(target, name, seconds)
    if receipt is None:
        raise CommandFailed(f"no receipt after {seconds:g} s; it will be receipts/{name}.json in the bucket")
    if receipt["state"] == "rejected":
        raise CommandFailed(f"the file was rejected: {receipt['reason']}")
    if receipt["state"] == "duplicate":
        yield f"nothing changed: these bytes were loaded before ({receipt['duplicate_of']})"
        return
    yield from lines_of(receipt)
    if receipt["rows_quarantined"] and not receipt["rows_stored"]:
        raise CommandFailed("no row was stored")
