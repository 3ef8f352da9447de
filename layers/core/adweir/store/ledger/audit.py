"""What people changed: `audit` / `<time>#<token>`, kept like other history."""

from __future__ import annotations

from typing import NamedTuple

from adweir.model.times import Clock, iso
from adweir.store.dynamo.keyed import new_token
from adweir.store.dynamo.paging import from_token, to_token
from adweir.store.ledger.rows import Rows

_PK = "audit"


class Deed(NamedTuple):
    """Who (an API key's id) did what to what, why in their words, when (`model.times.iso`), and what came of it."""

    at: str
    who: str
    action: str
    subject: str
    reason: str
    outcome: str


class Audit(Rows):
    """Written for each request that changed something, read by people. `noted` counts what this one wrote."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.noted = 0

    def note(self, who: str, action: str, subject: str, reason: str, outcome: str) -> Deed:
        """Record a deed of now."""
        deed = Deed(iso(self._clock.now()), who, action, subject, reason, outcome)
        self._put(self._row(_PK, f"{deed.at}#{new_token()}", body=deed._asdict()))
        self.noted += 1
        return deed

    def page(self, limit: int, token: str) -> tuple[list[Deed], str]:
        """The newest first, and the token of the next page, "" after the last. Raises BadInput for a wrong token."""
        rows = list(self._query(_PK, after=from_token(_PK, token), newest_first=True, limit=limit + 1))
        following = to_token(_PK, rows[limit - 1].sk) if len(rows) > limit else ""
        return [Deed(**row.body) for row in rows[:limit] if row.body], following
