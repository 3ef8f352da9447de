"""What the sandbox sends to queues of SQS."""

from __future__ import annotations

import json

import pytest
from moto import mock_aws

from sandbox.ministack import client_factory
from sandbox.queues import EndpointQueues, NoQueue
from support.queue_list import open_policy

ENDPOINT = "https://sqs.us-east-1.amazonaws.com"
ARN = "arn:aws:sqs:us-east-1:123456789012:ads"


def test_messages_arrive_in_the_queue_that_an_arn_names() -> None:
    with mock_aws():
        # given
        client, queues = client_factory(ENDPOINT)("sqs"), EndpointQueues(ENDPOINT)
        url = client.create_queue(QueueName="ads", Attributes={"Policy": json.dumps(open_policy(ARN))})["QueueUrl"]

        # when
        queues.send(ARN, [str(number) for number in range(23)])

        # then
        received: set[str] = set()
        while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            received |= {message["Body"] for message in messages}
        assert received == {str(number) for number in range(23)}
        assert queues.policy(ARN) == open_policy(ARN)
        with pytest.raises(NoQueue):
            queues.policy(f"{ARN}-absent")
