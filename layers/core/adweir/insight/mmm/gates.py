"""The gates of the wide layer: the union of what Meridian's and Robyn's loaders and models refuse.

PyMC-Marketing validates almost nothing at build time (a gap silently breaks its adstock), so a table that would fail
in any of them is stopped here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from adweir.insight.mmm.wide import Cadence, Wide

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_ROWS_PER_VARIABLE = 10


class Severity(StrEnum):
    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """One gate that did not pass. An error stops the table from being published."""

    gate: str
    severity: Severity
    message: str


def check(wide: Wide, uncovered: Iterable[date]) -> list[Finding]:
    """All findings of a table; `uncovered` are the days of its window on which some profile was not pulled."""
    findings = [*_coverage(sorted(uncovered)), *_times(wide), *_columns(wide)]
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
    shown = ", ".join(day.isoformat() for day in uncovered[:5])
    more = f" and {len(uncovered) - 5} more" if len(uncovered) > 5 else ""
    return [_error("coverage", f"not pulled, so they may not be zero: {shown}{more}")]


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
