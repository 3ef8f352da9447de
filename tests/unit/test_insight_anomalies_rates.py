"""A rate is scored by its counts: how sure it is depends on how much there was."""

from __future__ import annotations

import random
from math import inf

import pytest

from adweir.insight.anomalies.rates import RateState, check_rate, learn_rate
from adweir.insight.anomalies.settings import DAY_SECONDS, Note, ScoreBasis, Scored, SeriesSettings
from adweir.model.errors import BadInput

SETTINGS = SeriesSettings.daily()


def learned(days: int = 40, rate: float = 0.05, trials: int = 2000) -> RateState:
    """A rate with nothing but chance in it."""
    lot, state = random.Random(5), RateState()
    for day in range(days):
        hits = sum(lot.random() < rate for _ in range(trials))
        learn_rate(state, SETTINGS, day * DAY_SECONDS, hits, trials)
    return state


def scored(state: RateState, hits: float, trials: float, day: int = 40) -> Scored:
    return check_rate(state, SETTINGS, day * DAY_SECONDS, hits, trials)


def test_the_same_rate_is_an_anomaly_of_many_trials_and_chance_of_few() -> None:
    state = learned()

    assert scored(state, 160, 2000).anomaly
    assert not scored(state, 16, 200).anomaly
    assert (scored(state, 160, 2000).value, scored(state, 160, 2000).basis) == (0.08, ScoreBasis.ROBUST)


def test_days_of_chance_are_no_anomalies_and_none_without_any_success_is_one() -> None:
    lot, state = random.Random(9), RateState()
    found = [
        learn_rate(state, SETTINGS, day * DAY_SECONDS, sum(lot.random() < 0.05 for _ in range(500)), 500)
        for day in range(200)
    ]
    assert [day for day, each in enumerate(found) if each.anomaly] == []
    assert scored(state, 0, 500, 200).anomaly


@pytest.mark.parametrize(
    ("days", "trials", "note"),
    [(10, 2000, Note.INSUFFICIENT_HISTORY), (40, 99, Note.LOW_VOLUME), (40, 0, Note.LOW_VOLUME)],
)
def test_without_history_or_volume_nothing_is_said(days: int, trials: int, note: Note) -> None:
    found = scored(learned(days), 0, trials, days)
    assert (found.note, found.anomaly, found.z) == (note, False, 0.0)


def test_rates_that_really_vary_are_wider() -> None:
    lot, state = random.Random(7), RateState()
    for day in range(80):
        learn_rate(state, SETTINGS, day * DAY_SECONDS, round(2000 * lot.uniform(0.03, 0.07)), 2000)

    assert abs(scored(state, 150, 2000, 80).z) < abs(scored(learned(80), 150, 2000, 80).z) / 2


def test_five_days_at_another_rate_are_the_new_rate() -> None:
    state = learned()
    found = [learn_rate(state, SETTINGS, day * DAY_SECONDS, 200, 2000) for day in range(40, 48)]

    assert [each.anomaly for each in found] == [True] * 5 + [False] * 3
    assert found[-1].expected == pytest.approx(0.1)


def test_a_day_that_comes_again_replaces_itself_and_an_older_one_is_only_scored() -> None:
    state, other = learned(), learned()
    learn_rate(state, SETTINGS, 40 * DAY_SECONDS, 900, 2000)
    learn_rate(state, SETTINGS, 40 * DAY_SECONDS, 100, 2000)
    learn_rate(other, SETTINGS, 40 * DAY_SECONDS, 100, 2000)
    assert state.to_json() == other.to_json()

    assert learn_rate(state, SETTINGS, 39 * DAY_SECONDS, 100, 2000).note is Note.LATE
    assert state.to_json() == other.to_json()


def test_days_without_trials_leave_what_is_known() -> None:
    state = learned()
    learn_rate(state, SETTINGS, 40 * DAY_SECONDS, 0, 0)
    before = (state.hits, state.trials, state.seen)
    learn_rate(state, SETTINGS, 41 * DAY_SECONDS, 0, 0)
    assert (state.hits, state.trials, state.seen) == before


def test_a_state_is_exact_through_json_and_another_form_is_refused() -> None:
    state = learned()
    assert RateState.from_json(state.to_json()) == state
    for wrong in ("[]", "[2]", "{", "7", state.to_json().replace("[1,", "[99,", 1)):
        with pytest.raises(BadInput, match=r"no state of a rate|learn it anew"):
            RateState.from_json(wrong)
    assert abs(scored(state, 2000, 2000).z) < inf
