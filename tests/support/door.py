"""The webhooks' door in front of a LoadWorld: what it stores is loaded at once."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import boto3

from adweir.intake.doors.receiver import Receipt, Receiver
from adweir.model.entities import AdCampaign, PlatformObject, Profile
from adweir.model.times import iso
from adweir.platforms import REGISTRY
from adweir.store.secrets import SecretStore
from sandbox.deliveries import push_delivery
from support.load_world import META, LoadWorld

ACCOUNT_SECRET = "whsec_YW4gYWNjb3VudCdzIHNlY3JldA=="
DEPLOYMENT_SECRET = "whsec_dGhlIGRlcGxveW1lbnQncw=="
APP_SECRET = "the app's secret"


class Door:
    """Signed deliveries for Meta's doors: acme's, and with `account` "" the deployment's."""

    def __init__(self, world: LoadWorld) -> None:
        self.world = world
        self.secrets = SecretStore(boto3.client("secretsmanager"), "adweir", world.clock)
        self.secrets.put("adweir/webhook/meta", {"secret": DEPLOYMENT_SECRET, "app_secret": APP_SECRET})
        self.secrets.put("adweir/webhook/meta/acme", {"secret": ACCOUNT_SECRET, "app_secret": APP_SECRET})
        self.receiver = Receiver(REGISTRY, world.catalog, self.secrets, world.raw, world.clock)

    def push(self, metrics: Sequence[Any], account: str = "acme", *, id_: str = "m1", body: bytes = b"") -> Receipt:
        """A metric push signed now; `body` goes before `metrics`."""
        secret = ACCOUNT_SECRET if account else DEPLOYMENT_SECRET
        now = self.world.clock.now().timestamp()
        content = body or json.dumps({"metrics": list(metrics)}).encode()
        signed = push_delivery(content, secret, message_id=id_, at=now)
        return self._take(account, signed.headers, signed.body)

    def notify(self, *changes: tuple[str, dict[str, Any]], account: str = "acme", kind: str = "ad_account") -> Receipt:
        """Meta's notification of `(ad account, value)` each."""
        entries = [
            {"id": owner, "time": 1, "changes": [{"field": "field_changed", "value": value}]}
            for owner, value in changes
        ]
        body = json.dumps({"object": kind, "entry": entries}).encode()
        signature = "sha256=" + hmac.new(APP_SECRET.encode(), body, sha256).hexdigest()
        return self._take(account, {"x-hub-signature-256": signature}, body)

    def _take(self, account: str, headers: dict[str, str], body: bytes) -> Receipt:
        receipt = self.receiver.receive("meta", account, headers, body)
        if receipt.stored:
            self.world.arrive(receipt.key)
        return receipt


def put(world: LoadWorld, *found: PlatformObject | Profile) -> None:
    """What a pull of this moment brought to the catalog."""
    world.catalog.put_objects(found, iso(world.clock.now()))


def rival(world: LoadWorld, *, currency: str = "USD", timezone: str = "UTC") -> None:
    """A second client with profile 2 and, like acme's profile 1, a campaign 7."""
    world.catalog.create_account("rival", "Rival", "a@b.example")
    named = {"account_id": "rival", "platform": META, "profile_id": "2", "name": "n"}
    put(
        world, Profile(**named, currency=currency, timezone=timezone), AdCampaign(platform=META, profile_id="2", id="7")
    )


def objects(world: LoadWorld, prefix: str = "") -> list[str]:
    """The keys of the bucket."""
    return [info.key for info in world.raw.list(prefix)]
