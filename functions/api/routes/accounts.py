"""Client accounts and the ad accounts (profiles) under them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adweir.model.errors import Unprocessable
from adweir.model.ids import IdKind
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Request, Route

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
]
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=254,
        pattern=r"^[^@\s\x00-\x1f\x7f-\x9f]{1,64}@[^@\s\x00-\x1f\x7f-\x9f]+\.[^@\s\x00-\x1f\x7f-\x9f]+$",
    ),
]


class NewAccount(BaseModel):
    """A client company."""

    model_config = ConfigDict(extra="forbid")
    company_name: Name
    primary_contact_email: Email


class AccountChange(BaseModel):
    """The fields to change."""

    model_config = ConfigDict(extra="forbid")
    company_name: Name = Field(default="", min_length=1)
    primary_contact_email: Email = Field(default="", min_length=1)


def create(request: Request) -> Answer:
    new = request.body(NewAccount)
    account_id = IdKind.ACCOUNT.make(request.app.new_id)
    return answer(request.app.catalog.create_account(account_id, new.company_name, new.primary_contact_email), 201)


def listing(request: Request) -> Answer:
    accounts, token = request.app.catalog.list_accounts(request.limit, request.token)
    return answer({"accounts": accounts, "next_token": token or None})


def one(request: Request) -> Answer:
    return answer(request.app.catalog.account(request.params["account_id"]))


def change(request: Request) -> Answer:
    changes = request.body(AccountChange).model_dump(exclude_unset=True)
    if not changes:
        raise Unprocessable("nothing to change", [{"field": "body", "message": "at least one field is needed"}])
    return answer(request.app.catalog.update_account(request.params["account_id"], **changes))


def delete(request: Request) -> Answer:
    from adweir.intake.doors.registration import delete_account

    delete_account(request.app.catalog, request.app.secrets, request.params["account_id"])
    return answer({"account_id": request.params["account_id"], "status": "deleted"})


def profiles(request: Request) -> Answer:
    queries = request.app.queries
    given = {name: request.query[name] for name in ("account_id", "platform") if request.query.get(name)}
    if given:
        return answer({"profiles": queries.profiles(queries.filters(given, "query")), "next_token": None})
    found, token = request.app.catalog.list_profiles(request.limit, request.token)
    return answer({"profiles": found, "next_token": token or None})


_ONE = "/api/v1/accounts/{account_id}"
ROUTES = (
    Route("POST", "/api/v1/accounts", create, "Register a client company", "write", NewAccount, 201),
    Route("GET", "/api/v1/accounts", listing, "List the client companies", query=("limit", "next_token")),
    Route("GET", _ONE, one, "One client company"),
    Route("PATCH", _ONE, change, "Change a client company", "write", AccountChange),
    Route("DELETE", _ONE, delete, "Delete a client company and its credentials; what was measured stays", "write"),
    Route(
        "GET",
        "/api/v1/profiles",
        profiles,
        "List the ad accounts that the credentials reach",
        query=("account_id", "platform", "limit", "next_token"),
    ),
)
