"""Ad accounts, campaigns, ad groups and ads, by pages.

Source: the description's operations ad_accounts/list and get, campaigns/list, ad_groups/list, ads/list, and schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.pinterest_ads.advertisers import PLATFORM
from sandbox.platforms.pinterest_ads.errors import invalid
from sandbox.platforms.pinterest_ads.login import PinterestGrant
from sandbox.platforms.pinterest_ads.parameters import ids, listed, one_of, page_of
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import WorldAd, WorldAdGroup, WorldCampaign, WorldProfile

_STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT")
_SUMMARIES = {"ACTIVE": "RUNNING", "PAUSED": "PAUSED", "ARCHIVED": "ARCHIVED"}
_CREATED = 1_640_995_200
"""When the ad accounts were created: 2022-01-01."""
Item = dict[str, Any]


class _Placed(NamedTuple):
    """An ad account's object with its parents, those that it has."""

    campaign: WorldCampaign
    group: WorldAdGroup | None = None
    ad: WorldAd | None = None


class PinterestLists:
    """Answers questions for objects."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def ad_accounts(self, request: PlatformRequest, grant: PinterestGrant) -> Response:
        """`GET /ad_accounts`."""
        return self._answer(request, [_account(profile) for profile in grant.profiles.values()], "")

    def ad_account(self, _request: PlatformRequest, profile: WorldProfile) -> Response:
        """`GET /ad_accounts/{id}`."""
        return json_answer(_account(profile))

    def campaigns(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """`GET /ad_accounts/{id}/campaigns`."""
        placed = [_Placed(campaign) for campaign in profile.campaigns]
        return self._listed(request, profile, placed, _campaign)

    def ad_groups(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """`GET /ad_accounts/{id}/ad_groups`: by campaigns or by ids, not both."""
        if listed(request, "campaign_ids") and listed(request, "ad_group_ids"):
            raise invalid("provide only campaign_ids or ad_group_ids")
        placed = [_Placed(campaign, group) for campaign in profile.campaigns for group in campaign.groups]
        return self._listed(request, profile, placed, _ad_group)

    def ads(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """`GET /ad_accounts/{id}/ads`."""
        return self._listed(request, profile, [_Placed(*placed) for placed in profile.ads()], _ad)

    def _listed(
        self,
        request: PlatformRequest,
        profile: WorldProfile,
        placed: Sequence[_Placed],
        shown: Callable[[WorldProfile, _Placed], Item],
    ) -> Response:
        found = _chosen(request, "campaign_ids", placed, lambda one: one.campaign.id)
        found = _chosen(request, "ad_group_ids", found, lambda one: one.group.id if one.group else "")
        found = _chosen(request, "ad_ids", found, lambda one: one.ad.id if one.ad else "")
        statuses = listed(request, "entity_statuses") or ["ACTIVE", "PAUSED"]
        if not set(statuses) <= set(_STATUSES):
            raise invalid(f"'entity_statuses' has a value that is not one of {', '.join(_STATUSES)}")
        items = [item for item in (shown(profile, one) for one in found) if item["status"] in statuses]
        descending = one_of(request, "order", ("", "ASCENDING", "DESCENDING")) == "DESCENDING"
        items.sort(key=lambda item: int(item["id"]), reverse=descending)
        if items and self._outside.switches.take("new_value", PLATFORM, profile.id) is not None:
            items[0] |= {"status": "UNHEARD_OF", "summary_status": "UNHEARD_OF"}
        return self._answer(request, items, profile.id)

    def _answer(self, request: PlatformRequest, items: Sequence[Item], profile_id: str) -> Response:
        looping = self._outside.switches.take("looping_pages", PLATFORM, profile_id) is not None
        page, bookmark = page_of(request, items, looping=looping)
        return json_answer({"items": page, "bookmark": bookmark})


def _chosen(
    request: PlatformRequest, name: str, placed: Iterable[_Placed], of: Callable[[_Placed], str]
) -> Iterator[_Placed]:
    wanted = ids(request, name)
    return (one for one in placed if not wanted or of(one) in wanted)


def _account(profile: WorldProfile) -> Item:
    return {
        "id": profile.id,
        "name": profile.name,
        "owner": {"username": "shop", "id": f"9{profile.id}"},
        "country": profile.country,
        "currency": profile.currency,
        "permissions": ["OWNER"],
        "created_time": _CREATED,
        "updated_time": _CREATED,
    }


def _campaign(profile: WorldProfile, placed: _Placed) -> Item:
    campaign = placed.campaign
    return {
        "id": campaign.id,
        "ad_account_id": profile.id,
        "name": campaign.name,
        "status": campaign.status,
        "summary_status": _SUMMARIES[campaign.status],
        "objective_type": campaign.objective,
        "daily_spend_cap": campaign.budget_minor * profile.minor_micros,
        "lifetime_spend_cap": None,
        "is_campaign_budget_optimization": True,
        "created_time": _CREATED,
        "updated_time": _CREATED,
        "type": "campaign",
    }


def _ad_group(profile: WorldProfile, placed: _Placed) -> Item:
    group = placed.group
    assert group is not None  # noqa: S101 - ad groups are placed as such
    return {
        "id": group.id,
        "ad_account_id": profile.id,
        "campaign_id": placed.campaign.id,
        "name": group.name,
        "status": group.status,
        "summary_status": _SUMMARIES[group.status],
        "budget_in_micro_currency": None,
        "created_time": _CREATED,
        "updated_time": _CREATED,
        "type": "adgroup",
    }


def _ad(profile: WorldProfile, placed: _Placed) -> Item:
    campaign, group, ad = placed
    assert group is not None and ad is not None  # noqa: S101, PT018 - ads are placed in both
    thing = str(ad.creative["thing"]).replace(" ", "-")
    return {
        "id": ad.id,
        "ad_account_id": profile.id,
        "campaign_id": campaign.id,
        "ad_group_id": group.id,
        "name": ad.name,
        "status": ad.status,
        "summary_status": "APPROVED" if ad.status == "ACTIVE" else ad.status,
        "review_status": "APPROVED",
        "creative_type": ad.creative["creative_type"],
        "pin_id": ad.creative["pin"],
        "destination_url": f"https://shop.example/{thing}?utm_source=pinterest&utm_campaign={campaign.id}",
        "created_time": _CREATED + ad.flight[0] * 86_400,
        "updated_time": _CREATED,
        "type": "pinpromotion",
    }
