"""Metrics that are pushed for a cross-platform campaign or an arm: what they are about.

Such an id stands for the one object that is bound to it on the platform of the address. An arm that is bound to nothing
takes the metric by itself, whatever the platform. Numbers of an id that stands for several objects belong to none of
them, so the sender has to name one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adweir.intake.doors.faults import FieldFault
from adweir.intake.doors.known import Known, NotRemembered
from adweir.intake.doors.push_format import Metric
from adweir.model import limits
from adweir.model.campaigns import Binding, Campaign, alone_profile
from adweir.model.datasets import Dataset
from adweir.model.deliveries import StatedHour
from adweir.model.entities import Account, Profile
from adweir.model.errors import TooLarge
from adweir.model.metrics import Level
from adweir.model.times import is_zone, local_hour
from adweir.store.catalog.campaigns import campaign_id_in

_DATASETS = {Level.CAMPAIGN: Dataset.CAMPAIGNS, Level.AD_GROUP: Dataset.AD_GROUPS, Level.AD: Dataset.ADS}
Stated = tuple[Metric, Profile, Level, StatedHour]
"""A metric, the profile and level that it is stored at, and its hour."""


class ResolvedCampaigns(NamedTuple):
    """`metrics`: those about objects of the platform, by their own ids. `stated`: those whose hours are known already.
    `faults`: what stands for nothing here, or for too much."""

    metrics: list[Metric]
    stated: list[Stated]
    faults: list[FieldFault]


class _MetricFault(Exception):
    """What is wrong with a field of a metric."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def resolve_campaigns(known: Known, metrics: Sequence[Metric]) -> ResolvedCampaigns:
    """What the metrics of a push that name a campaign or an arm are about; the others as they are.

    Raises TooLarge for too many campaigns, Unavailable, NotRemembered.
    """
    wanted = {metric.wanted for metric in metrics if metric.is_ours}
    if wanted and known.is_remembered:
        raise NotRemembered  # what is bound is read each time
    if len({campaign_id_in(each) for each in wanted}) > limits.MAX_PUSHED_CAMPAIGNS:
        most = f"a push names at most {limits.MAX_PUSHED_CAMPAIGNS} cross-platform campaigns, those of arms with them"
        raise TooLarge(f"{most}: send several")
    campaigns = known.catalog.named_campaigns(wanted)
    here = {id_: one for id_, one in campaigns.items() if known.account_id in {"", one.account_id}}
    owners = known.catalog.some_accounts({one.account_id for one in here.values()}) if here else {}
    own: dict[str, Profile] = {}
    found = ResolvedCampaigns([], [], [])
    for metric in metrics:
        if not metric.is_ours:
            found.metrics.append(metric)
            continue
        campaign = here.get(metric.wanted)
        owner = owners.get(campaign.account_id) if campaign else None
        if campaign is None or owner is None:
            found.faults.append(FieldFault(f"metrics[{metric.position}].{metric.field}", "is unknown here"))
            continue
        arm = campaign.arm(metric.wanted)
        try:
            if arm is not None and not arm.bindings:
                profile = _own_profile(known, owner, own)
                hour = hour_of(_in(profile, metric), profile, arm.arm_id, campaign_id=campaign.campaign_id)
                found.stated.append((metric, profile, Level.ARM, hour))
            else:
                _add_bound(found, known, metric, _only(known, metric, campaign))
        except _MetricFault as fault:
            found.faults.append(FieldFault(f"metrics[{metric.position}].{fault.field}", str(fault)))
    return found


def hour_of(metric: Metric, profile: Profile, entity_id: str, **parents: str) -> StatedHour:
    """What a metric states for an entity of a profile, whose time zone is known."""
    day, hour = local_hour(metric.instant, ZoneInfo(profile.timezone))
    impressions, clicks, conversions, spend, revenue = metric.slot
    return StatedHour(
        entity_id=entity_id,
        date=day.isoformat(),
        hour=hour,
        impressions=impressions,
        clicks=clicks,
        conversions=conversions,
        spend=spend,
        revenue=revenue,
        **parents,
    )


def _add_bound(found: ResolvedCampaigns, known: Known, metric: Metric, binding: Binding) -> None:
    """Add a metric about a bound object: by the platform's id, or the ad account as a whole. Raises _MetricFault."""
    if binding.level is Level.ACCOUNT:
        profile = known.profiles[binding.profile_id]
        hour = hour_of(_in(profile, metric), profile, profile.profile_id)
        found.stated.append((metric, profile, Level.ACCOUNT, hour))
        return
    dataset, wanted = _DATASETS[binding.level], binding.entity_id
    found.metrics.append(metric._replace(dataset=dataset, wanted=wanted, profile_id=binding.profile_id, is_ours=False))


def _only(known: Known, metric: Metric, campaign: Campaign) -> Binding:
    """The one object that a campaign or an arm stands for on this platform. Raises _MetricFault."""
    claims = (each for each in campaign.claims if metric.wanted in {each.campaign_id, each.arm_id})
    bound = _outermost(each.binding for each in claims)
    here = [each for each in bound if each.platform == known.platform and each.profile_id in known.profiles]
    if len(here) == 1 and known.profiles[here[0].profile_id].account_id == campaign.account_id:
        return here[0]
    if len(here) > 1:
        named = "arm_id or the object's own id" if metric.field == "campaign_id" else "the object's own id"
        raise _MetricFault(metric.field, f"stands for {len(here)} objects of {known.platform}: send {named}")
    platforms = ", ".join(sorted({str(each.platform) for each in bound})) or "nothing"
    raise _MetricFault(metric.field, f"stands for nothing of {known.platform} here: it is bound to {platforms}")


def _outermost(bindings: Iterable[Binding]) -> list[Binding]:
    known = {each.path: each for each in bindings}
    return [one for path, one in known.items() if not any(path[:length] in known for length in range(2, len(path)))]


def _own_profile(known: Known, account: Account, found: dict[str, Profile]) -> Profile:
    """The client's own profile, which has the metrics of arms that are bound to nothing."""
    if account.account_id not in found:
        found[account.account_id] = alone_profile(account.account_id, known.catalog.terms(account))
    return found[account.account_id]


def _in(profile: Profile, metric: Metric) -> Metric:
    """The metric, which has the profile's currency and can be dated in its time zone. Raises _MetricFault."""
    if metric.currency not in {"", profile.currency}:
        whose = "client" if profile.is_own else "profile"
        raise _MetricFault("currency", f"is not the {whose}'s, {profile.currency}")
    if not is_zone(profile.timezone):
        raise _MetricFault(metric.field, f"belongs to a profile with an unknown time zone, {profile.timezone}")
    return metric
