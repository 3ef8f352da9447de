"""A whole pipeline in one process: the real engine and ledger, queues in memory, a worker that loads at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import AdweirError, NotReady, Throttled, Transient, Unprocessable
from adweir.model.flows import StageKind
from adweir.model.messages import Advance, Message, Scope, StartRun, Sweep, TaskMessage
from adweir.model.metrics import Series
from adweir.model.platforms import Platform
from adweir.model.runs import Run, RunState
from adweir.model.tasks import AccountTask, Task, TaskState
from adweir.model.times import Window, iso
from adweir.pipeline.account_work import AccountJob, AccountWork
from adweir.pipeline.engine import Engine
from adweir.pipeline.stages import RunSettings, StagePlanner
from adweir.platforms import REGISTRY, Platforms
from adweir.platforms.base import DatasetSpec
from adweir.store.ledger import Ledger
from adweir.store.ledger.rows import Row
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.outlets import MemoryQueue
from support.world import World

META = Platform("meta_ads")
MORNING = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DAILY = StartRun(workflow="daily", scheduled_at=MORNING, run_id="r")
HOURLY = StartRun(workflow="hourly", scheduled_at=MORNING, run_id="r")
SPECS = {
    Dataset.PROFILES: DatasetSpec(Dataset.PROFILES),
    Dataset.CAMPAIGNS: DatasetSpec(Dataset.CAMPAIGNS),
    Dataset.AD_DAILY: DatasetSpec(Dataset.AD_DAILY, lookback_days=28, max_window_days=90),
    Dataset.CAMPAIGN_HOURLY: DatasetSpec(Dataset.CAMPAIGN_HOURLY, max_window_days=7),
}

TOTALS = {
    Dataset.ACCOUNT_DAILY: DatasetSpec(Dataset.ACCOUNT_DAILY, max_window_days=30),
    Dataset.AD_BY_AGE_GENDER_DAILY: DatasetSpec(Dataset.AD_BY_AGE_GENDER_DAILY, max_window_days=30),
}
SUMMER = Scope(start="2026-06-01", end="2026-08-29")
"""90 days: three spans of a backfill."""
BACK = StartRun(workflow="backfill", scheduled_at=MORNING, run_id="back", scope=SUMMER)


class FakePlatforms(Platforms):
    """The registry's names; the datasets are those of a test."""

    def __init__(self, specs: Mapping[Platform, Mapping[Dataset, DatasetSpec]]) -> None:
        super().__init__({str(spec.name): spec.package for spec in REGISTRY.specs()})
        self._datasets = specs

    def datasets(self, platform: Platform) -> Mapping[Dataset, DatasetSpec]:
        if platform not in self._datasets:
            raise Unprocessable(f"{platform} is not connected")
        return self._datasets[platform]


class PipelineWorld(World):
    """One client with as many profiles as its credential finds; `fate` says what becomes of a pull (loaded if None).

    `done` has what was done for accounts, in order: (kind, account).
    """

    account_id = "acc-1"
    platform = META
    profile_fields: dict[str, Any] = {"name": "a shop", "currency": "EUR", "timezone": "Europe/Berlin"}  # noqa: RUF012

    def __init__(self, clock: FrozenClock, found: Collection[str] = ("1",), **settings: Any) -> None:
        super().__init__(clock)
        self.covered: dict[tuple[str, date], set[str]] = {}
        self.found = found
        self.specs: dict[Platform, dict[Dataset, DatasetSpec]] = {META: SPECS}
        self.fate: Callable[[Task], TaskState | None] = lambda task: TaskState.LOADED
        self.worked: list[str] = []
        self.done: list[tuple[StageKind, str]] = []
        self.job: Callable[[StageKind, str], None] = lambda kind, account_id: None
        self.settings = RunSettings(**({"bucket": "data"} | settings))
        planner = StagePlanner(self.catalog, self.coverage, FakePlatforms(self.specs), clock, self.settings)
        self.engine = Engine(self.ledger, planner, self.queues, self.bus, clock, self.settings)
        jobs = {kind: self._job(kind) for kind in self.settings.deployed - {StageKind.PULL}}
        self.account_work = AccountWork(self.ledger, self.queues.runs, clock, 30, jobs)

    @property
    def runs(self) -> MemoryQueue:
        return self.queues.runs

    @property
    def collect(self) -> MemoryQueue:
        return self.queues.collecting

    @contextmanager
    def dying(self, crash: Crash) -> Iterator[None]:
        """Every write to the ledger, and every message and event, is one at which the worker can die."""
        with pytest.MonkeyPatch.context() as patch:
            crash.watch(Row, "save", "update", "delete", put=patch.setattr)
            crash.watch(Ledger, "_put_together", put=patch.setattr)
            for queue in self.queues.every():
                crash.watch(queue, "send", put=patch.setattr)
            crash.watch(self.bus, "publish", put=patch.setattr)
            yield

    def coverage(self, series: Series, window: Window) -> dict[date, dict[str, str]]:
        key = f"{series.platform}#{series.profile_id}#{series.level}#{series.breakdown}"
        return {
            day: dict.fromkeys(self.covered[key, day], iso(self.clock.now()))
            for day in window.days()
            if (key, day) in self.covered
        }

    # --- work

    def handle(self, message: Message) -> None:
        self.engine.handle(message, lambda: 60.0)

    def work(self, message: TaskMessage) -> None:
        """A whole pull: claim, load, finish, advance."""
        task = self.ledger.claim(message.run_id, message.task_id, message.generation, 30)
        if task is None:
            return
        self.worked.append(task.id)
        state = self.fate(task)
        if state is None:
            return
        if state is TaskState.LOADED:
            self._load(task)
        self.ledger.finish(task.run_id, task.id, task.generation, state, counts={"rows_read": 10})
        self.runs.send(Advance(run_id=task.run_id))

    def work_on_account(self, message: TaskMessage) -> None:
        """What the functions do with a message."""
        try:
            self.account_work.handle(message, lambda: 60.0)
        except (Throttled, NotReady, Transient):
            raise
        except AdweirError as error:
            self.account_work.settle(message, error)

    def _job(self, kind: StageKind) -> AccountJob:
        def job(task: AccountTask, _remaining: object) -> dict[str, int]:
            self.job(kind, task.account_id)
            self.done.append((kind, task.account_id))
            return {"done": 1}

        return job

    def _load(self, task: Task) -> None:
        if task.dataset is Dataset.PROFILES:
            for profile_id in self.found:
                self.add_profile(profile_id, account_id=task.account_id, platform=task.platform)
        for day in task.window.days() if task.window else ():
            level = task.dataset.level if task.dataset.grain else ""
            key = f"{task.profile_key}#{level}#{task.dataset.breakdown}"
            self.covered.setdefault((key, day), set()).add(task.slice)

    def drain(self, *, lose: bool = False, times: int = 1) -> None:
        """Deliver until the queues are empty. A message whose worker dies comes again, or is lost with `lose`."""
        while True:
            batch: list[tuple[MemoryQueue, Message]] = [
                (queue, message)
                for queue in (self.runs, self.collect, *self.queues.workers.values())
                for message in queue.take()
            ]
            if not batch:
                return
            for queue, message in (each for each in batch for _ in range(times)):
                self._deliver(queue, message, lose=lose)

    def _deliver(self, queue: MemoryQueue, message: Message, *, lose: bool) -> None:
        try:
            if not isinstance(message, TaskMessage):
                self.handle(message)
            elif queue is self.collect:
                self.work(message)
            else:
                self.work_on_account(message)
        except Killed:
            if not lose:
                queue.messages.append(message)
        except (Throttled, NotReady, Transient):
            self.clock.advance(31)
            queue.messages.append(message)

    def sweep_until_quiet(self, run_id: str, most: int = 8) -> Run:
        """Sweep every half hour until the run has ended and its end has been published."""
        for _ in range(most):
            run = self.ledger.get_run(run_id)
            if run is not None and run.state.is_terminal and not self.ledger.open_mark(run_id):
                return run
            self.clock.advance(1801)
            self.runs.messages.append(Sweep())
            self.drain()
        pytest.fail(f"run {run_id} never ended: {self.ledger.get_run(run_id)}")

    def tasks(self, run_id: str) -> dict[tuple[str, str, str], TaskState]:
        return {
            (task.profile_key, task.dataset.value, str(task.window or "")): task.state
            for task in self.ledger.pulls(run_id)
        }


def run_to_end(world: PipelineWorld, message: StartRun = DAILY) -> None:
    """Start a run and work until nothing is left to do."""
    world.runs.send(message)
    world.drain()


def begin(world: PipelineWorld, message: StartRun = BACK) -> None:
    """Start a run and let it plan; no task is worked on."""
    world.runs.send(message)
    advance(world)


def advance(world: PipelineWorld) -> None:
    """Deliver what the engine and etl are sent, until nothing more comes."""
    while messages := [*world.runs.take(), *world.queues.take_work()]:
        for message in messages:
            world.work_on_account(message) if isinstance(message, TaskMessage) else world.handle(message)


def run_of(world: PipelineWorld, run_id: str = "r") -> Run:
    """A run as the ledger has it."""
    run = world.ledger.get_run(run_id)
    assert run is not None
    return run


def state(world: PipelineWorld, run_id: str = "r") -> RunState:
    """A run's state as the ledger has it."""
    return run_of(world, run_id).state


def world_to_backfill(clock: FrozenClock) -> PipelineWorld:
    """A client with a shop, of which nothing was pulled so far: two levels and the totals, three spans of each."""
    world = PipelineWorld(clock)
    world.specs[META] = SPECS | TOTALS
    world.add_profile("1")
    return world
