"""What is stored of a client, as far as the rows of its files need it: read once per file, when it is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, Keyword, PlatformObject, Profile, ProfileStatus, Status, own_profile_id
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.platforms.files.file_rows import NamedObject
from adweir.platforms.files.normalize import Target

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

_DATASETS = {
    Level.CAMPAIGN: Dataset.CAMPAIGNS,
    Level.AD_GROUP: Dataset.AD_GROUPS,
    Level.AD: Dataset.ADS,
    Level.KEYWORD: Dataset.KEYWORDS,
}
_Names = Mapping[tuple[str, str], set[str]]
"""Parent ("" for any) and name → ids."""
_Groups = Mapping[str, set[str]]
"""An ad's or keyword's id → its ad groups."""


class StoredObjects:
    """The profiles and objects of one client; a `ClientObjects`."""

    def __init__(self, catalog: Catalog, account_id: str) -> None:
        self._catalog = catalog
        self._account_id = account_id
        self._names: dict[tuple[Platform, str, Level], tuple[_Names, _Groups]] = {}

    def only_profile(self, platform: Platform, named: str = "") -> str:
        """The client's only ad account on a platform, or its only one with this name or id."""
        own = [each for each in self._profiles if each.platform == platform and each.status == ProfileStatus.ACTIVE]
        if named:
            asked = _plain(named)
            own = [each for each in own if named == each.name or asked in {_plain(each.profile_id), each.profile_id}]
        return own[0].profile_id if len(own) == 1 else ""

    def timezone(self, target: Target) -> str:
        """The time zone of the target's ad account; "" where none is known."""
        known = {(each.platform, each.profile_id): each.timezone for each in self._profiles}
        return known.get((target.platform, target.profile_id), "")

    def currency(self, target: Target) -> str:
        """The currency of the target's ad account, which a file may have brought; "" where none is known."""
        if target.profile_id == own_profile_id(self._account_id):
            return ""  # the account's, whatever was stored
        profile = self._catalog.profile(target.platform, target.profile_id)
        return profile.currency if profile and profile.account_id == self._account_id else ""

    def campaign(self, text: str, platform: str = "") -> NamedObject | None:
        """The client's only campaign with this name or id, on a platform ("" for any); one that was removed only where
        no other has it."""
        for known in self._campaigns:
            found = {each for each in known.get(text, ()) if platform in {"", each.platform}}
            if found:
                return next(iter(found)) if len(found) == 1 else None
        return None

    def object_id(self, target: Target, parent: str, name: str) -> str:
        """The id of the target's only object with this name in its parent ("" for any); "" where there is not one."""
        return _only(self._known(target)[0].get((parent, name)))

    def ad_group(self, target: Target, own_id: str) -> str:
        """The ad group of the target's only ad or keyword with this id; "" where there is none, or several."""
        return _only(self._known(target)[1].get(own_id))

    def _known(self, target: Target) -> tuple[_Names, _Groups]:
        key = (target.platform, target.profile_id, target.level)
        if key not in self._names:
            objects = list(self._catalog.objects(*key[:2], _DATASETS[target.level]))
            self._names[key] = _by_name(objects, target.level), _groups(objects)
        return self._names[key]

    @cached_property
    def _profiles(self) -> list[Profile]:
        return [profile for profile in self._catalog.profiles(self._account_id) if profile.is_listed]

    @cached_property
    def _campaigns(self) -> tuple[Mapping[str, set[NamedObject]], Mapping[str, set[NamedObject]]]:
        """By name and by id: those that are there, and those that were removed."""
        there, removed = defaultdict[str, set[NamedObject]](set), defaultdict[str, set[NamedObject]](set)
        for profile in self._profiles:
            for item in self._catalog.objects(profile.platform, profile.profile_id, Dataset.CAMPAIGNS):
                if isinstance(item, AdCampaign):
                    names = removed if item.status == Status.REMOVED else there
                    for text in {item.id, item.name} - {""}:
                        names[text].add(NamedObject(profile.platform, item.id))
        return there, removed


def _by_name(objects: Iterable[PlatformObject], level: Level) -> _Names:
    """Those that were removed count where no other has the name."""
    there, removed = defaultdict[tuple[str, str], set[str]](set), defaultdict[tuple[str, str], set[str]](set)
    for item in objects:
        name = item.text if isinstance(item, Keyword) else item.name
        parent = (
            item.campaign_id if level is Level.AD_GROUP else item.ad_group_id if level is not Level.CAMPAIGN else ""
        )
        for key in {("", name), (parent, name)}:
            (removed if item.status == Status.REMOVED else there)[key].add(item.id)
    return {**removed, **there}


def _groups(objects: Iterable[PlatformObject]) -> _Groups:
    found = defaultdict[str, set[str]](set)
    for item in objects:
        if item.ad_group_id:
            found[item.id].add(item.ad_group_id)
    return found


def _only(found: set[str] | None) -> str:
    return next(iter(found)) if found is not None and len(found) == 1 else ""


def _plain(text: str) -> str:
    """An id without what people and tools put into it: `123-456-7890`, `act_123`."""
    return text.replace("-", "").replace(" ", "").removeprefix("act_")
