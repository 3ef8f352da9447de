"""Ad-account notifications as Meta posts them (Webhooks, Ad Account)."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping, Sequence
from hashlib import sha1, sha256
from typing import Any

from sandbox.deliveries import Delivery, door_answer, send
from sandbox.outside import Outside
from sandbox.platforms.meta.population import PLATFORM
from sandbox.world import Company


def webhook_secrets(company: Company, seed: int) -> dict[str, str]:
    """What the receiver of a company's notifications must know."""
    credential = company.credentials.get(PLATFORM)
    if credential is None:
        return {}
    return {"meta_app_secret": credential["app_secret"], "meta_verify_token": f"verify-{company.key}-{seed}"}


def _entry(account_id: str, change: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of a notification; `account_id` without `act_`."""
    when, account_id = int(change.get("time", time.time())), str(change.get("account_id", account_id))
    return {"id": account_id, "time": when, "changes": [{"field": change["field"], "value": change["value"]}]}


def _signed(entries: Sequence[Mapping[str, Any]], app_secret: str, *, bad_signature: bool) -> Delivery:
    """A batch of entries: ASCII-escaped JSON, signed over exactly those bytes."""
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


def send_notifications(outside: Outside, body: dict[str, Any]) -> dict[str, Any]:
    """`{"url", "change": {"field", "value"} | "changes": [...], "account", "times", "bad_signature"}` → sent.

    Without a change, an ad's status changed. A change may name an `account_id` of its own, and a `time`.
    """
    company = outside.company(str(body.get("account", "")))
    if PLATFORM not in company.credentials:
        raise ValueError(f"{company.name} is not on Meta")
    profile = company.on(PLATFORM)[0]
    ad = profile.ads()[0][2]
    usual = {"object_id": ad.id, "object_type": "ad", "changed_fields": ["effective_status"]}
    changes = body.get("changes") or [body.get("change") or {"field": "field_changed", "value": usual}]
    entries = [_entry(profile.id, change) for change in changes]
    secret = company.credentials[PLATFORM]["app_secret"]
    delivery = _signed(entries, secret, bad_signature=bool(body.get("bad_signature")))
    return door_answer(send(str(body["url"]), delivery, times=int(body.get("times", 1))))
