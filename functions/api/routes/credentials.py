"""Credentials and webhook secrets. No answer holds a secret."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import ConfigDict, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from adweir.intake.doors.webhook_secrets import check_strength
from adweir.model import limits
from adweir.model.entities import Credential, Owner, ProfileStatus
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import (
    AccountId,
    AccountPath,
    Given,
    Instant,
    NextToken,
    OneOf,
    PlatformId,
    PlatformName,
    PlatformPath,
    Shown,
)

if TYPE_CHECKING:
    from adweir.intake.doors.credential_check import Check

Label = Annotated[str, Field(description="Tells the account's credentials of one platform apart.", examples=["eu"])]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_CREDENTIAL_VALUE_CHARS)]


def _by_platform(schema: dict[str, Any]) -> None:
    """Which fields each platform takes."""
    from adweir.platforms import REGISTRY
    from adweir.platforms.credentials import FieldKind

    schema["anyOf"] = []
    for spec in REGISTRY.specs():
        known = spec.credential.model_json_schema()
        fields = {name: {"type": "string"} | field for name, field in known["properties"].items()}
        for name in spec.credential.named(FieldKind.SECRET):
            fields[name] |= {"format": "password", "writeOnly": True}
        named = {"platform": {"type": "string", "enum": [str(spec.name), *spec.aliases]}, "label": {"type": "string"}}
        schema["anyOf"].append(known | {"title": spec.title, "properties": named | fields})


class NewCredential(Given):
    """A platform and the fields of its credential."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_by_platform)
    __pydantic_extra__: dict[str, Secret] = Field(init=False)
    platform: PlatformName = Field(
        default="",
        description="The platform or an alias of it; optional when the values fit only one platform.",
    )
    label: str = Field(
        default="",
        max_length=limits.MAX_WORD_CHARS,
        description="Tells several credentials of one platform apart, e.g. `us` and `eu`; `default` when left out.",
    )


class CredentialAnswer(Shown):
    """A stored credential without its secret values, which are never shown."""

    account_id: AccountId
    platform: PlatformId
    label: Label
    secret_id: str = Field(description="The secret's name in AWS Secrets Manager.")
    state: Annotated[str, OneOf("active", "broken")] = Field(description="broken: the platform refused it.")
    version: int = Field(description="Grows by 1 with each replacement.", ge=1)
    reason: str = Field(description="Why it is broken; empty otherwise.")
    route: str = Field(description="Where its requests go (a region, a manager account); empty where there is one way.")
    ends_on: str = Field(description="The day on which it ends, YYYY-MM-DD; empty where nobody has said so.")
    profiles: list[str] = Field(description="The ids of the ad accounts that it reaches.")
    listed_at: Instant | None = Field(description="When they were last listed; null before the first sync.")
    note: str | None = Field(description="Why it lists no ad account, where it lists none.")
    created_at: Instant
    updated_at: Instant


class SeenAdAccount(Shown):
    """An ad account that the platform listed for the credential."""

    profile_id: str = Field(description="Its id on the platform.")
    name: str
    owner: Annotated[str, OneOf(*(owner.value for owner in Owner))] = Field(
        description="Whose it is: `this_credential` pulls it; `other_credential` of this client does, or `other_client`"
        " has it, until that one loses it or is deleted."
    )


class CredentialCheckAnswer(Shown):
    """What the platform said to the credential when it was stored."""

    state: Literal["works", "unchecked"] = Field(description="unchecked: the platform could not be asked; see reason.")
    reason: str = Field(description="Why it is unchecked; empty otherwise.")
    ad_accounts: list[SeenAdAccount] = Field(description="What it lists now; the next sync stores them.")
    more: bool = Field(description=f"It lists more than were read: {limits.MAX_CHECKED_PROFILES} are named at most.")


class StoredCredential(CredentialAnswer):
    """The credential as it is stored now, without its secret values, which are never shown."""

    check: CredentialCheckAnswer
    tasks_redriven: int = Field(description="How many tasks waited for it and are tried again.")


class CredentialList(Shown):
    """An account's credentials, all in one page."""

    credentials: list[CredentialAnswer]
    next_token: NextToken = None


class DeletedCredential(Shown):
    """The credential that was deleted."""

    account_id: AccountId
    platform: PlatformId
    label: Label
    status: Literal["deleted"] = "deleted"
    profiles: int = Field(description="How many ad accounts count as removed now.")


class WebhookSecrets(Given):
    """`secret` signs metric pushes; the others prove who sends a platform's own deliveries (docs/webhooks.md)."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    secret: Secret | None = Field(
        default=None,
        description=f"At least {limits.MIN_SECRET_CHARS} bytes; after whsec_ they are written as base64.",
    )
    app_secret: Secret | None = Field(
        default=None,
        description=f"At least {limits.MIN_SECRET_CHARS} characters.",
    )
    verify_token: Secret | None = Field(
        default=None,
        description=f"At least {limits.MIN_VERIFY_TOKEN_CHARS} characters.",
    )
    google_key: Secret | None = Field(
        default=None,
        description="Of Google's lead forms.",
    )
    callback_token: Secret | None = Field(
        default=None,
        description="`token` in the callback URL of TikTok.",
    )
    revoke_previous: bool = Field(
        default=False,
        strict=True,
        description="The previous secrets are not valid any more: for one that leaked. Without it they stay valid until"
        " the next rotation.",
    )

    @field_validator("secret", "app_secret", "verify_token", "google_key", "callback_token")
    @classmethod
    def _is_strong(cls, value: str | None, field: ValidationInfo) -> str | None:
        if value is not None:
            check_strength(str(field.field_name), value)
        return value

    def values(self) -> dict[str, str]:
        """The secrets that were given."""
        return self.model_dump(exclude_none=True, exclude={"revoke_previous"})

    @model_validator(mode="after")
    def _one_is_given(self) -> Self:
        if not self.values():
            raise ValueError("one of secret, app_secret, verify_token, google_key, callback_token is needed")
        return self


class StoredWebhookSecrets(Shown):
    """Which secrets are set now; `account_id` is null for the deployment's own."""

    platform: PlatformId
    account_id: AccountId | None
    fields: list[str] = Field(description="The names of the secrets that are set.", examples=[["secret"]])


credentials = Resource("Credentials", "Secrets of platforms and webhooks; they are stored and never shown")
_ALL = "/api/v1/accounts/{account_id}/credentials"


@credentials.route(
    "POST", _ALL, "Store or replace the credential of a platform", limited=True, scope="write", status=201
)
def create_credential(app: Here, caller: Caller, account_id: AccountPath, new: NewCredential) -> StoredCredential:
    """The platform is asked for its ad accounts first; a credential that it refuses is not stored (422).

    It replaces the one of the same platform and label; the tasks that waited for it are tried again.
    """
    stored, check = app.registration.register(account_id, new.platform, dict(new.model_extra or {}), new.label)
    _note(app, caller, "create credential", stored, ", ".join(["with platform", *sorted(new.model_extra or {})]))
    waited = sum(1 for _ in app.ledger.parked(account_id, stored.platform, stored.label))
    shown = _shown(app, [stored])[0]
    if shown.note is None and not (check.unchecked or any(ours.owner == Owner.THIS_CREDENTIAL for ours in check.seen)):
        shown.note = app.platforms.spec(stored.platform).nothing_listed(stored.route)
    return StoredCredential(**shown.model_dump(), check=_checked(check), tasks_redriven=waited)


@credentials.route("GET", _ALL, "List the credentials of an account", limited=True)
def list_credentials(app: Here, account_id: AccountPath) -> CredentialList:
    """Their metadata and the ad accounts that they reach."""
    app.catalog.account(account_id)
    return CredentialList(credentials=_shown(app, app.catalog.account_credentials(account_id)))


@credentials.route("DELETE", _ALL + "/{platform}", "Delete a credential and its secret", scope="write", errors=(422,))
def delete_credential(
    app: Here,
    caller: Caller,
    account_id: AccountPath,
    platform: PlatformPath,
    label: Annotated[str, Query(max_length=limits.MAX_WORD_CHARS, description="`default` when left out.")] = "",
) -> DeletedCredential:
    """The ad accounts that it reached count as removed until another credential lists them."""
    deleted, profiles = app.registration.forget(account_id, platform, label)
    _note(app, caller, "delete credential", deleted, f"deleted; {profiles} ad accounts are no longer pulled")
    return DeletedCredential(
        account_id=deleted.account_id, platform=deleted.platform, label=deleted.label, profiles=profiles
    )


@credentials.route(
    "PUT",
    "/api/v1/accounts/{account_id}/webhook-secrets/{platform}",
    "Set or rotate the webhook secrets of an account",
    limited=True,
    scope="write",
)
def put_account_webhook_secrets(
    app: Here, account_id: AccountPath, platform: PlatformPath, new: WebhookSecrets
) -> StoredWebhookSecrets:
    """Fields that are left out keep their values. What is set or revoked holds from the next delivery on."""
    app.catalog.account(account_id)
    return _set_webhook(app, platform, account_id, new)


@credentials.route(
    "PUT", "/api/v1/webhook-secrets/{platform}", "Set or rotate the webhook secrets of the deployment", scope="admin"
)
def put_webhook_secrets(app: Here, platform: PlatformPath, new: WebhookSecrets) -> StoredWebhookSecrets:
    """Fields that are left out keep their values. What is set or revoked holds from the next delivery on."""
    return _set_webhook(app, platform, "", new)


@credentials.route(
    "DELETE",
    "/api/v1/accounts/{account_id}/webhook-secrets/{platform}",
    "Revoke the webhook secrets of an account",
    limited=True,
    scope="write",
    errors=(422,),
)
def delete_account_webhook_secrets(app: Here, account_id: AccountPath, platform: PlatformPath) -> StoredWebhookSecrets:
    """The previous ones too: deliveries are refused from now on, until others are set."""
    return _revoke_webhook(app, platform, account_id)


@credentials.route(
    "DELETE",
    "/api/v1/webhook-secrets/{platform}",
    "Revoke the webhook secrets of the deployment",
    scope="admin",
    errors=(422,),
)
def delete_webhook_secrets(app: Here, platform: PlatformPath) -> StoredWebhookSecrets:
    """The previous ones too: deliveries are refused from now on, until others are set."""
    return _revoke_webhook(app, platform, "")


def _shown(app: App, found: Sequence[Credential]) -> list[CredentialAnswer]:
    """Credentials of one account with what they reach. One without ad accounts says why, once it was listed."""
    reached = defaultdict[tuple[str, str], list[str]](list)
    for profile in app.catalog.profiles(found[0].account_id) if found else ():
        if profile.status in {ProfileStatus.ACTIVE, ProfileStatus.DENIED}:
            reached[profile.platform, profile.credential].append(profile.profile_id)
    shown = []
    for each in found:
        profiles = reached[each.platform, each.label]
        listed_at = app.ledger.listed_at(each.account_id, each.platform, each.label) or None
        note = None
        if listed_at and not profiles and each.platform in app.platforms:
            note = app.platforms.spec(each.platform).nothing_listed(each.route)
        more = {"profiles": profiles, "listed_at": listed_at, "note": note}
        shown.append(CredentialAnswer(**each.model_dump(mode="json"), **more))
    return shown


def _note(app: App, caller: str, action: str, credential: Credential, outcome: str) -> None:
    about = f"{credential.platform} {credential.label} of {credential.account_id}"
    version = f"version {credential.version}; {outcome}"
    note_change(app, caller, action, about, version, kind="credential", account_id=credential.account_id)


def _checked(check: "Check") -> CredentialCheckAnswer:
    seen = [SeenAdAccount(**each._asdict()) for each in check.seen]
    state: Literal["works", "unchecked"] = "unchecked" if check.unchecked else "works"
    return CredentialCheckAnswer(state=state, reason=check.unchecked, ad_accounts=seen, more=check.more)


def _set_webhook(app: Here, platform: str, account_id: str, new: WebhookSecrets) -> StoredWebhookSecrets:
    from adweir.intake.doors.webhook_secrets import set_webhook_secret

    parsed = app.platforms.parse(platform)
    fields = set_webhook_secret(app.secrets, parsed, new.values(), account_id, revoke_previous=new.revoke_previous)
    app.catalog.stamp_webhooks(parsed, account_id, app.new_id())
    return StoredWebhookSecrets(platform=parsed, account_id=account_id or None, fields=list(fields))


def _revoke_webhook(app: App, platform: str, account_id: str) -> StoredWebhookSecrets:
    from adweir.intake.doors.webhook_secrets import revoke_webhook_secrets

    parsed = app.platforms.parse(platform)
    if account_id:
        app.catalog.account(account_id)
    revoke_webhook_secrets(app.secrets, parsed, account_id)
    app.catalog.stamp_webhooks(parsed, account_id, app.new_id())
    return StoredWebhookSecrets(platform=parsed, account_id=account_id or None, fields=[])
