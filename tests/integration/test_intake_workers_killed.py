"""Collector and poller whose worker dies before each of its writes in turn: every task ends as it would have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    RequestRejected,
    TooMuchData,
)
from adweir.model.messages import TaskMessage
from adweir.model.tasks import Task
from adweir.platforms.connector import ReportState
from support.clock import FrozenClock
from support.collect_world import BUCKET, CollectWorld, collecting
from support.crash import Killed


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> Iterator[CollectWorld]:
    with collecting(clock) as made:
        yield made


def drive(world: CollectWorld, task: Task, clock: FrozenClock) -> None:
    """Deliver what a queue would deliver until nothing is left to do: killed deliveries come back after a while."""
    pending: list[tuple[str, TaskMessage]] = [("collect", TaskMessage(run_id=task.run_id, task_id=task.id))]
    for _ in range(40):
        if not pending:
            return
        kind, message = pending.pop(0)
        work = world.collector.collect if kind == "collect" else world.poller.poll
        try:
            outcome = world.deliver(message, work)
        except Killed:
            clock.advance(1800)
            pending.append((kind, message))
            continue
        if outcome in {"throttled", "not_ready", "transient"}:
            clock.advance(120)
            pending.append((kind, message))
        pending += [("poll", sent) for sent in world.queues.reports.take()]
        pending += [("collect", sent) for sent in world.queues.collecting.take()]
        for report in [r for r in world.connector.reports.values() if r.state is ReportState.PENDING]:
            failing = report.id == "report-1" and world.connector.listed == []
            world.connector.becomes(report.id, ReportState.FAILED if failing else ReportState.READY)
    pytest.fail("the deliveries never end")


def killed_everywhere(world: CollectWorld, clock: FrozenClock) -> Iterator[CollectWorld]:
    """Worlds of the same tables whose worker dies before its first write, its second, ... until none is left."""
    for at in range(1, 40):
        fresh = CollectWorld(clock, world.s3, BUCKET)
        fresh.crash.at = at
        yield fresh
        if fresh.crash.writes < at:
            assert at > 3, "nothing was written"  # a claim, an object, its task
            return
    pytest.fail("there is no end of writes")


class TestKilledBetweenWrites:
    def test_a_list_lands_once(self, world: CollectWorld, clock: FrozenClock) -> None:
        for fresh in killed_everywhere(world, clock):
            task = fresh.plan(Dataset.CAMPAIGNS, run_id=f"r{fresh.crash.at}")
            drive(fresh, task, clock)
            assert fresh.state(task) == "landed"
            with fresh.raw.open(fresh.task(task).object_key) as raw:
                assert (raw.header.as_of, raw.header.complete) == (fresh.task(task).as_of, True)

    @pytest.mark.parametrize("fails_first", [False, True])
    def test_a_report_lands_once(self, world: CollectWorld, clock: FrozenClock, fails_first: bool) -> None:
        for fresh in killed_everywhere(world, clock):
            task = fresh.plan(run_id=f"r{fresh.crash.at}")
            if fails_first:
                fresh.connector.listed = []
            drive(fresh, task, clock)
            assert fresh.state(task) == "landed"
            assert len(list(fresh.raw.list("raw/"))) == fresh.crash.at

    @pytest.mark.parametrize(
        "error", [TooMuchData("big"), AccessDenied("no"), AuthExpired("dead"), RequestRejected("bad")], ids=str
    )
    def test_an_error_is_settled_and_reported(
        self, world: CollectWorld, clock: FrozenClock, error: AdweirError
    ) -> None:
        for fresh in killed_everywhere(world, clock):
            task = fresh.plan(window="2026-11-18..2026-11-19", run_id=f"r{fresh.crash.at}")
            fresh.connector.error = error
            drive(fresh, task, clock)
            assert fresh.task(task).state.is_terminal
            assert fresh.advances() >= 1
            if isinstance(
                error, AuthExpired
            ):  # published before it is marked: a worker that dies in between publishes it twice
                assert fresh.bus.names() in (["CredentialBroken"], ["CredentialBroken"] * 2)
                assert fresh.credential().state == "broken"
            else:
                assert fresh.bus.names() == []
                assert fresh.credential().state == "active"
