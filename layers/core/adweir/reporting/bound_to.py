"""Which cross-platform campaigns and arms a question is about, and what they stand for in an ad account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from adweir.model import limits
from adweir.model.campaigns import Arm, Binding, Campaign, Claim
from adweir.model.entities import Ad, AdCampaign, AdGroup, PlatformObject, Profile
from adweir.model.errors import Unprocessable
from adweir.model.ids import IdKind

ARM, CROSS_CAMPAIGN = "arm_id", "cross_campaign_id"
DIMENSIONS = frozenset({CROSS_CAMPAIGN, ARM})
"""What rows are said to belong to: a cross-platform campaign, an arm."""
FindCampaigns = Callable[[Iterable[str]], Mapping[str, Campaign]]
"""Campaigns by their ids and by those of their arms; unknown ids are left out."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class BoundTo:
    """Campaigns by id; `arms`: of them, these arms alone, None: all that they and their arms are bound to.

    `others`: what belongs to none of them is asked for, too.
    """

    campaigns: Mapping[str, Campaign]
    arms: frozenset[str] | None = None
    others: bool = False

    def both(self, other: BoundTo | None) -> BoundTo:
        """What this and the other have in common."""
        if other is None:
            return self
        campaigns = {name: each for name, each in self.campaigns.items() if name in other.campaigns}
        arms = self.arms if other.arms is None else other.arms if self.arms is None else self.arms & other.arms
        return BoundTo(campaigns, arms)

    def claims(self, profile: Profile) -> list[Claim]:
        """What they are bound to of an ad account. One that another client has by now has nothing of them."""
        found = (
            [Claim("", "", Binding(platform=profile.platform, profile_id=profile.profile_id))] if self.others else []
        )
        own = str(profile.platform), profile.profile_id
        found += [each for each in self._claims(profile.account_id) if each.binding.path[:2] == own]
        return found

    def keep_profile(self, profile: Profile) -> bool:
        """Whether anything of an ad account is bound."""
        return bool(self.claims(profile))

    def keep_object(self, item: PlatformObject, account_id: str) -> bool:
        """Whether an object is bound, or lies in what is."""
        return self.keep_path(_path_of(item), account_id)

    def keep_path(self, path: tuple[str, ...], account_id: str) -> bool:
        """The same of the ids that lead to it: platform, ad account, campaign, ad group, ad."""
        return any(path[: len(own)] == own for own in (each.binding.path for each in self._claims(account_id)))

    @property
    def alone(self) -> Iterator[tuple[Campaign, Arm]]:
        """The arms that have metrics by themselves: those that are bound to nothing."""
        for campaign in self.campaigns.values():
            for arm in campaign.arms:
                if not arm.bindings and (self.arms is None or arm.arm_id in self.arms):
                    yield campaign, arm

    def _claims(self, account_id: str) -> Iterator[Claim]:
        for campaign in self.campaigns.values():
            if campaign.account_id == account_id:
                yield from (each for each in campaign.claims if self.arms is None or each.arm_id in self.arms)


def read_bound(name: str, ids: frozenset[str], at: str, find: FindCampaigns) -> BoundTo | None:
    """The campaigns or arms that a filter names; None where it names campaigns of platforms. Raises Unprocessable."""
    kind = IdKind.ARM if name == ARM else IdKind.CAMPAIGN
    ours = {each for each in ids if kind.names(each)}
    if not ours and kind is IdKind.CAMPAIGN:
        return None
    if strange := sorted(ids - ours):
        what = f"{strange[0][:_SHOWN]!r} is no arm's id, arm_…"
        if kind is IdKind.CAMPAIGN:
            what = "cross-platform campaigns (cmp_…) and those of platforms are asked for apart"
        raise Unprocessable(what, [{"field": at, "message": what}])
    if len(ours) > limits.MAX_FILTER_CAMPAIGNS:
        message = f"at most {limits.MAX_FILTER_CAMPAIGNS} cross-platform campaigns or arms"
        raise Unprocessable(message, [{"field": at, "message": message}])
    found = find(sorted(ours))
    if unknown := sorted(ours - found.keys()):
        noun = "arm" if kind is IdKind.ARM else "cross-platform campaign"
        message = f"there is no {noun} {unknown[0][:_SHOWN]}: GET /api/v1/campaigns lists what there is"
        raise Unprocessable(message, [{"field": at, "message": message}])
    arms = frozenset(ours) if kind is IdKind.ARM else None
    return BoundTo({each.campaign_id: each for each in found.values()}, arms)


def within_campaigns(claims: Iterable[Claim], ids: frozenset[str]) -> list[Claim]:
    """What lies in these campaigns of the platform."""
    found = []
    for claim in claims:
        if claim.binding.campaign_id:
            found += [claim] if claim.binding.campaign_id in ids else []
        else:
            bindings = (claim.binding.model_copy(update={"campaign_id": each}) for each in sorted(ids))
            found += [claim._replace(binding=binding) for binding in bindings]
    return found


def _path_of(item: PlatformObject) -> tuple[str, ...]:
    ids = [str(item.platform), item.profile_id]
    if isinstance(item, AdCampaign):
        return (*ids, item.id)
    if isinstance(item, AdGroup):
        return (*ids, item.campaign_id, item.id)
    own = (item.id,) if isinstance(item, Ad) else ()
    return (*ids, item.campaign_id, item.ad_group_id, *own)
