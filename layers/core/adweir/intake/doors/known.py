"""What the ids of a delivery may stand for: the door's ad accounts, and the objects that the catalog has of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile, ProfileStatus
from adweir.model.errors import Unprocessable
from adweir.model.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from adweir.model.times import Clock
    from adweir.store.catalog.store import Catalog

_T = TypeVar("_T")
_REMEMBERED_SECONDS = 10.0


class NotRemembered(Exception):
    """Only the catalog can say."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at a door: `profiles` by id, the account's own, or at the deployment's every one of the platform.

    `account_id` is whose door it is, "" for the deployment's. `objects`: what was found already, by the profile that
    was asked about ("" for all), kind and id. What `is_remembered` has nothing but that, and raises NotRemembered.
    """

    catalog: Catalog
    platform: Platform
    profiles: dict[str, Profile]
    account_id: str = ""
    objects: dict[tuple[str, Dataset, str], list[PlatformObject]] = field(default_factory=dict)
    is_remembered: bool = False

    def has(self, profile_id: str) -> bool:
        """Whether a profile is known."""
        if self.is_remembered and profile_id not in self.profiles:
            raise NotRemembered
        return profile_id in self.profiles

    def find(self, profile_id: str, dataset: Dataset, ids: Iterable[str]) -> dict[str, list[PlatformObject]]:
        """Objects by the id asked for, of one profile, or with "" of every known one; unknown ids are left out."""
        wanted = list(ids)
        if self.is_remembered:
            if not all((profile_id, dataset, each) in self.objects for each in wanted):
                raise NotRemembered
            return {each: self.objects[profile_id, dataset, each] for each in wanted}
        among = [profile_id] if profile_id else list(self.profiles)
        found = self.catalog.find_objects(self.platform, among, dataset, wanted)
        self.objects.update({(profile_id, dataset, each): objects for each, objects in found.items()})
        return found


def known_at(catalog: Catalog, platform: Platform, account_id: str) -> Known:
    """What is known at an account's door; with "" at the deployment's. Raises Unavailable."""
    found = catalog.profiles(account_id or None, platform)
    there = (each for each in found if each.is_listed and each.status != ProfileStatus.INACTIVE)
    return Known(catalog, platform, {each.profile_id: each for each in there}, account_id)


class _Lately(NamedTuple):
    """What was known, and until when it may be used."""

    known: Known
    until: float

    @property
    def size(self) -> int:
        return 1 + len(self.known.profiles) + len(self.known.objects)


class Acquaintances:
    """What this container's doors knew lately: a delivery about the same objects reads them once in ten seconds.

    What is not remembered is looked up, so that what is new is known at once. What was changed or is gone is still
    known for ten seconds.
    """

    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock
        self._doors: dict[tuple[Platform, str], _Lately] = {}

    def ask(self, platform: Platform, account_id: str, question: Callable[[Known], _T]) -> _T:
        """The answer to a question about what is known at a door, with "" the deployment's. It may be asked twice.

        What it refuses by what is remembered, it refuses only if the catalog says the same. Raises what it raises.
        """
        door, now = (platform, account_id), self._clock.monotonic()
        lately = self._doors.get(door)
        if lately is not None and now >= lately.until:
            lately = None
        if lately is not None:
            with suppress(NotRemembered, Unprocessable):
                return question(lately.known)
        known, until = known_at(self._catalog, platform, account_id), now + _REMEMBERED_SECONDS
        answer = question(known)
        if lately is not None and lately.known.profiles.keys() == known.profiles.keys():
            known = replace(known, objects=lately.known.objects | known.objects)
            until = lately.until
        self._remember(door, _Lately(replace(known, is_remembered=True), until))
        return answer

    def _remember(self, door: tuple[Platform, str], lately: _Lately) -> None:
        self._doors.pop(door, None)
        room = limits.MAX_REMEMBERED_OBJECTS - lately.size
        if sum(each.size for each in self._doors.values()) > room:
            self._doors.clear()
        if room >= 0:
            self._doors[door] = lately
