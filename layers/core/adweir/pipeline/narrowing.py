"""A task whose object takes longer to load than an invocation has: its days are pulled in two halves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from adweir.model.tasks import TaskState
from adweir.pipeline.sender import TaskSender

if TYPE_CHECKING:
    from adweir.model.messages import Narrow
    from adweir.store.ledger import Ledger


class Narrowing:
    """Replaces tasks by narrower ones. `advance` is the engine's. Every call may be repeated."""

    def __init__(self, ledger: Ledger, sender: TaskSender, advance: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._sender = sender
        self._advance = advance

    def narrow(self, message: Narrow) -> None:
        """Split the task; when it is split already, send those of its halves again that nobody has begun with."""
        task = self._ledger.get_pull(message.run_id, message.task_id)
        if task is None or task.generation != message.generation:
            return
        if task.state is TaskState.SPLIT:
            self._sender.send([child for child in self._ledger.unbegun(task.run_id) if child.parent == task.id])
        elif not task.state.is_terminal:
            halves = task.halves()
            self._ledger.split(task, halves)
            self._sender.send(halves)
        self._advance(task.run_id)
