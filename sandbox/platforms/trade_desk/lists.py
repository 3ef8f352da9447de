"""Queries, single entities and deltas of partners, advertisers, campaigns, ad groups, creatives and pixels.

Source: the official delta samples (`LastChangeTrackingVersion`, `ReturnEntire…`, `More…Available`, `ElementIds`);
clients of the `/query/` endpoints. Without `Availabilities` a query answers what is available, a delta everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.trade_desk.bodies import PAGING, Body, body_of, page, text, texts
from sandbox.platforms.trade_desk.entities import DeskEntities, Entity, advertiser_entity, partner_entity, tag_entities
from sandbox.platforms.trade_desk.errors import forbidden, invalid
from sandbox.platforms.trade_desk.login import DeskGrant
from sandbox.platforms.trade_desk.population import PLATFORM
from sandbox.web import PlatformRequest, broken_off, json_answer
from sandbox.world import WorldProfile

_FIRST_VERSION = 361_335_703
_DELTA_PAGE = 100
_AVAILABILITIES = ("Available", "Archived")


class _Kind(NamedTuple):
    """An entity: the name of its id and label, its plural in deltas, and how an advertiser's are found."""

    id: str
    name: str
    plural: str
    found: Callable[[DeskEntities], list[Entity]]


KINDS = {
    "campaign": _Kind("CampaignId", "CampaignName", "Campaigns", DeskEntities.campaigns),
    "adgroup": _Kind("AdGroupId", "AdGroupName", "AdGroups", DeskEntities.ad_groups),
    "creative": _Kind("CreativeId", "CreativeName", "Creatives", DeskEntities.creatives),
}


class DeskLists:
    """What the token's partner and its advertisers contain."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def partners(self, request: PlatformRequest, grant: DeskGrant) -> Response:
        """`POST /partner/query`."""
        body = body_of(request, PAGING)
        return self.paged([partner_entity(grant.partner)], body, lambda entry: str(entry["PartnerName"]), "")

    def partner(self, _request: PlatformRequest, grant: DeskGrant, entity_id: str) -> Response:
        """`GET /partner/{id}`."""
        if entity_id != grant.partner.id:
            raise forbidden()
        return json_answer(partner_entity(grant.partner))

    def advertisers(self, request: PlatformRequest, grant: DeskGrant) -> Response:
        """`POST /advertiser/query/partner`."""
        body = body_of(request, PAGING | {"PartnerId", "Availabilities"})
        _own_partner(grant, text(body, "PartnerId"))
        found = _available([advertiser_entity(profile) for profile in grant.profiles], body)
        return self.paged(found, body, lambda entry: str(entry["AdvertiserName"]), "")

    def advertiser(self, _request: PlatformRequest, grant: DeskGrant, entity_id: str) -> Response:
        """`GET /advertiser/{id}`."""
        profile = grant.advertiser(entity_id)
        if self._outside.switches.take("access_denied", PLATFORM, profile.id) is not None:
            raise forbidden()
        return json_answer(advertiser_entity(profile))

    def query(self, request: PlatformRequest, grant: DeskGrant, kind: str, parent: str) -> Response:
        """`POST /{kind}/query/{parent}`, where the parent is an advertiser or a campaign."""
        described, named = KINDS[kind], {"advertiser": "AdvertiserId", "campaign": "CampaignId"}[parent]
        body = body_of(request, PAGING | {named, "Availabilities"})
        parent_id = text(body, named)
        profile = grant.advertiser(parent_id) if parent == "advertiser" else _owner(grant, parent_id)
        found = [entry for entry in described.found(self._entities(profile)) if entry[named] == parent_id]
        return self.paged(_available(found, body), body, lambda entry: str(entry[described.name]), profile.id)

    def one(self, _request: PlatformRequest, grant: DeskGrant, kind: str, entity_id: str) -> Response:
        """`GET /{kind}/{id}`."""
        for profile in grant.profiles:
            for entry in KINDS[kind].found(self._entities(profile)):
                if entry[KINDS[kind].id] == entity_id:
                    return json_answer(entry)
        raise forbidden()

    def tags(self, request: PlatformRequest, grant: DeskGrant) -> Response:
        """`POST /trackingtag/query/advertiser`."""
        body = body_of(request, PAGING | {"AdvertiserId"})
        profile = grant.advertiser(text(body, "AdvertiserId"))
        return self.paged(tag_entities(profile), body, lambda entry: str(entry["TrackingTagName"]), profile.id)

    def flights(self, request: PlatformRequest, grant: DeskGrant) -> Response:
        """`POST /campaignflight/query/campaign`."""
        body = body_of(request, PAGING | {"CampaignId"})
        profile = _owner(grant, text(body, "CampaignId"))
        found = self._entities(profile).flights(body["CampaignId"])
        return self.paged(found, body, lambda entry: str(entry["CampaignFlightId"]), profile.id)

    def delta(self, request: PlatformRequest, grant: DeskGrant, kind: str) -> Response:
        """`POST /delta/{kind}/query/advertiser`: what changed since a version; without one, everything."""
        described = KINDS[kind]
        entire = f"ReturnEntire{described.plural[:-1]}"
        body = body_of(request, {"AdvertiserId", entire, "LastChangeTrackingVersion", "IncludeTemplates"})
        profile = grant.advertiser(text(body, "AdvertiserId"))
        found = described.found(self._entities(profile))
        return self._changed(body, entire, described.plural, [(entry[described.id], entry) for entry in found], profile)

    def advertiser_delta(self, request: PlatformRequest, grant: DeskGrant) -> Response:
        """`POST /delta/advertiser/query/partner`."""
        entire = "ReturnEntireAdvertiser"
        body = body_of(request, {"PartnerId", entire, "LastChangeTrackingVersion"})
        _own_partner(grant, text(body, "PartnerId"))
        found = [(profile.id, advertiser_entity(profile)) for profile in grant.profiles]
        return self._changed(body, entire, "Advertisers", found, None)

    def paged(self, found: list[Entity], body: Body, name: Callable[[Entity], str], profile_id: str) -> Response:
        """A page of a list, shorter or broken off when a switch says so."""
        new = self._outside.switches.take("new_value", PLATFORM, profile_id) if profile_id and found else None
        if new is not None:
            found = [{**found[0], "Availability": "NeverHeardOf"}, *found[1:]]
        short = self._outside.switches.take("short_pages", PLATFORM, profile_id)
        answer = page(found, body, name, **({} if short is None else {"most": int(short.get("rows", 1))}))
        return self._sent(answer, profile_id, more=body["PageStartIndex"] + answer["ResultCount"] < len(found))

    def _sent(self, answer: Body, profile_id: str, *, more: bool) -> Response:
        whole = json_answer(answer)
        cut = more and self._outside.switches.take("truncated_paging", PLATFORM, profile_id) is not None
        return broken_off(whole) if cut else whole

    def _entities(self, profile: WorldProfile) -> DeskEntities:
        if self._outside.switches.take("access_denied", PLATFORM, profile.id) is not None:
            raise forbidden()
        swap = self._outside.switches.take("swapped_columns", PLATFORM, profile.id)
        return DeskEntities(self._outside.world, profile, swap)

    def _changed(
        self, body: Body, entire: str, plural: str, found: list[tuple[str, Entity]], profile: WorldProfile | None
    ) -> Response:
        since = body.get("LastChangeTrackingVersion")
        if since is not None and (isinstance(since, bool) or not isinstance(since, int)):
            raise invalid(LastChangeTrackingVersion="The property must be a number.")
        versions = self._versions([entity_id for entity_id, _ in found], profile)
        newer = sorted(
            (versions[entity_id], entity_id, entry) for entity_id, entry in found if versions[entity_id] > (since or 0)
        )
        last = newer[:_DELTA_PAGE][-1][0] if newer else since or _FIRST_VERSION
        page_of = [change for change in newer if change[0] <= last]  # what changed together comes together
        answer = {
            plural: [entry for _, _, entry in page_of] if body.get(entire) else None,
            "ElementIds": None if body.get(entire) else [entity_id for _, entity_id, _ in page_of],
            f"More{plural}Available": len(newer) > len(page_of),
            "LastChangeTrackingVersion": last,
        }
        return self._sent(answer, profile.id if profile else "", more=len(newer) > len(page_of))

    def _versions(self, ids: list[str], profile: WorldProfile | None) -> dict[str, int]:
        """When each entity last changed: at the beginning one after the other, then with what happened to it."""
        versions = {entity_id: _FIRST_VERSION - len(ids) + place for place, entity_id in enumerate(ids)}
        for place, event in enumerate(self._outside.state.happenings, 1):
            if event["platform"] != PLATFORM or (profile is not None and event["profile_id"] != profile.id):
                continue
            touched = {str(event[name]) for name in ("ad_id", "ad_group_id") if name in event}
            if profile is not None:
                touched |= {g.id for c in profile.campaigns for g in c.groups if any(ad.id in touched for ad in g.ads)}
            if event["kind"] == "currency":
                touched |= set(ids) if profile is not None else {event["profile_id"]}
            versions |= dict.fromkeys(touched & set(ids), _FIRST_VERSION + place)
        return versions


def _own_partner(grant: DeskGrant, partner_id: str) -> None:
    if partner_id != grant.partner.id:
        raise forbidden()


def _owner(grant: DeskGrant, campaign_id: str) -> WorldProfile:
    """The advertiser of a campaign. Raises 403."""
    for profile in grant.profiles:
        if any(campaign.id == campaign_id for campaign in profile.campaigns):
            return profile
    raise forbidden()


def _available(found: list[Entity], body: Body) -> list[Entity]:
    """Those of the availabilities that the body names; by default what is available."""
    wanted = texts(body, "Availabilities") or ["Available"]
    if not set(wanted) <= set(_AVAILABILITIES):
        raise invalid(Availabilities=f"The property must be of {', '.join(_AVAILABILITIES)}.")
    return [entry for entry in found if entry["Availability"] in wanted]
