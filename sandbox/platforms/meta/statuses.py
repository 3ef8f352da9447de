"""What an object's parents make of its status, and which statuses a listing hides (Manage Your Ad Object's Status)."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.platforms.meta.filters import Condition
from sandbox.world import WorldAd, WorldAdGroup, WorldCampaign

GONE = frozenset({"DELETED", "ARCHIVED"})
DELIVERY_INFO = {"ACTIVE": "active", "ARCHIVED": "archived", "DELETED": "deleted"}
"""Every other effective status is `inactive`."""
STATUS_FILTERS = frozenset({"effective_status", "configured_status", "status", "delivery_info", "delivery_status"})
_NAMING = frozenset({"IN", "EQUAL", "CONTAIN", "CONTAINS_ANY"})


def effective_status(campaign: WorldCampaign, group: WorldAdGroup | None = None, ad: WorldAd | None = None) -> str:
    """Objects below a paused, archived or deleted one inherit that; their own end goes first."""
    own = ad or group or campaign
    if own.status in GONE:
        return own.status
    if campaign.status in GONE:
        return campaign.status
    if group is not None and group.status in GONE:
        return group.status
    if own.status != "ACTIVE" or own is campaign:
        return own.status
    if campaign.status == "PAUSED":
        return "CAMPAIGN_PAUSED"
    return "ADSET_PAUSED" if ad is not None and group is not None and group.status == "PAUSED" else own.status


def delivery_info(status: str) -> str:
    """An effective status as `delivery_info` and `delivery_status` call it."""
    return DELIVERY_INFO.get(status, "inactive")


def hidden_statuses(kind: str, conditions: Sequence[Condition]) -> frozenset[str]:
    """The statuses of objects of a kind that are left out because no condition names them."""
    named = {
        str(value).upper()
        for c in conditions
        if c.kind in ("", kind) and c.name in STATUS_FILTERS and c.operator in _NAMING
        for value in (c.value if isinstance(c.value, list) else [c.value])
    }
    return GONE - named
