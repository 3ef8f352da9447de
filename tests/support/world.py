"""What the worlds of the integration tests share: ledger and catalog on moto, queues and bus in memory."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Profile, ProfileStatus
from adweir.model.errors import Conflict
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window, epoch, iso
from adweir.store.catalog.store import Catalog
from adweir.store.ledger import Ledger
from support.clock import FrozenClock
from support.crash import Crash
from support.outlets import MemoryBus, MemoryQueues


class World:
    """One client account with a credential for one platform. `crash` kills the worker at a write, when it is armed."""

    account_id = "acme"
    platform: Platform
    profile_fields: dict[str, Any] = {"name": "Acme", "currency": "USD", "timezone": "UTC"}  # noqa: RUF012  read only

    def __init__(self, clock: FrozenClock) -> None:
        self.clock = clock
        self.ledger, self.catalog = Ledger(clock), Catalog(clock)
        self.queues, self.bus, self.crash = MemoryQueues(), MemoryBus(), Crash()
        self.add_credential(self.account_id)

    def add_credential(self, account_id: str, platform: Platform | None = None, **values: Any) -> Credential:
        """An account with an active credential; one that it has already gets its next version."""
        with suppress(Conflict):
            self.catalog.create_account(account_id, account_id.title(), "a@b.example")
        named: dict[str, Any] = {"platform": platform or self.platform, "secret_id": "s"}
        return self.catalog.put_credential(Credential(account_id=account_id, **(named | values)))

    def credential(self) -> Credential:
        """The client's credential as the catalog has it now."""
        found = self.catalog.credential(self.account_id, self.platform)
        assert found is not None
        return found

    def break_credential(self, account_id: str = "", reason: str = "revoked") -> None:
        """Mark the account's credential broken."""
        account_id = account_id or self.account_id
        found = self.catalog.credential(account_id, self.platform)
        assert found is not None
        self.catalog.mark_broken(found, reason)

    def add_profile(
        self, profile_id: str, *, account_id: str = "", status: ProfileStatus = ProfileStatus.ACTIVE, **fields: Any
    ) -> Profile:
        """A profile as a listing brings it, with this status whatever it had before."""
        values: dict[str, Any] = {"platform": self.platform, "account_id": account_id or self.account_id}
        profile = Profile(profile_id=profile_id, **(values | self.profile_fields | fields))
        self.catalog.put_objects([profile], iso(self.clock.now()), profile.credential)
        self.catalog.mark_profile(profile.platform, profile_id, status)
        return profile.model_copy(update={"status": status})

    def profile(self, profile_id: str) -> Profile:
        """A profile as the catalog has it now."""
        found = self.catalog.profile(self.platform, profile_id)
        assert found is not None
        return found

    def put_task(self, dataset: Dataset, window: Window | None, profile_id: str, **fields: Any) -> Task:
        """Plan a task of the client's, which is due in six hours."""
        task = Task(
            run_id="r",
            stage="pulls",
            account_id=self.account_id,
            platform=self.platform,
            profile_id=profile_id,
            dataset=dataset,
            slice=ALL,
            window=window,
            deadline=epoch(self.clock.now()) + 21_600,
            currency=str(self.profile_fields["currency"]),
        )
        task = replace(task, id="", **fields)
        self.ledger.plan(task)
        return task

    def task(self, task: Task) -> Task:
        """The task as the ledger has it now."""
        found = self.ledger.get_pull(task.run_id, task.id)
        assert found is not None
        return found

    def state(self, task: Task) -> TaskState:
        """What has become of the task."""
        return self.task(task).state
