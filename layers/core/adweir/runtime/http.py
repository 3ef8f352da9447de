"""The HTTP boundary of the functions `api` and `webhooks`: reads requests, maps the error tree to answers.

Every error answer is `{"error": {"code", "message", "details"}}`. JSON numbers are exact in both directions: a number
with a decimal point is read as a Decimal, and a Decimal is written digit by digit, never through a float.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import BaseModel

from adweir.model import limits, trace
from adweir.model.errors import (
    AdweirError,
    BadInput,
    Conflict,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    Throttled,
    TooLarge,
    Transient,
    Unavailable,
    Unprocessable,
    Unverified,
)
from adweir.model.times import parse_instant

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.event_handler.exceptions import NotFoundError

JSON = "application/json"
STATUS: tuple[tuple[type[AdweirError], int], ...] = (
    (Unverified, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (MethodNotAllowed, 405),
    (Conflict, 409),
    (TooLarge, 413),
    (Unprocessable, 422),
    (BadInput, 400),
    (Unavailable, 503),
    (Throttled, 503),
    (Transient, 503),
)
"""The HTTP status of each class of error; the first class that fits counts."""
POLICY = "Content-Security-Policy"
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE_POLICY = f"{NOTHING}; style-src 'unsafe-inline'; img-src data:"
"""The policy of a page without scripts: its own styles, nothing from elsewhere."""
HARDENED = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    POLICY: NOTHING,
}
"""Headers of every answer, for browsers: https only, no guessing of types, nothing in an answer is run or framed."""
_GRANTS = {"read": {"read", "write", "admin"}, "write": {"write", "admin"}, "admin": {"admin"}}
Answer = Response[Any]


class HttpApi(APIGatewayHttpResolver):
    """Powertools' resolver of HTTP API events; it also serves paths that end in a slash and knows allowed methods.

    Each answer has the request's id in `X-Request-Id`, and so has each line that is logged until then.
    """

    private = True
    """Whether the bodies of the newest request must not be kept. So it is of one that no route knows."""

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        self.private = True
        path, request_id = str(event.get("rawPath", "")), request_id_of(event, context)
        if len(path) > 1 and path.endswith("/"):
            event = {**event, "rawPath": path[:-1]}
        with trace.about(request_id=request_id):
            answer = super().resolve(event, context)
        headers = answer["headers"]
        page = str(headers.get("Content-Type", "")).startswith("text/html")
        answer["headers"] = HARDENED | ({POLICY: PAGE_POLICY} if page else {}) | headers
        if request_id:
            answer["headers"]["X-Request-Id"] = request_id
        return answer

    def methods(self, path: str) -> list[str]:
        """The HTTP methods that a path has, in alphabetical order; none for a path that does not exist.

        A fixed path hides those with parameters that would match it, too.
        """
        fixed = {route.method for route in self._static_routes if route.rule.match(path)}
        return sorted(fixed or {route.method for route in self._dynamic_routes if route.rule.match(path)})


def resolver(logger: Logger) -> HttpApi:
    """A resolver whose errors are ours."""
    app = HttpApi(serializer=to_json)

    def _expected(error: AdweirError) -> Answer:
        if status_of(error) >= 500:
            logger.warning("refused", extra={"code": error.code, "reason": error.message})
        return refusal(error)

    def _invalid(error: RequestValidationError) -> Answer:
        return refusal(invalid(error.errors()))

    def _fault(error: Exception) -> Answer:
        logger.error("unexpected fault", exc_info=error)
        named = trace.current().get("request_id", "")
        message = f"an internal error; it was logged and can be found by the request id{named and f' {named}'}"
        return answer({"error": {"code": "internal", "message": message, "details": []}}, 500)

    def _unknown(_error: NotFoundError) -> Answer:
        method, path = app.current_event.http_method, app.current_event.path
        if allowed := app.methods(path):
            return refusal(MethodNotAllowed(f"{path[:200]} has no {method[:20]}", allowed))
        return refusal(NotFound(f"there is no {path[:200]}"))

    app.exception_handler(AdweirError)(_expected)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(Exception)(_fault)
    app.not_found(_unknown)
    return app


# -- answers -----------------------------------------------------------------------------------------------------------


def status_of(error: AdweirError) -> int:
    """The HTTP status of an expected error; 500 for one that should never reach a caller."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer; Decimals become exact JSON numbers."""
    return Response(status, JSON, to_json(body), headers={"Cache-Control": "no-store"} | dict(headers or {}))


def to_json(body: Any) -> str:
    """JSON text: Decimal as an exact number, dates and enums as text, models as objects."""
    return _encoder.encode(body).decode()


def refusal(error: AdweirError) -> Answer:
    """The answer to an expected error."""
    status = status_of(error)
    content: dict[str, Any] = {"code": error.code, "message": _readable(error.message)}
    details = error.details if isinstance(error, BadInput) else []
    content["details"] = [
        {name: _readable(value) for name, value in ({"field": "", "message": error.message} | detail).items()}
        for detail in details
    ]
    headers = {}
    if status == 503:
        headers["Retry-After"] = str(max(1, round(getattr(error, "retry_after", 5))))
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    return answer({"error": content}, status, headers)


def _readable(value: Any) -> Any:
    """Text with ? for half of a surrogate pair, which a path may hold and UTF-8 may not; other values as they are."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def invalid(faults: Sequence[Mapping[str, Any]]) -> BadInput:
    """What pydantic found wrong with a request, as the error to answer; `loc` begins with body, query or path."""
    details = []
    for fault in faults[: limits.MAX_REQUEST_FAULTS]:
        # What begins with | says which of several models was meant, and stands in no request.
        where, *parts = (str(part) for part in fault["loc"] if not str(part).startswith("|"))
        if where == "query":
            parts = parts[-1:]  # of a route that takes its parameters as one model, before it the model's name
        if where == "body" and not parts and fault["type"] == "missing":
            return BadInput("a JSON object is expected as the body", [{"field": "body", "message": "is required"}])
        unknown = fault["type"] == "extra_forbidden"
        message = "is unknown" if unknown else str(fault["msg"]).removeprefix("Value error, ")
        details.append({"field": ".".join(parts) or where, "message": message})
    named = ", ".join(dict.fromkeys(detail["field"] for detail in details))
    return Unprocessable(f"the request has invalid fields: {named[:300]}", details)


# -- requests ----------------------------------------------------------------------------------------------------------


def raw_body(event: Mapping[str, Any]) -> bytes:
    """The bytes that were sent. Raises TooLarge before anything is decoded, BadInput."""
    text, limit = event.get("body") or "", limits.MAX_BODY_BYTES
    encoded = bool(event.get("isBase64Encoded"))
    if len(text) > (limit * 4 // 3 + 4 if encoded else limit):
        raise _too_large(limit)
    try:
        body = base64.b64decode(text, validate=True) if encoded else text.encode()
    except (binascii.Error, UnicodeError):
        raise BadInput("the body cannot be decoded", [{"field": "body", "message": "is not readable"}]) from None
    if len(body) > limit:
        raise _too_large(limit)
    return body


def json_body(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """A body that is a JSON object, None where there is none or it is null; numbers with a decimal point are Decimals.

    Raises BadInput, TooLarge.
    """
    raw = raw_body(event)
    if not raw.strip():
        return None
    try:
        found = _decoder.decode(raw)
    except msgspec.DecodeError as error:
        why = str(error).removeprefix("JSON is malformed: ")
        raise BadInput("the body is not JSON", [{"field": "body", "message": f"is not JSON: {why}"}]) from None
    except (ValueError, ArithmeticError, RecursionError):  # Arithmetic: an exponent beyond what a Decimal can have
        raise BadInput("the body is not JSON", [{"field": "body", "message": "is not JSON"}]) from None
    if found is None:
        return None  # where a body may be left out, it may be null, too
    if not isinstance(found, dict):
        raise BadInput("the body is not a JSON object", [{"field": "body", "message": "is not an object"}])
    return found


def caller_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the function `authorize` said of the request's key; nothing of a request without one."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    found: Mapping[str, Any] = authorizer.get("lambda") or {}
    return found


def require(event: Mapping[str, Any], scope: str) -> None:
    """Check that the authorizer's context grants the scope. Raises Forbidden."""
    granted = set(str(caller_of(event).get("scopes", "")).replace(",", " ").split())
    if not granted & _GRANTS[scope]:
        raise Forbidden(f"this call needs a key with the scope {scope}")


def accounts_of(event: Mapping[str, Any]) -> frozenset[str] | None:
    """The accounts that the request's key is limited to; None for a key of all."""
    return frozenset(str(caller_of(event).get("accounts", "")).split()) or None


def key_of_request(event: Mapping[str, Any]) -> str:
    """The id of the API key that the request was made with; "" for a request without one."""
    return str(caller_of(event).get("key_id", ""))[: limits.MAX_WORD_CHARS]


def check_end(event: Mapping[str, Any], now: datetime) -> None:
    """Check that the value of the request's key has not ended since the gateway asked for it. Raises Forbidden."""
    ends_at = str(caller_of(event).get("ends_at", ""))
    if ends_at and parse_instant(ends_at) <= now:
        raise Forbidden(f"this value of the key ended at {ends_at}")


def request_id_of(event: Mapping[str, Any], context: Any = None) -> str:
    """The id that the gateway gave a request, else Lambda's; "" for a request without one."""
    given = event.get("requestContext", {}).get("requestId") or getattr(context, "aws_request_id", "")
    return str(given)[: limits.MAX_PATH_ID_CHARS]


def is_id(text: str) -> bool:
    """Whether a part of a path can be an id: 1 to 128 characters, none of them a control character."""
    return 0 < len(text) <= limits.MAX_PATH_ID_CHARS and text.isprintable()


def _too_large(limit: int) -> TooLarge:
    message = f"a body has at most {limit} bytes; more records are put as a file under drops/ (docs/drops.md)"
    return TooLarge(message)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, str):
        return str(value)  # msgspec refuses subclasses of str
    raise TypeError(f"{type(value).__name__} has no JSON form")


_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)
