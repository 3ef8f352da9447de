"""The webhooks' addresses as the API's description shows them; the function `webhooks` serves them.

They are written out here because their bodies are checked as bytes, against a signature, before anything reads them.
"""

from __future__ import annotations

from typing import Any

from adweir.model import limits
from adweir.runtime.openapi import OtherPaths

TAG = {"name": "Webhooks", "description": "Deliveries of platforms and partners: signed, without an API key"}
_NAMES = {400: "BadRequest", 403: "Forbidden", 404: "NotFound", 413: "TooLarge", 422: "Unprocessable"}
_ALWAYS = {429: "TooManyRequests", 500: "InternalError", 503: "Unavailable"}
_ID = {"type": "string", "description": "The platform's own id."}
_COUNT = {"type": "integer", "minimum": 0}
_AMOUNT = {
    "description": "An exact decimal, as a number or a text; at most 6 decimals count.",
    "oneOf": [{"type": "number", "minimum": 0}, {"type": "string"}],
}
_METRIC = {
    "type": "object",
    "required": ["timestamp"],
    "description": "An entity's total for the hour of `timestamp`. The most specific id says what it is about.",
    "properties": {
        "timestamp": {
            "description": "ISO 8601 with an offset, or Unix seconds.",
            "oneOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}],
        },
        **dict.fromkeys(("profile_id", "campaign_id", "ad_group_id", "ad_id", "keyword_id"), _ID),
        "impressions": _COUNT,
        "clicks": _COUNT,
        "conversions": _AMOUNT,
        "revenue": _AMOUNT,
        "cost": _AMOUNT,
        "currency": {"type": "string", "description": "ISO 4217; the ad account's."},
    },
}
_PUSH = {
    "type": "object",
    "required": ["metrics"],
    "properties": {
        "metrics": {"type": "array", "minItems": 1, "maxItems": limits.MAX_PUSHED_METRICS, "items": _METRIC}
    },
}
_PUSH_EXAMPLE = {
    "metrics": [
        {
            "campaign_id": "120200000000000001",
            "timestamp": "{today-0}T09:00:00Z",
            "impressions": 1200,
            "clicks": 34,
            "conversions": 2,
            "revenue": "89.90",
            "cost": "12.345678",
            "currency": "EUR",
        }
    ]
}
_TOLD = {"type": "object"}
_RECEIVED = {
    "type": "object",
    "properties": {
        "status": {
            "type": "string",
            "enum": ["stored", "known", "ignored"],
            "description": "known: this delivery was stored before; ignored: it contains nothing to store.",
        }
    },
}
_HEALTH = {
    "type": "object",
    "required": ["status", "dependencies", "time"],
    "properties": {
        "status": {"type": "string", "enum": ["healthy", "degraded"]},
        "dependencies": {"type": "object", "additionalProperties": {"type": "string"}},
        "time": {"type": "string", "format": "date-time"},
    },
}


def _path(name: str, about: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": {"type": "string"}}


def _query(name: str, about: str = "As the platform sends it.", *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": about, "schema": {"type": "string"}}


def _header(name: str, about: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": about, "schema": {"type": "string"}}


_PLATFORM = _path("platform", "A platform or an alias of it.")
_ACCOUNT = _path("account_id", "The client company whose secrets the delivery is signed with, acc_….")
_SIGNED = [
    _header("webhook-id", "Standard Webhooks: the delivery's id."),
    _header("webhook-timestamp", f"Unix seconds, at most {limits.MAX_CLOCK_SKEW_SECONDS} away from now."),
    _header("webhook-signature", '`v1,<base64 HMAC-SHA256 of "id.timestamp.body">`; several are separated by spaces.'),
    _header("X-Hub-Signature-256", "Meta's, instead of the other three."),
    _query("token", required=False),
]


def _operation(name: str, summary: str, answered: dict[str, Any], *errors: int) -> dict[str, Any]:
    refused = {401: "Unverified"} if 401 in errors else {}
    names = refused | {status: _NAMES[status] for status in errors if status in _NAMES} | _ALWAYS
    references = {str(status): {"$ref": f"#/components/responses/{name}"} for status, name in names.items()}
    responses = {"200": {"description": "OK", "content": answered}} | references
    tagged = {"operationId": name, "summary": summary, "tags": [TAG["name"]]}
    return tagged | {"responses": dict(sorted(responses.items()))}


def _handshake(name: str, summary: str, *where: dict[str, Any]) -> dict[str, Any]:
    text = {"text/plain": {"schema": {"type": "string"}, "examples": {"challenge": {"value": "1158201444"}}}}
    queries = [_query("hub.mode"), _query("hub.challenge"), _query("hub.verify_token")]
    return _operation(name, summary, text, 400, 401, 403, 404, 422) | {"parameters": [*where, *queries]}


def _delivery(name: str, summary: str, *where: dict[str, Any]) -> dict[str, Any]:
    about = "A metric push, signed by the Standard Webhooks scheme, or a platform's own notification as it signs it."
    bodies = {"anyOf": [_PUSH, _TOLD]}
    pushed = {"schema": bodies, "examples": {"push": {"summary": "A metric push", "value": _PUSH_EXAMPLE}}}
    return (
        _operation(name, summary, {"application/json": {"schema": _RECEIVED}}, 400, 401, 404, 413, 422)
        | {"description": about, "parameters": [*where, *_SIGNED]}
        | {"requestBody": {"required": True, "content": {"application/json": pushed}}}
    )


_PATHS: dict[str, Any] = {
    "/webhook/health": {
        "get": _operation("get_webhook_health", "Get the webhooks' state", {"application/json": {"schema": _HEALTH}})
    },
    "/webhook/{platform}": {
        "get": _handshake("shake_hands", "Answer a subscription's handshake", _PLATFORM),
        "post": _delivery("receive_delivery", "Deliver, signed with the deployment's secrets", _PLATFORM),
    },
    "/webhook/{platform}/{account_id}": {
        "get": _handshake("shake_hands_for_account", "Answer a subscription's handshake", _PLATFORM, _ACCOUNT),
        "post": _delivery("receive_account_delivery", "Deliver, signed with an account's secrets", _PLATFORM, _ACCOUNT),
    },
}
WEBHOOKS = OtherPaths(TAG, _PATHS)
