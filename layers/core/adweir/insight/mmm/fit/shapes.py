"""Whether a channel acts late, or responds in the form of an S: a score test of each, and only then one more parameter.

A parameter that the data do not ask for widens every interval, so adstock is geometric and the response concave until
the slope of the likelihood at that point says otherwise (Rao's score test, the other parameters considered).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from adweir.insight.mmm.fit.frame import Floats
from adweir.insight.mmm.fit.kernels import Family
from adweir.insight.mmm.fit.media import SHAPE, SLOPE, Shapes
from adweir.insight.mmm.fit.settle import Settled
from adweir.insight.mmm.fit.solve import climbed
from adweir.insight.mmm.fit.surface import Surface

_CLEAR = 3.3
"""Standard deviations, one-sided: a chance of 1 in 2,000 per test."""
_TURNS = 8
_ROWS_FOR_SLOPE = 100
"""Per channel: with fewer an S overfits."""


class AskedShapes(NamedTuple):
    """What the data ask for: the shapes that are fitted, and channels whose S there are too few rows for."""

    shapes: Shapes
    unfitted: frozenset[int]


def asked_for(found: Settled) -> AskedShapes:
    """The shapes beyond the simplest that a settled Hill surface asks for, one after the other, the clearest first."""
    surface, mode = found.surface, found.mode
    channels = len(surface.media.past)
    enough = len(surface.rows.kpi) >= _ROWS_FOR_SLOPE * channels
    shapes, unfitted = surface.media.shapes, frozenset[int]()
    for _ in range(_TURNS):
        scores = _scores(surface, mode)
        best = max(scores, key=lambda place: scores[place])
        if scores[best] < _CLEAR:
            break
        channel, which = best
        if which == SLOPE and not enough:
            unfitted |= {channel}
        shapes = (
            replace(shapes, delayed=shapes.delayed | {channel})
            if which == SHAPE
            else replace(shapes, curved=shapes.curved | {channel})
        )
        surface, mode = with_shapes(surface, mode, shapes)
        mode, _ = climbed(surface, mode, 10)
    return AskedShapes(replace(shapes, curved=shapes.curved - unfitted), unfitted)


def with_shapes(surface: Surface, mode: Floats, shapes: Shapes) -> tuple[Surface, Floats]:
    """The same surface with other shapes, and the vector there: what was not free before is at 0."""
    media = replace(surface.media, shapes=shapes)
    full = surface.media.slots(mode)
    vector = np.array([full[which, channel] for channel, which in media.free])
    anchors = tuple(each.shaped(shapes) for each in surface.anchors)
    return Surface(media, surface.base, surface.rows, surface.noise, anchors), vector


def _scores(surface: Surface, mode: Floats) -> dict[tuple[int, int], float]:
    """By channel and parameter that is not free: the slope of the log likelihood at 0, in standard deviations."""
    everything = frozenset(range(len(surface.media.past)))
    curved = everything if surface.media.family is Family.HILL else frozenset[int]()
    wide, vector = with_shapes(surface, mode, Shapes(everything, curved))
    local = wide.local(vector, precise=True)
    mean, precision = wide.media.prior
    slope = local.gradient[:, 0] + precision @ (vector[:, 0] - mean)
    curvature = local.precision[0] - precision
    held = [place for place, each in enumerate(wide.media.free) if each in surface.media.free]
    kept = curvature[np.ix_(held, held)] + precision[np.ix_(held, held)]
    found = {}
    for place, each in enumerate(wide.media.free):
        if place in held:
            continue
        across = curvature[held, place]
        left = curvature[place, place] - across @ np.linalg.solve(kept, across)
        found[each] = float(slope[place] / np.sqrt(left)) if left > 1e-9 else 0.0
    return found
