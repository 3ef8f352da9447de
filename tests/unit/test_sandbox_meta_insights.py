"""Meta's stand-in, insights: what Meta accepts is answered with numbers that agree, what it refuses is refused."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.platforms.meta.insight_values import VALUES
from sandbox.platforms.meta.vocabulary import INSIGHTS
from sandbox.world import Reading
from support.graph import WEEK, Client, action, total

DAYS = (date(2026, 11, 8), date(2026, 11, 14))
HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"


# -- fields and levels -----------------------------------------------------------------------------------------------


def test_every_field_of_the_sdk_is_accepted_and_those_with_data_are_answered(shared: Client) -> None:
    # when
    rows = shared.insights(level="ad", fields=sorted(INSIGHTS["fields"]), time_increment="1")

    # then
    assert set(VALUES) <= INSIGHTS["fields"]
    assert {name for row in rows for name in row} == {*VALUES, "date_start", "date_stop"}
    assert all(isinstance(row["unique_clicks"], str) and isinstance(row["outbound_clicks"], list) for row in rows[:5])
    assert {row["buying_type"] for row in rows} == {"AUCTION"}


@pytest.mark.parametrize(
    ("level", "ids"),
    [
        ("account", {"account_id"}),
        ("campaign", {"account_id", "campaign_id"}),
        ("adset", {"account_id", "campaign_id", "adset_id"}),
        ("ad", {"account_id", "campaign_id", "adset_id", "ad_id"}),
    ],
)
def test_without_fields_a_row_has_its_ids_impressions_and_spend(shared: Client, level: str, ids: set[str]) -> None:
    row = shared.insights(level=level)[0]
    assert set(row) == ids | {"impressions", "spend", "date_start", "date_stop"}


def test_a_campaign_s_own_insights_name_the_campaign(shared: Client) -> None:
    campaign = shared.profile.campaigns[0].id
    (row,) = shared.rows(f"{campaign}/insights", time_range=WEEK)
    assert row["campaign_id"] == campaign


def test_results_are_what_the_objective_counts(shared: Client) -> None:
    (row,) = shared.insights(level="account", fields="results,actions,cost_per_result,spend")
    (result,) = row["results"]
    assert result["indicator"] == "actions:offsite_conversion.fb_pixel_purchase"
    assert Decimal(result["values"][0]["value"]) == action(row, "omni_purchase")
    assert Decimal(row["cost_per_result"][0]["values"][0]["value"]) == pytest.approx(
        Decimal(row["spend"]) / action(row, "omni_purchase")
    )


@pytest.mark.parametrize(
    "params",
    [
        {"fields": "nonsense_field"},
        {"fields": "impressions,ad_id{name}x"},
        {"level": "keyword"},
        {"breakdowns": "nonsense"},
        {"breakdowns": "age,country"},
        {"action_breakdowns": ["nonsense"]},
        {"action_attribution_windows": ["2d_click"]},
        {"action_report_time": "never"},
        {"date_preset": "last_5d"},
        {"time_range": {"since": "2026-11-08"}},
        {"time_increment": "91"},
        {"sort": ["spend"]},
        {"sort": ["nonsense_ascending"]},
        {"summary": ["clicks"], "fields": "spend"},
        {"breakdowns": HOURLY, "fields": "unique_clicks"},
        {"breakdowns": HOURLY, "fields": "video_play_actions"},
        {"breakdowns": "region", "fields": "video_p25_watched_actions"},
    ],
)
def test_what_insights_cannot_be_asked_is_refused(shared: Client, params: dict[str, Any]) -> None:
    asked = {"time_range": WEEK, **params}
    if "date_preset" in params:
        del asked["time_range"]
    assert shared.refused("{act}/insights", **asked)["code"] in (100, 2500)


@pytest.mark.parametrize("preset", sorted(INSIGHTS["date_presets"]))
def test_every_date_preset_is_a_range_that_has_begun(shared: Client, preset: str) -> None:
    rows = shared.rows("{act}/insights", date_preset=preset)
    assert all(row["date_start"] <= row["date_stop"] <= "2026-11-21" for row in rows)


def test_date_presets_are_the_weeks_months_and_quarters_before_today(shared: Client) -> None:
    def span(preset: str) -> tuple[str, str]:
        (row,) = shared.rows("{act}/insights", date_preset=preset)
        return row["date_start"], row["date_stop"]

    assert span("last_7d") == ("2026-11-14", "2026-11-20")
    assert span("last_week_mon_sun") == ("2026-11-09", "2026-11-15")
    assert span("last_week_sun_sat") == ("2026-11-08", "2026-11-14")
    assert span("this_week_mon_today") == ("2026-11-16", "2026-11-21")
    assert span("this_week_sun_today") == ("2026-11-15", "2026-11-21")
    assert span("this_quarter") == ("2026-10-01", "2026-11-21")
    assert span("last_month") == ("2026-10-01", "2026-10-31")


# -- windows and clocks ----------------------------------------------------------------------------------------------


def test_each_window_counts_for_itself_and_dead_ones_stay_empty(shared: Client) -> None:
    # when
    windows = ["1d_click", "7d_click", "28d_click", "1d_view", "1d_ev", "7d_view", "28d_view"]
    (row,) = shared.insights(level="account", fields="actions,action_values", action_attribution_windows=windows)

    # then
    for name in ("actions", "action_values"):
        entry = next(each for each in row[name] if each["action_type"] == "omni_purchase")
        assert set(entry) == {"action_type", "value", *windows[:5]}
        numbers = {key: Decimal(text) for key, text in entry.items() if key != "action_type"}
        assert 0 < numbers["1d_ev"] < numbers["1d_view"]
        assert 0 < numbers["1d_click"] < numbers["7d_click"] < numbers["28d_click"]
        assert numbers["value"] == numbers["7d_click"] + numbers["1d_view"]


@pytest.mark.parametrize(
    ("report_time", "clock"), [("impression", "interaction"), ("conversion", "conversion"), ("mixed", "conversion")]
)
def test_actions_are_reported_on_the_day_that_was_asked_for(shared: Client, report_time: str, clock: str) -> None:
    # when
    asked = {"level": "account", "fields": "actions,spend", "time_increment": "1", "action_report_time": report_time}
    rows = shared.insights(**asked)

    # then
    told = shared.server.outside.world.truth(shared.profile, *DAYS, "account", reading=Reading(clock=clock))
    expected = {row["date"]: Decimal(row["conversions_micros"]) / 1_000_000 for row in told}
    assert {row["date_start"]: action(row, "omni_purchase") for row in rows} == expected


def test_switches_take_a_field_from_rows_shorten_pages_and_repeat_a_row(client: Client) -> None:
    # given
    asked = {"level": "ad", "fields": "ad_id,spend,impressions", "time_range": WEEK}
    whole = client.rows("{act}/insights", **asked)
    switches = client.server.outside.switches

    # when
    for switch in ({"kind": "missing_column", "times": 1}, {"kind": "short_pages", "rows": 3}):
        switches.turn_on({"platform": "meta_ads", **switch})
    without = client.read("{act}/insights", limit="5000", **asked)
    switches.turn_on({"kind": "drifting_pages", "platform": "meta_ads", "times": 1})
    first = client.read("{act}/insights", limit="5000", **asked)
    following = client.read("{act}/insights", after=first["paging"]["cursors"]["after"], **asked)
    switches.clear()

    # then
    assert without["data"] == [{k: v for k, v in row.items() if k != "spend"} for row in whole[:3]]
    assert [*first["data"], *following["data"]] == [*whole[:4], *whole[3:6]]


@pytest.mark.parametrize("kind", ["missing_column", "bad_row", "data_limit"])
def test_a_switch_that_spoils_nothing_of_an_answer_waits_for_one_that_it_does(client: Client, kind: str) -> None:
    # given
    whole = client.rows("{act}/insights", level="ad", fields="ad_id", time_range=WEEK)
    options = {"rows": len(whole)} if kind == "data_limit" else {}
    switches = client.server.outside.switches
    switches.turn_on({"kind": kind, "platform": "meta_ads", "times": 1} | options)

    # when
    again = client.rows("{act}/insights", level="ad", fields="ad_id", time_range=WEEK)

    # then
    assert again == whole
    assert [(one["kind"], one["used"]) for one in switches.listing()] == [(kind, 0)]
    assert client.server.outside.served.listing() == []


def test_a_switch_gives_the_first_object_of_a_list_a_status_that_nobody_knows(client: Client) -> None:
    whole = client.rows("{act}/ads", fields="id,effective_status")
    client.server.outside.switches.turn_on({"kind": "new_value", "platform": "meta_ads", "times": 1})

    spoiled = client.rows("{act}/ads", fields="id,effective_status")

    assert spoiled == [{**whole[0], "effective_status": "NEVER_HEARD_OF"}, *whole[1:]]


def test_a_switch_makes_meta_disregard_the_report_time(client: Client) -> None:
    # given
    asked = {"level": "account", "fields": "actions", "time_increment": "1"}
    conversion = client.insights(**asked, action_report_time="conversion")
    assert client.insights(**asked) != conversion

    # when
    client.server.outside.switches.turn_on({"kind": "mixed_report_time", "platform": "meta_ads"})

    # then
    assert client.insights(**asked, action_report_time="impression") == conversion


# -- breakdowns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "breakdowns",
    [
        "age", "gender", "age,gender", "country", "region", "dma", "comscore_market", "device_platform",
        "impression_device", "publisher_platform", "publisher_platform,platform_position",
        "publisher_platform,platform_position,impression_device", HOURLY,
    ],
)  # fmt: skip
@pytest.mark.parametrize("level", ["account", "ad"])
def test_a_breakdown_sums_to_the_row_that_it_breaks_down(shared: Client, breakdowns: str, level: str) -> None:
    # given
    asked = {"level": level, "fields": "impressions,clicks,spend,actions,action_values"}

    # when
    parts = shared.insights(**asked, breakdowns=breakdowns)
    whole = shared.insights(**asked)

    # then
    assert len(parts) > len(whole)
    assert all(set(breakdowns.split(",")) <= set(row) for row in parts)
    for name in ("impressions", "clicks", "spend"):
        assert total(parts, name) == total(whole, name)
    off_meta = breakdowns not in ("region", "dma", "comscore_market", HOURLY)
    for name in ("actions", "action_values"):
        bought = sum(action(row, "omni_purchase", name=name) for row in parts)
        assert bought == (sum(action(row, "omni_purchase", name=name) for row in whole) if off_meta else 0)
    assert any(action(row, "link_click") for row in parts)


def test_one_dimension_is_the_sum_of_two(shared: Client) -> None:
    both = shared.insights(level="campaign", breakdowns="age,gender", fields="campaign_id,spend")
    sums: dict[tuple[str, str], Decimal] = {}
    for row in both:
        key = row["campaign_id"], row["age"]
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["spend"])
    alone = shared.insights(level="campaign", breakdowns="age", fields="campaign_id,spend")
    assert {(row["campaign_id"], row["age"]): Decimal(row["spend"]) for row in alone} == sums


def test_reach_is_zero_by_the_hour(shared: Client) -> None:
    rows = shared.insights(level="account", breakdowns=HOURLY, fields="reach,impressions")
    assert {row["reach"] for row in rows} == {"0"}


def test_a_breakdown_that_no_ad_has_anything_in_has_no_rows(shared: Client) -> None:
    assert shared.insights(breakdowns="product_id") == []


def test_rows_may_lack_the_hour_that_they_are_of(awkward: Client) -> None:
    rows = awkward.insights(level="ad", breakdowns=HOURLY, fields="ad_id,impressions", time_increment="1")
    assert any(HOURLY not in row for row in rows)
    assert any(HOURLY in row for row in rows)


# -- filters, order, totals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["spend", "campaign.spend"])
def test_numbers_are_filtered_after_they_were_added(shared: Client, field: str) -> None:
    # given
    every = shared.insights(level="campaign", fields="campaign_id,spend")
    middle = sorted(Decimal(row["spend"]) for row in every)[1]
    daily = max(Decimal(r["spend"]) for r in shared.insights(level="campaign", fields="spend", time_increment="1"))
    assert daily < middle

    # when
    condition = {"field": field, "operator": "GREATER_THAN", "value": str(middle)}
    some = shared.insights(level="campaign", fields="campaign_id,spend", filtering=[condition])

    # then
    assert some == [row for row in every if Decimal(row["spend"]) > middle]
    assert some


@pytest.mark.parametrize(
    ("operator", "value", "kept"),
    [
        ("CONTAIN", "brand", {"Brand"}),
        ("NOT_CONTAIN", "brand", {"Prospecting", "Retargeting", "Catalogue"}),
        ("STARTS_WITH", "Cat", {"Catalogue"}),
        ("ENDS_WITH", "ing", {"Prospecting", "Retargeting"}),
        ("CONTAINS_ANY", ["brand", "cata"], {"Brand", "Catalogue"}),
        ("CONTAINS_ALL", ["ret", "ing"], {"Retargeting"}),
        ("NOT_CONTAINS_ANY", ["ing", "cata"], {"Brand"}),
        ("EQUAL", "Brand", {"Brand"}),
        ("NOT_EQUAL", "Brand", {"Prospecting", "Retargeting", "Catalogue"}),
        ("IN", ["Brand"], {"Brand"}),
        ("NOT_IN", ["Brand", "Catalogue"], {"Prospecting", "Retargeting"}),
    ],
)
@pytest.mark.parametrize("field", ["campaign.name", "campaign_name"])
def test_names_are_filtered_with_every_operator_on_texts(
    shared: Client, field: str, operator: str, value: Any, kept: set[str]
) -> None:
    condition = {"field": field, "operator": operator, "value": value}
    rows = shared.insights(level="campaign", fields="campaign_name", filtering=[condition])
    assert {row["campaign_name"] for row in rows} == kept


@pytest.mark.parametrize(
    ("operator", "value", "kept"),
    [
        ("GREATER_THAN", "{m}", "spend > m"),
        ("GREATER_THAN_OR_EQUAL", "{m}", "spend >= m"),
        ("LESS_THAN", "{m}", "spend < m"),
        ("LESS_THAN_OR_EQUAL", "{m}", "spend <= m"),
        ("EQUAL", "{m}", "spend == m"),
        ("IN_RANGE", ["0", "{m}"], "spend <= m"),
        ("NOT_IN_RANGE", ["0", "{m}"], "spend > m"),
    ],
)
def test_numbers_are_filtered_with_every_operator_on_numbers(
    shared: Client, operator: str, value: Any, kept: str
) -> None:
    # given
    every = [Decimal(row["spend"]) for row in shared.insights(level="ad", fields="spend")]
    middle = sorted(every)[len(every) // 2]
    tests = {">": middle.__lt__, ">=": middle.__le__, "<": middle.__gt__, "<=": middle.__ge__, "==": middle.__eq__}
    wanted = [text.replace("{m}", str(middle)) for text in ([value] if isinstance(value, str) else value)]

    # when
    condition = {"field": "spend", "operator": operator, "value": wanted[0] if isinstance(value, str) else wanted}
    some = [Decimal(row["spend"]) for row in shared.insights(level="ad", fields="spend", filtering=[condition])]

    # then
    assert some == [spend for spend in every if tests[kept.split()[1]](spend)]
    assert some


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "ad.nonsense", "operator": "EQUAL", "value": 1},
        {"field": "nonsense", "operator": "EQUAL", "value": 1},
        {"field": "spend", "operator": "LIKE", "value": 1},
        {"field": "spend", "operator": "IN", "value": "1"},
        {"field": "spend", "operator": "IN_RANGE", "value": [1]},
        {"field": "spend", "operator": "GREATER_THAN"},
        {"field": "spend", "operator": "TOP", "value": 3},
        {"field": "actions", "operator": "GREATER_THAN", "value": 3},
        {"operator": "EQUAL", "value": 1},
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(shared: Client, condition: dict[str, Any]) -> None:
    assert shared.refused("{act}/insights", level="ad", filtering=[condition], time_range=WEEK)["code"] == 100


def test_rows_are_sorted_and_totalled(shared: Client) -> None:
    # when
    asked = {"level": "ad", "fields": "ad_id,ad_name,spend,impressions", "time_range": WEEK, "limit": "5"}
    page = shared.read("{act}/insights", **asked, sort=["spend_descending"], summary=["spend", "total_count"])
    named = shared.insights(level="ad", fields="ad_name", sort="ad_name_ascending")

    # then
    every = shared.insights(level="ad", fields="spend")
    expected = sorted((Decimal(row["spend"]) for row in every), reverse=True)[:5]
    assert [Decimal(row["spend"]) for row in page["data"]] == expected
    assert Decimal(page["summary"]["spend"]) == total(every, "spend")
    assert page["summary"]["total_count"] == len(every)
    assert [row["ad_name"] for row in named] == sorted(row["ad_name"] for row in named)


# -- asynchronous ----------------------------------------------------------------------------------------------------


def test_a_job_answers_like_the_request_itself(client: Client) -> None:
    # given
    client.server.outside.report_seconds = 0
    asked: dict[str, Any] = {"level": "adset", "fields": ["adset_id", "spend"], "breakdowns": ["age"]}

    # when
    run = client.ask("{act}/insights", method="POST", **asked, time_range=WEEK).json()["report_run_id"]
    time.sleep(0.01)
    status = client.read(run, fields="async_status,async_percent_completion")

    # then
    assert status == {"id": run, "async_status": "Job Completed", "async_percent_completion": 100}
    assert client.rows(f"{run}/insights") == client.insights(level="adset", fields="adset_id,spend", breakdowns="age")
    assert client.refused(run, fields="nonsense")["code"] == 100
    assert client.ask("{act}/insights", method="POST", fields=["nonsense"]).json()["error"]["code"] == 100
