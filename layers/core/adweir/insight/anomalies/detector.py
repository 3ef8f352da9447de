"""Scores a series value by value: robust Holt-Winters on logarithms, before that a z-score (docs/anomalies.md).

Each value costs the same, however long the series is, and a value at a time gives the same as all at once. The season
comes from the time, not from the position, so that missing days shift nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import exp, log, sqrt
from statistics import median

from adweir.insight.anomalies.judging import bounded, judged
from adweir.insight.anomalies.settings import Method, Note, ScoreBasis, Scored, SeriesSettings
from adweir.insight.anomalies.state import SeriesState

_NEGATIVES = 5
"""Values below zero after which a series is one to which logarithms do not apply."""
_RUN_Z = 2.0
"""Deviations from which on a value counts for a run on one side."""
_BACK_CYCLES = 2
_TINY = 1e-12


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
        _commit(state, settings, *state.pending)
    scored = _score(state, settings, at, value)
    state.pending, state.pending_alarm = (at, value), scored.anomaly
    return scored


def check(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> Scored:
    """Score a value as `learn` would, without remembering it: the state stays as it is."""
    return learn(state.copy(), settings, at, value)


def _score(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> Scored:
    if not state.season:
        return _cold(state, settings, at, value)
    if state.fresh is not None or _after_gap(state, settings, at):
        return _unscored(at, value, settings)
    expected = state.level + state.season[_place(settings, at)]
    reached = _scaled(state, value)
    spread = _deviation(state, settings, expected, reached)
    z = bounded((reached - expected) / spread)
    usual = expected if state.linear else exp(expected)
    if state.whole and not state.linear:
        z = _of_counts(z, value, usual)
    note = None
    if state.back_until is not None and at <= state.back_until:
        back = (reached - state.back_level - state.season[_place(settings, at)]) / spread
        note = Note.RETURNED if abs(back) < settings.threshold else None
    found = Scored(at, value, usual, z, basis=ScoreBasis.ROBUST, note=note)
    return judged(found, settings, state.alarmed, state.expected, max(abs(value), abs(usual)))


def _cold(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> Scored:
    if state.seen < max(settings.min_values, 2):
        return _unscored(at, value, settings)
    least = settings.floor * max(abs(state.mean), abs(value))
    spread = max(sqrt(state.squares / (state.seen - 1)), least, _TINY)
    z = bounded((value - state.mean) / spread)
    found = Scored(at, value, state.mean, z, basis=ScoreBasis.ZSCORE)
    return judged(found, settings, state.alarmed, state.expected, max(abs(value), abs(state.mean)))


def _unscored(at: int, value: float, settings: SeriesSettings) -> Scored:
    return Scored(at, value, threshold=settings.cold_threshold, note=Note.INSUFFICIENT_HISTORY)


def _commit(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> None:
    """Learn the pending value: no newer one can restate it any more."""
    if state.pending_alarm:
        state.alarmed = at
    state.seen += 1
    change = value - state.mean
    state.mean += change / state.seen
    state.squares += change * (value - state.mean)
    if value > 0:
        state.low = min(state.low or value, value)
    state.whole = state.whole and value == int(value)
    if settings.method is Method.ROBUST:
        _commit_robust(state, settings, at, value)
    state.last = at


def _commit_robust(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> None:
    if value < 0 and state.season and not state.linear:
        state.negatives += 1
        if state.negatives >= _NEGATIVES:
            state.linear, state.season, state.run, state.fresh, state.back_until = True, [], [], None, None
    if not state.season:
        state.warm.append((at, value))
        if len(state.warm) >= settings.warm_up:
            _settle(state, settings)
        return
    if state.fresh is None and _after_gap(state, settings, at):
        state.fresh, state.run, state.back_until = [], [], None
    if state.fresh is not None:
        state.fresh.append(_scaled(state, value) - state.season[_place(settings, at)])
        if len(state.fresh) >= settings.shift_after:
            state.level, state.fresh = median(state.fresh), None
        return
    _update(state, settings, at, value)


def _settle(state: SeriesState, settings: SeriesSettings) -> None:
    """Level, season and spread from the first values, by medians: one of them may itself be an anomaly."""
    state.linear = state.linear or any(value < 0 for _, value in state.warm)
    points = [(at, _scaled(state, value)) for at, value in state.warm]
    cycle = settings.place * settings.period
    cycles: dict[int, list[float]] = {}
    for at, x in points:
        cycles.setdefault(at // cycle, []).append(x)
    middles = {number: median(found) for number, found in cycles.items()}
    places: list[list[float]] = [[] for _ in range(settings.period)]
    for at, x in points:
        places[_place(settings, at)].append(x - middles[at // cycle])
    state.season = [median(found) if found else 0.0 for found in places]
    state.level = median(x - state.season[_place(settings, at)] for at, x in points)
    off = [abs(x - state.level - state.season[_place(settings, at)]) for at, x in points]
    state.spread = (1.4826 * median(off)) ** 2 + 1e-6
    for _ in range(2):
        for at, value in state.warm:
            _update(state, settings, at, value)
        state.run, state.back_until = [], None
    state.warm = []


def _update(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> None:
    place = _place(settings, at)
    x = _scaled(state, value)
    expected = state.level + state.season[place]
    off = x - expected
    spread = _deviation(state, settings, expected, x)
    _follow_run(state, off / spread, x - state.season[place])
    most = settings.clip * spread
    kept = min(max(off, -most), most)
    state.level += settings.level_rate * kept
    state.season[place] += settings.season_rate * (1 - settings.level_rate) * kept
    state.spread += settings.spread_rate * (kept * kept - state.spread)
    if len(state.run) >= settings.shift_after:
        state.back_level, state.back_until = state.run_level, at + _BACK_CYCLES * settings.place * settings.period
        state.level, state.spread, state.run = median(state.run), state.run_spread, []


def _follow_run(state: SeriesState, z: float, seasonless: float) -> None:
    if abs(z) < _RUN_Z:
        state.run = []
        return
    side = 1 if z > 0 else -1
    if not state.run or side != state.side:
        state.side, state.run, state.run_level, state.run_spread = side, [], state.level, state.spread
    state.run.append(seasonless)


def _place(settings: SeriesSettings, at: int) -> int:
    return at // settings.place % settings.period


def _after_gap(state: SeriesState, settings: SeriesSettings, at: int) -> bool:
    return state.last is not None and at - state.last > settings.gap


def _scaled(state: SeriesState, value: float) -> float:
    if state.linear:
        return value
    least = 0.25 * (state.low or 1.0)
    return log(max(value, least)) if value <= 0 else log(value)


def _deviation(state: SeriesState, settings: SeriesSettings, expected: float, reached: float) -> float:
    least = settings.floor * max(abs(expected), abs(reached)) if state.linear else settings.floor
    return max(sqrt(state.spread), least, _TINY)


def _of_counts(z: float, value: float, usual: float) -> float:
    """Counts vary by themselves: the z of a Poisson count is the most that a small one can have (Anscombe 1948)."""
    most = abs(2 * (sqrt(max(value, 0.0) + 0.375) - sqrt(usual + 0.375)))
    return min(max(z, -most), most)
