"""Typed routes of the HTTP API, on Powertools' resolver: its validation reads a function's annotations.

A route's function takes what its annotations say (path and query parameters, the body's model, `Here` for the App) and
returns a model, which Powertools checks and writes. Where rows hold money it returns an `Answer` made by `http.answer`
and declares the model in `content`: Powertools writes a Decimal through a float.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from aws_lambda_powertools.event_handler import Depends, Request, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from pydantic import BaseModel

from adweir.model import limits
from adweir.model.errors import Forbidden, NotFound, Unprocessable
from adweir.runtime.app import App
from adweir.runtime.changes import note_request
from adweir.runtime.http import HttpApi, accounts_of, check_end, is_id, json_body, key_of_request, require, resolver

_CHANGING = frozenset({"write", "admin"})
_KINDS = {"Ad accounts": "profile", "Dead letters": "message", "Ingestion": "run", "Media-mix runs": "run"}
_LOGGED = frozenset(
    {
        "Accounts",
        "Ad accounts",
        "Assistants",
        "Audit",
        "Brakes",
        "Campaigns",
        "Coverage",
        "Datasets",
        "Exports",
        "Ingestion",
        "Jobs",
        "Lift tests",
        "Lists",
        "Mappings",
        "Media-mix runs",
        "Pipeline",
        "Quality",
        "Replays",
        "Reports",
        "Runs",
        "Workflows",
    }
)
"""Resources whose bodies are kept in the API log. Others take secrets, or rows and messages as somebody sent them."""
_REFUSED = 300
"""The first status that is no success."""
F = TypeVar("F", bound=Callable[..., Any])


def _app(request: Request) -> App:
    found: App = request.context["app"]
    return found


Here = Annotated[App, Depends(_app)]
"""The annotation of a parameter that takes the App."""


def _caller(request: Request) -> str:
    return key_of_request(request.resolved_event.raw_event)


Caller = Annotated[str, Depends(_caller)]
"""The annotation of a parameter that takes the id of the API key that asks."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. `path` as OpenAPI writes it, `scope` "" for a public one.

    `limited`: also for keys that are limited to accounts. Such a route reads the catalog, or what it found in it, and
    nothing else: the App that it gets for such a key has only their accounts.
    `errors` are statuses beside those that follow from the route's form (`adweir.runtime.openapi`); `content` makes
    OpenAPI's content object of the answer where the function's return annotation does not say it (only the description
    pays for it), `others` are OpenAPI's responses of further statuses that are not errors.
    """

    method: str
    path: str
    run: Callable[..., Any]
    summary: str
    tag: str
    scope: str = "read"
    limited: bool = False
    status: int = 200
    errors: tuple[int, ...] = ()
    content: Callable[[], Mapping[str, Any]] | None = None
    others: Mapping[int, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """OpenAPI's operationId: the function's name."""
        return self.run.__name__

    @property
    def changes(self) -> bool:
        """Whether it changes something, or starts work: then the audit has it."""
        return self.scope in _CHANGING and self.method != "GET"

    @property
    def private(self) -> bool:
        """Whether the API log has no values of its bodies: they may be secrets, or about persons."""
        return self.scope == "admin" or self.tag not in _LOGGED

    @property
    def kind(self) -> str:
        """What it changes, for the audit: its resource in the singular, where `_KINDS` has no other word."""
        return _KINDS.get(self.tag, self.tag.lower().removesuffix("s"))


Details = Callable[[Operation], Mapping[str, Any]]
"""What Powertools' `route` takes besides path, method and status."""


class Resource:
    """The routes of one resource; `tag` and `about` head them in the API's description."""

    def __init__(self, tag: str, about: str) -> None:
        self.tag = tag
        self.about = about
        self.operations: list[Operation] = []

    def route(self, method: str, path: str, summary: str, **declared: Any) -> Callable[[F], F]:
        """Register a function; `declared` are Operation's other fields."""

        def register(run: F) -> F:
            self.operations.append(Operation(method, path, run, summary, self.tag, **declared))
            return run

        return register


class _Requests(OpenAPIRequestValidationMiddleware):
    """Powertools' validation of requests, over bodies read by `json_body`: bounded, exact, of any content type."""

    def _get_body(self, app: Any) -> Any:
        return json_body(app.current_event.raw_event)


def _refuse_stray_parameters(event: Mapping[str, Any], fields: Iterable[Any]) -> None:
    """Raise Unprocessable for query parameters that the call does not take, and for those that come twice.

    Powertools leaves out the former and takes the first of the latter: a filter that is misspelled would answer with
    what nobody asked for.
    """
    known = {name for each in fields for name in _names_of(each)}
    given = Counter(name for name, _ in parse_qsl(str(event.get("rawQueryString") or ""), keep_blank_values=True))
    names = [*given, *(event.get("queryStringParameters") or {})]
    faults = {name: "is unknown" for name in names if name not in known}
    faults |= {name: "is given more than once" for name, times in given.items() if times > 1}
    if faults:
        details = [{"field": name[: limits.MAX_WORD_CHARS], "message": message} for name, message in faults.items()]
        named = ", ".join(detail["field"] for detail in details)
        details = details[: limits.MAX_REQUEST_FAULTS]
        takes = f"this call takes {', '.join(sorted(known))}" if known else "this call takes none"
        raise Unprocessable(f"the request has invalid parameters: {named[:300]}; {takes}", details)


def _names_of(field: Any) -> Iterable[str]:
    """The parameters of one of Powertools' fields: of a model each of its own."""
    kind = field.field_info.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_fields
    return (field.alias,)


def mount(app: App, resources: Iterable[Resource], details: Details | None = None) -> HttpApi:
    """A resolver with these routes. Each checks the key's scope and its path's ids before anything is validated.

    `details` gives what only the description needs.
    """
    http = resolver(app.logger)
    operations = [operation for resource in resources for operation in resource.operations]
    known = {(operation.method, operation.path): operation for operation in operations}

    def guard(http: HttpApi, next_middleware: NextMiddleware) -> Response[Any]:
        request = http.request
        operation = known.get((request.method, request.route))
        http.private = operation is None or operation.private
        if operation and operation.scope:
            check_end(request.resolved_event.raw_event, app.clock.now())
            require(request.resolved_event.raw_event, operation.scope)
        if operation and not all(is_id(value) for value in request.path_parameters.values()):
            raise NotFound("no id looks like that")
        accounts = accounts_of(request.resolved_event.raw_event)
        if accounts and not (operation and (operation.limited or not operation.scope)):
            raise Forbidden("this call is for keys of all accounts")
        if operation and operation.scope:
            _refuse_stray_parameters(request.resolved_event.raw_event, http.context["_route"].dependant.query_params)
        http.context["app"] = app.limited_to(accounts) if accounts else app
        changes = operation if operation and operation.changes else None
        noted = app.ledger.audit.noted if changes else 0
        response = next_middleware(http)
        if changes and response.status_code < _REFUSED and app.ledger.audit.noted == noted:
            event = request.resolved_event.raw_event
            about = changes.id.replace("_", " "), "/".join(request.path_parameters.values()), changes.kind
            note_request(app, about, event, response.body)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    requests = _Requests()  # type: ignore[no-untyped-call]
    http.use([guard, requests, OpenAPIResponseValidationMiddleware(has_response_validation_error=True)])
    for operation in operations:
        http.route(
            operation.path.replace("{", "<").replace("}", ">"),
            method=operation.method,
            status_code=operation.status,
            **(details(operation) if details else {}),
        )(operation.run)
    return http
