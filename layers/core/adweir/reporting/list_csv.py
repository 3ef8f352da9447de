"""Lists as CSV: a column per field, also for each of the totals (`totals.last_7_days.spend`); other parts as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adweir.reporting.ads import AD_METRICS
from adweir.reporting.formats import csv_rows, to_json
from adweir.reporting.lists import TOTALS, ListRequest
from adweir.reporting.object_totals import WINDOWS

_OF_TOTALS = (
    *(f"{TOTALS}.{name}" for name in ("as_of", "through", "provisional_from", "currency")),
    *(f"{TOTALS}.{window}.{name}" for window in WINDOWS for name in ("days_pulled", *AD_METRICS)),
    f"{TOTALS}.others",
)


def list_csv(asked: ListRequest, records: Sequence[Mapping[str, Any]], also: Sequence[str] = ()) -> str:
    """A header line and a line per record; no text is a formula for a spreadsheet. `also`: further columns."""
    fields = asked.fields or asked.kind.known
    columns = [column for name in fields for column in (_OF_TOTALS if name == TOTALS else (name,))]
    columns += also
    return csv_rows(columns, [{name: _cell(record, name) for name in columns} for record in records], head=True)


def _cell(record: Mapping[str, Any], column: str) -> Any:
    """The value of a column; what has parts as JSON."""
    value: Any = record
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return str(value).lower()
    return to_json(value).decode() if isinstance(value, Mapping | list | tuple) else value
