"""The sandbox's Amazon: who may see which profile and which ad product, and how that is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from sandbox.platforms.amazon_ads.lists import GOTTEN
from sandbox.server import PlatformServer
from support.amazon_caller import PLATFORM, AmazonCaller
from support.platform_server import running

SB_ADS = "application/vnd.sbadresource.v4+json"
SP = "application/vnd.spCampaign.v3+json"
SP_ADS = "application/vnd.spProductAd.v3+json"
SUMMARY = {
    "adProduct": "SPONSORED_PRODUCTS",
    "reportTypeId": "spCampaigns",
    "groupBy": ["campaign"],
    "columns": ["campaignId", "cost"],
    "timeUnit": "SUMMARY",
    "format": "GZIP_JSON",
}


# -- ad products and ads ----------------------------------------------------------------------------------------------


def test_a_profile_without_display_is_refused_there_and_only_there(platforms: PlatformServer) -> None:
    # given
    german = AmazonCaller(platforms, "kestrel", "eu", place=1)
    display = [path for path in GOTTEN if path.startswith("/sd/")]

    # when
    refused = [german.ask("GET", path) for path in display]
    asked = german.create({**SUMMARY, "reportTypeId": "sdCampaigns", "adProduct": "SPONSORED_DISPLAY"})

    # then
    expected = "Advertiser is not authorized for Sponsored Display."
    assert {(a.status_code, a.json()["code"], a.json()["details"]) for a in refused} == {(403, "403", expected)}
    assert (asked.status_code, asked.json()["detail"]) == (403, expected)
    assert german.listed("/sp/campaigns/list", SP)["totalResults"] == 4
    assert german.create(SUMMARY).status_code == 200


def test_a_product_that_was_taken_away_comes_back() -> None:
    with running() as platforms:
        # given
        halden = AmazonCaller(platforms, "halden")
        change = {"profile_id": halden.profile.id, "product": "sd"}

        # when
        requests.post(f"{platforms.url}/_world/product", json=change | {"authorized": False}, timeout=5)
        without = halden.ask("GET", "/sd/campaigns").status_code
        requests.post(f"{platforms.url}/_world/product", json=change | {"authorized": True}, timeout=5)
        again = halden.ask("GET", "/sd/campaigns").status_code

    # then
    assert (without, again) == (403, 200)


def test_a_deleted_ad_is_archived_and_a_forgotten_one_gone_and_its_campaign_keeps_both() -> None:
    with running() as platforms:
        # given
        halden = AmazonCaller(platforms, "halden")
        first, second = (ad.id for ad in halden.profile.campaigns[1].groups[0].ads[:2])
        campaign = int(halden.profile.campaigns[1].id)

        def spent() -> dict[int, Any]:
            rows = halden.report("spCampaigns", ["campaign"], ["campaignId", "cost", "startDate"])
            return {row["campaignId"]: row["cost"] for row in rows}

        before = spent()[campaign]

        # when
        for ad_id, forget in ((first, False), (second, True)):
            gone = {"profile_id": halden.profile.id, "ad_id": ad_id, "forget": forget}
            requests.post(f"{platforms.url}/_world/delete", json=gone, timeout=5)
        ads = {ad["adId"]: ad["state"] for ad in halden.listed("/sp/productAds/list", SP_ADS)["productAds"]}
        rows = halden.report("spAdvertisedProduct", ["advertiser"], ["adId", "cost", "startDate"])

        # then
        assert ads[first] == "ARCHIVED"
        assert second not in {*ads, *(str(row["adId"]) for row in rows)}
        assert first in {str(row["adId"]) for row in rows}
        assert spent()[campaign] == before


# -- credentials, regions, permissions --------------------------------------------------------------------------------


def test_a_token_of_one_region_lists_no_profile_on_another_region_s_host(platforms: PlatformServer) -> None:
    # given
    american, european = AmazonCaller(platforms, "kestrel"), AmazonCaller(platforms, "kestrel", "eu", place=1)
    hosts = {"na": "advertising-api.amazon.com", "eu": "advertising-api-eu.amazon.com"}

    def profiles(caller: AmazonCaller, host: str) -> list[int]:
        answer = caller.ask("GET", "/v2/profiles", headers={"Host": host})
        assert answer.status_code == 200
        return [profile["profileId"] for profile in answer.json()]

    # then
    assert profiles(american, hosts["na"]) == [int(american.profile.id)]
    assert profiles(european, hosts["eu"]) == [int(european.profile.id)]
    assert profiles(american, hosts["eu"]) == profiles(european, hosts["na"]) == []


def test_a_scope_that_is_missing_unknown_or_lost_is_401(halden: AmazonCaller, platforms: PlatformServer) -> None:
    # given
    def refusal(scope: str) -> tuple[int, str]:
        answer = halden.ask("GET", "/sd/campaigns", headers={"Amazon-Advertising-API-Scope": scope})
        return answer.status_code, answer.json()["details"].partition(":")[0]

    # when
    found = {scope: refusal(scope) for scope in ("", "abc", "7208815530417702")}
    switch = {"kind": "access_denied", "platform": PLATFORM, "profile_id": halden.profile.id}
    requests.post(f"{platforms.url}/_world/switches", json=switch, timeout=5)

    # then
    assert found[""] == (401, "Scope header is missing")
    assert found["abc"] == (401, "No matching advertiser found for scope")
    assert found["7208815530417702"] == (401, "Not authorized to access scope 7208815530417702")
    assert refusal(halden.profile.id) == (401, f"Not authorized to access scope {halden.profile.id}")


def test_each_service_throttles_in_its_own_words(halden: AmazonCaller, platforms: PlatformServer) -> None:
    # given
    platforms.outside.switches.turn_on({"kind": "throttle", "platform": PLATFORM, "times": 3, "retry_after": 2})

    # when
    answers = [
        halden.ask("POST", "/sb/v4/ads/list", {}, {"Accept": SB_ADS}),
        halden.ask("GET", "/sd/campaigns"),
        halden.create(SUMMARY),
    ]

    # then
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {(429, "2")}
    assert [set(answer.json()) for answer in answers] == [
        {"code", "message"},
        {"code", "details"},
        {"code", "detail"},
    ]


@pytest.mark.parametrize("query", [{"profileTypeFilter": "person"}, {"accessLevel": "all"}, {"page": "2"}])
def test_profiles_refuse_what_is_not_documented(halden: AmazonCaller, query: dict[str, str]) -> None:
    assert halden.got("/v2/profiles", **query).status_code == 400


# -- switches of reports ----------------------------------------------------------------------------------------------


def test_a_download_url_has_expired_when_it_is_named(halden: AmazonCaller) -> None:
    # given
    report_id = halden.create(SUMMARY).json()["reportId"]
    while halden.ask("GET", f"/reporting/reports/{report_id}").json()["url"] is None:
        time.sleep(0.01)
    halden.server.outside.switches.turn_on({"kind": "expired_url", "platform": PLATFORM, "times": 1})

    # when
    urls = [halden.ask("GET", f"/reporting/reports/{report_id}").json()["url"] for _ in range(2)]

    # then
    assert [requests.get(url, timeout=5).status_code for url in urls] == [403, 200]


def test_a_report_lacks_a_column_that_it_was_asked_for(halden: AmazonCaller) -> None:
    columns = ["date", "campaignId", "cost", "clicks"]
    halden.server.outside.switches.turn_on({"kind": "missing_column", "platform": PLATFORM, "times": 1})

    without, whole = (halden.report("spCampaigns", ["campaign"], columns) for _ in range(2))

    assert without == [{name: value for name, value in row.items() if name != "cost"} for row in whole]
