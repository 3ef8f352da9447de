"""Collecting fits the time it has: what does not fit pauses, is narrowed, or fails once and says why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import Throttled
from adweir.model.messages import TaskMessage
from adweir.model.tasks import Task, TaskState
from adweir.platforms.connector import Page, ReportState
from support.clock import FrozenClock
from support.collect_world import CollectWorld, collecting, page


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> Iterator[CollectWorld]:
    with collecting(clock) as made:
        yield made


def waiting_for_a_file(world: CollectWorld, window: str = "2026-11-06..2026-11-19") -> tuple[Task, TaskMessage]:
    """A task whose report is ready."""
    task = world.plan(window=window)
    world.collect(task)
    (message,) = world.queues.reports.take()
    world.connector.becomes("report-1", ReportState.READY)
    return task, message


def each_page_takes(world: CollectWorld, seconds: float) -> None:
    def pass_time() -> None:
        world.left -= seconds

    world.connector.each_page = pass_time


def children(world: CollectWorld, task: Task) -> list[Task]:
    return [each for each in world.ledger.pulls(task.run_id) if each.parent == task.id]


# --- reports


def test_a_report_of_many_pages_that_has_no_cursor_is_narrowed_before_its_time_is_up(world: CollectWorld) -> None:
    # given 200 pages of a second each, of a platform that cannot go on at a page, and 120 seconds
    task, message = waiting_for_a_file(world)
    world.connector.file = [page(number, last=number == 200) for number in range(1, 201)]
    each_page_takes(world, 1)
    world.left = 120

    assert world.poll(message) == "settled:too_much_data"

    assert world.left >= world.timing.margin - 1
    assert (world.state(task), len(children(world, task))) == (TaskState.SPLIT, 2)


@pytest.mark.parametrize(
    ("window", "state"), [("2026-11-06..2026-11-19", "split"), ("2026-11-19..2026-11-19", "failed")]
)
def test_a_file_that_comes_too_slowly_is_narrowed_and_a_single_day_fails(
    world: CollectWorld, window: str, state: str
) -> None:
    task, message = waiting_for_a_file(world, window)

    def chunks() -> Iterator[bytes]:
        for _ in range(1000):
            world.left -= 1
            yield b"x"

    world.connector.file = [Page(chunks(), "https://x.test/file", 200, last=True)]
    world.left = 120

    assert world.poll(message) == "settled:too_much_data"

    assert world.left >= world.timing.margin - 1
    assert world.state(task).value == state
    if state == "failed":
        assert world.task(task).error == {
            "code": "too_much_data",
            "message": "the answer has more than one invocation has time for",
        }


def test_the_last_page_is_landed_whatever_time_is_left(world: CollectWorld) -> None:
    task, message = waiting_for_a_file(world)
    each_page_takes(world, 100)
    world.left = 105
    assert world.poll(message) == "done"
    assert world.state(task) is TaskState.LANDED


def test_a_platform_that_says_that_a_report_is_too_large_gets_smaller_ones_until_they_fit(world: CollectWorld) -> None:
    task = world.plan()
    world.collect(task)
    (message,) = world.queues.reports.take()
    world.connector.reports["report-1"] = world.connector.reports["report-1"]._replace(
        state=ReportState.FAILED, too_large=True, reason="please reduce the amount of data"
    )

    assert world.poll(message) == "settled:too_much_data"

    assert world.state(task) is TaskState.SPLIT
    assert world.connector.calls.count("create") == 1


# --- a kind of report that is broken for good


def fails_for_good(world: CollectWorld) -> None:
    """Work until nothing is left to do, on a platform that fails every report."""
    for _ in range(200):
        waiting = world.queues.collecting.take()
        polls = world.queues.reports.take()
        if not waiting and not polls:
            return
        for message in waiting:
            world.deliver(message, world.collector.collect)
        for message in polls:
            for report_id in world.connector.reports:
                world.connector.becomes(report_id, ReportState.FAILED, "internal error")
            world.poll(message)
    pytest.fail("it never ends")


def test_a_kind_of_report_that_is_broken_for_good_is_tried_narrower_once(world: CollectWorld) -> None:
    # given three windows of one kind
    windows = ("2026-10-01..2026-10-14", "2026-10-15..2026-10-28", "2026-11-01..2026-11-18")
    for window in windows:
        world.collect(world.plan(window=window))

    fails_for_good(world)

    tasks = list(world.ledger.tasks("r"))
    assert len(tasks) == 5
    assert sorted(task.state.value for task in tasks) == ["failed"] * 4 + ["split"]
    assert world.connector.calls.count("create") <= 10
    assert not world.ledger.progress("r")[1]


def test_another_kind_is_tried_by_itself(world: CollectWorld) -> None:
    for slice_ in ("sp", "sb"):
        world.collect(world.plan(slice_=slice_))
    fails_for_good(world)
    assert sum(task.state is TaskState.SPLIT for task in world.ledger.tasks("r")) == 2


# --- pages


def test_a_pull_whose_pages_take_too_long_and_have_no_cursor_ends(world: CollectWorld) -> None:
    task = world.plan(Dataset.CAMPAIGNS)
    world.connector.listed = [page(number, last=number == 400) for number in range(1, 401)]
    each_page_takes(world, 1)

    assert world.collect(task) == "settled:too_much_data"

    assert world.left >= world.timing.margin - 1
    assert world.state(task) is TaskState.FAILED


@pytest.mark.parametrize("dataset", [Dataset.CAMPAIGNS, Dataset.AD_DAILY])
def test_a_page_is_begun_only_where_the_slowest_one_so_far_would_fit(world: CollectWorld, dataset: Dataset) -> None:
    """Given pages of 60 s each and invocations of 120 s: a second one would use the margin up."""
    pages = [page(number, last=number == 4)._replace(resume=str(number)) for number in range(1, 5)]
    world.connector.listed = world.connector.file = pages
    each_page_takes(world, 60)
    task = world.plan(dataset)
    lefts, outcome = [], "not_ready"
    message = TaskMessage(run_id=task.run_id, task_id=task.id)
    if dataset.grain:
        world.collect(task)
        (message,) = world.queues.reports.take()
        world.connector.becomes("report-1", ReportState.READY)
    while outcome == "not_ready":
        world.left = 120
        outcome = world.poll(message) if dataset.grain else world.collect(task)
        lefts.append(world.left)

    assert (outcome, world.state(task)) == ("done", TaskState.LANDED)
    assert lefts == [60.0] * 4


def test_a_pull_larger_than_a_quota_window_that_has_no_cursor_ends(world: CollectWorld, clock: FrozenClock) -> None:
    """Each try begins at the first page and spends the quota: it ends by a narrower window, or says why it cannot."""
    task = world.plan(Dataset.CAMPAIGNS)
    world.connector.listed = [page(number, last=number == 5) for number in range(1, 6)]
    outcomes = []
    for attempt in range(7):
        seen: list[int] = []

        def walled(seen: list[int] = seen) -> None:
            seen.append(1)
            if len(seen) == 4:
                raise Throttled("96 % of the quota is used", retry_after=3600)

        world.connector.each_page = walled
        outcomes.append(world.collect(task, attempt=attempt))
        clock.advance(3601)

    assert outcomes[:5] == [*["throttled"] * 4, "settled:too_much_data"]
    assert world.state(task) is TaskState.FAILED
    assert "begins anew" in str(world.task(task).error)


def test_a_listing_of_ad_accounts_that_is_throttled_midway_waits(world: CollectWorld, clock: FrozenClock) -> None:
    """It cannot be narrowed: only its deadline ends it."""
    task = world.plan(Dataset.PROFILES, profile_id="", slice_="all")

    def walled() -> Iterator[Page]:
        yield page(1, last=False)
        raise Throttled("busy", retry_after=60)

    world.connector.profiles = walled  # type: ignore[method-assign]
    for attempt in range(7):
        assert world.collect(task, attempt=attempt) == "throttled"
        clock.advance(61)


def test_a_platform_that_throttles_before_the_first_page_is_waited_for(world: CollectWorld, clock: FrozenClock) -> None:
    task = world.plan(Dataset.CAMPAIGNS)

    def throttled() -> None:
        raise Throttled("busy", retry_after=60)

    world.connector.each_page = throttled
    for attempt in range(5):
        assert world.collect(task, attempt=attempt) == "throttled"
        clock.advance(61)
