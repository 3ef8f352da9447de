"""The API function loaded on moto's AWS, and a client company."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from adweir.model.messages import ObjectArrived
from adweir.runtime.settings import Settings
from support.api import Call, an_event
from support.described import Described
from support.empty_aws import make_bucket, make_queue
from support.functions import loaded
from support.outlets import MemoryBus

_DESCRIBED: list[Described] = []


@pytest.fixture
def environment(tables: None, settings: Settings) -> dict[str, str]:
    make_bucket(settings.bucket)
    urls = {name: make_queue(name) for name in ("runs", "landing", "dead-runs", "dead-landing", "dead-delivery")}
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
        "CALL_LOG_DAYS": "30",
        "PLATFORM_URLS": json.dumps(settings.platform_urls),
        "SOURCE_HOSTS": settings.source_hosts,
    }


@pytest.fixture
def scheduler(tables: None) -> Iterator[Any]:
    client = boto3.client("scheduler", region_name="us-east-1")
    client.create_schedule_group(Name="adweir")
    yield client
    client.close()


@pytest.fixture
def job_schedules(scheduler: Any) -> dict[str, str]:
    """What the environment of a function has that makes schedules of jobs."""
    queue, role = "arn:aws:sqs:us-east-1:123456789012:runs", "arn:aws:iam::123456789012:role/scheduler"
    target = {"group": "adweir", "queue": queue, "dead_letters": f"{queue}-dead", "role": role}
    return {"JOB_SCHEDULES": json.dumps(target)}


@pytest.fixture
def api(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, clock: Any) -> Iterator[ModuleType]:
    with loaded("api", environment, monkeypatch) as module:
        module.app.clock = clock
        yield module


@pytest.fixture
def described(api: ModuleType) -> Described:
    """The API's description; made once, for it takes a second and the clock stands still."""
    if not _DESCRIBED:
        answer = api.http.resolve(an_event("GET", "/openapi.json", scopes=""), SimpleNamespace())
        assert answer["statusCode"] == 200, answer["body"]
        _DESCRIBED.append(Described(json.loads(answer["body"])))
    return _DESCRIBED[0]


@pytest.fixture
def call(api: ModuleType, described: Described) -> Call:
    """Ask the API: the answer has the expected status, and is one that the API's description names."""

    def ask(method: str, path: str, body: Any = None, *, expect: int = 200, scopes: str = "admin", **query: str) -> Any:
        answer = api.handler(an_event(method, path, body, scopes, **query), SimpleNamespace())
        assert answer["statusCode"] == expect, answer["body"]
        assert list(described.faults(method, path, answer)) == []
        kind = answer["headers"].get("Content-Type", "application/json")
        return json.loads(answer["body"]) if "json" in str(kind) else answer["body"]

    return ask


@pytest.fixture
def load(api: ModuleType) -> Callable[[], int]:
    """Load what has arrived under `drops/`, as the function `validate` does; answers how many objects it were."""
    app, arrived = api.app, list[ObjectArrived]()
    app.__dict__["bus"] = MemoryBus()
    boto3.client("s3").put_bucket_versioning(Bucket=app.settings.bucket, VersioningConfiguration={"Status": "Enabled"})
    put = app.raw.put

    def noted(key: str, *more: Any, **how: Any) -> str:
        version = str(put(key, *more, **how))
        if key.startswith("drops/"):
            arrived.append(ObjectArrived(bucket=app.settings.bucket, key=key, version_id=version))
        return version

    app.raw.put = noted

    def work() -> int:
        waiting, arrived[:] = arrived[:], []
        for message in waiting:
            app.loader.load(message, lambda: 300.0)
        return len(waiting)

    return work


@pytest.fixture
def pipeline(api: ModuleType, call: Call, account_id: str, load: Callable[[], int]) -> Call:
    """Call a step of the data pipeline; answers `result`, or the error. What was dropped is loaded while a call
    waits."""
    api.app.sleep = lambda _seconds: load()

    def ask(step: str, body: Any, *, expect: int = 200) -> Any:
        api.app.clock.advance(1)
        found = call("POST", f"/api/v1/data_pipeline/{step}", body, expect=expect)
        return found["result"] if expect < 300 else found["error"]

    return ask


@pytest.fixture
def account_id(call: Call) -> str:
    body = {"company_name": "Company", "primary_contact_email": "a@example.com"}
    return str(call("POST", "/api/v1/accounts", body, expect=201)["account_id"])
