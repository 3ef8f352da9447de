"""API keys; only a key with the scope admin may manage them."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.model.ids import IdKind
from adweir.runtime.routes import Here, Resource
from routes.fields import PAGE_ITEMS, Given, Instant, Limit, NextToken, OneOf, PageToken, Shown

Scope = Literal["read", "write", "admin"]


class NewKey(Given):
    """The key's name, and what it may do. `admin` includes `write`, `write` includes `read`."""

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.MAX_KEY_NAME_CHARS)
    ] = Field(examples=["dashboard"])
    scopes: list[Scope] = Field(min_length=1, max_length=3, examples=[["read"]])


class KeyAnswer(Shown):
    """An API key without its value, which is stored as a hash."""

    key_id: str = Field(examples=["key_5f0c1d2e3b4a59687786"])
    name: str
    scopes: list[Scope]
    status: Annotated[str, OneOf("active", "revoked")]
    created_at: Instant
    revoked_at: Instant | None = Field(description="When it was revoked; null for an active key.")


class CreatedKey(KeyAnswer):
    """A new API key. Its value is shown only here."""

    key: str = Field(description="Send it as `Authorization: Bearer <key>`. It is not shown again.")


class KeyList(Shown):
    """One page of API keys, revoked ones included."""

    keys: list[KeyAnswer]
    next_token: NextToken


keys = Resource("Keys", "API keys and what they may do")


@keys.route("POST", "/api/v1/keys", "Create an API key", scope="admin", status=201)
def create_key(app: Here, new: NewKey) -> CreatedKey:
    """The answer holds the key's value; it cannot be read again."""
    key, plain = app.catalog.create_key(IdKind.KEY.make(app.new_id), new.name, new.scopes)
    return CreatedKey(**KeyAnswer.of(key).model_dump(), key=plain)


@keys.route("GET", "/api/v1/keys", "List the API keys", scope="admin")
def list_keys(app: Here, limit: Limit = PAGE_ITEMS, next_token: PageToken = "") -> KeyList:
    found, token = app.catalog.list_keys(limit, next_token)
    return KeyList(keys=[KeyAnswer.of(key) for key in found], next_token=token or None)


@keys.route("DELETE", "/api/v1/keys/{key_id}", "Revoke an API key", scope="admin")
def revoke_key(app: Here, key_id: Annotated[str, Path(description="The key's id, key_….")]) -> KeyAnswer:
    """It stops working within a minute: the gateway remembers a good key for up to 60 seconds."""
    return KeyAnswer.of(app.catalog.revoke_key(key_id))
