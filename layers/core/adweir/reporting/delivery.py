"""How a finished report reaches its caller: in the answer or, when it is too large for one, as a file to download."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.reporting.formats import CSV, render
from adweir.reporting.reports import MetricReport

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore

LINK_SECONDS = 900
EXPORTED = ("json", CSV)
"""The formats that programs read; the others are for people, who do not read megabytes."""


class DeliveredReport(NamedTuple):
    """A report in a format: its text, or the `location` of a file with it (a URL that is good for 15 minutes)."""

    content_type: str
    text: str = ""
    location: str = ""


def deliver(report: MetricReport, format_name: str, exports: RawStore, key: str) -> DeliveredReport:
    """Render a report. A JSON or CSV that is too large for an answer is stored under `key` and delivered as a location.

    In the other formats a report that is too large raises TooLarge, whose message says what to ask for instead. Raises
    Unprocessable, Unavailable.
    """
    content_type, text = render(report, format_name)
    if format_name not in EXPORTED and not _fits(text):
        rows = f"{len(report.rows)} rows are too large for one answer"
        hint = "ask for fewer dimensions or a shorter time_range, or for the format json or csv"
        raise TooLarge(f"{rows} in {format_name}: {hint}", [{"field": "format", "message": hint}])
    return deliver_text(text, content_type, exports, key)


def deliver_text(text: str, content_type: str, exports: RawStore, key: str) -> DeliveredReport:
    """A text in the answer, or stored under `key` where it is too large for one. Raises Unavailable."""
    if _fits(text):
        return DeliveredReport(content_type, text)
    exports.put(key, text.encode(), content_type=content_type)
    return DeliveredReport(content_type, location=exports.presign(key, LINK_SECONDS))


def _fits(text: str) -> bool:
    """An answer travels as a JSON string, in which quotes and line ends take two bytes."""
    return len(msgspec.json.encode(text)) <= limits.MAX_INLINE_REPORT_BYTES
