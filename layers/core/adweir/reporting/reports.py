"""Reports: metrics by dimensions over a time range, restricted by segments.

A dimension goes by its short name (`account`, `client`, `campaign`, ...) or by its field's (`account_id`, ...), and its
column by the name that was asked for. `account` is the platform's ad account, `client` the client company. Rows and
totals are per currency as soon as one metric involves money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adweir.model.errors import Unprocessable
from adweir.model.metrics import Grain, Slot, plus
from adweir.reporting.filters import EVERYTHING, FILTERS, Filters
from adweir.reporting.query import DIMENSIONS, Key, Queries, Query, measures
from adweir.reporting.ranges import TimeSpan

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
SHORT_NAMES = {
    "account": "account_id",
    "client": "client_account_id",
    "campaign": "campaign_id",
    "ad_group": "ad_group_id",
    "ad": "ad_id",
    "keyword": "keyword_id",
}
"""Short names of dimensions and segments, and the fields that they mean."""
_CURRENCY = "currency"
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a report is to hold. All segments have to match: `{"name": <filter>, "values": [...]}`, or `"value"`."""

    name: str
    range: TimeSpan
    metrics: Sequence[str]
    dimensions: Sequence[str] = ()
    segments: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class MetricReport:
    """A finished report: `columns` in order, `rows` and `totals` as dicts by column; values as in `measures`."""

    name: str
    range: TimeSpan
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    totals: list[dict[str, Any]]

    @property
    def head(self) -> dict[str, Any]:
        """What an answer says beside the rows."""
        return {
            "name": self.name,
            "time_range": {"start_date": self.range.start.isoformat(), "end_date": self.range.end.isoformat()},
            "columns": list(self.columns),
            "row_count": len(self.rows),
            "totals": self.totals,
        }


def report(queries: Queries, asked: ReportRequest) -> MetricReport:
    """Make a report. Raises Unprocessable that lists what is known, TooLarge, Unavailable."""
    _known("metrics", asked.metrics, METRICS)
    _known("dimensions", asked.dimensions, (*DIMENSIONS, *SHORT_NAMES))
    metrics = tuple(dict.fromkeys(asked.metrics)) or METRICS[:4]
    named = tuple(dict.fromkeys(asked.dimensions))
    by_currency = bool(set(metrics) - _NO_MONEY) or _CURRENCY in named
    columns = tuple(name for name in named if name != _CURRENCY)
    dimensions = tuple(_field(name) for name in columns)
    grain = Grain.HOUR if "hour" in dimensions else Grain.DAY
    sums = queries.sums(Query(asked.range, dimensions, _filters(queries, asked.segments), grain))
    if by_currency:
        columns = (*columns, _CURRENCY)
    else:
        sums = _over_currencies(sums)
    rows = [dict(zip(columns, key, strict=True)) | _values(metrics, slot) for key, slot in sums.items()]
    totals: dict[str, Slot] = {}
    for key, slot in sums.items():
        currency = key[-1] if by_currency else ""
        totals[currency] = _sum(totals.get(currency), slot)
    in_all = [
        ({_CURRENCY: currency} if by_currency else {}) | _values(metrics, total)
        for currency, total in sorted(totals.items())
    ]
    return MetricReport(asked.name, asked.range, (*columns, *metrics), rows, in_all)


def _values(names: Sequence[str], slot: Slot) -> dict[str, Any]:
    found = measures(slot)
    return {name: found[_OTHER_NAMES.get(name, name)] for name in names}


def _sum(one: Slot | None, other: Slot) -> Slot:
    return other if one is None else plus(one, other)


def _over_currencies(sums: Mapping[Key, Slot]) -> dict[Key, Slot]:
    """Counts have no currency: one row per group."""
    merged: dict[Key, Slot] = {}
    for key, slot in sums.items():
        merged[key[:-1]] = _sum(merged.get(key[:-1]), slot)
    return merged


def _filters(queries: Queries, segments: Sequence[Mapping[str, Any]]) -> Filters:
    filters = EVERYTHING
    for index, segment in enumerate(segments):
        name = segment.get("name") or segment.get("field")
        values = segment.get("values", segment.get("value"))
        if not isinstance(name, str) or values is None:
            message = f'a segment is {{"name", "values"}}; names: {", ".join(FILTERS)}'
            raise Unprocessable(message, [{"field": f"segments[{index}]", "message": message}])
        filters = filters.both(queries.filters({_field(name): values}, f"segments[{index}]"))
    return filters


def _field(name: str) -> str:
    return SHORT_NAMES.get(name, name)


def _known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name not in known:
            raise Unprocessable(
                f"unknown {what} {name[:_SHOWN]!r}; known: {', '.join(known)}",
                [{"field": f"{what}[{index}]", "message": "is unknown", "known": list(known)}],
            )
