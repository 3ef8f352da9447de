"""What changed lately (`change_status`): the question, and which campaigns to pull again.

Google keeps changes for 90 days, shows the latest one of each resource, up to three minutes late, and demands both
bounds of the time and a LIMIT of at most 10,000 (Google Ads API, "Change Status", `ChangeStatusError`). It does not
know every kind of resource, so it is a reason to look at once, and the daily lists stay complete.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from adweir.model.entities import ChangedCampaign
from adweir.model.metrics import BadRow
from adweir.platforms import json_items, json_text
from adweir.platforms.connector import ObjectBatch, PullContext
from adweir.platforms.google_ads import SPEC
from adweir.platforms.json_items import UNREADABLE

LOOK_BACK = timedelta(days=2)
"""What changed before came with a daily run."""
MOST_ROWS = 10_000
"""With as many there may be more: then the ad account is pulled as a whole."""
MOST_SINGLY = 3
"""Campaigns that are pulled one by one; a list costs one operation, whether it is one campaign's or all."""
_SHOWN = frozenset(
    {
        "CAMPAIGN",
        "CAMPAIGN_BUDGET",
        "CAMPAIGN_CRITERION",
        "AD_GROUP",
        "AD_GROUP_AD",
        "AD_GROUP_CRITERION",
        "ASSET_GROUP",
        "UNKNOWN",
        "UNSPECIFIED",
    }
)
"""Kinds of resources that a list of objects shows, or that may be one of them."""
_FORM = "%Y-%m-%d %H:%M:%S"


class ChangeStatus(msgspec.Struct, gc=False, rename="camel"):
    last_change_date_time: str
    resource_type: str = ""
    campaign: str = ""


class _ChangeRow(msgspec.Struct, gc=False, rename="camel"):
    change_status: ChangeStatus


_change = msgspec.json.Decoder(_ChangeRow).decode


def question(now: datetime) -> str:
    """The question at this moment, which is in the ad account's time zone, as Google's times are."""
    since, until = ((now - LOOK_BACK).strftime(_FORM), now.strftime(_FORM))
    return (
        "SELECT change_status.resource_name, change_status.last_change_date_time, change_status.resource_type,"  # noqa: S608
        " change_status.resource_status, change_status.campaign FROM change_status"
        f" WHERE change_status.last_change_date_time >= '{since}'"
        f" AND change_status.last_change_date_time <= '{until}'"
        f" ORDER BY change_status.last_change_date_time LIMIT {MOST_ROWS}"
    )


def batch(body: bytes, context: PullContext) -> ObjectBatch:
    """The campaigns to pull again, each with its latest change; one without an id stands for the ad account."""
    latest: dict[str, str] = {}
    found = ObjectBatch([], [])
    raws = json_items.items(body, "results") or []
    for line, raw in enumerate(raws, 1):
        try:
            change = _change(json_text.without_half_pairs(bytes(raw))).change_status
            campaign = _campaign(change)
        except (ValueError, *UNREADABLE) as error:
            found.bad.append(BadRow(line, json_items.loose(raw), [json_items.fault(error)]))
            continue
        if change.resource_type in _SHOWN:
            latest[campaign] = max(latest.get(campaign, ""), change.last_change_date_time)
    if latest and ("" in latest or len(latest) > MOST_SINGLY or len(raws) >= MOST_ROWS):
        latest = {"": max(latest.values())}
    found.objects.extend(_changed(campaign, moment, context) for campaign, moment in sorted(latest.items()))
    return found


def _campaign(change: ChangeStatus) -> str:
    """The id of a change's campaign; "" for one that has none, such as that of a budget which campaigns share."""
    campaign = change.campaign.rpartition("/")[2]
    if campaign and not (campaign.isdecimal() and campaign.isascii()):
        raise ValueError("changeStatus.campaign", f"not a campaign: {change.campaign[:60]!r}")
    return campaign


def _changed(campaign: str, moment: str, context: PullContext) -> ChangedCampaign:
    return ChangedCampaign(
        platform=SPEC.name,
        profile_id=context.profile_id,
        id=campaign,
        changed_at=moment[:40],
        as_of=context.as_of,
    )
