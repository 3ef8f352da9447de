"""From draws to answers: contributions, ROI and response curves, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from adweir.insight.mmm.fit.doubts import Doubts
from adweir.insight.mmm.fit.frame import Floats, MixFrame
from adweir.insight.mmm.fit.kernels import Family, elasticity_at_half, most
from adweir.insight.mmm.fit.media import HALF, SHAPE, SIZE, SLOPE, THETA, ActingMedia
from adweir.insight.mmm.fit.outcome import LEVEL, ChannelEffect, CurvePoint, Interval, rounded
from adweir.insight.mmm.fit.sample import Draws

CURVE = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
"""Multiples of the spend at which curves are told."""
_BATCH = 32
_CURVE_DRAWS = 160
_DRAWN = 50
"""Models per family of which an outcome keeps what they say."""
_WIDER, _WIDEST = 1.15, 2.0
"""The bootstrap's spread over the posterior's: up to the first it is chance, beyond the second a failed refit."""
_STEP = 0.01


@dataclass(frozen=True, eq=False)
class Sampled:
    """A family's draws and its bootstrap refits; `heads` (R,) are the people of each row beside the average geo's."""

    media: ActingMedia
    draws: Draws
    refits: Floats
    heads: Floats
    curves: dict[float, Floats] = field(default_factory=dict)

    def summed(self, vectors: Floats, times: Floats | None = None) -> Floats:
        """(C, N): what each channel brought in all."""
        parts = [
            np.einsum("crn,r->cn", self.media.each(vectors[:, at : at + _BATCH], times), self.heads)
            for at in range(0, vectors.shape[1], _BATCH)
        ]
        return np.concatenate(parts, axis=1)

    @cached_property
    def totals(self) -> Floats:
        """(C, N): of all draws, as they are."""
        return self.summed(self.draws.vectors)

    @cached_property
    def wider(self) -> Floats:
        """(C,): by how much draws are moved apart: to where the bootstrap's refits lie, if that is farther."""
        ratio = _width(self.summed(self.refits)) / np.maximum(_width(self.totals), 1e-300)
        return np.where(ratio > _WIDER, np.minimum(ratio, _WIDEST), 1.0)

    def apart(self, draws: Floats) -> Floats:
        """Draws (C, ..., N) of what channels bring, moved apart about their medians; none is below 0."""
        middle = np.median(draws, axis=-1, keepdims=True)
        wider = self.wider.reshape(-1, *(1,) * (draws.ndim - 1))
        return np.asarray(np.maximum(middle + (draws - middle) * wider, 0))

    @cached_property
    def some(self) -> Floats:
        """Draws for what would take too long with all of them."""
        count = self.draws.vectors.shape[1]
        return self.draws.vectors[:, :: max(1, count // _CURVE_DRAWS)]

    def at(self, multiple: float) -> Floats:
        """(C, N): totals of some draws if each channel spent `multiple` times what it did."""
        if multiple not in self.curves:
            times = np.full(len(self.media.past), multiple)
            self.curves[multiple] = self.summed(self.some, times)
        return self.curves[multiple]


def channel_effects(
    frame: MixFrame, sampled: Mapping[str, Sampled], chosen: str, doubts: Doubts
) -> list[ChannelEffect]:
    """The channels in the frame's order."""
    totals = {family: each.apart(each.totals) for family, each in sampled.items()}
    curves = {at: enveloped({f: s.at(at) for f, s in sampled.items()}, chosen) for at in CURVE}
    slopes = {family: (each.at(1 + _STEP) - each.at(1.0)) / _STEP for family, each in sampled.items()}
    marginal = enveloped(slopes, chosen)
    betas = enveloped({family: _betas(each) for family, each in sampled.items()}, chosen)
    elasticities = enveloped({family: _elasticities(each) for family, each in sampled.items()}, chosen)
    contributions = enveloped(totals, chosen)
    found = []
    for place, channel in enumerate(frame.channels):
        spend = float(frame.spend[place].sum())
        worth = frame.kpi_value / spend if spend > 0 else 0.0
        found.append(
            ChannelEffect(
                channel=channel,
                spend=spend,
                contribution=contributions[place],
                roi=contributions[place].times(worth),
                marginal_roi=marginal[place].times(worth),
                beta=betas[place],
                elasticity_at_half=elasticities[place],
                adstock=_adstock(sampled[chosen], place),
                saturation=_saturation(sampled[chosen], place),
                by_family={name: interval(each[place]) for name, each in totals.items()},
                curve=tuple(CurvePoint(spend * at, curves[at][place]) for at in CURVE),
                drawn=_drawn(sampled, chosen, place),
                warnings=doubts.of_channel.get(channel, ()),
            )
        )
    return found


def interval(draws: Floats) -> Interval:
    """The median of draws and the middle 90 % of them."""
    low, middle, high = np.quantile(draws, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return Interval(float(middle), float(low), float(high))


def _drawn(sampled: Mapping[str, Sampled], chosen: str, place: int) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """By family, the chosen one first: what the channel brings at each point of its curve, a row per drawn model."""
    found = []
    for family in sorted(sampled, key=lambda family: family != chosen):
        points = np.array([sampled[family].at(at)[place] for at in CURVE])
        some = np.linspace(0, points.shape[1] - 1, min(_DRAWN, points.shape[1])).astype(int)
        found.append(tuple(tuple(map(rounded, row)) for row in points[:, some].T))
    return tuple(found)


def enveloped(draws: Mapping[str, Floats], chosen: str) -> list[Interval]:
    """Of each row (N,): the chosen family's estimate, and the lowest and the highest end of all families' intervals."""
    found = {family: [interval(each) for each in values] for family, values in draws.items()}
    return [
        Interval(
            found[chosen][place].estimate,
            min(each[place].low for each in found.values()),
            max(each[place].high for each in found.values()),
        )
        for place in range(len(found[chosen]))
    ]


def _width(values: Floats) -> Floats:
    low, high = np.quantile(values, [0.1, 0.9], axis=1)
    return np.asarray(high - low)


def _betas(sampled: Sampled) -> Floats:
    full = sampled.media.slots(sampled.draws.vectors)
    tops = most(sampled.media.family, np.exp(full[HALF]), np.exp(full[SLOPE]))
    return np.asarray(np.exp(full[SIZE]) * tops)


def _elasticities(sampled: Sampled) -> Floats:
    full = sampled.media.slots(sampled.draws.vectors)
    return elasticity_at_half(sampled.media.family, np.exp(full[SLOPE]))


def _middles(sampled: Sampled, place: int) -> dict[int, float]:
    full = np.median(sampled.media.slots(sampled.draws.vectors)[:, place], axis=1)
    return {which: float(full[which]) for which in (SIZE, THETA, SHAPE, HALF, SLOPE)}


def _adstock(sampled: Sampled, place: int) -> dict[str, Any]:
    middles = _middles(sampled, place)
    shapes, theta = sampled.media.shapes, float(1 / (1 + np.exp(-middles[THETA])))
    found: dict[str, Any] = {"theta": rounded(theta), "l_max": sampled.media.past.shape[2], "normalize": True}
    late = rounded(float(np.exp(middles[SHAPE])))
    if place in shapes.delayed:
        return {"type": "delayed", **found, "peak": late}
    if place in shapes.rounded:
        return {"type": "negative_binomial", **found, "shape": late}
    return {"type": "geometric", **found}


def _saturation(sampled: Sampled, place: int) -> dict[str, Any]:
    middles = _middles(sampled, place)
    found: dict[str, Any] = {"family": sampled.media.family.value, "half": rounded(float(np.exp(middles[HALF])))}
    if sampled.media.family is Family.HILL or place in sampled.media.shapes.curved:
        found["slope"] = rounded(float(np.exp(middles[SLOPE])))
    return found | {"scale": rounded(float(sampled.media.scale[place]))}
