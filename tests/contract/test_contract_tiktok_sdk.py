"""TikTok's official SDK, unmodified, against the sandbox: it gets the world's numbers exactly, and its own errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from business_api_client import (
    AccountManagementApi,
    AdApi,
    AdgroupApi,
    ApiClient,
    AuthenticationApi,
    CampaignCreationApi,
    Configuration,
    FileApi,
    FilteringAdGet,
    FilteringAdgroupGet,
    FilteringCampaignGet,
    FilteringGmvMaxReportGet,
    FilteringSmartPlusAdGet,
    FilteringSmartPlusAdgroupGet,
    FilteringSmartPlusCampaignGet,
    ReportingApi,
    ReportTaskCreateBody,
)
from business_api_client.tiktok_business.tiktok_exceptions import TiktokSDKError

from sandbox.platforms.tiktok_ads import STAND_IN
from sandbox.platforms.tiktok_ads.gmv_max import REPORT_FILTERS
from sandbox.platforms.tiktok_ads.lists import LISTS
from sandbox.server import PlatformServer
from sandbox.world import Reading, WorldProfile
from sandbox.world.located import located_truth
from support.platform_server import running

PLATFORM = STAND_IN.platform
WEEK = (date(2026, 11, 8), date(2026, 11, 14))
DAYS = {"start_date": "2026-11-08", "end_date": "2026-11-14"}
METRICS = ["impressions", "clicks", "conversion", "spend", "total_complete_payment_rate"]
PAGE = 100


class TikTokSdk:
    """The SDK as its README sets it up, with another host, for one company's first advertiser."""

    def __init__(self, server: PlatformServer, company: str) -> None:
        configuration = Configuration()
        configuration.host = server.url
        self.client = ApiClient(configuration)
        owner = server.outside.company(company)
        self.secrets = owner.credentials[PLATFORM]
        self.token = self.secrets["access_token"]
        self.profile: WorldProfile = owner.on(PLATFORM)[0]

    def report(self, level: str, dimensions: list[str], **more: Any) -> list[dict[str, Any]]:
        """Every row, page by page."""
        rows: list[dict[str, Any]] = []
        kind = str(more.pop("report_type", "BASIC"))
        page = {"total_page": 1, "page": 0}
        while page["page"] < page["total_page"]:
            answer = ReportingApi(self.client).report_integrated_get(
                kind,
                self.token,
                advertiser_id=self.profile.id,
                service_type="AUCTION",
                data_level=level,
                dimensions=dimensions,
                page=page["page"] + 1,
                page_size=PAGE,
                **({"metrics": METRICS} | DAYS | more),
            )["data"]
            rows += answer["list"]
            page = answer["page_info"]
        return rows


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN]) as started:
        yield started


@pytest.fixture(params=["halden", "mori"])
def sdk(server: PlatformServer, request: pytest.FixtureRequest) -> TikTokSdk:
    return TikTokSdk(server, request.param)


def micros(text: str) -> int:
    return int(Decimal(text) * 1_000_000)


@pytest.mark.parametrize(
    ("level", "id_name", "status", "told"),
    [
        ("AUCTION_ADVERTISER", "advertiser_id", "", "account"),
        ("AUCTION_CAMPAIGN", "campaign_id", "campaign_status", "campaign"),
        ("AUCTION_ADGROUP", "adgroup_id", "adgroup_status", "ad_group"),
        ("AUCTION_AD", "ad_id", "ad_status", "ad"),
    ],
)
def test_the_sdk_s_reports_are_the_truth(
    server: PlatformServer, sdk: TikTokSdk, level: str, id_name: str, status: str, told: str
) -> None:
    # when
    every = {"field_name": status, "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}
    rows = sdk.report(level, [id_name, "stat_time_day"], **({"filtering": [every]} if status else {}))

    # then
    found = {
        (row["dimensions"][id_name], row["dimensions"]["stat_time_day"][:10]): (
            int(row["metrics"]["impressions"]),
            int(row["metrics"]["clicks"]),
            *(micros(row["metrics"][name]) for name in METRICS[2:]),
        )
        for row in rows
    }
    names = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
    truth = server.outside.world.truth(sdk.profile, *WEEK, told)
    assert found == {(r["entity_id"].rpartition("~")[2], r["date"]): tuple(r[n] for n in names) for r in truth}
    assert len(found) == len(rows) > 0


def test_the_sdk_s_campaigns_by_province_are_the_truth(server: PlatformServer, sdk: TikTokSdk) -> None:
    # when
    by_province: dict[str, Any] = {"report_type": "AUDIENCE", "metrics": METRICS[:4]}
    rows = sdk.report("AUCTION_CAMPAIGN", ["campaign_id", "stat_time_day", "province_id"], **by_province)

    # then
    found = {
        (at["campaign_id"], at["stat_time_day"][:10], at["province_id"]): (
            int(row["metrics"]["impressions"]),
            int(row["metrics"]["clicks"]),
            *(micros(row["metrics"][name]) for name in METRICS[2:4]),
        )
        for row in rows
        for at in [row["dimensions"]]
    }
    names = ("impressions", "clicks", "conversions_micros", "spend_micros")
    assert found == {
        (row["campaign_id"], row["date"], STAND_IN.regions[row["region"]]): tuple(row[name] for name in names)
        for row in located_truth(server.outside.world, sdk.profile, *WEEK)
        if row["region"]
    }
    assert found


def test_the_sdk_s_report_of_a_shop_is_the_truth(server: PlatformServer, sdk: TikTokSdk) -> None:
    # given
    truth = list(STAND_IN.truths["gmv_max"](server.outside.world, sdk.profile, *WEEK, Reading()))

    # when
    rows = ReportingApi(sdk.client).gmv_max_report_get(
        sdk.profile.id,
        [truth[0]["store_id"]],
        ["campaign_id", "stat_time_day"],
        ["cost", "net_cost", "orders", "gross_revenue"],
        *DAYS.values(),
        sdk.token,
        filtering=FilteringGmvMaxReportGet(campaign_statuses=["STATUS_ALL"], gmv_max_promotion_types=["PRODUCT"]),
        page_size=1000,
        sort_field="cost",
    )["data"]["list"]

    # then
    found = {
        (row["dimensions"]["campaign_id"], row["dimensions"]["stat_time_day"][:10]): (
            micros(row["metrics"]["cost"]),
            micros(row["metrics"]["net_cost"]),
            int(row["metrics"]["orders"]),
            micros(row["metrics"]["gross_revenue"]),
        )
        for row in rows
    }
    names = ("cost_micros", "net_cost_micros", "orders", "gross_revenue_micros")
    assert found == {(row["campaign_id"], row["date"]): tuple(row[name] for name in names) for row in truth}
    assert found


@pytest.mark.parametrize(
    ("known", "model"),
    [
        (LISTS["campaign/get"].filters, FilteringCampaignGet),
        (LISTS["adgroup/get"].filters, FilteringAdgroupGet),
        (LISTS["ad/get"].filters, FilteringAdGet),
        (LISTS["smart_plus/campaign/get"].filters, FilteringSmartPlusCampaignGet),
        (LISTS["smart_plus/adgroup/get"].filters, FilteringSmartPlusAdgroupGet),
        (LISTS["smart_plus/ad/get"].filters, FilteringSmartPlusAdGet),
        (REPORT_FILTERS, FilteringGmvMaxReportGet),
    ],
)
def test_what_can_be_filtered_by_is_in_the_sdk_s_own_list(known: frozenset[str], model: Any) -> None:
    assert known <= set(model.attribute_map)


def test_the_sdk_finds_its_advertisers_and_their_currency(server: PlatformServer, sdk: TikTokSdk) -> None:
    answer = AuthenticationApi(sdk.client).oauth2_advertiser_get(
        sdk.secrets["app_id"], sdk.secrets["secret"], sdk.token
    )
    ids = [one["advertiser_id"] for one in answer["data"]["list"]]
    told = AccountManagementApi(sdk.client).advertiser_info(ids, sdk.token, fields=["advertiser_id", "currency"])
    owned = server.outside.company(sdk.profile.id).on(PLATFORM)
    assert {one["advertiser_id"]: one["currency"] for one in told["data"]["list"]} == {p.id: p.currency for p in owned}


def test_the_sdk_lists_everything_with_json_filters(sdk: TikTokSdk) -> None:
    # given
    profile, token = sdk.profile, sdk.token

    # when
    campaigns = CampaignCreationApi(sdk.client).campaign_get(profile.id, token, page_size=PAGE)["data"]["list"]
    groups = AdgroupApi(sdk.client).adgroup_get(profile.id, token, page_size=PAGE, fields=["adgroup_id"])["data"][
        "list"
    ]
    every = FilteringAdGet(primary_status="STATUS_ALL", campaign_ids=[campaigns[0]["campaign_id"]])
    ads = AdApi(sdk.client).ad_get(profile.id, token, page_size=PAGE, filtering=every)["data"]["list"]
    smart = AdApi(sdk.client).smart_plus_ad_get(profile.id, token, page_size=PAGE)["data"]["list"]

    # then
    assert [one["campaign_id"] for one in campaigns] == [campaign.id for campaign in profile.campaigns]
    assert groups == [{"adgroup_id": group.id} for campaign in profile.campaigns for group in campaign.groups]
    first = profile.campaigns[0]
    assert [one["ad_id"] for one in ads] == [ad.id for group in first.groups for ad in group.ads]
    assert sum(len(one["creative_list"]) for one in smart) == len(profile.campaigns[-1].groups[0].ads)
    videos = [one["video_id"] for one in ads if one["video_id"]]
    shown = FileApi(sdk.client).ad_video_info(profile.id, videos, token)["data"]["list"]
    assert [one["video_id"] for one in shown] == videos


def test_the_sdk_s_task_becomes_ready(server: PlatformServer) -> None:
    # given
    sdk = TikTokSdk(server, "halden")
    api = ReportingApi(sdk.client)

    # when
    body = ReportTaskCreateBody(
        advertiser_id=sdk.profile.id, report_type="BASIC", data_level="AUCTION_AD",
        dimensions=["ad_id", "stat_time_day"], metrics=["spend"], enable_report_title_translation=False, **DAYS,
    )  # fmt: skip
    task_id = api.report_task_create(sdk.token, body=body)["data"]["task_id"]
    seen = [""]
    deadline = time.monotonic() + 5
    while seen[-1] != "SUCCESS" and time.monotonic() < deadline:
        seen.append(api.report_task_check(task_id, sdk.profile.id, sdk.token)["data"]["status"])
        time.sleep(0.01)

    # then
    assert seen[-1] == "SUCCESS"
    assert set(seen) <= {"", "QUEUING", "PROCESSING", "SUCCESS"}


@pytest.mark.parametrize(
    ("switch", "code"),
    [({"kind": "throttle"}, 40100), ({"kind": "partial"}, 20001), ({"kind": "expired_token"}, 40102)],
)
def test_the_sdk_raises_on_every_code_that_is_not_0(
    server: PlatformServer, sdk: TikTokSdk, switch: dict[str, Any], code: int
) -> None:
    server.outside.switches.turn_on({**switch, "platform": PLATFORM, "times": 1})
    with pytest.raises(TiktokSDKError, match=f"Error Code: {code}, "):
        sdk.report("AUCTION_AD", ["ad_id", "stat_time_day"])


def test_the_sdk_s_booleans_are_understood(sdk: TikTokSdk) -> None:
    answer = ReportingApi(sdk.client).report_integrated_get(
        "BASIC", sdk.token, advertiser_id=sdk.profile.id, data_level="AUCTION_CAMPAIGN", dimensions=["campaign_id"],
        metrics=["spend"], enable_total_metrics=True, query_lifetime=True,
    )["data"]  # fmt: skip
    spent = sum(Decimal(row["metrics"]["spend"]) for row in answer["list"])
    assert Decimal(answer["total_metrics"]["spend"]) == spent > 0
