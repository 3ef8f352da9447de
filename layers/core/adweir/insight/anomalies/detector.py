"""Scores a series value by value: robust Holt-Winters on logarithms, before that a z-score (docs/anomalies.md).

Each value costs the same, however long the series is, and a value at a time gives the same as all at once. The season
comes from the time, not from the position, so that missing days shift nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import exp

from adweir.insight.anomalies.baseline import (
    after_gap,
    cold_deviation,
    cold_usual,
    deviation,
    farther,
    of_counts,
    of_few,
    place_of,
    scaled,
)
from adweir.insight.anomalies.judging import bounded, judged
from adweir.insight.anomalies.learning import commit
from adweir.insight.anomalies.recurring import recurs
from adweir.insight.anomalies.settings import Note, ScoreBasis, Scored, SeriesSettings
from adweir.insight.anomalies.state import SeriesState


def score_all(
    values: Iterable[tuple[int, float]], settings: SeriesSettings, state: SeriesState | None = None
) -> Iterator[Scored]:
    """Score (at, value) in the order of time, each against those before it. A time that comes twice is restated."""
    state = SeriesState() if state is None else state
    for at, value in values:
        yield learn(state, settings, at, value)


def learn(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> Scored:
    """Score a value and remember it.

    `at` is in seconds of the series' own clock (local wall time where the season is one). The newest time may come
    again with another value: that one replaces it. An older time is scored and not remembered.
    """
    if state.pending is not None and at != state.pending[0]:
        if at < state.pending[0]:
            return _score(state, settings, at, value)._replace(note=Note.LATE)
        commit(state, settings, *state.pending)
    found = _score(state, settings, at, value)
    state.pending, state.pending_alarm = (at, value), found.anomaly
    return found


def check(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> Scored:
    """Score a value as `learn` would, without remembering it: the state stays as it is."""
    return learn(state.copy(), settings, at, value)


def _score(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> Scored:
    if not state.season:
        return _cold(state, settings, at, value)
    if state.fresh is not None or after_gap(state, settings, at):
        return _unscored(at, value, settings)
    if state.sparse and value == 0:
        threshold = settings.threshold_of(ScoreBasis.ROBUST, state.expected)
        return Scored(at, value, 0.0, basis=ScoreBasis.ROBUST, threshold=threshold)
    season = state.season[place_of(settings, at)]
    expected = state.level + season
    reached = scaled(state, value)
    one = state.tail * deviation(state, settings, expected, reached) * farther(state, settings, at)
    z = bounded((reached - expected) / one)
    usual = expected if state.linear else exp(expected)
    if state.whole and not state.linear:
        z = of_counts(z, value, usual, state.spread)
    note = None
    if state.back_until is not None and at <= state.back_until:
        back = (reached - state.back_level - season) / one
        note = Note.RETURNED if abs(back) < settings.threshold else None
    if note is None and abs(z) >= settings.threshold:
        again = recurs(state.excursions, settings, at, reached - expected, empty=value == 0)
        note = Note.RECURRING if again else None
    found = Scored(at, value, usual, z, basis=ScoreBasis.ROBUST, note=note)
    return judged(found, settings, state.alarmed, state.expected, max(abs(value), abs(usual)))


def _cold(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> Scored:
    if state.seen < max(settings.min_values, 2):
        return _unscored(at, value, settings)
    known = cold_usual(state, settings)
    usual, one = known.mean, cold_deviation(settings, known, value)
    z = bounded(of_few((value - usual) / one, known.seen))
    if state.whole and usual >= 0:
        z = of_counts(z, value, usual, max(one / max(usual, 1.0), 1.0) ** 2)
    found = Scored(at, value, usual, z, basis=ScoreBasis.ZSCORE)
    return judged(found, settings, state.alarmed, state.expected, max(abs(value), abs(usual)))


def _unscored(at: int, value: float, settings: SeriesSettings) -> Scored:
    return Scored(at, value, threshold=settings.cold_threshold, note=Note.INSUFFICIENT_HISTORY)
