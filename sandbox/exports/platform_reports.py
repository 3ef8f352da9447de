"""Report files of platforms that people download: Microsoft Advertising's, and Amazon's in German.

Source: MicrosoftDocs/Advertising, guides/reports (lines of one quoted cell before the header, a copyright below, all
cells quoted); notes of importers on Amazon's German CSV (semicolons, `2.310`, `12,60 €`, names with commas and blanks).
"""

from __future__ import annotations

from sandbox.exports.base import Export, Span, TrueRow, counted, german, grouped, lines, parts, units

_DEVICES = (("Computer", 2), ("Smartphone", 5))
_PRODUCTS = (("SKU-1, blau", "B0EXAMPLE1", 3), ("SKU-2", "B0EXAMPLE2", 1))
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def microsoft_report(span: Span) -> Export:
    """A campaign performance report by day and device, as its zip archive has it."""
    header = (
        "TimePeriod", "AccountId", "CampaignId", "CampaignName", "CurrencyCode", "DeviceType", "Impressions", "Clicks",
        "Spend", "ConversionsQualified", "Revenue",
    )  # fmt: skip
    rows = span.campaign_rows()
    body: list[tuple[object, ...]] = []
    for row in rows:
        columns = [list(parts(value, [weight for _, weight in _DEVICES])) for value in row[2:7]]
        for place, (device, _) in enumerate(_DEVICES):
            impressions, clicks, spend, conversions, revenue = (column[place] for column in columns)
            body.append(
                (
                    row.day, span.profile.id, row.entity, span.campaign(row.entity).name, span.profile.currency, device,
                    impressions, clicks, units(spend), units(conversions), grouped(revenue, 6),
                )
            )  # fmt: skip
    american = ",".join(f"{day.month}/{day.day}/{day.year}" for day in (span.start, span.end))
    above = [
        "Report Name: Campaigns",
        f"Report Time: {american}",
        "Time Zone: (GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London",
        "Report Aggregation: Daily",
        "Report Filter: ",
        "Potential Incomplete Data: true",
        f"Rows: {len(body)}",
    ]
    text = lines([[line] for line in above], quoted=True) + "\n"
    text += lines([header, *body], quoted=True) + "\n"
    text += lines([[f"@{span.end.year} Microsoft Corporation. All rights reserved. "]], quoted=True)
    return Export("microsoft_ads", "campaign_performance", "Campaigns.csv", text.encode("utf-8-sig"), tuple(rows))


def amazon_in_german(span: Span) -> Export:
    """`Gesponserte Produkte Beworbenes Produkt Bericht.csv`: Sponsored Products alone, a row per product and day."""
    days, sign = span.profile.windows["sp"], _SIGNS[span.profile.currency]
    header = (
        "Datum", "Portfolioname", "Währung", "Kampagnen-Name", "Anzeigengruppenname", "Beworbene SKU", "Beworbene ASIN",
        "Impressionen", "Klicks", "Klickrate (CTR)", "Kosten pro Klick (CPC)", "Ausgaben",
        f"{days} Tage, Umsatz gesamt ({sign})", "Gesamtumsatzkosten für Werbung (ACOS) ",
        f"{days} Tage, Aufträge gesamt (#)",
    )  # fmt: skip
    rows = [row for row in span.campaign_rows() if span.campaign(row.entity).product == "sp"]
    body = [cells for row in rows for cells in _products(span, row, sign)]
    name = "Gesponserte Produkte Beworbenes Produkt Bericht.csv"
    text = lines([header, *body], delimiter=";")
    return Export("amazon_ads", "campaign_performance", name, text.encode("utf-8-sig"), tuple(rows))


def _products(span: Span, row: TrueRow, sign: str) -> list[tuple[object, ...]]:
    columns = [list(parts(value, [weight for _, _, weight in _PRODUCTS])) for value in row[2:7]]
    made: list[tuple[object, ...]] = []
    for place, (sku, asin, _) in enumerate(_PRODUCTS):
        impressions, clicks, spend, conversions, revenue = (column[place] for column in columns)
        rate = f"{(clicks or 0) * 100 / impressions:.4f}%" if impressions else ""
        each = grouped((spend or 0) // clicks) if clicks else ""
        made.append(
            (
                f"{row.day:%d.%m.%Y}", "Kein Portfolio", span.profile.currency, span.campaign(row.entity).name,
                "Gruppe", sku, asin, german(counted(impressions)), german(counted(clicks)), german(rate),
                f"{german(each)} {sign}" if each else "", f"{german(grouped(spend, 6))} {sign}",
                f"{german(grouped(revenue, 6))} {sign}", "", german(units(conversions)),
            )
        )  # fmt: skip
    return made
