"""Objects in the bucket → stored metrics: drops, pushes, pulls; again, and killed in between."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import boto3
import pytest

from adweir.intake.loader import Loader
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, Profile
from adweir.model.errors import AdweirError
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Grain, Level
from adweir.model.platforms import Platform
from adweir.model.times import Window, iso
from adweir.platforms import normalizer
from adweir.platforms.base import Page
from adweir.store.catalog import Catalog
from adweir.store.findings import Findings
from adweir.store.ledger import Ledger
from adweir.store.metrics import MetricStore
from adweir.store.pull_header import PullHeader
from adweir.store.raw import RawStore
from support.clock import FrozenClock

HEADER = "platform,profile_id,level,date,campaign_id,impressions,clicks,spend\n"
META = Platform.META_ADS


class Sent:
    """Queue and bus."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def send(self, message: Any, **_: Any) -> None:
        self.messages.append(message)

    def send_many(self, messages: Any) -> None:
        self.messages += [message for message, _ in messages]

    def publish(self, *events: Any) -> None:
        self.messages += events


class World:
    def __init__(self, clock: FrozenClock, bucket: str) -> None:
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=bucket)
        self.s3, self.clock, self.bucket = s3, clock, bucket
        self.raw, self.ledger, self.catalog = RawStore(s3, bucket), Ledger(clock), Catalog(clock)
        self.metrics = MetricStore(clock, self.ledger, self.raw, lease_seconds=60)
        self.findings, self.queue, self.bus = Findings(clock), Sent(), Sent()
        self.catalog.create_account("acme", "Acme", "a@b.example")
        profile = Profile(
            account_id="acme", platform=META, profile_id="1", name="n", currency="USD", timezone="America/New_York"
        )
        campaign = AdCampaign(platform=META, profile_id="1", id="7", campaign_id="7")
        self.catalog.put_objects([profile, campaign], iso(clock.now()))
        self.loader = Loader(
            raw=self.raw,
            metrics=self.metrics,
            catalog=self.catalog,
            ledger=self.ledger,
            findings=self.findings,
            normalizer=normalizer,
            runs_queue=self.queue,
            bus=self.bus,
            clock=clock,
            threshold=0.8,
        )

    def arrive(self, key: str, body: bytes = b"", metadata: dict[str, str] | None = None) -> None:
        if body:
            self.raw.put(key, body, metadata)
        message = ObjectArrived(bucket=self.bucket, key=key)
        try:
            self.loader.load(message, lambda: 300.0)
        except AdweirError as error:
            self.loader.settle(message, error)

    def stored(self, level: Level = Level.CAMPAIGN, grain: Grain = Grain.DAY) -> list[tuple[Any, ...]]:
        rows = self.metrics.read(META, "1", level, grain, date(2026, 11, 1), date(2026, 11, 30))
        return sorted((row.entity_id, str(row.day), row.hour, tuple(row.slot)) for row in rows)

    def receipts(self) -> list[dict[str, Any]]:
        return [json.loads(self.raw.get_bytes(info.key)) for info in self.raw.list("receipts/")]


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> World:
    return World(clock, "adweir-data")


def test_a_drop_stores_good_lines_quarantines_bad_ones_and_leaves_a_receipt(world: World) -> None:
    body = HEADER + "meta,1,campaign,2026-11-18,7,10,1,1.50\nmeta,2,campaign,2026-11-18,7,10,1,1\nbroken\n"
    world.arrive("drops/acme/a.csv", body.encode())
    assert [row[3][3] for row in world.stored()] == [1_500_000]
    (receipt,) = world.receipts()
    assert (receipt["state"], receipt["rows_read"], receipt["rows_stored"], receipt["rows_quarantined"]) == (
        "loaded",
        3,
        1,
        2,
    )
    assert receipt["reasons"] == {"known": 1, "fields": 1}


def test_the_same_bytes_under_another_name_change_nothing(world: World) -> None:
    body = (HEADER + "meta,1,campaign,2026-11-18,7,10,1,1.50\n").encode()
    world.arrive("drops/acme/a.csv", body)
    before = world.stored()
    world.arrive("drops/acme/a.csv")
    world.arrive("drops/acme/b.csv", body)
    assert world.stored() == before
    assert sorted(receipt["state"] for receipt in world.receipts()) == ["duplicate", "loaded"]


@pytest.mark.parametrize(
    ("key", "body"), [("drops/acme/a.csv", b"nonsense"), ("drops/nobody/a.csv", HEADER.encode() + b"x\n")]
)
def test_a_file_that_cannot_be_read_gets_a_receipt_that_says_why(world: World, key: str, body: bytes) -> None:
    world.arrive(key, body)
    (receipt,) = world.receipts()
    assert receipt["state"] == "rejected"
    assert world.stored() == []


def test_a_push_lands_in_the_profile_s_local_hour(world: World) -> None:
    entry = {"campaign_id": "7", "timestamp": "2026-11-20T03:30:00Z", "impressions": 9, "clicks": 1, "cost": 1.25}
    metadata = {"account_id": "acme", "platform": "meta_ads", "kind": "push", "as_of": iso(world.clock.now())}
    world.arrive("webhooks/meta_ads/acme/x", json.dumps({"metrics": [entry]}).encode(), metadata)
    found = world.metrics.read(META, "1", Level.CAMPAIGN, Grain.HOUR, date(2026, 11, 19), date(2026, 11, 20))
    assert [(str(row.day), row.hour, row.slot[3], str(row.source)) for row in found] == [
        ("2026-11-19", 22, 1_250_000, "push")
    ]


def test_changes_of_one_object_start_one_run(world: World) -> None:
    change = {"field": "field_changed", "value": {"object_id": "7", "object_type": "campaign"}}
    for n in range(2):
        body = json.dumps({"object": "ad_account", "entry": [{"id": "1", "time": n, "changes": [change]}]}).encode()
        metadata = {
            "account_id": "acme",
            "platform": "meta_ads",
            "kind": "notification",
            "as_of": iso(world.clock.now()),
        }
        world.arrive(f"webhooks/meta_ads/acme/{n}", body, metadata)
    assert len({message.run_id for message in world.queue.messages}) == 1
    assert world.queue.messages[0].scope.slice == "campaign=7"


def land(world: World, spends: list[str], *, body: bytes | None = None) -> str:
    header = PullHeader(
        run_id="r",
        task_id="t",
        generation=0,
        account_id="acme",
        platform=META,
        profile_id="1",
        dataset=Dataset.AD_DAILY,
        as_of=iso(world.clock.now()),
        window=Window(date(2026, 11, 18), date(2026, 11, 18)),
        currency="USD",
    )
    rows = [
        {"date_start": "2026-11-18", "date_stop": "2026-11-18", "campaign_id": "7", "adset_id": "8", "ad_id": str(n),
         "impressions": "10", "clicks": "1", "spend": spend}
        for n, spend in enumerate(spends)
    ]  # fmt: skip
    page = Page(body if body is not None else json.dumps({"data": rows}).encode(), "u", 200, last=True)
    with world.raw.writer(header) as writer:
        writer.write(page)
        return writer.commit(complete=True)


def test_a_bad_row_of_a_pull_is_quarantined_and_the_others_stored(world: World) -> None:
    world.arrive(land(world, ["1.00", "free", "2.00"]))
    assert [row[0] for row in world.stored(Level.AD)] == ["8~0", "8~2"]
    assert world.raw.exists("quarantine/t.0.jsonl.gz")
    assert [event.name for event in world.bus.messages] == ["MetricsChanged", "QualityBreached"]
    (report,) = world.findings.quality("meta_ads#1")
    assert (report["rows_read"], report["rows_stored"], report["rows_quarantined"]) == (3, 2, 1)


def test_a_pull_that_cannot_be_read_stores_nothing_and_is_told(world: World) -> None:
    world.arrive(land(world, [], body=b"<html>"))
    assert world.stored(Level.AD) == []
    assert [event.name for event in world.bus.messages] == ["QualityBreached"]


@pytest.mark.parametrize("kill_at", range(6))
def test_a_load_killed_at_any_step_converges_when_delivered_again(
    world: World, kill_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = land(world, ["1.00", "free", "2.00"])
    steps = [
        (world.raw, "put"),
        (world.metrics, "load"),
        (world.bus, "publish"),
        (world.findings, "put_quality"),
        (world.ledger, "finish"),
        (world.queue, "send"),
    ]

    class Killed(BaseException):
        pass

    owner, name = steps[kill_at]
    real = getattr(owner, name)

    def once(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(owner, name, real)
        real(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(owner, name, once)
    with pytest.raises(Killed):
        world.arrive(key)
    world.arrive(key)
    assert [row[0] for row in world.stored(Level.AD)] == ["8~0", "8~2"]
    assert world.queue.messages[-1].run_id == "r"
    assert len(world.findings.quality("meta_ads#1")) == 1
