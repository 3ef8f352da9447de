"""What Google and TikTok tell at the webhooks' doors: leads, reviews, changed reports, in order and altered.

A delivery is accepted only with the form's key in its body, or the callback's token in its URL. What is loaded of it
knows no person, and nothing that is kept knows the key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Any

from adweir.intake.doors.receiver import Receiver
from adweir.model.datasets import Dataset
from adweir.model.deliveries import LEAD_BODIES, read_delivery
from adweir.model.entities import AdCampaign, Profile
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.store.secrets import SecretStore
from fuzz import awkward, damage
from fuzz.documents import Document, mutated
from fuzz.functions import Function
from fuzz.running import Broken, Case
from fuzz.targets.doors import DOORS, NOW, KnownCatalog, MemoryRaw, SecretsManager, http_event
from support.clock import FrozenClock

KEYS = ("the key of the lead forms", "the key before it")
CALLBACK_TOKENS = ("the-token-of-the-callback", "the-token-before-it")
PERSON = "ada@example.com"
_LEAD = {
    "lead_id": "TeSter-123", "campaign_id": 70, "adgroup_id": 8, "is_test": False, "form_id": 194054118492,
    "user_column_data": [{"column_id": "EMAIL", "string_value": PERSON}], "lead_submit_time": "2026-11-20T11:30:00Z",
}  # fmt: skip
_TOLD = {
    "id": "lead-1", "advertiser_id": "5", "campaign_id": "70", "adgroup_id": "8", "create_time": NOW - 9,
    "changes": [{"field": "email", "value": PERSON}],
}  # fmt: skip
_ABOUT = {"adv_id": "5", "adgroup_id": "8", "ad_id": 700, "changed_metrics_values": {"5": {"spend": 1}}}
FORMS = {
    key: (Document.of(_LEAD | {"google_key": key}), Document.of({"google_key": key, "lead_id": 5})) for key in KEYS
}
SUBSCRIPTIONS = (
    *(
        Document.of({"request_id": "1", "object": kind, "time": NOW, "entry": [entry]})
        for kind, entry in ((1, _TOLD), (2, _ABOUT), ("3", _ABOUT), (8, _ABOUT), (11, _ABOUT))
    ),
    Document.of({"advertiser_id": "5", "status": "STATUS_LIMIT"}),
)


class _Secrets(SecretsManager):
    values = (
        {"google_key": KEYS[0], "callback_token": CALLBACK_TOKENS[0]},
        {"google_key": KEYS[1], "callback_token": CALLBACK_TOKENS[1]},
    )


class ToldByPlatforms:
    """HTTP API events for the function `webhooks`."""

    name = "told"
    most_memory = 24 << 20

    def __init__(self) -> None:
        self._function = Function("webhooks", {})
        clock, self._raw = FrozenClock(datetime.fromtimestamp(NOW, UTC)), MemoryRaw()
        profiles = [
            Profile(platform=platform, profile_id="5", account_id="acc", name="n", currency="EUR", timezone="UTC")
            for platform in (Platform("google_ads"), Platform("tiktok_ads"))
        ]
        campaigns = {"70": AdCampaign(platform=profiles[0].platform, profile_id="5", id="70")}
        catalog = KnownCatalog(clock, profiles, {Dataset.CAMPAIGNS: campaigns})
        secrets = SecretStore(_Secrets(), "adweir", clock)  # type: ignore[arg-type]  # the one call that it makes
        app = self._function.module.app
        app.clock = clock
        app.__dict__["receiver"] = Receiver(REGISTRY, catalog, secrets, self._raw, clock)

    def make(self, rng: Random) -> Case:
        is_form, key = rng.random() < 0.5, rng.choice(KEYS)
        seed = rng.choice(FORMS[key] if is_form else SUBSCRIPTIONS)
        change, body = rng.random(), seed.text
        if change < 0.5:
            body = mutated(seed, rng)
        elif change < 0.65:
            body = damage.damaged(body, rng)
        token = rng.choice(CALLBACK_TOKENS) if rng.random() < 0.8 else awkward.plain(rng)
        account = rng.choice(DOORS)
        path = f"/webhook/{'google' if is_form else 'tiktok'}" + (f"/{account}" if account else "")
        event = http_event("POST", path, {}, body, rng) | {"queryStringParameters": {"token": token}}
        return {"event": json.dumps(event | {"untouched": change >= 0.65}).encode(), "body": body}

    def check(self, case: Case) -> str:
        event, body = json.loads(case["event"]), case["body"]
        is_form, untouched = "google" in event["rawPath"], event.pop("untouched")
        self._raw.stored.clear()
        status, answer = self._function.ask(event)
        accepted = status == 200
        proven = _has_key(body) if is_form else event["queryStringParameters"]["token"] in CALLBACK_TOKENS
        if accepted and not proven:
            raise Broken("a delivery that nothing proves is accepted")
        if untouched and proven and not accepted:
            raise Broken(f"a delivery as its platform sends it is answered {status}")
        if not accepted and self._raw.stored:
            raise Broken(f"what was answered {status} is stored")
        for key, stored in self._raw.stored.items():
            _check_stored(key, stored, body)
        return f"{status} {answer if accepted else ''}{len(self._raw.stored)}"

    def close(self) -> None:
        self._function.close()


TARGET = ToldByPlatforms


def _has_key(body: bytes) -> bool:
    """Whether the body is an object with the key; of one that Python's parser refuses, whether the key is in it."""
    try:
        told = json.loads(body.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return any(key.encode() in body for key in KEYS)
    return isinstance(told, dict) and told.get("google_key") in KEYS


def _check_stored(key: str, stored: bytes, body: bytes) -> None:
    if not key.startswith(LEAD_BODIES):
        if read_delivery(stored).body_sha256 != sha256(body).hexdigest():
            raise Broken("another body is named than was sent")
        if PERSON.encode() in stored:
            raise Broken("what is loaded knows a person")
    elif "google_key" in _members(stored):
        raise Broken("the key of the forms is stored")


def _members(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
