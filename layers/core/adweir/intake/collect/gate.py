"""The gate to a platform: the credential, the profile and the brakes of a task, checked before each pull."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from adweir.model import limits
from adweir.model.deeds import Deed
from adweir.model.entities import Credential, Profile, ProfileStatus
from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    Narrowable,
    NotFound,
    RequestRejected,
    Throttled,
    ThrottleScope,
    Transient,
)
from adweir.model.labels import owner
from adweir.model.messages import TaskMessage
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import iso_of
from adweir.platforms import Platforms, options
from adweir.platforms.connector import Connector
from adweir.store.catalog.store import Way
from adweir.store.dynamo.together import fetch_together
from adweir.store.ledger.brakes import brake_items, brake_key, scope_key
from adweir.store.ledger.task_rows import task_item

if TYPE_CHECKING:
    from adweir.store.catalog.items import Item
    from adweir.store.catalog.store import Catalog
    from adweir.store.dynamo.keyed import Key
    from adweir.store.ledger import Ledger
    from adweir.store.ledger.rows import Row


class FirstLook(NamedTuple):
    """What one request read about a message: the task as it was, and the items of its way and of its brakes."""

    task: Task | None
    way: Way | None
    catalog: Mapping[Key, Item]
    brakes: tuple[str, ...]
    ledger: Mapping[Key, Row]


class Gate:
    """Lets a task through to its platform, and sets brakes by the platform's answers."""

    def __init__(
        self,
        catalog: Catalog,
        ledger: Ledger,
        platforms: Platforms,
        connector_for: Callable[[Credential, str], Connector],
    ) -> None:
        self._catalog = catalog
        self._ledger = ledger
        self._brakes = ledger.brakes
        self._platforms = platforms
        self._connector_for = connector_for
        self._brakes_of: dict[Way, tuple[str, ...]] = {}
        """A guess without an age: each task compares it with its own credential, and reads the brakes that it lacks."""

    def look(self, message: TaskMessage) -> FirstLook:
        """Read the message's task with its profile, its credential and its brakes. Raises UnreadableItem, Unavailable.

        Which brakes concern it depends on the credential. Those that concerned it last are read along; when others do,
        `open` reads them.
        """
        task_key = task_item(message.run_id, message.task_id)
        if message.platform is None:
            task = self._ledger.get_pull(message.run_id, message.task_id)
            if task is None:
                return FirstLook(None, None, {}, (), {})
            way = Way(task.account_id, task.platform, task.profile_id, task.label)
        else:
            way = Way(message.account_id, message.platform, message.profile_id, message.label)
        brakes = self._brakes_of.get(way, ())
        keys = [task_key, *brake_items(way.platform, brakes)]
        catalog, ledger = fetch_together((self._catalog, way.items), (self._ledger, keys))
        return FirstLook(self._ledger.pull_of(ledger, message.run_id, message.task_id), way, catalog, brakes, ledger)

    def keeps_reports(self, platform: Platform) -> bool:
        """Whether reports stay on the platform until they are discarded."""
        return self._platforms.spec(platform).keeps_reports

    def _reached(self, task: Task, seen: FirstLook) -> tuple[Profile | None, Credential]:
        """The task's profile and credential. Raises what `open` does."""
        way = Way(task.account_id, task.platform, task.profile_id, task.label)
        same = way == seen.way
        profile, credential = self._catalog.found(way, seen.catalog) if same else self._catalog.reached(*way)
        _check_profile(task, profile)
        return profile, _checked_credential(task, credential, profile.credential if profile else task.label)

    @contextmanager
    def open(self, task: Task, message: TaskMessage, seen: FirstLook) -> Iterator[tuple[Connector, Profile | None]]:
        """The connector of the task's credential and the task's profile (None for the profiles dataset).

        A rate limit or fault that the platform answers in the body sets the brake of its scope, and a task that is too
        large for it gets its narrower parts. Raises AuthExpired, AccessDenied or RequestRejected when credential or
        profile cannot be used, Throttled when a brake is on.
        """
        profile, credential = self._reached(task, seen)
        route = profile.route if profile else ""
        keys = self._keys(task, credential, route)
        own = keys[ThrottleScope.PROFILE]
        troubled = self._check_brakes(task, tuple(keys.values()), seen)
        connector: Connector | None = None
        try:
            try:
                connector = self._connector_for(credential, route)
            except NotFound as error:
                raise AuthExpired(f"the credential's secret is missing: {error.message}") from error
            if profile is not None and profile.options:
                model = self._platforms.spec(task.platform).options
                connector = connector.under(options.read(model, options.usable(model, profile.options)))
            yield connector, profile
        except Throttled as error:
            if error.guessed:
                grown = max(error.retry_after, 2.0 ** (min(message.attempt, 8) + 1))
                error.retry_after = min(limits.MAX_GUESSED_WAIT_SECONDS, grown)
            key = keys.get(error.scope, own)
            until = self._brakes.trip(task.platform, key, error.retry_after, error.message)
            self._note(task, "set brake", key, error.message, f"paused until {iso_of(until)}" if until else "")
            raise
        except Transient as error:
            reason = str(error.context.get("status") or error.message)
            until = self._brakes.failure(task.platform, own, reason)
            self._note(task, "set brake", own, reason, f"circuit open until {iso_of(until)}" if until else "")
            raise
        except Narrowable as error:
            if connector is not None and task.depth < limits.MAX_SPLIT_DEPTH:
                error.parts = connector.narrower(task, error)
            raise
        except AuthExpired as error:
            error.label, error.credential_version = credential.label, credential.version
            raise
        for key, since in self._brakes.success(task.platform, *troubled).items():
            self._note(task, "clear brake", key, "a pull got through", f"it was on since {iso_of(since)}")

    def _note(self, task: Task, action: str, key: str, reason: str, outcome: str) -> None:
        """Record what became of a brake; nothing did without an outcome."""
        if outcome:
            subject, whose = brake_key(task.platform, key), task.account_id if key == task.profile_id else ""
            deed = Deed("", action, subject, outcome, reason, kind="brake", account_id=whose)
            self._ledger.audit.note_own(deed)

    def _check_brakes(self, task: Task, keys: tuple[str, ...], seen: FirstLook) -> tuple[str, ...]:
        """What `Brakes.check` does, by what was read before where it is the same brakes."""
        if seen.way is not None:
            self._brakes_of[seen.way] = keys
            if len(self._brakes_of) > limits.MAX_KNOWN_WAYS:
                del self._brakes_of[next(iter(self._brakes_of))]
        same = set(keys) <= set(seen.brakes)
        return self._brakes.check(task.platform, *keys, read=seen.ledger if same else None)

    def _keys(self, task: Task, credential: Credential, route: str) -> dict[ThrottleScope, str]:
        """The brakes that concern the task, by scope."""
        scopes = self._platforms.spec(task.platform).throttles
        keys = {scope: key for scope, key in wider_keys(task.account_id, credential, route).items() if scope in scopes}
        return {ThrottleScope.PROFILE: task.profile_id or owner(task.account_id, credential.label), **keys}


def wider_keys(account_id: str, credential: Credential, route: str) -> dict[ThrottleScope, str]:
    """The brakes on more than one profile that concern a credential's profile of this route, by scope.

    An unnamed application counts as the account's own.
    """
    account = owner(account_id, credential.label)
    wider = {
        ThrottleScope.CREDENTIAL: account,
        ThrottleScope.APP: credential.app or account,
        ThrottleScope.REGION: route or credential.route or account,
    }
    return {scope: scope_key(scope, of) for scope, of in wider.items()}


def _checked_credential(task: Task, credential: Credential | None, label: str) -> Credential:
    if credential is None:
        raise AuthExpired(f"account {task.account_id} has no credential {label} for {task.platform}", label=label)
    if credential.state != "active":
        reason = f"the credential is {credential.state}: {credential.reason}"
        raise AuthExpired(reason, label=label, credential_version=credential.version)
    return credential


def _check_profile(task: Task, profile: Profile | None) -> None:
    if not task.profile_id:
        return
    if profile is None or profile.account_id != task.account_id or profile.status == ProfileStatus.INACTIVE:
        raise RequestRejected(f"account {task.account_id} has no profile {task.profile_key}")
    if profile.status == ProfileStatus.DENIED:
        raise AccessDenied(f"access to {profile.key} was denied before")
