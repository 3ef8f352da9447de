"""Reports as text: JSON, CSV, HTML and Markdown, with exact numbers in all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from decimal import Decimal
from html import escape
from typing import Any

import msgspec

from adweir.model.errors import Unprocessable
from adweir.reporting.reports import MetricReport

CSV = "csv"
_json = msgspec.json.Encoder(decimal_format="number")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}"
    "th,td{padding:.25rem .75rem;border-bottom:1px solid #ddd;text-align:left}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}tfoot{font-weight:600}"
)


def as_json(report: MetricReport) -> str:
    """The head, and the rows in `data`; decimals are JSON numbers, written as they are."""
    return _json.encode(report.head | {"data": report.rows}).decode()


def as_csv(report: MetricReport) -> str:
    """A header line and a line per row (RFC 4180); what is undefined stays empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(report.columns)
    for row in report.rows:
        writer.writerow(_cell(row[column]) for column in report.columns)
    return text.getvalue()


def as_html(report: MetricReport) -> str:
    """A page of its own with one table; the totals are its last rows."""
    title, span = escape(report.name), escape(_span(report))
    body = "\n".join(_html_row(report.columns, row) for row in report.rows)
    totals = "\n".join(_html_row(report.columns, row) for row in report.totals)
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in report.columns)
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n<p>{span}</p>\n<table>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n<tfoot>\n{totals}\n</tfoot>\n"
        "</table>\n</body>\n</html>\n"
    )


def as_markdown(report: MetricReport) -> str:
    """A heading and one table as GitHub writes them; the totals are its last rows, in bold."""
    ruler = ["---:" if _is_numeric(report, column) else "---" for column in report.columns]
    lines = [
        [_markdown(column) for column in report.columns],
        ruler,
        *([_markdown(_text(row.get(column))) for column in report.columns] for row in report.rows),
        *([_bold(_markdown(_text(row.get(column)))) for column in report.columns] for row in report.totals),
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"# {_markdown(report.name)}\n\n{_markdown(_span(report))}\n\n{table}\n"


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
    return f"{report.range.start.isoformat()} to {report.range.end.isoformat()}"


def _text(value: Any) -> str:
    """Exact, and empty where undefined."""
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _cell(value: Any) -> str:
    text = _text(value)
    # A spreadsheet would run a text that begins like a formula.
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _html_row(columns: tuple[str, ...], row: Mapping[str, Any]) -> str:
    cells = (
        f'<td class="n">{_text(row[column])}</td>'
        if isinstance(row.get(column), int | Decimal)
        else f"<td>{escape(_text(row.get(column)))}</td>"
        for column in columns
    )
    return f"<tr>{''.join(cells)}</tr>"


def _is_numeric(report: MetricReport, column: str) -> bool:
    return any(isinstance(row.get(column), int | Decimal) for row in report.rows)


def _markdown(text: str) -> str:
    """Text that cannot end a cell, start a line or become HTML."""
    return escape(" ".join(text.split()), quote=False).replace("\\", "\\\\").replace("|", "\\|")


def _bold(text: str) -> str:
    return f"**{text}**" if text else ""
