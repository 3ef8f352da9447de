"""What `collect` and `poll_reports` have in common: the tools, the claim on a task, and the way to its platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adweir.intake.collect.outcomes import Outcomes, Queues, credential_of
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Profile
from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    DeadlinePassed,
    NotFound,
    NotReady,
    RequestRejected,
    Throttled,
    Transient,
    Unavailable,
)
from adweir.model.messages import TaskMessage
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Clock, epoch
from adweir.platforms.base import Connector, DatasetSpec
from adweir.store.raw.store import PullHeader

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger
    from adweir.store.raw.store import RawStore

Remaining = Callable[[], float]
"""Seconds that this invocation may still run."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything that intake works with. `hold_seconds` outlives the function's time-out; the rest are settings."""

    ledger: Ledger
    catalog: Catalog
    raw: RawStore
    queues: Queues
    outcomes: Outcomes
    connector_for: Callable[[Credential], Connector]
    specs: Callable[[Platform], Mapping[Dataset, DatasetSpec]]
    clock: Clock
    hold_seconds: float = 330
    margin_seconds: float = 20
    poll_seconds: float = 60
    poll_max_seconds: float = 300
    report_timeout_seconds: int = 10_800


class Worker:
    """Base of the collector and the poller."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools

    @contextmanager
    def claimed(self, message: TaskMessage) -> Iterator[Task | None]:
        """Hold the message's task while the body runs; None when there is nothing left to do about it.

        A body that ends because something asks to wait gives the task back, so that the next message need not wait for
        the hold to expire. Raises Throttled when someone else holds the task, DeadlinePassed when it is too late.
        """
        ledger, clock = self.tools.ledger, self.tools.clock
        task = ledger.claim(message.run_id, message.task_id, message.generation, self.tools.hold_seconds)
        if task is None:
            self.tools.outcomes.again(message)
            yield None
            return
        try:
            if epoch(clock.now()) > task.deadline:
                raise DeadlinePassed(f"not finished by its deadline, in state {task.state}")
            yield task
        except (Throttled, NotReady, Transient, Unavailable):
            ledger.release(task)
            raise

    @contextmanager
    def platform(self, task: Task, message: TaskMessage) -> Iterator[tuple[Connector, Profile | None]]:
        """The connector of the task's credential and the task's profile (None for the profiles dataset).

        What the platform answers in the body moves the profile's brake. Raises AuthExpired, AccessDenied or
        RequestRejected when credential or profile cannot be used, Throttled when a brake is on.
        """
        brakes, scope = self.tools.ledger.brakes, task.profile_id or f"@{task.account_id}"
        brakes.check(task.platform, scope)
        credential, profile = self._credential(task), self._profile(task)
        try:
            try:
                connector = self.tools.connector_for(credential)
            except NotFound as error:
                raise AuthExpired(f"the credential's secret is missing: {error.message}") from error
            yield connector, profile
        except Throttled as error:
            if error.context.get("guessed"):
                error.retry_after = min(
                    limits.MAX_GUESSED_WAIT_SECONDS, max(error.retry_after, 2.0 ** (min(message.attempt, 8) + 1))
                )
            brakes.trip(task.platform, scope, error.retry_after, error.message)
            raise
        except Transient:
            brakes.failure(task.platform, scope)
            raise
        except AuthExpired as error:
            error.context["credential_version"] = credential.version
            raise
        brakes.success(task.platform, scope)

    def header(self, task: Task, profile: Profile | None, as_of: str) -> PullHeader:
        """What the raw object will say about this pull."""
        kind, country = (profile.kind, profile.country) if profile else ("", "")
        return PullHeader.of(task, as_of=as_of, profile_kind=kind, country=country)

    def landed_before(self, task: Task, header: PullHeader) -> bool:
        """Finish what a worker that died between the object and the ledger left: True when the object is there."""
        if task.attempts < 2:
            return False
        try:
            found = PullHeader.parse(self.tools.raw.metadata(header.key))
        except NotFound:
            return False
        self.tools.ledger.landed(task, header.key, found.as_of)
        return True

    def _credential(self, task: Task) -> Credential:
        credential = credential_of(self.tools.catalog, task)
        if credential is None:
            raise AuthExpired(f"account {task.account_id} has no credential for {task.platform}")
        if credential.state != "active":
            raise AuthExpired(
                f"the credential is {credential.state}: {credential.reason}", credential_version=credential.version
            )
        return credential

    def _profile(self, task: Task) -> Profile | None:
        if not task.profile_id:
            return None
        profile = self.tools.catalog.profile(task.platform, task.profile_id)
        if profile is None or profile.account_id != task.account_id or profile.status == "inactive":
            raise RequestRejected(f"account {task.account_id} has no profile {task.profile_key}")
        if profile.status == "denied":
            raise AccessDenied(f"access to {profile.key} was denied before")
        return profile
