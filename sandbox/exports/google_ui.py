"""Campaign reports as Google Ads' web interface saves them, in English and in German.

Source: real exports (`Campaign report.csv`, `Bericht zu Suchbegriffen.csv`): a title, the range, the header, rows, and
rows of totals in the first column. English: UTF-8 without a mark, commas, counts and conversions with thousands signs
and money without; German: UTF-16LE with a mark, tabs. What is empty is ` --`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sandbox.exports.base import Export, Span, TrueRow, counted, german, grouped, lines, totals, units

_EMPTY = " --"
_MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip
_ENGLISH = ("Campaign", "Day", "Currency code", "Cost", "Impr.", "Clicks", "Conversions", "Conv. value")
_GERMAN = ("Kampagne", "Tag", "Währungscode", "Kosten", "Impr.", "Klicks", "Conversions", "Conv.-Wert")


def english(span: Span) -> Export:
    """`Campaign report.csv`."""
    rows = span.campaign_rows()
    body = [("Campaign report",), (f"{_english(span.start)} - {_english(span.end)}",), _ENGLISH]
    body += [_cells(span, span.campaign(row.entity).name, row) for row in rows]
    whole = totals(rows)
    body += [_total("Total: Campaigns", span, whole), _total("Total: Account", span, _more(whole))]
    text = lines(body)
    return Export("google_ads", "campaign_performance", "Campaign report.csv", text.encode(), tuple(rows))


def in_german(span: Span) -> Export:
    """`Kampagnenbericht.csv`."""
    rows = span.campaign_rows()
    body = [_localized(_cells(span, span.campaign(row.entity).name, row)) for row in rows]
    whole = totals(rows)
    body.append(_localized(_total("Gesamt: Kampagnen", span, whole)))
    body.append(_localized(_total("Gesamt: Konto", span, _more(whole))))
    head = f"Kampagnenbericht\n{_german(span.start)} - {_german(span.end)}\n"
    text = head + lines([_GERMAN, *body], delimiter="\t")
    return Export(
        "google_ads", "campaign_performance", "Kampagnenbericht.csv", text.encode("utf-16-le").join((b"\xff\xfe", b"")),
        tuple(rows),
    )  # fmt: skip


def _cells(span: Span, name: str, row: TrueRow) -> tuple[str, ...]:
    return (
        name,
        row.day.isoformat(),
        span.profile.currency,
        units(row.spend, 2),
        counted(row.impressions) or _EMPTY,
        counted(row.clicks) or _EMPTY,
        grouped(row.conversions) or _EMPTY,
        grouped(row.revenue) or _EMPTY,
    )


def _total(label: str, span: Span, whole: TrueRow) -> tuple[str, ...]:
    _, _, *figures = _cells(span, label, whole)
    return (label, _EMPTY, *figures)


def _more(whole: TrueRow) -> TrueRow:
    """An account's total has what was removed, too: more than the rows."""
    return whole._replace(spend=(whole.spend or 0) + 137_830_000, impressions=(whole.impressions or 0) + 4031)


def _localized(cells: Sequence[str]) -> tuple[str, ...]:
    """The numbers of a row with German marks."""
    return (*cells[:3], *(cell if cell == _EMPTY else german(cell) for cell in cells[3:]))


def _english(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _german(day: date) -> str:
    return f"{day.day}. {_MONTHS[day.month - 1]} {day.year}"
