"""The sandbox's TikTok, reports: each level is the world's truth, refusals are TikTok's, and its traps are there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox.platforms.tiktok_ads import STAND_IN
from sandbox.server import PlatformServer
from sandbox.world import Reading
from support.platform_server import running
from support.tiktok_caller import ALONE, LEVELS, PLATFORM, TikTokCaller, condition

DAYS = (date(2026, 11, 1), date(2026, 11, 20))
COMPANIES = [("halden", 0), ("halden", 1), ("mori", 0), ("kestrel", 0), ("kestrel", 1), ("lumen", 0)]


@pytest.fixture(scope="module")
def shared() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as server:
        yield server


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture
def halden(shared: PlatformServer) -> TikTokCaller:
    return TikTokCaller(shared, "halden")


@pytest.fixture
def kestrel(shared: PlatformServer) -> TikTokCaller:
    return TikTokCaller(shared, "kestrel")


def micros(text: str) -> int:
    scaled = Decimal(text) * 1_000_000
    assert scaled == int(scaled)
    return int(scaled)


def numbers(row: dict[str, Any]) -> tuple[int, ...]:
    found = row["metrics"]
    assert all(isinstance(value, str) for value in found.values())
    return (
        int(found["impressions"]),
        int(found["clicks"]),
        micros(found["conversion"]),
        micros(found["spend"]),
        micros(found["total_complete_payment_rate"]),
    )


def true_numbers(row: dict[str, Any]) -> tuple[int, ...]:
    names = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
    return tuple(row[name] for name in names)


# -- truth ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("company", "place"), COMPANIES)
@pytest.mark.parametrize("level", list(LEVELS))
def test_each_level_by_day_is_the_truth(shared: PlatformServer, company: str, place: int, level: str) -> None:
    # given
    caller, id_name = TikTokCaller(shared, company, place), LEVELS[level][1]

    # when the usual rows are asked for, and those that come only alone
    alone = [] if level == "account" else ALONE
    pages = [caller.report(level), *(caller.report(level, filtering=[one]) for one in alone)]

    # then
    rows = [row for page in pages for row in page["list"]]
    found = {
        (row["dimensions"][id_name], row["dimensions"]["stat_time_day"].removesuffix(" 00:00:00")): numbers(row)
        for row in rows
    }
    told = shared.outside.world.truth(caller.profile, *DAYS, level)
    expected = {(row["entity_id"].rpartition("~")[2], row["date"]): true_numbers(row) for row in told}
    assert found == expected
    assert len(rows) == sum(page["page_info"]["total_number"] for page in pages) == len(expected)


def test_only_the_advertiser_s_level_has_what_no_campaign_has(kestrel: TikTokCaller) -> None:
    month = {"start_date": "2026-10-02", "end_date": "2026-10-31", "metrics": ["spend"]}
    spent = {
        level: sum(micros(row["metrics"]["spend"]) for row in kestrel.report(level, **month)["list"])
        for level in LEVELS
    }
    assert spent["account"] > spent["campaign"] == spent["ad_group"] > spent["ad"] > 0


@pytest.mark.parametrize("level", ["campaign", "ad_group", "ad"])
def test_what_is_deleted_is_left_out_unless_it_is_asked_for(kestrel: TikTokCaller, level: str) -> None:
    def ids(**query: Any) -> set[str]:
        page = kestrel.report(level, start_date="2026-10-02", end_date="2026-10-31", **query)
        return {row["dimensions"][LEVELS[level][1]] for row in page["list"]}

    everything, shown = ids(), ids(filtering=[])
    gone = ids(filtering=[condition(LEVELS[level][2], "STATUS_DELETE")])
    assert gone
    assert (shown | gone, shown & gone) == (everything, set())


def test_hours_sum_to_what_the_world_has_and_one_may_have_no_name(kestrel: TikTokCaller) -> None:
    # when
    days = {"start_date": "2026-11-18", "end_date": "2026-11-18", "dimensions": ["ad_id", "stat_time_hour"]}
    pages = [kestrel.report("ad", **days), *(kestrel.report("ad", **days, filtering=[one]) for one in ALONE)]
    rows = [row for page in pages for row in page["list"]]

    # then
    named = [row for row in rows if row["dimensions"]["stat_time_hour"] != "-"]
    found = {
        (row["dimensions"]["ad_id"], int(row["dimensions"]["stat_time_hour"][11:13])): numbers(row) for row in named
    }
    day = date(2026, 11, 18)
    told = kestrel.server.outside.world.truth(kestrel.profile, day, day, hourly=True)
    assert found == {(row["ad_id"], row["hour"]): true_numbers(row) for row in told}
    assert len(named) < len(rows)


def test_real_time_conversions_are_those_of_the_conversion_s_day(halden: TikTokCaller) -> None:
    rows = halden.report("account", metrics=["conversion", "real_time_conversion"])["list"]
    reading = Reading(clock="conversion")
    told = halden.server.outside.world.truth(halden.profile, *DAYS, "account", reading=reading)
    expected = {row["date"]: row["conversions_micros"] // 1_000_000 for row in told}
    by_day = {row["dimensions"]["stat_time_day"][:10]: row["metrics"] for row in rows}
    assert {day: int(found["real_time_conversion"]) for day, found in by_day.items()} == expected
    assert any(found["conversion"] != found["real_time_conversion"] for found in by_day.values())


def test_yesterday_is_provisional_until_the_next_day(server: PlatformServer) -> None:
    halden = TikTokCaller(server, "halden")
    day = {"start_date": "2026-11-21", "end_date": "2026-11-21"}
    (before,) = halden.report("account", **day)["list"]
    for _ in range(2):
        requests.post(f"{server.url}/_world/clock", json={"advance_days": 1}, timeout=5)
    (after,) = halden.report("account", **day)["list"]
    assert before["metrics"]["spend"] != after["metrics"]["spend"]


# -- grains, breakdowns, ratios ---------------------------------------------------------------------------------------


def test_a_smart_plus_ad_is_its_creatives_in_another_grain(halden: TikTokCaller) -> None:
    # when
    smart = condition("campaign_automation_type", "UPGRADED_SMART_PLUS")
    metrics = ["spend", "campaign_automation_type"]
    ads = halden.report(dimensions=["ad_id_v2", "stat_time_day"], filtering=[smart], metrics=metrics)["list"]
    creatives = halden.report(filtering=[smart], metrics=metrics)["list"]

    # then
    listed = halden.data("smart_plus/ad/get", page_size=100)["list"]
    members = {ad["smart_plus_ad_id"]: {c["smart_plus_creative_id"] for c in ad["creative_list"]} for ad in listed}
    assert sum(micros(r["metrics"]["spend"]) for r in ads) == sum(micros(r["metrics"]["spend"]) for r in creatives) > 0
    assert {row["dimensions"]["ad_id_v2"] for row in ads} == set(members)
    assert {row["dimensions"]["ad_id"] for row in creatives} <= set().union(*members.values())
    assert {row["metrics"]["campaign_automation_type"] for row in ads} == {"UPGRADED_SMART_PLUS"}
    assert {row["metrics"]["campaign_automation_type"] for row in creatives} == {"UPGRADED_SMART_PLUS_CREATIVE"}
    manual = {row["dimensions"]["ad_id_v2"] for row in halden.report(dimensions=["ad_id_v2"])["list"]} - set(members)
    assert manual <= {ad.id for _, _, ad in halden.profile.ads()}


@pytest.mark.parametrize(
    "cuts", [["age"], ["gender"], ["age", "gender"], ["country_code"], ["platform"], ["placement"], ["language"]]
)
def test_an_audience_sums_to_its_day(halden: TikTokCaller, cuts: list[str]) -> None:
    week = {"start_date": "2026-11-14", "metrics": ["spend"]}
    whole: dict[Any, int] = {}
    for row in halden.report("campaign", **week)["list"]:
        whole[row["dimensions"]["campaign_id"], row["dimensions"]["stat_time_day"]] = micros(row["metrics"]["spend"])
    asked = week | {"report_type": "AUDIENCE", "dimensions": ["campaign_id", "stat_time_day", *cuts]}
    parts: defaultdict[Any, int] = defaultdict(int)
    for row in halden.report("campaign", **asked)["list"]:
        parts[row["dimensions"]["campaign_id"], row["dimensions"]["stat_time_day"]] += micros(row["metrics"]["spend"])
        assert set(row["dimensions"]) == {"campaign_id", "stat_time_day", *cuts}
    assert parts == whole


@pytest.mark.parametrize("cut", ["province_id", "interest_category"])
def test_some_audiences_are_filtered_and_sum_to_less(halden: TikTokCaller, cut: str) -> None:
    def spent(**query: Any) -> int:
        return sum(
            micros(row["metrics"]["spend"]) for row in halden.report("account", metrics=["spend"], **query)["list"]
        )

    part = spent(report_type="AUDIENCE", dimensions=["advertiser_id", "stat_time_day", cut])
    assert 0 < part < spent()


def test_rare_search_terms_have_few_impressions(halden: TikTokCaller) -> None:
    rows = halden.report(dimensions=["ad_id", "stat_time_day", "search_terms"], metrics=["impressions"])["list"]
    assert "<5" in {row["metrics"]["impressions"] for row in rows}


def test_ratios_are_per_cent_and_what_there_is_none_of_is_a_dash(halden: TikTokCaller) -> None:
    metrics = ["impressions", "clicks", "conversion", "ctr", "conversion_rate_v2", "skan_conversion", "tt_app_id"]
    for row in halden.report("ad", metrics=metrics)["list"]:
        found = row["metrics"]
        expected = round(Decimal(found["clicks"]) * 100 / Decimal(found["impressions"]), 4)
        assert abs(Decimal(found["ctr"]) - expected) <= Decimal("0.0051")
        rate = Decimal(found["conversion"]) * 100 / Decimal(found["impressions"])
        assert abs(Decimal(found["conversion_rate_v2"]) - rate) <= Decimal("0.0051")
        assert (found["skan_conversion"], found["tt_app_id"]) == ("-", "0")


def test_a_row_says_whom_it_is_about(halden: TikTokCaller) -> None:
    metrics = ["campaign_name", "campaign_id", "adgroup_name", "adgroup_id", "ad_name", "currency", "objective_type"]
    parents = {ad.id: (campaign, group, ad) for campaign, group, ad in halden.profile.ads()}
    for row in halden.report("ad", metrics=metrics)["list"]:
        campaign, group, ad = parents[row["dimensions"]["ad_id"]]
        texts = [campaign.name, campaign.id, group.name, group.id, ad.name, "USD", "WEB_CONVERSIONS"]
        assert [row["metrics"][name] for name in metrics] == texts


# -- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "2026-10-21", "end_date": "2026-11-20"},
        {"dimensions": ["ad_id", "stat_time_hour"], "start_date": "2026-11-19"},
        {"dimensions": ["ad_id"], "start_date": "2025-11-20"},
        {"start_date": "2026-11-21"},
        {"start_date": "2026-1-1"},
        {"dimensions": ["ad_id", "ad_id_v2"]},
        {"dimensions": ["campaign_id", "stat_time_day"]},
        {"dimensions": ["ad_id", "stat_time_day", "stat_time_hour"]},
        {"dimensions": ["ad_id", "stat_time_day", "age"]},
        {"dimensions": []},
        {"dimensions": "ad_id"},
        {"metrics": ["spend", "no_such_metric"]},
        {"metrics": ["cash_spend"]},
        {"metrics": ["ad_id_v2"]},
        {"metrics": ["spend"] * 2, "page_size": "1001"},
        {"report_type": "AUDIENCE", "dimensions": ["ad_id", "stat_time_day"]},
        {"report_type": "AUDIENCE", "dimensions": ["ad_id", "stat_time_hour", "age"], "start_date": "2026-11-20"},
        {"report_type": "AUDIENCE", "dimensions": ["ad_id", "age", "platform"]},
        {"report_type": "AUDIENCE", "dimensions": ["ad_id", "age"], "metrics": ["complete_payment"]},
        {"report_type": "NONSENSE"},
        {"data_level": "AUCTION_KEYWORD"},
        {"query_lifetime": "true"},
        {"filtering": [condition("campaign_status", "STATUS_ALL")]},
        {"filtering": [condition("ad_status", "STATUS_NONSENSE")]},
        {"filtering": [{"field_name": "ad_status", "filter_type": "IN", "filter_value": "STATUS_ALL"}]},
        {"filtering": [{"field_name": "ad_status"}]},
        {"filtering": [condition("ad_ids", *map(str, range(101)))]},
        {"filtering": "{"},
        {"order_field": "ad_name", "metrics": ["ad_name"]},
        {"order_field": "spend", "order_type": "UP"},
        {"enable_total_metrics": "perhaps"},
        {"page": "0"},
    ],
)
def test_what_a_report_cannot_be_asked_is_40002(halden: TikTokCaller, query: dict[str, Any]) -> None:
    assert halden.refused(**query)[0] == 40002


def test_an_unknown_metric_is_named(halden: TikTokCaller) -> None:
    assert "Invalid metric fields: ['nonsense']" in halden.refused(metrics=["spend", "nonsense"])[1]


def test_thirty_days_a_lifetime_and_a_year_without_days_are_answered(halden: TikTokCaller) -> None:
    assert halden.refused(start_date="2026-10-22")[0] == 0
    assert halden.refused(dimensions=["ad_id"], start_date="2025-11-21")[0] == 0
    whole = halden.report("campaign", dimensions=["campaign_id"], query_lifetime="true", start_date="", end_date="")
    assert len(whole["list"]) == len(halden.profile.campaigns)


def test_with_nothing_but_an_id_what_did_not_run_has_a_row_of_zeros(kestrel: TikTokCaller) -> None:
    day = {"start_date": "2026-11-20", "end_date": "2026-11-20"}
    rows = kestrel.report("campaign", dimensions=["campaign_id"], **day)["list"]
    idle = [row for row in rows if row["metrics"]["impressions"] == "0"]
    assert len(rows) == 5
    assert [row["metrics"]["spend"] for row in idle] == ["0.00"]
    assert kestrel.report("campaign", **day)["page_info"]["total_number"] == 4


def test_conditions_narrow_a_report(halden: TikTokCaller) -> None:
    # given
    campaign, group, ad = halden.profile.ads()[0]
    every = condition("ad_status", "STATUS_ALL")

    def ids(*conditions: dict[str, str]) -> set[str]:
        return {row["dimensions"]["ad_id"] for row in halden.report(filtering=[every, *conditions])["list"]}

    # then
    assert ids(condition("ad_ids", ad.id)) == {ad.id}
    assert ids(condition("adgroup_ids", group.id)) == {a.id for _, g, a in halden.profile.ads() if g is group} & ids()
    assert (
        ids(condition("campaign_ids", campaign.id))
        == {a.id for c, _, a in halden.profile.ads() if c is campaign} & ids()
    )
    smart = {"field_name": "campaign_name", "filter_type": "MATCH", "filter_value": "Smart"}
    assert ids(smart) == ids(condition("campaign_automation_type", "UPGRADED_SMART_PLUS")) != set()
    spent = {"field_name": "spend", "filter_type": "GREATER_THAN", "filter_value": "40"}
    rows = halden.report(filtering=[every, spent])["list"]
    assert rows
    assert all(Decimal(row["metrics"]["spend"]) > 40 for row in rows)


@pytest.mark.parametrize("narrow", ALONE)
def test_a_top_view_or_a_promoted_post_comes_when_it_is_asked_for_alone(
    kestrel: TikTokCaller, narrow: dict[str, str]
) -> None:
    rows = kestrel.report("campaign", filtering=[narrow], metrics=["campaign_name", "spend"])["list"]
    assert len({row["dimensions"]["campaign_id"] for row in rows}) == 1
    assert not {row["dimensions"]["campaign_id"] for row in rows} & {
        row["dimensions"]["campaign_id"] for row in kestrel.report("campaign")["list"]
    }


# -- pages and totals -------------------------------------------------------------------------------------------------


def test_pages_have_ten_rows_by_default_are_unsorted_and_fit_together(halden: TikTokCaller) -> None:
    # when
    whole = halden.report()["list"]
    first = halden.data("report/integrated/get", report_type="BASIC", data_level="AUCTION_AD", dimensions=["ad_id"],
                        start_date="2026-11-01", end_date="2026-11-20")  # fmt: skip
    pages = [halden.report(page=page, page_size=100) for page in range(1, whole.__len__() // 100 + 2)]

    # then
    assert (len(first["list"]), first["page_info"]["page_size"]) == (10, 10)
    assert [row for page in pages for row in page["list"]] == whole
    assert {page["page_info"]["total_page"] for page in pages} == {len(pages)}
    assert halden.report(page=99, page_size=100)["list"] == []
    days = [row["dimensions"]["stat_time_day"] for row in whole]
    assert days not in (sorted(days), sorted(days, reverse=True))


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_an_order_is_kept(halden: TikTokCaller, direction: str) -> None:
    rows = halden.report(order_field="spend", order_type=direction)["list"]
    spent = [Decimal(row["metrics"]["spend"]) for row in rows]
    assert spent == sorted(spent, reverse=direction == "DESC")


def test_totals_are_the_sum_of_all_pages(halden: TikTokCaller) -> None:
    page = halden.report(enable_total_metrics="true", metrics=["spend", "clicks", "ad_name"], page_size=5)
    whole = halden.report(metrics=["spend", "clicks"])["list"]
    assert page["total_metrics"] == {
        "spend": str(sum(Decimal(row["metrics"]["spend"]) for row in whole)),
        "clicks": str(sum(int(row["metrics"]["clicks"]) for row in whole)),
        "ad_name": "-",
    }


def test_advertisers_together_have_money_without_decimals_and_none_without_an_id(halden: TikTokCaller) -> None:
    ids = [profile.id for profile in halden.company.on(PLATFORM)]
    rows = halden.report("account", advertiser_ids=ids, metrics=["spend"])["list"]
    assert {row["metrics"]["advertiser_id"] for row in rows} == set(ids)
    assert {row["metrics"]["currency"] for row in rows} == {"USD", "EUR"}
    assert all(row["metrics"]["spend"].isdigit() for row in rows)
    without = halden.report("account", advertiser_ids=ids, metrics=["spend"], dimensions=["stat_time_day"])["list"]
    assert {row["metrics"]["spend"] for row in without} == {"-"}
