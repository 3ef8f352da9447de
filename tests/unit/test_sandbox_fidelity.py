"""Rules of the platforms that no other test of a stand-in is about, and the list of those that are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.amazon_caller import AmazonCaller
from support.google_caller import DAYS, GoogleCaller, select
from support.graph import Client
from support.platform_server import running

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (?P<rule>[^|]+) \| (?P<tests>[^|]+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleCaller]:
    with running() as started:
        yield GoogleCaller(started)


def test_every_test_of_the_list_of_rules_is_there() -> None:
    rows = [found for found in ROW.finditer((ROOT / "docs/sandbox-fidelity.md").read_text()) if found["rule"] != "rule"]
    rows = [found for found in rows if not found["rule"].startswith("-")]
    text = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", text))
    named = {found["rule"]: re.findall(r"`(test_\w+)`", found["tests"]) for found in rows}
    assert {name for names in named.values() for name in names} - there == set()
    assert [rule for rule, names in named.items() if not names] == ["GraphQL"]
    assert len(named) == len(rows) > 50


# -- Google ----------------------------------------------------------------------------------------------------------


def test_averages_of_google_s_are_doubles_in_micros_and_values_are_in_units(google: GoogleCaller) -> None:
    counted = "metrics.clicks, metrics.cost_micros, metrics.impressions, metrics.conversions, metrics.conversions_value"
    averages = "metrics.average_cpc, metrics.average_cpm, metrics.value_per_conversion"
    fields = f"campaign.id, segments.date, {counted}, {averages}"
    rows = [row["metrics"] for row in google.rows(select(fields, "campaign", DAYS))]
    sold = [row for row in rows if row["conversions"]]
    assert sold
    for row in sold:
        cost = int(row["costMicros"])
        assert row["averageCpc"] == pytest.approx(cost / int(row["clicks"]))
        assert row["averageCpm"] == pytest.approx(cost * 1000 / int(row["impressions"]))
        assert row["valuePerConversion"] == pytest.approx(row["conversionsValue"] / row["conversions"])
        assert row["averageCpc"] > 1000 > row["valuePerConversion"] > 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT segments.click_type, metrics.clicks FROM campaign", "PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE"),
        (
            "SELECT ad_group_criterion.age_range.type, gender_view.resource_name, metrics.clicks FROM age_range_view",
            "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE",
        ),
        (
            "SELECT segments.geo_target_region, metrics.clicks FROM keyword_view",
            "PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE",
        ),
    ],
)
def test_google_refuses_what_would_be_counted_twice(google: GoogleCaller, query: str, code: str) -> None:
    assert google.refusal(google.ask(f"{query} WHERE {DAYS}")) == (400, "queryError", code)


# -- Meta ------------------------------------------------------------------------------------------------------------


def test_meta_writes_numbers_as_text_and_leaves_out_what_there_is_none_of(shared: Client) -> None:
    numbers = ["impressions", "clicks", "spend", "reach", "ctr", "frequency"]
    asked: dict[str, Any] = {"level": "ad", "fields": ["ad_id", *numbers, "actions", "action_values"]}
    rows = shared.insights(**asked, time_increment="1")
    hours = shared.insights(
        level="ad",
        fields=["ad_id", "impressions", "actions"],
        breakdowns=["hourly_stats_aggregated_by_advertiser_time_zone"],
    )
    assert {type(row[name]) for row in rows for name in numbers} == {str}
    assert {type(action["value"]) for row in rows for action in row["actions"]} == {str}
    for some, name in ((rows, "action_values"), (hours, "actions")):
        assert 0 < sum(name not in row for row in some) < len(some)
        assert [] not in [row.get(name) for row in some]
    ads = {row["ad_id"] for row in rows}
    assert len(ads) < len(rows) < len(ads) * 7
    assert "0" not in {row["impressions"] for row in rows}


# -- Amazon ----------------------------------------------------------------------------------------------------------


def test_a_report_of_amazon_s_is_a_gzipped_array_whose_ids_are_numbers() -> None:
    with running() as server:
        server.outside.report_seconds = 0
        rows = AmazonCaller(server, "halden").report("spCampaigns", ["campaign"], ["date", "campaignId", "impressions"])
    assert rows
    assert {type(row["campaignId"]) for row in rows} == {int}
    assert {type(row["impressions"]) for row in rows} == {int}
