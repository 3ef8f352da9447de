"""Finding the setting of a fit: how the baseline is formed, how much it moves, what the noise is like.

A baseline is either a sum (trend + year + week + controls) or a product of them, exp(Z c) with coefficients c. The
product is fitted by Gauss-Newton: about the current baseline b, (y - media) / b - 1 + Z c is linear in c, so it is
a weighting of the rows and an offset, and all else stays as it is. Which of the two, and the scales of the baseline's
prior and the memory of the noise, are those under which the rows are most likely (empirical Bayes).
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from adweir.insight.mmm.fit.baseline import Baseline
from adweir.insight.mmm.fit.frame import Floats
from adweir.insight.mmm.fit.media import ActingMedia
from adweir.insight.mmm.fit.solve import climbed
from adweir.insight.mmm.fit.surface import Anchor, KpiRows, Noise, Surface

_WALKS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_SEASONS = (1.0, 4.0, 16.0, 64.0)
_MEMORIES = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
_TAIL = 4.0
"""Degrees of freedom of Student's t."""
_FAR, _OFTEN, _FEWEST_FAR = 3.5, 0.005, 2
"""Residuals so many deviations out, more often than that, are no chance: one in 2,000 is. Of 150 weeks a single one is
so far out in one table of thirteen.
"""
_TOO_FAR = 5.0
"""Deviations: one residual so far out is no chance by itself."""
_FEWEST_TURNS, _MOST_TURNS = 3, 24
_STILL = 0.02
"""A mode that a turn moves by less has settled. Four turns are usual; now and then the baseline needs twelve."""
_LEAST_LEVEL = 0.02
"""Of the mean KPI: a baseline that multiplies is never lower."""


class BaselineForm(StrEnum):
    """How the parts of a baseline come together."""

    SUM = "sum"
    PRODUCT = "product"


class Settled(NamedTuple):
    """A surface, its most likely vector (D, 1), and the log density of the residuals there."""

    surface: Surface
    mode: Floats
    likely: float
    form: BaselineForm


class Ground(NamedTuple):
    """What is fitted, but for the media: KPI rows (R,), the baseline, and what experiments said."""

    kpi: Floats
    base: Baseline
    geos: int
    anchors: tuple[Anchor, ...] = ()


def settled(ground: Ground, media: ActingMedia, starts: Floats, form: BaselineForm) -> Settled:
    """The best surface of a form for some media, from starts (D, N)."""
    doubt = np.ones_like(ground.kpi)
    noise = Noise()
    surface = Surface(media, ground.base, _sum_rows(ground, doubt), noise, ground.anchors)
    found, density = climbed(surface, starts, 8)
    mode = found[:, [int(np.argmax(density))]]
    for turn in range(_MOST_TURNS):
        rows = _rows(ground, doubt, mode, form, surface)
        surface = Surface(media, ground.base, rows, noise, ground.anchors)
        if turn:
            doubt = _doubted(surface, mode)
            rows = _rows(ground, doubt, mode, form, surface)
            surface = Surface(media, ground.base, rows, noise, ground.anchors)
        last, there = noise, mode
        noise = _tuned(surface, mode)
        surface = Surface(media, ground.base, rows, noise, ground.anchors)
        mode, _ = climbed(surface, mode, 6)
        if turn >= _FEWEST_TURNS and noise == last and float(np.abs(mode - there).max()) < _STILL:
            break
    mode, _ = climbed(surface, mode, 15)
    return Settled(surface, mode, _likely(surface, mode), form)


def _sum_rows(ground: Ground, doubt: Floats) -> KpiRows:
    return KpiRows(ground.kpi, doubt / ground.kpi.mean(), np.zeros_like(ground.kpi), doubt, ground.geos)


def _rows(ground: Ground, doubt: Floats, mode: Floats, form: BaselineForm, surface: Surface) -> KpiRows:
    if form is BaselineForm.SUM:
        return _sum_rows(ground, doubt)
    columns, total = ground.base.columns, surface.media.bring(mode).total
    floor = _LEAST_LEVEL * ground.kpi.mean()
    if surface.rows.offset.any():
        held = surface.level(total)[:, 0]
    else:
        penalty = ground.base.precision(surface.noise.walk, surface.noise.season)
        wanted = np.log(np.maximum(ground.kpi - total[:, 0], floor))
        held = np.linalg.solve(columns.T @ columns + penalty, columns.T @ wanted)
    for _ in range(3):
        logs = np.clip(columns @ held, np.log(floor), np.log(2 * ground.kpi.max()))
        rows = KpiRows(ground.kpi, doubt / np.exp(logs), doubt * (columns @ held - 1), doubt, ground.geos)
        held = Surface(surface.media, ground.base, rows, surface.noise).level(total)[:, 0]
    return rows


def _doubted(surface: Surface, mode: Floats) -> Floats:
    """(R,): square roots of the weights under which Student's t explains the residuals, where many lie far out."""
    apart = surface.apart(surface.media.bring(mode).total)
    scale = 1.4826 * float(np.median(np.abs(apart))) + 1e-300
    far = (apart / scale) ** 2
    if np.sum(far > _FAR**2) < max(_FEWEST_FAR, _OFTEN * len(far)) and far.max() < _TOO_FAR**2:
        return np.ones_like(apart)
    return np.asarray(np.sqrt((_TAIL + 1) / (_TAIL + far)))


def _likely(surface: Surface, mode: Floats) -> float:
    """The log density of the residuals in the KPI's units, by Student's t: what forms are compared by."""
    rows = surface.rows
    apart = surface.apart(surface.media.bring(mode).total)
    scale = 1.4826 * float(np.median(np.abs(apart))) + 1e-300
    for _ in range(20):
        scale = float(np.sqrt(np.mean((_TAIL + 1) * apart**2 / (_TAIL + (apart / scale) ** 2)))) + 1e-300
    tails = -0.5 * (_TAIL + 1) * np.log1p((apart / scale) ** 2 / _TAIL)
    return float((tails - np.log(scale) + np.log(rows.weights / rows.trust)).sum())


def weighed(found: Settled) -> float:
    """The log of how likely the rows are with baseline and media integrated out, the media by Laplace's approximation:
    what media with more parameters and with fewer are compared by. All rows count alike, for which are doubted differs.
    """
    surface, mode = found.surface, found.mode
    mean, precision = surface.media.prior
    away = mode[:, 0] - mean
    curvature = surface.local(mode, precise=True).precision[0]
    (_, prior), (_, posterior) = np.linalg.slogdet(precision), np.linalg.slogdet(curvature)
    rows, one = surface.rows, np.ones_like(surface.rows.trust)
    alike = replace(rows, weights=rows.weights / rows.trust, offset=rows.offset / rows.trust, trust=one)
    likely = Surface(surface.media, surface.base, alike, surface.noise).evidence(surface.media.bring(mode).total)
    likely += sum(float(each.local(mode).density[0]) for each in surface.anchors)
    return likely - 0.5 * float(away @ precision @ away) + 0.5 * float(prior - posterior)


def _tuned(surface: Surface, mode: Floats) -> Noise:
    """A coordinate search over the noise's settings."""
    total = surface.media.bring(mode).total
    noise = surface.noise
    known: dict[Noise, float] = {}
    for _ in range(2):
        for name, values in (("memory", _MEMORIES), ("walk", _WALKS), ("season", _SEASONS)):
            tried = [replace(noise, **{name: value}) for value in values]
            for each in tried:
                if each not in known:
                    known[each] = Surface(surface.media, surface.base, surface.rows, each).evidence(total)
            noise = tried[int(np.argmax([known[each] for each in tried]))]
    return noise
