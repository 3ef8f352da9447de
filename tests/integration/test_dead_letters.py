"""Dead letters through the API, on moto's queues: read, explained, sent again and dropped, without losing any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from adweir.model.errors import Unavailable
from adweir.model.flows import WORKERS, StageKind
from adweir.model.messages import MakeExport, Message, ObjectArrived, StartRun, TaskMessage
from adweir.model.tasks import AccountTask, TaskState
from adweir.model.times import epoch
from adweir.pipeline.explained import about
from adweir.platforms import REGISTRY
from adweir.runtime.dead_letters import DeadLetters
from adweir.runtime.settings import queue_part
from adweir.store.ledger import Ledger
from support.api import Call
from support.bounds import at_the_bound
from support.empty_aws import make_queue
from support.functions import loaded
from support.pipeline import a_task
from support.template import template

EVENTS = Path(__file__).resolve().parents[2] / "events"
KEY = "raw/meta_ads/1/ad_daily/0f1e2d3c4b5a69788796.0.gz"
LOAD = ObjectArrived(bucket="adweir-data", key=KEY)

OWN = ("runs", "reports", "landing", "etl", "curate", "detect", "learn", "enrich", "features")


class Letters:
    """The deployment's queues with their dead-letter queues."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs")
        names = (*OWN, *(f"collect-{queue_part(name)}" for name in REGISTRY), "delivery")
        self.urls = {name: make_queue(f"adweir-{name}") for name in names}
        self.dead = {name: make_queue(f"adweir-dead-{name}") for name in names}

    def put(self, queue: str, message: Message | str, group: str = "", **said: str) -> str:
        """A dead letter; its id."""
        body = message if isinstance(message, str) else message.model_dump_json()
        attributes: Any = {name: {"DataType": "String", "StringValue": text} for name, text in said.items()}
        more = {"MessageGroupId": group} if group else {}
        url = self.dead[queue]
        return str(
            self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes, **more)["MessageId"]
        )

    def held(self, queue: str) -> int:
        """How many dead letters are visible."""
        names: Any = ["ApproximateNumberOfMessages"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.dead[queue], AttributeNames=names)
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def sent(self, queue: str) -> list[tuple[str, str]]:
        """(body, group) of what arrived in a queue."""
        received = self.sqs.receive_message(
            QueueUrl=self.urls[queue], MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
        )
        return [(one["Body"], one["Attributes"].get("MessageGroupId", "")) for one in received.get("Messages", [])]


@pytest.fixture
def letters(aws: None) -> Letters:
    return Letters()


@pytest.fixture
def environment(environment: dict[str, str], letters: Letters) -> dict[str, str]:
    return environment | {
        **{f"{name.upper()}_QUEUE_URL": letters.urls[name] for name in OWN},
        "COLLECT_QUEUES": letters.urls["collect-MetaAds"].replace("MetaAds", "{platform}"),
        "DEAD_LETTER_QUEUES": letters.dead["runs"].replace("runs", "{queue}"),
    }


def test_dead_letters_are_explained_and_reading_changes_nothing(
    call: Call, api: ModuleType, letters: Letters, clock: Any
) -> None:
    # given a failed task's message, one of which the reason is known, and one that a schedule could not send
    task = a_task(deadline=epoch(clock.now()) + 60)
    api.app.ledger.plan(task)
    api.app.ledger.finish(task.run_id, task.id, 0, TaskState.FAILED, error={"code": "deadline", "message": "too late"})
    pulled = letters.put("collect-MetaAds", TaskMessage(run_id=task.run_id, task_id=task.id))
    loading = letters.put("landing", LOAD)
    api.app.ledger.last_words.note(loading, "ZeroDivisionError: division by zero")
    start = '{"kind":"start","workflow":"daily","scheduled_at":"2026-11-20T05:30:00Z"}'
    target = "arn:aws:sqs:us-east-1:123456789012:adweir-runs"
    scheduled = letters.put(
        "delivery",
        json.dumps({"MessageBody": start, "QueueUrl": "https://x"}),
        TARGET_ARN=target,
        ERROR_CODE="AWS.SimpleQueueService.NonExistentQueue",
        ERROR_MESSAGE="it was deleted",
    )
    # when they are listed, twice
    for _ in range(2):
        found = {one["id"]: one for one in call("GET", "/api/v1/dead-letters")["dead_letters"]}
    # then each says what it is about, why it failed, and what comes of sending it again
    assert {
        one: (found[one]["queue"], found[one]["about"], found[one]["reason"], found[one]["again"]) for one in found
    } == {
        pulled: (
            "collect-MetaAds",
            "pull ad_daily (all) of meta_ads 111, 2026-11-01..2026-11-07; its task is failed: too late",
            "no reason is on record: the function was probably ended by Lambda (time, memory); its log says more",
            "does nothing, since its task has ended: redrive the run",
        ),
        loading: (
            "landing",
            f"load {KEY}",
            "ZeroDivisionError: division by zero",
            "safe: the same message twice changes nothing",
        ),
        scheduled: (
            "delivery",
            "start the workflow daily for 2026-11-20T05:30:00+00:00",
            "AWS.SimpleQueueService.NonExistentQueue: it was deleted",
            "safe: the same message twice changes nothing",
        ),
    }
    assert (found[pulled]["run_id"], found[pulled]["task_id"]) == (task.run_id, task.id)
    assert (found[loading]["object_key"], found[scheduled]["body"]) == (KEY, start)
    assert [letters.held(name) for name in ("collect-MetaAds", "landing", "delivery")] == [1, 1, 1]


def test_given_dead_letters_of_etl_then_an_export_is_told_from_a_task(call: Call, letters: Letters, clock: Any) -> None:
    export = letters.put("etl", MakeExport(export_id="exp_5f0c1d2e3b4a59687786"))
    task = AccountTask("run-1", "etl", "acc_1", StageKind.ETL, 2_000_000_000)
    Ledger(clock).plan(task)
    datasets = letters.put("etl", TaskMessage.of(task))

    found = {one["id"]: one["about"] for one in call("GET", "/api/v1/dead-letters", queue="etl")["dead_letters"]}

    assert found == {
        export: "make the export exp_5f0c1d2e3b4a59687786",
        datasets: "do the etl of acc_1; its task is planned",
    }


@pytest.mark.parametrize(
    "kind", [StageKind.CURATE, StageKind.DETECT, StageKind.LEARN, StageKind.ENRICH, StageKind.FEATURES]
)
def test_a_dead_letter_of_a_function_for_one_kind_of_stages_is_about_its_task(
    call: Call, letters: Letters, clock: Any, kind: StageKind
) -> None:
    task = AccountTask("run-1", "mine", "acc_1", kind, 2_000_000_000)
    Ledger(clock).plan(task)
    letters.put(WORKERS[kind], TaskMessage.of(task))

    (found,) = call("GET", "/api/v1/dead-letters", queue=WORKERS[kind])["dead_letters"]

    assert (found["about"], found["task_id"]) == (f"do the {kind} of acc_1; its task is planned", task.id)


def test_a_dead_letter_of_a_task_that_is_gone_says_so(call: Call, letters: Letters) -> None:
    letters.put("detect", TaskMessage.of(AccountTask("run-1", "gone", "acc_1", StageKind.DETECT, 2_000_000_000)))

    (found,) = call("GET", "/api/v1/dead-letters", queue="detect")["dead_letters"]

    assert (found["about"], found["again"]) == ("work on a task that is gone", "does nothing")


def test_a_list_that_is_cut_says_so_and_an_unknown_queue_is_refused(call: Call, letters: Letters) -> None:
    for number in range(3):
        letters.put("landing", LOAD.model_copy(update={"key": f"raw/{number}"}))
    answer = call("GET", "/api/v1/dead-letters", queue="landing", limit="2")
    assert (len(answer["dead_letters"]), answer["warnings"]) == (2, ["landing: 2 of about 3 are shown"])
    assert letters.held("landing") == 3
    assert "landing" in call("GET", "/api/v1/dead-letters", queue="lndng", expect=422)["error"]["message"]


def test_one_is_sent_again_with_its_group_and_a_second_time_there_is_none(call: Call, letters: Letters) -> None:
    # given two dead letters
    first, second = (letters.put("landing", LOAD.model_copy(update={"load": n}), group="meta_ads#1") for n in (1, 2))
    # when one is sent again
    answer = call("POST", f"/api/v1/dead-letters/{first}/send", reason="mended")
    # then it is in its queue as it was, and no dead letter any more
    assert (answer["moved"], answer["left"], answer["by"]) == ([first], [], "k1")
    ((body, group),) = letters.sent("landing")
    assert (json.loads(body)["load"], group) == (1, "meta_ads#1")
    assert letters.held("landing") == 1
    # and again there is nothing to do, which the answer says
    again = call("POST", f"/api/v1/dead-letters/{first}/send")
    assert again["moved"] == []
    assert again["left"][0]["reason"].startswith("not in a dead-letter queue: it was sent or dropped before")
    assert letters.sent("landing") == []
    deeds = call("GET", "/api/v1/audit")["deeds"]
    assert ("send dead letters", first, "mended", "1 done, 0 left") in [
        (deed["action"], deed["subject"], deed["reason"], deed["outcome"]) for deed in deeds
    ]
    assert second != first


@pytest.mark.parametrize("body", [None, {}])
def test_all_are_sent_to_the_queues_that_they_were_in_or_meant_for(
    call: Call, letters: Letters, body: dict[str, str] | None
) -> None:
    letters.put("runs", '{"kind":"sweep"}')
    letters.put("collect-AmazonAds", TaskMessage(run_id="r", task_id="t"))
    letters.put("delivery", "{}", TARGET_ARN="arn:aws:sqs:us-east-1:123456789012:adweir-etl", ERROR_CODE="X")
    lost = letters.put("delivery", "{}", TARGET_ARN="arn:aws:sns:us-east-1:123456789012:alarms", ERROR_CODE="X")

    answer = call("POST", "/api/v1/dead-letters/all/send", body)

    assert [len(letters.sent(name)) for name in ("runs", "collect-AmazonAds", "etl")] == [1, 1, 1]
    assert answer["left"] == [{"id": lost, "reason": "it was meant for something that is no queue of ours"}]
    assert (len(answer["moved"]), answer["more"], answer["outcome"]) == (3, False, "3 done, 1 left")
    assert letters.held("delivery") == 1


def test_what_is_dropped_is_kept_in_the_quarantine_and_can_be_sent_from_there(
    call: Call, api: ModuleType, letters: Letters
) -> None:
    # given a dead letter whose reason is known
    message_id = letters.put("landing", LOAD, group="meta_ads#1")
    api.app.ledger.last_words.note(message_id, "ZeroDivisionError: division by zero")
    # when it is dropped
    answer = call("DELETE", f"/api/v1/dead-letters/{message_id}", reason="the client left")
    assert (answer["moved"], letters.held("landing")) == ([message_id], 0)
    # then the quarantine has it, with both reasons
    (kept,) = call("GET", "/api/v1/quarantine")["messages"]
    assert kept["id"] == f"adweir-landing:{message_id}"
    assert (kept["queue"], kept["about"]) == ("landing", f"load {KEY}")
    assert kept["reason"] == "dropped by hand: the client left; it had failed: ZeroDivisionError: division by zero"
    # and it can be sent after all
    sent = call("POST", f"/api/v1/quarantine/{kept['id']}/replay")
    assert sent["outcome"] == "sent to adweir-landing"
    assert letters.sent("landing") == [(LOAD.model_dump_json(), "meta_ads#1")]


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The API dies whenever it is about to delete a message."""

    def die(*_: Any) -> None:
        raise Unavailable("killed")

    with monkeypatch.context() as dying:
        dying.setattr(DeadLetters, "delete", die)
        yield


@pytest.mark.usefixtures("killed")
@pytest.mark.parametrize("drop", [False, True], ids=["sent", "dropped"])
def test_a_crash_before_the_deletion_leaves_the_message_twice_and_never_lost(
    call: Call, api: ModuleType, letters: Letters, drop: bool
) -> None:
    message_id = letters.put("landing", LOAD)
    if drop:
        call("DELETE", f"/api/v1/dead-letters/{message_id}", expect=503)
        assert len(list(api.app.raw.list("quarantine/messages/"))) == 1
    else:
        call("POST", f"/api/v1/dead-letters/{message_id}/send", expect=503)
        assert len(letters.sent("landing")) == 1
    assert letters.held("landing") == 1


@at_the_bound("MAX_MESSAGE_SHOWN_CHARS")
def test_a_long_body_is_cut_in_the_answer_and_sent_whole(size: int, fits: bool, call: Call, letters: Letters) -> None:
    body = LOAD.model_dump_json().ljust(size)
    message_id = letters.put("landing", body)
    (shown,) = call("GET", "/api/v1/dead-letters")["dead_letters"]
    assert (shown["body"] == body) is fits
    assert shown["object_key"] == KEY
    call("POST", f"/api/v1/dead-letters/{message_id}/send")
    assert letters.sent("landing") == [(body, "")]


@at_the_bound("MAX_DEAD_LETTERS", as_if=12)
def test_a_call_moves_so_many_and_says_that_there_are_more(size: int, fits: bool, call: Call, letters: Letters) -> None:
    for number in range(size):
        letters.put("runs" if number % 2 else "landing", LOAD.model_copy(update={"load": number}))
    answer = call("POST", "/api/v1/dead-letters/all/send", {})
    assert len(answer["moved"]) == 12
    assert letters.held("runs") + letters.held("landing") == size - 12
    if not fits:
        assert answer["more"]
        assert len(call("POST", "/api/v1/dead-letters/all/send", {})["moved"]) == 1


@at_the_bound("MAX_RECEIVES")
def test_the_reason_is_kept_of_a_message_that_fails_for_the_last_time(
    size: int, fits: bool, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    # given a message that is received once less, or as often as SQS allows
    environment |= {"BUS_NAME": "adweir"}
    with loaded("validate", environment, monkeypatch) as function:
        function.app.clock = clock
        function.app.__dict__["loader"] = type("Loader", (), {"load": lambda *_: 1 / 0, "settle": None})()
        record = {
            "messageId": "m1",
            "receiptHandle": "r",
            "body": LOAD.model_dump_json(),
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:adweir-landing",
            "attributes": {"ApproximateReceiveCount": str(size - 1)},
        }
        context: Any = type("Context", (), {"aws_request_id": "r", "get_remaining_time_in_millis": lambda _: 9})()
        assert function.handler({"Records": [record]}, context) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
        # then the reason is on record in the second case only
        expected = {} if fits else {"m1": "ZeroDivisionError: division by zero"}
        assert function.app.ledger.last_words.of(["m1"]) == expected


def test_the_queues_of_the_template_allow_as_many_receives() -> None:
    from adweir.model import limits

    allowed = [
        queue.get("RedrivePolicy", {}).get("maxReceiveCount") for queue in template().of("AWS::SQS::Queue").values()
    ]
    assert {count for count in allowed if count} == {limits.MAX_RECEIVES}


def test_every_example_of_a_message_is_explained(tables: None, clock: Any) -> None:
    ledger, explained = Ledger(clock), 0
    for path in EVENTS.glob("*/*.json"):
        for record in json.loads(path.read_text()).get("Records", ()):
            queue = record["eventSourceARN"].rpartition(":")[2].removeprefix("adweir-")
            for at in (queue, "delivery"):
                words = about(at, record["body"], ledger).words
                assert len(words.split()) >= 2
                assert "cannot be read" not in words or (at == "delivery" and queue not in {"runs", "landing"})
            explained += 1
    assert explained > 20


def test_sweeps_and_starts_are_told_apart_when_a_schedule_could_not_deliver_them(call: Call, letters: Letters) -> None:
    letters.put("runs", StartRun(workflow="daily", scheduled_at="2026-11-20T05:30:00Z"))
    letters.put("runs", '{"kind":"sweep"}')
    letters.put("runs", "not json")
    about = {one["about"]: one["again"] for one in call("GET", "/api/v1/dead-letters")["dead_letters"]}
    assert about == {
        "start the workflow daily for 2026-11-20T05:30:00+00:00": "safe: the same message twice changes nothing",
        "sweep; the next schedule sends another": "safe: the same message twice changes nothing",
        "a message that cannot be read": "useless: it would be quarantined",
    }
