"""Reports as files: JSON and CSV, exact numbers in both."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from adweir.model.errors import Unprocessable
from adweir.reporting.reports import Report

_json = msgspec.json.Encoder(decimal_format="number")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(report: Report) -> bytes:
    """The head and the rows; decimals are JSON numbers, written as they are."""
    return _json.encode(report.head | {"rows": report.rows})


def as_csv(report: Report) -> bytes:
    """A header line and a line a row (RFC 4180); what is undefined stays empty. UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(report.columns)
    for row in report.rows:
        writer.writerow(_cell(row[column]) for column in report.columns)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = str(value)
    # A spreadsheet would run a text that begins so.
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


FORMATS: Mapping[str, tuple[str, Callable[[Report], bytes]]] = {
    "json": ("application/json", as_json),
    "csv": ("text/csv; charset=utf-8", as_csv),
}
"""Name → content type and how it is made."""


def check_format(name: str) -> None:
    """Raises Unprocessable that lists the known formats."""
    if name not in FORMATS:
        known = ", ".join(FORMATS)
        raise Unprocessable(
            f"unknown format {name[:20]!r}; known: {known}", [{"field": "format", "message": "unknown"}]
        )


def render(report: Report, name: str) -> tuple[str, bytes]:
    """A report in a format: its content type and bytes. Raises Unprocessable."""
    check_format(name)
    content_type, make = FORMATS[name]
    return content_type, make(report)
