"""The API as OpenAPI 3.1: what Powertools reads from the typed routes, and the errors that follow from their form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from http import HTTPStatus
from inspect import getdoc
from typing import Any, NamedTuple, get_args, get_type_hints

from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, Server, Tag
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel

from adweir.runtime.app import App
from adweir.runtime.http import JSON
from adweir.runtime.routes import Operation, Resource, mount

VERSION = "1"
SECURITY = "key"
_ABOUT = """\
Advertising performance, measured: accounts, pulls, runs, stored metrics, reports.

- **Keys**: send `Authorization: Bearer <API key>`. A key has the scopes `read`, `write` (includes read) or `admin`
  (includes both); each operation names the one that it needs. A key may end, and may be limited to client companies:
  of others it sees nothing, and what concerns all is a 403.
- **Errors** are `{"error": {"code", "message", "details"}}`, with the fields at fault in `details`. A path with another
  method than its own is a 405 with `Allow`. The gateway in front answers some itself, with `{"message"}`: a missing key
  (401), an unknown or revoked key (403), a path that is not below `/api/` (404), too many requests (429), and no answer
  in time (500, 503).
- **Lists** answer at most `limit` items and `next_token`: send it back to get the next page; null ends the list. A page
  may have fewer items than `limit`.
- **Ids** of this API carry a prefix (`acc_`, `run_`, `rpl_`, `key_`); others are the platforms' own.
- **Numbers** are exact decimals, never rounded to floats. **Times** are ISO 8601 with an offset.
"""
_LIBRARYS_OWN = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
Examples = Mapping[str, Mapping[str, tuple[str, Any]]]
"""Operation id → name → what the example shows, and the body."""
_TODAY = re.compile(r"\{today-(\d+)\}")


class OtherPaths(NamedTuple):
    """What another function serves, as OpenAPI's `paths`, and the tag that heads it."""

    tag: Mapping[str, str]
    paths: Mapping[str, Any]


def describe(app: App, resources: Sequence[Resource], examples: Examples, others: OtherPaths) -> dict[str, Any]:
    """The document.

    In examples `{today-7}` becomes the date of 7 days ago, so that they ask for days that have data, and `{a-platform}`
    the name of a platform that is connected.
    """
    described = mount(app, resources, _details).get_openapi_schema(
        title=app.settings.api_title,
        version=VERSION,
        description=_ABOUT,
        servers=[Server(url=".")],  # relative to the document itself, whatever path the API is mounted under
        tags=[Tag(name=resource.tag, description=resource.about) for resource in resources],
        security_schemes={SECURITY: HTTPBearer(description="An API key, adw_….")},
    )
    document: dict[str, Any] = described.model_dump(mode="json", by_alias=True, exclude_none=True)
    operations = {(each.path, each.method.lower()): each for resource in resources for each in resource.operations}
    for path, of in document["paths"].items():
        for method, operation in of.items():
            if "requestBody" in operation:
                operation["requestBody"]["content"][JSON]["examples"] = {
                    name: {"summary": shows, "value": body}
                    for name, (shows, body) in examples.get(operation["operationId"], {}).items()
                }
            bounds = _of_query_models(operations[path, method].run)
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = bounds.get(parameter["name"], parameter["schema"])
            responses = operation["responses"]
            responses |= {str(status): _reference(status) for status in errors_of(operations[path, method], operation)}
            operation["responses"] = dict(sorted(responses.items()))
    ordered = dict.fromkeys(each.path for resource in resources for each in resource.operations)
    document["paths"] = {path: document["paths"][path] for path in ordered} | dict(others.paths)
    document["tags"].append(others.tag)
    components = document["components"]
    components["schemas"] = {
        name: _untitled(schema) for name, schema in components["schemas"].items() if name not in _LIBRARYS_OWN
    } | _SCHEMAS
    components["responses"] = dict([*_RESPONSES.values(), _UNVERIFIED])
    return _filled(document, app.clock.now().date(), str(next(iter(app.platforms))))


def _of_query_models(run: Callable[..., Any]) -> dict[str, Any]:
    """The schemas of the parameters that a route takes as one model: Powertools writes their types only."""
    found: dict[str, Any] = {}
    for annotation in get_type_hints(run, include_extras=True).values():
        model, *marks = get_args(annotation) or (None,)
        if any(isinstance(mark, Query) for mark in marks) and isinstance(model, type) and issubclass(model, BaseModel):
            properties = model.model_json_schema()["properties"]
            found |= {
                name: {key: value for key, value in schema.items() if key not in {"title", "description"}}
                for name, schema in properties.items()
            }
    return found


def _untitled(schema: Any) -> Any:
    """A schema without the titles that say its name, its fields' or its items' once more, which pydantic writes.

    Generators of clients name inner models by their titles, and cannot where one model has two of one title. Those of
    alternatives stay: nothing else names them.
    """
    if isinstance(schema, list):
        return [_untitled(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    shown = {name: value for name, value in schema.items() if name != "title"}
    for name, value in shown.items():
        if name in {"properties", "patternProperties"}:
            shown[name] = {field: _untitled(each) for field, each in value.items()}
        elif name in {"items", "additionalProperties"}:
            shown[name] = _untitled(value)
        elif name in {"anyOf", "oneOf", "allOf"}:
            titles = ({"title": each["title"]} if "title" in each else {} for each in value)
            shown[name] = [_untitled(each) | title for each, title in zip(value, titles, strict=True)]
    return shown


def _details(operation: Operation) -> dict[str, Any]:
    """What Powertools writes of an operation beside what it reads from the function's annotations."""
    returned = get_type_hints(operation.run)["return"]
    about = getdoc(returned) if isinstance(returned, type) and issubclass(returned, BaseModel) else None
    answered: dict[str, Any] = {"description": about or HTTPStatus(operation.status).phrase}
    if operation.content:
        answered["content"] = operation.content()
    return {
        "summary": operation.summary,
        "description": getdoc(operation.run),
        "tags": [operation.tag],
        "operation_id": operation.id,
        "security": [{SECURITY: [operation.scope]}] if operation.scope else None,
        "responses": {operation.status: answered, **operation.others},
    }


def errors_of(operation: Operation, described: Mapping[str, Any]) -> list[int]:
    """The statuses of the errors that an operation can answer, from its form and its own `errors`."""
    names = {parameter["name"] for parameter in described.get("parameters", ()) if parameter["in"] == "query"}
    found = {429, 500, 503, *operation.errors}
    if operation.scope:
        found |= {401, 403, 422}  # 422: parameters that it does not take
    if "{" in operation.path:
        found |= {404}
    if "requestBody" in described:
        found |= {400, 413}
    if "next_token" in names:
        found |= {400}
    return sorted(found)


def _reference(status: int) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{_RESPONSES[status][0]}"}


def _filled(document: dict[str, Any], today: date, platform: str) -> dict[str, Any]:
    text = _TODAY.sub(lambda found: (today - timedelta(days=int(found[1]))).isoformat(), json.dumps(document))
    text = text.replace("{a-platform}", platform)
    filled: dict[str, Any] = json.loads(text, parse_float=_whole, object_hook=_without_empty_default)
    return filled


def _whole(text: str) -> float:
    """Powertools writes bounds as floats: 1000.0."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _without_empty_default(found: dict[str, Any]) -> dict[str, Any]:
    """An empty text as default says that the field may be left out; its schema may not take it."""
    return {name: value for name, value in found.items() if name != "default" or value != ""}


def _response(description: str, schemas: Iterable[str], example: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in schemas]
    schema = refs[0] if len(refs) == 1 else {"oneOf": refs}
    content = {"application/json": {"schema": schema, "examples": {"error": {"value": example}}}}
    return {"description": description, "content": content} | more


def _ours(code: str, message: str, *details: tuple[str, str]) -> dict[str, Any]:
    listed = [{"field": field, "message": text} for field, text in details]
    return {"error": {"code": code, "message": message, "details": listed}}


_REFUSAL = "Refusal"
"""The schema of errors. Its name is not that of its field, for a generated client calls its variables by both."""
_SCHEMAS: dict[str, Any] = {
    _REFUSAL: {
        "type": "object",
        "description": "What every error of this API looks like.",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "details"],
                "properties": {
                    "code": {"type": "string", "description": "Stable, for programs.", "examples": ["not_found"]},
                    "message": {"type": "string", "description": "For people."},
                    "details": {
                        "type": "array",
                        "description": "The fields at fault, where there are any.",
                        "items": {
                            "type": "object",
                            "required": ["field", "message"],
                            "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                        },
                    },
                },
            }
        },
    },
    "GatewayMessage": {
        "type": "object",
        "description": "The gateway's own answer.",
        "required": ["message"],
        "properties": {"message": {"type": ["string", "null"]}},
    },
}
_UNVERIFIED = (
    "Unverified",
    _response(
        "The signature is missing, wrong or stale, or there is no secret to check it with.",
        [_REFUSAL],
        _ours("unverified", "no valid signature"),
    ),
)
_RETRY = {"headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}}
_RESPONSES: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "BadRequest",
        _response(
            "The body is not a JSON object, or next_token is not a token of this list.",
            [_REFUSAL],
            _ours("bad_input", "the body is not JSON", ("body", "is not JSON: invalid character (byte 11)")),
        ),
    ),
    401: (
        "Unauthorized",
        _response("There is no key.", ["GatewayMessage"], {"message": "Unauthorized"}),
    ),
    403: (
        "Forbidden",
        _response(
            "The key is unknown or revoked (the gateway's answer), or lacks the scope.",
            [_REFUSAL, "GatewayMessage"],
            _ours("forbidden", "this call needs a key with the scope write"),
        ),
    ),
    404: (
        "NotFound",
        _response(
            "There is nothing of that id.",
            [_REFUSAL],
            _ours("not_found", "there is no account acc_1", ("account_id", "is unknown")),
        ),
    ),
    409: (
        "Conflict",
        _response(
            "What is asked for does not fit the present state.",
            [_REFUSAL],
            _ours("conflict", "run run_1 has already ended: succeeded"),
        ),
    ),
    413: (
        "TooLarge",
        _response(
            "The body or the answer is too large.", [_REFUSAL], _ours("too_large", "a body has at most 1048576 bytes")
        ),
    ),
    422: (
        "Unprocessable",
        _response(
            "Fields are missing, unknown, out of bounds, or name what does not exist.",
            [_REFUSAL],
            _ours(
                "unprocessable",
                "the request has invalid fields: limit",
                ("limit", "Input should be less than or equal to 1000"),
            ),
        ),
    ),
    429: (
        "TooManyRequests",
        _response("Too many requests at once: wait a moment.", ["GatewayMessage"], {"message": "Too Many Requests"}),
    ),
    500: (
        "InternalError",
        _response(
            "A fault of ours; it was logged.",
            [_REFUSAL, "GatewayMessage"],
            _ours("internal", "an internal error; it was logged and can be found by the request id"),
        ),
    ),
    503: (
        "Unavailable",
        _response(
            "Storage does not answer, or no answer came in time: try again.",
            [_REFUSAL, "GatewayMessage"],
            _ours("unavailable", "the catalog does not answer"),
            **_RETRY,
        ),
    ),
}
