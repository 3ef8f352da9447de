"""Sends tasks to the queues of the functions that work on them."""

from __future__ import annotations

from collections.abc import Iterable

from adweir.model.messages import ObjectArrived, TaskMessage
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

    def resend(self, task: Task) -> None:
        """Send a stalled task again, to be collected, polled or loaded, according to its state."""
        if task.state is TaskState.WAITING_REPORT:
            self._queues.reports.send(TaskMessage.of(task), group=task.profile_key)
        elif task.state is TaskState.LANDED:
            arrived = ObjectArrived(bucket=self._bucket, key=task.object_key)
            self._queues.landing.send(arrived, group=task.profile_key)
        else:
            self.send([task])
