"""Runs that ended failed or partial and that nothing has repaired: `troubled-runs` / `<run id>`.

A run leaves the list when it succeeds after a redrive, when a later run of its workflow (`daily`, `sync` and `platform`
are one) that covers its scope succeeds, when it is cancelled, and after two days.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from adweir.model.messages import Scope
from adweir.model.runs import Run, RunState
from adweir.model.times import epoch
from adweir.store.ledger.rows import Rows

_PK = "troubled-runs"
_REMEMBERED = timedelta(days=2)
_PULLS = {"sync": "daily", "platform": "daily"}
"""Workflows that pull the same under other names."""


class TroubledRun(NamedTuple):
    """A run that ended badly: `state` is failed or partial, `ended_at` is `model.times.iso`."""

    run_id: str
    workflow: str
    state: str
    reason: str
    ended_at: str


class TroubledRuns(Rows):
    """Kept up to date at the end of each run. Every call may be repeated."""

    def note(self, run: Run) -> None:
        """Record how a run ended."""
        if run.state in {RunState.FAILED, RunState.PARTIAL}:
            row = self._row(_PK, run.run_id, state=run.state.value, label=run.workflow, text=run.reason or None)
            row.updated_at, row.body = run.ended_at, run.scope.model_dump(mode="json", exclude_defaults=True)
            row.expires = epoch(self._clock.now() + _REMEMBERED)
            self._put(row)
            return
        whole, covered = run.scope == Scope(), run.scope.model_dump(mode="json", exclude_defaults=True)
        for row in self._query(_PK):
            same = _pulls(row.label or "") == _pulls(run.workflow) and (row.updated_at or "") <= run.ended_at
            repaired = run.state is RunState.SUCCEEDED and same and (whole or row.body == covered)
            if row.sk == run.run_id or repaired:
                self._drop(_PK, row.sk)

    def all(self) -> list[TroubledRun]:
        """Those that nothing has repaired, by id."""
        return [
            TroubledRun(row.sk, row.label or "", row.state or "", row.text or "", row.updated_at or "")
            for row in self._query(_PK)
        ]


def _pulls(workflow: str) -> str:
    return _PULLS.get(workflow, workflow)
