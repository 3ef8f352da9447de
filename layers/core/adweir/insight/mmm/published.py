"""What a fit is published as: its estimate, updated by what earlier versions know of days that left the data.

The ROI is what is weighed (`insight.mmm.carried`). Contribution, beta, curve and draws follow it, so that a version
says one thing; `fitted_roi` is the fit's own, which is what the next version carries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any, NamedTuple

from adweir.insight.mmm.budget import BudgetPlan, SpendResponse, plan
from adweir.insight.mmm.carried import Blended, Carried, FittedWindow, RoiEstimate, blend, carry
from adweir.insight.mmm.fit.outcome import MODEL_VERSION, ChannelEffect, Interval, MixOutcome, rounded
from adweir.store.findings.coefficients import Coefficients, Mixed

_ABOUT = ("periods", "days_per_period", "first", "last", "input_hash")
"""Of what a fit says of itself, what a version has fields of its own for."""


class FitFacts(NamedTuple):
    """What a version says beside the fit itself. `as_of`: when its dataset was read."""

    of: Mixed
    as_of: str
    input_hash: str
    run_id: str
    settled_share: float
    kpi_value: float = 1.0
    lift_tests: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[str] = ()


class Version(NamedTuple):
    """A version, and what a reallocation of the budget needs beside it."""

    record: Coefficients
    responses: list[SpendResponse]


def published(outcome: MixOutcome, facts: FitFacts, before: Coefficients | None) -> Version:
    """The version after the one before; None: the first."""
    window = _window(outcome.fit)
    carried = {} if before is None else carry(_carried(before), _fitted(before), _window_of(before), window)
    parts = [
        _PublishedChannel(effect, blend(RoiEstimate(*effect.roi), carried.get(effect.channel), window))
        for effect in outcome.channels
    ]
    responses = [response for part in parts if (response := part.response()) is not None]
    days = (window.end - window.first).days + 1
    conflicts = [said for part in parts for said in part.conflicts(carried)]
    record = Coefficients(
        **facts.of._asdict(),
        version=before.version + 1 if before else 1,
        as_of=facts.as_of,
        input_hash=facts.input_hash,
        run_id=facts.run_id,
        method=window.method,
        first=window.first.isoformat(),
        last=window.last.isoformat(),
        step=outcome.fit["days_per_period"],
        periods=window.periods,
        settled_share=exact(facts.settled_share),
        channels=[in_text(part.record(outcome.fit, facts.kpi_value)) for part in parts],
        fit=in_text({name: value for name, value in outcome.fit.items() if name not in _ABOUT})
        | {"kpi_value": exact(facts.kpi_value)},
        curves=[in_text(part.curve()) for part in parts],
        geos=[in_text(geos) for part in parts if (geos := part.geos())["effects"]],
        reallocation=_default_plan(responses, days),
        lift_tests=facts.lift_tests,
        carried={name: each.shown() for name, each in carried.items()},
        warnings=[*outcome.warnings, *facts.warnings, *conflicts],
    )
    return Version(record, responses)


class _PublishedChannel:
    """A channel of a version."""

    def __init__(self, effect: ChannelEffect, blended: Blended) -> None:
        self._effect = effect
        self._blended = blended
        own = effect.roi.estimate
        self._ratio = blended.roi.estimate / own if blended.weight and own > 0 else 1.0

    def record(self, fit: Mapping[str, Any], kpi_value: float) -> dict[str, Any]:
        effect, roi = self._effect, self._blended.roi
        found = effect.stored(fit) | {
            "marginal_roi": self._scaled(effect.marginal_roi),
            "fitted_roi": list(effect.roi),
            "carried_weight": rounded(self._blended.weight),
            "by_family": {family: list(each) for family, each in effect.by_family.items()},
        }
        if self._blended.weight:
            brought = [each * effect.spend / kpi_value for each in roi]
            for name, three in (("roi", roi), ("contribution", brought), ("beta", self._scaled(effect.beta))):
                found |= {f"{name}{end}": value for end, value in zip(("", "_lo", "_hi"), three, strict=True)}
        return found

    def curve(self) -> dict[str, Any]:
        return {
            "channel": self._effect.channel,
            "points": [[point.spend, *self._scaled(point.contribution)] for point in self._effect.curve],
        }

    def geos(self) -> dict[str, Any]:
        """In few letters: 60 geos of 30 channels have to go into an item of 400 kB."""
        return {
            "channel": self._effect.channel,
            "effects": [
                [
                    each.geo,
                    each.population,
                    _short(each.spend),
                    *map(_short, self._scaled(each.contribution)),
                    *map(_short, self._scaled(each.per_person)),
                    *map(_short, each.scale),
                ]
                for each in self._effect.geos
            ],
        }

    def response(self) -> SpendResponse | None:
        """None of a channel that never ran."""
        effect = self._effect
        if not effect.drawn:
            return None
        drawn = [[[value * self._ratio for value in draw] for draw in family] for family in effect.drawn]
        return SpendResponse(effect.channel, Decimal(exact(effect.spend)), [at.spend for at in effect.curve], drawn)

    def conflicts(self, carried: Mapping[str, Carried]) -> Iterator[str]:
        if self._blended.conflict:
            before, now = carried[self._effect.channel].roi, self._effect.roi
            yield (
                f"{self._effect.channel} changed: days that left the data say a ROI of {before.low:.3g} to "
                f"{before.high:.3g}, this fit {now.low:.3g} to {now.high:.3g}; the earlier ones are left out"
            )

    def _scaled(self, one: Interval) -> list[float]:
        return [value * self._ratio for value in one]


def _default_plan(responses: list[SpendResponse], days: int) -> dict[str, Any] | None:
    """The same budget over days like these, with the usual bounds; None where nothing can move."""
    return shown_plan(plan(responses, days, days)) if len(responses) > 1 else None


def shown_plan(found: BudgetPlan) -> dict[str, Any]:
    """A reallocation as it is stored and shown; all numbers are texts."""
    gain = dict(zip(Interval._fields, (exact(value) for value in found.gain), strict=True))
    moves = [{"channel": each.channel} | {name: str(getattr(each, name)) for name in _MOVED} for each in found.moves]
    return {"budget": str(found.budget), "days": found.days, "channels": moves, "gain": gain}


_MOVED = ("now", "proposed", "least", "most")


def _window(fit: Mapping[str, Any]) -> FittedWindow:
    first, last = (date.fromisoformat(fit[name]) for name in ("first", "last"))
    return FittedWindow(first, last, fit["periods"], MODEL_VERSION)


def _window_of(before: Coefficients) -> FittedWindow:
    first, last = (date.fromisoformat(text) for text in (before.first, before.last))
    return FittedWindow(first, last, before.periods, before.method)


def _fitted(before: Coefficients) -> dict[str, RoiEstimate]:
    """By channel, what the fit of a version said by itself."""
    return {each["channel"]: RoiEstimate(*map(float, each["fitted_roi"])) for each in before.channels}


def _carried(before: Coefficients) -> dict[str, Carried]:
    return {name: Carried.read(stored) for name, stored in before.carried.items()}


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def exact(value: float) -> str:
    """A number's first nine digits, without an exponent."""
    return f"{Decimal(f'{value:.9g}'):f}"


def in_text(value: Any) -> Any:
    """The same with floats as texts of exact decimals; what is no number is null."""
    if isinstance(value, float):
        return exact(value) if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: in_text(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [in_text(each) for each in value]
    return value
