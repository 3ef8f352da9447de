"""What is made of one series, period by period. Every function takes and returns arrays of one length.

Where a value would need periods before the first one it is NaN, which files show as an empty cell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def lag(values: Array, periods: int) -> Array:
    """The value so many periods ago."""
    shifted = np.full(len(values), np.nan)
    if periods < len(values):
        shifted[periods:] = values[: len(values) - periods]
    return shifted


def rolling_mean(values: Array, periods: int) -> Array:
    """The mean of the last so many periods, this one included."""
    means = np.full(len(values), np.nan)
    if periods <= len(values):
        means[periods - 1 :] = np.convolve(values, np.full(periods, 1 / periods), "valid")
    return means


def change(values: Array, periods: int) -> Array:
    """By which fraction it differs from its value so many periods ago; NaN where that was zero."""
    before = lag(values, periods)
    before[before == 0] = np.nan
    return values / before - 1


def adstock(values: Array, theta: float) -> Array:
    """Geometric, not normalised, as Robyn has it: this period's value and `theta` times the last one's result."""
    carried, last = np.empty(len(values)), 0.0
    for place, value in enumerate(values):
        last = carried[place] = value + theta * last
    return carried


def hill(values: Array, alpha: float, gamma: float) -> Array:
    """Robyn's Hill curve, from 0 to 1: one half where the value is `gamma` of the largest."""
    most = values.max(initial=0.0)
    if most <= 0:
        return np.zeros(len(values))
    scaled = (values / most) ** alpha
    return np.asarray(scaled / (scaled + gamma**alpha), dtype=np.float64)


def logistic(values: Array, steepness: float) -> Array:
    """PyMC-Marketing's logistic curve of the value as a part of the largest, from 0 to 1."""
    most = values.max(initial=0.0)
    decay = np.exp(-steepness * values / most) if most > 0 else np.ones(len(values))
    return np.asarray((1 - decay) / (1 + decay), dtype=np.float64)


def share(values: Array, total: Array) -> Array:
    """The part of a total; 0 where that is nothing."""
    return np.divide(values, total, out=np.zeros(len(values)), where=total > 0)


def since_first(values: Array) -> Array:
    """Periods since the first one with a value above zero; NaN before it."""
    active = np.flatnonzero(values > 0)
    counted = np.full(len(values), np.nan)
    if len(active):
        counted[active[0] :] = np.arange(len(values) - active[0])
    return counted


def waves(position: Array, cycle: float, orders: int) -> dict[str, Array]:
    """Sines and cosines of a cycle, `orders` of each, by name: `sin_1`, `cos_1`, `sin_2`, ..."""
    found = {}
    for order in range(1, orders + 1):
        angle = 2 * np.pi * order * position / cycle
        found[f"sin_{order}"], found[f"cos_{order}"] = np.sin(angle), np.cos(angle)
    return found
