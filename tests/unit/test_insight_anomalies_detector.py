"""The detector, value by value: what it finds, what it leaves alone, and what its state keeps."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.anomalies.detector import check, learn, score_all
from adweir.insight.anomalies.settings import Note, ScoreBasis, Scored, SeriesSettings
from adweir.insight.anomalies.state import SeriesState
from adweir.model.errors import BadInput

DAY = 86_400
DAILY = SeriesSettings.daily()


def days(count: int, seed: int = 1, noise: float = 0.1) -> list[tuple[int, float]]:
    """A weekly pattern with noise around 100."""
    rng = random.Random(seed)
    return [
        (day * DAY, 100 * (1 + 0.3 * math.sin(2 * math.pi * day / 7)) * math.exp(rng.gauss(0, noise)))
        for day in range(count)
    ]


def scored(points: list[tuple[int, float]], settings: SeriesSettings = DAILY) -> list[Scored]:
    return list(score_all(points, settings))


def anomalies(points: list[tuple[int, float]], settings: SeriesSettings = DAILY) -> list[int]:
    return [each.at // DAY for each in scored(points, settings) if each.anomaly]


values = st.floats(min_value=0, max_value=1e9) | st.just(0.0) | st.floats(min_value=-1e6, max_value=0)
series = st.lists(st.tuples(st.integers(0, 80), values), max_size=80).map(
    lambda found: [(day * DAY, value) for day, value in sorted(found, key=lambda each: each[0])]
)


def test_a_spike_a_drop_and_a_zero_are_anomalies_and_nothing_else_is() -> None:
    points = days(300)
    points[100] = (100 * DAY, 250.0)
    points[150] = (150 * DAY, 40.0)
    points[200] = (200 * DAY, 0.0)

    found = anomalies(points)

    assert found == [100, 150, 200]


@given(series)
def test_a_value_at_a_time_gives_the_same_as_all_at_once_with_the_state_kept_as_text_between(
    points: list[tuple[int, float]],
) -> None:
    state = SeriesState()
    one_by_one = []
    for at, value in points:
        state = SeriesState.from_json(state.to_json())
        one_by_one.append(learn(state, DAILY, at, value))

    assert one_by_one == scored(points)


@given(series)
def test_checking_a_value_gives_its_score_and_leaves_the_state_as_it_was(points: list[tuple[int, float]]) -> None:
    state = SeriesState()
    for at, value in points:
        before = state.to_json()
        checked = check(state, DAILY, at, value)
        assert state.to_json() == before
        assert checked == learn(state, DAILY, at, value)


@given(st.sampled_from([0.0, 1.0, 37.5, -4.0, 1e9]), st.integers(1, 60))
def test_a_constant_series_has_no_anomaly(value: float, count: int) -> None:
    assert anomalies([(day * DAY, value) for day in range(count)]) == []


def test_a_text_that_is_no_state_is_refused_and_says_what_to_do() -> None:
    for text in ("", "[]", "{}", SeriesState(form=0).to_json()):
        with pytest.raises(BadInput, match="state of a series"):
            SeriesState.from_json(text)


def test_a_short_history_says_so_then_comes_the_z_score_then_the_robust_score() -> None:
    found = scored(days(40))

    assert [each.note for each in found[:15]] == [Note.INSUFFICIENT_HISTORY] * 14 + [None]
    assert {each.basis for each in found[14:28]} == {ScoreBasis.ZSCORE}
    assert {each.basis for each in found[28:]} == {ScoreBasis.ROBUST}
