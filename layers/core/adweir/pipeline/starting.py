"""Asking for a run: what the API and the command line do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.model.messages import StartRun
from adweir.model.ports import Queue
from adweir.pipeline.workflows import joins

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger


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
