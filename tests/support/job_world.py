"""A pipeline with jobs: EventBridge Scheduler in memory, the sandbox's clock that fires it, and simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from adweir.model.messages import RUN_MESSAGE, StartJob
from adweir.model.runs import Run
from adweir.model.times import parse_instant
from adweir.pipeline.jobs.fired import FiredJobs
from adweir.pipeline.jobs.manage import ScheduledJobs
from adweir.platforms import REGISTRY
from adweir.runtime.job_schedules import JobSchedules
from adweir.runtime.settings import JobTarget
from sandbox.clock import SandboxClock
from sandbox.queues import OutsideQueues
from support.clock import FrozenClock
from support.pipeline_world import PipelineWorld

TARGET = JobTarget(group="adweir", queue="arn:runs", dead_letters="arn:dead", role="arn:role")


class MemoryScheduler:
    """As much of EventBridge Scheduler's client as is used. `refuses`: the code of the error of every call."""

    def __init__(self, clock: FrozenClock) -> None:
        self.schedules: dict[str, dict[str, Any]] = {}
        self.refuses = ""
        self._clock = clock

    def create_schedule(self, **request: Any) -> None:
        self._answer("CreateSchedule")
        self.schedules[request["Name"]] = self._stamped(request, request)

    def update_schedule(self, **request: Any) -> None:
        known = self._known(request["Name"], "UpdateSchedule")
        self.schedules[request["Name"]] = self._stamped(request, known)

    def delete_schedule(self, GroupName: str, Name: str) -> None:  # noqa: N803  as botocore names them
        self._known(Name, "DeleteSchedule")
        del self.schedules[Name]

    def get_schedule(self, GroupName: str, Name: str) -> dict[str, Any]:  # noqa: N803
        return self._known(Name, "GetSchedule")

    def list_schedules(self, MaxResults: int) -> dict[str, Any]:  # noqa: N803
        self._answer("ListSchedules")
        return {"Schedules": list(self.schedules.values())[:MaxResults]}

    def _stamped(self, request: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        now = self._clock.now()
        return request | {"CreationDate": known.get("CreationDate", now), "LastModificationDate": now}

    def _known(self, name: str, operation: str) -> dict[str, Any]:
        self._answer(operation)
        if name not in self.schedules:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": name}}, operation)
        return self.schedules[name]

    def _answer(self, operation: str) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses, "Message": "no"}}, operation)


class Delivered(OutsideQueues):
    """Where the clock sends: it keeps the messages."""

    def __init__(self) -> None:
        self.messages: list[StartJob] = []

    def policy(self, arn: str) -> dict[str, Any]:
        raise NotImplementedError

    def send(self, arn: str, bodies: Sequence[str]) -> None:
        assert arn == TARGET.queue
        for body in bodies:
            message = RUN_MESSAGE.validate_json(body)
            assert isinstance(message, StartJob)
            self.messages.append(message)


class JobWorld(PipelineWorld):
    """Jobs are made by `jobs`; `pass_time` lets them fire, and `fired` starts what came of it."""

    def __init__(self, clock: FrozenClock, **settings: Any) -> None:
        super().__init__(clock, **settings)
        self.scheduler = MemoryScheduler(clock)
        self.delivered = Delivered()
        self._ids = iter(range(1, 1000))
        schedules = JobSchedules(lambda: self.scheduler, TARGET)
        self.jobs = ScheduledJobs(self.catalog, schedules, REGISTRY, clock, lambda: f"{next(self._ids):08x}" * 4)
        self.fired_jobs = FiredJobs(self.catalog, self.ledger, clock, self.engine.start)
        self.ticking = SandboxClock(self.scheduler, self.delivered, clock.now())

    def pass_time(self, until: datetime, step: timedelta = timedelta(minutes=30)) -> list[StartJob]:
        """Let time pass; returns what fired meanwhile."""
        while self.clock.now() < until:
            self.clock.advance(min(step, until - self.clock.now()).total_seconds())
            self.ticking.tick(self.clock.now())
        fired, self.delivered.messages = self.delivered.messages, []
        return fired

    def start_fired(self, messages: Sequence[StartJob]) -> None:
        """Deliver what fired, each message twice, as the Scheduler may."""
        for message in messages:
            self.fired_jobs.start(message)
            self.fired_jobs.start(message)

    def runs_of(self, name: str) -> list[Run]:
        """The runs that a job started, by their scheduled times."""
        found = [run for run in self.ledger.list_runs(1000)[0] if run.trigger == f"job:{name}"]
        return sorted(found, key=lambda run: run.scheduled_at)


def at(text: str) -> datetime:
    """`2026-11-20T12:00` in UTC."""
    return parse_instant(f"{text}:00Z").astimezone(UTC)
