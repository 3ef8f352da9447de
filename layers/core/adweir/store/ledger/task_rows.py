"""A task as an item of the ledger, and what names it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.flows import StageKind
from adweir.model.labels import DEFAULT
from adweir.model.platforms import Platform
from adweir.model.tasks import AccountTask, AnyTask, Task, TaskState
from adweir.model.times import Window
from adweir.store.dynamo.keyed import Key
from adweir.store.ledger.rows import Row
from adweir.store.ledger.runs import run_pk

_FIELDS = frozenset(field.name for field in fields(Task))
_OF_ACCOUNTS = ("run_id", "stage", "account_id", "id", "kind")


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


def fixed(task: AnyTask) -> dict[str, Any]:
    """What never changes of a task, as its item holds it."""
    if isinstance(task, AccountTask):
        return {name: getattr(task, name) for name in _OF_ACCOUNTS}
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


def changing(task: AnyTask) -> dict[str, Any]:
    """What a plan says of a task beside that, and may be another later."""
    if isinstance(task, AccountTask):
        return {"version": task.round}
    return {"accept_vanish": int(task.accept_vanish), "label": task.label}


def task_of_row(row: Row) -> AnyTask:
    """A stored task. Fields that another version added are left out."""
    stored = row.body or {}
    if "kind" not in stored:
        return pull_of_row(row)
    return AccountTask(
        **{name: stored[name] for name in _OF_ACCOUNTS if name != "kind"},
        kind=StageKind(stored["kind"]),
        created_at=stored.get("created_at", ""),
        state=TaskState(row.state or ""),
        generation=int(row.generation or 0),
        round=int(row.version or 0),
        attempts=int(row.attempts or 0),
        deadline=int(row.deadline or 0),
        hold_until=int(row.until or 0),
        resent=int(row.resent or 0),
        updated_at=row.updated_at or "",
        waits=row.waits,
        error=row.error,
        counts=row.counts or {},
    )


def pull_of_row(row: Row) -> Task:
    """A stored pull. Raises LookupError for another task."""
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
        resent=int(row.resent or 0),
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
