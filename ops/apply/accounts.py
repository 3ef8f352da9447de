"""Client companies of the file: which stored one each entry is, and what changes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from adweir.model.account_fields import CompanyName, Currency, Email, Pattern, Timezone, checked_changes
from adweir.model.entities import Account
from adweir.model.errors import BadInput, Conflict
from adweir.model.ids import IdKind
from adweir.model.media_mix import MediaMix
from adweir.pipeline.recorded import account_changes
from ops.apply.planning import Planning, StepVerb, ThingKind, differences
from ops.apply.text import Place

OWN = ("company_name", "primary_contact_email", "currency", "timezone", "naming", "media_mix")
"""An account's own fields; one that the file leaves out stays as it is."""


def _digits(value: object) -> object:
    """YAML reads an id of digits as a number; its digits are kept."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Digits = Annotated[str, BeforeValidator(_digits)]


class FilePart(BaseModel):
    """A part of the file: no other fields, and no value in a message, for it may be a secret."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NamingPart(FilePart):
    campaign: Pattern | None = None
    ad_group: Pattern | None = None
    ad: Pattern | None = None


class AccountPart(FilePart):
    """A client company; what it has beside its own fields is read by whoever plans that."""

    account_id: str | None = None
    company_name: CompanyName | None = None
    primary_contact_email: Email | None = None
    currency: Currency | None = None
    timezone: Timezone | None = None
    naming: NamingPart | None = None
    media_mix: MediaMix | None = None
    credentials: Any = None
    webhooks: Any = None
    mappings: Any = None


@dataclass(frozen=True)
class ListedCompany:
    """An entry of the file and the account that it is; `stored` is None for one that is to be created."""

    account_id: str
    name: str
    stored: Account | None
    part: AccountPart
    place: Place


class Companies:
    """All accounts that there will be, by id and by name."""

    def __init__(self, stored: list[Account]) -> None:
        self.stored = {account.account_id: account for account in stored}
        self.after = dict(self.stored)
        self.listed: list[ListedCompany] = []

    def named(self, name: str) -> list[str]:
        """The ids of the accounts that are called so, in any case."""
        wanted = name.strip().casefold()
        return [each.account_id for each in self.after.values() if each.company_name.casefold() == wanted]

    def id_of(self, given: str) -> str:
        """An account by id or name; what is neither, or several, stays as it is."""
        found = [given] if given in self.after else self.named(given)
        return found[0] if len(found) == 1 else given

    def called(self, given: str) -> str:
        """Why a name is no account."""
        found = self.named(given)
        if found:
            return f"several client companies are called so: name one by its id, {' or '.join(sorted(found))}"
        return "there is no such client company, neither by id nor by name"


def plan_accounts(planning: Planning, given: Any) -> Companies:
    """Steps for the accounts themselves."""
    companies = Companies(planning.app.catalog.accounts())
    if given is None:
        return companies
    entries = planning.sequence(given, ("accounts",))
    parts = [(part, place) for each, place in entries if (part := planning.read(AccountPart, each, place)) is not None]
    claimed = {part.account_id for part, _ in parts if part.account_id}
    seen: dict[str, Place] = {}
    for part, place in parts:
        company = _company(planning, companies, part, place, claimed)
        if company is None:
            continue
        key = company.account_id if company.stored else f"called {company.name.casefold()}"
        if not planning.once(seen, key, place):
            continue
        companies.listed.append(company)
        changed = _change(planning, company) if company.stored else _creation(planning, company, companies)
        companies.after[company.account_id] = changed
    if planning.prune:
        for account in list(companies.stored.values()):
            if account.account_id not in seen:
                _removal(planning, account)
                del companies.after[account.account_id]
    return companies


def _company(
    planning: Planning, companies: Companies, part: AccountPart, place: Place, claimed: set[str | None]
) -> ListedCompany | None:
    """Which account an entry is: by its id, else by its name, in any case."""
    name = part.company_name or ""
    if part.account_id:
        stored = companies.stored.get(part.account_id)
        if stored is None:
            why = "there is no such client company here; leave the id out to find it by its name, or to create it"
            planning.fault((*place, "account_id"), why)
            return None
        return ListedCompany(stored.account_id, name or stored.company_name, stored, part, place)
    if not name:
        planning.fault(place, "has neither company_name nor account_id")
        return None
    known = [
        account
        for account in companies.stored.values()
        if account.company_name.casefold() == name.casefold() and account.account_id not in claimed
    ]
    if len(known) > 1:
        ids = " or ".join(account.account_id for account in known)
        planning.fault((*place, "company_name"), f"several are called so: say which with account_id, {ids}")
        return None
    if known:
        return ListedCompany(known[0].account_id, name, known[0], part, place)
    return ListedCompany(IdKind.ACCOUNT.make(planning.app.new_id), name, None, part, place)


def _given(part: AccountPart) -> dict[str, Any]:
    found: dict[str, Any] = part.model_dump(include=set(OWN) & part.model_fields_set, exclude_unset=True)
    return {name: value for name, value in found.items() if value is not None}


def _checked(planning: Planning, account: Account, given: Mapping[str, Any], place: Place) -> Account:
    """The account as it will be. What is refused is a fault, and stays as it is."""
    try:
        return account.model_copy(update=checked_changes(account, given, planning.app.platforms.parse))
    except BadInput as error:
        planning.refused(place, error)
        return account


def _creation(planning: Planning, company: ListedCompany, companies: Companies) -> Account:
    app, given = planning.app, _given(company.part)
    email = given.get("primary_contact_email", "")
    place = (*company.place, "primary_contact_email")
    if not email and not planning.is_refused(place):
        planning.fault(place, "is required: there is no such client company yet")
    bare = Account(account_id=company.account_id, company_name=company.name, primary_contact_email=email)
    account = _checked(planning, bare, given, company.place)

    def write() -> str:
        name = company.name.casefold()
        called = {each.account_id for each in app.catalog.accounts() if each.company_name.casefold() == name}
        if called.difference(companies.named(name)):
            raise Conflict(f"someone else made a client company {company.name} since it was looked for; apply again")
        created = app.catalog.create_account(account.account_id, account.company_name, email)
        about: dict[str, Any] = {"kind": "account", "account_id": account.account_id}
        made = f"account_id {account.account_id}; with company_name, primary_contact_email"
        planning.note("create account", "", made, **about)
        more = {name: getattr(account, name) for name in OWN if getattr(account, name) != getattr(created, name)}
        if more:
            app.catalog.update_account(account.account_id, read=created, **more)
            about["changes"] = account_changes(created, account)
            planning.note("update account", account.account_id, "done", **about)
        return account.account_id

    fields = differences({}, account.model_dump(mode="json", include=set(OWN)))
    planning.add(
        StepVerb.ADD, ThingKind.ACCOUNT, company.name, fields=fields, write=write, account_id=account.account_id
    )
    return account


def _change(planning: Planning, company: ListedCompany) -> Account:
    was = company.stored
    assert was is not None  # noqa: S101  the caller looks
    account = _checked(planning, was, _given(company.part), company.place)
    if account == was:
        planning.same += 1
        return account

    def write() -> str:
        changed = {name: getattr(account, name) for name in OWN if getattr(account, name) != getattr(was, name)}
        now = planning.app.catalog.update_account(was.account_id, read=was, **changed)
        changes = account_changes(was, now)
        about: dict[str, Any] = {"kind": "account", "account_id": was.account_id, "changes": changes}
        planning.note("update account", was.account_id, "done", **about)
        return ""

    before, after = (one.model_dump(mode="json", include=set(OWN)) for one in (was, account))
    fields = differences(before, after)
    planning.add(
        StepVerb.CHANGE, ThingKind.ACCOUNT, was.company_name, fields=fields, write=write, account_id=was.account_id
    )
    return account


def _removal(planning: Planning, account: Account) -> None:
    held = [f"{each.platform} {each.label}" for each in planning.app.catalog.account_credentials(account.account_id)]
    fields = differences({"credentials": ", ".join(held)}, {})

    def write() -> str:
        if planning.app.catalog.account(account.account_id) != account:
            raise Conflict(f"someone else changed account {account.account_id} since it was read; apply again")
        credentials, profiles = planning.app.registration.forget_account(account.account_id)
        about = {"kind": "account", "account_id": account.account_id}
        planning.note("delete account", account.account_id, "deleted", **about)
        return f"{credentials} credentials deleted, {profiles} ad accounts are no longer pulled"

    planning.remove(ThingKind.ACCOUNT, account.company_name, write, account.account_id, fields)
