"""Daily reports of Amazon Ads' web page, in English and German.

Rows by search term, product or placement are added up. The sales and orders of 7 days come before those of 14, and a
file has one kind. Search-term reports hold only terms that were clicked, so their impressions are not all. Bulk files
have no days.
"""

from adweir.platforms.files.builtin.parts import by_level, column, equals

_COMMON = (
    column("date", "Date", "Datum"),
    column("range_start", "Start Date", "Startdatum"),
    column("range_end", "End Date", "Enddatum"),
    column("currency", "Currency", "Währung"),
    column("impressions", "Impressions", "Impressionen"),
    column("clicks", "Clicks", "Klicks"),
    column(
        "spend", "Spend", "Spend ({currency})", "Ausgaben", "Ausgaben ({currency})", "Cost", "Kosten", required=True
    ),
    column(
        "conversions",
        "7 Day Total Orders (#)",
        "7 Tage, Aufträge gesamt (#)",
        "14 Day Total Orders (#)",
        "14 Tage, Aufträge gesamt (#)",
    ),
    column(
        "revenue",
        "7 Day Total Sales",
        "7 Day Total Sales ({currency})",
        "7 Tage, Umsatz gesamt",
        "7 Tage, Umsatz gesamt ({currency})",
        "14 Day Total Sales",
        "14 Day Total Sales ({currency})",
        "14 Tage, Umsatz gesamt",
        "14 Tage, Umsatz gesamt ({currency})",
    ),
)
_CAMPAIGN = (
    column("campaign_id", "Campaign ID", "Kampagnen-ID"),
    column("campaign_name", "Campaign Name", "Kampagnen-Name", "Kampagnenname"),
)
MAPPINGS = by_level(
    "amazon_ads",
    _COMMON,
    {
        "account": (),
        "campaign": _CAMPAIGN,
        "ad_group": (
            *_CAMPAIGN,
            column("ad_group_id", "Ad Group ID", "Anzeigengruppen-ID"),
            column("ad_group_name", "Ad Group Name", "Anzeigengruppenname", "Anzeigengruppen-Name"),
        ),
    },
    constants={"platform": "amazon_ads"},
    skip=(equals("Total", "Gesamt", "Summe"),),
    adds_up=True,
    header_from="notes and importers of Amazon Ads' reports: docs/mappings.md",
)
