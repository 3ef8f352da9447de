"""What the open tasks of a run wait for, in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adweir.model.flows import WORKERS
from adweir.model.tasks import AnyTask, Task, TaskState
from adweir.model.times import clock_text, epoch, iso_of, parse_instant


def waiting(task: AnyTask, now: datetime) -> dict[str, Any]:
    """Why an open task has not ended: `waits_for` in words (times in UTC) and `until`, None where nobody knows."""
    words, until = _why(task, now)
    return {"waits_for": words, "until": iso_of(until) if until else None}


def _why(task: AnyTask, now: datetime) -> tuple[str, int]:
    since = clock_text(parse_instant(task.updated_at), now)
    if task.hold_until > epoch(now):
        return f"being worked on since {since}", 0
    if task.hold_until:
        return f"its worker, begun {since}, failed or was ended (its log says how); its message comes back by itself", 0
    if task.waits:
        return _said(task, int(task.waits.get("until") or 0), now)
    match task:
        case Task(state=TaskState.WAITING_REPORT):
            asked = clock_text(parse_instant(task.as_of), now)
            return f"the platform has been making report {task.report_id} since {asked}", 0
        case Task(state=TaskState.LANDED):
            return f"the platform's answer is stored since {since} and waits to be loaded", 0
        case _:
            queue = "collect" if isinstance(task, Task) else WORKERS.get(task.kind, "etl")
            return f"not begun: its message waits in the {queue} queue since {since}", 0


def _said(task: AnyTask, until: int, now: datetime) -> tuple[str, int]:
    reason = str((task.waits or {}).get("reason", ""))
    if isinstance(task, Task) and task.state is TaskState.WAITING_REPORT and task.as_of:
        reason += f", asked for at {clock_text(parse_instant(task.as_of), now)}"
    if not until:
        return f"{reason}; tried again within a minute", 0
    at = clock_text(parse_instant(iso_of(until)), now)
    return (f"{reason}; next try {at}" if until > epoch(now) else f"{reason}; its next try was due {at}"), until
