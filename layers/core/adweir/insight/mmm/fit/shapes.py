"""Whether a channel acts late, or responds in the form of an S: a score test of each, and only then one more parameter.

A parameter that the data do not ask for widens every interval, so adstock is geometric and the response concave until
the slope of the likelihood at that point says otherwise (Rao's score test, the other parameters considered).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from adweir.insight.mmm.fit.frame import Floats
from adweir.insight.mmm.fit.media import SHAPE, SLOPE, THETA, Shapes
from adweir.insight.mmm.fit.settle import Settled
from adweir.insight.mmm.fit.solve import climbed
from adweir.insight.mmm.fit.surface import Surface

_CLEAR = 3.3
"""Standard deviations, one-sided: a chance of 1 in 2,000 per test."""
_CLEAR_OF_ALL = 2.33
"""The same for the one test of all channels together: 1 in 100."""
_TURNS = 8
_PEAKS = (-0.7, 0.0, 0.7)
"""Where the search for a peak's lag begins, beside the log of what is expected."""
_ROWS_FOR_SLOPE = 100
"""Per channel: with fewer, one channel's S is not told from another's."""
_TINY = 1e-9


class AskedShapes(NamedTuple):
    """What the data ask for: the shapes that are fitted, channels whose S there are too few rows for, whether there are
    too few rows for an S of each channel that has one, and whether it has to show that it is likelier than none.
    """

    shapes: Shapes
    unfitted: frozenset[int] = frozenset()
    guessed: bool = False
    on_trial: bool = False


def late_ones(found: Settled) -> Settled:
    """A settled Hill surface with the adstock of channels that act late: one after the other, the clearest first. A
    channel whose response looks like an S is given one meanwhile, lest that be taken for a delay.
    """
    surface, mode = found.surface, found.mode
    for _ in range(_TURNS):
        scores = _scores(surface, mode).by_place()
        best = max(scores, key=lambda place: scores[place])
        if scores[best] < _CLEAR:
            break
        channel, which = best
        shapes = surface.media.shapes
        tried = [replace(shapes, curved=shapes.curved | {channel})]
        if which == SHAPE:
            tried = [replace(shapes, rounded=shapes.rounded | {channel})]
            tried += [replace(shapes, delayed=shapes.delayed | {channel})]
        _, surface, mode = max((_climbed_to(surface, mode, each) for each in tried), key=lambda each: each[0])
    surface, mode = with_shapes(surface, mode, replace(surface.media.shapes, curved=frozenset()))
    return found._replace(surface=surface, mode=mode)


def _climbed_to(surface: Surface, mode: Floats, shapes: Shapes) -> tuple[float, Surface, Floats]:
    """The surface with other shapes and its most likely vector, and how likely that is: to compare by."""
    new = shapes.delayed - surface.media.shapes.delayed
    wide, vector = with_shapes(surface, mode, shapes)
    starts = np.repeat(vector, len(_PEAKS) if new else 1, axis=1)
    for place, (channel, which) in enumerate(wide.media.free):
        if channel in new and which == SHAPE:
            starts[place] = wide.media.prior[0][place] + np.array(_PEAKS)
        elif channel in new and which == THETA:
            starts[place] = wide.media.prior[0][place]
    found, density = climbed(wide, starts, 10)
    best = int(np.argmax(density))
    _, narrow = np.linalg.slogdet(wide.media.prior[1])
    return float(density[best]) + 0.5 * float(narrow), wide, found[:, [best]]


def curved_ones(families: Sequence[Settled]) -> Iterator[AskedShapes]:
    """Which channels respond in the form of an S, as families with concave curves have it; the last one is never on
    trial.

    All channels where both families say clearly that all together do: few rows can say that, and of no channel by
    itself. One family alone may take its own misfit for an S, so there the S is on trial. One by one
    where both families say so, and there are rows enough.
    """
    surface = families[0].surface
    shapes, everything = surface.media.shapes, frozenset(range(len(surface.media.past)))
    scores = [_scores(each.surface, each.mode) for each in families]
    enough = len(surface.rows.kpi) >= _ROWS_FOR_SLOPE * len(everything)
    alone = frozenset(
        channel for channel in everything if min(each.by_place()[channel, SLOPE] for each in scores) > _CLEAR
    )
    together = [each.together(SLOPE) for each in scores]
    if max(together) > _CLEAR_OF_ALL:
        yield AskedShapes(
            replace(shapes, curved=everything), guessed=not enough, on_trial=min(together) <= _CLEAR_OF_ALL
        )
    yield AskedShapes(replace(shapes, curved=alone)) if enough else AskedShapes(shapes, alone)


def with_shapes(surface: Surface, mode: Floats, shapes: Shapes) -> tuple[Surface, Floats]:
    """The same surface with other shapes, and the vector there: what was not free before is at 0."""
    media = replace(surface.media, shapes=shapes)
    full = surface.media.slots(mode)
    vector = np.array([full[which, channel] for channel, which in media.free])
    anchors = tuple(each.shaped(shapes) for each in surface.anchors)
    return Surface(media, surface.base, surface.rows, surface.noise, anchors), vector


class _Scores(NamedTuple):
    """Slopes of the log likelihood at 0 of parameters that are not free, and their covariance, all else considered."""

    places: Sequence[tuple[int, int]]
    slopes: Floats
    cover: Floats

    def by_place(self) -> dict[tuple[int, int], float]:
        """By channel and parameter, in standard deviations."""
        spread = np.diag(self.cover)
        found = np.where(spread > _TINY, self.slopes / np.sqrt(np.maximum(spread, _TINY)), 0.0)
        return dict(zip(self.places, map(float, found), strict=True))

    def together(self, which: int) -> float:
        """Of a parameter that all channels have alike, in standard deviations."""
        chosen = [place for place, each in enumerate(self.places) if each[1] == which]
        spread = float(self.cover[np.ix_(chosen, chosen)].sum())
        return float(self.slopes[chosen].sum() / np.sqrt(spread)) if spread > _TINY else 0.0


def _scores(surface: Surface, mode: Floats) -> _Scores:
    everything = frozenset(range(len(surface.media.past)))
    delayed = surface.media.shapes.delayed
    wide, vector = with_shapes(surface, mode, Shapes(everything - delayed, delayed, everything))
    local = wide.local(vector, precise=True)
    mean, precision = wide.media.prior
    slope = local.gradient[:, 0] + precision @ (vector[:, 0] - mean)
    curvature = local.precision[0] - precision
    held = [place for place, each in enumerate(wide.media.free) if each in surface.media.free]
    new = [place for place, each in enumerate(wide.media.free) if each not in surface.media.free]
    kept = curvature[np.ix_(held, held)] + precision[np.ix_(held, held)]
    across = curvature[np.ix_(held, new)]
    cover = curvature[np.ix_(new, new)] - across.T @ np.linalg.solve(kept, across)
    return _Scores([wide.media.free[place] for place in new], slope[new], np.asarray(cover))
