"""The audit through the API: each request that changed something, by whom, and never a value of what it was sent."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import Unavailable
from adweir.model.tasks import TaskState
from adweir.store.ledger.tasks import Tasks
from support.api import Call
from support.bounds import at_the_bound
from support.described import Described
from support.pipeline import a_run, a_task

COMPANY = {"company_name": "Halden", "primary_contact_email": "a@halden.example"}
SECRET = "EAAB-a-secret-value-1234567890"


def deeds(call: Call) -> list[tuple[str, str, str]]:
    found = call("GET", "/api/v1/audit", scopes="read")["deeds"]
    return sorted((deed["action"], deed["subject"], deed["outcome"]) for deed in found)


def test_each_change_is_recorded_with_the_names_of_its_fields(call: Call) -> None:
    account = call("POST", "/api/v1/accounts", COMPANY, expect=201)["account_id"]
    call("PATCH", f"/api/v1/accounts/{account}", {"currency": "EUR"})
    run = call("POST", f"/api/v1/ingestion/sync-account/{account}", expect=202)["run_id"]

    assert deeds(call) == [
        ("create account", "", f"account_id {account}; with company_name, primary_contact_email"),
        ("sync account", account, f"run_id {run}"),
        ("update account", account, f"account_id {account}; with currency"),
    ]


def test_who_changed_it_is_the_key_that_asked(call: Call, api: ModuleType) -> None:
    call("POST", "/api/v1/accounts", COMPANY, expect=201)

    ((deed,), _) = api.app.ledger.audit.page(10, "")

    assert deed.who == "k1"


def test_no_value_of_a_request_is_recorded(call: Call, account_id: str) -> None:
    """Given a credential and an API key, when they are stored and made, then no secret of them is in the audit."""
    body = {"platform": "meta_ads", "access_token": SECRET}
    call("POST", f"/api/v1/accounts/{account_id}/credentials", body, expect=201)
    key = call("POST", "/api/v1/keys", {"name": "reporting", "scopes": ["read"]}, expect=201)["key"]

    recorded = deeds(call)

    assert {action for action, *_ in recorded} >= {"create credential", "create key"}
    assert SECRET not in str(recorded)
    assert key not in str(recorded)
    assert "access_token" in str(recorded)


def test_what_is_refused_or_only_read_is_not_recorded(call: Call, account_id: str) -> None:
    before = deeds(call)
    call("POST", "/api/v1/accounts", {"company_name": ""}, expect=422)
    call("PATCH", "/api/v1/accounts/nobody", {"currency": "EUR"}, expect=404)
    call("GET", f"/api/v1/accounts/{account_id}")
    call("POST", "/api/v1/data_pipeline/retrieve", {"data_type": "campaign_performance"})

    assert deeds(call) == before


def test_a_change_that_cannot_be_recorded_is_done_and_logged(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any) -> None:
        raise Unavailable("the ledger does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(api.app.ledger.audit, "note", away)
        account = call("POST", "/api/v1/accounts", COMPANY, expect=201)["account_id"]

    assert call("GET", f"/api/v1/accounts/{account}")["company_name"] == "Halden"
    assert "a change is not in the audit" in caplog.text


def test_every_route_that_changes_something_is_recorded_once(call: Call, described: Described) -> None:
    """Given a route with words of its own for the audit, it does not get the common ones, too."""
    call("PUT", "/api/v1/workflows/nightly", {"stages": [{"name": "a", "kind": "etl"}]})
    call("DELETE", "/api/v1/workflows/nightly")

    assert deeds(call) == [("delete workflow", "nightly", "deleted"), ("store workflow", "nightly", "version 1")]


# --- a run's tasks


@pytest.fixture
def run_id(api: ModuleType) -> str:
    ledger = api.app.ledger
    ledger.create_run(a_run("run-1", stage="metrics"))
    for number in range(4):
        ledger.plan(a_task(profile_id=str(number), stage="metrics" if number else "totals"))
    for task in [task for task in ledger.tasks("run-1") if task.profile_id in {"0", "1"}]:
        ledger.claim("run-1", task.id, 0, 30)
        ledger.finish("run-1", task.id, 0, TaskState.FAILED, error={"code": "deadline", "message": "late"})
    return "run-1"


def test_tasks_are_listed_with_their_times_attempts_and_errors(call: Call, run_id: str) -> None:
    failed = call("GET", f"/api/v1/runs/{run_id}/tasks", state="failed", stage="metrics")["tasks"]

    (task,) = failed
    assert (task["profile_id"], task["attempts"], task["generation"], task["dataset"]) == ("1", 1, 0, Dataset.AD_DAILY)
    assert task["error"] == {"code": "deadline", "message": "late"}
    assert task["waits_for"] is None
    assert task["created_at"] <= task["updated_at"] < task["deadline"]
    planned = call("GET", f"/api/v1/runs/{run_id}/tasks", state="planned")["tasks"]
    assert {each["profile_id"] for each in planned} == {"2", "3"}
    assert all(each["waits_for"] for each in planned)


def test_tasks_come_in_pages(call: Call, run_id: str) -> None:
    first = call("GET", f"/api/v1/runs/{run_id}/tasks", limit="3")
    rest = call("GET", f"/api/v1/runs/{run_id}/tasks", limit="3", next_token=first["next_token"])

    assert [len(first["tasks"]), len(rest["tasks"])] == [3, 1]
    assert rest["next_token"] is None
    assert len({each["task_id"] for each in (*first["tasks"], *rest["tasks"])}) == 4
    call("GET", "/api/v1/runs/nobody/tasks", expect=404)


@at_the_bound("MAX_TASKS_LOOKED_AT", as_if=3)
def test_a_page_looks_at_so_many_tasks_at_most(
    api: ModuleType, monkeypatch: pytest.MonkeyPatch, size: int, *, fits: bool
) -> None:
    monkeypatch.setattr("adweir.model.limits.MAX_TASKS_LOOKED_AT", 3)
    ledger: Tasks = api.app.ledger
    for number in range(size):
        ledger.plan(a_task(profile_id=str(number)))

    found, token = ledger.page_of_tasks("run-1", 10, "", lambda task: task.state is TaskState.FAILED)

    assert found == []
    assert (token == "") is fits
