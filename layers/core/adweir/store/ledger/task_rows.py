"""A task as an item of the ledger, and what names it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.labels import DEFAULT
from adweir.model.platforms import Platform
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window
from adweir.store.dynamo.keyed import Key
from adweir.store.ledger.rows import Row
from adweir.store.ledger.runs import run_pk

_FIELDS = frozenset(field.name for field in fields(Task))


class TaskName(NamedTuple):
    """What names a task of a generation."""

    run_id: str
    task_id: str
    generation: int


class Pulled(NamedTuple):
    """What a task brought, as `Task` names it; `stage` may be unknown."""

    profile_key: str
    dataset: Dataset
    window: Window | None
    stage: str = ""


def task_item(run_id: str, task_id: str) -> Key:
    """The key of a task's item."""
    return run_pk(run_id), f"task#{task_id}"


def fixed(task: Task) -> dict[str, Any]:
    """What never changes of a task, as its item holds it."""
    return {
        "run_id": task.run_id,
        "stage": task.stage,
        "account_id": task.account_id,
        "platform": task.platform,
        "profile_id": task.profile_id,
        "dataset": task.dataset.value,
        "slice": task.slice,
        "window": str(task.window) if task.window else None,
        "timezone": task.timezone,
        "currency": task.currency,
        "depth": task.depth,
        "parent": task.parent,
        "mode": task.mode,
        "id": task.id,
    }


def task_of_row(row: Row) -> Task:
    """A stored task. Fields that another version added are left out."""
    body = {name: value for name, value in (row.body or {}).items() if name in _FIELDS}
    body["platform"] = Platform(body["platform"])
    body["dataset"] = Dataset(body["dataset"])
    body["window"] = Window.parse(body["window"]) if body["window"] else None
    return Task(
        **body,
        state=TaskState(row.state or ""),
        generation=int(row.generation or 0),
        attempts=int(row.attempts or 0),
        deadline=int(row.deadline or 0),
        hold_until=int(row.until or 0),
        accept_vanish=bool(row.accept_vanish),
        as_of=row.as_of or "",
        report_id=row.report_id or "",
        object_key=row.object_key or "",
        parts=tuple(int(part) for part in (row.parts or "").split()),
        cursor=row.cursor or "",
        label=row.label or DEFAULT,
        updated_at=row.updated_at or "",
        waits=row.waits,
        error=row.error,
        counts=row.counts or {},
    )
