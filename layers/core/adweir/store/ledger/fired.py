"""What became of the last time that a job fired: `jobs` / `<job id>`, kept like other history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from adweir.model.times import iso
from adweir.store.ledger.rows import Row, Rows

_PK = "jobs"
STARTED, SKIPPED, REFUSED = "started", "skipped", "refused"


class Firing(NamedTuple):
    """A time that was due (`model.times.iso`), what came of it, the run that it started ("" for none), why it started
    none, and when it was noted."""

    scheduled_at: str
    outcome: str
    run_id: str = ""
    reason: str = ""
    at: str = ""


class FiredLast(Rows):
    """Written by who starts a job's runs, read by people."""

    def note(self, job_id: str, firing: Firing) -> None:
        """Record what came of a time. One that came later, or a run that this time has started, stays."""
        now = iso(self._clock.now())
        body = firing._replace(at=now)._asdict()
        row = self._row(_PK, job_id, state=firing.outcome, as_of=firing.scheduled_at, body=body)
        same = (Row.as_of == firing.scheduled_at) & (Row.state != STARTED)
        self._put(row, self._absent() | (Row.as_of < firing.scheduled_at) | same)

    def of(self, job_ids: Iterable[str]) -> dict[str, Firing]:
        """By job the last time that fired; jobs that never did are left out."""
        rows = self._fetch_many([(_PK, job_id) for job_id in job_ids])
        return {sk: Firing(**row.body) for (_, sk), row in rows.items() if row.body}
