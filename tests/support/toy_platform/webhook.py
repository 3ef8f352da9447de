"""Toy Ads' own deliveries: a shared word in a header, and the campaigns that changed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from adweir.model.metrics import Level
from adweir.platforms.webhooks import ChangedObject, Secrets


class ToyWebhook:
    def carries(self, headers: Mapping[str, str]) -> bool:
        return "x-toy-word" in headers

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Secrets) -> bool:
        word = headers.get("x-toy-word", "").encode()
        return any(hmac.compare_digest(word, values["secret"].encode()) for values in secrets if "secret" in values)

    def handshake(self, query: Mapping[str, str], secrets: Secrets) -> str | None:
        return None

    def parse(self, body: bytes) -> list[ChangedObject]:
        changed = json.loads(body)
        return [ChangedObject(changed["account"], Level.CAMPAIGN, campaign) for campaign in changed["campaigns"]]


HOOKS = ToyWebhook()
