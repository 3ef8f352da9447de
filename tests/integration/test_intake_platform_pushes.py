"""Metric pushes for every platform, by each of its names, at a client's address and at the deployment's."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

import boto3
import pytest

from adweir.intake.doors.receiver import Receipt, Receiver
from adweir.intake.doors.webhook_secrets import secret_name, set_webhook_secret
from adweir.model.entities import AdCampaign, Profile
from adweir.model.errors import Unprocessable, Unverified
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.store.secrets import SecretStore
from support.clock import FrozenClock
from support.door import put
from support.load_world import LoadWorld

CURRENT, PREVIOUS = b"the secret of today", b"the secret before it"
ACCOUNTS = ("acme", "")


class Sender(NamedTuple):
    """A partner who signs pushes for one name of a platform and one address."""

    receiver: Receiver
    world: LoadWorld
    name: str
    account: str

    def push(self, id_: str = "m1", *, late: int = 0, keys: tuple[bytes, ...] = (CURRENT,), **changes: Any) -> Receipt:
        metric = {"campaign_id": "77", "timestamp": "2026-11-20T11:30:00Z", "impressions": 9, "cost": "1.25"}
        body = json.dumps({"metrics": [metric | changes]}).encode()
        stamp = int(self.world.clock.now().timestamp()) + late
        signed = f"{id_}.{stamp}.".encode() + body
        digests = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
        headers = {
            "webhook-id": id_,
            "webhook-timestamp": str(stamp),
            "webhook-signature": " ".join(["v1a,of-another-kind", *(f"v1,{digest}" for digest in digests)]),
        }
        receipt = self.receiver.receive(self.name, self.account, headers, body)
        if receipt.stored:
            self.world.arrive(receipt.key)
        return receipt


def _whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    world = LoadWorld(clock, "adweir-data")
    for platform in REGISTRY:
        named: dict[str, Any] = {"platform": platform, "profile_id": "12"}
        profile = Profile(**named, account_id="acme", name="n", currency="EUR", timezone="UTC")
        put(world, profile, AdCampaign(**named, id="77"))
    return world


@pytest.fixture
def receiver(world: LoadWorld) -> Receiver:
    secrets = SecretStore(boto3.client("secretsmanager"), "adweir", world.clock)
    return Receiver(REGISTRY, world.catalog, secrets, world.raw, world.clock)


def sender(receiver: Receiver, world: LoadWorld, platform: Platform, name: str, account: str) -> Sender:
    secrets = SecretStore(boto3.client("secretsmanager"), "adweir", world.clock)
    for key in (PREVIOUS, CURRENT):
        set_webhook_secret(secrets, platform, {"secret": _whsec(key)}, account)
    assert secrets.versions(secret_name(secrets, platform, account))[1] == {"secret": _whsec(PREVIOUS)}
    return Sender(receiver, world, name, account)


def hours(world: LoadWorld, platform: Platform) -> list[tuple[int, int | None, int | None]]:
    day = date(2026, 11, 20)
    rows = world.metrics.read(Series(platform, "12", Level.CAMPAIGN, Grain.HOUR), Window(day, day))
    return [(row.hour, row.slot[0], row.slot[3]) for row in rows]


def test_a_push_is_stored_by_each_name_of_its_platform_at_both_addresses(receiver: Receiver, world: LoadWorld) -> None:
    for platform in REGISTRY:
        names = (str(platform), *REGISTRY.spec(platform).aliases)
        for number, (name, account) in enumerate((name, account) for name in names for account in ACCOUNTS):
            partner = sender(receiver, world, platform, name.upper(), account)
            receipt = partner.push(f"m{number}", platform=name, timestamp=f"2026-11-20T{number:02}:30:00Z")
            assert receipt.stored
            stored_as = sha256(f"m{number}".encode()).hexdigest()
            assert receipt.key == f"webhooks/{platform}/{account or 'deployment'}/{stored_as}"
        assert hours(world, platform) == [(number, 9, 1_250_000) for number in range(2 * len(names))]


def at_an_address(receiver: Receiver, world: LoadWorld, *, other: bool = False) -> Iterator[Sender]:
    """A sender for each platform, at a client's address and at the deployment's in turn."""
    for place, platform in enumerate(REGISTRY):
        yield sender(receiver, world, platform, str(platform), ACCOUNTS[(place + other) % 2])


def test_the_latest_push_of_an_hour_counts_in_any_order_and_each_counts_once(
    receiver: Receiver, world: LoadWorld
) -> None:
    for partner in at_an_address(receiver, world):
        partner.push("late", late=30, impressions=30)
        partner.push("early", late=-30, impressions=10)
        partner.push("between", impressions=20)
        assert not partner.push("late", late=200, impressions=99).stored
        partner.push("another hour", timestamp="2026-11-20T10:00:00Z", impressions=5)
        assert hours(world, Platform(partner.name)) == [(10, 5, 1_250_000), (11, 30, 1_250_000)]


def test_a_push_needs_a_fresh_signature_by_a_valid_secret_of_its_address(receiver: Receiver, world: LoadWorld) -> None:
    faults: list[dict[str, Any]] = [{"late": -301}, {"late": 301}, {"keys": (b"another",)}, {"keys": ()}]
    for partner in at_an_address(receiver, world, other=True):
        for fault in faults:
            with pytest.raises(Unverified):
                partner.push(**fault)
        with pytest.raises(Unverified):
            partner._replace(account="" if partner.account else "acme").push()
        assert hours(world, Platform(partner.name)) == []
        assert [partner.push(f"{at}", late=at).stored for at in (-300, 300)] == [True, True]
        assert partner.push("rotating", keys=(b"another", PREVIOUS)).stored


def test_a_push_that_names_another_platform_or_an_unknown_id_is_refused_as_a_whole(
    receiver: Receiver, world: LoadWorld
) -> None:
    for partner in at_an_address(receiver, world):
        other = next(each for each in REGISTRY if each != partner.name)
        wrongs: list[dict[str, Any]] = [{"platform": str(other)}, {"campaign_id": "78"}, {"profile_id": "13"}]
        for wrong in wrongs:
            with pytest.raises(Unprocessable):
                partner.push(**wrong)
        assert hours(world, Platform(partner.name)) == []
