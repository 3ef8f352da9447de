"""Stages that pull nothing: a task per client account, from its planning to its end, in good runs and bad ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import ProfileStatus
from adweir.model.errors import NotFound, NotReady, RequestRejected, Throttled, Transient
from adweir.model.flows import StageKind
from adweir.model.messages import CancelRun, Redrive, Scope, StartRun, Sweep, TaskMessage
from adweir.model.runs import RunState
from adweir.model.tasks import AccountTask, Task, TaskState
from adweir.pipeline.pipelines import PIPELINES
from adweir.pipeline.workflows import WORKFLOWS
from adweir.platforms.base import DatasetSpec
from support.clock import FrozenClock
from support.crash import Crash
from support.pipeline_world import DAILY, META, MORNING, SPECS, PipelineWorld, run_of, run_to_end, state

pytestmark = pytest.mark.usefixtures("tables")

KINDS = (StageKind.RECONCILE, StageKind.ETL, StageKind.CURATE, StageKind.DETECT, StageKind.ENRICH, StageKind.FEATURES)
"""What follows the days that a built-in workflow brings."""
FOLLOWING = [(kind, "acc-1") for kind in KINDS]
WITH_TOTALS = {
    Dataset.PROFILES: DatasetSpec(Dataset.PROFILES),
    Dataset.AD_DAILY: DatasetSpec(Dataset.AD_DAILY, sums_to_parent=False),
    Dataset.ACCOUNT_DAILY: DatasetSpec(Dataset.ACCOUNT_DAILY, lookback_days=3),
}
REFRESH = StartRun(workflow="refresh", scheduled_at=MORNING, run_id="r", scope=Scope(accounts=("acc-1",)))


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock)


def task_of(world: PipelineWorld, kind: StageKind = StageKind.ETL, run_id: str = "r") -> AccountTask:
    (found,) = (task for task in world.ledger.tasks(run_id) if isinstance(task, AccountTask) and task.kind is kind)
    return found


def fails(world: PipelineWorld, error: Exception, kind: StageKind = StageKind.ETL) -> None:
    def job(of: StageKind, _account_id: str) -> None:
        if of is kind:
            raise error

    world.job = job


def until_etl(world: PipelineWorld, message: StartRun = DAILY) -> TaskMessage:
    """Work until the task of the stage etl waits in its queue; its message, which is taken from there."""
    world.runs.send(message)
    queues = (world.runs, world.collect)
    while not world.queues.etl.messages:
        queue = next(queue for queue in queues if queue.messages)
        world._deliver(queue, queue.messages.pop(0), lose=False)
    while world.runs.messages:
        world.handle(world.runs.messages.pop(0))
    sent = {message.task_id: message for message in world.queues.etl.take()}
    found = sent.pop(task_of(world).id)
    world.queues.etl.messages += sent.values()
    assert isinstance(found, TaskMessage)
    return found


# --- which accounts, and when


def test_what_follows_the_data_is_done_once_per_client_after_its_pulls(world: PipelineWorld) -> None:
    world.specs[META] = WITH_TOTALS
    order: list[str] = []
    world.fate = lambda task: order.append("pull") or TaskState.LOADED  # type: ignore[func-returns-value]
    world.job = lambda kind, _account_id: order.append(str(kind))

    run_to_end(world)

    assert sorted(world.done) == sorted(FOLLOWING)
    assert sorted(order[-len(KINDS) :]) == sorted(KINDS)
    assert {stage.name: (stage.tasks, stage.loaded) for stage in run_of(world).stages[-len(KINDS) :]} == {
        "reconcile": (1, 1),
        "etl": (1, 1),
        "curate": (1, 1),
        "detect": (1, 1),
        "enrich": (1, 1),
        "features": (1, 1),
    }


@pytest.mark.parametrize(
    ("scope", "accounts"),
    [
        (Scope(), ["acc-1", "acc-2"]),
        (Scope(accounts=("acc-2",)), ["acc-2"]),
        (Scope(profiles=("meta_ads#2",)), ["acc-2"]),
        (Scope(platforms=("google",)), []),
    ],
)
def test_a_stage_has_a_task_for_each_client_with_an_active_ad_account_in_scope(
    world: PipelineWorld, scope: Scope, accounts: list[str]
) -> None:
    world.add_profile("1")
    world.add_profile("2", account_id="acc-2")
    world.add_profile("3", account_id="acc-3", status=ProfileStatus.DENIED)

    run_to_end(world, REFRESH.model_copy(update={"scope": scope}))

    assert sorted(account for kind, account in world.done if kind is StageKind.ETL) == accounts
    assert (run_of(world).state, run_of(world).reason) == (RunState.SUCCEEDED, "")


@pytest.mark.parametrize(
    ("workflow", "dataset", "kinds"),
    [
        ("daily", "profiles", ()),
        ("backfill", "campaign_hourly", ()),
        ("sync", "invoices", ("reconcile",)),
        ("daily", "campaigns", KINDS),
    ],
)
def test_a_run_is_followed_by_what_is_made_of_its_datasets(
    world: PipelineWorld, workflow: str, dataset: str, kinds: Sequence[str]
) -> None:
    world.add_profile("1")
    world.specs[META] = SPECS | {Dataset.INVOICES: DatasetSpec(Dataset.INVOICES)}
    scope = Scope(datasets=(dataset,), start="2026-11-19", end="2026-11-19")

    run_to_end(world, DAILY.model_copy(update={"workflow": workflow, "scope": scope}))

    assert (sorted(kind for kind, _ in world.done), state(world)) == (sorted(kinds), RunState.SUCCEEDED)


def test_the_workflows_that_bring_days_end_with_what_follows_them() -> None:
    ends = {
        name: {stage.kind for stage in flow.stages} - {StageKind.PULL}
        for name, flow in WORKFLOWS.items()
        if name not in PIPELINES
    }

    assert ends.pop("hourly") == set()
    assert all(kinds == {*KINDS, StageKind.LEARN} for kinds in ends.values())


# --- pulls that failed


def test_what_follows_is_done_although_some_pulls_failed(world: PipelineWorld) -> None:
    world.found = ("1", "2")
    world.fate = lambda task: TaskState.FAILED if task.profile_id == "1" else TaskState.LOADED

    run_to_end(world)

    assert sorted(world.done) == sorted(FOLLOWING)
    assert state(world) is RunState.PARTIAL


def test_what_follows_is_done_although_no_total_came(world: PipelineWorld) -> None:
    world.specs[META] = WITH_TOTALS
    world.fate = lambda task: TaskState.FAILED if task.dataset is Dataset.ACCOUNT_DAILY else TaskState.LOADED

    run_to_end(world)

    assert sorted(world.done) == sorted(FOLLOWING)
    assert (state(world), run_of(world).reason) == (RunState.PARTIAL, "stage totals: 0 of 1 tasks loaded")


def test_a_run_that_brought_nothing_has_failed_and_nothing_follows(world: PipelineWorld) -> None:
    world.fate = lambda task: TaskState.FAILED if task.profile_id else TaskState.LOADED

    run_to_end(world)

    assert (world.done, state(world)) == ([], RunState.FAILED)
    assert run_of(world).reason == "stage pulls: 0 of 2 tasks loaded"


# --- work that fails


def test_a_failure_of_what_follows_makes_a_run_partial_with_the_reason(world: PipelineWorld) -> None:
    fails(world, RequestRejected("the disk is full"))

    run_to_end(world)

    run, task = run_of(world), task_of(world)
    assert (run.state, run.reason, run.tasks_failed) == (RunState.PARTIAL, "stage etl: 0 of 1 tasks loaded", 1)
    assert (task.state, task.error) == (TaskState.FAILED, {"code": "request_rejected", "message": "the disk is full"})
    assert task_of(world, StageKind.RECONCILE).state is TaskState.LOADED


def test_a_failure_of_what_follows_makes_a_run_partial_that_had_nothing_to_pull(world: PipelineWorld) -> None:
    world.specs[META] = {Dataset.PROFILES: DatasetSpec(Dataset.PROFILES)}
    world.add_profile("1")
    fails(world, RequestRejected("the disk is full"))

    run_to_end(world)

    assert state(world) is RunState.PARTIAL


def test_a_run_without_pulls_fails_when_all_of_its_work_does(world: PipelineWorld) -> None:
    world.add_profile("1")
    world.catalog.put_workflow("mine", json.dumps({"stages": [{"name": "a", "kind": "etl"}]}))
    fails(world, RequestRejected("the disk is full"))

    run_to_end(world, REFRESH.model_copy(update={"workflow": "mine"}))

    assert (state(world), run_of(world).reason) == (RunState.FAILED, "stage a: 0 of 1 tasks loaded")


def test_an_account_that_is_gone_is_no_failure(world: PipelineWorld) -> None:
    fails(world, NotFound("no account"))

    run_to_end(world)

    assert (state(world), task_of(world).state) == (RunState.SUCCEEDED, TaskState.SKIPPED)


def test_a_redrive_does_again_what_failed_and_nothing_else(world: PipelineWorld) -> None:
    fails(world, RequestRejected("the disk is full"))
    run_to_end(world)
    pulled = len(world.worked)
    world.job = lambda kind, account_id: None

    world.handle(Redrive(run_id="r"))
    world.drain()

    assert (state(world), len(world.worked)) == (RunState.SUCCEEDED, pulled)
    assert sorted(world.done) == sorted(FOLLOWING)
    assert (task_of(world).generation, task_of(world).attempts) == (1, 1)


# --- pulls that are tried again


def test_what_follows_is_done_anew_when_pulls_were_tried_again(world: PipelineWorld) -> None:
    world.found = ("1", "2")
    world.fate = lambda task: TaskState.FAILED if task.profile_id == "1" else TaskState.LOADED
    run_to_end(world)
    before = task_of(world)
    world.fate = lambda task: TaskState.LOADED

    for _ in range(2):
        world.handle(Redrive(run_id="r"))
        world.drain()

    assert sorted(world.done) == sorted(FOLLOWING * 2)
    assert (state(world), run_of(world).tasks_total) == (RunState.SUCCEEDED, 5 + len(KINDS))
    assert replace(task_of(world), updated_at="") == replace(before, generation=1, round=1, updated_at="")


def test_what_follows_waits_for_pulls_that_are_tried_again_in_its_midst(world: PipelineWorld) -> None:
    """Given a run whose pulls have ended, when one of them is redriven before what follows was done."""
    world.found = ("1", "2")
    world.fate = lambda task: TaskState.FAILED if task.profile_id == "1" and task.window else TaskState.LOADED
    early = until_etl(world)
    order: list[str] = []
    world.fate = lambda task: order.append("pull") or TaskState.LOADED  # type: ignore[func-returns-value]
    world.job = lambda kind, _account_id: order.append(str(kind))

    world.handle(Redrive(run_id="r"))
    assert world.queues.etl.messages
    world.work_on_account(early)
    world.drain()

    assert order[0] == "etl", "its message was on its way already"
    assert {*order[order.index("pull") + 1 :]} == set(KINDS)
    assert order.count("etl") == 2
    assert state(world) is RunState.SUCCEEDED


# --- a message that comes twice, late, or not at all


def test_a_second_message_waits_for_the_first_and_then_does_nothing(world: PipelineWorld) -> None:
    message = until_etl(world)

    def during(*_: Any) -> None:
        with pytest.raises(Throttled):
            world.account_work.handle(message, lambda: 60.0)

    world.job = during
    world.account_work.handle(message, lambda: 60.0)
    world.job = lambda kind, account_id: None
    world.account_work.handle(message, lambda: 60.0)
    world.drain()

    assert world.done.count((StageKind.ETL, "acc-1")) == 1
    assert (state(world), task_of(world).attempts) == (RunState.SUCCEEDED, 1)


def test_two_runs_do_not_do_the_same_for_an_account_at_once(world: PipelineWorld) -> None:
    first = until_etl(world)
    world.runs.take()
    second = TaskMessage.of(AccountTask("other", "etl", "acc-1", StageKind.ETL, 2_000_000_000))
    world.ledger.plan(AccountTask("other", "etl", "acc-1", StageKind.ETL, 2_000_000_000))

    def during(*_: Any) -> None:
        with pytest.raises(Throttled):
            world.account_work.handle(second, lambda: 60.0)

    world.job = during
    world.account_work.handle(first, lambda: 60.0)
    waits = (task_of(world, run_id="other").waits or {})["reason"]
    world.job = lambda kind, account_id: None
    world.account_work.handle(second, lambda: 60.0)

    assert waits == "etl of acc-1 is being worked on by another worker"
    assert world.done == [(StageKind.ETL, "acc-1")] * 2


@pytest.mark.parametrize("error", [NotReady("goes on", after=1), Transient("a reset"), Throttled("slow", 5)])
def test_work_goes_on_with_the_next_message(world: PipelineWorld, error: Exception) -> None:
    message = until_etl(world)
    fails(world, error)

    with pytest.raises(type(error)):
        world.account_work.handle(message, lambda: 60.0)
    waits = task_of(world)
    world.job = lambda kind, account_id: None
    world.account_work.handle(message, lambda: 60.0)

    assert (waits.hold_until, (waits.waits or {})["reason"]) == (0, str(error))
    ended = task_of(world)
    assert (ended.state, ended.attempts, ended.counts) == (TaskState.LOADED, 2, {"done": 1})


def test_a_task_whose_message_was_lost_is_sent_again(world: PipelineWorld, clock: FrozenClock) -> None:
    until_etl(world)
    world.drain()
    assert state(world) is RunState.RUNNING

    clock.advance(1801)
    world.handle(Sweep())
    world.drain()

    assert (state(world), sorted(world.done)) == (RunState.SUCCEEDED, sorted(FOLLOWING))


def test_work_that_does_not_end_fails_by_its_deadline(world: PipelineWorld, clock: FrozenClock) -> None:
    message = until_etl(world)
    clock.advance(21_601)

    world.work_on_account(message)
    world.drain()

    assert ((task_of(world).error or {})["code"], state(world)) == ("deadline", RunState.PARTIAL)


def test_the_sweep_fails_work_past_its_deadline(world: PipelineWorld, clock: FrozenClock) -> None:
    until_etl(world)
    world.drain()
    clock.advance(21_601)

    world.handle(Sweep())

    assert ((task_of(world).error or {})["code"], state(world)) == ("deadline", RunState.PARTIAL)


def test_a_time_out_of_its_stage_ends_work(world: PipelineWorld, clock: FrozenClock) -> None:
    world.add_profile("1")
    stages = [{"name": "a", "kind": "etl", "timeout_minutes": 5}]
    world.catalog.put_workflow("mine", json.dumps({"stages": stages}))
    until_etl(world, REFRESH.model_copy(update={"workflow": "mine"}))
    clock.advance(301)

    world.handle(Sweep())

    assert ((task_of(world).error or {})["code"], state(world)) == ("timed_out", RunState.FAILED)


def test_what_is_cancelled_is_not_done(world: PipelineWorld) -> None:
    message = until_etl(world)

    world.handle(CancelRun(run_id="r"))
    world.account_work.handle(message, lambda: 60.0)
    world.drain()

    assert (StageKind.ETL, "acc-1") not in world.done
    assert (state(world), task_of(world).state) == (RunState.CANCELLED, TaskState.CANCELLED)


def test_a_kind_that_no_function_does_fails_with_the_reason(world: PipelineWorld) -> None:
    message = until_etl(world)
    world.account_work._jobs = {}

    world.work_on_account(message)

    assert (task_of(world).error or {})["message"] == "no function does stages of the kind etl"


# --- workers that die


@pytest.mark.parametrize("lose", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_what_follows_is_done_anew_whichever_write_a_worker_dies_at(
    clock: FrozenClock, lose: bool, after: bool
) -> None:
    """Given a run whose pulls failed in part, when they are redriven and a worker dies: what follows comes last."""

    def failed(run_id: str) -> PipelineWorld:
        world = PipelineWorld(clock, task_deadline_seconds=90_000)
        world.specs[META] = {Dataset.AD_DAILY: DatasetSpec(Dataset.AD_DAILY, lookback_days=1)}
        for name in ("1", "2"):
            world.add_profile(name)
        world.fate = lambda task: TaskState.FAILED if task.profile_id == "1" else TaskState.LOADED
        scope = Scope(profiles=("1", "2", run_id))  # another one for each run: they take no turns
        run_to_end(world, DAILY.model_copy(update={"run_id": run_id, "scope": scope}))
        world.done.clear()
        world.fate = lambda task: TaskState.LOADED
        return world

    dry = Crash()
    first = failed("dry")
    with first.dying(dry):
        first.runs.send(Redrive(run_id="dry"))
        first.drain()

    for at in range(1 + 2 * lose + after, dry.writes + 1, 5):
        run_id = f"run-{at}"
        world = failed(run_id)
        order: list[str] = []

        def loaded(task: Task, order: list[str] = order) -> TaskState:
            order.append(task.profile_id)
            return TaskState.LOADED

        world.fate = loaded
        world.job = lambda kind, _account_id, order=order: order.append(str(kind))  # type: ignore[misc]
        with world.dying(Crash(at, after=after)):
            world.runs.messages.append(Redrive(run_id=run_id))
            world.drain(lose=lose)
        run = world.sweep_until_quiet(run_id)

        assert not world.ledger.progress(run_id)[1], f"died at write {at}"
        if "1" in order:
            assert set(KINDS) <= {*order[order.index("1") :]}, f"died at write {at}"
            assert run.state is RunState.SUCCEEDED, f"died at write {at}"
        else:
            assert lose, f"died at write {at}"
