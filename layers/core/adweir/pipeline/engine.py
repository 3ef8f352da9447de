"""The engine: starts runs, plans stages, ends them, drives tasks again (design section 5).

Every message may come twice, at once or much later, and a worker may die between any two writes. What has to happen
once is decided by one conditional write on the run; everything else may be repeated. What a death leaves undone, the
message's redelivery or the sweep (`pipeline.sweep`) does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC
from typing import TYPE_CHECKING

from adweir.model.errors import BadInput, NotFound, Throttled
from adweir.model.events import RunFinished
from adweir.model.ids import run_id_for
from adweir.model.messages import (
    Advance,
    CancelRun,
    Message,
    PlanStage,
    Redrive,
    RedriveCredential,
    StartRun,
    Sweep,
)
from adweir.model.platforms import Platform
from adweir.model.ports import Bus, Queues
from adweir.model.runs import Run, StageRecord, StageState
from adweir.model.tasks import RunState, Task, TaskState
from adweir.model.times import iso, parse_instant
from adweir.pipeline.scopes import check_scope
from adweir.pipeline.sender import TaskSender
from adweir.pipeline.stages import RunSettings, StagePlanner
from adweir.pipeline.sweep import Sweeper
from adweir.pipeline.workflows import Workflow, workflow
from adweir.store.ledger import REDRIVABLE
from adweir.store.ledger.runs import insist

if TYPE_CHECKING:
    from adweir.model.times import Clock
    from adweir.store.ledger import Ledger

Remaining = Callable[[], float]
_REQUEST_SECONDS = 60
"""How long a stage may be requested and not planned before its request is sent again."""


class Engine:
    """Handles the messages of the runs queue."""

    def __init__(
        self, ledger: Ledger, planner: StagePlanner, queues: Queues, bus: Bus, clock: Clock, settings: RunSettings
    ) -> None:
        self._ledger = ledger
        self._planner = planner
        self._runs = queues.runs
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self.sender = TaskSender(queues, settings.bucket)

    def handle(self, message: Message, remaining: Remaining) -> None:
        """One message. Raises Throttled when planning goes on in a next invocation, BadInput for what names nothing."""
        match message:
            case StartRun():
                self.start(message)
            case PlanStage():
                self.plan_stage(message.run_id, message.stage, remaining)
            case Advance():
                self.advance(message.run_id)
            case Redrive():
                self.redrive(message.run_id, message.task_ids, accept_vanish=message.accept_vanish)
            case CancelRun():
                self.cancel(message.run_id)
            case RedriveCredential():
                self.redrive_credential(message.account_id, self._planner.platforms.parse(message.platform))
            case Sweep():
                parts = self._ledger, self.sender, self.advance, self.deadline
                Sweeper(*parts, self._clock, self._settings).sweep(remaining)
            case _:
                raise BadInput(f"no message for the engine: {type(message).__name__}")

    # --- starting

    def start(self, message: StartRun) -> str:
        """Begin a run, once for its `run_id` (`run_id_of`), and ask for its first stage. Returns the run's id.

        Raises Unprocessable for an unknown workflow, platform, dataset or date.
        """
        flow = workflow(message.workflow)
        check_scope(self._planner.platforms, flow, message.scope, message.scheduled_at.date())
        run_id = message.run_id or run_id_of(message)
        first = flow.stages[0].name
        scheduled_at = message.scheduled_at
        if scheduled_at.tzinfo is None:
            scheduled_at = scheduled_at.replace(tzinfo=UTC)
        new = self._ledger.create_run(
            Run(
                run_id=run_id,
                workflow=flow.name,
                scheduled_at=iso(scheduled_at),
                scope=message.scope,
                trigger=message.trigger,
                stage=first,
            )
        )
        run = self._ledger.get_run(run_id)
        if new or (run is not None and run.is_requested(first)):
            self._runs.send(PlanStage(run_id=run_id, stage=first), group=run_id)
        return run_id

    def plan_stage(self, run_id: str, name: str, remaining: Remaining) -> None:
        """Plan a requested stage: all tasks with their markers and messages, then open it. Harmless when repeated.

        One worker plans a run at a time. When time runs out it remembers how far it came and raises Throttled, so that
        the message comes again and planning goes on behind the last profile that is planned whole.
        """
        run = self._ledger.get_run(run_id)
        if run is None or not run.is_requested(name):
            return
        with self._ledger.lease(f"plan#{run_id}", self._settings.function_timeout_seconds + 30):
            run = self._ledger.get_run(run_id)
            if run is None or not run.is_requested(name):
                return
            done = self._ledger.begin_planning(run_id, name).cursor
            for key, tasks in self._planner.entries(run):
                if key <= done:
                    continue
                if remaining() < self._settings.function_timeout_seconds * 0.25:
                    raise Throttled(f"planning of run {run_id} goes on", retry_after=1)
                self._plan_tasks(tasks())
                self._ledger.planned_until(run_id, name, key)
            current = self._ledger.get_run(run_id)
            if current is not None and current.is_requested(name):
                insist(self._ledger.change_run(current, stage_state=StageState.OPEN), run_id)
            self._ledger.end_planning(run_id, name)
        self.advance(run_id)

    # --- ending

    def advance(self, run_id: str) -> None:
        """See whether the run's stage has ended; then start the next stage or end the run."""
        run = self._ledger.get_run(run_id)
        if run is None:
            return
        if run.state.is_terminal:
            stages = {marker.stage for marker, _ in self._ledger.open_tasks(run_id)}
            if stages and run.state is not RunState.CANCELLED:
                self._reopen(run, workflow(run.workflow), stages)  # a redrive died before it did
            else:
                self._conclude(run)
        elif run.stage_state is StageState.REQUESTED:
            self._ask_again(run)
        elif not self._ledger.has_open(run_id):
            self._end_stage(run)

    def _ask_again(self, run: Run) -> None:
        """The worker that won the right to start the stage may have died before it asked for it."""
        waited = self._clock.now() - parse_instant(run.stage_since)
        patience = min(_REQUEST_SECONDS, self._settings.stale_after_seconds)
        if waited.total_seconds() >= patience:
            renewed = self._ledger.change_run(run, stage_since=iso(self._clock.now()))
            if renewed is not None:
                self._runs.send(PlanStage(run_id=run.run_id, stage=run.stage), group=run.run_id)

    def _end_stage(self, run: Run) -> None:
        flow, now = workflow(run.workflow), iso(self._clock.now())
        tasks = [task for task in self._ledger.tasks(run.run_id) if task.state is not TaskState.SPLIT]
        ours = [task for task in tasks if task.stage == run.stage]
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
        stages = (*(stage for stage in run.stages if stage.name != run.stage), record)
        goes_on = flow.stage(run.stage).goes_on(len(ours), good)
        following = flow.after(run.stage) if goes_on else None
        if following is not None:
            changed = self._ledger.change_run(
                run, stage=following.name, stage_state=StageState.REQUESTED, stage_since=now, stages=stages
            )
            if changed is not None:
                self._runs.send(PlanStage(run_id=run.run_id, stage=following.name), group=run.run_id)
            return
        failed = sum(task.state in REDRIVABLE for task in tasks)
        whole = all(task.state.is_good for task in tasks)
        state = (RunState.SUCCEEDED if whole else RunState.PARTIAL) if goes_on else RunState.FAILED
        ended = self._ledger.change_run(
            run,
            state=state,
            ended_at=now,
            stages=stages,
            reason=self._reason(run, len(ours), good, goes_on=goes_on),
            accounts=tuple(sorted({task.account_id for task in tasks})),
            tasks_total=len(tasks),
            tasks_failed=failed,
        )
        if ended is not None:
            self._conclude(ended)

    def _reason(self, run: Run, tasks: int, good: int, *, goes_on: bool) -> str:
        """Why a run ended as it did, where its state alone does not say it."""
        if not goes_on:
            return f"stage {run.stage}: {good} of {tasks} tasks loaded"
        return "" if tasks else self._planner.why_nothing(run)

    def _conclude(self, run: Run) -> None:
        """Tell the end of a run; its marker in `open-runs` stands until that is done.

        The run is read again after the marker: a redrive that reopens it in this moment marks it once more, and the
        marker that is removed is only the one that was seen.
        """
        mark = self._ledger.open_mark(run.run_id)
        current = self._ledger.get_run(run.run_id)
        if not mark or current is None or not current.state.is_terminal:
            return
        run = current
        if run.state is RunState.CANCELLED:
            self._cancel_open(run.run_id)
        self._bus.publish(
            RunFinished(
                run_id=run.run_id,
                workflow=run.workflow,
                state=run.state,
                scheduled_at=run.scheduled_at,
                accounts=list(run.accounts),
                tasks_total=run.tasks_total,
                tasks_failed=run.tasks_failed,
            )
        )
        self._ledger.unmark_open(run.run_id, mark)

    # --- an operator's wishes

    def cancel(self, run_id: str) -> None:
        """Make a run and its open tasks cancelled; what is being pulled at the moment is not stopped. NotFound."""
        run = self._run(run_id)
        if not run.state.is_terminal:
            tasks = [task for task in self._ledger.tasks(run_id) if task.state is not TaskState.SPLIT]
            run = insist(
                self._ledger.change_run(
                    run,
                    state=RunState.CANCELLED,
                    ended_at=iso(self._clock.now()),
                    accounts=tuple(sorted({task.account_id for task in tasks})),
                    tasks_total=len(tasks),
                    tasks_failed=sum(task.state in REDRIVABLE for task in tasks),
                ),
                run_id,
            )
        self._conclude(run)

    def deadline(self, task: Task) -> int:
        """When a task that is planned again now has to be finished, in Unix seconds."""
        return self._planner.deadline(task)

    def redrive(self, run_id: str, task_ids: Iterable[str] = (), *, accept_vanish: bool = False) -> int:
        """Plan failed, parked and quarantined tasks again (all, or those named) and reopen the run. Returns how many.

        `scheduled_at` and so the windows stay; the deadline is new. Raises NotFound for an unknown run.
        """
        flow, wanted = workflow(self._run(run_id).workflow), frozenset(task_ids)
        again: list[Task] = []
        marked = False
        for task in list(self._ledger.tasks(run_id)):
            if wanted and task.id not in wanted:
                continue
            if task.state in REDRIVABLE:
                if not marked:
                    self._ledger.mark_open(run_id)  # before anything else: should this worker die, the sweep sees it
                    marked = True
                redriven = self._ledger.redrive(task, self.deadline(task), accept_vanish=accept_vanish)
                again += [redriven] if redriven else []
            elif task.state is TaskState.PLANNED and task.generation and not task.attempts:
                again.append(task)  # a redrive that died before it sent this one
        if not again:
            return 0
        run = self._run(run_id)  # only now: with the markers in place nobody can end it any more
        if run.state.is_terminal:
            self._reopen(run, flow, {task.stage for task in again})
        self._ledger.mark_open(run_id)
        self.sender.send(again)
        return len(again)

    def redrive_credential(self, account_id: str, platform: Platform) -> int:
        """Redrive the tasks that were parked for want of a working credential, run by run."""
        by_run: dict[str, list[str]] = {}
        for task in self._ledger.parked(account_id, platform):
            by_run.setdefault(task.run_id, []).append(task.id)
        return sum(self.redrive(run_id, ids) for run_id, ids in by_run.items() if self._ledger.get_run(run_id))

    # --- inside

    def _reopen(self, run: Run, flow: Workflow, stages: set[str]) -> None:
        """Let an ended run go on from the earliest of `stages`."""
        self._ledger.mark_open(run.run_id)
        earliest = next(stage.name for stage in flow.stages if stage.name in stages)
        changes = {"state": RunState.RUNNING, "stage": earliest, "stage_state": StageState.OPEN}
        now = iso(self._clock.now())
        insist(self._ledger.change_run(run, stage_since=now, ended_at="", reason="", **changes), run.run_id)

    def _cancel_open(self, run_id: str) -> None:
        for marker, task in self._ledger.open_tasks(run_id):
            if task is None:
                self._ledger.unmark(run_id, marker)
            else:
                self._ledger.finish(run_id, task.id, task.generation, TaskState.CANCELLED)

    def _run(self, run_id: str) -> Run:
        run = self._ledger.get_run(run_id)
        if run is None:
            raise NotFound(f"no run {run_id[:80]!r}", [{"field": "run_id", "message": "unknown"}])
        return run

    def _plan_tasks(self, tasks: list[Task]) -> None:
        for task in tasks:
            self._ledger.plan(task)
            if task.error:
                self._ledger.finish(task.run_id, task.id, task.generation, TaskState.FAILED, error=task.error)
        self.sender.send(task for task in tasks if not task.error)


def run_id_of(message: StartRun) -> str:
    """The id of a run that was not given one: the same workflow, time and scope are the same run."""
    at = message.scheduled_at.astimezone(UTC) if message.scheduled_at.tzinfo else message.scheduled_at
    digest = hashlib.sha256(f"{at.isoformat()} {message.scope.model_dump_json()}".encode()).hexdigest()
    return run_id_for(message.workflow, at, digest)
