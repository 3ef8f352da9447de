"""Experiments as part of the likelihood: what a channel brings without some of its spend, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from adweir.insight.mmm.fit.frame import Floats, LiftTest, MixFrame, in_window, spent_in
from adweir.insight.mmm.fit.media import ActingMedia, Shapes, heads_of, past_of
from adweir.insight.mmm.fit.surface import Anchor, Local

_DEVIATIONS = 3.29
"""Standard deviations in a normal distribution's 90 % interval."""


@dataclass(frozen=True, eq=False)
class LiftAnchor:
    """An experiment: `rows` have the spend as it was, then without the test's part of it; `signs` (R,) say which."""

    rows: ActingMedia
    signs: Floats
    effect: float
    deviation: float

    def shaped(self, shapes: Shapes) -> LiftAnchor:
        """The same experiment, for media of other shapes."""
        return replace(self, rows=replace(self.rows, shapes=shapes))

    def local(self, vectors: Floats) -> Local:
        """The normal log density of the measured effect."""
        brought = self.rows.bring(vectors)
        effects = self.signs @ brought.total
        slopes = np.einsum("r,drn->dn", self.signs, brought.steps)
        off = (self.effect - effects) / self.deviation
        precision = np.einsum("dn,en->nde", slopes, slopes) / self.deviation**2
        return Local(-0.5 * off**2, slopes * off / self.deviation, precision)


def anchors_of(frame: MixFrame, media: ActingMedia) -> tuple[Anchor, ...]:
    """The frame's experiments, for some media over its rows."""
    return tuple(_anchor(frame, media, test) for test in frame.lift_tests)


def _anchor(frame: MixFrame, media: ActingMedia, test: LiftTest) -> LiftAnchor:
    """Of the rows in which the window's spend still acts."""
    channel = frame.channels.index(test.channel)
    window = in_window(frame, test)
    geos = [frame.geos.index(geo) for geo in test.geos] or list(range(len(frame.geos)))
    kept = max(0.0, 1 - test.spend / spent_in(frame, test))
    acting = frame.acting.copy()
    acting[np.ix_([channel], geos, window)] *= kept
    changed = past_of(frame, acting, media.scale)
    periods = len(frame.dates)
    reach = min(periods, window[-1] + media.past.shape[2])
    chosen = np.zeros((len(frame.geos), periods), dtype=bool)
    chosen[geos, window[0] : reach] = True
    mask = chosen.reshape(-1)
    heads = np.repeat(heads_of(frame), periods)[mask]
    rows = replace(
        media,
        past=np.concatenate([media.past[:, mask], changed[:, mask]], axis=1),
        mean=np.tile(media.mean[:, mask], 2),
        since=np.tile(media.since[mask], 2),
    )
    return LiftAnchor(rows, np.concatenate([heads, -heads]), test.effect, (test.high - test.low) / _DEVIATIONS)
