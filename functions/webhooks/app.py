"""webhooks: stores verified deliveries as objects. A 200 means durably stored."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from adweir.model.errors import BadInput, Unverified
from adweir.model.operation_metrics import OperationMetric
from adweir.runtime.app import build
from adweir.runtime.http import Answer, answer, is_id, raw_body, resolver

app = build("webhooks")
http = resolver(app.logger)


@http.get("/webhook/health")
def health() -> Answer:
    return answer(app.receiver.health())


@http.get("/webhook/<platform>")
def handshake(platform: str) -> Answer:
    return account_handshake(platform, "")


@http.get("/webhook/<platform>/<account_id>")
def account_handshake(platform: str, account_id: str) -> Answer:
    query = http.current_event.raw_event.get("queryStringParameters") or {}
    if account_id and not is_id(account_id):
        raise Unverified("no valid signature")
    challenge = app.receiver.handshake(platform, account_id, query)
    if not challenge:
        raise BadInput("a handshake needs a hub.challenge", [{"field": "hub.challenge", "message": "is required"}])
    return Response(200, "text/plain", challenge)


@http.post("/webhook/<platform>")
def delivery(platform: str) -> Answer:
    return account_delivery(platform, "")


@http.post("/webhook/<platform>/<account_id>")
def account_delivery(platform: str, account_id: str) -> Answer:
    if account_id and not is_id(account_id):
        raise Unverified("no valid signature")
    event = http.current_event.raw_event
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    query = event.get("queryStringParameters") or {}
    receipt = app.receiver.receive(platform, account_id, headers, raw_body(event), query)
    if receipt.unknown:
        app.meter.count({OperationMetric.OBJECTS_UNKNOWN: receipt.unknown})
        app.logger.info("a delivery tells of what is not kept here", platform=platform, unknown=receipt.unknown)
    if receipt.silent:
        return answer({})
    return answer({"status": "stored" if receipt.stored else "known" if receipt.key else "ignored"})


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """HTTP API event (payload 2.0) → answer."""
    return http.resolve(event, context)
