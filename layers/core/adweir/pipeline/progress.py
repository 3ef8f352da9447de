"""How runs go on and end: stage by stage, each decided by one conditional write on the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import Unprocessable
from adweir.model.events import RunFinished
from adweir.model.messages import PlanStage
from adweir.model.ports import Bus, Queue
from adweir.model.runs import Run, RunState, StageRecord, StageState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Clock, iso, parse_instant
from adweir.pipeline.stages import UNPLANNABLE
from adweir.pipeline.time_left import TimeLeft
from adweir.pipeline.workflows import Workflow, workflow
from adweir.store.ledger import REDRIVABLE
from adweir.store.ledger.runs import insist

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger


class Remarks(Protocol):
    """What the state of an ended run does not say; "" when there is nothing to say (`StagePlanner.remarks`)."""

    def __call__(self, run: Run, *, pulled: bool) -> str: ...


class RunProgress:
    """Advances runs. Every call may be repeated.

    A requested stage that is not planned after `patience` seconds is requested again. `remarks` says what a
    run's state does not.
    """

    def __init__(
        self,
        ledger: Ledger,
        runs: Queue,
        bus: Bus,
        clock: Clock,
        patience: float,
        remarks: Remarks,
    ) -> None:
        self._ledger = ledger
        self._runs = runs
        self._bus = bus
        self._clock = clock
        self._patience = patience
        self._remarks = remarks
        self.left = TimeLeft()

    def advance(self, run_id: str) -> None:
        """See whether the run's stage has ended; then start the next stage or end the run.

        Raises Throttled when time runs out.
        """
        run, has_open = self._ledger.progress(run_id)
        if run is None:
            return
        if run.state is RunState.CANCELLED:
            self._close_open(run_id, TaskState.CANCELLED)  # planning may have gone on for a moment
            self.conclude(run)
        elif run.state.is_terminal:
            stages = {marker.stage for marker, _ in self._ledger.open_tasks(run_id)}
            if stages:
                self.reopen(run, workflow(run.workflow), stages)  # a redrive died before it did
            else:
                self.conclude(run)
        elif run.stage_state is StageState.REQUESTED:
            self._ask_again(run)
        elif not has_open:
            self._end_stage(run)

    def _ask_again(self, run: Run) -> None:
        """The worker that won the right to start the stage may have died before it requested it.

        A stage that is requested in vain again and again ends its run, and so does one of another version.
        """
        waited = self._clock.now() - parse_instant(run.stage_since)
        if waited.total_seconds() < self._patience:
            return
        broken = _unknown(run)
        if not broken and run.requests >= limits.MAX_STAGE_REQUESTS:
            broken = f"stage {run.stage} was not planned although it was requested {run.requests} times"
        if broken:
            self._close_open(run.run_id, TaskState.FAILED, {"code": UNPLANNABLE, "message": broken})
            self._end_run(run, self._tasks(run), RunState.FAILED, broken)
            return
        renewed = self._ledger.change_run(run, stage_since=iso(self._clock.now()), requests=run.requests + 1)
        if renewed is not None:
            self._runs.send(PlanStage(run_id=run.run_id, stage=run.stage), group=run.run_id)

    def _tasks(self, run: Run) -> list[Task]:
        return [task for task in self._ledger.tasks(run.run_id) if task.state is not TaskState.SPLIT]

    def _end_stage(self, run: Run) -> None:
        tasks, broken, now = self._tasks(run), _unknown(run), iso(self._clock.now())
        if broken:
            self._end_run(run, tasks, RunState.FAILED, broken)
            return
        flow, ours = workflow(run.workflow), [task for task in tasks if task.stage == run.stage]
        loaded = sum(task.state is TaskState.LOADED for task in ours)
        good = sum(task.state.is_good for task in ours)
        record = StageRecord(
            name=run.stage,
            started_at=run.stage_since,
            ended_at=now,
            tasks=len(ours),
            loaded=loaded,
            skipped=good - loaded,
            failed=sum(task.state in REDRIVABLE for task in ours),
        )
        run_with_stage = replace(run, stages=(*(stage for stage in run.stages if stage.name != run.stage), record))
        goes_on = flow.stage(run.stage).goes_on(len(ours), good)
        following = flow.after(run.stage) if goes_on else None
        if following is not None:
            next_stage = {"stage": following.name, "stage_state": StageState.REQUESTED, "stage_since": now}
            changed = self._ledger.change_run(run_with_stage, **next_stage, requests=0)
            if changed is not None:
                self._runs.send(PlanStage(run_id=run.run_id, stage=following.name), group=run.run_id)
            return
        whole = all(task.state.is_good for task in tasks) and not self._ledger.lost_tasks(run.run_id)
        brought = any(task.state.is_good and task.dataset is not Dataset.PROFILES for task in tasks)
        state = RunState.SUCCEEDED if whole else RunState.PARTIAL if goes_on or brought else RunState.FAILED
        self._end_run(run_with_stage, tasks, state, self._reason(run, ours, tasks, goes_on=goes_on))

    def _end_run(self, run: Run, tasks: Sequence[Task], state: RunState, reason: str) -> None:
        """End a run whose tasks are these; one that cannot be read counts as failed."""
        lost = self._ledger.lost_tasks(run.run_id)
        ended = self._ledger.change_run(
            run,
            state=state,
            ended_at=iso(self._clock.now()),
            reason=reason,
            accounts=tuple(sorted({task.account_id for task in tasks})),
            tasks_total=len(tasks) + lost,
            tasks_failed=sum(task.state in REDRIVABLE for task in tasks) + lost,
        )
        if ended is not None:
            self.conclude(ended)

    def _reason(self, run: Run, ours: Sequence[Task], tasks: Sequence[Task], *, goes_on: bool) -> str:
        """Why a run ended as it did, where its state alone does not say it. `ours` are the last stage's tasks."""
        if not goes_on:
            return f"stage {run.stage}: {sum(task.state.is_good for task in ours)} of {len(ours)} tasks loaded"
        return self._remarks(run, pulled=any(task.dataset is not Dataset.PROFILES for task in tasks))

    def conclude(self, run: Run) -> None:
        """Publish the end of a run; its marker among the open runs stays until that is done.

        The run is read again after the marker. A redrive that reopens the run at this moment sets a new marker, which
        stays: only the marker that was read is removed.
        """
        mark = self._ledger.open_mark(run.run_id)
        current = self._ledger.get_run(run.run_id)
        if not mark or current is None or not current.state.is_terminal:
            return
        run = current
        if run.state is RunState.CANCELLED:
            self._close_open(run.run_id, TaskState.CANCELLED)
        finished = RunFinished(
            run_id=run.run_id,
            workflow=run.workflow,
            state=run.state,
            scheduled_at=run.scheduled_at,
            accounts=list(run.accounts),
            tasks_total=run.tasks_total,
            tasks_failed=run.tasks_failed,
        )
        self._bus.publish(finished, measured=False)
        self._ledger.troubled_runs.note(run)
        if self._ledger.unmark_open(run.run_id, mark):  # several workers may publish the end; one of them counts it
            self._bus.measure(finished)

    def reopen(self, run: Run, flow: Workflow, stages: set[str]) -> None:
        """Reopen an ended run at the earliest of `stages`."""
        self._ledger.mark_open(run.run_id)
        earliest = next(stage.name for stage in flow.stages if stage.name in stages)
        changes = {"state": RunState.RUNNING, "stage": earliest, "stage_state": StageState.OPEN, "requests": 0}
        now = iso(self._clock.now())
        insist(self._ledger.change_run(run, stage_since=now, ended_at="", reason="", **changes), run.run_id)

    def _close_open(self, run_id: str, state: TaskState, error: Mapping[str, Any] | None = None) -> None:
        """End what is open in a run. Raises Throttled when time runs out."""
        for marker, task in self._ledger.open_tasks(run_id):
            self.left.check(f"the end of run {run_id}")
            if task is None:
                self._ledger.unmark(run_id, marker)
            else:
                self._ledger.finish(run_id, task.id, task.generation, state, error=error)


def _unknown(run: Run) -> str:
    """Why this version cannot go on with a run that another version started, "" when it can."""
    try:
        workflow(run.workflow).stage(run.stage)
    except Unprocessable as error:
        return error.message
    return ""
