"""Faults that stopped a piece of work while the rest went on: `faults` / `<what>`. Each is forgotten after an hour,
unless it happens again: the sweep looks every five minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from adweir.model import limits
from adweir.model.times import epoch, iso
from adweir.store.ledger.rows import Rows

_REMEMBERED = timedelta(hours=1)
_PK = "faults"


class NotedFault(NamedTuple):
    """What could not be done, why, and when it was noticed last (`model.times.iso`)."""

    what: str
    reason: str
    at: str


class Faults(Rows):
    """Noted by who goes on, listed by the health."""

    def note(self, what: str, reason: str) -> None:
        """Remember a fault; a newer one of the same thing replaces it."""
        now = self._clock.now()
        row = self._row(_PK, what[: limits.MAX_NAME_CHARS], text=reason[: limits.MAX_REASON_CHARS], updated_at=iso(now))
        row.expires = epoch(now + _REMEMBERED)
        self._put(row)

    def newest(self) -> list[NotedFault]:
        """The faults of the last hour, by what they are about; as many as the health names."""
        rows = self._query(_PK, limit=limits.MAX_FAULTS_NAMED)
        return [NotedFault(row.sk, row.text or "", row.updated_at or "") for row in rows]
