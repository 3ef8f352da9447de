"""What the ledger does when somebody else works on the same tasks, runs or tokens, or when the tables do not answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

from adweir.model.errors import BadInput, Throttled, Unavailable, UnreadableItem
from adweir.model.tasks import Task, TaskState
from adweir.model.times import iso
from adweir.store.dynamo.paging import to_token
from adweir.store.ledger import Ledger, Tokens
from adweir.store.ledger.rows import Row
from adweir.store.ledger.task_rows import Pulled, TaskName
from support.aws_calls import AwsCalls
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.ledger_tasks import after, markers, now, planned
from support.lost_replies import LostReplies
from support.pipeline import a_run, a_task

pytestmark = pytest.mark.usefixtures("tables")
RUN = "run-1"


@pytest.fixture
def ledger(clock: FrozenClock) -> Ledger:
    return Ledger(clock)


@pytest.fixture
def lost(tables: None, monkeypatch: pytest.MonkeyPatch) -> LostReplies:
    return LostReplies(monkeypatch)


def failed(ledger: Ledger) -> Task:
    task = planned(ledger)
    ledger.finish(RUN, task.id, task.generation, TaskState.FAILED)
    return now(ledger, task)


# --- tasks


def test_what_an_open_task_waits_for_is_noted_and_counts_as_progress(ledger: Ledger, clock: FrozenClock) -> None:
    task = planned(ledger)
    clock.advance(60)

    noted = ledger.note_wait(RUN, task.id, 0, {"reason": "503"})

    assert noted == now(ledger, task)
    assert (noted.waits, noted.updated_at, noted.state) == ({"reason": "503"}, iso(clock.now()), TaskState.PLANNED)


@pytest.mark.parametrize("again", [False, True])
def test_a_task_that_ended_or_was_redriven_waits_for_nothing_of_an_older_message(ledger: Ledger, again: bool) -> None:
    task = failed(ledger)
    if again:
        ledger.redrive(task, 2_000_000_000)
    before = now(ledger, task)

    assert ledger.note_wait(RUN, task.id, 0, {"reason": "503"}) is None
    assert ledger.note_wait(RUN, "nobody", 0, {"reason": "503"}) is None
    assert now(ledger, task) == before
    assert ledger.get_task(RUN, "nobody") is None


def loaded(ledger: Ledger, task: Task, generation: int = 0, stage: str | None = None) -> bool:
    pulled = Pulled(task.profile_key, task.dataset, task.window, task.stage if stage is None else stage)
    return ledger.finish_loaded(TaskName(RUN, task.id, generation), pulled, {"rows": 3})


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize(("stage", "writes"), [(None, 2), ("", 3)])
def test_a_loaded_task_and_its_marker_end_in_one_write_where_the_stage_is_known(
    ledger: Ledger, lost: LostReplies, marked: bool, stage: str | None, writes: int
) -> None:
    task = planned(ledger)
    if not marked:
        ledger._unmark(task)
    lost.lose(0)

    assert loaded(ledger, task, stage=stage) is True

    assert lost.writes == writes  # one says that the profile was loaded
    assert (now(ledger, task).state, now(ledger, task).counts) == (TaskState.LOADED, {"rows": 3})
    assert markers(ledger) == set()
    assert [key for key, *_ in ledger.successes()] == ["meta_ads#111"]


def test_a_load_of_a_task_that_ended_keeps_the_end_and_removes_a_marker_that_is_left(ledger: Ledger) -> None:
    task = failed(ledger)
    ledger._mark(RUN, task.stage, task.id, 0)

    assert loaded(ledger, task) is False
    assert now(ledger, task) == task
    assert markers(ledger) == set()


@pytest.mark.parametrize("generation", [0, 2])
def test_a_load_of_another_generation_ends_nothing(ledger: Ledger, generation: int) -> None:
    task = failed(ledger)
    again = ledger.redrive(task, 2_000_000_000)

    assert loaded(ledger, task, generation) is False
    assert now(ledger, task) == again
    assert markers(ledger) == {(task.id, 1)}


def test_a_wish_to_accept_what_vanished_is_of_one_generation(ledger: Ledger) -> None:
    task = failed(ledger)
    accepted = ledger.redrive(task, 2_000_000_000, accept_vanish=True)
    assert accepted is not None
    ledger.finish(RUN, task.id, 1, TaskState.FAILED)

    again = ledger.redrive(now(ledger, task), 2_000_000_000)

    assert again is not None
    assert (accepted.accept_vanish, again.accept_vanish) == (True, False)


def test_a_task_that_is_forgotten_while_it_is_redriven_leaves_no_marker(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = failed(ledger)
    after(monkeypatch, ledger, "_mark", lambda: ledger._drop(f"run#{RUN}", f"task#{task.id}"))

    assert ledger.redrive(task, 2_000_000_000) is None
    assert ledger.get_task(RUN, task.id) is None
    assert markers(ledger) == set()


def test_a_late_redrive_leaves_the_marker_of_a_newer_generation(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a task that was redriven and failed again
    task = failed(ledger)
    ledger.redrive(task, 2_000_000_000)
    ledger.finish(RUN, task.id, 1, TaskState.FAILED)
    # when it is redriven once more while another redrive finds out that it came too late
    after(monkeypatch, ledger, "get_task", lambda: ledger.redrive(now(ledger, task), 2_000_000_000))
    assert ledger.redrive(task, 2_000_000_000) is None
    # then it is still open
    assert now(ledger, task).generation == 2
    assert markers(ledger) == {(task.id, 2)}


def test_tasks_that_cannot_be_read_are_counted_by_run(ledger: Ledger) -> None:
    for run_id, profile in ((RUN, "1"), (RUN, "2"), (RUN, "3"), ("run-2", "1")):
        task = planned(ledger, run_id=run_id, profile_id=profile)
        if profile != "3":
            ledger._change(f"run#{run_id}", f"task#{task.id}", [Row.body.set({})])
    ledger.create_run(a_run())
    ledger._change(f"run#{RUN}", "run", [Row.body.set({})])
    with pytest.raises(UnreadableItem):
        ledger.get_run(RUN)

    assert [len(list(ledger.tasks(run_id))) for run_id in (RUN, "run-2")] == [1, 0]
    assert [ledger.lost_tasks(run_id) for run_id in (RUN, "run-2", "run-3")] == [2, 1, 0]


@at_the_bound("MAX_FAULTS_NAMED", as_if=3)
def test_a_container_names_so_many_items_that_it_cannot_read(ledger: Ledger, size: int, fits: bool) -> None:
    for profile in range(size):
        task = planned(ledger, profile_id=str(profile))
        ledger._change(f"run#{RUN}", f"task#{task.id}", [Row.body.set({})])

    assert list(ledger.tasks(RUN)) == []
    assert ledger.lost_tasks(RUN) == (size if fits else size - 1)


def test_a_task_keeps_where_its_pull_goes_on_and_its_marker_since_when_it_is_open(ledger: Ledger) -> None:
    task = planned(ledger)
    claimed = ledger.claim(RUN, task.id, 0, 330)
    assert claimed is not None
    ledger.keep_part(claimed, [1, 2], "page 3", task.created_at)

    kept = now(ledger, task)
    assert (kept.parts, kept.cursor, kept.as_of) == ((1, 2), "page 3", task.created_at)
    assert [marker.at for marker, _ in ledger.open_tasks(RUN)] == [task.created_at]


# --- runs


def test_of_two_starts_of_a_run_at_once_one_wins(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    after(monkeypatch, ledger, "get_run", lambda: ledger.create_run(a_run(stage="first")))

    assert ledger.create_run(a_run(stage="second")) is False

    run = ledger.get_run(RUN)
    assert run is not None
    assert run.stage == "first"


def test_a_run_and_its_first_stage_began_when_it_was_created_unless_it_says_so(
    ledger: Ledger, clock: FrozenClock
) -> None:
    at, before = iso(clock.now()), "2026-11-20T04:00:00.000000Z"
    ledger.create_run(a_run())
    ledger.create_run(a_run("run-2", started_at=before, stage_since=before))

    runs = [ledger.get_run(run_id) for run_id in (RUN, "run-2")]
    assert [(run.started_at, run.current[0].since) for run in runs if run] == [(at, at), (before, before)]
    assert list(ledger.open_runs()) == [(RUN, at), ("run-2", at)]


def test_a_stored_run_names_no_wish_that_nobody_had(ledger: Ledger) -> None:
    """A version that does not know a wish yet can read the run."""
    ledger.create_run(a_run())

    row = ledger._fetch(f"run#{RUN}", "run")
    assert row is not None
    assert (row.body or {})["scope"] == {}


def test_runs_are_listed_as_far_as_history_reaches_over_the_end_of_a_year(ledger: Ledger, clock: FrozenClock) -> None:
    # given a run every ten days from 25 November to 13 February
    clock.advance(5 * 86_400)
    for number in range(9):
        ledger.create_run(a_run(f"run-{number}"))
        clock.advance(10 * 86_400)
    assert clock.now() == datetime(2027, 2, 23, 12, tzinfo=UTC)
    # when the oldest is 90 days old, then it alone is forgotten; 26 November is in the oldest month
    assert [run.run_id for run in ledger.list_runs()[0]] == [f"run-{number}" for number in range(8, 0, -1)]
    clock.advance(-43_200)
    assert [run.run_id for run in ledger.list_runs()[0]] == [f"run-{number}" for number in range(8, -1, -1)]


def test_a_page_token_of_a_month_that_there_is_not_is_refused(ledger: Ledger, clock: FrozenClock) -> None:
    clock.advance(60 * 86_400)
    with pytest.raises(BadInput):
        ledger.list_runs(3, to_token("runs", "2027-00|a"))


def test_starts_that_were_interrupted_do_not_shorten_the_list_of_runs(ledger: Ledger, clock: FrozenClock) -> None:
    # given runs, and behind each three starts of which only the place in the list is stored
    for number in range(3):
        ledger.create_run(a_run(f"run-{number}"))
        for start in range(3):
            clock.advance(1)
            ledger._put(ledger._row("runs#2026-11", f"{iso(clock.now())}#start-{number}-{start}"))
        clock.advance(1)

    first, token = ledger.list_runs(2)
    assert [run.run_id for run in first] == ["run-2", "run-1"]
    rest, token = ledger.list_runs(2, token)
    assert ([run.run_id for run in rest], token) == (["run-0"], "")


# --- tokens


def test_a_token_is_used_until_its_last_second_while_another_worker_refreshes_it(
    ledger: Ledger, clock: FrozenClock
) -> None:
    ledger.tokens.get("k", lambda: ("old", 3600))
    other = Tokens(clock, sleep=lambda _: None)

    def refresh() -> tuple[str, int]:
        assert other.get("k", lambda: ("second", 3600)) == "old"
        clock.advance(1)
        with pytest.raises(Throttled):
            other.get("k", lambda: ("second", 3600))
        return "new", 3600

    clock.advance(3599)
    assert ledger.tokens.get("k", refresh) == "new"


def test_a_worker_that_died_while_it_refreshed_holds_a_token_for_thirty_seconds(
    ledger: Ledger, clock: FrozenClock
) -> None:
    assert ledger.tokens._lock("k")
    other = Tokens(clock, sleep=lambda _: None)
    clock.advance(29)
    with pytest.raises(Throttled):
        other.get("k", lambda: ("new", 3600))

    clock.advance(1)
    assert other.get("k", lambda: ("new", 3600)) == "new"


def test_a_token_can_be_refreshed_at_once_when_no_reply_comes_to_its_lock(ledger: Ledger, lost: LostReplies) -> None:
    lost.lose(every_try=True)
    with pytest.raises(Unavailable):
        ledger.tokens.get("k", lambda: ("first", 3600))

    assert ledger.tokens.get("k", lambda: ("second", 3600)) == "second"


# --- tables that do not answer


def test_a_lease_that_another_took_over_while_no_reply_came_stays_theirs(
    ledger: Ledger, lost: LostReplies, clock: FrozenClock
) -> None:
    others: list[Any] = []

    def another_takes_it() -> None:
        if not others:
            clock.advance(2)
            others.append(Ledger(clock)._take("x", 330))
            lost.writes -= 1  # theirs is not among those whose replies are lost

    lost.lose(every_try=True)
    lost.between = another_takes_it
    with pytest.raises(Unavailable), ledger.lease("x", 1):
        pass

    others[0].check()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ReadTimeoutError(endpoint_url="http://dynamodb"), "ReadTimeoutError"),
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem"), "ThrottlingException"),
    ],
)
def test_a_table_that_does_not_answer_says_why(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    task = a_task()
    monkeypatch.setattr(BaseClient, "_make_api_call", Mock(side_effect=error))

    with pytest.raises(Unavailable, match=f"the ledger does not answer: {reason}"):
        ledger.get_task(RUN, task.id)
    # and a transaction is not taken for one that was refused
    with pytest.raises(Unavailable, match=reason):
        ledger.plan_together([task])


def test_every_read_sees_what_was_written_before(ledger: Ledger) -> None:
    """moto's reads always do; in DynamoDB it is consistent ones, which cost a unit each instead of a half."""
    task = planned(ledger)
    reads: dict[str, Callable[[], object]] = {
        "get": lambda: ledger.get_task(RUN, task.id),
        "batch": lambda: ledger.find_tasks(RUN, [task.id]),
        "query": lambda: list(ledger.tasks(RUN)),
    }
    with AwsCalls().counting() as calls:
        for calls.about, read in reads.items():
            read()

    assert calls.read_units == dict.fromkeys(reads, 1.0)
