"""API keys; only a key with the scope admin may manage them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.model.entities import ApiKey
from adweir.model.errors import Unprocessable
from adweir.model.ids import IdKind
from adweir.model.times import iso
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import PAGE_ITEMS, Given, Instant, Limit, NextToken, OneOf, PageToken, PastInstant, Shown, moment_of

_END = "When it stops working; null for a key without end."
Scope = Literal["read", "write", "admin"]
KeyPath = Annotated[str, Path(description="The key's id, key_….")]


class NewKey(Given):
    """The key's name, and what it may do. `admin` includes `write`, `write` includes `read`."""

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.MAX_KEY_NAME_CHARS)
    ] = Field(examples=["dashboard"])
    scopes: list[Scope] = Field(min_length=1, max_length=3, examples=[["read"]])
    accounts: list[Annotated[str, StringConstraints(max_length=limits.MAX_PATH_ID_CHARS)]] = Field(
        default=[],
        max_length=limits.MAX_KEY_ACCOUNTS,
        description="Limits it to these client companies: it sees nothing of others and cannot be admin.",
        examples=[[]],
    )
    expires_at: PastInstant | None = Field(default=None, description=_END)


class RotatedKey(Given):
    """How long the value that the key has now works beside the new one, and the key's end."""

    overlap_hours: int = Field(
        default=24,
        ge=0,
        le=limits.MAX_KEY_OVERLAP_HOURS,
        description="0 for a value that leaked: it stops working within a minute.",
    )
    expires_at: PastInstant | None = Field(default=None, description="A new end; without it the key keeps its end.")


class KeyAnswer(Shown):
    """An API key without its value, which is stored as a hash."""

    key_id: str = Field(examples=["key_5f0c1d2e3b4a59687786"])
    name: str
    scopes: list[Scope]
    accounts: list[str] = Field(description="The client companies that it is limited to; none means all.")
    status: Annotated[str, OneOf("active", "expired", "revoked")]
    created_at: Instant
    expires_at: Instant | None = Field(description=_END)
    last_used_at: Instant | None = Field(description="To ten minutes; null when it was not used in the last 90 days.")
    revoked_at: Instant | None = Field(description="When it was revoked; null for a key that was not.")
    rotated_at: Instant | None = Field(description="When it got the value that it has.")
    previous_ends_at: Instant | None = Field(
        description="Until then the value before the last rotation works, too; null when it does not."
    )
    previous_last_used_at: Instant | None = Field(description="When that one was last used, to ten minutes.")


class CreatedKey(KeyAnswer):
    """An API key and its new value, which is shown only here."""

    key: str = Field(description="Send it as `Authorization: Bearer <key>`. It is not shown again.")


class KeyList(Shown):
    """One page of API keys, revoked ones included."""

    keys: list[KeyAnswer]
    next_token: NextToken


keys = Resource("Keys", "API keys and what they may do")


@keys.route("POST", "/api/v1/keys", "Create an API key", scope="admin", status=201)
def create_key(app: Here, caller: Caller, new: NewKey) -> CreatedKey:
    """The answer holds the key's value; it cannot be read again."""
    from adweir.pipeline.recorded import key_changes

    known = {account.account_id for account in app.catalog.accounts()} if new.accounts else set()
    if unknown := [account_id for account_id in new.accounts if account_id not in known]:
        message = f"there is no account {unknown[0][:64]}"
        raise Unprocessable(message, [{"field": "accounts", "message": message}])
    end = iso(moment_of(new.expires_at, "expires_at")) if new.expires_at else ""
    key, plain = app.catalog.create_key(IdKind.KEY.make(app.new_id), new.name, new.scopes, new.accounts, end)
    note_change(app, caller, "create key", key.key_id, f"named {key.name}", kind="key", changes=key_changes(None, key))
    return CreatedKey(**_shown(app, [key])[0].model_dump(), key=plain)


@keys.route("GET", "/api/v1/keys", "List the API keys", scope="admin")
def list_keys(app: Here, limit: Limit = PAGE_ITEMS, next_token: PageToken = "") -> KeyList:
    found, token = app.catalog.list_keys(limit, next_token)
    return KeyList(keys=_shown(app, found), next_token=token or None)


@keys.route("POST", "/api/v1/keys/{key_id}/rotate", "Rotate an API key", scope="admin", errors=(409,))
def rotate_key(app: Here, caller: Caller, key_id: KeyPath, asked: RotatedKey | None = None) -> CreatedKey:
    """It gets a new value; id, scopes and accounts stay. The value that it had works until `previous_ends_at` as well,
    one from an earlier rotation no longer."""
    from adweir.pipeline.recorded import key_changes

    asked = asked or RotatedKey()
    end = iso(moment_of(asked.expires_at, "expires_at")) if asked.expires_at else ""
    was, key, plain = app.catalog.rotate_key(key_id, timedelta(hours=asked.overlap_hours), end)
    note_change(app, caller, "rotate key", key_id, f"named {key.name}", kind="key", changes=key_changes(was, key))
    return CreatedKey(**_shown(app, [key])[0].model_dump(), key=plain)


@keys.route("DELETE", "/api/v1/keys/{key_id}", "Revoke an API key", scope="admin")
def revoke_key(app: Here, caller: Caller, key_id: KeyPath) -> KeyAnswer:
    """It stops working within a minute: the gateway remembers a good key for up to 60 seconds."""
    from adweir.pipeline.recorded import key_changes

    was, key = app.catalog.key(key_id), app.catalog.revoke_key(key_id)
    note_change(app, caller, "revoke key", key_id, f"named {key.name}", kind="key", changes=key_changes(was, key))
    return _shown(app, [key])[0]


def _shown(app: App, found: Sequence[ApiKey]) -> list[KeyAnswer]:
    from adweir.reporting.key_list import shown_keys

    return [KeyAnswer(**each) for each in shown_keys(app.ledger, found, app.clock.now())]
