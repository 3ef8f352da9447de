"""The connector: each method is one question to the world that is being simulated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from adweir.model.entities import Credential
from adweir.model.errors import Narrowable
from adweir.model.tasks import Task
from adweir.platforms.connector import Connector, Mode, Page, Report, Wiring

if TYPE_CHECKING:
    from simulation.world import World

worlds: list[World] = []
"""The world of the run that is under way."""


class SimulatedConnector(Connector):
    """The platform's API."""

    def __init__(self, world: World) -> None:
        self._world = world

    def profiles(self) -> Iterator[Page]:
        yield self._world.listing()

    def mode(self, task: Task) -> Mode:
        return self._world.mode(task)

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        number = int(resume or 0)
        while True:
            page = self._world.page(task, number)
            yield page
            if page.last or not page.resume:
                return
            number += 1

    def create_report(self, task: Task) -> Report:
        return self._world.create(task)

    def report(self, task: Task, report_id: str) -> Report:
        return self._world.look(task, report_id)

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        yield self._world.download(task, report_id)

    def narrower(self, task: Task, error: Narrowable) -> Sequence[Task]:
        return task.halves()


def connect(*, credential: Credential, secret: Mapping[str, str], wiring: Wiring) -> SimulatedConnector:
    """What the registry calls."""
    return SimulatedConnector(worlds[-1])
