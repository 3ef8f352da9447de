"""Campaign Management: campaigns, ad groups, ads and keywords, each list under its parent.

Source: GetCampaignsByAccountId, GetAdGroupsByCampaignId, GetAdsByAdGroupId, GetKeywordsByAdGroupId and their data
objects. No list shows what is deleted (CampaignStatus, AdGroupStatus, AdStatus, KeywordStatus value sets).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.microsoft_ads.bodies import Body, flags, long
from sandbox.platforms.microsoft_ads.errors import MicrosoftRefusal, bad_request
from sandbox.platforms.microsoft_ads.population import PLATFORM, SEARCH, MicrosoftAccount
from sandbox.web import json_answer
from sandbox.world import WorldAd, WorldAdGroup, WorldCampaign, WorldKeyword, WorldProfile
from sandbox.world.catalog import MINOR_DIGITS

CAMPAIGN_TYPES = ("Search", "Shopping", "DynamicSearchAds", "Audience", "Hotel", "PerformanceMax", "App")
AD_TYPES = (
    "AppInstall", "DynamicSearch", "ExpandedText", "Hotel", "Image", "Product", "ResponsiveAd", "ResponsiveSearch",
    "Text",
)  # fmt: skip
STATUSES = {"ACTIVE": "Active", "PAUSED": "Paused", "DELETED": "Deleted", "ARCHIVED": "Deleted"}
"""What the world's words are here. Microsoft archives nothing: it deletes."""
_LISTED = ("ACTIVE", "PAUSED")


def money(profile: WorldProfile, minor: int) -> Decimal:
    """Units of the account's currency."""
    return Decimal(minor).scaleb(-MINOR_DIGITS[profile.currency])


class MicrosoftCampaigns:
    """Answers of the Campaign Management service about one ad account."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def campaigns(self, profile: WorldProfile, account: MicrosoftAccount, body: Body) -> Response:
        """`Campaigns/QueryByAccountId`: those of the types that are asked for, by default of Search alone."""
        if long(body.get("AccountId")) != profile.id:
            raise MicrosoftRefusal(1102)
        asked = body.get("CampaignType")
        types = [SEARCH] if asked in (None, "") else flags(asked)
        if not types or not set(types) <= set(CAMPAIGN_TYPES):
            raise bad_request("CampaignType")
        found = [one for one in profile.campaigns if one.status in _LISTED and one.product in types]
        return self._listed(profile, "Campaigns", [_campaign(profile, account, one) for one in found])

    def ad_groups(self, profile: WorldProfile, _account: MicrosoftAccount, body: Body) -> Response:
        """`AdGroups/QueryByCampaignId`: none in a Performance Max campaign, which has asset groups."""
        campaign = next((one for one in profile.campaigns if one.id == long(body.get("CampaignId"))), None)
        if campaign is None or campaign.status not in _LISTED:
            raise MicrosoftRefusal(1100)
        found = [group for group in campaign.groups if not group.hidden and group.status in _LISTED]
        return self._listed(profile, "AdGroups", [_ad_group(profile, one) for one in found])

    def ads(self, profile: WorldProfile, _account: MicrosoftAccount, body: Body) -> Response:
        """`Ads/QueryByAdGroupId`: those of the types that are asked for, which are required."""
        group, types = self._group(profile, body), body.get("AdTypes")
        if not isinstance(types, list) or not types or not set(map(str, types)) <= set(AD_TYPES):
            raise bad_request("AdTypes")
        found = [ad for ad in group.ads if ad.status in _LISTED and ad.creative["type"] in types]
        return self._listed(profile, "Ads", [_ad(one) for one in found])

    def keywords(self, profile: WorldProfile, _account: MicrosoftAccount, body: Body) -> Response:
        """`Keywords/QueryByAdGroupId`."""
        found = [_keyword(profile, one) for one in self._group(profile, body).keywords]
        return self._listed(profile, "Keywords", found)

    def _group(self, profile: WorldProfile, body: Body) -> WorldAdGroup:
        wanted = long(body.get("AdGroupId"))
        for campaign in profile.campaigns:
            for group in campaign.groups:
                if group.id == wanted and not group.hidden and {campaign.status, group.status} <= set(_LISTED):
                    return group
        raise MicrosoftRefusal(1201)

    def _listed(self, profile: WorldProfile, name: str, found: list[Body]) -> Response:
        if found and self._outside.switches.take("new_value", PLATFORM, profile.id) is not None:
            found[0] = found[0] | {"Status": "Dreaming"}
        return json_answer({name: found})


def _campaign(profile: WorldProfile, account: MicrosoftAccount, campaign: WorldCampaign) -> Body:
    return {
        "BiddingScheme": {"Type": "EnhancedCpcBiddingScheme"},
        "BudgetId": None,
        "BudgetType": "DailyBudgetStandard",
        "CampaignType": campaign.product,
        "DailyBudget": money(profile, campaign.budget_minor),
        "EndDate": None,
        "FinalUrlSuffix": None,
        "Id": campaign.id,
        "Languages": ["English"],
        "Name": campaign.name,
        "Settings": [],
        "StartDate": None,
        "Status": STATUSES[campaign.status],
        "SubType": None,
        "TimeZone": account.timezone,
        "TrackingUrlTemplate": None,
    }


def _ad_group(profile: WorldProfile, group: WorldAdGroup) -> Body:
    kind = {"Product": "Shopping", "ResponsiveAd": "Audience"}.get(group.ads[0].creative["type"], "SearchStandard")
    return {
        "AdGroupType": kind,
        "BiddingScheme": {"Type": "InheritFromParentBiddingScheme"},
        "CpcBid": {"Amount": money(profile, profile.scale // 40)},
        "EndDate": None,
        "Id": group.id,
        "Language": "English",
        "Name": group.name,
        "Network": "OwnedAndOperatedAndSyndicatedSearch",
        "StartDate": {"Day": 3, "Month": 7, "Year": 2023},
        "Status": STATUSES[group.status],
    }


def _text_asset(ad: WorldAd, place: int, text: str) -> Body:
    asset = {"Id": str(int(ad.id) * 10 + place), "Name": None, "Text": text, "Type": "TextAsset"}
    return {"Asset": asset, "AssetPerformanceLabel": None, "EditorialStatus": "Active", "PinnedField": None}


def _ad(ad: WorldAd) -> Body:
    kind, thing = ad.creative["type"], ad.creative["thing"].title()
    own: dict[str, Any] = {
        "ResponsiveSearch": {
            "Headlines": [_text_asset(ad, n, f"{thing} {n}") for n in range(1, 4)],
            "Descriptions": [_text_asset(ad, n, f"Order your {thing} today, {n}") for n in range(4, 6)],
            "Path1": "shop",
            "Path2": None,
        },
        "ExpandedText": {
            "TitlePart1": thing, "TitlePart2": "Official shop", "TitlePart3": None, "Text": f"{thing} from stock",
            "TextPart2": None, "Path1": "shop", "Path2": None, "Domain": "shop.example",
        },
        "DynamicSearch": {"Text": f"{thing} from stock", "TextPart2": None, "Path1": "shop", "Path2": None},
        "Product": {"PromotionalText": f"{thing}, delivered free"},
        "ResponsiveAd": {
            "BusinessName": "Shop", "Headline": thing, "Headlines": None, "LongHeadline": None,
            "LongHeadlineString": f"{thing} for every day", "Text": f"{thing} from stock", "Images": None,
            "Videos": None,
        },
    }[kind]  # fmt: skip
    return {
        "AdFormatPreference": "All",
        "EditorialStatus": "Active",
        "FinalMobileUrls": None,
        "FinalUrls": None if kind in ("Product", "DynamicSearch") else [ad.creative["page"]],
        "Id": ad.id,
        "Status": STATUSES[ad.status],
        "TrackingUrlTemplate": None,
        "Type": kind,
    } | own


def _keyword(profile: WorldProfile, keyword: WorldKeyword) -> Body:
    return {
        "Bid": {"Amount": money(profile, keyword.bid_minor)},
        "BiddingScheme": {"Type": "InheritFromParentBiddingScheme"},
        "EditorialStatus": "Active",
        "FinalUrls": None,
        "Id": keyword.id.partition("~")[2],
        "MatchType": keyword.match_type,
        "Status": STATUSES[keyword.state],
        "Text": keyword.text,
    }
