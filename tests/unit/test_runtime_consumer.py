"""The queue consumer: each class of the error tree has one outcome."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    BadInput,
    NotReady,
    RequestRejected,
    Throttled,
    TooMuchData,
    Transient,
    Unavailable,
)
from adweir.model.messages import TaskMessage
from adweir.runtime.aside import Aside
from adweir.runtime.consumer import Consumer, Work
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.outlets import MemorySourceQueue


class Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


class KeptAside(Aside):
    """Keeps what is refused, in a list; `broken` refuses that."""

    def __init__(self, clock: FrozenClock) -> None:
        nothing: Any = None  # is stored or counted
        super().__init__(nothing, nothing, nothing, clock)
        self.kept: list[tuple[str, str]] = []
        self.broken = False

    def refuse(self, record: Mapping[str, Any], reason: str) -> None:
        if self.broken:
            raise Unavailable("S3 does not answer")
        self.kept.append((record["messageId"], reason))


class Story:
    """A consumer whose handler does what the test says, with everything observable."""

    def __init__(
        self, clock: FrozenClock, error: BaseException | None = None, queue: MemorySourceQueue | None = None
    ) -> None:
        self.queue = queue or MemorySourceQueue()
        self.handled: list[TaskMessage] = []
        self.settled: list[AdweirError] = []
        self.error = error
        self.aside = KeptAside(clock)
        self.consumer: Consumer[TaskMessage] = Consumer(
            Work(
                parse=lambda body: [TaskMessage.model_validate_json(body)],
                handle=self.handle,
                settle=lambda _message, error: self.settled.append(error),
            ),
            queue_of=lambda _arn: self.queue,
            aside=lambda: self.aside,
            clock=clock,
            rng=random.Random(1),
            logger=Logger(service="test", level=logging.CRITICAL),
        )

    def handle(self, message: TaskMessage, remaining: Any) -> None:
        assert remaining() == 30.0
        self.handled.append(message)
        if self.error:
            raise self.error

    def receive(self, *messages: TaskMessage) -> list[dict[str, str]]:
        records = [
            {
                "messageId": f"m{i}",
                "receiptHandle": f"r{i}",
                "body": message.model_dump_json(),
                "eventSourceARN": "arn:aws:sqs:us-east-1:1:q",
                "attributes": {"MessageGroupId": "meta_ads#1"},
            }
            for i, message in enumerate(messages)
        ]
        return self.consumer({"Records": records}, Context())["batchItemFailures"]


TASK = TaskMessage(run_id="r", task_id="t")


def test_a_handled_message_is_acknowledged(clock: FrozenClock) -> None:
    story = Story(clock)
    assert story.receive(TASK) == []
    assert story.handled == [TASK]


@pytest.mark.parametrize("error", [Throttled("wait", 120.0), NotReady("not yet", 120.0)])
def test_waiting_sends_a_new_message_and_uses_up_no_receive(clock: FrozenClock, error: AdweirError) -> None:
    story = Story(clock, error)

    assert story.receive(TASK) == []

    (again,), (delay,), (group,) = story.queue.messages, story.queue.delays, story.queue.groups
    assert again.attempt == 1
    assert 120 <= again.not_before - clock.now().timestamp() + 1 <= 146
    assert 120 <= delay <= 144
    assert group == "meta_ads#1"


def test_a_wait_longer_than_sqs_can_delay_is_sent_on_without_running_the_handler(clock: FrozenClock) -> None:
    story = Story(clock)
    early = TaskMessage(run_id="r", task_id="t", not_before=int(clock.now().timestamp()) + 2_000, attempt=3)

    assert story.receive(early) == []

    assert story.handled == []
    assert (story.queue.messages, story.queue.delays, story.queue.groups) == ([early], [900], ["meta_ads#1"])


@at_the_bound("MAX_MESSAGE_WAIT_SECONDS")
def test_a_message_that_asks_to_wait_for_years_is_worked_on(size: int, fits: bool, clock: FrozenClock) -> None:
    story = Story(clock)
    later = TaskMessage(run_id="r", task_id="t", not_before=int(clock.now().timestamp()) + size)

    assert story.receive(later) == []

    assert (story.handled == []) is fits
    assert (story.queue.messages == [later]) is fits


@pytest.mark.parametrize("error", [Transient("reset"), Unavailable("503")])
def test_short_trouble_makes_the_message_visible_again_soon(clock: FrozenClock, error: AdweirError) -> None:
    story = Story(clock, error)

    assert story.receive(TASK) == [{"itemIdentifier": "m0"}]

    [(receipt, seconds)] = story.queue.hidden
    assert receipt == "r0"
    assert 5 <= seconds <= 60


@pytest.mark.parametrize(
    "error",
    [TooMuchData("x"), AuthExpired("x"), AccessDenied("x"), RequestRejected("x"), BadInput("x")],
    ids=lambda error: type(error).__name__,
)
def test_expected_errors_are_settled_and_acknowledged(clock: FrozenClock, error: AdweirError) -> None:
    story = Story(clock, error)
    assert story.receive(TASK) == []
    assert story.settled == [error]


def test_a_fault_of_ours_fails_only_its_own_item(clock: FrozenClock) -> None:
    story = Story(clock)

    def handle(message: TaskMessage, _remaining: Any) -> None:
        if message.task_id == "bad":
            raise ZeroDivisionError

    story.consumer._handle = handle
    failures = story.receive(TASK, TaskMessage(run_id="r", task_id="bad"), TASK)

    assert failures == [{"itemIdentifier": "m1"}]


POISONED = {"messageId": "m", "receiptHandle": "r", "body": json.dumps({"x": 1}), "eventSourceARN": "a:q"}


def test_a_body_that_cannot_be_read_is_quarantined_at_once_with_the_reason(clock: FrozenClock) -> None:
    story = Story(clock)
    assert story.consumer({"Records": [POISONED]}, Context()) == {"batchItemFailures": []}
    ((message_id, reason),) = story.aside.kept
    assert message_id == "m"
    assert reason == "unreadable: x: Extra inputs are not permitted; run_id: Field required; task_id: Field required"


@pytest.mark.parametrize("number", ["-1", "1" + "0" * 400, "9007199254740992"])
@pytest.mark.parametrize("name", ["not_before", "attempt", "generation", "report_deadline", "resubmits"])
def test_a_number_that_no_code_of_ours_writes_is_quarantined(clock: FrozenClock, name: str, number: str) -> None:
    story = Story(clock)
    record = POISONED | {"body": f'{{"run_id": "r", "task_id": "t", "{name}": {number}}}'}
    assert story.consumer({"Records": [record]}, Context()) == {"batchItemFailures": []}
    assert ([message_id for message_id, _ in story.aside.kept], story.handled) == (["m"], [])


def test_a_body_that_cannot_be_kept_comes_again(clock: FrozenClock) -> None:
    story = Story(clock)
    story.aside.broken = True
    assert story.consumer({"Records": [POISONED]}, Context()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def test_wrong_input_that_nobody_can_record_is_quarantined_and_a_fault_of_ours_is_not(clock: FrozenClock) -> None:
    # given a function whose settling refuses as well
    story = Story(clock, BadInput("no run 'r'"))

    def refuse(_message: TaskMessage, error: AdweirError) -> None:
        raise error

    story.consumer._settle = refuse
    # then its message is kept with the reason
    assert story.receive(TASK) == []
    assert story.aside.kept == [("m0", "bad_input: no run 'r'")]
    # and an error that says nothing about the message makes it come again
    story.error = RequestRejected("SQS refused a message")
    assert story.receive(TASK) == [{"itemIdentifier": "m0"}]
    assert len(story.aside.kept) == 1


def test_a_refused_visibility_change_costs_only_the_pace_of_the_retry(clock: FrozenClock) -> None:
    story = Story(clock, Transient("reset"), MemorySourceQueue(refuses_visibility=True))
    assert story.receive(TASK) == [{"itemIdentifier": "m0"}]
