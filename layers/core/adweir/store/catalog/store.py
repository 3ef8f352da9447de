"""The catalog: accounts, credentials' metadata, profiles, platform objects, API keys.

Keys: `accounts` / `<account>`; `credentials` / `<account>#<platform>`; `profiles` / `<platform>#<profile>`;
`keys` / `<key id>`; platform objects as `store.catalog_objects` says.
"""

from __future__ import annotations

import hashlib
import secrets as randomness
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.entities import Account, ApiKey, Credential, PlatformObject, Profile
from adweir.model.errors import Conflict, NotFound
from adweir.model.platforms import Platform
from adweir.model.times import iso
from adweir.store.catalog.items import Item
from adweir.store.catalog.objects import Change, Objects

SCOPES = ("read", "write", "admin")
_ACCOUNTS, _CREDENTIALS, _PROFILES, _KEYS = "accounts", "credentials", "profiles", "keys"
_TRIES = 5


class Catalog(Objects):
    """Everything that the metrics are about.

    All methods raise Unavailable when DynamoDB does not answer.
    """

    # -- accounts ----------------------------------------------------------------------------------------------------

    def create_account(self, account_id: str, company_name: str, primary_contact_email: str) -> Account:
        """Store a new client company. Raises Conflict when the id is taken; names may repeat."""
        now = iso(self._clock.now())
        account = Account(
            account_id=account_id,
            company_name=company_name,
            primary_contact_email=primary_contact_email,
            created_at=now,
            updated_at=now,
        )
        if not self._put(self._account_item(account), Item.pk.does_not_exist()):
            raise Conflict(f"account {account_id} exists already")
        return account

    def account(self, account_id: str) -> Account:
        """An account that was not deleted. Raises NotFound."""
        item = self._fetch(_ACCOUNTS, account_id) if account_id else None
        if item is None or item.state == "deleted":
            raise NotFound(f"no account {account_id[:64]}", [{"field": "account_id", "message": "unknown"}])
        return Account.model_validate(item.body)

    def accounts(self) -> list[Account]:
        """All accounts that were not deleted, by id."""
        return [Account.model_validate(item.body) for item in self._query(_ACCOUNTS) if item.state != "deleted"]

    def list_accounts(self, limit: int = 50, token: str = "") -> tuple[list[Account], str]:
        """A page of accounts by id and the token of the next ("" on the last). Raises BadInput for a wrong token."""
        items, following = self._page(_ACCOUNTS, limit, token)
        return [Account.model_validate(item.body) for item in items if item.state != "deleted"], following

    def update_account(self, account_id: str, **changes: str) -> Account:
        """Change fields of an account. Raises NotFound."""
        account = self.account(account_id).model_copy(update=changes | {"updated_at": iso(self._clock.now())})
        if not self._put(self._account_item(account), Item.state != "deleted"):
            raise NotFound(f"no account {account_id[:64]}", [{"field": "account_id", "message": "unknown"}])
        return account

    def delete_account(self, account_id: str) -> list[Credential]:
        """Mark an account deleted and its profiles inactive, and forget its credentials, which it returns.

        What was measured stays stored. Raises NotFound.
        """
        account = self.account(account_id)
        now = iso(self._clock.now())
        self._put(self._account_item(account.model_copy(update={"status": "deleted", "updated_at": now})))
        forgotten = self.account_credentials(account_id)
        for credential in forgotten:
            self._drop(_CREDENTIALS, f"{account_id}#{credential.platform}")
        for profile in self.profiles(account_id):
            self.mark_profile(profile.platform, profile.profile_id, "inactive")
        return forgotten

    def _account_item(self, account: Account) -> Item:
        return Item(_ACCOUNTS, account.account_id, state=account.status, body=account.model_dump(mode="json"))

    # -- credentials -------------------------------------------------------------------------------------------------

    def put_credential(self, account_id: str, platform: Platform, secret_id: str) -> Credential:
        """Store a credential's metadata as active; replacing one makes its `version` one higher. Raises NotFound."""
        self.account(account_id)
        now = iso(self._clock.now())
        for _ in range(_TRIES):
            old = self.credential(account_id, platform)
            fresh = Credential(
                account_id=account_id,
                platform=platform,
                secret_id=secret_id,
                version=old.version + 1 if old else 1,
                created_at=old.created_at if old else now,
                updated_at=now,
            )
            condition = (Item.version == old.version) if old else Item.pk.does_not_exist()
            if self._put(self._credential_item(fresh), condition):
                return fresh
        raise Conflict("the credential is being replaced by somebody else at this moment")

    def credential(self, account_id: str, platform: Platform) -> Credential | None:
        """A credential's metadata, or None."""
        item = self._fetch(_CREDENTIALS, f"{account_id}#{platform}")
        return None if item is None else Credential.model_validate(item.body)

    def credentials(self) -> list[Credential]:
        """The credentials of all accounts, broken ones included."""
        return [Credential.model_validate(item.body) for item in self._query(_CREDENTIALS)]

    def account_credentials(self, account_id: str) -> list[Credential]:
        """The credentials of one account."""
        return [Credential.model_validate(item.body) for item in self._query(_CREDENTIALS, f"{account_id}#")]

    def delete_credential(self, account_id: str, platform: Platform) -> Credential:
        """Forget a credential and return it. Raises NotFound.

        The ad accounts that it reached become `removed`: a new credential's listing brings them back, and another
        client account that reaches them may have them.
        """
        credential = self.credential(account_id, platform)
        if credential is None:
            raise NotFound(f"account {account_id[:64]} has no credential for {platform}")
        self._drop(_CREDENTIALS, f"{account_id}#{platform}")
        for profile in self.profiles(account_id, platform):
            if profile.status != "inactive":
                self.mark_profile(platform, profile.profile_id, "removed")
        return credential

    def mark_broken(self, account_id: str, platform: Platform, version: int, reason: str) -> bool:
        """Mark this version of a credential broken; False when it was replaced meanwhile."""
        credential = self.credential(account_id, platform)
        if credential is None or credential.version != version:
            return False
        broken = credential.model_copy(
            update={"state": "broken", "reason": reason[:500], "updated_at": iso(self._clock.now())}
        )
        return self._put(self._credential_item(broken), Item.version == version)

    def _credential_item(self, credential: Credential) -> Item:
        return Item(
            _CREDENTIALS,
            f"{credential.account_id}#{credential.platform}",
            state=credential.state,
            version=credential.version,
            body=credential.model_dump(mode="json"),
        )

    # -- profiles ----------------------------------------------------------------------------------------------------

    def profile(self, platform: Platform, profile_id: str) -> Profile | None:
        """One platform ad account, whatever its status, or None."""
        item = self._fetch(_PROFILES, f"{platform}#{profile_id}") if profile_id else None
        return None if item is None else Profile.model_validate(item.body)

    def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> list[Profile]:
        """Platform ad accounts of any status, by platform and id."""
        found = self._query(_PROFILES, f"{platform}#" if platform else "")
        profiles = (Profile.model_validate(item.body) for item in found)
        return [profile for profile in profiles if account_id is None or profile.account_id == account_id]

    def mark_profile(self, platform: Platform, profile_id: str, status: str) -> bool:
        """Set a profile's status (active, denied, removed, inactive); False when there is no such profile.

        `as_of` stays: a newer listing of the platform decides again, an older one does not.
        """
        for _ in range(_TRIES):
            profile = self.profile(platform, profile_id)
            if profile is None:
                return False
            if profile.status == status:
                return True
            changed = profile.model_copy(update={"status": status})
            if self._put(_profile_item(changed), (Item.as_of == profile.as_of) & (Item.state == profile.status)):
                return True
        raise Conflict(f"profile {platform}#{profile_id} keeps changing")

    def _put_profile(self, profile: Profile, as_of: str) -> Change:
        """Store a listed profile unless a newer listing did.

        An ad account belongs to the client account that listed it first, until that one is deleted or loses it: two
        client accounts may reach it with their credentials, but its metrics are stored once.
        """
        fresh = profile.model_copy(update={"as_of": as_of})
        for _ in range(_TRIES):
            stored = self.profile(profile.platform, profile.profile_id)
            if stored is None:
                if self._put(_profile_item(fresh), Item.pk.does_not_exist()):
                    return Change.ADDED
                continue
            gone = stored.status in {"inactive", "removed"}
            if stored.account_id == profile.account_id:
                # An inactive one belongs to a deleted account: a listing that was still under way revives nothing.
                if stored.status == "inactive" or stored.as_of >= as_of:
                    return Change.UNCHANGED
            elif not gone:
                return Change.UNCHANGED
            if self._put(_profile_item(fresh), (Item.as_of == stored.as_of) & (Item.state == stored.status)):
                same = stored.model_copy(update={"as_of": as_of}) == fresh
                return Change.UNCHANGED if same else Change.CHANGED
        raise Conflict(f"profile {profile.key} keeps changing")

    def _remove_profiles(self, account_id: str, platform: Platform, seen: set[str], as_of: str) -> int:
        removed = 0
        for profile in self.profiles(account_id, platform):
            listed_no_more = profile.profile_id not in seen and profile.as_of < as_of
            if listed_no_more and profile.status not in {"removed", "inactive"}:
                fresh = profile.model_copy(update={"status": "removed", "as_of": as_of})
                removed += self._put(_profile_item(fresh), Item.as_of == profile.as_of)
        return removed

    def put_objects(self, objects: Iterable[PlatformObject | Profile], as_of: str) -> tuple[int, int, int]:
        """Store what a pull of `as_of` (`model.times.iso`) brought: profiles, campaigns, ad groups, ads, keywords.

        What a newer pull answered for stays as it is. Returns how many were (added, changed, unchanged).
        """
        profiles: list[Profile] = []
        others: list[PlatformObject] = []
        for item in objects:
            if isinstance(item, Profile):
                profiles.append(item)
            else:
                others.append(item)
        changes = [self._put_profile(profile, as_of) for profile in profiles]
        changes += self._put_platform_objects(others, as_of)
        return (changes.count(Change.ADDED), changes.count(Change.CHANGED), changes.count(Change.UNCHANGED))

    def remove_missing(
        self,
        platform: Platform,
        profile_id: str,
        dataset: Dataset,
        slice_: str,
        seen_ids: Collection[str],
        as_of: str,
        *,
        account_id: str = "",
    ) -> int:
        """End a *complete* pull: what it did not bring of its slice becomes `removed`. Returns how many did.

        For the profiles dataset `account_id` says whose profiles; `profile_id` does not matter then.
        """
        seen = set(seen_ids)
        if dataset is Dataset.PROFILES:
            return self._remove_profiles(account_id, platform, seen, as_of)
        return self._remove_platform_objects(platform, profile_id, dataset, slice_, seen, as_of)

    # -- API keys ----------------------------------------------------------------------------------------------------

    def create_key(self, name: str, scopes: Sequence[str], plain: str | None = None) -> tuple[ApiKey, str]:
        """Make an API key: its record, and the key itself, which is shown this once and stored as SHA-256 only.

        `plain` gives a key of the form `adw_<key id>_<secret>` instead of a random one; the same one again replaces
        its record. Scopes are read, write, admin.
        """
        if plain is None:
            plain = f"adw_{randomness.token_hex(8)}_{randomness.token_urlsafe(32)}"
        key_id = key_id_of(plain)
        if key_id is None or not scopes or not set(scopes) <= set(SCOPES):
            raise Conflict("a key has the form adw_<key id>_<secret> and scopes of read, write, admin")
        key = ApiKey(
            key_id=key_id,
            name=name,
            hash=hash_of(plain),
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            created_at=iso(self._clock.now()),
        )
        self._put(_key_item(key))
        return key, plain

    def key(self, key_id: str) -> ApiKey | None:
        """A key's record, or None."""
        item = self._fetch(_KEYS, key_id)
        return None if item is None else ApiKey.model_validate(item.body)

    def list_keys(self, limit: int = 50, token: str = "") -> tuple[list[ApiKey], str]:
        """A page of keys by id, revoked ones included, and the token of the next. Raises BadInput."""
        items, following = self._page(_KEYS, limit, token)
        return [ApiKey.model_validate(item.body) for item in items], following

    def revoke_key(self, key_id: str) -> ApiKey:
        """Revoke a key for good; the authorizer's cache forgets it within a minute. Raises NotFound."""
        key = self.key(key_id)
        if key is None:
            raise NotFound(f"no key {key_id[:64]}")
        if key.status != "revoked":
            key = key.model_copy(update={"status": "revoked", "revoked_at": iso(self._clock.now())})
            self._put(_key_item(key))
        return key

    def find_key(self, plain: str) -> ApiKey | None:
        """The active key that this text is, compared in constant time; None for anything else."""
        key_id = key_id_of(plain)
        key = self.key(key_id) if key_id else None
        if key is None or key.status != "active":
            return None
        return key if randomness.compare_digest(key.hash, hash_of(plain)) else None

    def walk_profiles(self, limit: int, token: str = "") -> tuple[list[Profile], str]:
        """A page of profiles by platform and id, and the token of the next. Raises BadInput."""
        items, following = self._page(_PROFILES, limit, token)
        return [Profile.model_validate(item.body) for item in items], following


def hash_of(plain: str) -> str:
    """How a key is stored: SHA-256 in hex. A random 256-bit secret needs no slow hash."""
    return hashlib.sha256(plain.encode()).hexdigest()


def key_id_of(plain: str) -> str | None:
    """`adw_<key id>_<secret>` → the key id, None for text of another form. A total function."""
    parts = plain.split("_", 2)
    if len(parts) != 3 or parts[0] != "adw" or not parts[2] or len(plain) > 200 or not plain.isascii():
        return None
    return parts[1] if parts[1].isalnum() else None


def _profile_item(profile: Profile) -> Item:
    body: dict[str, Any] = profile.model_dump(mode="json")
    return Item(
        _PROFILES, f"{profile.platform}#{profile.profile_id}", state=profile.status, as_of=profile.as_of, body=body
    )


def _key_item(key: ApiKey) -> Item:
    return Item(_KEYS, key.key_id, state=key.status, body=key.model_dump(mode="json"))
