"""GMV Max: campaigns of a TikTok shop, which are in no other list and no other report.

`gross_revenue` includes organic orders, and `cost` is not `net_cost`. One store seen by two advertisers repeats its
rows. Source: the second reading, B19, C28, D38; bububa/tiktok-business, model/campaign/gmvmax. Its numbers are no part
of the world's truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.tiktok_ads.answers import TikTokRefusal, wrong
from sandbox.platforms.tiktok_ads.faults import listed_answer, page_info, paged
from sandbox.platforms.tiktok_ads.metrics import ratio
from sandbox.platforms.tiktok_ads.parameters import TikTokParameters
from sandbox.world import WorldProfile
from sandbox.world.catalog import MINOR_DIGITS
from sandbox.world.draw import between, seed_of
from sandbox.world.plan import recent

_CAMPAIGNS = (("Shop all products", "STATUS_DELIVERY_OK"), ("Shop summer", "STATUS_DELETE"))
_DIMENSIONS = frozenset({"advertiser_id", "campaign_id", "stat_time_day", "stat_time_hour"})
_FILTERS = frozenset({"gmv_max_promotion_types", "store_ids", "campaign_ids", "campaign_name", "primary_status"})
_REPORT_FILTERS = frozenset({"gmv_max_promotion_types", "campaign_ids", "campaign_statuses"})
_METRICS = (
    "cost", "net_cost", "orders", "gross_revenue", "cost_per_order", "roi", "campaign_name", "currency",
)  # fmt: skip
_MOST_DAYS = {"stat_time_hour": 1, "stat_time_day": 30}
_DELETED_DAY = recent(40)
"""The last day of the deleted campaign, counted from the world's first."""


class _ShopDay(NamedTuple):
    """A campaign's day: money in minor units."""

    cost: int
    net: int
    orders: int
    gross: int


def store_of(profile: WorldProfile) -> str:
    """The advertiser's shop; those of one company share it."""
    return f"7495{profile.id[-3]}00000000000001"


class GmvMax:
    """Answers `/gmv_max/campaign/get/` and `/gmv_max/report/get/`."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def campaigns(self, profile: WorldProfile, query: TikTokParameters) -> Response:
        """The shop's campaigns; the promotion types must be named."""
        filtering = TikTokParameters(query.members("filtering"))
        page, size = query.number("page", 1, 10**6), query.number("page_size", 10, 100)
        types = filtering.words("gmv_max_promotion_types")
        if not types or set(types) - {"PRODUCT_GMV_MAX", "LIVE_GMV_MAX"} or filtering.names - _FILTERS:
            raise wrong("filtering: gmv_max_promotion_types is required, and only known conditions")
        status = filtering.text("primary_status")
        found = [
            {
                "advertiser_id": profile.id,
                "campaign_id": campaign_id,
                "campaign_name": name,
                "store_id": store_of(profile),
                "objective_type": "PRODUCT_SALES",
                "shopping_ads_type": "PRODUCT",
                "operation_status": "ENABLE",
                "secondary_status": "CAMPAIGN_STATUS_DELETE" if state == "STATUS_DELETE" else "CAMPAIGN_STATUS_ENABLE",
                "roas_bid": 4.2,
                "budget": 50.0,
                "create_time": f"{self._outside.world.first_day} 09:00:00",
                "modify_time": f"{self._outside.world.first_day} 09:00:00",
            }
            for campaign_id, name, state in _shop_campaigns(profile)
            if (status or "STATUS_DELIVERY_OK") == state and "PRODUCT_GMV_MAX" in types
        ]
        return listed_answer(self._outside, profile.id, found, page, size)

    def report(self, profile: WorldProfile, query: TikTokParameters) -> Response:
        """Rows of one store by campaign or advertiser, by day; the deleted campaigns only with STATUS_ALL."""
        stores, dimensions = query.words("store_ids"), query.words("dimensions", 3)
        metrics, filtering = query.words("metrics", 100), TikTokParameters(query.members("filtering"))
        if len(stores) != 1:
            raise wrong("store_ids: exactly one is required")
        if stores != [store_of(profile)]:
            raise TikTokRefusal(40001, "The store is not authorized for the advertiser")
        if set(dimensions) - _DIMENSIONS or not {"advertiser_id", "campaign_id"} & set(dimensions):
            raise wrong(f"dimensions: Invalid dimension fields: {dimensions}")
        if not metrics or set(metrics) - set(_METRICS) or filtering.names - _REPORT_FILTERS:
            raise wrong(f"metrics or filtering: Invalid fields: {sorted(set(metrics) - set(_METRICS))}")
        start, end = query.day("start_date"), query.day("end_date")
        most = next((days for name, days in _MOST_DAYS.items() if name in dimensions), 365)
        if not 0 <= (end - start).days < most:
            raise wrong(f"The time span between start_date and end_date must not exceed {most} days.")
        gone = "STATUS_ALL" in filtering.words("campaign_statuses")
        rows = [
            {"dimensions": key, "metrics": {name: _metric(profile, name, label, sums) for name in metrics}}
            for key, label, sums in self._sums(profile, dimensions, (start, end), gone=gone)
        ]
        page, size = query.number("page", 1, 10**6), query.number("page_size", 10, 1000)
        data = {"list": rows[(page - 1) * size : page * size], "page_info": page_info(len(rows), page, size)}
        return paged(self._outside, profile.id, data)

    def _sums(
        self, profile: WorldProfile, dimensions: list[str], days: tuple[date, date], *, gone: bool
    ) -> Iterator[tuple[dict[str, str], str, _ShopDay]]:
        sums: dict[tuple[str, str], tuple[str, list[_ShopDay]]] = {}
        for day in self._outside.world.window(profile, *days):
            for campaign_id, name, state in _shop_campaigns(profile):
                delivered = self._day(profile, campaign_id, day, state)
                if delivered is None or (state == "STATUS_DELETE" and not gone):
                    continue
                entity = campaign_id if "campaign_id" in dimensions else profile.id
                key = (entity, day.isoformat() if "stat_time_day" in dimensions else "")
                sums.setdefault(key, (name, []))[1].append(delivered)
        for (entity, told), (name, parts) in sums.items():
            shown = {"campaign_id": entity, "advertiser_id": profile.id, "stat_time_day": f"{told} 00:00:00"}
            total = _ShopDay(*(sum(column) for column in zip(*parts, strict=True)))
            yield {one: shown.get(one, "-") for one in dimensions}, name, total

    def _day(self, profile: WorldProfile, campaign_id: str, day: date, state: str) -> _ShopDay | None:
        index, seed = (day - self._outside.world.first_day).days, seed_of(store_of(profile), campaign_id[-3:], "gmv")
        if state == "STATUS_DELETE" and index > _DELETED_DAY:
            return None
        cost = profile.scale * between(seed, index, 400, 900) // 100
        orders = between(seed, index + 1000, 2, 40)
        return _ShopDay(
            cost, cost * 9 // 10, orders, orders * profile.scale * between(seed, index + 2000, 60, 140) // 100
        )


def _shop_campaigns(profile: WorldProfile) -> Iterator[tuple[str, str, str]]:
    for number, (name, state) in enumerate(_CAMPAIGNS, 1):
        yield f"18{profile.id[-3:]}9{number:010d}", name, state


def _metric(profile: WorldProfile, name: str, campaign: str, sums: _ShopDay) -> str:
    unit = int(10 ** MINOR_DIGITS[profile.currency])
    return {
        "cost": ratio(sums.cost, unit),
        "net_cost": ratio(sums.net, unit),
        "orders": str(sums.orders),
        "gross_revenue": ratio(sums.gross, unit),
        "cost_per_order": ratio(sums.cost, sums.orders * unit),
        "roi": ratio(sums.gross, sums.cost),
        "campaign_name": campaign,
        "currency": profile.currency,
    }[name]
