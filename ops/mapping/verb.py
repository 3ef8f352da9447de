"""`adweir map`: how a file of another tool is read."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ops.mapping import command
from ops.options import Json, target_of, where_of
from ops.output import remark


def map_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A file of another tool.")],
    fields: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FIELD=VALUE", help="What all its rows have, such as platform=meta_ads.", show_default=False
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option("--as", metavar="SOURCE[/DATA_TYPE]", help="What it is; found out when left out.")
    ] = "",
    save: Annotated[
        str,
        typer.Option(metavar="ACCOUNT", help="Ask nothing and store it: for a client account (acc_...), or for all."),
    ] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Propose how a file of another tool is read, ask where it is not sure, and store that as a mapping."""
    source, _, data_type = kind.partition("/")
    proposal, rows = command.proposed(file, source, data_type)
    proposal = proposal.with_constants(command.constants_of(proposal, fields or []))
    asks = not (save or as_json or where_of(context).no_input)
    if proposal.unsure and asks:
        typer.echo(command.table_of(proposal, rows))
        proposal = command.asked(proposal, answer_to, typer.echo)
    mapping = command.mapping_of(proposal)
    typer.echo(command.as_json(proposal, mapping) if as_json else command.table_of(proposal, rows))
    if asks and proposal.is_known:
        kind = f"{mapping.source}/{mapping.data_type}"
        typer.echo(f"nothing to store: adweir drop {shlex.quote(str(file))} --as {kind}")
    elif asks and typer.confirm("Store it?", err=True):
        save = typer.prompt("For which client account (acc_...), or all?", default=command.ALL, err=True)
    elif not save and not as_json and not proposal.is_known:
        remark("nothing was stored: --save ACCOUNT, or --save all, stores it")
    if save:
        typer.echo(command.save(target_of(context), mapping, save), err=as_json)


def answer_to(question: str) -> str:
    """What somebody at the terminal answers; "" for Enter alone."""
    return str(typer.prompt(question, default="", show_default=False, err=True))
