"""Records of reference data: each cell is checked by its column's kind and kept as it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model.data_types import DataType, Kind
from adweir.model.money import exact_number
from adweir.model.series_ids import series_id
from adweir.platforms.files import cells
from adweir.platforms.files.lines import LineFault, Record, identity

_DAYS = ("start_date", "end_date")
_ORDERED = tuple(
    pair
    for what in ("incremental_conversions", "incremental_revenue")
    for pair in ((f"{what}_lower", f"{what}_upper"), (f"{what}_lower", what), (what, f"{what}_upper"))
)
"""Ends of intervals and the estimate between them: the first is at most the second."""
_RANGES: Mapping[str, tuple[Callable[[Decimal], bool], str]] = {
    "rate": (lambda rate: rate > 0, "must be more than 0"),
    "confidence": (lambda share: 0 < share < 1, "is a fraction between 0 and 1, as 0.9"),
    "spend": (lambda spend: spend >= 0, "must be 0 or more"),
}


class KeyedCells(NamedTuple):
    """A row of reference data: what tells it apart, and its cells by canonical column, without empty ones."""

    key: str
    cells: dict[str, str]


def keyed_cells(record: Record, data_type: DataType) -> KeyedCells:
    """The row of a record. Raises LineFault."""
    kept: dict[str, str] = {}
    for column in data_type.columns:
        if record.cell.get(column.name):
            kept[column.name] = _READ[column.kind](record.cell, column.name)
        elif column.required:
            raise LineFault(column.name, "required", "is required")
    if data_type.one_of and not kept.keys() & set(data_type.one_of):
        raise LineFault("", "required", f"needs one of {', '.join(data_type.one_of)}")
    if _is_reversed(kept, *_DAYS, str):
        raise LineFault("end_date", "range", "is before start_date")
    for low, high in _ORDERED:
        if _is_reversed(kept, low, high, Decimal):
            raise LineFault(high, "range", f"is less than {low}")
    for name, (fits, says) in _RANGES.items():
        if name in kept and not fits(Decimal(kept[name])):
            raise LineFault(name, "range", says)
    return KeyedCells(series_id({name: kept.get(name, "") for name in data_type.key}), kept)


def _is_reversed(kept: Mapping[str, str], low: str, high: str, size: Callable[[str], Any]) -> bool:
    return low in kept and high in kept and bool(size(kept[low]) > size(kept[high]))


def _count(cell: Mapping[str, str], name: str) -> str:
    return str(cells.count(cell, name))


def _exact(cell: Mapping[str, str], name: str) -> str:
    try:
        exact_number(cell[name])
    except ValueError as error:
        raise LineFault(name, "number", f"cannot be stored: {error}") from None
    return cell[name]


_READ: Mapping[Kind, Callable[[Mapping[str, str], str], str]] = {
    Kind.TEXT: cells.text,
    Kind.ID: identity,
    Kind.DAY: lambda cell, name: cells.day(cell[name], name),
    Kind.COUNT: _count,
    Kind.EXACT: _exact,
    Kind.CURRENCY: cells.currency,
}
