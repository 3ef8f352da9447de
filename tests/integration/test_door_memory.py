"""What a webhooks' door remembers of the catalog from one delivery to the next, and how long."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from adweir.intake.doors.receiver import Receipt
from adweir.model.entities import AdCampaign, ProfileStatus
from adweir.model.errors import Unprocessable
from sandbox.deliveries import Delivery, push_delivery
from sandbox.platforms.meta.webhooks import signed
from support.aws_calls import AwsCalls
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.door import ACCOUNT_SECRET, APP_SECRET, Door, put, rival
from support.load_world import META, LoadWorld

FROM_THE_CATALOG = {"BatchGetItem": 2, "Query": 1}
"""The account with the secrets' stamp, the ad accounts, the objects."""
REMEMBERED = {"BatchGetItem": 1}


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


class CountedDoor(Door):
    """A door that says what each delivery asked of DynamoDB, and loads nothing."""

    def __init__(self, world: LoadWorld, calls: AwsCalls) -> None:
        super().__init__(world)
        self._calls = calls
        self._number = 0
        self.receipt = Receipt("", stored=False)

    def push_about(self, *campaigns: str, **more: Any) -> dict[str, int]:
        """What a push about campaigns took, which was stored."""
        moment = "2026-11-20T03:30:00Z"
        metrics = [{"campaign_id": each, "timestamp": moment, "impressions": 9} | more for each in campaigns]
        self._number += 1
        body, now = json.dumps({"metrics": metrics}).encode(), self.world.clock.now().timestamp()
        return self._counted("acme", push_delivery(body, ACCOUNT_SECRET, message_id=f"m{self._number}", at=now))

    def notify_about(self, *profiles: str, account: str = "acme") -> dict[str, int]:
        """What a notification about a campaign of each of these ad accounts took, which was stored."""
        self._number += 1
        value = {"object_id": "7", "object_type": "campaign", "changed_fields": [str(self._number)]}
        changes = [{"field": "field_changed", "value": value}]
        entries = [{"id": each, "time": 1, "changes": changes} for each in profiles]
        delivery = signed("ad_account", entries, APP_SECRET)
        headers = {name.lower(): text for name, text in delivery.headers.items()}
        return self._counted(account, delivery._replace(headers=headers))

    def _counted(self, account: str, delivery: Delivery) -> dict[str, int]:
        self._calls.clear()
        self._calls.about = "delivery"
        try:
            self.receipt = self.receiver.receive("meta", account, delivery.headers, delivery.body)
        finally:
            self._calls.about = ""
        assert self.receipt.stored
        return {call.operation: n for call, n in self._calls.requests.items() if call.service == "dynamodb"}


@pytest.fixture
def door(world: LoadWorld) -> Iterator[CountedDoor]:
    with AwsCalls().counting() as calls:
        yield CountedDoor(world, calls)


def test_a_push_about_the_same_campaign_reads_the_account_alone(door: CountedDoor) -> None:
    assert [door.push_about("7") for _ in range(3)] == [FROM_THE_CATALOG, REMEMBERED, REMEMBERED]


def test_a_notification_about_the_same_ad_account_reads_the_account_alone(door: CountedDoor) -> None:
    assert [door.notify_about("1") for _ in range(2)] == [{"BatchGetItem": 1, "Query": 1}, REMEMBERED]


def test_another_door_remembers_for_itself(door: CountedDoor, world: LoadWorld) -> None:
    """Given that the deployment's door knows another client's ad account."""
    rival(world)
    unknown = []
    for account in ("", "acme"):
        door.notify_about("1", "2", account=account)
        unknown.append(door.receipt.unknown)

    assert unknown == [0, 1]


@pytest.mark.parametrize("between", [("8",), ("7", "8")])
def test_pushes_about_different_campaigns_do_not_forget_each_other(
    door: CountedDoor, world: LoadWorld, between: Sequence[str]
) -> None:
    put(world, AdCampaign(platform=META, profile_id="1", id="8", campaign_id="8"))

    took = [door.push_about("7"), door.push_about(*between), door.push_about("7"), door.push_about("7", "8")]

    assert took == [FROM_THE_CATALOG, FROM_THE_CATALOG, REMEMBERED, REMEMBERED]


def test_what_is_remembered_ends_after_ten_seconds(door: CountedDoor, world: LoadWorld) -> None:
    """Given that something else was looked up meanwhile, which makes nothing last longer."""
    put(world, AdCampaign(platform=META, profile_id="1", id="8", campaign_id="8"))
    door.push_about("7")
    world.clock.advance(9)
    door.push_about("8")
    world.catalog.mark_profile(META, "1", ProfileStatus.INACTIVE)

    assert door.push_about("7") == REMEMBERED
    world.clock.advance(1)
    with pytest.raises(Unprocessable):
        door.push_about("7")


def test_what_is_new_is_known_at_once(door: CountedDoor, world: LoadWorld) -> None:
    door.push_about("7")
    door.notify_about("1", account="")

    put(world, AdCampaign(platform=META, profile_id="1", id="8", campaign_id="8"))
    rival(world)

    assert door.push_about("8") == FROM_THE_CATALOG
    assert door.notify_about("2", account="") == {"BatchGetItem": 1, "Query": 1}


def test_nothing_is_refused_by_what_is_only_remembered(door: CountedDoor, world: LoadWorld) -> None:
    """Given an ad account whose currency changed a moment ago."""
    door.push_about("7", currency="USD")
    profile = world.catalog.profile(META, "1")
    assert profile is not None
    world.clock.advance(1)
    put(world, profile.model_copy(update={"currency": "EUR"}))

    assert door.push_about("7", currency="EUR") == FROM_THE_CATALOG


def test_objects_of_an_ad_account_that_is_gone_are_forgotten_with_it(door: CountedDoor, world: LoadWorld) -> None:
    """Given a second ad account of the client, which is found to be inactive while another campaign is looked up."""
    profile = world.catalog.profile(META, "1")
    assert profile is not None
    second = profile.model_copy(update={"profile_id": "3"})
    put(world, second, AdCampaign(platform=META, profile_id="3", id="30", campaign_id="30"))
    door.push_about("30")
    world.catalog.mark_profile(META, "3", ProfileStatus.INACTIVE)
    door.push_about("7")

    with pytest.raises(Unprocessable):
        door.push_about("30")


@at_the_bound("MAX_REMEMBERED_OBJECTS", as_if=3)
def test_what_doors_remember(door: CountedDoor, world: LoadWorld, size: int, fits: bool) -> None:
    """A door and its ad account are two; each campaign is one more."""
    put(world, AdCampaign(platform=META, profile_id="1", id="8", campaign_id="8"))
    campaigns = ("7", "8")[: size - 2]
    door.push_about(*campaigns)
    assert door.push_about(*campaigns) == (REMEMBERED if fits else FROM_THE_CATALOG)
