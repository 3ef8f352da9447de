"""The gates of the wide layer: the union of what Meridian's and Robyn's loaders and models refuse.

PyMC-Marketing validates almost nothing at build time (a gap silently breaks its adstock), so a table that would fail
in any of them is stopped here. The rows are looked at as they are written, so that the file itself is judged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import pairwise

from adweir.insight.mmm.wide import Cadence, Wide

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_ROWS_PER_VARIABLE = 10
_SHOWN = 5
_KEYS = ("geo", "time")


class Severity(StrEnum):
    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """One gate that did not pass. An error stops the table from being published."""

    gate: str
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a table are. Columns without a role, such as clicks, have to be numbers only."""

    cadence: Cadence
    target: str
    channels: Sequence[str]
    media: Mapping[str, str]
    """Channel → its exposure column, of those that have one."""
    reach: Sequence[str] = ()
    organic: Sequence[str] = ()
    controls: Sequence[str] = ()
    has_geos: bool = False
    national_controls: Sequence[str] = ()

    @classmethod
    def of(cls, wide: Wide) -> Roles:
        """Those of a table's columns."""
        return cls(
            wide.cadence,
            wide.target,
            wide.channels,
            wide.media,
            wide.reach,
            wide.organic,
            wide.controls,
            bool(wide.geos),
            wide.national_controls,
        )

    @property
    def exposures(self) -> list[str]:
        """The columns that say how much of each channel there was: they have to vary."""
        organic = [f"organic_{each}_impressions" for each in self.organic]
        return [*self.media.values(), *(f"{each}_reach" for each in self.reach), *organic]


def check(
    wide: Wide, uncovered: Iterable[date], unknown: Mapping[tuple[str, str], Iterable[date]] | None = None
) -> list[Finding]:
    """All findings of a table; `uncovered` are the days of its window on which some profile was not pulled.

    `unknown`: profile and metric → the days on which some of that number is not known.
    """
    findings = [*_coverage(sorted(uncovered)), *_unknown(unknown or {})]
    short = [name for name, values in wide.columns.items() if len(values) != wide.size]
    if short:
        sizes = ", ".join(f"{name} has {len(wide.columns[name])}" for name in short[:_SHOWN])
        return [*findings, _error("grid", f"not one value per row: {sizes} of {wide.size}")]
    header, *rows = wide.rows()
    findings += check_rows(header, rows, Roles.of(wide))
    if not wide.channels:
        findings.append(_error("channels", "no channel with spend and variation: there is nothing to model"))
    variables = len(wide.columns) - 1
    if wide.size < _ROWS_PER_VARIABLE * variables:
        message = f"{wide.size} rows for {variables} variables: Robyn asks for ten per variable"
        findings.append(Finding("rows", Severity.WARN, message))
    return findings


def check_rows(header: Sequence[str], rows: Sequence[Sequence[str]], roles: Roles) -> list[Finding]:
    """What is wrong with a table as it is written: its names, its rows' days and regions, its numbers."""
    findings = [*_names(header)]
    if any(len(row) != len(header) for row in rows):
        return [*findings, _error("grid", "rows differ in how many cells they have")]
    cells: dict[str, Sequence[str]] = dict(zip(header, zip(*rows, strict=True), strict=False)) if rows else {}
    findings += _times(cells.get("time", ()), cells.get("geo", ()), roles)
    numbers: dict[str, list[Decimal]] = {}
    for name in header:
        if name not in _KEYS and name in cells:
            values, why = _numbers(cells[name])
            if why:
                findings.append(_error("numbers", f"{name} {why}"))
            numbers[name] = values
    return [*findings, *_signs(numbers, roles), *_variation(numbers, roles), *_by_region(numbers, cells, roles)]


def _error(gate: str, message: str) -> Finding:
    return Finding(gate, Severity.ERROR, message)


def _coverage(uncovered: list[date]) -> list[Finding]:
    if not uncovered:
        return []
    return [_error("coverage", f"not pulled, so they may not be zero: {named(uncovered)}")]


def _unknown(unknown: Mapping[tuple[str, str], Iterable[date]]) -> Iterator[Finding]:
    """A KPI of one's own may take the place of conversions and revenue, so the table is stored all the same."""
    for (profile, metric), found in sorted(unknown.items()):
        days = sorted(found)
        said = f"{profile}: some or all {metric} are unknown and count as 0 on {len(days)} days: {named(days)}"
        yield Finding("unknown", Severity.WARN, said)


def named(days: Sequence[date]) -> str:
    """The first of some days, and how many more there are."""
    shown = ", ".join(day.isoformat() for day in days[:_SHOWN])
    return f"{shown} and {len(days) - _SHOWN} more" if len(days) > _SHOWN else shown


def _names(header: Sequence[str]) -> Iterator[Finding]:
    for name, times in Counter(header).items():
        if times > 1:
            yield _error("names", f"{name} names {times} columns")
        if not _NAME.match(name):
            yield _error("names", f"{name!r} is not snake_case")
    media = {name.removesuffix("_impressions") for name in header if name.endswith("_impressions")}
    for name in header:
        channel = name.removesuffix("_reach")
        if channel != name and channel in media:
            yield _error("names", f"{channel} has impressions and reach: Meridian takes a channel once")


def _times(times: Sequence[str], geos: Sequence[str], roles: Roles) -> list[Finding]:
    wrong = [text for text in times if not _is_day(text)]
    if wrong:
        return [_error("times", f"{wrong[0]!r} is not a day as text, like 2026-11-20")]
    labels = sorted(set(times))
    by_geo: dict[str, list[str]] = {}
    for geo, text in zip(geos, times, strict=True) if roles.has_geos and geos else (("", text) for text in times):
        by_geo.setdefault(geo, []).append(text)
    return _grid(by_geo, labels) or _spacing([date.fromisoformat(text) for text in labels], roles.cadence)


def _grid(by_geo: Mapping[str, Sequence[str]], labels: Sequence[str]) -> list[Finding]:
    """Every region has every period once, in order."""
    for geo, own in by_geo.items():
        where = f" of {geo}" if geo else ""
        if len(set(own)) < len(own):
            twice = next(text for text, count in Counter(own).items() if count > 1)
            return [_error("times", f"{twice}{where} comes more than once")]
        if len(own) != len(labels):
            return [_error("grid", f"{len(labels) - len(own)} of {len(labels)} periods{where} are missing")]
    if any(own != labels for own in by_geo.values()) or list(by_geo) != sorted(by_geo):
        return [_error("times", "rows are not sorted by region and time")]
    return []


def _spacing(days: Sequence[date], cadence: Cadence) -> list[Finding]:
    if len(days) < 2:
        return [_error("times", f"{len(days)} {cadence} periods: at least two are needed")]
    step = 1 if cadence is Cadence.DAILY else 7
    for earlier, later in pairwise(days):
        if (later - earlier).days != step:
            return [_error("times", f"periods are not equally spaced: {later} comes after {earlier}")]
    if cadence is Cadence.WEEKLY and days[0].weekday():
        return [_error("times", f"weeks do not begin on Mondays: {days[0]}")]
    return []


def _is_day(text: str) -> bool:
    if not _DAY.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _numbers(texts: Sequence[str]) -> tuple[list[Decimal], str]:
    """The cells of a column as numbers, 0 for what is none, and what is wrong with the first such cell."""
    values, why = [], ""
    for place, text in enumerate(texts, 1):
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            why = why or f"has no number in row {place}: {text[:40]!r}"
            value = Decimal(0)
        values.append(value)
    return values, why


def _signs(numbers: Mapping[str, Sequence[Decimal]], roles: Roles) -> Iterator[Finding]:
    """Nothing but a control is below zero. Meridian takes negative impressions; Robyn stops."""
    for name, values in numbers.items():
        if name not in roles.controls and any(value < 0 for value in values):
            yield _error("numbers", f"{name} has values below zero")


def _variation(numbers: Mapping[str, Sequence[Decimal]], roles: Roles) -> Iterator[Finding]:
    """What never changes explains nothing: Meridian's model and Robyn refuse it."""
    if len(set(numbers.get(roles.target, ()))) < 2:
        yield _error("kpi", f"{roles.target} never change: there is nothing to explain")
    for name in roles.exposures:
        if len(set(numbers.get(name, ()))) < 2:
            yield _error("variation", f"{name} never changes: there is nothing to learn from it")
    for name in roles.controls:
        if len(set(numbers.get(name, ()))) < 2:
            yield _error("variation", f"{name} never changes: Meridian refuses a constant control")
    for channel in roles.channels:
        if not any(numbers.get(f"{channel}_spend", ())):
            yield _error("spend", f"{channel} has media and no spend: Meridian takes it as organic media only")
    ratios = numbers.get("revenue_per_conversion")
    if ratios is not None and not all(ratios):
        yield _error("numbers", "revenue_per_conversion has a zero: Meridian wants a positive one per row")


def _by_region(
    numbers: Mapping[str, Sequence[Decimal]], cells: Mapping[str, Sequence[str]], roles: Roles
) -> Iterator[Finding]:
    if not roles.has_geos:
        return
    geos = cells.get("geo", ())
    if len(set(geos)) > 1:
        found: dict[str, set[Decimal]] = {}
        for geo, people in zip(geos, numbers.get("population", ()), strict=False):
            found.setdefault(geo, set()).add(people)
        lacking = [geo for geo in dict.fromkeys(geos) if len(found.get(geo, ())) != 1 or not all(found[geo])]
        if lacking:
            shown = ", ".join(lacking[:_SHOWN])
            yield _error("population", f"Meridian needs one population per region: unknown of {shown}")
    if roles.national_controls:
        names = ", ".join(roles.national_controls)
        yield Finding(
            "knots",
            Severity.WARN,
            f"the same in every region: {names}. Meridian refuses them with a knot per period: give fewer knots",
        )
