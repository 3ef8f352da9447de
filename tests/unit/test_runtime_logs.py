"""Log lines: each identifies its work, whatever the outcome of the message."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from adweir.model import trace
from adweir.model.errors import BadInput, NotReady, Transient
from adweir.model.log import log
from adweir.model.messages import ObjectArrived
from adweir.runtime.app import App
from adweir.runtime.consumer import Consumer
from adweir.runtime.settings import Settings
from support.clock import FrozenClock
from support.outlets import MemorySourceQueue


class Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, "done"),
        (NotReady("a report is being made", 60), "waits"),
        (BadInput("no rows"), "settled"),
        (Transient("reset"), "transient fault"),
        (ZeroDivisionError(), "unexpected fault"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_the_outcome_of_a_message_its_log_line_identifies_the_work(
    clock: FrozenClock, error: Exception | None, said: str
) -> None:
    app, stream = App(Settings(), clock, service="validate"), io.StringIO()
    app.logger.handlers[0].setStream(stream)  # type: ignore[attr-defined]

    def handle(_message: ObjectArrived, _remaining: Any) -> None:
        trace.add(run_id="run-1", task_id="task-1", platform="meta_ads", profile_id="7")
        if error:
            raise error

    app.__dict__["queues"] = SimpleNamespace(of=lambda _arn: MemorySourceQueue())
    consumer: Consumer[ObjectArrived] = app.consumer(
        parse=lambda body: [ObjectArrived.model_validate_json(body)], handle=handle, settle=lambda *_: None
    )
    body = ObjectArrived(bucket="b", key="raw/meta_ads/7/x.gz").model_dump_json()
    record = {"messageId": "m1", "receiptHandle": "r", "body": body, "eventSourceARN": "arn:aws:sqs:us-east-1:1:q"}

    consumer({"Records": [record]}, Context())

    (line,) = (json.loads(text) for text in stream.getvalue().splitlines())
    expected = {
        "message": said,
        "service": "validate",
        "request_id": "request-1",
        "message_id": "m1",
        "run_id": "run-1",
        "task_id": "task-1",
        "platform": "meta_ads",
        "profile_id": "7",
        "object_key": "raw/meta_ads/7/x.gz",
    }
    assert {name: line.get(name) for name in expected} == expected


def test_lines_of_the_rooms_below_go_where_the_functions_go_with_the_same_keys(clock: FrozenClock) -> None:
    app, stream = App(Settings(), clock, service="orchestrate"), io.StringIO()
    app.logger.handlers[0].setStream(stream)  # type: ignore[attr-defined]

    with trace.about(run_id="run-1"):
        log.warning("run %s cannot be read", "x")

    (line,) = (json.loads(text) for text in stream.getvalue().splitlines())
    assert (line["message"], line["service"], line["run_id"]) == ("run x cannot be read", "orchestrate", "run-1")


def test_keys_end_with_their_work() -> None:
    with trace.about(request_id="1"):
        with trace.about(run_id="r", task_id=""):
            trace.add(platform="meta_ads")
            assert trace.current() == {"request_id": "1", "run_id": "r", "platform": "meta_ads"}
        assert trace.current() == {"request_id": "1"}
    assert trace.current() == {}
