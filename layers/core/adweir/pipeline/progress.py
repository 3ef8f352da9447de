"""How runs go on and end: stage by stage, each step decided by one conditional write on the run.

Branches end at the same moment, and each of those who see it decides for all of them. Whoever loses the write looks
again: what the winner could not see yet is not lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from adweir.model import limits
from adweir.model.arrivals import Arrival, named
from adweir.model.errors import Throttled, Transient, Unprocessable
from adweir.model.events import RunFinished
from adweir.model.flows import StageKind
from adweir.model.log import log
from adweir.model.messages import PlanStage
from adweir.model.ports import Bus, Queue
from adweir.model.runs import REFRESH, CurrentStage, Run, RunState, StageState
from adweir.model.tasks import AnyTask, Task, TaskState
from adweir.model.times import Clock, iso, parse_instant
from adweir.pipeline.deciding import Decision, StageTally, decide, lists_only, reopened, state_of
from adweir.pipeline.flow_forms import flow_of
from adweir.pipeline.stages import UNPLANNABLE
from adweir.pipeline.time_left import TimeLeft
from adweir.pipeline.workflows import WORKFLOWS, Stage, Workflow, joins
from adweir.store.ledger import REDRIVABLE
from adweir.store.ledger.runs import insist

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger


_RACES = 5
_FOLLOWING = frozenset(stage.kind for stage in WORKFLOWS[REFRESH].stages)
"""What a run of `refresh` does."""
TIMED_OUT = "timed_out"
"""The code of what was open when its stage's time-out came."""


class StageDeployment(Protocol):
    """What there is, as far as the end of stages needs it (`StagePlanner`)."""

    @property
    def deployed(self) -> Collection[StageKind]:
        """The kinds of stages that there are functions for."""
        ...

    def remarks(self, run: Run, *, pulled: bool) -> str:
        """What the state of an ended run does not say; "" when there is nothing to say."""
        ...


class Releasing(Protocol):
    """What there is to do about patient stages (`pipeline.releasing.Releases`)."""

    def release(self, run: Run, stage: Stage) -> None:
        """Release what may be released of an open stage."""
        ...

    def wake(self, ended: Run) -> None:
        """Let the runs go on that waited for the end of this one."""
        ...


class RunProgress:
    """Advances runs. Every call may be repeated.

    A requested stage that is not planned after `patience` seconds is requested again.
    """

    def __init__(
        self,
        ledger: Ledger,
        runs: Queue,
        bus: Bus,
        clock: Clock,
        patience: float,
        deployment: StageDeployment,
    ) -> None:
        self._ledger = ledger
        self._runs = runs
        self._bus = bus
        self._clock = clock
        self._patience = patience
        self._deployment = deployment
        self.releases: Releasing | None = None
        self.left = TimeLeft()

    def advance(self, run_id: str) -> None:
        """See which of the run's stages have ended; then start those that come after them, or end the run.

        Raises Throttled when time runs out, Transient when others keep changing the run.
        """
        for _ in range(_RACES):
            if self._step(run_id):
                return
        raise Transient(f"run {run_id} keeps changing")

    def _step(self, run_id: str) -> bool:
        """One look at a run. False when somebody else changed it meanwhile."""
        run, working = self._ledger.progress(run_id)
        if run is None:
            return True
        if run.state is RunState.CANCELLED:
            self._close_open(run_id, TaskState.CANCELLED)  # planning may have gone on for a moment
            self.conclude(run)
        elif run.state.is_terminal:
            stages = {marker.stage for marker, _ in self._ledger.open_tasks(run_id)} if working else set()
            if stages:
                self._reopen_in_turn(run, stages)
            else:
                self.conclude(run)
        elif broken := _unknown(run):
            return self._end_broken(run, working, broken)
        else:
            return self._go_on(run, flow_of(run), working)
        return True

    def _go_on(self, run: Run, flow: Workflow, working: str) -> bool:
        for stage in run.current:
            if stage.state is StageState.REQUESTED and self._is_late(stage):
                return self._ask_again(run, stage)
        opened = [stage for stage in run.current if stage.state is StageState.OPEN]
        for patient in (each for stage in opened if working and (each := flow.stage(stage.name)).patient):
            if self.releases is not None:
                self.releases.release(run, patient)
                working = self._ledger.progress(run.run_id)[1]
        for stage in opened:
            if working and self._is_timed_out(flow, stage):
                fault = {"code": TIMED_OUT, "message": f"stage {stage.name} did not end within its time-out"}
                self._close_open(run.run_id, TaskState.FAILED, fault, stage=stage.name)
                working = self._ledger.progress(run.run_id)[1]
        if not opened and run.current:
            return True
        over = {stage.name for stage in opened if not self._works(run, stage.name, working)}
        if over or not (run.current or working):
            return self._decide(run, flow, over, working)
        return True

    def _works(self, run: Run, stage: str, working: str) -> bool:
        """Whether a stage has open work; `working` is one that has, "" when none has.

        The last current stage waits for all others: of one that ended, tasks may be tried again.
        """
        if not working or stage == working or len(run.current) == 1:
            return bool(working)
        return self._ledger.has_open(run.run_id, stage)

    def _is_late(self, stage: CurrentStage) -> bool:
        """Whether the worker that won the right to start the stage may have died before it requested it."""
        waited = self._clock.now() - parse_instant(stage.asked_at)
        return waited.total_seconds() >= self._patience

    def _is_timed_out(self, flow: Workflow, stage: CurrentStage) -> bool:
        limit = flow.stage(stage.name).timeout
        return limit is not None and self._clock.now() - parse_instant(stage.since) >= limit

    def _ask_again(self, run: Run, stage: CurrentStage) -> bool:
        """Request a stage again that was not planned. One that is requested in vain again and again ends its run."""
        if stage.requests >= limits.MAX_STAGE_REQUESTS:
            broken = f"stage {stage.name} was not planned although it was requested {stage.requests} times"
            return self._fail(run, broken)
        again = replace(stage, asked_at=iso(self._clock.now()), requests=stage.requests + 1)
        if self._ledger.change_run(run, current=run.with_stage(again)) is None:
            return False
        self._runs.send(PlanStage(run_id=run.run_id, stage=stage.name), group=run.run_id)
        return True

    def _end_broken(self, run: Run, working: str, broken: str) -> bool:
        """End a run that another version began and this one cannot go on with, when nobody works on it."""
        requested = [stage for stage in run.current if stage.state is StageState.REQUESTED]
        if any(not self._is_late(stage) for stage in requested) or (working and not requested):
            return True
        return self._fail(run, broken)

    def _fail(self, run: Run, broken: str) -> bool:
        self._close_open(run.run_id, TaskState.FAILED, {"code": UNPLANNABLE, "message": broken})
        return self._end_run(run, self._tasks(run), RunState.FAILED, broken)

    def _tasks(self, run: Run) -> list[AnyTask]:
        return [task for task in self._ledger.tasks(run.run_id) if task.state is not TaskState.SPLIT]

    def _decide(self, run: Run, flow: Workflow, over: set[str], working: str) -> bool:
        """End the stages `over`, and begin what follows. False when somebody else changed the run meanwhile."""
        tasks, now = self._tasks(run), iso(self._clock.now())
        by_stage: dict[str, list[AnyTask]] = {}
        for task in tasks:
            by_stage.setdefault(task.stage, []).append(task)
        tallies = {name: StageTally.of(ours) for name, ours in by_stage.items()}
        decision = decide(flow, run, over, tallies, self._deployment.deployed, now)
        if not decision.is_over:
            changed = self._ledger.change_run(run, current=decision.current, stages=decision.stages)
            if changed is None:
                return False
            for name in decision.begun:
                self._runs.send(PlanStage(run_id=run.run_id, stage=name), group=run.run_id)
            return True
        if working:
            return True  # tasks of a stage that ended are tried again
        state = state_of(flow, tasks, decision.failed, lost=self._ledger.lost_tasks(run.run_id) > 0)
        ended = replace(run, stages=decision.stages)
        return self._end_run(ended, tasks, state, self._reason(ended, decision, tasks))

    def _end_run(self, run: Run, tasks: Sequence[AnyTask], state: RunState, reason: str) -> bool:
        """End a run whose tasks are these; one that cannot be read counts as failed. False when somebody else changed
        the run meanwhile."""
        lost = self._ledger.lost_tasks(run.run_id)
        ended = self._ledger.change_run(
            run,
            state=state,
            ended_at=iso(self._clock.now()),
            reason=reason,
            **totals_of(tasks, lost),
        )
        if ended is None:
            return False
        self.conclude(ended)
        return True

    def _reason(self, run: Run, decision: Decision, tasks: Sequence[AnyTask]) -> str:
        """Why a run ended as it did, where its state alone does not say it."""
        said = [*decision.failed.values(), *decision.left_out]
        if not decision.failed:
            pulled = any(isinstance(task, Task) and not lists_only(task) for task in tasks)
            said.append(self._deployment.remarks(run, pulled=pulled))
        return "; ".join(text for text in said if text)

    def conclude(self, run: Run) -> None:
        """Publish the end of a run; its marker among the open runs stays until that is done.

        The run is read again after the marker. A redrive that reopens the run at this moment sets a new marker, which
        stays: only the marker that was read is removed.
        """
        mark = self._ledger.open_mark(run.run_id)
        current = self._ledger.get_run(run.run_id) if mark else None
        if current is None or not current.state.is_terminal:
            return
        run = current
        if run.state is RunState.CANCELLED:
            self._close_open(run.run_id, TaskState.CANCELLED)
        self._leave_behind(run)
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
        self.end_turn(run)
        if self._ledger.unmark_open(run.run_id, mark):  # several workers may publish the end; one of them counts it
            self._bus.measure(finished)
            if self.releases is not None:
                self.releases.wake(run)

    def _leave_behind(self, run: Run) -> None:
        """Have a run of `refresh` follow what this one loaded, where a stage of its own that should did not run."""
        ran = {record.name for record in run.stages if not record.left_out}
        if _unknown(run) or any(
            stage.kind in _FOLLOWING & {*self._deployment.deployed} and stage.name not in ran
            for stage in flow_of(run).stages
        ):
            loaded = (task for task in self._ledger.pulls(run.run_id) if task.state is TaskState.LOADED)
            for account_id in sorted({task.account_id for task in loaded if task.dataset.changes_days}):
                self._ledger.unfollowed.note(account_id, named(Arrival.CUT_SHORT))

    def end_turn(self, run: Run) -> None:
        """Let the request begin that waited for the end of this run."""
        for _ in range(_RACES if joins(run.workflow) else 0):
            waiting = self._ledger.turns.give_back(run)
            if waiting is None:
                return
            self._runs.send(waiting, group=waiting.run_id)
            if self._ledger.turns.passed_on(run, waiting):
                return
            self.left.check(f"the turn after run {run.run_id}")

    def _reopen_in_turn(self, run: Run, stages: set[str]) -> None:
        """Reopen an ended run of which a redrive died before it did, or leave it to a later sweep."""
        try:
            self.reopen(run, stages)
        except Throttled as error:
            log.info("run %s is reopened later: %s", run.run_id, error.message)

    def reopen(self, run: Run, stages: set[str]) -> None:
        """Reopen a run at `stages`, which had ended, and of which tasks are tried again.

        Raises Throttled while another run of the same workflow and scope is open.
        """
        self._ledger.mark_open(run.run_id)
        if run.state.is_terminal and joins(run.workflow):
            self._ledger.turns.take_again(run)
        current, ended = reopened(flow_of(run), run, stages, iso(self._clock.now()))
        changes = {"state": RunState.RUNNING, "current": current, "stages": ended, "ended_at": ""}
        insist(self._ledger.change_run(run, reason="", reopened=run.reopened + 1, **changes), run.run_id)

    def _close_open(
        self, run_id: str, state: TaskState, error: Mapping[str, Any] | None = None, *, stage: str = ""
    ) -> None:
        """End what is open in a run, or in one stage of it. Raises Throttled when time runs out."""
        for marker, task in self._ledger.open_tasks(run_id):
            if stage not in {"", marker.stage}:
                continue
            self.left.check(f"the end of run {run_id}")
            if task is None:
                self._ledger.unmark(run_id, marker)
            else:
                self._ledger.finish(run_id, task.id, task.generation, state, error=error)


def totals_of(tasks: Collection[AnyTask], lost: int = 0) -> dict[str, Any]:
    """What an ended run keeps of its tasks, as `Ledger.change_run` takes it: whose they are, how many there are and
    failed, and how many rows they read, refused ones included. `lost` tasks that cannot be read count as failed."""
    return {
        "accounts": tuple(sorted({task.account_id for task in tasks})),
        "tasks_total": len(tasks) + lost,
        "tasks_failed": sum(task.state in REDRIVABLE for task in tasks) + lost,
        "records": sum(task.counts.get("rows_read", 0) for task in tasks),
    }


def _unknown(run: Run) -> str:
    """Why this version cannot go on with a run that another version started, "" when it can."""
    try:
        flow = flow_of(run)
        for stage in run.current:
            flow.stage(stage.name)
    except Unprocessable as error:
        return error.message
    return ""
