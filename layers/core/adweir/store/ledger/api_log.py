"""The API log: who asked for what, and what we answered. `api-log#<day>` / `<time>#<request>`.

When a key was last used is an item of its own, `key-use` / `<key id>`; a container writes it at most every ten minutes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from adweir.model import limits
from adweir.model.times import Clock, iso
from adweir.store.ledger.rows import Rows

_USES = "key-use"
_NOTED_SECONDS = 600


class ApiLog(Rows):
    """Requests to the API, by UTC day; never bodies, keys or signatures."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._noted: dict[str, float] = {}

    def add(self, request_id: str = "", **fields: Any) -> None:
        """Record one request; `fields` are JSON values such as method, path, status, key_id, milliseconds."""
        at = iso(self._clock.now())
        self._put(self._row(f"api-log#{at[:10]}", f"{at}#{request_id}", body=fields | {"at": at, "id": request_id}))

    def of_day(self, day: date, limit: int = 100) -> Iterator[dict[str, Any]]:
        """The requests of a UTC day, newest first."""
        for row in self._query(f"api-log#{day.isoformat()}", newest_first=True, limit=limit):
            yield dict(row.body or {})

    def used(self, key_id: str) -> None:
        """A key was used now."""
        now = self._clock.monotonic()
        if key_id in self._noted and now - self._noted[key_id] < _NOTED_SECONDS:
            return
        if len(self._noted) >= limits.MAX_NOTED_KEYS:
            self._noted.clear()
        self._put(self._row(_USES, key_id, text=iso(self._clock.now())))
        self._noted[key_id] = now

    def last_uses(self, key_ids: Collection[str]) -> dict[str, str]:
        """When keys were last used, to ten minutes; those that were not in the last 90 days are left out."""
        found = self._fetch_many([(_USES, key_id) for key_id in key_ids])
        return {sk: row.text or "" for (_, sk), row in found.items()}
