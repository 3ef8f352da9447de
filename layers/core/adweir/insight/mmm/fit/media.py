"""The channels' part of the model: parameters, their prior, and what the channels bring in each row.

A channel has five parameters: log of what it brings per period at its usual spend, logit theta and log r of its
adstock, log k and log n of its saturation (see `kernels`). r and n are 0 on that scale, so geometric adstock and a
concave curve, unless `Shapes` frees them. `free` parameters of all channels form a
vector; batches of N vectors are (D, N).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from adweir.insight.mmm.fit.frame import Floats, MixFrame
from adweir.insight.mmm.fit.kernels import Family, kernel, saturate

SIZE, THETA, SHAPE, HALF, SLOPE = range(5)
_LAGS = {1: 36, 7: 13}
"""Periods for which spend is remembered, by the days per period."""
_OPENING = {1: 28, 7: 4}
"""Periods at the beginning that still remember spend from before it, by the days per period."""
_OPENING_SHARE = 0.125
"""Of all periods, so that a short series keeps something to learn from."""
_MEDIA_SHARE = 0.3
"""Of the KPI, that all channels together are expected to bring; the prior is wide (`_COMMON`)."""
_COMMON, _OWN = 1.0, 1.0
"""Standard deviations of the log of what a unit of spend brings: of all channels together, and of each besides."""
_THETA = {1: (-0.2, 1.2), 7: (-0.6, 1.2)}
_HALF = (0.5, 1.0)
_SHAPE = (0.8, 0.6)
_SLOPE = (0.7, 0.5)
"""Means and standard deviations on the parameters' scales."""


class SpentBefore(StrEnum):
    """What ran before a frame's first row: nothing, or what nobody knows."""

    UNKNOWN = "unknown"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Shapes:
    """Which channels, by their place, have a peak later than at once, and which an S-shaped response."""

    delayed: frozenset[int] = frozenset()
    curved: frozenset[int] = frozenset()


class Brought(NamedTuple):
    """(R, N) sums over channels, and by free parameter (D, R, N): what a step of it changes."""

    total: Floats
    steps: Floats


@dataclass(frozen=True, eq=False)
class ActingMedia:
    """Channels over rows: `past` (C, R, L) is the spend of the row and of the periods before it, in units of `scale`.

    `usual` (C,): what each is expected to bring per period.
    """

    past: Floats
    scale: Floats
    family: Family
    shapes: Shapes
    usual: Floats
    step: int
    before: SpentBefore = SpentBefore.UNKNOWN

    @cached_property
    def free(self) -> list[tuple[int, int]]:
        """Channel and parameter of each place in a vector."""
        channels = range(len(self.past))
        places = [(channel, which) for which in (SIZE, THETA, HALF) for channel in channels]
        places += [(channel, SHAPE) for channel in sorted(self.shapes.delayed)]
        return places + [(channel, SLOPE) for channel in sorted(self.shapes.curved)]

    @cached_property
    def prior(self) -> tuple[Floats, Floats]:
        """Mean and precision of a vector."""
        fixed = {THETA: _THETA[self.step], HALF: _HALF, SHAPE: _SHAPE, SLOPE: _SLOPE}
        mean, cover = np.zeros(len(self.free)), np.zeros((len(self.free), len(self.free)))
        for place, (channel, which) in enumerate(self.free):
            if which == SIZE:
                mean[place], cover[place, place] = np.log(self.usual[channel]), _OWN**2
            else:
                mean[place], cover[place, place] = fixed[which][0], fixed[which][1] ** 2
        sizes = [place for place, (_, which) in enumerate(self.free) if which == SIZE]
        cover[np.ix_(sizes, sizes)] += _COMMON**2
        return mean, np.asarray(np.linalg.inv(cover), dtype=np.float64)

    def slots(self, vectors: Floats) -> Floats:
        """(D, N) → (5, C, N): all parameters, with 0 where one is not free."""
        full = np.zeros((5, len(self.past), vectors.shape[1]))
        for place, (channel, which) in enumerate(self.free):
            full[which, channel] = vectors[place]
        return full

    def each(self, vectors: Floats, times: Floats | None = None) -> Floats:
        """(C, R, N): what each channel brings in each row; `times` (C,) multiplies its spend everywhere."""
        full = self.slots(vectors)
        stock = np.matmul(self.past, kernel(full[THETA], full[SHAPE], self.past.shape[2]).weights)
        if times is not None:
            stock *= times[:, None, None]
        slopes = full[SLOPE] if self._has_slopes else None
        curve = saturate(self.family, stock, full[HALF], slopes)
        return np.asarray(np.exp(full[SIZE])[:, None, :] * curve.values)

    @property
    def _has_slopes(self) -> bool:
        return any(which == SLOPE for _, which in self.free)

    def bring(self, vectors: Floats) -> Brought:
        """Sums and steps, for a batch."""
        full = self.slots(vectors)
        count, lags = vectors.shape[1], self.past.shape[2]
        weights = kernel(full[THETA], full[SHAPE], lags)
        kernels = [weights.weights, weights.by_theta] + ([weights.by_shape] if self.shapes.delayed else [])
        moved = np.matmul(self.past, np.concatenate(kernels, axis=2))
        stock = moved[:, :, :count]
        size = np.exp(full[SIZE])[:, None, :]
        curve = saturate(self.family, stock, full[HALF], full[SLOPE] if self._has_slopes else None)
        by_stock = size * curve.by_stock
        values = size * curve.values
        parts = {SIZE: values, THETA: by_stock * moved[:, :, count : 2 * count], HALF: size * curve.by_half}
        if self.shapes.delayed:
            parts[SHAPE] = by_stock * moved[:, :, 2 * count :]
        if self._has_slopes:
            parts[SLOPE] = size * curve.by_slope
        steps = np.empty((len(self.free), *stock.shape[1:]))
        for place, (channel, which) in enumerate(self.free):
            steps[place] = parts[which][channel]
        return Brought(values.sum(axis=0), steps)

    def rows(self, chosen: Floats) -> ActingMedia:
        """The same channels over some rows (a mask)."""
        return replace(self, past=self.past[:, chosen])

    def start(self) -> Floats:
        """The prior's mean, as a batch of one."""
        return self.prior[0][:, None]


def media_of(frame: MixFrame, family: Family, before: SpentBefore, shapes: Shapes | None = None) -> ActingMedia:
    """The channels of a frame. With several geos, spend is per person, on the scale of the whole."""
    heads = heads_of(frame)
    scale = np.array([_usual_spend(values) for values in frame.acting / heads[None, :, None]])
    spent = frame.spend.sum(axis=(1, 2))
    share = np.maximum(spent / max(spent.sum(), 1e-300), 1e-4)
    usual = _MEDIA_SHARE * share * frame.kpi.sum() / heads.sum() / frame.kpi.shape[1] + 1e-300
    past = past_of(frame, frame.acting, scale, before)
    return ActingMedia(past, scale, family, shapes or Shapes(), usual, frame.step, before)


def past_of(frame: MixFrame, acting: Floats, scale: Floats, before: SpentBefore) -> Floats:
    """(C, R, L): what acted in each row and in the periods before it, per head and in units of `scale` (C,).

    The mean of the opening stands in for what acted before the first row and is not known.
    """
    lags = _LAGS[frame.step]
    scaled = acting / heads_of(frame)[None, :, None] / scale[:, None, None]
    earlier = scaled[:, :, : opening(frame)].mean(axis=2, keepdims=True)
    if before is SpentBefore.NOTHING:
        earlier = np.zeros_like(earlier)
    padded = np.concatenate([np.repeat(earlier, lags - 1, axis=2), scaled], axis=2)
    past = sliding_window_view(padded, lags, axis=2)[..., ::-1]
    return np.ascontiguousarray(past.reshape(len(acting), -1, lags))


def opening(frame: MixFrame) -> int:
    """How many periods at the beginning depend on spend that the frame does not have."""
    return max(1, min(_OPENING[frame.step], int(_OPENING_SHARE * len(frame.dates))))


def heads_of(frame: MixFrame) -> Floats:
    """By how much a geo's numbers are divided so that geos can be compared: its people beside the average geo's."""
    if frame.population is None or len(frame.geos) == 1:
        return np.ones(len(frame.geos))
    return np.asarray(frame.population / frame.population.mean())


def _usual_spend(values: Floats) -> float:
    """The mean spend per period in which the channel ran for long enough, so that a channel of a season counts."""
    return float(values[values > 0].mean())
