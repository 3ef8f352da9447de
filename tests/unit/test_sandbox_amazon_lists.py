"""The sandbox's Amazon: its lists accept, answer and refuse what Amazon's documents say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.platforms.amazon_ads.lists import GOTTEN, POSTED
from sandbox.server import PlatformServer
from support.amazon_caller import AmazonCaller

SAMPLES = Path(__file__).parents[1] / "samples/amazon_ads"
SB = "application/vnd.sbcampaignresource.v4+json"
SB_ADS = "application/vnd.sbadresource.v4+json"
SP = "application/vnd.spCampaign.v3+json"
SP_ADS = "application/vnd.spProductAd.v3+json"


@pytest.fixture
def kestrel(platforms: PlatformServer) -> AmazonCaller:
    return AmazonCaller(platforms, "kestrel")


# -- samples ----------------------------------------------------------------------------------------------------------


def entities(answer: Any) -> list[dict[str, Any]]:
    """The entities of a list, whatever holds them."""
    found = answer if isinstance(answer, list) else next(v for v in answer.values() if isinstance(v, list))
    return [entity for entity in found if isinstance(entity, dict)]


def kind(value: Any) -> str:
    """A value's type in JSON; a whole amount is written without a point at times."""
    kinds: dict[type, str] = {dict: "object", list: "array", bool: "boolean", int: "number", float: "number"}
    return kinds.get(type(value), "string")


LISTED = [
    path
    for path in sorted(SAMPLES.glob("*.json"))
    if not path.name.startswith("report_") and path.stem not in ("errors", "sb_themes")
]


@pytest.mark.parametrize("sample", LISTED, ids=lambda path: path.stem)
def test_a_list_has_the_shape_of_the_documentation_s_sample(kestrel: AmazonCaller, sample: Path) -> None:
    # given
    document = json.loads(sample.read_text())
    known: dict[str, set[str]] = {}
    for entity in entities(document["answer"]):
        for name, value in entity.items():
            known.setdefault(name, set()).add(kind(value))
    method, path = document["request"].split()
    media = document.get("accept", "*/*")
    body: dict[str, Any] | None = None if method == "GET" else {}
    if path == "/sb/ads/creatives/list":
        body = {"adId": next(ad.id for c, _, ad in kestrel.profile.ads() if c.product == "sb")}
    elif "/sp/" in path or path == "/portfolios/list" or path in ("/sb/v4/campaigns/list", "/sb/v4/adGroups/list"):
        body = {"includeExtendedDataFields": True}

    # when
    headers = {"Accept": media} | ({"Content-Type": media} if method == "POST" else {})
    answer = kestrel.ask(method, path, body, headers)

    # then
    assert answer.status_code == 200, answer.text
    found = entities(answer.json())
    assert found
    for entity in found:
        assert set(entity) <= set(known)
        assert all(kind(value) in known[name] for name, value in entity.items())
    if isinstance(document["answer"], dict):
        counts = {name for name in document["answer"] if name.startswith("total")}
        assert {name for name in answer.json() if name.startswith("total")} == counts


# -- Sponsored Brands -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, "text/plain", "application/json", SB])
def test_brands_lists_take_the_content_types_that_amazon_s_samples_send(
    halden: AmazonCaller, content: str | None
) -> None:
    headers = {"Accept": SB} | ({"Content-Type": content} if content else {})
    answer = halden.ask("POST", "/sb/v4/campaigns/list", {}, headers)
    assert answer.status_code == 200
    assert answer.json()["totalCount"] == len(answer.json()["campaigns"]) == 2


def test_brands_lists_refuse_another_media_type(halden: AmazonCaller) -> None:
    answers = [
        halden.ask("POST", "/sb/v4/campaigns/list", {}, {"Accept": SB, "Content-Type": "text/html"}),
        halden.ask("POST", "/sb/v4/campaigns/list", {}, {"Accept": SP}),
    ]
    assert [answer.status_code for answer in answers] == [415, 415]


def test_a_state_that_nobody_knows_appears(halden: AmazonCaller) -> None:
    halden.server.outside.switches.turn_on({"kind": "new_value", "platform": "amazon_ads", "times": 1})

    first, again = (halden.listed("/sp/campaigns/list", SP)["campaigns"] for _ in range(2))

    assert [first[0]["state"], *(entry["state"] for entry in first[1:])] == [
        "NEVER_HEARD_OF",
        *(entry["state"] for entry in again[1:]),
    ]


def test_an_empty_include_filters_nothing(halden: AmazonCaller) -> None:
    every = halden.listed("/sb/v4/campaigns/list", SB)["campaigns"]
    empty = halden.listed("/sb/v4/campaigns/list", SB, {"stateFilter": {"include": []}, "nameFilter": None})
    assert empty["campaigns"] == every


def test_a_brands_ad_says_where_it_leads_and_what_it_is(halden: AmazonCaller) -> None:
    # when
    ads = halden.listed("/sb/v4/ads/list", SB_ADS)["ads"]

    # then
    pages = {ad["creative"]["type"]: ad["landingPage"] for ad in ads}
    assert pages["PRODUCT_COLLECTION"]["pageType"] == "STORE"
    assert pages["PRODUCT_COLLECTION"]["url"].startswith("https://")
    assert pages["VIDEO"] == {"pageType": "DETAIL_PAGE", "asins": pages["VIDEO"]["asins"]}
    assert all(ad["extendedData"]["creationDate"] > 1_700_000_000_000 for ad in ads)  # milliseconds


@pytest.mark.parametrize(("size", "reason"), [(101, "TOO_HIGH"), (0, "TOO_LOW"), ("10", "TOO_LOW"), (True, "TOO_LOW")])
def test_a_page_size_that_brands_do_not_have_is_refused(halden: AmazonCaller, size: Any, reason: str) -> None:
    answer = halden.ask("POST", "/sb/v4/ads/list", {"maxResults": size}, {"Accept": SB_ADS})
    error = answer.json()["errors"][0]["errorValue"]["rangeError"]
    assert (answer.status_code, answer.json()["code"], error["reason"]) == (400, "INVALID_ARGUMENT", reason)


def test_a_brands_campaign_from_before_ad_groups_is_listed(kestrel: AmazonCaller) -> None:
    every = kestrel.listed("/sb/v4/campaigns/list", SB)["campaigns"]
    assert sorted(campaign["isMultiAdGroupsEnabled"] for campaign in every) == [False, True, True]


def test_an_ad_s_creative_has_versions(halden: AmazonCaller) -> None:
    # given
    media = "application/vnd.sbAdCreativeResource.v4+json"
    ad = next(ad for c, _, ad in halden.profile.ads() if c.product == "sb")

    # when
    every = halden.listed("/sb/ads/creatives/list", media, {"adId": ad.id})
    live = halden.listed("/sb/ads/creatives/list", media, {"adId": ad.id, "creativeStatusFilter": ["PUBLISHED"]})
    nobody = halden.ask("POST", "/sb/ads/creatives/list", {"adId": "1"}, {"Accept": media})
    nothing = halden.ask("POST", "/sb/ads/creatives/list", {}, {"Accept": media})

    # then
    assert every["totalResults"] == 2
    assert [creative["creativeVersion"] for creative in live["creatives"]] == ["2"]
    assert every["creatives"][0]["creativeProperties"]["headline"] == ad.creative["headline"]
    assert (nobody.status_code, nothing.status_code) == (404, 400)


def test_brands_keywords_and_targets_are_version_3(halden: AmazonCaller) -> None:
    # when
    keywords = halden.ask("GET", "/sb/keywords").json()
    exact = halden.got("/sb/keywords", matchTypeFilter="exact, phrase").json()
    filters = [{"filterType": "TARGETING_STATE", "values": ["enabled"]}]
    targets = halden.ask("POST", "/sb/targets/list", {"filters": filters, "maxResults": 1})
    again = halden.ask("POST", "/sb/targets/list", {"filters": filters * 2})
    unknown = halden.ask("POST", "/sb/targets/list", {"filters": [{"filterType": "COLOUR", "values": ["red"]}]})

    # then
    assert {type(keyword["keywordId"]) for keyword in keywords} == {int}
    assert {keyword["matchType"] for keyword in keywords} == {"exact", "phrase", "broad"}
    assert {keyword["matchType"] for keyword in exact} == {"exact", "phrase"}
    assert targets.json()["targets"][0]["expressions"][0]["type"] == "asinSameAs"
    assert targets.json()["nextToken"]
    assert [again.status_code, unknown.status_code] == [400, 400]
    assert set(again.json()) == {"code", "details"}


# -- Sponsored Display ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["campaigns", "adGroups", "productAds", "targets", "negativeTargets", "creatives"])
def test_display_has_numeric_ids_and_lower_case_states(halden: AmazonCaller, kind: str) -> None:
    found = halden.ask("GET", f"/sd/{kind}").json()
    assert found
    for entity in found:
        assert all(type(value) is int for name, value in entity.items() if name.endswith("Id") and name != "assetId")
        assert entity.get("state", "enabled") in ("enabled", "paused", "archived")


def test_a_display_campaign_has_a_budget_type(halden: AmazonCaller) -> None:
    (campaign,) = halden.ask("GET", "/sd/campaigns").json()
    assert (campaign["budgetType"], campaign["costType"]) == ("daily", "cpc")


@pytest.mark.parametrize(
    "query",
    [
        {"startIndex": "abc"},
        {"startIndex": "-1"},
        {"count": "0"},
        {"count": "²"},
        {"stateFilter": "ENABLED"},
        {"campaignIdFilter": "none"},
        {"nonsense": "1"},
    ],
    ids=lambda query: "=".join(*query.items()),
)
def test_a_parameter_that_display_does_not_take_is_refused(halden: AmazonCaller, query: dict[str, str]) -> None:
    answer = halden.got("/sd/campaigns", **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_ARGUMENT")


def test_display_lists_page_filter_and_extend(halden: AmazonCaller) -> None:
    # given
    every = halden.ask("GET", "/sd/productAds").json()
    last = every[-1]

    # when
    pages = [halden.got("/sd/productAds", startIndex=str(n), count="2").json() for n in range(0, 6, 2)]
    some = halden.got("/sd/productAds", adIdFilter=f"{last['adId']}, 5", stateFilter="enabled,paused").json()
    one = halden.ask("GET", f"/sd/productAds/{last['adId']}").json()
    longer = halden.ask("GET", f"/sd/productAds/extended/{last['adId']}").json()
    nobody = halden.ask("GET", "/sd/productAds/5")

    # then
    assert [entity for page in pages for entity in page] == every
    assert some == [one] == [last]
    assert set(longer) - set(one) == {"creationDate", "lastUpdatedDate", "servingStatus"}
    assert nobody.status_code == 404


# -- Sponsored Products and portfolios --------------------------------------------------------------------------------


def test_an_archived_ad_is_listed_and_a_forgotten_one_is_not(kestrel: AmazonCaller) -> None:
    # when
    every = kestrel.listed("/sp/productAds/list", SP_ADS)["productAds"]
    gone = kestrel.listed("/sp/productAds/list", SP_ADS, {"stateFilter": {"include": ["ARCHIVED"]}})["productAds"]

    # then
    listed = {ad["adId"] for ad in every}
    assert {ad["state"] for ad in every} >= {"ENABLED", "ARCHIVED"}
    assert {ad["adId"] for ad in gone} == {ad["adId"] for ad in every if ad["state"] == "ARCHIVED"}
    assert not listed & {ad.id for c in kestrel.profile.campaigns for g in c.groups for ad in g.unlisted}


@pytest.mark.parametrize(
    "body",
    [
        {"nextToken": "AQgA"},
        {"stateFilter": {"include": ["enabled"]}},
        {"stateFilter": {"include": "ENABLED"}},
        {"stateFilter": ["ENABLED"]},
        {"campaignIdFilter": {"include": ["A1B2"]}},
        {"nameFilter": {"include": ["SP"], "queryTermMatchType": "FUZZY"}},
        {"statefilter": {"include": ["ENABLED"]}},
        {"maxResults": 1001},
        {"includeExtendedDataFields": 1},
    ],
    ids=json.dumps,
)
def test_what_a_list_s_schema_does_not_have_is_refused(halden: AmazonCaller, body: dict[str, Any]) -> None:
    answer = halden.ask("POST", "/sp/campaigns/list", body, {"Content-Type": SP, "Accept": SP})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_ARGUMENT")
    assert answer.json()["errors"]


def test_an_archived_campaign_is_listed_with_all_that_is_in_it(kestrel: AmazonCaller) -> None:
    # when
    body = {"stateFilter": {"include": ["ARCHIVED"]}}
    (campaign,) = kestrel.listed("/sp/campaigns/list", SP, body)["campaigns"]
    mine = {"campaignIdFilter": {"include": [campaign["campaignId"]]}}
    targets = kestrel.listed("/sp/targets/list", "application/vnd.spTargetingClause.v3+json", mine)["targetingClauses"]

    # then
    assert campaign["name"] == "SP Rivals"
    assert {target["state"] for target in targets} == {"ARCHIVED"}


def test_targets_are_automatic_or_manual(halden: AmazonCaller) -> None:
    # when
    media = "application/vnd.spTargetingClause.v3+json"
    body = {"expressionTypeFilter": {"include": ["AUTO"]}}
    automatic = halden.listed("/sp/targets/list", media, body)["targetingClauses"]
    every = halden.listed("/sp/targets/list", media)["targetingClauses"]

    # then
    kinds = {target["expression"][0]["type"] for target in automatic}
    assert kinds == {
        "QUERY_HIGH_REL_MATCHES",
        "QUERY_BROAD_REL_MATCHES",
        "ASIN_SUBSTITUTE_RELATED",
        "ASIN_ACCESSORY_RELATED",
    }
    assert len(automatic) == 12
    assert {t["expression"][0]["type"] for t in every} - kinds == {"ASIN_SAME_AS", "ASIN_CATEGORY_SAME_AS"}


def test_portfolios_hold_campaigns(halden: AmazonCaller) -> None:
    # when
    answer = halden.ask("POST", "/portfolios/list", {}, {"Content-Type": "application/json"}).json()
    campaigns = halden.listed("/sp/campaigns/list", SP)["campaigns"]

    # then
    held = {campaign.get("portfolioId", "") for campaign in campaigns}
    assert held - {""} == {portfolio["portfolioId"] for portfolio in answer["portfolios"]}
    assert "" in held
    assert [("budget" in portfolio) for portfolio in answer["portfolios"]] == [False, True]


def test_every_list_answers_and_refuses_another_method(halden: AmazonCaller) -> None:
    for path, asked in POSTED.items():
        assert halden.listed(path, asked.media)[asked.key]
        assert halden.ask("GET", path).status_code == 405
    for path in GOTTEN:
        assert halden.ask("GET", path).json()
        assert halden.ask("POST", path, {}).status_code == 405
