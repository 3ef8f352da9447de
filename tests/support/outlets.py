"""Queues and the event bus in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adweir.model.errors import RequestRejected, Unavailable
from adweir.model.events import BusEvent
from adweir.model.flows import WORKERS, StageKind
from adweir.model.messages import Message
from adweir.model.platforms import Platform
from adweir.model.ports import Bus, Queue, Queues, SourceQueue


class MemoryQueue(Queue):
    """A queue that keeps what it is sent: message, delay in seconds and group, in three lists of one order."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.delays: list[int] = []
        self.groups: list[str] = []

    def send(self, message: Message, *, delay: int = 0, group: str = "") -> None:
        self.messages.append(message)
        self.delays.append(delay)
        self.groups.append(group)

    def send_many(self, messages: Iterable[tuple[Message, str]]) -> None:
        """A message that is refused does not hold back the others, as with SQS. Raises the first refusal."""
        refused: list[RequestRejected] = []
        for message, group in messages:
            try:
                self.send(message, group=group)
            except RequestRejected as error:
                refused.append(error)
        if refused:
            raise refused[0]

    def take(self) -> list[Any]:
        """All messages, oldest first; the queue is empty then."""
        taken, self.messages, self.delays, self.groups = self.messages, [], [], []
        return taken


class MemorySourceQueue(MemoryQueue, SourceQueue):
    """A queue that a function reads; it keeps (receipt handle, seconds) of what was kept hidden."""

    def __init__(self, *, refuses_visibility: bool = False) -> None:
        super().__init__()
        self.hidden: list[tuple[str, int]] = []
        self._refuses = refuses_visibility

    def keep_hidden(self, receipt_handle: str, seconds: int) -> None:
        if self._refuses:
            raise Unavailable("no")
        self.hidden.append((receipt_handle, seconds))


class MemoryQueues(Queues):
    """The system's queues; the platforms share one collect queue."""

    def __init__(self) -> None:
        self._runs, self._reports, self._landing, self._collect = (MemoryQueue() for _ in range(4))
        self.workers = {name: MemoryQueue() for name in sorted(set(WORKERS.values()))}

    @property
    def runs(self) -> MemoryQueue:
        return self._runs

    @property
    def reports(self) -> MemoryQueue:
        return self._reports

    @property
    def landing(self) -> MemoryQueue:
        return self._landing

    @property
    def etl(self) -> MemoryQueue:
        return self.workers["etl"]

    def work(self, kind: StageKind) -> MemoryQueue:
        return self.workers[WORKERS.get(kind, "etl")]

    def take_work(self) -> list[Any]:
        """All messages about the tasks of client accounts; their queues are empty then."""
        return [message for queue in self.workers.values() for message in queue.take()]

    @property
    def collecting(self) -> MemoryQueue:
        """The collect queue of any platform."""
        return self._collect

    def collect(self, platform: Platform) -> MemoryQueue:
        return self._collect

    def every(self) -> tuple[MemoryQueue, ...]:
        return self._runs, self._reports, self._landing, self._collect, *self.workers.values()


class MemoryBus(Bus):
    """A bus that keeps its events, and those that were counted."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.counted: list[Any] = []

    def publish(self, *events: BusEvent, measured: bool = True) -> None:
        self.events += events
        if measured:
            self.measure(*events)

    def measure(self, *events: BusEvent) -> None:
        self.counted += events

    def names(self) -> list[str]:
        """The names of the events so far."""
        return [event.name for event in self.events]
