"""Queues and bus as they call AWS, and the composition root that hands them out."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from adweir.model.errors import RequestRejected, Unavailable, Unprocessable
from adweir.model.events import EntitiesChanged
from adweir.model.flows import WORKERS, StageKind
from adweir.model.messages import Advance, StartRun, Sweep
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.runtime.app import App, build
from adweir.runtime.clock import SystemClock
from adweir.runtime.outbound import EventBus, SqsQueue
from adweir.runtime.settings import Settings, queue_part
from sandbox.aws import sqs as double
from sandbox.aws.botocore_calls import services
from sandbox.aws.clients import OwnClient

URL = "https://sqs.us-east-1.amazonaws.com/1/adweir-runs"


class Sqs:
    """Remembers calls; refuses the messages of these ids."""

    def __init__(self, *refused: str) -> None:
        self.calls: list[dict[str, Any]] = []
        self._refused = refused

    def send_message(self, **call: Any) -> None:
        self.calls.append(call)

    change_message_visibility = send_message

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        failed = [{"Id": entry["Id"], "Message": "full"} for entry in call["Entries"] if entry["Id"] in self._refused]
        return {"Failed": failed} if failed else {}


class Bus:
    def __init__(self, failed: int = 0) -> None:
        self.entries: list[list[dict[str, Any]]] = []
        self._failed = failed

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, int]:  # noqa: N803  as the API spells it
        self.entries.append(Entries)
        return {"FailedEntryCount": self._failed}


def queue(sqs: Any) -> SqsQueue:
    return SqsQueue(sqs, URL)


def event(number: int) -> EntitiesChanged:
    return EntitiesChanged(
        platform="meta_ads",
        profile_id=str(number),
        account_id="acme",
        dataset="ads",
        added=1,
        changed=0,
        removed=0,
        task_id="t",
    )


def test_a_message_waits_at_most_what_sqs_can_delay_and_names_its_group() -> None:
    sqs = Sqs()
    queue(sqs).send(Advance(run_id="r"), delay=5000, group="g")
    queue(sqs).send(Sweep())
    first, second = sqs.calls
    assert (first["DelaySeconds"], first["MessageGroupId"]) == (900, "g")
    assert (second["DelaySeconds"], "MessageGroupId" in second) == (0, False)
    assert json.loads(first["MessageBody"])["run_id"] == "r"


def test_a_message_with_any_character_is_taken_as_it_is() -> None:
    own = double.Sqs(("adweir-runs",), lambda: 0.0)
    runs = queue(OwnClient("sqs", services(sqs=own)))
    asked = StartRun(
        workflow="daily", scheduled_at=datetime(2026, 11, 20, tzinfo=UTC), args={"name": "\0\ud7ff\ufffe\uffff"}
    )

    runs.send(asked)
    runs.send_many([(asked, "")])

    assert [StartRun.model_validate_json(sent.body) for sent in own.queues["adweir-runs"].messages] == [asked] * 2


def test_many_messages_go_in_batches_of_ten() -> None:
    sqs = Sqs()
    queue(sqs).send_many((Advance(run_id=str(number)), "g" if number else "") for number in range(23))
    assert [len(call["Entries"]) for call in sqs.calls] == [10, 10, 3]
    assert "MessageGroupId" not in sqs.calls[0]["Entries"][0]
    sent = [json.loads(entry["MessageBody"])["run_id"] for call in sqs.calls for entry in call["Entries"]]
    assert sent == [str(number) for number in range(23)]


def test_a_refused_message_of_a_batch_is_an_error() -> None:
    with pytest.raises(Unavailable, match="1 of 2 messages were refused: full"):
        queue(Sqs("1")).send_many([(Sweep(), ""), (Sweep(), "")])


def test_one_refused_batch_does_not_keep_back_the_others() -> None:
    sqs = Sqs("1")
    with pytest.raises(Unavailable, match="2 of 13 messages were refused: full"):
        queue(sqs).send_many([(Sweep(), "")] * 13)
    assert [len(call["Entries"]) for call in sqs.calls] == [10, 3]


def test_a_message_that_sqs_will_never_take_is_told_from_one_that_it_does_not_take_now() -> None:
    class Refusing(Sqs):
        def send_message_batch(self, **call: Any) -> dict[str, Any]:
            return {"Failed": [{"Id": "0", "Message": "no", "SenderFault": True}]}

    with pytest.raises(RequestRejected):
        queue(Refusing()).send_many([(Sweep(), "")])


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("InvalidParameterValue", 400, RequestRejected),
        ("RequestThrottled", 400, Unavailable),
        ("InternalError", 500, Unavailable),
        ("", 0, Unavailable),
    ],
)
def test_errors_of_sqs_are_ours(code: str, status: int, error: type[Exception]) -> None:
    class Failing(Sqs):
        def send_message(self, **call: Any) -> None:
            if not code:
                raise EndpointConnectionError(endpoint_url=URL)
            answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(answer, "SendMessage")

        send_message_batch: Any = send_message

    with pytest.raises(error):
        queue(Failing()).send(Sweep())
    with pytest.raises(error):
        queue(Failing()).send_many([(Sweep(), "")])


@pytest.mark.parametrize("group", ["an id with blanks", "ü", "x" * 129])
def test_a_group_that_sqs_would_refuse_is_replaced_by_another_of_its_own(group: str) -> None:
    sqs = Sqs()
    queue(sqs).send(Sweep(), group=group)
    queue(sqs).send(Sweep(), group=group)
    queue(sqs).send(Sweep(), group=group + "!")
    first, again, other = (call["MessageGroupId"] for call in sqs.calls)
    assert first == again != other
    assert first.isalnum()
    assert len(first) <= 128


def test_a_message_is_kept_hidden_by_its_receipt() -> None:
    sqs = Sqs()
    queue(sqs).keep_hidden("receipt", 30)
    assert sqs.calls == [{"QueueUrl": URL, "ReceiptHandle": "receipt", "VisibilityTimeout": 30}]


def test_events_carry_their_name_and_go_in_batches_of_ten() -> None:
    client: Any = Bus()
    measured: list[Any] = []
    EventBus(client, "adweir", measured.extend).publish(*(event(number) for number in range(12)))
    assert len(measured) == 12
    assert [len(batch) for batch in client.entries] == [10, 2]
    entry = client.entries[0][0]
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("adweir", "adweir", "EntitiesChanged")
    assert json.loads(entry["Detail"])["profile_id"] == "0"


def test_an_event_that_the_bus_refuses_is_an_error() -> None:
    client: Any = Bus(failed=1)
    measured: list[Any] = []
    with pytest.raises(Unavailable):
        EventBus(client, "adweir", measured.extend).publish(event(1))
    assert measured == []


class TestApp:
    """The composition root."""

    def app(self, **settings: str) -> App:
        app = App(Settings(**settings), rng=random.Random(1))
        app.__dict__["sqs"] = Sqs()
        return app

    def test_a_queue_that_the_function_was_not_given_is_named_as_a_fault_of_the_template(self) -> None:
        with pytest.raises(RuntimeError, match="template"):
            _ = self.app().queues.runs

    def test_each_queue_has_its_own_url(self) -> None:
        names = ("runs", "reports", "landing", "etl", "curate", "detect", "learn", "enrich", "features")
        app = self.app(
            **{f"{name}_queue_url": f"https://q/{name}" for name in names},
            collect_queues="https://q/collect-{platform}",
        )
        work = [app.queues.work(kind) for kind in list(WORKERS)[3:]]
        own = [app.queues.runs, app.queues.reports, app.queues.landing, app.queues.etl, *work]
        collect = [app.queues.collect(platform) for platform in REGISTRY]
        expected = [*names, *(f"collect-{queue_part(platform)}" for platform in REGISTRY)]
        assert [queue.url for queue in [*own, *collect]] == [f"https://q/{name}" for name in expected]

    @pytest.mark.parametrize("kind", [kind for kind in StageKind if WORKERS.get(kind, "etl") == "etl"])
    def test_what_no_function_of_its_own_does_goes_to_etl(self, kind: StageKind) -> None:
        app = self.app(**{f"{name}_queue_url": f"https://q/{name}" for name in ("etl", "curate", "detect")})
        assert app.queues.work(kind).url == "https://q/etl"

    def test_a_platform_that_is_not_connected_has_no_queue(self) -> None:
        with pytest.raises(Unprocessable, match=r"amazon_ads.*meta_ads"):
            self.app().queues.collect(Platform("strange_ads"))

    def test_a_record_s_queue_is_found_by_its_arn(self) -> None:
        app = self.app(runs_queue_url=URL, collect_queues="https://q/adweir-collect-{platform}")
        assert app.queues.of("arn:aws:sqs:us-east-1:1:adweir-runs").url == URL
        assert app.queues.of("arn:aws:sqs:us-east-1:1:adweir-collect-MetaAds").url == "https://q/adweir-collect-MetaAds"
        with pytest.raises(RuntimeError, match="strange"):
            app.queues.of("arn:aws:sqs:us-east-1:1:strange")

    def test_ids_are_random_hex(self) -> None:
        app = self.app()
        one, other = app.new_id(), app.new_id()
        assert one != other
        assert len(one) == len(other) == 32
        assert int(one, 16)

    def test_a_deployed_function_takes_its_settings_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BUCKET", "from-the-environment")
        monkeypatch.setenv("BUS_NAME", "")
        app = build("collect")
        assert (app.settings.bucket, app.settings.bus_name) == ("from-the-environment", "")
        assert app.clock.now().tzinfo is UTC

    def test_the_real_clock_runs(self) -> None:
        clock = SystemClock()
        assert clock.monotonic() <= clock.monotonic()
        assert clock.now() <= clock.now()

    def test_the_log_carries_the_service_s_name(self) -> None:
        assert self.app().logger.service == "adweir"


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_links_to_objects_are_signed_as_new_buckets_and_keys_of_kms_ask(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    link = App(settings).raw.presign("exports/report.csv")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
