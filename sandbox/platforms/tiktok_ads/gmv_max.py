"""GMV Max: campaigns of a TikTok shop, their report, and what they spent as a report of the type TT_SHOP.

They are in no other list and no other report. One store seen by two advertisers repeats its rows. Source: the second
reading, B19, C28, D38; bububa/tiktok-business, model/campaign/gmvmax and model/report.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.tiktok_ads.answers import TikTokRefusal, wrong
from sandbox.platforms.tiktok_ads.faults import listed_answer, page_info, paged
from sandbox.platforms.tiktok_ads.metrics import ratio
from sandbox.platforms.tiktok_ads.parameters import TikTokParameters
from sandbox.platforms.tiktok_ads.shop_days import (
    DELETED,
    ShopCampaign,
    ShopDay,
    shop_campaigns,
    shop_day,
    shop_hours,
    store_of,
)
from sandbox.world import WorldProfile
from sandbox.world.catalog import MINOR_DIGITS

_IDS, _DAY, _HOUR = ("advertiser_id", "campaign_id"), "stat_time_day", "stat_time_hour"
_DIMENSIONS = frozenset({*_IDS, _DAY, _HOUR})
_FILTERS = frozenset({"gmv_max_promotion_types", "store_ids", "campaign_ids", "campaign_name", "primary_status"})
REPORT_FILTERS = frozenset({"gmv_max_promotion_types", "campaign_ids", "campaign_name", "campaign_statuses"})
_STATUSES = frozenset({"STATUS_DELIVERY_OK", "STATUS_DISABLE", DELETED, "STATUS_ALL"})
_ADDED = ("cost", "net_cost", "orders", "gross_revenue", "cost_per_order", "roi")
"""Metrics that can be sorted by."""
_ATTRIBUTES = ("campaign_name", "operation_status", "roas_bid", "currency")
_SPENT = ("spend", "billed_cost")
"""The metrics of a report of the type TT_SHOP."""
_MOST_DAYS = {_HOUR: 1, _DAY: 30}
_MOST_IDS = 100
_ROAS_BID = 4.2


class _ShopAsked(NamedTuple):
    """What a report asks. `named`: the campaigns that it is about, by id; empty for all."""

    dimensions: list[str]
    metrics: list[str]
    days: tuple[date, date]
    named: frozenset[str] = frozenset()
    words: str = ""
    statuses: frozenset[str] = frozenset({"STATUS_ALL"})

    def concerns(self, campaign: ShopCampaign) -> bool:
        """Whether a campaign is in it: deleted ones only when they are asked for."""
        if self.named and campaign.id not in self.named:
            return False
        shown = {"STATUS_ALL", campaign.state} & self.statuses or (not self.statuses and campaign.state != DELETED)
        return bool(shown) and self.words.lower() in campaign.name.lower()


class _ShopRow(NamedTuple):
    """A row's dimensions, its campaign, and its sums."""

    dimensions: dict[str, str]
    campaign: ShopCampaign
    sums: ShopDay


class GmvMax:
    """Answers `/gmv_max/campaign/get/`, `/gmv_max/report/get/`, and reports of the type TT_SHOP."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def campaigns(self, profile: WorldProfile, query: TikTokParameters) -> Response:
        """The shop's campaigns; the promotion types must be named."""
        filtering = TikTokParameters(query.members("filtering"))
        page, size = query.number("page", 1, 10**6), query.number("page_size", 10, 100)
        types = filtering.words("gmv_max_promotion_types")
        if not types or set(types) - {"PRODUCT_GMV_MAX", "LIVE_GMV_MAX"} or filtering.names - _FILTERS:
            raise wrong("filtering: gmv_max_promotion_types is required, and only known conditions")
        status, named = filtering.text("primary_status"), filtering.words("campaign_ids", _MOST_IDS)
        found = [
            {
                "advertiser_id": profile.id,
                "campaign_id": campaign.id,
                "campaign_name": campaign.name,
                "store_id": store_of(profile),
                "objective_type": "PRODUCT_SALES",
                "shopping_ads_type": "PRODUCT",
                "operation_status": "ENABLE",
                "secondary_status": f"CAMPAIGN_STATUS_{'DELETE' if campaign.state == DELETED else 'ENABLE'}",
                "roas_bid": _ROAS_BID,
                "budget": 50.0,
                "create_time": f"{self._outside.world.first_day} 09:00:00",
                "modify_time": f"{self._outside.world.first_day} 09:00:00",
            }
            for campaign in shop_campaigns(profile)
            if (status or "STATUS_DELIVERY_OK") == campaign.state
            and "PRODUCT_GMV_MAX" in types
            and campaign.id in (named or [campaign.id])
            and filtering.text("campaign_name").lower() in campaign.name.lower()
        ]
        return listed_answer(self._outside, profile.id, found, page, size)

    def report(self, profile: WorldProfile, query: TikTokParameters) -> Response:
        """Rows of one store by campaign or advertiser, by day or hour; deleted campaigns only when asked for."""
        stores, filtering = query.words("store_ids"), TikTokParameters(query.members("filtering"))
        if len(stores) != 1:
            raise wrong("store_ids: exactly one is required")
        if stores != [store_of(profile)]:
            raise TikTokRefusal(40001, "The store is not authorized for the advertiser")
        if filtering.names - REPORT_FILTERS:
            raise wrong(f"filtering: Unknown fields: {sorted(filtering.names - REPORT_FILTERS)}")
        types, statuses = filtering.words("gmv_max_promotion_types"), filtering.words("campaign_statuses")
        if set(types) - {"PRODUCT", "LIVE"} or set(statuses) - _STATUSES:
            raise wrong("filtering: gmv_max_promotion_types are PRODUCT and LIVE, campaign_statuses primary ones")
        asked = self._asked(query, (*_ADDED, *_ATTRIBUTES), [])._replace(
            named=frozenset(filtering.words("campaign_ids", _MOST_IDS)),
            words=filtering.text("campaign_name"),
            statuses=frozenset(statuses),
        )
        rows = [] if types == ["LIVE"] else list(self._rows(profile, asked))
        field, direction = query.text("sort_field"), query.text("sort_type", "DESC")
        if (field and field not in set(asked.metrics) & set(_ADDED)) or direction not in ("ASC", "DESC"):
            raise wrong(f"sort_field: {field} {direction} cannot be sorted by")
        if field:
            rows.sort(key=lambda row: Decimal(_metric(profile, field, row)), reverse=direction == "DESC")
        return self._answer(profile, query, asked, rows)

    def spent(self, profile: WorldProfile, query: TikTokParameters) -> Response:
        """A report of the type TT_SHOP: what GMV Max spent, and nothing else. It knows no filters."""
        if query.text("service_type", "AUCTION") != "AUCTION":
            raise wrong("service_type: report_type TT_SHOP needs AUCTION.")
        if "filtering" in query.names or query.flag("query_lifetime"):
            raise wrong("filtering, query_lifetime: not supported when report_type is TT_SHOP")
        asked = self._asked(query, _SPENT, list(_SPENT))
        return self._answer(profile, query, asked, list(self._rows(profile, asked)))

    def _asked(self, query: TikTokParameters, known: tuple[str, ...], usual: list[str]) -> _ShopAsked:
        dimensions, metrics = query.words("dimensions", 3), query.words("metrics", 100) or usual
        ids, times = set(_IDS) & set(dimensions), {_DAY, _HOUR} & set(dimensions)
        if set(dimensions) - _DIMENSIONS or len(ids) != 1 or len(times) > 1:
            raise wrong(f"dimensions: Invalid dimension fields: {dimensions}")
        if not metrics or set(metrics) - set(known):
            raise wrong(f"Please correct the information in invalid metric fields: {sorted(set(metrics) - set(known))}")
        if "advertiser_id" in dimensions and set(metrics) & set(_ATTRIBUTES[:-1]):
            raise wrong("metrics: attributes of campaigns need the dimension campaign_id")
        start, end = query.day("start_date"), query.day("end_date")
        most = next((days for name, days in _MOST_DAYS.items() if name in dimensions), 365)
        if not 0 <= (end - start).days < most:
            raise wrong(f"The time span between start_date and end_date must not exceed {most} days.")
        return _ShopAsked(dimensions, metrics, (start, end))

    def _rows(self, profile: WorldProfile, asked: _ShopAsked) -> Iterator[_ShopRow]:
        sums: dict[tuple[str, str], tuple[ShopCampaign, list[ShopDay]]] = {}
        world = self._outside.world
        for day in world.window(profile, *asked.days):
            for campaign in shop_campaigns(profile):
                found = shop_day(world, profile, campaign, day) if asked.concerns(campaign) else None
                parts = [found] if found and _HOUR not in asked.dimensions else shop_hours(found) if found else []
                for hour, part in enumerate(parts):
                    told = f"{day} {hour:02d}:00:00" if {_DAY, _HOUR} & set(asked.dimensions) else ""
                    entity = campaign.id if "campaign_id" in asked.dimensions else profile.id
                    sums.setdefault((entity, told), (campaign, []))[1].append(part)
        for (entity, told), (campaign, some) in sums.items():
            shown = {"campaign_id": entity, "advertiser_id": entity, _DAY: told, _HOUR: told}
            yield _ShopRow({one: shown[one] for one in asked.dimensions}, campaign, _added(some))

    def _answer(
        self, profile: WorldProfile, query: TikTokParameters, asked: _ShopAsked, rows: list[_ShopRow]
    ) -> Response:
        bodies = [
            {"dimensions": row.dimensions, "metrics": {name: _metric(profile, name, row) for name in asked.metrics}}
            for row in rows
        ]
        page, size = query.number("page", 1, 10**6), query.number("page_size", 10, 1000)
        data: dict[str, Any] = {
            "list": bodies[(page - 1) * size : page * size],
            "page_info": page_info(len(rows), page, size),
        }
        if query.flag("enable_total_metrics"):
            whole = _ShopRow({}, ShopCampaign("", "-", ""), _added([row.sums for row in rows]))
            totals = {name: _metric(profile, name, whole) for name in asked.metrics}
            data["total_metrics"] = totals | {name: "-" for name in asked.metrics if name in _ATTRIBUTES}
        return paged(self._outside, profile.id, data)


def _added(some: list[ShopDay]) -> ShopDay:
    return ShopDay(*(sum(column) for column in zip(*some, strict=True))) if some else ShopDay(0, 0, 0, 0)


def _metric(profile: WorldProfile, name: str, row: _ShopRow) -> str:
    unit, sums = int(10 ** MINOR_DIGITS[profile.currency]), row.sums
    return {
        "cost": ratio(sums.cost, unit),
        "spend": ratio(sums.cost, unit),
        "billed_cost": ratio(sums.cost, unit),
        "net_cost": ratio(sums.net, unit),
        "orders": str(sums.orders),
        "gross_revenue": ratio(sums.gross, unit),
        "cost_per_order": ratio(sums.cost, sums.orders * unit),
        "roi": ratio(sums.gross, sums.cost),
        "campaign_name": row.campaign.name,
        "operation_status": "ENABLE",
        "roas_bid": f"{_ROAS_BID:.2f}",
        "currency": profile.currency,
    }[name]
