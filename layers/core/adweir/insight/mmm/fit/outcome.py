"""What a fitted media-mix model says, and its JSON. It imports no numpy: what reads a stored outcome needs none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MODEL_VERSION = "mix-4"
LEVEL = 0.9
"""Of every interval."""


class Interval(NamedTuple):
    """A number and the 90 % interval about it."""

    estimate: float
    low: float
    high: float

    def shown(self) -> dict[str, float]:
        """Its JSON."""
        return {name: rounded(value) for name, value in self._asdict().items()}

    def times(self, factor: float) -> Interval:
        """The same in other units; `factor` is at least 0."""
        return Interval(*(value * factor for value in self))


class CurvePoint(NamedTuple):
    """A channel's response: what spending `spend` over the whole window, distributed as it was, brings."""

    spend: float
    contribution: Interval


@dataclass(frozen=True, slots=True)
class GeoEffect:
    """What a channel brought in one geo: in all, per period and per person; `scale` is the last beside that of all geos
    together.
    """

    geo: str
    population: float
    spend: float
    contribution: Interval
    per_period: Interval
    per_person: Interval
    scale: Interval
    roi: Interval

    def shown(self) -> dict[str, Any]:
        """Its JSON."""
        return {
            "geo": self.geo,
            "population": rounded(self.population),
            "spend": rounded(self.spend),
            "contribution": self.contribution.shown(),
            "per_period": self.per_period.shown(),
            "per_person": self.per_person.shown(),
            "scale": self.scale.shown(),
            "roi": self.roi.shown(),
        }


@dataclass(frozen=True, slots=True)
class PeriodEffect:
    """What a channel brought in one period, in all geos together and per person; `period` is its first day."""

    period: str
    contribution: Interval
    per_person: Interval

    def shown(self) -> dict[str, Any]:
        """Its JSON."""
        return {
            "period": self.period,
            "contribution": self.contribution.shown(),
            "per_person": self.per_person.shown(),
        }


@dataclass(frozen=True, slots=True)
class ChannelEffect:
    """What a channel brought over the window.

    `adstock`: `{"type", "theta", "l_max", "normalize", ...}`, per period. `saturation`: `{"family", "half", "slope",
    "scale"}`; `scale` is the spend per period that is 1 on its axis, and `slope` the exponent in the family's own
    formula (none where that has none): 2 of one family is not 2 of the other. `elasticity_at_half` says the same of
    both: by how many per cent the response rises with 1 % more spend where it is half of the most. `beta`: the most
    that it can bring per period. `by_family`: the contribution as each family of saturations has it, and with `_s`
    behind the family's name as an S has it that is possible but not fitted. `marginal_roi`: of the next unit of spend.
    `drawn`: by family, the chosen one first, for each of at most 50 drawn models what the points of `curve` bring; a
    draw is the same model for all channels. A reallocation of any budget takes its interval from them. `geos` and
    `periods` are empty where the frame has no population.
    """

    channel: str
    spend: float
    contribution: Interval
    roi: Interval
    marginal_roi: Interval
    beta: Interval
    elasticity_at_half: Interval
    adstock: Mapping[str, Any]
    saturation: Mapping[str, Any]
    by_family: Mapping[str, Interval]
    curve: tuple[CurvePoint, ...] = ()
    drawn: tuple[tuple[tuple[float, ...], ...], ...] = ()
    geos: tuple[GeoEffect, ...] = ()
    periods: tuple[PeriodEffect, ...] = ()
    warnings: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """Its JSON, with exactly the fields that every reader gets; where geos were given, those and the periods."""
        found: dict[str, Any] = {
            "channel": self.channel,
            "contribution": self.contribution.shown(),
            "roi": self.roi.shown(),
            "adstock": dict(self.adstock),
            "saturation": {
                **self.saturation,
                "elasticity_at_half": self.elasticity_at_half.shown(),
                "beta": self.beta.shown(),
            },
            "warnings": list(self.warnings),
        }
        if self.geos:
            found["geos"] = [each.shown() for each in self.geos]
            found["periods"] = [each.shown() for each in self.periods]
        return found

    def stored(self, fit: Mapping[str, Any]) -> dict[str, Any]:
        """The coefficients in the form that Robyn, PyMC-Marketing and Meridian can be given."""
        params = {name: value for name, value in self.saturation.items() if name not in ("family", "scale")}
        return {
            "channel": self.channel,
            "adstock": dict(self.adstock),
            "saturation": {
                "type": self.saturation["family"],
                "params": params,
                "scale": self.saturation["scale"],
            },
            **_ends("elasticity_at_half", self.elasticity_at_half),
            **_ends("beta", self.beta),
            **_ends("contribution", self.contribution),
            **_ends("roi", self.roi),
            "marginal_roi": rounded(self.marginal_roi.estimate),
            "spend": rounded(self.spend),
            "n_obs": fit["n_obs"],
            "fit": {name: fit[name] for name in ("r2", "nrmse", "cv_nrmse")},
            "warnings": list(self.warnings),
            "model_version": MODEL_VERSION,
        }


@dataclass(frozen=True, slots=True)
class Move:
    """A channel's part of a reallocation: what it spent over the window, and what it would spend."""

    channel: str
    spend: float
    proposed: float


@dataclass(frozen=True, slots=True)
class Reallocation:
    """The same budget, distributed so that it brings the most; `gain` is of the KPI over a window like this one."""

    budget: float
    moves: tuple[Move, ...]
    gain: Interval

    def shown(self) -> dict[str, Any]:
        """Its JSON."""
        moves = [
            {"channel": move.channel, "spend": rounded(move.spend), "proposed": rounded(move.proposed)}
            for move in self.moves
        ]
        return {"budget": rounded(self.budget), "channels": moves, "gain": self.gain.shown()}


@dataclass(frozen=True, slots=True)
class MixOutcome:
    """All that a fit says. `fit` has `r2`, `nrmse`, `cv_nrmse`, `n_obs`, `family`, `input_hash`, `model_version`."""

    channels: tuple[ChannelEffect, ...]
    fit: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    reallocation: Reallocation | None = None

    def shown(self) -> dict[str, Any]:
        """The JSON of `adweir mmm fit`, without curves and budget."""
        return {
            "channels": [channel.shown() for channel in self.channels],
            "fit": dict(self.fit),
            "warnings": list(self.warnings),
        }

    def stored(self) -> list[dict[str, Any]]:
        """The coefficients, a record per channel."""
        return [channel.stored(self.fit) for channel in self.channels]

    def curves(self) -> list[dict[str, Any]]:
        """Points of each channel's response, and its marginal ROI."""
        return [
            {
                "channel": channel.channel,
                "marginal_roi": channel.marginal_roi.shown(),
                "points": [
                    {"spend": rounded(point.spend), "contribution": point.contribution.shown()}
                    for point in channel.curve
                ],
            }
            for channel in self.channels
        ]


def _ends(name: str, of: Interval) -> dict[str, float]:
    return {f"{name}{end}": rounded(value) for end, value in zip(("", "_lo", "_hi"), of, strict=True)}


def rounded(value: float) -> float:
    """Nine digits: what follows them differs from one processor to the next."""
    return float(f"{value:.9g}")
