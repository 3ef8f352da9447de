"""The whole catalog, and the operations that concern several of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from adweir.model.entities import Credential, PlatformObject, Profile, ProfileStatus
from adweir.model.errors import NotFound
from adweir.model.labels import DEFAULT
from adweir.model.platforms import Platform
from adweir.store.catalog.campaigns import Campaigns
from adweir.store.catalog.credentials import credential_item
from adweir.store.catalog.invoices import StoredInvoices
from adweir.store.catalog.items import Effect, Item
from adweir.store.catalog.jobs import StoredJobs
from adweir.store.catalog.keys import Keys
from adweir.store.catalog.mappings import StoredMappings
from adweir.store.catalog.objects import Objects
from adweir.store.catalog.own_profiles import OwnProfiles
from adweir.store.catalog.profiles import profile_item
from adweir.store.catalog.references import References
from adweir.store.catalog.specs import SourceSpecs
from adweir.store.catalog.workflows import StoredWorkflows
from adweir.store.dynamo.keyed import Key


class Way(NamedTuple):
    """How a task reaches its platform: the profile ("" for none) of a client account and the credential's label."""

    account_id: str
    platform: Platform
    profile_id: str
    label: str

    @property
    def items(self) -> list[Key]:
        """The keys of the profile and, last, of the credential."""
        credential = credential_item(self.account_id, self.platform, self.label)
        return [profile_item(self.platform, self.profile_id), credential] if self.profile_id else [credential]


class Catalog(
    OwnProfiles,
    Objects,
    StoredInvoices,
    StoredMappings,
    References,
    SourceSpecs,
    StoredJobs,
    StoredWorkflows,
    Campaigns,
    Keys,
):
    """Everything that the metrics are about, and the API keys.

    All methods raise Unavailable when DynamoDB does not answer.
    """

    def reached(
        self, account_id: str, platform: Platform, profile_id: str, label: str = DEFAULT
    ) -> tuple[Profile | None, Credential | None]:
        """A profile (None without an id) and the credential that reaches it: one request where that has the label.

        Without a profile it is the credential with the label. Raises UnreadableItem.
        """
        way = Way(account_id, platform, profile_id, label)
        return self.found(way, self._fetch_many(way.items))

    def found(self, way: Way, items: Mapping[Key, Item]) -> tuple[Profile | None, Credential | None]:
        """`reached` of what the caller has just read (`way.items`)."""
        profile_key, credential_key = way.items[0], way.items[-1]
        profile = self._entity(Profile, items[profile_key]) if way.profile_id and profile_key in items else None
        if profile is not None and profile.credential != way.label:
            return profile, self.credential(way.account_id, way.platform, profile.credential)
        stored = items.get(credential_key)
        return profile, None if stored is None else self._in_use(stored)

    def delete_account(self, account_id: str) -> tuple[list[Credential], int]:
        """Forget an account's credentials, mark its profiles inactive, and at last itself deleted.

        In this order a deletion that broke off can be requested again. Returns the credentials and how many profiles.
        What was measured stays stored. Raises NotFound.
        """
        self.account(account_id)
        forgotten = self.account_credentials(account_id)
        for credential in forgotten:
            self._forget_credential(credential)
        marked = self._mark_profiles(self.profiles(account_id), ProfileStatus.INACTIVE)
        self._mark_deleted(account_id)
        return forgotten, marked

    def _mark_profiles(self, profiles: Iterable[Profile], status: ProfileStatus) -> int:
        """Give profiles a status; returns how many had another."""
        others = [profile for profile in profiles if profile.status != status]
        for profile in others:
            self.mark_profile(profile.platform, profile.profile_id, status)
        return len(others)

    def put_credential(self, given: Credential) -> Credential:
        """Store a credential's metadata as active, and return it as stored. Raises NotFound.

        It replaces the one of its account, platform and label, whose `version` it has plus 1.
        """
        self.account(given.account_id)
        return self._store_credential(given)

    def delete_credential(self, account_id: str, platform: Platform, label: str = DEFAULT) -> tuple[Credential, int]:
        """Forget a credential; returns it, and how many ad accounts it reached. Raises NotFound.

        The ad accounts that it reached become `removed`: the listing of another credential brings them back, and
        another client account that reaches them may then take them over. They are marked first, so that a deletion
        which broke off can be requested again.
        """
        credential = self.credential(account_id, platform, label)
        if credential is None:
            raise NotFound(f"account {account_id[:64]} has no credential {label} for {platform}")
        reached = [
            profile
            for profile in self.profiles(account_id, platform)
            if profile.credential == label and profile.status != ProfileStatus.INACTIVE
        ]
        marked = self._mark_profiles(reached, ProfileStatus.REMOVED)
        self._forget_credential(credential)
        return credential, marked

    def put_objects(
        self, objects: Iterable[PlatformObject | Profile], as_of: str, label: str = DEFAULT
    ) -> tuple[int, int, int]:
        """Store what a pull of `as_of` (`model.times.iso`) brought: profiles, campaigns, ad groups, ads, keywords.

        `label` names the credential that pulled them: profiles remember it. What a newer pull answered for stays as it
        is. Returns how many were (added, changed, unchanged).
        """
        profiles: list[Profile] = []
        others: list[PlatformObject] = []
        for item in objects:
            if isinstance(item, Profile):
                profiles.append(item.model_copy(update={"credential": label}))
            else:
                others.append(item)
        effects = [self._put_profile(profile, as_of) for profile in profiles]
        effects += self._put_platform_objects(others, as_of)
        return (effects.count(Effect.ADDED), effects.count(Effect.CHANGED), effects.count(Effect.UNCHANGED))
