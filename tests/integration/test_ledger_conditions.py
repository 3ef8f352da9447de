"""What each conditional write of tasks, markers, leases and runs refuses, and what it lets through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import Throttled, Transient
from adweir.model.platforms import Platform
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window
from adweir.store.ledger import Ledger
from adweir.store.ledger.runs import insist
from support.clock import FrozenClock
from support.ledger_tasks import markers, now, planned
from support.pipeline import WEEK, a_run, a_task

pytestmark = pytest.mark.usefixtures("tables")
RUN = "run-1"
META = Platform("meta_ads")


@pytest.fixture
def ledger(clock: FrozenClock) -> Ledger:
    return Ledger(clock)


def claimed(ledger: Ledger, seconds: float = 330, **values: Any) -> Task:
    task = planned(ledger, **values)
    found = ledger.claim(task.run_id, task.id, task.generation, seconds)
    assert found is not None
    return found


# --- claiming, after somebody else did something since the task was read


def test_a_task_that_landed_meanwhile_is_claimed_as_landed(ledger: Ledger) -> None:
    stale = planned(ledger)
    ledger.landed(stale, "key", "2026-11-20T00:00:00.000000Z")

    found = ledger.claim(RUN, stale.id, 0, 330, read=stale)

    assert found is not None
    assert (found.state, found.attempts, now(ledger, stale).state) == (TaskState.LANDED, 1, TaskState.LANDED)


def test_a_task_that_another_worker_holds_meanwhile_is_theirs(ledger: Ledger) -> None:
    stale = planned(ledger)
    theirs = ledger.claim(RUN, stale.id, 0, 330)
    assert theirs is not None

    with pytest.raises(Throttled) as busy:
        ledger.claim(RUN, stale.id, 0, 330, read=stale)

    assert busy.value.retry_after == 330
    assert now(ledger, stale) == theirs


def test_a_task_that_another_worker_held_meanwhile_is_claimed_behind_them(ledger: Ledger) -> None:
    # given a task in progress that nobody holds, read before another worker took it and gave it back
    first = claimed(ledger)
    ledger.release(first)
    stale = now(ledger, first)
    second = ledger.claim(RUN, stale.id, 0, 330)
    assert second is not None
    ledger.release(second)

    third = ledger.claim(RUN, stale.id, 0, 330, read=stale)

    assert third is not None
    assert third.attempts == 3


def test_a_task_that_was_redriven_meanwhile_is_not_the_messages(ledger: Ledger) -> None:
    stale = planned(ledger)
    ledger.finish(RUN, stale.id, 0, TaskState.FAILED)
    again = ledger.redrive(now(ledger, stale), 2_000_000_000)

    assert ledger.claim(RUN, stale.id, 0, 330, read=stale) is None
    assert again is not None
    assert now(ledger, stale) == again


def test_a_task_that_ended_meanwhile_stays_ended(ledger: Ledger) -> None:
    stale = planned(ledger)
    ledger.finish(RUN, stale.id, 0, TaskState.FAILED)

    assert ledger.claim(RUN, stale.id, 0, 330, read=stale) is None
    assert now(ledger, stale).state is TaskState.FAILED


def test_a_hold_lasts_until_its_second(ledger: Ledger, clock: FrozenClock) -> None:
    task = claimed(ledger, seconds=10)
    clock.advance(9)
    with pytest.raises(Throttled) as busy:
        ledger.claim(RUN, task.id, 0, 330)
    assert busy.value.retry_after == 1

    clock.advance(1)
    assert ledger.claim(RUN, task.id, 0, 0.2) is not None
    assert now(ledger, task).hold_until == int(clock.now().timestamp()) + 1


# --- going on with a task


STEPS: dict[str, Any] = {
    "release": lambda ledger, task: ledger.release(task),
    "wait_report": lambda ledger, task: ledger.wait_report(task, "r", "2026-11-20T00:00:00.000000Z"),
    "keep_part": lambda ledger, task: ledger.keep_part(task, [1], "c", "2026-11-20T00:00:00.000000Z"),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_worker_whose_task_another_one_took_over_changes_nothing(
    ledger: Ledger, clock: FrozenClock, step: Any
) -> None:
    late = claimed(ledger, seconds=10)
    clock.advance(10)
    theirs = ledger.claim(RUN, late.id, 0, 330)

    assert step(ledger, late) is False
    assert now(ledger, late) == theirs


def test_a_worker_that_saw_the_object_land_may_say_so_whoever_holds_the_task(
    ledger: Ledger, clock: FrozenClock
) -> None:
    late = claimed(ledger, seconds=10)
    clock.advance(10)
    assert ledger.claim(RUN, late.id, 0, 330) is not None

    assert ledger.landed(late, "key", "2026-11-20T00:00:00.000000Z") is True
    assert now(ledger, late).state is TaskState.LANDED
    # and a report that the platform then announces does not undo it
    assert ledger.wait_report(now(ledger, late), "r", "2026-11-20T00:00:00.000000Z") is False


@pytest.mark.parametrize("step", [*STEPS.values(), lambda ledger, task: ledger.landed(task, "key", "x")])
@pytest.mark.parametrize("again", [False, True])
def test_a_task_that_ended_or_was_redriven_is_not_gone_on_with(ledger: Ledger, step: Any, again: bool) -> None:
    late = claimed(ledger)
    ledger.finish(RUN, late.id, 0, TaskState.FAILED)
    if again:
        ledger.redrive(now(ledger, late), 2_000_000_000)
    before = now(ledger, late)

    assert step(ledger, replace(late, attempts=before.attempts)) is False
    assert now(ledger, late) == before


def test_a_task_is_touched_once_per_look(ledger: Ledger, clock: FrozenClock) -> None:
    task = planned(ledger)
    clock.advance(60)

    assert ledger.note_resent(task) is True
    assert ledger.note_resent(task) is False
    touched = now(ledger, task)
    assert touched.updated_at > task.updated_at

    ledger.finish(RUN, task.id, 0, TaskState.FAILED)
    assert ledger.note_resent(now(ledger, task)) is False
    ledger.redrive(now(ledger, task), 2_000_000_000)
    assert ledger.note_resent(replace(now(ledger, task), generation=0)) is False


@pytest.mark.parametrize("again", [False, True])
def test_only_an_open_task_of_the_generation_gets_another_label(ledger: Ledger, again: bool) -> None:
    task = planned(ledger)
    ledger.relabel(task, "eu")
    assert now(ledger, task).label == "eu"

    ledger.finish(RUN, task.id, 0, TaskState.FAILED)
    if again:
        ledger.redrive(now(ledger, task), 2_000_000_000)
    ledger.relabel(task, "us")
    assert now(ledger, task).label == "eu"


# --- the end


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.LOADED, TaskState.PARKED, TaskState.SKIPPED])
def test_an_end_of_an_older_generation_or_of_no_task_says_no(ledger: Ledger, state: TaskState) -> None:
    task = planned(ledger)
    ledger.finish(RUN, task.id, 0, TaskState.FAILED)
    ledger.redrive(now(ledger, task), 2_000_000_000)
    before = now(ledger, task)

    assert ledger.finish(RUN, task.id, 0, state) is False
    assert ledger.finish(RUN, "nobody", 0, state) is False
    assert now(ledger, task) == before
    assert markers(ledger) == {(task.id, 1)}
    assert list(ledger.parked("acc-1", META)) == []


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.LOADED, TaskState.PARKED])
def test_a_second_end_keeps_the_first_and_removes_a_marker_that_is_left(ledger: Ledger, state: TaskState) -> None:
    task = planned(ledger)
    assert ledger.finish(RUN, task.id, 0, TaskState.SKIPPED, counts={"rows": 1}) is True
    ledger._mark(RUN, task.stage, task.id, 0)

    assert ledger.finish(RUN, task.id, 0, state, error={"code": "x"}) is False
    assert (now(ledger, task).state, now(ledger, task).counts, now(ledger, task).error) == (
        TaskState.SKIPPED,
        {"rows": 1},
        None,
    )
    assert markers(ledger) == set()
    assert list(ledger.parked("acc-1", META)) == []


def test_parked_tasks_are_found_while_they_are_parked(ledger: Ledger) -> None:
    task = planned(ledger)
    ledger.finish(RUN, task.id, 0, TaskState.PARKED)
    assert [one.id for one in ledger.parked("acc-1", META)] == [task.id]

    assert ledger.redrive(now(ledger, task), 2_000_000_000, accept_vanish=True) is not None
    assert list(ledger.parked("acc-1", META)) == []
    assert list(ledger._query("parked#acc-1#meta_ads#default")) == []
    assert now(ledger, task).accept_vanish is True


def test_a_failed_task_may_be_redriven_from_what_was_read_only_if_nobody_did_so_before(ledger: Ledger) -> None:
    task = planned(ledger)
    assert ledger.redrive(task, 1) is None
    assert markers(ledger) == {(task.id, 0)}  # an open task keeps its marker
    ledger.finish(RUN, task.id, 0, TaskState.FAILED)
    failed = now(ledger, task)

    assert ledger.redrive(failed, 2_000_000_000) is not None
    assert ledger.redrive(failed, 2_000_000_000) is None
    assert now(ledger, task).generation == 1
    assert markers(ledger) == {(task.id, 1)}
    # and when that one has ended too, no marker stays behind
    ledger.finish(RUN, task.id, 1, TaskState.FAILED)
    assert ledger.redrive(failed, 2_000_000_000) is None
    assert markers(ledger) == set()


def test_the_newest_window_that_was_loaded_stays_the_newest(ledger: Ledger, clock: FrozenClock) -> None:
    def load(run_id: str, window: Any, dataset: Dataset = Dataset.AD_DAILY) -> None:
        task = planned(ledger, run_id=run_id, window=window, dataset=dataset)
        ledger.finish(run_id, task.id, 0, TaskState.LOADED)

    later = Window(WEEK.end, WEEK.end.replace(day=9))
    load("run-1", later)
    first = list(ledger.successes())
    clock.advance(60)
    load("run-2", WEEK)  # an older window says nothing new
    assert list(ledger.successes()) == first
    load("run-3", later)  # the same one was loaded again
    ((key, dataset, at, day),) = ledger.successes()
    assert (key, dataset, day) == ("meta_ads#111", "ad_daily", "2026-11-09")
    assert at > first[0][2]

    clock.advance(91 * 86_400)
    load("run-4", WEEK)  # the newest one was forgotten
    assert [day for *_, day in ledger.successes()] == ["2026-11-07"]


def test_lists_have_no_window_and_always_count(ledger: Ledger, clock: FrozenClock) -> None:
    ends = []
    for number in range(2):
        task = planned(ledger, run_id=f"run-{number}", window=None, dataset=Dataset.PROFILES, profile_id="")
        ledger.finish(task.run_id, task.id, 0, TaskState.LOADED)
        ends += [(at, day) for *_, at, day in ledger.successes()]
        clock.advance(60)
    assert [day for _, day in ends] == ["", ""]
    assert ends[0][0] < ends[1][0]


def test_it_is_known_when_a_credentials_ad_accounts_were_listed(ledger: Ledger) -> None:
    assert ledger.listed_at("acc-1", META, "default") == ""
    task = planned(ledger, window=None, dataset=Dataset.PROFILES, profile_id="")
    ledger.finish(RUN, task.id, 0, TaskState.LOADED)
    ((key, *_, at, _day),) = ledger.successes()
    assert key == task.profile_key
    assert ledger.listed_at("acc-1", META, "other") == ""
    assert ledger.listed_at("acc-1", META, "default") == at != ""


# --- planning


def test_tasks_that_are_planned_together_are_all_new_or_none_is_stored(ledger: Ledger) -> None:
    old, new = a_task(profile_id="1"), a_task(profile_id="2")
    assert ledger.plan_together([old]) == {old.id}
    ledger.finish(RUN, old.id, 0, TaskState.FAILED)

    assert ledger.plan_together([old, new]) == set()
    assert ledger.get_task(RUN, new.id) is None
    assert now(ledger, old).state is TaskState.FAILED
    assert markers(ledger) == set()
    assert ledger.plan(new) is True


def test_a_marker_makes_way_for_a_newer_generation_only(ledger: Ledger, clock: FrozenClock) -> None:
    for generation in (1, 0, 1, 2):
        ledger._mark(RUN, "metrics", "t", generation)
        clock.advance(1)
    ((marker, task),) = ledger.open_tasks(RUN)
    assert (marker.stage, marker.generation, task) == ("metrics", 2, None)

    ledger.unmark(RUN, marker._replace(generation=1))
    assert markers(ledger) == {("t", 2)}
    ledger.unmark(RUN, marker)
    assert markers(ledger) == set()
    assert ledger.progress(RUN)[1] == ""


def test_planning_goes_on_while_its_marker_is_there(ledger: Ledger) -> None:
    assert ledger.planned_until(RUN, "metrics", "p1") is False
    assert ledger.progress(RUN)[1] == ""

    ledger.begin_planning(RUN, "metrics")
    assert ledger.planned_until(RUN, "metrics", "p1") is True
    assert ledger.begin_planning(RUN, "metrics").cursor == "p1"
    assert ledger.progress(RUN)[1] != ""


def test_many_open_tasks_are_all_found(ledger: Ledger) -> None:
    tasks = [a_task(profile_id=str(number)) for number in range(101)]
    for batch in (tasks[:50], tasks[50:100], tasks[100:]):
        ledger.plan_together(batch)

    found = list(ledger.open_tasks(RUN))

    assert len(found) == 101
    assert all(task is not None and task.id == marker.task_id for marker, task in found)


def test_a_run_and_whether_work_is_open_are_read_together(ledger: Ledger) -> None:
    assert ledger.progress(RUN) == (None, "")
    ledger.plan(a_task())
    assert ledger.progress(RUN) == (None, "metrics")
    ledger.create_run(a_run())
    assert ledger.progress(RUN) == (ledger.get_run(RUN), "metrics")
    ledger.plan(a_task(profile_id="2"))
    assert ledger.progress(RUN) == (ledger.get_run(RUN), "metrics")
    for profile in ("111", "2"):
        ledger.finish(RUN, a_task(profile_id=profile).id, 0, TaskState.FAILED)
    assert ledger.progress(RUN) == (ledger.get_run(RUN), "")


# --- runs and leases


def test_a_run_is_changed_by_who_read_its_newest_version_while_it_lasts(ledger: Ledger, clock: FrozenClock) -> None:
    ledger.create_run(a_run())
    run = insist(ledger.get_run(RUN), RUN)
    changed = ledger.change_run(run, reason="metrics")
    assert changed is not None
    assert ledger.change_run(run, reason="ads") is None
    assert insist(ledger.get_run(RUN), RUN).reason == "metrics"

    clock.advance(90 * 86_400)
    assert ledger.change_run(changed, reason="ads") is None
    with pytest.raises(Transient):
        insist(ledger.get_run(RUN), RUN)


def test_only_the_newest_mark_of_a_run_can_be_taken_away(ledger: Ledger) -> None:
    assert ledger.open_mark(RUN) == 0
    ledger.mark_open(RUN)
    ledger.mark_open(RUN)
    assert ledger.open_mark(RUN) == 2
    assert ledger.unmark_open(RUN, 1) is False
    assert [run for run, _ in ledger.open_runs()] == [RUN]
    assert ledger.unmark_open(RUN, 2) is True
    assert list(ledger.open_runs()) == []


def test_a_lease_is_held_until_its_second_and_by_one(ledger: Ledger, clock: FrozenClock) -> None:
    with ledger.lease("x", 10) as lease:
        lease.check()
        clock.advance(9)
        lease.check()
        with pytest.raises(Throttled) as busy, ledger.lease("x", 10):
            pass
        assert busy.value.retry_after == 1
        clock.advance(1)
        with pytest.raises(Transient):
            lease.check()
        with ledger.lease("x", 10) as theirs:
            assert theirs.fence == lease.fence + 1
            with pytest.raises(Transient):
                lease.check()
    with ledger.lease("x", 100) as third, pytest.raises(Throttled) as busy, ledger.lease("x", 10):
        pass
    assert busy.value.retry_after == 2
    with pytest.raises(Transient):
        third.check()
