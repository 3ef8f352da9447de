"""Queues as a sender in another account sees them."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.queues import Arn, NoOutsideQueues, NoQueue, allows
from support.queue_list import open_policy

ARN = "arn:aws:sqs:us-east-1:123456789012:ads"
TOPIC = "arn:aws:sns:us-east-1:906013806264:sp-traffic"


def test_without_aws_there_is_no_queue() -> None:
    with pytest.raises(NoQueue):
        NoOutsideQueues().policy(ARN)
    with pytest.raises(NoQueue):
        NoOutsideQueues().send(ARN, ["x"])


@pytest.mark.parametrize("text", ["", "arn:aws:sqs", "https://example.com/a:b:c:d", "arn:aws:sqs::1:ads"])
def test_what_is_no_arn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no ARN"):
        Arn.of(text)


@pytest.mark.parametrize(
    ("change", "lets_in"),
    [
        ({}, True),
        ({"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"]}, True),
        ({"Principal": "*"}, False),
        ({"Effect": "Deny"}, False),
        ({"Resource": f"{ARN}-other"}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": [TOPIC, "arn:aws:sns:eu-west-1:1:*"]}}}, True),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:802324068763:*"}}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
    ],
)
def test_a_policy_lets_in_whom_a_statement_names(change: dict[str, Any], lets_in: bool) -> None:
    # given
    sender = open_policy(ARN, "arn:aws:sns:us-east-1:906013806264:*")["Statement"][0]

    # when, then
    policy = {"Statement": [sender | change]}
    assert allows(policy, ARN, "sns.amazonaws.com", "SQS:SendMessage", TOPIC) is lets_in
