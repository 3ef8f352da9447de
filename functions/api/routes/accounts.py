"""Client accounts."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from adweir.model import limits
from adweir.model.account_fields import CompanyName, Currency, Email, Pattern, Timezone, checked_changes
from adweir.model.entities import Account
from adweir.model.errors import Unprocessable
from adweir.model.ids import IdKind
from adweir.model.media_mix import MediaMix
from adweir.model.terms import Terms, terms_among
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import (
    PAGE_ITEMS,
    AccountId,
    AccountPath,
    Given,
    Instant,
    Limit,
    NextToken,
    OneOf,
    PageToken,
    Shown,
)


class NamingChange(Given):
    """How the client names things on its platforms: named parts in braces; null stops reading names.

    No part contains what stands between any two, but a last one with a star: `{market}_{rest*}`.
    """

    campaign: Pattern | None = None
    ad_group: Pattern | None = None
    ad: Pattern | None = None


class NewAccount(Given):
    """A client company to register."""

    company_name: CompanyName
    primary_contact_email: Email


class AccountChange(Given):
    """The fields to change; the others stay."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    company_name: CompanyName = Field(default="", min_length=1)
    primary_contact_email: Email = Field(default="", min_length=1)
    currency: Currency = Field(default="", description="Of its own figures; empty: its first ad account's, or USD.")
    timezone: Timezone = Field(default="", description="An IANA name; empty: its first ad account's, or UTC.")
    naming: NamingChange = Field(default=NamingChange(), description="Patterns to change; the others stay.")
    media_mix: MediaMix | None = Field(
        default=None, description="How its media-mix datasets are made; replaces all of it, and null ends it."
    )


class AccountAnswer(Shown):
    """A client company."""

    account_id: AccountId
    company_name: str
    primary_contact_email: str
    status: Annotated[str, OneOf("active", "deleted")]
    currency: Currency
    timezone: Timezone
    naming: dict[str, str] = Field(description="The pattern of the names of each level that has one.")
    media_mix: MediaMix = Field(description="How its media-mix datasets are made.")
    created_at: Instant
    updated_at: Instant


class CreatedAccount(AccountAnswer):
    """The client company that was registered."""

    warnings: list[str] = Field(description="Possible mistakes, e.g. that another company has this name.")


class AccountList(Shown):
    """One page of client companies, by id."""

    accounts: list[AccountAnswer]
    next_token: NextToken


class DeletedAccount(Shown):
    """The client company that was deleted."""

    account_id: AccountId
    status: Literal["deleted"] = "deleted"
    credentials: int = Field(description="How many credentials were deleted with it.")
    profiles: int = Field(description="How many ad accounts are no longer pulled.")


accounts = Resource("Accounts", "Client companies")


@accounts.route("POST", "/api/v1/accounts", "Register a client company", scope="write", status=201)
def create_account(app: Here, new: NewAccount) -> CreatedAccount:
    """Next, store its credentials. Two companies may have the same name; a warning says so."""
    name = new.company_name.casefold()
    same = [known.account_id for known in app.catalog.accounts() if known.company_name.casefold() == name]
    warnings = [f"another account has this name: {account_id}" for account_id in same[: limits.MAX_WARNINGS]]
    account_id = IdKind.ACCOUNT.make(app.new_id)
    created = app.catalog.create_account(account_id, new.company_name, new.primary_contact_email)
    return CreatedAccount(**_shown(app, created).model_dump(), warnings=warnings)


@accounts.route("GET", "/api/v1/accounts", "List the client companies", limited=True)
def list_accounts(app: Here, limit: Limit = PAGE_ITEMS, next_token: PageToken = "") -> AccountList:
    found, token = app.catalog.list_accounts(limit, next_token)
    of_all = app.catalog.profiles()
    shown = [_in_terms(account, terms_among(account, of_all)) for account in found]
    return AccountList(accounts=shown, next_token=token or None)


@accounts.route("GET", "/api/v1/accounts/{account_id}", "Get a client company", limited=True)
def get_account(app: Here, account_id: AccountPath) -> AccountAnswer:
    return _shown(app, app.catalog.account(account_id))


@accounts.route("PATCH", "/api/v1/accounts/{account_id}", "Change a client company", limited=True, scope="write")
def update_account(app: Here, caller: Caller, account_id: AccountPath, change: AccountChange) -> AccountAnswer:
    from adweir.pipeline.recorded import account_changes

    changes = change.model_dump(exclude_unset=True)
    if not changes:
        raise Unprocessable("nothing to change", [{"field": "body", "message": "at least one field is needed"}])
    was = app.catalog.account(account_id)
    account = app.catalog.update_account(account_id, **checked_changes(was, changes, app.platforms.parse))
    changed = account_changes(was, account)
    note_change(app, caller, "update account", account_id, kind="account", account_id=account_id, changes=changed)
    return _shown(app, account)


@accounts.route("DELETE", "/api/v1/accounts/{account_id}", "Delete a client company", scope="admin")
def delete_account(app: Here, account_id: AccountPath) -> DeletedAccount:
    """Its credentials and webhook secrets are deleted with it. What was measured stays stored.

    A deletion that broke off can be requested again. Once it is complete, the account is unknown.
    """
    credentials, profiles = app.registration.forget_account(account_id)
    return DeletedAccount(account_id=account_id, credentials=credentials, profiles=profiles)


def _shown(app: App, account: Account) -> AccountAnswer:
    return _in_terms(account, app.catalog.terms(account))


def _in_terms(account: Account, terms: Terms) -> AccountAnswer:
    """An account with the currency and time zone that its own figures are in."""
    return AccountAnswer.of(account.model_copy(update=terms._asdict()))


def only_account(app: App) -> str:
    """The id of the only account. Raises Unprocessable when there are several or none."""
    known = app.catalog.accounts()
    if len(known) != 1:
        message = f"account_id is required: there are {len(known)} accounts"
        raise Unprocessable(message, [{"field": "account_id", "message": "is required"}])
    return known[0].account_id
