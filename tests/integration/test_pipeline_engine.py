"""The engine on moto's ledger: whole runs, and what comes twice or at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import ProfileStatus
from adweir.model.errors import BadInput, Throttled, Unprocessable
from adweir.model.messages import (
    Advance,
    PlanStage,
    Redrive,
    Scope,
    StartRun,
    TaskMessage,
)
from adweir.model.platforms import Platform
from adweir.model.runs import Run, RunState, StageState
from adweir.model.tasks import TaskState
from adweir.model.times import epoch
from adweir.platforms.base import DatasetSpec, Pace
from support.clock import FrozenClock
from support.pipeline_world import DAILY, HOURLY, MORNING, SPECS, PipelineWorld, run_of, run_to_end, state

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    return PipelineWorld(clock)


def reason(world: PipelineWorld, run_id: str = "r") -> str:
    return run_of(world, run_id).reason


# --- the plain way


def test_a_daily_run_goes_through_its_stages_and_publishes_its_end_once(world: PipelineWorld) -> None:
    world.found = ("1", "2")

    run_to_end(world)

    run = world.ledger.get_run("r")
    assert run is not None
    assert run.state is RunState.SUCCEEDED
    assert [(stage.name, stage.tasks, stage.loaded) for stage in run.stages] == [
        ("profiles", 1, 1),
        ("pulls", 4, 4),
        ("totals", 0, 0),
        ("learn", 0, 0),
        ("reconcile", 1, 1),
        ("etl", 1, 1),
        ("detect", 1, 1),
        ("enrich", 1, 1),
        ("curate", 1, 1),
        ("features", 1, 1),
    ]
    (event,) = world.bus.events
    assert (event.state, event.accounts, event.tasks_total, event.tasks_failed) == ("succeeded", ["acc-1"], 11, 0)
    assert list(world.ledger.open_runs()) == []
    assert not world.ledger.progress("r")[1]
    assert ("meta_ads#1", "ad_daily", "2026-09-21..2026-11-19") in world.tasks("r")


def test_the_next_day_asks_only_for_the_lookback(world: PipelineWorld) -> None:
    run_to_end(world)

    run_to_end(world, DAILY.model_copy(update={"scheduled_at": MORNING + timedelta(days=1), "run_id": "next"}))

    windows = [window for _, dataset, window in world.tasks("next") if dataset == "ad_daily"]
    assert windows == ["2026-10-24..2026-11-20"]


def test_messages_of_a_task_travel_in_the_group_of_their_profile(world: PipelineWorld) -> None:
    world.add_profile("7")
    world.handle(HOURLY)
    for message in world.runs.take():
        world.handle(message)

    assert world.collect.groups == ["meta_ads#7"]


def test_a_run_without_anything_to_do_succeeds_and_says_why(world: PipelineWorld) -> None:
    run_to_end(world, HOURLY)

    assert state(world) is RunState.SUCCEEDED
    assert world.bus.events[0].tasks_total == 0
    assert "no ad account in scope is active" in reason(world)


def test_a_run_names_each_credential_that_lists_nothing_and_where_its_ad_accounts_may_be(world: PipelineWorld) -> None:
    """Given a working credential, and one of Amazon's without a region, when nothing is listed with it."""
    amazon = Platform("amazon_ads")
    world.specs[amazon] = {Dataset.PROFILES: SPECS[Dataset.PROFILES]}
    world.add_credential("acc-1", amazon, label="shops", route="na")
    world.fate = lambda task: TaskState.SKIPPED if task.platform == amazon else TaskState.LOADED

    run_to_end(world)

    assert state(world) is RunState.SUCCEEDED
    assert reason(world) == (
        "acc-1's credential shops for amazon_ads lists no ad account of its own in region na:"
        " a credential lists those of one region, and it may be one of eu or fe"
    )


def test_a_backfill_of_days_that_were_all_pulled_succeeds_and_says_so(world: PipelineWorld) -> None:
    run_to_end(world)
    days = Scope(start="2026-11-01", end="2026-11-10")

    run_to_end(world, StartRun(workflow="backfill", scheduled_at=MORNING, run_id="again", scope=days))

    assert state(world, "again") is RunState.SUCCEEDED
    assert reason(world, "again") == "nothing to pull, every day in scope was pulled before"


def test_a_run_of_which_a_whole_stage_is_not_applicable_succeeds(world: PipelineWorld) -> None:
    # given a profile for which the platform has nothing
    world.fate = lambda task: TaskState.SKIPPED if task.profile_id else TaskState.LOADED
    # when a run ends
    run_to_end(world)
    # then nothing is missing: it succeeded, and says how many were skipped
    found = world.ledger.get_run("r")
    assert found is not None
    assert (found.state, found.tasks_failed) == (RunState.SUCCEEDED, 0)
    _, pulls, *_ = found.stages
    assert (pulls.tasks, pulls.loaded, pulls.skipped, pulls.failed) == (2, 0, 2, 0)


def test_a_dataset_whose_reports_take_hours_has_a_deadline_of_its_own(world: PipelineWorld) -> None:
    # given metrics that may take a day, and objects that may not
    slow = DatasetSpec(Dataset.AD_DAILY, lookback_days=1, pace=Pace(deadline_seconds=86_400))
    others = (DatasetSpec(Dataset.PROFILES), DatasetSpec(Dataset.CAMPAIGNS))
    world.specs[Platform("meta_ads")] = {spec.dataset: spec for spec in (*others, slow)}
    world.fate = lambda task: TaskState.FAILED if task.profile_id else TaskState.LOADED
    # when both are planned, fail, and are redriven a minute later
    run_to_end(world)
    planned = {task.dataset: task.deadline for task in world.ledger.pulls("r")}
    world.clock.advance(60)
    world.handle(Redrive(run_id="r"))
    # then each deadline is the dataset's own
    assert planned[Dataset.AD_DAILY] - planned[Dataset.CAMPAIGNS] == 86_400 - 21_600
    again = {task.dataset: task.deadline for task in world.ledger.pulls("r")}
    assert again[Dataset.AD_DAILY] - epoch(world.clock.now()) == 86_400
    assert again[Dataset.CAMPAIGNS] - epoch(world.clock.now()) == 21_600


def test_a_run_that_pulled_something_gives_no_reason(world: PipelineWorld) -> None:
    run_to_end(world)

    assert reason(world) == ""


def test_a_platform_without_the_dataset_or_without_a_connector_is_left_out(world: PipelineWorld) -> None:
    world.specs[Platform("amazon_ads")] = {Dataset.AD_DAILY: DatasetSpec(Dataset.AD_DAILY)}
    world.add_profile("7")
    world.add_profile("8", platform=Platform("amazon_ads"))
    world.add_profile("9", platform=Platform("tiktok_ads"))

    run_to_end(world, HOURLY)

    assert {key for key, _, _ in world.tasks("r")} == {"meta_ads#7"}


def test_denied_profiles_are_not_planned_and_broken_credentials_are_reported_but_not_pulled(
    world: PipelineWorld,
) -> None:
    world.add_credential("acc-2")
    world.break_credential("acc-2")
    world.add_profile("7", status=ProfileStatus.DENIED)

    run_to_end(world)

    assert {key for key, _, _ in world.tasks("r")} == {"meta_ads#@acc-1", "meta_ads#1", "meta_ads#@acc-2"}
    assert world.tasks("r")["meta_ads#@acc-2", "profiles", ""] is TaskState.FAILED
    assert state(world) is RunState.PARTIAL


@pytest.mark.parametrize(
    ("scope", "keys"),
    [
        (Scope(accounts=("acc-2",)), {"meta_ads#8"}),
        (Scope(profiles=("7",)), {"meta_ads#7"}),
        (Scope(profiles=("meta_ads#8",)), {"meta_ads#8"}),
        (Scope(platforms=("facebook",)), {"meta_ads#7", "meta_ads#8"}),
        (Scope(platforms=("amazon",)), set()),
    ],
)
def test_a_scope_narrows_a_run(world: PipelineWorld, scope: Scope, keys: set[str]) -> None:
    world.add_profile("7")
    world.add_profile("8", account_id="acc-2")

    run_to_end(world, HOURLY.model_copy(update={"scope": scope}))

    assert {key for key, _, _ in world.tasks("r")} == keys


def test_a_repull_asks_for_the_whole_window_of_its_scope_and_slice(world: PipelineWorld) -> None:
    run_to_end(world)
    scope = Scope(profiles=("1",), slice="campaign=9", start="2026-11-01", end="2026-11-03", datasets=("ad_daily",))

    run_to_end(world, StartRun(workflow="repull", scheduled_at=MORNING, scope=scope, run_id="again"))

    (task,) = world.ledger.pulls("again")
    assert (task.slice, str(task.window)) == ("campaign=9", "2026-11-01..2026-11-03")


@pytest.mark.parametrize(("told", "then"), [(-5, []), (0, []), (1, [("of the next minutes", 1_795_000_300)])])
def test_what_changed_after_a_run_had_begun_is_pulled_by_the_run_that_its_message_names_next(
    world: PipelineWorld, told: int, then: list[tuple[str, int]]
) -> None:
    """Given a run for an object that changed, when a change is told so many seconds after the run began."""
    next_ = {"then_id": "of the next minutes", "then_at": 1_795_000_300}
    begun = world.clock.now()
    first = StartRun(workflow="repull", scheduled_at=begun - timedelta(seconds=9), run_id="again", **next_)
    run_to_end(world, first)
    world.clock.advance(60)

    again = first.model_copy(update={"scheduled_at": begun + timedelta(seconds=told)})
    world.handle(again)
    world.handle(again)

    sent = [message for message in world.runs.take() if isinstance(message, StartRun)]
    assert [(message.run_id, message.not_before) for message in sent] == then * 2
    assert {(message.scheduled_at, message.then_id) for message in sent} <= {(again.scheduled_at, "")}


def test_a_backfill_asks_for_the_days_that_were_never_pulled(world: PipelineWorld) -> None:
    run_to_end(world)
    scope = Scope(start="2026-09-01", end="2026-10-01")

    run_to_end(world, StartRun(workflow="backfill", scheduled_at=MORNING, scope=scope, run_id="back"))

    assert [str(task.window) for task in world.ledger.pulls("back")] == ["2026-09-01..2026-09-20"]


def test_a_backfill_pulls_a_breakdown_whose_days_only_its_level_has(world: PipelineWorld) -> None:
    """Given days that were pulled by ad, when a breakdown is switched on and the days are backfilled."""
    run_to_end(world)
    by_age = Dataset.AD_BY_AGE_GENDER_DAILY
    world.specs[Platform("meta_ads")] = SPECS | {by_age: DatasetSpec(by_age, on_request=True, max_window_days=30)}
    world.catalog.change_options(Platform("meta_ads"), "1", lambda options: {**options, "datasets": [str(by_age)]})
    scope = Scope(start="2026-11-01", end="2026-11-10")

    run_to_end(world, StartRun(workflow="backfill", scheduled_at=MORNING, scope=scope, run_id="back"))

    assert list(world.tasks("back")) == [("meta_ads#1", "ad_by_age_gender_daily", "2026-11-01..2026-11-10")]


@pytest.mark.parametrize(
    ("workflow", "scope", "field"),
    [
        ("yearly", Scope(), "workflow"),
        ("backfill", Scope(start="0001-01-01", end="9999-12-31"), "start"),
        ("backfill", Scope(start="2026-11-01", end="2027-11-01"), "end"),
        ("daily", Scope(platforms=("myspace",)), "platforms"),
        ("hourly", Scope(datasets=("ad_daily",)), "datasets"),
        ("backfill", Scope(start="yesterday"), "start"),
        ("backfill", Scope(start="2026-11-02", end="2026-11-01"), "end"),
    ],
)
def test_a_run_with_unknown_names_is_refused_before_anything_is_stored(
    world: PipelineWorld, workflow: str, scope: Scope, field: str
) -> None:
    with pytest.raises(Unprocessable) as caught:
        world.handle(StartRun(workflow=workflow, scheduled_at=MORNING, scope=scope, run_id="r"))

    assert caught.value.details[0]["field"] == field
    assert world.ledger.get_run("r") is None


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_run_of_no_time_that_a_platform_keeps_is_refused_before_anything_is_stored(
    world: PipelineWorld, at: str
) -> None:
    with pytest.raises(Unprocessable, match="days ago"):
        world.handle(StartRun(workflow="daily", scheduled_at=datetime.fromisoformat(at), run_id="r"))
    assert world.ledger.get_run("r") is None


def test_a_broken_credential_is_reported_and_not_skipped(world: PipelineWorld) -> None:
    run_to_end(world)
    world.break_credential()

    run_to_end(world, DAILY.model_copy(update={"run_id": "next", "scope": Scope(accounts=("acc-1",))}))

    run = world.ledger.get_run("next")
    assert run is not None
    assert (run.state, run.reason) == (RunState.FAILED, "stage profiles: 0 of 1 tasks loaded")
    (task,) = world.ledger.tasks("next")
    assert task.error is not None
    assert task.error["code"] == "auth_expired"


def test_runs_that_were_given_no_id_are_known_by_workflow_time_and_scope(world: PipelineWorld) -> None:
    plain = StartRun(workflow="hourly", scheduled_at=MORNING)
    same = StartRun(workflow="hourly", scheduled_at=datetime.fromisoformat("2026-11-20T05:00:00+01:00"))
    naive = StartRun(workflow="hourly", scheduled_at=MORNING.replace(tzinfo=None))

    first = world.engine.start(plain)

    assert first.startswith("run_hourly-20261120T040000-")
    assert world.engine.start(same) == first
    assert world.engine.start(plain.model_copy(update={"scope": Scope(accounts=("x",))})) != first
    stored = world.ledger.get_run(world.engine.start(naive))
    assert stored is not None
    assert stored.scheduled_at == "2026-11-20T04:00:00.000000Z"


def test_the_engine_refuses_messages_of_other_queues(world: PipelineWorld) -> None:
    with pytest.raises(BadInput):
        world.handle(TaskMessage(run_id="r", task_id="t"))


# --- twice, at once, never


def test_every_message_may_come_three_times(world: PipelineWorld) -> None:
    world.found = ("1", "2")
    world.runs.send(DAILY)

    world.drain(times=3)

    assert state(world) is RunState.SUCCEEDED
    assert sorted(world.worked) == sorted(set(world.worked))
    assert len(world.bus.events) == 1
    run_to_end(world)
    assert len(world.bus.events) == 1


def test_of_many_workers_that_see_a_stage_end_exactly_one_starts_the_next(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.handle(DAILY)
    world.handle(world.runs.take()[0])
    for message in world.collect.take():
        world.work(message)
    world.runs.take()
    change = world.ledger.change_run
    waiting: list[None] = []

    def at_once(run: Run, **changes: Any) -> Run | None:
        """Hold every worker at the decisive write until all are there."""
        waiting.append(None)
        if len(waiting) < 5:
            world.engine.progress.advance("r")
        return change(run, **changes)

    monkeypatch.setattr(world.ledger, "change_run", at_once)
    world.engine.progress.advance("r")

    assert world.runs.take() == [PlanStage(run_id="r", stage="pulls")]


def test_a_stage_is_planned_by_one_worker_at_a_time(world: PipelineWorld) -> None:
    world.handle(DAILY)
    (plan,) = world.runs.take()

    with world.ledger.lease("plan#r#profiles", 90), pytest.raises(Throttled):
        world.handle(plan)

    world.handle(plan)
    run = world.ledger.get_run("r")
    assert run is not None
    assert run.current[0].state is StageState.OPEN


def test_planning_goes_on_where_time_ran_out(world: PipelineWorld) -> None:
    for number in range(4):
        world.add_profile(str(number))
    world.handle(HOURLY)
    (plan,) = world.runs.take()
    left = iter([60, 60, 1])

    with pytest.raises(Throttled):
        world.engine.handle(plan, lambda: next(left))
    first = [message.task_id for message in world.collect.messages]
    assert len(first) == 2
    world.engine.progress.advance("r")
    assert state(world) is RunState.RUNNING

    world.handle(plan)
    assert len({message.task_id for message in world.collect.messages}) == len(world.collect.messages) == 4


def test_a_request_that_was_lost_is_sent_again(world: PipelineWorld, clock: FrozenClock) -> None:
    world.handle(DAILY)
    world.runs.take()
    world.handle(Advance(run_id="r"))
    assert world.runs.take() == []
    clock.advance(61)

    world.handle(Advance(run_id="r"))
    world.handle(Advance(run_id="r"))

    assert world.runs.take() == [PlanStage(run_id="r", stage="profiles")]


def test_late_and_foreign_messages_do_nothing(world: PipelineWorld) -> None:
    run_to_end(world)
    before = world.tasks("r")

    for message in (PlanStage(run_id="r", stage="profiles"), PlanStage(run_id="x", stage="y"), Advance(run_id="x")):
        world.handle(message)

    assert world.tasks("r") == before
    assert world.runs.take() == []
