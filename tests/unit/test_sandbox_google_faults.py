"""What the switches make the sandbox's Google Ads do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.platforms.google_ads import STAND_IN, search
from support.google_caller import DAYS, GOOGLE_ADS, GoogleCaller, google

QUERY = f"SELECT campaign.id, campaign.status, segments.date, metrics.impressions FROM campaign WHERE {DAYS}"


@pytest.fixture
def caller() -> Iterator[GoogleCaller]:
    with google("kestrel", awkward=True) as made:
        yield made


def switch(caller: GoogleCaller, kind: str, **options: Any) -> None:
    caller.server.outside.switches.turn_on({"kind": kind, "platform": GOOGLE_ADS, **options})


@pytest.mark.parametrize(
    ("options", "code", "delay"),
    [
        ({}, "RESOURCE_EXHAUSTED", "5s"),
        ({"retry_after": 0.9}, "RESOURCE_EXHAUSTED", "0.900s"),
        ({"retry_after": 3600, "code": "RESOURCE_TEMPORARILY_EXHAUSTED"}, "RESOURCE_TEMPORARILY_EXHAUSTED", "3600s"),
        ({"retry_after": None}, "RESOURCE_EXHAUSTED", None),
    ],
)
def test_a_quota_that_is_used_up_says_when_to_come_back(
    caller: GoogleCaller, options: dict[str, Any], code: str, delay: str | None
) -> None:
    # given
    switch(caller, "throttle", times=1, **options)

    # when
    answer = caller.ask(QUERY)

    # then
    assert caller.refusal(answer) == (429, "quotaError", code)
    error = answer.json()["error"]
    assert error["status"] == "RESOURCE_EXHAUSTED"
    details = error["details"][0]["errors"][0]["details"]["quotaErrorDetails"]
    assert details.get("retryDelay") == delay
    assert details["rateScope"] == "DEVELOPER"
    assert caller.ask(QUERY).status_code == 200


def test_one_customer_of_many_loses_its_permission(caller: GoogleCaller) -> None:
    switch(caller, "access_denied", profile_id=caller.profile.id)
    other = caller.company.on(GOOGLE_ADS)[1].id
    assert caller.refusal(caller.ask(QUERY)) == (403, "authorizationError", "USER_PERMISSION_DENIED")
    assert caller.ask(QUERY, customer=other).status_code == 200


@pytest.mark.parametrize(
    ("status", "code"), [(500, "INTERNAL_ERROR"), (503, "TRANSIENT_ERROR"), (504, "DEADLINE_EXCEEDED")]
)
def test_a_service_that_is_down_says_so(caller: GoogleCaller, status: int, code: str) -> None:
    switch(caller, "server_error", status=status)
    assert caller.refusal(caller.ask(QUERY)) == (status, "internalError", code)


def test_too_much_data_misses_the_deadline_until_less_is_asked_for(caller: GoogleCaller) -> None:
    switch(caller, "data_limit", rows=50)
    assert caller.refusal(caller.ask(QUERY)) == (504, "internalError", "DEADLINE_EXCEEDED")
    assert caller.ask(QUERY.replace(DAYS, "segments.date = '2026-11-20'")).status_code == 200


def test_too_much_data_may_exhaust_a_quota_of_the_account(caller: GoogleCaller) -> None:
    code = "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION"
    switch(caller, "data_limit", rows=50, code=code)
    assert caller.refusal(caller.ask(QUERY)) == (429, "quotaError", code)


def test_a_stream_may_end_with_an_error_though_its_status_is_200(caller: GoogleCaller) -> None:
    switch(caller, "stream_error", times=1)
    answer = caller.ask(QUERY, method="searchStream")
    *whole, last = answer.json()
    assert answer.status_code == 200
    assert len(whole) == 1
    assert last["error"]["details"][0]["errors"][0]["errorCode"] == {"internalError": "INTERNAL_ERROR"}


def test_a_stream_or_a_page_may_break_off(caller: GoogleCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE_ROWS", 50)
    switch(caller, "truncated_paging", times=2, mode="cut")
    for method in ("searchStream", "search"):
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            caller.ask(QUERY, method=method)
    assert caller.ask(QUERY, method="searchStream").json()


def test_a_page_that_has_a_next_one_may_not_say_so(caller: GoogleCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE_ROWS", 50)
    switch(caller, "truncated_paging", times=1)
    assert "nextPageToken" not in caller.ask(QUERY).json()
    assert "nextPageToken" in caller.ask(QUERY).json()


def test_a_page_token_may_have_expired(caller: GoogleCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE_ROWS", 50)
    token = caller.ask(QUERY).json()["nextPageToken"]
    switch(caller, "expired_page_token", times=1)
    assert caller.refusal(caller.ask(QUERY, pageToken=token)) == (400, "requestError", "EXPIRED_PAGE_TOKEN")
    assert caller.ask(QUERY, pageToken=token).status_code == 200


@pytest.mark.parametrize("status", [200, 502])
def test_the_front_end_may_answer_a_page_of_html(caller: GoogleCaller, status: int) -> None:
    switch(caller, "html", times=1, status=status)
    answer = caller.ask(QUERY)
    assert (answer.status_code, answer.text[:15]) == (status, "<!DOCTYPE html>")


def test_a_row_may_have_an_enum_value_that_is_new(caller: GoogleCaller) -> None:
    rows = caller.rows(QUERY)
    switch(caller, "new_value", times=1)
    first, *rest = caller.rows(QUERY)
    assert first["campaign"]["status"] == "BRAND_NEW"
    assert rest == rows[1:]


def test_rows_may_lack_a_field_that_was_selected(caller: GoogleCaller) -> None:
    switch(caller, "missing_column", times=1, field="metrics.impressions")
    assert all(row["metrics"] == {} for row in caller.rows(QUERY))
    assert all(row["metrics"] for row in caller.rows(QUERY))


@pytest.mark.parametrize(("mode", "impressions"), [("negative", "-5"), ("text", "many"), ("no_key", None)])
def test_a_row_may_be_malformed(caller: GoogleCaller, mode: str, impressions: str | None) -> None:
    rows = caller.rows(QUERY)
    switch(caller, "bad_row", times=1, mode=mode)
    first, *rest = caller.rows(QUERY)
    assert rest == rows[1:]
    assert first["metrics"]["impressions"] == (impressions or rows[0]["metrics"]["impressions"])
    assert ("id" in first["campaign"]) == (mode != "no_key")


def test_queries_for_metrics_may_have_no_rows(caller: GoogleCaller) -> None:
    switch(caller, "empty")
    assert caller.rows(QUERY) == []
    assert caller.rows("SELECT campaign.id FROM campaign") != []


def test_each_switch_has_a_test() -> None:
    tested = {
        "throttle", "access_denied", "server_error", "data_limit", "stream_error", "truncated_paging", "html",
        "expired_page_token", "new_value", "missing_column", "bad_row", "empty",
    }  # fmt: skip
    elsewhere = {"expired_token", "revoked_credential"}  # test_sandbox_google_access.py
    assert set(STAND_IN.switches) == tested | elsewhere
