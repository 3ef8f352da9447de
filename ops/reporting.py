"""`adweir report`: metrics by dimensions, as the API answers them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer

from adweir.model import limits
from adweir.model.times import iso
from adweir.reporting.chosen import SEGMENTS
from adweir.reporting.exported import ExportedReport
from adweir.reporting.filters import FILTERS
from adweir.reporting.formats import render
from adweir.reporting.moments import parse_moments
from adweir.reporting.queried import CONVERSION, report_in_texts
from adweir.reporting.reports import MetricReport, report
from adweir.reporting.said import said
from ops.errors import CommandFailed
from ops.options import Json, app_of
from ops.output import folded, printable, remark, show_fields, table, width

_FLAGS = ("names", "include_live")
_PARAMETERS = ("metrics", "order", "limit", "limit_per", *_FLAGS, "compare", "as_known_at", "data_type", *CONVERSION)
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)")
_METRICS = "impressions,clicks,conversions,spend"
Given = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME=VALUE",
        help=f"{', '.join(_PARAMETERS)}, and what to choose by: platform, account_id, campaign_id, campaign_name,"
        " campaign_status ..., each with commas between several.",
        show_default=False,
    ),
]


class PrintedAs(StrEnum):
    """How a report is printed."""

    TABLE = "table"
    CSV = "csv"
    HTML = "html"
    MARKDOWN = "markdown"


def make_report(
    context: typer.Context,
    days: Annotated[
        str, typer.Argument(metavar="DAYS", help="FIRST..LAST, a day, or yesterday, last_7_days, this_month ...")
    ] = "last_7_days",
    given: Given = None,
    by: Annotated[str, typer.Option(help="Dimensions, with commas: date, campaign, account ...")] = "platform",
    form: Annotated[
        PrintedAs, typer.Option("--format", metavar="FORMAT", help="table, csv, html or markdown.")
    ] = PrintedAs.TABLE,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Print metrics by dimensions. Numbers are exact; what they rest on is said on stderr.

    adweir report last_30_days --by campaign metrics=spend,roas order=-spend limit=10 names=yes compare=previous_period
    """
    app = app_of(context)
    asked = _read(given or []) | _range(days) | {"dimensions": by}
    now = app.clock.now()
    moments = parse_moments(asked.get("as_known_at"), None, now)
    wanted = ExportedReport(
        format=form,
        asked_at=iso(now),
        as_known_at=asked.get("as_known_at"),
        **report_in_texts({"metrics": _METRICS} | asked),
    )
    queries = app.queries.known_at(moments.as_known_at) if moments.as_known_at else app.queries
    made = report(queries, wanted.request(moments))
    if as_json or form is not PrintedAs.TABLE:
        typer.echo(render(made, "json" if as_json else form.value)[1].rstrip("\n"))
        return
    _show(made)
    for note in said(made):
        for line in folded(note, width()):
            remark(line)


def _range(days: str) -> dict[str, str]:
    """A range in words or days."""
    if found := _DAYS.fullmatch(days):
        return {"start_date": found[1], "end_date": found[2]}
    return {"start_date": days, "end_date": days} if days[:1].isdigit() else {"time_range": days}


def _read(given: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` texts. Raises CommandFailed."""
    found: dict[str, Any] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or name not in {*_PARAMETERS, *FILTERS, *SEGMENTS}:
            known = ", ".join((*_PARAMETERS, *dict.fromkeys((*FILTERS, *SEGMENTS))))
            raise CommandFailed(f"{text[:40]!r} is not NAME=VALUE; names: {known}")
        if name in _FLAGS:
            if value not in {"yes", "no"}:
                raise CommandFailed(f"{name} is yes or no, not {value[:20]!r}")
            found[name] = value == "yes"
        elif name == "limit":
            if not value.isdecimal() or not 0 < int(value) <= limits.MAX_REPORT_LIMIT:
                raise CommandFailed(f"limit is 1 to {limits.MAX_REPORT_LIMIT}, not {value[:20]!r}")
            found[name] = int(value)
        else:
            found[name] = value
    return found


def _show(made: MetricReport) -> None:
    """A table with the totals below, or, where that is too wide, each row as names and values."""
    rows = [[_cell(row.get(column)) for column in made.columns] for row in made.rows]
    totals = [[_cell(row.get(column)) for column in made.columns] for row in made.totals]
    for row in totals:
        row[0] = row[0] or "total"
    numeric = [any(isinstance(row.get(name), int | Decimal) for row in made.rows) for name in made.columns]
    headings = [f">{name}" if is_number else name for name, is_number in zip(made.columns, numeric, strict=True)]
    if not rows:
        remark("no row fits")
        return
    lines = list(table(headings, [*rows, *totals], last_is_text=not numeric[-1]))
    if max(map(len, lines)) <= width():
        typer.echo("\n".join(lines))
        return
    for cells in (*rows, *totals):
        show_fields(dict(zip(made.columns, cells, strict=True)))
        typer.echo()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,f}"
    return f"{value:,}" if type(value) is int else printable(str(value))
