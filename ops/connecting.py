"""`adweir connect`, `disconnect`: credentials of platforms. They come from the environment or are asked for, never from
the command line, which others can see; the platform is asked at once whether they work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from adweir.model.entities import Owner
from adweir.platforms.base import PlatformSpec
from adweir.platforms.credentials import FieldKind
from ops import deeds
from ops.accounts import account_or_only
from ops.errors import CommandFailed
from ops.options import Json, Yes, app_of, target_of, where_of
from ops.output import ask, confirm, remark, show_json, show_outcome, show_table

_OWNERS = {
    Owner.THIS_CREDENTIAL: "pulled with this credential",
    Owner.OTHER_CREDENTIAL: "pulled with another credential of this client",
    Owner.OTHER_CLIENT: "another client has it",
}
Platform = Annotated[str, typer.Argument(metavar="PLATFORM", help="meta, google, amazon, ...", show_default=False)]
Account = Annotated[str, typer.Option(help="The client account, by id; needed where there are several.")]
Label = Annotated[str, typer.Option(help="Tells several credentials of one platform apart, such as eu and us.")]


def connect(
    context: typer.Context,
    platform: Platform,
    given: Annotated[
        list[str] | None,
        typer.Argument(metavar="FIELD=VALUE", help="Fields that are no secrets.", show_default=False),
    ] = None,
    account: Account = "",
    label: Label = "",
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Store a platform's credential after the platform was asked whether it works, or replace one.

    A field of Meta is read from META_ADS_ACCESS_TOKEN, META_ADS_APP_ID and so on; what is not there is asked for.
    Tasks that waited for the credential are tried again.
    """
    target = target_of(context).app_of_api()
    spec = target.platforms.spec(target.platforms.parse(platform))
    account_id = account_or_only(target, account)
    values = _values(context, spec, _read(spec, given or []))
    stored, check = target.registration.register(account_id, spec.name, values, label)
    about = f"{stored.platform} {stored.label} of {account_id}"
    said = f"version {stored.version}; with platform, {', '.join(sorted(values))}"
    deeds.note(target, "create credential", about, said, kind="credential", account_id=account_id)
    waited = sum(1 for _ in target.ledger.parked(account_id, stored.platform, stored.label))
    if as_json:
        seen = [each._asdict() for each in check.seen]
        plain = stored.model_dump(mode="json", exclude={"secret_id", "app"})
        show_json(plain | {"unchecked": check.unchecked, "ad_accounts": seen, "tasks_redriven": waited})
        return
    typer.echo(f"stored {about}, version {stored.version}")
    if check.unchecked:
        remark(f"  it was not checked: {check.unchecked}")
    else:
        nothing = f"  it works and lists no ad account. {spec.nothing_listed(stored.route)}"
        rows = [(each.profile_id, _OWNERS[each.owner], each.name) for each in check.seen]
        show_table(("AD ACCOUNT", "WHOSE", "NAME"), rows, nothing)
        if check.more:
            remark("  and more, which the next sync lists")
    if waited:
        again = "1 task that waited for it is" if waited == 1 else f"{waited} tasks that waited for it are"
        remark(f"  {again} tried again")
    remark(f"pull it: adweir sync {account_id} --watch")


def disconnect(
    context: typer.Context,
    platform: Platform,
    account: Account = "",
    label: Label = "",
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Delete a credential. The ad accounts that it reached are no longer pulled; what was measured stays."""
    target = app_of(context)
    account_id = account_or_only(target, account)
    name = target.platforms.parse(platform)
    confirm(context, f"Delete the credential {label or 'default'} of {name} of {account_id}", yes=yes)
    deleted, profiles = target.registration.forget(account_id, platform, label)
    about = f"{deleted.platform} {deleted.label} of {account_id}"
    outcome = f"version {deleted.version}; deleted; {profiles} ad accounts are no longer pulled"
    deeds.note(target, "delete credential", about, outcome, kind="credential", account_id=account_id)
    record = {"account_id": account_id, "platform": deleted.platform, "label": deleted.label, "status": "deleted"}
    said = f"deleted {about}; {profiles} ad accounts are no longer pulled"
    show_outcome(record | {"profiles": profiles}, said, as_json=as_json)


def variable(spec: PlatformSpec, field: str) -> str:
    """The environment variable that a field of a credential is read from."""
    return f"{spec.name}_{field}".upper()


def _is_open(spec: PlatformSpec) -> bool:
    """Whether its credential may have further fields: those that a spec names."""
    return spec.credential.model_config.get("extra") == "allow"


def _read(spec: PlatformSpec, given: list[str]) -> dict[str, str]:
    """`FIELD=VALUE` texts. Raises CommandFailed for a secret, which others could see."""
    known, secret = spec.credential.model_fields, spec.credential.named(FieldKind.SECRET)
    found: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or not (name in known or (_is_open(spec) and name.endswith("_id"))):
            fields = ", ".join(each for each in known if each not in secret)
            raise CommandFailed(
                f"{name[:40]!r} is not FIELD=VALUE; fields of {spec.name}: {fields or 'all are secrets'}"
            )
        if name in secret:
            instead = f"leave it out and answer, or set {variable(spec, name)}"
            raise CommandFailed(f"{name} is a secret, and a command line can be seen by others: {instead}")
        found[name] = value
    return found


def _values(context: typer.Context, spec: PlatformSpec, given: Mapping[str, str]) -> dict[str, str]:
    """The credential's fields: given, else of the environment, else asked for. Raises CommandFailed."""
    fields, secret = spec.credential.model_fields, spec.credential.named(FieldKind.SECRET)
    begin = variable(spec, "")
    others = [name.removeprefix(begin).lower() for name in os.environ if _is_open(spec) and name.startswith(begin)]
    found = {name: value for name in (*fields, *others) if (value := os.environ.get(variable(spec, name)))}
    values = found | dict(given)
    missing = [name for name, field in fields.items() if field.is_required() and name not in values]
    silent = where_of(context).no_input
    if missing and silent:
        raise CommandFailed(f"there is nobody to ask: set {', '.join(variable(spec, name) for name in missing)}")
    for name in missing:
        hint = f"set {variable(spec, name)}"
        values[name] = ask(context, f"{spec.title}, {name.replace('_', ' ')}", hint, hidden=name in secret).strip()
    return values
