"""What is sold without advertising: level, trend, year, week and the given controls, as columns with a normal prior.

The trend is a random walk between knots of four weeks, beside a straight line; the year is a Fourier series. How much
either may move is found from the data (`evidence` in `surface`). With several geos each has a level and a walk of its
own, all share a further walk, the year and the week, and numbers are per person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adweir.insight.mmm.fit.frame import Floats, MixFrame

YEAR = 365.25
_KNOT_DAYS = 28
_GEO_KNOT_DAYS = 91
_HARMONICS = 5
WHOLE_YEAR = 364
"""Days of a history whose year has a form: 52 weeks. Half of them have one harmonic."""
_FLAT = 1e-8
"""Prior precision of what is free, in units of the noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Columns (R, P) over rows, geo by geo. `walk` and `season` are prior precisions (P, P) of trend and year, to be
    divided by the square of their scale; `flat` counts the columns that neither holds.
    """

    columns: Floats
    walk: Floats
    season: Floats
    flat: int

    def precision(self, walk: float, season: float) -> Floats:
        """Of the prior, for a walk of `walk` per knot and a year of `season`, in standard deviations of the noise."""
        return self.walk / walk**2 + self.season / season**2 + np.eye(self.columns.shape[1]) * _FLAT


def baseline(frame: MixFrame) -> Baseline:
    """The columns for a frame. Each is about as large as 1."""
    geos, periods = frame.kpi.shape
    days = np.arange(periods, dtype=np.float64) * frame.step
    span = days[-1] + frame.step
    parts: list[tuple[NDArray[np.floating], str]] = []
    each = np.kron(np.eye(geos), np.ones((periods, 1)))
    parts.append((each, "flat"))
    slope = np.asarray((days / span - 0.5)[:, None], dtype=np.float64)
    parts.append((np.kron(np.eye(geos), slope) if geos > 1 else slope, "flat"))
    parts.append((np.tile(_hats(days, _KNOT_DAYS), (geos, 1)), "walk"))
    if geos > 1:
        parts.append((np.kron(np.eye(geos), _hats(days, _GEO_KNOT_DAYS)), "walks"))
    if frame.step == 1:
        weekdays = np.array([day.weekday() for day in frame.dates])
        parts.append((np.tile(np.equal.outer(weekdays, np.arange(6)) - 1 / 7, (geos, 1)), "flat"))
    year = _year(frame, span)
    parts.append((np.tile(year, (geos, 1)), "season"))
    parts.append((_controls(frame), "flat"))
    return _joined(parts, geos)


def _hats(days: Floats, every: int) -> Floats:
    """Straight lines between knots: a column per knot, 1 there and 0 at the next."""
    knots = max(2, round(days[-1] / every) + 1)
    places = days / days[-1] * (knots - 1)
    return np.asarray(np.maximum(0.0, 1 - np.abs(places[:, None] - np.arange(knots))))


def _year(frame: MixFrame, span: float) -> Floats:
    count = _HARMONICS if span >= WHOLE_YEAR else (1 if 2 * span >= WHOLE_YEAR else 0)
    turn = 2 * np.pi * np.array([day.timetuple().tm_yday for day in frame.dates]) / YEAR
    waves = [wave(turn * place) / place for place in range(1, count + 1) for wave in (np.sin, np.cos)]
    return np.array(waves).reshape(2 * count, len(turn)).T


def _controls(frame: MixFrame) -> Floats:
    flat = frame.held.reshape(len(frame.held), frame.kpi.size).T
    spread = flat.std(axis=0)
    return np.asarray((flat - flat.mean(axis=0)) / np.where(spread > 0, spread, 1))


def _joined(parts: list[tuple[NDArray[np.floating], str]], geos: int) -> Baseline:
    columns = np.concatenate([part for part, _ in parts], axis=1)
    size = columns.shape[1]
    walk, season = np.zeros((size, size)), np.zeros((size, size))
    start = flat = 0
    for part, kind in parts:
        wide = part.shape[1]
        there = slice(start, start + wide)
        if kind == "walk":
            walk[there, there] = _steps(wide)
        elif kind == "walks":
            walk[there, there] = np.kron(np.eye(geos), _steps(wide // geos))
        elif kind == "season":
            season[there, there] = np.eye(wide)
        else:
            flat += wide
        start += wide
    return Baseline(columns, walk, season, flat)


def _steps(knots: int) -> Floats:
    """The precision of a random walk: each knot lies about where the one before it does, all of them about 0."""
    moves = np.diff(np.eye(knots), axis=0)
    return np.asarray(moves.T @ moves + np.eye(knots) * 1e-2 / knots)
