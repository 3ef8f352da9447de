"""`adweir validate`: what is wrong with a file, before it is loaded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ops.options import Json
from ops.validation import command, report


def validate(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, TSV, JSON or Parquet; .gz and .zip too."),
    ],
    kind: Annotated[
        str, typer.Option("--as", metavar="SOURCE/DATA_TYPE", help="What it is; found out when left out.")
    ] = "",
    schema: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Check it by this schema instead, in JSON.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Read it by this mapping, in JSON.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Check a file as loading it would, without AWS or a sandbox; exits with 1 when a row would be refused."""
    found = command.validated(file, kind, schema, mapping, datetime.now(UTC))
    typer.echo(report.as_json(found, file.name) if as_json else "\n".join(report.lines_of(found, file.name)))
    if found.refused:
        raise typer.Exit(1)
