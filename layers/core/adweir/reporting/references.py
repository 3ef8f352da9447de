"""Reference data as records: what files said, exactly as they wrote it, by source and key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adweir.model.data_types import DATA_TYPES, DataType, Kind, StoredAs
from adweir.model.entities import SHOWN_OWN, own_profile_id
from adweir.model.times import Window
from adweir.reporting.filters import given_texts
from adweir.store.catalog.references import ReferenceRow
from adweir.store.catalog.store import Catalog

REFERENCES: Mapping[str, DataType] = {
    name: each for name, each in DATA_TYPES.items() if each.stored_as is StoredAs.REFERENCE
}
"""The data types of reference data by name."""
_NUMBERS = (Kind.COUNT, Kind.EXACT)


@dataclass(frozen=True, slots=True)
class ReferenceQuestion:
    """Which rows of a data type: name of a field → allowed values. `days` leaves those that are of other days."""

    data_type: DataType
    allowed: Mapping[str, frozenset[str]]
    days: Window | None = None

    @classmethod
    def of(
        cls, data_type: DataType, given: Mapping[str, Any], days: Window | None, where: str = "filters"
    ) -> ReferenceQuestion:
        """Filters as a caller wrote them. Raises Unprocessable that names what is unknown."""
        known = ("source", "client_account_id", "account_id", *data_type.names)
        allowed = {name: texts for name, texts, _ in given_texts(given, known, where, data_type.name)}
        return cls(data_type, allowed, days)

    def records(self, catalog: Catalog) -> Iterator[dict[str, Any]]:
        """The records that match, by account, source and key. Raises Unavailable."""
        for account in catalog.accounts():
            account_id = account.account_id
            if self._has_account(account_id):
                for row in catalog.references(account_id, self.data_type.name):
                    if self._matches(row):
                        yield self._record(row, account_id)

    def _has_account(self, account_id: str) -> bool:
        own = {account_id, own_profile_id(account_id), SHOWN_OWN}
        client = self.allowed.get("client_account_id")
        return (client is None or account_id in client) and not own.isdisjoint(self.allowed.get("account_id", own))

    def _matches(self, row: ReferenceRow) -> bool:
        if str(row.source) not in self.allowed.get("source", {str(row.source)}):
            return False
        if any(row.cells.get(name, "") not in values for name, values in self._own(self.data_type.names)):
            return False
        first = row.cells.get("start_date") or row.cells.get("date")
        last = row.cells.get("end_date") or row.cells.get("date")
        if self.days is None or first is None or last is None:
            return True
        return first <= self.days.end.isoformat() and last >= self.days.start.isoformat()

    def _own(self, names: Collection[str]) -> Iterator[tuple[str, frozenset[str]]]:
        return ((name, values) for name, values in self.allowed.items() if name in names)

    def _record(self, row: ReferenceRow, account_id: str) -> dict[str, Any]:
        cells = {column.name: _value(column.kind, row.cells.get(column.name, "")) for column in self.data_type.columns}
        return {
            "source": str(row.source),
            **cells,
            "account_id": SHOWN_OWN,
            "client_account_id": account_id,
            "as_of": row.as_of,
        }


def _value(kind: Kind, text: str) -> Any:
    """Numbers with all of their digits, nothing as null."""
    return None if not text else Decimal(text) if kind in _NUMBERS else text
