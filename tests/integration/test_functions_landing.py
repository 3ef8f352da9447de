"""The functions `validate` and `etl` through their handlers, with the example events, on moto's AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.flows import StageKind
from adweir.model.messages import TaskMessage
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.tasks import AccountTask, TaskState
from adweir.model.times import Window, iso
from adweir.platforms.connector import Page
from adweir.runtime.settings import Settings
from adweir.store.catalog.store import Catalog
from adweir.store.raw.header import PullHeader
from support.clock import FrozenClock
from support.functions import loaded
from support.load_world import insights

EVENTS = Path(__file__).resolve().parents[2] / "events"
CONTEXT = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 300_000)
META = Platform("meta_ads")
NOTHING_FAILED: dict[str, list[Any]] = {"batchItemFailures": []}
DAYS = Window.parse("2026-11-18..2026-11-19")
Function = Callable[[str], ModuleType]


def example(name: str) -> dict[str, Any]:
    return dict(json.loads((EVENTS / name).read_text()))


def record(body: Any, queue: str = "adweir-landing") -> dict[str, Any]:
    message = example("validate/raw-landed.json")["Records"][0]
    arn = f"arn:aws:sqs:us-east-1:000000000000:{queue}"
    return {"Records": [message | {"body": json.dumps(body), "eventSourceARN": arn}]}


@pytest.fixture
def function(
    tables: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> Iterator[Function]:
    """Loads a function with everything that validate and etl are given, the account of the examples stored."""
    boto3.client("s3").create_bucket(Bucket=settings.bucket)
    boto3.client("events").create_event_bus(Name=settings.bus_name)
    names = {"RUNS_QUEUE_URL": "adweir-runs", "LANDING_QUEUE_URL": "adweir-landing", "ETL_QUEUE_URL": "adweir-etl"}
    sqs = boto3.client("sqs")
    environment = {variable: sqs.create_queue(QueueName=name)["QueueUrl"] for variable, name in names.items()}
    environment |= {
        "CATALOG_TABLE": settings.catalog_table,
        "METRICS_TABLE": settings.metrics_table,
        "LEDGER_TABLE": settings.ledger_table,
        "FINDINGS_TABLE": settings.findings_table,
        "BUCKET": settings.bucket,
        "BUS_NAME": settings.bus_name,
    }
    catalog = Catalog(clock)
    catalog.create_account("acc_example", "Example", "a@b.example")
    profile = Profile(
        account_id="acc_example", platform=META, profile_id="1042017731", name="n", currency="USD", timezone="UTC"
    )
    catalog.put_objects([profile], iso(clock.now()))
    with ExitStack() as opened:

        def load(name: str) -> ModuleType:
            module = opened.enter_context(loaded(name, environment, monkeypatch))
            module.app.clock = clock
            return module

        yield load


def land(module: ModuleType, clock: FrozenClock) -> str:
    """The pull of the example: two days of three ads."""
    header = PullHeader(
        run_id="r",
        task_id="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        generation=0,
        account_id="acc_example",
        platform=META,
        profile_id="1042017731",
        dataset=Dataset.AD_DAILY,
        as_of=iso(clock.now()),
        window=DAYS,
        currency="USD",
    )
    rows = [row for day in DAYS.days() for row in insights(["1.25", "2.50", f"{day.day}"], day.isoformat())["data"]]
    with module.app.raw.writer(header) as writer:
        writer.write(Page(json.dumps({"data": rows}).encode(), "https://graph.example/x", 200, last=True))
        return str(writer.commit(complete=True))


def planned_work(etl: ModuleType, event: dict[str, Any], account_id: str) -> AccountTask:
    """The task that an example of etl names, in the ledger."""
    named = TaskMessage.model_validate_json(event["Records"][0]["body"])
    task = AccountTask(named.run_id, "etl", account_id, StageKind.ETL, 4_000_000_000, id=named.task_id)
    etl.app.ledger.plan(task)
    return task


def received(queue: str) -> list[str]:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in found]


def stored(module: ModuleType) -> int:
    rows = module.app.metrics.read(Series(META, "1042017731", Level.AD, Grain.DAY), DAYS)
    return sum(row.slot[3] for row in rows)


def landed_event(key: str) -> dict[str, Any]:
    """The example without a version, as the test's bucket keeps none."""
    body = json.loads(example("validate/raw-landed.json")["Records"][0]["body"])
    body["detail"]["object"] |= {"key": key, "version-id": ""}
    return record(body)


def test_a_landed_pull_is_stored_and_its_run_advances(function: Function, clock: FrozenClock) -> None:
    validate = function("validate")
    key = land(validate, clock)

    assert validate.handler(landed_event(key), CONTEXT) == NOTHING_FAILED
    assert validate.handler(landed_event(key), CONTEXT) == NOTHING_FAILED

    assert stored(validate) == (1_250_000 + 2_500_000) * 2 + (18 + 19) * 1_000_000
    messages = boto3.client("sqs").receive_message(
        QueueUrl=validate.app.settings.runs_queue_url, MaxNumberOfMessages=10
    )["Messages"]
    assert {json.loads(message["Body"])["run_id"] for message in messages} == {"r"}


@pytest.mark.parametrize("event", ["s3-test-event", "file-dropped", "direct-s3-record"])
def test_a_test_event_and_an_object_that_is_gone_are_acknowledged(function: Function, event: str) -> None:
    text = (EVENTS / f"validate/{event}.json").read_text().replace("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "")
    assert function("validate").handler(json.loads(text), CONTEXT) == NOTHING_FAILED


def test_a_pull_whose_object_does_not_exist_is_quarantined(function: Function) -> None:
    validate = function("validate")
    assert validate.handler(example("validate/raw-landed.json"), CONTEXT) == NOTHING_FAILED
    key = "quarantine/messages/adweir-landing/7f3c1f5e-2b0a-4c8e-9a55-000000000001.json"
    assert json.loads(validate.app.raw.get_bytes(key))["reason"].startswith("not_found: no object raw/meta_ads/")


def test_a_task_of_a_run_makes_the_account_s_dataset_and_the_run_advances(
    function: Function, clock: FrozenClock
) -> None:
    validate, etl = function("validate"), function("etl")
    validate.handler(landed_event(land(validate, clock)), CONTEXT)
    event = example("etl/account-task.json")
    task = planned_work(etl, event, "acc_example")

    assert etl.handler(event, CONTEXT) == NOTHING_FAILED

    ended = etl.app.ledger.get_task(task.run_id, task.id)
    assert (ended.state, ended.counts) == (TaskState.LOADED, {"datasets": 1, "tables_ready": 0})
    assert not etl.app.ledger.has_open(task.run_id, task.stage)
    assert json.loads(received("adweir-runs")[-1])["task_id"] == task.id
    manifest = json.loads(etl.app.raw.get_bytes("mmm/acc_example/USD/mmm_manifest.json"))
    assert (manifest["account_name"], manifest["first_date"]) == ("Example", "2026-11-18")
    assert manifest["files"]["ad_reporting"]["rows"] == 6


def test_a_deleted_account_has_no_dataset_and_stops_nothing(function: Function) -> None:
    etl = function("etl")
    event = example("etl/account-task.json")
    task = planned_work(etl, event, "acc_gone")

    assert etl.handler(event, CONTEXT) == NOTHING_FAILED

    assert etl.app.ledger.get_task(task.run_id, task.id).state is TaskState.SKIPPED
    assert list(etl.app.raw.list("mmm/")) == []
