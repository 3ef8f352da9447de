"""Versions of media-mix coefficients as the API and the command line show them, and reallocations by them.

Numbers are exact decimals. It needs no numpy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.mmm.budget import SpendBounds, plan, responses_of
from adweir.insight.mmm.published import shown_plan
from adweir.model.errors import NotFound, Unavailable, Unprocessable
from adweir.store.findings.coefficients import Coefficients, Mixed, MixLook

if TYPE_CHECKING:
    from adweir.store.findings.coefficients import MixCoefficients

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_ENDS = ("estimate", "low", "high")


class SeriesAsked(NamedTuple):
    """Which series of a client or campaign; what is empty leaves none out."""

    currency: str = ""
    table: str = ""
    kpi: str = ""

    def fits(self, of: Mixed) -> bool:
        """Whether a series is one of those."""
        return all(not asked or asked == value for asked, value in zip(self, of[1:], strict=True))


class BudgetAsked(NamedTuple):
    """A budget for so many days; None: what is spent now, over as many days as were fitted."""

    days: int | None = None
    budget: Decimal | None = None
    bounds: Mapping[str, SpendBounds] | None = None


def series_of(store: MixCoefficients, subject: str, asked: SeriesAsked) -> Coefficients:
    """The newest version of the one series that is asked for. Raises NotFound, and Unprocessable where several are."""
    found = [each for each in store.latest(subject) if asked.fits(each.of)]
    if not found:
        raise NotFound(f"{subject} has no such coefficients{_why_none(store.looks(subject))}")
    if len(found) > 1:
        known = "; ".join(f"currency={of.currency} table={of.table} kpi={of.kpi}" for of in (each.of for each in found))
        details = [
            {"field": name, "message": "chooses one of several series"}
            for name in SeriesAsked._fields
            if len({getattr(each, name) for each in found}) > 1
        ]
        raise Unprocessable(f"{subject} has several series of coefficients, name one: {known}", details)
    return found[0]


def version_of(store: MixCoefficients, subject: str, asked: SeriesAsked, version: int) -> Coefficients:
    """A version of the one series that is asked for. Raises NotFound, Unprocessable."""
    of = series_of(store, subject, asked).of
    found = store.version(of, version)
    if found is None:
        raise NotFound(f"{subject} has no version {version} of table={of.table} kpi={of.kpi}, or no longer has it")
    return found


def shown_version(found: Coefficients) -> dict[str, Any]:
    """All that a version says."""
    curves = {each["channel"]: each["points"] for each in found.curves}
    channels = [_channel(each) | {"curve": _points(curves.get(each["channel"], ()))} for each in found.channels]
    return _about(found) | {
        "channels": channels,
        "geos": [_geo(each["channel"], effect) for each in found.geos for effect in each["effects"]],
        "fit": _numbers(found.fit),
        "reallocation": None if found.reallocation is None else _plan(found.reallocation),
        "lift_tests": [_numbers(each) for each in found.lift_tests],
    }


def shown_summary(found: Coefficients) -> dict[str, Any]:
    """A version in a list of versions: what each channel brought, and its ROI."""
    short = ("channel", "spend", "contribution", "roi", "warnings")
    channels = [{name: shown[name] for name in short} for shown in map(_channel, found.channels)]
    return _about(found) | {"channels": channels}


def shown_looks(looks: Iterable[MixLook]) -> list[dict[str, Any]]:
    """What the last look at each table came to. A table of weeks was not looked at again where that of days is fitted,
    so what was said of it before is left out."""
    newest: dict[tuple[str, str], MixLook] = {}
    for look in looks:
        key = look.currency, look.table
        if key not in newest or look.at > newest[key].at:
            newest[key] = look
    return [
        {**look._asdict(), "result": look.result.value} for _, look in sorted(newest.items()) if _stands(look, newest)
    ]


def _stands(look: MixLook, newest: Mapping[tuple[str, str], MixLook]) -> bool:
    days = newest.get((look.currency, look.table.replace("weekly", "daily")))
    return days is None or days.at <= look.at or bool(days.reason)


def reallocated(store: MixCoefficients, found: Coefficients, asked: BudgetAsked) -> dict[str, Any]:
    """Where a budget brings the most by the newest version of a series. Raises Unprocessable, Unavailable."""
    draws = store.draws(found)
    if draws is None:
        raise Unavailable("a newer version was stored at this moment: ask again")
    fitted = (date.fromisoformat(found.last) - date.fromisoformat(found.first)).days + found.step
    made = plan(responses_of(draws), fitted, fitted if asked.days is None else asked.days, asked.budget, asked.bounds)
    about = {name: value for name, value in _about(found).items() if name in _OF_PLAN}
    return about | _plan(shown_plan(made))


_OF_PLAN = ("currency", "table", "kpi", "version", "as_of", "warnings")


def _about(found: Coefficients) -> dict[str, Any]:
    names = ("currency", "table", "kpi", "version", "as_of", "input_hash", "run_id", "method", "first", "last")
    return {name: getattr(found, name) for name in names} | {
        "days_per_period": found.step,
        "periods": found.periods,
        "settled_share": Decimal(found.settled_share),
        "seconds": Decimal(found.seconds),
        "warnings": list(found.warnings),
    }


def _channel(stored: Mapping[str, Any]) -> dict[str, Any]:
    saturation = stored["saturation"]
    params = {"family": saturation["type"], **saturation["params"], "scale": saturation["scale"]}
    return {
        "channel": stored["channel"],
        "spend": Decimal(stored["spend"]),
        "contribution": _ends(stored, "contribution"),
        "roi": _ends(stored, "roi"),
        "marginal_roi": _three(stored["marginal_roi"]),
        "fitted_roi": _three(stored["fitted_roi"]),
        "carried_weight": Decimal(stored["carried_weight"]),
        "adstock": _numbers(stored["adstock"]),
        "saturation": _numbers(params)
        | {name: _ends(stored, name) for name in ("elasticity_at_half", "beta") if name in stored},
        "by_family": {family: _three(each) for family, each in stored["by_family"].items()},
        "warnings": list(stored["warnings"]),
    }


def _geo(channel: str, stored: Sequence[str]) -> dict[str, Any]:
    geo, population, spend, *rest = stored
    numbers = {"population": Decimal(population), "spend": Decimal(spend)}
    threes = {name: _three(rest[at : at + 3]) for name, at in (("contribution", 0), ("per_person", 3), ("scale", 6))}
    return {"channel": channel, "geo": geo, **numbers, **threes}


def _points(stored: Iterable[Sequence[str]]) -> list[dict[str, Any]]:
    return [{"spend": Decimal(spend), "contribution": _three(three)} for spend, *three in stored]


def _plan(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A reallocation with numbers in place of texts."""
    moves = [
        {name: value if name == "channel" else Decimal(value) for name, value in each.items()}
        for each in stored["channels"]
    ]
    gain = {name: Decimal(value) for name, value in stored["gain"].items()}
    return {"budget": Decimal(stored["budget"]), "days": stored["days"], "moves": moves, "gain": gain}


def _ends(stored: Mapping[str, Any], name: str) -> dict[str, Decimal]:
    return _three([stored[name], stored[f"{name}_lo"], stored[f"{name}_hi"]])


def _three(values: Sequence[str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in zip(_ENDS, values, strict=True)}


def _numbers(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The same with numbers in place of their texts."""
    return {name: _number(value) for name, value in stored.items()}


def _number(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _numbers(value)
    return Decimal(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def _why_none(looks: Iterable[MixLook]) -> str:
    """What the last looks at its datasets came to."""
    said = [f"{look['table']} in {look['currency']}: {look['reason']}" for look in shown_looks(looks) if look["reason"]]
    return f" ({'; '.join(said)})" if said else ": the next run of the workflow refresh makes them of its datasets"
