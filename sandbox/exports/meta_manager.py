"""Tables as Meta's Ads Manager saves them by day, in English and in German.

Source: real exports: UTF-8 with a mark, commas, decimal points without thousands signs, the currency in the header; in
some, the first row of data has the account's total and no name. The German names are those of importers.
"""

from __future__ import annotations

import codecs

from sandbox.exports.base import Export, Span, TrueRow, lines, totals, units


def english(span: Span) -> Export:
    """Campaigns by day, with purchases."""
    money = span.profile.currency
    header = (
        "Reporting starts", "Reporting ends", "Campaign name", "Day", "Reach", "Impressions", "Frequency",
        "Result indicator", "Results", "Cost per results", f"Amount spent ({money})", "Link clicks", "Clicks (all)",
        "CTR (all)", "Purchases", "Purchases conversion value", "Purchase ROAS (return on ad spend)",
    )  # fmt: skip
    rows = span.campaign_rows()
    body = [_english(span, span.campaign(row.entity).name, row.day.isoformat(), row) for row in rows]
    whole = _english(span, "", "", totals(rows))
    return _file("Ads-Manager-Campaigns.csv", [header, whole, *body], rows)


def in_german(span: Span) -> Export:
    """Campaigns by day; a result is what each campaign aims at, so there is no number of conversions."""
    header = (
        "Berichtszeitraum beginnt", "Berichtszeitraum endet", "Kampagnenname", "Tag", "Reichweite", "Impressionen",
        "Frequenz", "Ergebnisse", "Kosten pro Ergebnis", f"Ausgegebener Betrag ({span.profile.currency})",
        "Link-Klicks", "Klicks (alle)",
    )  # fmt: skip
    rows = [row._replace(conversions=None, revenue=None) for row in span.campaign_rows()]
    body = []
    for row in rows:
        results = (row.clicks or 0) // 9
        body.append(
            (
                span.start, span.end, span.campaign(row.entity).name, row.day, *_reached(row), results,
                _ratio(row.spend, results * 1_000_000), units(row.spend), (row.clicks or 0) * 4 // 5, row.clicks,
            )
        )  # fmt: skip
    return _file("Werbeanzeigenmanager-Kampagnen.csv", [header, *body], rows)


def _english(span: Span, name: str, day: str, row: TrueRow) -> tuple[object, ...]:
    purchases = units(row.conversions)
    return (
        span.start, span.end, name, day, *_reached(row), "actions:offsite_conversion.fb_pixel_purchase", purchases,
        _ratio(row.spend, row.conversions), units(row.spend), (row.clicks or 0) * 4 // 5, row.clicks,
        _ratio((row.clicks or 0) * 100, row.impressions), purchases, units(row.revenue), _ratio(row.revenue, row.spend),
    )  # fmt: skip


def _reached(row: TrueRow) -> tuple[object, ...]:
    reach = (row.impressions or 0) * 7 // 10
    return reach, row.impressions, _ratio(row.impressions, reach)


def _ratio(part: int | None, whole: int | None) -> str:
    """Up to eight decimals."""
    return f"{part / whole:.8f}".rstrip("0").rstrip(".") if part is not None and whole else ""


def _file(name: str, body: list[tuple[object, ...]], rows: list[TrueRow]) -> Export:
    return Export("meta_ads", "campaign_performance", name, codecs.BOM_UTF8 + lines(body).encode(), tuple(rows))
