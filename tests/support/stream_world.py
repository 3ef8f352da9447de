"""The stream's loader on plain dictionaries: folds and metrics with faults on demand, a catalog, objects of records."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from math import inf
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from adweir.intake.load.commit import Committer
from adweir.intake.load.stream import StreamLoader
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, PlatformObject, Profile, Subscription
from adweir.model.errors import Unavailable
from adweir.model.messages import Message, ObjectArrived
from adweir.model.metrics import Grain, Level, Series, Slot, Source
from adweir.model.platforms import Platform
from adweir.model.times import Window, iso
from adweir.platforms import REGISTRY
from adweir.store.folds import Folds
from adweir.store.raw.store import ObjectHead, ObjectInfo
from adweir.store.swaps import SwapObjects, Swaps
from support.crash import Crash
from support.metric_store import StoreWorld

_encode = msgspec.json.Encoder(decimal_format="number").encode
AMAZON = Platform("amazon_ads")
SINCE = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)
HOUR = "2026-11-20T03:00:00-08:00"
"""An hour of Los Angeles that is over at the world's noon (UTC)."""


@dataclass
class FakeFolds(SwapObjects):
    """Conditional replacement in memory. Each put is a write at which a worker can die."""

    crash: Crash = field(default_factory=Crash)
    objects: dict[str, bytes] = field(default_factory=dict)
    puts: int = 0

    def tagged(self, key: str) -> tuple[bytes, str] | None:
        return (self.objects[key], self._tag(key)) if key in self.objects else None

    def swap(self, key: str, body: bytes, tag: str) -> bool:
        return self.crash.around(self._swap)(key, body, tag)

    def put_once(self, key: str, body: bytes) -> bool:
        return self.crash.around(self._swap)(key, body, "")

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield ObjectInfo(key, len(self.objects[key]), datetime.now(UTC))

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.crash.around(self.objects.pop)(key, None)

    def _swap(self, key: str, body: bytes, tag: str) -> bool:
        if self._tag(key) != tag:
            return False
        self.puts += 1
        self.objects[key] = body
        return True

    def _tag(self, key: str) -> str:
        return str(hash(self.objects[key])) if key in self.objects else ""


def a_profile(**changes: Any) -> Profile:
    """A seller in Los Angeles."""
    given: dict[str, Any] = {
        "account_id": "acc_1",
        "platform": AMAZON,
        "profile_id": "p1",
        "name": "n",
        "currency": "USD",
        "timezone": "America/Los_Angeles",
        "kind": "seller",
        "alias": "A1@US",
    }
    return Profile(**given | changes)


def record(dataset: str, number: int, **changes: Any) -> dict[str, Any]:
    """A record of ad a1 in group g1 of campaign c1; nothing is added unless `changes` say so."""
    return {
        "idempotency_id": f"id-{number}",
        "dataset_id": dataset,
        "marketplace_id": "US",
        "currency": "USD",
        "advertiser_id": "A1",
        "campaign_id": "c1",
        "ad_group_id": "g1",
        "ad_id": "a1",
        "keyword_id": "k1",
        "time_window_start": HOUR,
    } | changes


def traffic(number: int, impressions: int, clicks: int, cost: float, **more: Any) -> dict[str, Any]:
    return record("sp-traffic", number, impressions=impressions, clicks=clicks, cost=cost, **more)


def conversion(number: int, bought: int, sales: float, **more: Any) -> dict[str, Any]:
    return record("sp-conversion", number, attributed_conversions_7d=bought, attributed_sales_7d=sales, **more)


@dataclass
class StreamCatalog:
    """What the loader asks the catalog."""

    known: list[Profile]
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    campaigns: dict[str, str] = field(default_factory=dict)

    def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> list[Profile]:
        return self.known

    def objects(self, platform: Platform, profile_id: str, dataset: Dataset) -> Iterator[PlatformObject]:
        assert dataset is Dataset.STREAMS
        yield from list(self.subscriptions.values())

    def put_objects(self, objects: Iterable[PlatformObject], as_of: str) -> None:
        for each in objects:
            self.subscriptions.setdefault(each.id, cast("Subscription", each))

    def find_objects(
        self, platform: Platform, profile_ids: Sequence[str], dataset: Dataset, ids: Sequence[str]
    ) -> dict[str, list[PlatformObject]]:
        return {
            each: [AdCampaign(platform=platform, profile_id=profile_ids[0], id=each, ad_product=self.campaigns[each])]
            for each in ids
            if each in self.campaigns
        }


@dataclass
class StreamObjects:
    """What the loader asks the bucket."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    received: datetime = SINCE
    quarantined: list[dict[str, Any]] = field(default_factory=list)

    def get_bytes(self, key: str, version_id: str = "") -> bytes:
        return self.bodies[key]

    def head(self, key: str) -> ObjectHead:
        return ObjectHead(1, self.received, "", {})

    def put(
        self, key: str, body: Any, metadata: Mapping[str, str], content_type: str, tags: Mapping[str, str] | None
    ) -> None:
        del tags
        self.quarantined += [json.loads(line) for line in gzip.decompress(body.read()).splitlines()]


@dataclass
class Published:
    """A bus and a queue that keep what they are given."""

    events: list[Any] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    def publish(self, *events: Any, measured: bool = True) -> None:
        self.events += events

    def send(self, message: Message, *, delay: int = 0, group: str = "") -> None:
        self.sent.append(message)


class KeptLines:
    """The objects that were put."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.is_down = False

    def put_once(
        self, key: str, body: bytes, metadata: Mapping[str, str] | None = None, content_type: str = ""
    ) -> bool:
        if self.is_down:
            raise Unavailable("S3 does not answer")
        return self.objects.setdefault(key, body) is body

    def lines(self, key: str) -> list[Any]:
        return [json.loads(line) for line in gzip.decompress(self.objects[key]).splitlines()]


class StreamWorld(StoreWorld):
    """A loader with its fakes; subscribed to traffic and conversions of Sponsored Products."""

    def __init__(self, *profiles: Profile) -> None:
        super().__init__()
        self.fold_objects = FakeFolds(self.crash)
        self.slept: list[float] = []
        self.folds = Folds(self.fold_objects, self.clock, Swaps(self.slept.append, random.Random(1)))
        self.catalog, self.raw, self.out = StreamCatalog(list(profiles) or [a_profile()]), StreamObjects(), Published()
        for dataset in ("sp-traffic", "sp-conversion"):
            self.subscribe(dataset, SINCE)
        self.held: list[Any] = []
        findings = SimpleNamespace(held=SimpleNamespace(hold=self.held.append, failed=lambda *_: None))
        self.unfollowed: list[tuple[str, str]] = []
        marks = SimpleNamespace(note=lambda *mark: self.unfollowed.append(mark))
        loads = self.store, cast("Any", findings), cast("Any", marks)
        committer = Committer(loads, cast("Any", self.out), self.clock, 0.8)
        stores = cast("Any", (self.raw, self.catalog, self.folds))
        self.noted: dict[str, str] = {}
        self.loader = StreamLoader(
            stores, REGISTRY, committer, cast("Any", self.out), self.clock, self.noted.__setitem__
        )

    def subscribe(self, dataset: str, since: datetime, **more: Any) -> None:
        given: dict[str, Any] = {"status": "active"} | more
        self.catalog.subscriptions[dataset] = Subscription(
            platform=AMAZON, profile_id="p1", id=dataset, since=iso(since), **given
        )

    def work(self, *records: Mapping[str, Any] | str, name: str = "", remaining: float = inf) -> None:
        """Load an object with these records."""
        lines = [each if isinstance(each, str) else _encode(each).decode() for each in records]
        key = f"stream/amazon_ads/2026-11-20/{name or hash(tuple(lines))}.jsonl.gz"
        self.work_on(key, gzip.compress("".join(f"{line}\n" for line in lines).encode()), remaining)

    def work_on(self, key: str, body: bytes, remaining: float = inf) -> None:
        """Load an object that was stored under this key."""
        self.raw.bodies[key] = body
        self.loader.load(ObjectArrived(bucket="b", key=key), lambda: remaining)

    def hours(self, level: Level = Level.AD, day: str = "2026-11-20") -> dict[tuple[str, int], Slot]:
        """What is stored of a day: (entity, hour of the slot) → numbers."""
        window = Window(date.fromisoformat(day), date.fromisoformat(day))
        found = self.store.read(Series(AMAZON, "p1", level, Grain.HOUR), window, sources=(Source.STREAM,))
        return {(each.entity_id, each.hour): each.slot for each in found}

    @property
    def refused(self) -> list[str]:
        """The fields because of which records went to quarantine."""
        return [fault["field"] for each in self.raw.quarantined for fault in each["errors"]]
