"""What may be fitted, and the JSON of what comes out: sizes, gaps, missing numbers, experiments."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from adweir.insight.mmm.fit.frame import LEAST_PERIODS, LiftTest, MixFrame
from adweir.insight.mmm.fit.outcome import ChannelEffect, Interval, MixOutcome
from adweir.model.errors import BadInput
from support.bounds import at_the_bound, refuses

MONDAY = date(2024, 1, 1)


def frame(*, periods: int = 60, channels: int = 2, controls: int = 0, geos: int = 1, step: int = 7) -> MixFrame:
    draws = np.random.default_rng(1)
    return MixFrame(
        dates=tuple(MONDAY + timedelta(days=step * place) for place in range(periods)),
        kpi=draws.uniform(100, 200, (geos, periods)),
        channels=tuple(f"c{place}" for place in range(channels)),
        spend=draws.uniform(1, 9, (channels, geos, periods)),
        control_names=tuple(f"x{place}" for place in range(controls)),
        controls=draws.normal(size=(controls, geos, periods)),
        geos=tuple(f"g{place}" for place in range(geos)) if geos > 1 else ("",),
        population=np.full(geos, 1000.0),
    )


TEST = LiftTest("c0", MONDAY, MONDAY + timedelta(days=27), 10.0, 50.0, 40.0, 60.0)


def test_a_frame_that_can_be_fitted_is_itself() -> None:
    found = frame(controls=1, geos=2)

    assert found.checked() is found
    assert found.step == 7


def test_all_that_is_wrong_with_a_frame_is_said_at_once() -> None:
    found = frame()
    found.kpi[0, 3] = np.nan
    found.spend[1, 0, 5] = -2.0
    found.spend[0] = 4.0

    with pytest.raises(BadInput) as refused:
        found.checked()

    assert {one["field"]: one["message"].partition(":")[0] for one in refused.value.details} == {
        "kpi": "no number on 2024-01-22",
        "c1": "negative on 2024-02-05",
        "c0": "it never changes, so nothing can be learned from it",
    }


@pytest.mark.parametrize(
    ("place", "days", "said"),
    [
        pytest.param(30, 7, "a gap", id="a missing week"),
        pytest.param(30, -7, "not one period apart", id="a repeated week"),
        pytest.param(1, 23, "periods are days or weeks", id="months"),
    ],
)
def test_periods_lie_one_beside_the_other(place: int, days: int, said: str) -> None:
    found = frame()
    dates = [day + timedelta(days=days if at >= place else 0) for at, day in enumerate(found.dates)]

    with pytest.raises(BadInput, match=said):
        replace(found, dates=tuple(dates)).checked()


def test_several_geos_need_their_population() -> None:
    with pytest.raises(BadInput, match="population"):
        replace(frame(geos=2), population=None).checked()


@pytest.mark.parametrize(
    ("test", "said"),
    [
        pytest.param(replace(TEST, channel="tv"), "'tv' is not one of the channels", id="channel"),
        pytest.param(replace(TEST, first=MONDAY - timedelta(days=1)), "does not lie within", id="window"),
        pytest.param(replace(TEST, spend=0.0), "spend above 0", id="spend"),
        pytest.param(replace(TEST, low=51.0), "does not lie between", id="interval"),
        pytest.param(replace(TEST, low=49.999, high=50.001), "narrower than 0.1 %", id="sure"),
        pytest.param(replace(TEST, geos=("north",)), "not one of the geos", id="geo"),
    ],
)
def test_an_experiment_belongs_to_the_frame(test: LiftTest, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        replace(frame(), lift_tests=(test,)).checked()


def test_the_hash_follows_each_number_and_name() -> None:
    found = frame(controls=1)
    nudged = replace(found, kpi=found.kpi + np.eye(1, 60) * 1e-9)
    others = [
        nudged,
        replace(found, channels=("c0", "cx")),
        replace(found, lift_tests=(TEST,)),
        replace(found, kpi_value=2.0),
        replace(found, media=found.spend),
    ]

    hashes = {one.hashed() for one in (found, replace(found), *others)}

    assert found.hashed() == replace(found).hashed()
    assert len(hashes) == 1 + len(others)


def test_fewer_periods_than_a_fit_needs_are_refused() -> None:
    frame(periods=LEAST_PERIODS).checked()

    with pytest.raises(BadInput, match="too few"):
        frame(periods=LEAST_PERIODS - 1).checked()


@at_the_bound("MAX_MIX_CHANNELS")
def test_channels_of_a_fit_have_a_bound(size: int, *, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        frame(channels=size).checked()


@at_the_bound("MAX_MIX_CONTROLS")
def test_controls_of_a_fit_have_a_bound(size: int, *, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        frame(controls=size).checked()


@at_the_bound("MAX_MIX_PERIODS")
def test_periods_of_a_fit_have_a_bound(size: int, *, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        frame(periods=size, step=1).checked()


@at_the_bound("MAX_MIX_GEOS")
def test_geos_of_a_fit_have_a_bound(size: int, *, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        frame(geos=size).checked()


@at_the_bound("MAX_MIX_ROWS", as_if=120)
def test_rows_of_a_fit_have_a_bound(size: int, *, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        frame(periods=(size + 1) // 2, geos=2).checked()


@at_the_bound("MAX_LIFT_TESTS")
def test_experiments_of_a_fit_have_a_bound(size: int, *, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        replace(frame(), lift_tests=(TEST,) * size).checked()


def an_effect() -> ChannelEffect:
    some = Interval(2.0, 1.0, 3.0)
    return ChannelEffect(
        channel="social",
        spend=100.0,
        contribution=Interval(1 / 3, 0.25, 0.5),
        roi=some,
        marginal_roi=some,
        beta=some,
        elasticity_at_half=Interval(0.5, 0.5, 0.8),
        adstock={"type": "geometric", "theta": 0.5, "l_max": 13, "normalize": True},
        saturation={"family": "hill", "half": 1.5, "slope": 1.0, "scale": 100.0},
        by_family={"hill": some},
        warnings=("too few rows",),
    )


def test_the_json_of_an_outcome_has_what_every_reader_gets() -> None:
    outcome = MixOutcome((an_effect(),), {"r2": 0.9, "nrmse": 0.1, "cv_nrmse": 0.2, "n_obs": 60}, ("careful",))

    shown = json.loads(json.dumps(outcome.shown()))

    assert set(shown) == {"channels", "fit", "warnings"}
    (channel,) = shown["channels"]
    assert set(channel) == {"channel", "contribution", "roi", "adstock", "saturation", "warnings"}
    assert channel["contribution"] == {"estimate": 0.333333333, "low": 0.25, "high": 0.5}
    assert channel["saturation"]["family"] == "hill"
    assert channel["saturation"]["elasticity_at_half"] == {"estimate": 0.5, "low": 0.5, "high": 0.8}


def test_a_stored_coefficient_can_be_given_to_other_models() -> None:
    outcome = MixOutcome((an_effect(),), {"r2": 0.9, "nrmse": 0.1, "cv_nrmse": 0.2, "n_obs": 60})

    (stored,) = outcome.stored()

    assert stored["adstock"] == {"type": "geometric", "theta": 0.5, "l_max": 13, "normalize": True}
    assert stored["saturation"] == {"type": "hill", "params": {"half": 1.5, "slope": 1.0}, "scale": 100.0}
    assert (stored["beta"], stored["beta_lo"], stored["beta_hi"]) == (2.0, 1.0, 3.0)
    assert stored["fit"] == {"r2": 0.9, "nrmse": 0.1, "cv_nrmse": 0.2}
    ends = [stored[f"elasticity_at_half{end}"] for end in ("", "_lo", "_hi")]
    assert ends == [0.5, 0.5, 0.8]
    assert stored["model_version"] == "mix-4"
