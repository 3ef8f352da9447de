"""API keys; only a key with the scope admin may manage them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.model.entities import ApiKey
from adweir.model.errors import Unprocessable
from adweir.model.ids import IdKind
from adweir.model.times import iso, parse_instant
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import PAGE_ITEMS, Given, Instant, Limit, NextToken, OneOf, PageToken, PastInstant, Shown, moment_of

_END = "When it stops working; null for a key without end."
Scope = Literal["read", "write", "admin"]


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


class CreatedKey(KeyAnswer):
    """A new API key. Its value is shown only here."""

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


@keys.route("DELETE", "/api/v1/keys/{key_id}", "Revoke an API key", scope="admin")
def revoke_key(
    app: Here, caller: Caller, key_id: Annotated[str, Path(description="The key's id, key_….")]
) -> KeyAnswer:
    """It stops working within a minute: the gateway remembers a good key for up to 60 seconds."""
    from adweir.pipeline.recorded import key_changes

    was, key = app.catalog.key(key_id), app.catalog.revoke_key(key_id)
    note_change(app, caller, "revoke key", key_id, f"named {key.name}", kind="key", changes=key_changes(was, key))
    return _shown(app, [key])[0]


def _shown(app: App, found: Sequence[ApiKey]) -> list[KeyAnswer]:
    used, now = app.ledger.api_log.last_uses([key.key_id for key in found]), app.clock.now()
    shown = []
    for key in found:
        ended = key.status == "active" and key.expires_at and parse_instant(key.expires_at) <= now
        more = {"expires_at": key.expires_at or None, "last_used_at": used.get(key.key_id)}
        status = "expired" if ended else key.status
        shown.append(KeyAnswer(**key.model_dump(mode="json") | more | {"status": status}))
    return shown
