"""Reports as text: JSON, CSV, HTML and Markdown, with exact numbers in all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

import msgspec

from adweir.model.errors import Unprocessable
from adweir.reporting.report_names import ID_COLUMNS
from adweir.reporting.reports import MetricReport
from adweir.reporting.said import ADJUSTED_COLUMNS, ADJUSTMENTS, adjusted_rows, said, span_text
from adweir.reporting.totals import UNATTRIBUTED

CSV = "csv"
Rows = Sequence[Mapping[str, Any]]
_json = msgspec.json.Encoder(decimal_format="number")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a text that begins so."""
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}"
    "th,td{padding:.25rem .75rem;border-bottom:1px solid #ddd;text-align:left}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}tfoot{font-weight:600}"
)


def as_json(report: MetricReport) -> str:
    """The head (coverage and adjustments are in it), and the rows in `data`; decimals are JSON numbers, exact."""
    return _json.encode(report.head | {"data": report.rows}).decode()


def as_csv(report: MetricReport) -> str:
    """A header line and a line per row (RFC 4180); what is undefined stays empty. No coverage: a CSV is one table."""
    return csv_rows(report.columns, report.rows, head=True)


def csv_rows(columns: Sequence[str], rows: Rows, *, head: bool = False) -> str:
    """Lines of a CSV, after the one with its columns when that is asked for."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if head:
        writer.writerow(columns)
    for row in rows:
        writer.writerow(_cell(row[column]) for column in columns)
    return text.getvalue()


def json_rows(rows: Rows) -> bytes:
    """Rows of a JSON array, with a comma between two."""
    return b",\n".join(map(_json.encode, rows))


def to_json(value: Any) -> bytes:
    """A value, as what an answer says beside the rows, with exact numbers."""
    return _json.encode(value)


def as_html(report: MetricReport) -> str:
    """A page of its own: the table, whose last rows are the totals, what it rests on, and how it adds up."""
    title, span = escape(report.name), escape(_span(report))
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in said(report))
    if report.adjustments:
        notes += f"<h2>{ADJUSTMENTS}</h2>\n{_html_table(ADJUSTED_COLUMNS, adjusted_rows(report), [])}"
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n<p>{span}</p>\n"
        f"{_html_table(report.columns, report.rows, report.totals)}{notes}</body>\n</html>\n"
    )


def as_markdown(report: MetricReport) -> str:
    """A heading and a table as GitHub writes them, with the totals in bold; what it rests on, and how it adds up."""
    table = _markdown_table(report.columns, report.rows, report.totals)
    notes = "".join(f"\n{_markdown(note)}\n" for note in said(report))
    if report.adjustments:
        notes += f"\n## {ADJUSTMENTS}\n\n{_markdown_table(ADJUSTED_COLUMNS, adjusted_rows(report), [])}"
    head = f"# {_markdown(report.name)}\n\n{_markdown(_span(report))}\n\n"
    return f"{head}{table}{notes}"


FORMATS: Mapping[str, tuple[str, Callable[[MetricReport], str]]] = {
    "json": ("application/json", as_json),
    CSV: ("text/csv; charset=utf-8", as_csv),
    "html": ("text/html; charset=utf-8", as_html),
    "markdown": ("text/markdown; charset=utf-8", as_markdown),
}
"""Name → content type and how it is made."""


def check_format(name: str) -> None:
    """Raises Unprocessable that lists the known formats."""
    if name not in FORMATS:
        raise Unprocessable(
            f"unknown format {name[:20]!r}; known: {', '.join(FORMATS)}",
            [{"field": "format", "message": "is unknown", "known": list(FORMATS)}],
        )


def render(report: MetricReport, name: str) -> tuple[str, str]:
    """A report in a format: its content type and text. Raises Unprocessable."""
    check_format(name)
    content_type, make = FORMATS[name]
    return content_type, make(report)


def _span(report: MetricReport) -> str:
    return span_text(report.head["time_range"])


def _text(value: Any) -> str:
    """Exact, and empty where undefined."""
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _cell(value: Any) -> str:
    text = _text(value)
    # A spreadsheet would run a text that begins like a formula.
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


def _html_table(columns: Sequence[str], rows: Rows, totals: Rows) -> str:
    body = "\n".join(_html_row(columns, row) for row in rows)
    foot = "\n".join(_html_row(columns, row) for row in totals)
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    return (
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
        f"{f'<tfoot>{chr(10)}{foot}{chr(10)}</tfoot>{chr(10)}' if totals else ''}</table>\n"
    )


def _html_row(columns: Sequence[str], row: Mapping[str, Any]) -> str:
    cells = (
        f'<td class="n">{_text(row[column])}</td>'
        if isinstance(row.get(column), int | Decimal)
        else f"<td>{escape(_shown(row, column))}</td>"
        for column in columns
    )
    return f"<tr>{''.join(cells)}</tr>"


def _markdown_table(columns: Sequence[str], rows: Rows, totals: Rows) -> str:
    numeric = [any(isinstance(row.get(column), int | Decimal) for row in rows) for column in columns]
    lines = [
        [_markdown(column) for column in columns],
        ["---:" if is_numeric else "---" for is_numeric in numeric],
        *([_markdown(_shown(row, column)) for column in columns] for row in rows),
        *([_bold(_markdown(_text(row.get(column)))) for column in columns] for row in totals),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _shown(row: Mapping[str, Any], column: str) -> str:
    """A cell's text; a row of what is unattributed says so in place of its ids."""
    value = row.get(column)
    return UNATTRIBUTED if value is None and UNATTRIBUTED in row and column in ID_COLUMNS else _text(value)


def _markdown(text: str) -> str:
    """Text that cannot end a cell, start a line or become HTML."""
    return escape(" ".join(text.split()), quote=False).replace("\\", "\\\\").replace("|", "\\|")


def _bold(text: str) -> str:
    return f"**{text}**" if text else ""
