"""From a signed body to stored hours: the door resolves, the loader merges."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adweir.model.deliveries import MetricPush, read_delivery
from adweir.model.entities import Ad, Keyword, ProfileStatus
from adweir.model.errors import AdweirError, BadInput, TooLarge, Unprocessable
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Grain, Level, Series
from adweir.model.times import Window, local_hour
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.door import Door, objects, put, rival
from support.load_world import META, LoadWorld

DOORS = ("acme", "")
EVENING = ("2026-11-19", 22)  # 03:30 UTC in New York


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


@pytest.fixture
def door(world: LoadWorld) -> Door:
    return Door(world)


def entry(**changes: Any) -> dict[str, Any]:
    base = {"campaign_id": "7", "timestamp": "2026-11-20T03:30:00Z", "impressions": 9, "clicks": 1, "cost": 1.25}
    return {name: value for name, value in (base | changes).items() if value is not None}


def hours(
    world: LoadWorld, level: Level = Level.CAMPAIGN, profile_id: str = "1"
) -> list[tuple[str, str, int, int | None]]:
    window = Window(date(2026, 11, 1), date(2026, 11, 21))
    found = world.metrics.read(Series(META, profile_id, level, Grain.HOUR), window)
    return [(row.entity_id, row.day, row.hour, row.slot[3]) for row in found]


def refusal(door: Door, metrics: Sequence[Any], account: str = "acme") -> list[str]:
    """The fields that the answer names; nothing was stored."""
    with pytest.raises(Unprocessable) as refused:
        door.push(metrics, account)
    assert objects(door.world) == []
    return [detail["field"] for detail in refused.value.details]


# -- what is stored is what was resolved -------------------------------------------------------------------------------


@pytest.mark.parametrize("account", DOORS)
def test_a_push_lands_in_the_profile_s_local_hour(world: LoadWorld, door: Door, account: str) -> None:
    assert door.push([entry()], account).stored

    assert hours(world) == [("7", *EVENING, 1_250_000)]
    assert world.bus.names() == ["MetricsChanged"]
    assert world.bus.events[0].account_id == "acme"


@pytest.mark.parametrize("account", DOORS)
def test_the_stored_delivery_holds_all_that_loading_needs(world: LoadWorld, door: Door, account: str) -> None:
    body = json.dumps({"metrics": [entry(cost="1.1", revenue=0.3, conversions=0.5)]}).encode()
    key = door.push([], account, body=body, id_="msg 1").key

    assert key == f"webhooks/meta_ads/{account or 'deployment'}/{sha256(b'msg 1').hexdigest()}"
    assert json.loads(world.raw.get_bytes(key)) == {
        "version": 1,
        "kind": "push",
        "platform": "meta_ads",
        "account_id": account,
        "as_of": "2026-11-20T12:00:00Z",
        "body_sha256": sha256(body).hexdigest(),
        "delivery_id": "msg 1",
        "series": [
            {
                "account_id": "acme",
                "profile_id": "1",
                "level": "campaign",
                "currency": "USD",
                "timezone": "America/New_York",
                "hours": [
                    {
                        "entity_id": "7",
                        "date": "2026-11-19",
                        "hour": 22,
                        "impressions": 9,
                        "clicks": 1,
                        "conversions": 500_000,
                        "spend": 1_100_000,
                        "revenue": 300_000,
                        "campaign_id": "7",
                        "ad_group_id": "",
                        "ad_product": "",
                    }
                ],
            }
        ],
    }


def test_loading_does_not_read_the_catalog(world: LoadWorld, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: Any) -> None:
        raise AssertionError("what is stored is resolved")

    stored = door.push([entry()]).key
    for name in ("profiles", "find_objects"):
        monkeypatch.setattr(type(world.catalog), name, asked)
    world.arrive(stored)
    assert hours(world) == [("7", *EVENING, 1_250_000)]


@pytest.mark.parametrize(
    "named", [{"ad_id": "70"}, {"ad_id": 70, "ad_group_id": 8}, {"ad_id": "8~70"}, {"ad_id": "70", "campaign_id": "7"}]
)
def test_an_ad_is_found_by_its_own_id_and_by_its_group_s(world: LoadWorld, door: Door, named: dict[str, Any]) -> None:
    put(world, Ad(platform=META, profile_id="1", id="70", ad_group_id="8", campaign_id="7"))
    door.push([entry(campaign_id=None) | named])
    assert hours(world, Level.AD) == [("8~70", *EVENING, 1_250_000)]


def test_of_two_metrics_for_one_hour_the_later_one_counts(world: LoadWorld, door: Door) -> None:
    door.push([entry(), entry(timestamp="2026-11-20T03:59:59Z", cost=2)])
    assert hours(world) == [("7", *EVENING, 2_000_000)]


def test_a_later_push_replaces_the_hour_and_an_earlier_one_does_not(world: LoadWorld, door: Door) -> None:
    door.push([entry(cost=2)], id_="first")
    world.clock.advance(60)
    door.push([entry(cost=3), entry(timestamp="2026-11-20T02:30:00Z", cost=1)], id_="second")
    world.clock.advance(-30)
    door.push([entry(cost=9)], id_="signed between them")
    assert hours(world) == [("7", "2026-11-19", 21, 1_000_000), ("7", *EVENING, 3_000_000)]


def test_a_push_about_several_levels_keeps_the_changes_of_each(world: LoadWorld, door: Door) -> None:
    keyword = Keyword(platform=META, profile_id="1", id="k", ad_group_id="8", campaign_id="7")
    put(world, keyword)
    door.push([entry(), entry(campaign_id=None, keyword_id="k")])
    keys = [key for event in world.bus.events for key in event.changes_keys]
    assert len(keys) == len(set(keys)) == len(objects(world, "changes/")) == 2
    assert hours(world, Level.KEYWORD) == [("8~k", *EVENING, 1_250_000)]


# -- the night on which clocks go back ---------------------------------------------------------------------------------


def autumn(world: LoadWorld, utc: str, spend: int, door: Door) -> None:
    """A push about one hour of acme's campaign, signed a minute after the push before."""
    world.clock.advance(60)
    door.push([entry(timestamp=utc, cost=spend)], id_=f"{utc} {spend}")


def test_both_passes_of_the_repeated_hour_add_up(tables: None) -> None:
    """New York, 1 November 2026: 01:30 is 05:30 UTC, and again 06:30 UTC."""
    world = LoadWorld(FrozenClock(datetime(2026, 11, 1, 12, 0, tzinfo=UTC)), "adweir-data")
    door = Door(world)
    for utc, spend in (("04:30", 1), ("05:30", 2), ("06:30", 4), ("07:30", 8)):
        autumn(world, f"2026-11-01T{utc}:00Z", spend, door)
    expected = [(0, 1), (1, 2), (1, 4), (2, 8)]
    assert [(hour, (spend or 0) // 10**6) for _, _, hour, spend in hours(world)] == expected
    # when each pass is stated again, in the other order
    autumn(world, "2026-11-01T06:45:00Z", 40, door)
    autumn(world, "2026-11-01T05:45:00Z", 20, door)
    # then only its own total is replaced
    assert [(spend or 0) // 10**6 for *_, spend in hours(world)] == [1, 20, 40, 8]
    assert {row[1] for row in hours(world)} == {"2026-11-01"}


@pytest.mark.parametrize(
    ("timezone", "utc", "hour"),
    [
        ("Australia/Lord_Howe", "2026-04-04T14:45:00", 1),  # clocks go back by half an hour: 01:45, and again
        ("Australia/Lord_Howe", "2026-04-04T15:15:00", 25),
        ("Europe/Berlin", "2026-03-29T01:30:00", 3),  # clocks go forward: there is no hour 2
        ("Africa/Cairo", "2026-10-29T21:30:00", 47),  # the repeated hour may be the day's last
        ("Asia/Kolkata", "2026-11-01T20:00:00", 1),
    ],
)
def test_the_local_hour_of_an_instant(timezone: str, utc: str, hour: int) -> None:
    assert local_hour(datetime.fromisoformat(utc).replace(tzinfo=UTC), ZoneInfo(timezone))[1] == hour


# -- the deployment's door ---------------------------------------------------------------------------------------------


def test_the_deployment_s_door_stores_for_the_client_that_owns_the_profile(world: LoadWorld, door: Door) -> None:
    rival(world)
    door.push([entry(profile_id="2"), entry(profile_id="1", cost=2)], "")
    assert hours(world) == [("7", *EVENING, 2_000_000)]
    assert hours(world, profile_id="2") == [("7", "2026-11-20", 3, 1_250_000)]
    assert sorted(event.account_id for event in world.bus.events) == ["acme", "rival"]


def test_an_id_that_two_profiles_have_is_refused_at_the_deployment_s_door(world: LoadWorld, door: Door) -> None:
    rival(world)
    assert refusal(door, [entry(profile_id="1"), entry(), entry(campaign_id="8")], "") == [
        "metrics[1].campaign_id",
        "metrics[2].campaign_id",
    ]


def test_an_account_s_door_knows_only_its_own_profiles(world: LoadWorld, door: Door) -> None:
    rival(world)
    door.push([entry()])
    assert hours(world, profile_id="2") == []
    with pytest.raises(Unprocessable, match="campaign_id is unknown here"):
        door.push([entry(profile_id="2")], id_="m2")


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", DOORS)
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"campaign_id": "8"}, "campaign_id"),
        ({"campaign_id": "!coverage#all"}, "campaign_id"),
        ({"campaign_id": "7" * 300}, "campaign_id"),
        ({"ad_id": "70"}, "ad_id"),
        ({"ad_group_id": "8"}, "ad_group_id"),
        ({"profile_id": "2"}, "campaign_id"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_every_metric_that_cannot_be_resolved_is_named(
    door: Door, account: str, changes: dict[str, Any], field: str
) -> None:
    wrong = entry(**changes)
    assert refusal(door, [wrong, entry(), wrong], account) == [f"metrics[0].{field}", f"metrics[2].{field}"]


def test_a_profile_that_was_deleted_is_unknown(world: LoadWorld, door: Door) -> None:
    world.catalog.mark_profile(META, "1", ProfileStatus.INACTIVE)
    assert refusal(door, [entry()], "") == ["metrics[0].campaign_id"]


def test_a_profile_with_an_unknown_time_zone_is_named(world: LoadWorld, door: Door) -> None:
    rival(world, timezone="Mars/Olympus")
    assert refusal(door, [entry(profile_id="2")], "") == ["metrics[0].campaign_id"]


@at_the_bound("MAX_BODY_BYTES")
def test_the_body_of_a_delivery(door: Door, size: int, fits: bool) -> None:
    body = json.dumps({"metrics": [entry()]}).encode()
    with refuses(TooLarge, fits=fits):
        assert door.push([], body=body.ljust(size)).stored


@at_the_bound("MAX_PUSH_READS", as_if=6)
def test_the_ids_that_a_push_looks_up(world: LoadWorld, door: Door, size: int, fits: bool) -> None:
    """Two profiles, so an id without a profile counts twice."""
    rival(world)
    unnamed = [entry(campaign_id=str(number)) for number in range(size // 2)]
    named = [entry(profile_id="1", campaign_id=f"x{number}") for number in range(size % 2)]
    fields = refusal(door, [*named, *unnamed], "")
    assert fields == (
        [f"metrics[{number}].campaign_id" for number in range(3)]
        if fits
        else [f"metrics[{n}].profile_id" for n in (1, 2, 3)]
    )


@at_the_bound("MAX_PUSH_QUERIES", as_if=4)
def test_the_ads_without_a_group_that_a_push_looks_up(world: LoadWorld, door: Door, size: int, fits: bool) -> None:
    metrics = [entry(campaign_id=None, ad_id=f"a{number}") for number in range(size)]
    metrics.append(entry(campaign_id=None, ad_id="1", ad_group_id="8"))
    fields = refusal(door, metrics)
    assert {field.partition(".")[2] for field in fields} == {"ad_id" if fits else "profile_id"}


@at_the_bound("MAX_PUSH_FAULTS", as_if=3)
def test_the_faults_that_an_answer_names(door: Door, size: int, fits: bool) -> None:
    with pytest.raises(Unprocessable, match=rf"\({size} faults in all\)") as refused:
        door.push([entry(campaign_id="8")] * size)
    assert len(refused.value.details) == (size if fits else size - 1)


# -- once --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", DOORS)
def test_the_first_delivery_with_an_id_wins(world: LoadWorld, door: Door, account: str) -> None:
    first = door.push([entry()], account)
    again = [
        door.push([entry()], account),
        door.push([entry(cost=9)], account),
        door.push([entry(campaign_id="8")], account),
    ]
    again += [door.push([], account, body=body) for body in (b"{", b"[" * 100_000, b'{"metrics": []}')]
    assert {(receipt.key, receipt.stored) for receipt in again} == {(first.key, False)}
    assert hours(world) == [("7", *EVENING, 1_250_000)]
    assert len(objects(world, "webhooks/")) == 1


def test_loading_a_delivery_twice_changes_nothing(world: LoadWorld, door: Door) -> None:
    key = door.push([entry()]).key
    world.arrive(key)
    first, again = world.bus.events
    # the second tells what the first one changed: whoever died in between may have told nobody
    assert (first.slots_changed, first.changes_keys) == (again.slots_changed, again.changes_keys)
    assert (again.slots_changed, len(again.changes_keys)) == (1, 1)
    assert len(objects(world, "changes/")) == 1
    assert hours(world) == [("7", *EVENING, 1_250_000)]


def test_the_same_id_at_another_door_is_another_delivery(world: LoadWorld, door: Door) -> None:
    assert [door.push([entry()], account).stored for account in DOORS] == [True, True]
    assert len(objects(world, "webhooks/")) == 2


# -- objects under webhooks/ that the door did not write ---------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"not json", b"[]", b"{}", b'{"metrics": []}', b'{"kind": "telegram"}', b"[" * 100_000],
    ids=["text", "list", "empty", "push", "kind", "deep"],
)
def test_an_object_that_is_not_a_delivery_is_reported(world: LoadWorld, body: bytes) -> None:
    world.arrive("webhooks/meta_ads/acme/x", body)
    (event,) = world.bus.events
    assert (event.name, event.account_id, event.platform) == ("QualityBreached", "acme", "meta_ads")
    assert event.reason.startswith("bad_input: not a stored delivery")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"platform": "Not A Platform"},
        {"as_of": "2026-11-20T12:00:00"},
        {"extra": 1},
        {"series": [{"level": "planet"}]},
    ],
)
def test_a_delivery_of_another_shape_is_bad_input(world: LoadWorld, door: Door, change: dict[str, Any]) -> None:
    stored = world.raw.get_bytes(door.push([entry()]).key)
    assert isinstance(read_delivery(stored), MetricPush)
    with pytest.raises(BadInput):
        read_delivery(json.dumps(json.loads(stored) | change).encode())


def test_the_stored_delivery_of_the_documentation_can_be_read() -> None:
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    (sample,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    delivery = read_delivery(sample.encode())
    assert isinstance(delivery, MetricPush)
    assert delivery.series[0].hours[0].spend == 1_250_000


def test_an_object_that_no_door_wrote_goes_to_the_dead_letter_queue(world: LoadWorld) -> None:
    with pytest.raises(BadInput):
        world.arrive("webhooks/x", b"{}")


def test_an_object_under_another_prefix_is_left_alone(world: LoadWorld) -> None:
    message = ObjectArrived(bucket=world.bucket, key="exports/x.csv")
    world.loader.load(message, lambda: 300.0)
    world.loader.settle(message, AdweirError("x"))
    assert world.queues.runs.messages == []
