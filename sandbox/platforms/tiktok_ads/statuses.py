"""The statuses of campaigns, ad groups and ads (bububa/tiktok-business, enum/seconday_status.go).

Deletion shows in `secondary_status` alone: `operation_status` is ENABLE or DISABLE (FROZEN below the campaign).
"""

from __future__ import annotations

from sandbox.world import WorldAd, WorldAdGroup, WorldCampaign, WorldProfile

PREFIXES = {"campaign": "CAMPAIGN_STATUS", "adgroup": "ADGROUP_STATUS", "ad": "AD_STATUS"}
PRIMARY = (
    "STATUS_ALL", "STATUS_NOT_DELETE", "STATUS_DELETE", "STATUS_DELIVERY_OK", "STATUS_DISABLE", "STATUS_NOT_DELIVERY",
    "STATUS_TIME_DONE", "STATUS_FROZEN", "STATUS_RF_CLOSED",
)  # fmt: skip


class TikTokStatus:
    """A thing's status: `secondary` is the word after the level's prefix; `enabled` is its own switch."""

    def __init__(self, level: str, secondary: str, primary: str, *, enabled: bool) -> None:
        self.secondary = f"{PREFIXES[level]}_{secondary}"
        self.primary = primary
        self.operation = "ENABLE" if enabled else "DISABLE"

    @property
    def deleted(self) -> bool:
        """Whether it, or a parent of it, was deleted."""
        return self.primary == "STATUS_DELETE"

    def passes(self, primary: str) -> bool:
        """Whether a filter on the primary status lets it through."""
        if primary in ("STATUS_ALL", "STATUS_NOT_DELETE"):
            return primary == "STATUS_ALL" or not self.deleted
        return self.primary == primary


def _own(status: str) -> str:
    return {"DELETED": "DELETE", "PAUSED": "DISABLE", "ARCHIVED": "DISABLE"}.get(status, "")


def campaign_status(profile: WorldProfile, campaign: WorldCampaign) -> TikTokStatus:
    """A campaign's; those of a limited advertiser wait for its audit."""
    own = _own(campaign.status)
    if own:
        return TikTokStatus("campaign", own, f"STATUS_{own}", enabled=own != "DISABLE")
    if profile.kind != "STATUS_ENABLE":
        return TikTokStatus("campaign", "ADVERTISER_AUDIT_DENY", "STATUS_NOT_DELIVERY", enabled=True)
    return TikTokStatus("campaign", "ENABLE", "STATUS_DELIVERY_OK", enabled=True)


def group_status(profile: WorldProfile, campaign: WorldCampaign, group: WorldAdGroup) -> TikTokStatus:
    """An ad group's: its campaign's fate stands before its own."""
    parent, own = campaign_status(profile, campaign), _own(group.status)
    for who, word in (("CAMPAIGN_", _own(campaign.status)), ("", own)):
        if word == "DELETE":
            return TikTokStatus("adgroup", f"{who}DELETE", "STATUS_DELETE", enabled=own != "DISABLE")
    for who, word in (("CAMPAIGN_", _own(campaign.status)), ("", own)):
        if word:
            return TikTokStatus("adgroup", f"{who}DISABLE", "STATUS_DISABLE", enabled=own != "DISABLE")
    if parent.primary == "STATUS_NOT_DELIVERY":
        return TikTokStatus("adgroup", "ADVERTISER_AUDIT_DENY", "STATUS_NOT_DELIVERY", enabled=True)
    return TikTokStatus("adgroup", "DELIVERY_OK", "STATUS_DELIVERY_OK", enabled=True)


def ad_status(
    profile: WorldProfile, campaign: WorldCampaign, group: WorldAdGroup, ad: WorldAd, today: int
) -> TikTokStatus:
    """An ad's, on a day counted from the world's first: in review before its flight, paused after it."""
    parent, own = group_status(profile, campaign, group), _own(ad.status)
    enabled = own != "DISABLE" and today <= ad.flight[1]
    if parent.deleted or own == "DELETE":
        who = "CAMPAIGN_" if campaign.status == "DELETED" else "ADGROUP_" if group.status == "DELETED" else ""
        return TikTokStatus("ad", f"{who}DELETE", "STATUS_DELETE", enabled=enabled)
    if parent.primary == "STATUS_DISABLE":
        who = "CAMPAIGN_" if "CAMPAIGN" in parent.secondary else "ADGROUP_"
        return TikTokStatus("ad", f"{who}DISABLE", "STATUS_DISABLE", enabled=enabled)
    if not enabled:
        return TikTokStatus("ad", "DISABLE", "STATUS_DISABLE", enabled=False)
    if parent.primary == "STATUS_NOT_DELIVERY":
        return TikTokStatus("ad", "ADVERTISER_AUDIT_DENY", "STATUS_NOT_DELIVERY", enabled=True)
    if today < ad.flight[0]:
        return TikTokStatus("ad", "AUDIT", "STATUS_NOT_DELIVERY", enabled=True)
    return TikTokStatus("ad", "DELIVERY_OK", "STATUS_DELIVERY_OK", enabled=True)
