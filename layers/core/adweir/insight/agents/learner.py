"""What `learn` does for a client: the states of its arms, anew from all stored days; those that changed are stored.

A campaign's states are made of the same input, whose hash they carry: where all of them have it already, nothing is
written. So a worker that died among them leaves the rest to the next one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from adweir.insight.agents.delays import FALLBACK, KnownLag, curve_of
from adweir.insight.agents.sources import ClientDays, Days
from adweir.insight.agents.states import CampaignInput, campaign_states
from adweir.insight.agents.update import DelayCurve, Evidence, evidence, prior_of
from adweir.model.errors import NotReady, TooLarge
from adweir.model.log import log
from adweir.model.metrics import METRICS
from adweir.model.times import Clock, is_zone, iso
from adweir.reporting.restatement import LagMeasure

if TYPE_CHECKING:
    from adweir.model.entities import Profile
    from adweir.reporting.query import Queries
    from adweir.reporting.views import MetricsHistory
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings.agents import AgentStates

_CONVERSIONS = METRICS.index("conversions")


class LearnParts(NamedTuple):
    """What a learner works with."""

    catalog: Catalog
    queries: Queries
    metrics: MetricsHistory
    store: AgentStates
    clock: Clock


class Learner:
    """Learns the arms of clients. Repeated with the same days, it stores nothing."""

    def __init__(self, parts: LearnParts) -> None:
        self._parts = parts
        self._lags = LagMeasure(parts.queries, parts.metrics)

    def learn(self, account_id: str, remaining: Callable[[], float], margin: float, run_id: str = "") -> dict[str, int]:
        """Have the states of a client's arms be what its stored days say: counts of its `arms`, of the states that were
        `stored`, and of those that were `outdated`, since somebody stored one of a later time.

        Raises NotReady when less than `margin` seconds are left (the same call goes on), TooLarge, Unavailable.
        """

        def check() -> None:
            if remaining() < margin:
                raise NotReady("the learning of arms goes on in another invocation", after=1)

        parts, counts = self._parts, {"arms": 0, "stored": 0, "outdated": 0}
        campaigns = [each for each in parts.catalog.campaigns_of(account_id) if each.arms]
        if not campaigns:
            return counts
        as_of = iso(parts.clock.now())
        every = parts.catalog.profiles(account_id=account_id)
        profiles = sorted(
            (each for each in every if each.has_ads and is_zone(each.timezone)), key=lambda each: each.key
        )
        days = ClientDays(parts.queries, campaigns, check)
        curves = self._curves(profiles, check)
        for profile in profiles:
            days.add(profile)
        days.add_alone()
        prior = prior_of(evidence_of(days.accounts, curves))
        for campaign in campaigns:
            check()
            stored, outdated = self._keep(CampaignInput(campaign, days, curves, prior, as_of), run_id)
            counts["arms"] += len(campaign.arms)
            counts["stored"] += stored
            counts["outdated"] += outdated
        return counts

    def _keep(self, given: CampaignInput, run_id: str) -> tuple[int, int]:
        """Store what changed of a campaign: how many states were stored, and how many not since they are outdated."""
        before = self._parts.store.of(given.campaign.campaign_id)
        known = (before.get(arm.arm_id) for arm in given.campaign.arms)
        if all(each is not None and each.input_hash == given.hashed for each in known):
            return 0, 0
        states = campaign_states(given, before, run_id, iso(self._parts.clock.now()))
        kept = [self._parts.store.put(each) for each in states]
        return sum(kept), len(kept) - sum(kept)

    def _curves(self, profiles: Sequence[Profile], check: Callable[[], None]) -> dict[str, DelayCurve]:
        """By platform."""
        measured: dict[str, list[list[KnownLag]]] = defaultdict(list)
        for profile in profiles:
            check()
            measured[str(profile.platform)].append(self._measured(profile))
        return {platform: curve_of(found) for platform, found in measured.items()}

    def _measured(self, profile: Profile) -> list[KnownLag]:
        """What is known of an ad account's delays, measured once on each of its days."""
        store, day = self._parts.store, self._parts.queries.today(profile).isoformat()
        known = store.delays(profile.key, day)
        if known is None:
            try:
                sums = self._lags.sums(profile)
            except TooLarge as error:
                log.warning("the delays of %s are not measured: %s", profile.key, error.message)
                sums = []
            known = [[each.after, each.days, each.known[_CONVERSIONS], each.final[_CONVERSIONS]] for each in sums]
            store.put_delays(profile.key, day, known)
        return [KnownLag(*each) for each in known]


def evidence_of(days: Days, curves: Mapping[str, DelayCurve]) -> Evidence:
    """What days of any platforms say."""
    by_platform: dict[str, Days] = defaultdict(list)
    for each in days:
        by_platform[each.platform].append(each)
    found = Evidence()
    for platform, some in sorted(by_platform.items()):
        learned = (each.learned for each in some)
        found = found.plus(evidence((each for each in learned if each), curves.get(platform, FALLBACK)))
    return found
