"""Campaigns, ad groups and ads as `/campaign/get/`, `/adgroup/get/`, `/ad/get/` and their Smart+ siblings write them.

Source of the fields: the reference, section 4.4, and bububa/tiktok-business, model/{campaign,adgroup,ad}.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from sandbox.platforms.tiktok_ads.population import PROMOTE, REACH_AND_FREQUENCY, SMART_PLUS, TOP_VIEW
from sandbox.platforms.tiktok_ads.statuses import TikTokStatus, ad_status, campaign_status, group_status
from sandbox.world import World, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile
from sandbox.world.catalog import MINOR_DIGITS

_RESERVED = {REACH_AND_FREQUENCY: "STANDARD", TOP_VIEW: "TOPVIEW"}
"""`rf_campaign_type` of the objective RF_REACH."""
_FAR = "2036-11-01 00:00:00"


class TikTokThing(NamedTuple):
    """One object of a list: what filters look at, and its fields."""

    campaign: WorldCampaign
    status: TikTokStatus
    body: dict[str, Any]
    group: WorldAdGroup | None = None
    ad_id: str = ""
    created: str = ""
    modified: str = ""


def budget_of(profile: WorldProfile, minor: int) -> float:
    """Minor units as a JSON number of the currency's units."""
    return float(minor / 10 ** MINOR_DIGITS[profile.currency])


def buying_type(campaign: WorldCampaign) -> str:
    """How its places are bought."""
    return {TOP_VIEW: "RESERVATION_TOP_VIEW", REACH_AND_FREQUENCY: "RESERVATION_RF"}.get(campaign.kind, "AUCTION")


def system_origin(campaign: WorldCampaign) -> str:
    """Whether it is a post that was promoted in the app."""
    return "PROMOTE" if campaign.kind == PROMOTE else "TT_ADS_PLATFORM"


def automation(campaign: WorldCampaign) -> str:
    """Its `campaign_automation_type`."""
    return SMART_PLUS if campaign.kind == SMART_PLUS else "MANUAL"


class TikTokObjects:
    """What an advertiser has, as TikTok describes it today."""

    def __init__(self, world: World, profile: WorldProfile) -> None:
        self._world = world
        self._profile = profile
        self._today = (world.moment(profile).today - world.first_day).days

    def campaigns(self) -> Iterator[TikTokThing]:
        """Every campaign that has an id."""
        for campaign in self._profile.campaigns:
            if not campaign.id:
                continue
            status = campaign_status(self._profile, campaign)
            smart = campaign.kind == SMART_PLUS
            body = self._stamped(0, campaign.status) | {
                "advertiser_id": self._profile.id,
                "campaign_id": campaign.id,
                "campaign_name": campaign.name,
                "campaign_type": "REGULAR_CAMPAIGN",
                "campaign_system_origin": system_origin(campaign),
                "campaign_automation_type": automation(campaign),
                "objective_type": campaign.objective,
                "budget": budget_of(self._profile, campaign.budget_minor),
                "budget_mode": "BUDGET_MODE_DYNAMIC_DAILY_BUDGET" if smart else "BUDGET_MODE_DAY",
                "budget_optimize_on": smart,
                "is_smart_performance_campaign": False,
                "operation_status": status.operation,
                "secondary_status": status.secondary,
            }
            body |= {"rf_campaign_type": _RESERVED[campaign.kind]} if campaign.kind in _RESERVED else {}
            yield _thing(campaign, status, body)

    def groups(self) -> Iterator[TikTokThing]:
        """Every ad group of these campaigns."""
        for campaign in self._profile.campaigns:
            for group in campaign.groups if campaign.id else ():
                status = group_status(self._profile, campaign, group)
                body = self._stamped(0, group.status) | {
                    "advertiser_id": self._profile.id,
                    "campaign_id": campaign.id,
                    "campaign_name": campaign.name,
                    "adgroup_id": group.id,
                    "adgroup_name": group.name,
                    "schedule_type": "SCHEDULE_FROM_NOW",
                    "schedule_start_time": self._time(0),
                    "schedule_end_time": _FAR,
                    "optimization_goal": "CONVERT" if self._profile.traits.sells else "LEAD_GENERATION",
                    "optimization_event": "SHOPPING" if self._profile.traits.sells else "FORM",
                    "pixel_id": f"70{self._profile.id[-9:]}",
                    "attribution_event_count": "EVERY",
                    "click_attribution_window": "SEVEN_DAYS",
                    "view_attribution_window": "ONE_DAY",
                    "billing_event": "OCPM",
                    "bid_type": "BID_TYPE_NO_BID",
                    "bid_price": 0.0,
                    "budget": budget_of(self._profile, campaign.budget_minor // len(campaign.groups)),
                    "budget_mode": "BUDGET_MODE_DAY",
                    "placement_type": "PLACEMENT_TYPE_AUTOMATIC",
                    "placements": ["PLACEMENT_TIKTOK"],
                    "location_ids": ["6252001"],
                    "operation_status": status.operation,
                    "secondary_status": status.secondary,
                }
                if campaign.kind == REACH_AND_FREQUENCY:
                    body |= {"rf_purchased_type": "FIXED_SHOW", "billing_event": "CPM"}
                    body |= {"frequency": 3, "frequency_schedule": 7, "schedule_type": "SCHEDULE_START_END"}
                yield _thing(campaign, status, body, group)

    def ads(self) -> Iterator[TikTokThing]:
        """Every ad that the platform still shows; of a Smart+ campaign each creative."""
        for campaign in self._profile.campaigns:
            for group in campaign.groups if campaign.id else ():
                # What stands apart is listed when it is asked for by itself.
                for ad in group.unlisted if campaign.apart else group.ads:
                    status = ad_status(self._profile, campaign, group, ad, self._today)
                    body = self._stamped(ad.flight[0], ad.status) | self._parents(campaign, group)
                    body |= _creative(ad) | {
                        "ad_id": ad.id,
                        "ad_name": ad.name,
                        "operation_status": status.operation,
                        "secondary_status": status.secondary,
                    }
                    if campaign.kind == SMART_PLUS:
                        del body["modify_time"]
                    yield _thing(campaign, status, body, group)

    def smart_ads(self) -> Iterator[TikTokThing]:
        """The ads of upgraded Smart+ campaigns, each with the creatives that `/ad/get/` calls ads."""
        for campaign in self._profile.campaigns:
            for group in campaign.groups if campaign.kind == SMART_PLUS else ():
                by_ad: dict[str, list[WorldAd]] = {}
                for ad in group.ads:
                    by_ad.setdefault(ad.creative["smart_plus_ad_id"], []).append(ad)
                for smart_id, creatives in by_ad.items():
                    yield self._smart_ad(campaign, group, smart_id, creatives)

    def _smart_ad(
        self, campaign: WorldCampaign, group: WorldAdGroup, smart_id: str, creatives: list[WorldAd]
    ) -> TikTokThing:
        first = creatives[0]
        states = [ad_status(self._profile, campaign, group, ad, self._today) for ad in creatives]
        status = next((state for state in states if state.primary == "STATUS_DELIVERY_OK"), states[0])
        texts = list(dict.fromkeys(ad.creative["ad_text"] for ad in creatives))
        actions = [ad.creative["call_to_action"] for ad in creatives if ad.creative["call_to_action"]]
        body = self._stamped(first.flight[0], first.status) | self._parents(campaign, group)
        body |= {
            "smart_plus_ad_id": smart_id,
            "ad_name": f"Smart+ {smart_id[-3:]}",
            "ad_text_list": [{"ad_text": text} for text in texts],
            "call_to_action_list": [{"call_to_action": action} for action in dict.fromkeys(actions)],
            "landing_page_url_list": [{"landing_page_url": url} for ad in creatives for url in _links(ad)[:1]],
            "creative_list": [_material(ad, state) for ad, state in zip(creatives, states, strict=True)],
            "operation_status": status.operation,
            "secondary_status": status.secondary,
        }
        return _thing(campaign, status, body, group)

    def _parents(self, campaign: WorldCampaign, group: WorldAdGroup) -> dict[str, Any]:
        return {
            "advertiser_id": self._profile.id,
            "campaign_id": campaign.id,
            "campaign_name": campaign.name,
            "campaign_automation_type": automation(campaign),
            "adgroup_id": group.id,
            "adgroup_name": group.name,
        }

    def _stamped(self, day: int, status: str) -> dict[str, Any]:
        """Created on a day of the world; what was deleted or paused was changed today, as nothing says when."""
        changed = self._today if status != "ACTIVE" else day
        return {"create_time": self._time(day), "modify_time": self._time(changed)}

    def _time(self, day: int) -> str:
        return f"{(self._world.first_day + timedelta(days=day)).isoformat()} 09:00:00"


def _thing(
    campaign: WorldCampaign, status: TikTokStatus, body: dict[str, Any], group: WorldAdGroup | None = None
) -> TikTokThing:
    ad_id = body.get("ad_id") or body.get("smart_plus_ad_id", "")
    return TikTokThing(campaign, status, body, group, ad_id, body["create_time"], body.get("modify_time", ""))


def _links(ad: WorldAd) -> list[str]:
    return ad.creative.get("landing_page_urls") or [ad.creative["landing_page_url"]]


def _creative(ad: WorldAd) -> dict[str, Any]:
    """An ad's own fields: a Spark ad has a post and no media, a catalog ad a product set and no media."""
    creative = ad.creative
    return {
        "ad_format": creative["ad_format"],
        "ad_text": creative["ad_text"],
        "ad_texts": None,
        "call_to_action": creative.get("call_to_action"),
        "call_to_action_id": creative.get("call_to_action_id"),
        "display_name": creative.get("display_name"),
        "identity_id": "7100000000000000009",
        "identity_type": creative.get("identity_type", "CUSTOMIZED_USER"),
        "image_ids": creative.get("image_ids", []),
        "video_id": creative.get("video_id"),
        "tiktok_item_id": creative.get("tiktok_item_id"),
        "catalog_id": creative.get("catalog_id"),
        "product_set_id": creative.get("product_set_id"),
        "landing_page_url": creative.get("landing_page_url"),
        "landing_page_urls": creative.get("landing_page_urls"),
        "profile_image_url": "https://p16.example/profile.jpg",
        "is_aco": False,
    }


def _material(ad: WorldAd, status: TikTokStatus) -> dict[str, Any]:
    """A creative of a Smart+ ad: joined to `/ad/get/` by its own id, never by its material's."""
    creative = ad.creative
    video = {"video_id": creative["video_id"], "file_name": f"{ad.name}.mp4"} if "video_id" in creative else None
    return {
        "smart_plus_creative_id": ad.id,
        "ad_material_id": f"9{ad.id[1:]}",
        "material_operation_status": status.operation,
        "creative_info": {
            "ad_format": creative["ad_format"],
            "material_name": ad.name,
            "video_info": video,
            "image_info": [{"web_uri": image} for image in creative.get("image_ids", [])],
            "tiktok_item_id": creative.get("tiktok_item_id"),
            "identity_type": creative.get("identity_type", "CUSTOMIZED_USER"),
        },
    }
