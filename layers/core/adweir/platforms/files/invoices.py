"""A dropped CSV of invoices → their lines, each with the document that it is of (docs/drops.md).

It is for platforms that have no invoices in their API, and for whoever may not see them there. Amounts may be negative.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import BinaryIO, NamedTuple, TypeVar

from adweir.model.invoices import DocumentKind, Invoice, InvoiceLine, InvoiceLineKind, InvoiceStatus, month_of
from adweir.model.metrics import BadRow, Source
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser
from adweir.platforms.files import cells, own
from adweir.platforms.files.lines import LineFault, Record, identity, platform_of, profile_of
from adweir.platforms.files.table import FileTable, open_table, records

_E = TypeVar("_E", bound=StrEnum)
_MONTH_CHARS = 7


class Document(NamedTuple):
    """Which document a line is of."""

    platform: Platform
    profile_id: str
    month: str
    invoice_id: str


class DroppedLine(NamedTuple):
    """A line and the head of its document, whose `lines` are empty and whose currency is "" where the file has none."""

    record: Record
    head: Invoice
    line: InvoiceLine


class DroppedFault(NamedTuple):
    """A line that cannot be stored, and its document; None where that cannot be told."""

    bad: BadRow
    document: Document | None


def read_invoices(stream: BinaryIO, size: int, parse_platform: PlatformParser) -> Iterator[DroppedLine | DroppedFault]:
    """The lines of a file, lazily. Raises BadInput when the file as a whole cannot be read."""
    return lines_of(open_table(stream, size), parse_platform)


def lines_of(table: FileTable, parse_platform: PlatformParser) -> Iterator[DroppedLine | DroppedFault]:
    """The same of an open table."""
    canonical = own.INVOICES.bind(table.header)
    for found in records(table):
        yield DroppedFault(found, None) if isinstance(found, BadRow) else _line(canonical(found), parse_platform)


def document_of(head: Invoice) -> Document:
    """The document that a head is of."""
    return Document(head.platform, head.profile_id, head.month, head.invoice_id)


def _line(found: Record, parse_platform: PlatformParser) -> DroppedLine | DroppedFault:
    cell, document = found.cell, None
    try:
        document = _document(cell, parse_platform)
        return DroppedLine(found, _head(cell, document), _bill(cell, found.number))
    except LineFault as fault:
        return DroppedFault(found.bad(fault), document)


def _document(cell: dict[str, str], parse_platform: PlatformParser) -> Document:
    """A file need not number its invoices: those of a month without a number are one document."""
    platform, month = platform_of(cell, parse_platform), _month(cell, "month")
    if not month:
        raise LineFault("month", "required", "is required")
    return Document(platform, profile_of(cell), month, identity(cell, "invoice_id") or f"file-{month}")


def _head(cell: dict[str, str], document: Document) -> Invoice:
    return Invoice(
        **document._asdict(),
        currency=cells.currency(cell),
        lines=(),
        document=_one_of(DocumentKind, cell, "document", DocumentKind.INVOICE),
        status=_one_of(InvoiceStatus, cell, "status", InvoiceStatus.UNKNOWN),
        start=_day(cell, "start_date"),
        end=_day(cell, "end_date"),
        issued_on=_day(cell, "issued_on"),
        due_on=_day(cell, "due_on"),
        corrects=identity(cell, "corrects"),
        source=Source.FILE,
    )


def _bill(cell: dict[str, str], number: int) -> InvoiceLine:
    """A line without a name of its own is named by its number in the file."""
    return InvoiceLine(
        line=identity(cell, "line") or str(number),
        kind=_one_of(InvoiceLineKind, cell, "kind", None),
        amount=cells.number(cell, "amount"),
        tax=cells.number(cell, "tax") if cell.get("tax") else 0,
        campaign_id=identity(cell, "campaign_id"),
        campaign=cells.text(cell, "campaign"),
        budget=cells.text(cell, "budget"),
        about_month=_month(cell, "about_month"),
    )


def _one_of(kind: type[_E], cell: dict[str, str], name: str, otherwise: _E | None) -> _E:
    text = cell.get(name, "").lower()
    if not text and otherwise is not None:
        return otherwise
    try:
        return kind(text)
    except ValueError:
        raise LineFault(name, "allowed", f"must be one of {', '.join(kind)}") from None


def _month(cell: dict[str, str], name: str) -> str:
    """`2026-10`, of a month or of a day of it; "" for none."""
    text = cell.get(name, "")
    return month_of(_date(name, f"{text}-01" if len(text) == _MONTH_CHARS else text)) if text else ""


def _day(cell: dict[str, str], name: str) -> str:
    text = cell.get(name, "")
    return _date(name, text).isoformat() if text else ""


def _date(name: str, text: str) -> date:
    try:
        if len(text) == len("2026-10-01"):
            return date.fromisoformat(text)
    except ValueError:
        pass  # reported below, with the other malformed dates
    raise LineFault(name, "format", "must be a date, YYYY-MM-DD, or a month, YYYY-MM")
