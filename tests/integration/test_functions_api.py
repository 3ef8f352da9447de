"""The API through its handler: real HTTP API events, moto's AWS, every route, and bad input to every door."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, Profile, Status
from adweir.model.messages import RUN_MESSAGE, RedriveCredential, Scope, StartRun
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.runs import Run
from adweir.model.tasks import Pull, Stamp, Task, TaskState
from adweir.model.times import Window
from adweir.runtime.settings import Settings
from adweir.store.metrics import PullRows
from support.functions import loaded

EVENTS = Path(__file__).resolve().parents[2] / "events"
META = Platform.META_ADS
T1 = "2026-11-20T00:00:00.000000Z"
DAYS = Window(date(2026, 11, 1), date(2026, 11, 2))
Call = Callable[..., Any]


@pytest.fixture
def environment(tables: None, settings: Settings) -> dict[str, str]:
    boto3.client("s3").create_bucket(Bucket=settings.bucket)
    sqs = boto3.client("sqs")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("runs", "landing", "dead")}
    return {
        "CATALOG_TABLE": settings.catalog_table,
        "METRICS_TABLE": settings.metrics_table,
        "LEDGER_TABLE": settings.ledger_table,
        "FINDINGS_TABLE": settings.findings_table,
        "BUCKET": settings.bucket,
        "RUNS_QUEUE_URL": urls["runs"],
        "LANDING_QUEUE_URL": urls["landing"],
        "DEAD_LETTER_QUEUE_URLS": urls["dead"],
        "SECRET_PREFIX": "adweir",
    }


@pytest.fixture
def api(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, clock: Any) -> Iterator[ModuleType]:
    with loaded("api", environment, monkeypatch) as module:
        module.app.clock = clock
        yield module


def an_event(method: str, path: str, body: Any = None, scopes: str = "admin", **query: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "ANY /api/{proxy+}",
        "rawPath": path,
        "rawQueryString": "&".join(f"{k}={v}" for k, v in query.items()),
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "requestId": "r-1",
            "stage": "$default",
            "http": {"method": method, "path": path},
            "authorizer": {"lambda": {"key_id": "k1", "scopes": scopes}},
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = query
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    return event


@pytest.fixture
def call(api: ModuleType) -> Call:
    def ask(method: str, path: str, body: Any = None, *, expect: int = 200, scopes: str = "admin", **query: str) -> Any:
        answer = api.handler(an_event(method, path, body, scopes, **query), SimpleNamespace())
        assert answer["statusCode"] == expect, answer["body"]
        kind = answer["headers"].get("Content-Type", "application/json")
        return json.loads(answer["body"]) if "json" in str(kind) else answer["body"]

    return ask


@pytest.fixture
def account_id(call: Call) -> str:
    body = {"company_name": "Company", "primary_contact_email": "a@example.com"}
    return str(call("POST", "/api/v1/accounts", body, expect=201)["account_id"])


def sent(api: ModuleType) -> list[Any]:
    messages = boto3.client("sqs").receive_message(QueueUrl=api.app.settings.runs_queue_url, MaxNumberOfMessages=10)
    return [RUN_MESSAGE.validate_json(message["Body"]) for message in messages.get("Messages", [])]


def stored(api: ModuleType) -> tuple[int, ...]:
    """How much every store holds; the API log aside."""
    dynamo = boto3.client("dynamodb")
    items = [
        sum(1 for item in dynamo.scan(TableName=name)["Items"] if not item["pk"]["S"].startswith("api-log#"))
        for name in ("adweir-catalog", "adweir-metrics", "adweir-ledger", "adweir-findings")
    ]
    objects = boto3.client("s3").list_objects_v2(Bucket="adweir-data")["KeyCount"]
    secrets = len(boto3.client("secretsmanager").list_secrets()["SecretList"])
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=api.app.settings.runs_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    return (*items, objects, secrets, int(attributes["ApproximateNumberOfMessages"]))


def fill(api: ModuleType, account_id: str = "acc") -> None:
    """Two Meta profiles in two currencies, one campaign with two ads each, two days."""
    catalog, metrics = api.app.catalog, api.app.metrics
    for profile_id, currency in (("111", "EUR"), ("222", "USD")):
        profile = Profile(
            account_id=account_id, platform=META, profile_id=profile_id, name="Main", currency=currency, timezone="UTC"
        )
        campaign = AdCampaign(platform=META, profile_id=profile_id, id="c1", campaign_id="c1", status=Status.ACTIVE)
        ads = [
            Ad(platform=META, profile_id=profile_id, id=f"a{n}", campaign_id="c1", ad_group_id="g1", headline="Hello")
            for n in (1, 2)
        ]
        catalog.put_objects([profile, campaign, *ads], T1)
        rows = PullRows()
        for day in ("2026-11-01", "2026-11-02"):
            for n in (1, 2):
                rows.add(
                    MetricRow(f"g1~a{n}", day, 1000, 10 * n, 2_500_000, 1_234_567, 3_000_000, "c1", "g1", -1, currency)
                )
        metrics.load(
            Pull(META, profile_id, Level.AD, Grain.DAY, Source.PULL, "all", DAYS, Stamp(T1, "t1"), complete=True), rows
        )


# -- accounts and credentials ------------------------------------------------------------------------------------------


def test_an_account_is_created_read_changed_listed_and_deleted(call: Call, account_id: str) -> None:
    one = f"/api/v1/accounts/{account_id}"
    assert call("GET", one)["company_name"] == "Company"
    assert call("PATCH", one, {"company_name": "Renamed"})["company_name"] == "Renamed"
    assert [a["account_id"] for a in call("GET", "/api/v1/accounts")["accounts"]] == [account_id]
    assert call("DELETE", one)["status"] == "deleted"
    assert call("GET", one, expect=404)["error"]["code"] == "not_found"
    assert call("GET", "/api/v1/accounts") == {"accounts": [], "next_token": None}


def test_lists_page(call: Call, account_id: str) -> None:
    call("POST", "/api/v1/accounts", {"company_name": "B", "primary_contact_email": "b@example.com"}, expect=201)
    first = call("GET", "/api/v1/accounts", limit="1")
    second = call("GET", "/api/v1/accounts", limit="1", next_token=first["next_token"])

    assert len({a["account_id"] for a in first["accounts"] + second["accounts"]}) == 2
    assert second["next_token"] is None


def test_a_credential_is_stored_and_never_echoed(call: Call, api: ModuleType, account_id: str) -> None:
    # when: the contract's example, without a platform
    secret = {"client_id": "amzn1.application-oa2-client.x", "client_secret": "hush", "refresh_token": "Atzr|y"}
    answer = call("POST", f"/api/v1/accounts/{account_id}/credentials", secret, expect=201)

    # then
    assert (answer["platform"], answer["state"], answer["version"]) == ("amazon_ads", "active", 1)
    shown = json.dumps([answer, call("GET", f"/api/v1/accounts/{account_id}/credentials")])
    assert "hush" not in shown
    assert "Atzr" not in shown
    assert api.app.secrets.get(answer["secret_id"]) == secret
    assert sent(api) == []


def test_a_replaced_credential_has_its_parked_tasks_redriven(call: Call, api: ModuleType, account_id: str) -> None:
    path = f"/api/v1/accounts/{account_id}/credentials"
    call("POST", path, {"platform": "meta", "access_token": "old"}, expect=201)

    answer = call("POST", path, {"platform": "facebook", "access_token": "new"}, expect=201)

    assert answer["version"] == 2
    assert sent(api) == [RedriveCredential(account_id=account_id, platform="meta_ads")]
    call("DELETE", f"{path}/meta")
    assert call("GET", path) == {"credentials": []}
    call("DELETE", f"{path}/meta", expect=404)


def test_webhook_secrets_rotate_and_keep_the_previous(call: Call, api: ModuleType, account_id: str) -> None:
    path = f"/api/v1/accounts/{account_id}/webhook-secrets/meta"
    assert call("PUT", path, {"secret": "one", "verify_token": "v"})["fields"] == ["secret", "verify_token"]
    call("PUT", path, {"secret": "two"})

    versions = api.app.secrets.versions(f"adweir/webhook/meta/{account_id}")
    assert versions == [{"secret": "two", "verify_token": "v"}, {"secret": "one", "verify_token": "v"}]
    call("PUT", "/api/v1/webhook-secrets/amazon", {"secret": "d"})
    assert api.app.secrets.get("adweir/webhook/amazon") == {"secret": "d"}
    call("PUT", "/api/v1/webhook-secrets/amazon", {"secret": "d"}, scopes="write", expect=403)


# -- runs --------------------------------------------------------------------------------------------------------------


def test_syncs_and_backfills_become_messages(call: Call, api: ModuleType, account_id: str) -> None:
    ids = [
        call("POST", "/api/v1/ingestion/sync-all", expect=202)["run_id"],
        call("POST", f"/api/v1/ingestion/sync-account/{account_id}", expect=202)["run_id"],
        call(
            "POST",
            "/api/v1/ingestion/backfill",
            {"account_id": account_id, "platforms": ["meta"], "start": "2026-10-01", "end": "2026-10-31"},
            expect=202,
        )["run_id"],
        call("POST", "/api/v1/workflows/daily/runs", {"scope": {"platforms": ["meta_ads"]}}, expect=202)["run_id"],
    ]
    messages = {message.run_id: message for message in sent(api)}

    assert all(isinstance(messages[run_id], StartRun) for run_id in ids)
    assert [messages[run_id].workflow for run_id in ids] == ["sync", "sync", "backfill", "daily"]
    assert [messages[run_id].scope for run_id in ids] == [
        Scope(),
        Scope(accounts=(account_id,)),
        Scope(accounts=(account_id,), platforms=("meta_ads",), start="2026-10-01", end="2026-10-31"),
        Scope(platforms=("meta_ads",)),
    ]


def test_a_run_shows_its_stages_and_failed_tasks(call: Call, api: ModuleType) -> None:
    # given
    ledger = api.app.ledger
    ledger.create_run(Run("run-1", "daily", T1, Scope(), stage="metrics"))
    for profile_id in ("111", "222"):
        ledger.plan(Task("run-1", "metrics", "acc", META, profile_id, Dataset.AD_DAILY, "all", DAYS, 2_000_000_000))
    failing = next(iter(ledger.tasks("run-1")))
    ledger.finish("run-1", failing.id, 0, TaskState.FAILED, error={"code": "deadline", "message": "late"})

    # when
    run = call("GET", "/api/v1/runs/run-1")

    # then
    assert [(s["name"], s["total"], s["done"], s["failed"], s["state"]) for s in run["stages"]] == [
        ("metrics", 2, 0, 1, "running")
    ]
    assert [(t["task_id"], t["error"]["code"]) for t in run["failed_tasks"]] == [(failing.id, "deadline")]
    assert [r["run_id"] for r in call("GET", "/api/v1/runs")["runs"]] == ["run-1"]
    call("POST", "/api/v1/runs/run-1/redrive", {"task_ids": [failing.id]}, expect=202)
    call("POST", "/api/v1/runs/run-1/redrive", {"task_ids": ["no"]}, expect=404)
    call("POST", "/api/v1/runs/run-1/cancel", expect=202)
    call("GET", "/api/v1/runs/nobody", expect=404)
    assert sorted(message.kind for message in sent(api)) == ["cancel", "redrive"]


# -- reading -----------------------------------------------------------------------------------------------------------


def test_retrieve_answers_the_contract(call: Call, api: ModuleType) -> None:
    fill(api)
    answer = call(
        "POST",
        "/api/v1/data_pipeline/retrieve",
        {
            "data_type": "campaign_performance",
            "filters": {"campaign_id": "c1", "date_range": {"start": "2026-11-01", "end": "2026-11-02"}},
            "limit": 3,
            "offset": 1,
        },
        scopes="read",
    )

    assert (answer["success"], answer["data_type"]) == (True, "campaign_performance")
    result = answer["result"]
    assert (result["status"], result["records_count"], result["total"]) == ("success", 3, 4)
    first = result["records"][0]
    assert (first["profile_id"], first["date"], first["currency"]) == ("111", "2026-11-02", "EUR")
    assert (first["impressions"], first["clicks"], first["spend"], first["roas"]) == (2000, 30, 2.469134, 2.430002)


def test_money_is_written_exactly(api: ModuleType) -> None:
    fill(api)
    body = {"data_type": "ad_performance", "filters": {"profile_id": "111", "date_range": {"start": "2026-11-01"}}}
    answer = api.handler(an_event("POST", "/api/v1/data_pipeline/retrieve", body), SimpleNamespace())
    assert '"spend":1.234567,' in answer["body"]


def test_account_days_have_14_fields_and_ads_24(call: Call, api: ModuleType) -> None:
    fill(api)
    filters = {"profile_id": "111", "date_range": {"start": "2026-11-01", "end": "2026-11-02"}}

    def records(data_type: str) -> list[dict[str, Any]]:
        found = call("POST", "/api/v1/data_pipeline/retrieve", {"data_type": data_type, "filters": filters})
        return list(found["result"]["records"])

    day = records("account_performance")[0]
    ad = records("ads")[0]
    assert (day["account_id"], day["daily_impressions"], day["campaign_count"], day["ad_count"]) == ("111", 2000, 1, 0)
    assert {"account_name", "currency", "timezone", "date", "daily_spend", "daily_clicks", "daily_roas"} <= set(day)
    assert (ad["ad_id"], ad["headline"], ad["impressions"], ad["spend"]) == ("a1", "Hello", 2000, 2.469134)
    assert ad["end_date"] is None
    assert [r["id"] for r in records("campaigns")] == ["c1"]
    assert len(records("profiles")) == 1
    assert records("campaign_performance_hourly") == []


def test_a_report_sums_and_never_adds_currencies(call: Call, api: ModuleType) -> None:
    fill(api)
    body = {
        "name": "r",
        "time_range": {"start_date": "2026-11-01", "end_date": "2026-11-30"},
        "metrics": [{"name": "spend"}, {"name": "ctr"}],
        "dimensions": [{"name": "month"}],
    }
    answer = call("POST", "/api/v1/reports", body, scopes="read")
    assert answer["rows"] == [
        {"month": "2026-11", "currency": "EUR", "spend": 4.938268, "ctr": 0.015},
        {"month": "2026-11", "currency": "USD", "spend": 4.938268, "ctr": 0.015},
    ]
    assert answer["totals"] == [{"currency": c, "spend": 4.938268, "ctr": 0.015} for c in ("EUR", "USD")]

    counts = call("POST", "/api/v1/reports", body | {"metrics": [{"name": "impressions"}]})
    assert counts["rows"] == [{"month": "2026-11", "impressions": 8000}]
    text = call(
        "POST", "/api/v1/reports", body | {"format": "csv", "segments": [{"name": "currency", "values": ["USD"]}]}
    )
    assert text == "month,currency,spend,ctr\r\n2026-11,USD,4.938268,0.015000\r\n"


def test_a_large_report_is_a_link(call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    fill(api)
    monkeypatch.setattr(sys.modules["routes.reports"], "MAX_INLINE", 10)
    body = {
        "time_range": {"start_date": "2026-11-01", "end_date": "2026-11-30"},
        "metrics": [{"name": "spend"}],
        "format": "csv",
    }
    answer = call("POST", "/api/v1/reports", body)
    assert answer["key"].startswith("exports/2026/11/20/")
    assert answer["key"] in answer["download_url"]
    assert api.app.raw.get_bytes(answer["key"]).startswith(b"currency,spend")


def test_records_are_validated_with_both_kinds_of_rules(call: Call) -> None:
    body = {
        "data_type": "ad_performance",
        "data": {"records": [{"ad_id": "1", "clicks": 2}, {"clicks": "many"}]},
        "validation_rules": {"required_fields": ["ad_id"], "numeric_fields": ["clicks"]},
    }
    result = call("POST", "/api/v1/data_pipeline/validate", body)["result"]
    assert (result["validation_passed"], result["issues_found"], result["status"]) == (False, 2, "success")


def test_the_pipeline_tells_how_it_is(call: Call, api: ModuleType) -> None:
    health = call("GET", "/api/v1/pipeline/health")
    assert '"landing"' in json.dumps(health["parts"]["queues"])
    assert '"dead"' in json.dumps(health["parts"]["dead_letters"])
    assert call("GET", "/api/v1/pipeline/metrics") == {"runs": [], "stages": []}
    assert call("GET", "/api/v1/quality", platform="meta", profile_id="111") == {"reports": []}
    fill(api)
    assert [p["profile_id"] for p in call("GET", "/api/v1/profiles")["profiles"]] == ["111", "222"]
    assert call("GET", "/api/v1/profiles", account_id="nobody")["profiles"] == []
    assert {flow["name"] for flow in call("GET", "/api/v1/workflows")["workflows"]} >= {"daily", "hourly", "sync"}


# -- keys, scopes, the log ---------------------------------------------------------------------------------------------


def test_keys_are_made_listed_and_revoked_by_admins_only(call: Call, api: ModuleType) -> None:
    made = call("POST", "/api/v1/keys", {"name": "ci", "scopes": ["read"]}, expect=201)
    assert api.app.catalog.find_key(made["key"]).scopes == ("read",)
    listed = call("GET", "/api/v1/keys")
    assert [key["key_id"] for key in listed["keys"]] == [made["key_id"]]
    assert made["key"] not in json.dumps(listed)
    assert "hash" not in made
    assert call("DELETE", f"/api/v1/keys/{made['key_id']}")["status"] == "revoked"
    assert api.app.catalog.find_key(made["key"]) is None
    for method, path in (("GET", "/api/v1/keys"), ("POST", "/api/v1/keys"), ("DELETE", "/api/v1/keys/x")):
        assert call(method, path, {}, scopes="write", expect=403)["error"]["code"] == "forbidden"


def test_every_route_checks_its_scope(api: ModuleType) -> None:
    below = {"read": "", "write": "read", "admin": "write read"}
    for route in api.ROUTES:
        if route.scope:
            path = route.path.replace("{", "").replace("}", "")
            answer = api.handler(an_event(route.method, path, {}, below[route.scope]), SimpleNamespace())
            assert answer["statusCode"] == 403, route.path


def test_requests_are_logged_without_their_bodies(call: Call, api: ModuleType, account_id: str) -> None:
    call("POST", f"/api/v1/accounts/{account_id}/credentials", {"platform": "meta", "access_token": "hush"}, expect=201)
    entries = list(api.app.ledger.api_log.of_day(date(2026, 11, 20)))
    assert [(e["method"], e["status"], e["key_id"]) for e in entries] == [("POST", 201, "k1")] * len(entries)
    assert len(entries) >= 1
    assert "hush" not in json.dumps(entries)


# -- the description ---------------------------------------------------------------------------------------------------


def test_openapi_lists_every_route_and_is_open_to_all(call: Call, api: ModuleType) -> None:
    described = call("GET", "/openapi.json", scopes="")
    assert described["openapi"] == "3.1.0"
    assert {(method.upper(), path) for path, of in described["paths"].items() for method in of} == {
        (route.method, route.path) for route in api.ROUTES
    }
    refs = set(json.dumps(described).split("#/components/schemas/")[1:])
    assert {ref.partition('"')[0] for ref in refs} <= set(described["components"]["schemas"])
    ids = [op["operationId"] for of in described["paths"].values() for op in of.values()]
    assert len(ids) == len(set(ids))
    page = call("GET", "/docs", scopes="")
    assert all(route.path in page for route in api.ROUTES)
    assert not re.search(r"<(script|link|img)[^>]* (src|href)=", page), "the page needs another host"


# -- bad input ---------------------------------------------------------------------------------------------------------

_R = "/api/v1/data_pipeline/retrieve"
_RANGE = {"start_date": "2026-11-01", "end_date": "2026-11-02"}
BAD: list[tuple[str, str, Any, int]] = [
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
    ("PUT", "/api/v1/accounts/nobody/webhook-secrets/meta", {"secret": "x"}, 404),
    ("PUT", "/api/v1/accounts/{account}/webhook-secrets/meta", {}, 422),
    ("PUT", "/api/v1/accounts/{account}/webhook-secrets/myspace", {"secret": "x"}, 422),
    ("PUT", "/api/v1/webhook-secrets/meta", {"secret": 1}, 422),
    ("POST", "/api/v1/ingestion/sync-account/nobody", None, 404),
    ("POST", "/api/v1/ingestion/backfill", {"account_id": "nobody", "start": "2026-01-01", "end": "2026-01-02"}, 404),
    ("POST", "/api/v1/ingestion/backfill", {"account_id": "a", "start": "2026-01-03", "end": "2026-01-02"}, 422),
    ("POST", "/api/v1/ingestion/backfill", {"account_id": "a", "start": "yesterday", "end": "2026-01-02"}, 422),
    ("POST", "/api/v1/workflows/yearly/runs", {}, 422),
    ("POST", "/api/v1/workflows/daily/runs", {"scope": {"platforms": ["myspace"]}}, 422),
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
    ("POST", _R, {"data_type": "ads", "filters": {"date_range": "today"}}, 422),
    ("POST", _R, {"data_type": "ads", "filters": {"date_range": {"start": "2026-02-31"}}}, 422),
    ("POST", _R, {"data_type": "ads", "filters": {"date_range": {"start": "1900-01-01"}}}, 422),
    ("POST", _R, {"data_type": "ads", "filters": {"keyword_id": "1"}}, 422),
    ("POST", "/api/v1/data_pipeline/validate", {"data_type": "a", "data": {"records": [{}] * 5001}}, 413),
    ("POST", "/api/v1/data_pipeline/validate", {"data_type": "a", "data": {"records": 1}}, 422),
    ("POST", "/api/v1/data_pipeline/validate", {"data_type": "a", "data": {"records": []}, "schema": {"x": 1}}, 422),
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
    ("PUT", "/api/v1/accounts", {}, 404),
    ("GET", "/api/v1/quality", None, 422),
]


def test_bad_input_gets_a_clear_answer_and_stores_nothing(call: Call, api: ModuleType, account_id: str) -> None:
    before = stored(api)
    for method, path, body, status in BAD:
        error = call(method, path.replace("{account}", account_id), body, expect=status)["error"]
        assert error["message"], path
        assert error["code"], path
    for query in ({"limit": "0"}, {"limit": "many"}, {"limit": "1001"}, {"next_token": "?"}):
        assert call("GET", "/api/v1/accounts", expect=400, **query)["error"]["details"][0]["field"] in query
    assert call("GET", "/api/v1/runs", expect=400, next_token="x")["error"]["code"] == "bad_input"
    assert stored(api) == before


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
