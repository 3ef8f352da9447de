"""What the pipeline did, in numbers: the answer of `GET /api/v1/pipeline/metrics`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adweir.model import limits
from adweir.model.tasks import AnyTask, Task, TaskState
from adweir.model.times import parse_instant

if TYPE_CHECKING:
    from adweir.model.runs import Run
    from adweir.store.ledger import Ledger

RUNS_MEASURED = 20
"""The newest runs that count: about a week of daily runs, or a day of hourly ones."""


@dataclass
class _Sums:
    """What the tasks of one stage and platform come to."""

    states: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def add(self, task: AnyTask) -> None:
        self.states[task.state.value] = self.states.get(task.state.value, 0) + 1
        if task.error and not task.state.is_good:  # a skipped task says why, and is no failure
            code = str(task.error.get("code", "error"))
            self.errors[code] = self.errors.get(code, 0) + 1
        if task.state is not TaskState.LOADED:
            return
        for name, count in task.counts.items():
            self.counts[name] = self.counts.get(name, 0) + int(count)
        self.seconds.append((parse_instant(task.updated_at) - parse_instant(task.created_at)).total_seconds())

    def summary(self) -> dict[str, Any]:
        total, rows = sum(self.seconds), self.counts.get("rows_read", 0)
        return {
            "tasks": self.states,
            "failures": self.errors,
            "counts": self.counts,
            "seconds_mean": round(total / len(self.seconds), 3) if self.seconds else None,
            "seconds_max": round(max(self.seconds), 3) if self.seconds else None,
            "rows_per_second": round(rows / total, 3) if total else None,
        }


def metrics(ledger: Ledger) -> dict[str, Any]:
    """Counts, durations, rows per second and failures of the newest runs, by workflow, stage and platform (None where a
    stage pulls nothing). Runs of `refresh`, which load nothing, are left out.

    A task's seconds run from its planning to its load, so waiting in queues and for reports is in them.
    `rows_per_second` is rows over those seconds; None where nothing was loaded. Of runs with very many tasks fewer
    are measured (`limits.MAX_TASKS_MEASURED`).
    """
    newest, _ = ledger.list_runs(RUNS_MEASURED, refreshes=False)
    sums: dict[tuple[str, str, str], _Sums] = {}
    measured: list[Run] = []
    read = 0
    for run in newest:
        if measured and read + run.tasks_total > limits.MAX_TASKS_MEASURED:  # the total is known when a run has ended
            break
        for task in ledger.tasks(run.run_id):
            read += 1
            platform = task.platform if isinstance(task, Task) else ""
            sums.setdefault((run.workflow, task.stage, platform), _Sums()).add(task)
        measured.append(run)
    return {
        "runs": [
            {
                "run_id": run.run_id,
                "workflow": run.workflow,
                "state": run.state.value,
                "started_at": run.started_at,
                "ended_at": run.ended_at or None,
                "seconds": _seconds(run.started_at, run.ended_at),
                "stages": [
                    {
                        "name": stage.name,
                        "seconds": _seconds(stage.started_at, stage.ended_at),
                        "tasks": stage.tasks,
                        "loaded": stage.loaded,
                        "failed": stage.failed,
                    }
                    for stage in run.stages
                ],
            }
            for run in measured
        ],
        "stages": [
            {"workflow": workflow, "stage": stage, "platform": platform or None}
            | sums[workflow, stage, platform].summary()
            for workflow, stage, platform in sorted(sums)
        ],
    }


def _seconds(start: str, end: str) -> float | None:
    if not start or not end:
        return None
    return round((parse_instant(end) - parse_instant(start)).total_seconds(), 3)
