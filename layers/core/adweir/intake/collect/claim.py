"""The claim on a task: who works on it, and until when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adweir.intake.collect.outcomes import Outcomes
from adweir.model import limits, trace
from adweir.model.errors import AdweirError, DeadlinePassed, NotReady, Throttled, Transient, Unavailable
from adweir.model.messages import TaskMessage
from adweir.model.tasks import AnyTask, Task
from adweir.model.times import Clock, epoch

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger

Remaining = Callable[[], float]
"""Seconds that this invocation may still run."""


class Claims:
    """Gives a worker the task that a message names, for `hold_seconds`, which outlive the function's time-out."""

    def __init__(self, ledger: Ledger, outcomes: Outcomes, clock: Clock, hold_seconds: float) -> None:
        self.ledger = ledger
        self.clock = clock
        self._outcomes = outcomes
        self._hold_seconds = hold_seconds

    @contextmanager
    def claimed(self, message: TaskMessage, read: Task | None = None) -> Iterator[Task | None]:
        """Hold the message's task while the body runs; None when there is nothing left to do about it.

        `read` is the task as it was just read.

        A body that ends because something asks to wait gives the task back, so that the next message need not wait for
        the hold to expire. Raises Throttled when someone else holds the task, DeadlinePassed when it is too late.
        """
        named = message.run_id, message.task_id, message.generation
        task = self.ledger.claim(*named, self._hold_seconds, read=read)
        if task is None:
            self._outcomes.repeat(message)
            yield None
            return
        trace.add(platform=task.platform, profile_id=task.profile_id, dataset=task.dataset)
        with held(self.ledger, self.clock, task):
            yield task


@contextmanager
def held(ledger: Ledger, clock: Clock, task: AnyTask) -> Iterator[None]:
    """Work on a task that this worker holds. What asks to wait gives it back.

    Raises DeadlinePassed when it is too late.
    """
    try:
        if epoch(clock.now()) > task.deadline:
            raise DeadlinePassed(f"not finished by its deadline, in state {task.state}")
        yield
    except (Throttled, NotReady, Transient, Unavailable) as error:
        ledger.release(task, waits_for(error, clock.now()))
        raise


def waits_for(error: AdweirError, now: datetime) -> dict[str, Any]:
    """What a task waits for that met this error, as the ledger keeps it (`Task.waits`). `until` 0: tried again soon."""
    seconds = getattr(error, "retry_after", 0) or getattr(error, "after", 0)
    until = epoch(now) + round(seconds) if seconds else 0
    lease = str(error.context.get("lease", ""))
    reason = (
        f"another load is writing the same numbers ({lease.removeprefix('metrics#')})"
        if lease.startswith("metrics#")
        else error.message
    )
    return {"code": error.code, "reason": reason[: limits.MAX_REASON_CHARS], "until": until}
