"""What the pipeline's tests share: tasks, queues in memory, a catalog of profiles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.messages import Message, Scope
from adweir.model.platforms import Platform
from adweir.model.runs import Run
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window

WEEK = Window(date(2026, 11, 1), date(2026, 11, 7))


def a_task(**values: Any) -> Task:
    """A Meta ad_daily task of one week; `values` replace its fields."""
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "stage": "metrics",
        "account_id": "acc-1",
        "platform": Platform.META_ADS,
        "profile_id": "111",
        "dataset": Dataset.AD_DAILY,
        "slice": ALL,
        "window": WEEK,
        "deadline": 2_000_000_000,
        "timezone": "Europe/Berlin",
        "currency": "EUR",
    }
    return Task(**(fields | values))


def a_run(run_id: str = "run-1", **values: Any) -> Run:
    fields: dict[str, Any] = {
        "workflow": "daily",
        "scheduled_at": "2026-11-20T04:00:00.000000Z",
        "scope": Scope(),
        "stage": "profiles",
    }
    return Run(run_id=run_id, **(fields | values))


class MemoryQueue:
    """A queue in memory."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.groups: list[str] = []

    def send(self, message: Message, *, delay: int = 0, group: str = "") -> None:
        self.messages.append(message)
        self.groups.append(group)

    def send_many(self, messages: Iterable[tuple[Message, str]]) -> None:
        for message, group in messages:
            self.send(message, group=group)

    def take(self) -> list[Any]:
        """All messages, oldest first; the queue is empty then."""
        taken, self.messages = self.messages, []
        return taken


class MemoryQueues:
    """The engine's queues; every platform has the one collect queue."""

    def __init__(self, runs: MemoryQueue, reports: MemoryQueue, landing: MemoryQueue, collect: MemoryQueue) -> None:
        self.runs = runs
        self.reports = reports
        self.landing = landing
        self._collect = collect

    def collect(self, platform: Platform) -> MemoryQueue:
        return self._collect


class MemoryBus:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def publish(self, *events: Any) -> None:
        self.events.extend(events)
