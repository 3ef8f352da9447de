"""Credentials and webhook secrets of the file. A secret is named by a variable of the environment, and shown nowhere.

What the file gives is compared in memory with what Secrets Manager has. A variable that is not set leaves the secret
as it is stored; where none is stored, it is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.intake.doors.registration import parse_label
from adweir.intake.doors.webhook_secrets import (
    FIELDS,
    check_strength,
    revoke_webhook_secrets,
    set_webhook_secret,
    webhook_secrets,
)
from adweir.model.deeds import FieldChange
from adweir.model.entities import Credential
from adweir.model.errors import BadInput, Conflict, NotFound
from adweir.model.platforms import Platform
from ops.apply.accounts import ListedCompany
from ops.apply.planning import HIDDEN, Planning, StepVerb, ThingKind, suggested
from ops.apply.text import Place

if TYPE_CHECKING:
    from adweir.intake.doors.credential_check import Check
    from adweir.platforms.credentials import CredentialFields

_ENV = "env"
_VARIABLE = re.compile("[A-Z_][A-Z0-9_]{0,199}")
"""So narrow that few secrets, which somebody may write here by mistake, are repeated in a message."""


class Door(NamedTuple):
    """Where deliveries of a platform come in: a client's own address, or with account "" the deployment's."""

    platform: Platform
    account_id: str
    company: str

    @property
    def name(self) -> str:
        return f"{self.platform} of {self.company}" if self.account_id else f"{self.platform} of the deployment"


def plan_credentials(planning: Planning, company: ListedCompany) -> None:
    """Steps for the credentials of one client company."""
    place = (*company.place, "credentials")
    if "credentials" not in company.part.model_fields_set:
        return
    stored = planning.app.catalog.account_credentials(company.account_id) if company.stored else []
    known = {(each.platform, each.label): each for each in stored}
    seen: dict[Any, Place] = {}
    for given, where in planning.sequence(company.part.credentials, place):
        key = _key(planning, given, where)
        if key is not None and planning.once(seen, key, where):
            fields = {name: value for name, value in given.items() if name not in {"platform", "label"}}
            _plan_credential(planning, company, key, known.get(key), (fields, where))
    if planning.prune:
        for key, credential in known.items():
            if key not in seen:
                _forget(planning, company, credential)


def _key(planning: Planning, given: Any, place: Place) -> tuple[Platform, str] | None:
    """The platform and label of an entry."""
    if not isinstance(given, dict) or not isinstance(given.get("platform"), str):
        planning.fault(place, "has to be fields, of which `platform` names the platform")
        return None
    try:
        platform = planning.app.platforms.parse(given["platform"])
        return platform, parse_label(str(given.get("label") or ""))
    except BadInput as error:
        planning.refused(place, error)
        return None


def _plan_credential(
    planning: Planning,
    company: ListedCompany,
    key: tuple[Platform, str],
    stored: Credential | None,
    entry: tuple[Mapping[str, Any], Place],
) -> None:
    platform, label = key
    (given, place), faults = entry, len(planning.faults)
    if not given and stored is not None:  # it is only named
        planning.same += 1
        return
    known = _known(planning, stored)
    model = planning.app.platforms.spec(platform).credential
    values: dict[str, str] = {}
    for name, value in given.items():
        if name not in model.model_fields and model.model_config.get("extra") != "allow":
            planning.fault((*place, name), suggested(name, model.model_fields))
        elif (read := _value(planning, value, (*place, name), known.get(name))) is None:
            continue
        elif not isinstance(value, dict) and model.secrets_in({name: read}):
            _is_secret(planning, (*place, name))
        else:
            values[name] = read
    name = f"{platform} of {company.name}" if label == "default" else f"{platform} ({label}) of {company.name}"
    if len(planning.faults) > faults:
        return
    if values == known and stored is not None:
        planning.same += 1
        if stored.state != "active":
            planning.notes.append(f"credential {name} is broken: {stored.reason}")
        return
    try:
        planning.app.registration.checked(platform, values)
    except BadInput as error:
        planning.refused(place, error)
        return
    fields = [
        _shown(one, known.get(one), values.get(one), is_secret=_is_hidden(model, one, given.get(one)))
        for one in dict.fromkeys([*values, *known])
        if known.get(one) != values.get(one)
    ]
    write = partial(_register, planning, company.account_id, (platform, label), values, stored)
    verb = StepVerb.CHANGE if stored else StepVerb.ADD
    planning.add(verb, ThingKind.CREDENTIAL, name, fields=fields, write=write, account_id=company.account_id)


def _is_hidden(model: type[CredentialFields], name: str, given: Any) -> bool:
    """Whether a value is not shown: a secret, and whatever stood in the environment."""
    return isinstance(given, dict) or bool(model.secrets_in({name: "x"}))


def _known(planning: Planning, stored: Credential | None) -> dict[str, str]:
    """The values of a stored credential; none where its secret is gone."""
    if stored is None:
        return {}
    secrets = planning.app.secrets
    secrets.forget(stored.secret_id)
    try:
        return secrets.get(stored.secret_id)
    except NotFound:
        return {}


def _register(
    planning: Planning,
    account_id: str,
    key: tuple[Platform, str],
    values: Mapping[str, str],
    stored: Credential | None,
) -> str:
    platform, label = key
    version = stored.version if stored else 0
    credential, check = planning.app.registration.register(account_id, platform, values, label, read=version)
    named = ", ".join(["with platform", *sorted(values)])
    about = f"{credential.platform} {credential.label} of {account_id}"
    outcome = f"version {credential.version}; {named}"
    planning.note("create credential", about, outcome, kind="credential", account_id=account_id)
    return _checked(check)


def _checked(check: Check) -> str:
    if check.unchecked:
        return f"stored unchecked: {check.unchecked}"
    return f"works: lists {len(check.seen)}{' or more' if check.more else ''} ad accounts"


def _forget(planning: Planning, company: ListedCompany, credential: Credential) -> None:
    platform, label = credential.platform, credential.label
    name = f"{platform} ({label}) of {company.name}"
    if platform not in planning.app.platforms:
        planning.notes.append(f"credential {name} stays: its platform is not connected any more")
        return

    def write() -> str:
        now = planning.app.catalog.credential(credential.account_id, platform, label)
        if now is None or now.version != credential.version:
            raise Conflict("someone else replaced this credential since it was read; apply again")
        _, profiles = planning.app.registration.forget(credential.account_id, platform, label)
        outcome = f"version {credential.version}; deleted; {profiles} ad accounts are no longer pulled"
        about = f"{platform} {label} of {credential.account_id}"
        planning.note("delete credential", about, outcome, kind="credential", account_id=credential.account_id)
        return f"{profiles} ad accounts are no longer pulled"

    planning.remove(ThingKind.CREDENTIAL, name, write, credential.account_id)


def plan_webhooks(planning: Planning, given: Any, place: Place, company: ListedCompany | None) -> None:
    """Steps for the webhook secrets of a client company, or of the deployment."""
    account_id, called = (company.account_id, company.name) if company else ("", "")
    is_new = company is not None and company.stored is None
    if not isinstance(given, dict):
        planning.fault(place, "has to be platforms, each with its secrets")
        return
    seen: dict[Any, Place] = {}
    for name, fields in given.items():
        where = (*place, name)
        try:
            platform = planning.app.platforms.parse(name)
        except BadInput as error:
            planning.fault(where, error.message)
            continue
        if planning.once(seen, platform, where):
            door = Door(platform, account_id, called)
            known = {} if is_new else webhook_secrets(planning.app.secrets, platform, account_id)
            _plan_door(planning, door, known, (fields, where))
    if planning.prune and not is_new:
        for text, owner in planning.doors:
            if owner == account_id and text not in seen and text in planning.app.platforms:
                _revoke(planning, Door(Platform(text), account_id, called))


def _plan_door(planning: Planning, door: Door, known: dict[str, str], entry: tuple[Any, Place]) -> None:
    (given, place), faults = entry, len(planning.faults)
    if not isinstance(given, dict) or not given:
        planning.fault(place, f"has to be secrets, each as {{env: NAME}}: {', '.join(FIELDS)}")
        return
    read = {name: _webhook_secret(planning, name, value, (*place, name), known) for name, value in given.items()}
    fresh = {name: value for name, value in read.items() if value is not None and value != known.get(name)}
    if len(planning.faults) > faults:
        return
    if not fresh:
        planning.same += 1
        return

    def write() -> str:
        app = planning.app
        set_webhook_secret(app.secrets, door.platform, fresh, door.account_id, read=known)
        app.catalog.stamp_webhooks(door.platform, door.account_id, app.new_id())
        _note_door(planning, "put", door, f"with {', '.join(sorted(fresh))}")
        return ""

    fields = [_shown(name, known.get(name), value, is_secret=True) for name, value in fresh.items()]
    verb = StepVerb.CHANGE if known else StepVerb.ADD
    planning.add(verb, ThingKind.WEBHOOK_SECRETS, door.name, fields=fields, write=write, account_id=door.account_id)


def _webhook_secret(planning: Planning, name: str, given: Any, place: Place, known: Mapping[str, str]) -> str | None:
    """The value of a door's secret; None with a fault where it is refused."""
    if name not in FIELDS:
        planning.fault(place, suggested(name, FIELDS))
    elif not isinstance(given, dict):
        _is_secret(planning, place)
    elif (value := _value(planning, given, place, known.get(name))) is not None:
        try:
            if value != known.get(name):
                check_strength(name, value)
        except ValueError as error:
            planning.fault(place, f"is refused: {error}")
        else:
            return value
    return None


def _revoke(planning: Planning, door: Door) -> None:
    known = webhook_secrets(planning.app.secrets, door.platform, door.account_id)
    if not known:
        return

    def write() -> str:
        app = planning.app
        if webhook_secrets(app.secrets, door.platform, door.account_id) != known:
            raise Conflict("someone else changed these webhook secrets since they were read; apply again")
        revoke_webhook_secrets(app.secrets, door.platform, door.account_id)
        app.catalog.stamp_webhooks(door.platform, door.account_id, app.new_id())
        _note_door(planning, "delete", door, "done")
        return "deliveries are refused from now on"

    planning.remove(ThingKind.WEBHOOK_SECRETS, door.name, write, door.account_id)


def _note_door(planning: Planning, verb: str, door: Door, outcome: str) -> None:
    owner, subject = ("account ", f"{door.account_id}/{door.platform}") if door.account_id else ("", door.platform)
    action = f"{verb} {owner}webhook secrets"
    planning.note(action, str(subject), outcome, kind="credential", account_id=door.account_id)


def _value(planning: Planning, value: Any, place: Place, known: str | None) -> str | None:
    """A value, or that of the variable that it names; None with a fault where there is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    variable = value.get(_ENV) if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
        message = "has to be a text, or {env: NAME} with the name of a variable: capital letters, digits and _"
        planning.fault(place, message)
        return None
    if found := planning.environ.get(variable):
        return found
    if known is None:
        planning.fault(place, f"the variable {variable} is not set in the environment")
        return None
    planning.unset.append(variable)
    return known


def _is_secret(planning: Planning, place: Place) -> None:
    message = "is a secret: write {env: NAME} here, and put its value into that variable of the environment"
    planning.fault(place, message)


def _shown(name: str, was: str | None, now: str | None, *, is_secret: bool) -> FieldChange:
    if not is_secret:
        return FieldChange(name, was, now)
    return FieldChange(name, None if was is None else HIDDEN, None if now is None else HIDDEN)
