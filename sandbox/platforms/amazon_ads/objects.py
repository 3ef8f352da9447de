"""Amazon's entities: profiles, Sponsored Products v3, Brands v4 and Display lists."""

from __future__ import annotations

from typing import Any

from sandbox.platforms.amazon_ads.spelling import money, state
from sandbox.world import World, WorldCampaign, WorldProfile

_MARKETPLACES = {"US": "ATVPDKIKX0DER", "JP": "A1VC38T7YXB528", "DE": "A1PA6795UKMFR9"}

LISTS = {
    "/sp/campaigns/list": ("sp", "campaigns", "application/vnd.spCampaign.v3+json"),
    "/sp/adGroups/list": ("sp", "adGroups", "application/vnd.spAdGroup.v3+json"),
    "/sp/productAds/list": ("sp", "productAds", "application/vnd.spProductAd.v3+json"),
    "/sp/keywords/list": ("sp", "keywords", "application/vnd.spKeyword.v3+json"),
    "/sp/targets/list": ("sp", "targetingClauses", "application/vnd.spTargetingClause.v3+json"),
    "/sp/negativeKeywords/list": ("sp", "negativeKeywords", "application/vnd.spNegativeKeyword.v3+json"),
    "/sb/v4/campaigns/list": ("sb", "campaigns", "application/vnd.sbcampaignresource.v4+json"),
    "/sb/v4/adGroups/list": ("sb", "adGroups", "application/vnd.sbadgroupresource.v4+json"),
    "/sb/v4/ads/list": ("sb", "ads", "application/vnd.sbadresource.v4+json"),
}
"""Path → product, the answer's list key, and the media type of request and answer."""

GETS = {
    "/sd/campaigns": ("sd", "campaigns"),
    "/sd/adGroups": ("sd", "adGroups"),
    "/sd/productAds": ("sd", "productAds"),
    "/sb/keywords": ("sb", "keywords"),
}
"""Older resources: GET with startIndex and count, a bare array."""

_ID_FILTERS = {
    "campaignIdFilter": "campaignId",
    "adGroupIdFilter": "adGroupId",
    "adIdFilter": "adId",
    "keywordIdFilter": "keywordId",
}


def profile_entry(profile: WorldProfile) -> dict[str, Any]:
    """An entry of `GET /v2/profiles`; the id is an integer."""
    return {
        "profileId": int(profile.id),
        "countryCode": profile.country,
        "currencyCode": profile.currency,
        "dailyBudget": 999999999.0,
        "timezone": profile.timezone,
        "accountInfo": {
            "marketplaceStringId": _MARKETPLACES[profile.country],
            "id": f"A{profile.id[:13]}",
            "type": profile.kind,
            "name": profile.name,
            "validPaymentMethod": True,
        },
    }


def objects(world: World, profile: WorldProfile, product: str, kind: str) -> list[dict[str, Any]]:
    """All entities of a kind, with string ids, in a stable order."""
    made = []
    start = world.first_day.isoformat()
    stamp = {"creationDateTime": f"{start}T00:00:00.000Z", "lastUpdateDateTime": f"{start}T00:00:00.000Z"}
    for campaign in profile.campaigns:
        if campaign.product != product:
            continue
        ids: dict[str, Any] = {"campaignId": campaign.id}
        if kind == "campaigns":
            extended = {**stamp, "servingStatus": "CAMPAIGN_STATUS_ENABLED"}
            made.append(_campaign(profile, campaign, start) | {"extendedData": extended})
        for group in campaign.groups:
            group_ids = ids | {"adGroupId": group.id}
            if kind == "adGroups":
                bid = money(profile, profile.scale // 40)
                made.append(group_ids | {"name": group.name, "state": state(group.status), "defaultBid": bid})
            if kind in ("productAds", "ads"):
                for ad in group.ads:
                    entry = group_ids | {"adId": ad.id, "name": ad.name, "state": state(ad.status)}
                    made.append(entry | _creative(profile, product, ad.creative) | {"extendedData": stamp})
            if kind == "keywords":
                made += [
                    group_ids
                    | {
                        "keywordId": keyword.id,
                        "keywordText": keyword.text,
                        "matchType": keyword.match_type,
                        "state": keyword.state,
                        "bid": money(profile, keyword.bid_minor),
                        "nativeLanguageKeyword": None,
                        "nativeLanguageLocale": None,
                    }
                    for keyword in group.keywords
                ]
    return made


def _campaign(profile: WorldProfile, campaign: WorldCampaign, start: str) -> dict[str, Any]:
    base: dict[str, Any] = {"campaignId": campaign.id, "name": campaign.name}
    product, status = campaign.product, campaign.status
    budget = money(profile, campaign.budget_minor)
    if product == "sb":
        more = {"budget": budget, "budgetType": "DAILY", "goal": "PAGE_VISIT", "costType": "CPC", "startDate": start}
        return base | {"state": state(status)} | more
    if product == "sd":
        more = {"budget": budget, "budgetType": "daily", "costType": "cpc", "tactic": "T00020"}
        return base | {"state": state(status).lower(), "startDate": start.replace("-", "")} | more
    return base | {
        "state": state(status),
        "targetingType": "AUTO" if campaign.name.endswith("Auto") else "MANUAL",
        "budget": {"budget": budget, "budgetType": "DAILY"},
        "startDate": start,
        "dynamicBidding": {"strategy": "LEGACY_FOR_SALES", "placementBidding": []},
        "tags": {},
    }


def _creative(profile: WorldProfile, product: str, creative: dict[str, Any]) -> dict[str, Any]:
    """Vendors name the product by asin, sellers by sku; a brand ad has a headline of its own."""
    if product == "sb":
        page = {"pageUrl": f"https://www.amazon.example/stores/{creative['asin']}"}
        return {"creative": {"headline": creative["headline"], "asins": [creative["asin"]]}, "landingPage": page}
    if product == "sd":
        return {"asin": creative["asin"], "sku": creative["sku"]}
    return {"sku": creative["sku"]} if profile.kind == "seller" else {"asin": creative["asin"]}


def select(items: list[dict[str, Any]], body: dict[str, Any]) -> list[dict[str, Any]]:
    """Apply a list call's filters: ids, states (archived ones hide only when asked), names, keyword texts."""
    for name, field in _ID_FILTERS.items():
        if name in body:
            wanted = {str(i) for i in body[name].get("include", [])}
            items = [item for item in items if item.get(field) in wanted]
    if "stateFilter" in body:
        states = {str(s).upper() for s in body["stateFilter"].get("include", [])}
        items = [item for item in items if str(item["state"]).upper() in states]
    for name, field in (("nameFilter", "name"), ("keywordTextFilter", "keywordText")):
        if name in body:
            texts = [str(t) for t in body[name].get("include", [])]
            exact = body[name].get("queryTermMatchType", "BROAD_MATCH") == "EXACT_MATCH"
            items = [i for i in items if any(t == i.get(field) if exact else t in str(i.get(field)) for t in texts)]
    if "matchTypeFilter" in body:
        asked = body["matchTypeFilter"]
        kinds = set(asked.get("include", []) if isinstance(asked, dict) else asked)
        items = [item for item in items if item.get("matchType") in kinds]
    if not body.get("includeExtendedDataFields"):
        items = [{k: v for k, v in item.items() if k != "extendedData"} for item in items]
    return items
