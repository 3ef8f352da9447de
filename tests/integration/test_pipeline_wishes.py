"""What an operator asks for can be asked for again: cancel, redrive, accept, delete. Each is done or says why not."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import pytest

from adweir.intake.collect.outcomes import Outcomes
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, Profile, ProfileStatus
from adweir.model.errors import NotFound, Throttled, TooMuchData, Unavailable
from adweir.model.messages import CancelRun, Redrive, ResumeTasks, Sweep, TaskMessage
from adweir.model.platforms import Platform
from adweir.model.runs import RunState, StageState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import iso
from adweir.runtime.app import App
from adweir.runtime.settings import Settings
from support.api import Call
from support.clock import FrozenClock
from support.crash import Killed
from support.load_world import LoadWorld
from support.outlets import MemoryQueues
from support.pipeline import a_run, a_task
from support.pipeline_world import HOURLY, PipelineWorld, run_to_end, state

pytestmark = pytest.mark.usefixtures("tables")
META = Platform("meta_ads")


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock)


# --- cancel


def test_a_run_that_is_cancelled_while_it_is_planned_pulls_nothing_more(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.found = [str(number) for number in range(1, 61)]
    plan, planned = world.ledger.plan_together, list[Task]()

    def watched(tasks: Sequence[Task]) -> set[str]:
        if tasks[0].stage == "pulls":  # what was started by mistake is noticed while 50 of 120 tasks are planned
            planned.extend(tasks)
            world.handle(CancelRun(run_id="r"))
        return plan(tasks)

    monkeypatch.setattr(world.ledger, "plan_together", watched)
    run_to_end(world)

    assert len(planned) == 50
    pulled = [task for task in world.ledger.tasks("r") if task.state is TaskState.LOADED and task.stage == "pulls"]
    assert pulled == []
    assert state(world) is RunState.CANCELLED
    assert not world.ledger.progress("r")[1]


def test_a_planner_that_died_after_the_cancellation_leaves_nothing_to_pull(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("1", "2"):
        world.add_profile(number)
    world.handle(HOURLY)
    (message,) = world.runs.take()

    def dies(*_: object) -> bool:
        world.handle(CancelRun(run_id="r"))
        world.ledger.plan(a_task(run_id="r", profile_id="1"))
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "planned_until", dies)
        with pytest.raises(Killed):
            world.handle(message)
    world.clock.advance(300)

    world.handle(message)
    world.drain()

    assert set(world.tasks("r").values()) == {TaskState.CANCELLED}
    assert not world.ledger.progress("r")[1]


def test_a_planner_that_died_before_it_removed_its_marker_is_finished_by_the_next_message(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, died = world.ledger.end_planning, list[str]()

    def dies(run_id: str, stage: str) -> None:
        if stage == "pulls" and not died:
            died.append(stage)
            raise Killed
        end(run_id, stage)

    monkeypatch.setattr(world.ledger, "end_planning", dies)
    run_to_end(world)

    assert died
    assert state(world) is RunState.SUCCEEDED


# --- redrive and accept


def test_a_cancelled_run_is_not_redriven(world: PipelineWorld) -> None:
    world.found = ("1", "2")
    world.fate = lambda task: TaskState.FAILED if task.profile_id == "1" else None if task.profile_id else done(task)
    run_to_end(world)
    world.handle(CancelRun(run_id="r"))
    before = world.tasks("r")

    world.handle(Redrive(run_id="r"))
    world.drain()

    assert state(world) is RunState.CANCELLED
    assert world.tasks("r") == before


def done(_task: Task) -> TaskState:
    return TaskState.LOADED


def test_an_operators_leave_for_a_vanishing_pull_survives_a_split(world: PipelineWorld) -> None:
    world.ledger.create_run(a_run())
    world.ledger.plan(a_task())
    world.ledger.finish("run-1", a_task().id, 0, TaskState.QUARANTINED)
    again = world.ledger.redrive(world.task(a_task()), 2_000_000_000, accept_vanish=True)
    assert again is not None
    error = TooMuchData("too much")
    assert again.window is not None
    error.parts = [again.child(window=half) for half in again.window.halves()]
    message = TaskMessage(run_id="run-1", task_id=again.id, generation=again.generation)

    Outcomes(world.ledger, world.catalog, world.queues, world.bus).settle(message, error)

    children = [task for task in world.ledger.pulls("run-1") if task.parent]
    assert [child.accept_vanish for child in children] == [True, True]


# --- lists


def test_a_list_of_runs_skips_none(clock: FrozenClock, world: PipelineWorld) -> None:
    """A start that came twice at once leaves an index row that stands for nothing: the page is filled all the same."""
    clock.advance(-30 * 86_400)
    world.ledger.create_run(a_run("october"))
    clock.advance(30 * 86_400)
    for number in range(6):
        clock.advance(60)
        world.ledger.create_run(a_run(f"november-{number}"))
    clock.advance(1)
    at = iso(clock.now())
    world.ledger._put(world.ledger._row(f"runs#{at[:7]}", f"{at}#november-5", state="daily"))

    seen, token = [], ""
    while True:
        runs, token = world.ledger.list_runs(3, token)
        assert len(runs) <= 3
        seen += [run.run_id for run in runs]
        if not token:
            break

    assert seen == [*(f"november-{number}" for number in (5, 4, 3, 2, 1, 0)), "october"]


# --- deletion


@pytest.fixture
def app(clock: FrozenClock, settings: Settings) -> App:
    """A client with three ad accounts."""
    app = App(settings, clock)
    app.__dict__["queues"] = MemoryQueues()
    app.catalog.create_account("acc", "A", "a@b.example")
    app.registration.register("acc", "meta", {"access_token": "first-token"})
    profiles = [
        Profile(account_id="acc", platform=META, profile_id=str(n), name="n", currency="EUR", timezone="UTC")
        for n in range(3)
    ]
    app.catalog.put_objects(profiles, iso(clock.now()))
    return app


def breaks_off(app: App, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """The function's time is up at this profile."""
    mark, calls = app.catalog.mark_profile, list[str]()

    def marked(platform: Platform, profile_id: str, status: ProfileStatus) -> bool:
        calls.append(profile_id)
        if len(calls) == at:
            raise Unavailable("time-out")
        return mark(platform, profile_id, status)

    monkeypatch.setattr(app.catalog, "mark_profile", marked)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_deletion_of_an_account_that_broke_off_can_be_repeated(
    app: App, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    breaks_off(app, monkeypatch, at)
    with pytest.raises(Unavailable):
        app.registration.forget_account("acc")

    app.registration.forget_account("acc")

    assert {profile.status for profile in app.catalog.profiles("acc")} == {"inactive"}
    assert app.catalog.credentials() == []
    with pytest.raises(NotFound, match="was deleted"):
        app.catalog.account("acc")
    with pytest.raises(NotFound):
        app.secrets.get("adweir/credential/acc/meta_ads/default")


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_deletion_of_a_credential_that_broke_off_can_be_repeated(
    app: App, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    breaks_off(app, monkeypatch, at)
    with pytest.raises(Unavailable):
        app.registration.forget("acc", "meta")

    app.registration.forget("acc", "meta")

    assert {profile.status for profile in app.catalog.profiles("acc")} == {"removed"}
    assert app.catalog.credentials() == []
    with pytest.raises(NotFound):
        app.secrets.get("adweir/credential/acc/meta_ads/default")


# --- what the API answers


def test_a_redrive_says_what_it_does_and_why_not_the_rest(call: Call, api: ModuleType) -> None:
    ledger, path = api.app.ledger, "/api/v1/runs/run-1/redrive"
    ledger.create_run(a_run())
    failed, parked, loaded, planned = (a_task(profile_id=str(number)) for number in range(4))
    ends = [(failed, TaskState.FAILED), (parked, TaskState.PARKED), (loaded, TaskState.LOADED)]
    for task in (failed, parked, loaded, planned):
        ledger.plan(task)
    for task, end in ends:
        ledger.finish("run-1", task.id, 0, end)

    assert call("POST", path, expect=202) == {
        "run_id": "run-1",
        "tasks": 2,
        "left": [],
        "waits_for": None,
    }
    answer = call("POST", path, {"task_ids": [failed.id, loaded.id, planned.id]}, expect=202)
    assert answer["tasks"] == 1
    assert answer["left"] == [
        {"task_id": loaded.id, "state": "loaded", "reason": "its rows are stored"},
        {"task_id": planned.id, "state": "planned", "reason": "it has not ended"},
    ]
    refused = call("POST", path, {"task_ids": [loaded.id]}, expect=409)
    assert refused["error"]["message"] == "run run-1 has no task to try again: 1 loaded"
    assert call("POST", path, {"task_ids": ["no"]}, expect=404)["error"]["message"] == "run run-1 has no task no"


def test_a_redrive_that_was_asked_for_twice_is_answered_twice(call: Call, api: ModuleType) -> None:
    ledger = api.app.ledger
    ledger.create_run(a_run())
    ledger.plan(a_task())
    ledger.finish("run-1", a_task().id, 0, TaskState.FAILED)
    assert call("POST", "/api/v1/runs/run-1/redrive", expect=202)["tasks"] == 1
    ledger.redrive(ledger.get_task("run-1", a_task().id), 2_000_000_000)
    assert call("POST", "/api/v1/runs/run-1/redrive", expect=202)["tasks"] == 1


def test_a_cancelled_run_can_be_cancelled_again_and_not_redriven(call: Call, api: ModuleType) -> None:
    ledger = api.app.ledger
    ledger.create_run(a_run())
    ledger.plan(a_task())
    ledger.finish("run-1", a_task().id, 0, TaskState.FAILED)
    ledger.change_run(ledger.get_run("run-1"), state=RunState.CANCELLED)

    call("POST", "/api/v1/runs/run-1/cancel", expect=202)
    refused = call("POST", "/api/v1/runs/run-1/redrive", expect=409)

    assert refused["error"]["message"] == "run run-1 was cancelled: start its workflow again"


def test_a_stored_credential_says_how_many_tasks_are_tried_again(call: Call, api: ModuleType, account_id: str) -> None:
    path, body = f"/api/v1/accounts/{account_id}/credentials", {"platform": "meta", "access_token": "first-token"}
    assert call("POST", path, body, expect=201)["tasks_redriven"] == 0
    ledger = api.app.ledger
    ledger.create_run(a_run())
    ledger.plan(a_task(account_id=account_id))
    ledger.finish("run-1", a_task(account_id=account_id).id, 0, TaskState.PARKED)

    assert call("POST", path, body, expect=201)["tasks_redriven"] == 1


def test_a_deletion_says_what_it_did(call: Call, api: ModuleType, account_id: str) -> None:
    path = f"/api/v1/accounts/{account_id}"
    call("POST", f"{path}/credentials", {"platform": "meta", "access_token": "first-token"}, expect=201)
    profile = Profile(account_id=account_id, platform=META, profile_id="1", name="n", currency="EUR", timezone="UTC")
    api.app.catalog.put_objects([profile], iso(api.app.clock.now()))

    answer = call("DELETE", f"{path}/credentials/meta")
    assert (answer["status"], answer["profiles"]) == ("deleted", 1)
    call("POST", f"{path}/credentials", {"platform": "meta", "access_token": "second-token"}, expect=201)
    answer = call("DELETE", path)
    assert (answer["status"], answer["credentials"], answer["profiles"]) == ("deleted", 1, 1)
    assert "was deleted" in call("DELETE", path, expect=404)["error"]["message"]


# --- changes are announced after any crash


def test_changed_objects_are_announced_although_the_worker_died_before(
    clock: FrozenClock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a list of campaigns that brings one, lacks another, and whose worker dies before it says so
    world = LoadWorld(clock, settings.bucket)
    gone = AdCampaign(platform=META, profile_id="1", id="8", campaign_id="8")
    world.catalog.put_objects([gone], iso(clock.now()))
    clock.advance(60)
    task = world.plan(Dataset.CAMPAIGNS, None)
    key = world.land(task, {"data": [{"id": "7", "name": "renamed"}, {"id": "9", "name": "new"}]})
    publish, died = world.bus.publish, list[int]()

    def dies(*events: object) -> None:
        if not died:
            died.append(1)
            raise Killed
        publish(*events)  # type: ignore[arg-type]

    monkeypatch.setattr(world.bus, "publish", dies)
    with pytest.raises(Killed):
        world.arrive(key)

    world.arrive(key)

    (event,) = [event for event in world.bus.events if event.name == "EntitiesChanged"]
    assert (event.added + event.changed, event.removed) == (2, 1)


def test_listed_ad_accounts_are_announced_although_the_worker_died_before(
    clock: FrozenClock, world: PipelineWorld
) -> None:
    profile = Profile(account_id="acc-1", platform=META, profile_id="1", name="n", currency="EUR", timezone="UTC")
    at = iso(clock.now())
    assert world.catalog.put_objects([profile], at) == (1, 0, 0)
    assert world.catalog.put_objects([profile], at) == (0, 1, 0)
    clock.advance(1)
    assert world.catalog.put_objects([profile], iso(clock.now())) == (0, 0, 1)


def test_a_sweep_finishes_what_a_cancellation_began(world: PipelineWorld) -> None:
    world.ledger.create_run(a_run("r", workflow="weekly", stage="metrics", stage_state=StageState.OPEN))
    world.ledger.plan(a_task(run_id="r"))
    run = world.ledger.get_run("r")
    assert run is not None
    world.ledger.change_run(run, state=RunState.CANCELLED)

    world.handle(Sweep())

    assert set(world.tasks("r").values()) == {TaskState.CANCELLED}


def test_tasks_that_wait_for_a_released_brake_are_tried_again_at_once_and_no_others(world: PipelineWorld) -> None:
    # given planned tasks of two ad accounts that a brake holds back, and one that somebody works on
    world.found = ("1", "2")
    world.fate = lambda task: None if task.profile_id else TaskState.LOADED
    run_to_end(world)
    waits = {"code": "throttled", "reason": "code 17", "until": 0}
    open_tasks = [task for task in world.ledger.pulls("r") if not task.state.is_terminal]
    for task in open_tasks:
        world.ledger.release(task, waits)
    held = next(task for task in open_tasks if task.profile_id == "1")
    world.ledger.claim("r", held.id, 0, 60)
    theirs = {task.id for task in open_tasks if task.profile_id == "1"} - {held.id}
    # when the brake of the first is released, twice
    for _ in range(2):
        world.handle(ResumeTasks(platform="meta_ads", profile="1"))
    # then each of its waiting tasks is sent once
    assert [message.task_id for message in world.collect.take()] == sorted(theirs)
    # and a wider brake concerns the tasks of the other, too
    world.handle(ResumeTasks(platform="meta_ads"))
    others = {task.id for task in open_tasks if task.profile_id == "2"}
    assert {message.task_id for message in world.collect.take()} == others


def test_a_resumption_that_runs_out_of_time_goes_on_with_the_same_message(world: PipelineWorld) -> None:
    world.fate = lambda task: None if task.profile_id else TaskState.LOADED
    run_to_end(world)
    open_tasks = [task for task in world.ledger.tasks("r") if not task.state.is_terminal]
    for task in open_tasks:
        world.ledger.release(task, {"code": "throttled", "reason": "code 17", "until": 0})
    looks = iter([60.0] + [1.0] * 99)
    with pytest.raises(Throttled):
        world.engine.handle(ResumeTasks(platform="meta_ads"), lambda: next(looks))
    assert len(world.collect.messages) == 1 < len(open_tasks)
    world.handle(ResumeTasks(platform="meta_ads"))
    assert sorted(message.task_id for message in world.collect.take()) == sorted(task.id for task in open_tasks)
