"""`adweir sync`, `runs`, `run`, `watch`, `redrive` and `cancel`, on a pipeline in memory, by what comes of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from adweir.model.messages import Message
from adweir.model.runs import RunState
from adweir.model.tasks import AnyTask, Task, TaskState
from adweir.platforms import REGISTRY
from ops import output, watching
from ops.runs import troubles
from support.clock import FrozenClock
from support.command_line import Run, commands_on
from support.pipeline_world import DAILY, PipelineWorld, advance, begin, run_to_end, state


class Operated:
    """As much of the App as the commands use."""

    def __init__(self, world: PipelineWorld) -> None:
        self.catalog, self.ledger, self.clock, self.queues = world.catalog, world.ledger, world.clock, world.queues
        self.platforms = REGISTRY

    def app(self) -> Operated:
        return self

    def new_id(self) -> str:
        return "5f0c1d2e3b4a59687786950413223140"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock, found=("1042017731", "2"))


@pytest.fixture
def adweir(world: PipelineWorld, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_on(Operated(world), monkeypatch)


@pytest.fixture
def working(world: PipelineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a command sleeps, the functions work on what was sent so far."""

    def sleep(seconds: float) -> None:
        assert seconds >= 2.0
        messages: list[Message] = world.runs.take()
        for message in messages:
            world.handle(message)
        for task in [] if messages else world.collect.take():
            world.work(task)
        for queue in world.queues.workers.values():
            for task in queue.take():
                world.work_on_account(task)

    monkeypatch.setattr(time, "sleep", sleep)


def one_fails(world: PipelineWorld) -> None:
    """Pulls of one ad account fail."""

    def fate(task: Task) -> TaskState:
        return TaskState.FAILED if task.profile_id == "2" else TaskState.LOADED

    world.fate = fate


def test_a_sync_is_asked_for_and_followed_to_its_end(adweir: Run, world: PipelineWorld, working: None) -> None:
    done = adweir("sync", "acc-1", "--watch")

    (run,), _ = world.ledger.list_runs()
    assert (run.workflow, run.scope.accounts, run.state) == ("sync", ("acc-1",), RunState.SUCCEEDED)
    assert done.stdout.splitlines() == [run.run_id, f"{run.run_id} succeeded: 0 rows stored"]
    assert f"{run.run_id} was asked for and has not begun" in done.stderr
    assert max(map(len, adweir("runs").stdout.splitlines())) <= output.WIDTH
    assert "[########################] 1 of 1" in done.stderr


def test_a_sync_that_joins_an_open_one_says_so(adweir: Run, clock: FrozenClock) -> None:
    first = adweir("sync", "acc-1")
    clock.advance(60)
    again = adweir("sync", "acc-1")

    assert again.stdout == first.stdout
    assert "open already" not in first.stderr
    assert "the same sync is open already" in again.stderr


def test_a_run_that_fails_ends_the_command_with_1_and_what_to_do(
    adweir: Run, world: PipelineWorld, working: None
) -> None:
    one_fails(world)

    done = adweir("sync", "--watch", expect=1)

    (run,), _ = world.ledger.list_runs()
    assert f"{run.run_id} partial" in done.stdout
    assert "2 failed: no reason is recorded" in done.stdout
    assert f"when the cause is mended: adweir redrive {run.run_id}" in done.stdout
    assert "!" in done.stderr


def test_the_runs_are_listed_with_what_failed_and_found_by_state(adweir: Run, world: PipelineWorld) -> None:
    one_fails(world)
    run_to_end(world)

    listed, none = adweir("runs"), adweir("runs", "--state", "failed")
    as_json = [json.loads(line) for line in adweir("runs", "--json").stdout.splitlines()]

    assert [line.split()[-1] for line in listed.stdout.splitlines()] == ["RUN", "r"]
    assert " partial " in listed.stdout
    assert (none.stdout, "no run fits" in none.stderr) == ("", True)
    assert [(one["run_id"], one["state"]) for one in as_json] == [("r", "partial")]


def test_a_run_is_shown_with_its_stages_its_failures_and_its_tasks(adweir: Run, world: PipelineWorld) -> None:
    one_fails(world)
    run_to_end(world)
    failed = [task for task in world.ledger.pulls("r") if task.state is TaskState.FAILED]

    said = adweir("run", "--tasks", "--state", "failed").stdout
    body: dict[str, Any] = json.loads(adweir("run", "r", "--json").stdout)

    assert all(f"{task.id}  meta_ads 2 {task.dataset}" in said for task in failed)
    assert said.count("failed  meta_ads 2") == len(failed) == 2
    assert all(len(line) <= output.WIDTH for line in said.splitlines())
    assert (body["tasks_failed"], len(body["failed_tasks"]), body["backfill"]) == (2, 2, None)


def test_the_tasks_of_a_run_are_read_once(adweir: Run, world: PipelineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    run_to_end(world)
    asked: list[str] = []
    tasks = world.ledger.tasks

    def noted(run_id: str) -> Iterator[AnyTask]:
        asked.append(run_id)
        return tasks(run_id)

    monkeypatch.setattr(world.ledger, "tasks", noted)

    adweir("run", "r", "--tasks")

    assert asked == ["r"]


def test_what_failed_is_tried_again_and_the_rest_stays(adweir: Run, world: PipelineWorld, working: None) -> None:
    one_fails(world)
    run_to_end(world)
    worked = len(world.worked)
    world.fate = lambda task: TaskState.LOADED

    done = adweir("redrive", "r", "--watch")

    assert state(world) is RunState.SUCCEEDED
    assert len(world.worked) == worked + 2
    assert done.stdout.splitlines()[0] == "2 tasks are tried again"


def failed(state: TaskState, code: str) -> dict[str, Any]:
    about = {"platform": "meta_ads", "profile_id": "1", "dataset": "ad_daily", "slice": "all", "window": None}
    return about | {"task_id": code, "kind": "pull", "account_id": "acc-1", "state": state, "error": {"code": code}}


@pytest.mark.parametrize(
    ("tasks", "advice"),
    [
        ([failed(TaskState.FAILED, "report_failed")], ["when the cause is mended: adweir redrive r"]),
        ([failed(TaskState.FAILED, "access_denied")] * 2, ["when the permission is back: adweir sync acc-1"]),
        (
            [failed(TaskState.PARKED, "auth_expired"), failed(TaskState.FAILED, "auth_expired")],
            [
                "a refused credential has to be stored anew, then its tasks go on: adweir health",
                "when the cause is mended: adweir redrive r",
            ],
        ),
    ],
)
def test_what_mends_a_run_depends_on_why_its_tasks_failed(tasks: list[dict[str, Any]], advice: list[str]) -> None:
    found = {"run_id": "r", "state": "partial", "tasks_failed": len(tasks), "failed_tasks": tasks, "waiting_tasks": []}

    said = list(troubles(found))

    assert said[-len(advice) :] == advice
    assert said[-len(advice) - 1] == ""


def test_a_task_that_is_named_alone_is_tried_again(adweir: Run, world: PipelineWorld) -> None:
    one_fails(world)
    run_to_end(world)
    first, other = (task for task in world.ledger.pulls("r") if task.state is TaskState.FAILED)
    loaded = next(task for task in world.ledger.pulls("r") if task.state is TaskState.LOADED)

    done = adweir("redrive", "r", "--task", first.id, "--task", loaded.id)
    advance(world)

    states = {task.id: task.state for task in world.ledger.pulls("r")}
    assert (states[first.id], states[other.id]) == (TaskState.PLANNED, TaskState.FAILED)
    assert f"{loaded.id} stays loaded: its rows are stored" in done.stderr


def test_a_run_is_cancelled_when_somebody_is_sure(
    adweir: Run, world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fate = lambda task: None
    run_to_end(world)

    refused = adweir("cancel", "r", "--no-input", expect=1)
    assert "there is nobody to ask: add --yes" in refused.stderr
    assert not world.runs.messages
    monkeypatch.setattr("ops.output.can_ask", lambda _context, _instead: True)
    monkeypatch.setattr("typer.confirm", lambda question, err: "Cancel run r, which is at" not in question)
    assert "nothing was done" in adweir("cancel", "r", expect=1).stderr
    assert not world.runs.messages

    adweir("cancel", "r", "--yes")
    advance(world)

    assert state(world) is RunState.CANCELLED
    assert adweir("cancel", "r", "--yes").stdout == "r was cancelled before\n", "the same again is no fault"
    assert "1 cancelled: with the run" in adweir("run", "r").stdout
    assert "was cancelled: start its workflow again" in adweir("redrive", "r", expect=1).stderr


def test_a_run_that_ended_cannot_be_cancelled(adweir: Run, world: PipelineWorld) -> None:
    run_to_end(world)

    assert "run r has already ended: succeeded" in adweir("cancel", "r", expect=1).stderr


def test_a_run_that_was_asked_for_a_moment_ago_is_waited_for(
    adweir: Run, world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = adweir("sync").stdout.strip()
    monkeypatch.setattr(time, "sleep", lambda _seconds: world.drain())

    assert adweir("watch", run_id).stdout == f"{run_id} succeeded: 0 rows stored\n"


def test_a_run_that_is_not_there_is_said_with_where_to_look(adweir: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.runs._BEGINS_SECONDS", 0)
    assert "nothing has run yet: adweir sync starts a run" in adweir("run", expect=1).stderr
    for verb in ("run", "watch", "redrive", "cancel"):
        assert "there is no run run_x: adweir runs lists them" in adweir(verb, "run_x", expect=1).stderr


def test_what_never_begins_is_not_waited_for_without_end(adweir: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_BEGINS_SECONDS", -1)

    assert "has not begun: see adweir health" in adweir("sync", "--watch", expect=1).stderr


def test_each_change_is_a_line_for_programs(adweir: Run, world: PipelineWorld, working: None) -> None:
    begin(world, DAILY)

    looks = [json.loads(line) for line in adweir("watch", "r", "--json").stdout.splitlines()]

    assert (looks[0]["state"], looks[-1]["state"]) == ("running", "succeeded")
    assert len(looks) > 2


def test_what_a_run_waits_for_is_in_lines_that_fit() -> None:
    found: dict[str, Any] = {"run_id": "r", "state": "running", "backfill": None, "stages": [], "tasks_waiting": 1}

    lines = watching.lines_of_run(found | {"waiting_tasks": [{"waits_for": "ab " * 60}]})

    assert lines[1].startswith("  waits: ab ab")
    assert lines[2].startswith("    ab ab")
    assert max(map(len, lines)) <= output.WIDTH


@pytest.mark.parametrize(
    ("done", "failed", "total", "shown"),
    [
        (0, 0, 0, "[------------------------]"),
        (1, 0, 100, "[------------------------]"),
        (99, 0, 100, "[#######################-]"),
        (99, 1, 100, "[#######################!]"),
        (100, 0, 100, "[########################]"),
        (0, 1, 1000, "[!-----------------------]"),
    ],
)
def test_a_bar_is_whole_only_when_all_is_done_and_no_failure_is_lost(
    done: int, failed: int, total: int, shown: str
) -> None:
    assert watching.bar(done, failed, total) == shown
