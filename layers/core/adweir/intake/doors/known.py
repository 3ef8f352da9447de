"""The profiles that a door knows: the account's own, or at the deployment's door every profile of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile, ProfileStatus
from adweir.model.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adweir.store.catalog.store import Catalog


class Known(NamedTuple):
    """What the ids of a delivery may stand for: `profiles` by id, and what the catalog has of them.

    `account_id` is whose door it came to, "" for the deployment's.
    """

    catalog: Catalog
    platform: Platform
    profiles: dict[str, Profile]
    account_id: str = ""

    def find(self, profile_id: str, dataset: Dataset, ids: Iterable[str]) -> dict[str, list[PlatformObject]]:
        """Objects by the id asked for, of one profile, or with "" of every known one; unknown ids are left out."""
        among = [profile_id] if profile_id else list(self.profiles)
        return self.catalog.find_objects(self.platform, among, dataset, list(ids))


def known_at(catalog: Catalog, platform: Platform, account_id: str) -> Known:
    """What is known at an account's door; with "" at the deployment's. Raises Unavailable."""
    found = catalog.profiles(account_id or None, platform)
    there = (each for each in found if each.is_listed and each.status != ProfileStatus.INACTIVE)
    return Known(catalog, platform, {each.profile_id: each for each in there}, account_id)
