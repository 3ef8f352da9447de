"""A fit finds a known truth again, is the same whatever the order, and says what it cannot tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest

from adweir.insight.mmm.fit import estimate
from adweir.insight.mmm.fit.doubts import implausible
from adweir.insight.mmm.fit.estimate import fit
from adweir.insight.mmm.fit.frame import Floats, LiftTest, MixFrame
from adweir.insight.mmm.fit.kernels import Family, kernel, saturate
from adweir.insight.mmm.fit.media import BEFORE, Shapes, SpentBefore, media_of
from adweir.insight.mmm.fit.outcome import MixOutcome
from adweir.model.errors import BadInput

MONDAY = date(2024, 1, 1)
PERIODS = 120
CHANNELS = ("video", "search")


def spends(seed: int = 3) -> Floats:
    return np.asarray(np.exp(np.random.default_rng(seed).normal(3, 0.7, (2, PERIODS))))


def brought(spend: Floats) -> Floats:
    """Geometric adstock of 0.4 and Hill's curve."""
    weights = 0.6 * 0.4 ** np.arange(30)
    stock = np.array([np.convolve(values, weights)[:PERIODS] for values in spend])
    return np.asarray(np.array([[400.0], [250.0]]) * stock / (stock + np.array([[40.0], [25.0]])))


def world(spend: Floats, noise: float = 1.0) -> MixFrame:
    weeks = np.arange(PERIODS)
    base = 500 + weeks + 60 * np.sin(2 * np.pi * weeks / 52.18)
    draws = np.random.default_rng(5).normal(size=PERIODS)
    return MixFrame(
        dates=tuple(MONDAY + timedelta(days=7 * int(week)) for week in weeks),
        kpi=(base + brought(spend).sum(axis=0) + noise * draws)[None],
        channels=CHANNELS,
        spend=spend[:, None, :],
    )


@cache
def found() -> MixOutcome:
    """The fit of the world that has nothing special."""
    return fit(world(spends()))


def test_contributions_are_found_again_where_there_is_hardly_any_noise() -> None:
    truth = dict(zip(CHANNELS, brought(spends()).sum(axis=1), strict=True))

    outcome = found()

    assert outcome.fit["family"] == "hill"
    for each in outcome.channels:
        assert each.contribution.estimate == pytest.approx(truth[each.channel], rel=0.1)
        assert each.contribution.low <= truth[each.channel] <= each.contribution.high
        assert each.roi.estimate == pytest.approx(each.contribution.estimate / each.spend)


def cut(memory: int) -> tuple[MixFrame, Floats]:
    """300 days of a channel that acts for long and had run for `memory` days before them; what it brought."""
    days = 300
    every = np.asarray(np.exp(np.random.default_rng(8).normal(3, 0.6, days + memory)))
    weights = 0.2 * 0.8 ** np.arange(60)
    stock = np.convolve(every, weights)[memory : days + memory]
    effect = np.asarray(900 * stock / (stock + 20.0))
    noise = np.random.default_rng(9).normal(0, 4, days)
    frame = MixFrame(
        dates=tuple(MONDAY + timedelta(days=day) for day in range(days)),
        kpi=(500 + effect + noise)[None],
        channels=("video",),
        spend=every[None, None, memory:],
    )
    return frame, effect


def test_channels_that_ran_before_the_table_begins_are_not_thought_weaker() -> None:
    # given a year of a channel that acts for long: before the table it spent as it did later
    frame, effect = cut(60)

    # when
    outcome = fit(frame)

    # then the first days, which still live on what nobody knows, do not pull it down
    (channel,) = outcome.channels
    assert channel.contribution.low <= effect.sum() <= channel.contribution.high
    assert outcome.fit["before"] == "unknown"


def test_a_launch_on_the_first_day_of_a_table_teaches_what_it_brings() -> None:
    # given the same channel, of which nothing ran before the table
    frame, effect = cut(0)

    # when
    outcome = fit(frame)

    # then the rows say so themselves
    (channel,) = outcome.channels
    assert outcome.fit["before"] == "nothing"
    assert channel.contribution.low <= effect.sum() <= channel.contribution.high


def test_the_same_frame_has_the_same_outcome_and_channels_may_come_in_any_order() -> None:
    frame = world(spends())
    turned = replace(frame, channels=CHANNELS[::-1], spend=frame.spend[::-1])

    again, other = fit(frame), fit(turned)

    once = found()
    assert once == again
    assert {each.channel: each.shown() for each in other.channels} == {
        each.channel: each.shown() for each in once.channels
    }


def test_the_units_of_the_kpi_and_of_spend_do_not_matter() -> None:
    frame = world(spends())

    scaled = fit(replace(frame, kpi=frame.kpi * 1000, spend=frame.spend / 50))

    for each, as_it_is in zip(scaled.channels, found().channels, strict=True):
        assert each.contribution.estimate == pytest.approx(1000 * as_it_is.contribution.estimate, rel=0.05)


def test_a_channel_that_never_ran_brought_nothing() -> None:
    frame = world(spends())
    silent = replace(frame, channels=(*CHANNELS, "tv"), spend=np.concatenate([frame.spend, np.zeros((1, 1, PERIODS))]))

    outcome = fit(silent)

    assert outcome.channels[2].contribution == (0, 0, 0)
    assert outcome.fit["never_ran"] == ["tv"]


def test_an_experiment_narrows_what_a_channel_brought() -> None:
    frame = world(spends(), noise=60.0)
    first, last = frame.dates[40], frame.dates[59] + timedelta(days=6)
    window = spends().copy()
    window[0, 40:60] = 0
    effect = float(brought(spends())[0].sum() - brought(window)[0].sum())
    test = LiftTest("video", first, last, float(spends()[0, 40:60].sum()), effect, effect * 0.97, effect * 1.03)

    without, calibrated = fit(frame), fit(replace(frame, lift_tests=(test,)))

    widths = [one.channels[0].contribution.high - one.channels[0].contribution.low for one in (without, calibrated)]
    assert widths[1] < 0.6 * widths[0]


def test_channels_that_rise_and_fall_together_are_named() -> None:
    spend = spends()
    spend[1] = spend[0] * np.exp(np.random.default_rng(7).normal(0, 0.01, PERIODS))

    outcome = fit(world(spend, noise=30.0))

    assert all(any("collinear" in said for said in each.warnings) for each in outcome.channels)


def test_a_well_behaved_world_has_no_warning() -> None:
    outcome = found()

    assert not outcome.warnings
    assert not any(each.warnings for each in outcome.channels)


def test_a_reallocation_keeps_the_budget_and_gains() -> None:
    moved = found().reallocation

    assert moved is not None
    assert sum(move.proposed for move in moved.moves) == pytest.approx(moved.budget)
    assert moved.gain.low <= moved.gain.estimate <= moved.gain.high
    assert moved.gain.estimate >= 0


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("slope", [None, np.array([[0.7]])])
def test_curves_have_the_derivatives_that_they_say(family: Family, slope: Floats | None) -> None:
    stock = np.linspace(0.1, 3, 12).reshape(1, 12, 1)
    half = np.array([[0.3]])
    step = 1e-6

    curve = saturate(family, stock, half, slope)

    assert (saturate(family, stock, half + step, slope).values - curve.values) / step == pytest.approx(
        curve.by_half, abs=1e-4
    )
    assert (saturate(family, stock + step, half, slope).values - curve.values) / step == pytest.approx(
        curve.by_stock, abs=1e-4
    )
    if slope is not None:
        assert (saturate(family, stock, half, slope + step).values - curve.values) / step == pytest.approx(
            curve.by_slope, abs=1e-4
        )


@pytest.mark.parametrize("delayed", [[], [0]], ids=["negative binomial", "delayed"])
def test_adstock_has_the_derivatives_that_it_says(delayed: list[int]) -> None:
    theta, shape, step = np.array([[0.3]]), np.array([[0.6]]), 1e-6

    weights = kernel(theta, shape, 20, delayed)

    assert weights.weights.sum() == pytest.approx(1)
    for found, moved in (
        (weights.by_theta, kernel(theta + step, shape, 20, delayed)),
        (weights.by_shape, kernel(theta, shape + step, 20, delayed)),
    ):
        assert (moved.weights - weights.weights) / step == pytest.approx(found, abs=1e-4)


@pytest.mark.parametrize("before", list(SpentBefore))
def test_media_have_the_steps_that_they_say(before: SpentBefore) -> None:
    shapes = Shapes(rounded=frozenset({0}), delayed=frozenset({1}), curved=frozenset({0}))
    media = media_of(world(spends()), Family.HILL, before, shapes)
    vector, step = media.start(), 1e-6

    brought = media.bring(vector)

    assert len(media.free) == (11 if before is SpentBefore.UNKNOWN else 9)
    for place in range(len(vector)):
        moved = media.bring(vector + step * np.eye(len(vector))[:, [place]])
        assert (moved.total - brought.total) / step == pytest.approx(brought.steps[place], abs=1e-3)


def test_what_ran_before_a_table_acts_into_its_first_rows_alone() -> None:
    media = media_of(world(spends()), Family.HILL, SpentBefore.UNKNOWN)

    steps = media.bring(media.start()).steps[[place for place, each in enumerate(media.free) if each[1] == BEFORE]]

    assert (steps[:, 0] > 0).all()
    assert (steps[:, 12:] == 0).all()


@pytest.mark.parametrize(
    ("share", "said"), [(1.0, []), (1.27, ["the channels would have brought 127 % of the KPI, more than there was"])]
)
def test_what_cannot_be_is_warned_of(share: float, said: list[str]) -> None:
    found = list(implausible(share))
    assert [warning[: len(begin)] for warning, begin in zip(found, said, strict=True)] == said


def test_a_fit_that_explains_less_than_the_mean_is_refused_with_the_row_that_is_farthest_off() -> None:
    # given a week whose KPI somebody typed with three digits too many
    frame = world(spends())
    frame.kpi[0, 60] *= 1000

    # when
    with pytest.raises(BadInput) as refused:
        fit(frame)

    # then there is no number to use by mistake, and the row is named
    assert refused.value.details[0]["field"] == "kpi"
    assert "farther from it than its mean is (R2 -0.0" in refused.value.message
    assert f"farthest off is {frame.dates[60]}: {frame.kpi[0, 60]:,.10g}, and " in refused.value.message


def test_channels_that_would_bring_more_than_the_kpi_are_warned_of_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "_media_share", lambda *_: 1.5)
    assert fit(world(spends())).warnings[0].startswith("the channels would have brought 150 % of the KPI")
