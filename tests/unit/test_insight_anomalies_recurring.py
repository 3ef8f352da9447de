"""What comes again and again in a series is no anomaly; what is farther off, or lasts longer, is one."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest

from adweir.insight.anomalies.detector import learn, score_all
from adweir.insight.anomalies.settings import DAY_SECONDS, Note, Scored, SeriesSettings
from adweir.insight.anomalies.state import SeriesState

_DAYS = 100


def _scored(days: Mapping[int, float], count: int = _DAYS) -> list[Scored]:
    """A calm series; on some days the factor given."""
    lot = random.Random(3)
    values = ((day, 200 * lot.gauss(1, 0.05) * days.get(day, 1.0)) for day in range(count))
    return list(score_all(((day * DAY_SECONDS, value) for day, value in values), SeriesSettings.daily()))


def _alarms(found: list[Scored]) -> list[int]:
    return [day for day, each in enumerate(found) if each.anomaly]


def test_a_jump_is_an_anomaly_until_it_has_come_three_times() -> None:
    found = _scored(dict.fromkeys((40, 52, 64, 76, 88), 2.0))

    assert _alarms(found) == [40, 52, 64]
    assert [found[day].note for day in (76, 88)] == [Note.RECURRING] * 2


@pytest.mark.parametrize(("factor", "is_anomaly"), [(2.0, False), (4.0, True), (0.4, True)])
def test_what_is_farther_off_or_on_the_other_side_is_still_one(factor: float, is_anomaly: bool) -> None:
    found = _scored(dict.fromkeys((40, 52, 64), 2.0) | {80: factor})

    assert found[80].anomaly is is_anomaly


def test_zeros_are_alike_whatever_was_expected_and_a_longer_run_of_them_is_an_anomaly() -> None:
    found = _scored(dict.fromkeys((40, 55, 70, 90, 91), 0.0))

    assert _alarms(found) == [40, 55, 91]


def test_the_first_values_count() -> None:
    lot, state = random.Random(3), SeriesState()
    for day in range(30):
        value = 200 * lot.gauss(1, 0.05) * (0 if day in {3, 12} else 1)
        learn(state, SeriesSettings.daily(), day * DAY_SECONDS, value)

    assert [(each.first // DAY_SECONDS, each.length, each.empty) for each in state.excursions] == [
        (3, 1, True),
        (12, 1, True),
    ]


def test_after_four_months_it_is_forgotten() -> None:
    days = dict.fromkeys((40, 47, 54), 2.0)

    assert not _scored(days | {54 + 119: 2.0}, 180)[54 + 119 - 14].anomaly
    assert _scored(days | {54 + 121: 2.0}, 180)[54 + 121].anomaly


def test_the_state_of_a_series_with_excursions_is_exact_through_json() -> None:
    state = SeriesState()
    for day in range(60):
        learn(state, SeriesSettings.daily(), day * DAY_SECONDS, 0.0 if day in {40, 50} else 100.0 + day % 5)

    assert len(state.excursions) == 2
    assert SeriesState.from_json(state.to_json()) == state
