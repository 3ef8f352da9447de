"""Bad input to every door of the API, storage that is down, and the example events."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest

from support.api import EVENTS, Call, stored

_R = "/api/v1/data_pipeline/retrieve"
_RANGE = {"start_date": "2026-11-01", "end_date": "2026-11-02"}
BAD: list[tuple[str, str, Any, int]] = [
    *[
        ("POST", "/api/v1/data_pipeline/validate", {"data_type": "ads", "data": {"records": [{}]}} | more, 422)
        for more in (
            {"schema": {"rules": ["no_such_rule"]}},
            {"schema": {"rules": ["currency"]}, "validation_rules": {"required_fields": ["rules"]}},
            {"schema": {"clicks": 1}, "validation_rules": {"numeric_fields": ["clicks"]}},
        )
    ],
    ("POST", "/api/v1/accounts", "{", 400),
    ("POST", "/api/v1/accounts", "[" * 100_000, 400),
    ("POST", "/api/v1/accounts", "[]", 400),
    ("POST", "/api/v1/accounts", "", 400),
    ("POST", "/api/v1/accounts", '{"company_name": NaN}', 400),
    ("POST", "/api/v1/accounts", {"company_name": "x" * (1 << 20)}, 413),
    ("POST", "/api/v1/accounts", {"company_name": 1, "primary_contact_email": "a@example.com"}, 422),
    ("POST", "/api/v1/accounts", {"company_name": "  ", "primary_contact_email": "a@example.com"}, 422),
    ("POST", "/api/v1/accounts", {"company_name": "x", "primary_contact_email": "nobody"}, 422),
    ("POST", "/api/v1/accounts", {"company_name": "x", "primary_contact_email": "a@example.com", "x": 1}, 422),
    ("PATCH", "/api/v1/accounts/{account}", {}, 422),
    ("PATCH", "/api/v1/accounts/{account}", {"company_name": ""}, 422),
    ("PATCH", "/api/v1/accounts/nobody", {"company_name": "x"}, 404),
    ("DELETE", "/api/v1/accounts/nobody", None, 404),
    ("POST", "/api/v1/accounts/nobody/credentials", {"platform": "meta", "access_token": "x"}, 404),
    ("POST", "/api/v1/accounts/{account}/credentials", {"access_token": "x"}, 422),
    ("POST", "/api/v1/accounts/{account}/credentials", {"platform": "myspace", "access_token": "x"}, 422),
    ("POST", "/api/v1/accounts/{account}/credentials", {"platform": "meta", "access_token": {"a": 1}}, 422),
    ("POST", "/api/v1/accounts/{account}/credentials", {"platform": "meta"}, 422),
    ("POST", "/api/v1/accounts/{account}/credentials", {"platform": "meta", "access_token": "x" * 5000}, 422),
    *[
        ("POST", "/api/v1/accounts/{account}/credentials", {"platform": "meta", "access_token": token}, 422)
        for token in ("  ", "a\nb", "ä", "a b")
    ],
    ("POST", "/api/v1/accounts/{account}/credentials", {"platform": "meta", "access_token": "x", "zzz": "x"}, 422),
    ("POST", "/api/v1/accounts/{account}/credentials", {"platform": "amazon", "client_id": "x"}, 422),
    ("POST", "/api/v1/accounts/{account}/credentials", {"platform": "tiktok", "zzz": "x"}, 422),
    *[
        ("PUT", "/api/v1/accounts/{account}/webhook-secrets/amazon", {"secret": secret}, 422)
        for secret in ("", "short", "whsec_!!notb64", "whsec_c2hvcnQ=", "whsec_", "ä" * 20, " " * 20)
    ],
    ("POST", "/api/v1/accounts", {"company_name": "\0", "primary_contact_email": "a@example.com"}, 422),
    ("POST", _R, {"data_type": "campaign_performance", "filters": {"date_range": {"start": "20260101"}}}, 422),
    ("GET", "/api/v1/accounts/" + "x" * 3000, None, 404),
    ("GET", "/api/v1/accounts/" + "x" * 129, None, 404),
    ("PUT", "/api/v1/accounts/nobody/webhook-secrets/meta", {"secret": "x" * 16}, 404),
    ("PUT", "/api/v1/accounts/nobody/webhook-secrets/meta", {"secret": "x"}, 422),
    ("PUT", "/api/v1/accounts/{account}/webhook-secrets/meta", {}, 422),
    ("PUT", "/api/v1/accounts/{account}/webhook-secrets/myspace", {"secret": "x" * 16}, 422),
    ("PUT", "/api/v1/webhook-secrets/meta", {"secret": 1}, 422),
    ("POST", "/api/v1/ingestion/sync-account/nobody", None, 404),
    ("POST", "/api/v1/ingestion/backfill", {"account_id": "nobody", "start": "2026-01-01", "end": "2026-01-02"}, 404),
    ("POST", "/api/v1/ingestion/backfill", {"account_id": "a", "start": "2026-01-03", "end": "2026-01-02"}, 422),
    ("POST", "/api/v1/ingestion/backfill", {"account_id": "a", "start": "yesterday", "end": "2026-01-02"}, 422),
    ("POST", "/api/v1/workflows/yearly/runs", {}, 422),
    ("POST", "/api/v1/workflows/daily/runs", {"scope": {"platforms": ["myspace"]}}, 422),
    ("POST", "/api/v1/workflows/daily/runs", {"scope": {"platforms": ["x" * 300]}}, 422),
    ("POST", "/api/v1/workflows/daily/runs", {"scope": {"accounts": ["nobody"]}}, 404),
    ("POST", "/api/v1/runs/nobody/redrive", {}, 404),
    ("POST", "/api/v1/runs/nobody/cancel", None, 404),
    ("POST", _R, {}, 422),
    ("POST", _R, {"data_type": "secrets"}, 422),
    ("POST", _R, {"data_type": "ads", "limit": "10"}, 422),
    ("POST", _R, {"data_type": "ads", "limit": 0}, 422),
    ("POST", _R, {"data_type": "ads", "offset": -1}, 422),
    ("POST", _R, {"data_type": "ads", "filters": {"colour": "red"}}, 422),
    ("POST", _R, {"data_type": "ads", "filters": {"campaign_id": {"a": 1}}}, 422),
    ("POST", _R, {"data_type": "ads", "filters": {"date_range": "someday"}}, 422),
    ("POST", _R, {"data_type": "ads", "filters": {"date_range": {"start": "2026-02-31"}}}, 422),
    ("POST", _R, {"data_type": "ads", "filters": {"date_range": {"start": "1900-01-01"}}}, 422),
    ("POST", _R, {"data_type": "ads", "filters": {"keyword_id": "1"}}, 422),
    ("POST", "/api/v1/data_pipeline/validate", {"data_type": "ads", "data": {"records": [{}] * 5001}}, 413),
    ("POST", "/api/v1/data_pipeline/validate", {"data_type": "ads", "data": {"records": 1}}, 422),
    ("POST", "/api/v1/data_pipeline/validate", {"data_type": "ads", "data": {"records": []}, "schema": {"x": 1}}, 422),
    ("POST", "/api/v1/reports", {"time_range": _RANGE, "metrics": []}, 422),
    ("POST", "/api/v1/reports", {"time_range": _RANGE, "metrics": [{"name": "magic"}]}, 422),
    ("POST", "/api/v1/reports", {"time_range": _RANGE, "metrics": [{"name": "spend"}], "format": "pdf"}, 422),
    ("POST", "/api/v1/reports", {"time_range": _RANGE, "metrics": [{"name": "spend"}], "segments": [{}]}, 422),
    (
        "POST",
        "/api/v1/reports",
        {"time_range": _RANGE, "metrics": [{"name": "spend"}], "dimensions": [{"name": "mood"}]},
        422,
    ),
    ("POST", "/api/v1/keys", {"name": "x", "scopes": ["root"]}, 422),
    ("POST", "/api/v1/keys", {"name": "x", "scopes": []}, 422),
    ("DELETE", "/api/v1/keys/nobody", None, 404),
    ("GET", "/api/v1/nothing", None, 404),
    ("GET", "/api/v1/half of a pair: \ud800", None, 404),
    ("PUT", "/api/v1/accounts", {}, 405),
    ("POST", "/api/v1/accounts", '{"company_name": 1E99999999999999999999}', 400),
    ("POST", "/api/v1/accounts", '{"company_name": "\\ud800", "primary_contact_email": "a@example.com"}', 400),
    ("POST", "/api/v1/accounts", f'{{"company_name": {"1" * 6000}}}', 400),
    ("POST", "/api/v1/accounts", [{"company_name": "x", "primary_contact_email": "a@example.com"}], 400),
    ("GET", "/api/v1/profiles?platform=myspace", None, 422),
    ("GET", "/api/v1/quality?platform=meta", None, 422),
    ("GET", "/api/v1/quality", None, 422),
]


def test_bad_input_gets_a_clear_answer_and_stores_nothing(call: Call, api: ModuleType, account_id: str) -> None:
    before = stored(api)
    for method, path, body, status in BAD:
        at, _, asked = path.replace("{account}", account_id).partition("?")
        error = call(method, at, body, expect=status, **dict(parse_qsl(asked)))["error"]
        assert error["message"], path
        assert error["code"], path
    for query, status in (
        ({"limit": "0"}, 422),
        ({"limit": "many"}, 422),
        ({"limit": "1001"}, 422),
        ({"next_token": "?"}, 400),
        ({"next_token": "eyJhIjoxfQ=="}, 400),
        ({"next_token": "x" * 2049}, 422),
    ):
        assert call("GET", "/api/v1/accounts", expect=status, **query)["error"]["details"][0]["field"] in query
    assert call("GET", "/api/v1/runs", expect=400, next_token="x")["error"]["code"] == "bad_input"
    assert stored(api) == before


def test_given_a_field_that_a_body_does_not_have_when_sent_then_the_answer_calls_it_unknown(call: Call) -> None:
    error = call("POST", "/api/v1/keys", {"name": "x", "scope": "read"}, expect=422)["error"]

    assert {"field": "scope", "message": "is unknown"} in error["details"]


def test_storage_down_is_503_and_a_fault_of_ours_500(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3.client("dynamodb").delete_table(TableName="adweir-catalog")
    assert call("GET", "/api/v1/accounts", expect=503)["error"]["code"] == "unavailable"
    monkeypatch.setattr(api.app.catalog, "list_accounts", lambda *_: 1 / 0)
    assert call("GET", "/api/v1/accounts", expect=500)["error"]["code"] == "internal"


@pytest.mark.parametrize("path", sorted((EVENTS / "api").glob("*.json")), ids=lambda path: path.stem)
def test_the_example_events_are_answered(api: ModuleType, path: Path) -> None:
    answer = api.handler(json.loads(path.read_text()), SimpleNamespace())
    assert answer["statusCode"] < 500, answer["body"]
