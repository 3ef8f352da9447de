"""The numbers of the sandbox's Google Ads: the world's truth at every level, and how they divide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.world import Reading, WorldProfile
from support.google_caller import DAYS, METRICS, GoogleCaller, column, google, value_at

START, END = date(2026, 11, 11), date(2026, 11, 20)
FIVE = (
    "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value, "
    "segments.date"
)


@pytest.fixture(scope="module")
def caller() -> Iterator[GoogleCaller]:
    """Only read; a world with all companies."""
    with google("kestrel", awkward=True) as made:
        yield made


@pytest.fixture(scope="module", params=["halden", "mori", "kestrel", "lumen"])
def each(request: pytest.FixtureRequest, caller: GoogleCaller) -> GoogleCaller:
    return GoogleCaller(caller.server, request.param)


def micros(value: float) -> int:
    return int(Decimal(str(value)).scaleb(6))


def slot(row: Mapping[str, Any]) -> tuple[int, ...]:
    m = row["metrics"]
    counts = (int(m["impressions"]), int(m["clicks"]), micros(m["conversions"]), int(m["costMicros"]))
    return (*counts, micros(m["conversionsValue"]))


def true_slots(
    caller: GoogleCaller, profile: WorldProfile, level: str, **reading: Any
) -> dict[tuple[str, str], tuple[int, ...]]:
    rows = caller.server.outside.world.truth(profile, START, END, level, reading=Reading(**reading))
    return {
        (row["entity_id"], row["date"]): tuple(
            row[name] for name in ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
        )
        for row in rows
    }


def total(rows: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    return tuple(sum(parts) for parts in zip(*(slot(row) for row in rows), strict=True))


# -- the truth -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "resource", "paths"),
    [
        ("account", "customer", ["customer.id"]),
        ("campaign", "campaign", ["campaign.id"]),
        ("ad_group", "ad_group", ["ad_group.id"]),
        ("ad", "ad_group_ad", ["ad_group.id", "ad_group_ad.ad.id"]),
        ("keyword", "keyword_view", ["ad_group.id", "ad_group_criterion.criterion_id"]),
    ],
)
def test_each_level_has_the_world_s_numbers(each: GoogleCaller, level: str, resource: str, paths: list[str]) -> None:
    for profile in each.company.on("google_ads"):
        rows = each.rows(f"SELECT {', '.join(paths)}, {FIVE} FROM {resource} WHERE {DAYS}", customer=profile.id)
        got = {("~".join(value_at(row, path) for path in paths), row["segments"]["date"]): slot(row) for row in rows}
        assert got == true_slots(each, profile, level)
        assert len(got) == len(rows) > 0


def test_conversions_by_their_own_day_are_the_world_s_second_clock(each: GoogleCaller) -> None:
    query = (
        "SELECT campaign.id, segments.date, metrics.conversions_by_conversion_date, "
        f"metrics.conversions_value_by_conversion_date FROM campaign WHERE {DAYS}"
    )
    got = {
        (row["campaign"]["id"], row["segments"]["date"]): (
            micros(row["metrics"]["conversionsByConversionDate"]),
            micros(row["metrics"]["conversionsValueByConversionDate"]),
        )
        for row in each.rows(query)
    }
    true = true_slots(each, each.profile, "campaign", clock="conversion")
    assert got == {key: (row[2], row[4]) for key, row in true.items() if row[2] or row[4]}


def test_both_clocks_can_be_asked_at_once(caller: GoogleCaller) -> None:
    names = "metrics.clicks, metrics.conversions, metrics.conversions_by_conversion_date"
    rows = caller.rows(f"SELECT campaign.id, segments.date, {names} FROM campaign WHERE {DAYS}")
    early = true_slots(caller, caller.profile, "campaign")
    late = true_slots(caller, caller.profile, "campaign", clock="conversion")
    for row in rows:
        key = (row["campaign"]["id"], row["segments"]["date"])
        m = row["metrics"]
        assert (int(m["clicks"]), micros(m["conversions"])) == early.get(key, (0,) * 5)[1:3]
        assert micros(m["conversionsByConversionDate"]) == late.get(key, (0,) * 5)[2]


def test_hours_are_the_world_s_and_sum_to_their_day(caller: GoogleCaller) -> None:
    # given
    query = f"SELECT ad_group.id, segments.hour, {FIVE} FROM ad_group WHERE segments.date = '2026-11-19'"
    world, day = caller.server.outside.world, date(2026, 11, 19)

    # when
    rows = caller.rows(query)

    # then
    true = {
        (row["entity_id"], row["hour"]): (
            row["impressions"], row["clicks"], row["conversions_micros"], row["spend_micros"], row["revenue_micros"],
        )
        for row in world.truth(caller.profile, day, day, "ad_group", hourly=True)
    }  # fmt: skip
    assert {(row["adGroup"]["id"], row["segments"]["hour"]): slot(row) for row in rows} == true
    whole = caller.rows(f"SELECT ad_group.id, {FIVE} FROM ad_group WHERE segments.date = '2026-11-19'")
    assert total(rows) == total(whole)


def test_today_has_the_hours_that_have_passed(caller: GoogleCaller) -> None:
    rows = caller.rows(
        "SELECT segments.date, segments.hour, metrics.impressions FROM customer WHERE segments.date DURING TODAY"
    )
    assert max(column(rows, "segments.hour")) == caller.server.outside.world.moment(caller.profile).hour - 1


# -- what the levels lack --------------------------------------------------------------------------------------------


def test_performance_max_spends_without_ad_groups_and_ads(caller: GoogleCaller) -> None:
    # given
    pmax = "campaign.advertising_channel_type = 'PERFORMANCE_MAX'"

    # when
    campaign = caller.rows(f"SELECT campaign.id, {FIVE} FROM campaign WHERE {DAYS} AND {pmax}")
    groups = caller.rows(f"SELECT campaign.id, asset_group.id, {FIVE} FROM asset_group WHERE {DAYS} AND {pmax}")

    # then
    assert total(groups) == total(campaign)
    assert len(set(column(groups, "asset_group.id"))) == 2
    for resource in ("ad_group", "ad_group_ad", "keyword_view", "age_range_view", "landing_page_view"):
        assert caller.rows(f"SELECT campaign.id, {FIVE} FROM {resource} WHERE {DAYS} AND {pmax}") == []
        assert caller.rows(f"SELECT {resource}.resource_name FROM {resource} WHERE {pmax} AND {DAYS}") == []


def test_local_services_spend_on_the_campaign_alone(caller: GoogleCaller) -> None:
    local = "campaign.advertising_channel_type = 'LOCAL_SERVICES'"
    assert total(caller.rows(f"SELECT campaign.id, {FIVE} FROM campaign WHERE {DAYS} AND {local}"))[3] > 0
    for resource in ("ad_group", "ad_group_ad", "asset_group"):
        assert caller.rows(f"SELECT campaign.id, {FIVE} FROM {resource} WHERE {DAYS} AND {local}") == []


def test_campaigns_sum_to_the_account_and_finer_levels_do_not(each: GoogleCaller) -> None:
    sums = {
        resource: total(each.rows(f"SELECT {resource}.resource_name, {FIVE} FROM {resource} WHERE {DAYS}"))
        for resource in ("customer", "campaign", "ad_group", "ad_group_ad", "keyword_view")
    }
    assert sums["campaign"] == sums["customer"]
    queries = [
        f"SELECT {name}.resource_name, {METRICS}, metrics.engagements, metrics.video_trueview_views, segments.date "
        f"FROM {name} WHERE {DAYS}"
        for name in ("customer", "campaign")
    ]
    for metric in ("interactions", "allConversions", "viewThroughConversions", "engagements", "videoTrueviewViews"):
        totals = [sum(micros(float(row["metrics"][metric])) for row in each.rows(query)) for query in queries]
        assert totals[0] == totals[1]
    assert sums["ad_group_ad"] == sums["ad_group"]
    spends = [sums[resource][3] for resource in ("customer", "ad_group", "keyword_view")]
    assert spends[0] > spends[1] > spends[2] > 0


def test_campaigns_that_share_a_budget_are_one_row_of_it(caller: GoogleCaller) -> None:
    budgets = caller.rows(f"SELECT campaign_budget.id, {FIVE} FROM campaign_budget WHERE {DAYS}")
    campaigns = caller.rows(f"SELECT campaign.id, campaign_budget.id, {FIVE} FROM campaign WHERE {DAYS}")
    keys = [(row["campaignBudget"]["id"], row["segments"]["date"]) for row in budgets]
    assert total(budgets) == total(campaigns)
    assert len(keys) == len(set(keys)) < len(campaigns)
    assert set(column(budgets, "campaign_budget.id")) == set(column(campaigns, "campaign_budget.id"))


def test_a_criterion_s_id_is_that_of_other_ad_groups_too(caller: GoogleCaller) -> None:
    rows = caller.rows("SELECT ad_group.id, ad_group_criterion.criterion_id FROM keyword_view")
    groups = defaultdict(set)
    for row in rows:
        groups[row["adGroupCriterion"]["criterionId"]].add(row["adGroup"]["id"])
    assert max(len(found) for found in groups.values()) > 1


def test_removed_ads_keep_their_numbers_and_stay_in_lists(caller: GoogleCaller) -> None:
    removed = "ad_group_ad.status = 'REMOVED'"
    listed = caller.rows(f"SELECT ad_group_ad.ad.id FROM ad_group_ad WHERE {removed}")
    spent = caller.rows(f"SELECT ad_group_ad.ad.id FROM ad_group_ad WHERE {removed} AND metrics.cost_micros > 0")
    assert set(column(spent, "ad_group_ad.ad.id")) == set(column(listed, "ad_group_ad.ad.id")) != set()


# -- segments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segment", "resource"),
    [
        ("segments.device", "campaign"),
        ("segments.ad_network_type", "campaign"),
        ("segments.device, segments.ad_network_type", "ad_group_ad"),
        ("segments.device", "keyword_view"),
        ("segments.week", "customer"),
    ],
)
def test_segments_divide_without_a_rest(caller: GoogleCaller, segment: str, resource: str) -> None:
    name = f"{resource}.resource_name"
    parts = caller.rows(f"SELECT {name}, {segment}, {FIVE} FROM {resource} WHERE {DAYS}")
    whole = caller.rows(f"SELECT {name}, {FIVE} FROM {resource} WHERE {DAYS}")
    assert total(parts) == total(whole)
    assert len(parts) >= len(whole)


def test_a_keyword_segment_leaves_out_what_has_no_keyword(caller: GoogleCaller) -> None:
    segment = "segments.keyword.info.text, segments.keyword.info.match_type"
    parts = caller.rows(f"SELECT ad_group_ad.ad.id, {segment}, {FIVE} FROM ad_group_ad WHERE {DAYS}")
    keywords = caller.rows(f"SELECT ad_group.id, {FIVE} FROM keyword_view WHERE {DAYS}")
    whole = caller.rows(f"SELECT ad_group_ad.ad.id, {FIVE} FROM ad_group_ad WHERE {DAYS}")
    assert total(parts) == total(keywords)
    assert total(parts)[3] < total(whole)[3]


@pytest.mark.parametrize(("resource", "level"), [("age_range_view", "ad_group"), ("gender_view", "ad_group")])
def test_ages_and_genders_divide_the_ad_groups_and_the_unknown_is_a_row(
    caller: GoogleCaller, resource: str, level: str
) -> None:
    kind = resource.removesuffix("_view")
    rows = caller.rows(f"SELECT ad_group.id, ad_group_criterion.{kind}.type, {FIVE} FROM {resource} WHERE {DAYS}")
    whole = caller.rows(f"SELECT ad_group.id, {FIVE} FROM {level} WHERE {DAYS}")
    assert total(rows) == total(whole)
    assert any("UNDETERMINED" in found for found in column(rows, f"ad_group_criterion.{kind}.type"))


def test_countries_divide_the_campaigns_and_have_a_row_per_kind_of_location(caller: GoogleCaller) -> None:
    names = "geographic_view.country_criterion_id, geographic_view.location_type, segments.geo_target_region"
    rows = caller.rows(f"SELECT campaign.id, {names}, {FIVE} FROM geographic_view WHERE {DAYS}")
    assert total(rows) == total(caller.rows(f"SELECT campaign.id, {FIVE} FROM campaign WHERE {DAYS}"))
    assert set(column(rows, "geographic_view.location_type")) == {"LOCATION_OF_PRESENCE", "AREA_OF_INTEREST"}
    assert None in column(rows, "segments.geo_target_region")


def test_search_terms_are_fewer_than_their_keywords(caller: GoogleCaller) -> None:
    terms = caller.rows(f"SELECT ad_group.id, search_term_view.search_term, {FIVE} FROM search_term_view WHERE {DAYS}")
    keywords = caller.rows(f"SELECT ad_group.id, {FIVE} FROM keyword_view WHERE {DAYS}")
    assert 0 < total(terms)[3] < total(keywords)[3]
    pmax = "SELECT campaign.advertising_channel_type, campaign_search_term_view.search_term, metrics.clicks, "
    rows = caller.rows(f"{pmax} segments.date FROM campaign_search_term_view WHERE {DAYS}")
    assert set(column(rows, "campaign.advertising_channel_type")) == {"SEARCH", "PERFORMANCE_MAX"}


def test_landing_pages_are_fewer_than_their_ads(caller: GoogleCaller) -> None:
    view = "landing_page_view"
    pages = caller.rows(f"SELECT {view}.unexpanded_final_url, ad_group.id, {FIVE} FROM {view} WHERE {DAYS}")
    ads = caller.rows(f"SELECT ad_group.id, {FIVE} FROM ad_group_ad WHERE {DAYS}")
    assert 0 < total(pages)[3] < total(ads)[3]


# -- conversions -----------------------------------------------------------------------------------------------------


def test_conversions_by_action_sum_to_the_campaign_s(each: GoogleCaller) -> None:
    names = "metrics.conversions, metrics.conversions_value, metrics.all_conversions, metrics.all_conversions_value"
    own = "segments.conversion_action_name, segments.conversion_action"
    parts = each.rows(f"SELECT campaign.id, segments.date, {own}, {names} FROM campaign WHERE {DAYS}")
    whole = each.rows(f"SELECT campaign.id, segments.date, {names} FROM campaign WHERE {DAYS}")
    for metric in ("conversions", "conversionsValue", "allConversions", "allConversionsValue"):
        sums = [sum(micros(row["metrics"][metric]) for row in rows) for rows in (parts, whole)]
        assert sums[0] == sums[1]
    secondary = [row for row in parts if row["segments"]["conversionActionName"] == "Newsletter"]
    assert {row["metrics"]["conversions"] for row in secondary} == {0}
    assert all(row["metrics"]["allConversions"] > 0 for row in secondary)


def test_all_conversions_are_more_than_the_primary_ones_and_views_are_apart(caller: GoogleCaller) -> None:
    rows = caller.rows(f"SELECT campaign.id, segments.date, {METRICS} FROM campaign WHERE {DAYS}")
    assert all(row["metrics"]["allConversions"] >= row["metrics"]["conversions"] for row in rows)
    views = sum(int(row["metrics"]["viewThroughConversions"]) for row in rows)
    either = true_slots(caller, caller.profile, "account", basis="click_or_view")
    click = true_slots(caller, caller.profile, "account")
    assert views * 1_000_000 == sum(row[2] for row in either.values()) - sum(row[2] for row in click.values()) > 0


def test_leads_have_no_value(caller: GoogleCaller) -> None:
    lumen = GoogleCaller(caller.server, "lumen")
    rows = lumen.rows(f"SELECT campaign.id, {FIVE} FROM campaign WHERE {DAYS}")
    assert total(rows)[2] > 0
    assert total(rows)[4] == 0


def test_conversions_of_a_day_grow_and_its_clicks_settle(caller: GoogleCaller) -> None:
    with google() as other:
        query = f"SELECT customer.id, {FIVE} FROM customer WHERE segments.date = '2026-11-20'"
        young = slot(other.rows(query)[0])
        other.server.outside.move(other.server.outside.world.offset + 30 * (END - date(2026, 11, 19)))
        old = slot(other.rows(query)[0])
    assert 0.55 < young[2] / old[2] < 0.65
    assert young[1] * 0.9 < old[1] <= young[1]


# -- zero rows -------------------------------------------------------------------------------------------------------


def test_rows_whose_selected_metrics_are_all_zero_are_left_out_with_a_segment(caller: GoogleCaller) -> None:
    every = caller.rows(f"SELECT ad_group.id, segments.date, {METRICS} FROM ad_group WHERE {DAYS}")
    some = caller.rows(f"SELECT ad_group.id, segments.date, metrics.conversions FROM ad_group WHERE {DAYS}")
    assert len(some) == sum(1 for row in every if row["metrics"]["conversions"]) < len(every)


def test_without_a_segment_what_had_no_activity_has_a_row(caller: GoogleCaller) -> None:
    rows = caller.rows(f"SELECT ad_group_ad.ad.id, metrics.impressions FROM ad_group_ad WHERE {DAYS}")
    assert len(rows) == len(caller.profile.ads())
    assert "0" in column(rows, "metrics.impressions")
