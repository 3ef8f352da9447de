"""Where the same budget brings more: spend moves from the channel whose next unit brings least to the one where it
brings most, within what the data have seen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from adweir.insight.mmm.fit.answers import Sampled
from adweir.insight.mmm.fit.frame import Floats, MixFrame
from adweir.insight.mmm.fit.outcome import LEVEL, Interval, Move, Reallocation

MULTIPLES = np.linspace(0.5, 1.5, 9)
"""Of what a channel spent: beyond half and one and a half of it, a curve is a guess."""
_SLICES = 200


def reallocated(frame: MixFrame, sampled: Mapping[str, Sampled], chosen: str) -> Reallocation:
    """The distribution of the budget that brings the most on average over the draws, and what it gains."""
    curves = {
        family: np.array([each.at(float(multiple)) for multiple in MULTIPLES]) for family, each in sampled.items()
    }
    spend = frame.spend.sum(axis=(1, 2))
    multiples = _best(curves[chosen].mean(axis=2), spend)
    gains = {family: _gain(each, multiples) for family, each in curves.items()}
    tails = [np.quantile(each, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) for each in gains.values()]
    gain = Interval(
        float(np.median(gains[chosen])), float(min(low for low, _ in tails)), float(max(high for _, high in tails))
    )
    moves = tuple(
        Move(channel, float(spent), float(spent * multiple))
        for channel, spent, multiple in zip(frame.channels, spend, multiples, strict=True)
    )
    return Reallocation(float(spend.sum()), moves, gain)


def _at(curves: Floats, place: int, multiple: float) -> Floats:
    """A channel's curve between two points: (..., N) for curves (M, C, ...)."""
    at = float(np.interp(multiple, MULTIPLES, np.arange(len(MULTIPLES))))
    lower = min(int(at), len(MULTIPLES) - 2)
    part = at - lower
    return np.asarray((1 - part) * curves[lower, place] + part * curves[lower + 1, place])


def _best(curves: Floats, spend: Floats) -> Floats:
    """Multiples (C,) of the same total: small slices move for as long as one gains."""
    multiples = np.ones(len(spend))
    slice_ = float(spend.sum()) / _SLICES
    for _ in range(4 * _SLICES):
        values = np.array([float(_at(curves, place, multiples[place])) for place in range(len(spend))])
        more, less = np.full(len(spend), -np.inf), np.full(len(spend), np.inf)
        for place, spent in enumerate(spend):
            step = slice_ / spent if spent > 0 else np.inf
            if multiples[place] + step <= MULTIPLES[-1]:
                more[place] = float(_at(curves, place, multiples[place] + step)) - values[place]
            if multiples[place] - step >= MULTIPLES[0]:
                less[place] = values[place] - float(_at(curves, place, multiples[place] - step))
        taker, giver = int(np.argmax(more)), int(np.argmin(less))
        if taker == giver or more[taker] <= less[giver]:
            break
        multiples[taker] += slice_ / spend[taker]
        multiples[giver] -= slice_ / spend[giver]
    return multiples


def _gain(curves: Floats, multiples: Floats) -> Floats:
    """(N,): what the draws say that the multiples bring more."""
    usual = [_at(curves, place, 1.0) for place in range(len(multiples))]
    changed = [_at(curves, place, float(multiple)) for place, multiple in enumerate(multiples)]
    return np.asarray(np.sum(changed, axis=0) - np.sum(usual, axis=0))
