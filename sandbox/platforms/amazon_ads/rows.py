"""The rows of a finished report, and its file."""

from __future__ import annotations

import gzip
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.platforms.amazon_ads.columns import REPORT_TYPES, ReportType
from sandbox.platforms.amazon_ads.questions import date_of
from sandbox.platforms.amazon_ads.spelling import money, state
from sandbox.world import Numbers, World, WorldProfile, WorldRow
from sandbox.world.numbers import WINDOWS, add
from sandbox.world.world import Moment

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def report_rows(world: World, profile: WorldProfile, body: dict[str, Any], moment: Moment) -> list[dict[str, Any]]:
    """The report's rows with activity: one per entity and day, or per entity with SUMMARY."""
    configuration = body["configuration"]
    kind = REPORT_TYPES[configuration["reportTypeId"]]
    level = "ad_group" if configuration["groupBy"] == ["adGroup"] else kind.level
    start, end = date_of(body, "startDate"), date_of(body, "endDate")
    found = [
        row
        for row in world.rows(profile, level, start, end, moment=moment)
        if row.campaign and row.campaign.product == kind.product and _kept(row, configuration.get("filters") or [])
    ]
    if configuration["timeUnit"] == "SUMMARY":
        sums: dict[tuple[str, ...], list[WorldRow]] = {}
        for row in found:
            parts = (row.campaign, row.group, row.ad, row.keyword)
            sums.setdefault(tuple(part.id if part else "" for part in parts), []).append(row)
        found = [same[0]._replace(numbers=add([r.numbers for r in same])) for same in sums.values()]
    columns = configuration["columns"]
    answers = []
    for row in found:
        values = _values(profile, kind, row, start, end)
        answers.append({name: values.get(name) for name in columns})
    return answers


def packed(rows: list[dict[str, Any]]) -> bytes:
    """One JSON array, gzipped; ids are integers and money exact decimals."""
    return gzip.compress(_ENCODER.encode(rows), 1, mtime=0)


def _kept(row: WorldRow, filters: list[dict[str, Any]]) -> bool:
    known = {
        "campaignStatus": row.campaign.status if row.campaign else "",
        "adStatus": row.group.status if row.group else "",
        "adCreativeStatus": row.ad.status if row.ad else "",
        "adKeywordStatus": row.keyword.state if row.keyword else "",
        "keywordType": row.keyword.match_type if row.keyword else "",
    }
    return all(state(known.get(f["field"], "")) in f.get("values", []) for f in filters)


def _quotient(top: int, bottom: int) -> Decimal | None:
    return round(Decimal(top) / Decimal(bottom), 6) if bottom else None


def _values(profile: WorldProfile, kind: ReportType, row: WorldRow, start: date, end: date) -> dict[str, Any]:
    n, campaign = row.numbers, row.campaign
    assert campaign is not None  # noqa: S101 - account rows have no report type
    cost = money(profile, n.spend)
    values: dict[str, Any] = {
        "date": row.day.isoformat(),
        "startDate": start.isoformat(),
        "endDate": end.isoformat(),
        "campaignId": int(campaign.id),
        "campaignName": campaign.name,
        "campaignStatus": state(campaign.status),
        "campaignBudgetAmount": money(profile, campaign.budget_minor),
        "campaignBudgetType": "DAILY_BUDGET",
        "campaignBudgetCurrencyCode": profile.currency,
        "campaignBiddingStrategy": "legacy",
        "impressions": n.impressions,
        "clicks": n.clicks,
        "cost": cost,
        "spend": cost,
        "costType": "CPC",
        "costPerClick": _quotient(n.spend * profile.minor_micros, n.clicks * 1_000_000),
        "clickThroughRate": _quotient(n.clicks, n.impressions),
    }
    if row.group:
        values |= {"adGroupId": int(row.group.id), "adGroupName": row.group.name, "adStatus": state(row.group.status)}
    if row.ad:
        asin, sku = row.ad.creative["asin"], row.ad.creative["sku"] if profile.kind == "seller" else None
        values |= {"adId": int(row.ad.id), "advertisedAsin": asin, "advertisedSku": sku}
        values |= {"promotedAsin": asin, "promotedSku": sku}
    if row.keyword:
        values |= {
            "keywordId": int(row.keyword.id),
            "keyword": row.keyword.text,
            "keywordText": row.keyword.text,
            "targeting": row.keyword.text,
            "keywordBid": money(profile, row.keyword.bid_minor),
            "keywordType": row.keyword.match_type,
            "matchType": row.keyword.match_type,
            "adKeywordStatus": row.keyword.state,
        }
    return values | (_sp_sales(profile, n) if kind.product == "sp" else _brand_sales(profile, n))


def _sp_sales(profile: WorldProfile, n: Numbers) -> dict[str, Any]:
    """Purchases, units and sales by attribution window; two in three are of the advertised product."""
    values: dict[str, Any] = {}
    for window in WINDOWS:
        purchases, sales = n.halves[window] // 2, n.revenue[window]
        values |= {
            f"purchases{window}d": purchases,
            f"purchasesSameSku{window}d": purchases * 2 // 3,
            f"unitsSoldClicks{window}d": purchases,
            f"unitsSoldSameSku{window}d": purchases * 2 // 3,
            f"sales{window}d": money(profile, sales),
            f"attributedSalesSameSku{window}d": money(profile, sales * 2 // 3),
        }
        values[f"acosClicks{window}d"] = _quotient(n.spend * 100, sales)
        values[f"roasClicks{window}d"] = _quotient(sales, n.spend)
    values["salesOtherSku7d"] = money(profile, n.revenue[7] - n.revenue[7] * 2 // 3)
    values["unitsSoldOtherSku7d"] = n.halves[7] // 2 - n.halves[7] // 2 * 2 // 3
    return values


def _brand_sales(profile: WorldProfile, n: Numbers) -> dict[str, Any]:
    """Sponsored Brands and Display: one window of 14 days, no suffix."""
    purchases, sales = n.halves[14] // 2, money(profile, n.revenue[14])
    return {
        "purchases": purchases,
        "purchasesClicks": purchases,
        "purchasesPromoted": purchases * 2 // 3,
        "purchasesPromotedClicks": purchases * 2 // 3,
        "sales": sales,
        "salesClicks": sales,
        "salesPromoted": money(profile, n.revenue[14] * 2 // 3),
        "salesPromotedClicks": money(profile, n.revenue[14] * 2 // 3),
        "unitsSold": purchases,
        "unitsSoldClicks": purchases,
        "viewableImpressions": n.impressions * 3 // 4,
        "impressionsViews": n.impressions * 3 // 4,
    }
