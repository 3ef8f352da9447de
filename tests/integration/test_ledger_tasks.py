"""Tasks in the ledger, on moto."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from adweir.model.errors import Throttled
from adweir.model.platforms import Platform
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window
from adweir.store.ledger import PLANNING, Ledger
from support.clock import FrozenClock
from support.pipeline import WEEK, a_task

pytestmark = pytest.mark.usefixtures("tables")
GONE = 91 * 86400


@pytest.fixture
def ledger(clock: FrozenClock) -> Ledger:
    return Ledger(clock)


def claimed(ledger: Ledger, task: Task, hold: float = 330) -> Task:
    ledger.plan(task)
    taken = ledger.claim(task.run_id, task.id, 0, hold)
    assert taken is not None
    return taken


def markers(ledger: Ledger) -> list[tuple[str, int]]:
    return [(marker.task_id, marker.generation) for marker, _ in ledger.open_tasks("run-1")]


def test_a_planned_task_comes_back_with_every_field(ledger: Ledger) -> None:
    task = a_task(depth=2, parent="abc", slice="campaign=9")

    assert ledger.plan(task)

    stored = ledger.get_pull("run-1", task.id)
    assert stored is not None
    same = ("id", "account_id", "platform", "profile_id", "dataset", "slice", "window", "deadline", "timezone")
    assert [getattr(stored, name) for name in same] == [getattr(task, name) for name in same]
    assert (stored.currency, stored.depth, stored.parent, stored.stage) == ("EUR", 2, "abc", "metrics")
    assert stored.created_at == stored.updated_at == "2026-11-20T12:00:00.000000Z"


def test_planning_a_task_twice_keeps_the_first(ledger: Ledger) -> None:
    task = a_task()
    taken = claimed(ledger, task)

    assert not ledger.plan(task)

    assert ledger.get_task("run-1", task.id) == taken
    assert markers(ledger) == [(task.id, 0)]


def test_planning_a_finished_task_again_leaves_no_marker(ledger: Ledger) -> None:
    task = a_task()
    ledger.plan(task)
    ledger.finish("run-1", task.id, 0, TaskState.LOADED)

    assert not ledger.plan(task)

    assert not ledger.progress("run-1")[1]


def test_a_second_delivery_waits_while_the_first_is_worked_on(ledger: Ledger, clock: FrozenClock) -> None:
    taken = claimed(ledger, a_task(), hold=330)
    assert (taken.state, taken.attempts) == (TaskState.RUNNING, 1)
    clock.advance(30)

    with pytest.raises(Throttled) as caught:
        ledger.claim("run-1", taken.id, 0, 330)

    assert caught.value.retry_after == 300


def test_an_expired_hold_is_taken_over_for_good(ledger: Ledger, clock: FrozenClock) -> None:
    first = claimed(ledger, a_task(), hold=330)
    clock.advance(331)

    second = ledger.claim("run-1", first.id, 0, 330)

    assert second is not None
    assert second.attempts == 2
    assert not ledger.wait_report(first, "report-of-the-first", "2026-11-20T12:00:00.000000Z")
    assert not ledger.release(first)
    assert ledger.wait_report(second, "r2", "2026-11-20T12:06:00.000000Z")
    stored = ledger.get_pull("run-1", first.id)
    assert stored is not None
    assert (stored.state, stored.report_id, stored.hold_until) == (TaskState.WAITING_REPORT, "r2", 0)


def test_a_released_task_can_be_claimed_at_once(ledger: Ledger) -> None:
    taken = claimed(ledger, a_task())

    assert ledger.release(taken)

    again = ledger.claim("run-1", taken.id, 0, 330)
    assert again is not None
    assert again.attempts == 2


def test_polling_claims_a_waiting_task_without_changing_what_it_waits_for(ledger: Ledger) -> None:
    taken = claimed(ledger, a_task())
    ledger.wait_report(taken, "r1", "2026-11-20T12:00:00.000000Z")

    polled = ledger.claim("run-1", taken.id, 0, 150)

    assert polled is not None
    assert (polled.state, polled.report_id, polled.as_of) == (
        TaskState.WAITING_REPORT,
        "r1",
        "2026-11-20T12:00:00.000000Z",
    )


def test_a_landed_task_says_where_and_since_when(ledger: Ledger) -> None:
    taken = claimed(ledger, a_task())

    assert ledger.landed(taken, "raw/x.0.gz", "2026-11-20T12:00:00.000000Z")

    stored = ledger.claim("run-1", taken.id, 0, 330)
    assert stored is not None
    assert (stored.state, stored.object_key) == (TaskState.LANDED, "raw/x.0.gz")
    assert not ledger.wait_report(stored, "r9", "2026-11-20T12:00:00.000000Z")
    assert ledger.release(stored)


def test_landing_after_the_load_does_not_reopen_the_task(ledger: Ledger) -> None:
    taken = claimed(ledger, a_task())
    ledger.finish("run-1", taken.id, 0, TaskState.LOADED)

    assert not ledger.landed(taken, "raw/x.0.gz", "2026-11-20T12:00:00.000000Z")

    stored = ledger.get_task("run-1", taken.id)
    assert stored is not None
    assert stored.state is TaskState.LOADED


@pytest.mark.parametrize("state", [state for state in TaskState if state.is_terminal])
def test_finishing_happens_once_and_removes_the_marker(ledger: Ledger, state: TaskState) -> None:
    task = a_task()
    ledger.plan(task)

    assert ledger.finish("run-1", task.id, 0, state, counts={"rows": 3}, error={"code": "x"})
    assert not ledger.finish("run-1", task.id, 0, TaskState.FAILED)

    stored = ledger.get_task("run-1", task.id)
    assert stored is not None
    assert (stored.state, stored.counts, stored.error) == (state, {"rows": 3}, {"code": "x"})
    assert not ledger.progress("run-1")[1]
    assert ledger.claim("run-1", task.id, 0, 60) is None


def test_claiming_a_finished_task_removes_the_marker_that_a_crash_left(ledger: Ledger) -> None:
    task = a_task()
    ledger.plan(task)
    ledger.finish("run-1", task.id, 0, TaskState.LOADED)
    ledger._mark("run-1", "metrics", task.id, 0)

    assert ledger.claim("run-1", task.id, 0, 60) is None

    assert not ledger.progress("run-1")[1]


def test_unknown_tasks_and_other_generations_cannot_be_claimed(ledger: Ledger) -> None:
    task = a_task()
    ledger.plan(task)

    assert ledger.claim("run-1", "nope", 0, 60) is None
    assert ledger.claim("run-1", task.id, 1, 60) is None
    assert not ledger.finish("run-1", task.id, 1, TaskState.LOADED)
    assert not ledger.finish("run-1", "nope", 0, TaskState.LOADED)


def test_a_redriven_task_starts_afresh_as_the_next_generation(ledger: Ledger) -> None:
    taken = claimed(ledger, a_task())
    ledger.landed(taken, "raw/x.0.gz", "2026-11-20T12:00:00.000000Z")
    ledger.finish("run-1", taken.id, 0, TaskState.QUARANTINED, error={"code": "mass_vanish"})
    failed = ledger.get_pull("run-1", taken.id)
    assert failed is not None

    again = ledger.redrive(failed, 1_900_000_000, accept_vanish=True)

    assert again is not None
    assert (again.state, again.generation, again.attempts, again.deadline) == (TaskState.PLANNED, 1, 0, 1_900_000_000)
    assert (again.report_id, again.object_key, again.as_of, again.error, again.counts) == ("", "", "", None, {})
    assert again.accept_vanish
    assert markers(ledger) == [(taken.id, 1)]


def test_a_worker_of_an_older_generation_cannot_touch_a_redriven_task(ledger: Ledger) -> None:
    taken = claimed(ledger, a_task())
    ledger.finish("run-1", taken.id, 0, TaskState.FAILED)
    failed = ledger.get_task("run-1", taken.id)
    assert failed is not None
    ledger.redrive(failed, 1_900_000_000)

    assert ledger.claim("run-1", taken.id, 0, 60) is None
    assert not ledger.landed(taken, "raw/x.0.gz", "2026-11-20T12:00:00.000000Z")
    assert not ledger.finish("run-1", taken.id, 0, TaskState.LOADED)
    ledger._unmark(failed)

    assert markers(ledger) == [(taken.id, 1)]


def test_redriving_twice_or_redriving_a_loaded_task_does_nothing(ledger: Ledger) -> None:
    task = a_task()
    ledger.plan(task)
    ledger.finish("run-1", task.id, 0, TaskState.FAILED)
    failed = ledger.get_task("run-1", task.id)
    assert failed is not None
    assert ledger.redrive(failed, 1_900_000_000)

    assert ledger.redrive(failed, 1_900_000_000) is None
    assert markers(ledger) == [(task.id, 1)]
    ledger.finish("run-1", task.id, 1, TaskState.LOADED)
    loaded = ledger.get_task("run-1", task.id)
    assert loaded is not None
    assert ledger.redrive(loaded, 1_900_000_000) is None
    assert not ledger.progress("run-1")[1]


def test_a_split_puts_the_children_before_it_ends_the_parent(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = claimed(ledger, a_task())
    halves = [taken.child(window=window) for window in WEEK.halves()]
    seen: list[list[tuple[str, int]]] = []
    finish = ledger.finish

    def watched(*args: Any, **kwargs: Any) -> bool:
        seen.append(sorted(markers(ledger)))
        return finish(*args, **kwargs)

    monkeypatch.setattr(ledger, "finish", watched)

    ledger.split(taken, halves)

    assert seen == [sorted((task.id, 0) for task in (taken, *halves))]
    assert sorted(markers(ledger)) == sorted((task.id, 0) for task in halves)
    parent = ledger.get_task("run-1", taken.id)
    assert parent is not None
    assert (parent.state, parent.counts) == (TaskState.SPLIT, {"children": 2})


def test_splitting_again_after_a_crash_changes_nothing(ledger: Ledger) -> None:
    taken = claimed(ledger, a_task())
    halves = [taken.child(window=window) for window in WEEK.halves()]
    ledger.split(taken, halves)
    ledger.finish("run-1", halves[0].id, 0, TaskState.LOADED)

    ledger.split(taken, halves)

    assert markers(ledger) == [(halves[1].id, 0)]


def test_parked_tasks_are_found_by_account_and_platform_until_redriven(ledger: Ledger) -> None:
    mine, other = a_task(), a_task(account_id="acc-2", profile_id="222")
    for task in (mine, other):
        ledger.plan(task)
        ledger.finish("run-1", task.id, 0, TaskState.PARKED, error={"code": "auth_expired"})

    parked = list(ledger.parked("acc-1", Platform("meta_ads")))
    assert [task.id for task in parked] == [mine.id]

    ledger.redrive(parked[0], 1_900_000_000)
    assert list(ledger.parked("acc-1", Platform("meta_ads"))) == []
    assert [task.id for task in ledger.parked("acc-2", Platform("meta_ads"))] == [other.id]


def test_expired_history_is_not_there_even_before_dynamodb_deletes_it(ledger: Ledger, clock: FrozenClock) -> None:
    task = a_task()
    ledger.plan(task)
    clock.advance(GONE)

    assert ledger.get_task("run-1", task.id) is None
    assert list(ledger.tasks("run-1")) == []
    assert not ledger.progress("run-1")[1]
    assert ledger.plan(task), "an expired item does not stop it"


def test_a_runs_tasks_are_listed_whatever_their_stage(ledger: Ledger) -> None:
    one, two = a_task(), a_task(stage="entities", profile_id="2")
    ledger.plan(one)
    ledger.plan(two)

    assert {task.id for task in ledger.tasks("run-1")} == {one.id, two.id}


def test_planning_remembers_how_far_it_came(ledger: Ledger) -> None:
    assert ledger.begin_planning("run-1", "metrics").cursor == ""
    ledger.planned_until("run-1", "metrics", "meta_ads#5")

    marker = ledger.begin_planning("run-1", "metrics")

    assert (marker.task_id, marker.cursor) == (PLANNING, "meta_ads#5")
    assert ledger.progress("run-1")[1]
    ledger.end_planning("run-1", "metrics")
    assert not ledger.progress("run-1")[1]


def test_the_newest_success_of_each_profile_is_known(ledger: Ledger) -> None:
    newest, older = a_task(), a_task(window=Window(date(2026, 9, 1), date(2026, 9, 2)))
    for task in (newest, older):
        ledger.plan(task)
        ledger.finish("run-1", task.id, 0, TaskState.LOADED)

    assert list(ledger.successes()) == [
        ("meta_ads#111", "ad_daily", "2026-11-20T12:00:00.000000Z", "2026-11-07"),
    ]
