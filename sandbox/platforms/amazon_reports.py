"""Reporting v3: what a request may ask, and the rows of a finished report."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.platforms.amazon_columns import ALWAYS_DAILY, ALWAYS_SUMMARY, REPORT_TYPES, ReportType
from sandbox.world import Numbers, Profile, World
from sandbox.world.catalog import MINOR_DIGITS
from sandbox.world.numbers import WINDOWS, add
from sandbox.world.world import Moment, Row

MOST_DAYS = 31
_STATES = {"ACTIVE": "ENABLED"}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Refused(Exception):
    """An answer with a status and the text for `detail` (reporting) or `details`."""

    def __init__(self, status: int, detail: str, code: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.code, self.headers = status, detail, code or str(status), headers or {}


def state(status: str) -> str:
    """The world's status as Amazon spells it."""
    return _STATES.get(status, status)


def money(profile: Profile, minor: int) -> Decimal:
    """Minor units → units, exact."""
    return Decimal(minor).scaleb(-MINOR_DIGITS[profile.currency])


def _date(body: dict[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(body.get(name)))
    except ValueError:
        raise Refused(400, f"{name} must be a date YYYY-MM-DD") from None


def check(body: dict[str, Any], today: date) -> None:  # noqa: C901 - a list of rules
    """Refuse what Amazon refuses with 400: dates, report type, grouping, columns against the time unit, filters."""
    start, end = _date(body, "startDate"), _date(body, "endDate")
    if end < start:
        raise Refused(400, "endDate is before startDate")
    if (end - start).days + 1 > MOST_DAYS:
        raise Refused(400, f"The requested date range is over the maximum of {MOST_DAYS} days")
    if end > today:
        raise Refused(400, f"configuration endDate {end} must not be in the future")
    configuration = body.get("configuration")
    if not isinstance(configuration, dict):
        raise Refused(400, "configuration is required")
    kind = REPORT_TYPES.get(str(configuration.get("reportTypeId")))
    if kind is None:
        raise _invalid("reportTypeId", REPORT_TYPES)
    if configuration.get("adProduct") != kind.ad_product:
        raise _invalid("adProduct", [kind.ad_product])
    if (today - start).days > kind.keep_days + 1:  # a day of grace: callers may live in another time zone
        raise Refused(400, f"configuration startDate is beyond the retention of {kind.keep_days} days")
    if configuration.get("format", "GZIP_JSON") != "GZIP_JSON":
        raise _invalid("format", ["GZIP_JSON"])
    _check_columns(kind, configuration)
    for condition in configuration.get("filters") or []:
        if condition.get("field") not in kind.filters:
            raise Refused(400, f"configuration filters field {condition.get('field')!r} is not supported")


def _invalid(name: str, allowed: Iterable[str]) -> Refused:
    return Refused(400, f"configuration {name} is invalid. Allowed values: ({', '.join(allowed)})")


def _check_columns(kind: ReportType, configuration: dict[str, Any]) -> None:
    groups = configuration.get("groupBy") or []
    if not groups or any(g not in kind.columns for g in groups):
        raise _invalid("groupBy", kind.columns)
    known = frozenset().union(*(kind.columns[g] for g in groups))
    columns = configuration.get("columns") or []
    unknown = [c for c in columns if c not in known]
    if unknown or not columns:
        allowed = ", ".join(sorted(known))
        wrong_names = ", ".join(unknown)
        raise Refused(
            400, f"configuration columns includes invalid values: ({wrong_names}). Allowed values: ({allowed})"
        )
    unit = configuration.get("timeUnit")
    if unit not in ("DAILY", "SUMMARY"):
        raise _invalid("timeUnit", ["DAILY", "SUMMARY"])
    wrong = set(columns) & (ALWAYS_SUMMARY if unit == "DAILY" else ALWAYS_DAILY)
    if wrong:
        raise Refused(400, f"configuration columns {', '.join(sorted(wrong))} cannot be used with timeUnit {unit}")
    if unit == "DAILY" and "date" not in columns:
        raise Refused(400, "configuration columns must include date with timeUnit DAILY")


def rows(world: World, profile: Profile, body: dict[str, Any], moment: Moment) -> list[dict[str, Any]]:
    """The report's rows: one an entity and day (or the whole range with SUMMARY), only those with activity."""
    configuration = body["configuration"]
    kind = REPORT_TYPES[configuration["reportTypeId"]]
    level = "ad_group" if configuration["groupBy"] == ["adGroup"] else kind.level
    start, end = _date(body, "startDate"), _date(body, "endDate")
    found = [
        row
        for row in world.rows(profile, level, start, end, moment=moment)
        if row.campaign and row.campaign.product == kind.product and _kept(row, configuration.get("filters") or [])
    ]
    if configuration["timeUnit"] == "SUMMARY":
        sums: dict[tuple[str, ...], list[Row]] = {}
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


def packed(report_rows: list[dict[str, Any]]) -> bytes:
    """One JSON array, gzipped; ids are integers and money exact decimals."""
    return gzip.compress(_ENCODER.encode(report_rows), 1, mtime=0)


def _kept(row: Row, filters: list[dict[str, Any]]) -> bool:
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


def _values(profile: Profile, kind: ReportType, row: Row, start: date, end: date) -> dict[str, Any]:
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


def _sp_sales(profile: Profile, n: Numbers) -> dict[str, Any]:
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


def _brand_sales(profile: Profile, n: Numbers) -> dict[str, Any]:
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
