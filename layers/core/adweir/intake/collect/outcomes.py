"""What becomes of a task that cannot go on: one rule per error class (docs/adding-a-platform.md has the table).

Every rule ends with the task terminal (or replaced by children) and `Advance` on the runs queue. All of it may be
repeated: a worker that dies in between gets the message again, meets the same error or the terminal task, and ends here
once more.
"""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import TYPE_CHECKING, Any

from adweir.model import limits
from adweir.model.deeds import Deed, FieldChange
from adweir.model.entities import ProfileStatus
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    BadInput,
    MassVanish,
    Narrowable,
    NotApplicable,
    OutOfRetention,
    ReportFailed,
    Transient,
    UnreadableItem,
)
from adweir.model.events import CredentialBroken
from adweir.model.messages import Advance, RedriveCredential, TaskMessage
from adweir.model.ports import Bus, Queues
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger


class Outcomes:
    """`settle` is the queue consumer's hook for the expected errors of `collect` and `poll_reports`."""

    def __init__(self, ledger: Ledger, catalog: Catalog, queues: Queues, bus: Bus) -> None:
        self._ledger = ledger
        self._catalog = catalog
        self._queues = queues
        self._bus = bus

    def settle(self, message: TaskMessage, error: AdweirError) -> None:
        """Record what `error` makes of the message's task. Raises Transient when the task deserves another try."""
        try:
            task = self._ledger.get_pull(message.run_id, message.task_id)
        except UnreadableItem:
            return  # logged; the sweep takes its marker away
        if task is not None and task.generation == message.generation and not task.state.is_terminal:
            self._rule(error)(task, error)
        self.advance(message.run_id, message.task_id)

    def repeat(self, message: TaskMessage) -> None:
        """The message of an ended task came again: the worker that ended it may have died before it sent `Advance`."""
        task = self._ledger.get_pull(message.run_id, message.task_id)
        if task is not None and task.state is TaskState.SPLIT:
            self._send(task, [child for child in self._ledger.unbegun(task.run_id) if child.parent == task.id])
        self.advance(message.run_id, message.task_id)

    def advance(self, run_id: str, task_id: str) -> None:
        """Let `orchestrate` see that a task became terminal."""
        self._queues.runs.send(Advance(run_id=run_id, task_id=task_id), group=run_id)

    def _rule(self, error: AdweirError) -> Callable[[Task, Any], None]:
        rules: tuple[tuple[type[AdweirError] | UnionType, Callable[[Task, Any], None]], ...] = (
            (Narrowable, self._narrow),
            (NotApplicable, self._skip),
            (AuthExpired, self._park),
            (AccessDenied, self._deny),
            (OutOfRetention, self._clamp),
            (BadInput | MassVanish, self._quarantine),
        )
        return next((rule for kind, rule in rules if isinstance(error, kind)), self._fail)

    def _fail(self, task: Task, error: AdweirError) -> None:
        self._finish(task, TaskState.FAILED, error)

    def _quarantine(self, task: Task, error: AdweirError) -> None:
        self._finish(task, TaskState.QUARANTINED, error)

    def _skip(self, task: Task, error: AdweirError) -> None:
        self._finish(task, TaskState.SKIPPED, error)

    def _narrow(self, task: Task, error: Narrowable) -> None:
        """Replace the task by the narrower ones that its platform made of it; fail where there are none.

        A part that is the task itself is none: the task would end as split, and nobody would pull its days. A report
        that failed may be narrowed once per run and kind: when its parts fail as well, it is not their size.
        """
        narrows = bool(error.parts) and all(part.id != task.id for part in error.parts)
        if narrows and (not isinstance(error, ReportFailed) or self._ledger.trials.begin(task)):
            self._replace(task, list(error.parts))
        else:
            self._fail(task, error)

    def _clamp(self, task: Task, error: OutOfRetention) -> None:
        """Ask for the days that the platform still keeps. When there are none, nothing is left to do.

        A task that waited too long, or a run in the past, would otherwise fail for ever.
        """
        window = task.window
        if window is not None and window.end < error.oldest:
            self._skip(task, error)
        elif window is None or window.start >= error.oldest or task.depth >= limits.MAX_SPLIT_DEPTH:
            self._fail(task, error)
        else:
            self._replace(task, [task.child(window=Window(error.oldest, window.end))])

    def _replace(self, task: Task, children: list[Task]) -> None:
        self._ledger.split(task, children)
        self._send(task, children)

    def _send(self, task: Task, children: list[Task]) -> None:
        """Send children to the platform's collect queue."""
        self._queues.collect(task.platform).send_many((TaskMessage.of(child), task.profile_key) for child in children)

    def _park(self, task: Task, error: AuthExpired) -> None:
        """Park the task, mark its credential and publish that, unless a newer credential arrived meanwhile."""
        label, used = error.label or task.label, error.credential_version
        current = self._catalog.credential(task.account_id, task.platform, label)
        if current is not None and current.state == "active":
            if current.version != used:
                raise Transient("a newer credential arrived: this task tries again with it")
            # Published before it is marked: a crash in between publishes it twice, which is better than never.
            self._bus.publish(
                CredentialBroken(account_id=task.account_id, platform=task.platform, label=label, reason=error.message)
            )
            changed = FieldChange("status", current.state, "broken")
            self._note(task, "credential", f"{task.platform} {label} of {task.account_id}", changed, error)
            self._catalog.mark_broken(current, error.message)
        if label != task.label:
            self._ledger.relabel(task, label)  # its profile is reached by another credential since it was planned
        self._finish(task, TaskState.PARKED, error)
        self._redrive_at_once(task, label)

    def _redrive_at_once(self, task: Task, label: str) -> None:
        """Have the task redriven when a new credential arrived while it was being parked: its redrive missed it."""
        current = self._catalog.credential(task.account_id, task.platform, label)
        if current is not None and current.state == "active":
            message = RedriveCredential(account_id=task.account_id, platform=task.platform, label=label)
            self._queues.runs.send(message, group=task.account_id)

    def _deny(self, task: Task, error: AccessDenied) -> None:
        """Mark the profile and fail all its unfinished tasks of the run; the other profiles go on."""
        if not task.profile_id:
            self._fail(task, error)
            return
        profile = self._catalog.profile(task.platform, task.profile_id)
        if profile is not None and profile.status != ProfileStatus.DENIED:
            changed = FieldChange("status", str(profile.status), str(ProfileStatus.DENIED))
            self._note(task, "profile", task.profile_key, changed, error)
        self._catalog.mark_profile(task.platform, task.profile_id, ProfileStatus.DENIED)
        for other in self._ledger.open_pulls(task.run_id):
            if other.profile_key == task.profile_key and not other.state.is_terminal:
                self._fail(other, error)

    def _note(self, task: Task, kind: str, subject: str, changed: FieldChange, error: AdweirError) -> None:
        """Record what is marked because of an error, before it is marked: a worker that dies then records it twice."""
        action, by = f"mark {kind} {changed.after}", f"by task {task.id} of run {task.run_id}"
        deed = Deed("", action, subject, by, error.message, kind=kind, account_id=task.account_id, changes=(changed,))
        self._ledger.audit.note_own(deed)

    def _finish(self, task: Task, state: TaskState, error: AdweirError) -> None:
        self._ledger.finish(task.run_id, task.id, task.generation, state, error=describe(error))


def describe(error: AdweirError) -> dict[str, Any]:
    """An error as the ledger stores it."""
    facts = {name: value for name, value in error.context.items() if isinstance(value, str | int)}
    return {"code": error.code, "message": error.message[:1000]} | facts
