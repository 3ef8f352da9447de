"""Unfollowed: clients of whom something came outside of runs, and no run has worked on it yet.

`unfollowed` / `<account>#<what>` counts the loads, is put after the numbers are stored, and goes when a run of
`refresh` has begun that began after it. Each write leaves another token in the item: a mark is removed only as it was
read, so that what came meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from adweir.model.times import iso
from adweir.store.ledger.rows import Row, Rows

_PK = "unfollowed"
_LAST = "~"
"""Sorts behind each name of what came."""


class UnfollowedMark(NamedTuple):
    """Something that came of a client: what (`model.arrivals`), in how many loads, when the last one was
    (`model.times.iso`), and what tells this state of the mark from later ones."""

    what: str
    loads: int
    at: str
    token: str


class Unfollowed(Rows):
    """Marks of clients. Every call may be repeated; a repeated mark starts a run that finds nothing to do."""

    def note(self, account_id: str, what: str) -> None:
        """Something was stored of a client that no run follows. Raises Unavailable."""
        if account_id:
            now = iso(self._clock.now())
            actions = [Row.fence.add(1), Row.updated_at.set(now), Row.expires.set(self._expires())]
            self._change(_PK, f"{account_id}#{what}", actions)

    def waiting(self, after: str = "") -> Iterator[tuple[str, list[UnfollowedMark]]]:
        """The clients with marks, by id, those behind the id `after`; each with all of its marks."""
        rows = self._query(_PK, after=f"{after}#{_LAST}" if after else "")
        for account_id, own in groupby(rows, lambda row: row.sk.rpartition("#")[0]):
            yield account_id, [_mark(row) for row in own]

    def followed(self, account_id: str, marks: Iterable[UnfollowedMark]) -> None:
        """A run has begun after these marks, or none is needed: those that are still the same go."""
        for mark in marks:
            self._drop(_PK, f"{account_id}#{mark.what}", Row.writer == mark.token)


def _mark(row: Row) -> UnfollowedMark:
    return UnfollowedMark(row.sk.rpartition("#")[2], int(row.fence or 0), row.updated_at or "", row.writer or "")
