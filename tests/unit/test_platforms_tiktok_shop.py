"""GMV Max: what a shop's campaigns cost, apart from every other number of TikTok's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput, NotApplicable, RequestRejected, TooMuchData
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.times import Window
from adweir.platforms.connector import Page, PageInHand, PullContext
from adweir.platforms.tiktok_ads.client import TikTokConnector
from adweir.platforms.tiktok_ads.normalize import NORMALIZER
from support.clock import FrozenClock
from support.stub_http import Call, StubServer
from support.tiktok_wire import ADVERTISER, WEEK, by_path, connecting, envelope, listed, task

SHOP = Dataset.CAMPAIGN_BY_SHOP_DAILY
CAMPAIGNS, REPORT = "/gmv_max/campaign/get/", "/gmv_max/report/get/"


@pytest.fixture
def connector(stub: StubServer, clock: FrozenClock) -> Iterator[TikTokConnector]:
    with connecting(stub, clock) as made:
        yield made()


def a_row(campaign: str = "5", **metrics: Any) -> dict[str, Any]:
    numbers = {"cost": "12.50", "net_cost": "11.00", "orders": "4", "gross_revenue": "310.75", "currency": "EUR"}
    dimensions = {"campaign_id": campaign, "stat_time_day": "2026-11-01 00:00:00"}
    return {"dimensions": dimensions, "metrics": numbers | metrics}


def shop_of(campaigns: dict[str, str]) -> Any:
    """Campaigns by id with their shops; the first is deleted, and listed alone."""

    def answer(call: Call) -> Any:
        gone = "STATUS_DELETE" in call.query["filtering"]
        some = list(campaigns.items())[:1] if gone else list(campaigns.items())[1:]
        return listed([{"campaign_id": one, "store_id": store} for one, store in some])

    return answer


def read(body: dict[str, Any], label: str = "77") -> tuple[list[MetricRow], list[BadRow]]:
    context = PullContext("a", ADVERTISER, SHOP, "all", WEEK, "now", "USD", "UTC")
    page = PageInHand.of(_page(body, label), 1)
    (batch,) = NORMALIZER.metric_batches(page, context)
    return list(batch.rows), batch.bad


def _page(body: dict[str, Any], label: str) -> Page:
    return Page(json.dumps(body).encode(), "u", 200, last=True, label=label)


def test_each_shop_is_asked_about_the_advertiser_s_own_campaigns_deleted_ones_too(
    connector: TikTokConnector, stub: StubServer
) -> None:
    # given two shops, which other advertisers may see as well
    stub.route = by_path({CAMPAIGNS: shop_of({"5": "77", "6": "77", "7": "88"}), REPORT: listed([a_row()])})
    # when
    pages = list(connector.pages(task(SHOP)))
    # then
    asked = [call.query for call in stub.calls if call.path.endswith(REPORT)]
    assert [(json.loads(one["store_ids"]), json.loads(one["filtering"])) for one in asked] == [
        (["77"], {"campaign_ids": ["6", "5"], "campaign_statuses": ["STATUS_ALL"]}),
        (["88"], {"campaign_ids": ["7"], "campaign_statuses": ["STATUS_ALL"]}),
    ]
    assert {one["dimensions"] for one in asked} == {'["campaign_id","stat_time_day"]'}
    assert (asked[0]["start_date"], asked[0]["end_date"]) == ("2026-11-01", "2026-11-07")
    assert [(page.label, page.last) for page in pages] == [("77", False), ("88", True)]


def test_an_advertiser_without_such_campaigns_has_an_empty_answer_and_one_without_a_shop_none(
    connector: TikTokConnector, stub: StubServer
) -> None:
    stub.route = by_path({CAMPAIGNS: listed([])})
    (page,) = connector.pages(task(SHOP))
    assert (page.last, read(json.loads(page.content()))) == (True, ([], []))
    stub.route = by_path({CAMPAIGNS: envelope({}, 40001, "no permission")})
    with pytest.raises(NotApplicable, match="no permission"):
        list(connector.pages(task(SHOP)))


def test_a_list_of_which_a_part_is_missing_does_not_end_the_pull(connector: TikTokConnector, stub: StubServer) -> None:
    part = listed([{"campaign_id": "5", "store_id": "77"}]) | {"code": 20001, "message": "partial"}
    stub.route = by_path({CAMPAIGNS: part, REPORT: listed([a_row()])})
    assert [page.last for page in connector.pages(task(SHOP))] == [False]


def test_a_slice_is_a_campaign_s_and_a_window_thirty_days(connector: TikTokConnector, stub: StubServer) -> None:
    stub.route = by_path({CAMPAIGNS: listed([]), REPORT: listed([])})
    list(connector.pages(task(SHOP, slice="campaign=5")))
    assert json.loads(stub.calls[0].query["filtering"])["campaign_ids"] == ["5"]
    with pytest.raises(RequestRejected):
        list(connector.pages(task(SHOP, slice="sp")))
    with pytest.raises(TooMuchData):
        list(connector.pages(task(SHOP, window=Window(WEEK.start, WEEK.start.replace(month=12)))))


def test_cost_is_spend_orders_are_conversions_and_what_there_is_not_is_unknown() -> None:
    (row, unknown), bad = read(listed([a_row(), a_row("6", cost="-", orders="-", gross_revenue=None, currency=None)]))
    assert (row.entity_id, row.campaign_id, row.day, row.currency) == ("5~77", "5", "2026-11-01", "EUR")
    assert row.slot == (None, None, 4_000_000, 12_500_000, 310_750_000)
    assert (unknown.slot, unknown.currency) == ((None, None, None, None, None), "USD")
    assert bad == []


def test_a_page_without_rows_has_no_list_at_all() -> None:
    body = listed([])
    del body["data"]["list"]
    assert read(body) == ([], [])
    with pytest.raises(BadInput):
        read({"code": 0})


@pytest.mark.parametrize(
    ("row", "field"),
    [(a_row(cost="x"), "cost"), (a_row("no id"), "campaign_id"), ({"dimensions": {}, "metrics": {}}, "")],
)
def test_a_row_that_cannot_be_read_is_set_aside_alone(row: dict[str, Any], field: str) -> None:
    rows, (bad,) = read(listed([row, a_row("6")]))
    assert ([one.campaign_id for one in rows], bad.line) == (["6"], 1)
    assert not field or bad.errors[0]["field"] == field
