"""Collecting: the real collector and poller, whose platform is a fake connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3

from adweir.intake.collect.claim import Claims
from adweir.intake.collect.collector import Collector
from adweir.intake.collect.gate import Gate
from adweir.intake.collect.outcomes import Outcomes
from adweir.intake.collect.poller import Poller
from adweir.intake.collect.worker import Timing
from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.errors import AdweirError, NotFound, NotReady, Throttled, Transient, Unavailable
from adweir.model.messages import Advance, TaskMessage
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads import SPEC
from adweir.platforms.connector import Connector, Mode, Page, Report, ReportState
from adweir.store.raw.header import PullHeader
from adweir.store.raw.store import RawStore, RawWriter
from support.clock import FrozenClock
from support.crash import Crash
from support.empty_aws import make_bucket
from support.world import World

AMAZON = Platform("amazon_ads")
BUCKET = "adweir-data"


def page(number: int, *, last: bool) -> Page:
    return Page(f'{{"page":{number}}}'.encode(), f"https://x.test/{number}", 200, last)


class FakeConnector(Connector):
    """Answers as the test sets it up; each call raises `error` while it is set."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.error: AdweirError | None = None
        self.listed: list[Page] = [page(1, last=False), page(2, last=True)]
        self.each_page: Callable[[], None] = lambda: None
        self.reports: dict[str, Report] = {}
        self.file: list[Page] = [page(1, last=True)]
        self.file_error: AdweirError | None = None

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.error is not None:
            raise self.error

    def mode(self, task: Task) -> Mode:
        return Mode.REPORT if task.dataset.grain else Mode.PAGES

    def profiles(self) -> Iterator[Page]:
        self._called("profiles")
        yield from self.listed

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        self._called(f"pages {resume}".strip())
        for one in self.listed[int(resume or 0) :]:
            self.each_page()
            yield one

    def create_report(self, task: Task) -> Report:
        self._called("create")
        for report in self.reports.values():
            if report.state is ReportState.PENDING:
                return report._replace(adopted=True)
        made = Report(f"report-{len(self.reports) + 1}", ReportState.PENDING, datetime(2026, 11, 20, 11, 0, tzinfo=UTC))
        self.reports[made.id] = made
        return made

    def report(self, task: Task, report_id: str) -> Report:
        self._called("report")
        return self.reports[report_id]

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        self._called(f"download {task.cursor}".strip())
        if self.file_error is not None:
            raise self.file_error
        for one in self.file[int(task.cursor or 0) :]:
            self.each_page()
            yield one

    def becomes(self, report_id: str, state: ReportState, reason: str = "") -> None:
        self.reports[report_id] = self.reports[report_id]._replace(state=state, reason=reason)


class WatchedRawStore(RawStore):
    """A raw store to whose writers putting the object is a write at which the worker can die."""

    def __init__(self, s3: Any, bucket: str, crash: Crash) -> None:
        super().__init__(s3, bucket)
        self._crash = crash

    def writer(self, header: PullHeader) -> RawWriter:
        writer = super().writer(header)
        self._crash.watch(writer, "commit")
        return writer


@contextmanager
def collecting(clock: FrozenClock) -> Iterator[CollectWorld]:
    """A world with a bucket on moto's S3. The tables have to be there."""
    s3: Any = boto3.client("s3", region_name="us-east-1")
    make_bucket(BUCKET)
    yield CollectWorld(clock, s3, BUCKET)
    s3.close()


class CollectWorld(World):
    """Collector and poller with their queues, driven by hand."""

    platform = AMAZON

    def __init__(self, clock: FrozenClock, s3: Any, bucket: str) -> None:
        super().__init__(clock)
        self.s3 = s3
        self.raw = WatchedRawStore(s3, bucket, self.crash)
        self.connector = FakeConnector()
        self.connected: list[tuple[str, str]] = []
        self.left = 300.0
        self.secret_missing = False
        self.add_profile("123", kind="seller")
        self.outcomes = Outcomes(self.ledger, self.catalog, self.queues, self.bus)
        claims = Claims(self.ledger, self.outcomes, clock, hold_seconds=330)
        gate = Gate(self.catalog, self.ledger, REGISTRY, self._connector_for)
        self.timing = Timing()
        self.collector = Collector(claims, gate, self.raw, self.queues, self.timing, lambda _: SPEC.datasets)
        self.poller = Poller(claims, gate, self.raw, self.queues, self.timing, lambda _: SPEC.datasets)
        self._watch()

    def _watch(self) -> None:
        """Every write of the collector and the poller is one at which the worker can die."""
        self.crash.watch(self.ledger, "claim", "release", "wait_report", "landed", "finish", "split")
        self.crash.watch(self.ledger.brakes, "trip", "success", "failure")
        self.crash.watch(self.catalog, "mark_broken", "mark_profile")
        self.crash.watch(self.connector, "create_report")
        self.crash.watch(self.bus, "publish")
        for queue in self.queues.every():
            self.crash.watch(queue, "send")

    def _connector_for(self, credential: Credential, route: str) -> Connector:
        self.connected.append((credential.label, route))
        if self.secret_missing:
            raise NotFound("no secret")
        return self.connector

    def plan(
        self,
        dataset: Dataset = Dataset.AD_DAILY,
        window: str = "2026-11-06..2026-11-19",
        *,
        profile_id: str = "123",
        slice_: str = "sp",
        **changes: Any,
    ) -> Task:
        """A planned task; entity lists have no window."""
        days = Window.parse(window) if dataset.grain else None
        return self.put_task(dataset, days, profile_id, slice=slice_, **changes)

    def deliver(self, message: TaskMessage, work: Callable[[TaskMessage, Callable[[], float]], None]) -> str:
        """One delivery as the queue consumer does it; returns the outcome in one word."""
        try:
            work(message, lambda: self.left)
        except (Throttled, NotReady, Transient, Unavailable) as error:
            return error.code
        except AdweirError as error:
            self.outcomes.settle(message, error)
            return f"settled:{error.code}"
        return "done"

    def collect(self, task: Task, **changes: Any) -> str:
        message = TaskMessage(run_id=task.run_id, task_id=task.id, generation=task.generation, **changes)
        return self.deliver(message, self.collector.collect)

    def message(self, task: Task) -> TaskMessage:
        """The message that the planner sends of a task."""
        return TaskMessage.of(task)

    def poll(self, message: TaskMessage) -> str:
        return self.deliver(message, self.poller.poll)

    def advances(self) -> int:
        return sum(isinstance(message, Advance) for message in self.queues.runs.take())
