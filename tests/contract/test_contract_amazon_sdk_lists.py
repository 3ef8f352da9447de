"""The community's Amazon Ads client, unmodified, lists everything that the sandbox's Amazon has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from sandbox.server import PlatformServer
from support.amazon_sdk import END, START, SdkClient, micros, sdk_server
from support.platform_server import truth

from ad_api.api import sb, sd, sp  # isort: skip - after support.amazon_sdk, which imports the package in order
from ad_api.api.portfolios_v3 import PortfoliosV3  # isort: skip
from ad_api.base import AdvertisingApiException  # isort: skip

POSTED = {
    "sp targets": (sp.TargetsV3, "list_product_targets", "targetingClauses"),
    "sp negative keywords": (sp.NegativeKeywordsV3, "list_negative_keywords", "negativeKeywords"),
    "sp negative targets": (sp.NegativeTargetsV3, "list_negative_product_targets", "negativeTargetingClauses"),
    "sp campaign negative keywords": (
        sp.CampaignNegativeKeywordsV3, "list_campaign_negative_keywords", "campaignNegativeKeywords",
    ),
    "sp campaign negative targets": (
        sp.CampaignNegativeTargets, "list_campaign_negative_targets", "campaignNegativeTargetingClauses",
    ),
    "sb campaigns": (sb.CampaignsV4, "list_campaigns", "campaigns"),
    "sb ad groups": (sb.AdGroupsV4, "list_ad_groups", "adGroups"),
    "sb ads": (sb.AdsV4, "list_ads", "ads"),
    "sb targets": (sb.Targets, "list_products_targets", "targets"),
    "sb negative targets": (sb.NegativeTargets, "list_negative_targets", "negativeTargets"),
    "portfolios": (PortfoliosV3, "list_portfolios", "portfolios"),
}  # fmt: skip
GOTTEN = {
    "sb keywords": (sb.Keywords, "list_keywords"),
    "sb negative keywords": (sb.NegativeKeywords, "list_negative_keywords"),
    "sd campaigns": (sd.Campaigns, "list_campaigns"),
    "sd campaigns extended": (sd.Campaigns, "list_campaigns_extended"),
    "sd ad groups": (sd.AdGroups, "list_ad_groups"),
    "sd product ads": (sd.ProductAds, "list_product_ads"),
    "sd targets": (sd.Targets, "list_products_targets"),
    "sd negative targets": (sd.NegativeTargets, "list_negative_targets"),
    "sd creatives": (sd.Creatives, "list_creatives"),
}


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with sdk_server() as started:
        yield started


@pytest.fixture(params=[0, 1], ids=["usd-seller", "jpy-vendor"])
def client(request: pytest.FixtureRequest, server: PlatformServer) -> SdkClient:
    return SdkClient(server, request.param)


@pytest.mark.parametrize("name", POSTED)
def test_every_list_that_is_posted_pages_to_the_end(client: SdkClient, name: str) -> None:
    # given
    kind, method, key = POSTED[name]
    ask = getattr(kind(**client.bound), method)

    # when
    found: list[Any] = []
    body: dict[str, Any] = {"maxResults": 1}
    while True:
        page = ask(body=json.dumps(body)).payload
        found += page[key]
        if not page.get("nextToken"):
            break
        body["nextToken"] = page["nextToken"]

    # then
    every = ask(body="{}").payload
    assert found == every[key]
    assert found
    assert [every[total] for total in every if total.startswith("total")] in ([], [len(found)])


@pytest.mark.parametrize("name", GOTTEN)
def test_every_list_that_is_gotten_pages_by_start_index(client: SdkClient, name: str) -> None:
    # given
    kind, method = GOTTEN[name]
    ask = getattr(kind(**client.bound), method)

    # when
    every = ask().payload
    pages = [ask(startIndex=place, count=1).payload for place in range(len(every) + 1)]

    # then
    assert pages[:-1] == [[entity] for entity in every]
    assert every
    assert not pages[-1]


def test_brands_and_display_show_the_world_s_campaigns_and_ads(client: SdkClient) -> None:
    # when
    brand_ads = sb.AdsV4(**client.bound).list_ads(body="{}").payload["ads"]
    display_ads = sd.ProductAds(**client.bound).list_product_ads().payload
    creatives = sb.AdCreativesV4(**client.bound)
    versions = creatives.list_ad_creatives(body=json.dumps({"adId": brand_ads[0]["adId"]})).payload["creatives"]
    first = display_ads[0]["adId"]

    # then
    ads = {product: [a for c, _, a in client.profile.ads() if c.product == product] for product in ("sb", "sd")}
    assert [ad["adId"] for ad in brand_ads] == [ad.id for ad in ads["sb"]]
    assert [str(ad["adId"]) for ad in display_ads] == [ad.id for ad in ads["sd"]]
    assert {version["adId"] for version in versions} == {brand_ads[0]["adId"]}
    assert sd.ProductAds(**client.bound).get_product_ad(adId=first).payload == display_ads[0]


@pytest.mark.parametrize(("product", "key"), [("sp", "keywordId"), ("sb", "keywordId"), ("sd", "targetingId")])
def test_keywords_and_targets_are_the_truth(client: SdkClient, product: str, key: str) -> None:
    # when
    columns = ["date", key, "impressions", "clicks", "cost"]
    asked = {"reportTypeId": f"{product}Targeting", "groupBy": ["targeting"], "columns": columns}
    body = client.report_body(product, configuration=asked)
    rows = client.rows(client.finished(client.create(body)["reportId"])["url"])

    # then
    every = truth(client.server, client.profile, date.fromisoformat(START), date.fromisoformat(END), "keyword")
    expected = {
        place: (row["impressions"], row["clicks"], row["spend_micros"])
        for place, row in every.items()
        if row["ad_product"] == product
    }
    found = {(str(r[key]), r["date"]): (r["impressions"], r["clicks"], micros(r["cost"])) for r in rows}
    assert found == expected
    assert found


def test_a_profile_without_display_fails_there_alone() -> None:
    with sdk_server(awkward=True) as server:
        # given
        client = SdkClient(server, 2, "amazon_ads:eu", profile=1)

        # when
        with pytest.raises(AdvertisingApiException) as refused:
            sd.Campaigns(**client.bound).list_campaigns()
        campaigns = sp.CampaignsV3(**client.bound).list_campaigns(body="{}").payload

    # then
    assert (refused.value.code, refused.value.error["code"]) == (403, "403")
    assert refused.value.error["details"] == "Advertiser is not authorized for Sponsored Display."
    assert campaigns["totalResults"] == 4
