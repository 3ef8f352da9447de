"""The API log: who asked for what, and what we answered. `api-log#<day>` / `<time>#<request>`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from adweir.model.times import iso
from adweir.store.ledger.rows import Rows


class ApiLog(Rows):
    """Requests to the API, by UTC day; never bodies, keys or signatures."""

    def add(self, request_id: str = "", **fields: Any) -> None:
        """Record one request; `fields` are JSON values such as method, path, status, key_id, milliseconds."""
        at = iso(self._clock.now())
        self._put(self._row(f"api-log#{at[:10]}", f"{at}#{request_id}", body=fields | {"at": at, "id": request_id}))

    def of_day(self, day: date, limit: int = 100) -> Iterator[dict[str, Any]]:
        """The requests of a UTC day, newest first."""
        for row in self._query(f"api-log#{day.isoformat()}", newest_first=True, limit=limit):
            yield dict(row.body or {})
