"""Signed webhook deliveries to adweir's doors: how they are sent, and those of a company's own partners."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import requests

from sandbox.outside import Outside
from sandbox.world import Company


class Delivery(NamedTuple):
    """A POST ready to send: exactly the bytes that were signed."""

    body: bytes
    headers: dict[str, str]


class Delivered(NamedTuple):
    """What the receiver answered; status 0 when it could not be reached."""

    status: int
    body: str


def send(url: str, delivery: Delivery, *, times: int = 1, timeout: float = 10.0) -> list[Delivered]:
    """POST the same delivery `times` times, since platforms deliver at least once. Raises ValueError for a bad URL."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("a delivery's url begins with http:// or https://")
    delivered = []
    for _ in range(times):
        try:
            answer = requests.post(url, delivery.body, headers=delivery.headers, timeout=timeout, allow_redirects=False)
            delivered.append(Delivered(answer.status_code, answer.text))
        except requests.RequestException as error:
            delivered.append(Delivered(0, str(error)))
    return delivered


def door_answer(delivered: Sequence[Delivered]) -> dict[str, Any]:
    """The answer of an endpoint under /_world that sends deliveries."""
    return {"answers": [each._asdict() for each in delivered]}


def push_secret(company: Company, seed: int) -> str:
    """The secret with which a company's partners sign metric pushes (`whsec_<base64>`)."""
    return "whsec_" + base64.b64encode(sha256(f"push {seed} {company.key}".encode()).digest()).decode()


def push_delivery(
    body: bytes, secret: str, *, message_id: str, at: float | None = None, bad_signature: bool = False
) -> Delivery:
    """A metric push signed by the Standard Webhooks scheme; `secret` is `whsec_<base64>`."""
    stamp = str(int(at or time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_")) + (b"x" if bad_signature else b"")
    signed = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, sha256).digest()
    return Delivery(
        body,
        {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        },
    )


def send_push(outside: Outside, body: dict[str, Any]) -> dict[str, Any]:
    """`{"url", "metrics": [...], "account", "secret", "id", "times", "bad_signature"}` → a metric push, sent."""
    company = outside.company(str(body.get("account", "")))
    secret = str(body.get("secret") or push_secret(company, outside.world.seed))
    metrics = body["metrics"]
    digest = sha256(json.dumps(metrics, sort_keys=True).encode()).hexdigest()[:24]
    message_id, bad = str(body.get("id") or f"msg_{digest}"), bool(body.get("bad_signature"))
    content = json.dumps({"metrics": metrics}).encode()
    delivery = push_delivery(content, secret, message_id=message_id, bad_signature=bad)
    return door_answer(send(str(body["url"]), delivery, times=int(body.get("times", 1))))
