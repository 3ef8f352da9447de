"""A whole pipeline in one process: the real engine and ledger, queues in memory, a worker that loads at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Profile
from adweir.model.errors import Throttled, Transient, Unprocessable
from adweir.model.messages import Advance, Message, StartRun, Sweep, TaskMessage
from adweir.model.platforms import Platform
from adweir.model.runs import Run
from adweir.model.tasks import RunState, Task, TaskState
from adweir.pipeline.engine import Engine
from adweir.pipeline.stages import RunSettings, StagePlanner
from adweir.platforms.base import DatasetSpec
from adweir.store.ledger import Ledger
from adweir.store.ledger.rows import Row
from support.pipeline import MemoryBus, MemoryQueue, MemoryQueues

META = Platform.META_ADS
MORNING = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DAILY = StartRun(workflow="daily", scheduled_at=MORNING, run_id="r")
HOURLY = StartRun(workflow="hourly", scheduled_at=MORNING, run_id="r")
SPECS = {
    Dataset.PROFILES: DatasetSpec(Dataset.PROFILES),
    Dataset.CAMPAIGNS: DatasetSpec(Dataset.CAMPAIGNS),
    Dataset.AD_DAILY: DatasetSpec(Dataset.AD_DAILY, lookback_days=28, max_window_days=90),
    Dataset.CAMPAIGN_HOURLY: DatasetSpec(Dataset.CAMPAIGN_HOURLY, max_window_days=7),
}


class Died(Exception):
    """The worker was killed."""


class Crash:
    """Kills the worker at one write: before it (`after=False`) or just behind it."""

    def __init__(self, at: int = 0, *, after: bool = False) -> None:
        self.at = at
        self.after = after
        self.writes = 0

    def around(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.writes += 1
            dies = self.writes == self.at
            if dies and not self.after:
                raise Died
            result = write(*args, **kwargs)
            if dies:
                raise Died
            return result

        return wrapped

    def install(self, monkeypatch: pytest.MonkeyPatch, world: World) -> None:
        for name in ("save", "update", "delete"):
            monkeypatch.setattr(Row, name, self.around(getattr(Row, name)))
        for queue in (world.runs, world.collect, world.reports, world.landing):
            monkeypatch.setattr(queue, "send", self.around(queue.send))
        monkeypatch.setattr(world.bus, "publish", self.around(world.bus.publish))


class FakeCatalog:
    """Credentials and profiles in memory."""

    def __init__(self) -> None:
        self._credentials: list[Credential] = []
        self.by_key: dict[str, Profile] = {}

    def add_credential(self, account_id: str, platform: Platform = META, **values: Any) -> None:
        self._credentials.append(Credential(account_id=account_id, platform=platform, secret_id="s", **values))

    def break_credentials(self) -> None:
        self._credentials = [found.model_copy(update={"state": "broken"}) for found in self._credentials]

    def add_profile(self, account_id: str, profile_id: str, platform: Platform = META, **values: Any) -> Profile:
        fields = {"name": "a shop", "currency": "EUR", "timezone": "Europe/Berlin"} | values
        profile = Profile(account_id=account_id, platform=platform, profile_id=profile_id, **fields)
        self.by_key[profile.key] = profile
        return profile

    def credentials(self) -> Iterable[Credential]:
        return list(self._credentials)

    def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> Iterable[Profile]:
        return list(self.by_key.values())


class World:
    """One client with as many profiles as its credential finds; `fate` says what becomes of a task (loaded if None)."""

    def __init__(self, clock: Any, found: Collection[str] = ("1",), **settings: Any) -> None:
        self.clock = clock
        self.ledger = Ledger(clock)
        self.catalog = FakeCatalog()
        self.catalog.add_credential("acc-1")
        self.covered: dict[tuple[str, date], set[str]] = {}
        self.found = found
        self.specs: dict[Platform, dict[Dataset, DatasetSpec]] = {META: SPECS}
        self.runs, self.collect, self.reports, self.landing = (MemoryQueue() for _ in range(4))
        self.bus = MemoryBus()
        self.fate: Callable[[Task], TaskState | None] = lambda task: TaskState.LOADED
        self.worked: list[str] = []
        self.settings = RunSettings(**({"bucket": "data"} | settings))
        planner = StagePlanner(self.catalog, self.coverage, self._specs, clock, self.settings)
        queues = MemoryQueues(self.runs, self.reports, self.landing, self.collect)
        self.engine = Engine(self.ledger, planner, queues, self.bus, clock, self.settings)

    def coverage(
        self, platform: Platform, profile_id: str, level: object, grain: object, start: date, end: date
    ) -> dict[date, set[str]]:
        days = (start + timedelta(days=n) for n in range((end - start).days + 1))
        key = f"{platform}#{profile_id}"
        return {day: self.covered[key, day] for day in days if (key, day) in self.covered}

    def _specs(self, platform: Platform) -> dict[Dataset, DatasetSpec]:
        if platform not in self.specs:
            raise Unprocessable(f"{platform} is not connected")
        return self.specs[platform]

    # --- work

    def handle(self, message: Message) -> None:
        self.engine.handle(message, lambda: 60.0)

    def work(self, message: TaskMessage) -> None:
        """A whole pull: claim, land, load, tell."""
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

    def _load(self, task: Task) -> None:
        if task.dataset is Dataset.PROFILES:
            for profile_id in self.found:
                self.catalog.add_profile(task.account_id, profile_id, task.platform)
        for day in task.window.days() if task.window else ():
            self.covered.setdefault((task.profile_key, day), set()).add(task.slice)

    def drain(self, *, lose: bool = False, times: int = 1) -> None:
        """Deliver until the queues are empty. A message whose worker dies comes again, or is lost with `lose`."""
        while True:
            batch: list[Message] = [*self.runs.take(), *self.collect.take()]
            if not batch:
                return
            for message in (message for message in batch for _ in range(times)):
                self._deliver(message, lose=lose)

    def _deliver(self, message: Message, *, lose: bool) -> None:
        queue = self.collect if isinstance(message, TaskMessage) else self.runs
        try:
            if isinstance(message, TaskMessage):
                self.work(message)
            else:
                self.handle(message)
        except Died:
            if not lose:
                queue.messages.append(message)
        except (Throttled, Transient):
            self.clock.advance(31)
            queue.messages.append(message)

    def sweep_until_quiet(self, run_id: str, most: int = 8) -> Run:
        """Sweep every half hour until the run has ended and its end has been told."""
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
            for task in self.ledger.tasks(run_id)
        }


def run_to_end(world: World, message: StartRun = DAILY) -> None:
    """Start a run and work until nothing is left to do."""
    world.runs.send(message)
    world.drain()


def state(world: World, run_id: str = "r") -> RunState:
    """A run's state as the ledger has it."""
    run = world.ledger.get_run(run_id)
    assert run is not None
    return run.state
