"""Queues and the event bus in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adweir.model.events import BusEvent
from adweir.model.messages import Message
from adweir.model.ports import Bus, Queue


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
        for message, group in messages:
            self.send(message, group=group)

    def take(self) -> list[Any]:
        """All messages, oldest first; the queue is empty then."""
        taken, self.messages, self.delays, self.groups = self.messages, [], [], []
        return taken


class MemoryBus(Bus):
    """A bus that keeps its events."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def publish(self, *events: BusEvent) -> None:
        self.events += events

    def names(self) -> list[str]:
        """The names of the events so far."""
        return [event.name for event in self.events]
