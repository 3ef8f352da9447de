"""Ad-account notifications as Meta posts them (Webhooks, Ad Account)."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha1, sha256
from typing import Any, Final

from sandbox.deliveries import Delivery, Perseverance, door_answer, persist, send, summary, unless_taken
from sandbox.outside import BadQuestion, Outside
from sandbox.platforms.meta.population import PLATFORM
from sandbox.world import Company, WorldProfile
from sandbox.world.draw import mix, seed_of

MOST_CHANGES: Final = 1000
"""Changes in one delivery."""
_IN_AN_ENTRY: Final = 4
_LEVELS: Final = ("CAMPAIGN", "AD_SET", "AD")


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


def signed(
    about: str, entries: Sequence[Mapping[str, Any]], app_secret: str, *, bad_signature: bool = False
) -> Delivery:
    """A batch of entries about an object (ad_account, page): ASCII-escaped JSON, signed over exactly those bytes."""
    body = json.dumps({"object": about, "entry": list(entries)}, ensure_ascii=True).encode()
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

    Without a change, an ad's status changed. A change may name an `account_id` of its own, and a `time`. With `count`
    instead, that many changes of the ad account, one to four in an entry: of every field, or of `fields` alone; what
    is not taken is sent again (`Perseverance`).
    """
    company = outside.company(str(body.get("account", "")))
    if PLATFORM not in company.credentials:
        raise ValueError(f"{company.name} is not on Meta")
    profile = company.on(PLATFORM)[0]
    bad, secret = bool(body.get("bad_signature")), company.credentials[PLATFORM]["app_secret"]
    if "count" in body:
        delivery = signed("ad_account", list(_many(profile, body)), secret, bad_signature=bad)
        answers = [persist(str(body["url"]), delivery, Perseverance.of(body), unless_taken)]
        return summary(answers * int(body.get("times", 1)))
    ad = profile.ads()[0][2]
    usual = {"object_id": ad.id, "object_type": "ad", "changed_fields": ["effective_status"]}
    changes = body.get("changes") or [body.get("change") or {"field": "field_changed", "value": usual}]
    entries = [_entry(profile.id, change) for change in changes]
    delivery = signed("ad_account", entries, secret, bad_signature=bad)
    return door_answer(send(str(body["url"]), delivery, times=int(body.get("times", 1))))


def _many(profile: WorldProfile, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    count, fields = int(body["count"]), list(body.get("fields") or FIELDS)
    if not 1 <= count <= MOST_CHANGES or not set(fields) <= set(FIELDS):
        raise BadQuestion(f"count is 1 to {MOST_CHANGES}; fields are {', '.join(FIELDS)}")
    luck, at = seed_of("changes", profile.id), int(body.get("time", time.time()))
    changes = [
        {"field": field, "value": change_value(profile, field, mix(luck, place))}
        for place, field in enumerate(fields[place % len(fields)] for place in range(count))
    ]
    while changes:
        size = 1 + mix(luck, len(changes)) % _IN_AN_ENTRY
        yield {"id": profile.id, "time": at, "changes": changes[:size]}
        changes = changes[size:]


FIELDS: Final = (
    "field_changed",
    "with_issues_ad_objects",
    "in_process_ad_objects",
    "creative_fatigue",
    "ad_recommendations",
    "product_set_issue",
    "ads_async_creation_request",
    "subscriptions",
    "ad_labels_updated",
)
"""What notifications of ad accounts are about; the last is a kind that no document names."""


def change_value(profile: WorldProfile, field: str, luck: int) -> dict[str, Any]:
    """The value of a change of one of the ad account's objects (Webhooks, Ad Account: a page for each field).

    The value of product_set_issue is in no document.
    """
    campaign, group, ad = profile.ads()[luck % len(profile.ads())]
    level = _LEVELS[luck // 7 % len(_LEVELS)]
    object_id = {"CAMPAIGN": campaign.id, "AD_SET": group.id, "AD": ad.id}[level]
    kind = level.replace("_", "").lower()
    values: dict[str, dict[str, Any]] = {
        "field_changed": {"object_id": object_id, "object_type": kind, "changed_fields": ["effective_status"]},
        "with_issues_ad_objects": {
            "id": object_id,
            "level": level,
            "error_code": "2859024",
            "error_summary": f"Prüfung nötig für {campaign.name}",
            "error_message": "An invented issue",
        },
        "in_process_ad_objects": {"id": object_id, "level": level, "status_name": "Active"},
        "creative_fatigue": {
            "ad_account_id": profile.id,
            "adgroup_id": ad.id,  # Meta's old name of an ad
            "creative_fatigue_level": ("LOW", "MEDIUM", "HIGH")[luck % 3],
            "creative_fatigue_message": "Seen often by the same people",
        },
        "ad_recommendations": {
            "ad_account_id": profile.id,
            "ad_object_ids": [ad.id],
            "recommendation_type": "CREATIVE_FATIGUE",
            "recommendation_signature": f"{luck:016x}",
            "recommendation_message": "An invented recommendation",
            "recommendation_stage": "CREATED",
            "recommendation_hash": f"{luck:x}",
        },
        "product_set_issue": {"id": str(luck % 10**15)},
        "ads_async_creation_request": {
            "status": "SUCCESS",
            "result": "AD_CREATED",
            "result_id": ad.id,
            "error_code": "0",
            "error_message": "",
        },
        "subscriptions": {
            "subscription_id": 7_000_000_000 + luck % 10**6,
            "account_id": int(profile.id),
            "object_id": int(object_id),
            "object_type": kind,
            "field": "spent",
            "current_value": str(luck % 10**6),
        },
    }
    return values.get(field, {"labels": ["invented"]})
