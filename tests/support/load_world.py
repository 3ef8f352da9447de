"""Loading: the real loader on what lies in the bucket."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import boto3

from adweir.intake.load import deliveries, drop_keys, pulls
from adweir.intake.load.commit import Committer
from adweir.intake.load.deliveries import DeliveryLoader
from adweir.intake.load.dispatch import Loader
from adweir.intake.load.ends import TaskEnds
from adweir.intake.load.file_mappings import FileMappings
from adweir.intake.load.file_readers import ClientFiles
from adweir.intake.load.files import DropLoader
from adweir.intake.load.leads import LeadCounter
from adweir.intake.load.pulls import PullLoader
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign
from adweir.model.errors import AdweirError, NotReady
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window, epoch, iso
from adweir.platforms import REGISTRY, Platforms
from adweir.platforms.connector import Page
from adweir.store.findings import Findings
from adweir.store.folds import Folds
from adweir.store.metrics.store import MetricStore, Patience
from adweir.store.raw.header import PullHeader
from adweir.store.raw.store import RawStore
from adweir.store.registers import Registers
from adweir.store.swaps import Swaps
from support.clock import FrozenClock
from support.empty_aws import make_bucket
from support.world import World

META = Platform("meta_ads")
DAY = Window(date(2026, 11, 18), date(2026, 11, 18))


class LoadWorld(World):
    """The loader, with one Meta profile and one campaign of it."""

    platform = META

    def __init__(self, clock: FrozenClock, bucket: str, platforms: Platforms = REGISTRY) -> None:
        super().__init__(clock)
        s3 = boto3.client("s3")
        make_bucket(bucket)
        self.s3, self.bucket = s3, bucket
        self.raw = RawStore(s3, bucket)
        self.metrics = MetricStore(Patience(clock, 60, lambda _: None), self.ledger, self.raw)
        self.findings = Findings(clock)
        self.remaining: Callable[[], float] = lambda: 300.0
        self.add_profile("1", timezone="America/New_York")
        campaign = AdCampaign(platform=META, profile_id="1", id="7", campaign_id="7")
        self.catalog.put_objects([campaign], iso(clock.now()))
        self.loader = self._loader(platforms)

    def _loader(self, platforms: Platforms) -> Loader:
        committer = Committer(
            (self.metrics, self.findings, self.ledger.unfollowed), self.bus, self.clock, threshold=0.8
        )
        ends = TaskEnds(self.ledger, self.queues.runs, self.clock)
        swaps = Swaps(lambda _: None, Random(1))
        self.folds = Folds(self.raw, self.clock, swaps)
        leads = LeadCounter(self.catalog, self.folds, self.clock)
        return Loader(
            {
                pulls.PREFIX: PullLoader(self.raw, self.catalog, platforms, committer, ends, self.queues.landing),
                drop_keys.PREFIX: DropLoader(
                    (self.raw, self.catalog, Registers(self.raw, self.clock, swaps)),
                    self.ledger.receipts,
                    committer,
                    self.clock,
                    ClientFiles(self.catalog, platforms, FileMappings(self.catalog, self.raw).find),
                ),
                deliveries.PREFIX: DeliveryLoader(self.raw, committer, self.queues.runs, leads),
            },
            self.ledger,
            self.clock,
        )

    def plan(self, dataset: Dataset = Dataset.AD_DAILY, window: Window | None = DAY, run_id: str = "r") -> Task:
        """A planned task of the profile, due in an hour."""
        due = epoch(self.clock.now()) + 3600
        return self.put_task(dataset, window, "" if dataset is Dataset.PROFILES else "1", run_id=run_id, deadline=due)

    def land(self, task: Task, body: bytes | dict[str, Any], *, complete: bool = True) -> str:
        """The task's answer as an object in the bucket; returns its key."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        with self.raw.writer(PullHeader.of(task, as_of=iso(self.clock.now()))) as writer:
            writer.write(Page(data, "https://graph.example/x", 200, last=True))
            return writer.commit(complete=complete)

    def pull(self, task: Task, body: bytes | dict[str, Any], *, complete: bool = True) -> str:
        """Land and load; returns the task's state."""
        self.arrive(self.land(task, body, complete=complete))
        return self.state(task).value

    def arrive(self, key: str, body: bytes = b"", metadata: dict[str, str] | None = None) -> None:
        if body:
            self.raw.put(key, body, metadata)
        message = ObjectArrived(bucket=self.bucket, key=key)
        try:
            self.loader.load(message, self.remaining)
        except AdweirError as error:
            self.loader.settle(message, error)

    def stored(self, level: Level = Level.CAMPAIGN, grain: Grain = Grain.DAY) -> list[tuple[Any, ...]]:
        rows = self.metrics.read(Series(META, "1", level, grain), Window(date(2026, 11, 1), date(2026, 11, 30)))
        return sorted((row.entity_id, str(row.day), row.hour, tuple(row.slot)) for row in rows)

    def receipts(self) -> list[dict[str, Any]]:
        return [json.loads(self.raw.get_bytes(info.key)) for info in self.raw.list("receipts/")]


def load(world: LoadWorld, key: str, body: bytes = b"", most: int = 50) -> int:
    """Load a file as the queue does, an invocation after the other; returns how many there were."""
    if body:
        world.raw.put(key, body)
    message = ObjectArrived(bucket=world.bucket, key=key)
    for number in range(1, most):
        try:
            world.loader.load(message, world.remaining)
        except NotReady:
            continue
        except AdweirError as error:
            world.loader.settle(message, error)
        return number
    raise AssertionError("it does not end")


def insights(spends: list[str], day: str = "2026-11-18") -> dict[str, Any]:
    """An insights answer: ad 0, 1, ... of ad set 8 with these spends."""
    rows = [
        {"date_start": day, "date_stop": day, "campaign_id": "7", "adset_id": "8", "ad_id": str(number),
         "impressions": "10", "clicks": "1", "spend": spend}
        for number, spend in enumerate(spends)
    ]  # fmt: skip
    return {"data": rows}
