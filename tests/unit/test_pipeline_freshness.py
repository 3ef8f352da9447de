"""Ad accounts are expected to be pulled when their schedules say so, and who was not is told once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adweir.model.breaches import BreachKind, Judgement, Look, Subject
from adweir.model.entities import Credential, Profile, ProfileStatus, StoredWorkflow
from adweir.model.jobs import JobState, ScheduledJob
from adweir.model.schedules import Schedule, ScheduleType
from adweir.model.times import iso
from adweir.pipeline.freshness import BuiltIn, Freshness
from adweir.pipeline.watch import SweepView
from adweir.platforms import REGISTRY
from adweir.quality.monitor import Monitor
from support.breach_world import META, Heard, MemoryBreaches, Told
from support.clock import FrozenClock

DAILY = {"daily": "cron(30 5 * * ? *)"}
WITH_HOURS = DAILY | {"hourly": "cron(15 * * * ? *)"}
SLACK = timedelta(hours=6)
STALE, FRESH = "+freshness#meta_ads#1#day", "-freshness#meta_ads#1#day"


class Clockwork:
    """Sweeps over ad accounts that are pulled when a test says so. It is Friday noon, 2026-11-20."""

    def __init__(self, *profiles: str, built_in: dict[str, str] | None = None, zone: str = "UTC") -> None:
        self.clock = FrozenClock()
        self.told = Told()
        self.monitor = Monitor(MemoryBreaches(self.clock), Heard(), self.told, self.clock)
        self.profiles = {each: self.profile(each) for each in profiles or ("1",)}
        self.credential = Credential(account_id="acme", platform=META, secret_id="s")
        self.jobs: list[ScheduledJob] = []
        self.workflows: dict[str, StoredWorkflow] = {}
        self.pulled: dict[tuple[str, str], str] = {}
        self.built_in = BuiltIn(DAILY if built_in is None else built_in, zone, is_on=True)

    def profile(self, name: str, **fields: Any) -> Profile:
        values = {"name": name, "currency": "EUR", "timezone": "UTC", "as_of": iso(self.clock.now())}
        return Profile(account_id="acme", platform=META, profile_id=name, **(values | fields))

    def pull(self, *names: str, dataset: str = "ad_daily") -> None:
        for name in names or self.profiles:
            self.pulled[f"{META}#{name}", dataset] = iso(self.clock.now())

    def sweep(self) -> list[str]:
        """One sweep; what was told by it."""
        catalog = SimpleNamespace(
            jobs=lambda: self.jobs,
            stored_workflow=self.workflows.get,
            stored_workflows=list,
            account=lambda name: SimpleNamespace(account_id=name),
        )
        successes = [(key, dataset, at, "") for (key, dataset), at in self.pulled.items()]
        view = SweepView(list(self.profiles.values()), [self.credential], successes)
        before, at, known = len(self.told.breaches), self.clock.now(), self.monitor.known()
        looks = Freshness(cast("Any", catalog), REGISTRY.parse, self.built_in, SLACK).looks(view, known, at)
        self.monitor.settle(looks, known, at)
        return self.told.causes[before:]

    def until(self, text: str) -> list[str]:
        """Sweep every half hour until then; what was told."""
        told, end = list[str](), datetime.fromisoformat(text).replace(tzinfo=UTC)
        while self.clock.now() < end:
            self.clock.advance(1800)
            told += self.sweep()
        return told


def job(name: str, schedule: Schedule, workflow: str = "daily", **fields: Any) -> ScheduledJob:
    at = iso(datetime(2026, 11, 1, tzinfo=UTC))
    values = {"job_id": name, "name": name, "workflow": workflow, "schedule": schedule, "anchor": at, "changed_at": at}
    return ScheduledJob(**(values | fields))


WEEKLY = Schedule(type=ScheduleType.WEEKLY, weekday="monday", at="08:00")


def test_a_month_of_runs_that_work_gives_no_message() -> None:
    """Runs end late, on one day nearly too late; hours are missed once."""
    world = Clockwork("1", "2", "3", built_in=WITH_HOURS, zone="Europe/Berlin")
    world.pull(dataset="campaign_hourly")
    world.pull()
    told = list[str]()
    for half_hour in range(30 * 48):
        world.clock.advance(1800)
        now = world.clock.now()
        if (now.hour, now.minute) == (9 if now.day == 3 else 5 + now.day % 4, 0):
            world.pull()
        if half_hour % 2 and now.hour != 3:
            world.pull(dataset="campaign_hourly")
        told += world.sweep()
    assert told == []


def test_a_stale_ad_account_is_told_once_when_its_time_has_passed_and_once_when_it_is_pulled() -> None:
    world = Clockwork("1", "2")
    world.pull()
    assert world.until("2026-11-21T11:00") == []
    world.pull("2")
    assert world.until("2026-11-21T11:30") == [STALE]
    (breach,) = world.told.breaches
    assert breach.says.startswith("No pull of its days succeeded since 2026-11-21 05:30 UTC, when the daily workflow")
    assert (breach.value, breach.since) == ("last pulled 2026-11-20 12:00 UTC", "2026-11-21T05:30:00.000000Z")
    assert world.until("2026-11-22T05:00") == []
    world.pull("2")
    assert world.until("2026-11-22T06:00") == []
    world.pull()
    assert world.until("2026-11-22T12:00") == [FRESH]


def test_the_time_zone_of_the_schedule_counts() -> None:
    world = Clockwork(zone="America/Los_Angeles")  # 05:30 there is 13:30 UTC
    world.pull()
    assert world.until("2026-11-20T19:00") == []
    assert world.until("2026-11-20T19:30") == [STALE]


def test_an_ad_account_that_a_weekly_job_covers_is_not_stale_after_two_days() -> None:
    world = Clockwork(built_in={})
    world.jobs = [job("weekly", WEEKLY, "weekly")]
    world.clock.advance(-3 * 86_400)  # Tuesday noon
    world.pull()
    assert world.until("2026-11-23T13:30") == []
    assert world.until("2026-11-23T14:00") == [STALE]
    assert "the job weekly (weekly, UTC)" in world.told.breaches[0].says


@pytest.mark.parametrize(
    "fields",
    [
        {"state": JobState.PAUSED},
        {"platforms": ("google_ads",)},
        {"accounts": ("other",)},
        {"profiles": ("2",)},
        {"workflow": "hourly"},
        {"workflow": "backfill"},
        {"workflow": "gone"},
        {"args": {"datasets": ["campaigns"]}},
        {"args": {"start": "2026-11-01", "end": "2026-11-02"}},
        {"workflow": "platform", "args": {"source_platform": "google_ads"}},
        {"workflow": "platform", "args": {"account_id": "acc_other"}},
        {"workflow": "platform", "args": {"date_range": {"start": "2026-11-01", "end": "2026-11-02"}}},
        {"changed_at": iso(datetime(2026, 11, 24, tzinfo=UTC))},
    ],
    ids=str,
)
def test_a_job_that_does_not_pull_the_days_of_an_ad_account_expects_nothing_of_it(fields: dict[str, Any]) -> None:
    world = Clockwork(built_in={})
    world.pull()
    daily = Schedule(type=ScheduleType.DAILY, at="05:30")
    world.jobs = [job("nightly", daily, **fields)]
    assert world.until("2026-11-23T12:00") == []
    world.jobs = [job("nightly", daily, profiles=("meta_ads#1",), platforms=("meta_ads",), accounts=("acme",))]
    assert world.sweep() == [STALE]


@pytest.mark.parametrize("args", [{}, {"source_platform": "meta_ads"}, {"account_id": "1"}], ids=str)
def test_a_pipeline_s_job_expects_what_its_arguments_cover(args: dict[str, str]) -> None:
    world = Clockwork(built_in={})
    world.pull()
    world.jobs = [job("nightly", Schedule(type=ScheduleType.DAILY, at="05:30"), "platform", args=args)]
    assert world.until("2026-11-21T12:00") == [STALE]


@pytest.mark.parametrize(("platform", "told"), [("meta", [STALE]), ("google", [])])
def test_a_stored_workflow_may_name_a_platform_by_an_alias(platform: str, told: list[str]) -> None:
    world = Clockwork(built_in={})
    world.pull()
    stage = {"name": "days", "kind": "pull", "datasets": ["ad_daily"], "platforms": [platform]}
    world.workflows["mine"] = StoredWorkflow(name="mine", body=json.dumps({"stages": [stage]}), version=1)
    world.jobs = [job("nightly", Schedule(type=ScheduleType.DAILY, at="05:30"), "mine")]
    assert world.until("2026-11-21T12:00") == told


def test_a_job_that_is_changed_expects_nothing_before_its_next_time() -> None:
    """Given a job of another client at 05:30, when it gets this client's ad account at noon, that is not late yet."""
    world = Clockwork(built_in={})
    world.pull()
    daily = Schedule(type=ScheduleType.DAILY, at="05:30")
    world.jobs = [job("nightly", daily, accounts=("other",))]
    assert world.until("2026-11-23T12:00") == []
    world.jobs = [job("nightly", daily, updated_at=iso(world.clock.now()))]
    assert world.until("2026-11-24T11:00") == []
    assert world.until("2026-11-24T11:30") == [STALE]


def test_a_breach_stays_when_its_job_is_changed_and_ends_with_a_pull() -> None:
    world = Clockwork(built_in={})
    world.pull()
    world.jobs = [job("nightly", Schedule(type=ScheduleType.DAILY, at="05:30"))]
    assert world.until("2026-11-21T12:00") == [STALE]
    later = Schedule(type=ScheduleType.DAILY, at="07:30")
    world.jobs = [job("nightly", later, changed_at=iso(world.clock.now()), updated_at=iso(world.clock.now()))]
    assert world.until("2026-11-21T16:00") == []
    world.pull()
    assert world.sweep() == [FRESH]


def test_paused_schedules_are_no_breach_and_end_one() -> None:
    world = Clockwork()
    world.pull()
    assert world.until("2026-11-21T12:00") == [STALE]
    world.built_in = world.built_in._replace(is_on=False)
    assert world.until("2026-11-25T12:00") == [FRESH]
    assert world.told.breaches[-1].cleared_because == "No schedule that is active pulls it any more."


def test_a_rate_and_an_expression_that_cannot_be_read() -> None:
    world = Clockwork(built_in={"daily": "rate(12 hours)", "weekly": "cron(soon)"})
    world.pull()
    assert world.until("2026-11-20T17:30") == []
    world.built_in = BuiltIn({"weekly": "at(2026-11-20T00:00:00)"}, "UTC", is_on=True)
    assert world.until("2026-11-23T17:30") == []
    world.built_in = BuiltIn({"daily": "rate(12 hours)"}, "UTC", is_on=True)
    assert world.sweep() == [STALE]


def test_hours_are_expected_only_of_an_ad_account_that_had_any() -> None:
    world = Clockwork("1", "2", built_in=WITH_HOURS)
    world.pull()
    world.pull("1", dataset="campaign_hourly")
    assert world.until("2026-11-20T18:00") == []
    assert world.until("2026-11-20T18:30") == ["+freshness#meta_ads#1#hour"]
    world.pull("1", dataset="campaign_hourly")
    assert world.sweep() == ["-freshness#meta_ads#1#hour"]


def test_a_new_ad_account_has_until_the_next_time_of_its_schedule() -> None:
    world = Clockwork()
    assert world.until("2026-11-21T11:00") == []
    assert world.until("2026-11-21T11:30") == [STALE]
    assert world.told.breaches[0].value == "never pulled"
    world.pull()
    assert world.sweep() == [FRESH]


def test_where_all_ad_accounts_of_a_credential_are_stale_that_is_one_cause() -> None:
    world = Clockwork("1", "2", "3")
    world.pull()
    assert world.until("2026-11-21T12:00") == ["+freshness#meta_ads#acme#day"]
    assert world.told.breaches[0].says.startswith("None of the 3 ad accounts of this credential (default) was pulled")
    world.pull("2", "3")
    assert sorted(world.sweep()) == [STALE, "-freshness#meta_ads#acme#day"]
    world.pull()
    assert world.sweep() == [FRESH]


def test_refused_rows_of_an_ad_account_that_is_gone_are_left_to_those_who_look_at_refused_rows() -> None:
    world = Clockwork()
    world.pull()
    bad = Look(BreachKind.REFUSED, Subject("acme", META, "gone"), Judgement.BAD, "1 row was refused.")
    world.monitor.settle([bad], {}, world.clock.now())
    world.clock.advance(300)
    assert world.sweep() == []


def test_one_cause_stays_one_when_ad_accounts_come_and_go_meanwhile() -> None:
    # given a credential of which no ad account was pulled, which is told of all together
    world = Clockwork("1", "2", "3")
    world.pull()
    assert world.until("2026-11-21T11:30") == ["+freshness#meta_ads#acme#day"]

    # when its listing brings another one, which was never pulled, and two of the others are there no more
    world.profiles["4"] = world.profile("4")
    assert world.until("2026-11-21T13:00") == []
    world.profiles = {name: world.profiles[name] for name in ("3", "4")}
    assert world.until("2026-11-22T12:00") == []

    # then it is over once, when they are pulled
    world.pull()
    assert world.sweep() == ["-freshness#meta_ads#acme#day"]


def test_behind_a_refused_credential_nothing_is_told_besides() -> None:
    world = Clockwork()
    world.pull()
    world.credential = world.credential.model_copy(update={"state": "broken"})
    assert world.until("2026-11-23T12:00") == []


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (ProfileStatus.INACTIVE, "The ad account is inactive: it is not pulled any more."),
        (ProfileStatus.REMOVED, "The ad account is not there any more."),
        (None, "The ad account is not there any more."),
    ],
)
def test_an_ad_account_that_ends_ends_its_breaches(status: ProfileStatus | None, why: str) -> None:
    world = Clockwork("1", "2")
    world.pull()
    world.until("2026-11-21T11:00")
    world.pull("2")
    assert world.until("2026-11-21T12:00") == [STALE]
    if status is None:
        del world.profiles["1"]
    else:
        world.profiles["1"] = world.profile("1", status=status)
    assert world.sweep() == [FRESH]
    assert world.told.breaches[-1].cleared_because == why


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"credential": ""}, []),  # of dropped files
        ({}, []),
        ({"status": ProfileStatus.DENIED}, []),
        ({"status": ProfileStatus.REMOVED}, ["-score#meta_ads#9"]),
        ({"status": ProfileStatus.INACTIVE}, ["-score#meta_ads#9"]),
    ],
    ids=str,
)
def test_what_the_days_of_an_ad_account_say_lasts_until_it_is_gone(fields: dict[str, Any], told: list[str]) -> None:
    # given an ad account of which the days score worse
    world = Clockwork("1")
    world.pull()
    look = Look(BreachKind.SCORE, Subject("acme", META, "9"), Judgement.BAD, "The score fell.")
    world.monitor.settle([look], {}, world.clock.now())

    # when its pulls are looked at
    world.profiles["9"] = world.profile("9", **fields)
    world.pull("9")

    # then that is over only where the ad account was deleted with its client, or is listed no more
    assert world.sweep() == told
