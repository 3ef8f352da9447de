"""Meta's nodes by id: who exists, and who is whose parent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from sandbox.outside import Outside
from sandbox.platforms.meta.describe import Describe, business_id
from sandbox.platforms.meta.invoices import BusinessInvoices
from sandbox.platforms.meta.population import PLATFORM
from sandbox.world import WorldAd, WorldProfile


class GraphNode(NamedTuple):
    """A node, its ad account, its kind (vocabulary.NODE_TYPES) and its parents' ids."""

    profile: WorldProfile
    kind: str
    fields: dict[str, Any]
    parents: tuple[str, ...]


class Nodes:
    """All nodes by id, built anew only when something happens: the world's clock changes nobody."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._invoices = BusinessInvoices(outside)
        self._changes, self._nodes = -1, dict[str, GraphNode]()

    def find(self, node: str) -> GraphNode | None:
        """A node by its id (an ad account's with `act_`), or None."""
        if node.startswith("act_"):
            profile = self._outside.world.profile(PLATFORM, node[4:])
            return None if profile is None else self.account(profile)
        return self._current().get(node) or self._of_business(node)

    def account(self, profile: WorldProfile) -> GraphNode:
        """An ad account's node; what it says of its time zone follows the clock."""
        return GraphNode(profile, "account", Describe(self._outside.world, profile, {}).account(), ())

    def business(self, profile: WorldProfile) -> GraphNode:
        """The node of the business that owns an ad account."""
        return GraphNode(profile, "business", Describe(self._outside.world, profile, {}).business(), ())

    def invoices(self, business: GraphNode, params: Mapping[str, str]) -> list[GraphNode]:
        """The invoices of a business that a request asks for. Raises Meta's errors."""
        found = self._invoices.listed(business.profile, params)
        return [GraphNode(business.profile, "invoice", fields, ()) for fields in found]

    def _of_business(self, node: str) -> GraphNode | None:
        """A business or one of its invoices; the clock makes new ones."""
        for profile in self._outside.world.profiles:
            if profile.platform == PLATFORM and business_id(profile) == node:
                return self.business(profile)
        found = self._invoices.find(node)
        return None if found is None else GraphNode(found[0], "invoice", found[1], ())

    def below(self, parent: GraphNode, kind: str) -> list[GraphNode]:
        """The nodes of a kind under a node."""
        own = parent.fields["id"]
        return [
            node
            for node in self._current().values()
            if node.profile is parent.profile
            and node.kind == kind
            and (parent.kind == "account" or own in node.parents)
        ]

    def _current(self) -> dict[str, GraphNode]:
        changes = self._outside.changes
        if changes != self._changes:
            nodes: dict[str, GraphNode] = {}
            for profile in self._outside.world.profiles:
                if profile.platform == PLATFORM:
                    nodes |= {node.fields["id"]: node for node in self._index(profile)}
            self._changes, self._nodes = changes, nodes
        return self._nodes

    def _index(self, profile: WorldProfile) -> Iterator[GraphNode]:
        touched = {
            str(event["ad_id"]): date.fromisoformat(event["day"])
            for event in self._outside.state.happenings
            if event["profile_id"] == profile.id and event.get("ad_id")
        }
        describe = Describe(self._outside.world, profile, touched)
        for campaign in profile.campaigns:
            yield GraphNode(profile, "campaign", describe.campaign(campaign), ())
            for group in campaign.groups:
                yield GraphNode(profile, "adset", describe.adset(campaign, group), (campaign.id,))
                for ad in group.ads:
                    parents = (campaign.id, group.id)
                    yield GraphNode(profile, "ad", describe.ad(campaign, group, ad), parents)
                    yield GraphNode(profile, "creative", describe.creative(ad), (*parents, ad.id))
                    yield from _media(profile, describe, ad)


def _media(profile: WorldProfile, describe: Describe, ad: WorldAd) -> Iterator[GraphNode]:
    """The images and the video that an ad's creative shows."""
    creative = ad.creative
    hashes = [image["hash"] for image in creative.get("asset_feed_spec", {}).get("images", [])]
    for image_hash in [*hashes, *([creative["image_hash"]] if "image_hash" in creative else [])]:
        yield GraphNode(profile, "image", describe.image(image_hash), ())
    if "video_id" in creative:
        yield GraphNode(profile, "video", describe.video(creative["video_id"], ad.name), ())
