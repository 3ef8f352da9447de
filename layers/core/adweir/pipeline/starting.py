"""Asking for a run, for another try of its tasks, for its end: what the API and the command line do.

Each is a message to the runs queue; what it asks for happens later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.model.errors import Conflict
from adweir.model.ids import NewId, run_id_for
from adweir.model.messages import CancelRun, Redrive, Scope, StartRun
from adweir.model.ports import Queue
from adweir.model.runs import Run, RunState
from adweir.model.tasks import AnyTask
from adweir.pipeline.interventions import to_redrive
from adweir.pipeline.workflows import joins

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger


class AskedRedrive(NamedTuple):
    """How many tasks are tried again, those that were named and are not, each with why, and the open run that this one
    waits for, "" where it need not wait."""

    tasks: int
    left: Sequence[tuple[AnyTask, str]]
    waits_for: str
    outcome: str
    """The same in words, for the audit."""


def started_now(
    workflow: str, scope: Scope, now: datetime, new_id: NewId, args: Mapping[str, Any] | None = None
) -> StartRun:
    """The message for a run that somebody asks for at this moment. The id is ours, so that the caller can follow it."""
    run_id = run_id_for(workflow, now, new_id())
    return StartRun(workflow=workflow, scheduled_at=now, scope=scope, args=args or {}, run_id=run_id, trigger="api")


def ask_for(ledger: Ledger, runs: Queue, message: StartRun) -> str:
    """Ask for a run that the message names, for somebody who follows it.

    Returns the id of the run to follow: this one, or the open run of the same workflow, scope and arguments.
    Raises Throttled, Unavailable.
    """
    holder = ledger.turns.take(message, waits=False) if joins(message.workflow) else message.run_id
    # A turn may have been taken by somebody who died before the run was asked for: then it is asked for again.
    if holder == message.run_id or ledger.get_run(holder) is None:
        runs.send(message.model_copy(update={"run_id": holder}), group=holder)
    return holder


def ask_to_redrive(
    ledger: Ledger, runs: Queue, run: Run, task_ids: Sequence[str] = (), *, accept_vanish: bool = False
) -> AskedRedrive:
    """Ask that tasks of a run are tried again: those that are named, else all that failed, are parked or were
    quarantined. `accept_vanish` lets through a pull that was held back because it would zero too much stored spend.

    Raises NotFound for an unknown task, Conflict where there is none to try again.
    """
    again, left = to_redrive(ledger, run, task_ids)
    message = Redrive(run_id=run.run_id, task_ids=tuple(task_ids), accept_vanish=accept_vanish)
    runs.send(message, group=run.run_id)
    waits_for = ledger.turns.open_beside(run) if run.state.is_terminal and joins(run.workflow) else ""
    vanish = "; what vanished is accepted" if accept_vanish else ""
    after = f", after run {waits_for}" if waits_for else ""
    return AskedRedrive(again, left, waits_for, f"{again} tasks are tried again{vanish}{after}")


def ask_to_cancel(runs: Queue, run: Run) -> None:
    """Ask that a run ends with what it has. Raises Conflict for one that has ended otherwise."""
    if run.state.is_terminal and run.state is not RunState.CANCELLED:
        raise Conflict(f"run {run.run_id} has already ended: {run.state}")
    runs.send(CancelRun(run_id=run.run_id), group=run.run_id)
