"""The gate to a platform: the brake, the credential and the profile that a task needs, checked before each pull."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from adweir.intake.collect.outcomes import credential_of
from adweir.model import limits
from adweir.model.entities import Credential, Profile
from adweir.model.errors import AccessDenied, AuthExpired, NotFound, RequestRejected, Throttled, Transient
from adweir.model.messages import TaskMessage
from adweir.model.tasks import Task
from adweir.platforms.connector import Connector

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger.brakes import Brakes


class Gate:
    """Lets a task through to its platform, and moves the profile's brake by what the platform answers."""

    def __init__(self, catalog: Catalog, brakes: Brakes, connector_for: Callable[[Credential], Connector]) -> None:
        self._catalog = catalog
        self._brakes = brakes
        self._connector_for = connector_for

    @contextmanager
    def open(self, task: Task, message: TaskMessage) -> Iterator[tuple[Connector, Profile | None]]:
        """The connector of the task's credential and the task's profile (None for the profiles dataset).

        What the platform answers in the body moves the profile's brake. Raises AuthExpired, AccessDenied or
        RequestRejected when credential or profile cannot be used, Throttled when a brake is on.
        """
        brakes, scope = self._brakes, task.profile_id or f"@{task.account_id}"
        brakes.check(task.platform, scope)
        credential, profile = self._credential(task), self._profile(task)
        try:
            try:
                connector = self._connector_for(credential)
            except NotFound as error:
                raise AuthExpired(f"the credential's secret is missing: {error.message}") from error
            yield connector, profile
        except Throttled as error:
            if error.guessed:
                grown = max(error.retry_after, 2.0 ** (min(message.attempt, 8) + 1))
                error.retry_after = min(limits.MAX_GUESSED_WAIT_SECONDS, grown)
            brakes.trip(task.platform, scope, error.retry_after, error.message)
            raise
        except Transient:
            brakes.failure(task.platform, scope)
            raise
        except AuthExpired as error:
            error.credential_version = credential.version
            raise
        brakes.success(task.platform, scope)

    def _credential(self, task: Task) -> Credential:
        credential = credential_of(self._catalog, task)
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
        profile = self._catalog.profile(task.platform, task.profile_id)
        if profile is None or profile.account_id != task.account_id or profile.status == "inactive":
            raise RequestRejected(f"account {task.account_id} has no profile {task.profile_key}")
        if profile.status == "denied":
            raise AccessDenied(f"access to {profile.key} was denied before")
        return profile
