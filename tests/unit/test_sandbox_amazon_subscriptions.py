"""Marketing Stream's subscriptions: what is asked for, who confirms it, when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from sandbox.platforms.amazon_ads import STAND_IN
from support.amazon_caller import AmazonCaller
from support.platform_server import running
from support.queue_list import open_policy
from support.stream_caller import PATH, QUEUE, StreamCaller


@pytest.fixture
def stream() -> Iterator[StreamCaller]:
    with running([STAND_IN]) as server:
        yield StreamCaller(server)


def test_a_subscription_is_pending_until_its_queue_has_confirmed_it(stream: StreamCaller) -> None:
    # given
    made = stream.made()
    assert stream.status(made) == "PENDING_CONFIRMATION"
    (message,) = stream.queues.taken()
    assert message["Type"] == "SubscriptionConfirmation"
    assert message["TopicArn"].startswith("arn:aws:sns:us-east-1:906013806264:")

    # when
    first, again = stream.confirmed(message), stream.confirmed(message)
    forged = stream.confirmed(message | {"SubscribeURL": message["SubscribeURL"].replace("Token=", "Token=x")})

    # then
    assert "<SubscriptionArn>" in first.text
    assert (first.status_code, again.status_code, forged.status_code) == (200, 200, 400)
    assert stream.status(made) == "ACTIVE"


def test_a_subscription_says_for_a_moment_that_it_is_provisioned(stream: StreamCaller) -> None:
    # given
    stream.outside.report_seconds = 60

    # when
    shown = stream.caller.got(f"{PATH}/{stream.made()}").json()["subscription"]

    # then
    assert shown["status"] == "PROVISIONING"
    assert shown["destination"] == {"sqsDestination": {"queueArn": QUEUE}}


@pytest.mark.parametrize(
    "change",
    [
        {"clientRequestToken": "x" * 21},
        {"clientRequestToken": "x" * 37},
        {"dataSetId": "sp-clicks"},
        {"notes": "x" * 129},
        {"destinationArn": "arn:aws:sqs:eu-west-1:111122223333:ads"},
        {"destinationArn": "arn:aws:sqs:us-east-1:111122223333:ads.fifo"},
        {"destinationArn": "https://sqs.us-east-1.amazonaws.com/111122223333/ads"},
        {"destinationArn": "arn:aws:s3:us-east-1:111122223333:ads"},
        {"destination": {"sqsDestination": {"queueArn": QUEUE}}},
        {"destinationArn": None, "destination": {"kinesis": {"streamArn": QUEUE}}},
        {"status": "ACTIVE"},
    ],
)
def test_a_subscription_that_breaks_a_rule_is_refused(stream: StreamCaller, change: dict[str, Any]) -> None:
    # when
    body = {"clientRequestToken": "x" * 36, "dataSetId": "sp-traffic", "destinationArn": QUEUE} | change
    answer = stream.caller.ask("POST", PATH, {name: value for name, value in body.items() if value is not None})

    # then
    assert answer.status_code == 400
    assert stream.queues.sent == []


def test_one_subscription_per_destination_and_two_per_dataset(stream: StreamCaller) -> None:
    # given
    made = stream.made()
    others = [f"{QUEUE}-{number}" for number in (1, 2)]

    # when
    repeated, same = stream.asked(), stream.asked(number=1)
    second, third = stream.asked(number=2, queue=others[0]), stream.asked(number=3, queue=others[1])
    changed = stream.asked(notes="another request")

    # then
    assert repeated.json()["subscriptionId"] == made
    assert [answer.status_code for answer in (same, second, third, changed)] == [400, 200, 400, 400]
    assert "more than one subscription" in same.text
    assert "more than two subscriptions" in third.text


def test_a_subscription_that_nobody_confirms_has_failed_after_two_days(stream: StreamCaller) -> None:
    # given
    made = stream.made()
    (message,) = stream.queues.taken()

    # when
    stream.outside.move(timedelta(days=2))

    # then
    assert stream.status(made) == "FAILED_CONFIRMATION"
    assert stream.confirmed(message).status_code == 400
    assert stream.asked(number=1).status_code == 200


def test_only_an_active_subscription_is_archived_and_for_good(stream: StreamCaller) -> None:
    # given
    pending = stream.made("sp-conversion")
    stream.queues.taken()
    (made,) = stream.active("sp-traffic")

    # when
    refused = stream.caller.ask("PUT", f"{PATH}/{pending}", {"status": "ARCHIVED"})
    archived = stream.caller.ask("PUT", f"{PATH}/{made}", {"status": "ARCHIVED"})
    woken = stream.caller.ask("PUT", f"{PATH}/{made}", {"status": "ACTIVE"})

    # then
    assert (refused.status_code, archived.json(), woken.status_code) == (400, {}, 400)
    assert stream.status(made) == "ARCHIVED"


def test_subscriptions_are_paged_and_those_of_the_profile_and_the_user_alone(stream: StreamCaller) -> None:
    # given
    made = [stream.made(dataset) for dataset in ("sp-traffic", "sp-conversion", "sb-traffic")]
    mori = AmazonCaller(stream.server, "mori")

    # when
    first = stream.caller.got(PATH, maxResults="2").json()
    rest = stream.caller.got(PATH, maxResults="2", startingToken=first["nextToken"]).json()

    # then
    assert [entry["subscriptionId"] for entry in first["subscriptions"] + rest["subscriptions"]] == made
    assert "nextToken" not in rest
    assert stream.caller.got(PATH, maxResults="5001").status_code == 400
    assert mori.got(PATH).json() == {"subscriptions": []}
    assert mori.got(f"{PATH}/{made[0]}").status_code == 404


def test_a_policy_that_forbids_the_topic_keeps_the_confirmation_away(stream: StreamCaller) -> None:
    # given
    stream.queues.policies[QUEUE] = open_policy(QUEUE, "arn:aws:sns:us-east-1:802324068763:*")  # sp-conversion's

    # when
    traffic, conversions = stream.made("sp-traffic"), stream.made("sp-conversion")

    # then
    (message,) = stream.queues.taken()
    assert ":802324068763:" in message["TopicArn"]
    assert {stream.status(traffic), stream.status(conversions)} == {"PENDING_CONFIRMATION"}


def test_a_queue_that_amazon_cannot_look_at_is_not_provisioned(stream: StreamCaller) -> None:
    # given
    absent, closed = f"{QUEUE}-absent", f"{QUEUE}-closed"
    stream.queues.missing.add(absent)
    stream.queues.policies[closed] = {"Statement": open_policy(closed)["Statement"][0]}

    # when
    made = [stream.made("sp-traffic", place, queue) for place, queue in enumerate((absent, closed))]

    # then
    assert [stream.status(one) for one in made] == ["FAILED_PROVISIONING", "FAILED_PROVISIONING"]
    assert stream.queues.sent == []


def test_a_firehose_is_not_provisioned_as_there_is_none(stream: StreamCaller) -> None:
    # given
    firehose = {"deliveryStreamArn": "arn:aws:firehose:us-east-1:111122223333:deliverystream/ads"}
    body = {"clientRequestToken": "f" * 24, "dataSetId": "sp-traffic", "destination": {"firehoseDestination": firehose}}

    # when
    made = stream.caller.ask("POST", PATH, body).json()["subscriptionId"]

    # then
    assert stream.status(made) == "FAILED_PROVISIONING"


def test_a_topic_answers_under_its_own_host_too_and_confirms_only(stream: StreamCaller) -> None:
    # given
    stream.made()
    (message,) = stream.queues.taken()
    query = message["SubscribeURL"].partition("?")[2]
    host = {"Host": "sns.us-east-1.amazonaws.com"}

    # when
    publish = requests.get(f"{stream.server.url}/?Action=Publish", headers=host, timeout=5)
    confirm = requests.get(f"{stream.server.url}/?{query}", headers=host, timeout=5)

    # then
    assert (publish.status_code, confirm.status_code) == (400, 200)
