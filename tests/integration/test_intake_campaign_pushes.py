"""Pushes by cross-platform campaigns and arms: what they are about, stored, and in reports."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from adweir.intake.doors.campaign_book import CampaignBook
from adweir.intake.doors.known import known_at
from adweir.intake.doors.push_format import read_push
from adweir.intake.doors.pushed_hours import resolve_push
from adweir.model.campaigns import Arm, Campaign
from adweir.model.entities import Ad, own_profile_id
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.reporting.query import Queries
from adweir.reporting.ranges import parse_range
from adweir.reporting.records import RecordRequest, StoredRecords
from adweir.reporting.reports import ReportRequest, report
from support.aws_calls import AwsCalls
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.door import Door, objects, put, rival
from support.load_world import META, LoadWorld

DOORS = ("acme", "")
WINDOW = Window(date(2026, 11, 1), date(2026, 11, 21))
C7 = {"platform": "meta", "profile_id": "1", "campaign_id": "7"}


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    world = LoadWorld(clock, "adweir-data")
    ads = [Ad(platform=META, profile_id="1", id=f"a{n}", campaign_id="7", ad_group_id="8") for n in (1, 2)]
    put(world, *ads)
    return world


@pytest.fixture
def door(world: LoadWorld) -> Door:
    return Door(world)


@pytest.fixture
def book(world: LoadWorld) -> CampaignBook:
    numbers = iter(range(1, 100))
    return CampaignBook(world.catalog, REGISTRY.parse, world.clock, lambda: f"{next(numbers):032x}"[::-1])


def made(book: CampaignBook, *bindings: dict[str, str], account_id: str = "acme") -> Campaign:
    return book.create(account_id, {"name": "Summer", "bindings": list(bindings)})


def arm(book: CampaignBook, campaign: Campaign, *bindings: dict[str, str], platform: str = "meta") -> Arm:
    return book.create_arm(campaign.campaign_id, platform, {"bindings": list(bindings)})[1]


def entry(**changes: Any) -> dict[str, Any]:
    return {"timestamp": "2026-11-20T03:30:00Z", "impressions": 9, "clicks": 1, "cost": 1.25, **changes}


def hours(world: LoadWorld, level: Level, profile_id: str = "1", platform: Platform = META) -> list[tuple[Any, ...]]:
    found = world.metrics.read(Series(platform, profile_id, level, Grain.HOUR), WINDOW)
    return [(row.entity_id, row.day, row.hour, row.slot[3]) for row in found]


def alone(world: LoadWorld) -> list[tuple[Any, ...]]:
    return hours(world, Level.ARM, own_profile_id("acme"), Platform("direct"))


def refusal(door: Door, *metrics: dict[str, Any], account: str = "acme") -> list[tuple[str, str]]:
    """The fields that the answer names and what it says; nothing was stored."""
    with pytest.raises(Unprocessable) as refused:
        door.push(metrics, account)
    assert objects(door.world) == []
    return [(detail["field"], detail["message"]) for detail in refused.value.details]


def spent(world: LoadWorld, *by: str, **segments: list[str]) -> dict[Any, Any]:
    queries = Queries(world.catalog, world.metrics, REGISTRY, world.clock)
    span = parse_range("2026-11-19", "2026-11-20", world.clock.now().date())
    asked = [{"name": name, "values": values} for name, values in segments.items()]
    found = report(queries, ReportRequest("r", span, ("spend",), by, asked, live=True))
    return {tuple(row[name] for name in by): float(row["spend"]) for row in found.rows}


@pytest.mark.parametrize("account", DOORS)
def test_an_id_stands_for_the_one_object_that_is_bound_to_it(
    world: LoadWorld, door: Door, book: CampaignBook, account: str
) -> None:
    campaign = made(book, C7)
    one = arm(book, campaign, {"ad_id": "a1"})

    door.push([entry(campaign_id=campaign.campaign_id), entry(arm_id=one.arm_id, cost=0.5)], account)

    assert hours(world, Level.CAMPAIGN) == [("7", "2026-11-19", 22, 1_250_000)]
    assert hours(world, Level.AD) == [("8~a1", "2026-11-19", 22, 500_000)]
    assert spent(world, "arm", campaign=[campaign.campaign_id]) == {(one.arm_id,): 0.5, (None,): 0.75}


def test_a_whole_ad_account_may_be_bound(world: LoadWorld, door: Door, book: CampaignBook) -> None:
    campaign = made(book, {"platform": "meta", "profile_id": "1"})
    door.push([entry(campaign_id=campaign.campaign_id)])
    assert hours(world, Level.ACCOUNT) == [("1", "2026-11-19", 22, 1_250_000)]


@pytest.mark.parametrize("account", DOORS)
def test_an_arm_that_is_bound_to_nothing_takes_metrics_by_itself(
    world: LoadWorld, door: Door, book: CampaignBook, account: str
) -> None:
    """Given an arm of a platform that is not connected, then no total of ads has its metrics, and its campaign has."""
    campaign = made(book, C7)
    radio = arm(book, campaign, platform="radio")

    door.push([entry(arm_id=radio.arm_id), entry(campaign_id="7", cost=2)], account)

    assert alone(world) == [(radio.arm_id, "2026-11-19", 22, 1_250_000)]
    assert spent(world) == {(): 2.0}
    assert spent(world, "cross_campaign") == {(campaign.campaign_id,): 3.25}
    assert spent(world, "platform", "arm", campaign=[campaign.campaign_id]) == {
        ("meta_ads", None): 2.0,
        ("radio", radio.arm_id): 1.25,
    }
    assert spent(world, "date", arm=[radio.arm_id]) == {("2026-11-19",): 1.25}
    assert spent(world, "arm", campaign=[campaign.campaign_id], platform=["meta_ads"]) == {(None,): 2.0}


def test_the_data_type_metrics_has_the_rows_of_what_is_bound_and_of_arms_alone(
    world: LoadWorld, door: Door, book: CampaignBook
) -> None:
    campaign = made(book, C7)
    one, radio = arm(book, campaign, {"ad_id": "a1"}), arm(book, campaign, platform="radio")
    costs = {"campaign_id": 4}, {"ad_id": 1}, {"ad_id": 2}
    ids = ({"campaign_id": "7"}, {"ad_id": "a1"}, {"ad_id": "a2"})
    door.push([*(entry(**own, cost=next(iter(cost.values()))) for own, cost in zip(ids, costs, strict=True))], id_="a")
    door.push([entry(arm_id=radio.arm_id)], id_="b")

    def found(**filters: Any) -> list[tuple[Any, ...]]:
        queries = Queries(world.catalog, world.metrics, REGISTRY, world.clock)
        days = {"date_range": {"start": "2026-11-19", "end": "2026-11-20"}}
        page = StoredRecords(world.catalog, queries).retrieve(
            RecordRequest("metrics", days | filters), world.clock.now()
        )
        assert {row["cross_campaign_id"] for row in page.records} <= {campaign.campaign_id}
        return [(row["level"], row["arm_id"], row.get("ad_id"), float(row["cost"])) for row in page.records]

    bound = [("campaign", None, None, 4.0), ("ad", one.arm_id, "a1", 1.0)]
    assert found(campaign_id=campaign.campaign_id) == [*bound, ("arm", radio.arm_id, None, 1.25)]
    assert found(arm_id=radio.arm_id) == [("arm", radio.arm_id, None, 1.25)]
    assert found(arm_id=one.arm_id) == [bound[1]]
    assert found(campaign_id=campaign.campaign_id, level="ad") == [bound[1], ("ad", None, "a2", 2.0)]


def test_a_later_push_replaces_the_hour_of_an_arm(world: LoadWorld, door: Door, book: CampaignBook) -> None:
    one = arm(book, made(book), platform="radio")
    door.push([entry(arm_id=one.arm_id)], id_="a")
    door.world.clock.advance(60)
    door.push([entry(arm_id=one.arm_id, cost=3), entry(arm_id=one.arm_id, cost=4)], id_="b")
    assert alone(world) == [(one.arm_id, "2026-11-19", 22, 4_000_000)]


def test_metrics_of_an_arm_that_is_bound_later_do_not_count_while_it_is(
    world: LoadWorld, door: Door, book: CampaignBook
) -> None:
    campaign = made(book)
    one = arm(book, campaign)
    door.push([entry(arm_id=one.arm_id), entry(ad_id="a1", cost=0.5)])
    assert spent(world, arm=[one.arm_id]) == {(): 1.25}

    book.change_arm(one.arm_id, {"bindings": [{"ad_id": "a1"}]})
    assert spent(world, arm=[one.arm_id]) == {(): 0.5}
    book.change_arm(one.arm_id, {"bindings": []})
    assert spent(world, arm=[one.arm_id]) == {(): 1.25}


def test_what_stands_for_nothing_or_for_too_much_refuses_the_whole_push(
    world: LoadWorld, door: Door, book: CampaignBook
) -> None:
    two = made(book)
    both = arm(book, two, {"ad_id": "a1"}, {"ad_id": "a2"})
    none = made(book)
    door.world.clock.advance(1)
    said = refusal(
        door,
        entry(campaign_id="7"),
        entry(arm_id="arm_nobody"),
        entry(campaign_id="cmp_nobody"),
        entry(arm_id=both.arm_id),
        entry(campaign_id=two.campaign_id),
        entry(campaign_id=none.campaign_id),
    )
    assert [field for field, _ in said] == [
        "metrics[1].arm_id",
        "metrics[2].campaign_id",
        "metrics[3].arm_id",
        "metrics[4].campaign_id",
        "metrics[5].campaign_id",
    ]
    assert [message for _, message in said][2:] == [
        "stands for 2 objects of meta_ads: send the object's own id",
        "stands for 2 objects of meta_ads: send arm_id or the object's own id",
        "stands for nothing of meta_ads here: it is bound to nothing",
    ]


def test_an_arm_stands_alone_in_its_metric_and_has_the_client_s_currency(
    world: LoadWorld, door: Door, book: CampaignBook
) -> None:
    one = arm(book, made(book), platform="radio")
    assert refusal(door, entry(arm_id=one.arm_id, ad_id="a1"))[0][0] == "metrics[0].ad_id"
    assert refusal(door, entry(arm_id=one.arm_id, currency="EUR")) == [
        ("metrics[0].currency", "is not the client's, USD")
    ]


def test_another_client_s_campaigns_and_arms_are_unknown_at_a_client_s_door(
    world: LoadWorld, door: Door, book: CampaignBook
) -> None:
    rival(world)
    theirs = made(book, {"platform": "meta", "profile_id": "2", "campaign_id": "7"}, account_id="rival")
    one = arm(book, theirs, platform="radio")
    metrics = entry(campaign_id=theirs.campaign_id), entry(arm_id=one.arm_id)

    assert [message for _, message in refusal(door, *metrics)] == ["is unknown here"] * 2
    door.push(metrics, "")
    assert hours(world, Level.CAMPAIGN, "2") == [("7", "2026-11-20", 3, 1_250_000)]


def test_doors_and_exports_read_campaigns_by_the_requests_that_their_roles_may_make(
    world: LoadWorld, book: CampaignBook
) -> None:
    """The role of `webhooks` may get batches and query the catalog, that of `etl` get single items and query it."""
    campaign = made(book, C7)
    one = arm(book, campaign, platform="radio")
    metrics = [entry(campaign_id=campaign.campaign_id), entry(arm_id=one.arm_id)]
    read = read_push(json.dumps({"metrics": metrics}).encode(), {META}, world.clock.now())
    queries = Queries(world.catalog, world.metrics, REGISTRY, world.clock)
    calls = AwsCalls()
    with calls.counting():
        calls.about = "webhooks"
        assert len(resolve_push(known_at(world.catalog, META, "acme"), read)) == 2
        calls.about = "etl"
        assert queries.filters({"campaign_id": campaign.campaign_id, "arm_id": one.arm_id}).bound
        assert queries.claimed.everything(["acme"]).campaigns
        calls.about = ""
    made_of = {name: {call.operation for call in calls.requests if call.about == name} for name in ("webhooks", "etl")}
    assert made_of == {"webhooks": {"BatchGetItem", "Query"}, "etl": {"Query"}}


@at_the_bound("MAX_PUSHED_CAMPAIGNS", as_if=2)
def test_the_campaigns_that_a_push_names(
    world: LoadWorld, door: Door, book: CampaignBook, size: int, fits: bool
) -> None:
    arms = [arm(book, made(book), platform="radio") for _ in range(size)]
    with refuses(TooLarge, fits=fits):
        door.push([entry(arm_id=one.arm_id) for one in arms])
    assert len(alone(world)) == (size if fits else 0)


def test_an_arm_that_is_gone_takes_nothing_and_answers_nothing(
    world: LoadWorld, door: Door, book: CampaignBook
) -> None:
    campaign = made(book)
    one = arm(book, campaign, platform="radio")
    door.push([entry(arm_id=one.arm_id)])
    book.delete_arm(one.arm_id)
    door.world.clock.advance(timedelta(minutes=1).total_seconds())
    with pytest.raises(Unprocessable):
        door.push([entry(arm_id=one.arm_id)], id_="later")
    assert spent(world, campaign=[campaign.campaign_id]) == {}
