"""Assets, and where they are linked: to ads (ad_group_ad_asset_view) and to asset groups (asset_group_asset)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from sandbox.platforms.google_ads.places import GooglePlace, Label, PlaceShare, labelled, parts
from sandbox.world import Numbers, WorldProfile

_MOST_ACCOUNTS = 64
"""Ad accounts whose assets are kept; what happens to an ad account changes none."""


@lru_cache(maxsize=_MOST_ACCOUNTS)
def asset_labels(profile: WorldProfile) -> Mapping[str, Label]:
    """Every ad's and asset group's assets: their attributes by their resource names."""
    found: dict[str, Label] = {}
    for _, _, ad in profile.delivering():
        for asset, paths in ad.creative["assets"].items():
            name = f"customers/{profile.id}/assets/{asset}"
            values = {path: value for path, value in paths.items() if value is not None}
            found[name] = labelled("asset", name, id=int(asset), **values)
    return found


def ad_assets(profile: WorldProfile, place: GooglePlace) -> dict[str, list[Label]]:
    """By field, the links of an ad's assets."""
    found: dict[str, list[Label]] = {}
    if place.group is None or place.ad is None:
        return found
    key = f"{place.group.id}~{place.ad.id}"
    for asset, field in place.ad.creative.get("fields", {}).items():
        name = f"customers/{profile.id}/adGroupAdAssetViews/{key}~{asset.rpartition('/')[2]}~{field}"
        values = {"asset": asset, "field_type": field, "enabled": place.ad.status in ("ACTIVE", "PAUSED")}
        values |= {"performance_label": "GOOD" if field == "HEADLINE" else "LEARNING", "source": "ADVERTISER"}
        values |= {"ad_group_ad": f"customers/{profile.id}/adGroupAds/{key}"}
        link = labelled("ad_group_ad_asset_view", name, **values)
        found.setdefault(field, []).append(link + asset_labels(profile)[asset])
    return found


def group_assets(profile: WorldProfile, place: GooglePlace) -> dict[str, list[Label]]:
    """By field, the links of an asset group's assets."""
    found: dict[str, list[Label]] = {}
    if place.group is None or place.campaign is None or place.campaign.product != "PERFORMANCE_MAX":
        return found
    for asset, field in place.group.unlisted[0].creative["fields"].items():
        name = f"customers/{profile.id}/assetGroupAssets/{place.group.id}~{asset.rpartition('/')[2]}~{field}"
        values = {"asset": asset, "field_type": field, "status": "ENABLED", "performance_label": "GOOD"}
        values |= {"asset_group": f"customers/{profile.id}/assetGroups/{place.group.id}"}
        found.setdefault(field, []).append(labelled("asset_group_asset", name, **values) + asset_labels(profile)[asset])
    return found


def by_ad_asset(profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Assets of an ad. An impression shows one of every field, so the assets of all fields sum to more than the ad."""
    return _by_field(ad_assets(profile, place), place, numbers)


def by_group_asset(profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Assets of an asset group; they too sum to more than it has."""
    return _by_field(group_assets(profile, place), place, numbers)


def _by_field(links: Mapping[str, list[Label]], place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    for labels in links.values():
        yield from parts(place, numbers, {label: len(labels) - at for at, label in enumerate(labels)})
