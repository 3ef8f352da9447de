"""The sweep: no run stays open, whatever died.

Every few minutes it goes through the open runs: it fails tasks past their deadline, many at a time, sends stalled tasks
to the queue of their state again, removes leftover markers, and advances the run. A run or task that it cannot deal
with is logged and noted for the health, and the others are swept. When time runs out, another message continues after
the last run that was completely swept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.log import log
from adweir.model.runs import RunState
from adweir.model.tasks import AnyTask, Task, TaskState
from adweir.model.times import Clock, epoch, parse_instant
from adweir.pipeline.alone import PASSING, alone
from adweir.pipeline.sender import TaskSender
from adweir.pipeline.stages import RunSettings
from adweir.store.ledger import PLANNING, REDRIVABLE, TOGETHER

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger, Marker

_CURSOR = "sweep"
_SENT_TOGETHER = 10
"""Stalled tasks that are sent with one request; so many may wait for a later sweep when a sweep dies."""


class Sweeper:
    """Goes through the open runs.

    `advance` and `deadline` are the engine's: one ends a stage or run without open tasks, the other says when a task
    that is planned again has to be finished.
    """

    def __init__(
        self,
        ledger: Ledger,
        sender: TaskSender,
        advance: Callable[[str], None],
        deadline: Callable[[AnyTask], int],
        clock: Clock,
        settings: RunSettings,
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._advance = advance
        self._deadline = deadline
        self._clock = clock
        self._settings = settings

    def sweep(self, remaining: Callable[[], float]) -> bool:
        """One sweep over the open runs, in the order of their ids. False when time ran out before the last one."""
        start, looked_at, last, is_done = self._ledger.cursor(_CURSOR), 0, "", True
        for run_id, marked_at in self._ledger.open_runs(after=start):
            is_done = looked_at < limits.MAX_SWEPT_RUNS and self._has_time(remaining)
            if not is_done:
                break
            whole = True
            with self._alone(f"run {run_id}"):
                whole = self._sweep_run(run_id, marked_at, remaining)
            if not whole:
                is_done = False
                break
            looked_at, last = looked_at + 1, run_id
        else:
            last = ""
        if last != start:
            self._ledger.set_cursor(_CURSOR, last)
        return is_done

    def _has_time(self, remaining: Callable[[], float]) -> bool:
        return remaining() >= self._settings.function_timeout_seconds * 0.25

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        """`alone`; what may pass by itself waits for the next sweep."""
        try:
            with alone(self._ledger, what):
                yield
        except PASSING as error:
            log.info("%s: %s", what, error.message)

    def _sweep_run(self, run_id: str, marked_at: str, remaining: Callable[[], float]) -> bool:
        """Sweep a run. False when time ran out: what was swept is not stale any more, and the next sweep goes on."""
        run = self._ledger.get_run(run_id)
        if run is None:
            if marked_at and self._is_stale(marked_at):  # its start died
                self._ledger.unmark_open(run_id, self._ledger.open_mark(run_id))
            return True
        if run.state.is_terminal and run.state is not RunState.CANCELLED and not self._is_reopened(run_id):
            return True
        stalled, overdue, whole = list[AnyTask](), list[AnyTask](), True
        for marker, task in self._ledger.open_tasks(run_id):
            if not self._has_time(remaining):
                whole = False
                break
            if task is not None and not task.state.is_terminal and epoch(self._clock.now()) > task.deadline:
                overdue.append(task)
            else:
                with self._alone(f"task {marker.task_id} of run {run_id}"):
                    stalled += self._sweep_marker(run_id, marker, task)
            if len(stalled) >= _SENT_TOGETHER:
                self._resend(stalled, run_id)
                stalled = []
            if len(overdue) >= TOGETHER:
                self._fail(overdue, run_id)
                overdue = []
        self._resend(stalled, run_id)
        self._fail(overdue, run_id)
        if whole:
            self._advance(run_id)
        return whole

    def _is_reopened(self, run_id: str) -> bool:
        """Announce the end of a run, or reopen one that was being redriven; not while another one has the turn."""
        self._advance(run_id)
        run = self._ledger.get_run(run_id)
        return run is not None and not run.state.is_terminal

    def _resend(self, stalled: list[AnyTask], run_id: str) -> None:
        with self._alone(f"stalled tasks of run {run_id}"):
            self._sender.resend(stalled)

    def _fail(self, overdue: list[AnyTask], run_id: str) -> None:
        """Fail tasks that are too late: together, or one by one where one of them has moved on."""
        errors = [
            {"code": "deadline", "message": f"not finished by its deadline; it was {task.state}"} for task in overdue
        ]
        done = not overdue
        with self._alone(f"overdue tasks of run {run_id}"):
            done = done or self._ledger.fail_together(list(zip(overdue, errors, strict=True)))
        for task, error in () if done else zip(overdue, errors, strict=True):
            with self._alone(f"task {task.id} of run {run_id}"):
                self._ledger.finish(run_id, task.id, task.generation, TaskState.FAILED, error=error)

    def _sweep_marker(self, run_id: str, marker: Marker, task: AnyTask | None) -> list[AnyTask]:
        """Do what there is to do about a marker whose task is not too late. Returns that if it is to be sent again."""
        if marker.task_id == PLANNING:
            self._sweep_planning(run_id, marker)
        elif task is None:
            if self._is_stale(marker.at) and not marker.is_lane:
                self._ledger.unmark(run_id, marker)
        elif task.state.is_terminal:
            self._sweep_terminal(marker, task)
        else:
            return [task] if self._is_stalled(task) else []
        return []

    def _sweep_planning(self, run_id: str, marker: Marker) -> None:
        """An open stage was planned completely, but its planner died before it removed the marker."""
        run = self._ledger.get_run(run_id)
        if run is not None and not run.is_requested(marker.stage) and self._is_stale(marker.at):
            self._ledger.end_planning(run_id, marker.stage)

    def _sweep_terminal(self, marker: Marker, task: AnyTask) -> None:
        """A worker ended the task and died before it removed the marker, or who plans it again died after it put one.

        A planning that died comes again and puts its marker again; a redrive may not.
        """
        if marker.generation <= task.generation or (self._is_stale(marker.at) and task.state not in REDRIVABLE):
            self._ledger.unmark(task.run_id, marker)
        elif self._is_stale(marker.at):
            redriven = self._ledger.redrive(
                task, self._deadline(task), accept_vanish=isinstance(task, Task) and task.accept_vanish
            )
            self._sender.send([redriven] if redriven else [])

    def _is_stalled(self, task: AnyTask) -> bool:
        """Whether a task that nobody holds made no progress for long; then this counts as some.

        Its message may be lost, or wait behind many others: then another one only makes them more. So each is sent
        after twice the wait of the one before.
        """
        held = task.hold_until > epoch(self._clock.now())
        return not held and self._is_stale(task.updated_at, 2**task.resent) and self._ledger.note_resent(task)

    def _is_stale(self, at: str, times: int = 1) -> bool:
        waited = self._clock.now() - parse_instant(at)
        return waited.total_seconds() >= times * self._settings.stale_after_seconds
