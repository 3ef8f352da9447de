"""From a platform's signed notification to targeted re-pulls."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from adweir.model.entities import Ad, AdCampaign, Profile
from adweir.model.errors import Unverified
from adweir.model.platforms import Platform
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.door import Door, objects, put, rival
from support.load_world import META, LoadWorld

DOORS = ("acme", "")


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


@pytest.fixture
def door(world: LoadWorld) -> Door:
    return Door(world)


def scopes(world: LoadWorld) -> list[tuple[str, str]]:
    return [(message.scope.profiles[0], message.scope.slice) for message in world.queues.runs.messages]


def campaign(object_id: str = "7") -> dict[str, Any]:
    return {"object_id": object_id, "object_type": "campaign"}


def test_changes_of_one_object_start_one_run_that_pulls_the_objects_and_their_numbers(
    world: LoadWorld, door: Door
) -> None:
    for seconds in (0, 1):
        world.clock.advance(seconds)
        assert door.notify(("1", campaign() | {"changed_fields": [str(seconds)]})).stored
    assert len(world.queues.runs.messages) == 2
    assert len({message.run_id for message in world.queues.runs.messages}) == 1
    scope = world.queues.runs.messages[0].scope
    assert (scope.accounts, scope.profiles, scope.slice) == (("acme",), ("1",), "campaign=7")
    levels = ("campaign_daily", "ad_group_daily", "ad_daily", "account_daily")
    assert scope.datasets == ("campaigns", "ad_groups", "ads", *levels)


def test_a_thousand_changes_in_any_order_and_more_than_once_start_one_run_per_object(
    world: LoadWorld, door: Door
) -> None:
    """Given 40 objects of two ad accounts that changed 25 times each, told in nine deliveries, two of them repeated."""
    rival(world)
    changes = [
        (str(number % 2 + 1), campaign(str(number % 40)) | {"changed_fields": [str(number)]}) for number in range(1000)
    ]
    Random(10).shuffle(changes)
    batches = [changes[at : at + 120] for at in range(0, 1000, 120)]

    receipts = []
    for batch in (*batches, batches[3], batches[0]):
        receipts.append(door.notify(*batch, account=""))
        world.clock.advance(25)

    assert [receipt.stored for receipt in receipts] == [True] * 9 + [False] * 2
    started = {message.run_id: message.scope for message in world.queues.runs.messages}
    wanted = {(str(number % 2 + 1), f"campaign={number}") for number in range(40)}
    assert sorted((scope.profiles[0], scope.slice) for scope in started.values()) == sorted(wanted)


def test_each_message_names_the_run_of_the_next_five_minutes(world: LoadWorld, door: Door) -> None:
    for seconds in (0, 299, 1):
        world.clock.advance(seconds)
        door.notify(("1", campaign() | {"changed_fields": [str(seconds)]}))
    first, same, later = world.queues.runs.messages
    assert (first.run_id, first.then_id) == (same.run_id, same.then_id)
    assert (later.run_id, later.then_at) == (first.then_id, first.then_at + 300)
    assert first.then_at == world.clock.now().timestamp()


def test_an_ad_that_changed_is_pulled_with_its_campaign_and_an_unknown_one_with_everything(
    world: LoadWorld, door: Door
) -> None:
    put(world, Ad(platform=META, profile_id="1", id="70", ad_group_id="8", campaign_id="7"))
    door.notify(
        ("1", {"object_id": "70", "object_type": "ad"}),
        ("1", {"object_id": "71", "object_type": "ad"}),
        ("1", {"reason": "something about the account"}),
    )
    assert scopes(world) == [("1", "campaign=7"), ("1", "all"), ("1", "all")]


@pytest.mark.parametrize("account", DOORS)
def test_what_a_notification_says_about_unknown_ad_accounts_is_counted_and_left_out(
    world: LoadWorld, door: Door, account: str
) -> None:
    receipt = door.notify(("9", campaign()), ("1", campaign()), ("9", campaign("8")), account=account)
    assert (receipt.stored, receipt.unknown) == (True, 2)
    assert scopes(world) == [("1", "campaign=7")]


def test_a_notification_about_nothing_that_is_known_is_not_stored(world: LoadWorld, door: Door) -> None:
    assert door.notify(("9", campaign())) == ("", False, 1, False)
    assert door.notify(("1", campaign()), kind="page") == ("", False, 1, False)
    assert (objects(world), world.queues.runs.messages) == ([], [])


def test_an_account_s_door_starts_nothing_for_another_client(world: LoadWorld, door: Door) -> None:
    rival(world)
    assert not door.notify(("2", campaign())).stored
    assert door.notify(("2", campaign()), ("1", campaign()), account="").stored
    assert [message.scope.accounts for message in world.queues.runs.messages] == [("rival",), ("acme",)]


@at_the_bound("MAX_REPULLS_PER_PROFILE")
def test_the_objects_of_a_profile_that_are_pulled_one_by_one(
    world: LoadWorld, door: Door, size: int, fits: bool
) -> None:
    door.notify(*[("1", campaign(str(number))) for number in range(size)])
    assert scopes(world) == ([("1", f"campaign={number}") for number in range(size)] if fits else [("1", "all")])


def test_a_platform_without_hooks_takes_signed_pushes_only(world: LoadWorld, door: Door) -> None:
    platform = Platform("amazon_ads")
    named = {"account_id": "acme", "platform": platform, "profile_id": "5", "name": "n"}
    put(world, Profile(**named, currency="USD", timezone="UTC"), AdCampaign(platform=platform, profile_id="5", id="7"))
    with pytest.raises(Unverified):
        door.receiver.receive("amazon", "acme", {"x-hub-signature-256": "sha256=0"}, b"{}")
