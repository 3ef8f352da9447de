"""Credentials and webhook secrets. No answer holds a secret."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from adweir.intake.doors.signatures import key_of
from adweir.model.platforms import parse_platform
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Request, Route

MIN_SECRET = 16
Secret = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class NewCredential(BaseModel):
    """`platform` and its secrets, e.g. client_id, client_secret, refresh_token, access_token, app_secret, region."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Secret] = Field(init=False)
    platform: str = Field(default="", max_length=40, description="may be left out when client_id starts amzn1.")


class WebhookSecrets(BaseModel):
    """`secret` signs metric pushes; Meta signs with `app_secret` and shakes hands with `verify_token`."""

    model_config = ConfigDict(extra="forbid")
    secret: Secret | None = None
    app_secret: Secret | None = None
    verify_token: Secret | None = None

    @field_validator("secret", "app_secret", "verify_token")
    @classmethod
    def _is_strong(cls, value: str | None, field: ValidationInfo) -> str | None:
        least = 8 if field.field_name == "verify_token" else MIN_SECRET
        if value is None:
            return None
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise ValueError("printable ASCII without spaces is expected")
        if field.field_name == "secret" and len(key_of(value)) < MIN_SECRET:
            raise ValueError(f"at least {MIN_SECRET} bytes are needed, after whsec_ as base64")
        if len(value) < least:
            raise ValueError(f"at least {least} characters are needed")
        return value

    @model_validator(mode="after")
    def _one_is_given(self) -> WebhookSecrets:
        if not self.model_dump(exclude_none=True):
            raise ValueError("one of secret, app_secret, verify_token is needed")
        return self


def create(request: Request) -> Answer:
    from adweir.intake.doors.registration import register_credential

    new = request.body(NewCredential)
    app = request.app
    values = dict(new.model_extra or {})
    credential = register_credential(
        app.catalog, app.secrets, app.queues.runs, request.params["account_id"], new.platform, values
    )
    return answer(_shown(credential), 201)


def listing(request: Request) -> Answer:
    request.app.catalog.account(request.params["account_id"])
    found = request.app.catalog.account_credentials(request.params["account_id"])
    return answer({"credentials": [_shown(credential) for credential in found]})


def delete(request: Request) -> Answer:
    from adweir.intake.doors.registration import delete_credential

    account_id, platform = request.params["account_id"], parse_platform(request.params["platform"])
    delete_credential(request.app.catalog, request.app.secrets, account_id, platform)
    return answer({"account_id": account_id, "platform": platform.value, "status": "deleted"})


def account_webhook(request: Request) -> Answer:
    request.app.catalog.account(request.params["account_id"])
    return _set_webhook(request, request.params["account_id"])


def deployment_webhook(request: Request) -> Answer:
    return _set_webhook(request, "")


def _set_webhook(request: Request, account_id: str) -> Answer:
    from adweir.intake.doors.webhook_secrets import set_webhook_secret

    platform = parse_platform(request.params["platform"])
    values = request.body(WebhookSecrets).model_dump(exclude_none=True)
    fields = set_webhook_secret(request.app.secrets, platform, values, account_id)
    return answer({"platform": platform.value, "account_id": account_id or None, "fields": fields})


def _shown(credential: BaseModel) -> dict[str, object]:
    return credential.model_dump(mode="json")


_ALL = "/api/v1/accounts/{account_id}/credentials"
ROUTES = (
    Route("POST", _ALL, create, "Store or replace the credential of a platform", "write", NewCredential, 201),
    Route("GET", _ALL, listing, "The credentials' metadata"),
    Route("DELETE", _ALL + "/{platform}", delete, "Delete a credential and its secret", "write"),
    Route(
        "PUT",
        "/api/v1/accounts/{account_id}/webhook-secrets/{platform}",
        account_webhook,
        "Set or rotate an account's webhook secrets; the previous ones stay valid until the next rotation",
        "write",
        WebhookSecrets,
    ),
    Route(
        "PUT",
        "/api/v1/webhook-secrets/{platform}",
        deployment_webhook,
        "Set or rotate the deployment's webhook secrets",
        "admin",
        WebhookSecrets,
    ),
)
