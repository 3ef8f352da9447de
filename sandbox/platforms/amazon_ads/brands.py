"""Sponsored Brands' entities: campaigns, ad groups, ads and creatives of version 4, keywords and targets of version 3.

Source: SponsoredBrands_prod_3p.json and the sample of "List SB campaigns" in Amazon's Postman collection for version 4
(ids are strings, states upper-case), sponsored-brands/3-0/openapi.yaml for version 3 (ids are integers, states and
match types lower-case).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

from sandbox.platforms.amazon_ads.portfolios import portfolio_of
from sandbox.platforms.amazon_ads.spelling import money, state
from sandbox.platforms.amazon_ads.targeting import (
    excluded_keywords,
    excluded_products,
    expression,
    keywords,
    targets,
)
from sandbox.world import World, WorldAd, WorldCampaign, WorldProfile

Entities = list[dict[str, Any]]
THEME_TYPES = ("KEYWORDS_RELATED_TO_YOUR_BRAND", "KEYWORDS_RELATED_TO_YOUR_LANDING_PAGES")
_THEMES = 33_000_000_000
"""From an ad group's id to its theme's."""


def epoch_milliseconds(world: World) -> int:
    """When everything was made."""
    return int(datetime.combine(world.first_day, time(), UTC).timestamp()) * 1000


def _extended(world: World, status: str, prefix: str, live: str) -> dict[str, Any]:
    spelled = state(status)
    serving = live if spelled == "ENABLED" else f"{prefix}_{spelled}"
    stamp = epoch_milliseconds(world)
    data = {"creationDate": stamp, "lastUpdateDate": stamp, "servingStatus": serving}
    return {"state": spelled, "extendedData": {**data, "servingStatusDetails": [f"{serving}_DETAIL"]}}


def _of(profile: WorldProfile) -> list[WorldCampaign]:
    return [campaign for campaign in profile.campaigns if campaign.product == "sb"]


def _campaigns(world: World, profile: WorldProfile) -> Entities:
    found = []
    for campaign in _of(profile):
        portfolio = portfolio_of(campaign)
        goal = {"goal": campaign.objective, "costType": "CPC"} if campaign.objective else {}
        found.append(
            {
                "campaignId": campaign.id,
                "name": campaign.name,
                "budget": money(profile, campaign.budget_minor),
                "budgetType": "DAILY",
                "startDate": world.first_day.isoformat(),
                "brandEntityId": f"ENTITY{profile.id[:12]}",
                "isMultiAdGroupsEnabled": bool(campaign.objective),
                "bidding": {"bidOptimization": True, "bidOptimizationStrategy": "MAXIMIZE_IMMEDIATE_SALES"},
                **goal,
                **({"portfolioId": portfolio} if portfolio else {}),
            }
            | _extended(world, campaign.status, "CAMPAIGN", "CAMPAIGN_STATUS_ENABLED")
        )
    return found


def _ad_groups(world: World, profile: WorldProfile) -> Entities:
    return [
        {"adGroupId": group.id, "campaignId": campaign.id, "name": group.name}
        | _extended(world, group.status, "AD_GROUP", "AD_GROUP_STATUS_ENABLED")
        for campaign in _of(profile)
        for group in campaign.groups
    ]


def _creative(ad: WorldAd) -> dict[str, Any]:
    if "video" in ad.creative:
        return {"type": "VIDEO", "asins": [ad.creative["asin"]], "videoAssetIds": [ad.creative["video"]]}
    return {
        "type": "PRODUCT_COLLECTION",
        "headline": ad.creative["headline"],
        "brandName": ad.name.rpartition(" ")[0],
        "brandLogoAssetID": f"amzn1.assetlibrary.asset1.{ad.id}:version_v1",
        "brandLogoUrl": f"https://m.media-amazon.example/images/S/logo-{ad.id}.png",
        "asins": [ad.creative["asin"]],
        "customImageUrl": f"https://m.media-amazon.example/images/S/{ad.id}.png",
    }


def _landing_page(ad: WorldAd) -> dict[str, Any]:
    if "video" in ad.creative:
        return {"pageType": "DETAIL_PAGE", "asins": [ad.creative["asin"]]}
    return {"pageType": "STORE", "url": f"https://www.amazon.example/stores/page/{ad.creative['asin']}"}


def _ads(world: World, profile: WorldProfile) -> Entities:
    return [
        {
            "adId": ad.id,
            "adGroupId": group.id,
            "campaignId": campaign.id,
            "name": ad.name,
            "landingPage": _landing_page(ad),
            "creative": _creative(ad),
        }
        | _extended(world, ad.status, "AD", "AD_STATUS_LIVE")
        for campaign, group, ad in profile.ads()
        if campaign.product == "sb"
    ]


def creatives(world: World, profile: WorldProfile, ad_id: str) -> Entities:
    """The versions of an ad's creative: two, the second of which is published. Empty when there is no such ad."""
    stamp = float(epoch_milliseconds(world))
    found = []
    for campaign, _, ad in profile.ads():
        if campaign.product != "sb" or ad.id != ad_id:
            continue
        creative, page = _creative(ad), _landing_page(ad)
        kind = creative.pop("type")
        if "brandLogoAssetID" in creative:  # spelled differently in this list
            creative["brandLogoAssetId"] = creative.pop("brandLogoAssetID")
        for version, status in (("1", "APPROVED_BY_MODERATION"), ("2", "PUBLISHED")):
            place = {"type": page["pageType"], "value": page.get("url", ad.creative["asin"])}
            found.append(
                {
                    "adId": ad.id,
                    "creativeVersion": version,
                    "creativeType": kind,
                    "creativeStatus": status,
                    "creationTime": stamp,
                    "lastUpdateTime": stamp,
                    "creativeProperties": {**creative, "landingPage": place},
                }
            )
    return found


def _keywords(_world: World, profile: WorldProfile) -> Entities:
    return [
        {
            "keywordId": int(keyword.id),
            "adGroupId": int(group.id),
            "campaignId": int(campaign.id),
            "keywordText": keyword.text,
            "matchType": keyword.match_type.lower(),
            "state": keyword.state.lower(),
            "bid": money(profile, keyword.bid_minor),
        }
        for campaign, group, keyword in keywords(profile, "sb")
    ]


def _negative_keywords(_world: World, profile: WorldProfile) -> Entities:
    """Brands has none for a whole campaign."""
    return [
        {
            "keywordId": int(found.id),
            "adGroupId": int(found.group.id),
            "campaignId": int(found.campaign.id),
            "keywordText": found.text,
            "matchType": f"negative{found.match.title()}",
            "state": "enabled",
        }
        for found in excluded_keywords(profile, "sb")
        if found.group
    ]


def _targets(_world: World, profile: WorldProfile) -> Entities:
    return [
        {
            "targetId": int(target.id),
            "adGroupId": int(group.id),
            "campaignId": int(campaign.id),
            "state": target.state.lower(),
            "bid": money(profile, target.bid_minor),
            "expressions": expression("sb", target.text),
            "resolvedExpressions": expression("sb", target.text, resolved=True),
        }
        for campaign, group, target in targets(profile, "sb")
    ]


def _negative_targets(_world: World, profile: WorldProfile) -> Entities:
    return [
        {
            "targetId": int(found.id),
            "adGroupId": int(found.group.id),
            "campaignId": int(found.campaign.id),
            "state": "enabled",
            "expressions": expression("sb", found.text),
            "resolvedExpressions": expression("sb", found.text, resolved=True),
        }
        for found in excluded_products(profile, "sb")
        if found.group
    ]


def _themes(_world: World, profile: WorldProfile) -> Entities:
    """Each ad group has one group of keywords of Amazon's choice, paused, so it has no numbers.

    Source: "Sponsored Brands theme-based targeting" (guide): ids are strings, states lower-case.
    """
    return [
        {
            "themeId": str(int(group.id) + _THEMES),
            "adGroupId": group.id,
            "campaignId": campaign.id,
            "themeType": THEME_TYPES[number % len(THEME_TYPES)],
            "state": "paused",
            "bid": money(profile, 100),
        }
        for campaign in _of(profile)
        for number, group in enumerate(campaign.groups)
    ]


BRANDS: dict[str, Callable[[World, WorldProfile], Entities]] = {
    "campaigns": _campaigns,
    "adGroups": _ad_groups,
    "ads": _ads,
    "keywords": _keywords,
    "negativeKeywords": _negative_keywords,
    "targets": _targets,
    "negativeTargets": _negative_targets,
    "themes": _themes,
}
"""By what stands in the path."""
