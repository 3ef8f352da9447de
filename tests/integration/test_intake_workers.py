"""Collector, poller and outcomes on the real ledger and raw store (moto): every error, every crash point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from adweir.intake.collect.poller import rhythm
from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    BadInput,
    MassVanish,
    OutOfRetention,
    ReportFailed,
    RequestRejected,
    Throttled,
    TooMuchData,
    Transient,
)
from adweir.model.messages import TaskMessage
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import ReportState
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.collect_world import CollectWorld, collecting, page
from support.crash import Crash, Killed


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> Iterator[CollectWorld]:
    with collecting(clock) as made:
        yield made


def children(world: CollectWorld, task: Task) -> list[Task]:
    return sorted(
        (t for t in world.ledger.pulls(task.run_id) if t.parent == task.id),
        key=lambda t: t.window or Window.parse("2026-01-01"),
    )


class TestPages:
    def test_a_complete_list_lands_with_the_time_before_its_first_request(
        self, world: CollectWorld, clock: FrozenClock
    ) -> None:
        task = world.plan(Dataset.CAMPAIGNS)
        world.connector.each_page = lambda: clock.advance(5)
        assert world.collect(task) == "done"
        found = world.task(task)
        assert (found.state, found.as_of) == ("landed", "2026-11-20T12:00:00.000000Z")
        raw = world.raw.open(found.object_key)
        assert (raw.header.complete, raw.header.as_of, raw.header.profile_kind) == (True, found.as_of, "seller")
        assert [p.stream.read() for p in raw.pages()] == [b'{"page":1}', b'{"page":2}']

    def test_a_list_without_its_end_marker_is_not_complete(self, world: CollectWorld) -> None:
        task = world.plan(Dataset.CAMPAIGNS)
        world.connector.listed = [page(1, last=False)]
        world.collect(task)
        with world.raw.open(world.task(task).object_key) as raw:
            assert not raw.header.complete

    def test_profiles_are_listed_by_credential(self, world: CollectWorld) -> None:
        task = world.plan(Dataset.PROFILES, profile_id="", slice_="all")
        assert world.collect(task) == "done"
        assert world.connector.calls == ["profiles"]
        assert world.task(task).object_key.startswith("raw/amazon_ads/@acme/profiles/")

    def test_pages_that_do_not_fit_the_time_left_are_given_up(self, world: CollectWorld) -> None:
        task = world.plan(Dataset.CAMPAIGNS)
        world.left = 5
        assert world.collect(task) == "settled:too_much_data"
        assert world.state(task) == "failed"
        world.connector.listed = [page(1, last=True)]
        assert world.collect(world.plan(Dataset.KEYWORDS)) == "done"

    def test_a_second_delivery_of_a_landed_task_changes_nothing(self, world: CollectWorld) -> None:
        task = world.plan(Dataset.CAMPAIGNS)
        world.collect(task)
        assert world.collect(task) == "done"
        assert world.connector.calls == ["pages"]

    def test_a_second_delivery_while_the_first_works_waits(self, world: CollectWorld, clock: FrozenClock) -> None:
        task = world.plan(Dataset.CAMPAIGNS)
        world.ledger.claim(task.run_id, task.id, 0, 330)
        assert world.collect(task) == "throttled"
        clock.advance(331)
        assert world.collect(task) == "done"

    @pytest.mark.parametrize("change", [{"generation": 1}, {"task_id": "unknown"}])
    def test_a_message_of_another_generation_or_task_is_dropped(
        self, world: CollectWorld, change: dict[str, Any]
    ) -> None:
        task = world.plan(Dataset.CAMPAIGNS)
        message = TaskMessage(**({"run_id": task.run_id, "task_id": task.id} | change))
        assert world.deliver(message, world.collector.collect) == "done"
        assert world.connector.calls == []


class TestReports:
    def test_it_waits_for_the_report_and_lands_it_with_the_reports_own_time(self, world: CollectWorld) -> None:
        task = world.plan()
        assert world.collect(task) == "done"
        (message,), (delay,) = world.queues.reports.messages, world.queues.reports.delays
        assert (world.state(task), delay, message.report_deadline > 0) == ("waiting_report", 60, True)
        assert world.poll(message) == "not_ready"
        world.connector.becomes("report-1", ReportState.READY)
        assert world.poll(message) == "done"
        found = world.task(task)
        assert (found.state, found.as_of) == ("landed", "2026-11-20T11:00:00.000000Z")
        with world.raw.open(found.object_key) as raw:
            assert (raw.header.complete, raw.header.as_of, raw.header.window) == (True, found.as_of, task.window)

    def test_many_polls_do_not_wait_for_each_others_holds(self, world: CollectWorld) -> None:
        task = world.plan()
        world.collect(task)
        (message,) = world.queues.reports.take()
        assert [world.poll(message) for _ in range(3)] == ["not_ready"] * 3

    def test_the_rhythm_is_constant_first_and_then_grows_to_its_limit(self, world: CollectWorld) -> None:
        waits = [rhythm(attempt, world.timing) for attempt in range(12)]
        assert waits[:5] == [60] * 5
        assert waits[5:9] == [90, 135, 202.5, 300]
        assert set(waits[9:]) == {300}
        assert rhythm(10**6, world.timing) == 300
        assert rhythm(20, replace(world.timing, poll=400)) == 400

    def test_a_failed_report_is_requested_once_more(self, world: CollectWorld) -> None:
        task = world.plan()
        world.collect(task)
        (message,) = world.queues.reports.take()
        world.connector.becomes("report-1", ReportState.FAILED, "internal")
        assert world.poll(message) == "done"
        (again,) = world.queues.reports.messages
        assert (world.task(task).report_id, again.resubmits) == ("report-2", 1)
        world.connector.becomes("report-2", ReportState.READY)
        assert world.poll(again) == "done"
        assert world.state(task) == "landed"

    @at_the_bound("MAX_RESUBMITTED_REPORTS")
    def test_how_often_a_failed_report_is_requested_again(self, world: CollectWorld, size: int, fits: bool) -> None:
        task = world.plan()
        world.collect(task)
        (message,) = world.queues.reports.take()
        world.connector.becomes("report-1", ReportState.FAILED, "internal")
        outcome = world.poll(message.model_copy(update={"resubmits": size - 1}))
        assert (outcome, world.state(task)) == (
            ("done", "waiting_report") if fits else ("settled:report_failed", "split")
        )

    def test_a_report_that_fails_twice_is_split(self, world: CollectWorld) -> None:
        task = world.plan()
        world.collect(task)
        (message,) = world.queues.reports.take()
        world.connector.becomes("report-1", ReportState.FAILED)
        world.poll(message)
        (again,) = world.queues.reports.take()
        world.connector.becomes("report-2", ReportState.FAILED, "internal")
        assert world.poll(again) == "settled:report_failed"
        assert world.state(task) == "split"
        assert [str(t.window) for t in children(world, task)] == ["2026-11-06..2026-11-12", "2026-11-13..2026-11-19"]
        assert {m.task_id for m in world.queues.collecting.take()} == {t.id for t in children(world, task)}
        assert world.advances() == 1

    def test_a_single_day_that_fails_twice_has_failed(self, world: CollectWorld) -> None:
        task = world.plan(window="2026-11-19")
        world.collect(task)
        for number in (1, 2):
            (message,) = world.queues.reports.take()
            world.connector.becomes(f"report-{number}", ReportState.FAILED, "internal")
            outcome = world.poll(message)
        assert (outcome, world.state(task)) == ("settled:report_failed", "failed")
        assert "internal" in str(world.task(task).error)

    def test_an_overdue_report_that_the_platform_holds_on_to_is_split(
        self, world: CollectWorld, clock: FrozenClock
    ) -> None:
        task = world.plan()
        world.collect(task)
        (message,) = world.queues.reports.take()
        clock.advance(10_801)
        assert world.poll(message) == "settled:report_failed"
        assert world.state(task) == "split"

    def test_a_report_whose_file_is_gone_is_requested_again(self, world: CollectWorld) -> None:
        task = world.plan()
        world.collect(task)
        (message,) = world.queues.reports.take()
        world.connector.becomes("report-1", ReportState.READY)
        world.connector.file_error = ReportFailed("the download is refused")
        assert world.poll(message) == "done"
        assert world.task(task).report_id == "report-2"

    def test_a_collect_message_for_a_waiting_report_sends_its_poll_message_again(self, world: CollectWorld) -> None:
        task = world.plan()
        world.collect(task)
        world.queues.reports.take()
        assert world.collect(task) == "done"
        assert len(world.queues.reports.messages) == 1
        assert world.connector.calls == ["create"]

    def test_a_poll_message_after_landing_is_dropped(self, world: CollectWorld) -> None:
        task = world.plan()
        world.collect(task)
        (message,) = world.queues.reports.take()
        world.connector.becomes("report-1", ReportState.READY)
        world.poll(message)
        calls = list(world.connector.calls)
        assert world.poll(message) == "done"
        assert world.connector.calls == calls


class TestErrorTable:
    @pytest.mark.parametrize(
        ("error", "state"),
        [
            (RequestRejected("unknown column"), "failed"),
            (BadInput("not ours"), "quarantined"),
            (MassVanish("too much"), "quarantined"),
            (AuthExpired("revoked"), "parked"),
            (AccessDenied("no scope"), "failed"),
            (TooMuchData("too big"), "split"),
            (AdweirError("odd"), "failed"),
        ],
    )
    def test_what_becomes_of_the_task(self, world: CollectWorld, error: AdweirError, state: str) -> None:
        task = world.plan()
        world.connector.error = error
        assert world.collect(task) == f"settled:{error.code}"
        assert world.state(task) == state
        assert world.advances() == 1
        if state != "split":
            stored = world.task(task).error
            assert stored is not None
            assert (stored["code"], stored["message"]) == (error.code, error.message)

    def test_throttling_trips_the_brake_and_gives_the_task_back(self, world: CollectWorld, clock: FrozenClock) -> None:
        task = world.plan()
        world.connector.error = Throttled("429", retry_after=40)
        assert world.collect(task) == "throttled"
        world.connector.error = None
        assert world.collect(task) == "throttled"
        assert world.connector.calls == ["create"]
        clock.advance(41)
        assert world.collect(task) == "done"

    def test_a_wait_that_the_platform_does_not_name_doubles_by_attempt(self, world: CollectWorld) -> None:
        task = world.plan()
        message = TaskMessage(run_id=task.run_id, task_id=task.id, attempt=5)
        world.connector.error = Throttled("429", retry_after=2.0, guessed=True)
        with pytest.raises(Throttled) as caught:
            world.collector.collect(message, lambda: 300.0)
        assert caught.value.retry_after == 64

    @at_the_bound("MAX_GUESSED_WAIT_SECONDS")
    def test_a_guessed_wait_ends_at_its_bound(self, world: CollectWorld, size: int, fits: bool) -> None:
        task = world.plan()
        world.connector.error = Throttled("429", retry_after=float(size), guessed=True)
        with pytest.raises(Throttled) as caught:
            world.collector.collect(TaskMessage(run_id=task.run_id, task_id=task.id), lambda: 300.0)
        assert (caught.value.retry_after == size) is fits

    def test_repeated_faults_open_the_circuit(self, world: CollectWorld) -> None:
        task = world.plan()
        world.connector.error = Transient("503")
        assert [world.collect(task) for _ in range(6)] == ["transient"] * 5 + ["throttled"]
        assert len(world.connector.calls) == 5

    def test_throttled_beyond_its_deadline_it_fails(self, world: CollectWorld, clock: FrozenClock) -> None:
        task = world.plan()
        world.connector.error = Throttled("429", retry_after=30_000)
        assert world.collect(task) == "throttled"
        clock.advance(21_601)
        assert world.collect(task) == "settled:deadline"
        assert world.state(task) == "failed"
        assert len(world.connector.calls) == 1

    def test_the_poller_watches_the_deadline_too(self, world: CollectWorld, clock: FrozenClock) -> None:
        task = world.plan()
        world.collect(task)
        (message,) = world.queues.reports.take()
        clock.advance(21_601)
        assert world.poll(message) == "settled:deadline"

    def test_children_that_a_dying_worker_never_sent_go_out_when_the_message_comes_again(
        self, world: CollectWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = world.plan()
        world.connector.error = TooMuchData("too big")

        with monkeypatch.context() as patched:
            Crash(1).watch(world.queues.collecting, "send_many", put=patched.setattr)
            with pytest.raises(Killed):
                world.collect(task)
        assert world.state(task) == "split"
        assert world.collect(task) == "done"
        assert {m.task_id for m in world.queues.collecting.take()} == {t.id for t in children(world, task)}
        assert world.advances() == 1

    @at_the_bound("MAX_SPLIT_DEPTH")
    def test_splitting_ends_at_its_depth(self, world: CollectWorld, size: int, fits: bool) -> None:
        task = world.plan(depth=size - 1)
        world.connector.error = TooMuchData("too big")
        world.collect(task)
        assert world.state(task) == ("split" if fits else "failed")

    @at_the_bound("MAX_SPLIT_DEPTH")
    def test_clamping_ends_at_the_same_depth(self, world: CollectWorld, size: int, fits: bool) -> None:
        task = world.plan(depth=size - 1)
        world.connector.error = OutOfRetention("gone", oldest=date(2026, 11, 10))
        world.collect(task)
        assert world.state(task) == ("split" if fits else "failed")

    def test_a_dead_credential_is_reported_once_and_marked(self, world: CollectWorld) -> None:
        first, second = world.plan(), world.plan(slice_="sb")
        world.connector.error = AuthExpired("revoked")
        assert world.collect(first) == "settled:auth_expired"
        assert world.collect(second) == "settled:auth_expired"
        assert [world.state(first), world.state(second)] == ["parked", "parked"]
        assert world.bus.names() == ["CredentialBroken"]
        assert world.credential().state == "broken"
        assert len(world.connector.calls) == 1

    @pytest.mark.parametrize("used", [{"credential_version": 1}, {}], ids=["replaced", "first"])
    def test_a_credential_that_arrived_meanwhile_is_not_marked(self, world: CollectWorld, used: dict[str, Any]) -> None:
        task = world.plan()
        error = AuthExpired("revoked", **used)
        assert world.add_credential("acme").version == 2
        message = TaskMessage(run_id=task.run_id, task_id=task.id)
        with pytest.raises(Transient, match="newer credential"):
            world.outcomes.settle(message, error)
        assert (world.state(task), world.bus.events) == ("planned", [])

    @pytest.mark.parametrize("missing", ["credential", "secret"])
    def test_a_missing_credential_or_secret_parks(self, world: CollectWorld, missing: str) -> None:
        if missing == "credential":
            world.catalog.delete_credential("acme", world.platform)
            world.add_profile("123")  # it was the credential that reached it
        world.secret_missing = True
        task = world.plan()
        assert world.collect(task) == "settled:auth_expired"
        assert world.state(task) == "parked"

    def test_a_denied_profile_fails_its_tasks_and_no_others(self, world: CollectWorld) -> None:
        world.add_profile("456")
        mine, also_mine, other = world.plan(), world.plan(slice_="sb"), world.plan(profile_id="456")
        world.connector.error = AccessDenied("no scope")
        world.collect(mine)
        assert [world.state(t) for t in (mine, also_mine, other)] == ["failed", "failed", "planned"]
        assert world.profile("123").status == "denied"
        later = world.plan(slice_="sd")
        world.connector.calls.clear()
        assert world.collect(later) == "settled:access_denied"
        assert world.connector.calls == []

    def test_denied_without_a_profile_fails_the_task_alone(self, world: CollectWorld) -> None:
        task = world.plan(Dataset.PROFILES, profile_id="", slice_="all")
        world.connector.error = AccessDenied("no")
        world.collect(task)
        assert world.state(task) == "failed"

    def test_an_unknown_profile_fails(self, world: CollectWorld) -> None:
        task = world.plan(profile_id="789")
        assert world.collect(task) == "settled:request_rejected"

    @pytest.mark.parametrize(
        ("window", "outcome", "kept"),
        [
            ("2026-09-01..2026-09-30", "split", ["2026-09-22..2026-09-30"]),
            ("2026-08-01..2026-08-31", "skipped", []),
            ("2026-09-22..2026-09-30", "waiting_report", []),
        ],
    )
    def test_a_window_behind_the_retention_is_clamped(
        self, world: CollectWorld, window: str, outcome: str, kept: list[str]
    ) -> None:
        task = world.plan(window=window, slice_="sb")
        world.collect(task)
        assert world.state(task) == outcome
        assert [str(t.window) for t in children(world, task)] == kept

    def test_what_the_platform_says_about_retention_clamps_too(self, world: CollectWorld) -> None:
        task = world.plan()
        world.connector.error = OutOfRetention("gone", oldest=date(2026, 11, 10))
        world.collect(task)
        assert [str(t.window) for t in children(world, task)] == ["2026-11-10..2026-11-19"]

    def test_days_that_the_platform_says_are_all_gone_land_as_not_applicable(self, world: CollectWorld) -> None:
        """So coverage has them, and no backfill asks for them again."""
        task = world.plan()
        world.connector.error = OutOfRetention("gone", oldest=date(2026, 11, 20))

        world.collect(task)

        landed = world.ledger.get_pull(task.run_id, task.id)
        assert landed is not None
        assert (landed.state, children(world, task)) == ("landed", [])
        assert world.raw.metadata(landed.object_key)["not-applicable"] == "true"
