"""States follow from the days alone: whatever order they come in, and for each client by draws of its own."""

from __future__ import annotations

import random
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.agents.sources import DeliveredDay
from adweir.insight.agents.states import CampaignInput, campaign_states
from adweir.insight.agents.update import Prior
from adweir.model.campaigns import Arm, Campaign
from adweir.model.platforms import Platform
from adweir.store.findings.agents import AgentState

META = Platform("meta_ads")
NAMES = ("arm_a", "arm_b")
counts = st.none() | st.integers(0, 5000)
slots = st.tuples(counts, counts, counts.map(lambda each: each and each * 250_000), counts, counts)
delivered = st.dictionaries(st.tuples(st.integers(1, 60), st.sampled_from(["p1", "p2"])), slots, max_size=12)


def states(days: dict[str, list[DeliveredDay]], account_id: str = "acc_a", **more: Any) -> list[AgentState]:
    arms = tuple(Arm(arm_id=name, platform=META) for name in NAMES)
    campaign = Campaign(campaign_id="cmp_a", account_id=account_id, name="Summer", arms=arms)
    read: Any = SimpleNamespace(arms=days, contexts={}, through="2026-11-19")
    made = CampaignInput(campaign, read, {}, Prior(Decimal("0.02")), "2026-11-20T00:00:00.000000Z")
    return campaign_states(made, more.get("before", {}), "run_1", "2026-11-20T00:00:01.000000Z")


def a_day(age: int, profile: str, slot: Any) -> DeliveredDay:
    told = None if None in slot[1:3] else slot[1:3]
    return DeliveredDay(f"meta_ads#{profile}", f"2026-10-{age % 28 + 1:02d}", "EUR", age, age + 1, slot, told)


@given(st.lists(delivered, min_size=2, max_size=2), st.randoms(use_true_random=False))
def test_the_order_in_which_days_are_read_changes_no_state(found: list[Any], shuffler: random.Random) -> None:
    days = {
        name: [a_day(age, profile, slot) for (age, profile), slot in own.items()]
        for name, own in zip(NAMES, found, strict=True)
    }
    shuffled = {name: shuffler.sample(own, len(own)) for name, own in reversed(days.items())}

    assert states(shuffled) == states(days)


def test_another_client_with_the_same_days_has_other_draws_and_the_same_rates() -> None:
    days = {name: [a_day(1, "p1", (1000, 100, 3_000_000, 0, 0))] for name in NAMES}

    (mine, _), (theirs, _) = states(days), states(days, "acc_b")

    assert (mine.alpha, mine.beta) == (theirs.alpha, theirs.beta)
    assert mine.p_best != theirs.p_best


def test_states_of_the_same_input_are_not_made_again() -> None:
    days = {name: [a_day(1, "p1", (1000, 100, 3_000_000, 0, 0))] for name in NAMES}
    first, second = states(days)

    assert states(days, before={"arm_a": first}) == [second]
    assert states(days, before={"arm_a": first, "arm_b": second}) == []
