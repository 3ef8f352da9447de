"""The API function loaded on moto's AWS, and a client company."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from adweir.runtime.settings import Settings
from support.api import Call, an_event
from support.functions import loaded


@pytest.fixture
def environment(tables: None, settings: Settings) -> dict[str, str]:
    boto3.client("s3").create_bucket(Bucket=settings.bucket)
    sqs = boto3.client("sqs")
    names = ("runs", "landing", "dead-runs", "dead-landing", "dead-delivery")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in names}
    return {
        "CATALOG_TABLE": settings.catalog_table,
        "METRICS_TABLE": settings.metrics_table,
        "LEDGER_TABLE": settings.ledger_table,
        "FINDINGS_TABLE": settings.findings_table,
        "BUCKET": settings.bucket,
        "RUNS_QUEUE_URL": urls["runs"],
        "LANDING_QUEUE_URL": urls["landing"],
        "DEAD_LETTER_QUEUES": urls["dead-runs"].replace("runs", "{queue}"),
        "SECRET_PREFIX": "adweir",
    }


@pytest.fixture
def api(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, clock: Any) -> Iterator[ModuleType]:
    with loaded("api", environment, monkeypatch) as module:
        module.app.clock = clock
        yield module


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
