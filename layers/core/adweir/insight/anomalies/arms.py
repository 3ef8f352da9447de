"""The arms of cross-platform campaigns among what is watched of an ad account: what they have of it, and where they
stand among its campaigns and ads.

An arm that is bound in several ad accounts is watched in each: currencies, days and when they settle are the account's.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from adweir.insight.anomalies.watched import WatchedEntity
from adweir.model.campaigns import Arm, Campaign, Claim
from adweir.model.entities import Profile
from adweir.model.metrics import Level

EntityKey = tuple[Level, str]
_Path = tuple[str, ...]
_RUNNING = "active"


class WatchedArms:
    """Those that are bound to something of an ad account; of others nothing can be summed."""

    def __init__(self, campaigns: Iterable[Campaign], profile: Profile) -> None:
        own = str(profile.platform), profile.profile_id
        self._account = Level.ACCOUNT, profile.profile_id
        self.claims: list[Claim] = []
        self._by_arm: dict[str, _BoundArm] = {}
        for campaign in campaigns:
            for claim in campaign.claims:
                arm = campaign.arm(claim.arm_id)
                if arm is not None and claim.binding.path[:2] == own:
                    self.claims.append(claim)
                    self._by_arm.setdefault(claim.arm_id, _BoundArm(campaign, arm, [])).claims.append(claim)
        self._by_path = {claim.binding.path: claim.arm_id for claim in self.claims}
        self._entities = {arm_id: self._placed(arm_id, found) for arm_id, found in self._by_arm.items()}

    @cached_property
    def mark(self) -> str:
        """What they are bound to, as text: another one when that was changed. "" without any."""
        return repr(sorted((claim.arm_id, claim.binding.path) for claim in self.claims)) if self.claims else ""

    @property
    def levels(self) -> frozenset[Level]:
        """Those of the objects that they are bound to."""
        return frozenset(claim.binding.level for claim in self.claims)

    def only(self, arm_id: str) -> list[Claim]:
        """What one of them is bound to here."""
        return self._by_arm[arm_id].claims if arm_id in self._by_arm else []

    def entity(self, arm_id: str) -> WatchedEntity:
        """One of them, as a part of the campaigns that it lies in, or has a part of, and of the ad account."""
        return self._entities[arm_id]

    def around_campaign(self, campaign_id: str) -> tuple[EntityKey, ...]:
        """What a campaign is part of, the nearest first."""
        return *self._around((*self._beginning, campaign_id)), self._account

    def around_ad(self, campaign_id: str, group_id: str, ad_id: str) -> tuple[EntityKey, ...]:
        """What an ad is part of, the nearest first; ids without their group's."""
        arms = self._around((*self._beginning, campaign_id, group_id, ad_id))
        campaign = ((Level.CAMPAIGN, campaign_id),) if campaign_id else ()
        is_within = any(campaign[0] in self.entity(arm_id).parents for _, arm_id in arms if campaign)
        return (*arms, *campaign, self._account) if is_within else (*campaign, *arms, self._account)

    def name(self, arm_id: str) -> str:
        """What people call it: its campaign's name with its own."""
        found = self._by_arm[arm_id]
        return ": ".join(filter(None, (found.campaign.name, found.arm.name or found.arm.channel)))

    def is_said_off(self, arm_id: str) -> bool:
        """Whether somebody said that it does not run."""
        return self._by_arm[arm_id].arm.status != _RUNNING

    def objects(self, arm_id: str) -> list[list[EntityKey]]:
        """Of each object that it is bound to: that one, and those that it is in."""
        return [_chain(claim) for claim in self.only(arm_id)]

    def _placed(self, arm_id: str, found: _BoundArm) -> WatchedEntity:
        whole = found.claims[0].binding
        itself = ((Level.AD, whole.entity_id),) if found.is_one_object and whole.level is Level.AD else ()
        parts_of = {each.binding.campaign_id for each in found.claims if not found.is_whole(each)} - {""}
        campaigns = ((Level.CAMPAIGN, each) for each in sorted(parts_of))
        return WatchedEntity(Level.ARM, arm_id, (*itself, *campaigns, self._account))

    @property
    def _beginning(self) -> _Path:
        return self.claims[0].binding.path[:2] if self.claims else ("", "")

    def _around(self, path: _Path) -> tuple[EntityKey, ...]:
        """The arm that an object lies in. One that is a single object of the platform is a part of that one instead."""
        for length in range(len(path), 1, -1) if self._by_path else ():
            arm_id = self._by_path.get(path[:length])
            if arm_id is not None and not self._by_arm[arm_id].is_one_object:
                return ((Level.ARM, arm_id),)
        return ()


class _BoundArm(NamedTuple):
    """An arm, and what it is bound to in the ad account."""

    campaign: Campaign
    arm: Arm
    claims: list[Claim]

    @property
    def is_one_object(self) -> bool:
        """Whether it is just what another watched series is: an ad, a campaign, or the ad account."""
        return len(self.claims) == 1 and self.claims[0].binding.level is not Level.AD_GROUP

    def is_whole(self, claim: Claim) -> bool:
        """Whether an object is neither within a campaign nor all that the arm has: the arm contains it."""
        level = claim.binding.level
        return level is Level.ACCOUNT or (level is Level.CAMPAIGN and not self.is_one_object)


def _chain(claim: Claim) -> list[EntityKey]:
    one = claim.binding
    ids = {Level.CAMPAIGN: one.campaign_id, Level.AD_GROUP: one.ad_group_id, Level.AD: one.ad_id and one.entity_id}
    return [(level, name) for level, name in ids.items() if name]
