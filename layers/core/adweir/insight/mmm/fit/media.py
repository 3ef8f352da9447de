"""The channels' part of the model: parameters, their prior, and what the channels bring in each row.

A channel has five parameters or six: log of what it brings per period at its usual spend, logit theta and log r of its
adstock, log k and log n of its saturation (see `kernels`). r and n are 0 on that scale, so geometric adstock and a
concave curve, unless `Shapes` frees them; a channel that acts about a peak has log p in place of log r. Where a table
does not say what ran before it, the log of that, beside what runs on average, is a sixth parameter. `free` parameters
of all channels form a vector; batches of N vectors are (D, N).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from adweir.insight.mmm.fit.frame import Floats, MixFrame
from adweir.insight.mmm.fit.kernels import Family, Kernel, kernel, saturate

SIZE, THETA, SHAPE, HALF, SLOPE, BEFORE = range(6)
_LAGS = {1: 36, 7: 13}
"""Periods for which spend is remembered, by the days per period."""
_MEDIA_SHARE = 0.3
"""Of the KPI, that all channels together are expected to bring; the prior is wide (`_COMMON`)."""
_COMMON, _OWN = 1.0, 1.0
"""Standard deviations of the log of what a unit of spend brings: of all channels together, and of each besides."""
_THETA = {1: (-0.2, 1.2), 7: (-0.6, 1.2)}
_HALF = (0.5, 1.0)
_SHAPE = (0.8, 0.6)
_DELAYED_THETA = {1: (2.0, 1.5), 7: (0.5, 1.0)}
_PEAK = {1: (1.6, 0.8), 7: (0.4, 0.6)}
_SLOPE = (0.7, 0.5)
_BEFORE = (0.0, 1.0)
"""Means and standard deviations on the parameters' scales."""


_CACHED = 16_384
"""Numbers of a channel, by row and vector, that a processor's cache holds beside what is made of them."""


class SpentBefore(StrEnum):
    """What ran before a frame's first row: nothing, or what nobody knows and is estimated."""

    UNKNOWN = "unknown"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Shapes:
    """Which channels, by their place, act most later than at once, with weights of a negative binomial (`rounded`) or
    about a peak (`delayed`), and which have an S-shaped response (`curved`).
    """

    rounded: frozenset[int] = frozenset()
    delayed: frozenset[int] = frozenset()
    curved: frozenset[int] = frozenset()

    @property
    def late(self) -> frozenset[int]:
        """Those whose adstock is not geometric."""
        return self.rounded | self.delayed


class Brought(NamedTuple):
    """(R, N) sums over channels, and by free parameter (D, R, N): what a step of it changes."""

    total: Floats
    steps: Floats


@dataclass(frozen=True, eq=False)
class ActingMedia:
    """Channels over rows: `past` (C, R, L) is the spend of the row and of the periods before it, in units of `scale`,
    as far as the frame has them. `mean` (C, R): what runs on average where the row is, in the same units. `since` (R,):
    how many periods of the frame lie before the row.

    `usual` (C,): what each is expected to bring per period.
    """

    past: Floats
    mean: Floats
    since: NDArray[np.intp]
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
        if self.before is SpentBefore.UNKNOWN:
            places += [(channel, BEFORE) for channel in channels]
        places += [(channel, SHAPE) for channel in sorted(self.shapes.late)]
        return places + [(channel, SLOPE) for channel in sorted(self.shapes.curved)]

    @cached_property
    def prior(self) -> tuple[Floats, Floats]:
        """Mean and precision of a vector."""
        fixed = {THETA: _THETA[self.step], HALF: _HALF, SHAPE: _SHAPE, SLOPE: _SLOPE, BEFORE: _BEFORE}
        delayed = fixed | {THETA: _DELAYED_THETA[self.step], SHAPE: _PEAK[self.step]}
        mean, cover = np.zeros(len(self.free)), np.zeros((len(self.free), len(self.free)))
        for place, (channel, which) in enumerate(self.free):
            if which == SIZE:
                mean[place], cover[place, place] = np.log(self.usual[channel]), _OWN**2
            else:
                expected = delayed if channel in self.shapes.delayed else fixed
                mean[place], cover[place, place] = expected[which][0], expected[which][1] ** 2
        sizes = [place for place, (_, which) in enumerate(self.free) if which == SIZE]
        cover[np.ix_(sizes, sizes)] += _COMMON**2
        return mean, np.asarray(np.linalg.inv(cover), dtype=np.float64)

    def slots(self, vectors: Floats) -> Floats:
        """(D, N) → (6, C, N): all parameters, with 0 where one is not free."""
        full = np.zeros((6, len(self.past), vectors.shape[1]))
        for place, (channel, which) in enumerate(self.free):
            full[which, channel] = vectors[place]
        return full

    def each(self, vectors: Floats, times: Floats | None = None) -> Floats:
        """(C, R, N): what each channel brings in each row; `times` (C,) multiplies its spend everywhere."""
        full = self.slots(vectors)
        stock, _ = self._moved(full, [self._kernel(full).weights], slice(None))
        if times is not None:
            stock *= times[:, None, None]
        slopes = full[SLOPE] if self._has_slopes else None
        curve = saturate(self.family, stock, full[HALF], slopes)
        return np.asarray(np.exp(full[SIZE])[:, None, :] * curve.values)

    def _kernel(self, full: Floats) -> Kernel:
        return kernel(full[THETA], full[SHAPE], self.past.shape[2], sorted(self.shapes.delayed))

    @cached_property
    def _early(self) -> NDArray[np.intp]:
        """The rows that what ran before the frame still acts in."""
        known = self.before is SpentBefore.NOTHING
        return np.flatnonzero(self.since < (0 if known else self.past.shape[2] - 1))

    def _moved(self, full: Floats, kernels: list[Floats], some: slice) -> tuple[Floats, Floats]:
        """Adstocked spend of some channels for each of some kernels (C, L, N), side by side (C, R, ...), and of it what
        ran before the frame, in its early rows (C, E, ...).
        """
        weights = np.concatenate([each[some] for each in kernels], axis=2)
        moved = np.matmul(self.past[some], weights)
        later = np.cumsum(weights[:, ::-1], axis=1)[:, ::-1] - weights
        ran = np.tile(np.exp(full[BEFORE, some]), len(kernels))[:, None, :]
        before = ran * self.mean[some, self._early, None] * later[:, self.since[self._early]]
        moved[:, self._early] += before
        return moved, before

    @property
    def _has_slopes(self) -> bool:
        return any(which == SLOPE for _, which in self.free)

    def bring(self, vectors: Floats) -> Brought:
        """Sums and steps, for a batch."""
        full = self.slots(vectors)
        weights = self._kernel(full)
        kernels = [weights.weights, weights.by_theta] + ([weights.by_shape] if self.shapes.late else [])
        channels, rows = self.past.shape[:2]
        steps = np.empty((len(self.free), rows, vectors.shape[1]))
        together = max(1, _CACHED // (rows * vectors.shape[1]))
        for first in range(0, channels, together):
            self._bring_some(slice(first, first + together), full, kernels, steps)
        return Brought(steps[:channels].sum(axis=0), steps)

    def _bring_some(self, some: slice, full: Floats, kernels: list[Floats], steps: Floats) -> None:
        """The steps of some channels."""
        count = steps.shape[2]
        moved, before = self._moved(full, kernels, some)
        slopes = full[SLOPE, some] if self._has_slopes else None
        curve = saturate(self.family, moved[:, :, :count], full[HALF, some], slopes)
        size = np.exp(full[SIZE, some])
        by_stock = np.multiply(size[:, None, :], curve.by_stock, out=curve.by_stock)
        for place, (channel, which) in enumerate(self.free):
            at = channel - some.start
            if not 0 <= at < len(moved):
                continue
            if which == SIZE:
                np.multiply(size[at], curve.values[at], out=steps[place])
            elif which == THETA:
                np.multiply(by_stock[at], moved[at, :, count : 2 * count], out=steps[place])
            elif which == SHAPE:
                np.multiply(by_stock[at], moved[at, :, 2 * count :], out=steps[place])
            elif which == BEFORE:
                steps[place] = 0
                steps[place][self._early] = by_stock[at, self._early] * before[at, :, :count]
            else:
                np.multiply(size[at], (curve.by_half if which == HALF else curve.by_slope)[at], out=steps[place])

    def rows(self, chosen: Floats) -> ActingMedia:
        """The same channels over some rows (a mask)."""
        return replace(self, past=self.past[:, chosen], mean=self.mean[:, chosen], since=self.since[chosen])

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
    past = past_of(frame, frame.acting, scale)
    mean = np.repeat(
        (frame.acting / heads[None, :, None] / scale[:, None, None]).mean(axis=2), len(frame.dates), axis=1
    )
    since = np.tile(np.arange(len(frame.dates)), len(frame.geos))
    return ActingMedia(past, mean, since, scale, family, shapes or Shapes(), usual, frame.step, before)


def past_of(frame: MixFrame, acting: Floats, scale: Floats) -> Floats:
    """(C, R, L): what acted in each row and in the periods before it, per head and in units of `scale` (C,)."""
    lags = _LAGS[frame.step]
    scaled = acting / heads_of(frame)[None, :, None] / scale[:, None, None]
    padded = np.pad(scaled, ((0, 0), (0, 0), (lags - 1, 0)))
    past = sliding_window_view(padded, lags, axis=2)[..., ::-1]
    return np.ascontiguousarray(past.reshape(len(acting), -1, lags))


def heads_of(frame: MixFrame) -> Floats:
    """By how much a geo's numbers are divided so that geos can be compared: its people beside the average geo's."""
    if frame.population is None or len(frame.geos) == 1:
        return np.ones(len(frame.geos))
    return np.asarray(frame.population / frame.population.mean())


def _usual_spend(values: Floats) -> float:
    """The mean spend per period in which the channel ran for long enough, so that a channel of a season counts."""
    return float(values[values > 0].mean())
