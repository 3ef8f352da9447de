"""What acts late, or responds in the form of an S, is fitted as such where the data show it; demand that nobody sees is
warned of.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest

from adweir.insight.mmm.fit.estimate import fit
from adweir.insight.mmm.fit.frame import Floats, MixFrame
from adweir.insight.mmm.fit.kernels import Family, elasticity_at_half, most, saturate
from adweir.insight.mmm.fit.outcome import MixOutcome
from bench.worlds.intervals import least_held

CHANNELS = ("search", "social", "video")
SLOPE = 3.0


def a_frame(sold: Floats, spend: Floats) -> MixFrame:
    days = tuple(date(2022, 1, 3) + timedelta(days=7 * week) for week in range(len(sold)))
    return MixFrame(days, sold[None], CHANNELS[: len(spend)], spend[:, None, :])


def adstocked(spend: Floats) -> Floats:
    """(C, T): geometric, of 0.3."""
    return np.array([np.convolve(each, 0.7 * 0.3 ** np.arange(20))[: len(each)] for each in spend])


def responses(spend: Floats, slope: float) -> Floats:
    """(C, T): a curve of what is adstocked, steepest at the usual spend where `slope` is above 1."""
    raised = (adstocked(spend) / 8.0) ** slope
    return np.asarray(np.array([[120.0], [90.0], [70.0]])[: len(spend)] * raised / (1 + raised))


@cache
def curved(channels: int, slope: float, seed: int = 11) -> tuple[MixOutcome, Floats]:
    """A fit, and what the channels truly brought."""
    draws, weeks = np.random.default_rng(seed), 130
    spend = np.exp(draws.normal(2, 0.5, (channels, weeks)))
    brought = responses(spend, slope)
    base = 300 + 20 * np.cos(np.arange(weeks) / 8.3)
    return fit(a_frame(base + brought.sum(axis=0) + draws.normal(0, 6, weeks), spend)), brought.sum(axis=1)


@pytest.mark.parametrize(
    ("channels", "seed"),
    [
        (1, 11),
        pytest.param(2, 203, id="one family alone asks for an S, which is likelier"),
    ],
)
def test_intervals_hold_where_responses_have_the_form_of_an_s(channels: int, seed: int) -> None:
    outcome, truth = curved(channels, SLOPE, seed)

    assert outcome.fit["s_shaped"] == "fitted"
    for each, true in zip(outcome.channels, truth, strict=True):
        assert each.contribution.low <= true <= each.contribution.high


def test_intervals_of_90_percent_hold_a_steep_s_as_often_as_that_says() -> None:
    # given ten worlds of two channels, in any of which an interval may miss
    found = [curved(2, SLOPE, seed) for seed in range(3000, 3010)]

    # when
    held = [
        each.contribution.low <= true <= each.contribution.high
        for outcome, truth in found
        for each, true in zip(outcome.channels, truth, strict=True)
    ]

    # then no fewer than by a chance of one in a hundred: 14 of 20
    assert sum(held) >= least_held(len(held))


@pytest.mark.parametrize("channels", [1, 2])
def test_an_s_is_found_to_be_steep_whichever_family_is_fitted(channels: int) -> None:
    # when
    outcome, _ = curved(channels, SLOPE)

    # then responses rise more than in proportion at half of the most, as no concave curve of either family does
    steepness = [each.elasticity_at_half for each in outcome.channels]
    assert all(each.estimate > 1 for each in steepness)
    assert all(each.low <= SLOPE / 2 <= each.high for each in steepness)


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("slope", [1.0, 2.5])
def test_an_elasticity_at_half_is_that_of_the_familys_curve(family: Family, slope: float) -> None:
    # given spends about the one that brings half of the most
    half, step = np.array([[np.log(0.8)]]), 1e-5
    spends = 0.8 * np.exp([[[-step], [0.0], [step]]])

    # when
    brought = saturate(family, spends, half, np.log([[slope]])).values[0, :, 0]

    # then
    assert brought[1] == pytest.approx(0.5 * float(most(family, np.array(0.8), np.array(slope))))
    assert np.log(brought[2] / brought[0]) / (2 * step) == pytest.approx(
        float(elasticity_at_half(family, np.array(slope))), rel=1e-6
    )


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("log_half", [-3.0, 3.0])
def test_slopes_as_a_sampler_tries_them_give_numbers(family: Family, log_half: float) -> None:
    stock = np.array([0.0, 1e-6, 1.0, 1e6])[None, :, None]

    curve = saturate(family, stock, np.array([[log_half]]), np.log([[500.0]]))

    assert all(np.isfinite(each).all() for each in curve)
    assert (np.diff(curve.values[0, :, 0]) >= 0).all()


def test_few_rows_for_an_s_of_each_channel_are_warned_of() -> None:
    enough, few = curved(1, SLOPE)[0].warnings, curved(2, SLOPE)[0].warnings

    assert not enough
    assert [said.partition(" are")[0] for said in few] == ["responses look S-shaped, and 130 rows"]


def test_an_s_that_the_rows_do_not_tell_from_a_concave_curve_is_in_the_interval() -> None:
    # given two channels with a weak S in 130 weeks, which a concave curve explains as well
    outcome, truth = curved(2, 2.0, 3001)

    # then
    assert outcome.fit["s_shaped"] == "possible"
    for each, true in zip(outcome.channels, truth, strict=True):
        (s_shaped,) = (found for name, found in each.by_family.items() if name.endswith("_s"))
        concave = [found for name, found in each.by_family.items() if not name.endswith("_s")]
        assert each.contribution.low == min(found.low for found in each.by_family.values())
        assert each.contribution.low <= s_shaped.low <= true < min(found.low for found in concave)
        assert each.contribution.estimate in {found.estimate for found in concave}


def test_an_s_that_the_rows_exclude_is_not_in_the_interval() -> None:
    # given what two channels bring, nearly without noise, by curves that are as concave as the logistic one
    draws, weeks = np.random.default_rng(11), 130
    spend = np.exp(draws.normal(2, 0.5, (2, weeks)))
    brought = np.array([[120.0], [90.0]]) * np.tanh(0.5493 * adstocked(spend) / 6)
    base = 300 + 20 * np.cos(np.arange(weeks) / 8.3)

    # when
    outcome = fit(a_frame(base + brought.sum(axis=0) + draws.normal(0, 1, weeks), spend))

    # then
    assert outcome.fit["s_shaped"] == "unlikely"
    assert [each.by_family.keys() for each in outcome.channels] == [{"logistic"}] * 2


def test_concave_responses_are_fitted_with_concave_curves_and_no_word() -> None:
    outcome, _ = curved(2, 1.0)

    assert not outcome.warnings
    assert not any(each.warnings for each in outcome.channels)
    assert all(each.saturation.get("slope", 1.0) == 1.0 for each in outcome.channels)


@pytest.mark.parametrize(
    ("weights", "form"),
    [
        pytest.param(0.3 ** (np.arange(13) - 3.0) ** 2, "delayed", id="three weeks later, and hardly before or after"),
        pytest.param(0.7 ** np.arange(13) * np.arange(1, 14), "negative_binomial", id="over months"),
    ],
)
def test_what_acts_later_is_found_to_do_so(weights: Floats, form: str) -> None:
    draws, weeks = np.random.default_rng(7), 150
    spend = np.exp(draws.normal(2, 0.7, (1, weeks)))
    stock = np.convolve(spend[0], weights / weights.sum())[:weeks]
    brought = 120 * stock / (stock + 8)

    outcome = fit(a_frame(300 + brought + draws.normal(0, 3, weeks), spend))

    (search,) = outcome.channels
    assert search.adstock["type"] == form
    assert search.adstock.get("peak", 3.0) == pytest.approx(3.0, abs=0.2)
    assert search.contribution.low <= brought.sum() <= search.contribution.high


def test_the_form_of_a_single_year_is_no_hidden_driver() -> None:
    # given a year of days whose demand is highest twice a year
    draws, days = np.random.default_rng(2), np.arange(365)
    spend = np.exp(draws.normal(2, 0.5, (2, len(days))))
    turn = 2 * np.pi * days / 365
    sold = 400 + 40 * np.cos(turn) + 25 * np.cos(2 * turn) + responses(spend, 1.0).sum(axis=0)
    frame = a_frame(sold + draws.normal(0, 6, len(days)), spend)

    # when
    outcome = fit(replace(frame, dates=tuple(date(2025, 1, 1) + timedelta(days=int(day)) for day in days)))

    # then that is the season, not something that lasts and is in no column
    assert not outcome.warnings


@pytest.mark.parametrize("memory", [0.6, 0.97], ids=["within weeks", "over months"])
def test_demand_that_nobody_sees_is_warned_of(memory: float) -> None:
    draws = np.random.default_rng(5)
    weeks = 110
    demand = np.zeros(weeks)
    for week in range(1, weeks):
        demand[week] = memory * demand[week - 1] + draws.normal(0, np.sqrt(1 - memory**2))
    spend = np.exp(2 + 0.25 * demand + draws.normal(0, 0.4, (2, weeks)))
    sold = 400 + 45 * demand + responses(spend, 1.0).sum(axis=0) + draws.normal(0, 6, weeks)

    outcome = fit(a_frame(sold, spend))

    assert any(said.startswith("possible hidden driver") for said in outcome.warnings)
