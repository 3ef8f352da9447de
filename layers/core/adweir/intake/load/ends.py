"""The end of a pull's task: terminal in the ledger, then `Advance` on the runs queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.intake.collect.claim import waits_for
from adweir.intake.collect.outcomes import describe
from adweir.model import limits
from adweir.model.arrivals import Arrival, named
from adweir.model.deeds import Deed
from adweir.model.errors import AdweirError, DeadlinePassed, NotReady, Throttled
from adweir.model.messages import Advance, Narrow, ObjectArrived, StartRun
from adweir.model.ports import Queue
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Clock, epoch
from adweir.store.ledger.task_rows import Pulled, TaskName
from adweir.store.raw.header import PullHeader

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger


class TaskEnds:
    """Ends the tasks whose objects were loaded. Every call may be repeated."""

    def __init__(self, ledger: Ledger, runs: Queue, clock: Clock) -> None:
        self._ledger = ledger
        self._runs = runs
        self.clock = clock

    def of(self, message: ObjectArrived) -> TaskEnds:
        """What ends with this object: its task, or its part of a replay."""
        return ReplayEnds(self._ledger, self._runs, self.clock, message) if message.replay_id else self

    def loaded(self, header: PullHeader, counts: dict[str, int]) -> None:
        """The task ends `loaded`."""
        task = TaskName(header.run_id, header.task_id, header.generation)
        pulled = Pulled(header.profile_key, header.dataset, header.window, header.stage)
        if not self._ledger.finish_loaded(task, pulled, counts) and not self._ledger.is_loaded(task):
            self._came_late(header)
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

    def narrowed(self, header: PullHeader) -> bool:
        """Have half of the days pulled at a time, for the object takes too long to load. False when that cannot be."""
        task = self._task(header)
        if task is None or task.depth >= limits.MAX_SPLIT_DEPTH or not task.halves():
            return False
        if task.state.is_terminal and task.state is not TaskState.SPLIT:
            return False  # an object that somebody had loaded again: nothing is pulled for it
        self._runs.send(Narrow(run_id=task.run_id, task_id=task.id, generation=task.generation), group=task.run_id)
        return True

    def accepts_vanish(self, header: PullHeader) -> bool:
        """Whether an operator allowed this generation of the task to zero much stored spend."""
        task = self._task(header)
        return task is not None and task.accept_vanish

    def start(self, run: StartRun, group: str) -> None:
        """Have a run begin that follows from what was loaded."""
        self._runs.send(run, group=group)

    def note(self, deed: Deed) -> None:
        """Record what a load changed beside the numbers."""
        self._ledger.audit.note_own(deed)

    def next_load(self, header: PullHeader) -> int:
        """The number of a further load of the profile's raw objects, greater than those before."""
        return self._ledger.replays.next_load(f"{header.platform}#{header.profile_id}")

    def check_deadline(self, header: PullHeader, error: Throttled | NotReady) -> None:
        """Waiting for a partition ends with the task, which says meanwhile what it waits for. Raises DeadlinePassed."""
        waits = waits_for(error, self.clock.now())
        task = self._ledger.note_wait(header.run_id, header.task_id, header.generation, waits)
        if task is not None and task.deadline and epoch(self.clock.now()) >= task.deadline:
            raise DeadlinePassed("the partition was still being written at the task's deadline")

    def _came_late(self, header: PullHeader) -> None:
        """Have a run follow what was stored after its task had ended otherwise: its own run may be over."""
        if header.dataset.grain is not None or header.dataset.changes_days:
            self._ledger.unfollowed.note(header.account_id, named(Arrival.LATE, header.dataset.grain))

    def _task(self, header: PullHeader) -> Task | None:
        task = self._ledger.get_pull(header.run_id, header.task_id)
        return task if task is not None and task.generation == header.generation else None

    def _advance(self, header: PullHeader) -> None:
        self._runs.send(Advance(run_id=header.run_id, task_id=header.task_id), group=header.run_id)


class ReplayEnds(TaskEnds):
    """Records the end of an object that a replay loaded again. Its task ended before and stays as it is."""

    def __init__(self, ledger: Ledger, runs: Queue, clock: Clock, message: ObjectArrived) -> None:
        super().__init__(ledger, runs, clock)
        self._message = message

    def loaded(self, header: PullHeader, counts: dict[str, int]) -> None:  # noqa: ARG002  the message names the object
        """The object was loaded again."""
        self._ledger.replays.ended(self._message.replay_id, self._message.key, counts)

    def skipped(self, header: PullHeader) -> None:
        """There is nothing in it to load."""
        self.loaded(header, {})

    def refused(self, header: PullHeader, state: TaskState, error: AdweirError) -> None:  # noqa: ARG002  as above
        """The object cannot be loaded again; what it stored before stays."""
        reason = f"{error.code}: {error.message}"[: limits.MAX_REASON_CHARS]
        self._ledger.replays.ended(self._message.replay_id, self._message.key, reason=reason)

    def narrowed(self, header: PullHeader) -> bool:  # noqa: ARG002  as above
        """A replay loads what there is."""
        return False

    def check_deadline(self, header: PullHeader, error: Throttled | NotReady) -> None:
        """A replay has no deadline."""
