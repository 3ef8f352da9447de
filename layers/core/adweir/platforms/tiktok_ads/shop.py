"""GMV Max: what a shop's campaigns cost and what the shop sold, a table of its own [1824721673497601].

Gross revenue has orders without an ad in it, so it is never an ad's revenue: the numbers are a breakdown of campaigns
by shop, which no total sums. Several advertisers may see a shop, so each asks for its own campaigns only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.errors import AccessDenied, BadInput, NotApplicable, RequestRejected, TooMuchData
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.slices import ALL, campaign_of
from adweir.model.tasks import Task
from adweir.platforms import json_items, json_text
from adweir.platforms.connector import Page, PullContext, RawPage, RowBatch
from adweir.platforms.json_items import UNREADABLE
from adweir.platforms.numbers import micros
from adweir.platforms.rounding import CONVERSIONS, REVENUE, SPEND, Rounding
from adweir.platforms.tiktok_ads import MAX_WINDOW_DAYS, wire
from adweir.platforms.tiktok_ads.calls import TikTokCalls, chunks, digits
from adweir.platforms.tiktok_ads.paging import PAGE_SIZE, SMALL_PAGE_SIZE, Turned, listed
from adweir.platforms.tiktok_ads.rows import day_of

DATASET = Dataset.CAMPAIGN_BY_SHOP_DAILY
CAMPAIGNS, REPORT = "/gmv_max/campaign/get/", "/gmv_max/report/get/"
_TYPES = {"gmv_max_promotion_types": ["PRODUCT_GMV_MAX", "LIVE_GMV_MAX"]}
_METRICS = ["cost", "net_cost", "orders", "gross_revenue", "currency"]
_IDS = 100
_NOTHING = b'{"code":0,"message":"OK","data":{"list":[]}}'
_FIELDS = {SPEND: "cost", CONVERSIONS: "orders", REVENUE: "gross_revenue"}
_campaign = msgspec.json.Decoder(wire.WireShopCampaign).decode
_row = msgspec.json.Decoder(wire.ShopRow).decode


def campaigns(calls: TikTokCalls, profile_id: str, narrowed: Mapping[str, Any]) -> Iterator[Turned]:
    """An advertiser's GMV Max campaigns, deleted ones after the others. Raises AccessDenied, RequestRejected."""
    for status in ({}, {"primary_status": "STATUS_DELETE"}):
        params = {"advertiser_id": digits(profile_id), "filtering": {**_TYPES, **narrowed, **status}}
        yield from listed(calls, CAMPAIGNS, params, SMALL_PAGE_SIZE)


class ShopReports:
    """The reports of one token's shops."""

    def __init__(self, calls: TikTokCalls) -> None:
        self._calls = calls

    def pages(self, task: Task) -> Iterator[Page]:
        """The days of each shop's campaigns, a page labelled with its shop.

        Raises NotApplicable for an advertiser or app that may see no shop, TooMuchData for too long a window.
        """
        window, campaign = task.window, campaign_of(task.slice)
        if window is None or (task.slice != ALL and not campaign):
            raise RequestRejected(f"TikTok has no {task.dataset} of slice {task.slice[:60]!r}")
        if window.length > MAX_WINDOW_DAYS:
            raise TooMuchData(f"a report covers at most {MAX_WINDOW_DAYS} days, asked: {window}")
        asked = {
            "advertiser_id": digits(task.profile_id),
            "dimensions": ["campaign_id", "stat_time_day"],
            "metrics": _METRICS,
            "start_date": window.start.isoformat(),
            "end_date": window.end.isoformat(),
        }
        shops, whole = self._shops(task.profile_id, {"campaign_ids": [digits(campaign)]} if campaign else {})
        held: Page | None = None
        for shop, ids in shops.items():
            for some in chunks(ids, _IDS):
                narrowed = {"campaign_ids": list(some), "campaign_statuses": ["STATUS_ALL"]}
                params = asked | {"store_ids": [shop], "filtering": narrowed}
                for turned in listed(self._calls, REPORT, params, PAGE_SIZE):
                    if held is not None:
                        yield held
                    whole = whole and turned.answer.whole
                    held = turned.page(shop, last=False)
        yield (held or Page(_NOTHING, REPORT, 200, last=False))._replace(last=whole)

    def _shops(self, profile_id: str, narrowed: Mapping[str, Any]) -> tuple[dict[str, list[str]], bool]:
        """Each shop's campaigns by their ids, and whether TikTok listed all of them."""
        found: dict[str, dict[str, None]] = {}
        whole = True
        try:
            for turned in campaigns(self._calls, profile_id, narrowed):
                whole = whole and turned.answer.whole
                for raw in turned.answer.read(wire.ListPage).entries:
                    one = _campaign(raw)
                    found.setdefault(digits(one.store_id), {})[digits(one.campaign_id)] = None
        except (AccessDenied, RequestRejected) as error:
            raise NotApplicable(f"no TikTok shop is to be seen: {error.message}") from None
        return {shop: list(ids) for shop, ids in found.items()}, whole


def batches(page: RawPage, context: PullContext) -> Iterator[RowBatch]:
    """One batch per page: orders are conversions, cost is spend. Raises BadInput for what is no such page."""
    body = page.stream.read()
    data = json_text.member(body, b"data")
    if data is None:
        raise BadInput("not a report of a TikTok shop")
    batch = RowBatch(rows := list[MetricRow](), [])
    # A page without rows has no list at all.
    for line, raw in enumerate(json_items.items(data, "list") or (), 1):
        rounding = Rounding()
        try:
            row = _row(raw)
            campaign = digits(row.dimensions.campaign_id)
            day = day_of(row.dimensions.stat_time_day)
            amounts = {
                place: None if text in (None, wire.NONE) else micros(text, place, rounding, _FIELDS)
                for place, text in (
                    (SPEND, row.metrics.cost),
                    (CONVERSIONS, row.metrics.orders),
                    (REVENUE, row.metrics.gross_revenue),
                )
            }
        except (ValueError, RequestRejected, *UNREADABLE) as error:
            batch.bad.append(BadRow(line, json_items.loose(raw), [_fault(error)]))
            continue
        rows.append(
            MetricRow(
                f"{campaign}~{page.label}",
                day,
                None,
                None,
                amounts[CONVERSIONS],
                amounts[SPEND],
                amounts[REVENUE],
                campaign_id=campaign,
                currency=row.metrics.currency or context.currency,
                line=line,
                rounding=rounding.deltas(),
            )
        )
    yield batch


def _fault(error: Exception) -> dict[str, Any]:
    if isinstance(error, RequestRejected):
        return {"field": "campaign_id", "rule": "format", "message": error.message}
    return json_items.fault(error)
