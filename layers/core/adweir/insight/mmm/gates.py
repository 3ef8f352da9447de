"""The gates of the wide layer: the union of what Meridian's and Robyn's loaders and models refuse.

PyMC-Marketing validates almost nothing at build time (a gap silently breaks its adstock), so a table that would fail
in any of them is stopped here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from adweir.insight.mmm.wide import Cadence, Wide

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_ROWS_PER_VARIABLE = 10
_SHOWN = 5


class Severity(StrEnum):
    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """One gate that did not pass. An error stops the table from being published."""

    gate: str
    severity: Severity
    message: str


def check(
    wide: Wide, uncovered: Iterable[date], unknown: Mapping[tuple[str, str], Iterable[date]] | None = None
) -> list[Finding]:
    """All findings of a table; `uncovered` are the days of its window on which some profile was not pulled.

    `unknown`: profile and metric → the days on which some of that number is not known.
    """
    findings = [*_coverage(sorted(uncovered)), *_unknown(unknown or {}), *_times(wide), *_columns(wide)]
    if not wide.channels:
        findings.append(_error("channels", "no channel with spend and variation: there is nothing to model"))
    variables = len(wide.columns) - 1
    if len(wide.times) < _ROWS_PER_VARIABLE * variables:
        message = f"{len(wide.times)} periods for {variables} variables: Robyn asks for ten per variable"
        findings.append(Finding("rows", Severity.WARN, message))
    return findings


def _error(gate: str, message: str) -> Finding:
    return Finding(gate, Severity.ERROR, message)


def _coverage(uncovered: list[date]) -> list[Finding]:
    if not uncovered:
        return []
    return [_error("coverage", f"not pulled, so they may not be zero: {_named(uncovered)}")]


def _unknown(unknown: Mapping[tuple[str, str], Iterable[date]]) -> Iterator[Finding]:
    """A KPI of one's own may take the place of conversions and revenue, so the table is stored all the same."""
    for (profile, metric), found in sorted(unknown.items()):
        days = sorted(found)
        said = f"{profile}: some or all {metric} are unknown and count as 0 on {len(days)} days: {_named(days)}"
        yield Finding("unknown", Severity.WARN, said)


def _named(days: list[date]) -> str:
    shown = ", ".join(day.isoformat() for day in days[:_SHOWN])
    return f"{shown} and {len(days) - _SHOWN} more" if len(days) > _SHOWN else shown


def _times(wide: Wide) -> list[Finding]:
    step = timedelta(days=1 if wide.cadence is Cadence.DAILY else 7)
    if len(wide.times) < 2:
        return [_error("times", f"{len(wide.times)} {wide.cadence} periods: at least two are needed")]
    times = [date.fromisoformat(text) for text in wide.times]
    if any(later - earlier != step for earlier, later in pairwise(times)):
        return [_error("times", "periods are not equally spaced, sorted and unique")]
    return []


def _columns(wide: Wide) -> list[Finding]:
    findings = []
    for name, values in wide.columns.items():
        if not _NAME.match(name):
            findings.append(_error("names", f"{name!r} is not snake_case"))
        if len(values) != len(wide.times):
            findings.append(_error("grid", f"{name} has {len(values)} values for {len(wide.times)} periods"))
        if any(not value.is_finite() or value < 0 for value in values):
            findings.append(_error("numbers", f"{name} has negative or undefined values"))
    if len(set(wide.columns["conversions"])) < 2:
        findings.append(_error("kpi", "conversions never change: there is nothing to explain"))
    return findings
