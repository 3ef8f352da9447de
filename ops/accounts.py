"""`adweir accounts`: client companies, their credentials and ad accounts; and which of them a command is for."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError

from adweir.model.account_fields import CompanyName, Email, checked_changes
from adweir.model.entities import Account, Credential, Profile
from adweir.model.errors import NotFound
from adweir.model.ids import IdKind
from adweir.model.media_mix import MediaMix
from adweir.pipeline.health import newest_pulls
from adweir.pipeline.recorded import account_changes
from adweir.runtime.app import App
from ops import deeds
from ops.errors import CommandFailed
from ops.options import Json, Yes, app_of, group
from ops.output import confirm, remark, show_fields, show_json, show_outcome, show_table, time_text

_SHOWN = 5
AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The client account, by id.", show_default=False)]

app = group("Client companies, their credentials and ad accounts.")


class NewClient(BaseModel):
    """What is said of a client company that is registered."""

    company_name: CompanyName
    primary_contact_email: Email


@app.command("list")
def list_accounts(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """List the client companies."""
    target = app_of(context)
    reached = Counter(profile.account_id for profile in target.catalog.profiles() if profile.is_listed)
    broken = Counter(one.account_id for one in target.catalog.credentials() if one.state != "active")
    found = target.catalog.accounts()
    if as_json:
        for account in found:
            show_json(account.model_dump(mode="json"))
        return
    rows = [(one.account_id, reached[one.account_id], broken[one.account_id] or "", one.company_name) for one in found]
    nothing = "there is no client account yet: adweir accounts create NAME EMAIL"
    show_table(("ACCOUNT", ">AD ACCOUNTS", ">REFUSED", "NAME"), rows, nothing)


@app.command()
def show(context: typer.Context, account: AccountId, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show a client company, its credentials, and its ad accounts with their newest day."""
    target = app_of(context)
    found = target.catalog.account(account)
    credentials = target.catalog.account_credentials(account)
    profiles = sorted(target.catalog.profiles(account), key=lambda one: one.key)
    newest, reached = newest_pulls(target.ledger.successes())
    if as_json:
        show_json(_plain(found, credentials, profiles))
        return
    show_fields(
        {
            "account": found.account_id,
            "name": found.company_name,
            "contact": found.primary_contact_email,
            "currency": found.currency,
            "time zone": found.timezone,
            "since": f"{time_text(found.created_at)} UTC",
        }
    )
    typer.echo()
    rows = [(one.platform, one.label, one.state, one.ends_on, one.reason) for one in credentials]
    show_table(("PLATFORM", "LABEL", "STATE", "ENDS", "REASON"), rows, "no credential yet: adweir connect PLATFORM")
    if profiles:
        typer.echo()
        listed = [
            (
                one.platform,
                one.shown_id,
                one.status.value,
                reached.get(one.key),
                time_text(newest.get(one.key)),
                one.name,
            )
            for one in profiles
        ]
        show_table(("PLATFORM", "AD ACCOUNT", "STATUS", "NEWEST DAY", "LAST PULL (UTC)", "NAME"), listed, "")


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The company's name.")],
    email: Annotated[str, typer.Argument(help="The main contact's e-mail address.")],
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Register a client company; prints its id. Next: adweir connect."""
    try:
        new = NewClient(company_name=name, primary_contact_email=email)
    except ValidationError as error:
        wrong = "the name" if error.errors()[0]["loc"] == ("company_name",) else "the e-mail address"
        raise CommandFailed(f"{wrong} cannot be: {error.errors()[0]['msg']}") from None
    target = app_of(context)
    same = [
        one.account_id
        for one in target.catalog.accounts()
        if one.company_name.casefold() == new.company_name.casefold()
    ]
    account_id = IdKind.ACCOUNT.make(target.new_id)
    made = target.catalog.create_account(account_id, new.company_name, new.primary_contact_email)
    deeds.note(target, "create account", made.account_id, kind="account", account_id=made.account_id)
    show_outcome(made.model_dump(mode="json"), made.account_id, as_json=as_json)
    if same:
        remark(f"another account has this name: {', '.join(same[:_SHOWN])}")
    remark(f"store its credentials: adweir connect PLATFORM --account {made.account_id}")


@app.command("media-mix")
def media_mix(
    context: typer.Context,
    account: AccountId,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="JSON, as `media_mix` of the API; replaces the settings."),
    ] = None,
) -> None:
    """Show what counts as a channel, KPI and control of a client's media mix, or replace it by a file."""
    target = app_of(context)
    was = target.catalog.account(account)
    if file is None:
        show_json(was.media_mix.model_dump(mode="json"))
        return
    try:
        wanted = MediaMix.model_validate_json(file.read_text("utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{file.name}: {_why(error)}") from None
    changes = checked_changes(was, {"media_mix": wanted.model_dump(mode="json")}, target.platforms.parse)
    made = target.catalog.update_account(account, **changes)
    changed = account_changes(was, made)
    deeds.note(target, "update account", account, kind="account", account_id=account, changes=changed)
    show_json(made.media_mix.model_dump(mode="json"))
    remark(f"the next dataset is made so: adweir etl --account {account}")


def _why(error: ValidationError | UnicodeDecodeError) -> str:
    """What is wrong with a file, and where."""
    if isinstance(error, UnicodeDecodeError):
        return "is no text in UTF-8"
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"


@app.command()
def delete(
    context: typer.Context,
    account: AccountId,
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Delete a client company with its credentials and webhook secrets. What was measured stays stored."""
    target = app_of(context)
    name = target.catalog.account(account).company_name
    confirm(context, f"Delete {name} ({account}) with its credentials", yes=yes)
    credentials, profiles = target.registration.forget_account(account)
    outcome = f"{credentials} credentials deleted; {profiles} ad accounts are no longer pulled"
    deeds.note(target, "delete account", account, outcome, kind="account", account_id=account)
    record = {"account_id": account, "status": "deleted", "credentials": credentials, "profiles": profiles}
    show_outcome(record, f"deleted {account}: {outcome}", as_json=as_json)


def account_or_only(target: App, account: str) -> str:
    """The id of a client account, or of the only one. Raises CommandFailed, which names those that there are."""
    if account:
        with suppress(NotFound):
            return target.catalog.account(account).account_id
    found, more = target.catalog.list_accounts(_SHOWN)
    if not found:
        raise CommandFailed("there is no client account yet: adweir accounts create NAME EMAIL")
    if len(found) == 1 and not account:
        return found[0].account_id
    named = ", ".join(f"{one.account_id} ({one.company_name})" for one in found)
    unknown = f"there is no client account {account[:100]}; known:"
    why = unknown if account else "which client account? Add --account ID:"
    raise CommandFailed(f"{why} {named}{', ...' if more else ''}")


def _plain(account: Account, credentials: list[Credential], profiles: list[Profile]) -> dict[str, Any]:
    hidden = {"secret_id", "app"}
    return account.model_dump(mode="json") | {
        "credentials": [one.model_dump(mode="json", exclude=hidden) for one in credentials],
        "profiles": [one.model_dump(mode="json") for one in profiles],
    }
