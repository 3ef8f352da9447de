"""Patient stages: backfills of years come from the newest days back, a few tasks at a time, and let others go first."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import ProfileStatus
from adweir.model.errors import Throttled
from adweir.model.messages import Advance, CancelRun, Redrive, Scope, Sweep, TaskMessage
from adweir.model.platforms import Platform
from adweir.model.runs import RunState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window, epoch, parse_instant
from adweir.platforms.base import DatasetSpec
from adweir.store.ledger import Ledger, Marker
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash
from support.pipeline_world import (
    BACK,
    DAILY,
    META,
    MORNING,
    SPECS,
    SUMMER,
    PipelineWorld,
    advance,
    begin,
    run_to_end,
    state,
    world_to_backfill,
)

pytestmark = pytest.mark.usefixtures("tables")
GOOGLE = Platform("google_ads")


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return world_to_backfill(clock)


def under_way(world: PipelineWorld, run_id: str = "back") -> Counter[str]:
    """The open tasks of a run, by ad account."""
    return Counter(marker.profile for marker in world.ledger.open_work(run_id) if marker.is_task)


def pulled(world: PipelineWorld, run_id: str = "back") -> list[Task]:
    """The tasks of a run in the order in which they were worked on first."""
    known = world.ledger.find_tasks(run_id, world.worked)
    found = (known[task_id] for task_id in dict.fromkeys(world.worked) if task_id in known)
    return [task for task in found if isinstance(task, Task)]


def days_of(tasks: list[Task], dataset: Dataset) -> list[date]:
    return [day for task in tasks if task.dataset is dataset and task.window for day in task.window.days()]


# --- the order


def test_the_newest_days_of_all_datasets_come_before_older_ones(world: PipelineWorld) -> None:
    run_to_end(world, BACK)

    assert state(world, "back") is RunState.SUCCEEDED
    assert [(task.dataset.value, str(task.window)) for task in pulled(world)] == [
        (dataset, window)
        for window in ("2026-07-31..2026-08-29", "2026-07-01..2026-07-30", "2026-06-01..2026-06-30")
        for dataset in ("ad_daily", "ad_by_age_gender_daily", "account_daily")
    ]


def test_a_span_s_total_is_asked_for_when_what_was_pulled_before_it_has_ended(world: PipelineWorld) -> None:
    begin(world)
    first = [task.dataset for task in world.ledger.pulls("back")]

    messages = world.collect.take()
    world.work(messages[0])
    advance(world)
    second = [task.dataset for task in world.ledger.pulls("back")]
    world.work(messages[1])
    advance(world)

    assert sorted(first) == sorted(second) == [Dataset.AD_BY_AGE_GENDER_DAILY, Dataset.AD_DAILY]
    assert Dataset.ACCOUNT_DAILY in {task.dataset for task in world.ledger.pulls("back")}


def test_ad_accounts_go_back_side_by_side(world: PipelineWorld) -> None:
    """Given two ad accounts, no span of one is pulled before the newer span of the other has begun."""
    world.add_profile("2")
    run_to_end(world, BACK)

    spans = [task.window.start for task in pulled(world) if task.dataset is Dataset.AD_DAILY and task.window]
    assert spans == sorted(spans, reverse=True)


def test_days_that_a_platform_does_not_keep_are_not_asked_for(world: PipelineWorld) -> None:
    kept = DatasetSpec(Dataset.AD_DAILY, max_window_days=30, retention_days={"all": 100})
    world.specs[META] = {Dataset.AD_DAILY: kept}

    run_to_end(world, BACK)

    oldest = MORNING.date() - timedelta(days=100)
    assert min(days_of(pulled(world), Dataset.AD_DAILY)) == oldest


def test_invoices_are_asked_for_once_with_the_newest_span(world: PipelineWorld) -> None:
    bills = DatasetSpec(Dataset.INVOICES, lookback_months=2)
    world.specs[META] = {Dataset.AD_DAILY: SPECS[Dataset.AD_DAILY], Dataset.INVOICES: bills}

    run_to_end(world, BACK)

    assert state(world, "back") is RunState.SUCCEEDED
    assert [task.dataset for task in pulled(world)] == [Dataset.AD_DAILY, Dataset.INVOICES, *[Dataset.AD_DAILY] * 2]


# --- how many at a time


@at_the_bound("MAX_PATIENT_PROFILE_TASKS")
def test_so_many_tasks_of_an_ad_account_are_under_way(world: PipelineWorld, size: int, fits: bool) -> None:
    world.specs[META] = {Dataset.AD_DAILY: SPECS[Dataset.AD_DAILY]}
    begin(world, BACK.model_copy(update={"scope": Scope(start="2025-01-01", end="2026-08-29")}))

    assert (under_way(world)["meta_ads#1"] >= size) is fits


@at_the_bound("MAX_PATIENT_TASKS")
def test_so_many_tasks_of_a_platform_are_under_way_over_all_backfills(
    world: PipelineWorld,
    size: int,
    fits: bool,
) -> None:
    for name in "2345":
        world.add_profile(name)
    begin(
        world, BACK.model_copy(update={"run_id": "other", "scope": SUMMER.model_copy(update={"profiles": ("1", "2")})})
    )
    begin(world)

    both = under_way(world) + under_way(world, "other")
    assert (both.total() >= size) is fits
    assert len(world.collect.messages) == both.total()


def test_backfills_share_a_platform(world: PipelineWorld) -> None:
    """Given a backfill that has all places, when another one is asked for, then each has half of them soon."""
    for name in "2345":
        world.add_profile(name)
    first = BACK.model_copy(update={"scope": SUMMER.model_copy(update={"profiles": ("1", "2", "3")})})
    other = BACK.model_copy(update={"run_id": "other", "scope": SUMMER.model_copy(update={"profiles": ("4", "5")})})
    begin(world, first)
    begin(world, other)
    at_first = under_way(world, "other").total()

    for message in world.collect.take()[:4]:
        world.work(message)
        advance(world)

    assert at_first == 0
    half = limits.MAX_PATIENT_TASKS // 2
    assert (under_way(world).total(), under_way(world, "other").total()) == (half, half)
    world.drain()


def test_platforms_do_not_wait_for_each_other(world: PipelineWorld) -> None:
    world.specs[GOOGLE] = {Dataset.AD_DAILY: SPECS[Dataset.AD_DAILY]}
    world.add_credential("acc-1", GOOGLE)
    for name in "2345":
        world.add_profile(name, platform=GOOGLE)
    begin(world)

    names = Counter(marker.profile.partition("#")[0] for marker in world.ledger.open_work("back") if marker.is_task)
    assert names == {"google_ads": limits.MAX_PATIENT_TASKS, "meta_ads": 2}


def test_each_task_s_deadline_begins_when_it_is_released(world: PipelineWorld) -> None:
    begin(world)
    for _ in range(3):  # each takes most of a deadline
        world.clock.advance(20_000)
        for message in world.collect.take():
            world.work(message)
        advance(world)

    run_to_end(world)
    assert state(world, "back") is RunState.SUCCEEDED
    for task in world.ledger.pulls("back"):
        assert task.deadline == epoch(parse_instant(task.created_at)) + world.settings.task_deadline_seconds
        assert task.error is None


# --- others go first


def test_a_daily_run_that_begins_amid_a_backfill_finds_no_more_than_what_is_under_way(world: PipelineWorld) -> None:
    """Given a backfill of ten ad accounts, when a daily run begins, then nothing is released until it has ended; it
    works as many messages as without a backfill, behind at most six of the backfill."""
    for number in range(2, 11):
        world.add_profile(str(number))
    world.found = [str(number) for number in range(1, 11)]
    begin(world)
    before = len(world.collect.messages)

    begin(world, DAILY)
    order: list[str] = []
    while state(world) is RunState.RUNNING:
        for message in world.collect.take():
            order.append(message.run_id)
            world.work(message)
            advance(world)
    advance(world)

    assert before == limits.MAX_PATIENT_TASKS
    last = len(order) - order[::-1].index("r")
    assert Counter(order[:last]) == {"back": before, "r": 1 + 10 * 6}
    assert len(under_way(world)) > 0, "it goes on when the daily run has ended"
    run_to_end(world)
    assert state(world, "back") is RunState.SUCCEEDED


def test_a_run_on_another_platform_does_not_hold_a_backfill_up(world: PipelineWorld) -> None:
    world.specs[GOOGLE] = {Dataset.PROFILES: DatasetSpec(Dataset.PROFILES), Dataset.AD_DAILY: SPECS[Dataset.AD_DAILY]}
    world.add_credential("acc-1", GOOGLE)
    world.add_profile("9", platform=GOOGLE)
    begin(world, DAILY.model_copy(update={"scope": Scope(platforms=("google",))}))

    begin(world)

    assert set(under_way(world)) == {"meta_ads#1"}


def test_nothing_is_released_while_a_brake_is_on(world: PipelineWorld) -> None:
    world.add_profile("2")
    world.ledger.brakes.trip(META, "1", 600, "too many requests")
    begin(world)
    braked = under_way(world)
    world.drain()
    assert state(world, "back") is RunState.RUNNING

    world.clock.advance(601)
    world.runs.send(Sweep())
    world.drain()

    assert set(braked) == {"meta_ads#2"}
    assert state(world, "back") is RunState.SUCCEEDED


def test_a_half_open_brake_lets_one_task_through(world: PipelineWorld) -> None:
    for _ in range(5):
        world.ledger.brakes.failure(META, "1", "503")
    begin(world)
    assert not under_way(world)

    world.clock.advance(31)
    world.runs.send(Sweep())
    advance(world)

    assert under_way(world) == {"meta_ads#1": 1}


# --- credentials and ad accounts that are gone


def test_a_backfill_waits_for_a_new_credential_and_goes_on(world: PipelineWorld) -> None:
    world.break_credential()
    begin(world)
    assert not world.collect.messages

    world.clock.advance(86_400)
    world.add_credential("acc-1")
    world.runs.send(Sweep())
    world.drain()

    assert state(world, "back") is RunState.SUCCEEDED


@at_the_bound("MAX_LANE_WAIT_SECONDS")
def test_a_backfill_waits_so_long_for_a_credential_and_then_says_that_it_failed(
    world: PipelineWorld,
    size: int,
    fits: bool,
) -> None:
    world.break_credential()
    begin(world)

    world.clock.advance(size)
    world.runs.send(Sweep())
    world.drain()

    assert state(world, "back") is (RunState.RUNNING if fits else RunState.FAILED)
    errors = [task.error["message"] for task in world.ledger.pulls("back") if task.error]
    assert errors == ([] if fits else [errors[0]])
    assert fits or "store a new one" in errors[0]


def test_an_ad_account_that_may_not_be_read_any_more_ends_its_lane(world: PipelineWorld) -> None:
    begin(world)
    world.catalog.mark_profile(META, "1", ProfileStatus.DENIED)
    world.fate = lambda task: TaskState.FAILED
    world.drain()

    assert state(world, "back") is RunState.FAILED
    assert len(world.worked) == 2


def test_an_ad_account_whose_time_zone_is_unknown_fails_alone(world: PipelineWorld) -> None:
    world.add_profile("2", timezone="Mars/Olympus")

    run_to_end(world, BACK)

    assert state(world, "back") is RunState.PARTIAL
    (failed,) = (task for task in world.ledger.pulls("back") if task.state is TaskState.FAILED)
    assert failed.profile_id == "2"
    assert failed.error is not None
    assert failed.error["message"] == "unknown time zone 'Mars/Olympus'"


# --- asking again


def test_what_is_asked_again_pulls_only_what_is_missing(world: PipelineWorld) -> None:
    """Given a backfill that was cancelled amid its way, when it is asked for again."""
    begin(world)
    for message in world.collect.take():
        world.work(message)
    advance(world)
    world.runs.send(CancelRun(run_id="back"))
    world.drain()
    assert state(world, "back") is RunState.CANCELLED
    done = [task.window for task in world.ledger.pulls("back") if task.state is TaskState.LOADED]

    run_to_end(world, BACK.model_copy(update={"run_id": "again"}))

    again = list(world.ledger.pulls("again"))
    assert not {(task.dataset, task.window) for task in again} & {
        (task.dataset, task.window) for task in world.ledger.pulls("back") if task.state is TaskState.LOADED
    }
    assert len(done) + len(again) == 9
    assert not world.ledger.open_work("back")


def test_failed_tasks_are_redriven_without_beginning_anew(world: PipelineWorld) -> None:
    world.fate = lambda task: TaskState.FAILED if task.dataset is Dataset.ACCOUNT_DAILY else TaskState.LOADED
    run_to_end(world, BACK)
    assert state(world, "back") is RunState.PARTIAL
    world.fate = lambda task: TaskState.LOADED

    world.runs.send(Redrive(run_id="back"))
    world.drain()

    assert state(world, "back") is RunState.SUCCEEDED
    assert len(world.worked) == 9 + 3


# --- kills, duplicates, two workers


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 26))
def test_a_worker_that_dies_at_any_write_loses_no_task_and_doubles_none(
    world: PipelineWorld,
    at: int,
    after: bool,
) -> None:
    world.specs[META] = {Dataset.AD_DAILY: SPECS[Dataset.AD_DAILY]}
    crash = Crash(at, after=after)
    world.runs.send(BACK)
    with world.dying(crash):
        world.drain(lose=True)
        run = world.sweep_until_quiet("back") if world.ledger.get_run("back") else None
    if run is None:  # the message that asks for the run was the one that got lost
        return

    assert run.state is RunState.SUCCEEDED
    assert sorted(days_of(pulled(world), Dataset.AD_DAILY)) == list(Window.parse("2026-06-01..2026-08-29").days())
    assert not world.ledger.open_work("back")


def test_a_message_that_comes_twice_releases_nothing_twice(world: PipelineWorld) -> None:
    world.runs.send(BACK)

    world.drain(times=2)

    assert state(world, "back") is RunState.SUCCEEDED
    assert len(set(world.worked)) == len(world.worked) == 9


def test_of_two_workers_that_release_at_once_each_release_is_one_s(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given two workers that saw the same free places, when one releases just before the other does."""
    for name in "234":
        world.add_profile(name)
    release = Ledger.release_task
    depth = [0]

    def hindered(ledger: Ledger, gate: int, lane: Marker, cursor: str, task: Task) -> Marker | None:
        depth[0] += 1
        if depth[0] == 1:
            world.handle(Advance(run_id="back"))
        found = release(ledger, gate, lane, cursor, task)
        depth[0] -= 1
        return found

    monkeypatch.setattr(Ledger, "release_task", hindered)
    begin(world)

    sent: list[TaskMessage] = world.collect.messages
    assert under_way(world).total() == limits.MAX_PATIENT_TASKS
    assert len({message.task_id for message in sent}) == len(sent) == limits.MAX_PATIENT_TASKS
    world.drain()
    assert len(set(world.worked)) == len(world.worked) == 4 * 9


def test_a_lane_that_meets_its_own_tasks_again_passes_them(world: PipelineWorld) -> None:
    """As after a deployment that changed what comes in a span."""
    begin(world)
    (lane,) = (marker for marker in world.ledger.open_work("back") if marker.is_lane)
    assert world.ledger.move_lane("back", lane, "0|gone||all")

    world.drain()

    assert state(world, "back") is RunState.SUCCEEDED
    assert len(set(world.worked)) == len(world.worked) == 9


def test_releasing_goes_on_in_another_invocation(world: PipelineWorld) -> None:
    world.runs.send(BACK)
    for message in world.runs.take():
        world.handle(message)
    (plan,) = world.runs.take()

    with pytest.raises(Throttled):
        world.engine.handle(plan, lambda: 1.0)
    world.runs.send(plan)
    world.drain()

    assert state(world, "back") is RunState.SUCCEEDED
