"""Exports: `export#<id>` / `export`: a report that is too large for an answer, what was asked for and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from adweir.model.times import epoch, iso, parse_instant
from adweir.store.ledger.rows import Row, Rows

RUNNING, READY, FAILED = "running", "ready", "failed"
KEPT = timedelta(days=7)
"""The bucket's lifecycle deletes the file then."""
LONGEST = timedelta(hours=6)
"""Five receives of its message, and more: what runs longer has ended in the dead-letter queue."""


class ExportRecord(NamedTuple):
    """An export. `asked` is what was asked for, as JSON; `accounts` those of the key that asked, empty for all.

    `rows` and `key` are known when it is ready, `reason` when it failed.
    """

    export_id: str
    state: str
    requested_at: str
    asked: Mapping[str, Any]
    accounts: frozenset[str]
    rows: int
    key: str
    reason: str

    @property
    def expires_at(self) -> str:
        """When its file goes."""
        return iso(parse_instant(self.requested_at) + KEPT)


class Exports(Rows):
    """Exports, begun, ended and read. Every call may be repeated."""

    def begin(self, export_id: str, asked: Mapping[str, Any], accounts: frozenset[str]) -> bool:
        """Store what was asked for. False when it runs, or is ready, already; one that failed begins anew."""
        now = self._clock.now()
        row = self._row(f"export#{export_id}", "export", state=RUNNING, updated_at=iso(now))
        row.body = {"asked": dict(asked), "accounts": sorted(accounts)}
        row.expires, row.deadline = epoch(now + KEPT), epoch(now + LONGEST)
        stuck = (Row.state == RUNNING) & (Row.deadline <= epoch(now))
        return self._put(row, self._absent() | (Row.state == FAILED) | stuck)

    def ready(self, record: ExportRecord, key: str, rows: int) -> None:
        """Its file is stored. One that was asked for anew meanwhile is another."""
        actions = [Row.state.set(READY), Row.object_key.set(key), Row.generation.set(rows), Row.text.remove()]
        self._change(f"export#{record.export_id}", "export", actions, Row.updated_at == record.requested_at)

    def failed(self, export_id: str, reason: str) -> None:
        """It cannot be made."""
        actions = [Row.state.set(FAILED), Row.text.set(reason)]
        self._change(f"export#{export_id}", "export", actions, Row.pk.exists() & (Row.state != READY))

    def get(self, export_id: str) -> ExportRecord | None:
        """An export, None where there is none any more. One that did not end in time has failed."""
        row = self._fetch(f"export#{export_id}", "export")
        if row is None:
            return None
        body: dict[str, Any] = dict(row.body or {})
        state, reason = row.state or "", row.text or ""
        if state == RUNNING and (row.deadline or 0) <= self._now():
            state, reason = FAILED, "it did not end in time; ask for it again"
        return ExportRecord(
            export_id,
            state,
            row.updated_at or "",
            body.get("asked", {}),
            frozenset(body.get("accounts", ())),
            int(row.generation or 0),
            row.object_key or "",
            reason,
        )
