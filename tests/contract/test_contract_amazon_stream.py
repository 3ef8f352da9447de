"""Amazon Marketing Stream against its stand-in: the connector subscribes, the door confirms, the loader is compared."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from adweir.intake.doors.stream import StreamDoor, StreamSource
from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Profile, Status, Subscription
from adweir.model.errors import NotApplicable, RequestRejected
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.tasks import Task
from adweir.model.times import Window, iso
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads import SPEC
from adweir.platforms.amazon_ads.options import AmazonOptions
from adweir.platforms.connector import Connector, PageInHand, PullContext
from adweir.platforms.http import Http
from adweir.platforms.session import new_session
from sandbox.platforms import platform_urls
from sandbox.platforms.amazon_ads import STAND_IN
from support.amazon_stub import MemoryTokens
from support.clock import FrozenClock
from support.platform_server import running
from support.platforms import wiring
from support.stream_caller import QUEUE, StreamCaller
from support.stream_world import KeptLines, StreamWorld

DATASETS = tuple(f"{product}-{kind}" for product in ("sp", "sb", "sd") for kind in ("traffic", "conversion"))


class Streamed:
    """Halden's profile: the connector that subscribes it and the door that its queue's messages come to."""

    def __init__(self, caller: StreamCaller) -> None:
        self.caller, self.outside = caller, caller.outside
        self.urls = platform_urls(caller.server.url)[SPEC.name]
        self.clock = FrozenClock(self.outside.world.now)
        company = caller.caller.company
        self._wired = wiring(SPEC.name, new_session(), self.clock, urls=self.urls, tokens=MemoryTokens())
        self.secrets = company.bodies(SPEC.name)[""]
        self.profile = self._listed()

    def connected(self, queue: str = QUEUE) -> Connector:
        credential = Credential(account_id="a", platform=SPEC.name, secret_id="s")
        return REGISTRY.connect(credential, self.secrets, replace(self._wired, stream_queue=queue))

    def under(self, *streams: str, asked: bool = True, queue: str = QUEUE) -> Connector:
        given = {"streams": streams} if asked else {}
        return self.connected(queue).under(AmazonOptions.model_validate(given))

    def subscriptions(self, *streams: str) -> dict[str, Subscription]:
        """By dataset, after a pull for a profile with this option."""
        found = self._objects(Dataset.STREAMS, self.under(*streams))
        return {one.id: one for one in found if isinstance(one, Subscription)}

    def task(self, dataset: Dataset) -> Task:
        return Task("r", "m", "a", SPEC.name, self.caller.caller.profile.id, dataset, "all", None, 0)

    def confirm(self) -> int:
        """Hand the queue's messages to the door; returns how many subscriptions it confirmed."""
        http = Http(new_session(), self.clock, random.Random(1), sleep=lambda _: None)
        source = StreamSource(
            SPEC.name, REGISTRY.stream(SPEC.name), (), lambda route: SPEC.url("sns", route, self.urls)
        )
        taken = StreamDoor(source, KeptLines(), http, self.clock).take(
            (str(number), json.dumps(message)) for number, message in enumerate(self.caller.queues.taken())
        )
        assert taken.faults == {}
        return taken.confirmed

    def _listed(self) -> Profile:
        found = self._objects(Dataset.PROFILES, self.connected())
        return next(one for one in found if isinstance(one, Profile))

    def _objects(self, dataset: Dataset, connector: Connector) -> Iterator[Any]:
        profile = self.caller.caller.profile
        context = PullContext("a", profile.id, dataset, "all", None, iso(self.clock.now()), "", "", route="na")
        pages = connector.profiles() if dataset is Dataset.PROFILES else connector.pages(self.task(dataset))
        for number, page in enumerate(pages, 1):
            for batch in REGISTRY.normalizer(SPEC.name).object_batches(PageInHand.of(page, number), context):
                assert not batch.bad
                yield from batch.objects


@pytest.fixture
def streamed() -> Iterator[Streamed]:
    with running([STAND_IN]) as server:
        yield Streamed(StreamCaller(server))


def test_what_is_stored_of_the_stream_is_the_truth_whatever_came_first_and_twice(streamed: Streamed) -> None:
    # given a profile that is subscribed to everything from a morning on
    streamed.subscriptions(*DATASETS)
    assert streamed.confirm() == len(DATASETS)
    subscribed = streamed.subscriptions(*DATASETS)
    assert {one.status for one in subscribed.values()} == {Status.ACTIVE}
    streamed.outside.move(timedelta(hours=6))
    records = streamed.caller.burst(days=1)
    streamed.outside.move(timedelta(hours=12))
    records += streamed.caller.burst(days=1)
    # when its records are loaded in any order, some of them twice
    random.Random(7).shuffle(records)
    world = StreamWorld(streamed.profile)
    world.clock.advance((streamed.outside.world.now - world.clock.now()).total_seconds())
    world.catalog.subscriptions = subscribed
    world.catalog.campaigns = {each.id: each.product for each in streamed.caller.caller.profile.campaigns}
    for start in range(0, len(records), 1000):
        world.work(*records[start : start + 1000], name=str(start))
    assert world.refused == []
    # then each hour since is the truth, and none before is there
    for level in (Level.AD, Level.CAMPAIGN):
        series = Series(SPEC.name, streamed.profile.profile_id, level, Grain.HOUR)
        rows = world.store.read(series, Window(date(2026, 11, 1), date(2026, 11, 30)), sources=(Source.STREAM,))
        truth = true_hours(streamed.caller.truth(level=level.value)["rows"])
        assert len(truth) > 20
        assert {(row.entity_id, row.day, row.hour): row.slot for row in rows} == truth


def true_hours(rows: list[dict[str, Any]]) -> dict[tuple[str, str, int], tuple[int | None, ...]]:
    names = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
    since = [row for row in rows if not row["before_start"]]
    return {(row["entity_id"], row["date"], row["hour"]): tuple(row[name] for name in names) for row in since}


def test_a_profile_is_subscribed_once_and_what_it_no_longer_wants_is_archived(streamed: Streamed) -> None:
    # given
    first = streamed.subscriptions("sp-traffic", "sp-conversion")
    assert {one.status for one in first.values()} == {Status.PENDING}
    streamed.confirm()
    # when it is pulled again, then nothing is made twice
    again = streamed.subscriptions("sp-traffic", "sp-conversion")
    assert {name: one.subscription_id for name, one in again.items()} == {
        name: one.subscription_id for name, one in first.items()
    }
    assert (again["sp-traffic"].since, again["sp-traffic"].notes) == (first["sp-traffic"].since, "adweir")
    # and one that is not wanted any more is archived
    left = streamed.subscriptions("sp-conversion")
    assert {name: one.status for name, one in left.items()} == {
        "sp-traffic": Status.ARCHIVED,
        "sp-conversion": Status.ACTIVE,
    }


def test_one_that_nobody_confirmed_is_made_anew_after_two_days(streamed: Streamed) -> None:
    first = streamed.subscriptions("sp-traffic")["sp-traffic"]
    streamed.caller.queues.taken()
    streamed.outside.move(timedelta(days=2, minutes=1))
    streamed.clock.advance(timedelta(days=2, minutes=1).total_seconds())

    second = streamed.subscriptions("sp-traffic")["sp-traffic"]

    assert (second.status, streamed.confirm()) == (Status.PENDING, 1)
    assert second.subscription_id != first.subscription_id


def test_a_profile_without_the_option_is_left_alone(streamed: Streamed) -> None:
    streamed.caller.active("sp-traffic")
    with pytest.raises(NotApplicable):
        list(streamed.under(asked=False).pages(streamed.task(Dataset.STREAMS)))
    assert streamed.subscriptions()["sp-traffic"].status is Status.ARCHIVED


def test_a_queue_in_another_region_is_refused_in_words(streamed: Streamed) -> None:
    elsewhere = streamed.under("sp-traffic", queue=QUEUE.replace("us-east-1", "eu-central-1"))
    with pytest.raises(RequestRejected, match="us-east-1; the queue is in eu-central-1"):
        list(elsewhere.pages(streamed.task(Dataset.STREAMS)))
