"""An operator's commands: cancel a run, redrive tasks, resume those that a brake held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from adweir.model.deeds import Deed
from adweir.model.errors import Conflict, NotFound, Throttled
from adweir.model.labels import DEFAULT
from adweir.model.platforms import Platform
from adweir.model.runs import Run, RunState
from adweir.model.tasks import AccountTask, AnyTask, Task, TaskState
from adweir.model.times import Clock, iso
from adweir.pipeline.alone import alone
from adweir.pipeline.held_back import waits_for_brake
from adweir.pipeline.progress import RunProgress, totals_of
from adweir.pipeline.sender import TaskSender
from adweir.pipeline.workflows import joins
from adweir.store.ledger import REDRIVABLE
from adweir.store.ledger.runs import insist
from adweir.store.ledger.turns import waits_for

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger

_LEFT = {
    TaskState.LOADED: "its rows are stored",
    TaskState.SKIPPED: "the ad account does not have what was asked for",
    TaskState.SPLIT: "it was split: its parts are tried again",
    TaskState.CANCELLED: "it was cancelled",
}


_RESUMED = {"code": "resumed", "reason": "its brake was released by hand", "until": 0}


class Interventions:
    """Cancels, redrives and resumes.

    `deadline` says when a task that is planned now has to be finished, in Unix seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        progress: RunProgress,
        sender: TaskSender,
        clock: Clock,
        deadline: Callable[[AnyTask], int],
    ) -> None:
        self._ledger = ledger
        self._progress = progress
        self._sender = sender
        self._clock = clock
        self._deadline = deadline

    def cancel(self, run_id: str) -> None:
        """Cancel a run and its open tasks; a pull that is under way is not stopped.

        Raises NotFound, and Throttled when time runs out: the same again goes on.
        """
        self._progress.left.check(f"the cancellation of run {run_id}")
        run = self._run(run_id)
        if not run.state.is_terminal:
            tasks = [task for task in self._ledger.tasks(run_id) if task.state is not TaskState.SPLIT]
            run = insist(
                self._ledger.change_run(
                    run,
                    state=RunState.CANCELLED,
                    ended_at=iso(self._clock.now()),
                    **totals_of(tasks),
                ),
                run_id,
            )
        self._progress.conclude(run)

    def redrive(self, run_id: str, task_ids: Iterable[str] = (), *, accept_vanish: bool = False) -> int:
        """Plan failed, parked and quarantined tasks again (all, or those named) and reopen the run. Returns how many.

        `scheduled_at` and so the windows stay; the deadline is new. A cancelled run stays cancelled. Raises NotFound
        for an unknown run, and Throttled when time runs out: what was redriven is sent, and the same again goes on. A
        run that has ended is reopened in its turn: while another one of the same workflow and scope is open, nothing
        is changed, and Throttled has that run as `holder` in its context.
        """
        left = self._progress.left
        left.check(f"the redrive of run {run_id}")
        run, wanted = self._run(run_id), frozenset(task_ids)
        if run.state is RunState.CANCELLED:
            return 0
        tasks = [task for task in self._ledger.tasks(run_id) if not wanted or task.id in wanted]
        failed = [task for task in tasks if task.state in REDRIVABLE]
        redriven = [task for task in tasks if _was_redriven(task)]  # a redrive may have died before it sent these
        in_turn = bool(failed or redriven) and self._begin(run)
        for task in failed:
            if left.is_short:
                break
            fresh = self._ledger.redrive(task, self._deadline(task), accept_vanish=accept_vanish)
            redriven += [fresh] if fresh else []
        else:
            failed = []
        if redriven:
            run = self._run(run_id)  # read after the markers are set: from then on no worker ends the run
            if stages := _to_reopen(run, redriven):
                self._progress.reopen(run, stages)
            self._ledger.mark_open(run_id)
            self._sender.send(redriven)
        elif in_turn:
            self._ledger.turns.let_go(run)
        if failed:
            left.check(f"the redrive of run {run_id}")
        return len(redriven)

    def _begin(self, run: Run) -> bool:
        """Mark a run as open before anything is changed: if this worker dies, the sweep finds it. One that has ended
        takes its turn, where it needs one: then True. Raises Throttled."""
        in_turn = run.state.is_terminal and joins(run.workflow)
        if in_turn and (holder := self._ledger.turns.open_beside(run)):
            raise waits_for(holder)
        self._ledger.mark_open(run.run_id)
        if in_turn:
            self._ledger.turns.take_again(run)
        return in_turn

    def redrive_credential(self, account_id: str, platform: Platform, label: str = DEFAULT) -> int:
        """Redrive the tasks that were parked because their credential was broken, run by run. Returns how many.

        A run that waits for its turn holds up none of the others. Raises Throttled where there is one: the same again
        goes on.
        """
        by_run: dict[str, list[str]] = {}
        self._progress.left.check("the redrive of parked tasks")
        for task in self._ledger.parked(account_id, platform, label):
            by_run.setdefault(task.run_id, []).append(task.id)
        redriven, waiting = 0, list[Throttled]()
        for run_id, ids in by_run.items():
            with alone(self._ledger, f"the redrive of run {run_id}"), _in_turn(waiting):
                again = self.redrive(run_id, ids) if self._ledger.get_run(run_id) else 0
                if again:
                    why = f"there is a new credential {label} of {platform}"
                    done = f"{again} parked tasks are tried again"
                    deed = Deed("", "redrive run", run_id, done, why, kind="run", account_id=account_id)
                    self._ledger.audit.note_own(deed)
                redriven += again
        if waiting:
            raise waiting[0]
        return redriven

    def resume(self, platform: Platform, profile: str = "") -> int:
        """Try the tasks of a platform again at once that wait because of a brake (of all ad accounts, or of one).

        Returns how many. Raises Throttled when time runs out: the same again goes on.
        """
        resumed = 0
        for run_id, _ in self._ledger.open_runs():
            with alone(self._ledger, f"the resumption of run {run_id}"):
                for _, task in self._ledger.open_tasks(run_id):
                    if task is None or not _waits_for_brake(task, platform, profile):
                        continue
                    self._progress.left.check("the resumption of tasks")
                    if self._ledger.note_wait(run_id, task.id, task.generation, _RESUMED):
                        self._sender.resend([task])
                        resumed += 1
        return resumed

    def _run(self, run_id: str) -> Run:
        run = self._ledger.get_run(run_id)
        if run is None:
            raise NotFound(f"no run {run_id[:80]!r}", [{"field": "run_id", "message": "unknown"}])
        return run


@contextmanager
def _in_turn(waiting: list[Throttled]) -> Iterator[None]:
    """Note a run that has to wait for the end of another one. Raises Throttled when time runs out."""
    try:
        yield
    except Throttled as error:
        if "holder" not in error.context:
            raise
        waiting.append(error)


def _waits_for_brake(task: AnyTask, platform: Platform, profile: str) -> bool:
    if not isinstance(task, Task):
        return False
    ours = not profile or task.profile_key == f"{platform}#{profile}"
    return task.platform == platform and ours and waits_for_brake(task)


def _to_reopen(run: Run, redriven: Iterable[AnyTask]) -> set[str]:
    """The stages to open again when these tasks are tried again: what comes behind them has to wait, or runs anew."""
    stages = {task.stage for task in redriven}
    if run.state.is_terminal:
        return stages
    return stages & {record.name for record in run.stages} - {stage.name for stage in run.current}


def _was_redriven(task: AnyTask) -> bool:
    """Whether a redrive planned the task and nobody has begun it: its message may not have been sent."""
    return task.state is TaskState.PLANNED and task.generation > 0 and not task.attempts


def to_redrive(ledger: Ledger, run: Run, task_ids: Sequence[str]) -> tuple[int, list[tuple[AnyTask, str]]]:
    """How many tasks a redrive of the run (of those named) tries again, and those named that it leaves, each with why.

    Raises NotFound for an unknown task, Conflict when it would try none.
    """
    if run.state is RunState.CANCELLED:
        raise Conflict(f"run {run.run_id} was cancelled: start its workflow again")
    named = ledger.find_tasks(run.run_id, task_ids)
    unknown = [task_id for task_id in task_ids if task_id not in named]
    if unknown:
        raise NotFound(f"run {run.run_id} has no task {unknown[0]}", [{"field": "task_ids", "message": "unknown"}])
    asked = [named[task_id] for task_id in dict.fromkeys(task_ids)] if task_ids else ledger.tasks(run.run_id)
    reasons = [(task, _why_left(task)) for task in asked]
    again = sum(not reason for _, reason in reasons)
    if not again:
        states = Counter(task.state.value for task, _ in reasons)
        said = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "it has no tasks"
        raise Conflict(f"run {run.run_id} has no task to try again: {said}")
    return again, [(task, reason) for task, reason in reasons if reason and task_ids]


def _why_left(task: AnyTask) -> str:
    """Why a redrive leaves a task as it is, "" for one that it tries again."""
    if task.state in REDRIVABLE or _was_redriven(task):
        return ""
    if not task.state.is_terminal:
        return "it has not ended"
    if isinstance(task, AccountTask) and task.state is TaskState.LOADED:
        return "its work is done"
    return _LEFT[task.state]
