"""Reads what clients drop for their media-mix datasets: KPIs, controls, reach, population, experiments."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adweir.insight.mmm.beside import Beside, DaySeries, column_name
from adweir.insight.mmm.gates import Finding, Severity
from adweir.model import limits
from adweir.model.entities import Account, Profile
from adweir.model.media_mix import MediaMix, OwnKpi
from adweir.model.metrics import Level
from adweir.model.money import from_micros
from adweir.model.series_ids import said_in
from adweir.model.times import Window, is_zone
from adweir.reporting.reading import ProfileQuestion

if TYPE_CHECKING:
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog

_REACH, _FREQUENCY = "_reach", "_frequency"
_VALUE = 2
_Named = dict[str, dict[str, DaySeries]]
"""Name in small letters → source → its series."""


@dataclass
class DroppedData:
    """What was found, and what is wrong with it. `about` is the manifest's part."""

    beside: Beside = field(default_factory=Beside)
    findings: list[Finding] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)


class DropReader:
    """Reads the series and reference data of one client."""

    def __init__(self, catalog: Catalog, queries: Queries, account: Account, mix: MediaMix) -> None:
        self._catalog = catalog
        self._queries = queries
        self._account = account
        self._mix = mix

    def read(self, window: Window, currency: str, channels: Iterable[str]) -> DroppedData:
        """Everything over the days of `window`. Amounts of another currency are left out."""
        found = DroppedData()
        own = [each for each in self._catalog.profiles(self._account.account_id) if each.is_own]
        own = sorted((each for each in own if is_zone(each.timezone)), key=lambda each: each.key)
        kpi = self._kpi(own, window, currency, found)
        controls = self._controls(own, window, currency, found)
        reach = {
            channel: (controls[f"{channel}{_REACH}"], controls[f"{channel}{_FREQUENCY}"])
            for channel in channels
            if f"{channel}{_REACH}" in controls and f"{channel}{_FREQUENCY}" in controls
        }
        for channel in reach:
            del controls[f"{channel}{_REACH}"], controls[f"{channel}{_FREQUENCY}"]
        if len(controls) > limits.MAX_MIX_CONTROLS:
            kept = sorted(controls)[: limits.MAX_MIX_CONTROLS]
            message = (
                f"{len(controls)} controls: the first {len(kept)} are used; name those to use in media_mix.controls"
            )
            found.findings.append(Finding("controls", Severity.WARN, message))
            controls = {name: controls[name] for name in kept}
        found.beside = Beside(kpi, controls, reach, self._population())
        tests, older = self._lift_tests()
        if older:
            found.findings.append(Finding("lift_tests", Severity.WARN, older_left_out(older)))
        found.about |= {
            "controls": {name: _said(series) for name, series in sorted(controls.items())},
            "lift_tests": tests,
            "lift_tests_left_out": older,
        }
        return found

    def _kpi(self, own: list[Profile], window: Window, currency: str, found: DroppedData) -> dict[str, DaySeries]:
        asked = self._mix.kpi
        if asked is None:
            return {}
        named, kpi = self._series(own, window, Level.KPI, currency), {}
        for column, name in _columns(asked).items():
            source, slash, rest = name.partition("/")
            by_source = named.get(name.casefold()) or {}
            if not by_source and slash:
                by_source = {key: one for key, one in named.get(rest.casefold(), {}).items() if key == source}
            if len(by_source) == 1:
                kpi[column] = next(iter(by_source.values()))
            else:
                several = (
                    f"comes from {', '.join(sorted(by_source))}: name one, like {next(iter(by_source), '')}/{name}"
                )
                why = several if by_source else f"has no value in {currency} from {window.start} to {window.end}"
                found.findings.append(Finding("kpi", Severity.ERROR, f"the series {name} {why}"))
                kpi[column] = DaySeries({})
        return kpi

    def _controls(self, own: list[Profile], window: Window, currency: str, found: DroppedData) -> dict[str, DaySeries]:
        wanted = None if self._mix.controls is None else {name.casefold() for name in self._mix.controls}
        controls: dict[str, DaySeries] = {}
        for name, by_source in sorted(self._series(own, window, Level.CONTROL, currency).items()):
            if wanted is None or name in wanted or name.endswith((_REACH, _FREQUENCY)):
                for source, series in sorted(by_source.items()):
                    column = column_name(name if len(by_source) == 1 else f"{source}_{name}")
                    if column in controls:
                        message = f"the control {name} has the column of another, {column}: it is left out"
                        found.findings.append(Finding("controls", Severity.WARN, message))
                    controls.setdefault(column, series)
        return controls

    def _series(self, own: list[Profile], window: Window, level: Level, currency: str) -> _Named:
        """The series of a level by name and source. One without a currency counts in every dataset."""
        values: dict[tuple[str, str], dict[str, dict[date, Decimal]]] = defaultdict(lambda: defaultdict(dict))
        clocks = {}
        for profile in own:
            for read in self._queries.reader(profile, ProfileQuestion(window, level)).rows():
                said = said_in(read.row.entity_id)
                value = read.row.slot[_VALUE]
                if value is None or said.get("currency", currency) != currency:
                    continue
                key = said.get("name", "").casefold(), str(profile.platform)
                days = values[key][said.get("geo", "")]
                day = date.fromisoformat(read.row.day)
                days[day] = days.get(day, Decimal(0)) + from_micros(value)
                clocks[key] = profile.timezone
        named: _Named = defaultdict(dict)
        for (name, source), by_geo in values.items():
            named[name][source] = DaySeries(
                {geo: dict(days) for geo, days in by_geo.items()}, source, clocks[name, source]
            )
        return named

    def _population(self) -> dict[str, Decimal]:
        """People per region: of all ages, else the sum of the ages, as of the last year."""
        newest: dict[tuple[str, str], tuple[str, Decimal]] = {}
        for row in self._catalog.references(self._account.account_id, "population"):
            cells = row.cells
            key, year = (cells["geo"].strip(), cells.get("age_band", "")), cells.get("year", "")
            if key not in newest or year >= newest[key][0]:
                newest[key] = year, Decimal(cells["population"])
        people: dict[str, Decimal] = {geo: value for (geo, ages), (_, value) in newest.items() if not ages}
        bands: dict[str, Decimal] = defaultdict(Decimal)
        for (geo, ages), (_, value) in newest.items():
            if ages:
                bands[geo] += value
        return {geo: value for geo, value in ({**bands, **people}).items() if value > 0}

    def _lift_tests(self) -> tuple[list[dict[str, str]], int]:
        """The experiments that ended last, as they were dropped, by their ids; how many older ones there are."""
        rows, count = self._catalog.references(self._account.account_id, "lift_tests"), itertools.count()
        found = ({"source": str(row.source), **row.cells} for row, _ in zip(rows, count, strict=False))
        kept = heapq.nlargest(limits.MAX_LISTED_LIFT_TESTS, found, key=lambda each: each["end_date"])
        return sorted(kept, key=lambda each: (each["test_id"], each["source"])), next(count) - len(kept)


def older_left_out(count: int) -> str:
    """What is said of experiments that are too old to be listed."""
    said = "1 older experiment is" if count == 1 else f"{count:,} older experiments are"
    return f"{said} left out: the {limits.MAX_LISTED_LIFT_TESTS} that ended last are looked at"


def _columns(kpi: OwnKpi) -> dict[str, str]:
    return {name: text for name, text in (("conversions", kpi.conversions), ("revenue", kpi.revenue)) if text}


def _said(series: DaySeries) -> dict[str, str]:
    return {"source": series.source, "timezone": series.clock}


def kpi_said(mix: MediaMix, beside: Beside, timezones: Mapping[str, str]) -> dict[str, Any]:
    """What the manifest says of the KPI: where it comes from, and whose days it keeps."""
    if mix.kpi is None:
        said = "attributed by the platforms, summed; replace with your own KPI where you have one"
        days = "the ad accounts' own: " + ", ".join(sorted(set(timezones.values())))
        return {
            "conversions": {"source": "platforms", "says": said, "days": days},
            "revenue": {"source": "platforms", "says": said, "days": days},
        }
    return {
        column: {"series": name, **_said(beside.kpi[column]), "days": f"of {beside.kpi[column].clock or 'no source'}"}
        for column, name in _columns(mix.kpi).items()
    }


def clock_findings(mix: MediaMix, beside: Beside, timezones: Mapping[str, str]) -> list[Finding]:
    """Where the days of one number are not those of another: nothing is moved, and the reader has to know."""
    zones = sorted(set(timezones.values()))
    own = sorted({series.clock for series in beside.kpi.values() if series.clock}) if mix.kpi else []
    if own and set(own) != set(zones):
        said = f"the KPI keeps days of {', '.join(own)}, the ad accounts keep days of {', '.join(zones)}"
    elif len(zones) > 1:
        said = f"the ad accounts keep days of {len(zones)} time zones: {', '.join(zones)}"
    else:
        return []
    return [Finding("clocks", Severity.WARN, said)]
