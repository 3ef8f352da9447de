"""Reports: metrics by dimensions over a time range, kept by segments (canonical schema, section 4).

Of the dimensions, `account_id` is the client account and `profile_id` the platform's ad account. Rows are per currency
as soon as a metric has to do with money; so are the totals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from adweir.model.errors import Unprocessable
from adweir.model.metrics import Grain, Slot
from adweir.reporting.query import DIMENSIONS, FILTERS, Queries, Query, measures, parse_filters, parse_window

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
_ALIASES = {"cost": "spend"}


@dataclass(frozen=True, slots=True)
class Report:
    """A finished report: `columns` in order, `rows` and `totals` as dicts by column; values as in `measures`."""

    name: str
    start: str
    end: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    totals: list[dict[str, Any]]

    @property
    def head(self) -> dict[str, Any]:
        """What is said about a report beside its rows."""
        return {
            "name": self.name,
            "time_range": {"start_date": self.start, "end_date": self.end},
            "columns": list(self.columns),
            "row_count": len(self.rows),
            "totals": self.totals,
        }


def report(
    queries: Queries,
    today: date,
    *,
    name: str,
    start: str,
    end: str,
    metrics: Sequence[str],
    dimensions: Sequence[str],
    segments: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """Make a report. A segment is `{"name": <dimension>, "values": [...]}` (or `"value"`); all have to match.

    Raises Unprocessable that lists what is known, TooLarge, Unavailable.
    """
    _known("metrics", metrics, METRICS)
    _known("dimensions", dimensions, DIMENSIONS)
    window = parse_window(start, end, today)
    filters = _filters(segments)
    asked = tuple(dict.fromkeys(metrics)) or METRICS[:4]
    named = tuple(dict.fromkeys(dimensions))
    money = bool(set(asked) - _NO_MONEY) or "currency" in named
    inner = tuple(dimension for dimension in named if dimension != "currency")
    grain = Grain.HOUR if "hour" in inner else Grain.DAY
    sums = queries.sums(Query(window, inner, filters, grain))
    if not money:
        sums = _over_currencies(sums)
    columns = (*inner, *(("currency",) if money else ()))
    rows = []
    totals: dict[str, list[int]] = {}
    for key, slot in sums.items():
        rows.append(dict(zip(columns, key, strict=False)) | _asked(asked, slot))
        total = totals.setdefault(key[-1] if money else "", [0] * 5)
        for index, value in enumerate(slot):
            total[index] += value
    in_all = [
        ({"currency": currency} if money else {}) | _asked(asked, (total[0], total[1], total[2], total[3], total[4]))
        for currency, total in sorted(totals.items())
    ]
    return Report(name, window.start.isoformat(), window.end.isoformat(), (*columns, *asked), rows, in_all)


def _asked(names: Sequence[str], slot: Slot) -> dict[str, Any]:
    found = measures(slot)
    return {name: found[_ALIASES.get(name, name)] for name in names}


def _over_currencies(sums: Mapping[tuple[Any, ...], Slot]) -> dict[tuple[Any, ...], Slot]:
    """Counts have no currency: one row a group."""
    merged: dict[tuple[Any, ...], Slot] = {}
    for key, slot in sums.items():
        a, b = merged.get(key[:-1], (0, 0, 0, 0, 0)), slot
        merged[key[:-1]] = (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4])
    return merged


def _filters(segments: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    filters: dict[str, frozenset[str]] = {}
    for index, segment in enumerate(segments):
        name = segment.get("name") or segment.get("field")
        values = segment.get("values", segment.get("value"))
        if not isinstance(name, str) or values is None:
            message = f'a segment is {{"name", "values"}}; names: {", ".join(FILTERS)}'
            raise Unprocessable(message, [{"field": f"segments[{index}]", "message": message}])
        fresh = parse_filters({name: values}, f"segments[{index}]")
        filters[name] = filters[name] & fresh[name] if name in filters else fresh[name]
    return filters


def _known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name not in known:
            raise Unprocessable(
                f"unknown {what} {name[:40]!r}; known: {', '.join(known)}",
                [{"field": f"{what}[{index}]", "message": "unknown", "known": list(known)}],
            )
