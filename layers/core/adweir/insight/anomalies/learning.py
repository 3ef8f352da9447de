"""How a state learns a value: the winsorised Holt-Winters update, and when a series is learned anew."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import exp, log, sqrt
from statistics import median, quantiles

from adweir.insight.anomalies.baseline import MAD, after_gap, deviation, place_of, scaled
from adweir.insight.anomalies.recurring import remembered
from adweir.insight.anomalies.settings import Method, SeriesSettings
from adweir.insight.anomalies.state import SeriesState

_NEGATIVES = 5
"""Values below zero after which a series is one to which logarithms do not apply."""
_RUN_Z = 2.0
"""Deviations from which on a value counts for a run on one side."""
_BACK_CYCLES = 1
"""Seasons after a level shift in which the level before it is still normal."""
_DECILES = 2.5631
"""From the distance of the outer deciles to a normal deviation."""
_LEAST_SPREAD = 1e-6
_TAIL_SHARE = 0.97
_TAIL_Z = 2.1
"""Deviations that this share of normal residuals stays below: where more are beyond, the tail is heavier."""
_SPARSE_SHARE = 0.15
_SPARSE_RUNS = 3
_FLIPS = 4.0
_FLIP_Z = 3.5
_FLIP_MEMORY = 0.985


def commit(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> None:
    """Learn the pending value: no newer one can restate it any more."""
    if state.pending_alarm:
        state.alarmed = at
    state.seen += 1
    change = value - state.mean
    state.mean += change / state.seen
    state.squares += change * (value - state.mean)
    if value > 0:
        if state.season and not state.low and not state.linear:
            state.level += log(value)  # until now there were only zeros, and nothing said what they are small against
        state.low = min(state.low or value, value)
    state.whole = state.whole and value == int(value)
    if settings.method is Method.ROBUST:
        _commit_robust(state, settings, at, value)
    state.last, state.streak = at, state.streak + 1 if value != 0 else 0


def _commit_robust(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> None:
    _change_kind(state, settings, at, value)
    if state.sparse and value == 0:
        return
    if not state.season:
        state.warm.append((at, value))
        if len(state.warm) >= (settings.min_values if state.sparse else settings.warm_up):
            _settle(state, settings)
        return
    if state.fresh is None and after_gap(state, settings, at):
        state.fresh, state.run, state.back_until = [], [], None
    if state.fresh is None:
        _update(state, settings, at, value)
        return
    state.fresh.append(scaled(state, value) - state.season[place_of(settings, at)])
    if len(state.fresh) >= settings.shift_after:
        state.level, state.fresh = median(state.fresh), None


def _change_kind(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> None:
    """A series may turn out to have values below zero, or zeros between its values; then it is learned anew."""
    if not state.season or state.linear:
        return
    if value < 0:
        state.negatives += 1
        if state.negatives >= _NEGATIVES:
            state.linear, state.sparse = True, False
            _forget(state)
        return
    state.flips *= _FLIP_MEMORY
    if not state.sparse and (value == 0) != (state.streak == 0):
        expected = state.level + state.season[place_of(settings, at)]
        reached = scaled(state, value)
        if abs(reached - expected) > _FLIP_Z * deviation(state, settings, expected, reached):
            state.flips += 1
    if state.flips >= _FLIPS or (state.sparse and state.streak >= settings.warm_up):
        state.sparse, state.flips = not state.sparse, 0.0
        _forget(state)


def _forget(state: SeriesState) -> None:
    state.season, state.warm, state.run, state.fresh, state.back_until = [], [], [], None, None


def _settle(state: SeriesState, settings: SeriesSettings) -> None:
    """Level, season and spread from the first values, by medians: one of them may itself be an anomaly."""
    state.linear = state.linear or any(value < 0 for _, value in state.warm)
    if not (state.linear or state.sparse) and _is_sparse(state, settings):
        state.sparse = True
        state.warm = [(at, value) for at, value in state.warm if value != 0]
        if len(state.warm) < settings.min_values:
            return
    points = [(at, scaled(state, value)) for at, value in state.warm]
    cycle = settings.place * settings.period
    cycles: dict[int, list[float]] = {}
    for at, x in points:
        cycles.setdefault(at // cycle, []).append(x)
    middles = {number: median(found) for number, found in cycles.items()}
    places: list[list[float]] = [[] for _ in range(settings.period)]
    for at, x in points:
        places[place_of(settings, at)].append(x - middles[at // cycle])
    state.season = [median(found) if found and not state.sparse else 0.0 for found in places]
    off = [x - middles[at // cycle] - state.season[place_of(settings, at)] for at, x in points]
    lowest, *_, highest = quantiles(off, n=10)
    state.spread = max(MAD * median(map(abs, off)), (highest - lowest) / _DECILES) ** 2 + _LEAST_SPREAD
    state.level = middles[points[0][0] // cycle]
    fitting = replace(settings, level_rate=max(settings.level_rate, 5 / settings.warm_up), spread_rate=0.04)
    for at, x in points:
        _move(state, fitting, place_of(settings, at), x)
    for (at, value), one in zip(state.warm, off, strict=True):
        z, empty = one / sqrt(state.spread), value == 0
        state.excursions = remembered(state.excursions, settings, at, one, z, empty=empty)
    count, period = len(points), 1 if state.sparse else settings.period
    state.spread *= count / max(count - period - 1, 1) * (1 + period / count)
    state.tail, state.warm = settings.tail, []


def _is_sparse(state: SeriesState, settings: SeriesSettings) -> bool:
    """Whether zeros lie between the other values, neither as one pause nor on the same weekdays."""
    known = [(place_of(settings, at), value == 0) for at, value in state.warm]
    mixed = {place for place, _ in known if {zero for other, zero in known if other == place} == {True, False}}
    stray = [zero for place, zero in known if place in mixed]
    runs = sum(now and not before for before, now in pairwise([False, *stray]))
    return sum(zero for _, zero in known) >= _SPARSE_SHARE * len(known) and runs >= _SPARSE_RUNS


def _update(state: SeriesState, settings: SeriesSettings, at: int, value: float) -> None:
    place = place_of(settings, at)
    x = scaled(state, value)
    expected = state.level + state.season[place]
    z = (x - expected) / deviation(state, settings, expected, x)
    if state.back_until is not None and at <= state.back_until and abs(z) >= settings.threshold * state.tail:
        back = state.back_level + state.season[place]
        if abs(x - back) < settings.threshold * state.tail * deviation(state, settings, back, x):
            state.level, state.back_level, state.run = state.back_level, state.level, []
            z = (x - back) / deviation(state, settings, back, x)
    grown = _TAIL_SHARE - 1 if abs(z) <= _TAIL_Z * state.tail else _TAIL_SHARE
    state.tail = max(state.tail * exp(settings.tail_rate * grown), 1.0)
    _follow_run(state, z, x - state.season[place])
    state.excursions = remembered(state.excursions, settings, at, x - expected, z, empty=value == 0)
    _move(state, settings, place, x)
    if len(state.run) >= settings.shift_after:
        state.back_level, state.back_until = state.run_level, at + _BACK_CYCLES * settings.place * settings.period
        state.level, state.spread, state.run = median(state.run), state.run_spread, []


def _move(state: SeriesState, settings: SeriesSettings, place: int, x: float) -> None:
    """Level, season and spread follow the value, but no farther than `clip` deviations: the winsorised update."""
    expected = state.level + state.season[place]
    most = settings.clip * deviation(state, settings, expected, x)
    kept = min(max(x - expected, -most), most)
    state.level += settings.level_rate * kept
    state.season[place] += settings.season_rate * (1 - settings.level_rate) * kept
    state.spread += settings.spread_rate * (kept * kept - state.spread)


def _follow_run(state: SeriesState, z: float, seasonless: float) -> None:
    if abs(z) < _RUN_Z:
        state.run = []
        return
    side = 1 if z > 0 else -1
    if not state.run or side != state.side:
        state.side, state.run, state.run_level, state.run_spread = side, [], state.level, state.spread
    state.run.append(seasonless)
