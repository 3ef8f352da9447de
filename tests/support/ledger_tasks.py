"""Tasks in a ledger for tests of it, and what somebody else does in the middle of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adweir.model.tasks import Task
from adweir.store.ledger import Ledger
from support.pipeline import a_task


def planned(ledger: Ledger, **values: Any) -> Task:
    """`a_task(**values)` in the ledger, as it is read."""
    task = a_task(**values)
    ledger.plan(task)
    return now(ledger, task)


def now(ledger: Ledger, task: Task) -> Task:
    """The task as it is now."""
    found = ledger.get_pull(task.run_id, task.id)
    assert found is not None
    return found


def markers(ledger: Ledger, run_id: str = "run-1") -> set[tuple[str, int]]:
    """Task and generation of each open marker of a run."""
    return {(marker.task_id, marker.generation) for marker, _ in ledger.open_tasks(run_id)}


def after(patch: pytest.MonkeyPatch, of: Any, method: str, happens: Callable[[], object]) -> None:
    """Something happens right after the next call of a method."""
    call = getattr(of, method)

    def and_then(*about: Any, **how: Any) -> Any:
        patch.setattr(of, method, call)
        answer = call(*about, **how)
        happens()
        return answer

    patch.setattr(of, method, and_then)
