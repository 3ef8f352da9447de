"""Cross-platform campaigns: what an advertiser calls one campaign on several platforms, its arms, and what both hold.

A campaign and its arms are bound to objects of the client's ad accounts. No number is stored under their ids: they
stand for what is bound to them when somebody asks, of whatever day. Only an arm that nothing is bound to has numbers of
its own, which are pushed to it (`model.metrics.Level.ARM`).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from adweir.model.entities import SHOWN_OWN, Entity, Profile, own_profile_id
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.model.terms import Terms

STATUSES = ("pending", "active", "paused", "ended", "archived")
"""What a campaign or an arm may be said to be. It says so to people: no number depends on it."""


class Binding(Entity):
    """An object of a platform: a whole ad account, or a campaign, ad group or ad of it, with the objects that it is in.

    `ad_group_id` is "" for an ad of a platform that has no ad groups.
    """

    platform: Platform
    profile_id: str
    campaign_id: str = ""
    ad_group_id: str = ""
    ad_id: str = ""

    @property
    def level(self) -> Level:
        """What kind of object it is."""
        if self.ad_id:
            return Level.AD
        if self.ad_group_id:
            return Level.AD_GROUP
        return Level.CAMPAIGN if self.campaign_id else Level.ACCOUNT

    @property
    def path(self) -> tuple[str, ...]:
        """The ids from the platform down to the object: what lies in it begins with them."""
        ids = (str(self.platform), self.profile_id, self.campaign_id, self.ad_group_id, self.ad_id)
        return ids[: {Level.ACCOUNT: 2, Level.CAMPAIGN: 3, Level.AD_GROUP: 4}.get(self.level, 5)]

    @property
    def entity_id(self) -> str:
        """What metric rows call the object; of an ad account its own id."""
        if self.ad_id and self.ad_group_id:
            return f"{self.ad_group_id}~{self.ad_id}"
        return self.ad_id or self.ad_group_id or self.campaign_id or self.profile_id

    @property
    def own_ids(self) -> tuple[str, ...]:
        """What rows of the object are told apart by within its level of the ad account."""
        known = {Level.ACCOUNT: (), Level.CAMPAIGN: (self.campaign_id,), Level.AD_GROUP: (self.ad_group_id,)}
        return known.get(self.level, (self.ad_group_id, self.ad_id))

    def __str__(self) -> str:
        """As messages name it."""
        of = f"of {self.platform} {self.profile_id}"
        named = {Level.AD: self.ad_id, Level.AD_GROUP: self.ad_group_id, Level.CAMPAIGN: self.campaign_id}
        return f"{self.level} {named[self.level]} {of}" if self.level in named else f"the ad account {of[3:]}"


class Claim(NamedTuple):
    """A binding and whose it is; `arm_id` is "" for a campaign's own."""

    campaign_id: str
    arm_id: str
    binding: Binding

    @property
    def owner(self) -> str:
        """The id that has the binding."""
        return self.arm_id or self.campaign_id

    def may_share(self, other: "Claim") -> bool:
        """Whether the objects of both may lie in each other: an arm's in those of its own campaign."""
        return self.campaign_id == other.campaign_id and bool(self.arm_id) is not bool(other.arm_id)


class Arm(Entity):
    """One way in which a campaign is shown: a platform, a channel, a creative, a bid.

    `bid` is in millionths, in the currency of its campaign. Bindings are of the arm's platform; one without any takes
    pushed metrics by itself.
    """

    arm_id: str
    platform: Platform
    name: str = ""
    channel: str = ""
    creative: str = ""
    bid: int | None = None
    status: str = "active"
    bindings: tuple[Binding, ...] = ()
    created_at: str = ""
    updated_at: str = ""


class Campaign(Entity):
    """A cross-platform campaign of a client.

    `budget` is in millionths of `currency`; days are "" where nobody named one.
    `version` grows with each change of it or of its arms.
    """

    campaign_id: str
    account_id: str
    name: str
    status: str = "active"
    budget: int | None = None
    currency: str = ""
    start_date: str = ""
    end_date: str = ""
    bindings: tuple[Binding, ...] = ()
    arms: tuple[Arm, ...] = ()
    version: int = 1
    created_at: str = ""
    updated_at: str = ""

    def arm(self, arm_id: str) -> Arm | None:
        """One of its arms."""
        return next((arm for arm in self.arms if arm.arm_id == arm_id), None)

    @property
    def claims(self) -> Iterator[Claim]:
        """What it and its arms are bound to."""
        yield from (Claim(self.campaign_id, "", binding) for binding in self.bindings)
        yield from (Claim(self.campaign_id, arm.arm_id, binding) for arm in self.arms for binding in arm.bindings)


def clash(campaigns: Iterable[Campaign]) -> tuple[Claim, Claim] | None:
    """Two bindings of a client's campaigns that would count something twice; None without any.

    An object belongs to one campaign and to one arm at most, with all that lies in it. An arm may have a part of what
    its own campaign is bound to, or all of it.
    """
    by_path: dict[tuple[str, ...], list[Claim]] = {}
    for claim in (claim for campaign in campaigns for claim in campaign.claims):
        by_path.setdefault(claim.binding.path, []).append(claim)
    for path, found in by_path.items():
        around = [each for length in range(2, len(path)) for each in by_path.get(path[:length], ())]
        for place, claim in enumerate(found):
            for other in (*around, *found[:place]):
                if not claim.may_share(other):
                    return other, claim
    return None


OWN = Platform(SHOWN_OWN)
"""In the place of the platform of these hours: an arm's may be one that is not connected."""


def alone_profile(account_id: str, terms: Terms, platform: Platform = OWN) -> Profile:
    """The profile that has these hours; as answers show it, of an arm's `platform`."""
    ids = {"account_id": account_id, "profile_id": own_profile_id(account_id), "credential": ""}
    return Profile(**ids, platform=platform, name="", currency=terms.currency, timezone=terms.timezone)
