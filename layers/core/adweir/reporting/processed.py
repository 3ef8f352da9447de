"""Records with what can be calculated from them: `data_pipeline/process`. Nothing is stored.

A ratio is derived from the record's own sums, exactly as readers derive it from stored ones: a zero denominator or an
unknown number gives null, and the record says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model.data_types import DataType, StoredAs
from adweir.model.metrics import Level, Slot, derive, ratio
from adweir.model.money import exact_number, from_micros, to_micros

_ALSO = {"spend": ("spend", "cost", "daily_spend")} | {
    name: (name, f"daily_{name}") for name in ("impressions", "clicks", "conversions", "revenue")
}
_NEEDS = {
    "ctr": ("impressions", "clicks"),
    "cvr": ("clicks", "conversions"),
    "conversion_rate": ("clicks", "conversions"),
    "cpa": ("conversions", "spend"),
    "cpc": ("clicks", "spend"),
    "cpm": ("impressions", "spend"),
    "roas": ("spend", "revenue"),
    "acos": ("revenue", "spend"),
}
"""Ratio → its denominator, then its numerator."""
_OF_VISITS = {
    "conversion_rate": ("sessions", "conversions"),
    "pageviews_per_session": ("sessions", "pageviews"),
    "revenue_per_session": ("sessions", "revenue"),
}
_OF_OUTCOMES = {"revenue_per_conversion": ("conversions", "revenue")}


class RecordFault(NamedTuple):
    """What keeps a record from being calculated with: its place, counted from 0."""

    number: int
    field: str
    message: str


@dataclass(slots=True)
class ProcessedRecord:
    """A record with what was added, and why something was not, by name."""

    record: dict[str, Any]
    added: list[str] = field(default_factory=list)
    not_added: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: Any, reason: str = "") -> None:
        """Add a value; null with the reason."""
        self.record[name] = value
        if value is None:
            self.not_added[name] = reason
        else:
            self.added.append(name)

    def shown(self) -> dict[str, Any]:
        """As an answer has it."""
        return self.record | {"added": self.added, "not_added": self.not_added}


def calculate(kind: DataType, records: Sequence[ProcessedRecord]) -> list[RecordFault]:
    """Add to each record what its data type's numbers give. Returns what is wrong; such records stay as they are."""
    faults = []
    for number, each in enumerate(records):
        try:
            _calculate(kind, each)
        except _NumberFault as fault:
            faults.append(RecordFault(number, fault.name, str(fault)))
    return faults


class _NumberFault(ValueError):
    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _calculate(kind: DataType, each: ProcessedRecord) -> None:
    if kind.stored_as is StoredAs.ADS:
        _ad_ratios(each)
    elif kind.level is Level.WEB:
        _ratios(each, _OF_VISITS)
    elif kind.known_by:
        _net(each)
        _ratios(each, _OF_OUTCOMES)
    elif kind.stored_as is StoredAs.BILLS:
        amount, tax = _number(each.record, "amount"), _number(each.record, "tax")
        total = None if amount is None else amount + (tax or 0)
        each.add("total", total, "amount is unknown")
    else:
        each.not_added["calculate_metrics"] = f"{kind.name} has no numbers that anything follows from"


def _ad_ratios(each: ProcessedRecord) -> None:
    given = {name: _first(each.record, names) for name, names in _ALSO.items()}
    counts = [_count(given[name], each.record) for name in ("impressions", "clicks")]
    micros = [_micros(given[name], each.record) for name in ("conversions", "spend", "revenue")]
    slot: Slot = (counts[0], counts[1], micros[0], micros[1], micros[2])
    known = dict(zip(("impressions", "clicks", "conversions", "spend", "revenue"), slot, strict=True))
    ratios = derive(slot)
    for name, value in (ratios | {"conversion_rate": ratios["cvr"]}).items():
        each.add(name, value, _why(known, _NEEDS[name]))


def _ratios(each: ProcessedRecord, wanted: Mapping[str, tuple[str, str]]) -> None:
    for name, (below, above) in wanted.items():
        known = {at: _number(each.record, at) for at in (below, above)}
        each.add(name, ratio(known[above], known[below]), _why(known, (below, above)))


def _net(each: ProcessedRecord) -> None:
    """An order's revenue without what was given back."""
    if "refunded" in each.record:
        revenue, refunded = _number(each.record, "revenue"), _number(each.record, "refunded")
        net = None if revenue is None and refunded is None else (revenue or 0) - (refunded or 0)
        each.add("net_revenue", net, "revenue is unknown")


def _why(known: Mapping[str, Any], names: tuple[str, str]) -> str:
    """Why a ratio cannot be told."""
    unknown = [name for name in names if known[name] is None]
    return f"{' and '.join(unknown)} unknown" if unknown else f"{names[0]} is 0"


def _first(record: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first name under which a record has a value; the first of all where it has none."""
    return next((name for name in names if not (record.get(name) is None or record[name] == "")), names[0])


def _number(record: Mapping[str, Any], name: str) -> Decimal | None:
    """A number of a record, None where there is none. Raises _NumberFault for what is no number of money's size."""
    value = record.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise _NumberFault(name, "must be a number")
    try:
        return from_micros(to_micros(exact_number(value.strip() if isinstance(value, str) else Decimal(value))))
    except (ValueError, ArithmeticError) as error:
        raise _NumberFault(name, f"must be a number: {error}") from None


def _micros(name: str, record: Mapping[str, Any]) -> int | None:
    found = _number(record, name)
    if found is not None and found < 0:
        raise _NumberFault(name, "must be 0 or more")
    return None if found is None else to_micros(found)


def _count(name: str, record: Mapping[str, Any]) -> int | None:
    found = _number(record, name)
    if found is not None and (found < 0 or found != int(found)):
        raise _NumberFault(name, "must be a whole number, 0 or more")
    return None if found is None else int(found)
