"""The bounds of requests (`model/limits.py`), each at the bound and one past it, through the API's handler."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from adweir.model import limits
from adweir.runtime.http import invalid
from support.api import Call
from support.bounds import at_the_bound

REPORT = {"time_range": {"start_date": "2026-11-01", "end_date": "2026-11-02"}, "metrics": [{"name": "clicks"}]}


def refused(fits: bool, status: int = 200) -> int:
    return status if fits else 422


@at_the_bound("MAX_PAGE_ITEMS")
def test_a_page_of_a_list(call: Call, size: int, fits: bool) -> None:
    call("GET", "/api/v1/accounts", limit=str(size), expect=refused(fits))


@at_the_bound("MAX_PAGE_TOKEN_CHARS")
def test_a_page_token(call: Call, size: int, fits: bool) -> None:
    """A token that is short enough is read; this one belongs to no list."""
    call("GET", "/api/v1/accounts", next_token="x" * size, expect=400 if fits else 422)


@at_the_bound("MAX_FINDINGS_READ")
def test_quality_reports_per_call(call: Call, size: int, fits: bool) -> None:
    call("GET", "/api/v1/quality", platform="meta", profile_id="1", limit=str(size), expect=refused(fits))


@at_the_bound("MAX_NAME_CHARS")
def test_a_company_name(call: Call, size: int, fits: bool) -> None:
    body = {"company_name": "x" * size, "primary_contact_email": "a@example.com"}
    call("POST", "/api/v1/accounts", body, expect=refused(fits, 201))


@at_the_bound("MAX_WARNINGS", as_if=2)
def test_warnings_of_an_answer(call: Call, size: int, fits: bool) -> None:
    body = {"company_name": "One of many", "primary_contact_email": "a@example.com"}
    for _ in range(size):
        call("POST", "/api/v1/accounts", body, expect=201)

    assert (len(call("POST", "/api/v1/accounts", body, expect=201)["warnings"]) == size) is fits


@at_the_bound("MAX_EMAIL_CHARS")
def test_an_email_address(call: Call, size: int, fits: bool) -> None:
    body = {"company_name": "x", "primary_contact_email": f"a@{'x' * (size - 6)}.com"}
    call("POST", "/api/v1/accounts", body, expect=refused(fits, 201))


@at_the_bound("MAX_KEY_NAME_CHARS")
def test_a_key_name(call: Call, size: int, fits: bool) -> None:
    call("POST", "/api/v1/keys", {"name": "x" * size, "scopes": ["read"]}, expect=refused(fits, 201))


@at_the_bound("MAX_CREDENTIAL_VALUE_CHARS")
def test_a_value_of_a_credential(call: Call, account_id: str, size: int, fits: bool) -> None:
    body = {"platform": "meta", "access_token": "x" * size}
    call("POST", f"/api/v1/accounts/{account_id}/credentials", body, expect=refused(fits, 201))


@at_the_bound("MIN_SECRET_CHARS")
def test_a_webhook_secret(call: Call, size: int, fits: bool) -> None:
    body = {"secret": "x" * (2 * limits.MIN_SECRET_CHARS - size)}
    call("PUT", "/api/v1/webhook-secrets/meta", body, expect=refused(fits))


@at_the_bound("MIN_VERIFY_TOKEN_CHARS")
def test_a_verify_token(call: Call, size: int, fits: bool) -> None:
    body = {"verify_token": "x" * (2 * limits.MIN_VERIFY_TOKEN_CHARS - size)}
    call("PUT", "/api/v1/webhook-secrets/meta", body, expect=refused(fits))


@at_the_bound("MAX_SCOPE_NAMES")
def test_names_in_a_scope(call: Call, size: int, fits: bool) -> None:
    call(
        "POST",
        "/api/v1/workflows/daily/runs",
        {"scope": {"profiles": [str(n) for n in range(size)]}},
        expect=refused(fits, 202),
    )


@at_the_bound("MAX_WORD_CHARS")
def test_a_data_type(call: Call, size: int, fits: bool) -> None:
    """One that is short enough is unknown instead."""
    body = {"data_type": "x" * size}
    error = call("POST", "/api/v1/data_pipeline/retrieve", body, expect=422)["error"]

    assert ("known" in error["details"][0]) is fits


@at_the_bound("MAX_RETRIEVED_RECORDS")
def test_records_per_page(call: Call, size: int, fits: bool) -> None:
    call("POST", "/api/v1/data_pipeline/retrieve", {"data_type": "ads", "limit": size}, expect=refused(fits))


@at_the_bound("MAX_RETRIEVE_OFFSET")
def test_records_that_are_skipped(call: Call, size: int, fits: bool) -> None:
    call("POST", "/api/v1/data_pipeline/retrieve", {"data_type": "ads", "offset": size}, expect=refused(fits))


@at_the_bound("MAX_CHECKED_RECORDS")
def test_records_to_check(call: Call, size: int, fits: bool) -> None:
    body = {"data_type": "ads", "data": {"records": [{}] * size}, "schema": {"clicks": {"min": 0}}}
    call("POST", "/api/v1/data_pipeline/validate", body, expect=200 if fits else 413)


def repeated(name: str, size: int) -> list[dict[str, Any]]:
    return [{"name": name}] * size


@at_the_bound("MAX_REPORT_METRICS")
def test_metrics_of_a_report(call: Call, size: int, fits: bool) -> None:
    call("POST", "/api/v1/reports", REPORT | {"metrics": repeated("clicks", size)}, expect=refused(fits))


@at_the_bound("MAX_REPORT_DIMENSIONS")
def test_dimensions_of_a_report(call: Call, size: int, fits: bool) -> None:
    call("POST", "/api/v1/reports", REPORT | {"dimensions": repeated("date", size)}, expect=refused(fits))


@at_the_bound("MAX_REPORT_SEGMENTS")
def test_segments_of_a_report(call: Call, size: int, fits: bool) -> None:
    segments = [{"name": "platform", "values": ["meta"]}] * size
    call("POST", "/api/v1/reports", REPORT | {"segments": segments}, expect=refused(fits))


@at_the_bound("MAX_REPORT_ORDERS")
def test_columns_that_a_report_is_ordered_by(call: Call, size: int, fits: bool) -> None:
    call("POST", "/api/v1/reports", REPORT | {"order": ["clicks"] * size}, expect=refused(fits))


@at_the_bound("MAX_REPORT_LIMIT")
def test_rows_that_a_report_shows_of_many(call: Call, size: int, fits: bool) -> None:
    call("POST", "/api/v1/reports", REPORT | {"limit": size}, expect=refused(fits))


@at_the_bound("MAX_REDRIVEN_TASKS")
def test_tasks_of_a_redrive(call: Call, api: ModuleType, size: int, fits: bool) -> None:
    """So many are read, before the run is found not to exist."""
    body = {"task_ids": [str(n) for n in range(size)]}
    call("POST", "/api/v1/runs/nobody/redrive", body, expect=404 if fits else 422)


@at_the_bound("MAX_REQUEST_FAULTS")
def test_faults_that_an_answer_names(size: int, fits: bool) -> None:
    faults = [{"loc": ("body", f"f{n}"), "msg": "is wrong", "type": "x"} for n in range(size)]

    assert (len(invalid(faults).details) == size) is fits
