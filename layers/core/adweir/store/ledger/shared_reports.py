"""Reports that serve several tasks of a run: `report#<name>` / `report`."""

from __future__ import annotations

from typing import NamedTuple

from adweir.store.ledger.rows import Row, Rows


class SharedReport(NamedTuple):
    """The platform's id of a report, and when it was created (`model.times.iso`)."""

    id: str
    as_of: str


class SharedReports(Rows):
    """Which report answers for a name. Written under a lease of that name: see `intake.collect.asking`."""

    def get(self, name: str) -> SharedReport | None:
        """The newest report of this name."""
        row = self._fetch(f"report#{name}", "report")
        return None if row is None else SharedReport(row.report_id or "", row.as_of or "")

    def put(self, name: str, report: SharedReport) -> None:
        """Replace the report of this name."""
        self._put(self._row(f"report#{name}", "report", report_id=report.id, as_of=report.as_of))

    def forget(self, name: str, report_id: str) -> None:
        """Drop the report of this name, unless a newer one took its place."""
        self._drop(f"report#{name}", "report", Row.report_id == report_id)
