"""Toy Ads' own deliveries: a shared word in a header, and the campaigns that changed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from adweir.model.metrics import Level
from adweir.platforms.webhooks import ChangedObject, Secrets, Sent, Told, Webhook


class ToyWebhook(Webhook):
    def carries(self, headers: Mapping[str, str]) -> bool:
        return "x-toy-word" in headers

    def verify(self, sent: Sent, secrets: Secrets) -> bool:
        word = sent.headers.get("x-toy-word", "").encode()
        return any(hmac.compare_digest(word, values["secret"].encode()) for values in secrets if "secret" in values)

    def parse(self, body: bytes) -> Told:
        changed = json.loads(body)
        return Told(tuple(ChangedObject(changed["account"], Level.CAMPAIGN, each) for each in changed["campaigns"]))


HOOKS = ToyWebhook()
