"""Time-ordered cross-validation: the media's parameters from the past, the KPI of the weeks that follow."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from adweir.insight.mmm.fit.frame import Floats
from adweir.insight.mmm.fit.settle import BaselineForm, Settled
from adweir.insight.mmm.fit.solve import climbed
from adweir.insight.mmm.fit.surface import KpiRows, Surface

_FOLDS = 8
_FIRST = 0.5
"""Of the periods, that the first fold learns from."""
_CLIMBS = 8


class Held(NamedTuple):
    """What was predicted of the periods held out: errors (R,) in the KPI's units, and of each its fold."""

    errors: Floats
    folds: Floats
    actual: Floats


def held_out(found: Settled) -> Held:
    """Refit the media on each fold's past, from the whole's most likely vector on, and predict what comes."""
    surface = found.surface
    geos = surface.rows.geos
    periods = len(surface.rows.kpi) // geos
    edges = np.linspace(periods * _FIRST, periods, _FOLDS + 1).astype(int)
    parts = []
    for fold, (start, end) in enumerate(pairwise(edges)):
        past, then = _mask(geos, periods, 0, int(start)), _mask(geos, periods, int(start), int(end))
        learned = _of(surface, past)
        mode, _ = climbed(learned, found.mode, _CLIMBS)
        level = learned.level(learned.media.bring(mode).total)[:, 0]
        media = surface.media.rows(then).bring(mode).total[:, 0]
        told = surface.base.columns[then] @ level
        actual = surface.rows.kpi[then]
        scale = surface.rows.weights[then] / surface.rows.trust[then]
        base = np.exp(np.clip(told, -50, 50)) if found.form is BaselineForm.PRODUCT else told / scale
        parts.append((actual - media - base, np.full(len(actual), fold), actual))
    return Held(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _mask(geos: int, periods: int, start: int, end: int) -> Floats:
    one = np.zeros(periods, dtype=bool)
    one[start:end] = True
    return np.tile(one, geos)


def _of(surface: Surface, chosen: Floats) -> Surface:
    """The surface of some rows."""
    rows, base = surface.rows, surface.base
    fewer = KpiRows(rows.kpi[chosen], rows.weights[chosen], rows.offset[chosen], rows.trust[chosen], rows.geos)
    kept = replace(base, columns=base.columns[chosen])
    return Surface(surface.media.rows(chosen), kept, fewer, surface.noise, surface.anchors)
