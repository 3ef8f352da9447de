"""Dead letters: messages that failed five times, or that a schedule or a bus rule could not deliver.

Reading a message hides it from others for half a minute; what was only read is given back at once. A message is
deleted after it was sent to its queue again, or put into the quarantine: a crash in between leaves it twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model import limits
from adweir.model.errors import Unavailable, Unprocessable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from adweir.platforms import Platforms
    from adweir.runtime.settings import Settings

DELIVERY = "delivery"
_HIDDEN_SECONDS = 30
_BATCH = 10


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of the dead-letter queue of `queue` (its short name: `runs`, `collect-MetaAds`, `delivery`).

    `target` is the URL of the queue that it goes back to; "" when that is none of ours. `sent_at` are Unix seconds,
    `fault` is why it could not be delivered (only of the queue `delivery`).
    """

    queue: str
    message_id: str
    body: str
    target: str
    receives: int
    sent_at: float
    group: str
    fault: str
    receipt: str
    url: str


class DeadLetters:
    """The dead-letter queues of this deployment, by the short names of the queues that they belong to.

    All methods raise Unavailable when SQS does not answer.
    """

    def __init__(self, sqs: SQSClient, settings: Settings, platforms: Platforms) -> None:
        self._sqs = sqs
        self._targets = settings.queue_urls(platforms)
        dead = {name: settings.dead_letter_queues.replace("{queue}", name) for name in (*self._targets, DELIVERY)}
        self._dead = dead if settings.dead_letter_queues else {}
        self._gone: set[str] = set()

    def names(self, queue: str = "") -> list[str]:
        """The queues, or the one that is named. Raises Unprocessable for an unknown one."""
        if queue and queue not in self._dead:
            message = f"{queue[:100]!r} is not one of {', '.join(sorted(self._dead))}"
            raise Unprocessable(f"there is no such queue: {message}", [{"field": "queue", "message": message}])
        return [queue] if queue else sorted(self._dead)

    def count(self, queue: str) -> int:
        """About how many messages a dead-letter queue holds."""
        with _storage():
            found = self._sqs.get_queue_attributes(
                QueueUrl=self._dead[queue], AttributeNames=["ApproximateNumberOfMessages"]
            )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    @contextmanager
    def reading(self, queue: str) -> Iterator[Iterator[DeadLetter]]:
        """The messages of a dead-letter queue, each once. Those that were not deleted are given back at the end."""
        taken: list[DeadLetter] = []
        try:
            yield self._receive(queue, taken)
        finally:
            self._give_back(taken)

    def send(self, letter: DeadLetter) -> None:
        """Send a message to its queue again, and then delete it here."""
        self.resend(letter.target, letter.body, letter.group)
        self.delete(letter)

    def resend(self, url: str, body: str, group: str = "") -> None:
        """Send a message as it was received before; `group` is its fair-queue key."""
        fair: dict[str, Any] = {"MessageGroupId": group} if group else {}
        with _storage():
            self._sqs.send_message(QueueUrl=url, MessageBody=body, **fair)

    def delete(self, letter: DeadLetter) -> None:
        """Delete a message that is kept elsewhere."""
        with _storage():
            self._sqs.delete_message(QueueUrl=letter.url, ReceiptHandle=letter.receipt)
        self._gone.add(letter.receipt)

    def _receive(self, queue: str, taken: list[DeadLetter]) -> Iterator[DeadLetter]:
        seen: set[str] = set()
        while len(seen) < limits.MAX_DEAD_LETTERS and self.count(queue):
            with _storage():
                messages = self._sqs.receive_message(
                    QueueUrl=self._dead[queue],
                    MaxNumberOfMessages=min(_BATCH, limits.MAX_DEAD_LETTERS - len(seen)),
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    WaitTimeSeconds=1,  # asks all servers of the queue, not a sample of them
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                ).get("Messages", [])
            letters = [self._letter(queue, message) for message in messages]
            taken += letters
            fresh = [letter for letter in letters if letter.message_id not in seen]
            if not fresh:
                return
            seen.update(letter.message_id for letter in fresh)
            yield from fresh

    def _letter(self, queue: str, message: Mapping[str, Any]) -> DeadLetter:
        known = message.get("Attributes", {})
        said = {name: one.get("StringValue", "") for name, one in message.get("MessageAttributes", {}).items()}
        body, target, fault = message["Body"], self._targets.get(queue, ""), ""
        if queue == DELIVERY:
            name = said.get("TARGET_ARN", "").rpartition(":")[2]
            target = next((url for url in self._targets.values() if url.rpartition("/")[2] == name), "")
            fault = ": ".join(filter(None, (said.get("ERROR_CODE"), said.get("ERROR_MESSAGE"))))
            body = _payload(body)
        return DeadLetter(
            queue=queue,
            message_id=message["MessageId"],
            body=body,
            target=target,
            receives=int(known.get("ApproximateReceiveCount", 1)),
            sent_at=int(known.get("SentTimestamp", 0)) / 1000,
            group=known.get("MessageGroupId", ""),
            fault=fault,
            receipt=message["ReceiptHandle"],
            url=self._dead[queue],
        )

    def _give_back(self, letters: Sequence[DeadLetter]) -> None:
        """Make what was read and not deleted visible again."""
        kept = [letter for letter in letters if letter.receipt not in self._gone]
        for start in range(0, len(kept), _BATCH):
            batch = kept[start : start + _BATCH]
            with _storage():
                self._sqs.change_message_visibility_batch(
                    QueueUrl=batch[0].url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                        for number, letter in enumerate(batch)
                    ],
                )


@contextmanager
def _storage() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(f"the queues do not answer: {type(error).__name__}") from error


def _payload(body: str) -> str:
    """What a schedule wanted to send: its dead letter is the request to SQS, whose message is a field of it."""
    try:
        request = json.loads(body)
    except ValueError:
        return body
    inner = request.get("MessageBody") if isinstance(request, dict) else None
    return inner if isinstance(inner, str) else body
