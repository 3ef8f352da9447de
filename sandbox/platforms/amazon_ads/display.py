"""Sponsored Display's entities: ids are integers, states lower-case (source: sponsored-display/3-0/openapi.yaml).

The records that clients have received agree (airbyte source-amazon-ads, integration_tests/expected_records.jsonl).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.platforms.amazon_ads.brands import epoch_milliseconds
from sandbox.platforms.amazon_ads.portfolios import portfolio_of
from sandbox.platforms.amazon_ads.spelling import money, state
from sandbox.platforms.amazon_ads.targeting import excluded_products, expression, targets
from sandbox.world import World, WorldCampaign, WorldProfile

Entities = list[dict[str, Any]]
_TACTIC = "T00020"
"""Contextual targeting."""


def _of(profile: WorldProfile) -> list[WorldCampaign]:
    return [campaign for campaign in profile.campaigns if campaign.product == "sd"]


def _state(status: str) -> str:
    return state(status).lower()


def _campaigns(world: World, profile: WorldProfile) -> Entities:
    found = []
    for campaign in _of(profile):
        portfolio = portfolio_of(campaign)
        found.append(
            {
                "campaignId": int(campaign.id),
                "name": campaign.name,
                "tactic": _TACTIC,
                "startDate": f"{world.first_day:%Y%m%d}",
                "state": _state(campaign.status),
                "costType": "cpc",
                "budget": money(profile, campaign.budget_minor),
                "budgetType": "daily",
                "deliveryProfile": "as_soon_as_possible",
                **({"portfolioId": int(portfolio)} if portfolio else {}),
            }
        )
    return found


def _ad_groups(_world: World, profile: WorldProfile) -> Entities:
    return [
        {
            "adGroupId": int(group.id),
            "campaignId": int(campaign.id),
            "name": group.name,
            "state": _state(group.status),
            "defaultBid": money(profile, profile.scale // 40),
            "bidOptimization": "clicks",
            "tactic": _TACTIC,
            "creativeType": "IMAGE",
        }
        for campaign in _of(profile)
        for group in campaign.groups
    ]


def _product_ads(_world: World, profile: WorldProfile) -> Entities:
    return [
        {
            "adId": int(ad.id),
            "adGroupId": int(group.id),
            "campaignId": int(campaign.id),
            "asin": ad.creative["asin"],
            **({"sku": ad.creative["sku"]} if profile.kind == "seller" else {}),
            "state": _state(ad.status),
        }
        for campaign, group, ad in profile.ads()
        if campaign.product == "sd"
    ]


def _targets(_world: World, profile: WorldProfile) -> Entities:
    found = []
    for campaign, group, target in targets(profile, "sd"):
        said = expression("sd", target.text)
        found.append(
            {
                "targetId": int(target.id),
                "adGroupId": int(group.id),
                "campaignId": int(campaign.id),
                "bid": money(profile, target.bid_minor),
                "expressionType": "manual" if "value" in said[0] else "auto",
                "expression": said,
                "resolvedExpression": expression("sd", target.text, resolved=True),
                "state": target.state.lower(),
            }
        )
    return found


def _negative_targets(_world: World, profile: WorldProfile) -> Entities:
    return [
        {
            "targetId": int(found.id),
            "adGroupId": int(found.group.id),
            "campaignId": int(found.campaign.id),
            "expressionType": "manual",
            "expression": expression("sd", found.text),
            "resolvedExpression": expression("sd", found.text, resolved=True),
            "state": "enabled",
        }
        for found in excluded_products(profile, "sd")
        if found.group
    ]


def _creatives(_world: World, profile: WorldProfile) -> Entities:
    """An ad group has one creative at most; an image with a headline and a logo."""
    crop = {"top": 0, "left": 0, "width": 600, "height": 100}
    return [
        {
            "creativeId": int(f"{group.id[:4]}66{group.id[6:]}"),
            "adGroupId": int(group.id),
            "creativeType": "IMAGE",
            "properties": {
                "headline": group.name,
                "brandLogo": {
                    "assetId": f"amzn1.assetlibrary.asset1.{group.id}",
                    "assetVersion": "version_v1",
                    "croppingCoordinates": crop,
                },
            },
            "moderationStatus": "APPROVED",
        }
        for campaign in _of(profile)
        for group in campaign.groups
    ]


DISPLAY: dict[str, Callable[[World, WorldProfile], Entities]] = {
    "campaigns": _campaigns,
    "adGroups": _ad_groups,
    "productAds": _product_ads,
    "targets": _targets,
    "negativeTargets": _negative_targets,
    "creatives": _creatives,
}
"""By what stands in the path."""

_SERVING = {
    "campaigns": ("ADVERTISER_STATUS_ENABLED", "CAMPAIGN_"),
    "adGroups": ("AD_GROUP_STATUS_ENABLED", "AD_GROUP_"),
    "productAds": ("AD_STATUS_LIVE", "AD_STATUS_"),
    "targets": ("TARGET_STATUS_LIVE", "TARGET_STATUS_"),
    "negativeTargets": ("TARGET_STATUS_LIVE", "TARGET_STATUS_"),
}


def extended(world: World, kind: str, entity: dict[str, Any]) -> dict[str, Any]:
    """The entity with what its `extended` list adds."""
    (live, prefix), status = _SERVING[kind], str(entity["state"]).upper()
    stamp = epoch_milliseconds(world)
    serving = live if status == "ENABLED" else prefix + status
    return entity | {"creationDate": stamp, "lastUpdatedDate": stamp, "servingStatus": serving}
