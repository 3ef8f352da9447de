"""The world's numbers by region are parts of the whole, and what each platform's rows say by campaign and region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox.platforms.trade_desk.columns import COST
from sandbox.server import PlatformServer
from sandbox.world import Numbers
from sandbox.world.located import located, located_truth
from sandbox.world.regions import people, regions
from support.desk_caller import DeskCaller
from support.google_caller import GoogleCaller, select, value_at
from support.graph import Client
from support.platform_server import running
from support.tiktok_caller import ALONE, TikTokCaller

FIRST, LAST = date(2026, 11, 16), date(2026, 11, 18)
NUMBERS = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
Cells = dict[tuple[str, str, str], list[Decimal]]


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running(awkward=True) as started:
        started.outside.report_seconds = 0
        yield started


# -- the world -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["campaign", "ad_group", "ad"])
def test_the_parts_by_place_sum_to_the_truth_of_every_level(server: PlatformServer, level: str) -> None:
    world = server.outside.world
    for profile in world.profiles:
        parts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(NUMBERS))
        for row in located_truth(world, profile, LAST, LAST, level):
            place = parts[row["entity_id"], row["date"]]
            place[:] = [one + (row[name] or 0) for one, name in zip(place, NUMBERS, strict=True)]
        known = {"conversions_micros": "conversions", "revenue_micros": "revenue"}
        unknown = [name for name, short in known.items() if short not in profile.traits.located]
        whole = {
            (row["entity_id"], row["date"]): [0 if name in unknown else row[name] for name in NUMBERS]
            for row in world.truth(profile, LAST, LAST, level)
        }
        assert parts == whole


def test_regions_have_the_share_of_their_people_and_a_rest_is_in_none(server: PlatformServer) -> None:
    profile = server.outside.company("halden").on("google_ads")[0]
    windows, views = {1: 0, 7: 0, 14: 0, 30: 2000}, {1: 0, 14: 0}
    day = Numbers(1_000_000, 50_000, 900_000, windows, {**windows, 30: 77_777}, views, views)
    parts = dict(located(profile, day))
    home = [part for part in parts if part.region]
    assert [part.region for part in home] == [region.code for region in regions(profile.country)]
    for region in regions(profile.country):
        part = next(numbers for place, numbers in parts.items() if place.region == region.code)
        assert abs(part.impressions - 900_000 * region.thousands // people(profile.country)) <= 1
    rest = {place.country: part.impressions for place, part in parts.items() if not place.region}
    assert rest == {"CA": 40_000, profile.country: 60_000}
    assert sum(part.revenue[30] for part in parts.values()) == 77_777


@pytest.mark.parametrize(("query", "said"), [("by=province", "province"), ("by=region&level=account", "account")])
def test_the_truth_by_anything_else_is_refused(server: PlatformServer, query: str, said: str) -> None:
    answer = requests.get(f"{server.url}/_world/truth?{query}", timeout=5)
    assert (answer.status_code, said in answer.json()["error"]) == (400, True)


# -- the platforms ---------------------------------------------------------------------------------------------------


def told(server: PlatformServer, platform: str, profile_id: str) -> Cells:
    """(campaign, day, what the platform calls the region) → impressions, clicks, conversions, spend."""
    asked = {"platform": platform, "profile_id": profile_id, "start": str(FIRST), "end": str(LAST)}
    answer = requests.get(
        f"{server.url}/_world/truth", params=asked | {"level": "campaign", "by": "region"}, timeout=30
    )
    found: Cells = {}
    for row in answer.json()["rows"]:
        if row["region_value"] is not None:
            micros = [Decimal(row[f"{name}_micros"] or 0) / 1_000_000 for name in ("conversions", "spend")]
            numbers = [Decimal(row["impressions"]), Decimal(row["clicks"]), *micros]
            added(found, (row["campaign_id"], row["date"], row["region_value"]), numbers)
    return found


def added(cells: Cells, key: tuple[str, str, str], numbers: list[Decimal]) -> None:
    cells[key] = [one + other for one, other in zip(cells.get(key, [Decimal(0)] * 4), numbers, strict=True)]


def google(view: str) -> Callable[[PlatformServer, str], tuple[str, Cells]]:
    """The same as Google's rows of a view have it, whichever other attributes and segments divide them."""

    def read(server: PlatformServer, key: str) -> tuple[str, Cells]:
        caller, cells = GoogleCaller(server, key), Cells()
        names = "metrics.impressions, metrics.clicks, metrics.conversions, metrics.cost_micros"
        more = {"geographic_view": "geographic_view.location_type, ", "campaign": ""}.get(view, "")
        fields = f"campaign.id, {more}segments.date, segments.geo_target_region, {names}"
        for row in caller.rows(select(fields, view, f"segments.date BETWEEN '{FIRST}' AND '{LAST}'")):
            numbers = [Decimal(str(value_at(row, name))) for name in names.split(", ")]
            numbers[3] /= 1_000_000
            place = value_at(row, "segments.geo_target_region") or ""
            added(cells, (value_at(row, "campaign.id"), value_at(row, "segments.date"), place), numbers)
        return caller.profile.id, cells

    return read


def meta(server: PlatformServer, key: str) -> tuple[str, Cells]:
    company = server.outside.company(key)
    client = Client(server, company.on("meta_ads")[0], company.credentials["meta_ads"]["access_token"])
    asked = {"level": "campaign", "fields": "campaign_id,impressions,clicks,spend,actions", "time_increment": "1"}
    rows = client.insights(**asked, breakdowns=["region"], time_range={"since": str(FIRST), "until": str(LAST)})
    cells: Cells = {}
    for row in rows:
        assert not [one for one in row.get("actions", []) if "purchase" in one["action_type"]]
        numbers = [Decimal(row["impressions"]), Decimal(row["clicks"]), Decimal(0), Decimal(row["spend"])]
        added(cells, (row["campaign_id"], row["date_start"], row["region"]), numbers)
    return client.profile.id, cells


def tiktok(server: PlatformServer, key: str) -> tuple[str, Cells]:
    caller, cells = TikTokCaller(server, key), Cells()
    names = ["impressions", "clicks", "conversion", "spend"]
    asked: dict[str, Any] = {
        "report_type": "AUDIENCE",
        "metrics": names,
        "start_date": str(FIRST),
        "end_date": str(LAST),
    }
    asked |= {"dimensions": ["campaign_id", "stat_time_day", "province_id"]}
    pages = [
        caller.report("campaign", **asked),
        *(caller.report("campaign", **asked, filtering=[one]) for one in ALONE),
    ]
    for row in (row for page in pages for row in page["list"]):
        at = row["dimensions"]
        numbers = [Decimal(row["metrics"][name]) for name in names]
        added(cells, (at["campaign_id"], at["stat_time_day"][:10], at["province_id"]), numbers)
    return caller.profile.id, cells


def desk(template: int) -> Callable[[PlatformServer, str], tuple[str, Cells]]:
    def read(server: PlatformServer, key: str) -> tuple[str, Cells]:
        caller, cells = DeskCaller(server, key), Cells()
        profile = caller.profiles[0].id
        days = {"ReportStartDateInclusive": f"{FIRST}T00:00:00", "ReportEndDateExclusive": "2026-11-19T00:00:00"}
        for row in caller.rows(template, **days):
            if row["Advertiser ID"] == profile:
                clicks, views = row["01 - Click Conversion"], row["01 - View Through Conversion"]
                texts = [row["Impressions"], row["Clicks"], clicks, row[COST]]
                numbers = [Decimal(text.replace(",", "")) for text in texts]
                numbers[2] += Decimal(views.replace(",", ""))
                added(cells, (row["Campaign ID"], row["Date"], row["Region"]), numbers)
        return profile, cells

    return read


@pytest.mark.parametrize("key", ["halden", "kestrel"])
@pytest.mark.parametrize(
    ("platform", "read"),
    [
        ("google_ads", google("geographic_view")),
        ("google_ads", google("user_location_view")),
        ("google_ads", google("campaign")),
        ("meta_ads", meta),
        ("tiktok_ads", tiktok),
        ("trade_desk", desk(168_012)),
        ("trade_desk", desk(168_013)),
        ("trade_desk", desk(168_010)),
    ],
)
def test_campaigns_by_region_are_the_truth(
    server: PlatformServer, platform: str, read: Callable[[PlatformServer, str], tuple[str, Cells]], key: str
) -> None:
    profile_id, found = read(server, key)
    assert found == told(server, platform, profile_id) != {}
    assert len({region for _, _, region in found}) > 2


def test_a_row_of_my_reports_says_its_metro_and_country(server: PlatformServer) -> None:
    rows = DeskCaller(server, "halden").rows(168_013)
    metros = {(row["Country"], row["Region"], row["Metro"]) for row in rows}
    assert ("United States", "California", "Los Angeles CA") in metros
    assert ("United Kingdom", "Scotland", "Unknown") in metros
    assert ("Canada", "Unknown", "Unknown") in metros


def test_an_account_s_geo_targets_name_every_region_that_its_rows_have(server: PlatformServer) -> None:
    caller = GoogleCaller(server)
    days, region = f"segments.date BETWEEN '{FIRST}' AND '{LAST}'", "segments.geo_target_region"
    rows = caller.rows(select(f"{region}, metrics.clicks", "user_location_view", days))
    found = {value_at(row, region) for row in rows} - {None}
    names = "geo_target_constant.resource_name, geo_target_constant.name, geo_target_constant.target_type"
    rows = caller.rows(select(names, "geo_target_constant", "geo_target_constant.country_code = 'US'"))
    listed = {value_at(row, "geo_target_constant.resource_name"): row["geoTargetConstant"] for row in rows}
    assert found < set(listed)
    assert {listed[name]["targetType"] for name in found} == {"State"}
