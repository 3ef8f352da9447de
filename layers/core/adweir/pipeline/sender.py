"""Sends tasks to the queues of the functions that work on them."""

from __future__ import annotations

from collections.abc import Iterable

from adweir.model.flows import StageKind
from adweir.model.messages import Message, ObjectArrived, TaskMessage
from adweir.model.platforms import Platform
from adweir.model.ports import Queues
from adweir.model.tasks import AccountTask, AnyTask, Task, TaskState


class TaskSender:
    """Sends tasks to the queue of their state; `bucket` is where raw objects are."""

    def __init__(self, queues: Queues, bucket: str) -> None:
        self._queues = queues
        self._bucket = bucket

    def send(self, tasks: Iterable[AnyTask]) -> None:
        """Send planned tasks: pulls to their platforms' collect queues, those of accounts to those of their kinds."""
        by_platform: dict[Platform, list[Task]] = {}
        by_kind: dict[StageKind, list[AccountTask]] = {}
        for task in tasks:
            if isinstance(task, AccountTask):
                by_kind.setdefault(task.kind, []).append(task)
                continue
            by_platform.setdefault(task.platform, []).append(task)
        for platform, ours in by_platform.items():
            self._queues.collect(platform).send_many((TaskMessage.of(task), task.group) for task in ours)
        for kind, works in by_kind.items():
            self._queues.work(kind).send_many((TaskMessage.of(task), task.group) for task in works)

    def resend(self, tasks: Iterable[AnyTask]) -> None:
        """Send stalled tasks again, to be collected, polled or loaded, according to their states."""
        polls: list[tuple[Message, str]] = []
        loads: list[tuple[Message, str]] = []
        others: list[AnyTask] = []
        for task in tasks:
            if isinstance(task, AccountTask):
                others.append(task)
            elif task.state is TaskState.WAITING_REPORT:
                polls.append((TaskMessage.of(task), task.group))
            elif task.state is TaskState.LANDED:
                loads.append((ObjectArrived(bucket=self._bucket, key=task.object_key), task.group))
            else:
                others.append(task)
        self._queues.reports.send_many(polls)
        self._queues.landing.send_many(loads)
        self.send(others)
