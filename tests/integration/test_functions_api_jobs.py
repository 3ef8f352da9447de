"""Jobs through the API, on moto's EventBridge Scheduler."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from adweir.model.messages import Scope
from adweir.model.times import iso
from adweir.store.ledger.fired import STARTED, Firing
from support.api import Call, sent

PATH = "/api/v1/jobs"
BODY = {
    "name": "nightly",
    "workflow": "daily",
    "schedule": {"type": "daily", "at": "05:30"},
    "timezone": "Europe/Berlin",
    "platforms": ["meta"],
    "lookback_days": 7,
}


@pytest.fixture
def environment(environment: dict[str, str], job_schedules: dict[str, str]) -> dict[str, str]:
    return environment | job_schedules


def names(scheduler: Any) -> list[str]:
    return [each["Name"] for each in scheduler.list_schedules(GroupName="adweir")["Schedules"]]


def test_a_job_is_created_read_changed_and_removed(call: Call, scheduler: Any, job_schedules: dict[str, str]) -> None:
    where = json.loads(job_schedules["JOB_SCHEDULES"])
    made = call("POST", PATH, BODY, expect=201)

    assert {name: made[name] for name in BODY} == BODY | {"platforms": ["meta_ads"]}
    assert (made["state"], made["problem"], made["last_fired"]) == ("active", None, None)
    assert made["next_runs"][:2] == ["2026-11-21T05:30:00+01:00", "2026-11-22T05:30:00+01:00"]
    assert made["warnings"] == []
    assert call("GET", PATH)["jobs"] == [call("GET", f"{PATH}/nightly")]
    assert names(scheduler) == [made["job_id"]]
    stored = scheduler.get_schedule(GroupName="adweir", Name=made["job_id"])
    assert (stored["ScheduleExpression"], stored["ScheduleExpressionTimezone"], stored["State"]) == (
        "cron(30 5 * * ? *)",
        "Europe/Berlin",
        "ENABLED",
    )
    assert (stored["Target"]["Arn"], stored["Target"]["RoleArn"]) == (where["queue"], where["role"])
    assert json.loads(stored["Target"]["Input"]) == {
        "kind": "job",
        "name": "nightly",
        "job_id": made["job_id"],
        "since": made["created_at"],
        "scheduled_at": "<aws.scheduler.scheduled-time>",
    }

    changed = call("PATCH", f"{PATH}/nightly", {"schedule": {"type": "interval", "every": "6 hours"}, "platforms": []})
    assert (changed["schedule"], changed["platforms"]) == ({"type": "interval", "every": "6 hours"}, [])
    assert changed["next_runs"][0] == "2026-11-20T19:00:00+01:00"
    assert scheduler.get_schedule(GroupName="adweir", Name=made["job_id"])["ScheduleExpression"] == "rate(6 hours)"
    assert call("DELETE", f"{PATH}/nightly") == {"name": "nightly", "status": "removed"}
    assert (names(scheduler), call("GET", PATH)["jobs"]) == ([], [])
    call("GET", f"{PATH}/nightly", expect=404)
    call("DELETE", f"{PATH}/nightly", expect=404)


def test_a_job_is_paused_resumed_and_run_now(call: Call, api: ModuleType, scheduler: Any) -> None:
    made = call("POST", PATH, BODY, expect=201)

    paused = call("POST", f"{PATH}/nightly/pause")
    assert (paused["state"], paused["next_runs"]) == ("paused", [])
    assert scheduler.get_schedule(GroupName="adweir", Name=made["job_id"])["State"] == "DISABLED"
    run_id = call("POST", f"{PATH}/nightly/run", expect=202)["run_id"]
    (message,) = sent(api)
    assert (message.run_id, message.workflow, message.trigger) == (run_id, "daily", "job:nightly")
    assert message.scope == Scope(platforms=("meta_ads",), lookback_days=7)
    assert call("POST", f"{PATH}/nightly/resume")["state"] == "active"
    assert scheduler.get_schedule(GroupName="adweir", Name=made["job_id"])["State"] == "ENABLED"
    for verb in ("pause", "resume", "run"):
        call("POST", f"{PATH}/nobody/{verb}", expect=404)


def test_what_came_of_the_last_time_is_shown(call: Call, api: ModuleType) -> None:
    made = call("POST", PATH, BODY, expect=201)
    due = iso(api.app.clock.now())
    api.app.ledger.fired.note(made["job_id"], Firing(due, STARTED, "run_1"))

    shown = call("GET", f"{PATH}/nightly")["last_fired"]

    assert shown == {"scheduled_at": due, "outcome": "started", "run_id": "run_1", "reason": None, "at": due}


def test_what_is_wrong_is_named_and_nothing_is_stored(call: Call, scheduler: Any) -> None:
    wrong = BODY | {
        "workflow": "dayly",
        "timezone": "Europe/Nowhere",
        "schedule": {"type": "cron", "cron": "0 5 * * *"},
    }
    details = call("POST", PATH, wrong, expect=422)["error"]["details"]

    assert {detail["field"] for detail in details} == {"timezone", "schedule.cron", "workflow"}
    call("POST", PATH, BODY | {"name": "Not a name"}, expect=422)
    call("POST", PATH, BODY | {"colour": "red"}, expect=422)
    call("POST", PATH, BODY | {"schedule": {"type": "monthly"}}, expect=422)
    call("POST", PATH, BODY | {"lookback_days": 401}, expect=422)
    call("POST", PATH, BODY, expect=201)
    call("POST", PATH, BODY, expect=409)
    call("PATCH", f"{PATH}/nightly", {}, expect=422)
    call("PATCH", f"{PATH}/nightly", {"schedule": None}, expect=422)
    call("PATCH", f"{PATH}/nightly", {"name": "other"}, expect=422)
    call("PATCH", f"{PATH}/nobody", {"lookback_days": 1}, expect=404)
    assert len(names(scheduler)) == 1


def test_who_reads_may_look_and_who_writes_may_change(call: Call) -> None:
    for method, path in (("POST", PATH), ("PATCH", f"{PATH}/a"), ("POST", f"{PATH}/a/run"), ("DELETE", f"{PATH}/a")):
        call(method, path, BODY if method == "POST" and path == PATH else None, scopes="read", expect=403)
    call("POST", PATH, BODY, scopes="write", expect=201)
    assert call("GET", PATH, scopes="read")["jobs"][0]["name"] == "nightly"


def test_who_changed_a_job_is_on_record(call: Call) -> None:
    call("POST", PATH, BODY, expect=201)
    call("POST", f"{PATH}/nightly/pause")
    call("DELETE", f"{PATH}/nightly")

    deeds = call("GET", "/api/v1/audit")["deeds"]

    assert {(deed["who"], deed["action"], deed["subject"]) for deed in deeds} == {
        ("k1", action, "nightly") for action in ("create job", "pause job", "remove job")
    }
