"""What stages do that pull nothing: one task per client account, from its message to its end.

The work of a kind is idempotent by what it is made of: repeated, it stores nothing that is there. Two runs do not do it
for the same account at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from adweir.intake.collect.claim import Remaining, held
from adweir.intake.collect.outcomes import describe
from adweir.model import trace
from adweir.model.errors import AdweirError, NotFound, RequestRejected, UnreadableItem
from adweir.model.flows import StageKind
from adweir.model.messages import Advance, TaskMessage
from adweir.model.ports import Queue
from adweir.model.tasks import AccountTask, TaskState
from adweir.model.times import Clock

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger

AccountJob = Callable[[AccountTask, Remaining], Mapping[str, int]]
"""Works on a task's account, and returns counts. Raises NotReady when it goes on in another invocation, NotFound for an
account that is gone."""


class AccountWork:
    """`handle` and `settle` are the queue consumer's hooks for tasks of accounts.

    A worker holds a task for `hold_seconds`, which outlive the function's time-out.
    """

    def __init__(
        self, ledger: Ledger, runs: Queue, clock: Clock, hold_seconds: float, jobs: Mapping[StageKind, AccountJob]
    ) -> None:
        self._ledger = ledger
        self._runs = runs
        self._clock = clock
        self._hold_seconds = hold_seconds
        self._jobs = jobs

    def handle(self, message: TaskMessage, remaining: Remaining) -> None:
        """Do a task, unless it has ended. Raises Throttled while somebody else does, and whatever its job raises."""
        named = message.run_id, message.task_id, message.generation
        task = self._ledger.claim_account(*named, self._hold_seconds)
        if task is not None:
            trace.add(account_id=task.account_id)
            with held(self._ledger, self._clock, task), self._ledger.lease(task.about, self._hold_seconds):
                job = self._jobs.get(task.kind)
                if job is None:
                    raise RequestRejected(f"no function does stages of the kind {task.kind}")
                counts = job(task, remaining)
            self._ledger.finish_account(task, counts)
        self._advance(message)

    def settle(self, message: TaskMessage, error: AdweirError) -> None:
        """Record what an error makes of the message's task: it failed, or there is no such account any more."""
        try:
            task = self._ledger.get_task(message.run_id, message.task_id)
        except UnreadableItem:
            return  # logged; the sweep takes its marker away
        if isinstance(task, AccountTask) and task.generation == message.generation:
            state = TaskState.SKIPPED if isinstance(error, NotFound) else TaskState.FAILED
            self._ledger.finish(task.run_id, task.id, task.generation, state, error=describe(error))
        self._advance(message)

    def _advance(self, message: TaskMessage) -> None:
        self._runs.send(Advance(run_id=message.run_id, task_id=message.task_id), group=message.run_id)
