"""The score of a load: six dimensions, each the share of passed test units.

A dimension that no rule tested is None, not 1. Overall is their weighted mean; a broken `error` rule or a dimension
under 0.6 caps it at 0.59, so that a mean cannot hide what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adweir.model import limits
from adweir.model.metrics import Grain
from adweir.quality.rules import RULES, Tally

WEIGHTS: Mapping[str, float] = {
    "completeness": 0.25,
    "validity": 0.20,
    "accuracy": 0.20,
    "consistency": 0.15,
    "timeliness": 0.10,
    "uniqueness": 0.10,
}
GATE = 0.6
CAP = 0.59
SLA_SECONDS: Mapping[Grain, float] = {Grain.DAY: 86_400.0, Grain.HOUR: 7_200.0}
"""A pull stored within this time of its `as_of` is on time; at three times it scores 0."""


@dataclass(frozen=True, slots=True)
class Score:
    """`overall` 0-1 or None when nothing was tested; `gates` say what capped it; `offenders` are the worst columns."""

    overall: float | None
    dimensions: Mapping[str, float | None]
    gates: list[str] = field(default_factory=list)
    offenders: list[dict[str, Any]] = field(default_factory=list)


def score(tally: Tally, grain: Grain, as_of: datetime, now: datetime) -> Score:
    """Score a finished load.

    Accuracy needs a reference to compare with (reconciliation), which a single load does not have, so it is None.
    """
    dimensions: dict[str, float | None] = dict.fromkeys(WEIGHTS)
    gates: list[str] = []
    if tally.read:
        units: dict[str, list[int]] = {}
        for rule in RULES:
            failed = sum(count for (name, _), count in tally.failures.items() if name == rule.name)
            tested = units.setdefault(rule.dimension, [0, 0])
            # One row may break a rule in several columns; a test unit is the row.
            tested[0] += tally.read - min(failed, tally.read)
            tested[1] += tally.read
            if failed and rule.severity == "error":
                gates.append(rule.name)
        dimensions |= {name: passed / total for name, (passed, total) in units.items()}
        repeated = tally.duplicates / tally.read
        dimensions["uniqueness"] = max(0.0, (dimensions["uniqueness"] or 0.0) - repeated)
    dimensions["timeliness"] = timeliness((now - as_of).total_seconds(), SLA_SECONDS[grain])
    return scored(dimensions, gates, _offenders(tally))


def timeliness(age: float, sla: float) -> float:
    """1 up to the agreed age (both in seconds), falling to 0 at three times it."""
    return min(1.0, max(0.0, (3 * sla - age) / (2 * sla)))


def scored(dimensions: Mapping[str, float | None], gates: list[str], offenders: list[dict[str, Any]]) -> Score:
    """The score of these dimensions. `gates`: the `error` rules that were broken."""
    tested = {name: value for name, value in dimensions.items() if value is not None}
    gates = gates + [f"{name} < {GATE}" for name, value in tested.items() if value < GATE]
    weight = sum(WEIGHTS[name] for name in tested)
    overall = sum(WEIGHTS[name] * value for name, value in tested.items()) / weight if weight else None
    if overall is not None and gates:
        overall = min(overall, CAP)
    rounded = {name: None if value is None else round(value, 6) for name, value in dimensions.items()}
    return Score(None if overall is None else round(overall, 6), rounded, gates, offenders)


def _offenders(tally: Tally) -> list[dict[str, Any]]:
    worst = sorted(tally.failures.items(), key=lambda item: (-item[1], item[0]))[: limits.MAX_FAILED_RULES_NAMED]
    return [{"rule": rule, "field": column, "rows": count} for (rule, column), count in worst]
