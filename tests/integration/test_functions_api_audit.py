"""The audit through the API: each request that changed something, by whom, and never a value of what it was sent."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.deeds import Deed, Wanted, changes_of
from adweir.model.errors import Unavailable
from adweir.model.tasks import TaskState
from adweir.store.ledger.tasks import Tasks
from support.api import Call, fill
from support.bounds import at_the_bound
from support.clock import FrozenClock
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
        ("update account", account, "done"),
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


def changes(call: Call, action: str) -> list[tuple[str, str | None, str | None]]:
    (deed,) = [deed for deed in call("GET", "/api/v1/audit")["deeds"] if deed["action"] == action]
    return [(each["field"], each["before"], each["after"]) for each in deed["changes"]]


def test_values_before_and_after_are_recorded_where_they_are_no_secrets(
    call: Call, api: ModuleType, account_id: str
) -> None:
    # given an ad account and a key
    fill(api, account_id)
    key = call("POST", "/api/v1/keys", {"name": "reporting", "scopes": ["read"]}, expect=201)["key_id"]
    # when its options, the client company, a workflow and the key are changed
    call("PATCH", f"/api/v1/accounts/{account_id}", {"currency": "EUR", "primary_contact_email": "b@halden.example"})
    call("PATCH", "/api/v1/profiles/meta_ads/111", {"options": {"basis": "click", "conversions": ["leads"]}})
    call("PUT", "/api/v1/workflows/nightly", {"stages": [{"name": "a", "kind": "etl", "timeout_minutes": 5}]})
    call("DELETE", f"/api/v1/keys/{key}")
    # then the audit has what was there before, and what is there now; a person's address it has not
    assert changes(call, "update account") == [
        ("currency", None, "EUR"),
        ("primary_contact_email", None, "changed"),
    ]
    assert changes(call, "update profile") == [
        ("basis", "platform", "click"),
        ("conversions", '["purchases"]', '["leads"]'),
    ]
    assert changes(call, "store workflow") == [("stages", None, "a")]
    assert changes(call, "create key") == [("scopes", None, '["read"]'), ("status", None, "active")]
    assert changes(call, "revoke key") == [("status", "active", "revoked")]


@pytest.mark.parametrize(
    ("path", "body", "recorded"),
    [
        ("ingestion/sync-account/111", None, ("sync account", "run", "111")),
        (
            "ingestion/backfill",
            {"account_id": "111", "start": "2026-11-01", "end": "2026-11-02"},
            ("backfill", "run", "111"),
        ),
        ("workflows/account/runs", {"args": {"account_id": "111"}}, ("run workflow", "workflow", "account")),
    ],
)
def test_a_run_for_an_ad_account_is_recorded_for_its_client(
    call: Call, api: ModuleType, account_id: str, path: str, body: Any, recorded: tuple[str, str, str]
) -> None:
    fill(api, account_id)

    run_id = call("POST", f"/api/v1/{path}", body, expect=202)["run_id"]

    found = call("GET", "/api/v1/audit", account_id=account_id, kind=recorded[1])["deeds"]
    assert [(deed["action"], deed["kind"], deed["subject"]) for deed in found] == [recorded]
    assert found[0]["outcome"] == f"run_id {run_id}"


def test_the_audit_is_filtered_and_comes_in_pages(call: Call, api: ModuleType, clock: FrozenClock) -> None:
    # given changes of two client companies at two times, one of them by a function
    first = call("POST", "/api/v1/accounts", COMPANY, expect=201)["account_id"]
    clock.advance(3600)
    second = call("POST", "/api/v1/accounts", COMPANY | {"company_name": "Other"}, expect=201)["account_id"]
    api.app.ledger.audit.note_own(Deed("", "set brake", "meta_ads:1", "paused", kind="brake", account_id=second))

    def found(**asked: str) -> list[str]:
        return [deed["action"] for deed in call("GET", "/api/v1/audit", **asked)["deeds"]]

    # then each filter leaves out what it is not about
    assert found(account_id=first) == ["create account"]
    assert sorted(found(account_id=second)) == ["create account", "set brake"]
    assert found(kind="brake") == found(who="api") == ["set brake"]
    assert found(until="2026-11-20T12:30:00Z") == ["create account"]
    assert len(found(since="2026-11-20T13:00:00Z")) == 2
    assert found(since="2026-11-20T13:00:00Z", until="2026-11-20T12:00:00Z") == []
    # and a page goes on where the one before ended
    page = call("GET", "/api/v1/audit", kind="account", limit="1")
    rest = call("GET", "/api/v1/audit", kind="account", limit="1", next_token=page["next_token"])
    assert [deed["account_id"] for deed in (*page["deeds"], *rest["deeds"])] == [second, first]
    call("GET", "/api/v1/audit", since="yesterday morning", expect=422)


@at_the_bound("MAX_DEEDS_LOOKED_AT", as_if=3)
def test_a_page_of_the_audit_looks_at_so_many_entries_at_most(api: ModuleType, size: int, *, fits: bool) -> None:
    for number in range(size):
        api.app.ledger.audit.note(Deed("k1", "store workflow", f"w{number}", "version 1", kind="workflow"))

    found, token = api.app.ledger.audit.page(10, "", Wanted(kind="brake"))

    assert found == []
    assert (token == "") is fits


@at_the_bound("MAX_DEED_FIELDS")
def test_the_audit_names_so_many_changed_fields(size: int, *, fits: bool) -> None:
    assert (len(changes_of({}, {f"field{number}": 1 for number in range(size)})) == size) is fits


@at_the_bound("MAX_DEED_VALUE_CHARS")
def test_the_audit_keeps_so_much_of_a_value(size: int, *, fits: bool) -> None:
    (change,) = changes_of({"about": "x" * size}, {})

    assert (change.before == "x" * size) is fits


@at_the_bound("MIN_OWN_DEED_SECONDS")
def test_what_the_system_does_again_and_again_is_recorded_once_an_hour(
    api: ModuleType, clock: FrozenClock, size: int, *, fits: bool
) -> None:
    """Given a brake that was set, when it is set again, it is recorded an hour later at the soonest."""
    audit, brake = api.app.ledger.audit, Deed("", "set brake", "meta_ads:1", "paused", kind="brake")
    audit.note_own(brake)
    clock.advance(size - 1)
    audit.note_own(brake)
    audit.note_own(brake._replace(subject="meta_ads:2"))

    subjects = [deed.subject for deed in audit.page(9, "")[0]]

    assert (subjects.count("meta_ads:1"), subjects.count("meta_ads:2")) == (1 if fits else 2, 1)


def test_an_entry_of_another_version_is_still_read(api: ModuleType) -> None:
    """Given an entry without the fields that came later, and with one that is not known here."""
    audit = api.app.ledger.audit
    body = {
        "at": "2026-11-20T11:00:00.000000Z",
        "who": "k1",
        "action": "a",
        "subject": "s",
        "reason": "",
        "outcome": "o",
    }
    audit._put(audit._row("audit", "2026-11-20T11:00:00.000000Z#x", body=body | {"colour": "red"}))

    assert audit.page(9, "")[0] == [Deed("k1", "a", "s", "o", at="2026-11-20T11:00:00.000000Z")]


def test_an_entry_that_cannot_be_read_does_not_end_the_list(api: ModuleType) -> None:
    """Given four entries of which the newest cannot be read, when they are listed by twos, then three are found."""
    audit = api.app.ledger.audit
    kept = [audit.note(Deed("k1", "create key", f"key_{number}", "done")) for number in range(3)]
    audit._put(audit._row("audit", "2027-01-01T00:00:00.000000Z#x", body={"who": "k1"}))

    first, token = audit.page(2, "")
    rest, end = audit.page(2, token) if token else ([], "")

    assert sorted(deed.subject for deed in (*first, *rest)) == sorted(deed.subject for deed in kept)
    assert end == ""


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
def test_a_page_looks_at_so_many_tasks_at_most(api: ModuleType, size: int, *, fits: bool) -> None:
    ledger: Tasks = api.app.ledger
    for number in range(size):
        ledger.plan(a_task(profile_id=str(number)))

    found, token = ledger.page_of_tasks("run-1", 10, "", lambda task: task.state is TaskState.FAILED)

    assert found == []
    assert (token == "") is fits
