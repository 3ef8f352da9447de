"""API keys; only a key with the scope admin may manage them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adweir.model.entities import ApiKey
from adweir.model.ids import IdKind
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Request, Route


class NewKey(BaseModel):
    """A name to recognise it by, and what it may do; admin includes write, write includes read."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    scopes: list[Literal["read", "write", "admin"]] = Field(min_length=1, max_length=3)


def create(request: Request) -> Answer:
    new = request.body(NewKey)
    key, plain = request.app.catalog.create_key(IdKind.KEY.make(request.app.new_id), new.name, new.scopes)
    return answer(_shown(key) | {"key": plain}, 201)


def listing(request: Request) -> Answer:
    keys, token = request.app.catalog.list_keys(request.limit, request.token)
    return answer({"keys": [_shown(key) for key in keys], "next_token": token or None})


def revoke(request: Request) -> Answer:
    return answer(_shown(request.app.catalog.revoke_key(request.params["key_id"])))


def _shown(key: ApiKey) -> dict[str, object]:
    return key.model_dump(mode="json", exclude={"hash"})


ROUTES = (
    Route("POST", "/api/v1/keys", create, "Make an API key; it is shown this once", "admin", NewKey, 201),
    Route("GET", "/api/v1/keys", listing, "List the API keys", "admin", query=("limit", "next_token")),
    Route("DELETE", "/api/v1/keys/{key_id}", revoke, "Revoke an API key", "admin"),
)
