"""The catalog as a key sees it that is limited to some client companies: of the others there is nothing.

Every public method of the catalog is either checked here or refused (a test compares the two classes), so that a method
which is added later shows nothing by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from adweir.model.campaigns import Campaign
from adweir.model.datasets import Dataset
from adweir.model.entities import Account, Credential, Owner, PlatformObject, Profile
from adweir.model.errors import Forbidden, NotFound
from adweir.model.invoices import Invoice
from adweir.model.labels import DEFAULT
from adweir.model.platforms import Platform
from adweir.model.terms import Terms
from adweir.model.times import Clock, Window
from adweir.store.catalog.references import ReferenceRow
from adweir.store.catalog.store import Catalog


class LimitedCatalog(Catalog):
    """A catalog with these accounts only."""

    def __init__(self, clock: Clock, accounts: Collection[str]) -> None:
        super().__init__(clock)
        self.only = frozenset(accounts)

    def _check(self, account_id: str) -> None:
        """Raises NotFound, as for an account that does not exist."""
        if account_id not in self.only:
            message = f"there is no account {account_id[:64]}"
            raise NotFound(message, [{"field": "account_id", "message": "is unknown"}])

    def account(self, account_id: str) -> Account:
        self._check(account_id)
        return super().account(account_id)

    def accounts(self) -> list[Account]:
        return [account for account in super().accounts() if account.account_id in self.only]

    def list_accounts(self, limit: int = 50, token: str = "") -> tuple[list[Account], str]:  # noqa: ARG002  one page
        return self.accounts(), ""

    def some_accounts(self, ids: Iterable[str]) -> dict[str, Account]:
        return super().some_accounts(self.only & set(ids))

    def update_account(self, account_id: str, **changes: Any) -> Account:
        self._check(account_id)
        return super().update_account(account_id, **changes)

    def stamp_webhooks(self, platform: Platform, account_id: str, stamp: str) -> None:
        self._check(account_id)
        super().stamp_webhooks(platform, account_id, stamp)

    def credential(self, account_id: str, platform: Platform, label: str = DEFAULT) -> Credential | None:
        return super().credential(account_id, platform, label) if account_id in self.only else None

    def credentials(self) -> list[Credential]:
        return [credential for credential in super().credentials() if credential.account_id in self.only]

    def account_credentials(self, account_id: str) -> list[Credential]:
        self._check(account_id)
        return super().account_credentials(account_id)

    def put_credential(self, given: Credential) -> Credential:
        self._check(given.account_id)
        return super().put_credential(given)

    def delete_credential(self, account_id: str, platform: Platform, label: str = DEFAULT) -> tuple[Credential, int]:
        self._check(account_id)
        return super().delete_credential(account_id, platform, label)

    def profile(self, platform: Platform, profile_id: str) -> Profile | None:
        found = super().profile(platform, profile_id)
        return found if found is not None and found.account_id in self.only else None

    def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> list[Profile]:
        return [profile for profile in super().profiles(account_id, platform) if profile.account_id in self.only]

    def owners(self, listed: Sequence[Profile]) -> list[Owner]:
        for account_id in {profile.account_id for profile in listed}:
            self._check(account_id)
        return super().owners(listed)

    def list_profiles(self, limit: int = 50, token: str = "") -> tuple[list[Profile], str]:  # noqa: ARG002  one page
        return self.profiles(), ""

    def change_options(
        self, platform: Platform, profile_id: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> Profile:
        if self.profile(platform, profile_id) is None:
            message = f"there is no ad account {profile_id[:64]} of {platform}"
            raise NotFound(message, [{"field": "profile_id", "message": "is unknown"}])
        return super().change_options(platform, profile_id, change)

    def find_objects(
        self, platform: Platform, profile_ids: Sequence[str], dataset: Dataset, ids: Sequence[str]
    ) -> dict[str, list[PlatformObject]]:
        own = [profile_id for profile_id in profile_ids if self.profile(platform, profile_id)]
        return super().find_objects(platform, own, dataset, ids)

    def objects(self, platform: Platform, profile_id: str, dataset: Dataset) -> Iterator[PlatformObject]:
        own = self.profile(platform, profile_id) is not None
        return super().objects(platform, profile_id, dataset) if own else iter(())

    def invoices(self, platform: Platform, profile_id: str, first: str = "", last: str = "") -> Iterator[Invoice]:
        own = self.profile(platform, profile_id) is not None
        return super().invoices(platform, profile_id, first, last) if own else iter(())

    def terms(self, account: Account) -> Terms:
        self._check(account.account_id)
        return super().terms(account)

    def references(self, account_id: str, data_type: str, source: str = "") -> Iterator[ReferenceRow]:
        return super().references(account_id, data_type, source) if account_id in self.only else iter(())

    def reference_sources(self, account_id: str, data_type: str) -> Iterator[str]:
        return super().reference_sources(account_id, data_type) if account_id in self.only else iter(())

    def reference_days(
        self, account_id: str, data_type: str, source: str, said: Mapping[str, str], days: Window
    ) -> Iterator[ReferenceRow]:
        self._check(account_id)
        return super().reference_days(account_id, data_type, source, said, days)

    def remove_reference(self, account_id: str, data_type: str, row: ReferenceRow, as_of: str) -> bool:
        self._check(account_id)
        return super().remove_reference(account_id, data_type, row, as_of)

    def named_campaigns(self, ids: Iterable[str]) -> dict[str, Campaign]:
        return {id_: each for id_, each in super().named_campaigns(ids).items() if each.account_id in self.only}

    def few_campaigns(self, ids: Iterable[str]) -> dict[str, Campaign]:
        return {id_: each for id_, each in super().few_campaigns(ids).items() if each.account_id in self.only}

    def campaign(self, campaign_id: str) -> Campaign:
        """`few_campaigns` leaves out those of others."""
        return super().campaign(campaign_id)

    def campaigns_of(self, account_id: str) -> list[Campaign]:
        return super().campaigns_of(account_id) if account_id in self.only else []

    def list_campaigns(self, limit: int = 50, token: str = "", account_id: str = "") -> tuple[list[Campaign], str]:
        among = [account_id] if account_id else self.only
        return self._page_of([each for one in among for each in self.campaigns_of(one)], limit, token)

    def create_campaign(self, fresh: Campaign) -> Campaign:
        self._check(fresh.account_id)
        return super().create_campaign(fresh)

    def change_campaign(
        self, campaign_id: str, change: Callable[[Campaign], Campaign], version: int | None = None
    ) -> tuple[Campaign, Campaign]:
        """Reads it by `campaign` first."""
        return super().change_campaign(campaign_id, change, version)

    def delete_campaign(self, campaign_id: str) -> Campaign:
        """Reads it by `campaign` first."""
        return super().delete_campaign(campaign_id)

    def spec_text(self, name: str) -> str:
        """A spec is the deployment's, has no secret, and is needed to pull what the key may see."""
        return super().spec_text(name)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise Forbidden("this call is for keys of all accounts")

    door = doors = reached = found = items = mark_broken = mark_profile = put_objects = put_invoices = (
        remove_missing
    ) = remove_missing_profiles = _refuse
    put_mapping = mappings_for = list_mappings = delete_mapping = _refuse
    put_spec = delete_spec = spec = specs = _refuse
    job = jobs = put_job = drop_job = _refuse
    put_workflow = delete_workflow = stored_workflow = stored_workflows = _refuse
    put_references = unlisted_profile = create_account = delete_account = create_key = key = list_keys = revoke_key = (
        rotate_key
    ) = find_key = unlisted_profile_to_be = _refuse
