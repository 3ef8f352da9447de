"""Receipts of dropped files: `receipt#<key>` / `receipt`; the key names the object and its version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adweir.model.times import epoch, iso
from adweir.store.ledger.rows import HISTORY, Rows


class Receipts(Rows):
    """Receipts, stored and read by drop."""

    def put(self, key: str, receipt: Mapping[str, Any], lasts: timedelta = HISTORY) -> bool:
        """Store a receipt (JSON values). True when it is the first of this key; a later one replaces it."""
        row = self._row(f"receipt#{key}", "receipt", updated_at=iso(self._clock.now()), body=dict(receipt))
        row.expires = epoch(self._clock.now() + lasts)
        return self._put(row, self._absent()) or not self._put(row)

    def get(self, key: str) -> dict[str, Any] | None:
        """The receipt, or None when this drop was not taken in yet."""
        row = self._fetch(f"receipt#{key}", "receipt")
        return None if row is None else dict(row.body or {})
