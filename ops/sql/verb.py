"""`adweir sql`: SQL over `curated/`, by Athena."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated

import typer

from adweir.insight.curated.layout import tables as curated
from adweir.model import limits
from adweir.reporting.formats import csv_rows, json_rows
from adweir.store.athena import ResultColumn
from ops.errors import CommandFailed
from ops.options import Json, target_of, where_of
from ops.output import printable, remark, show_fields, show_json, table, width
from ops.sql.asking import Asking, AthenaAnswer
from ops.sql.columns import unknown_name
from ops.sql.grammar import Checked, check
from ops.sql.values import without_rows
from ops.sql.words import SqlEngine, words_of

_MOST_ROWS, _SECONDS = 1000, 120
_LEVELLED = {"metrics", "coverage", "changes"}
_AMOUNTS = {"spend", "revenue"}
_OF_ONE_CURRENCY = {"currency", "account_id", "campaign_id", "ad_group_id", "ad_id", "entity_id"}
"""A statement that names one of these divides amounts by it, or chooses some, mostly of one currency."""
_NEAR = 0.7
_BYTES = ("B", "kB", "MB", "GB", "TB")
_READ: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint"), int),
    "decimal": Decimal,
    **dict.fromkeys(("double", "float", "real"), float),
    "boolean": lambda text: text == "true",
}
Statement = Annotated[
    str,
    typer.Argument(
        metavar="SQL", help="A SELECT; - reads it from stdin; without it, the tables there are.", show_default=False
    ),
]


def sql(
    context: typer.Context,
    statement: Statement = "",
    as_json: Json = False,  # noqa: FBT002 - a flag
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.", show_default=False)] = False,  # noqa: FBT002
    max_rows: Annotated[int, typer.Option(min=1, max=10_000_000, help="Print so many rows at most.")] = _MOST_ROWS,
    timeout: Annotated[float, typer.Option(min=1, max=1800, help="Seconds, then the query is stopped.")] = _SECONDS,
) -> None:
    """Ask Athena; the sandbox's is DuckDB. What one of both alone understands is refused, with what to write instead.

    adweir sql "SELECT month, SUM(spend) FROM metrics WHERE level = 'account' AND grain = 'day'
    AND currency = 'EUR' GROUP BY month"
    """
    if as_json and as_csv:
        raise CommandFailed("--json or --csv, not both")
    app = target_of(context).app()
    athena = app.athena
    if athena is None:
        raise CommandFailed("this deployment has no tables for SQL: bring it up to date first")
    tables = athena.tables()
    if not statement:
        _show_tables(tables, as_json=as_json)
        return
    asked = bounded(sys.stdin.read(limits.MAX_SQL_BYTES + 1) if statement == "-" else statement)
    checked = check(asked, tables)
    _heed(checked, tables, athena.database, on_aws=bool(where_of(context).stack))
    if unknown := unknown_name(asked, checked.tables, tables, athena.database):
        raise CommandFailed(unknown)
    _heed_sums(checked, asked)
    for said in without_rows(checked.asked, checked.tables, curated(tuple(sorted(app.platforms)))):
        remark(f"note: {said}")
    answer = Asking(athena, timeout).ask(asked, max_rows)
    _print(answer, as_json=as_json, as_csv=as_csv)
    shown = "the first rows, there are more: add --max-rows" if answer.more else "all rows"
    counted = f"{len(answer.rows):,} {'row' if len(answer.rows) == 1 else 'rows'}"
    remark(f"{counted} ({shown}), {_size(answer.state.scanned)} read, {answer.state.seconds:.1f} s")


def _heed(checked: Checked, tables: Mapping[str, object], database: str, *, on_aws: bool) -> None:
    """Say what was found. Raises CommandFailed for what the engine that is asked, or Athena, would not understand."""
    refused = [each for each in checked.findings if each.only is SqlEngine.DUCKDB or (each.only and not on_aws)]
    if refused:
        said = "\n  ".join(f"{each.said} (at {each.at + 1})" for each in refused)
        raise CommandFailed(f"not SQL that both Athena and DuckDB understand:\n  {said}")
    for each in checked.findings:
        remark(f"{'only Athena understands this' if each.only else 'note'}: {each.said}")
    for name in checked.tables:
        if name.removeprefix("awsdatacatalog.").removeprefix(f"{database.lower()}.") not in tables:
            near = get_close_matches(name.split(".")[-1], tables, n=1, cutoff=_NEAR)
            first = f" Near: {near[0]}." if near else ""
            raise CommandFailed(f"there is no table {printable(name)}.{first} Tables: {', '.join(sorted(tables))}")


def _heed_sums(checked: Checked, asked: str) -> None:
    """Say where a sum would count numbers several times, or amounts of several currencies."""
    said = {word.text.strip('"') for word in words_of(asked)}
    amounts = sorted(said & _AMOUNTS) if "sum" in said and not said & _OF_ONE_CURRENCY else []
    if amounts and {each.split(".")[-1] for each in checked.tables} == {"metrics"}:
        remark(f"note: {amounts[0]} of all currencies is added up: group by currency, or choose one")
    for name in sorted({each.split(".")[-1] for each in checked.tables} & _LEVELLED):
        if not {"level", "grain"} <= said:
            remark(
                f"note: {name} has each number at several levels: name one, as in level = 'account' AND grain = 'day'"
            )


def _show_tables(tables: Mapping[str, Mapping[str, str]], *, as_json: bool) -> None:
    for name in sorted(tables):
        if as_json:
            show_json({"table": name, "columns": dict(tables[name])})
        else:
            show_fields({name: ", ".join(f"{column} {kind}" for column, kind in tables[name].items())})


def _print(answer: AthenaAnswer, *, as_json: bool, as_csv: bool) -> None:
    names = _names(answer.columns)
    rows = [
        {name: _value(column, text) for name, column, text in zip(names, answer.columns, row, strict=True)}
        for row in answer.rows
    ]
    if as_json:
        for row in rows:
            typer.echo(json_rows([row]).decode())
    elif as_csv:
        typer.echo(csv_rows(names, rows, head=True), nl=False)
    elif rows:
        _show(answer, names)
    else:
        remark("no row fits")


def _show(answer: AthenaAnswer, names: list[str]) -> None:
    """A table, or where that is too wide each row as names and values."""
    numeric = [_kind(each) in _READ and _kind(each) != "boolean" for each in answer.columns]
    cells = [[printable(text or "") for text in row] for row in answer.rows]
    headings = [f">{name}" if is_number else name for name, is_number in zip(names, numeric, strict=True)]
    lines = list(table(headings, cells, last_is_text=False))
    if max(map(len, lines)) <= width():
        typer.echo("\n".join(lines))
        return
    for row in cells:
        show_fields(dict(zip(names, row, strict=True)))
        typer.echo()


def _names(columns: tuple[ResultColumn, ...]) -> list[str]:
    """The columns' names; one that is there before gets its number."""
    found: list[str] = []
    for number, column in enumerate(columns, 1):
        found.append(f"{column.name}_{number}" if column.name in found else column.name)
    return found


def _kind(column: ResultColumn) -> str:
    return re.sub(r"\(.*", "", column.kind.lower())


def _value(column: ResultColumn, text: str | None) -> object:
    if text is None:
        return None
    return _READ[_kind(column)](text) if _kind(column) in _READ else text


def _size(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_BYTES) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_BYTES[unit]}" if unit else f"{count} B"


def bounded(statement: str) -> str:
    """A statement that Athena takes by its length. Raises CommandFailed."""
    if len(statement.encode()) > limits.MAX_SQL_BYTES:
        raise CommandFailed(f"a statement has at most {limits.MAX_SQL_BYTES:,} bytes")
    return statement
