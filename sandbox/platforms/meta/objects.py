"""Meta's nodes: ad accounts, campaigns, ad sets, ads and creatives as the Graph API writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sandbox.outside import Outside
from sandbox.platforms.meta.filters import matches
from sandbox.platforms.meta.parameters import json_objects, names
from sandbox.platforms.meta.population import PLATFORM
from sandbox.world import WorldAd, WorldAdGroup, WorldCampaign, WorldProfile


class GraphNode(NamedTuple):
    """A node, its ad account, its kind (campaign, adset, ad, creative) and its parents' ids."""

    profile: WorldProfile
    kind: str
    fields: dict[str, Any]
    parents: tuple[str, ...]


class Nodes:
    """All nodes by id, built anew only when something happens: the world's clock changes nobody."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._world = outside.world
        self._changes, self._nodes = -1, dict[str, GraphNode]()

    def find(self, node: str) -> GraphNode | None:
        """A node by its id; ad accounts are not among them."""
        return self._current().get(node)

    def _current(self) -> dict[str, GraphNode]:
        changes = self._outside.changes
        if changes != self._changes:
            nodes: dict[str, GraphNode] = {}
            for profile in self._world.profiles:
                if profile.platform == PLATFORM:
                    nodes |= {node.fields["id"]: node for node in self._index(profile)}
            self._changes, self._nodes = changes, nodes
        return self._nodes

    def edge(self, profile: WorldProfile, parent: str, kind: str) -> list[dict[str, Any]]:
        """The nodes of a kind under an ad account (`act_…`), a campaign or an ad set."""
        return [
            node.fields
            for node in self._current().values()
            if node.profile is profile and node.kind == kind and (parent.startswith("act_") or parent in node.parents)
        ]

    def account(self, profile: WorldProfile) -> dict[str, Any]:
        """An ad account; money as text in minor units."""
        offset = self._world.now.astimezone(ZoneInfo(profile.timezone)).utcoffset() or timedelta()
        return {
            "id": f"act_{profile.id}",
            "account_id": profile.id,
            "name": profile.name,
            "currency": profile.currency,
            "timezone_name": profile.timezone,
            "timezone_offset_hours_utc": int(offset.total_seconds()) // 3600,
            "account_status": 1,
            "amount_spent": "0",
            "balance": "0",
            "business": {"id": "777000", "name": profile.name},
            "business_country_code": profile.country,
            "created_time": self._time(profile, -400),
        }

    def _time(self, profile: WorldProfile, day: int) -> str:
        """Midnight of a day, counted from the world's first, with the offset written without a colon."""
        date = self._world.first_day + timedelta(days=day)
        local = datetime.combine(date, time(), tzinfo=UTC).replace(tzinfo=ZoneInfo(profile.timezone))
        return local.strftime("%Y-%m-%dT%H:%M:%S%z")

    def _index(self, profile: WorldProfile) -> Iterator[GraphNode]:
        for campaign in profile.campaigns:
            yield GraphNode(profile, "campaign", self._campaign(profile, campaign), ())
            for group in campaign.groups:
                yield GraphNode(profile, "adset", self._adset(profile, campaign, group), (campaign.id,))
                for ad in group.ads:
                    parents = (campaign.id, group.id)
                    yield GraphNode(profile, "ad", self._ad(profile, campaign, group, ad), parents)
                    yield GraphNode(profile, "creative", {**ad.creative, "status": "ACTIVE"}, (*parents, ad.id))

    def _campaign(self, profile: WorldProfile, campaign: WorldCampaign) -> dict[str, Any]:
        return {
            "id": campaign.id,
            "name": campaign.name,
            "account_id": profile.id,
            "objective": campaign.objective,
            "status": campaign.status,
            "effective_status": campaign.status,
            "configured_status": campaign.status,
            "daily_budget": str(campaign.budget_minor),
            "buying_type": "AUCTION",
            "start_time": self._time(profile, -30),
            "created_time": self._time(profile, -40),
            "updated_time": self._time(profile, 0),
        }

    def _adset(self, profile: WorldProfile, campaign: WorldCampaign, group: WorldAdGroup) -> dict[str, Any]:
        return {
            "id": group.id,
            "name": group.name,
            "account_id": profile.id,
            "campaign_id": campaign.id,
            "status": group.status,
            "effective_status": group.status,
            "configured_status": group.status,
            "daily_budget": str(campaign.budget_minor // 4),
            "start_time": self._time(profile, -30),
            "optimization_goal": "OFFSITE_CONVERSIONS",
            "billing_event": "IMPRESSIONS",
            "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
            "attribution_spec": [
                {"event_type": "CLICK_THROUGH", "window_days": 7},
                {"event_type": "VIEW_THROUGH", "window_days": 1},
            ],
            "targeting": {"geo_locations": {"countries": [profile.country]}},
            "created_time": self._time(profile, -40),
            "updated_time": self._time(profile, 0),
        }

    def _ad(self, profile: WorldProfile, campaign: WorldCampaign, group: WorldAdGroup, ad: WorldAd) -> dict[str, Any]:
        return {
            "id": ad.id,
            "name": ad.name,
            "account_id": profile.id,
            "adset_id": group.id,
            "campaign_id": campaign.id,
            "status": ad.status,
            "effective_status": ad.status,
            "configured_status": ad.status,
            "created_time": self._time(profile, ad.flight[0]),
            "updated_time": self._time(profile, ad.flight[0]),
            "creative": ad.creative,
        }


def project(item: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """The wanted fields that the object has, and its id. `creative{a,b}` looks inside; a bare creative is its id."""
    found = {"id": item["id"]} if "id" in item else {}
    for field in fields:
        name, _, inner = field.partition("{")
        if name not in item:
            continue
        value = item[name]
        if isinstance(value, dict) and "id" in value:
            value = project(value, names({"f": inner.removesuffix("}")}, "f"))
        found[name] = value
    return found


def visible(item: dict[str, Any], params: dict[str, str], kind: str) -> bool:
    """Whether an edge lists the object: deleted and archived ones only when the request names their status."""
    status, asked = item.get("effective_status", "ACTIVE"), names(params, "effective_status")
    filtering = json_objects(params, "filtering")
    by_status = asked or any(str(c.get("field", "")).endswith("effective_status") for c in filtering)
    if not by_status and status in ("DELETED", "ARCHIVED"):
        return False
    if asked and status not in asked:
        return False
    for condition in filtering:
        name = str(condition.get("field", "")).removeprefix(f"{kind}.")
        if not matches(
            item.get(name.replace("campaign.id", "campaign_id").replace("adset.id", "adset_id")),
            str(condition.get("operator")),
            condition.get("value"),
        ):
            return False
    return True
