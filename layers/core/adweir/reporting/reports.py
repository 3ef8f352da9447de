"""Reports: metrics by dimensions over a time range, restricted by segments.

A dimension goes by its short name (`account`, `client`, `campaign`, ...) or by its field's (`account_id`, ...), and its
column by the name that was asked for. `account` is the platform's ad account, `client` the client company. Rows and
totals are per currency as soon as one metric involves money. Beside its columns a row may have the notes of
`totals.RowSum`: what was unknown, and whether it was kept, is live or is what the others leave unattributed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adweir.model.errors import Unprocessable
from adweir.model.metrics import METRICS as NUMBERS
from adweir.model.metrics import Grain
from adweir.model.times import iso
from adweir.reporting.breakdowns import DIMENSIONS as SPLIT_BY
from adweir.reporting.changes import listed
from adweir.reporting.dimensions import DIMENSIONS, OF_DAY, Key
from adweir.reporting.filters import EVERYTHING, FILTERS, NEEDS, Filters
from adweir.reporting.moments import Moments
from adweir.reporting.query import Answer, Queries, Query
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.series import SERIES, SeriesNames
from adweir.reporting.totals import RowSum, measures

METRICS = (
    "impressions",
    "clicks",
    "conversions",
    "spend",
    "cost",
    "revenue",
    "ctr",
    "cvr",
    "conversion_rate",
    "cpa",
    "cpc",
    "cpm",
    "roas",
    "acos",
)
_NO_MONEY = {"impressions", "clicks", "conversions", "ctr", "cvr", "conversion_rate"}
_OTHER_NAMES = {"cost": "spend"}
_MADE_OF: Mapping[str, tuple[str, ...]] = {
    "ctr": ("clicks", "impressions"),
    "cvr": ("conversions", "clicks"),
    "conversion_rate": ("conversions", "clicks"),
    "cpa": ("spend", "conversions"),
    "cpc": ("spend", "clicks"),
    "cpm": ("spend", "impressions"),
    "roas": ("revenue", "spend"),
    "acos": ("spend", "revenue"),
}
"""The numbers that a ratio is made of."""
SHORT_NAMES = {
    "account": "account_id",
    "client": "client_account_id",
    "campaign": "campaign_id",
    "ad_group": "ad_group_id",
    "ad": "ad_id",
    "keyword": "keyword_id",
}
"""Short names of dimensions and segments, and the fields that they mean."""
ID_COLUMNS = frozenset((*NEEDS, *(short for short, name in SHORT_NAMES.items() if name in NEEDS), *SPLIT_BY))
"""Columns that are empty in a row of what is unattributed."""
_CURRENCY = "currency"
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a report is to hold. All segments have to match: `{"name": <filter>, "values": [...]}`, or `"value"`.

    `live`: days that are not over are answered by their hours. `moments`: the moment that it is made as of, and since
    when changes are listed. `data_type`: a series that belongs to no ad platform (`reporting.series`); "" for ads.
    """

    name: str
    range: TimeSpan
    metrics: Sequence[str]
    dimensions: Sequence[str] = ()
    segments: Sequence[Mapping[str, Any]] = ()
    live: bool = False
    moments: Moments | None = None
    data_type: str = ""


@dataclass(frozen=True, slots=True)
class MetricReport:
    """A finished report: `columns` in order, `rows` and `totals` as dicts by column; values as in `measures`.

    `coverage` per day, `adjustments` per currency: see `reporting.coverage` and `reporting.adjustments`. `about`: when
    it was made, the moment that it is made as of, and what changed since another.
    """

    name: str
    range: TimeSpan
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    totals: list[dict[str, Any]]
    coverage: list[dict[str, Any]] = field(default_factory=list)
    adjustments: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def head(self) -> dict[str, Any]:
        """What an answer says beside the rows."""
        return {
            "name": self.name,
            "time_range": {"start_date": self.range.start.isoformat(), "end_date": self.range.end.isoformat()},
            "columns": list(self.columns),
            "row_count": len(self.rows),
            "totals": self.totals,
            "coverage": self.coverage,
            "adjustments": self.adjustments,
            "warnings": self.warnings,
        } | dict(self.about)


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """What a report asks, and how its rows and totals look; made by `plan`."""

    query: Query
    dimensions: tuple[str, ...]
    """Their columns: the names that were asked for."""
    metrics: tuple[str, ...]
    by_currency: bool
    series: SeriesNames | None = None
    """Whose names the metrics are, where the report is not of ads."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of each row."""
        return (*self._keys, *self.metrics)

    def rows(self, found: Answer) -> Iterator[dict[str, Any]]:
        """The rows of an answer, in its order."""
        groups = found.groups if self.by_currency else _over_currencies(found.groups)
        for key, total in groups.items():
            yield dict(zip(self._keys, key, strict=True)) | self._values(total) | self._notes(total)

    def sums(self, found: Answer) -> dict[Key, RowSum]:
        """What an answer adds to the totals, by currency where they have one."""
        return _merged((key[-1:] if self.by_currency else (), total) for key, total in found.groups.items())

    def totals(self, sums: Mapping[Key, RowSum]) -> list[dict[str, Any]]:
        """The totals."""
        return [
            dict(zip((_CURRENCY,), key, strict=False)) | self._values(total) | self._unknown(total)
            for key, total in sorted(sums.items())
        ]

    def _values(self, total: RowSum) -> dict[str, Any]:
        found = self.series.values(total) if self.series else measures(total.slot)
        return {name: found[_OTHER_NAMES.get(name, name)] for name in self.metrics}

    def _notes(self, total: RowSum) -> dict[str, Any]:
        return {name: said for name, said in total.notes.items() if name != "unknown"} | self._unknown(total)

    def _unknown(self, total: RowSum) -> dict[str, Any]:
        """In how many rows a number was unknown that the asked metrics are made of."""
        if self.series:
            return self.series.notes(total, self.metrics)
        numbers = {part for name in self.metrics for part in _MADE_OF.get(name, (_OTHER_NAMES.get(name, name),))}
        counts = {name: total.unknown[name] for name in NUMBERS if name in numbers and name in total.unknown}
        return {"unknown": counts} if counts else {}

    @property
    def _keys(self) -> tuple[str, ...]:
        return (*self.dimensions, _CURRENCY) if self.by_currency else self.dimensions


def plan(queries: Queries, asked: ReportRequest) -> ReportPlan:
    """How to answer a report. Raises Unprocessable that lists what is known."""
    if asked.data_type:
        return _series_plan(queries, asked)
    _known("metrics", asked.metrics, METRICS)
    _known("dimensions", asked.dimensions, (*DIMENSIONS, *SHORT_NAMES))
    metrics = tuple(dict.fromkeys(asked.metrics)) or METRICS[:4]
    named = tuple(dict.fromkeys(asked.dimensions))
    by_currency = bool(set(metrics) - _NO_MONEY) or _CURRENCY in named
    columns = tuple(name for name in named if name != _CURRENCY)
    dimensions = tuple(_field(name) for name in columns)
    grain = Grain.HOUR if "hour" in dimensions else Grain.DAY
    filters = _filters(queries, asked.segments)
    query = Query(asked.range, dimensions, filters, grain, live=asked.live, adjusted=True)
    return ReportPlan(query, columns, metrics, by_currency)


def _series_plan(queries: Queries, asked: ReportRequest) -> ReportPlan:
    """The same of a series that belongs to no ad platform."""
    _known("data_type", [asked.data_type], tuple(SERIES))
    names = SERIES[asked.data_type]
    known = names.fields | {name: name for name in ("date", *OF_DAY)}
    _known("metrics", asked.metrics, tuple(names.numbers))
    metrics = tuple(dict.fromkeys(asked.metrics)) or tuple(names.numbers)
    columns = tuple(dict.fromkeys(asked.dimensions))
    _known("dimensions", columns, (*known, *(short for short, name in SHORT_NAMES.items() if name in known)))
    filters = EVERYTHING
    for at, name, values in _segments(asked.segments, tuple(names.fields)):
        filters = filters.both(names.filters({name: values}, queries.parse_platform, at))
    if names.by_name and not {"name", names.fields["name"]} & {*columns, *filters.allowed}:
        message = f"each name of {asked.data_type} is a series of its own: add the dimension name, or a segment of it"
        raise Unprocessable(message, [{"field": "dimensions", "message": message}])
    by_currency = bool({"revenue", "value"} & set(metrics)) or _CURRENCY in columns
    columns = tuple(name for name in columns if name != _CURRENCY)
    dimensions = tuple(known[_field(name)] for name in columns)
    query = Query(asked.range, dimensions, filters, level=names.level)
    return ReportPlan(query, columns, metrics, by_currency, names)


def report(queries: Queries, asked: ReportRequest) -> MetricReport:
    """Make a report. Raises Unprocessable that lists what is known, TooLarge, Unavailable."""
    made = plan(queries, asked)
    found = queries.answer(made.query)
    return MetricReport(
        asked.name,
        asked.range,
        made.columns,
        list(made.rows(found)),
        made.totals(made.sums(found)),
        found.coverage.answer(),
        found.adjustments.answer(),
        found.warnings,
        about(queries, made.query, asked.moments),
    )


def about(queries: Queries, query: Query, moments: Moments | None) -> dict[str, Any]:
    """When it was made, as of which moment, and what changed since another."""
    if moments is None:
        return {}
    notes = {"made_at": iso(moments.answered_at)} | moments.notes
    if moments.changed_since is None:
        return notes
    return notes | listed(queries.changes(query, moments.changed_since, moments.now)).answer


def _over_currencies(groups: Mapping[Key, RowSum]) -> dict[Key, RowSum]:
    """Counts have no currency: one row per group."""
    return _merged((key[:-1], total) for key, total in groups.items())


def _merged(groups: Iterable[tuple[Key, RowSum]]) -> dict[Key, RowSum]:
    merged: dict[Key, RowSum] = {}
    for key, total in groups:
        if key in merged:
            merged[key].merge(total)
        else:
            merged[key] = total.copy()
    return merged


def _filters(queries: Queries, segments: Sequence[Mapping[str, Any]]) -> Filters:
    filters = EVERYTHING
    for at, name, values in _segments(segments, FILTERS):
        filters = filters.both(queries.filters({name: values}, at))
    return filters


def _segments(segments: Sequence[Mapping[str, Any]], known: Sequence[str]) -> Iterator[tuple[str, str, Any]]:
    """Where each segment stands, its filter and the values."""
    for index, segment in enumerate(segments):
        name = segment.get("name") or segment.get("field")
        values = segment.get("values", segment.get("value"))
        if not isinstance(name, str) or values is None:
            message = f'a segment is {{"name", "values"}}; names: {", ".join(known)}'
            raise Unprocessable(message, [{"field": f"segments[{index}]", "message": message}])
        yield f"segments[{index}]", _field(name), values


def _field(name: str) -> str:
    return SHORT_NAMES.get(name, name)


def _known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name not in known:
            raise Unprocessable(
                f"unknown {what} {name[:_SHOWN]!r}; known: {', '.join(known)}",
                [{"field": f"{what}[{index}]", "message": "is unknown", "known": list(known)}],
            )
