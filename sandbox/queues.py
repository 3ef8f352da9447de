"""Queues of SQS as a sender in another AWS account sees them: whether it may send there, and sending."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

_BATCH = 10
"""Messages of one SendMessageBatch (SQS developer guide, quotas)."""

_MISSING = ("NonExistentQueue", "QueueDoesNotExist")
"""The error's code, in the protocols of SQS."""


class NoQueue(LookupError):
    """There is no such queue, or none that this sender can reach."""


class Arn(NamedTuple):
    """The parts of `arn:aws:<service>:<region>:<account>:<name>`."""

    service: str
    region: str
    account: str
    name: str

    @classmethod
    def of(cls, text: str) -> Arn:
        """Raises ValueError for what is no ARN."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[:2] != ["arn", "aws"] or not all(parts[2:]):
            raise ValueError(f"{text!r} is no ARN")
        return cls(*parts[2:])


class OutsideQueues(ABC):
    """What a sender does with queues that are named by their ARNs. Called from many threads."""

    @abstractmethod
    def policy(self, arn: str) -> dict[str, Any]:
        """The queue's policy, empty when it has none. Raises NoQueue."""

    @abstractmethod
    def send(self, arn: str, bodies: Sequence[str]) -> None:
        """Send messages in this order. Raises NoQueue."""


class NoOutsideQueues(OutsideQueues):
    """An outside world without AWS."""

    def policy(self, arn: str) -> dict[str, Any]:
        """There is none."""
        raise NoQueue(arn)

    def send(self, arn: str, bodies: Sequence[str]) -> None:  # noqa: ARG002 - there is nowhere to send them
        """There is none."""
        raise NoQueue(arn)


class EndpointQueues(OutsideQueues):
    """The queues behind an endpoint of AWS (MiniStack's)."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def policy(self, arn: str) -> dict[str, Any]:
        """GetQueueAttributes."""
        client, url = self._reached(arn)
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
        found: dict[str, Any] = json.loads(attributes.get("Policy") or "{}")
        return found

    def send(self, arn: str, bodies: Sequence[str]) -> None:
        """SendMessageBatch. Raises RuntimeError when a message is refused."""
        client, url = self._reached(arn)
        for first in range(0, len(bodies), _BATCH):
            batch = bodies[first : first + _BATCH]
            entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(batch)]
            if failed := client.send_message_batch(QueueUrl=url, Entries=entries).get("Failed"):
                raise RuntimeError(f"{arn} refused messages: {failed[0]}")

    def _reached(self, arn: str) -> tuple[Any, str]:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - boto3 takes long, and few worlds send to queues

        from sandbox.ministack import client_factory  # noqa: PLC0415 - the same

        queue = Arn.of(arn)
        client = self._clients.get(queue.region)
        if client is None:  # two threads may make one each, and both work
            client = self._clients[queue.region] = client_factory(self._endpoint, queue.region)("sqs")
        try:
            url = client.get_queue_url(QueueName=queue.name, QueueOwnerAWSAccountId=queue.account)["QueueUrl"]
        except ClientError as error:
            if error.response["Error"]["Code"].endswith(_MISSING):
                raise NoQueue(arn) from None
            raise
        return client, url


def allows(policy: Mapping[str, Any], queue_arn: str, principal: str, action: str, source_arn: str = "") -> bool:
    """Whether a queue's policy lets a principal act: the ARN of a role, or the name of a service for `source_arn`.

    Of conditions, those that compare `aws:SourceArn` are known; a statement with another one allows nothing here.
    """
    return any(
        statement.get("Effect") == "Allow"
        and principal in _principals(statement.get("Principal", {}))
        and any(fnmatchcase(action.lower(), wanted.lower()) for wanted in _texts(statement.get("Action", ())))
        and any(fnmatchcase(queue_arn, wanted) for wanted in _texts(statement.get("Resource", ())))
        and _comes_from(statement.get("Condition", {}), source_arn)
        for statement in _listed(policy.get("Statement", ()))
    )


def _comes_from(condition: Mapping[str, Mapping[str, Any]], source_arn: str) -> bool:
    for operator, keys in condition.items():
        for key, values in keys.items():
            if operator not in ("ArnEquals", "ArnLike", "StringLike") or key.lower() != "aws:sourcearn":
                return False
            if not any(fnmatchcase(source_arn, wanted) for wanted in _texts(values)):
                return False
    return True


def _principals(principal: Any) -> list[str]:
    groups = principal.values() if isinstance(principal, Mapping) else (principal,)
    return [name for group in groups for name in _texts(group)]


def _texts(value: Any) -> Iterator[str]:
    yield from (str(one) for one in _listed(value))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)
