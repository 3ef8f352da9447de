"""An advertiser's own feed, pulled by `internal`: over HTTPS and as objects of a bucket, its numbers are the truth."""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.errors import AuthExpired, NotApplicable, NotReady, RequestRejected, Throttled, TooMuchData, Transient
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.addresses import AllowedHosts, guarded_session
from adweir.platforms.connector import Connector, OwnTokens, Page, PageInHand, PullContext, Wiring
from adweir.store.raw.feeds import SourceObjects
from sandbox.platforms import everyone
from sandbox.platforms.own_feed.rows import objects
from sandbox.server import PlatformServer
from sandbox.switches import Switch
from sandbox.world import WorldProfile
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.described_api import example
from support.platform_server import ANCHOR, owner, running

INTERNAL, FEED, BUCKET = Platform("internal"), "own_feed", "halden-warehouse"
DAYS = Window(ANCHOR - timedelta(days=3), ANCHOR - timedelta(days=1))
LAST = Window(DAYS.end, DAYS.end)


@pytest.fixture(scope="module")
def _server() -> Iterator[PlatformServer]:
    present = [one for one in everyone() if one.platform == FEED]
    with running(present) as server:
        yield server


@pytest.fixture
def server(_server: PlatformServer) -> Iterator[PlatformServer]:
    yield _server
    _server.outside.switches.clear()


class Feed:
    """A spec of docs/specs for the feed of Halden Outdoor, and what it brings."""

    def __init__(self, server: PlatformServer, name: str, feeds: Any = None) -> None:
        company, self.profile = owner(server, FEED)
        self.world = server.outside.world
        text = json.dumps(example(name)).replace("https://data.example.com", server.url)
        self.spec = text.replace("example-warehouse", BUCKET).replace("own-1", self.profile.id)
        self.server, self.feeds = server, feeds
        self.secret = {} if feeds else company.elsewhere.credentials[FEED]

    def connect(self) -> Connector:
        clock = FrozenClock()
        wiring = Wiring(
            urls=lambda *_: "",
            session=guarded_session(AllowedHosts("", [self.server.url])),
            clock=clock,
            rng=random.Random(1),
            tokens=OwnTokens(clock),
            spec=lambda _: self.spec,
            sleep=lambda _: None,
            feeds=self.feeds,
        )
        credential = Credential(account_id="a", platform=INTERNAL, secret_id="s", label="feed")
        return REGISTRY.connect(credential, self.secret, wiring)

    def pages(self, dataset: Dataset, days: Window, resume: str = "") -> list[Page]:
        zone = self.profile.timezone
        task = Task("r", "m", "a", INTERNAL, f"feed~{self.profile.id}", dataset, ALL, days, 0, timezone=zone)
        return [page._replace(body=page.content()) for page in self.connect().pages(task, resume)]

    def rows(self, dataset: Dataset, days: Window = LAST) -> dict[tuple[str, str], tuple[int | None, ...]]:
        context = PullContext(
            "a", f"feed~{self.profile.id}", dataset, ALL, days, "2026-11-20T00:00:00Z", self.profile.currency,
            self.profile.timezone, route="feed", spec=lambda _: self.spec,
        )  # fmt: skip
        found: dict[tuple[str, str], tuple[int | None, ...]] = {}
        for number, page in enumerate(self.pages(dataset, days), 1):
            for batch in REGISTRY.normalizer(INTERNAL).metric_batches(PageInHand.of(page, number), context):
                assert not batch.bad, batch.bad[:1]
                found |= {(row.entity_id, row.day): row.slot for row in batch.rows}
        return found

    def truth(self, level: str, days: Window = LAST) -> dict[tuple[str, str], tuple[int, ...]]:
        found: dict[tuple[str, str], tuple[int, ...]] = defaultdict(tuple)
        for row in self.world.truth(self.profile, days.start, days.end, level):
            ids = {"campaign": row["campaign_id"], "ad": f"{row['campaign_id']}~{row['ad_id']}"}
            numbers = (row[name] for name in ("conversions_micros", "spend_micros", "revenue_micros"))
            found[ids[level], row["date"]] = (row["impressions"], row["clicks"], *numbers)
        return dict(found)


def test_a_feed_in_our_own_columns_is_the_truth(server: PlatformServer) -> None:
    feed = Feed(server, "own-columns")

    rows = feed.rows(Dataset.CAMPAIGN_DAILY, DAYS)

    assert rows == feed.truth("campaign", DAYS)
    assert len(rows) == 9


def test_a_feed_in_words_of_its_own_is_the_truth(server: PlatformServer) -> None:
    feed = Feed(server, "own-documents")

    rows = feed.rows(Dataset.AD_DAILY)

    assert rows == feed.truth("ad")
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("kind", "error"),
    [("throttle", Throttled), ("expired_token", AuthExpired), ("server_error", Transient), ("html", Transient)],
)
def test_its_faults_have_their_classes(server: PlatformServer, kind: str, error: type[Exception]) -> None:
    server.outside.switches.turn_on(Switch(kind=kind, platform=FEED, times=100))

    with pytest.raises(error):
        Feed(server, "own-columns").pages(Dataset.CAMPAIGN_DAILY, DAYS)


# -- in a bucket -----------------------------------------------------------------------------------------------------


@pytest.fixture
def nightly(server: PlatformServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Feed]]:
    """Writes what the nightly job writes into a bucket, and gives the feed that reads it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)

        def made(name: str, buckets: str = f"arn:aws:s3:::other,arn:aws:s3:::{BUCKET}", **more: bytes) -> Feed:
            profile: WorldProfile = owner(server, FEED)[1]
            for key, content in [*objects(server.outside.world, profile, DAYS.start, DAYS.end), *more.items()]:
                s3.put_object(Bucket=BUCKET, Key=f"feed/{key}", Body=content)
            return Feed(server, name, SourceObjects(lambda: s3, buckets))

        yield made


def test_objects_of_a_bucket_are_the_truth(nightly: Callable[..., Feed]) -> None:
    columns, documents = nightly("own-bucket-columns"), nightly("own-bucket-documents")

    assert columns.rows(Dataset.CAMPAIGN_DAILY) == columns.truth("campaign")
    assert documents.rows(Dataset.AD_DAILY) == documents.truth("ad")


def test_each_object_below_a_prefix_is_a_page_and_a_pull_goes_on_after_one(nightly: Callable[..., Feed]) -> None:
    part = {f"placements/dt={DAYS.end}/part-0001.json": b'{"day": "2026-11-01", "channels": []}'}
    feed = nightly("own-bucket-documents", **part)
    feed.spec = feed.spec.replace('"packed": "gzip"', '"packed": "plain"')
    prefix = f"feed/placements/dt={DAYS.end}/part-000"
    first = boto3.client("s3")
    first.put_object(Bucket=BUCKET, Key=f"{prefix}0.json.gz", Body=b'{"channels": []}')

    pages = feed.pages(Dataset.AD_DAILY, LAST)
    rest = feed.pages(Dataset.AD_DAILY, LAST, resume=pages[0].resume)

    assert [(page.last, page.resume) for page in pages] == [(False, f"{prefix}0.json.gz"), (True, "")]
    assert [page.content() for page in rest] == [pages[1].content()]


def test_what_has_not_come_is_waited_for_and_in_the_end_does_not_apply(nightly: Callable[..., Feed]) -> None:
    feed = nightly("own-bucket-columns")
    today, long_ago = ANCHOR + timedelta(days=1), ANCHOR - timedelta(days=90)

    with pytest.raises(NotReady) as waits:
        feed.pages(Dataset.CAMPAIGN_DAILY, Window(today, today))
    with pytest.raises(NotApplicable):
        feed.pages(Dataset.CAMPAIGN_DAILY, Window(long_ago, long_ago))
    assert waits.value.after == 900


@at_the_bound("MAX_FEED_OBJECTS", as_if=3)
def test_a_days_objects_have_an_end(
    nightly: Callable[..., Feed], monkeypatch: pytest.MonkeyPatch, size: int, *, fits: bool
) -> None:
    monkeypatch.setattr(limits, "MAX_FEED_OBJECTS", 3)
    body = gzip.compress(b'{"channels": []}')
    feed = nightly("own-bucket-documents", **{f"placements/dt=2026-11-01/{number}.gz": body for number in range(size)})
    day = date(2026, 11, 1)

    with refuses(TooMuchData, fits=fits):
        feed.pages(Dataset.AD_DAILY, Window(day, day))


def test_only_the_buckets_of_the_deployment_are_read(nightly: Callable[..., Feed]) -> None:
    with pytest.raises(RequestRejected, match="add halden-warehouse to its parameter SourceBuckets"):
        nightly("own-bucket-columns", buckets="arn:aws:s3:::other").pages(Dataset.CAMPAIGN_DAILY, LAST)


def test_a_bucket_is_not_for_generic(nightly: Callable[..., Feed]) -> None:
    feed = nightly("own-bucket-columns")
    wiring = Wiring(
        lambda *_: "", guarded_session(AllowedHosts("")), FrozenClock(), random.Random(1), OwnTokens(FrozenClock()),
        spec=lambda _: feed.spec, feeds=feed.feeds,
    )  # fmt: skip
    generic = Credential(account_id="a", platform=Platform("generic"), secret_id="s", label="feed")

    with pytest.raises(AuthExpired, match="internal"):
        REGISTRY.connect(generic, {}, wiring)
