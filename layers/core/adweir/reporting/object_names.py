"""Names beside ids: of clients, ad accounts, their objects, cross-platform campaigns and arms, as they are now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.entities import Keyword, PlatformObject, Profile
from adweir.reporting.bound_to import ARM, CROSS_CAMPAIGN
from adweir.store.catalog.store import Catalog

OF_OBJECTS: Mapping[str, tuple[str, tuple[Dataset, ...]]] = {
    "campaign_id": ("campaign_name", (Dataset.CAMPAIGNS,)),
    "ad_group_id": ("ad_group_name", (Dataset.AD_GROUPS,)),
    "ad_id": ("ad_name", (Dataset.ADS,)),
    "keyword_id": ("keyword_name", (Dataset.KEYWORDS, Dataset.TARGETS, Dataset.NEGATIVES)),
}
_CLIENT = "client_account_id"
_OF_PROFILES = {"account_id": "account_name", "profile_id": "profile_name", _CLIENT: "client_name"}
_OF_CAMPAIGNS = {CROSS_CAMPAIGN: "cross_campaign_name", ARM: "arm_name"}
NAMES: Mapping[str, str] = {name: column for name, (column, _) in OF_OBJECTS.items()} | _OF_PROFILES | _OF_CAMPAIGNS
"""Id → the column of its name."""
_SEARCHED = 500
"""Ids that are looked up one by one; more are read with all of their profile."""
Row = dict[str, Any]


class RowNames:
    """Adds names to rows. `lookup`: whether single objects may be looked up, in place of lists of all."""

    def __init__(self, catalog: Catalog, profiles: Iterable[Profile], *, lookup: bool = True) -> None:
        self._catalog = catalog
        self._profiles = {profile.key: profile for profile in profiles}
        self._lookup = lookup

    def add(self, rows: Sequence[tuple[Row, Collection[str]]], columns: Mapping[str, str]) -> None:
        """Add the names to rows, each beside the keys of the profiles that it is of. Raises Unavailable.

        `columns`: column with ids → the field that they are of (a name of NAMES). Where an id means objects of several
        names, and where its platform lists it no more, the name is None.
        """
        for column, name in columns.items():
            found = self._found(rows, column, name)
            for row, owners in rows:
                names = {found.get((owner, row[column]), "") for owner in owners} - {""}
                row[NAMES[name]] = names.pop() if row[column] is not None and len(names) == 1 else None

    def _found(self, rows: Sequence[tuple[Row, Collection[str]]], column: str, name: str) -> dict[tuple[str, Any], str]:
        """Profile and id → name."""
        if name == _CLIENT:
            companies = {each.account_id: each.company_name for each in self._catalog.accounts()}
            return {
                (key, profile.account_id): companies.get(profile.account_id, "")
                for key, profile in self._profiles.items()
            }
        if name in _OF_PROFILES:
            return {
                (key, shown): profile.name
                for key, profile in self._profiles.items()
                for shown in (profile.shown_id, profile.profile_id)
            }
        if name in _OF_CAMPAIGNS:
            called = self._called({row[column] for row, _ in rows} - {None})
            return {(owner, row[column]): called.get(row[column], "") for row, owners in rows for owner in owners}
        asked: dict[str, dict[str, None]] = {}
        for row, owners in rows:
            if row[column] is not None:
                for owner in owners:
                    asked.setdefault(owner, {})[row[column]] = None
        return {
            (key, item_id): text
            for key, ids in asked.items()
            if key in self._profiles
            for item_id, text in self._objects(self._profiles[key], OF_OBJECTS[name][1], ids)
        }

    def _called(self, ids: Collection[str]) -> dict[str, str]:
        """The names of cross-platform campaigns and arms, by id."""
        if self._lookup and len(ids) <= _SEARCHED:
            found = list(self._catalog.named_campaigns(ids).values())
        else:
            clients = {profile.account_id for profile in self._catalog.profiles()}
            found = [each for account_id in clients for each in self._catalog.campaigns_of(account_id)]
        called = {each.campaign_id: each.name for each in found}
        return called | {arm.arm_id: arm.name for each in found for arm in each.arms}

    def _objects(
        self, profile: Profile, datasets: Sequence[Dataset], ids: Collection[str]
    ) -> Iterable[tuple[str, str]]:
        """Id and name of a profile's objects. One id may be that of several, e.g. of an ad in two ad groups."""
        several: dict[str, set[str]] = {}
        for dataset in datasets:
            for item in self._items(profile, dataset, ids):
                if item.id in ids:
                    several.setdefault(item.id, set()).add(name_of(item))
        return ((item_id, names.pop()) for item_id, names in several.items() if len(names) == 1)

    def _items(self, profile: Profile, dataset: Dataset, ids: Collection[str]) -> Iterable[PlatformObject]:
        if not self._lookup or len(ids) > _SEARCHED:
            return self._catalog.objects(profile.platform, profile.profile_id, dataset)
        found = self._catalog.find_objects(profile.platform, [profile.profile_id], dataset, list(ids))
        return (item for items in found.values() for item in items)


def name_of(item: PlatformObject) -> str:
    """What an object is called; a keyword by its text."""
    return (item.text or item.name) if isinstance(item, Keyword) else item.name
