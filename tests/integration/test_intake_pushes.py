"""Accepted deliveries in the bucket: metric pushes → stored hours, notifications → targeted re-pulls."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from adweir.model.entities import Ad, Profile
from adweir.model.errors import AdweirError
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Grain, Level
from adweir.model.times import iso
from support.clock import FrozenClock
from support.landing_world import META, World


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> World:
    return World(clock, "adweir-data")


def deliver(world: World, body: Any, kind: str = "push", name: str = "x", **metadata: str) -> None:
    found = {"account_id": "acme", "platform": "meta_ads", "kind": kind, "as_of": iso(world.clock.now())}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    world.arrive(f"webhooks/meta_ads/acme/{name}", data, found | metadata)


def entry(**changes: Any) -> dict[str, Any]:
    base = {"campaign_id": "7", "timestamp": "2026-11-20T03:30:00Z", "impressions": 9, "clicks": 1, "cost": 1.25}
    return {name: value for name, value in (base | changes).items() if value is not None}


def hours(world: World, level: Level = Level.CAMPAIGN) -> list[tuple[str, str, int, int]]:
    found = world.metrics.read(META, "1", level, Grain.HOUR, date(2026, 11, 1), date(2026, 11, 21))
    return [(row.entity_id, row.day, row.hour, row.slot[3]) for row in found]


def notify(world: World, name: str = "n", account: str = "1", **value: Any) -> list[Any]:
    change = {"field": "field_changed", "value": value}
    body = {"object": "ad_account", "entry": [{"id": account, "time": 1, "changes": [change]}]}
    deliver(world, body, "notification", name)
    return [message.scope for message in world.queue.messages]


def test_a_push_lands_in_the_profile_s_local_hour(world: World) -> None:
    deliver(world, {"metrics": [entry()]})
    assert hours(world) == [("7", "2026-11-19", 22, 1_250_000)]


def test_an_ad_of_a_push_is_found_by_its_own_id_and_by_its_group_s(world: World) -> None:
    ad = Ad(platform=META, profile_id="1", id="70", ad_group_id="8", campaign_id="7")
    world.catalog.put_objects([ad], iso(world.clock.now()))
    both = [entry(campaign_id=None, ad_id="70"), entry(campaign_id=None, ad_id=70, ad_group_id="8", cost=2)]
    deliver(world, {"metrics": both})
    assert hours(world, Level.AD) == [("8~70", "2026-11-19", 22, 2_000_000)]


@pytest.mark.parametrize(
    "changes",
    [
        {"campaign_id": "unknown"},
        {"campaign_id": None},
        {"profile_id": "2"},
        {"timestamp": "2026-11-20T03:30:00"},
        {"timestamp": 10**18},
        {"timestamp": None},
        {"impressions": -1},
        {"clicks": True},
        {"cost": "a lot"},
        {"cost": -1},
        {"currency": "EUR"},
        {"timestamp": "2026-01-01T00:00:00Z"},
    ],
)
def test_an_entry_that_cannot_be_stored_is_quarantined_and_the_others_stored(
    world: World, changes: dict[str, Any]
) -> None:
    deliver(world, {"metrics": [entry(**changes), entry(timestamp=1_795_149_000, spend=3, cost=None, revenue="4.5")]})
    assert hours(world) == [("7", "2026-11-19", 23, 3_000_000)]
    assert "QualityBreached" in world.said()
    assert len(list(world.raw.list("quarantine/"))) == 1


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"metrics": 1}', b'{"metrics": [1]}'])
def test_a_push_that_cannot_be_read_is_told(world: World, body: bytes) -> None:
    deliver(world, body)
    assert (world.said(), hours(world)) == (["QualityBreached"], [])


@pytest.mark.parametrize("metadata", [{"kind": "telegram"}, {"platform": "myspace"}, {"as_of": "noon"}])
def test_an_object_that_is_no_delivery_goes_to_the_dead_letter_queue(world: World, metadata: dict[str, str]) -> None:
    with pytest.raises(AdweirError):
        deliver(world, {"metrics": []}, **metadata)


def test_a_delivery_s_time_may_be_unix_seconds(world: World) -> None:
    deliver(world, {"metrics": [entry()]}, as_of=str(int(world.clock.now().timestamp())))
    assert len(hours(world)) == 1


def test_changes_of_one_object_start_one_run_that_pulls_the_objects_and_their_numbers(world: World) -> None:
    for number in range(2):
        notify(world, f"n{number}", object_id="7", object_type="campaign")
    assert len({message.run_id for message in world.queue.messages}) == 1
    scope = world.queue.messages[0].scope
    assert (scope.profiles, scope.slice) == (("1",), "campaign=7")
    assert scope.datasets == ("campaigns", "ad_groups", "ads", "ad_daily")


def test_an_ad_that_changed_is_pulled_with_its_campaign_and_an_unknown_one_with_everything(world: World) -> None:
    ad = Ad(platform=META, profile_id="1", id="70", ad_group_id="8", campaign_id="7")
    world.catalog.put_objects([ad], iso(world.clock.now()))
    notify(world, "a", object_id="70", object_type="ad")
    notify(world, "b", object_id="71", object_type="ad")
    scopes = notify(world, "c", reason="something about the account")
    assert [scope.slice for scope in scopes] == ["campaign=7", "all", "all"]


def test_a_change_of_an_account_that_is_not_the_sender_s_starts_nothing(world: World) -> None:
    world.catalog.create_account("rival", "Rival", "a@b.example")
    other = Profile(account_id="rival", platform=META, profile_id="2", name="n", currency="USD", timezone="UTC")
    world.catalog.put_objects([other], iso(world.clock.now()))
    assert notify(world, "a", account="2", object_id="7", object_type="campaign") == []
    assert notify(world, "b", account="3", object_id="7", object_type="campaign") == []


def test_a_notification_of_a_platform_that_sends_none_is_kept_and_nothing_more(world: World) -> None:
    deliver(world, {"x": 1}, "notification", platform="amazon_ads")
    assert world.queue.messages == []


def test_an_object_elsewhere_in_the_bucket_is_none_of_the_loader_s_business(world: World, clock: FrozenClock) -> None:
    message = ObjectArrived(bucket=world.bucket, key="exports/x.csv")
    world.loader.load(message, lambda: 300.0)
    world.loader.settle(message, AdweirError("x"))
    assert world.queue.messages == []
