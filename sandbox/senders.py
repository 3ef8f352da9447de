"""Signed deliveries as platforms and partners send them to adweir's webhook doors."""

from __future__ import annotations

import base64
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from hashlib import sha1, sha256
from typing import Any, NamedTuple


class Delivery(NamedTuple):
    """A POST ready to send: exactly the bytes that were signed."""

    body: bytes
    headers: dict[str, str]


class Answer(NamedTuple):
    """What the receiver said; status 0 when it could not be reached."""

    status: int
    body: str


def meta_change(account_id: str, field: str, value: Any, *, at: float | None = None) -> dict[str, Any]:
    """One entry of an ad-account notification; `account_id` without `act_`."""
    return {"id": account_id, "time": int(at or time.time()), "changes": [{"field": field, "value": value}]}


def meta_delivery(entries: Sequence[Mapping[str, Any]], app_secret: str, *, bad_signature: bool = False) -> Delivery:
    """A batch of entries as Meta posts it: ASCII-escaped JSON, signed over those bytes (platform-protocols 2.9)."""
    body = json.dumps({"object": "ad_account", "entry": list(entries)}, ensure_ascii=True).encode()
    key = app_secret.encode() + (b"x" if bad_signature else b"")
    return Delivery(
        body,
        {
            "Content-Type": "application/json",
            "X-Hub-Signature": "sha1=" + hmac.new(key, body, sha1).hexdigest(),
            "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, sha256).hexdigest(),
        },
    )


def push_delivery(
    metrics: Sequence[Mapping[str, Any]],
    secret: str,
    *,
    message_id: str,
    at: float | None = None,
    bad_signature: bool = False,
    body: bytes = b"",
) -> Delivery:
    """A metric push signed by the Standard Webhooks scheme; `secret` is `whsec_<base64>`, `body` replaces `metrics`."""
    body = body or json.dumps({"metrics": list(metrics)}).encode()
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


def send(url: str, delivery: Delivery, *, times: int = 1, timeout: float = 10.0) -> list[Answer]:
    """POST the same delivery `times` times (platforms deliver at least once)."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("a delivery's url begins with http:// or https://")
    answers = []
    for _ in range(times):
        request = urllib.request.Request(url, delivery.body, delivery.headers, method="POST")  # noqa: S310 - checked
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310 - checked above
                answers.append(Answer(response.status, response.read().decode()))
        except urllib.error.HTTPError as error:
            answers.append(Answer(error.code, error.read().decode(errors="replace")))
        except (urllib.error.URLError, TimeoutError) as error:
            answers.append(Answer(0, str(error)))
    return answers
