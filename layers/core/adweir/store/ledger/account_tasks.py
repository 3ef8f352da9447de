"""Tasks of client accounts in the ledger: items and markers as those of pulls (`store.ledger.tasks`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adweir.model.errors import Transient
from adweir.model.tasks import AccountTask, Task, TaskState
from adweir.store.ledger.rows import Row
from adweir.store.ledger.task_rows import TaskName, task_item, task_of_row
from adweir.store.ledger.tasks import Tasks

_RACES = 4


class AccountTasks(Tasks):
    """Tasks of accounts, told from pulls: planned once per round of a run, claimed, ended."""

    def pulls(self, run_id: str) -> Iterator[Task]:
        """Those of the tasks of a run that are pulls."""
        return (task for task in self.tasks(run_id) if isinstance(task, Task))

    def open_pulls(self, run_id: str) -> Iterator[Task]:
        """The run's pulls that have an open marker."""
        return (task for _, task in self.open_tasks(run_id) if isinstance(task, Task))

    def unbegun(self, run_id: str) -> Iterator[Task]:
        """The planned pulls of a run that nobody has begun with: their messages may not have been sent."""
        return (task for task in self.open_pulls(run_id) if task.state is TaskState.PLANNED and not task.attempts)

    def plan_account(self, task: AccountTask) -> AccountTask:
        """Store a task and its open marker, and return it as it is then. One of an earlier round is planned again as
        its next generation, whatever became of it; one of this round stays as it is.

        The marker of the new generation comes first: what a crash after it leaves, planning again completes. Raises
        Transient when others keep changing the task.
        """
        for _ in range(_RACES):
            known = self.get_task(task.run_id, task.id)
            if isinstance(known, AccountTask):
                found = known if known.round >= task.round else self._plan_again(known, task)
                if found is not None:
                    return found
            elif self.plan(task):
                return task
        raise Transient(f"task {task.id} keeps changing")

    def _plan_again(self, known: AccountTask, task: AccountTask) -> AccountTask | None:
        generation = known.generation + 1
        self._mark(task.run_id, task.stage, task.id, generation, task.group)
        row = self._change(
            *task_item(task.run_id, task.id),
            [
                Row.state.set(TaskState.PLANNED.value),
                Row.generation.set(generation),
                Row.version.set(task.round),
                *self._anew(task.deadline),
            ],
            (Row.generation == known.generation) & (Row.version == known.round),
        )
        found = None if row is None else task_of_row(row)
        return found if isinstance(found, AccountTask) else None

    def claim_account(self, run_id: str, task_id: str, generation: int, hold_seconds: float) -> AccountTask | None:
        """`claim` of a task of an account."""
        return self._claim(AccountTask, TaskName(run_id, task_id, generation), hold_seconds)

    def finish_account(self, task: AccountTask, counts: Mapping[str, int]) -> bool:
        """Make a task `loaded`: its work is done. True when this call did it.

        The caller then sends `Advance(run_id)` in both cases.
        """
        name, facts = TaskName(task.run_id, task.id, task.generation), {"counts": counts}
        return self._end_together([(name, task.stage, facts)], TaskState.LOADED) or self._end(
            name, TaskState.LOADED, facts
        )
