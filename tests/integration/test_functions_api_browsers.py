"""What the API answers to browsers, and to requests that say more than a call takes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.runtime.http import HARDENED, NOTHING, POLICY
from support.api import Call, an_event, fill
from support.described import Described
from support.functions import loaded

REPORT = {
    "time_range": {"start_date": "2026-11-01", "end_date": "2026-11-02"},
    "metrics": [{"name": "spend"}],
    "dimensions": [{"name": "date"}],
}


def answered(function: ModuleType, method: str, path: str, body: Any = None, scopes: str = "admin") -> dict[str, Any]:
    found: dict[str, Any] = function.handler(an_event(method, path, body, scopes), SimpleNamespace())
    return found


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/accounts", 200),
        ("GET", "/api/v1/accounts/nobody", 404),
        ("GET", "/nowhere", 404),
        ("PUT", "/api/v1/accounts", 405),
        ("POST", "/api/v1/accounts", 400),
    ],
)
def test_given_any_answer_when_a_browser_gets_it_then_nothing_in_it_is_run_guessed_or_framed(
    api: ModuleType, method: str, path: str, status: int
) -> None:
    answer = answered(api, method, path)

    assert answer["statusCode"] == status
    assert HARDENED.items() <= answer["headers"].items()
    assert answer["headers"]["Cache-Control"] == "no-store"


def test_given_the_webhooks_when_they_answer_then_it_is_hardened_too(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with loaded("webhooks", environment, monkeypatch) as webhooks:
        for method, path in (("GET", "/webhook/health"), ("POST", "/webhook/meta"), ("GET", "/webhook/meta")):
            assert HARDENED.items() <= answered(webhooks, method, path)["headers"].items(), path


def test_given_a_report_as_a_page_when_it_is_answered_then_it_may_style_itself_and_nothing_else(
    api: ModuleType,
) -> None:
    fill(api)
    policy = answered(api, "POST", "/api/v1/reports", REPORT | {"format": "html"})["headers"][POLICY]

    assert policy.startswith(f"{NOTHING}; ")
    assert "script-src" not in policy


def test_given_the_page_of_the_description_then_its_policy_names_its_own_scripts_alone(api: ModuleType) -> None:
    answer = answered(api, "GET", "/docs", scopes="")
    scripts = re.findall(r"<script>(.*?)</script>", answer["body"], re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]

    policy = dict(part.split(" ", 1) for part in answer["headers"][POLICY].split("; "))
    assert len(scripts) == 2
    assert policy["script-src"] == " ".join(f"'sha256-{each}'" for each in hashes)
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"


@pytest.mark.parametrize(
    ("method", "path", "body", "takes"),
    [
        ("GET", "/api/v1/ads", None, "this call takes account_id, "),
        ("GET", "/api/v1/accounts/nobody", None, "this call takes none"),
        ("POST", "/api/v1/reports", REPORT, "this call takes none"),
    ],
)
def test_given_a_parameter_that_a_call_does_not_take_then_it_is_refused_and_said_which_it_takes(
    call: Call, method: str, path: str, body: Any, takes: str
) -> None:
    error = call(method, path, body, expect=422, acount_id="acc")["error"]

    assert error["details"] == [{"field": "acount_id", "message": "is unknown"}]
    assert takes in error["message"]


def test_given_a_parameter_twice_then_it_is_refused_instead_of_the_first_being_taken(
    api: ModuleType, described: Described
) -> None:
    event = an_event("GET", "/api/v1/ads", account_id="acc,other")
    event["rawQueryString"] = "account_id=acc&account_id=other"
    answer = api.handler(event, SimpleNamespace())

    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["error"]["details"] == [
        {"field": "account_id", "message": "is given more than once"}
    ]
    assert list(described.faults("GET", "/api/v1/ads", answer)) == []


def test_given_a_body_that_may_be_left_out_when_it_is_null_then_it_is_as_if_there_were_none(call: Call) -> None:
    assert call("POST", "/api/v1/dead-letters/all/send", "null") == call("POST", "/api/v1/dead-letters/all/send")
    assert call("POST", "/api/v1/accounts", "null", expect=400)["error"]["details"][0]["field"] == "body"


def test_given_a_delivery_to_a_platform_that_nobody_knows_then_the_404_is_one_that_the_description_names(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, described: Described
) -> None:
    with loaded("webhooks", environment, monkeypatch) as webhooks:
        for path in ("/webhook/nobody", "/webhook/nobody/acc"):
            answer = answered(webhooks, "POST", path, {"metrics": []})
            assert answer["statusCode"] == 404
            assert list(described.faults("POST", path, answer)) == []
        assert answered(webhooks, "PUT", "/webhook/health")["headers"]["Allow"] == "GET"


@pytest.mark.parametrize("day", ["0", "1780000000", "2026-11-01T00:00:00", "20261101"])
def test_given_a_day_that_is_not_written_as_one_then_it_is_refused_instead_of_read_as_seconds(
    call: Call, day: str
) -> None:
    error = call("GET", "/api/v1/quality", expect=422, platform="meta", profile_id="111", end=day)["error"]
    body = {"platform": "meta", "profile_id": "111", "start": 0, "end": day}

    assert error["details"] == [{"field": "end", "message": "is no date, YYYY-MM-DD"}]
    assert len(call("POST", "/api/v1/replay", body, expect=422)["error"]["details"]) == 2


def test_given_a_state_that_no_object_of_the_quarantine_has_then_it_is_refused_instead_of_found_nowhere(
    call: Call,
) -> None:
    assert call("GET", "/api/v1/quarantine", expect=422, state="hold")["error"]["details"][0]["field"] == "state"


def test_given_a_method_that_a_path_does_not_have_when_it_brings_parameters_then_the_answer_is_still_405(
    call: Call,
) -> None:
    call("TRACE", "/api/v1/ads", expect=405, limit="1")


def test_given_a_key_that_ended_in_the_middle_ages_when_it_is_asked_for_then_its_end_has_passed(call: Call) -> None:
    body = {"name": "old", "scopes": ["read"], "expires_at": "0957-09-10T22:11:25Z"}

    assert call("POST", "/api/v1/keys", body, expect=422)["error"]["details"][0]["message"] == "has passed"
