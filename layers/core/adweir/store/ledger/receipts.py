"""Receipts of dropped files: `receipt#<key>` / `receipt`; the key names the object and its version.

`receipts#<account>` / `<time of the drop>#<key>` lists those of an account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from adweir.model.times import epoch, iso
from adweir.store.dynamo.paging import from_token, to_token
from adweir.store.ledger.rows import HISTORY, Rows


class Receipts(Rows):
    """Receipts, stored and read by drop."""

    def put(self, key: str, receipt: Mapping[str, Any], lasts: timedelta = HISTORY) -> bool:
        """Store a receipt (JSON values). True when it is the first of this key; a later one replaces it."""
        row = self._row(f"receipt#{key}", "receipt", updated_at=iso(self._clock.now()), body=dict(receipt))
        row.expires = epoch(self._clock.now() + lasts)
        return self._put(row, self._absent()) or not self._put(row)

    def put_listed(self, key: str, receipt: Mapping[str, Any]) -> None:
        """Store a drop's receipt, and in the list of the account that it names, if it names one."""
        if account_id := receipt.get("account_id"):
            place = f"{receipt['last_modified']}#{key}"
            self._put(self._row(_listed(account_id), place, updated_at=iso(self._clock.now()), body=dict(receipt)))
        self.put(key, receipt)

    def page(self, account_id: str, limit: int, token: str) -> tuple[list[dict[str, Any]], str]:
        """A page of an account's receipts, the newest drop first, and the token of the next page, "" after the last.

        Raises BadInput for a token of another list.
        """
        pk = _listed(account_id)
        rows = list(self._query(pk, after=from_token(pk, token), newest_first=True, limit=limit + 1))
        following = to_token(pk, rows[limit - 1].sk) if len(rows) > limit else ""
        return [dict(row.body or {}) for row in rows[:limit]], following

    def get(self, key: str) -> dict[str, Any] | None:
        """The receipt, or None when this drop was not taken in yet."""
        row = self._fetch(f"receipt#{key}", "receipt")
        return None if row is None else dict(row.body or {})

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of some drops that were not taken in yet, read together."""
        wanted = {key: (f"receipt#{key}", "receipt") for key in keys}
        found = self._fetch_many(wanted.values())
        return [key for key, place in wanted.items() if place not in found]


def _listed(account_id: str) -> str:
    return f"receipts#{account_id}"
