"""Health and metrics reports, and the orchestrate function, on moto's ledger."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from adweir.model import limits
from adweir.model.breaches import Breach, BreachState, Subject
from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, ProfileStatus
from adweir.model.errors import ThrottleScope, Unavailable
from adweir.model.messages import StartRun
from adweir.model.runs import RunState
from adweir.model.tasks import Task, TaskState
from adweir.model.times import iso
from adweir.pipeline.health import QueueDepth, StoreState, health
from adweir.pipeline.throughput import metrics
from adweir.pipeline.workflows import workflow
from adweir.store.findings.held_rows import HeldObject
from adweir.store.ledger.brakes import scope_key
from support.bounds import at_the_bound
from support.breach_world import late_breach
from support.clock import FrozenClock
from support.pipeline import a_run, a_task
from support.pipeline_world import META, PipelineWorld

pytestmark = pytest.mark.usefixtures("tables")
DAILY = StartRun(workflow="daily", scheduled_at=datetime(2026, 11, 20, 4, 0, tzinfo=UTC), run_id="r")
QUIET = {"runs": QueueDepth(0), "runs-dead": QueueDepth(0, dead_letters=True)}


@pytest.fixture
def world(clock: FrozenClock) -> PipelineWorld:
    world = PipelineWorld(clock, found=("1", "2"))
    world.runs.send(DAILY)
    return world


def report(world: PipelineWorld, depths: Mapping[str, QueueDepth] = QUIET, *breaches: Breach) -> dict[str, Any]:
    states = [StoreState("queue", name, name, 1.0, depth=depth) for name, depth in depths.items()]
    answer = health(world.ledger, world.catalog, lambda: states, world.clock, lambda: breaches)
    assert json.loads(json.dumps(answer)) == answer
    return answer


def reasons(answer: Mapping[str, Any]) -> dict[str, str]:
    return {name: part["reason"] for name, part in answer["parts"].items() if part["status"] != "healthy"}


def statuses(answer: Mapping[str, Any]) -> dict[str, str]:
    return {name: part["status"] for name, part in answer["parts"].items() if part["status"] != "healthy"}


def test_a_pipeline_that_pulled_everything_today_is_healthy(world: PipelineWorld) -> None:
    world.drain()

    answer = report(world)

    assert (answer["status"], statuses(answer)) == ("healthy", {})
    (first, _) = answer["parts"]["profiles"]["items"]
    assert (first["profile_id"], first["newest_day"], first["days_behind"]) == ("1", "2026-11-19", 0)
    assert answer["parts"]["runs"]["last"]["daily"]["state"] == "succeeded"


def test_a_profile_that_was_never_pulled_degrades_and_none_at_all_is_unhealthy(world: PipelineWorld) -> None:
    world.fate = lambda task: TaskState.FAILED if task.profile_id == "2" else TaskState.LOADED
    world.drain()
    answer = report(world)
    assert answer["status"] == "degraded"
    assert statuses(answer) == {"profiles": "degraded", "runs": "degraded"}
    assert reasons(answer) == {
        "profiles": "1 of 2 ad accounts: meta_ads 2 (never pulled)",
        "runs": "not repaired: daily (partial)",
    }

    world.clock.advance(27 * 3600)
    later = report(world, QUIET, late_breach(Subject(world.account_id, META, "1")))
    assert (later["status"], statuses(later)["profiles"]) == ("unhealthy", "unhealthy")
    assert later["parts"]["profiles"]["items"][0]["days_behind"] == 1
    assert later["parts"]["profiles"]["items"][0]["reason"].endswith(", was due 2026-11-21T05:30:00.000000Z")
    assert reasons(later)["profiles"].startswith("2 of 2 ad accounts: meta_ads 1 (last pulled 2026-11-20T")


def test_an_ad_account_is_as_late_as_its_schedules_say(world: PipelineWorld) -> None:
    """Given one that only a weekly job covers, then six days after its pull nothing is wrong with it."""
    world.drain()
    world.clock.advance(6 * 86_400)
    subject = Subject(world.account_id, META)
    assert statuses(report(world, QUIET, late_breach(subject, state=BreachState.CLEARED))) == {}
    assert statuses(report(world, QUIET, late_breach(Subject(world.account_id, META, "1"), "hour"))) == {
        "profiles": "degraded",
        "breaches": "degraded",
    }
    # all behind a credential are late together, and those behind another one are not
    world.add_profile("3", credential="agency")
    part = report(world, QUIET, late_breach(subject))["parts"]["profiles"]
    assert ["was due" in each.get("reason", "") for each in part["items"]] == [True, True, False]
    part = report(world, QUIET, late_breach(subject, "agency#day"))["parts"]["profiles"]
    assert [each.get("reason") for each in part["items"]] == [None, None, "never pulled"]


def test_a_profile_of_an_unknown_time_zone_is_named_and_the_others_are_judged(world: PipelineWorld) -> None:
    world.drain()
    world.clock.advance(60)
    world.add_profile("2", timezone="Mars/Olympus")

    part = report(world)["parts"]["profiles"]

    well, lost = part["items"]
    assert (well["status"], lost["status"], lost["days_behind"]) == ("healthy", "degraded", None)
    assert lost["reason"] == "unknown time zone 'Mars/Olympus'"


def test_a_profile_whose_access_was_lost_is_degraded_until_a_listing_brings_it(world: PipelineWorld) -> None:
    world.drain()
    world.catalog.mark_profile(META, "2", ProfileStatus.DENIED)

    lost = report(world)["parts"]["profiles"]["items"][1]
    assert (lost["profile_status"], lost["status"]) == ("denied", "degraded")
    assert lost["reason"] == "denied on its platform"

    world.clock.advance(60)
    world.add_profile("2")
    assert report(world)["status"] == "healthy"


def test_a_workflow_whose_last_run_failed_is_unhealthy(world: PipelineWorld) -> None:
    world.fate = lambda task: TaskState.FAILED
    world.drain()

    answer = report(world)
    assert statuses(answer) == {"runs": "unhealthy"}
    assert reasons(answer) == {"runs": "not repaired: daily (failed: stage profiles: 0 of 1 tasks loaded)"}


def test_dead_letters_broken_credentials_and_open_circuits_degrade(world: PipelineWorld) -> None:
    world.drain()
    world.add_credential("acc-2")
    world.break_credential("acc-2")
    for _ in range(5):
        world.ledger.brakes.failure(META, "1")
    dead = {"runs": QueueDepth(3, 1), "runs-dead": QueueDepth(1, dead_letters=True)}

    answer = report(world, dead)

    assert statuses(answer) == {
        "profiles": "degraded",
        "credentials": "degraded",
        "brakes": "degraded",
        "dead_letters": "degraded",
    }
    assert answer["parts"]["queues"]["items"] == {"runs": {"visible": 3, "in_flight": 1, "delayed": 0}}
    assert answer["parts"]["credentials"]["broken"][0]["reason"] == "revoked"
    assert reasons(answer) == {
        "credentials": "refused: meta_ads default of acc-2 (revoked)",
        "profiles": "1 of 2 ad accounts: meta_ads 1 (waits: faults five times, next try 12:00 UTC)",
        "brakes": "1 on: meta_ads 1 (faults five times, next try 12:00 UTC)",
        "dead_letters": "messages: runs-dead (1)",
    }


def test_a_credential_that_is_about_to_end_degrades_and_says_when(world: PipelineWorld) -> None:
    world.drain()
    for account, ends in (("acc-2", "2026-11-30"), ("acc-3", "2026-11-01"), ("acc-4", "2027-11-01")):
        world.add_credential(account, ends_on=ends)
    answer = report(world)
    today = world.clock.now().date()
    assert [
        (one["account_id"], one["ends_on"], one["days_left"]) for one in answer["parts"]["credentials"]["ending"]
    ] == [
        ("acc-3", "2026-11-01", (date(2026, 11, 1) - today).days),
        ("acc-2", "2026-11-30", (date(2026, 11, 30) - today).days),
    ]
    assert (answer["status"], reasons(answer)["credentials"]) == (
        "degraded",
        "at their end: meta_ads default of acc-3 (ended on 2026-11-01), meta_ads default of acc-2 (ends on 2026-11-30)",
    )
    world.break_credential("acc-3")
    assert reasons(report(world))["credentials"].startswith("refused, or at their end: meta_ads default of acc-3 (")


def test_profiles_that_wait_degrade_the_health_which_says_what_for(world: PipelineWorld) -> None:
    # given two ad accounts that were pulled, one of which the platform answers 503
    world.drain()
    for _ in range(6):
        world.ledger.brakes.failure(META, "1", "503")

    # then the health is degraded, and says in words why and until when
    answer = report(world)
    assert statuses(answer) == {"profiles": "degraded", "brakes": "degraded"}
    assert reasons(answer) == {
        "profiles": "1 of 2 ad accounts: meta_ads 1 (waits: 503 six times, next try 12:01 UTC)",
        "brakes": "1 on: meta_ads 1 (503 six times, next try 12:01 UTC)",
    }
    assert answer["parts"]["profiles"]["waiting"] == 1

    # and when another task got through, it is healthy again
    world.clock.advance(61)
    world.ledger.brakes.success(META, *world.ledger.brakes.check(META, "1"))
    assert report(world)["status"] == "healthy"


def test_a_pause_of_an_application_makes_all_its_ad_accounts_wait_and_none_of_another(world: PipelineWorld) -> None:
    # given ad accounts of two clients with an application each
    world.add_credential(world.account_id, app="one")
    world.add_credential("acc-2", app="two")
    world.drain()
    world.add_profile("3", account_id="acc-2")
    # when the platform pauses the first application until tomorrow
    world.ledger.brakes.trip(META, scope_key(ThrottleScope.APP, "one"), 86_400, "code 4: too many calls")
    # then its ad accounts wait
    items = report(world)["parts"]["profiles"]["items"]
    said = {item["profile_id"]: item.get("reason", "") for item in items}
    waits = "waits: code 4: too many calls, next try 2026-11-21 12:00 UTC"
    assert said == {"1": waits, "2": waits, "3": "never pulled"}


def test_a_rate_limit_pause_is_shown_with_its_end(world: PipelineWorld) -> None:
    world.drain()
    world.ledger.brakes.trip(META, "1", 60, "code 17")

    answer = report(world)

    assert answer["status"] == "degraded"
    (brake,) = answer["parts"]["brakes"]["on"]
    assert (brake["key"], brake["state"], brake["until"], brake["since"], brake["says"]) == (
        "meta_ads:1",
        "paused",
        iso(world.clock.now() + timedelta(seconds=60)),
        iso(world.clock.now()),
        "code 17, next try 12:01 UTC",
    )


def test_a_part_that_cannot_be_read_is_unhealthy_and_the_others_still_answer(world: PipelineWorld) -> None:
    world.drain()

    def refused() -> list[Breach]:
        raise Unavailable("the findings do not answer")

    answer = health(world.ledger, world.catalog, list, world.clock, refused)

    assert statuses(answer) == {"profiles": "unhealthy", "breaches": "unhealthy"}
    assert reasons(answer)["breaches"] == "the findings do not answer"


def test_metrics_add_up_by_stage_and_platform(world: PipelineWorld) -> None:
    def slowly(task: Task) -> TaskState:
        world.clock.advance(2)
        return TaskState.FAILED if task.profile_id == "2" and task.window else TaskState.LOADED

    world.fate = slowly
    world.drain()

    answer = metrics(world.ledger)

    assert json.loads(json.dumps(answer)) == answer
    (run,) = answer["runs"]
    assert run["seconds"] == 10
    assert [(stage["name"], stage["tasks"], stage["loaded"]) for stage in run["stages"]] == [
        ("profiles", 1, 1),
        ("pulls", 4, 3),
        ("totals", 0, 0),
        ("learn", 0, 0),
        ("reconcile", 1, 1),
        ("etl", 1, 1),
        ("detect", 1, 1),
        ("enrich", 1, 1),
        ("curate", 1, 1),
        ("features", 1, 1),
    ]
    by_stage = {stage["stage"]: stage for stage in answer["stages"]}
    assert by_stage["pulls"]["tasks"] == {"failed": 1, "loaded": 3}
    assert by_stage["pulls"]["counts"] == {"rows_read": 30}
    assert by_stage["pulls"]["seconds_max"] == 8
    assert by_stage["pulls"]["seconds_mean"] == round(16 / 3, 3)
    assert by_stage["pulls"]["rows_per_second"] == round(30 / 16, 3)


def ended_runs(world: PipelineWorld, sizes: Mapping[str, int]) -> None:
    """Runs of so many tasks that have ended, the oldest first."""
    for run_id, tasks in sizes.items():
        world.clock.advance(1)
        world.ledger.create_run(a_run(run_id))
        for number in range(tasks):
            world.ledger.plan(a_task(run_id=run_id, profile_id=str(number)))
        run = world.ledger.get_run(run_id)
        assert run is not None
        world.ledger.change_run(run, state=RunState.FAILED, tasks_total=tasks)


@at_the_bound("MAX_TASKS_MEASURED", as_if=6)
def test_the_tasks_that_are_measured(world: PipelineWorld, size: int, fits: bool) -> None:
    """Older runs that would make them more are left out."""
    ended_runs(world, {"oldest": 1, "older": size - 5, "newest": 5})

    answer = metrics(world.ledger)

    assert [run["run_id"] for run in answer["runs"]] == (["newest", "older"] if fits else ["newest"])
    assert answer["stages"][0]["tasks"] == {"planned": size if fits else 5}


def test_the_newest_run_is_measured_whatever_its_size(world: PipelineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_TASKS_MEASURED", 2)
    ended_runs(world, {"older": 1, "newest": 3})
    assert metrics(world.ledger)["stages"][0]["tasks"] == {"planned": 3}


def test_a_skipped_task_is_no_failure(world: PipelineWorld) -> None:
    # given a run in which one task fails and one is skipped, each with its reason
    run_id = world.engine.start(DAILY)
    for code, state in (("transient", TaskState.FAILED), ("not_applicable", TaskState.SKIPPED)):
        task = world.put_task(Dataset.CAMPAIGNS, None, "1", run_id=run_id, slice=code)
        world.ledger.finish(run_id, task.id, 0, state, error={"code": code})
    # when the measures are read
    (pulls,) = [entry for entry in metrics(world.ledger)["stages"] if entry["stage"] == "pulls"]
    # then only the one that failed is a failure
    assert (pulls["tasks"], pulls["failures"]) == ({"failed": 1, "skipped": 1}, {"transient": 1})


def test_metrics_of_nothing_are_empty(clock: FrozenClock) -> None:
    assert metrics(PipelineWorld(clock).ledger) == {"runs": [], "stages": []}


# --- the function


class Context:
    function_name = "orchestrate"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """functions/orchestrate/app.py as Lambda loads it, with its queues in moto."""
    sqs, names = boto3.client("sqs"), ("runs", "reports", "landing")
    environment = {f"{name.upper()}_QUEUE_URL": sqs.create_queue(QueueName=name)["QueueUrl"] for name in names}
    for platform in ("MetaAds", "AmazonAds"):
        url = sqs.create_queue(QueueName=f"collect-{platform}")["QueueUrl"]
        environment["COLLECT_QUEUES"] = url.replace(platform, "{platform}")
    boto3.client("s3").create_bucket(Bucket="data")
    environment |= {f"{name.upper()}_TABLE": f"adweir-{name}" for name in ("catalog", "metrics", "ledger", "findings")}
    for name, value in (environment | {"BUCKET": "data", "BUS_NAME": "default"}).items():
        monkeypatch.setenv(name, value)
    path = Path(__file__).parents[2] / "functions/orchestrate/app.py"
    spec = importlib.util.spec_from_file_location("orchestrate_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"m{number}",
        "receiptHandle": "h",
        "body": body,
        "attributes": {},
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:runs",
    }


def test_a_sweep_publishes_what_is_wrong_right_now(function: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    function.app.catalog.create_account("acc-1", "Acme", "a@b.example")
    credential = function.app.catalog.put_credential(Credential(account_id="acc-1", platform=META, secret_id="s"))
    function.app.catalog.mark_broken(credential, "revoked")

    function.handler({"Records": [record(0, '{"kind": "sweep"}')]}, Context())

    (written,) = (json.loads(line) for line in capsys.readouterr().out.splitlines() if "SweepsEnded" in line)
    assert (written["service"], written["CredentialsBroken"], written["RunsFailed"]) == ("adweir", [1.0], [0.0])


def test_a_sweep_tells_of_rows_that_were_refused(function: ModuleType) -> None:
    held = HeldObject("raw/1", "acc-1", "meta_ads", "1", "ad_daily", "t", ("quarantine/t.0.jsonl.gz",), 1, {"id": 1})
    function.app.findings.held.hold(held)

    function.handler({"Records": [record(0, '{"kind": "sweep"}')]}, Context())

    (kept,) = function.app.findings.breaches.all().values()
    assert (kept.breach.cause, kept.breach.state) == ("refused#meta_ads#1", BreachState.OPEN)


def test_a_sweep_that_cannot_look_for_late_ad_accounts_publishes_nothing_so_that_its_alarm_rings(
    function: ModuleType,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("a fault of ours")

    monkeypatch.setattr("adweir.pipeline.freshness.Freshness.looks", broken)

    answer = function.handler({"Records": [record(0, '{"kind": "sweep"}')]}, Context())

    assert answer == {"batchItemFailures": []}
    assert "the watch saw nothing" in caplog.text
    assert "SweepsEnded" not in capsys.readouterr().out


def test_the_function_starts_what_a_schedule_sends_and_quarantines_what_it_cannot(function: ModuleType) -> None:
    bodies = [
        '{"kind": "start", "workflow": "hourly", "scheduled_at": "2026-11-20T04:00:00Z"}',
        '{"kind": "start", "workflow": "yearly", "scheduled_at": "2026-11-20T04:00:00Z"}',
        '{"kind": "start", "workflow": "daily", "scheduled_at": "<aws.scheduler.scheduled-time>"}',
        "not json",
        '{"kind": "sweep"}',
    ]

    answer = function.handler({"Records": [record(*item) for item in enumerate(bodies)]}, Context())

    assert answer == {"batchItemFailures": []}
    kept = [json.loads(function.app.raw.get_bytes(f"quarantine/messages/runs/m{number}.json")) for number in (1, 2, 3)]
    assert [message["body"] for message in kept] == bodies[1:4]
    assert [message["reason"].partition(":")[0] for message in kept] == ["unprocessable", "unreadable", "unreadable"]
    assert "'yearly'" in kept[0]["reason"]
    (run,), _ = function.app.ledger.list_runs()
    assert (run.workflow, run.trigger, run.state) == ("hourly", "schedule", RunState.RUNNING)

    for _stage in workflow("hourly").stages:
        (message,) = boto3.client("sqs").receive_message(QueueUrl=function.app.settings.runs_queue_url)["Messages"]
        function.handler({"Records": [record(0, message["Body"])]}, Context())

    ended = function.app.ledger.get_run(run.run_id)
    assert ended.state is RunState.SUCCEEDED
