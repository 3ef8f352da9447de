"""Profiles, the platforms' ad accounts: `profiles` / `<platform>#<profile>`. The newest listing wins."""

from __future__ import annotations

from collections.abc import Collection

from adweir.model.entities import Profile, ProfileStatus
from adweir.model.errors import Conflict
from adweir.model.platforms import Platform
from adweir.store.catalog.items import Effect, Item, Items

_PK = "profiles"
_TRIES = 5
_GONE = (ProfileStatus.REMOVED, ProfileStatus.INACTIVE)


class Profiles(Items):
    """Profiles: stored by listing, marked, read."""

    def profile(self, platform: Platform, profile_id: str) -> Profile | None:
        """One platform ad account, whatever its status, or None."""
        item = self._fetch(_PK, f"{platform}#{profile_id}") if profile_id else None
        return None if item is None else Profile.model_validate(item.body)

    def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> list[Profile]:
        """Platform ad accounts of any status, by platform and id. `account_id` is the client's."""
        found = self._query(_PK, f"{platform}#" if platform else "")
        profiles = (Profile.model_validate(item.body) for item in found)
        return [profile for profile in profiles if account_id is None or profile.account_id == account_id]

    def list_profiles(self, limit: int = 50, token: str = "") -> tuple[list[Profile], str]:
        """A page of profiles by platform and id and the token of the next, "" after the last. Raises BadInput."""
        items, following = self._page(_PK, limit, token)
        return [Profile.model_validate(item.body) for item in items], following

    def mark_profile(self, platform: Platform, profile_id: str, status: ProfileStatus) -> bool:
        """Set a profile's status; False when there is no such profile.

        `as_of` stays: a newer listing by the platform may change the status again, an older one may not.
        """
        for _ in range(_TRIES):
            profile = self.profile(platform, profile_id)
            if profile is None:
                return False
            if profile.status == status:
                return True
            changed = profile.model_copy(update={"status": status})
            if self._put(_item(changed), (Item.as_of == profile.as_of) & (Item.state == profile.status)):
                return True
        raise Conflict(f"profile {platform}#{profile_id} keeps changing")

    def _put_profile(self, profile: Profile, as_of: str) -> Effect:
        """Store a listed profile unless a newer listing did.

        An ad account belongs to the client account that listed it first, until that one is deleted or loses it: two
        client accounts may reach it with their credentials, but its metrics are stored once.
        """
        fresh = profile.model_copy(update={"as_of": as_of})
        for _ in range(_TRIES):
            stored = self.profile(profile.platform, profile.profile_id)
            if stored is None:
                if self._put(_item(fresh), Item.pk.does_not_exist()):
                    return Effect.ADDED
                continue
            if stored.account_id == profile.account_id:
                fresh = fresh.model_copy(update={"options": stored.options})  # set here, unknown to the platform
                # An inactive one belongs to a deleted account: a listing that is still under way must not revive it.
                if stored.status == ProfileStatus.INACTIVE or stored.as_of >= as_of:
                    return Effect.UNCHANGED
            elif stored.status not in _GONE:
                return Effect.UNCHANGED
            if self._put(_item(fresh), (Item.as_of == stored.as_of) & (Item.state == stored.status)):
                same = stored.model_copy(update={"as_of": as_of}) == fresh
                return Effect.UNCHANGED if same else Effect.CHANGED
        raise Conflict(f"profile {profile.key} keeps changing")

    def remove_missing_profiles(self, platform: Platform, account_id: str, seen: Collection[str], as_of: str) -> int:
        """End a *complete* listing for a client: what it did not bring becomes `removed`. Returns how many did."""
        removed = 0
        for profile in self.profiles(account_id, platform):
            missing = profile.profile_id not in seen and profile.as_of < as_of
            if missing and profile.status not in _GONE:
                fresh = profile.model_copy(update={"status": ProfileStatus.REMOVED, "as_of": as_of})
                removed += self._put(_item(fresh), Item.as_of == profile.as_of)
        return removed


def _item(profile: Profile) -> Item:
    return Item(
        _PK,
        f"{profile.platform}#{profile.profile_id}",
        state=profile.status,
        as_of=profile.as_of,
        body=profile.model_dump(mode="json"),
    )
