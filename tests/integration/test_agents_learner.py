"""What `learn` knows of arms is what their stored days say, and nothing but that."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adweir.model import limits
from adweir.model.campaigns import Arm, Binding
from adweir.model.datasets import Dataset
from adweir.model.errors import NotReady, TooLarge
from adweir.model.metrics import Level, MetricRow
from adweir.platforms.base import datasets
from support.agents_world import TODAY, AgentsWorld, arm, sold
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.reading_world import LOSSY, SERVED, ChosenPlatforms, a_profile, served

pytestmark = pytest.mark.usefixtures("tables")
GOOD, BAD = arm("good", "c1"), arm("bad", "c2")
ONE_DAY = [sold("c1", 1000, 60), sold("c2", 1000, 20)]


def numbers(world: AgentsWorld) -> dict[str, dict[str, Any]]:
    """The states but for when, by whom and how often they were made."""
    made = {"as_of", "run_id", "version", "last_updated"}
    found = {name: asdict(state) for name, state in world.states.items()}
    for each in found.values():
        if each["contextual_state"]:
            each["contextual_state"].pop("as_of")
    return {name: {key: value for key, value in each.items() if key not in made} for name, each in found.items()}


def test_given_days_when_learned_then_the_planted_rates_are_found_and_the_sums_are_exact() -> None:
    world = AgentsWorld(GOOD, BAD)
    world.pull([*ONE_DAY, sold("c3", 500, 5)])

    assert world.learn() == {"arms": 2, "stored": 2, "outdated": 0}

    good, bad = world.states["arm_good"], world.states["arm_bad"]
    assert (good.trials, good.rewards, good.impressions) == (1000, "60", 10_000)
    assert (good.spending, good.currency, good.spending_by_currency) == ("333.333", "USD", {"USD": "333.333"})
    assert (good.days, good.first, good.last, good.through) == (1, "2026-09-21", "2026-09-21", "2026-11-19")
    weight = Decimal("0.99") ** 59
    account = (weight * 85 + 1) / (weight * 2500 + 50)
    assert good.prior == {"mean": f"{round(account, 12)}", "trials": 50, "source": "account"}
    assert abs(Decimal(good.alpha) - (50 * account + weight * 60)) < Decimal("0.00001")
    assert abs(Decimal(good.beta) - (50 - 50 * account + weight * 940)) < Decimal("0.00001")
    assert Decimal(good.effective_trials) == round(weight * 1000, 6)
    assert Decimal(good.p_best) > Decimal("0.99") > Decimal(bad.risk_score) - 1  # type: ignore[arg-type]
    assert Decimal(good.allocation) + Decimal(bad.allocation) == 1  # type: ignore[arg-type]
    assert (good.version, good.run_id) == (1, "run_1")


def test_given_nothing_new_when_learned_again_then_nothing_is_drawn_or_written(monkeypatch: pytest.MonkeyPatch) -> None:
    world = AgentsWorld(GOOD, BAD)
    world.pull(ONE_DAY)
    world.learn()
    before = world.states
    monkeypatch.setattr("adweir.insight.agents.learner.campaign_states", None)

    assert world.learn(run_id="run_2") == {"arms": 2, "stored": 0, "outdated": 0}

    assert world.states == before


def test_given_a_restatement_when_learned_then_it_is_as_if_the_first_numbers_had_never_been_there() -> None:
    world, other = AgentsWorld(GOOD, BAD), AgentsWorld(GOOD, BAD)
    world.pull(ONE_DAY, lag=40)
    world.learn()
    restated = [sold("c1", 990, 30), sold("c2", 1000, 20)]
    world.pull(restated, lag=50)

    assert world.learn()["stored"] == 2

    found = numbers(world)
    assert (world.states["arm_good"].rewards, world.states["arm_good"].version) == ("30", 2)
    other.store = type(world.store)(world.clock)
    other.pull(restated, lag=50)
    other.learn()
    assert numbers(other) == found


deliveries = st.lists(
    st.tuples(
        st.sampled_from(["c1", "c2"]), st.integers(1, 20), st.integers(0, 3000), st.integers(0, 60), st.integers(1, 30)
    ),
    min_size=1,
    max_size=8,
)
"""Campaign, days ago, clicks, conversions, days after which it was pulled."""


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries, st.randoms(use_true_random=False))
def test_pulls_that_come_shuffled_and_twice_leave_what_the_newest_of_each_day_says(
    tables: None, found: list[tuple[str, int, int, int, int]], shuffler: Any
) -> None:
    pulls: dict[tuple[int, int], list[MetricRow]] = {}
    for name, ago, clicks, conversions, lag in found:
        rows = {row.entity_id: row for row in pulls.get((ago, lag), [])}
        rows[name] = sold(name, clicks, conversions, ago=ago)
        pulls[ago, min(lag, ago)] = list(rows.values())
    in_order = sorted(pulls.items(), key=lambda each: each[0][1])
    twice = shuffler.sample(in_order * 2, 2 * len(in_order))

    learned = []
    for order in (in_order, twice):
        world = AgentsWorld(GOOD, BAD)
        for (_, lag), brought in order:
            world.pull(brought, lag=lag)
        for each in ("arm_good", "arm_bad"):
            world.store._drop("agents#cmp_a", each)
        world.learn()
        learned.append(numbers(world))

    assert learned[0] == learned[1]


def test_given_a_state_that_was_read_later_when_an_older_run_ends_then_it_stays() -> None:
    world = AgentsWorld(GOOD, BAD)
    world.pull(ONE_DAY)
    world.learn()
    newer = world.states
    world.pull([sold("c1", 1000, 600), sold("c2", 1000, 20)], lag=61)
    slow = FrozenClock(world.clock.now() - timedelta(minutes=1))

    assert world.learn(clock=slow) == {"arms": 2, "stored": 0, "outdated": 2}

    assert world.states == newer
    assert world.learn()["stored"] == 2


def test_given_a_worker_that_died_among_the_states_then_the_next_one_stores_the_rest() -> None:
    world = AgentsWorld(GOOD, BAD)
    world.pull(ONE_DAY)
    world.learn()
    whole = numbers(world)
    world.store._drop("agents#cmp_a", "arm_bad")

    assert world.learn()["stored"] == 1

    assert numbers(world) == whole


def test_the_day_that_passes_makes_new_states() -> None:
    world = AgentsWorld(GOOD, BAD)
    world.pull(ONE_DAY)
    world.learn()
    before = Decimal(world.states["arm_good"].effective_trials)
    world.reading.now += timedelta(days=1)

    assert world.learn()["stored"] == 2

    assert Decimal(world.states["arm_good"].effective_trials) < before


def test_a_day_is_corrected_by_when_it_was_pulled_not_by_how_old_it_is() -> None:
    world = AgentsWorld(GOOD, BAD)
    world.pull([sold("c1", 1000, 21), sold("c2", 1000, 20)], lag=1)

    world.learn()

    state = world.states["arm_good"]
    assert (state.delay["measured"], state.delay["known"]["1"]) == (False, "0.350000")
    assert Decimal(state.effective_trials) == round(Decimal("0.99") ** 59 * 350, 6)


def test_given_restatements_that_were_seen_then_the_curve_is_the_ad_account_s_own() -> None:
    """Given 60 days, each pulled the day after it with half of its conversions, and again when it is settled."""
    world = AgentsWorld(GOOD, BAD)
    for ago in range(89, 29, -1):
        day = (TODAY - timedelta(days=ago)).isoformat()
        for lag, conversions in ((1, 5), (2, 8), (28, 10), (29, 10)):
            row = sold("c1", 200, conversions, ago=ago)
            whole = MetricRow("p1", day, *row.slot, currency="USD")
            world.pull([whole], level=Level.ACCOUNT, lag=lag)
            if lag in {1, 29}:
                world.pull([row], lag=lag)

    world.learn()

    state = world.states["arm_good"]
    assert state.delay["measured"]
    assert state.delay["known"] == {
        "1": "0.500000",
        "3": "0.800000",
        "7": "0.800000",
        "14": "0.800000",
        "28": "1.000000",
    }
    assert world.store.delays("meta_ads#p1", "2026-11-20") is not None


def test_delays_are_measured_once_on_each_day(monkeypatch: pytest.MonkeyPatch) -> None:
    world, measured = AgentsWorld(GOOD, BAD), Mock(return_value=[])
    monkeypatch.setattr("adweir.reporting.restatement.LagMeasure.sums", measured)
    world.pull(ONE_DAY)
    for _ in range(3):
        world.learn()
    assert measured.call_count == 1

    world.reading.now += timedelta(days=1)
    world.learn()

    assert measured.call_count == 2


def test_delays_that_are_too_many_to_measure_are_those_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    world = AgentsWorld(GOOD, BAD)
    monkeypatch.setattr("adweir.reporting.restatement.LagMeasure.sums", Mock(side_effect=TooLarge("too many rows")))
    world.pull(ONE_DAY)

    world.learn()

    assert not world.states["arm_good"].delay["measured"]


def test_unknown_conversions_are_no_days_without_conversions() -> None:
    world = AgentsWorld(GOOD, BAD)
    unknown = sold("c1", 5000, 0, ago=61)
    unknown.conversions = None
    world.pull([*ONE_DAY, unknown])

    world.learn()

    state = world.states["arm_good"]
    assert (state.days, state.unknown_days, state.trials) == (2, 1, 6000)
    assert Decimal(state.effective_trials) == round(Decimal("0.99") ** 59 * 1000, 6)


def test_conversions_beyond_clicks_are_said_and_not_learned() -> None:
    world = AgentsWorld(GOOD, BAD)
    world.pull([sold("c1", 10, 25), sold("c2", 1000, 20)])

    world.learn()

    assert (world.states["arm_good"].rewards, world.states["arm_good"].beyond_clicks) == ("25", "15")
    assert Decimal(world.states["arm_good"].alpha) < 11


def test_an_arm_that_is_said_not_to_run_has_no_share_and_the_others_have_all() -> None:
    world = AgentsWorld(GOOD, arm("bad", "c2", status="paused"))
    world.pull(ONE_DAY)

    world.learn()

    paused = world.states["arm_bad"]
    assert (paused.p_best, paused.allocation, paused.risk_score) == (None, None, None)
    assert paused.trials == 1000
    assert (world.states["arm_good"].p_best, world.states["arm_good"].allocation) == ("1", "1.000000")


def test_an_arm_without_days_is_what_the_account_says_and_has_no_context() -> None:
    world = AgentsWorld(GOOD, arm("new", "c9"))
    world.pull(ONE_DAY)

    world.learn()

    state = world.states["arm_new"]
    assert (state.contextual_state, state.spending, state.trials, state.days) == (None, None, 0, 0)
    assert Decimal(state.alpha) + Decimal(state.beta) == 50
    assert abs(Decimal(state.reward_mean) - Decimal(state.prior["mean"])) < Decimal("0.0000001")


def test_weekdays_are_told_apart_from_the_days_themselves() -> None:
    world = AgentsWorld(GOOD, BAD)
    world.pull([sold("c1", 1000, 60), sold("c1", 500, 5, ago=61)])

    world.learn()

    context = world.states["arm_good"].contextual_state
    assert context is not None
    assert context["as_of"] == world.states["arm_good"].as_of
    assert [(name, each["trials"], each["rewards"]) for name, each in context["weekday"].items()] == [
        ("monday", 1000, "60"),
        ("sunday", 500, "5"),
    ]
    assert Decimal(context["weekday"]["monday"]["reward_mean"]) > Decimal(context["weekday"]["sunday"]["reward_mean"])


def test_amounts_of_different_currencies_are_not_added() -> None:
    world = AgentsWorld(arm("good", "c1"))
    other = sold("c1", 100, 5, ago=61)
    other.currency = "EUR"
    world.pull([sold("c1", 1000, 60), other])

    world.learn()

    state = world.states["arm_good"]
    assert (state.spending, state.currency) == (None, None)
    assert state.spending_by_currency == {"EUR": "33.3333", "USD": "333.333"}


def test_a_client_without_arms_costs_one_look_at_its_campaigns() -> None:
    world = AgentsWorld()
    world.reading.catalog.profiles = None  # type: ignore[assignment, method-assign]
    assert world.learn() == {"arms": 0, "stored": 0, "outdated": 0}


def test_without_time_the_work_goes_on_in_another_invocation_and_nothing_is_half_done() -> None:
    world = AgentsWorld(GOOD, BAD)
    world.pull(ONE_DAY)
    left = iter([9.0, 9.0, 9.0, *[0.5] * 9])

    with pytest.raises(NotReady):
        world.learn(remaining=lambda: next(left))

    assert world.states == {}
    assert world.learn()["stored"] == 2


def test_an_ad_account_whose_time_zone_is_unknown_is_left_out() -> None:
    world = AgentsWorld(GOOD, profiles=(a_profile(timezone="Nowhere/Land"),))
    assert world.learn() == {"arms": 1, "stored": 1, "outdated": 0}
    assert world.states["arm_good"].prior["source"] == "default"


def test_an_arm_may_be_a_whole_ad_account() -> None:
    whole = Arm(arm_id="arm_all", platform=LOSSY, bindings=(Binding(platform=LOSSY, profile_id="p1"),))
    world = AgentsWorld(whole)
    world.pull([*ONE_DAY])

    world.learn()

    assert (world.states["arm_all"].trials, world.states["arm_all"].rewards) == (2000, "80")


@pytest.mark.parametrize("is_asked", [True, False])
def test_devices_are_told_apart_where_that_breakdown_is_pulled(is_asked: bool) -> None:
    """Given an arm of a campaign and one of an ad, then campaigns by device tell of the first alone."""
    split = served(Dataset.CAMPAIGN_BY_DEVICE_DAILY, on_request=True)
    wanted = {"datasets": ["campaign_by_device_daily"]} if is_asked else {}
    ad_ids = {"profile_id": "p1", "campaign_id": "c2", "ad_group_id": "g1", "ad_id": "a1"}
    fine = Arm(arm_id="arm_ad", platform=LOSSY, bindings=(Binding(platform=LOSSY, **ad_ids),))
    world = AgentsWorld(GOOD, fine, profiles=[a_profile(options=wanted)])
    world.reading.platforms = ChosenPlatforms({LOSSY: {**SERVED[LOSSY], **datasets(split)}})
    world.pull(ONE_DAY)
    rows = [sold("c1", 700, 10, entity_id="c1~mobile"), sold("c1", 300, 50, entity_id="c1~desktop")]
    world.pull([*rows, sold("c2", 9, 9, entity_id="c2~mobile")], breakdown="device")

    world.learn()

    context = world.states["arm_good"].contextual_state
    assert context is not None
    assert "placement" not in context
    if not is_asked:
        assert "device" not in context
        return
    assert {name: (each["trials"], each["rewards"]) for name, each in context["device"].items()} == {
        "desktop": (300, "50"),
        "mobile": (700, "10"),
    }
    assert Decimal(context["device"]["desktop"]["reward_mean"]) > Decimal(context["device"]["mobile"]["reward_mean"])
    assert "device" not in (world.states["arm_ad"].contextual_state or {})


def with_devices() -> AgentsWorld:
    split = served(Dataset.CAMPAIGN_BY_DEVICE_DAILY, on_request=True)
    world = AgentsWorld(GOOD, profiles=[a_profile(options={"datasets": ["campaign_by_device_daily"]})])
    world.reading.platforms = ChosenPlatforms({LOSSY: {**SERVED[LOSSY], **datasets(split)}})
    return world


def test_clicks_of_an_object_whose_conversions_are_unknown_are_not_learned_beside_those_of_another() -> None:
    """Given arms of two campaigns: of the first arm, one reports neither conversions nor spend."""
    world = AgentsWorld(arm("both", "c1", "c2"), arm("one", "c3"), arm("none", "c4"))
    silent = replace(sold("c2", 900, 0), conversions=None, spend=None)
    world.pull([sold("c1", 100, 10), silent, sold("c3", 100, 10), replace(silent, entity_id="c4", campaign_id="c4")])

    world.learn()

    both, one, none = (world.states[f"arm_{name}"] for name in ("both", "one", "none"))
    assert (both.alpha, both.beta, both.effective_trials) == (one.alpha, one.beta, one.effective_trials)
    assert (both.trials, both.rewards, both.unknown_days, one.unknown_days) == (1000, "10", 1, 0)
    assert (both.spending, none.spending, none.spending_by_currency) == ("33.3333", None, {})


@at_the_bound("MAX_CONTEXT_VALUES")
def test_a_state_has_the_values_of_a_breakdown_with_the_most_clicks(size: int, fits: bool) -> None:
    world = with_devices()
    world.pull([sold("c1", 100 + place, 1, entity_id=f"c1~d{place}") for place in range(size)], breakdown="device")
    world.pull(ONE_DAY)

    world.learn()

    context = world.states["arm_good"].contextual_state
    assert context is not None
    assert len(context["device"]) == (size if fits else size - 1)
    assert ("d0" in context["device"]) is fits


@at_the_bound("MAX_LEARNED_DAYS")
def test_days_longer_ago_are_not_learned(size: int, fits: bool) -> None:
    world = AgentsWorld(GOOD)
    world.pull([sold("c1", 100, 1, ago=size)], lag=1)

    world.learn()

    assert world.states["arm_good"].days == int(fits)


@at_the_bound("MAX_CONTEXT_DAYS")
def test_days_of_breakdowns_longer_ago_are_not_learned(size: int, fits: bool) -> None:
    world = with_devices()
    world.pull([sold("c1", 100, 1, ago=size, entity_id="c1~mobile")], lag=1, breakdown="device")
    world.pull(ONE_DAY)

    world.learn()

    context = world.states["arm_good"].contextual_state
    assert context is not None
    assert ("device" in context) is fits


@at_the_bound("MAX_ARM_DAYS", as_if=4)
def test_a_client_whose_arms_have_too_many_days_is_refused_with_what_to_do(size: int, fits: bool) -> None:
    """Given two arms with days of their own, and the ad account's day."""
    world = AgentsWorld(GOOD, BAD)
    world.pull([sold("c1", 100, 1, ago=61 + place) for place in range(size // 2)])
    world.pull([sold("c2", 100, 1, ago=70)] * (size % 2))

    with refuses(TooLarge, fits=fits):
        world.learn()

    assert bool(world.states) is fits


def test_objects_of_an_arm_count_as_one_day_once_their_ad_account_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given room for three days: those of two ad accounts, and an arm's day of two campaigns of the first."""
    monkeypatch.setattr(limits, "MAX_ARM_DAYS", 3)
    world = AgentsWorld(arm("both", "c1", "c2"), profiles=(a_profile(), a_profile(profile_id="p2")))
    world.pull(ONE_DAY)
    world.reading.pull(Level.CAMPAIGN, sold("c9", 10, 1), profile_id="p2", days=("2026-09-21", "2026-09-21"))

    world.learn()

    assert world.states["arm_both"].trials == 2000
