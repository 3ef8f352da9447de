"""What a run says about its open tasks: each waits for something, and the run names it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adweir.model.errors import Throttled, Transient
from adweir.model.flows import WORKERS
from adweir.model.messages import ObjectArrived
from adweir.model.tasks import AccountTask, Task
from adweir.model.times import iso
from adweir.reporting.runs import details
from adweir.store.ledger.rows import Row
from support.clock import FrozenClock
from support.collect_world import CollectWorld, collecting
from support.load_world import LoadWorld, insights
from support.pipeline import a_run
from support.world import World

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def world(clock: FrozenClock) -> Iterator[CollectWorld]:
    with collecting(clock) as world:
        yield world


def waits_for(world: World, task: Task) -> tuple[str, str | None]:
    """What the run says of the task."""
    shown = details(a_run(task.run_id), world.ledger.tasks(task.run_id), world.clock.now())["waiting_tasks"]
    (found,) = (one for one in shown if one["task_id"] == task.id)
    return found["waits_for"], found["until"]


def test_a_task_says_what_it_waits_for_from_its_plan_to_its_load(world: CollectWorld) -> None:
    # given a task that was planned
    task = world.plan()
    assert waits_for(world, task) == ("not begun: its message waits in the collect queue since 12:00 UTC", None)
    # when the platform asks to wait
    world.connector.error = Throttled("https://api.test/reports answered 429", retry_after=300)
    assert world.collect(task) == "throttled"
    # then it says so, and when it is tried again
    said = waits_for(world, task)
    assert said == ("https://api.test/reports answered 429; next try 12:05 UTC", "2026-11-20T12:05:00.000000Z")
    # and a try during the pause names the brake
    world.clock.advance(60)
    assert world.collect(task) == "throttled"
    assert waits_for(world, task)[0] == (
        "amazon_ads 123 asked to wait: https://api.test/reports answered 429; next try 12:05 UTC"
    )
    # when its report is being made, then its age is named, and after a poll the next look
    world.connector.error = None
    world.clock.advance(240)
    assert world.collect(task) == "done"
    assert waits_for(world, task)[0] == "the platform has been making report report-1 since 11:00 UTC"
    (message,) = world.queues.reports.take()
    world.clock.advance(300)
    assert world.poll(message) == "not_ready"
    words = "report report-1 is being made, asked for at 11:00 UTC; next try 12:11 UTC"
    assert waits_for(world, task) == (words, "2026-11-20T12:11:00.000000Z")
    # and a poll that the platform refuses says that
    world.connector.error = Throttled("https://api.test/reports/1 answered 429", retry_after=240)
    assert world.poll(message) == "throttled"
    assert waits_for(world, task)[0].startswith("https://api.test/reports/1 answered 429, asked for at 11:00 UTC; next")
    # and a poll that is late says so
    world.clock.advance(3600)
    assert waits_for(world, task)[0].endswith("; its next try was due 12:14 UTC")


def test_a_platform_that_fails_is_named_with_how_often_and_a_worker_that_died_too(world: CollectWorld) -> None:
    # given a platform that answers 503
    task = world.plan()
    world.connector.error = Transient("https://api.test/reports answered 503", status=503)
    for _ in range(6):
        assert world.collect(task) == "transient"
        world.clock.advance(61)
    assert waits_for(world, task) == ("https://api.test/reports answered 503; tried again within a minute", None)
    # when the circuit is open, then the task says that, in the same words as the health
    world.ledger.brakes.failure(world.platform, "123", "503")
    assert world.collect(task) == "throttled"
    assert waits_for(world, task)[0].startswith("amazon_ads 123 failed: 503 seven times; circuit open; next try ")
    # and while somebody works on a task it says so, even after that worker died
    world.ledger.claim(task.run_id, task.id, 0, 330)
    assert waits_for(world, task)[0].startswith("being worked on since 12:06 UTC")
    world.clock.advance(331)
    assert "failed or was ended (its log says how); its message comes back" in waits_for(world, task)[0]


def test_a_poll_in_vain_says_so_now_and_then_in_one_write(world: CollectWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a task whose report is being made
    task = world.plan()
    world.collect(task)
    (message,) = world.queues.reports.take()
    written: list[str] = []
    update = Row.update

    def counted(self: Row, *args: Any, **how: Any) -> Any:
        written.append(self.sk)
        return update(self, *args, **how)

    monkeypatch.setattr(Row, "update", counted)
    # when it is polled in vain at once, then nothing is written; what the task says is true as it is
    world.poll(message)
    assert written == []
    assert waits_for(world, task)[0] == "the platform has been making report report-1 since 11:00 UTC"
    # when that takes longer, then the words are one write
    world.clock.advance(300)
    world.poll(message)
    assert written == [f"task#{task.id}"]


def test_an_answer_that_waits_for_its_month_s_numbers_says_so(clock: FrozenClock) -> None:
    # given a stored answer whose month is being written by somebody else
    world = LoadWorld(clock, "data")
    task = world.plan()
    world.ledger.claim(task.run_id, task.id, 0, 60)
    key = world.land(task, insights(["1.00"]))
    world.ledger.landed(task, key, "2026-11-20T12:00:00.000000Z")
    assert waits_for(world, task) == ("the platform's answer is stored since 12:00 UTC and waits to be loaded", None)
    # when it is loaded
    with world.ledger.lease("metrics#meta_ads#1#ad#day#pull#2026-11", 60), pytest.raises(Throttled):
        world.loader.load(ObjectArrived(bucket=world.bucket, key=key), lambda: 300.0)
    # then the task says what it waits for
    words = "another load is writing the same numbers (meta_ads#1#ad#day#pull#2026-11); next try 12:00 UTC"
    assert waits_for(world, task) == (words, "2026-11-20T12:00:02.000000Z")


WORK = {kind: name for kind, name in WORKERS.items() if kind == name}
"""Kinds of stages that are called as their function."""


def test_a_task_of_a_client_says_in_which_function_s_queue_its_message_waits(clock: FrozenClock) -> None:
    at = iso(clock.now())
    tasks = [AccountTask("r", "a", "acc_1", kind, 2_000_000_000, created_at=at, updated_at=at) for kind in WORK]
    shown = details(a_run("r"), tasks, clock.now())["waiting_tasks"]
    said = [one["waits_for"].partition(" queue ")[0] for one in shown]
    assert said == [f"not begun: its message waits in the {name}" for name in WORK.values()]
