"""The sweep: whatever died, no run stays open (design section 5).

Every few minutes it goes through the open runs: tasks past their deadline fail, those that stand still are sent again
to the queue of their state, markers that stand for nothing go, the run is advanced. When time runs out the next sweep
goes on behind the last run that was done whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.errors import Conflict, Transient
from adweir.model.messages import ObjectArrived
from adweir.model.tasks import Task, TaskState
from adweir.model.times import epoch, parse_instant
from adweir.pipeline.engine import message_of
from adweir.store.ledger import PLANNING

if TYPE_CHECKING:
    from adweir.pipeline.engine import Engine, Remaining
    from adweir.store.ledger import Marker

_CURSOR = "sweep"


def sweep(engine: Engine, remaining: Remaining) -> int:
    """One sweep over the open runs, in the order of their ids. Returns how many were looked at."""
    start, looked_at, last = engine.ledger.cursor(_CURSOR), 0, ""
    for run_id, _ in engine.ledger.open_runs(after=start):
        if looked_at >= limits.MAX_SWEPT_RUNS or remaining() < engine.limits.function_timeout_seconds * 0.25:
            break
        _sweep_run(engine, run_id)
        looked_at, last = looked_at + 1, run_id
    else:
        last = ""
    if last != start:
        engine.ledger.set_cursor(_CURSOR, last)
    return looked_at


def _sweep_run(engine: Engine, run_id: str) -> None:
    if engine.ledger.get_run(run_id) is None:
        _forget(engine, run_id)
        return
    for marker, task in engine.ledger.open_tasks(run_id):
        if marker.task_id == PLANNING:
            _sweep_planning(engine, run_id, marker)
        elif task is None:
            if _is_stale(engine, marker.at):
                engine.ledger.unmark(run_id, marker)
        elif task.state.is_terminal:
            _sweep_terminal(engine, marker, task)
        else:
            _sweep_task(engine, task)
    try:
        engine.advance(run_id)
    except (Conflict, Transient):
        return  # somebody else moves this run at the moment


def _forget(engine: Engine, run_id: str) -> None:
    """A mark without a run: its start died, or is just under way."""
    marked = dict(engine.ledger.open_runs()).get(run_id, "")
    if marked and _is_stale(engine, marked):
        engine.ledger.unmark_open(run_id, engine.ledger.open_mark(run_id))


def _sweep_planning(engine: Engine, run_id: str, marker: Marker) -> None:
    """A stage that is open has been planned: only its planner died before it took the marker away."""
    run = engine.ledger.get_run(run_id)
    if run is not None and not engine.is_requested(run, marker.stage) and _is_stale(engine, marker.at):
        engine.ledger.end_planning(run_id, marker.stage)


def _sweep_terminal(engine: Engine, marker: Marker, task: Task) -> None:
    """Either the task's end died before it took the marker away, or a redrive after it put the next generation's."""
    if marker.generation <= task.generation:
        engine.ledger.unmark(task.run_id, marker)
    elif _is_stale(engine, marker.at):
        deadline = epoch(engine.clock.now()) + engine.limits.task_deadline_seconds
        redriven = engine.ledger.redrive(task, deadline, accept_vanish=task.accept_vanish)
        engine.send([redriven] if redriven else [])


def _sweep_task(engine: Engine, task: Task) -> None:
    now = epoch(engine.clock.now())
    if now > task.deadline:
        error = {"code": "deadline", "message": f"not finished by its deadline; it was {task.state}"}
        engine.ledger.finish(task.run_id, task.id, task.generation, TaskState.FAILED, error=error)
    elif task.hold_until <= now and _is_stale(engine, task.updated_at) and engine.ledger.touch(task):
        if task.state is TaskState.WAITING_REPORT:
            engine.outlets.reports.send(message_of(task), group=task.profile_key)
        elif task.state is TaskState.LANDED:
            arrived = ObjectArrived(bucket=engine.limits.bucket, key=task.object_key)
            engine.outlets.landing.send(arrived, group=task.profile_key)
        else:
            engine.send([task])


def _is_stale(engine: Engine, at: str) -> bool:
    waited = engine.clock.now() - parse_instant(at)
    return waited.total_seconds() >= engine.limits.stale_after_seconds
