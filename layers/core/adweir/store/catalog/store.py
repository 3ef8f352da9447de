"""The whole catalog, and the operations that concern several of its parts."""

from __future__ import annotations

from collections.abc import Iterable

from adweir.model.entities import Credential, PlatformObject, Profile, ProfileStatus
from adweir.model.errors import NotFound
from adweir.model.platforms import Platform
from adweir.store.catalog.accounts import Accounts
from adweir.store.catalog.credentials import Credentials
from adweir.store.catalog.items import Effect
from adweir.store.catalog.keys import Keys
from adweir.store.catalog.objects import Objects
from adweir.store.catalog.profiles import Profiles


class Catalog(Accounts, Credentials, Profiles, Objects, Keys):
    """Everything that the metrics are about, and the API keys.

    All methods raise Unavailable when DynamoDB does not answer.
    """

    def delete_account(self, account_id: str) -> list[Credential]:
        """Mark an account deleted and its profiles inactive, and forget its credentials, which it returns.

        What was measured stays stored. Raises NotFound.
        """
        self._mark_deleted(account_id)
        forgotten = self.account_credentials(account_id)
        for credential in forgotten:
            self._forget_credential(account_id, credential.platform)
        for profile in self.profiles(account_id):
            self.mark_profile(profile.platform, profile.profile_id, ProfileStatus.INACTIVE)
        return forgotten

    def put_credential(
        self, account_id: str, platform: Platform, secret_id: str, *, route: str = "", app: str = ""
    ) -> Credential:
        """Store a credential's metadata as active; replacing one makes its `version` one higher. Raises NotFound."""
        self.account(account_id)
        return self._store_credential(account_id, platform, secret_id, route, app)

    def delete_credential(self, account_id: str, platform: Platform) -> Credential:
        """Forget a credential and return it. Raises NotFound.

        The ad accounts that it reached become `removed`: the listing of a new credential brings them back, and another
        client account that reaches them may then take them over.
        """
        credential = self.credential(account_id, platform)
        if credential is None:
            raise NotFound(f"account {account_id[:64]} has no credential for {platform}")
        self._forget_credential(account_id, platform)
        for profile in self.profiles(account_id, platform):
            if profile.status != ProfileStatus.INACTIVE:
                self.mark_profile(platform, profile.profile_id, ProfileStatus.REMOVED)
        return credential

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
        effects = [self._put_profile(profile, as_of) for profile in profiles]
        effects += self._put_platform_objects(others, as_of)
        return (effects.count(Effect.ADDED), effects.count(Effect.CHANGED), effects.count(Effect.UNCHANGED))
