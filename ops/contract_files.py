"""`adweir contracts`: the contracts are made only when they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def write_contracts(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where to write them; made where it is missing.")],
) -> None:
    """Write Open Data Contracts (ODCS) of what others read: rows of the API, and CSV exports."""
    from ops.contracts import write

    typer.echo(f"{len(write(folder))} contracts in {folder}")
