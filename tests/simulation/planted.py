"""Faults of the protocol, planted into the real classes: the simulation has to find each.

Each is one rule of the protocol left out: a small patch that lasts as long as its block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest import mock

from adweir.intake.load import pulls
from adweir.intake.load.commit import Committer
from adweir.intake.load.ends import TaskEnds
from adweir.model.errors import Transient, Unavailable
from adweir.model.tasks import TaskState
from adweir.model.times import iso
from adweir.pipeline.progress import RunProgress
from adweir.runtime.consumer import Consumer
from adweir.store.dynamo.keyed import Keyed
from adweir.store.ledger.account_tasks import AccountTasks
from adweir.store.ledger.runs import Runs
from adweir.store.ledger.task_rows import TaskName
from adweir.store.ledger.tasks import Tasks
from adweir.store.ledger.turns import RunTurns
from adweir.store.metrics import coverage
from adweir.store.metrics.job import Job
from adweir.store.metrics.load import PartitionLoader
from adweir.store.metrics.partitions import MetricsTable

Plant = Callable[[], AbstractContextManager[object]]


def no_lease() -> AbstractContextManager[object]:
    """Loaders do not wait for each other: every one has the partition to itself."""

    def take(_loader: PartitionLoader, _stack: ExitStack, _name: str) -> Any:
        return SimpleNamespace(fence=1, check=lambda: None)

    return mock.patch.object(PartitionLoader, "_take", take)


def no_fence() -> AbstractContextManager[object]:
    """A loader that lost its lease writes coverage all the same."""
    put = MetricsTable.put

    def unfenced(table: MetricsTable, item: Any, *, fence: int | None) -> None:
        put(table, item, fence=None)

    return mock.patch.object(MetricsTable, "put", unfenced)


def coverage_before_items() -> AbstractContextManager[object]:
    """Coverage names a pull before its rows are stored."""
    write = PartitionLoader._write

    def hasty(loader: PartitionLoader, turn: Any, goal: Any) -> None:
        if turn.writes:
            early = replace(goal, loading="", fence=turn.lease.fence)
            loader._table.put(early.encode(turn.partition.pk), fence=turn.coverage.fence)
            turn.coverage = replace(turn.coverage, fence=turn.lease.fence)
        write(loader, turn, goal)

    return mock.patch.object(PartitionLoader, "_write", hasty)


def marker_removed_first() -> AbstractContextManager[object]:
    """A task's open marker goes before the task has ended."""
    end = Tasks._end

    def early(tasks: Tasks, named: TaskName, state: TaskState, facts: Any) -> bool:
        task = tasks.get_task(named.run_id, named.task_id)
        if task is not None and task.generation == named.generation:
            tasks._unmark(task)
        return end(tasks, named, state, facts)

    stack = ExitStack()
    stack.enter_context(mock.patch.object(Tasks, "_end", early))
    stack.enter_context(mock.patch.object(Tasks, "_change_and_drop", return_value=False))
    return stack


def older_pull_wins() -> AbstractContextManager[object]:
    """Whichever pull is loaded last decides, although another began later."""
    merge = coverage._merge

    def last_wins(known: Any, stamp: Any, holes: Any) -> Any:
        return merge(None, stamp, holes)

    return mock.patch.object(coverage, "_merge", last_wins)


def partial_pull_zeroes() -> AbstractContextManager[object]:
    """A pull that did not see the platform's end counts as whole."""
    of = Job.of.__func__  # type: ignore[attr-defined]

    def whole(cls: type[Job], pull: Any, rows: Any, *more: Any) -> Job:
        job: Job = of(cls, replace(pull, complete=True), rows, *more)
        return job

    return mock.patch.object(Job, "of", classmethod(whole))


def finished_before_stored() -> AbstractContextManager[object]:
    """A task ends as loaded before its rows are stored."""
    store = pulls.PullLoader._store

    def hasty(loader: Any, raw: Any, message: Any, *more: Any) -> dict[str, int]:
        header = raw.header
        if header.dataset.grain is not None:
            loader._ends.of(message).loaded(header, {})
        return store(loader, raw, message, *more)

    return mock.patch.object(pulls.PullLoader, "_store", hasty)


def claim_without_condition() -> AbstractContextManager[object]:
    """Whoever gets a task's message works on it, although another worker holds the task."""
    hold = Keyed._hold

    def grab(keyed: Any, pk: str, sk: str, actions: Any, condition: Any, give_back: Any) -> Any:
        free = keyed._model.pk.exists() if sk.startswith("task#") else condition
        return hold(keyed, pk, sk, actions, free, give_back)

    return mock.patch.object(Keyed, "_hold", grab)


def acknowledged_before_done() -> AbstractContextManager[object]:
    """A message counts as done although AWS did not do what it asked for."""
    work = Consumer._work

    def careless(consumer: Consumer[Any], *about: Any) -> None:
        try:
            work(consumer, *about)
        except (Transient, Unavailable):
            return

    return mock.patch.object(Consumer, "_work", careless)


def unprocessed_items_dropped() -> AbstractContextManager[object]:
    """What DynamoDB left unwritten of a batch is not sent again."""
    call = MetricsTable._call

    def once(table: MetricsTable, operation: str, **request: Any) -> dict[str, Any]:
        answer = call(table, operation, **request)
        answer.pop("UnprocessedItems", None)
        return answer

    return mock.patch.object(MetricsTable, "_call", once)


def announcement_skipped() -> AbstractContextManager[object]:
    """A run's mark goes before its end is published: a worker that dies in between tells nobody."""
    conclude = RunProgress.conclude

    def forgetful(progress: RunProgress, run: Any) -> None:
        ledger: Any = progress._ledger
        mark = ledger.open_mark(run.run_id)
        current = ledger.get_run(run.run_id)
        if mark and current is not None and current.state.is_terminal:
            ledger.unmark_open(run.run_id, mark)
            with mock.patch.object(ledger, "open_mark", return_value=mark):
                conclude(progress, run)

    return mock.patch.object(RunProgress, "conclude", forgetful)


def redriven_twice() -> AbstractContextManager[object]:
    """A redrive that is delivered twice plans a task again that is under way."""
    redrive = Tasks.redrive

    def again(tasks: Tasks, task: Any, deadline: int, **wish: Any) -> Any:
        with mock.patch.object(tasks, "_change", _without_condition(tasks)):
            return redrive(tasks, task, deadline, **wish)

    return mock.patch.object(Tasks, "redrive", again)


def _without_condition(tasks: Tasks) -> Callable[..., Any]:
    change = Keyed._change

    def unconditional(pk: str, sk: str, actions: Any, _condition: Any = None, **more: Any) -> Any:
        return change(tasks, pk, sk, actions, None, **more)

    return unconditional


def started_twice() -> AbstractContextManager[object]:
    """A run's start that is delivered twice begins the run again."""

    def create(runs: Runs, run: Any) -> bool:
        now = iso(runs._clock.now())
        runs.mark_open(run.run_id)
        current = tuple(replace(stage, since=now, asked_at=now) for stage in run.current)
        return runs._put(runs._run_row(replace(run, started_at=now, current=current)))

    return mock.patch.object(Runs, "create_run", create)


def other_branch_overlooked() -> AbstractContextManager[object]:
    """Of several branches, only the one of which a marker was read is seen to work."""
    return mock.patch.object(RunProgress, "_works", lambda _self, _run, stage, working: stage == working)


def reopened_without_a_turn() -> AbstractContextManager[object]:
    """A redrive reopens an ended run whatever else is open."""
    taken = mock.patch.object(RunTurns, "take_again", return_value=None)
    alone = mock.patch.object(RunTurns, "open_beside", return_value="")

    @contextmanager
    def both() -> Iterator[None]:
        with taken, alone:
            yield

    return both()


def work_not_done_anew() -> AbstractContextManager[object]:
    """A run that was opened again finds the work of its stages done."""
    return mock.patch.object(AccountTasks, "_plan_again", lambda _self, known, _task: known)


def replays_unfollowed() -> AbstractContextManager[object]:
    """What is loaded again from raw leaves no mark."""
    return mock.patch.object(Committer, "arrived", return_value=None)


def late_pulls_unfollowed() -> AbstractContextManager[object]:
    """What is stored after its task has failed or was cancelled leaves no mark."""
    return mock.patch.object(TaskEnds, "_came_late", return_value=None)


FAULTS: Mapping[str, Plant] = {
    plant.__name__: plant
    for plant in (
        no_lease,
        no_fence,
        coverage_before_items,
        marker_removed_first,
        older_pull_wins,
        partial_pull_zeroes,
        finished_before_stored,
        claim_without_condition,
        acknowledged_before_done,
        unprocessed_items_dropped,
        announcement_skipped,
        redriven_twice,
        started_twice,
        other_branch_overlooked,
        reopened_without_a_turn,
        work_not_done_anew,
        replays_unfollowed,
        late_pulls_unfollowed,
    )
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The fault of this name while the block runs; none for ""."""
    if not name:
        yield
        return
    with FAULTS[name]():
        yield
