"""What brakes hold back: which of them concern whom, and how many tasks wait for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from adweir.intake.collect.gate import wider_keys
from adweir.model import limits
from adweir.model.errors import NotFound, Throttled
from adweir.model.labels import owner
from adweir.model.messages import ResumeTasks
from adweir.model.tasks import Task, TaskState
from adweir.store.ledger.brakes import brake_key, key_of

if TYPE_CHECKING:
    from adweir.model.entities import Credential
    from adweir.model.ports import Queue
    from adweir.platforms import Platforms
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger


class Concerned:
    """The ad accounts and credentials of a catalog, and by which brakes they are held back."""

    def __init__(self, catalog: Catalog) -> None:
        self._credentials = {(one.account_id, one.platform, one.label): one for one in catalog.credentials()}
        self._profiles = {profile.key: profile for profile in catalog.profiles()}

    def keys(self) -> frozenset[str]:
        """The names (`BrakeState.key`) of all brakes that concern any of them."""
        found = {name for one in self._credentials.values() for name in _of(one, owner(one.account_id, one.label), "")}
        return frozenset(found.union(*map(self.of_profile, self._profiles)))

    def of_profile(self, key: str) -> Iterator[str]:
        """The names of the brakes that concern an ad account (`Profile.key`); none where it or its credential is not
        known."""
        profile = self._profiles.get(key)
        if profile is not None:
            credential = self._credentials.get((profile.account_id, profile.platform, profile.credential))
            yield from _of(credential, profile.profile_id, profile.route) if credential else ()

    def refused(self, key: str) -> Credential | None:
        """The credential of an ad account (`Profile.key`) where its platform refuses it, so that nothing is pulled."""
        profile = self._profiles.get(key)
        found = self._credentials.get((profile.account_id, profile.platform, profile.credential)) if profile else None
        return found if found and found.state != "active" else None

    def of_task(self, task: Task) -> Iterator[str]:
        """The names of the brakes that concern a task; none where its credential is not known."""
        profile = self._profiles.get(task.profile_key)
        label = profile.credential if profile else task.label
        credential = self._credentials.get((task.account_id, task.platform, label))
        if credential is not None:
            own = task.profile_id or owner(task.account_id, credential.label)
            yield from _of(credential, own, profile.route if profile else "")


def waiting(ledger: Ledger, catalog: Catalog, names: Collection[str]) -> Counter[str]:
    """How many tasks wait for each of these brakes, of the catalog's accounts.

    It looks at `limits.MAX_TASKS_LOOKED_AT` open tasks at most.
    """
    found = Counter[str]()
    if names:
        concerned = Concerned(catalog)
        for task in _open(ledger):
            if waits_for_brake(task):
                found.update(name for name in concerned.of_task(task) if name in names)
    return found


def release(ledger: Ledger, runs: Queue, platforms: Platforms, name: str) -> tuple[bool, str]:
    """Take a brake off by its name, and have the tasks that wait for it tried again at once. May be repeated.

    Returns whether it was on, and what was done. Raises NotFound for a name that no brake can have.
    """
    platform_name, of = key_of(name)
    if platform_name not in platforms or not of:
        message = f"there is no brake {name[:100]}: a key is <platform>:<ad account>, or <platform>:<scope>:<what>"
        raise NotFound(message, [{"field": "key", "message": "is unknown"}])
    platform = platforms.parse(platform_name)
    released = ledger.brakes.release(platform, "" if of == "@" else of)
    profile = "" if of.startswith("!") or of == "@" else of  # a wider brake concerns tasks of several ad accounts
    runs.send(ResumeTasks(platform=platform, profile=profile), group=platform)
    return released, f"{'released' if released else 'it was not on'}; tasks that waited for it are tried again"


def waits_for_brake(task: Task) -> bool:
    """Whether an open task waits because its platform asked for it, or failed again and again."""
    if task.state is TaskState.LANDED or task.state.is_terminal or task.hold_until:
        return False
    return task.waits is not None and task.waits.get("code") == Throttled.code


def _open(ledger: Ledger) -> Iterator[Task]:
    looked_at = 0
    for run_id, _ in ledger.open_runs():
        for _, task in ledger.open_tasks(run_id):
            looked_at += 1
            if looked_at > limits.MAX_TASKS_LOOKED_AT:
                return
            if isinstance(task, Task):
                yield task


def _of(credential: Credential, own: str, route: str) -> Iterator[str]:
    for key in (own, *wider_keys(credential.account_id, credential, route).values()):
        yield brake_key(credential.platform, key)
