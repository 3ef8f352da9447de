"""What a series is expected to be at a time, and how far off a value is: the state, read."""

from __future__ import annotations

from math import copysign, log, log1p, sqrt
from statistics import fmean, median, stdev
from typing import NamedTuple

from adweir.insight.anomalies.settings import SeriesSettings
from adweir.insight.anomalies.state import SeriesState

_TINY = 1e-12
_ZERO = 0.25
"""Of the smallest positive value: what a zero counts as on a logarithm's scale, so that it stays extreme."""
MAD = 1.4826
"""From a median of distances to a normal deviation."""
_FAR = 3.5
"""Such deviations from the median beyond which a value is far out (Iglewicz and Hoaglin 1993)."""
_COUNTED = 0.25
"""Of the spread that a Poisson count has at least: a series of whole numbers that varies less does not count."""


def place_of(settings: SeriesSettings, at: int) -> int:
    """The place in the season, from the time alone."""
    return at // settings.place % settings.period


def after_gap(state: SeriesState, settings: SeriesSettings, at: int) -> bool:
    return not settings.ahead and state.last is not None and at - state.last > settings.gap


def farther(state: SeriesState, settings: SeriesSettings, at: int) -> float:
    """By how much a deviation is larger at a time ahead: a level that follows its values by a share of each is the less
    known the more values are missing (exponential smoothing's variance of a forecast: 1 + (steps - 1) x share²)."""
    if not settings.ahead or state.last is None:
        return 1.0
    steps = max((at - state.last) // settings.step, 1)
    return sqrt(1 + (steps - 1) * settings.level_rate**2)


def scaled(state: SeriesState, value: float) -> float:
    """The value on the scale of the state: its logarithm, or itself where there are values below zero."""
    if state.linear:
        return value
    return log(value) if value > 0 else log(_ZERO * (state.low or 1.0))


def deviation(state: SeriesState, settings: SeriesSettings, expected: float, reached: float) -> float:
    """One deviation on the scale of the state, never less than `floor` of the value."""
    least = settings.floor * max(abs(expected), abs(reached)) if state.linear else settings.floor
    return max(sqrt(state.spread), least, _TINY)


class ColdUsual(NamedTuple):
    """Mean and standard deviation of the first values, and of how many."""

    mean: float
    spread: float
    seen: int


def cold_usual(state: SeriesState, settings: SeriesSettings) -> ColdUsual:
    """What the values so far are usually, as they are.

    An anomaly among them would hide the next: while all are known, those far out are left out, unless they come
    again at one place of the season, as weekends do.
    """
    usual = ColdUsual(state.mean, sqrt(state.squares / (state.seen - 1)), state.seen)
    if len(state.warm) != state.seen:
        return usual
    values = [value for _, value in state.warm]
    middle = median(values)
    most = _FAR * MAD * median(abs(value - middle) for value in values)
    far = [place_of(settings, at) for at, value in state.warm if abs(value - middle) > most]
    if not (most and far) or len(far) > len({*far}):
        return usual
    kept = [value for value in values if abs(value - middle) <= most]
    return ColdUsual(fmean(kept), stdev(kept), len(kept))


def cold_deviation(settings: SeriesSettings, usual: ColdUsual, value: float) -> float:
    """One deviation before there is enough for the robust score."""
    return max(usual.spread, settings.floor * max(abs(usual.mean), abs(value)), _TINY)


def of_few(z: float, count: int) -> float:
    """The deviations of a normal distribution that are as seldom as `z`, when mean and deviation are of `count` values.

    A further value is off by Student's t, which reaches farther: from 14 values, one in 80 is off by 3 deviations or
    more, not one in 370. Wallace's formula (1959) of the normal deviate is right within 0.03 here.
    """
    freedom = count - 1
    t = abs(z) / sqrt(1 + 1 / count)
    return copysign(sqrt(freedom * log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3), z)


def of_counts(z: float, value: float, usual: float, spread: float) -> float:
    """Counts vary by themselves: the z of a Poisson count is the most that a small one can have (Anscombe 1948).

    `spread` is the variance of the logarithms.
    """
    if usual >= 1 and spread * usual < _COUNTED:
        return z
    most = abs(2 * (sqrt(max(value, 0.0) + 0.375) - sqrt(usual + 0.375)))
    return min(max(z, -most), most)
