"""Sponsored Products' entities, version 3 (source: SponsoredProducts_prod_3p.json). Ids are strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.platforms.amazon_ads.portfolios import portfolio_of
from sandbox.platforms.amazon_ads.spelling import money, state
from sandbox.platforms.amazon_ads.targeting import (
    excluded_keywords,
    excluded_products,
    expression,
    is_automatic,
    keywords,
    targets,
)
from sandbox.world import World, WorldCampaign, WorldProfile

Entities = list[dict[str, Any]]


def _extended(world: World, status: str, serving: str) -> dict[str, Any]:
    stamp = f"{world.first_day}T00:00:00.000Z"
    details = [{"name": f"{serving}_DETAIL"}]
    data = {"creationDateTime": stamp, "lastUpdateDateTime": stamp, "servingStatus": serving}
    return {"state": state(status), "extendedData": {**data, "servingStatusDetails": details}}


def _serving(world: World, status: str, prefix: str, live: str) -> dict[str, Any]:
    """An entity's state, and what `extendedData` says of it."""
    spelled = state(status)
    return _extended(world, status, live if spelled == "ENABLED" else f"{prefix}_{spelled}")


def _of(profile: WorldProfile) -> list[WorldCampaign]:
    return [campaign for campaign in profile.campaigns if campaign.product == "sp"]


def _campaigns(world: World, profile: WorldProfile) -> Entities:
    found = []
    for campaign in _of(profile):
        portfolio = portfolio_of(campaign)
        found.append(
            {
                "campaignId": campaign.id,
                "name": campaign.name,
                "targetingType": "AUTO" if is_automatic(campaign) else "MANUAL",
                "budget": {"budget": money(profile, campaign.budget_minor), "budgetType": "DAILY"},
                "startDate": world.first_day.isoformat(),
                "dynamicBidding": {"strategy": "LEGACY_FOR_SALES", "placementBidding": []},
                "tags": {},
                **({"portfolioId": portfolio} if portfolio else {}),
            }
            | _serving(world, campaign.status, "CAMPAIGN", "CAMPAIGN_STATUS_ENABLED")
        )
    return found


def _ad_groups(world: World, profile: WorldProfile) -> Entities:
    bid = money(profile, profile.scale // 40)
    return [
        {"adGroupId": group.id, "campaignId": campaign.id, "name": group.name, "defaultBid": bid}
        | _serving(world, group.status, "AD_GROUP", "AD_GROUP_STATUS_ENABLED")
        for campaign in _of(profile)
        for group in campaign.groups
    ]


def _product_ads(world: World, profile: WorldProfile) -> Entities:
    """Sellers name the product by sku, vendors by asin."""
    name = "sku" if profile.kind == "seller" else "asin"
    return [
        {"adId": ad.id, "adGroupId": group.id, "campaignId": campaign.id, name: ad.creative[name]}
        | _serving(world, ad.status, "AD", "AD_STATUS_LIVE")
        for campaign, group, ad in profile.ads()
        if campaign.product == "sp"
    ]


def _keywords(world: World, profile: WorldProfile) -> Entities:
    return [
        {
            "keywordId": keyword.id,
            "adGroupId": group.id,
            "campaignId": campaign.id,
            "keywordText": keyword.text,
            "matchType": keyword.match_type,
            "bid": money(profile, keyword.bid_minor),
        }
        | _serving(world, keyword.state, "TARGETING_CLAUSE", "TARGETING_CLAUSE_STATUS_LIVE")
        for campaign, group, keyword in keywords(profile, "sp")
    ]


def _targets(world: World, profile: WorldProfile) -> Entities:
    """An automatic target bids what its ad group does."""
    found = []
    for campaign, group, target in targets(profile, "sp"):
        automatic = target.match_type.endswith("PREDEFINED")
        found.append(
            {
                "targetId": target.id,
                "adGroupId": group.id,
                "campaignId": campaign.id,
                "expressionType": "AUTO" if automatic else "MANUAL",
                "expression": expression("sp", target.text),
                "resolvedExpression": expression("sp", target.text, resolved=True),
                **({} if automatic else {"bid": money(profile, target.bid_minor)}),
            }
            | _serving(world, target.state, "TARGETING_CLAUSE", "TARGETING_CLAUSE_STATUS_LIVE")
        )
    return found


def _negative_keywords(world: World, profile: WorldProfile, *, campaigns: bool = False) -> Entities:
    return [
        {
            "keywordId": found.id,
            **({"adGroupId": found.group.id} if found.group else {}),
            "campaignId": found.campaign.id,
            "keywordText": found.text,
            "matchType": f"NEGATIVE_{found.match}",
        }
        | _serving(world, "ENABLED", "TARGETING_CLAUSE", "TARGETING_CLAUSE_STATUS_LIVE")
        for found in excluded_keywords(profile, "sp")
        if campaigns is (found.group is None)
    ]


def _negative_targets(world: World, profile: WorldProfile, *, campaigns: bool = False) -> Entities:
    return [
        {
            "targetId": found.id,
            **({"adGroupId": found.group.id} if found.group else {}),
            "campaignId": found.campaign.id,
            "expression": expression("sp", found.text),
            "resolvedExpression": expression("sp", found.text, resolved=True),
        }
        | _serving(world, "ENABLED", "TARGETING_CLAUSE", "TARGETING_CLAUSE_STATUS_LIVE")
        for found in excluded_products(profile, "sp")
        if campaigns is (found.group is None)
    ]


PRODUCTS: dict[str, Callable[[World, WorldProfile], Entities]] = {
    "campaigns": _campaigns,
    "adGroups": _ad_groups,
    "productAds": _product_ads,
    "keywords": _keywords,
    "targets": _targets,
    "negativeKeywords": _negative_keywords,
    "negativeTargets": _negative_targets,
    "campaignNegativeKeywords": lambda world, profile: _negative_keywords(world, profile, campaigns=True),
    "campaignNegativeTargets": lambda world, profile: _negative_targets(world, profile, campaigns=True),
}
"""By what stands in the path."""
