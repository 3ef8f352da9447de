"""What the collector and the poller have in common: their parts, the pull's header, and a task that landed before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adweir.intake.collect.claim import Claims
from adweir.intake.collect.gate import Gate
from adweir.model.entities import Profile
from adweir.model.errors import NotFound
from adweir.model.messages import TaskMessage
from adweir.model.ports import Queues
from adweir.model.tasks import Task
from adweir.model.times import epoch
from adweir.store.raw.header import PullHeader

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: `margin` stays unused at an invocation's end, `poll` to `poll_max` lie between two looks at a report.

    A report that is not ready after `report_timeout` is given up.
    """

    margin: float = 20
    poll: float = 60
    poll_max: float = 300
    report_timeout: int = 10_800


class Worker:
    """Base of the collector and the poller."""

    def __init__(self, claims: Claims, gate: Gate, raw: RawStore, queues: Queues, timing: Timing) -> None:
        self.claims = claims
        self.gate = gate
        self.raw = raw
        self.queues = queues
        self.timing = timing
        self.ledger = claims.ledger
        self.clock = claims.clock

    def header(self, task: Task, profile: Profile | None, as_of: str) -> PullHeader:
        """What the raw object will say about this pull."""
        kind, country = (profile.kind, profile.country) if profile else ("", "")
        return PullHeader.of(task, as_of=as_of, profile_kind=kind, country=country)

    def landed_before(self, task: Task, header: PullHeader) -> bool:
        """Finish what a worker that died between the object and the ledger left: True when the object is there."""
        if task.attempts < 2:
            return False
        try:
            found = PullHeader.parse(self.raw.metadata(header.key))
        except NotFound:
            return False
        self.ledger.landed(task, header.key, found.as_of)
        return True

    def poll_later(self, task: Task, *, resubmits: int = 0) -> None:
        """Have `poll_reports` look after the task's report, for the first time one poll interval from now."""
        message = TaskMessage(
            run_id=task.run_id,
            task_id=task.id,
            generation=task.generation,
            report_deadline=epoch(self.clock.now()) + self.timing.report_timeout,
            resubmits=resubmits,
        )
        self.queues.reports.send(message, delay=max(1, round(self.timing.poll)), group=task.profile_key)
