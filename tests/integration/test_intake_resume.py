"""A pull that does not fit one invocation or one quota continues where it stopped, and lands as one object."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import Throttled
from adweir.model.messages import TaskMessage
from adweir.model.tasks import Task, TaskState
from adweir.platforms.connector import ReportState
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.collect_world import CollectWorld, collecting, page

PAGES = [b'{"page":1}', b'{"page":2}', b'{"page":3}']


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> Iterator[CollectWorld]:
    with collecting(clock) as made:
        made.connector.listed = [
            page(1, last=False)._replace(resume="1"),
            page(2, last=False)._replace(resume="2"),
            page(3, last=True),
        ]
        yield made


def bodies(world: CollectWorld, key: str) -> list[tuple[int, bytes]]:
    with world.raw.open(key) as raw:
        return [(found.number, found.stream.read()) for found in raw.pages()]


def asks_to_wait(world: CollectWorld, *, after: int) -> None:
    """The platform asks to wait when so many pages have come."""
    seen: list[int] = []

    def throttle() -> None:
        seen.append(1)
        if len(seen) == after + 1:
            raise Throttled("quota", retry_after=40)

    world.connector.each_page = throttle


def test_a_pull_that_runs_out_of_time_goes_on_in_the_next_invocation(world: CollectWorld, clock: FrozenClock) -> None:
    # given an invocation that has time for one page
    task = world.plan(Dataset.CAMPAIGNS)
    world.left = 5
    assert world.collect(task) == "not_ready"
    began = world.task(task).as_of
    # when the next one comes later, and one with time enough after it
    clock.advance(60)
    assert world.collect(task) == "not_ready"
    world.left = 300
    assert world.collect(task) == "done"
    # then no page was asked for twice, and the one object has all of them, dated by the first request
    assert world.connector.calls == ["pages", "pages 1", "pages 2"]
    found = world.task(task)
    assert (found.state, found.parts, found.as_of) == (TaskState.LANDED, (1, 2), began)
    assert bodies(world, found.object_key) == [(1, b'{"page":1}'), (2, b'{"page":2}'), (3, b'{"page":3}')]
    with world.raw.open(found.object_key) as raw:
        assert (raw.header.complete, raw.header.as_of) == (True, began)


def test_a_pull_that_is_throttled_in_between_keeps_what_it_has(world: CollectWorld, clock: FrozenClock) -> None:
    # given a platform that asks to wait after the second page
    task = world.plan(Dataset.CAMPAIGNS)
    asks_to_wait(world, after=2)
    assert world.collect(task) == "throttled"
    # when the pause is over
    clock.advance(41)
    assert world.collect(task) == "done"
    # then it went on behind the second page
    assert world.connector.calls == ["pages", "pages 2"]
    assert [body for _, body in bodies(world, world.task(task).object_key)] == PAGES


def test_a_page_that_breaks_off_is_in_no_part(
    world: CollectWorld, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a platform that asks to wait in the middle of a page that comes in chunks
    monkeypatch.setattr("adweir.store.raw.pages._BLOCK", 1)
    first, second, third = world.connector.listed

    def broken() -> Iterator[bytes]:
        yield from (b"ha", b"lf")
        raise Throttled("quota", retry_after=40)

    world.connector.listed = [first, second._replace(body=broken()), third]
    task = world.plan(Dataset.CAMPAIGNS)
    assert world.collect(task) == "throttled"
    # when the pause is over
    world.connector.listed = [first, second, third]
    clock.advance(41)
    assert world.collect(task) == "done"
    # then the object holds each page once and can be read to its end
    assert [body for _, body in bodies(world, world.task(task).object_key)] == PAGES


def test_a_worker_that_dies_before_it_noted_its_part_is_repeated(world: CollectWorld, clock: FrozenClock) -> None:
    # given a worker that dies between its part and the ledger
    task = world.plan(Dataset.CAMPAIGNS)
    world.left = 5
    keep = world.ledger.keep_part
    world.ledger.keep_part = lambda *_: False  # type: ignore[method-assign]
    world.collect(task)
    world.ledger.keep_part = keep  # type: ignore[method-assign]
    # when the message comes again
    clock.advance(400)
    world.left = 300
    assert world.collect(task) == "done"
    # then the pull begins again, and nothing of the lost part is in it
    found = world.task(task)
    assert (world.connector.calls, found.parts) == (["pages", "pages"], ())
    assert len(bodies(world, found.object_key)) == 3


def test_a_redriven_pull_begins_anew(world: CollectWorld, clock: FrozenClock) -> None:
    task = world.plan(Dataset.CAMPAIGNS)
    world.left = 5
    world.collect(task)
    world.ledger.finish(task.run_id, task.id, 0, TaskState.FAILED)
    again = world.ledger.redrive(world.task(task), task.deadline)
    assert again is not None
    assert (again.parts, again.cursor, again.as_of) == ((), "", "")


@at_the_bound("MAX_PULL_PARTS")
def test_a_pull_pauses_only_so_often(world: CollectWorld, size: int, fits: bool) -> None:
    task = world.plan(Dataset.CAMPAIGNS)
    claimed = world.ledger.claim(task.run_id, task.id, 0, 330)
    assert claimed is not None
    world.ledger.keep_part(claimed, range(1, size), "1", "2026-11-20T12:00:00.000000Z")
    world.left = 5
    assert world.collect(task) == ("not_ready" if fits else "settled:too_much_data")
    assert limits.MAX_PULL_PARTS * 4 < 1000


def waiting(world: CollectWorld) -> tuple[Task, TaskMessage]:
    """A task whose report is ready, of three pages."""
    world.connector.file = world.connector.listed
    task = world.plan()
    world.collect(task)
    (message,) = world.queues.reports.take()
    world.connector.becomes("report-1", ReportState.READY)
    return task, message


def test_a_report_s_download_that_is_throttled_goes_on_behind_the_pages_it_has(
    world: CollectWorld, clock: FrozenClock
) -> None:
    # given a platform that asks to wait after the second page of a report
    task, message = waiting(world)
    asks_to_wait(world, after=2)
    assert world.poll(message) == "throttled"
    # when the pause is over
    clock.advance(41)
    assert world.poll(message) == "done"
    # then no page was downloaded twice, and the one object has all of them
    assert [call for call in world.connector.calls if call.startswith("download")] == ["download", "download 2"]
    found = world.task(task)
    assert found.state is TaskState.LANDED
    assert [body for _, body in bodies(world, found.object_key)] == PAGES


def test_a_report_s_download_that_runs_out_of_time_goes_on_in_the_next_invocation(world: CollectWorld) -> None:
    task, message = waiting(world)
    world.left = 5
    assert [world.poll(message) for _ in range(2)] == ["not_ready", "not_ready"]
    world.left = 300
    assert world.poll(message) == "done"
    downloads = [call for call in world.connector.calls if call.startswith("download")]
    assert downloads == ["download", "download 1", "download 2"]
    assert len(bodies(world, world.task(task).object_key)) == 3


def test_pages_of_a_report_that_failed_meanwhile_are_not_those_of_the_next(world: CollectWorld) -> None:
    # given a download that paused, and a report that is gone when it goes on
    task, message = waiting(world)
    world.left = 5
    assert world.poll(message) == "not_ready"
    world.left = 300
    world.connector.becomes("report-1", ReportState.FAILED, "gone")
    assert world.poll(message) == "done"
    (again,) = world.queues.reports.take()
    # when the new one is ready
    world.connector.becomes("report-2", ReportState.READY)
    assert world.poll(again) == "done"
    # then its pages are downloaded from the first
    assert len(bodies(world, world.task(task).object_key)) == 3
    assert world.connector.calls[-1] == "download"
