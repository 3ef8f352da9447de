"""A small world for intake's tests: the real ledger and raw store on moto, fakes for everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from adweir.intake.collect.claim import Claims
from adweir.intake.collect.collector import Collector
from adweir.intake.collect.gate import Gate
from adweir.intake.collect.outcomes import Outcomes
from adweir.intake.collect.poller import Poller
from adweir.intake.collect.worker import Timing
from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Profile
from adweir.model.errors import AdweirError, NotFound, NotReady, Throttled, Transient, Unavailable
from adweir.model.events import BusEvent
from adweir.model.messages import Advance, Message, TaskMessage
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window, epoch
from adweir.platforms.amazon_ads import SPECS
from adweir.platforms.base import Mode, Page, Report, ReportState
from adweir.store.ledger import Ledger
from adweir.store.raw.store import RawStore

AMAZON = Platform.AMAZON_ADS


class Killed(BaseException):
    """The worker's process died here: no handler of ours may catch it."""


@dataclass
class FakeQueue:
    sent: list[tuple[Any, int]] = field(default_factory=list)

    def send(self, message: Message, *, delay: int = 0, group: str = "") -> None:
        self.sent.append((message, delay))

    def send_many(self, messages: Iterable[tuple[Message, str]]) -> None:
        self.sent += [(message, 0) for message, _ in messages]

    def take(self) -> list[Any]:
        taken, self.sent = [message for message, _ in self.sent], []
        return taken


class FakeQueues:
    def __init__(self) -> None:
        self.runs = FakeQueue()
        self.reports = FakeQueue()
        self.landing = FakeQueue()
        self.collecting = FakeQueue()

    def collect(self, platform: Platform) -> FakeQueue:
        return self.collecting


@dataclass
class FakeBus:
    events: list[BusEvent] = field(default_factory=list)

    def publish(self, *events: BusEvent) -> None:
        self.events += events


class FakeCatalog:
    def __init__(self) -> None:
        self.credentials: dict[tuple[str, Platform], Credential] = {}
        self.known: dict[str, Profile] = {}

    def credential(self, account_id: str, platform: Platform) -> Credential:
        try:
            return self.credentials[account_id, platform]
        except KeyError:
            raise NotFound("no credential") from None

    def profile(self, platform: Platform, profile_id: str) -> Profile | None:
        return self.known.get(profile_id)

    def mark_broken(self, account_id: str, platform: Platform, version: int, reason: str) -> bool:
        found = self.credentials[account_id, platform]
        if found.version == version:
            self.credentials[account_id, platform] = found.model_copy(update={"state": "broken", "reason": reason})
        return found.version == version

    def mark_profile(self, platform: Platform, profile_id: str, status: str) -> bool:
        self.known[profile_id] = self.known[profile_id].model_copy(update={"status": status})
        return True


def page(number: int, *, last: bool) -> Page:
    return Page(f'{{"page":{number}}}'.encode(), f"https://x.test/{number}", 200, last)


class FakeConnector:
    """Answers as told; `error` is raised by the next calls as long as it is set."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
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

    def pages(self, task: Task) -> Iterator[Page]:
        self._called("pages")
        for one in self.listed:
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
        self._called("download")
        if self.file_error is not None:
            raise self.file_error
        yield from self.file

    def becomes(self, report_id: str, state: ReportState, reason: str = "") -> None:
        self.reports[report_id] = self.reports[report_id]._replace(state=state, reason=reason)


class Tripwire:
    """Kills the worker before the n-th call of the wrapped objects' writing methods (1: the first; 0: never)."""

    WRITES = frozenset(
        {"claim", "release", "wait_report", "landed", "finish", "split", "commit", "send", "send_many", "publish"}
        | {"mark_broken", "mark_profile", "create_report", "trip", "success", "failure"}
    )

    def __init__(self) -> None:
        self.at = 0
        self.count = 0

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise Killed

    def wrap(self, target: Any) -> Any:
        return _Wrapped(target, self)


class _Wrapped:
    def __init__(self, target: Any, wire: Tripwire) -> None:
        self._target = target
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if name in {"brakes", "runs", "reports"}:
            return _Wrapped(value, self._wire)
        if name in {"writer", "collect"}:
            return lambda *args: _Wrapped(value(*args), self._wire)
        if name not in Tripwire.WRITES:
            return value

        def write(*args: Any, **options: Any) -> Any:
            self._wire()
            return value(*args, **options)

        return write

    def __enter__(self) -> Self:
        self._target.__enter__()
        return self

    def __exit__(self, *args: object) -> Any:
        return self._target.__exit__(*args)


class World:
    """Collector and poller with their queues, driven by hand."""

    def __init__(self, clock: Any, s3: Any, bucket: str) -> None:
        self.clock = clock
        self.s3 = s3
        self.ledger = Ledger(clock)
        self.raw = RawStore(s3, bucket)
        self.queues = FakeQueues()
        self.bus = FakeBus()
        self.catalog = FakeCatalog()
        self.connector = FakeConnector(clock)
        self.wire = Tripwire()
        self.left = 300.0
        self.secret_missing = False
        self.catalog.credentials["acme", AMAZON] = Credential(account_id="acme", platform=AMAZON, secret_id="s")
        self.add_profile("123")
        wrapped: Any = self.wire.wrap
        queues = wrapped(self.queues)
        ledger, catalog, raw = wrapped(self.ledger), wrapped(self.catalog), wrapped(self.raw)
        self.outcomes = Outcomes(ledger, catalog, queues, wrapped(self.bus))
        claims = Claims(ledger, self.outcomes, clock, hold_seconds=330)
        gate = Gate(catalog, ledger.brakes, self._connector_for)
        self.timing = Timing()
        self.collector = Collector(claims, gate, raw, queues, self.timing, lambda _: SPECS)
        self.poller = Poller(claims, gate, raw, queues, self.timing)

    def _connector_for(self, credential: Credential) -> Any:
        if self.secret_missing:
            raise NotFound("no secret")
        return self.wire.wrap(self.connector)

    def add_profile(self, profile_id: str) -> None:
        self.catalog.known[profile_id] = Profile(
            account_id="acme",
            platform=AMAZON,
            profile_id=profile_id,
            name="Acme",
            currency="USD",
            timezone="UTC",
            kind="seller",
        )

    def plan(
        self,
        dataset: Dataset = Dataset.AD_DAILY,
        window: str = "2026-11-06..2026-11-19",
        *,
        profile_id: str = "123",
        slice_: str = "sp",
        **changes: Any,
    ) -> Task:
        task = Task(
            run_id="r1",
            stage="metrics",
            account_id="acme",
            platform=AMAZON,
            profile_id=profile_id,
            dataset=dataset,
            slice=slice_,
            window=Window.parse(window) if dataset.grain else None,
            deadline=epoch(self.clock.now()) + 21_600,
        )
        task = replace(task, id="", **changes)
        self.ledger.plan(task)
        return task

    def state(self, task: Task) -> str:
        found = self.ledger.get_task(task.run_id, task.id)
        assert found is not None
        return found.state.value

    def task(self, task: Task) -> Task:
        found = self.ledger.get_task(task.run_id, task.id)
        assert found is not None
        return found

    def deliver(self, message: TaskMessage, work: Callable[[TaskMessage, Callable[[], float]], None]) -> str:
        """One delivery as the queue consumer does it; what became of it in a word."""
        try:
            work(message, lambda: self.left)
        except (Throttled, NotReady) as error:
            return error.code
        except (Transient, Unavailable) as error:
            return error.code
        except AdweirError as error:
            self.outcomes.settle(message, error)
            return f"settled:{error.code}"
        return "done"

    def collect(self, task: Task, **changes: Any) -> str:
        message = TaskMessage(run_id=task.run_id, task_id=task.id, generation=task.generation, **changes)
        return self.deliver(message, self.collector.collect)

    def poll(self, message: TaskMessage) -> str:
        return self.deliver(message, self.poller.poll)

    def advances(self) -> int:
        return sum(isinstance(message, Advance) for message in self.queues.runs.take())
