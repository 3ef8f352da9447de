"""Meta's objects as Graph writes them: ad accounts, campaigns, ad sets, ads, images and videos."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.platforms.meta.statuses import effective_status
from sandbox.world import World, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile


def business_id(profile: WorldProfile) -> str:
    """The id of the business that owns an ad account."""
    return f"777{profile.id[-6:]}"


class Describe:
    """Writes the objects of one ad account. References to other nodes are their ids.

    `touched`: by an ad's id, the day of the last thing that happened to it.
    """

    def __init__(self, world: World, profile: WorldProfile, touched: Mapping[str, date]) -> None:
        self._world, self._profile, self._touched = world, profile, touched

    def account(self) -> dict[str, Any]:
        """The ad account; money as text in minor units."""
        profile = self._profile
        offset = self._world.now.astimezone(ZoneInfo(profile.timezone)).utcoffset() or timedelta()
        return {
            "id": f"act_{profile.id}",
            "account_id": profile.id,
            "name": profile.name,
            "currency": profile.currency,
            "timezone_id": 1,
            "timezone_name": profile.timezone,
            "timezone_offset_hours_utc": int(offset.total_seconds()) // 3600,
            "account_status": 1,
            "disable_reason": 0,
            "amount_spent": "0",
            "balance": "0",
            "spend_cap": "0",
            "age": 400,
            "business": self.business(),
            "business_name": profile.name,
            "business_country_code": profile.country,
            "created_time": self._midnight(-400),
        }

    def business(self) -> dict[str, Any]:
        """The business that owns the ad account."""
        return {"id": business_id(self._profile), "name": self._profile.name}

    def campaign(self, campaign: WorldCampaign) -> dict[str, Any]:
        """A campaign."""
        return {
            "id": campaign.id,
            "name": campaign.name,
            "objective": campaign.objective,
            **self._statuses(campaign.status, effective_status(campaign)),
            "daily_budget": str(campaign.budget_minor),
            "budget_remaining": str(campaign.budget_minor),
            "buying_type": "AUCTION",
            "special_ad_categories": [],
            "start_time": self._midnight(-30),
            "created_time": self._midnight(-40),
            "updated_time": self._midnight(0),
        }

    def adset(self, campaign: WorldCampaign, group: WorldAdGroup) -> dict[str, Any]:
        """An ad set; it sells, or it gathers leads."""
        sells = self._profile.traits.sells
        return {
            "id": group.id,
            "name": group.name,
            "campaign_id": campaign.id,
            "campaign": campaign.id,
            **self._statuses(group.status, effective_status(campaign, group)),
            "daily_budget": str(campaign.budget_minor // 4),
            "budget_remaining": str(campaign.budget_minor // 4),
            "start_time": self._midnight(-30),
            "optimization_goal": "OFFSITE_CONVERSIONS" if sells else "LEAD_GENERATION",
            "billing_event": "IMPRESSIONS",
            "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
            "attribution_spec": [
                {"event_type": "CLICK_THROUGH", "window_days": 7},
                {"event_type": "VIEW_THROUGH", "window_days": 1},
            ],
            "targeting": {"geo_locations": {"countries": [self._profile.country]}},
            "created_time": self._midnight(-40),
            "updated_time": self._midnight(0),
        }

    def ad(self, campaign: WorldCampaign, group: WorldAdGroup, ad: WorldAd) -> dict[str, Any]:
        """An ad; it was created on the day on which it began."""
        created = self._midnight(max(0, ad.flight[0]))
        changed = self._touched.get(ad.id)
        return {
            "id": ad.id,
            "name": ad.name,
            "adset_id": group.id,
            "adset": group.id,
            "campaign_id": campaign.id,
            "campaign": campaign.id,
            **self._statuses(ad.status, effective_status(campaign, group, ad)),
            "created_time": created,
            "updated_time": self._midnight_of(changed) if changed else created,
            "creative": ad.creative["id"],
        }

    def creative(self, ad: WorldAd) -> dict[str, Any]:
        """An ad's creative."""
        return {**ad.creative, "account_id": self._profile.id, "status": "ACTIVE"}

    def image(self, image_hash: str) -> dict[str, Any]:
        """An image of the ad account's library."""
        return {
            "id": f"{self._profile.id}:{image_hash}",
            "account_id": self._profile.id,
            "hash": image_hash,
            "name": f"{image_hash[:8]}.jpg",
            "url": f"https://img.example/{image_hash}.jpg",
            "permalink_url": f"https://img.example/{image_hash}",
            "width": 1080,
            "height": 1080,
            "original_width": 2160,
            "original_height": 2160,
            "status": "ACTIVE",
            "created_time": self._midnight(-40),
            "updated_time": self._midnight(-40),
        }

    def video(self, video_id: str, title: str) -> dict[str, Any]:
        """A video of the ad account's library."""
        return {
            "id": video_id,
            "title": title,
            "description": title,
            "length": 15.0,
            "source": f"https://video.example/{video_id}.mp4",
            "picture": f"https://video.example/{video_id}.jpg",
            "permalink_url": f"/999/videos/{video_id}/",
            "created_time": self._midnight(-40),
            "updated_time": self._midnight(-40),
        }

    def _statuses(self, own: str, effective: str) -> dict[str, str]:
        account = self._profile.id
        return {"account_id": account, "status": own, "configured_status": own, "effective_status": effective}

    def _midnight(self, day: int) -> str:
        """Midnight of a day, counted from the world's first, with the offset written without a colon."""
        return self._midnight_of(self._world.first_day + timedelta(days=day))

    def _midnight_of(self, day: date) -> str:
        local = datetime.combine(day, time(), tzinfo=UTC).replace(tzinfo=ZoneInfo(self._profile.timezone))
        return local.strftime("%Y-%m-%dT%H:%M:%S%z")
