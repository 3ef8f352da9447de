"""Runs as the API shows them: stages, what is done, what failed, what waits and what for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from adweir.model import limits
from adweir.model.arrivals import said
from adweir.model.runs import Run, RunState
from adweir.model.tasks import AnyTask, Task, TaskState
from adweir.model.times import iso_of, parse_instant
from adweir.reporting.waiting import waiting

_GOOD = frozenset(state for state in TaskState if state.is_good)
_UNDONE = frozenset({TaskState.FAILED, TaskState.PARKED, TaskState.QUARANTINED, TaskState.CANCELLED})


def summary(run: Run) -> dict[str, Any]:
    """A run without its tasks."""
    return {
        "run_id": run.run_id,
        "workflow": run.workflow,
        "state": run.state.value,
        "trigger": run.trigger,
        "scheduled_at": run.scheduled_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at or None,
        "stage": run.stage,
        "reason": run.reason or None,
        "because": said(run.arrived) or None,
        "scope": run.scope.model_dump(mode="json", exclude_defaults=True),
        "args": dict(run.args),
        "result": result(run, run.records),
    }


def result(run: Run, records: int | None) -> dict[str, Any] | None:
    """What came of a run, None while it has not ended. `records` are the rows that its tasks read, None where nobody
    counted them; the duration is from its beginning to its end, redrives included."""
    if not run.state.is_terminal:
        return None
    success = run.state is RunState.SUCCEEDED
    ends = [parse_instant(at) for at in (run.started_at, run.ended_at) if at]
    undone = f"{run.tasks_failed} of {run.tasks_total} tasks did not load"
    said = run.reason or ("it was cancelled" if run.state is RunState.CANCELLED else undone)
    return {
        "success": success,
        "records_processed": records,
        "duration_seconds": round((ends[1] - ends[0]).total_seconds(), 3) if len(ends) == 2 else None,
        "error": None if success else said,
    }


def details(run: Run, tasks: Iterable[AnyTask], now: datetime) -> dict[str, Any]:
    """A run with its stages in order, each with counts of tasks by state, and up to 200 tasks that failed or wait.

    Waiting tasks that were tried, and so say what they wait for, come before those that were not. A stage's `total`
    counts no task that was split (its children count); `done` are loaded or skipped, `failed` the failed, parked,
    quarantined and cancelled ones. `datasets` has the same counts by dataset of pulls.
    """
    ended, current = {stage.name: stage for stage in run.stages}, {stage.name: stage for stage in run.current}
    names = [*ended, *(name for name in current if name not in ended)]
    tallies: dict[str, dict[str, Counter[TaskState]]] = {name: {} for name in names}
    failed: list[dict[str, Any]] = []
    tried: list[dict[str, Any]] = []
    untried: list[dict[str, Any]] = []
    rows = read = unfinished = 0
    for task in tasks:
        dataset = task.dataset.value if isinstance(task, Task) else ""
        tallies.setdefault(task.stage, {}).setdefault(dataset, Counter())[task.state] += 1
        rows += task.counts.get("rows_stored", 0)
        read += task.counts.get("rows_read", 0)
        if task.state in _UNDONE and len(failed) < limits.MAX_FAILED_TASKS_SHOWN:
            failed.append(_named(task) | {"error": dict(task.error) if task.error else None})
        if not task.state.is_terminal:
            unfinished += 1
            if len(shown := tried if task.attempts else untried) < limits.MAX_FAILED_TASKS_SHOWN:
                shown.append(_named(task) | waiting(task, now))
    stages: list[dict[str, Any]] = []
    for name, by_dataset in tallies.items():
        record, begun = ended.get(name), current.get(name)
        is_open = begun is not None and not run.state.is_terminal
        stages.append(
            {
                "name": name,
                "state": "running" if is_open else "left_out" if record and record.left_out else "ended",
                "reason": (record.left_out if record else "") or None,
                **_progress(sum(by_dataset.values(), Counter())),
                "datasets": {dataset: _progress(counts) for dataset, counts in sorted(by_dataset.items()) if dataset},
                "started_at": record.started_at if record else (begun.since if begun else None) or None,
                "ended_at": record.ended_at if record and not is_open else None,
            }
        )
    return summary(run) | {
        "stages": stages,
        "tasks_total": sum(stage["total"] for stage in stages),
        "tasks_done": sum(stage["done"] for stage in stages),
        "tasks_failed": sum(stage["failed"] for stage in stages),
        "tasks_waiting": unfinished,
        "rows_stored": rows,
        "result": result(run, read if run.records is None else run.records),
        "failed_tasks": failed,
        "waiting_tasks": [*tried, *untried][: limits.MAX_FAILED_TASKS_SHOWN],
    }


def _progress(counts: Counter[TaskState]) -> dict[str, Any]:
    return {
        "total": sum(count for state, count in counts.items() if state is not TaskState.SPLIT),
        "done": sum(counts[state] for state in _GOOD),
        "failed": sum(counts[state] for state in _UNDONE),
        "tasks": {state.value: count for state, count in sorted(counts.items())},
    }


def life(task: AnyTask, now: datetime) -> dict[str, Any]:
    """A task with its times, attempts and error, and what it waits for while it has not ended."""
    waits = waiting(task, now) if not task.state.is_terminal else {"waits_for": None, "until": None}
    return _named(task) | {
        "created_at": task.created_at or None,
        "updated_at": task.updated_at or None,
        "deadline": iso_of(task.deadline),
        "attempts": task.attempts,
        **_of_pull(task),
        "counts": dict(task.counts),
        "error": dict(task.error) if task.error else None,
        **waits,
    }


def _of_pull(task: AnyTask) -> dict[str, Any]:
    """What only pulls have, of any task."""
    pull = task if isinstance(task, Task) else None
    return {
        "as_of": (pull and pull.as_of) or None,
        "object_key": (pull and pull.object_key) or None,
        "parent": (pull and pull.parent) or None,
    }


def _named(task: AnyTask) -> dict[str, Any]:
    pull = task if isinstance(task, Task) else None
    return {
        "task_id": task.id,
        "stage": task.stage,
        "kind": task.kind.value,
        "state": task.state.value,
        "account_id": task.account_id,
        "platform": pull and pull.platform,
        "profile_id": pull and pull.profile_id,
        "dataset": pull and pull.dataset.value,
        "slice": pull and pull.slice,
        "window": str(pull.window) if pull and pull.window else None,
        "generation": task.generation,
    }
