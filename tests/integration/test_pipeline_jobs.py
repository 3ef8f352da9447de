"""Jobs: made, changed, paused, removed, and what becomes of what they fire. Whatever happens has a clear end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from adweir.model import limits
from adweir.model.errors import Conflict, NotFound, Unavailable, Unprocessable
from adweir.model.jobs import JobState, ScheduledJob, UnderWay
from adweir.model.messages import Scope, StartJob
from adweir.pipeline import workflows
from adweir.pipeline.flow_forms import known_flows
from adweir.pipeline.health import health
from adweir.pipeline.jobs.checks import next_runs, problem, warnings
from adweir.store.catalog.store import Catalog
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.job_world import TARGET, JobWorld, at

pytestmark = pytest.mark.usefixtures("tables")
NIGHTLY: dict[str, Any] = {"name": "nightly", "workflow": "daily", "schedule": {"type": "daily", "at": "05:30"}}
MORNING, TOMORROW = at("2026-11-21T05:30"), at("2026-11-21T06:00")


@pytest.fixture
def world(clock: FrozenClock) -> JobWorld:
    return JobWorld(clock)


def create(world: JobWorld, **fields: Any) -> ScheduledJob:
    return world.jobs.create(NIGHTLY | fields)


def message(job: ScheduledJob, **changes: Any) -> StartJob:
    values = {"name": job.name, "job_id": job.job_id, "since": job.changed_at, "scheduled_at": MORNING}
    return StartJob.model_validate(values | changes)


def why(world: JobWorld, job: ScheduledJob) -> str:
    """What keeps a job from doing what it is for."""
    accounts = {account.account_id for account in world.catalog.accounts()}
    return problem(
        world.catalog.job(job.name), accounts, known_flows(world.catalog), world.ledger.fired.of([job.job_id])
    )


def came(world: JobWorld, job: ScheduledJob) -> tuple[str, str]:
    fired = world.ledger.fired.of([job.job_id])[job.job_id]
    return fired.outcome, fired.run_id or fired.reason


# --- made and changed


def test_a_job_is_stored_and_its_schedule_sends_to_the_runs_queue_only(world: JobWorld) -> None:
    job = create(world, timezone="Europe/Berlin", platforms=["meta"])

    stored = world.catalog.job("nightly")
    assert stored == job
    assert (stored.platforms, stored.under_way, stored.state) == (("meta_ads",), UnderWay.NOTHING, JobState.ACTIVE)
    schedule = world.scheduler.schedules[job.job_id]
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"], schedule["State"]) == (
        "cron(30 5 * * ? *)",
        "Europe/Berlin",
        "ENABLED",
    )
    assert (schedule["GroupName"], schedule["FlexibleTimeWindow"]) == ("adweir", {"Mode": "OFF"})
    assert (schedule["Target"]["Arn"], schedule["Target"]["RoleArn"]) == (TARGET.queue, TARGET.role)
    assert schedule["Target"]["DeadLetterConfig"] == {"Arn": TARGET.dead_letters}


def test_an_interval_begins_one_interval_after_it_was_set(world: JobWorld) -> None:
    job = create(world, schedule={"type": "interval", "every": "6 hours"})

    assert world.scheduler.schedules[job.job_id]["StartDate"] == at("2026-11-20T18:00")
    assert next_runs(job, world.clock.now())[0] == at("2026-11-20T18:00")


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"name": "No name"}, "name", "does not match"),
        ({"timezone": "Europe/Nowhere"}, "timezone", "IANA"),
        ({"platforms": ["meta"] * (limits.MAX_SCOPE_NAMES + 1)}, "platforms", "names more than 100"),
        ({"workflow": "dayly"}, "workflow", "known: account, ad, backfill, daily"),
        ({"accounts": ["acc_nobody"]}, "accounts", "there is no account acc_nobody"),
        ({"profiles": ["404"]}, "profiles", "there is no ad account 404"),
        ({"platforms": ["myspace"]}, "platforms", "myspace"),
        ({"args": {"colour": "red"}}, "args.colour", "known: datasets, slice, start, end"),
        ({"args": {"datasets": ["ad_hourly"]}}, "args.datasets", "is not one of"),
        ({"args": {"datasets": "ad_daily"}}, "args.datasets", "should be a valid list"),
        ({"args": {"start": "yesterday"}}, "args.start", "is not a date"),
        ({"args": {"start": "2026-11-01"}, "lookback_days": 3}, "lookback_days", "both say where the days begin"),
        ({"schedule": {"type": "cron", "cron": "0 5 * * ? 2020"}}, "schedule.cron", "never comes again"),
        ({"schedule": {"type": "daily"}}, "schedule.at", "is needed for daily"),
    ],
)
def test_what_cannot_run_is_refused_with_words_and_nothing_is_stored(
    world: JobWorld, fields: Mapping[str, Any], field: str, said: str
) -> None:
    with pytest.raises(Unprocessable) as refused:
        create(world, **fields)

    assert {detail["field"] for detail in refused.value.details} == {field}
    assert said in str(refused.value.details[0]["message"])
    assert world.catalog.jobs() == []
    assert world.scheduler.schedules == {}


def test_every_fault_of_a_job_is_named_at_once(world: JobWorld) -> None:
    with pytest.raises(Unprocessable) as refused:
        create(world, timezone="x", workflow="x", platforms=["x"], accounts=["x"], args={"x": "x"})

    fields = {detail["field"] for detail in refused.value.details}
    assert fields == {"timezone", "workflow", "accounts", "args.x"}  # a workflow says what a scope may name


def test_two_jobs_of_one_name_are_refused_and_the_first_stays(world: JobWorld) -> None:
    first = create(world)

    with pytest.raises(Conflict, match="there is a job nightly already"):
        create(world, schedule={"type": "hourly"})

    assert world.catalog.job("nightly") == first
    assert list(world.scheduler.schedules) == [first.job_id]


def test_a_changed_job_fires_at_its_new_times_alone(world: JobWorld) -> None:
    create(world)
    world.jobs.change("nightly", {"schedule": {"type": "daily", "at": "07:00"}, "lookback_days": 7})

    fired = world.pass_time(at("2026-11-22T06:00"))

    assert [each.scheduled_at for each in fired] == [at("2026-11-21T07:00")]
    world.start_fired(fired)
    assert world.runs_of("nightly")[0].scope == Scope(lookback_days=7)


def test_a_change_that_leaves_its_times_leaves_its_schedule(world: JobWorld) -> None:
    job = create(world)
    before = world.scheduler.schedules[job.job_id]

    changed = world.jobs.change("nightly", {"platforms": ["meta"]})

    assert world.scheduler.schedules[job.job_id] is before
    assert (changed.version, changed.changed_at) == (job.version + 1, job.changed_at)


def test_the_days_that_a_clock_change_leaves_out_are_a_warning(world: JobWorld) -> None:
    job = create(world, schedule={"type": "daily", "at": "02:30"}, timezone="Europe/Berlin")

    assert warnings(job, world.clock.now()) == [
        "clocks in Europe/Berlin leave out 02:30 on 2027-03-28: the job does not fire then"
    ]
    assert warnings(create(world, name="interval", schedule={"type": "interval", "every": "1h"}), at(T)) == []


T = "2026-11-20T12:00"


# --- what becomes of what fires


def test_what_fired_is_one_run_though_it_comes_twice_and_is_changed_in_between(world: JobWorld) -> None:
    job = create(world)
    (fired,) = world.pass_time(TOMORROW)

    world.fired_jobs.start(fired)
    world.jobs.change("nightly", {"workflow": "weekly"})
    world.fired_jobs.start(fired)

    (run,) = world.runs_of("nightly")
    assert (run.workflow, run.scheduled_at[:16], run.trigger) == ("daily", "2026-11-21T05:30", "job:nightly")
    assert came(world, job) == ("started", run.run_id)


def test_a_paused_job_starts_nothing_not_even_what_was_on_its_way(world: JobWorld) -> None:
    job = create(world)
    (late,) = world.pass_time(TOMORROW)
    world.jobs.pause("nightly")

    world.start_fired([late])

    assert world.runs_of("nightly") == []
    assert came(world, job) == ("skipped", "the job is paused")
    assert world.pass_time(at("2026-11-23T06:00")) == []
    assert next_runs(world.catalog.job("nightly"), world.clock.now()) == []
    resumed = world.jobs.resume("nightly")
    assert [each.scheduled_at for each in world.pass_time(at("2026-11-24T06:00"))] == [at("2026-11-24T05:30")]
    assert world.jobs.resume("nightly") == resumed, "may be repeated"


def test_what_was_due_before_a_change_runs_and_what_was_due_after_it_by_the_old_schedule_does_not(
    world: JobWorld,
) -> None:
    create(world)
    (before,) = world.pass_time(TOMORROW)
    old = world.catalog.job("nightly")
    new = world.jobs.change("nightly", {"schedule": {"type": "daily", "at": "09:00"}})

    world.start_fired([before, message(old, scheduled_at=MORNING + timedelta(days=1))])

    assert [run.scheduled_at[:16] for run in world.runs_of("nightly")] == ["2026-11-21T05:30"]
    assert came(world, new) == ("skipped", "its times were changed before this one was due")


@pytest.mark.parametrize(
    "scheduled_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2019-01-01T00:00:00"]
)
def test_a_time_that_no_schedule_can_mean_is_refused(world: JobWorld, scheduled_at: str) -> None:
    job = create(world)

    with pytest.raises(Unprocessable, match="days ago or"):
        world.fired_jobs.start(message(job, scheduled_at=scheduled_at))

    assert world.runs_of("nightly") == []


def test_a_removed_job_s_last_message_starts_nothing_and_neither_does_an_earlier_job_s(world: JobWorld) -> None:
    removed = create(world)
    (late,) = world.pass_time(TOMORROW)
    world.jobs.remove("nightly")
    world.start_fired([late])
    with pytest.raises(NotFound):
        world.catalog.job("nightly")

    create(world)
    world.start_fired([message(removed)])

    assert world.runs_of("nightly") == []
    assert removed.job_id not in world.scheduler.schedules


@pytest.fixture
def forget() -> Iterator[Callable[[str], object]]:
    """Takes a built-in workflow away; afterwards all are there again, in the order that the documents have."""
    flows = cast("dict[str, Any]", workflows.WORKFLOWS)
    before = dict(flows)
    yield flows.pop
    flows.clear()
    flows.update(before)


def test_a_workflow_that_is_gone_is_a_fault_that_is_shown(world: JobWorld, forget: Callable[[str], object]) -> None:
    job = create(world)
    forget("daily")

    world.start_fired(world.pass_time(TOMORROW))

    outcome, reason = came(world, job)
    assert outcome == "refused"
    assert reason.startswith("unknown workflow 'daily'; known: account, ad, backfill")
    assert "unknown workflow 'daily'" in why(world, job)
    with pytest.raises(Unprocessable, match="unknown workflow"):
        world.jobs.change("nightly", {"lookback_days": 1})
    assert world.jobs.pause("nightly").state is JobState.PAUSED, "what cannot run can be paused"
    with pytest.raises(Unprocessable, match="unknown workflow"):
        world.jobs.resume("nightly")
    part = health(world.ledger, world.catalog, list, world.clock)["parts"]["jobs"]
    assert (part["status"], part["items"]) == ("degraded", [{"name": "nightly", "reason": why(world, job)}])
    assert [fault.what for fault in world.ledger.faults.newest()] == ["job nightly"]


def test_a_deleted_account_is_left_out_and_a_job_without_any_left_never_runs_for_all(world: JobWorld) -> None:
    world.add_credential("acc_other")
    both = create(world, accounts=["acc-1", "acc_other"])
    one = create(world, name="one", accounts=["acc_other"])
    world.catalog.delete_account("acc_other")

    world.start_fired(world.pass_time(TOMORROW))

    assert [run.scope.accounts for run in world.runs_of("nightly")] == [("acc-1",)]
    assert (why(world, both), world.runs_of("one")) == ("", [])
    assert came(world, one) == ("skipped", "all its client accounts were deleted: acc_other")
    assert why(world, one).endswith("change or remove the job")


def test_a_job_runs_now_paused_or_not_and_its_times_stay(world: JobWorld) -> None:
    job = create(world, accounts=["acc-1"], args={"datasets": ["campaign_daily"]}, lookback_days=3)
    world.jobs.pause("nightly")

    start = world.jobs.run("nightly")

    assert (start.workflow, start.trigger, start.scheduled_at) == ("daily", "job:nightly", world.clock.now())
    assert start.scope == Scope(accounts=("acc-1",), datasets=("campaign_daily",), lookback_days=3)
    assert start.run_id.startswith("run_nightly-20261120T120000-")
    assert world.jobs.run("nightly").run_id != start.run_id
    world.catalog.delete_account("acc-1")
    with pytest.raises(Conflict, match="were deleted"):
        world.jobs.run("nightly")
    assert job.job_id in world.scheduler.schedules


# --- what breaks off


def test_what_the_scheduler_refuses_changes_nothing(world: JobWorld) -> None:
    world.scheduler.refuses = "ValidationException"
    with pytest.raises(Unprocessable, match="EventBridge Scheduler refuses the schedule: no"):
        create(world)
    assert world.catalog.jobs() == []
    world.scheduler.refuses = ""
    job = create(world)
    world.scheduler.refuses = "ServiceQuotaExceededException"

    with pytest.raises(Unprocessable):
        world.jobs.change("nightly", {"schedule": {"type": "hourly"}})

    stored = world.catalog.job("nightly")
    assert (stored.schedule, stored.changed_at, stored.under_way) == (job.schedule, job.changed_at, UnderWay.NOTHING)


def test_a_creation_that_the_scheduler_does_not_answer_is_undone_or_shown(
    world: JobWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.scheduler.refuses = "InternalServerException"
    with pytest.raises(Unavailable):
        create(world)
    job = world.catalog.job("nightly")
    assert "its creation broke off" in why(world, job)

    world.scheduler.refuses = ""
    world.jobs.resume("nightly")

    assert why(world, job) == ""
    assert [each.scheduled_at for each in world.pass_time(TOMORROW)] == [MORNING]
    monkeypatch.setattr(world.scheduler, "create_schedule", _no_answer)
    with pytest.raises(Unavailable):
        create(world, name="other")
    assert [each.name for each in world.catalog.jobs()] == ["nightly"], "what could be undone is not there"


def _no_answer(**_: Any) -> None:
    raise Unavailable("EventBridge Scheduler does not answer")


def test_a_change_that_broke_off_goes_on_firing_by_the_schedule_there_is_until_it_is_repeated(world: JobWorld) -> None:
    job = create(world)
    world.scheduler.refuses = "InternalServerException"
    with pytest.raises(Unavailable):
        world.jobs.change("nightly", {"schedule": {"type": "daily", "at": "09:00"}})
    world.scheduler.refuses = ""
    assert "a change of it broke off" in why(world, job)

    world.start_fired(world.pass_time(TOMORROW))
    assert [run.scheduled_at[:16] for run in world.runs_of("nightly")] == ["2026-11-21T05:30"]

    world.jobs.change("nightly", {"schedule": {"type": "daily", "at": "09:00"}})
    assert why(world, job) == ""
    assert [each.scheduled_at for each in world.pass_time(at("2026-11-22T08:00"))] == [at("2026-11-21T09:00")]


def test_a_removal_that_broke_off_starts_nothing_and_can_be_repeated(world: JobWorld) -> None:
    job = create(world)
    world.scheduler.refuses = "InternalServerException"
    with pytest.raises(Unavailable):
        world.jobs.remove("nightly")
    world.scheduler.refuses = ""
    assert "remove it again" in why(world, job)

    world.start_fired(world.pass_time(TOMORROW))
    assert world.runs_of("nightly") == []
    assert came(world, job) == ("skipped", "the job is being removed")

    world.jobs.remove("nightly")
    assert (world.catalog.jobs(), world.scheduler.schedules) == ([], {})


@pytest.mark.parametrize("other", ["change", "remove"])
def test_of_two_who_change_a_job_at_once_the_later_one_s_schedule_stays(
    world: JobWorld, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    job = create(world)
    update, others = world.scheduler.update_schedule, iter([other])

    def meanwhile(**request: Any) -> None:
        match next(others, ""):
            case "change":
                world.jobs.change("nightly", {"schedule": {"type": "daily", "at": "20:00"}})
            case "remove":
                world.jobs.remove("nightly")
        try:
            update(**request)  # the first one's request arrives last
        except ClientError:
            world.scheduler.create_schedule(**request)

    monkeypatch.setattr(world.scheduler, "update_schedule", meanwhile)

    with pytest.raises(Conflict, match="at the same moment"):
        world.jobs.change("nightly", {"schedule": {"type": "daily", "at": "10:00"}})

    expressions = {name: entry["ScheduleExpression"] for name, entry in world.scheduler.schedules.items()}
    assert expressions == ({job.job_id: "cron(0 20 * * ? *)"} if other == "change" else {})


def test_a_change_by_who_read_an_older_job_is_refused(world: JobWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    read = create(world)
    world.jobs.change("nightly", {"lookback_days": 3})
    monkeypatch.setattr(Catalog, "job", lambda *_: read)

    with pytest.raises(Conflict):
        world.jobs.change("nightly", {"lookback_days": 4})
    with pytest.raises(Conflict):
        world.jobs.pause("nightly")
    with pytest.raises(Conflict):
        world.jobs.remove("nightly")


# --- bounds


@at_the_bound("MAX_JOBS", as_if=3)
def test_jobs_have_an_end(world: JobWorld, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool) -> None:
    monkeypatch.setattr(limits, "MAX_JOBS", 3)
    for number in range(size - 1):
        create(world, name=f"job{number}")

    with refuses(Conflict, fits=fits):
        create(world, name="last")
    world.jobs.change("job0", {"lookback_days": 1})


@at_the_bound("MAX_ACCOUNT_JOBS", as_if=2)
def test_jobs_of_an_account_have_an_end(
    world: JobWorld, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    monkeypatch.setattr(limits, "MAX_ACCOUNT_JOBS", 2)
    for number in range(size - 1):
        create(world, name=f"job{number}", accounts=["acc-1"])

    with refuses(Conflict, fits=fits):
        create(world, name="last", accounts=["acc-1"])
    create(world, name="other")
    world.jobs.change("job0", {"lookback_days": 1})


def test_a_zone_that_is_no_more_is_shown_and_hides_no_other_job(
    world: JobWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, other = create(world, timezone="Asia/Tokyo"), create(world, name="other")
    monkeypatch.setattr("adweir.model.schedules.is_zone", lambda name: name != "Asia/Tokyo")

    assert next_runs(job, world.clock.now()) == []
    assert "'Asia/Tokyo' is not the name of an IANA zone" in why(world, job)
    assert (len(next_runs(other, world.clock.now())), why(world, other)) == (5, "")
