"""The end of a pull's task: terminal in the ledger, then `Advance` on the runs queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.intake.collect.outcomes import describe
from adweir.model.errors import AdweirError, DeadlinePassed
from adweir.model.messages import Advance
from adweir.model.ports import Queue
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Clock, epoch
from adweir.store.raw.header import PullHeader

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger


class TaskEnds:
    """Ends the tasks whose objects were loaded. Every call may be repeated."""

    def __init__(self, ledger: Ledger, runs: Queue, clock: Clock) -> None:
        self._ledger = ledger
        self._runs = runs
        self._clock = clock

    def loaded(self, header: PullHeader, counts: dict[str, int]) -> None:
        """The task ends `loaded`."""
        task = header.run_id, header.task_id, header.generation
        self._ledger.finish(*task, TaskState.LOADED, counts=counts)
        self._advance(header)

    def skipped(self, header: PullHeader) -> None:
        """The task ends `skipped`: the profile has no such data."""
        self._ledger.finish(header.run_id, header.task_id, header.generation, TaskState.SKIPPED)
        self._advance(header)

    def refused(self, header: PullHeader, state: TaskState, error: AdweirError) -> None:
        """The task ends in `state` (quarantined or failed) with its reason."""
        task = header.run_id, header.task_id, header.generation
        self._ledger.finish(*task, state, error=describe(error))
        self._advance(header)

    def accepts_vanish(self, header: PullHeader) -> bool:
        """Whether an operator allowed this generation of the task to zero much stored spend."""
        task = self._task(header)
        return task is not None and task.accept_vanish

    def check_deadline(self, header: PullHeader) -> None:
        """Waiting for a partition ends with the task. Raises DeadlinePassed."""
        task = self._task(header)
        if task is None or task.state.is_terminal:
            return
        if task.deadline and epoch(self._clock.now()) >= task.deadline:
            raise DeadlinePassed("the partition was still being written at the task's deadline")

    def _task(self, header: PullHeader) -> Task | None:
        task = self._ledger.get_task(header.run_id, header.task_id)
        return task if task is not None and task.generation == header.generation else None

    def _advance(self, header: PullHeader) -> None:
        self._runs.send(Advance(run_id=header.run_id, task_id=header.task_id), group=header.run_id)
