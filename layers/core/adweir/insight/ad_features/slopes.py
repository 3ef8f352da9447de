"""How ratios change per day: Poisson regressions with an exposure, whose intervals are robust. Imports numpy.

Of the days of a window, `events` are modelled as exposure · exp(a + b · day). b is the slope: the change of the ratio
per day on the scale of logarithms, 0.01 is 1.005 %. The estimate is that of quasi-likelihood (McCullagh and Nelder,
Generalized Linear Models, ch. 9): conversions may be fractions and more than clicks, and a day with more exposure
weighs more, as it should of a ratio of sums. Intervals assume nothing of the variance (MacKinnon and White 1985, HC3),
since days vary by more than chance, and by more the larger they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MIN_DAYS, MIN_EVENT_DAYS = 10, 5
"""Days with exposure, and of them with an event, of which a slope is estimated at least."""
_STEPS, _TOLERANCE, _LONGEST = 50, 1e-9, 1.0
_T95 = (
    *(6.313752, 2.919986, 2.353363, 2.131847, 2.015048, 1.943180, 1.894579, 1.859548, 1.833113, 1.812461),
    *(1.795885, 1.782288, 1.770933, 1.761310, 1.753050, 1.745884, 1.739607, 1.734064, 1.729133, 1.724718),
    *(1.720743, 1.717144, 1.713872, 1.710882, 1.708141, 1.705618),
)
"""The 95 % quantiles of Student's t with 1 to 26 degrees of freedom."""


class Slope(NamedTuple):
    """Per day, with both ends of its interval of 90 %, None where too little is known; `days` with exposure."""

    slope: float | None
    low: float | None
    high: float | None
    days: int

    def negative(self) -> Slope:
        """That of the reciprocal ratio."""
        if self.slope is None or self.low is None or self.high is None:
            return self
        return Slope(-self.slope, -self.high, -self.low, self.days)


def slopes(events: Array, exposure: Array) -> list[Slope]:
    """The slope of each row: rows are series, columns days, at most 28. A day whose exposure is 0 or nan says nothing.

    None where fewer days tell than are needed, and where one day alone says what the slope is.
    """
    tells = exposure > 0
    tells &= np.isfinite(events)
    y, x = np.where(tells, events, 0.0), np.where(tells, exposure, 0.0)
    count = tells.sum(axis=1)
    enough = (count >= MIN_DAYS) & ((y > 0).sum(axis=1) >= MIN_EVENT_DAYS)
    found = [Slope(None, None, None, int(each)) for each in count]
    rows = np.flatnonzero(enough)
    if not rows.size:
        return found
    fit = _fitted(y[rows], x[rows])
    spread = _spread(fit, y[rows], count[rows])
    for place, row in enumerate(rows):
        b, half = float(fit.slope[place]), float(spread[place])
        if fit.converged[place] and np.isfinite(half):
            found[row] = Slope(b, b - half, b + half, int(count[row]))
    return found


class _Fit(NamedTuple):
    slope: Array
    mean: Array
    information: tuple[Array, Array, Array]
    converged: NDArray[np.bool_]


def _fitted(y: Array, x: Array) -> _Fit:
    """By Newton's method, all rows at once. The likelihood is concave; steps are cut so that none overshoots."""
    t = _days(y.shape[1])
    a, b = np.log(y.sum(axis=1) / x.sum(axis=1)), np.zeros(len(y))
    done = np.zeros(len(y), dtype=bool)
    for _ in range(_STEPS):
        mean = x * np.exp(a[:, None] + b[:, None] * t)
        rest = y - mean
        i0, i1, i2 = mean.sum(axis=1), mean @ t, mean @ (t * t)
        g0, g1 = rest.sum(axis=1), rest @ t
        area = i0 * i2 - i1 * i1
        with np.errstate(divide="ignore", invalid="ignore"):
            step_a, step_b = (i2 * g0 - i1 * g1) / area, (i0 * g1 - i1 * g0) / area
        longest = np.maximum(np.abs(step_a), np.abs(step_b) * t[-1])
        cut = np.minimum(1.0, _LONGEST / np.maximum(longest, _TOLERANCE))
        done = longest < _TOLERANCE
        if done.all():
            break
        good = np.isfinite(longest)
        a, b = a + np.where(good, cut * step_a, 0.0), b + np.where(good, cut * step_b, 0.0)
    return _Fit(b, mean, (i0, i1, i2), done)


def _spread(fit: _Fit, y: Array, count: NDArray[np.int64]) -> Array:
    """Half the width of each interval, from what each day's residual, by one minus its leverage, does to the slope."""
    i0, i1, i2 = fit.information
    t = _days(y.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        away = t - (i1 / i0)[:, None]
        area = i2 - i1 * i1 / i0
        leverage = fit.mean * (1 / i0[:, None] + away * away / area[:, None])
        moved = (y - fit.mean) / (1 - leverage) * away
        deviation = np.sqrt((moved * moved).sum(axis=1)) / area
    spread: Array = (np.asarray(_T95)[count - 3] * deviation).astype(np.float64)
    return spread


def _days(count: int) -> Array:
    days: Array = np.arange(count, dtype=np.float64) - (count - 1) / 2
    return days
