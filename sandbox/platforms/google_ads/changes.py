"""change_status: when each ad, keyword, ad group and campaign was last changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.outside import Outside
from sandbox.world import WorldProfile

_TABLES = {
    "CAMPAIGN": "campaigns", "AD_GROUP": "adGroups", "AD_GROUP_AD": "adGroupAds", "ASSET_GROUP": "assetGroups",
    "AD_GROUP_CRITERION": "adGroupCriteria",
}  # fmt: skip


def changes(outside: Outside, profile: WorldProfile) -> Iterator[tuple[str, dict[str, Any]]]:
    """The latest change of each object, with its resource name: what happened to it, else when it began or ended.

    `last_change_date_time` is in the account's time zone, with microseconds.
    """
    world = outside.world
    now, first_day = world.now, world.first_day
    happened: dict[str, tuple[date, str]] = {}
    for event in outside.state.happenings:
        if event["profile_id"] == profile.id and "ad_id" in event:
            kind = "REMOVED" if event["kind"] in ("delete", "archive") else "CHANGED"
            happened[event["ad_id"]] = (date.fromisoformat(event["day"]), kind)
    names = f"customers/{profile.id}"
    for campaign in profile.campaigns:
        about = {"campaign": f"{names}/campaigns/{campaign.id}"}
        yield _change(profile, "CAMPAIGN", campaign.id, first_day, about, _status(campaign.status))
        for group in campaign.groups:
            if not group.hidden:
                inside = about | {"ad_group": f"{names}/adGroups/{group.id}"}
                yield _change(profile, "AD_GROUP", group.id, first_day, inside, _status(group.status))
            elif campaign.product == "PERFORMANCE_MAX":
                inside = about | {"asset_group": f"{names}/assetGroups/{group.id}"}
                yield _change(profile, "ASSET_GROUP", group.id, first_day, inside, "ADDED")
            for keyword in group.keywords:
                one = inside | {"ad_group_criterion": f"{names}/adGroupCriteria/{keyword.id}"}
                yield _change(profile, "AD_GROUP_CRITERION", keyword.id, first_day, one, "ADDED")
            for ad in group.ads:
                key = f"{group.id}~{ad.id}"
                begun = first_day + timedelta(days=ad.flight[0] if 0 <= ad.flight[0] < 1_000_000 else 0)
                day, kind = happened.get(ad.id, (begun, "ADDED"))
                one = inside | {"ad_group_ad": f"{names}/adGroupAds/{key}"}
                if datetime.combine(day, time(9), UTC) <= now:
                    yield _change(profile, "AD_GROUP_AD", key, day, one, kind)


def _status(status: str) -> str:
    return "ADDED" if status in ("ACTIVE", "PAUSED") else "REMOVED"


def _change(
    profile: WorldProfile, kind: str, key: str, day: date, about: dict[str, str], operation: str
) -> tuple[str, dict[str, Any]]:
    local = datetime.combine(day, time(9), UTC).astimezone(ZoneInfo(profile.timezone))
    name = f"customers/{profile.id}/changeStatus/{int(local.timestamp())}-{_TABLES[kind]}-{key}"
    return name, {
        "last_change_date_time": local.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "resource_type": kind,
        "resource_status": operation,
        **about,
    }
