"""Files in adweir's own columns (docs/data-model.md, File drops)."""

from __future__ import annotations

from sandbox.exports.base import Export, Span, lines, units
from sandbox.exports.shop import orders, truth

METRICS = (
    "platform", "profile_id", "level", "date", "campaign_id", "impressions", "clicks", "spend", "conversions",
    "revenue", "currency",
)  # fmt: skip


def own_columns(span: Span) -> Export:
    """Campaigns by day."""
    profile, rows = span.profile, span.campaign_rows()
    body = [
        (
            profile.platform, profile.id, "campaign", row.day, row.entity, row.impressions, row.clicks,
            units(row.spend), units(row.conversions), units(row.revenue), profile.currency,
        )
        for row in rows
    ]  # fmt: skip
    return Export("adweir", "metrics", "own.csv", lines([METRICS, *body]).encode(), tuple(rows))


def own_orders(span: Span) -> Export:
    """Orders that brought something, each with the campaign that it came from."""
    header = ("order_id", "date", "revenue", "refunded", "currency", "utm_source", "utm_medium", "utm_campaign")
    found = [order for order in orders(span) if order.counts]
    body = [
        (
            order.number, order.at.isoformat(), units(order.total), units(order.refunded), span.profile.currency, "ads",
            "cpc", order.campaign,
        )
        for order in found
    ]  # fmt: skip
    text = lines([header, *body])
    return Export("adweir", "orders", "orders.csv", text.encode(), truth(found, span.profile.timezone))
