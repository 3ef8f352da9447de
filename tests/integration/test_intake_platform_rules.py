"""What a platform's own rules do to its tasks: not applicable, wider pauses, narrower tasks, routes, pace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from adweir.intake.collect.worker import Timing
from adweir.model.datasets import Dataset
from adweir.model.errors import NotApplicable, ReportFailed, Throttled, ThrottleScope, TooMuchData
from adweir.model.tasks import Task, TaskState
from adweir.model.times import Window
from adweir.platforms.amazon_ads.options import AmazonOptions
from adweir.platforms.base import Pace, ProfileOptions
from adweir.platforms.connector import Connector, Mode, Report, ReportState
from adweir.store.ledger.brakes import scope_key
from support.clock import FrozenClock
from support.collect_world import AMAZON, CollectWorld

BUCKET = "adweir-data"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> CollectWorld:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return CollectWorld(clock, s3, BUCKET)


class TestNotApplicable:
    def test_metrics_that_a_profile_does_not_have_land_as_not_applicable(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given a profile without this ad product
        task = world.plan(slice_="sd")
        # when its report is asked for
        monkeypatch.setattr(
            world.connector, "create_report", _raise(NotApplicable("not authorized for Sponsored Display"))
        )
        assert world.collect(task) == "done"
        # then the refusal has landed for the loader, and neither profile nor other slices are affected
        assert world.state(task) is TaskState.LANDED
        with world.raw.open(world.task(task).object_key) as raw:
            assert (raw.header.not_applicable, raw.header.complete, raw.header.slice) == (True, False, "sd")
            assert [page.stream.read() for page in raw.pages()] == [b"not authorized for Sponsored Display"]
        assert world.profile("123").status == "active"

    def test_a_report_that_turns_out_not_applicable_lands_so(self, world: CollectWorld) -> None:
        task = world.plan(slice_="sd")
        world.collect(task)
        (poll,) = world.queues.reports.take()
        world.connector.error = NotApplicable("no such product")
        assert world.poll(poll) == "done"
        assert world.state(task) is TaskState.LANDED

    def test_entities_that_a_profile_does_not_have_are_skipped(self, world: CollectWorld) -> None:
        task = world.plan(Dataset.CAMPAIGNS, slice_="sd")
        world.connector.error = NotApplicable("no such product")
        assert world.collect(task) == "settled:not_applicable"
        found = world.task(task)
        assert (found.state, found.error and found.error["code"]) == (TaskState.SKIPPED, "not_applicable")
        assert world.advances() == 1


class TestWiderPauses:
    @pytest.mark.parametrize(
        ("scope", "others"),
        [(ThrottleScope.PROFILE, "done"), (ThrottleScope.REGION, "throttled"), (ThrottleScope.APP, "done")],
    )
    def test_a_pause_covers_what_the_platform_names(
        self, world: CollectWorld, scope: ThrottleScope, others: str
    ) -> None:
        # given two profiles in one region, and a platform whose pauses concern profiles and regions
        world.add_profile("456", kind="seller")
        world.connector.error = Throttled("429", retry_after=40, scope=scope)
        assert world.collect(world.plan(Dataset.CAMPAIGNS)) == "throttled"
        # when the other profile's task comes
        world.connector.error = None
        # then it waits only if the pause is the region's; a scope that the platform does not know is the profile's
        assert world.collect(world.plan(Dataset.CAMPAIGNS, profile_id="456")) == others
        assert world.collect(world.plan(Dataset.KEYWORDS)) == "throttled"

    def test_a_region_s_pause_does_not_reach_another_region(self, world: CollectWorld) -> None:
        world.add_profile("eu1", kind="seller", route="eu")
        world.ledger.brakes.trip(AMAZON, scope_key(ThrottleScope.REGION, "eu"), 60, "report limit")
        assert world.collect(world.plan(Dataset.CAMPAIGNS, profile_id="eu1")) == "throttled"
        assert world.collect(world.plan(Dataset.CAMPAIGNS)) == "done"
        (brake,) = world.ledger.brakes.on(AMAZON)
        assert (brake.profile_id, brake.scope, brake.state) == ("", "region:eu", "paused")

    def test_all_brakes_of_a_task_are_read_with_one_request(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[int] = []
        read = world.ledger.brakes._fetch_many

        def fetch(keys: Any) -> Any:
            asked.append(len(keys))
            return read(keys)

        monkeypatch.setattr(world.ledger.brakes, "_fetch_many", fetch)
        world.collect(world.plan(Dataset.CAMPAIGNS))
        assert asked == [2]


class TestNarrowing:
    @pytest.mark.parametrize("error", [TooMuchData("too big"), ReportFailed("broken")])
    def test_a_platform_s_own_parts_replace_the_task(
        self, world: CollectWorld, error: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given a platform that narrows by campaign, and asks for one of them another way
        task = world.plan()
        parts = [task.child(slice_="campaign=1"), task.child(slice_="campaign=2", mode=Mode.PAGES)]
        monkeypatch.setattr(world.connector, "narrower", lambda _task, _error: parts)
        world.connector.error = error
        # when a pull is too much
        monkeypatch.setattr(world.connector, "create_report", _raise(error))
        world.collect(task)
        # then the parts take its place, each pulled the way it says
        assert world.state(task) is TaskState.SPLIT
        assert [world.task(part).slice for part in parts] == ["campaign=1", "campaign=2"]
        world.connector.error = None
        assert world.collect(parts[1]) == "done"
        assert world.state(parts[1]) is TaskState.LANDED

    def test_a_task_that_cannot_be_narrowed_fails_with_its_reason(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = world.plan(window="2026-11-19..2026-11-19")
        monkeypatch.setattr(world.connector, "create_report", _raise(TooMuchData("one day is too big")))
        world.collect(task)
        found = world.task(task)
        assert (found.state, found.error and found.error["message"]) == (TaskState.FAILED, "one day is too big")

    def test_a_part_that_is_the_task_itself_does_not_replace_it(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given a platform whose rule gives back the same question
        task = world.plan()
        monkeypatch.setattr(world.connector, "narrower", lambda task, _error: [task.child()])
        monkeypatch.setattr(world.connector, "create_report", _raise(TooMuchData("too big")))
        world.collect(task)
        # then the task fails instead of ending as split into nothing
        found = world.task(task)
        assert (found.state, found.error and found.error["code"]) == (TaskState.FAILED, "too_much_data")

    def test_the_same_days_asked_another_way_are_another_task(self) -> None:
        whole = Task("r", "s", "a", AMAZON, "1", Dataset.AD_DAILY, "sp", Window.parse("2026-11-01..2026-11-02"), 0)
        assert whole.child(mode=Mode.REPORT).id not in {whole.id, whole.child(mode=Mode.PAGES).id}
        assert replace(whole, id="").id == whole.id


def _raise(error: Exception) -> Any:
    def create_report(task: Task) -> Report:
        raise error

    return create_report


class TestOptions:
    def test_a_connector_knows_the_options_of_the_profile_that_it_pulls_for(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given a profile with an option, one that this version does not know beside it, and a profile without any
        known: list[ProfileOptions] = []

        def under(options: ProfileOptions) -> Connector:
            known.append(options)
            return world.connector

        monkeypatch.setattr(world.connector, "under", under)
        world.add_profile("456", kind="seller", options={"window": "14d", "of_tomorrow": 1})
        # when both are pulled
        for profile_id in ("123", "456"):
            assert world.collect(world.plan(Dataset.CAMPAIGNS, profile_id=profile_id)) == "done"
        # then the one with options is asked for under them
        assert known == [AmazonOptions(window="14d")]


class TestReports:
    def test_a_report_is_discarded_once_it_landed_or_failed(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given a platform on which reports pile up
        discarded: list[str] = []
        monkeypatch.setattr(world.connector, "discard_report", lambda _task, report_id: discarded.append(report_id))
        landed, failed = world.plan(slice_="sp"), world.plan(slice_="sb")
        world.collect(landed)
        world.connector.becomes("report-1", ReportState.READY)
        world.collect(failed)
        world.connector.becomes("report-2", ReportState.FAILED, "broken")
        # when both are looked at
        for message in world.queues.reports.take():
            world.poll(message)
        # then each was let go of
        assert discarded == ["report-1", "report-2"]

    def test_one_report_serves_all_profiles_that_share_it(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given a partner's report that answers for two advertisers
        discarded: list[str] = []
        monkeypatch.setattr(world.connector, "report_key", lambda task: f"partner-1 {task.window}")
        monkeypatch.setattr(world.connector, "discard_report", lambda _task, report_id: discarded.append(report_id))
        world.add_profile("456", kind="seller")
        one, other = world.plan(), world.plan(profile_id="456")
        # when both ask for it
        world.collect(one)
        world.collect(other)
        # then there is one, with one creation time
        assert world.connector.calls == ["create"]
        assert {(world.task(task).report_id, world.task(task).as_of) for task in (one, other)} == {
            ("report-1", "2026-11-20T11:00:00.000000Z")
        }
        # when it is ready, then each lands its own object, and the last one lets go of it
        world.connector.becomes("report-1", ReportState.READY)
        first, second = world.queues.reports.take()
        world.poll(first)
        assert (world.state(one), discarded) == (TaskState.LANDED, [])
        world.poll(second)
        assert (world.state(other), discarded) == (TaskState.LANDED, ["report-1"])
        assert world.task(one).object_key != world.task(other).object_key

    def test_a_shared_report_that_failed_is_asked_for_once_more_for_all(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(world.connector, "report_key", lambda task: f"partner-1 {task.window}")
        world.add_profile("456", kind="seller")
        tasks = [world.plan(), world.plan(profile_id="456")]
        for task in tasks:
            world.collect(task)
        world.connector.becomes("report-1", ReportState.FAILED, "broken")
        for message in world.queues.reports.take():
            assert world.poll(message) == "done"
        assert [world.task(task).report_id for task in tasks] == ["report-2", "report-2"]
        assert world.connector.calls.count("create") == 2

    def test_who_asks_after_a_shared_report_was_let_go_of_gets_another_one(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given a shared report that landed and is gone from the platform
        monkeypatch.setattr(world.connector, "report_key", lambda task: f"partner-1 {task.window}")
        monkeypatch.setattr(world.connector, "discard_report", lambda _task, report_id: None)
        world.add_profile("456", kind="seller")
        early, late = world.plan(), world.plan(profile_id="456")
        world.collect(early)
        world.connector.becomes("report-1", ReportState.READY)
        (poll,) = world.queues.reports.take()
        world.poll(poll)
        # when a task of the same question comes only then
        world.collect(late)
        # then it does not wait for what is gone
        assert world.task(late).report_id == "report-2"

    def test_while_one_task_asks_for_a_shared_report_the_others_wait(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(world.connector, "report_key", lambda _task: "partner-1")
        task = world.plan()
        with world.ledger.lease(f"report#{AMAZON}#{task.account_id}#{task.run_id}#partner-1", 60):
            assert world.collect(task) == "not_ready"
        assert list(world.ledger.brakes.on(AMAZON)) == []
        assert world.collect(task) == "done"

    def test_a_dataset_s_pace_goes_before_the_deployment_s(self) -> None:
        timing = Timing(poll=60, poll_max=300, report_timeout=10_800)
        assert timing.at(Pace()) == timing
        assert timing.at(Pace(poll_seconds=1800, report_timeout_seconds=86_400)) == Timing(
            poll=1800, poll_max=300, report_timeout=86_400
        )


def test_a_raw_object_records_how_it_was_fetched(world: CollectWorld) -> None:
    task = world.plan(Dataset.CAMPAIGNS)
    world.connector.route = "eu"
    world.collect(task)
    with world.raw.open(world.task(task).object_key) as raw:
        assert raw.header.route == "eu"
