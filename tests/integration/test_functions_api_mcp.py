"""`POST /mcp` on the whole function: who may ask, what is kept of it, and what the HTTP side answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.insight.anomalies.incidents import Incident
from adweir.model.entities import Profile
from adweir.store.findings.day_scores import DayScore
from support.api import META, T1, an_event, fill, sent, stored

VERSION = "2026-07-28"
SPAN = {"start_date": "2026-11-01", "end_date": "2026-11-02"}
Ask = Callable[..., dict[str, Any]]


def posted(api: ModuleType, message: Any, *, scopes: str = "read", accounts: str = "", **headers: str) -> Any:
    """The HTTP answer to a message of 2026-07-28, or to a body that is none."""
    method = message.get("method", "") if isinstance(message, dict) else ""
    event = an_event("POST", "/mcp", message, scopes)
    event["headers"] |= {"mcp-protocol-version": VERSION, "mcp-method": method}
    if isinstance(message, dict) and "name" in message.get("params", {}):
        event["headers"]["Mcp-Name"] = message["params"]["name"]
    event["headers"] |= headers
    event["requestContext"]["domainName"] = "api.example"
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = accounts
    return api.handler(event, SimpleNamespace())


def a_call(tool: str, **arguments: Any) -> dict[str, Any]:
    meta = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def asked(api: ModuleType, tool: str, *, accounts: str = "", **arguments: Any) -> dict[str, Any]:
    answer = posted(api, a_call(tool, **arguments), accounts=accounts)
    assert answer["statusCode"] == 200, answer["body"]
    result = json.loads(answer["body"], parse_float=Decimal)["result"]
    assert result["isError"] is False, result
    found: dict[str, Any] = result["structuredContent"]
    return found


@pytest.fixture
def two_clients(api: ModuleType) -> ModuleType:
    """The usual world of a client, and an ad account of another."""
    fill(api)
    other = Profile(account_id="acc_other", platform=META, profile_id="333", name="X", currency="JPY", timezone="UTC")
    api.app.catalog.put_objects([other], T1)
    return api


def test_given_a_key_that_may_read_then_all_six_tools_answer_and_nothing_is_stored_or_sent(
    two_clients: ModuleType,
) -> None:
    asked(two_clients, "fields")  # notes that the key is used
    before = stored(two_clients)
    for tool in ("accounts", "fields", "query", "compare", "quality", "explain"):
        answer = asked(two_clients, tool, **({} if tool == "fields" else SPAN))
        assert {"currency", "as_of", "settled_share", "coverage"} <= answer.keys()

    assert stored(two_clients) == before
    assert sent(two_clients) == []


def test_given_numbers_then_they_are_those_of_the_api(two_clients: ModuleType) -> None:
    ours = asked(two_clients, "query", metrics=["spend", "roas"], dimensions=["account", "date"], **SPAN)
    body = {
        "time_range": SPAN,
        "metrics": [{"name": "spend"}, {"name": "roas"}],
        "dimensions": [{"name": "account"}, {"name": "date"}],
    }
    theirs = json.loads(
        two_clients.handler(an_event("POST", "/api/v1/reports", body), SimpleNamespace())["body"], parse_float=Decimal
    )

    assert ours["totals"] == theirs["totals"]
    rows = [dict(zip(ours["columns"], row, strict=True)) for row in ours["rows"]]
    assert [{name: row[name] for name in theirs["columns"]} for row in rows] == [
        {name: row[name] for name in theirs["columns"]} for row in theirs["data"]
    ]


def test_given_a_key_of_one_client_then_no_tool_knows_another(two_clients: ModuleType) -> None:
    two_clients.app.findings.scores.put("meta_ads#333", [DayScore("2026-11-01", "b", {"score": 0.2})])
    for tool in ("accounts", "query", "compare", "quality", "explain"):
        arguments: dict[str, Any] = {} if tool in {"accounts", "quality"} else {"dimensions": ["account"]}
        told = json.dumps(asked(two_clients, tool, accounts="acc", **arguments, **SPAN), default=str)
        assert "111" in told, tool
        assert "333" not in told, tool
        assert "acc_other" not in told, tool
    assert asked(two_clients, "fields", accounts="acc")["currency"] == ["EUR", "USD"]
    assert asked(two_clients, "accounts", accounts="acc", account_id="333", **SPAN)["row_count"] == 0


def test_given_scored_days_and_bills_then_quality_says_what_is_wrong(two_clients: ModuleType) -> None:
    scores = two_clients.app.findings.scores
    differs = {
        "level": "ad",
        "above": "account",
        "metric": "spend",
        "platform": 90,
        "ours": 85,
        "difference": 5_000_000,
    }
    compared = [differs | {"why": [{"reason": "kept", "amount": 2}], "unexplained": 3_000_000}]
    body = {"date": "2026-11-02", "score": 0.5, "dimensions": {}, "gates": ["validity"], "worst": [], "scored_at": T1}
    scores.put("meta_ads#111", [DayScore("2026-11-02", "b", body | {"reconciliation": compared, "missing": ["ad"]})])
    numbers = dict.fromkeys(("billed", "tax", "total", "measured", "unexplained"), "7.5")
    bill = {"month": "2026-11", "currency": "EUR", "state": "unexplained", "explained": {}, **numbers}
    scores.put_bill("meta_ads#111", "2026-11", "EUR", bill)

    answer = asked(two_clients, "quality", account_id="111", **SPAN)

    row = dict(zip(answer["columns"], answer["rows"][0], strict=True))
    assert (row["days_scored"], row["mean_score"], row["worst_day"]) == (1, Decimal("0.5"), "2026-11-02")
    assert [finding["says"] for finding in answer["findings"]] == [
        "broken: validity; not pulled: ad; spend of ads differs from account by 3, unexplained",
        "bill unexplained: 7.5 EUR billed, 7.5 measured",
    ]


def test_given_an_anomaly_on_its_days_then_a_number_is_explained_with_it(two_clients: ModuleType) -> None:
    off = {"metric": "spend", "date": "2026-11-02", "value": "9", "expected": "3", "z": "8", "severity": "critical"}
    for number, profile_id in enumerate(("111", "333", *["111"] * 5)):
        incident = Incident(
            f"ano_2026110100{number}", "acc", "meta_ads", profile_id, "account", profile_id, "EUR", "2026-11-01",
            "2026-11-02", ["2026-11-02"], T1, metrics=[off | {"threshold": "3", "basis": "robust"}], version=1,
        )  # fmt: skip
        two_clients.app.findings.anomalies.put(asdict(incident))

    answer = asked(two_clients, "explain", accounts="acc", metrics=["spend"], **SPAN)
    later = asked(two_clients, "explain", start_date="2026-11-03", end_date="2026-11-03")

    *_, anomaly = answer["anomalies"]
    assert (anomaly["id"], anomaly["severity"], "rose to" in anomaly["says"]) == ("ano_20261101002", "critical", True)
    assert (len(answer["anomalies"]), answer["anomalies_left_out"]) == (5, 1)
    assert later["anomalies"] == []


def test_given_a_key_without_scopes_then_it_is_refused(api: ModuleType) -> None:
    assert posted(api, a_call("fields"), scopes="")["statusCode"] == 403


def test_given_any_other_method_then_it_is_not_allowed(api: ModuleType) -> None:
    for method in ("GET", "DELETE", "PUT"):
        answer = api.handler(an_event(method, "/mcp", scopes="read"), SimpleNamespace())
        assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "POST")


def test_given_a_notification_then_it_is_accepted_without_a_body(api: ModuleType) -> None:
    answer = posted(api, {"jsonrpc": "2.0", "method": "notifications/initialized"})

    assert (answer["statusCode"], answer["body"]) == (202, "")


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [("{", 400, -32700), ("[]", 400, -32600), ({"jsonrpc": "2.0", "id": 1, "method": "x"}, 400, -32602)],
)
def test_given_no_request_then_the_error_is_one_of_json_rpc(
    api: ModuleType, message: Any, status: int, code: int
) -> None:
    answer = posted(api, message)

    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (status, code)


def test_given_a_page_of_another_site_then_it_is_refused_and_this_apis_own_is_not(api: ModuleType) -> None:
    assert posted(api, a_call("fields"), origin="https://evil.example")["statusCode"] == 403
    assert posted(api, a_call("fields"), origin="https://api.example")["statusCode"] == 200


def test_given_a_call_then_the_api_log_has_it_without_values_that_look_like_secrets(api: ModuleType) -> None:
    secret = "EAAB" + "x" * 30
    posted(api, a_call("query", filters={"campaign_name": [secret]}))

    logs = api.handler(an_event("GET", "/api/v1/api-logs"), SimpleNamespace())["body"]
    (call,) = [each for each in json.loads(logs)["api_logs"] if each["endpoint"] == "/mcp"]
    assert (call["method"], call["status_code"], "campaign_name" in call["request_data"]) == ("POST", 200, True)
    assert secret not in logs


def test_given_a_fault_of_ours_then_it_is_logged_and_told_as_an_internal_error(
    api: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("hush")

    monkeypatch.setattr(type(api.app), "findings", property(broken))
    with caplog.at_level(logging.ERROR):
        answer = posted(api, a_call("fields"))

    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (500, -32603)
    assert "hush" not in answer["body"]
    assert "unexpected fault" in caplog.text
