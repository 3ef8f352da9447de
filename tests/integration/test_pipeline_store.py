"""The health's part `store`: whether what the system stores in answers, and how fast. Here it is taken away."""

from __future__ import annotations

import json
import threading
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from adweir.model.errors import Unavailable
from adweir.pipeline.health import QueueDepth
from adweir.runtime.clock import SystemClock
from adweir.runtime.probes import Probe, ask_all
from support.api import Call, an_event

Item = dict[str, Any]


def parts(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = call("GET", "/api/v1/pipeline/health")["parts"]
    return found


def test_each_table_bucket_secret_and_queue_is_asked_and_timed(call: Call) -> None:
    found = parts(call)["store"]

    assert (found["status"], found["reason"]) == ("healthy", None)
    assert [(item["kind"], item["name"], item["resource"], item["status"]) for item in found["items"]] == [
        ("table", "catalog", "adweir-catalog", "healthy"),
        ("table", "metrics", "adweir-metrics", "healthy"),
        ("table", "ledger", "adweir-ledger", "healthy"),
        ("table", "findings", "adweir-findings", "healthy"),
        ("bucket", "bucket", "adweir-data", "healthy"),
        ("secrets", "secrets", "adweir/*", "healthy"),
        *(
            ("queue", name, name, "healthy")
            for name in ("runs", "landing", "dead-runs", "dead-landing", "dead-delivery")
        ),
    ]
    assert all(item["latency_ms"] >= 0 for item in found["items"])


UNREAD = {
    "catalog": {"profiles", "credentials", "brakes", "jobs", "faults"},
    "metrics": set(),
    "ledger": {"profiles", "brakes", "runs", "jobs", "faults"},
    "findings": {"profiles", "breaches"},
}


@pytest.mark.parametrize("table", UNREAD)
def test_a_table_that_was_deleted_makes_the_system_unhealthy(call: Call, table: str) -> None:
    """What is in it is said to be unknown, and not to be well; whatever else there is still answers."""
    boto3.client("dynamodb").delete_table(TableName=f"adweir-{table}")

    answer = call("GET", "/api/v1/pipeline/health")

    assert answer["status"] == "unhealthy"
    reason = "the table answers ResourceNotFoundException"
    assert answer["parts"]["store"]["reason"] == f"1 of 11: table {table} ({reason})"
    (dead,) = (item for item in answer["parts"]["store"]["items"] if item["status"] != "healthy")
    assert (dead["name"], dead["resource"], dead["reason"]) == (table, f"adweir-{table}", reason)
    sick = {name for name, part in answer["parts"].items() if part["status"] == "unhealthy"}
    assert sick == {"store"} | UNREAD[table]
    assert all(answer["parts"][name]["reason"] == f"the {table}: {reason}" for name in UNREAD[table])


def test_a_bucket_or_queue_that_was_deleted_is_named(call: Call, api: ModuleType) -> None:
    boto3.client("s3").delete_bucket(Bucket="adweir-data")
    boto3.client("sqs").delete_queue(QueueUrl=api.app.settings.landing_queue_url)

    found = parts(call)

    assert found["store"]["reason"].startswith("2 of 11: bucket bucket (the bucket answers NoSuchBucket), queue ")
    assert "landing (the queue answers AWS.SimpleQueueService.NonExistentQueue)" in found["store"]["reason"]
    assert set(found["queues"]["items"]) == {"runs"}


def test_secrets_that_may_not_be_read_are_named(call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")

    monkeypatch.setattr(api.app.secrets._client, "get_secret_value", denied)
    reason = parts(call)["store"]["reason"]
    assert (
        reason == "1 of 11: secrets secrets (Secrets Manager answers AccessDeniedException for adweir/webhook/health)"
    )


def test_what_hangs_does_not_hold_up_the_answer() -> None:
    """Given a table that never answers, then the others are answered in time, and it is said to be late."""
    freed = threading.Event()

    def hang() -> None:
        freed.wait(30)

    probes = [Probe("table", "slow", "t", hang), Probe("queue", "quick", "q", lambda: QueueDepth(3))]
    begun = time.monotonic()
    try:
        slow, quick = ask_all(probes, SystemClock(), patience=0.05)
        assert time.monotonic() - begun < 5
        assert (slow.latency_ms, slow.reason) == (None, "no answer within 0.05 s")
        assert (quick.reason, quick.depth) == ("", QueueDepth(3))
    finally:
        freed.set()


def test_the_webhooks_health_sees_a_bucket_that_is_gone(api: ModuleType) -> None:
    assert api.app.receiver.health()["status"] == "healthy"
    boto3.client("s3").delete_bucket(Bucket="adweir-data")
    assert api.app.receiver.health()["dependencies"]["storage"] == Unavailable.code


def test_a_limited_key_does_not_see_it(api: ModuleType) -> None:
    event = an_event("GET", "/api/v1/pipeline/health", scopes="read")
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc_1"
    answer = api.handler(event, SimpleNamespace())
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (403, "forbidden")
