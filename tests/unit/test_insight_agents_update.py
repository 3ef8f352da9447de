"""An arm's posterior: what its days make of it, and that nothing but its days does."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.agents.delays import FALLBACK, KnownLag, curve_of
from adweir.insight.agents.update import (
    TRIALS_KEPT,
    ArmDay,
    DelayCurve,
    Evidence,
    Posterior,
    Prior,
    evidence,
    posterior,
    prior_of,
)
from adweir.model.money import MICRO

WHOLE = DelayCurve((Decimal(1),), measured=True)
HALF = DelayCurve((Decimal("0.5"), Decimal(1)), measured=True)
UNIFORM = Prior(Decimal("0.5"), 2)

arm_days = st.lists(
    st.builds(
        ArmDay,
        st.integers(0, 364),
        st.integers(1, 90),
        st.integers(0, 10**7),
        st.integers(0, 10**13),
    ),
    max_size=30,
)


def day(clicks: int, conversions: float = 0, age: int = 0, lag: int = 1) -> ArmDay:
    return ArmDay(age, lag, clicks, round(conversions * MICRO))


def test_a_day_whose_conversions_are_all_known_counts_its_clicks_as_trials() -> None:
    assert evidence([day(100, 5)], WHOLE) == Evidence(Decimal(5), Decimal(100))
    assert posterior(Evidence(Decimal(5), Decimal(100)), UNIFORM) == Posterior(Decimal(6), Decimal(96))


def test_a_day_of_which_half_of_the_conversions_are_known_counts_half_of_its_clicks() -> None:
    found = evidence([day(100, 2.5, lag=1), day(100, 5, lag=2)], HALF)
    assert found == Evidence(Decimal("7.5"), Decimal(150))


def test_what_was_pulled_early_and_never_again_stays_half_known_however_old_it_is() -> None:
    early, late = (evidence([day(100, age=30, lag=lag)], HALF).trials for lag in (1, 31))
    assert round(early * 2, 20) == round(late, 20)


def test_a_day_counts_a_hundredth_less_with_each_day_that_passes() -> None:
    assert evidence([day(1000, 10, age=1)], WHOLE) == Evidence(Decimal("9.90"), Decimal("990.00"))


def test_conversions_beyond_a_day_s_clicks_are_left_out_and_said() -> None:
    found = evidence([day(10, 12.5), day(100)], WHOLE)
    assert found == Evidence(Decimal(10), Decimal(110), round(2.5 * MICRO))


def test_fractions_of_conversions_count() -> None:
    assert evidence([day(10, 0.333333)], WHOLE).successes == Decimal("0.333333")


def test_negative_rests_count_as_nothing() -> None:
    assert evidence([day(-10, -2)], WHOLE) == Evidence(Decimal(0), Decimal(0))


def test_there_are_never_more_successes_than_trials() -> None:
    assert evidence([day(10, 9, lag=1)], HALF) == Evidence(Decimal(9), Decimal(9))


def test_an_arm_of_very_many_clicks_keeps_room_to_change() -> None:
    found = posterior(Evidence(Decimal(20_000), Decimal(1_000_000)), UNIFORM)
    assert found.alpha + found.beta == TRIALS_KEPT + 2
    assert found.alpha == 1 + Decimal(400)


def test_mean_and_variance_are_those_of_the_beta_distribution() -> None:
    known = Posterior(Decimal(2), Decimal(6))
    assert (known.mean, known.variance) == (Decimal("0.25"), Decimal(12) / (64 * 9))


def test_the_prior_is_the_account_s_own_rate_and_counts_as_fifty_clicks() -> None:
    prior = prior_of(Evidence(Decimal(30_000), Decimal(1_000_000)))
    assert (prior.trials, prior.of_account) == (50, True)
    assert abs(prior.mean - Decimal("0.03")) < Decimal("0.00001")
    known = posterior(Evidence(), prior)
    assert known.alpha + known.beta == 50


def test_an_account_of_which_nothing_is_known_has_the_default_prior() -> None:
    assert prior_of(Evidence()) == Prior(Decimal("0.02"), of_account=False)
    assert posterior(Evidence(), prior_of(Evidence())) == Posterior(Decimal(1), Decimal(49))


def test_an_account_that_never_sold_anything_leaves_its_arms_a_rate_above_zero() -> None:
    known = posterior(Evidence(), prior_of(Evidence(Decimal(0), Decimal(10**6))))
    assert known.alpha > 0
    assert known.beta > 0


@given(arm_days, st.randoms(use_true_random=False))
def test_the_order_of_days_changes_nothing(days: list[ArmDay], shuffler: random.Random) -> None:
    shuffled = shuffler.sample(days, len(days))
    assert evidence(shuffled, FALLBACK) == evidence(days, FALLBACK)


@given(arm_days)
def test_both_parameters_stay_above_zero(days: list[ArmDay]) -> None:
    found = evidence(days, FALLBACK)
    known = posterior(found, prior_of(found))
    assert known.alpha > 0
    assert known.beta > 0
    assert 0 < known.mean < 1


def test_the_table_has_the_shares_of_its_lags_and_lines_between_them() -> None:
    assert not FALLBACK.measured
    shares = [(1, "0.35"), (2, "0.44"), (4, "0.62"), (8, "0.82"), (15, "0.95"), (31, "1"), (365, "1")]
    assert [(lag, FALLBACK.known(lag)) for lag, _ in shares] == [(lag, Decimal(share)) for lag, share in shares]
    assert list(FALLBACK.shares) == sorted(FALLBACK.shares)


def lags(*known: int, days: int = 40, final: int = 1000) -> list[KnownLag]:
    return [KnownLag(after, days, each * MICRO, final * MICRO) for after, each in enumerate(known, 1)]


def test_a_curve_is_what_was_known_of_what_is_final() -> None:
    assert curve_of([lags(400, 700, 1000)]) == DelayCurve((Decimal("0.4"), Decimal("0.7"), Decimal(1)), measured=True)


def test_ad_accounts_of_a_platform_are_measured_together_by_their_conversions() -> None:
    curve = curve_of([lags(400, 1000), [], lags(100, 100, 100, final=100)])
    assert curve.shares == (round(Decimal(500) / 1100, 6), Decimal(1), Decimal(1))


@pytest.mark.parametrize(
    "measured",
    [[], [[]], [lags(400, 1000, days=6)], [lags(10, 29, final=29)], [[KnownLag(1, 0, 0, 0), *lags(400, 1000)[1:]]]],
)
def test_where_too_little_was_seen_the_table_stands_in(measured: list[list[KnownLag]]) -> None:
    assert curve_of(measured) == FALLBACK


def test_a_share_stays_within_bounds() -> None:
    assert curve_of([lags(0, 3000, 1000)]).shares == (Decimal("0.01"), Decimal(2), Decimal(1))
