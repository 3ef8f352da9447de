"""SQS queues and the event bus behind the ports of `model.ports`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model import limits
from adweir.model.errors import RequestRejected, Unavailable, Unprocessable
from adweir.model.events import SOURCE, BusEvent
from adweir.model.flows import WORKERS
from adweir.model.messages import Message

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

    from adweir.model.flows import StageKind
    from adweir.model.platforms import Platform
    from adweir.platforms import Platforms
    from adweir.runtime.settings import Settings

_T = TypeVar("_T")
_BATCH = 10
_BAD_REQUEST = 400
_PASSING = frozenset({"RequestThrottled", "ThrottlingException", "OverLimit", "KmsThrottled", "ExpiredToken"})
_GROUP = re.compile(r"[!-~]{1,128}")
"""What SQS takes as a group: letters, digits and punctuation."""


class SqsQueue:
    """One queue by URL. Implements `model.ports.Queue`."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self.url = url

    def send(self, message: Message, *, delay: int = 0, group: str = "") -> None:
        with _errors():
            self._client.send_message(
                QueueUrl=self.url,
                MessageBody=_body(message),
                DelaySeconds=min(delay, limits.MAX_DELAY_SECONDS),
                **_fair(group),
            )

    def send_many(self, messages: Iterable[tuple[Message, str]]) -> None:
        failed: list[Any] = []
        sent = 0
        for batch in _batches(messages):
            entries: list[Any] = [
                {"Id": str(i), "MessageBody": _body(m)} | _fair(group) for i, (m, group) in enumerate(batch)
            ]
            with _errors():
                failed += self._client.send_message_batch(QueueUrl=self.url, Entries=entries).get("Failed", [])
            sent += len(entries)
        if failed:
            said = f"{len(failed)} of {sent} messages were refused: {failed[0].get('Message')}"
            raise RequestRejected(said) if all(one.get("SenderFault") for one in failed) else Unavailable(said)

    def keep_hidden(self, receipt_handle: str, seconds: int) -> None:
        """Change a received message's visibility time-out."""
        self._client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )


class SqsQueues:
    """The queues whose URLs the settings hold. Implements `model.ports.Queues`."""

    def __init__(self, client: SQSClient, settings: Settings, platforms: Platforms) -> None:
        self._client = client
        self._settings = settings
        self._platforms = platforms

    @property
    def runs(self) -> SqsQueue:
        return self._queue(self._settings.runs_queue_url)

    @property
    def reports(self) -> SqsQueue:
        return self._queue(self._settings.reports_queue_url)

    @property
    def landing(self) -> SqsQueue:
        return self._queue(self._settings.landing_queue_url)

    @property
    def etl(self) -> SqsQueue:
        return self._queue(self._settings.etl_queue_url)

    def work(self, kind: StageKind) -> SqsQueue:
        """See `model.ports.Queues`."""
        match WORKERS.get(kind):
            case "curate":
                return self._queue(self._settings.curate_queue_url)
            case "detect":
                return self._queue(self._settings.detect_queue_url)
            case "learn":
                return self._queue(self._settings.learn_queue_url)
            case "enrich":
                return self._queue(self._settings.enrich_queue_url)
            case "features":
                return self._queue(self._settings.features_queue_url)
            case _:
                return self.etl

    def collect(self, platform: Platform) -> SqsQueue:
        """The collect queue of a platform. Raises Unprocessable for one that is not connected."""
        if platform not in self._platforms:
            raise Unprocessable(f"{platform} is not connected; connected: {', '.join(sorted(self._platforms))}")
        return self._queue(self._settings.collect_queue_url(platform))

    def of(self, arn: str) -> SqsQueue:
        """The queue that a record's eventSourceARN names, among those this function was given."""
        name = arn.rpartition(":")[2]
        for url in self._settings.queue_urls(self._platforms).values():
            if url.rpartition("/")[2] == name:
                return self._queue(url)
        raise RuntimeError(f"no queue URL in the settings is {name}")

    def _queue(self, url: str) -> SqsQueue:
        if not url:
            raise RuntimeError("this function was given no URL for that queue: see its environment in template.yaml")
        return SqsQueue(self._client, url)


class EventBus:
    """An EventBridge bus by name. Implements `model.ports.Bus`; `measure` is called with what was published."""

    def __init__(self, client: EventBridgeClient, name: str, measure: Callable[[Sequence[BusEvent]], None]) -> None:
        self._client = client
        self._name = name
        self._measure = measure

    def publish(self, *events: BusEvent, measured: bool = True) -> None:
        for batch in _batches(events):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._name,
                        "Source": SOURCE,
                        "DetailType": event.name,
                        "Detail": json.dumps(event.model_dump(mode="json"), separators=(",", ":")),
                    }
                    for event in batch
                ]
            )
            if answer["FailedEntryCount"]:
                raise Unavailable(f"the bus refused {answer['FailedEntryCount']} events")
            if measured:
                self._measure(batch)

    def measure(self, *events: BusEvent) -> None:
        self._measure(events)


def _fair(group: str) -> dict[str, Any]:
    """A message's fair-queue group. One that SQS would refuse is replaced by its hash: it only has to tell apart."""
    if group and not _GROUP.fullmatch(group):
        group = hashlib.sha256(group.encode()).hexdigest()
    return {"MessageGroupId": group} if group else {}


@contextmanager
def _errors() -> Iterator[None]:
    """SQS's errors as ours: RequestRejected where sending again cannot help, else Unavailable."""
    try:
        yield
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        said = f"SQS refused a message: {code}"
        raise RequestRejected(said) if status == _BAD_REQUEST and code not in _PASSING else Unavailable(said) from error
    except BotoCoreError as error:
        raise Unavailable(f"SQS does not answer: {type(error).__name__}") from error


def _body(message: Message) -> str:
    """A message as JSON. SQS refuses a body that has one of these characters, which JSON can also write as ASCII."""
    return message.model_dump_json().replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")


def _batches(items: Iterable[_T]) -> Iterator[Sequence[_T]]:
    iterator = iter(items)
    while batch := tuple(islice(iterator, _BATCH)):
        yield batch
