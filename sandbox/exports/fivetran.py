"""Fivetran's ad_reporting models, as dbt_ad_reporting 2.3.0 writes them.

Source: fivetran/dbt_ad_reporting@1fb3d7f: columns in their order, values of `platform`; no currency in any model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sandbox.exports.base import Export, Span, TrueRow, lines, units

PLATFORMS: Mapping[str, str] = {
    "google_ads": "google_ads",
    "meta_ads": "facebook_ads",
    "microsoft_ads": "microsoft_ads",
    "amazon_ads": "amazon_ads",
    "tiktok_ads": "tiktok_ads",
}
"""The packages' names of platforms."""
_ACCOUNT = ("source_relation", "date_day", "platform", "account_id", "account_name")
_FIGURES = ("clicks", "impressions", "spend", "conversions", "conversions_value")


def campaign_report(spans: Iterable[Span]) -> Export:
    """`ad_reporting__campaign_report` of several ad accounts."""
    body: list[tuple[object, ...]] = [(*_ACCOUNT, "campaign_id", "campaign_name", *_FIGURES)]
    truth: list[TrueRow] = []
    for span in spans:
        account = (PLATFORMS[span.profile.platform], span.profile.id, span.profile.name)
        for row in span.campaign_rows():
            figures = (row.clicks, row.impressions, units(row.spend), units(row.conversions), units(row.revenue))
            name = span.campaign(row.entity).name
            body.append(("warehouse.ads", row.day, *account, row.entity, name, *figures))
            truth.append(row)
    return Export(
        "fivetran", "campaign_performance", "ad_reporting__campaign_report.csv", lines(body).encode(), tuple(truth)
    )
