"""The functions `collect` and `poll_reports`, from an SQS event to a batch response."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from adweir.model.datasets import Dataset
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from support.empty_aws import make_queue

FUNCTIONS = Path(__file__).parents[2] / "functions"
ACCOUNT = "arn:aws:sqs:us-east-1:123456789012"


@pytest.fixture(params=["collect", "poll_reports"])
def function(request: pytest.FixtureRequest, tables: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function as Lambda imports it, its environment set."""
    for name in ("runs", "reports"):
        monkeypatch.setenv(f"{name.upper()}_QUEUE_URL", make_queue(name))
    monkeypatch.setenv("COLLECT_QUEUES", make_queue("collect-AmazonAds").replace("AmazonAds", "{platform}"))
    for table in ("catalog", "metrics", "ledger", "findings"):
        monkeypatch.setenv(f"{table.upper()}_TABLE", f"adweir-{table}")
    monkeypatch.setenv("BUCKET", "adweir-data")
    monkeypatch.setenv("BUS_NAME", "adweir")
    name = f"function_{request.param}"
    spec = importlib.util.spec_from_file_location(name, FUNCTIONS / request.param / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    yield module
    for service in ("sqs", "s3"):
        if service in module.app.__dict__:
            module.app.__dict__[service].close()


def event(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body,
                "attributes": {},
                "eventSourceARN": f"{ACCOUNT}:reports",
            }
            for number, body in enumerate(bodies)
        ]
    }


CONTEXT = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 300_000)


def test_a_message_of_a_task_that_is_gone_is_acknowledged(function: Any) -> None:
    answer = function.handler(event('{"run_id":"r1","task_id":"t1","generation":0}'), CONTEXT)
    assert answer == {"batchItemFailures": []}


def test_a_malformed_message_is_quarantined_alone_and_counted_once(
    function: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("s3").create_bucket(Bucket="adweir-data")
    for _ in range(2):  # the acknowledgement may be lost: then it comes again
        answer = function.handler(event("{}", '{"run_id":"r1","task_id":"t1"}'), CONTEXT)
        assert answer == {"batchItemFailures": []}
    (info,) = function.app.raw.list("quarantine/")
    kept = json.loads(function.app.raw.get_bytes(info.key))
    assert (info.key, kept["queue"], kept["body"]) == ("quarantine/messages/reports/m0.json", "reports", "{}")
    assert kept["reason"] == "unreadable: run_id: Field required; task_id: Field required"
    counted = [line for line in capsys.readouterr().out.splitlines() if "MessagesQuarantined" in line]
    assert [json.loads(line)["MessagesQuarantined"] for line in counted] == [[1.0]]


def test_each_log_line_identifies_its_work(function: Any) -> None:
    """Given a task of a profile without a credential, when it is worked on, then its lines name all of it."""
    task = Task(
        run_id="r1",
        stage="pulls",
        account_id="acc_1",
        platform=Platform("amazon_ads"),
        profile_id="123",
        dataset=Dataset.AD_DAILY,
        slice="sp",
        window=Window.parse("2026-11-06..2026-11-19"),
        deadline=4_000_000_000,
    )
    function.app.ledger.plan(task)
    if function.app.service == "poll_reports":
        claimed = function.app.ledger.claim("r1", task.id, 0, 60)
        function.app.ledger.wait_report(claimed, "report-1", "2026-11-20T00:00:00.000000Z")
    stream = io.StringIO()
    function.app.logger.handlers[0].setStream(stream)

    function.handler(event(f'{{"run_id":"r1","task_id":"{task.id}"}}'), CONTEXT)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["settled"]
    for line in lines:
        assert line["service"] == function.app.service
        assert line["request_id"] == "request-1"
        assert (line["run_id"], line["task_id"]) == ("r1", task.id)
        assert (line["platform"], line["profile_id"], line["dataset"]) == ("amazon_ads", "123", "ad_daily")
