"""The engine: what `orchestrate` does with the messages of the runs queue. It starts runs and plans their stages.

A message may arrive twice, at once or much later, and a worker may die between any two writes. What must happen once
is decided by one conditional write on the run; everything else may be repeated. What a dead worker leaves undone is
done by the message's redelivery or by the sweep (`pipeline.sweep`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.errors import BadInput, Conflict, Throttled, Transient
from adweir.model.ids import run_id_for
from adweir.model.log import log
from adweir.model.messages import (
    Advance,
    CancelRun,
    Message,
    Narrow,
    PlanStage,
    Redrive,
    RedriveCredential,
    ResumeTasks,
    StartRun,
    Sweep,
)
from adweir.model.ports import Bus, Queues
from adweir.model.runs import Run, RunState, StageState
from adweir.model.tasks import AccountTask, AnyTask, Task, TaskState
from adweir.model.times import iso
from adweir.pipeline.alone import alone
from adweir.pipeline.deciding import decide
from adweir.pipeline.flow_forms import definition_of, flow_of
from adweir.pipeline.interventions import Interventions
from adweir.pipeline.narrowing import Narrowing
from adweir.pipeline.pipelines import with_defaults
from adweir.pipeline.progress import RunProgress
from adweir.pipeline.refreshing import Refreshes
from adweir.pipeline.releasing import Releases
from adweir.pipeline.rounds import ReleaseParts
from adweir.pipeline.scopes import check_scheduled, check_scope
from adweir.pipeline.sender import TaskSender
from adweir.pipeline.stages import UNPLANNABLE, Entry, RunSettings, StagePlanner
from adweir.pipeline.sweep import Sweeper
from adweir.pipeline.time_left import Remaining
from adweir.pipeline.workflows import joins

if TYPE_CHECKING:
    from adweir.model.times import Clock
    from adweir.store.ledger import Ledger

_PLANNED_TOGETHER = 50
"""Tasks that are stored and sent together: the messages of the first ones do not wait for the last."""
_RACES = 5
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
        self._clock = clock
        self._settings = settings
        patience = min(_REQUEST_SECONDS, settings.stale_after_seconds)
        self.sender = TaskSender(queues, settings.bucket)
        self.progress = RunProgress(ledger, queues.runs, bus, clock, patience, planner)
        self.releases = Releases(ReleaseParts(ledger, planner, self.sender, clock, self.progress.left), queues.runs)
        self.progress.releases = self.releases
        self.interventions = Interventions(ledger, self.progress, self.sender, clock, planner.deadline)

    def handle(self, message: Message, remaining: Remaining) -> None:
        """One message. Raises Throttled when its work continues in another invocation, NotFound for an unknown run."""
        self.progress.left.begin(remaining, self._settings.function_timeout_seconds * 0.25)
        match message:
            case StartRun():
                self.start(message)
            case PlanStage():
                self.plan_stage(message.run_id, message.stage, remaining)
            case Advance():
                self.progress.left.check(f"run {message.run_id}")
                with alone(self._ledger, f"run {message.run_id}"):
                    self.progress.advance(message.run_id)
            case Narrow():
                Narrowing(self._ledger, self.sender, self.progress.advance).narrow(message)
            case Redrive() | CancelRun() | RedriveCredential() | ResumeTasks():
                self._intervene(message)
            case Sweep():
                if not self._sweep(remaining) and message.attempt < limits.MAX_SWEEP_PARTS:
                    self._runs.send(message.model_copy(update={"attempt": message.attempt + 1}), delay=1)
            case _:
                raise BadInput(f"the engine does not handle {type(message).__name__}")

    def _sweep(self, remaining: Remaining) -> bool:
        """Look after the open runs, then follow what came outside of runs. False when another message has to go on."""
        parts = self._ledger, self.sender, self.progress.advance, self._planner.deadline
        is_done = Sweeper(*parts, self._clock, self._settings).sweep(remaining)
        least = self._settings.function_timeout_seconds * 0.1  # less than a sweep leaves, however many runs are open
        refreshes = Refreshes(self._ledger, self._planner, partial(self.start, waits=False))
        return refreshes.begin(lambda: remaining() >= least) and is_done

    def _intervene(self, message: Redrive | CancelRun | RedriveCredential | ResumeTasks) -> None:
        """Do what an operator asked for. What waits for the end of a run comes again, for two days at most."""
        try:
            self._do(message)
        except Throttled as error:
            if "holder" not in error.context or message.attempt < limits.MAX_TURN_WAITS:
                raise
            raise Conflict(f"it waited {message.attempt} times: {error.message}") from error

    def _do(self, message: Redrive | CancelRun | RedriveCredential | ResumeTasks) -> None:
        match message:
            case Redrive():
                self.interventions.redrive(message.run_id, message.task_ids, accept_vanish=message.accept_vanish)
            case CancelRun():
                self.interventions.cancel(message.run_id)
            case RedriveCredential():
                platform = self._planner.platforms.parse(message.platform)
                self.interventions.redrive_credential(message.account_id, platform, message.label)
            case ResumeTasks():
                self.interventions.resume(self._planner.platforms.parse(message.platform), message.profile)

    def start(self, message: StartRun, *, waits: bool = True) -> str:
        """Begin a run, once for its `run_id` (`run_id_of`), and ask for its first stages. Returns the run's id: that of
        the open run of the same workflow, scope and arguments, where there is one that this request joins; it then
        gets the next turn if it `waits` and was made for a later time.

        Raises Unprocessable for an unknown workflow, argument, platform, dataset or date.
        """
        flow = self._planner.flow(message.workflow, message.args)
        check_scheduled(message.scheduled_at, self._clock.now())
        check_scope(self._planner.platforms, flow, message.scope, message.scheduled_at.date())
        message = dated(message).model_copy(update={"args": with_defaults(flow.name, message.args)})
        run_id = message.run_id
        if joins(flow.name) and (other := self._ledger.turns.take(message, waits=waits)) != run_id:
            log.info("%s joins the open run %s", run_id, other)
            return other
        first = decide(flow, blank(message), (), {}, self._planner.deployed, iso(self._clock.now()))
        new = self._ledger.create_run(
            replace(blank(message), current=first.current, stages=first.stages, flow=definition_of(flow))
        )
        run = None if new else self._ledger.get_run(run_id)
        if run is not None and run.state.is_terminal:
            self.progress.end_turn(run)  # the message came again, and has taken a turn for a run that has ended
        for name in first.begun:
            if new or (run is not None and run.is_requested(name)):
                self._runs.send(PlanStage(run_id=run_id, stage=name), group=run_id)
        if first.is_over:
            self._runs.send(Advance(run_id=run_id), group=run_id)
        if message.then_id and not new and run is not None and run.started_at < iso(message.scheduled_at):
            then = {"run_id": message.then_id, "not_before": message.then_at, "then_id": "", "then_at": 0}
            self._runs.send(message.model_copy(update=then), group=message.then_id)
        return run_id

    def plan_stage(self, run_id: str, name: str, remaining: Remaining) -> None:
        """Plan a requested stage: all tasks with their markers and messages, then open it. May be repeated.

        One worker plans a stage at a time. When its time runs out, it records the last profile that is planned
        completely and raises Throttled: the message is sent again, and planning continues after that profile.
        """
        run = self._ledger.get_run(run_id)
        if run is None:
            return
        if not run.is_requested(name):
            self._after_planning(run, name)
            return
        with self._plan_alone(run_id, name):
            done = self._ledger.begin_planning(run_id, name).cursor
            # Read after the marker is put: who comes too late, another having planned the stage, takes it away again.
            run = self._ledger.get_run(run_id)
            if run is not None and run.is_requested(name):
                self._plan(run, name, done, remaining)
            self._ledger.end_planning(run_id, name)
        self.progress.advance(run_id)

    def _plan(self, run: Run, name: str, done: str, remaining: Remaining) -> None:
        """Plan a stage of the run after the entry `done`, and open it."""
        made: list[tuple[str, Sequence[AnyTask]]] = []
        for key, tasks in self._entries(run, name):
            if key <= done:
                continue
            is_short = remaining() < self._settings.function_timeout_seconds * 0.25
            if is_short or sum(len(ours) for _, ours in made) >= _PLANNED_TOGETHER:
                if not self._plan_entries(run, name, made):
                    break
                made = []
            if is_short:
                raise Throttled(f"planning of run {run.run_id} continues", retry_after=1)
            with alone(self._ledger, f"planning of {key}"):
                made.append((key, tasks()))
        else:
            self._plan_entries(run, name, made)
        self._open(run, name)

    def _entries(self, run: Run, name: str) -> list[Entry]:
        stage = flow_of(run).stage(name)
        return self.releases.entries(run, stage) if stage.patient else self._planner.entries(run, name)

    def _open(self, run: Run, name: str) -> None:
        """All tasks of a requested stage exist. Raises Transient when others keep changing the run."""
        now: Run | None = run
        for _ in range(_RACES):
            stage = now.stage_of(name) if now is not None else None
            if now is None or stage is None or stage.state is not StageState.REQUESTED:
                return
            if self._ledger.change_run(now, current=now.with_stage(replace(stage, state=StageState.OPEN))) is not None:
                return
            now = self._ledger.get_run(run.run_id)
        raise Transient(f"run {run.run_id} keeps changing")

    def _after_planning(self, run: Run, name: str) -> None:
        """Repeat the end of a planning whose worker may have died: an open stage has no planning marker, a cancelled
        run nothing open. Nor has a stage one that is to begin later: a redrive opened the run at an earlier stage while
        this one was planned, and the marker would keep that open."""
        if run.stage_of(name) is not None:
            self._ledger.end_planning(run.run_id, name)
        elif not run.state.is_terminal:
            with self._plan_alone(run.run_id, name):
                again = self._ledger.get_run(run.run_id)
                if again is None or again.is_requested(name):
                    return  # it begins just now, by a message of its own
                self._ledger.end_planning(run.run_id, name)
        is_current = any(stage.name == name for stage in run.current)
        if is_current or not run.state.is_terminal or run.state is RunState.CANCELLED:
            self.progress.advance(run.run_id)

    def _plan_alone(self, run_id: str, name: str) -> AbstractContextManager[object]:
        return self._ledger.lease(f"plan#{run_id}#{name}", self._settings.function_timeout_seconds + 30)

    def _plan_entries(self, run: Run, name: str, made: Sequence[tuple[str, Sequence[AnyTask]]]) -> bool:
        """Store and send the tasks of entries, and remember the last one. False when the run was cancelled.

        What was planned meanwhile is then cancelled by `advance`.
        """
        if not made:
            return True
        keys = f"{made[0][0]} to {made[-1][0]}"
        stored, over = set[str](), set[str]()
        with alone(self._ledger, f"planning of {keys}"):
            stored, over = self._plan_together([task for _, tasks in made for task in tasks])
        planned: list[AnyTask] = []
        for key, tasks in made:
            ours = [task for task in tasks if task.id not in over]
            with alone(self._ledger, f"planning of {key}"):
                planned += [self._plan_task(task, is_stored=task.id in stored) for task in ours]
        with alone(self._ledger, f"the messages of {keys}"):
            fresh = (task for task in planned if not task.error and not task.state.is_terminal)
            self.sender.send(fresh)  # what is refused the sweep sends again
        return self._ledger.planned_until(run.run_id, name, made[-1][0])

    def _plan_together(self, tasks: Sequence[AnyTask]) -> tuple[set[str], set[str]]:
        """Store new tasks. Returns the ids of those that were stored, and of pulls that an earlier planning stored and
        that have ended since: a stage that begins anew has most of its tasks already."""
        stored = self._ledger.plan_together(tasks)
        rest = {task.id: task for task in tasks if task.id not in stored}
        if not rest:
            return stored, set()
        known = self._ledger.find_tasks(tasks[0].run_id, rest)
        stored |= self._ledger.plan_together([task for task in rest.values() if task.id not in known])
        return stored, {task.id for task in known.values() if isinstance(task, Task) and task.state.is_terminal}

    def _plan_task(self, task: AnyTask, *, is_stored: bool) -> AnyTask:
        """Store a task unless it is; the task to send."""
        if isinstance(task, AccountTask):
            return task if is_stored else self._ledger.plan_account(task)
        if not is_stored:
            self._ledger.plan(task)
        if task.error:
            self._ledger.finish(task.run_id, task.id, task.generation, TaskState.FAILED, error=task.error)
            if task.error["code"] == UNPLANNABLE:
                self._ledger.faults.note(f"planning of {task.profile_key} {task.dataset}", task.error["message"])
        return task


def dated(message: StartRun) -> StartRun:
    """The request with a time zone and the id of its run."""
    at = message.scheduled_at if message.scheduled_at.tzinfo else message.scheduled_at.replace(tzinfo=UTC)
    return message.model_copy(update={"scheduled_at": at, "run_id": message.run_id or run_id_of(message)})


def blank(message: StartRun) -> Run:
    """The run that a request (`dated`) asks for, before it has begun."""
    return Run(
        run_id=message.run_id,
        workflow=message.workflow,
        scheduled_at=iso(message.scheduled_at),
        scope=message.scope,
        trigger=message.trigger,
        args=message.args,
        arrived=message.arrived,
    )


def run_id_of(message: StartRun) -> str:
    """The id of a run that was given none: the same workflow, time, scope and arguments give the same id."""
    at = message.scheduled_at.astimezone(UTC) if message.scheduled_at.tzinfo else message.scheduled_at
    args = f" {json.dumps(message.args, sort_keys=True)}" if message.args else ""
    digest = hashlib.sha256(f"{at.isoformat()} {message.scope.model_dump_json()}{args}".encode()).hexdigest()
    return run_id_for(message.workflow, at, digest)
