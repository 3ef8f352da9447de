"""The sandbox's Google Ads: assets, conversion actions, changes and search terms, each as its documents say."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox.platforms.google_ads.creatives import LINKED
from sandbox.platforms.google_ads.metrics import BY_ACTION, METRICS
from support.google_caller import DAYS, GoogleCaller, column, google, misfits, value_at

START, END = date(2026, 11, 11), date(2026, 11, 20)
THREE = "metrics.impressions, metrics.clicks, metrics.cost_micros"
ALL = "metrics.conversions, metrics.all_conversions, metrics.conversions_value"


@pytest.fixture(scope="module")
def caller() -> Iterator[GoogleCaller]:
    """Only read; a world with all companies."""
    with google("kestrel", awkward=True) as made:
        yield made


def sums(rows: list[dict[str, Any]], *paths: str) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Impressions, clicks and cost by the values of fields."""
    found: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        key = tuple(value_at(row, path) for path in paths)
        numbers = [int(row["metrics"][name]) for name in ("impressions", "clicks", "costMicros")]
        found[key] = [one + other for one, other in zip(found[key], numbers, strict=True)]
    return {key: tuple(numbers) for key, numbers in found.items()}


# -- assets ----------------------------------------------------------------------------------------------------------

LINKS = [
    ("ad_group_ad_asset_view", "ad_group_ad", "ad_group_ad.ad.id"),
    ("asset_group_asset", "asset_group", "asset_group.id"),
]


@pytest.mark.parametrize(("link", "resource", "key"), LINKS)
def test_the_assets_of_a_field_sum_to_what_they_are_linked_to_and_those_of_all_fields_to_more(
    caller: GoogleCaller, link: str, resource: str, key: str
) -> None:
    fields = f"{key}, {link}.field_type, {link}.asset, {THREE}, segments.date"
    rows = caller.rows(f"SELECT {fields} FROM {link} WHERE {DAYS}")
    whole = sums(caller.rows(f"SELECT {key}, {THREE}, segments.date FROM {resource} WHERE {DAYS}"), key)
    by_field = sums(rows, key, f"{link}.field_type")
    assert by_field == {(one, field): whole[one,] for one, field in by_field} != {}
    assert len(by_field) > len({one for one, _ in by_field})


@pytest.mark.parametrize(("link", "resource", "key"), LINKS)
def test_a_link_names_its_asset_and_brings_its_attributes(
    caller: GoogleCaller, link: str, resource: str, key: str
) -> None:
    names = f"{key}, {link}.resource_name, {link}.asset, {link}.field_type, asset.id, asset.type, asset.text_asset.text"
    rows = caller.rows(f"SELECT {names} FROM {link}")
    listed = {value_at(row, "asset.resource_name"): row["asset"] for row in caller.rows("SELECT asset.type FROM asset")}
    assert {fault for row in rows for fault in misfits(row)} == set()
    for row in rows:
        asset = value_at(row, f"{link}.asset")
        tail = f"~{value_at(row, 'asset.id')}~{value_at(row, f'{link}.field_type')}"
        assert value_at(row, f"{link}.resource_name").endswith(tail)
        assert (asset, row["asset"]["type"]) == (row["asset"]["resourceName"], listed[asset]["type"])
        assert (row["asset"]["type"] == "TEXT") == ("textAsset" in row["asset"])
    assert "TEXT" in column(rows, "asset.type")


def test_ads_whose_assets_google_does_not_list_one_by_one_have_no_links(caller: GoogleCaller) -> None:
    view = "ad_group_ad_asset_view"
    kinds = set(column(caller.rows(f"SELECT ad_group_ad.ad.type, {view}.asset FROM {view}"), "ad_group_ad.ad.type"))
    every = set(column(caller.rows("SELECT ad_group_ad.ad.type FROM ad_group_ad"), "ad_group_ad.ad.type"))
    assert "RESPONSIVE_DISPLAY_AD" in every
    assert kinds == every & set(LINKED)


# -- conversion actions ----------------------------------------------------------------------------------------------


LATE = (
    "metrics.conversions_by_conversion_date, metrics.all_conversions_by_conversion_date, "
    "metrics.conversions_value_by_conversion_date"
)


@pytest.mark.parametrize(("clock", "names"), [("interaction", ALL), ("conversion", LATE)])
@pytest.mark.parametrize("key", ["halden", "kestrel", "lumen"])
def test_conversions_by_action_are_the_truth(caller: GoogleCaller, key: str, clock: str, names: str) -> None:
    # given
    client = GoogleCaller(caller.server, key)
    asked = {"profile_id": client.profile.id, "start": str(START), "end": str(END), "level": "campaign"}
    params = asked | {"by": "conversion_action", "clock": clock}
    told = requests.get(f"{client.server.url}/_world/truth", params=params, timeout=10).json()["rows"]

    # when
    own = "segments.conversion_action_name, segments.conversion_action_category"
    rows = client.rows(f"SELECT campaign.id, segments.date, {own}, {names} FROM campaign WHERE {DAYS}")

    # then
    paths = ("campaign.id", "segments.date", "segments.conversion_action_name", "segments.conversion_action_category")
    found = {
        tuple(value_at(row, path) for path in paths): [Decimal(str(value_at(row, n))) for n in names.split(", ")]
        for row in rows
    }
    micros = ("conversions_micros", "all_conversions_micros", "revenue_micros")
    assert found == {
        (row["campaign_id"], row["date"], row["name"], row["category"]): [Decimal(row[n]) / 1_000_000 for n in micros]
        for row in told
    }
    assert len(found) == len(rows) > 0


@pytest.mark.parametrize("metric", sorted(set(METRICS) - BY_ACTION))
def test_metrics_that_are_no_conversions_cannot_be_divided_by_action(caller: GoogleCaller, metric: str) -> None:
    query = f"SELECT segments.conversion_action, metrics.conversions, metrics.{metric} FROM campaign WHERE {DAYS}"
    status, category, code = caller.refusal(caller.ask(query))
    assert (status, category) == (400, "queryError")
    assert code in (
        "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
        "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
    )


def test_a_conversion_action_counts_every_campaign_s_conversions(caller: GoogleCaller) -> None:
    query = f"SELECT conversion_action.name, metrics.all_conversions FROM conversion_action WHERE {DAYS}"
    found = {row["conversionAction"]["name"]: row["metrics"]["allConversions"] for row in caller.rows(query)}
    parts: defaultdict[str, float] = defaultdict(float)
    names = "segments.conversion_action_name, metrics.all_conversions"
    for row in caller.rows(f"SELECT {names} FROM customer WHERE {DAYS}"):
        parts[row["segments"]["conversionActionName"]] += row["metrics"]["allConversions"]
    assert found == parts
    assert "Newsletter" in found
    refused = caller.ask(f"SELECT conversion_action.name, metrics.clicks FROM conversion_action WHERE {DAYS}")
    assert caller.refusal(refused) == (400, "queryError", "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE")


# -- changes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "wanted"), [("2026-08-23", 200), ("2026-08-22", 400)])
def test_changes_reach_ninety_days_back(caller: GoogleCaller, first: str, wanted: int) -> None:
    when = f"change_status.last_change_date_time BETWEEN '{first}' AND '2026-11-21' LIMIT 10000"
    answer = caller.ask(f"SELECT change_status.resource_type FROM change_status WHERE {when}")
    assert answer.status_code == wanted
    if wanted == 400:
        assert caller.refusal(answer) == (400, "changeStatusError", "START_DATE_TOO_OLD")


def test_a_change_says_what_it_concerns(caller: GoogleCaller) -> None:
    fields = ", ".join(
        f"change_status.{name}"
        for name in ("resource_type", "resource_status", "last_change_date_time", "campaign", "ad_group", "ad_group_ad")
    )
    when = "change_status.last_change_date_time BETWEEN '2026-08-23' AND '2026-11-21'"
    rows = caller.rows(
        f"SELECT {fields} FROM change_status WHERE {when} ORDER BY change_status.last_change_date_time LIMIT 10000"
    )
    assert {fault for row in rows for fault in misfits(row)} == set()
    times = column(rows, "change_status.last_change_date_time")
    assert times == sorted(times)
    assert {len(text) for text in times} == {len("2026-11-20 09:00:00.000000")}
    ads = [row["changeStatus"] for row in rows if row["changeStatus"]["resourceType"] == "AD_GROUP_AD"]
    assert ads
    assert all({"campaign", "adGroup", "adGroupAd"} <= set(change) for change in ads)


def test_changes_of_the_last_days_are_those_between_their_bounds(caller: GoogleCaller) -> None:
    fields, time = "change_status.resource_name, change_status.last_change_date_time", "last_change_date_time"
    found = caller.rows(f"SELECT {fields} FROM change_status WHERE change_status.{time} DURING LAST_MONTH LIMIT 10000")
    when = f"change_status.{time} BETWEEN '2026-10-01' AND '2026-11-01'"
    assert found == caller.rows(f"SELECT {fields} FROM change_status WHERE {when} LIMIT 10000") != []
    refused = caller.ask(f"SELECT {fields} FROM change_status WHERE change_status.{time} DURING EVER LIMIT 10")
    assert caller.refusal(refused)[:2] == (400, "queryError")


# -- search terms ----------------------------------------------------------------------------------------------------


def test_search_terms_of_performance_max_are_by_campaign_and_go_when_keywords_are_asked_for(
    caller: GoogleCaller,
) -> None:
    view, kind = "campaign_search_term_view", "campaign.advertising_channel_type"
    fields = f"{kind}, campaign.id, {view}.search_term, metrics.clicks"
    every = caller.rows(f"SELECT {fields} FROM {view} WHERE {DAYS}")
    assert set(column(every, kind)) == {"SEARCH", "PERFORMANCE_MAX"}
    for row in every:
        text = value_at(row, f"{view}.search_term").encode()
        name = base64.urlsafe_b64encode(text).decode().rstrip("=")
        assert value_at(row, f"{view}.resource_name").endswith(
            f"/campaignSearchTermViews/{row['campaign']['id']}~{name}"
        )
    with_keywords = f"SELECT {kind}, segments.keyword.info.text, {view}.search_term, metrics.clicks FROM {view}"
    assert set(column(caller.rows(f"{with_keywords} WHERE {DAYS}"), kind)) == {"SEARCH"}
    ordinary = caller.rows(
        f"SELECT {kind}, search_term_view.search_term, metrics.clicks FROM search_term_view WHERE {DAYS}"
    )
    assert set(column(ordinary, kind)) == {"SEARCH"}
