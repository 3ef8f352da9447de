"""Why a message failed for the last time: `last-words` / `<message id>`, as long as its dead letter is kept.

A function that Lambda ended (time, memory) leaves none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from adweir.model import limits
from adweir.model.times import epoch, iso
from adweir.store.ledger.rows import Rows

_PK = "last-words"
_KEPT = timedelta(days=14)


class LastWords(Rows):
    """Written when a message fails for the last time, read beside dead letters."""

    def note(self, message_id: str, reason: str) -> None:
        """Remember why a message failed."""
        now = self._clock.now()
        row = self._row(_PK, message_id, text=reason[: limits.MAX_REASON_CHARS], updated_at=iso(now))
        row.expires = epoch(now + _KEPT)
        self._put(row)

    def of(self, message_ids: Iterable[str]) -> dict[str, str]:
        """Why messages failed, of those of which it is known."""
        found = self._fetch_many([(_PK, message_id) for message_id in message_ids])
        return {sk: row.text or "" for (_, sk), row in found.items()}
