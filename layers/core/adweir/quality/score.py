"""The score: six dimensions, each the share of passed test units.

- completeness: rows with the id that they need; numbers that the source reports at all, and a row has.
- validity: rows that can be read, with numbers, days, hours and ids that can be.
- uniqueness: rows whose key comes once.
- consistency: rows that agree with themselves (clicks and impressions, …) and with their ad account's currency; of a
  day also levels that add up (`quality.reconcile`).
- timeliness: 1 up to an agreed age, falling to 0 at three times it; of a day, what was not pulled counts by its age.
- accuracy: of a day, the numbers that agree with the platform's own account total. A load has nothing to be compared
  with, so it has none, and nothing stands in for it.

A dimension that no rule tested is None, not 1. Overall is their weighted mean; a broken `error` rule or a dimension
under 0.6 caps it at 0.59, so that a mean cannot hide what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adweir.model import limits
from adweir.model.metrics import Grain
from adweir.model.tasks import Stamp
from adweir.model.times import parse_instant
from adweir.quality.rules import NULL, REPEATED, RULES, Tally

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
Failures = Mapping[tuple[str, str], int]
"""(rule, column) → rows."""


@dataclass(frozen=True, slots=True)
class Score:
    """`overall` 0-1 or None when nothing was tested; `gates` say what capped it; `offenders` are the worst columns."""

    overall: float | None
    dimensions: Mapping[str, float | None]
    gates: list[str] = field(default_factory=list)
    offenders: list[dict[str, Any]] = field(default_factory=list)


class Units:
    """Test units by dimension: how many passed, of how many. `gates` names the broken rules that cap the score."""

    def __init__(self) -> None:
        self.gates: list[str] = []
        self._units: dict[str, list[float]] = {}
        self._failed: dict[tuple[str, str], int] = {}

    def add(self, dimension: str, passed: float, tested: float) -> None:
        """Count units of a dimension."""
        units = self._units.setdefault(dimension, [0, 0])
        units[0] += passed
        units[1] += tested

    def add_rows(self, rows: int, failures: Failures) -> None:
        """Count the units of some rows that were read: each row by each rule."""
        if not rows:
            return
        by_rule: dict[str, int] = {}
        for (name, column), count in failures.items():
            # One row may break a rule in several columns; a test unit is the row. Each number is a unit of its own.
            by_rule[name] = by_rule.get(name, 0) + count
            self._failed[name, column] = self._failed.get((name, column), 0) + count
            if name == NULL:
                self.add("completeness", rows - min(count, rows), rows)
        for rule in RULES:
            failed = min(by_rule.get(rule.name, 0), rows)
            self.add(rule.dimension, rows - failed, rows)
            if failed and rule.severity == "error" and rule.name not in self.gates:
                self.gates.append(rule.name)
        repeated = min(by_rule.get(REPEATED, 0), rows)
        self.add("uniqueness", -repeated, 0)  # 1 - repeated and conflicting rows / rows

    def score(self, further: Mapping[str, float | None]) -> Score:
        """The score; `further` are dimensions whose units are no counts."""
        dimensions: dict[str, float | None] = dict.fromkeys(WEIGHTS)
        dimensions |= {name: max(passed / tested, 0.0) for name, (passed, tested) in self._units.items() if tested}
        dimensions |= further
        return scored(dimensions, self.gates, worst(self._failed))


def score(tally: Tally, grain: Grain, stamp: Stamp, now: datetime) -> Score:
    """Score a finished load. One that loads a stored object again says nothing of how timely that was."""
    units = Units()
    repeated = {(REPEATED, ""): tally.duplicates} if tally.duplicates else {}
    units.add_rows(tally.read, {**tally.failures, **nulls(tally.sparse), **repeated})
    age = (now - parse_instant(stamp.as_of)).total_seconds()
    return units.score({"timeliness": None if stamp.load else timeliness(age, SLA_SECONDS[grain])})


def nulls(counts: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Metric → rows without it, as failures."""
    return {(NULL, name): count for name, count in counts.items()}


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


def mean(values: Iterable[float]) -> float | None:
    """The mean; None of nothing."""
    found = list(values)
    return sum(found) / len(found) if found else None


def worst(failures: Failures) -> list[dict[str, Any]]:
    """The columns with the most failures, worst first."""
    ordered = sorted(failures.items(), key=lambda item: (-item[1], item[0]))[: limits.MAX_FAILED_RULES_NAMED]
    return [{"rule": rule, "field": column, "rows": count} for (rule, column), count in ordered]
