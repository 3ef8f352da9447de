"""The sandbox's Amazon: reports of every type, grouping and column, consistent with each other and with the truth."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.platforms.amazon_ads.columns import COLUMNS, expand
from sandbox.platforms.amazon_ads.report_types import REPORT_TYPES, columns_of
from sandbox.platforms.amazon_ads.rows import report_rows
from sandbox.platforms.amazon_ads.values import VALUES
from sandbox.server import PlatformServer
from sandbox.world import Reading
from support.amazon_caller import END, PLATFORM, START, AmazonCaller
from support.platform_server import running

SAMPLES = sorted((Path(__file__).parents[1] / "samples/amazon_ads").glob("report_*.json"))
DAYS = (date.fromisoformat(START), date.fromisoformat(END))
Row = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running(awkward=True) as started:
        started.outside.report_seconds = 0
        yield started


@pytest.fixture(autouse=True)
def _well_behaved(server: PlatformServer) -> Iterator[None]:
    yield
    server.outside.switches.clear()


@pytest.fixture(scope="module", params=["halden", "mori", "kestrel"])
def caller(request: pytest.FixtureRequest, server: PlatformServer) -> AmazonCaller:
    return AmazonCaller(server, request.param)


@pytest.fixture(scope="module")
def halden(server: PlatformServer) -> AmazonCaller:
    return AmazonCaller(server, "halden")


def configuration(**changes: Any) -> Row:
    return {
        "adProduct": "SPONSORED_PRODUCTS",
        "reportTypeId": "spCampaigns",
        "groupBy": ["campaign"],
        "columns": ["date", "campaignId", "cost"],
        "timeUnit": "DAILY",
        "format": "GZIP_JSON",
    } | changes


def total(rows: list[Row], column: str, key: str = "date") -> dict[Any, Decimal]:
    """The column's sum by another column."""
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row[key]] += row[column]
    return {place: value for place, value in sums.items() if value}


# -- columns ----------------------------------------------------------------------------------------------------------


def test_every_documented_column_has_a_value_and_no_other() -> None:
    documented = frozenset().union(*(expand(text) for groups in COLUMNS.values() for text in groups.values()))
    assert documented == {*VALUES, "startDate", "endDate"}


GROUPINGS = [(kind, group) for kind, found in REPORT_TYPES.items() for group in found.groupings]


@pytest.mark.parametrize(("type_id", "group"), GROUPINGS)
def test_every_report_type_answers_with_all_its_columns(halden: AmazonCaller, type_id: str, group: str) -> None:
    # given
    columns = sorted(columns_of(type_id, (group,)) - {"startDate", "endDate"})

    # when
    rows = halden.report(type_id, [group], columns)

    # then
    assert rows
    assert all(list(row) == columns for row in rows)
    always = {"date", "campaignId", "cost", "impressions", "clicks", "adId", "keywordId", "placementClassification"}
    assert all(row[name] is not None for row in rows for name in always & set(columns))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_report_has_the_shape_of_the_documentation_s_sample(halden: AmazonCaller, sample: Path) -> None:
    # given
    document = json.loads(sample.read_text(), parse_float=Decimal)
    asked = document["request"]
    known = {name: {type(row[name]) for row in document["rows"]} for name in asked["columns"]}

    # when
    rows = halden.report(asked["reportTypeId"], asked["groupBy"], asked["columns"])

    # then
    assert rows
    for row in rows:
        for name, value in row.items():
            numbers = {int, Decimal} if known[name] & {int, Decimal} else set[type]()
            assert value is None or type(value) in known[name] | numbers or known[name] == {type(None)}


# -- levels sum to each other and to the truth ------------------------------------------------------------------------

SP = ["impressions", "clicks", "cost", "purchases7d", "sales14d", "purchasesSameSku14d", "unitsSoldSameSku7d"]
SB = ["impressions", "clicks", "cost", "purchases", "purchasesClicks", "sales", "salesClicks", "unitsSold"]
NEW = ["newToBrandPurchases", "newToBrandSalesClicks", "addToCart", "detailPageViews"]


@pytest.mark.parametrize(
    ("coarse", "fine", "columns"),
    [
        (("spCampaigns", "campaign"), ("spCampaigns", "campaignPlacement"), SP),
        (("sbCampaigns", "campaign"), ("sbCampaignPlacement", "campaignPlacement"), SB + NEW),
        (("sbCampaigns", "campaign"), ("sbAdGroup", "adGroup"), SB + NEW),
        (("sdCampaigns", "campaign"), ("sdAdGroup", "adGroup"), SB + NEW),
        (("sbAdGroup", "adGroup"), ("sbTargeting", "targeting"), SB + NEW),
        (("sdAdGroup", "adGroup"), ("sdTargeting", "targeting"), SB + NEW),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_a_finer_report_sums_to_the_coarser_one(
    caller: AmazonCaller, coarse: tuple[str, str], fine: tuple[str, str], columns: list[str]
) -> None:
    # given
    asked = ["date", "campaignId", *columns]

    # when
    whole, parts = (caller.report(type_id, [group], asked) for type_id, group in (coarse, fine))

    # then
    assert len(parts) >= len(whole) > 0
    for column in columns:
        for key in ("date", "campaignId"):
            assert total(parts, column, key) == total(whole, column, key)


def test_ads_lack_what_is_no_ad_s_and_targets_what_is_no_target_s(server: PlatformServer) -> None:
    # given
    kestrel = AmazonCaller(server, "kestrel")
    columns = ["date", "campaignId", *SP]

    # when
    campaigns = kestrel.report("spCampaigns", ["campaign"], columns, "2026-11-01")
    ads = kestrel.report("spAdvertisedProduct", ["advertiser"], columns, "2026-11-01")
    targets = kestrel.report("spTargeting", ["targeting"], columns, "2026-11-01")

    # then
    adless = next(int(c.id) for c in kestrel.profile.campaigns if c.name == "SP Without ads")
    assert total(campaigns, "cost", "campaignId")[adless] > 0
    assert adless not in {*total(ads, "cost", "campaignId"), *total(targets, "cost", "campaignId")}
    by_campaign = total(campaigns, "cost", "campaignId")
    assert total(targets, "cost", "campaignId") == {c: n for c, n in by_campaign.items() if c != adless}
    assert sum(total(ads, "cost").values()) < sum(total(targets, "cost").values())


@pytest.mark.parametrize(
    ("level", "reports"),
    [
        ("campaign", ("spCampaigns:campaign", "sbCampaigns:campaign", "sdCampaigns:campaign")),
        ("ad", ("spAdvertisedProduct:advertiser", "sbAds:ads", "sdAdvertisedProduct:advertiser")),
        ("keyword", ("spTargeting:targeting", "sbTargeting:targeting", "sdTargeting:targeting")),
    ],
)
def test_reports_are_the_truth(caller: AmazonCaller, level: str, reports: tuple[str, ...]) -> None:
    # given
    place = {"campaign": "campaignId", "ad": "adId"}
    names = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
    found = {}

    # when
    for report in reports:
        type_id, group = report.split(":")
        windows = {"seller": "7d", "vendor": "14d"}[caller.profile.kind] if type_id.startswith("sp") else ""
        key = place.get(level, "targetingId" if type_id.startswith("sd") else "keywordId")
        columns = ["date", key, "impressions", "clicks", f"purchases{windows}", "cost", f"sales{windows}"]
        for row in caller.report(type_id, [group], columns):
            values = [row[name] for name in columns[2:]]
            scaled = [int(value * 10**6) for value in values[2:]]
            found[str(row[key]), row["date"]] = (*values[:2], *scaled)

    # then
    world = caller.server.outside.world
    expected = {
        (row["entity_id"].rpartition("~")[2], row["date"]): tuple(row[name] for name in names)
        for row in world.truth(caller.profile, *DAYS, level)
    }
    assert found == expected
    assert found


@pytest.mark.parametrize(
    ("type_id", "columns", "reading"),
    [
        *(("spCampaigns", (f"purchases{days}d", f"sales{days}d"), Reading(window=days)) for days in (1, 7, 14, 30)),
        ("sbCampaigns", ("purchases", "sales"), Reading("click_or_view", 14, 14)),
        ("sbCampaigns", ("purchasesClicks", "salesClicks"), Reading("click", 14)),
        ("sdCampaigns", ("purchases", "sales"), Reading("click_or_view", 14, 14)),
        ("sdCampaigns", ("purchasesClicks", "salesClicks"), Reading("click", 14)),
    ],
)
def test_each_column_counts_what_its_name_says(
    caller: AmazonCaller, type_id: str, columns: tuple[str, str], reading: Reading
) -> None:
    # when
    rows = caller.report(type_id, ["campaign"], ["date", "campaignId", *columns])

    # then
    truth = caller.server.outside.world.truth(caller.profile, *DAYS, "campaign", reading=reading)
    expected = {
        (int(row["campaign_id"]), row["date"]): (row["conversions_micros"], row["revenue_micros"])
        for row in truth
        if row["ad_product"] == type_id[:2]
    }
    found = {(r["campaignId"], r["date"]): tuple(int(r[name] * 10**6) for name in columns) for r in rows}
    assert found == expected


def test_clicks_alone_are_fewer_than_clicks_and_views(halden: AmazonCaller) -> None:
    for type_id in ("sbCampaigns", "sdCampaigns"):
        columns = ["date", "purchases", "purchasesClicks", "sales", "salesClicks", "unitsSold", "unitsSoldClicks"]
        rows = halden.report(type_id, ["campaign"], columns, "2026-10-21")
        for both in ("purchases", "sales", "unitsSold"):
            assert sum(total(rows, both).values()) > sum(total(rows, f"{both}Clicks").values()) > 0


def test_a_search_term_has_a_click_and_need_not_sum_to_its_keyword(halden: AmazonCaller) -> None:
    # when
    columns = ["date", "keywordId", "impressions", "clicks", "cost"]
    keywords = halden.report("spTargeting", ["targeting"], columns)
    terms = halden.report("spSearchTerm", ["searchTerm"], [*columns, "searchTerm", "keywordType"])

    # then
    assert all(row["clicks"] for row in terms)
    assert total(terms, "clicks", "keywordId") == total(keywords, "clicks", "keywordId")
    assert sum(total(terms, "impressions").values()) <= sum(total(keywords, "impressions").values())
    starred = {row["keywordType"] for row in terms if row["searchTerm"] == "*"}
    assert starred == {"TARGETING_EXPRESSION", "TARGETING_EXPRESSION_PREDEFINED"}


def test_purchased_products_are_what_was_not_the_advertised_product(caller: AmazonCaller) -> None:
    # when
    bought = caller.report("spPurchasedProduct", ["asin"], ["date", "purchasesOtherSku14d", "salesOtherSku7d"])
    sold = caller.report(
        "spTargeting", ["targeting"], ["date", "purchases14d", "purchasesSameSku14d", "salesOtherSku7d"]
    )
    brands = caller.report("sbPurchasedProduct", ["purchasedAsin"], ["date", "attributionType", "orders14d"])
    clicked = caller.report("sbCampaigns", ["campaign"], ["date", "purchasesClicks"])

    # then
    other, all_, same = (
        total(bought, "purchasesOtherSku14d"),
        total(sold, "purchases14d"),
        total(sold, "purchasesSameSku14d"),
    )
    assert other == {day: all_[day] - same.get(day, 0) for day in all_ if all_[day] != same.get(day, 0)}
    assert total(bought, "salesOtherSku7d") == total(sold, "salesOtherSku7d")
    assert total(brands, "orders14d") == total(clicked, "purchasesClicks")
    assert {row["attributionType"] for row in brands} == {"Promoted", "Brand Halo"}


def test_a_summary_is_the_sum_of_its_days(halden: AmazonCaller) -> None:
    # when
    columns = ["campaignId", "cost", "purchases14d", "unitsSoldOtherSku7d"]
    daily = halden.report("spTargeting", ["targeting"], ["date", *columns])
    summary = halden.report("spTargeting", ["targeting"], ["startDate", "endDate", *columns])

    # then
    assert {(row["startDate"], row["endDate"]) for row in summary} == {(START, END)}
    for column in columns[1:]:
        assert total(summary, column, "campaignId") == total(daily, column, "campaignId")


# -- groupings and filters --------------------------------------------------------------------------------------------


def test_campaigns_grouped_by_ad_group_too_are_ad_groups_with_their_campaign(caller: AmazonCaller) -> None:
    # when
    columns = ["date", "campaignId", "campaignName", "adGroupId", *SP]
    rows = caller.report("spCampaigns", ["campaign", "adGroup"], columns)

    # then
    parents = {int(group.id): int(c.id) for c in caller.profile.campaigns for group in c.groups}
    assert all(parents[row["adGroupId"]] == row["campaignId"] for row in rows)
    truth = {
        (int(row["entity_id"]), row["date"]): row["spend_micros"]
        for row in caller.server.outside.world.truth(caller.profile, *DAYS, "ad_group")
        if row["ad_product"] == "sp"
    }
    assert {(row["adGroupId"], row["date"]): int(row["cost"] * 10**6) for row in rows} == truth


def test_a_placement_report_is_the_same_with_campaign_and_without(halden: AmazonCaller) -> None:
    columns = ["date", "campaignId", "placementClassification", "cost"]
    alone = halden.report("spCampaigns", ["campaignPlacement"], columns)
    assert alone == halden.report("spCampaigns", ["campaign", "campaignPlacement"], columns)
    assert len({row["placementClassification"] for row in alone}) == 4


def test_amazon_business_is_a_part_of_a_placement(halden: AmazonCaller) -> None:
    columns = ["date", "cost"]
    filters = [{"field": "campaignSite", "values": ["AmazonBusiness"]}]
    every = halden.report("spCampaigns", ["campaignPlacement"], columns)
    business = halden.report("spCampaigns", ["campaignPlacement"], columns, filters=filters)
    assert 0 < sum(total(business, "cost").values()) < sum(total(every, "cost").values())


@pytest.mark.parametrize(
    ("type_id", "group", "field", "column", "value"),
    [
        ("spCampaigns", "campaign", "campaignStatus", "campaignStatus", "PAUSED"),
        ("spTargeting", "targeting", "keywordType", "keywordType", "TARGETING_EXPRESSION_PREDEFINED"),
        ("sbSearchTerm", "searchTerm", "keywordType", "matchType", "PHRASE"),
    ],
)
def test_a_filter_chooses_rows(
    halden: AmazonCaller, type_id: str, group: str, field: str, column: str, value: str
) -> None:
    every = halden.report(type_id, [group], ["date", column, "cost"])
    some = halden.report(type_id, [group], ["date", column, "cost"], filters=[{"field": field, "values": [value]}])
    assert some == [row for row in every if row[column] == value] != every
    assert some


# -- what is missing --------------------------------------------------------------------------------------------------


def test_a_brands_campaign_from_before_ad_groups_is_in_no_report(server: PlatformServer) -> None:
    # given
    world, halden = server.outside.world, AmazonCaller(server, "halden").profile
    old = next(c for c in halden.campaigns if c.product == "sb")
    campaigns = tuple(replace(c, objective="") if c is old else c for c in halden.campaigns)
    profile = replace(halden, campaigns=campaigns)
    body = {"startDate": START, "endDate": END, "configuration": configuration(reportTypeId="sbCampaigns")}

    # when
    rows = report_rows(world, profile, body, world.moment(profile))

    # then
    spent = {row["campaign_id"] for row in world.truth(profile, *DAYS, "campaign") if row["ad_product"] == "sb"}
    assert old.id in spent
    assert {str(row["campaignId"]) for row in rows} == spent - {old.id}


@pytest.mark.parametrize(
    ("window", "changes"),
    [
        ((START, END), {"groupBy": ["campaign", "adGroup"], "filters": [{"field": "adStatus", "values": ["ENABLED"]}]}),
        ((START, END), {"groupBy": []}),
        ((START, END), {"groupBy": ["campaign", "campaign"]}),
        ((START, END), {"groupBy": ["advertiser"]}),
        ((START, END), {"columns": []}),
        ((START, END), {"columns": ["date", "adGroupId"]}),
        ((START, END), {"columns": ["campaignId"]}),
        ((START, END), {"columns": ["date", "startDate"]}),
        ((START, END), {"timeUnit": "SUMMARY"}),
        ((START, END), {"timeUnit": "WEEKLY"}),
        ((START, END), {"filters": [{"field": "campaignStatus", "values": ["LIVE"]}]}),
        ((START, END), {"filters": [{"field": "campaignStatus", "values": []}]}),
        ((START, END), {"format": "CSV"}),
        ((START, END), {"adProduct": "SPONSORED_BRANDS"}),
        ((START, END), {"reportTypeId": "spNothing"}),
        ((START, END), {"sort": "date"}),
        ((END, START), {}),
        (("2026-11-31", END), {}),
        (("20261101", END), {}),
        ((START, "2026-11-22"), {}),
    ],
    ids=str,
)
def test_what_a_report_may_not_ask_is_refused(halden: AmazonCaller, window: tuple[str, str], changes: Row) -> None:
    answer = halden.create(configuration(**changes), *window)
    assert (answer.status_code, answer.json()["code"], set(answer.json())) == (400, "400", {"code", "detail"})


@pytest.mark.parametrize(
    ("type_id", "product", "earliest"),
    [
        ("spCampaigns", "SPONSORED_PRODUCTS", "2026-08-18"),
        ("sbCampaigns", "SPONSORED_BRANDS", "2026-09-22"),
        ("sdCampaigns", "SPONSORED_DISPLAY", "2026-09-17"),
    ],
)
def test_retention_is_counted_back_from_today(halden: AmazonCaller, type_id: str, product: str, earliest: str) -> None:
    # given
    asked = configuration(reportTypeId=type_id, adProduct=product)
    before = date.fromordinal(date.fromisoformat(earliest).toordinal() - 1).isoformat()

    # when
    kept, late = (halden.create(asked, day, day) for day in (earliest, before))

    # then
    assert kept.status_code == 200
    text = f"startDate ({before}) must be equal to or after report type data retention start date ({earliest})"
    assert (late.status_code, late.json()["detail"]) == (400, text)


def test_a_window_has_31_days_at_most_but_two_years_for_purchased_products_of_brands(halden: AmazonCaller) -> None:
    # when
    month = halden.create(configuration(), "2026-10-20", "2026-11-19")
    longer = halden.create(configuration(), "2026-10-20", "2026-11-20")
    brands = configuration(
        adProduct="SPONSORED_BRANDS", reportTypeId="sbPurchasedProduct", groupBy=["purchasedAsin"],
        columns=["date", "purchasedAsin"],
    )  # fmt: skip
    years = halden.create(brands, "2024-11-22", "2026-11-20")

    # then
    assert (month.status_code, years.status_code) == (200, 200)
    text = "startDate to endDate range (32 days) must not exceed maximum range (31 days)"
    assert longer.json() == {"code": "400", "detail": text}


# -- polling ----------------------------------------------------------------------------------------------------------


def test_a_passing_401_has_a_message_and_nothing_else(halden: AmazonCaller, server: PlatformServer) -> None:
    # given
    report_id = halden.create(configuration(), "2026-11-01", "2026-11-02").json()["reportId"]
    server.outside.switches.turn_on({"kind": "passing_401", "platform": PLATFORM, "times": 1})

    # when
    first, second = (halden.ask("GET", f"/reporting/reports/{report_id}") for _ in range(2))

    # then
    assert (first.status_code, first.json()) == (401, {"message": "Unauthorized"})
    assert second.status_code == 200


def test_a_report_can_be_deleted_once(halden: AmazonCaller) -> None:
    path = f"/reporting/reports/{halden.create(configuration(), START, START).json()['reportId']}"
    gone, again = (halden.ask("DELETE", path) for _ in range(2))
    assert (gone.status_code, gone.json()["detail"]) == (200, "Report deleted")
    assert (again.status_code, again.json()) == (404, {"code": "404", "detail": "Not Found"})
