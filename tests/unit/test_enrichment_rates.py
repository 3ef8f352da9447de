"""Rates of ads, drawn towards those of their kind."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.enrichment.rates import LEAST_ADS, RatePrior, Tries, judged, percentile, prior_of, wilson

TRIES = st.builds(
    lambda trials, share: Tries(int(trials * share), trials), st.integers(0, 100_000), st.floats(0, 1, allow_nan=False)
)


def drawn(seed: int, ads: int, mean: float, strength: float, trials: int) -> tuple[list[float], list[Tries]]:
    """Rates of ads as a beta distribution has them, and what came of their trials."""
    chance = random.Random(seed)
    rates = [chance.betavariate(mean * strength, (1 - mean) * strength) for _ in range(ads)]
    return rates, [Tries(sum(chance.random() < rate for _ in range(trials)), trials) for rate in rates]


def test_drawn_towards_their_kind_rates_are_nearer_to_the_truth() -> None:
    """Given ads of few trials, then the error is less than half of that of their own rates."""
    rates, tries = drawn(1, 200, 0.03, 300, 100)
    prior = prior_of(tries)

    raw = sum((each.hits / each.trials - rate) ** 2 for rate, each in zip(rates, tries, strict=True))
    found = [judged(each, prior) for each in tries]
    shrunken = sum((each.rate - rate) ** 2 for rate, each in zip(rates, found, strict=True) if each)

    assert None not in found
    assert shrunken < raw / 2


def test_the_group_s_mean_and_strength_are_found_again() -> None:
    _, tries = drawn(2, 300, 0.05, 200, 500)
    prior = prior_of(tries)

    assert prior is not None
    assert prior.mean == pytest.approx(0.05, rel=0.1)
    assert prior.strength == pytest.approx(200, rel=0.4)


def test_intervals_hold_the_rate_nine_times_of_ten() -> None:
    rates, tries = drawn(3, 400, 0.03, 300, 200)
    prior = prior_of(tries)

    held = [
        found.low <= rate <= found.high
        for rate, each in zip(rates, tries, strict=True)
        if (found := judged(each, prior))
    ]

    assert sum(held) / len(held) > 0.86


def test_ads_that_have_nothing_in_common_say_nothing_of_one_without_trials() -> None:
    prior = prior_of([Tries(0, 1), Tries(0, 1), Tries(3, 3)])

    assert prior == RatePrior(0.6, 0.0)
    assert judged(Tries(0, 0), prior) is None


@given(st.lists(TRIES, max_size=12), TRIES)
def test_a_rate_lies_between_its_own_and_its_group_s(group: list[Tries], ad: Tries) -> None:
    prior = prior_of(group)
    found = judged(ad, prior)

    if found is None:
        assert ad.trials == 0
        assert prior is None or prior.strength == 0
        return
    ends = [ad.hits / ad.trials] if ad.trials else []
    ends += [prior.mean] if prior else []
    assert min(ends) - 1e-12 <= found.rate <= max(ends) + 1e-12
    assert 0 <= found.low <= found.rate + 1e-12
    assert found.rate <= found.high + 1e-12 <= 1 + 1e-9


@given(st.lists(TRIES, max_size=12))
def test_a_group_is_as_sure_as_all_its_trials_at_most(group: list[Tries]) -> None:
    prior, seen = prior_of(group), [each for each in group if each.trials]

    assert (prior is None) == (len(seen) < LEAST_ADS)
    if prior:
        assert 0 <= prior.strength <= sum(each.trials for each in seen)


def test_equal_rates_are_one_rate() -> None:
    assert prior_of([Tries(10, 100)] * 3) == RatePrior(0.1, 300)
    assert prior_of([Tries(0, 100)] * 3) == RatePrior(0, 300)


def test_more_hits_than_trials_count_as_all() -> None:
    assert judged(Tries(12, 10), None) == judged(Tries(10, 10), None)
    assert prior_of([Tries(12, 10)] * 3) == RatePrior(1, 30)


def test_the_interval_is_wilson_s() -> None:
    """Given 10 of 100, then the ends solve Wilson's equation: as far off as 1.645 deviations of the ends' own."""
    for end in wilson(Tries(10, 100)):
        assert abs(0.1 - end) == pytest.approx(1.6448536 * (end * (1 - end) / 100) ** 0.5, rel=1e-6)


def test_a_percentile_counts_the_same_half() -> None:
    assert [percentile(rate, [1, 2, 2, 3]) for rate in (0, 1, 2, 3, 4)] == [0, 12.5, 50, 87.5, 100]
