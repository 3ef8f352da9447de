"""The detector, value by value: what it finds, what it leaves alone, and what its state keeps."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.anomalies.baseline import of_few
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


def test_an_anomaly_among_the_first_values_hides_none_before_the_robust_score() -> None:
    points = days(20)
    (spiked, usual), (at, value) = points[4], points[18]
    points[18] = (at, 2.6 * value)
    without = {each.at: each for each in scored(points)}
    points[4] = (spiked, 4 * usual)

    found = {each.at: each for each in scored(points)}

    assert found[at].anomaly
    assert found[at].basis is ScoreBasis.ZSCORE
    assert found[at].z >= 0.95 * without[at].z


@pytest.mark.parametrize(
    ("freedom", "t", "normal"),
    [
        (9, 2.262, 1.960),
        (9, 4.781, 3.291),
        (13, 2.160, 1.960),
        (13, 3.012, 2.576),
        (13, 4.221, 3.291),
    ],
)
def test_what_is_off_by_few_values_is_as_seldom_as_the_normal_deviate_that_tables_of_students_t_give(
    freedom: int, t: float, normal: float
) -> None:
    count = freedom + 1
    off = t * math.sqrt(1 + 1 / count)

    assert of_few(off, count) == pytest.approx(normal, abs=0.03)
    assert of_few(-off, count) == -of_few(off, count)


def test_of_noise_alone_one_value_in_some_hundred_alarms_in_the_first_four_weeks() -> None:
    rng = random.Random(7)
    series = [[(day * DAY, rng.gauss(1000, 100)) for day in range(28)] for _ in range(300)]

    alarmed = sum(len(anomalies(points)) for points in series)

    assert alarmed <= 0.005 * 14 * len(series)


def test_quiet_weekends_among_the_first_values_are_usual() -> None:
    rng = random.Random(2)
    points = [(day * DAY, (20.0 if day % 7 in (5, 6) else 200.0) * math.exp(rng.gauss(0, 0.05))) for day in range(28)]

    assert anomalies(points) == []


def shifted(points: list[tuple[int, float]], first: int, last: int, factor: float) -> list[tuple[int, float]]:
    return [(at, value * factor if first * DAY <= at < last * DAY else value) for at, value in points]


def test_a_lasting_shift_alarms_for_at_most_five_days_and_hides_no_later_spike() -> None:
    points = shifted(days(250, seed=2), 100, 250, 2.0)
    points = shifted(points, 130, 131, 2.5)

    found = anomalies(points)

    assert found[0] == 100
    assert len([day for day in found if 100 <= day < 130]) <= 5
    assert [day for day in found if day > 110] == [130]


def test_the_way_back_after_a_passing_shift_is_no_anomaly() -> None:
    points = shifted(days(200, seed=2), 100, 105, 2.0)

    found = scored(points)

    assert [day for day in anomalies(points) if day >= 105] == []
    assert found[105].note in {None, Note.RETURNED}


def test_a_restated_value_replaces_the_one_before_it_and_an_older_one_is_scored_only() -> None:
    points = days(60)
    state, restated = SeriesState(), SeriesState()
    list(score_all(points, DAILY, state))
    list(score_all([*points[:-1], (points[-1][0], 9e9)], DAILY, restated))

    again = learn(restated, DAILY, *points[-1])
    late = learn(restated, DAILY, points[30][0], 5000.0)

    assert again == scored(points)[-1]
    assert (late.note, late.anomaly) == (Note.LATE, True)
    assert learn(restated, DAILY, 60 * DAY, 100.0) == learn(state, DAILY, 60 * DAY, 100.0)


def test_each_anomaly_that_was_expected_raises_the_threshold_to_twice_at_most() -> None:
    state = SeriesState()
    list(score_all(days(60), DAILY, state))

    thresholds = []
    for _ in range(6):
        thresholds.append(check(state, DAILY, 60 * DAY, 100.0).threshold)
        state.mark_expected()
    state.unmark_expected()

    assert thresholds == [3.5, 4.375, 5.25, 6.125, 7.0, 7.0]
    assert state.expected == 5


def test_after_a_long_gap_the_level_is_learned_before_anything_is_scored() -> None:
    points = [(at, value * (3 if at > 100 * DAY else 1)) for at, value in days(220) if not 100 * DAY <= at < 150 * DAY]

    found = {each.at // DAY: each for each in scored(points)}

    assert [found[day].note for day in range(150, 156)] == [Note.INSUFFICIENT_HISTORY] * 5 + [None]
    assert [day for day in anomalies(points) if day >= 150] == []


def test_of_a_series_with_zeros_between_its_values_only_the_values_are_compared() -> None:
    rng = random.Random(2)
    points = [(day * DAY, rng.uniform(20, 40) if rng.random() < 0.4 else 0.0) for day in range(200)]
    points[170] = (170 * DAY, 900.0)

    assert [day for day in anomalies(points) if day >= 60] == [170]


def test_values_below_zero_are_compared_as_they_are() -> None:
    rng = random.Random(5)
    points = [(day * DAY, rng.gauss(10, 30)) for day in range(150)]
    points[120] = (120 * DAY, -400.0)

    assert anomalies(points) == [120]


def test_small_effects_and_volumes_are_told_and_not_alarmed() -> None:
    points = [*days(60, noise=0.001), (60 * DAY, 100 * (1 + 0.3 * math.sin(2 * math.pi * 60 / 7)) * 1.15)]

    plain = scored(points)[-1]
    effect = scored(points, replace(DAILY, min_effect=0.2))[-1]
    volume = scored(points, replace(DAILY, min_volume=1000.0))[-1]

    assert (plain.anomaly, plain.note) == (True, None)
    assert (effect.anomaly, effect.note) == (False, Note.SMALL_EFFECT)
    assert (volume.anomaly, volume.note) == (False, Note.LOW_VOLUME)


def test_a_state_fits_into_an_item_many_times() -> None:
    state = SeriesState()
    list(score_all([(hour * 3600, 100.0 + hour % 24 + hour / 7) for hour in range(95)], SeriesSettings.hourly(), state))

    assert len(state.to_json()) < 5000
