"""Sends tasks to the queues of the functions that work on them."""

from __future__ import annotations

from collections.abc import Iterable

from adweir.model.messages import Message, ObjectArrived, TaskMessage
from adweir.model.platforms import Platform
from adweir.model.ports import Queues
from adweir.model.tasks import Task, TaskState


class TaskSender:
    """Sends tasks to the queue of their state; `bucket` is where raw objects are."""

    def __init__(self, queues: Queues, bucket: str) -> None:
        self._queues = queues
        self._bucket = bucket

    def send(self, tasks: Iterable[Task]) -> None:
        """Send planned tasks to their platforms' collect queues."""
        by_platform: dict[Platform, list[Task]] = {}
        for task in tasks:
            by_platform.setdefault(task.platform, []).append(task)
        for platform, ours in by_platform.items():
            self._queues.collect(platform).send_many((TaskMessage.of(task), task.profile_key) for task in ours)

    def resend(self, tasks: Iterable[Task]) -> None:
        """Send stalled tasks again, to be collected, polled or loaded, according to their states."""
        polls: list[tuple[Message, str]] = []
        loads: list[tuple[Message, str]] = []
        others: list[Task] = []
        for task in tasks:
            if task.state is TaskState.WAITING_REPORT:
                polls.append((TaskMessage.of(task), task.profile_key))
            elif task.state is TaskState.LANDED:
                loads.append((ObjectArrived(bucket=self._bucket, key=task.object_key), task.profile_key))
            else:
                others.append(task)
        self._queues.reports.send_many(polls)
        self._queues.landing.send_many(loads)
        self.send(others)
