"""The world's Marketing Stream through the door and the loader: what is stored is the truth, whatever happens.

Given every dataset, messages more than once and in any order, in batches that are delivered again, workers that die at
any write, and messages of strangers between them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from adweir.intake.doors.stream import StreamDoor, StreamSource
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.money import MICRO
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads import SPEC
from adweir.platforms.http import Http
from adweir.platforms.session import new_session
from sandbox.platforms.amazon_ads import STAND_IN
from sandbox.platforms.amazon_ads.stream import send_burst
from sandbox.platforms.amazon_ads.stream_records import advertiser
from support.crash import Killed
from support.platform_server import running
from support.stream_caller import StreamCaller
from support.stream_world import KeptLines, StreamWorld, a_profile

DATASETS = ("sp-conversion", "sb-traffic", "sb-conversion", "sd-traffic", "sd-conversion")
"""All but the one that has more records than the others together."""
ANCHOR = date(2026, 11, 19)
"""The day before the loader's: it takes no record of a day after tomorrow."""
_FIGURES = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
_Message = tuple[str, str]


class Way:
    """The stand-in, the door behind its queue, and the loader behind the door."""

    def __init__(self, stream: StreamCaller, seed: int) -> None:
        profile = stream.caller.profile
        names = advertiser(profile)
        known = {"profile_id": profile.id, "currency": profile.currency, "timezone": profile.timezone}
        alias = f"{names['advertiser_id']}@{names['marketplace_id']}"
        self.stream, self.chance = stream, random.Random(seed)
        self.world = StreamWorld(a_profile(**known, kind=profile.kind, alias=alias))
        self.world.catalog.campaigns = {campaign.id: campaign.product for campaign in profile.campaigns}
        http = Http(new_session(), self.world.clock, random.Random(1), sleep=lambda _: None)
        source = StreamSource(SPEC.name, REGISTRY.stream(SPEC.name), (), lambda _: f"{stream.server.url}/sns")
        self.kept = KeptLines()
        self.door = StreamDoor(source, self.kept, http, self.world.clock)

    def messages(self) -> list[_Message]:
        """What is in the queue now, by message id."""
        bodies = [body for _, body in self.stream.queues.sent]
        self.stream.queues.sent = []
        return [(f"m{number}", body) for number, body in enumerate(bodies)]

    def subscribe(self) -> None:
        """Every dataset is subscribed to, and listed here; no other is."""
        self.world.catalog.subscriptions.clear()
        for dataset in DATASETS:
            self.stream.made(dataset)
            self.world.subscribe(dataset, self.stream.outside.world.now)

    def deliver(self, messages: list[_Message], size: int) -> set[str]:
        """In batches, a part of which comes again in others; the ids of faults. A worker may die at any write."""
        again = self.chance.sample(messages, len(messages) // 5)
        every = messages + again
        self.chance.shuffle(every)
        faults: set[str] = set()
        for first in range(0, len(every), size):
            taken = self.door.take(every[first : first + size])
            faults |= set(taken.faults)
            self.load(taken.key)
        self.load(self.chance.choice(sorted(self.kept.objects)))
        return faults

    def load(self, key: str) -> None:
        """Load an object; a worker that died is followed by another."""
        self.world.crash.arm(self.chance.randint(1, 60), after=self.chance.random() < 0.5)
        for _ in range(2):
            try:
                self.world.work_on(key, self.kept.objects[key])
            except Killed:
                self.world.leases.expire()
            else:
                break
        self.world.crash.arm(0)

    def stored(self, level: Level) -> dict[tuple[str, str, int], tuple[int | None, ...]]:
        series = Series(SPEC.name, self.stream.caller.profile.id, level, Grain.HOUR)
        window = Window(ANCHOR - timedelta(days=3), ANCHOR + timedelta(days=2))
        found = self.world.store.read(series, window, sources=(Source.STREAM,))
        return {(row.entity_id, row.day, row.hour): tuple(row.slot) for row in found}

    def truth(self, level: str) -> dict[tuple[str, str, int], tuple[int | None, ...]]:
        rows = self.stream.truth(level=level)["rows"]
        return {
            (row["entity_id"], row["date"], row["hour"]): tuple(row[name] for name in _FIGURES)
            for row in rows
            if not row["before_start"]
        }


@pytest.fixture
def stream() -> Iterator[StreamCaller]:
    with running([STAND_IN], anchor=ANCHOR) as server:
        yield StreamCaller(server)


def hostile(stream: StreamCaller) -> list[_Message]:
    """What nobody should send, each of which is refused, and records that no hour gains anything by."""
    stream.made("budget-usage")
    (arn, confirmation) = stream.queues.sent.pop()
    asked: dict[str, Any] = json.loads(confirmation)
    evil = asked | {"SubscribeURL": asked["SubscribeURL"].replace("amazonaws.com", "amazonaws.com.example.com")}
    strange = json.loads(confirmation.replace("055588217351", "111122223333"))
    bodies = ["", "not JSON", "[]", "{}", json.dumps(evil), json.dumps(strange), json.dumps({"Type": "Notification"})]
    assert arn
    return [(f"h{number}", body) for number, body in enumerate(bodies)]


def strangers(messages: list[_Message]) -> list[_Message]:
    """Records that are none of this ad account's, or none at all."""
    record = json.loads(next(body for _, body in messages if '"sd-traffic"' in body))
    changes: list[dict[str, Any]] = [
        {"advertiser_id": "A0STRANGER"}, {"idempotency_id": ""}, {"cost": "1.2.3"}, {"currency": "JPY"},
        {"time_window_start": "2026-11-19T10:00:00"}, {"time_window_start": "2031-01-01T00:00:00-08:00"},
        {"impressions": 10**30}, {"campaign_id": "../../etc"},
    ]  # fmt: skip
    return [
        (f"s{number}", json.dumps(record | {"idempotency_id": f"strange-{number}"} | change))
        for number, change in enumerate(changes)
    ]


def test_what_is_stored_is_the_truth_whatever_happens_on_the_way(stream: StreamCaller) -> None:
    # given
    way = Way(stream, seed=1)
    way.subscribe()
    assert way.door.take(way.messages()).confirmed == len(DATASETS)
    bad = hostile(stream)

    # when
    faults: set[str] = set()
    for moved in (timedelta(hours=3), timedelta(days=1, hours=5)):
        stream.outside.move(moved)
        send_burst(stream.outside, {"days": 2, "wrapped": moved.days > 0})
        messages = way.messages()
        faults |= way.deliver([*messages, *bad, *([] if moved.days else strangers(messages))], 150)

    # then
    for level in (Level.AD, Level.CAMPAIGN):
        stored, truth = way.stored(level), way.truth(level)
        assert len(truth) > 100
        assert {key: row for key, row in stored.items() if any(row)} == {k: row for k, row in truth.items() if any(row)}
    assert faults == {message_id for message_id, _ in bad}
    assert stream.caller.got("/streams/subscriptions").json()["subscriptions"][-1]["status"] != "ACTIVE"
    assert set(way.world.refused) >= {"advertiser_id", "idempotency_id", "currency", "time_window_start"}


def test_days_of_the_truth_are_micros_and_hours_are_local(stream: StreamCaller) -> None:
    # given
    way = Way(stream, 3)
    way.subscribe()
    way.door.take(way.messages())
    stream.outside.move(timedelta(hours=2))
    send_burst(stream.outside, {"days": 1, "in_order": True, "datasets": ["sd-traffic"]})

    # when
    way.deliver(way.messages(), 1000)

    # then
    began = datetime.fromisoformat(f"{ANCHOR}T04:00:00-08:00")
    assert {hour for _, _, hour in way.stored(Level.AD)} == {began.hour, began.hour + 1}
    spent = sum(row[3] or 0 for row in way.stored(Level.AD).values())
    assert spent == sum(row[3] or 0 for row in way.truth("ad").values()) > MICRO
