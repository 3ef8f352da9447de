"""What each channel brought by geo and by period, in all and per person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from adweir.insight.mmm.fit.answers import Sampled, enveloped
from adweir.insight.mmm.fit.frame import Floats, MixFrame
from adweir.insight.mmm.fit.kernels import Family, elasticity_at_half
from adweir.insight.mmm.fit.outcome import ChannelEffect, GeoEffect, Interval, PeriodEffect

_BATCH = 32
_EVERY = 8
"""Of the draws, for periods: all would take hundreds of megabytes."""
_NEVER_RAN = "it spent nothing, so it brought nothing; what it would bring, the data cannot say"


class ByPlace(NamedTuple):
    """What a channel brought by geo, and by period."""

    geos: tuple[GeoEffect, ...] = ()
    periods: tuple[PeriodEffect, ...] = ()


class _PlaceSums(NamedTuple):
    """What draws say that each channel brought: (C, G, N) over all periods, and (C, T, fewer) over all geos."""

    geos: Floats
    periods: Floats


def by_place(frame: MixFrame, sampled: Mapping[str, Sampled], chosen: str) -> list[ByPlace]:
    """The channels in the frame's order; empty where the frame has no population."""
    if frame.population is None:
        return [ByPlace() for _ in frame.channels]
    sums = {family: _sums(frame, each) for family, each in sampled.items()}
    people = float(frame.population.sum())
    found = []
    for place in range(len(frame.channels)):
        geos = enveloped({family: each.geos[place] for family, each in sums.items()}, chosen)
        periods = enveloped({family: each.periods[place] for family, each in sums.items()}, chosen)
        scales = enveloped(
            {family: _scales(each.geos[place], frame.population) for family, each in sums.items()}, chosen
        )
        found.append(
            ByPlace(
                geos=tuple(_geo_effects(frame, frame.population, frame.spend[place], geos, scales)),
                periods=tuple(
                    PeriodEffect(day.isoformat(), each, each.times(1 / people))
                    for day, each in zip(frame.dates, periods, strict=True)
                ),
            )
        )
    return found


def nothing_of(channel: str, frame: MixFrame) -> ChannelEffect:
    """A channel that never ran brought nothing."""
    none = Interval(0.0, 0.0, 0.0)
    adstock = {"type": "geometric", "theta": 0.0, "l_max": 1, "normalize": True}
    saturation = {"family": Family.HILL.value, "half": 1.0, "slope": 1.0, "scale": 1.0}
    place, said = ByPlace(), (_NEVER_RAN,)
    if frame.population is not None:
        nowhere = np.zeros(frame.kpi.shape)
        geos = _geo_effects(frame, frame.population, nowhere, [none] * len(frame.geos), [none] * len(frame.geos))
        place = ByPlace(tuple(geos), tuple(PeriodEffect(day.isoformat(), none, none) for day in frame.dates))
    at_half = float(elasticity_at_half(Family.HILL, np.ones(())))
    return ChannelEffect(
        channel,
        0.0,
        none,
        none,
        none,
        none,
        Interval(at_half, at_half, at_half),
        adstock,
        saturation,
        {},
        geos=place.geos,
        periods=place.periods,
        warnings=said,
    )


def _scales(brought: Floats, people: Floats) -> Floats:
    """(G, N): per person, beside what all geos together have per person."""
    whole = np.maximum(brought.sum(axis=0) / people.sum(), 1e-300)
    return np.asarray(brought / people[:, None] / whole)


def _geo_effects(
    frame: MixFrame, people: Floats, spend: Floats, brought: Sequence[Interval], scales: Sequence[Interval]
) -> Iterator[GeoEffect]:
    for place, (geo, each) in enumerate(zip(frame.geos, brought, strict=True)):
        heads, spent = float(people[place]), float(spend[place].sum())
        yield GeoEffect(
            geo=geo,
            population=heads,
            spend=spent,
            contribution=each,
            per_period=each.times(1 / len(frame.dates)),
            per_person=each.times(1 / heads),
            scale=scales[place],
            roi=each.times(frame.kpi_value / spent if spent > 0 else 0.0),
        )


def _sums(frame: MixFrame, sampled: Sampled) -> _PlaceSums:
    geos, periods = [], []
    for at in range(0, sampled.draws.vectors.shape[1], _BATCH):
        each = sampled.media.each(sampled.draws.vectors[:, at : at + _BATCH]) * sampled.heads[None, :, None]
        blocks = each.reshape(len(each), len(frame.geos), -1, each.shape[2])
        geos.append(blocks.sum(axis=2))
        periods.append(blocks.sum(axis=1)[:, :, ::_EVERY])
    return _PlaceSums(*(sampled.apart(np.concatenate(parts, axis=2)) for parts in (geos, periods)))
