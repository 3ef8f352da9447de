"""The HTTP boundary: the one place that maps the error tree to answers (the API's and the webhooks' side of it).

Errors are `{"error": {"code", "message", "details"}}`. JSON numbers are exact: decimals are written as they are, never
through a float.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import BaseModel, ValidationError

from adweir.model import limits
from adweir.model.errors import (
    AdweirError,
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    Throttled,
    TooLarge,
    Transient,
    Unavailable,
    Unprocessable,
    Unverified,
)

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.event_handler.exceptions import NotFoundError

JSON = "application/json"
_STATUS: tuple[tuple[type[AdweirError], int], ...] = (
    (Unverified, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooLarge, 413),
    (Unprocessable, 422),
    (BadInput, 400),
    (Unavailable, 503),
    (Throttled, 503),
    (Transient, 503),
)
_GRANTS = {"read": {"read", "write", "admin"}, "write": {"write", "admin"}, "admin": {"admin"}}
T = TypeVar("T", bound=BaseModel)
Answer = Response[Any]


def status_of(error: AdweirError) -> int:
    """The HTTP status of an expected error; 500 for one that should never reach a caller."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer; Decimals become exact JSON numbers."""
    return Response(status, JSON, to_json(body), headers={"Cache-Control": "no-store"} | dict(headers or {}))


def to_json(body: Any) -> str:
    """JSON text: Decimal as an exact number, dates and enums as text, models as objects."""
    return _encoder.encode(body).decode()


def refusal(error: AdweirError) -> Answer:
    """The answer to an expected error."""
    status = status_of(error)
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    content["details"] = error.details if isinstance(error, BadInput) else []
    wait = {"Retry-After": str(max(1, round(getattr(error, "retry_after", 5))))} if status == 503 else {}
    return answer({"error": content}, status, wait)


def resolver(logger: Logger) -> APIGatewayHttpResolver:
    """A Powertools resolver of HTTP API events whose errors are ours."""
    app = APIGatewayHttpResolver()

    def _expected(error: AdweirError) -> Answer:
        if status_of(error) >= 500:
            logger.warning("refused", extra={"code": error.code, "reason": error.message})
        return refusal(error)

    def _fault(error: Exception) -> Answer:
        logger.error("unexpected fault", exc_info=error)
        return answer({"error": {"code": "internal", "message": "a fault of ours; it is logged", "details": []}}, 500)

    def _unknown(_error: NotFoundError) -> Answer:
        return refusal(NotFound(f"no route {app.current_event.http_method} {app.current_event.path[:200]}"))

    app.exception_handler(AdweirError)(_expected)
    app.exception_handler(Exception)(_fault)
    app.not_found(_unknown)
    return app


def raw_body(event: Mapping[str, Any], limit: int = limits.MAX_BODY_BYTES) -> bytes:
    """The bytes that were sent. Raises TooLarge before anything is decoded, BadInput."""
    text = event.get("body") or ""
    encoded = bool(event.get("isBase64Encoded"))
    if len(text) > (limit * 4 // 3 + 4 if encoded else limit):
        raise TooLarge(f"a body is at most {limit} bytes")
    try:
        body = base64.b64decode(text, validate=True) if encoded else text.encode()
    except (binascii.Error, UnicodeError):
        raise BadInput("the body is not readable") from None
    if len(body) > limit:
        raise TooLarge(f"a body is at most {limit} bytes")
    return body


def json_body(event: Mapping[str, Any], limit: int = limits.MAX_BODY_BYTES, *, empty: bool = False) -> dict[str, Any]:
    """A body that is a JSON object; numbers with a point are Decimals. Raises BadInput, TooLarge.

    With `empty` no body at all is an empty object.
    """
    raw = raw_body(event, limit)
    if empty and not raw.strip():
        return {}
    try:
        found = json.loads(raw, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadInput("the body is no JSON", [{"field": "body", "message": "is no JSON"}]) from None
    if not isinstance(found, dict):
        raise BadInput("the body is no JSON object", [{"field": "body", "message": "is no object"}])
    return found


def parsed(model: type[T], event: Mapping[str, Any], limit: int = limits.MAX_BODY_BYTES) -> T:
    """A body checked against a model. Raises BadInput (400) for no JSON, Unprocessable (422) that names the fields."""
    try:
        return model.model_validate(json_body(event, limit))
    except ValidationError as error:
        details = [
            {"field": ".".join(str(part) for part in fault["loc"]) or "body", "message": fault["msg"]}
            for fault in error.errors(include_url=False, include_input=False, include_context=False)[:50]
        ]
        named = ", ".join(dict.fromkeys(detail["field"] for detail in details))
        raise Unprocessable(f"the body is refused: {named[:300]}", details) from None


def whole_number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A query parameter from 1 to `most`. Raises BadInput."""
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and 1 <= int(text) <= most):
        raise BadInput(f"{name} is a whole number from 1 to {most}", [{"field": name, "message": f"1 to {most}"}])
    return int(text)


def require(event: Mapping[str, Any], scope: str) -> str:
    """The caller's key id, when the authorizer's context grants the scope. Raises Forbidden."""
    context = event.get("requestContext", {}).get("authorizer", {})
    context = context.get("lambda") or {}
    granted = set(str(context.get("scopes", "")).replace(",", " ").split())
    if not granted & _GRANTS[scope]:
        raise Forbidden(f"this needs a key with the scope {scope}")
    return str(context.get("key_id", ""))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no JSON form")


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)
