"""Routes of the HTTP API as data: the resolver, the scope check, the API log and OpenAPI are all made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from adweir.model import limits
from adweir.model.errors import NotFound
from adweir.runtime.http import Answer, T, parsed, require, resolver, whole_number

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

    from adweir.runtime.app import App


@dataclass(frozen=True, slots=True)
class Request:
    """One request as a route's function gets it: who asks, the path's parameters, the query."""

    app: App
    event: Mapping[str, Any]
    params: Mapping[str, str]
    key_id: str

    @property
    def query(self) -> Mapping[str, str]:
        return self.event.get("queryStringParameters") or {}

    @property
    def limit(self) -> int:
        """`limit` of a list: 1 to 1000, by default 50. Raises BadInput."""
        return whole_number(self.query, "limit", 50, limits.MAX_PAGE_ITEMS)

    @property
    def token(self) -> str:
        return self.query.get("next_token", "")

    def body(self, model: type[T]) -> T:
        """The body checked against a model. Raises BadInput, Unprocessable, TooLarge."""
        return parsed(model, self.event)


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `path` as OpenAPI writes it (`/api/v1/accounts/{account_id}`), `scope` "" for public ones."""

    method: str
    path: str
    run: Callable[[Request], Answer]
    summary: str
    scope: str = "read"
    body: type[BaseModel] | None = None
    status: int = 200
    query: tuple[str, ...] = ()

    @property
    def params(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


def is_id(text: str) -> bool:
    """Whether a part of a path can be an id at all: 1 to 128 characters, none of them a control character."""
    return 0 < len(text) <= limits.MAX_PATH_ID_CHARS and text.isprintable()


def mount(app: App, routes: Sequence[Route]) -> APIGatewayHttpResolver:
    """A resolver with these routes; each checks its scope before its function runs."""
    http = resolver(app.logger)

    def wrapped(route: Route) -> Callable[..., Answer]:
        def call(**params: str) -> Answer:
            event = http.current_event.raw_event
            key_id = require(event, route.scope) if route.scope else ""
            if not all(is_id(value) for value in params.values()):
                raise NotFound("no id is like that")
            return route.run(Request(app, event, params, key_id))

        return call

    for route in routes:
        http.route(route.path.replace("{", "<").replace("}", ">"), method=route.method)(wrapped(route))
    return http


def openapi(title: str, version: str, routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI 3.1 description of the routes; bodies by their models' JSON schema.

    The server is relative to the description itself, whatever path the API is mounted under.
    """
    schemas: dict[str, Any] = {"Error": _ERROR}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation: dict[str, Any] = {
            "summary": route.summary,
            "operationId": f"{route.method.lower()}{route.path.replace('{', '').replace('}', '').replace('/', '_')}",
            "tags": [route.path.split("/")[3] if route.path.startswith("/api/") else "open"],
            "parameters": [_parameter(name, "path") for name in route.params]
            + [_parameter(name, "query") for name in route.query],
            "responses": {
                str(route.status): {"description": "done", "content": {"application/json": {}}},
                "default": {
                    "description": "an error",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                },
            },
        }
        if route.scope:
            operation["security"] = [{"key": [route.scope]}]
        if route.body is not None:
            operation["requestBody"] = {
                "required": True,
                "content": {"application/json": {"schema": _schema(route.body, schemas)}},
            }
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "an API key, adw_..."}},
        },
    }


_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "array", "items": {"type": "object"}},
            },
        }
    },
}


def _parameter(name: str, where: str) -> dict[str, Any]:
    kind = "integer" if name == "limit" else "string"
    return {"name": name, "in": where, "required": where == "path", "schema": {"type": kind}}


def _schema(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return {"$ref": f"#/components/schemas/{model.__name__}"}
