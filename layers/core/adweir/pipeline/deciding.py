"""What becomes of a run's stages: which have ended, which begin, which are left out, and whether the run is over.

Pure: everything follows from the workflow, the run and the tally of each stage's tasks. So it does not matter who
decides, how often, or in which order the branches of a workflow end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.flows import OnFailure, StageKind
from adweir.model.runs import CurrentStage, Run, RunState, StageRecord, StageState
from adweir.model.tasks import AnyTask, Task, TaskState
from adweir.pipeline.workflows import Stage, Workflow
from adweir.store.ledger import REDRIVABLE


class StageTally(NamedTuple):
    """How many tasks of a stage there are, by what became of them."""

    tasks: int = 0
    loaded: int = 0
    skipped: int = 0
    failed: int = 0

    @classmethod
    def of(cls, tasks: Iterable[AnyTask]) -> StageTally:
        """Of a stage's tasks, without those that were split."""
        states = [task.state for task in tasks]
        loaded = states.count(TaskState.LOADED)
        good = sum(state.is_good for state in states)
        return cls(len(states), loaded, good - loaded, sum(state in REDRIVABLE for state in states))


class Decision(NamedTuple):
    """The stages that are current from now on, of which those in `begun` have to be planned; those that ended; and
    whether nothing is left to do. `failed` names the stages of which too few tasks loaded, each with why, `left_out`
    why others did not run."""

    current: tuple[CurrentStage, ...]
    stages: tuple[StageRecord, ...]
    begun: tuple[str, ...]
    failed: Mapping[str, str]
    left_out: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        return not self.current


class _Verdict(Enum):
    PENDING = auto()
    PASSED = auto()
    FAILED = auto()
    LEFT_OUT = auto()


def decide(
    flow: Workflow,
    run: Run,
    over: Collection[str],
    tallies: Mapping[str, StageTally],
    deployed: Collection[StageKind],
    now: str,
) -> Decision:
    """What follows when the current stages `over` have no open task. `tallies` are those of all stages with tasks.

    Stages that ended before are judged anew, since their tasks may have been tried again: what was left out because one
    of them had failed then begins.
    """
    records = {record.name: record for record in run.stages if not record.left_out}
    records |= {begun.name: StageRecord(begun.name, begun.since, now) for begun in run.current if begun.name in over}
    records = {name: _counted(record, tallies.get(name, StageTally())) for name, record in records.items()}
    current = tuple(begun for begun in run.current if begun.name not in over)
    running = {begun.name for begun in current}
    failed = _failed(flow, [record for record in records.values() if record.name not in running])
    verdicts = {name: _Verdict.FAILED if name in failed else _Verdict.PASSED for name in records if name not in running}
    stopped = any(flow.stage(name).on_failure is OnFailure.STOP for name in failed)
    beginning: list[CurrentStage] = []
    left_out: list[str] = []
    for stage in (each for each in flow.stages if each.name not in verdicts):
        waits = stage.name in running or stopped
        verdicts[stage.name], why = (_Verdict.PENDING, "") if waits else _next_of(flow, stage, verdicts, deployed)
        if why:
            records[stage.name] = StageRecord(stage.name, now, now, left_out=why)
            left_out.append(f"stage {stage.name} was left out: {why}")
        elif verdicts[stage.name] is _Verdict.PASSED:
            beginning.append(CurrentStage(stage.name, since=now, asked_at=now))
            verdicts[stage.name] = _Verdict.PENDING
    names = tuple(begun.name for begun in beginning)
    return Decision((*current, *beginning), tuple(records.values()), names, failed, tuple(left_out))


def state_of(flow: Workflow, tasks: Collection[AnyTask], failed: Collection[str], *, lost: bool) -> RunState:
    """How a run ends with these tasks and failed stages. `lost`: some of its tasks cannot be read.

    Pulls decide whether it failed: what follows them works on what is stored, and its failure makes a run partial. In a
    run without pulls all tasks count alike.
    """
    if not lost and all(task.state.is_good for task in tasks):
        return RunState.SUCCEEDED
    counting = [task for task in tasks if isinstance(task, Task)] if flow.pulls else tasks
    if any(task.state.is_good and not lists_only(task) for task in counting):
        return RunState.PARTIAL
    fatal = [name for name in failed if not flow.pulls or flow.stage(name).kind is StageKind.PULL]
    return RunState.FAILED if fatal else RunState.PARTIAL


def lists_only(task: AnyTask) -> bool:
    """Whether a task lists ad accounts: it brings nothing of them."""
    return isinstance(task, Task) and task.dataset is Dataset.PROFILES


def _failed(flow: Workflow, ended: Iterable[StageRecord]) -> dict[str, str]:
    """The stages of which too few tasks loaded, each with why."""
    return {
        record.name: f"stage {record.name}: {record.loaded + record.skipped} of {record.tasks} tasks loaded"
        for record in ended
        if not flow.stage(record.name).passes(record.tasks, record.loaded + record.skipped)
    }


def _counted(record: StageRecord, tally: StageTally) -> StageRecord:
    return replace(record, tasks=tally.tasks, loaded=tally.loaded, skipped=tally.skipped, failed=tally.failed)


def _next_of(
    flow: Workflow, stage: Stage, verdicts: Mapping[str, _Verdict], deployed: Collection[StageKind]
) -> tuple[_Verdict, str]:
    """PASSED where a stage may begin, PENDING where it has to wait; otherwise what counts for those behind it, and why
    it is left out."""
    before = [(name, verdicts[name]) for name in stage.after]
    if any(verdict is _Verdict.PENDING for _, verdict in before):
        return _Verdict.PENDING, ""
    for name, verdict in before:
        if verdict is _Verdict.LEFT_OUT:
            return _Verdict.LEFT_OUT, f"it comes after {name}, which was left out"
        if verdict is _Verdict.FAILED and flow.stage(name).on_failure is OnFailure.SKIP:
            return _Verdict.LEFT_OUT, f"it comes after {name}, which failed"
    if stage.kind not in deployed:
        return _Verdict.PASSED, f"no function for stages of the kind {stage.kind} is deployed"
    return _Verdict.PASSED, ""


def reopened(
    flow: Workflow, run: Run, names: Collection[str], now: str
) -> tuple[tuple[CurrentStage, ...], tuple[StageRecord, ...]]:
    """The current stages and the ended ones when tasks of the ended stages `names` are tried again.

    These, without those that come behind others of them, are current, beside what goes on meanwhile; what comes behind
    them runs again when they have ended.
    """
    behind = flow.behind(names)
    first = [stage.name for stage in flow.stages if stage.name in names and stage.name not in behind]
    ended = tuple(record for record in run.stages if record.name not in behind and record.name not in first)
    kept = () if run.state.is_terminal else (one for one in run.current if one.name not in behind)
    return (*kept, *(CurrentStage(name, StageState.OPEN, since=now, asked_at=now) for name in first)), ended
