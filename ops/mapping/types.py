"""Which data type a file's columns are of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ops.mapping import words
from ops.mapping.fields import FileColumn, level_of
from ops.mapping.matching import LIKELY, is_ratio, nearness
from ops.mapping.shapes import Looks


def data_type_of(columns: Sequence[FileColumn]) -> str:
    """The data type that most speaks for; `kpi_series` where nothing does."""
    tests: tuple[tuple[str, Callable[[Sequence[FileColumn]], float]], ...] = (
        ("ads", _ads),
        ("web_analytics", _visits),
        ("orders", _orders),
        ("deals", _deals),
        ("leads", _leads),
        ("rates", _rates),
        ("population", _population),
    )
    scores = {name: test(columns) for name, test in tests}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < 2:
        return "controls" if any(column.label.tokens & words.CONTROLS for column in columns) else "kpi_series"
    if best != "ads":
        return best
    hourly = any(column.shape.hours and _is(column, "hour") for column in columns)
    return f"{level_of(columns)}_performance" + ("_hourly" if hourly else "")


def _is(column: FileColumn, field: str, least: float = LIKELY) -> bool:
    return nearness(column.label, words.FIELDS[field]) >= least


def _has(columns: Sequence[FileColumn], field: str, *, number: bool = True) -> bool:
    return any(
        _is(each, field)
        and (not number or each.shape.is_number or each.shape.looks is Looks.EMPTY)
        and not is_ratio(each.label)
        for each in columns
    )


def _words(columns: Sequence[FileColumn], wanted: frozenset[str]) -> int:
    return len({word for column in columns for word in column.label.tokens} & wanted)


def _ads(columns: Sequence[FileColumn]) -> float:
    score = 3.0 * _has(columns, "spend") + 2.5 * _has(columns, "impressions") + 1.5 * _has(columns, "clicks")
    return score - 3.0 * (not _has(columns, "impressions") and not _has(columns, "spend"))


def _visits(columns: Sequence[FileColumn]) -> float:
    return 4.0 * _has(columns, "sessions") + 2.0 * _has(columns, "pageviews")


def _orders(columns: Sequence[FileColumn]) -> float:
    named = any(
        nearness(each.label, words.FIELDS["order_id"]) >= 90 for each in columns if each.shape.looks is not Looks.DAY
    )
    return (
        2.5 * named * (not _has(columns, "impressions"))
        + min(4, _words(columns, words.ORDERS)) * 0.8
        + 1.0 * _has(columns, "refunded")
    )


def _deals(columns: Sequence[FileColumn]) -> float:
    return min(4, _words(columns, words.DEALS)) * 1.5 + 1.0 * any(
        nearness(each.label, words.MOMENTS["deals"][:14]) >= 90 for each in columns
    )


def _leads(columns: Sequence[FileColumn]) -> float:
    people = any(each.shape.looks is Looks.EMAIL for each in columns) or _words(columns, words.PERSONAL) > 0
    amounts = _has(columns, "spend") or _has(columns, "impressions")
    return (min(3, _words(columns, words.LEADS)) * 1.5 + 0.7 * people) * (not amounts)


def _rates(columns: Sequence[FileColumn]) -> float:
    codes = sum(each.shape.looks is Looks.CURRENCY for each in columns)
    rate = any(_is(each, "rate", 90) and each.shape.is_number for each in columns)
    return 4.5 * (codes > 1 and rate)


def _population(columns: Sequence[FileColumn]) -> float:
    return 4.0 * any(_is(each, "population", 90) for each in columns)
