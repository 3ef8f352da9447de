"""The sandbox's TikTok: what is not bought in the auction, and a shop's GMV Max campaigns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox.platforms.tiktok_ads import STAND_IN
from sandbox.server import PlatformServer
from support.platform_server import running
from support.tiktok_caller import END, START, TikTokCaller, condition

DAYS = {"start_date": "2026-10-01", "end_date": "2026-10-30"}
SUMS = ["cost", "net_cost", "orders", "gross_revenue"]
BY_DAY = {"dimensions": ["campaign_id", "stat_time_day"]}


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture(scope="module", params=["halden", "mori", "kestrel"])
def shop(request: pytest.FixtureRequest, server: PlatformServer) -> TikTokCaller:
    return TikTokCaller(server, request.param)


@pytest.fixture(scope="module")
def halden(server: PlatformServer) -> TikTokCaller:
    return TikTokCaller(server, "halden")


@pytest.fixture(scope="module")
def kestrel(server: PlatformServer) -> TikTokCaller:
    return TikTokCaller(server, "kestrel")


def store(caller: TikTokCaller) -> str:
    filtering = {"gmv_max_promotion_types": ["PRODUCT_GMV_MAX"]}
    found: str = caller.data("gmv_max/campaign/get", filtering=filtering)["list"][0]["store_id"]
    return found


def shop_report(caller: TikTokCaller, **query: Any) -> dict[str, Any]:
    asked = {"store_ids": [store(caller)], "metrics": SUMS, "page_size": "1000", **BY_DAY, **DAYS}
    found: dict[str, Any] = caller.data("gmv_max/report/get", **(asked | query))
    return found


def sums(row: dict[str, Any]) -> list[Decimal]:
    return [Decimal(row["metrics"][name]) for name in SUMS]


# -- GMV Max ---------------------------------------------------------------------------------------------------------


def test_a_shop_s_days_are_the_truth_and_deleted_campaigns_come_when_they_are_asked_for(shop: TikTokCaller) -> None:
    days = {"start": DAYS["start_date"], "end": DAYS["end_date"], "level": "campaign", "by": "gmv_max"}
    params = days | {"profile_id": shop.profile.id}
    told = requests.get(f"{shop.server.url}/_world/truth", params=params, timeout=5).json()["rows"]
    truth = {
        (row["campaign_id"], row["date"]): [
            Decimal(row["cost_micros"]) / 1_000_000,
            Decimal(row["net_cost_micros"]) / 1_000_000,
            Decimal(row["orders"]),
            Decimal(row["gross_revenue_micros"]) / 1_000_000,
        ]
        for row in told
    }
    gone = {row["campaign_id"] for row in told if row["status"] == "STATUS_DELETE"}

    def found(**query: Any) -> dict[tuple[str, str], list[Decimal]]:
        rows = shop_report(shop, **query)["list"]
        return {(r["dimensions"]["campaign_id"], r["dimensions"]["stat_time_day"][:10]): sums(r) for r in rows}

    assert found(filtering={"campaign_statuses": ["STATUS_ALL"]}) == truth
    assert found() == {key: numbers for key, numbers in truth.items() if key[0] not in gone} != truth
    assert found(filtering={"campaign_ids": sorted(gone), "campaign_statuses": ["STATUS_DELETE"]}) == {
        key: numbers for key, numbers in truth.items() if key[0] in gone
    }
    assert found(filtering={"gmv_max_promotion_types": ["LIVE"]}) == {}


def test_a_shop_s_hours_sum_to_its_day_and_totals_to_all_pages(halden: TikTokCaller) -> None:
    one = {"start_date": "2026-10-05", "end_date": "2026-10-05"}
    (day,) = shop_report(halden, **one)["list"]
    hours = shop_report(halden, dimensions=["campaign_id", "stat_time_hour"], **one)["list"]
    assert [row["dimensions"]["stat_time_hour"] for row in hours][:2] == ["2026-10-05 00:00:00", "2026-10-05 01:00:00"]
    assert [sum(column) for column in zip(*map(sums, hours), strict=True)] == sums(day)
    paged = shop_report(halden, enable_total_metrics=True, page_size="3", sort_field="cost", sort_type="ASC")
    costs = [sums(row)[0] for row in paged["list"]]
    every = shop_report(halden)["list"]
    assert costs == sorted(sums(row)[0] for row in every)[:3]
    assert Decimal(paged["total_metrics"]["cost"]) == sum(sums(row)[0] for row in every)


@pytest.mark.parametrize(
    "wrong",
    [
        {"store_ids": ["1", "2"]},
        {"dimensions": ["campaign_id", "stat_time_day", "stat_time_hour"]},
        {"dimensions": ["advertiser_id", "campaign_id"]},
        {"dimensions": ["campaign_id", "stat_time_hour"]},
        {"dimensions": ["advertiser_id"], "metrics": ["campaign_name"]},
        {"metrics": ["impressions"]},
        {"sort_field": "campaign_name"},
        {"filtering": {"gmv_max_promotion_types": ["PRODUCT_GMV_MAX"]}},
        {"filtering": {"campaign_statuses": ["DELETED"]}},
        {"filtering": {"objective_type": "PRODUCT_SALES"}},
    ],
)
def test_what_a_shop_s_report_does_not_know_is_refused(halden: TikTokCaller, wrong: dict[str, Any]) -> None:
    asked = {"store_ids": [store(halden)], "metrics": SUMS, **BY_DAY, **DAYS}
    assert halden.code("gmv_max/report/get", **(asked | wrong)) == 40002


def test_a_report_of_the_shop_has_what_gmv_max_spent_and_nothing_else(halden: TikTokCaller) -> None:
    def spent(**query: Any) -> list[dict[str, Any]]:
        asked = {"report_type": "TT_SHOP", "dimensions": ["advertiser_id", "stat_time_day"], "page_size": "1000"}
        found: list[dict[str, Any]] = halden.data("report/integrated/get", **(asked | DAYS | query))["list"]
        return found

    rows = spent()
    every = shop_report(halden, filtering={"campaign_statuses": ["STATUS_ALL"]})["list"]
    by_day: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in every:
        by_day[row["dimensions"]["stat_time_day"]] += sums(row)[0]
    assert {row["dimensions"]["stat_time_day"]: Decimal(row["metrics"]["spend"]) for row in rows} == by_day
    assert {name for row in rows for name in row["metrics"]} == {"spend", "billed_cost"}
    wrongs: list[dict[str, Any]] = [
        {"metrics": ["impressions"]}, {"filtering": [condition("campaign_ids", "1")]}, {"query_lifetime": True},
        {"service_type": "RESERVATION"}, {"dimensions": ["ad_id"]},
    ]  # fmt: skip
    asked = {"report_type": "TT_SHOP", "dimensions": ["advertiser_id", "stat_time_day"]}
    assert {halden.code("report/integrated/get", **(asked | DAYS | one)) for one in wrongs} == {40002}


def test_an_advertiser_s_level_has_no_gmv_max(halden: TikTokCaller) -> None:
    ids = {row["dimensions"]["campaign_id"] for row in shop_report(halden, filtering={})["list"]}
    whole = {"report_type": "BASIC", "data_level": "AUCTION_CAMPAIGN", "dimensions": ["campaign_id"]}
    days = {"start_date": START, "end_date": END, "page_size": "1000"}
    found = halden.data("report/integrated/get", metrics=["spend"], **whole, **days)["list"]
    assert not ids & {row["dimensions"]["campaign_id"] for row in found}


# -- reach and frequency, TopView ------------------------------------------------------------------------------------


def campaigns(caller: TikTokCaller, **filtering: Any) -> set[str]:
    found = caller.data("campaign/get", page_size="100", **({"filtering": filtering} if filtering else {}))["list"]
    return {one["campaign_name"] for one in found}


def reported(caller: TikTokCaller, *buying: str) -> set[str]:
    conditions = [condition("campaign_status", "STATUS_ALL")] + ([condition("buying_type", *buying)] if buying else [])
    rows = caller.report("campaign", metrics=["campaign_name", "spend"], filtering=conditions)["list"]
    return {row["metrics"]["campaign_name"] for row in rows}


def test_reach_and_frequency_stands_with_the_auction_and_top_view_alone(kestrel: TikTokCaller) -> None:
    assert "Reach" in campaigns(kestrel) & reported(kestrel)
    assert "TopView" not in campaigns(kestrel) | reported(kestrel)
    assert campaigns(kestrel, buying_types=["RESERVATION_RF"]) == reported(kestrel, "RESERVATION_RF") == {"Reach"}
    alone = campaigns(kestrel, buying_types=["RESERVATION_TOP_VIEW"])
    assert alone == reported(kestrel, "RESERVATION_TOP_VIEW") == {"TopView"}
    assert "Reach" not in campaigns(kestrel, buying_types=["AUCTION"]) | reported(kestrel, "AUCTION")
    mixed = {"buying_types": ["AUCTION", "RESERVATION_TOP_VIEW"]}
    assert kestrel.code("campaign/get", filtering=mixed) == 40002


def test_reserved_campaigns_say_what_they_are(kestrel: TikTokCaller) -> None:
    (campaign,) = kestrel.data("campaign/get", filtering={"buying_types": ["RESERVATION_RF"]})["list"]
    (group,) = kestrel.data("adgroup/get", filtering={"buying_types": ["RESERVATION_RF"]})["list"]
    (top,) = kestrel.data("campaign/get", filtering={"buying_types": ["RESERVATION_TOP_VIEW"]})["list"]
    assert (campaign["objective_type"], campaign["rf_campaign_type"]) == ("RF_REACH", "STANDARD")
    assert (top["objective_type"], top["rf_campaign_type"]) == ("RF_REACH", "TOPVIEW")
    assert (group["rf_purchased_type"], group["billing_event"]) == ("FIXED_SHOW", "CPM")
    assert (group["frequency"], group["frequency_schedule"]) == (3, 7)


# -- video -----------------------------------------------------------------------------------------------------------

VIDEO = [
    "impressions", "video_play_actions", "video_watched_2s", "video_watched_6s", "video_views_p25", "video_views_p50",
    "video_views_p75", "video_views_p100",
]  # fmt: skip


def test_video_metrics_fall_from_play_to_the_end_and_are_those_of_ads_with_a_video(halden: TikTokCaller) -> None:
    rows = halden.report("ad", metrics=[*VIDEO, "video_id", "average_video_play"])["list"]
    films = [row["metrics"] for row in rows if row["metrics"]["video_id"] != "-"]
    for film in films:
        played, two, six, *parts = (int(film[name]) for name in VIDEO[1:])
        assert int(film["impressions"]) >= played >= two >= six
        assert played >= parts[0] >= parts[1] >= parts[2] >= parts[3]
    still = [row["metrics"] for row in rows if row["metrics"]["video_id"] == "-"]
    assert {row[name] for row in still for name in VIDEO[1:]} == {"0"}
    assert {row["average_video_play"] for row in still} == {"0.00"}
    assert films
    totals: dict[str, int] = {name: sum(int(row["metrics"][name]) for row in rows) for name in VIDEO[1:]}
    (whole,) = halden.report("account", dimensions=["advertiser_id"], metrics=VIDEO)["list"]
    assert all(totals[name] <= int(whole["metrics"][name]) <= totals[name] + len(films) for name in totals)
