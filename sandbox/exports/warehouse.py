"""Tables of platforms as Fivetran's connectors load them into a warehouse, with their units and traps.

Source: the seeds and staging models of fivetran/dbt_microsoft_ads@585c0fe, dbt_linkedin@32ae963, dbt_pinterest@ae8f947,
dbt_snapchat_ads@e4b8717, dbt_reddit_ads@2d8a5ab, dbt_twitter@4c34230, dbt_apple_search_ads@5ebce68: their main columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sandbox.exports.base import MICRO, Export, Span, TrueRow, lines, parts, units

_SYNCED = "2026-11-22 03:10:00.000 UTC"
_DEVICES = (("Computer", 5), ("Smartphone", 3))
_HOURS = ((9, 1), (11, 3), (13, 6), (14, 4))
"""Hours of UTC, on whose day it is in Los Angeles, Berlin and Tokyo, too: the file does not say whose they are."""
_PLACEMENTS = (("ALL_ON_TWITTER", 4), ("PUBLISHER_NETWORK", 1))
Cells = tuple[object, ...]


class _Table(NamedTuple):
    """A table: how each true row is written, on one line or several, and what of it is known."""

    source: str
    name: str
    header: tuple[str, ...]
    written: Callable[[Span, TrueRow], Iterable[Cells]]
    known: Callable[[TrueRow], TrueRow]
    data_type: str = "campaign_performance"


def tables(spans: dict[str, Span]) -> Iterator[Export]:
    """Every table. `spans`: an ad account by the table's source."""
    for table in _TABLES:
        span = spans[table.source]
        rows = span.campaign_rows()
        body = [cells for row in rows for cells in table.written(span, row)]
        truth = tuple(table.known(row) for row in rows)
        yield Export(table.source, table.data_type, f"{table.name}.csv", lines([table.header, *body]).encode(), truth)


def _microsoft(span: Span, row: TrueRow) -> Iterator[Cells]:
    """Several rows per campaign and day, in units of the currency."""
    weights = [weight for _, weight in _DEVICES]
    columns = [list(parts(value, weights)) for value in row[2:7]]
    for place, (device, _) in enumerate(_DEVICES):
        impressions, clicks, spend, conversions, revenue = (column[place] for column in columns)
        yield (
            row.day, span.profile.id, row.entity, span.profile.currency, "Unknown", device, "Bing and Yahoo! search",
            "Search", clicks, impressions, units(spend), units(conversions), units(conversions), units(revenue),
        )  # fmt: skip


def _linkedin(_span: Span, row: TrueRow) -> Iterator[Cells]:
    """No ad account; the day with a midnight; money in the local currency and in dollars.

    What LinkedIn calls a campaign is an ad group elsewhere (dbt_ad_reporting has it as ad_group_id).
    """
    yield (
        row.entity, f"{row.day} 00:00:00", row.clicks, units(row.revenue), units(row.spend),
        units((row.spend or 0) * 11 // 10), units(row.conversions), row.impressions, 0,
    )  # fmt: skip


def _pinterest(span: Span, row: TrueRow) -> Iterator[Cells]:
    """Money in micros; what is earned beside what is paid."""
    paid, earned = parts(row.impressions, (40, 1))
    own, shared = parts(row.clicks, (30, 1))
    count = units(row.conversions)
    yield (
        f"{row.day} 00:00:00", row.entity, span.campaign(row.entity).name, "ACTIVE", span.profile.id, _SYNCED, paid,
        earned, own, shared, row.spend, count, count, row.revenue,
    )  # fmt: skip


def _snapchat(_span: Span, row: TrueRow) -> Iterator[Cells]:
    """By hour, for which nothing else is said; money in micros; clicks are swipes."""
    weights = [weight for _, weight in _HOURS]
    columns = [list(parts(value, weights)) for value in row[2:5]]
    bought = [list(parts(value, weights)) for value in ((row.conversions or 0) // MICRO, row.revenue)]
    for place, (hour, _) in enumerate(_HOURS):
        impressions, clicks, spend = (column[place] for column in columns)
        count, value = (column[place] for column in bought)
        yield (row.entity, f"{row.day}T{hour:02}:00:00", count, value, impressions, spend, clicks)


def _reddit(span: Span, row: TrueRow) -> Iterator[Cells]:
    """Money in micros; conversions are in another table."""
    clicks, impressions, spend = row.clicks or 0, row.impressions or 0, row.spend or 0
    yield (
        span.profile.id, row.entity, row.day, clicks, spend // clicks if clicks else "",
        f"{clicks / impressions:.6f}" if impressions else "", spend * 1000 // impressions if impressions else "",
        impressions, "", spend,
    )  # fmt: skip


def _twitter(span: Span, row: TrueRow) -> Iterator[Cells]:
    """A row per placement; money in micros of the local currency; clicks of any kind and of links."""
    weights = [weight for _, weight in _PLACEMENTS]
    columns = [list(parts(value, weights)) for value in row[2:5]]
    bought = (units(row.conversions), "0")
    for place, (placement, _) in enumerate(_PLACEMENTS):
        impressions, clicks, spend = (column[place] for column in columns)
        yield (
            span.profile.id, row.entity, f"{row.day} 00:00:00", placement, spend, clicks, bought[place], "",
            impressions, (clicks or 0) * 3 // 4,
        )  # fmt: skip


def _apple(span: Span, row: TrueRow) -> Iterator[Cells]:
    """Units of the currency; clicks are taps, conversions installs, without a value."""
    money, installs = span.profile.currency, units(row.conversions)
    yield (
        row.day, row.entity, installs, row.impressions, units(row.spend), money, row.clicks, installs,
    )  # fmt: skip


def _all(row: TrueRow) -> TrueRow:
    return row


def _no_value(row: TrueRow) -> TrueRow:
    return row._replace(revenue=None)


def _no_outcome(row: TrueRow) -> TrueRow:
    return row._replace(conversions=None, revenue=None)


_TABLES = (
    _Table(
        "microsoft_ads", "campaign_performance_daily_report",
        (
            "date", "account_id", "campaign_id", "currency_code", "device_os", "device_type", "network",
            "ad_distribution", "clicks", "impressions", "spend", "conversions_qualified", "conversions", "revenue",
        ),
        _microsoft, _all,
    ),
    _Table(
        "linkedin_ads", "ad_analytics_by_campaign",
        (
            "campaign_id", "day", "clicks", "conversion_value_in_local_currency", "cost_in_local_currency",
            "cost_in_usd", "external_website_conversions", "impressions", "one_click_leads",
        ),
        _linkedin, _all, "ad_group_performance",
    ),
    _Table(
        "pinterest_ads", "campaign_report",
        (
            "date", "campaign_id", "campaign_name", "campaign_status", "advertiser_id", "_fivetran_synced",
            "impression_1", "impression_2", "clickthrough_1", "clickthrough_2", "spend_in_micro_dollar",
            "total_conversions", "total_conversions_quantity", "total_conversions_value_in_micro_dollar",
        ),
        _pinterest, _all,
    ),
    _Table(
        "snapchat_ads", "campaign_hourly_report",
        (
            "campaign_id", "date", "conversion_purchases", "conversion_purchases_value", "impressions", "spend",
            "swipes",
        ),
        _snapchat, _all,
    ),
    _Table(
        "reddit_ads", "campaign_report",
        ("account_id", "campaign_id", "date", "clicks", "cpc", "ctr", "ecpm", "impressions", "region", "spend"),
        _reddit, _no_outcome,
    ),
    _Table(
        "twitter_ads", "campaign_report",
        (
            "account_id", "campaign_id", "date", "placement", "billed_charge_local_micro", "clicks",
            "conversion_purchases_metric", "conversion_purchases_sale_amount", "impressions", "url_clicks",
        ),
        _twitter, _no_value,
    ),
    _Table(
        "apple_search_ads", "campaign_report",
        (
            "date", "id", "conversions", "impressions", "local_spend_amount", "local_spend_currency", "taps",
            "tap_installs",
        ),
        _apple, _no_value,
    ),
)  # fmt: skip
