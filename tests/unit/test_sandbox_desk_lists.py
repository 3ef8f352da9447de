"""The sandbox's The Trade Desk: partners, advertisers, campaigns, ad groups, creatives, pixels and deltas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.platforms.trade_desk import STAND_IN
from sandbox.server import PlatformServer
from support.desk_caller import PAGE, DeskCaller
from support.platform_server import running

BOTH = ["Available", "Archived"]


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture(autouse=True)
def _well_behaved(server: PlatformServer) -> Iterator[None]:
    yield
    server.outside.switches.clear()


@pytest.fixture(scope="module", params=["halden", "mori", "kestrel", "lumen"])
def caller(request: pytest.FixtureRequest, server: PlatformServer) -> DeskCaller:
    return DeskCaller(server, request.param)


@pytest.fixture(scope="module")
def kestrel(server: PlatformServer) -> DeskCaller:
    return DeskCaller(server, "kestrel")


def test_a_partner_lists_its_advertisers_with_their_windows_and_no_time_zone(caller: DeskCaller) -> None:
    # when
    found = caller.listed("/advertiser/query/partner", PartnerId=caller.partner.id)["Result"]

    # then
    assert [entry["AdvertiserId"] for entry in found] == [profile.id for profile in caller.profiles]
    for entry in found:
        assert entry["AttributionClickLookbackWindowInSeconds"] == 2_592_000
        assert entry["AttributionImpressionLookbackWindowInSeconds"] == 1_209_600
        assert not any("zone" in name.lower() for name in entry)
        assert caller.ask(f"/advertiser/{entry['AdvertiserId']}", method="GET").json() == entry


@pytest.mark.parametrize(
    ("kind", "id_name", "label"),
    [
        ("campaign", "CampaignId", "CampaignName"),
        ("adgroup", "AdGroupId", "AdGroupName"),
        ("creative", "CreativeId", "CreativeName"),
    ],
)
def test_a_query_pages_by_rows_and_an_entity_is_what_its_query_lists(
    caller: DeskCaller, kind: str, id_name: str, label: str
) -> None:
    # given
    asked = {"AdvertiserId": caller.profiles[0].id, "Availabilities": BOTH}
    everything = caller.listed(f"/{kind}/query/advertiser", **asked)

    # when
    paged, start = list[dict[str, Any]](), 0
    while (page := caller.listed(f"/{kind}/query/advertiser", **asked, PageStartIndex=start, PageSize=2))["Result"]:
        paged += page["Result"]
        start += page["ResultCount"]

    # then
    assert paged == everything["Result"]
    assert everything["TotalFilteredCount"] == everything["TotalUnfilteredCount"] == len(paged)
    assert caller.ask(f"/{kind}/{paged[0][id_name]}", method="GET").json() == paged[0]
    term = paged[0][label]
    assert caller.listed(f"/{kind}/query/advertiser", **asked, SearchTerms=[term])["Result"][0][label] == term


@pytest.mark.parametrize("change", [{"PageStartIndex": None}, {"PageSize": 0}, {"PageSize": 1001}, {"PageSize": None}])
def test_a_query_needs_its_page(caller: DeskCaller, change: dict[str, Any]) -> None:
    body = PAGE | {"AdvertiserId": caller.profiles[0].id} | change
    assert caller.ask("/campaign/query/advertiser", body).status_code == 400


def test_archived_things_are_listed_only_when_they_are_asked_for(kestrel: DeskCaller) -> None:
    # given
    asked = {"AdvertiserId": kestrel.profiles[0].id}

    # when
    usual = kestrel.listed("/campaign/query/advertiser", **asked)["Result"]
    both = kestrel.listed("/campaign/query/advertiser", **asked, Availabilities=BOTH)["Result"]
    creatives = kestrel.listed("/creative/query/advertiser", **asked, Availabilities=BOTH)["Result"]

    # then
    assert [campaign["Availability"] for campaign in usual] == ["Available", "Available"]
    assert Counter(campaign["Availability"] for campaign in both) == {"Available": 2, "Archived": 1}
    assert {creative["Availability"] for creative in creatives} == set(BOTH)
    assert both[-1]["EndDate"] is not None


def test_a_creative_is_listed_once_and_runs_in_several_ad_groups(caller: DeskCaller) -> None:
    # given
    profile = caller.profiles[0]
    asked = {"AdvertiserId": profile.id, "Availabilities": BOTH}

    # when
    groups = caller.listed("/adgroup/query/advertiser", **asked)["Result"]
    creatives = caller.listed("/creative/query/advertiser", **asked)["Result"]

    # then
    runs = Counter(creative for group in groups for creative in group["RTBAttributes"]["CreativeIds"])
    assert max(runs.values()) == 2
    assert len({creative["CreativeId"] for creative in creatives}) == len(creatives) < len(profile.ads())
    assert {group["IsEnabled"] for group in groups} == {True, False}
    assert caller.listed("/adgroup/query/campaign", CampaignId=profile.campaigns[0].id)["ResultCount"] == 2


def test_landing_pages_are_where_each_type_of_creative_keeps_them(caller: DeskCaller) -> None:
    # when
    found = [
        creative
        for profile in caller.profiles
        for creative in caller.listed("/creative/query/advertiser", AdvertiserId=profile.id, Availabilities=BOTH)[
            "Result"
        ]
    ]

    # then
    for creative in found:
        image, video = creative.get("ImageAttributes"), creative.get("TradeDeskHostedVideoAttributes")
        pages = (creative.get("ThirdPartyTagAttributes") or {}).get("LandingPageUrls") or [
            (image or video)["LandingPageUrl"] or (image or video)["ClickthroughUrl"]
        ]
        assert pages[0].startswith("https://shop.example/")
    assert {creative["CreativeType"] for creative in found} >= {"Image", "TradeDeskHostedVideo"}


def test_campaigns_say_which_pixel_is_in_which_column_and_a_pixel_may_be_in_two(caller: DeskCaller) -> None:
    # given
    profile = caller.profiles[0]

    # when
    columns = caller.listed("/campaign/query/advertiser", AdvertiserId=profile.id)["Result"][0][
        "CampaignConversionReportingColumns"
    ]
    tags = caller.listed("/trackingtag/query/advertiser", AdvertiserId=profile.id)["Result"]

    # then
    assert [column["ReportingColumnId"] for column in columns] == [1, 2, 3]
    assert columns[0]["TrackingTagId"] == columns[2]["TrackingTagId"] != columns[1]["TrackingTagId"]
    assert columns[0]["CrossDeviceAttributionModelId"] != columns[2]["CrossDeviceAttributionModelId"]
    assert {tag["TrackingTagId"] for tag in tags} == {column["TrackingTagId"] for column in columns}


def test_a_campaign_has_a_flight(caller: DeskCaller) -> None:
    campaign = caller.profiles[0].campaigns[0].id
    assert caller.listed("/campaignflight/query/campaign", CampaignId=campaign)["Result"][0]["CampaignId"] == campaign


@pytest.mark.parametrize("kind", ["campaign", "adgroup", "creative"])
def test_a_first_delta_has_everything_and_the_next_one_nothing(caller: DeskCaller, kind: str) -> None:
    # given
    plural = {"campaign": "Campaigns", "adgroup": "AdGroups", "creative": "Creatives"}[kind]
    asked = {"AdvertiserId": caller.profiles[0].id, f"ReturnEntire{plural[:-1]}": True}
    listed = caller.listed(f"/{kind}/query/advertiser", AdvertiserId=caller.profiles[0].id, Availabilities=BOTH)

    # when
    first = caller.ask(f"/delta/{kind}/query/advertiser", asked).json()
    version = first["LastChangeTrackingVersion"]
    again = caller.ask(f"/delta/{kind}/query/advertiser", asked | {"LastChangeTrackingVersion": version}).json()

    # then
    assert sorted(map(str, first[plural])) == sorted(map(str, listed["Result"]))
    assert (again[plural], again["LastChangeTrackingVersion"]) == ([], version)
    assert first[f"More{plural}Available"] is again[f"More{plural}Available"] is False


def test_a_delta_has_what_changed_since_its_version() -> None:
    with running([STAND_IN]) as server:
        # given
        halden = DeskCaller(server, "halden")
        profile = halden.profiles[0]
        ad = profile.campaigns[0].groups[0].ads[1]
        asked = {"AdvertiserId": profile.id, "ReturnEntireCreative": True}
        version = halden.ask("/delta/creative/query/advertiser", asked).json()["LastChangeTrackingVersion"]

        # when
        requests.post(f"{server.url}/_world/archive", json={"profile_id": profile.id, "ad_id": ad.id}, timeout=5)
        newer = {"AdvertiserId": profile.id, "LastChangeTrackingVersion": version}
        changed = halden.ask("/delta/creative/query/advertiser", asked | newer).json()
        groups = halden.ask("/delta/adgroup/query/advertiser", newer).json()
        advertisers = halden.ask("/delta/advertiser/query/partner", {"PartnerId": halden.partner.id}).json()

    # then
    assert [(c["CreativeId"], c["Availability"]) for c in changed["Creatives"]] == [(ad.id, "Archived")]
    assert groups["AdGroups"] is None
    assert groups["ElementIds"] == [profile.campaigns[0].groups[0].id]
    assert set(advertisers["ElementIds"]) == {profile.id for profile in halden.profiles}


def test_an_availability_that_nobody_knows_appears(server: PlatformServer, kestrel: DeskCaller) -> None:
    server.outside.switches.turn_on({"kind": "new_value", "times": 1})

    found = kestrel.listed("/campaign/query/advertiser", AdvertiserId=kestrel.profiles[0].id)["Result"]

    assert [entry["Availability"] for entry in found] == ["NeverHeardOf", "Available"]


def test_pages_may_be_shorter_than_asked_for_and_break_off(server: PlatformServer, kestrel: DeskCaller) -> None:
    # given
    asked = {"AdvertiserId": kestrel.profiles[0].id}
    server.outside.switches.turn_on({"kind": "short_pages", "rows": 1, "times": 1})

    # when
    short = kestrel.listed("/campaign/query/advertiser", **asked)
    server.outside.switches.turn_on({"kind": "truncated_paging"})

    # then
    assert (short["ResultCount"], short["TotalFilteredCount"]) == (1, 2)
    with pytest.raises(requests.RequestException):
        kestrel.listed("/campaign/query/advertiser", **asked, PageSize=1)
