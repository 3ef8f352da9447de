"""Queues as lists, for what sends to SQS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.queues import NoQueue, OutsideQueues

_REVIEWER = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::926844853897:role/ReviewerRole"},
    "Action": "SQS:GetQueueAttributes",
    "Resource": "*",
}


def open_policy(arn: str, sources: str = "arn:aws:sns:*") -> dict[str, Any]:
    """The policy that Marketing Stream's documents ask for, for these topics."""
    sender = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "SQS:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": sources}},
    }
    return {"Version": "2008-10-17", "Statement": [sender, _REVIEWER]}


class QueueList(OutsideQueues):
    """`sent`: (ARN, body) of each message. `policies`: by ARN; any other queue lets everybody in."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.policies: dict[str, dict[str, Any]] = {}
        self.missing: set[str] = set()
        self.failing_after: int | None = None

    def policy(self, arn: str) -> dict[str, Any]:
        if arn in self.missing:
            raise NoQueue(arn)
        return self.policies.get(arn, open_policy(arn))

    def send(self, arn: str, bodies: Sequence[str]) -> None:
        if arn in self.missing:
            raise NoQueue(arn)
        for place, body in enumerate(bodies):
            if place == self.failing_after:
                raise RuntimeError("the queue does not answer")
            self.sent.append((arn, body))

    def taken(self) -> list[dict[str, Any]]:
        """The messages since the last time, numbers exact."""
        taken, self.sent = self.sent, []
        return [json.loads(body, parse_float=Decimal) for _, body in taken]
