"""Profiles, the platforms' ad accounts: `profiles` / `<platform>#<profile>`. The newest listing wins.

Each write is one version more, so that whoever changes a part of a profile loses nothing that others wrote meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from adweir.model.entities import Owner, Profile, ProfileStatus
from adweir.model.errors import Conflict, NotFound
from adweir.model.platforms import Platform
from adweir.store.catalog.credentials import Credentials
from adweir.store.catalog.items import Effect, Item, as_read, version_of

_PK = "profiles"
_TRIES = 5
_GONE = (ProfileStatus.REMOVED, ProfileStatus.INACTIVE)


class Listing(NamedTuple):
    """A listing of the ad accounts that one credential of a client reaches."""

    platform: Platform
    account_id: str
    label: str
    as_of: str


def profile_item(platform: Platform, profile_id: str) -> tuple[str, str]:
    """The key of a profile's item."""
    return _PK, f"{platform}#{profile_id}"


class Profiles(Credentials):
    """Profiles: stored by listing, marked, given options, read."""

    def profile(self, platform: Platform, profile_id: str) -> Profile | None:
        """One platform ad account, whatever its status, or None. Raises UnreadableItem."""
        item = self._stored_profile(platform, profile_id)
        return None if item is None else self._entity(Profile, item)

    def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> list[Profile]:
        """Platform ad accounts of any status, by platform and id. `account_id` is the client's."""
        found = self._query(_PK, f"{platform}#" if platform else "")
        profiles = self._entities(Profile, found)
        return [profile for profile in profiles if account_id is None or profile.account_id == account_id]

    def owners(self, listed: Sequence[Profile]) -> list[Owner]:
        """Whose each of these listed ad accounts is, or becomes when its listing is stored."""
        keys = [profile_item(profile.platform, profile.profile_id) for profile in listed]
        known = self._fetch_many(keys)
        return [self._owner(profile, known.get(key)) for profile, key in zip(listed, keys, strict=True)]

    def _owner(self, listed: Profile, item: Item | None) -> Owner:
        stored = next(self._entities(Profile, [item]), None) if item is not None else None
        if stored is None or stored.status in _GONE:
            return Owner.THIS_CREDENTIAL
        if stored.account_id != listed.account_id:
            return Owner.OTHER_CLIENT
        return Owner.OTHER_CREDENTIAL if self._is_kept(stored, listed) else Owner.THIS_CREDENTIAL

    def list_profiles(self, limit: int = 50, token: str = "") -> tuple[list[Profile], str]:
        """A page of profiles by platform and id and the token of the next, "" after the last. Raises BadInput."""
        items, following = self._page(_PK, limit, token)
        return list(self._entities(Profile, items)), following

    def mark_profile(self, platform: Platform, profile_id: str, status: ProfileStatus) -> bool:
        """Set a profile's status; False when there is no such profile.

        `as_of` stays: a newer listing by the platform may change the status again, an older one may not.
        """
        return self._edit(platform, profile_id, lambda _profile: {"status": status}) is not None

    def change_options(
        self, platform: Platform, profile_id: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> Profile:
        """Replace a profile's options by what `change` makes of them; a listing at the same moment loses nothing.

        `change` may be called more than once. Raises NotFound.
        """
        changed = self._edit(platform, profile_id, lambda profile: {"options": change(profile.options)})
        if changed is None:
            raise NotFound(
                f"there is no ad account {profile_id[:64]} of {platform}",
                [{"field": "profile_id", "message": "is unknown"}],
            )
        return changed

    def _stored_profile(self, platform: Platform, profile_id: str) -> Item | None:
        return self._fetch(*profile_item(platform, profile_id)) if profile_id else None

    def _edit(
        self, platform: Platform, profile_id: str, changes: Callable[[Profile], dict[str, Any]]
    ) -> Profile | None:
        for _ in range(_TRIES):
            item = self._stored_profile(platform, profile_id)
            if item is None:
                return None
            profile = self._entity(Profile, item)
            changed = profile.model_copy(update=changes(profile))
            if changed == profile or self._replace(item, changed):
                return changed
        raise Conflict(f"profile {platform}#{profile_id} keeps changing")

    def _replace(self, stored: Item | None, profile: Profile) -> bool:
        """Put a profile in the place of what was read; False when someone else was quicker."""
        return self._put(_item(profile, version_of(stored) + 1), as_read(stored))

    def _put_profile(self, profile: Profile, as_of: str) -> Effect:
        """Store a listed profile unless a newer listing did.

        An ad account belongs to the client account that listed it first, until that one is deleted or loses it: two
        client accounts may reach it with their credentials, but its metrics are stored once. In the same way it belongs
        to the credential that listed it first, as long as that one works.
        """
        fresh = profile.model_copy(update={"as_of": as_of})
        for _ in range(_TRIES):
            item = self._fetch(_PK, f"{profile.platform}#{profile.profile_id}")
            if item is None:
                if self._replace(None, fresh):
                    return Effect.ADDED
                continue
            stored = next(self._entities(Profile, [item]), None)
            if stored is None:
                return Effect.UNCHANGED  # nobody knows whose it is
            if stored.account_id == profile.account_id:
                fresh = fresh.model_copy(update={"options": stored.options})  # set here, unknown to the platform
                if stored == fresh:
                    return Effect.CHANGED  # by a worker of this very listing, who may have died before it was announced
                # An inactive one belongs to a deleted account: a listing that is still under way must not revive it.
                if stored.status == ProfileStatus.INACTIVE or stored.as_of >= as_of or self._is_kept(stored, fresh):
                    return Effect.UNCHANGED
            elif stored.status not in _GONE:
                return Effect.UNCHANGED
            if self._replace(item, fresh):
                same = stored.model_copy(update={"as_of": as_of}) == fresh
                return Effect.UNCHANGED if same else Effect.CHANGED
        raise Conflict(f"profile {profile.key} keeps changing")

    def _is_kept(self, stored: Profile, listed: Profile) -> bool:
        """Whether another working credential of the account keeps the profile."""
        if stored.credential == listed.credential or stored.status != ProfileStatus.ACTIVE:
            return False
        other = self.credential(stored.account_id, stored.platform, stored.credential)
        return other is not None and other.state == "active"

    def remove_missing_profiles(self, listing: Listing, seen: Collection[str]) -> int:
        """End a *complete* listing by a credential: of the profiles that it reached, those not seen become `removed`.

        Returns how many did. What another credential reaches stays as it is.
        """
        removed = 0
        for item in self._query(_PK, f"{listing.platform}#"):
            profile = next(self._entities(Profile, [item]), None)
            if profile is None:
                continue
            ours = profile.account_id == listing.account_id and profile.credential == listing.label
            missing = ours and profile.profile_id not in seen and profile.as_of < listing.as_of
            if missing and profile.status not in _GONE:
                fresh = profile.model_copy(update={"status": ProfileStatus.REMOVED, "as_of": listing.as_of})
                removed += self._replace(item, fresh)
        return removed


def _item(profile: Profile, version: int) -> Item:
    return Item(
        _PK,
        f"{profile.platform}#{profile.profile_id}",
        state=profile.status,
        as_of=profile.as_of,
        version=version,
        body=profile.model_dump(mode="json"),
    )
