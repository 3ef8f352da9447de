"""The stream's door: whoever sends, what is stored is whole and once, and only Amazon's subscriptions are confirmed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from adweir.intake.doors.stream import STREAM, StreamDoor, StreamSource, Taken
from adweir.model.errors import BadInput, Transient, Unavailable
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads import SPEC
from adweir.platforms.amazon_ads.stream import ACCOUNTS, REGIONS
from adweir.platforms.http import Http
from adweir.platforms.session import new_session
from support.clock import FrozenClock
from support.stream_world import KeptLines
from support.stub_http import Answer, StubServer
from support.template import deployed, template

EVENTS = Path(__file__).resolve().parents[2] / "events/stream"
TOPIC = "arn:aws:sns:us-east-1:906013806264:sp-traffic"


def bodies(name: str) -> list[str]:
    return [str(record["body"]) for record in json.loads((EVENTS / f"{name}.json").read_text())["Records"]]


class StreamEntry:
    """A door whose SNS is the stub."""

    def __init__(self, stub: StubServer, slept: list[float]) -> None:
        self.kept, self.stub = KeptLines(), stub
        clock = FrozenClock()
        http = Http(new_session(), clock, random.Random(1), sleep=slept.append)
        source = StreamSource(
            SPEC.name, REGISTRY.stream(SPEC.name), {"555555555555"}, lambda route: f"{stub.url}/{route}"
        )
        self.door = StreamDoor(source, self.kept, http, clock)

    def take(self, *given: str) -> Taken:
        return self.door.take((f"m{number}", body) for number, body in enumerate(given))


@pytest.fixture
def door(stub: StubServer, slept: list[float]) -> StreamEntry:
    stub.route = lambda _: Answer(200, b"<ConfirmSubscriptionResponse/>")
    return StreamEntry(stub, slept)


def confirmation(**changes: Any) -> str:
    """The example, with its URL about the topic and token that it names unless the URL is given."""
    message = json.loads(bodies("subscription-confirmation")[0]) | changes
    if "SubscribeURL" not in changes:
        region = str(message["TopicArn"]).split(":")[3]
        message["SubscribeURL"] = url(f"https://sns.{region}.amazonaws.com/", message["TopicArn"], message["Token"])
    return json.dumps(message)


def url(base: str, topic: str = TOPIC, token: str = "2336412f37fb687f5d51e6e2425f00a1") -> str:  # noqa: S107
    return f"{base}?{urlencode({'Action': 'ConfirmSubscription', 'TopicArn': topic, 'Token': token})}"


def test_records_that_came_together_are_one_object_as_they_were_sent(door: StreamEntry) -> None:
    given = bodies("records")

    taken = door.take(*given)

    assert (taken.records, taken.faults, list(door.kept.objects)) == (3, {}, [taken.key])
    assert taken.key.startswith(f"{STREAM}amazon_ads/2026-11-20/")
    assert sorted(map(json.dumps, door.kept.lines(taken.key))) == sorted(json.dumps(json.loads(one)) for one in given)


def test_the_same_messages_in_another_order_make_no_second_object(door: StreamEntry) -> None:
    first = door.take(*bodies("records"))
    assert door.take(*reversed(bodies("records"))).key == first.key
    assert len(door.kept.objects) == 1


def test_a_record_over_several_lines_is_one_line(door: StreamEntry) -> None:
    record = json.loads(bodies("records")[0])

    taken = door.take(json.dumps(record, indent=2).replace("\n", "\r\n"))

    assert door.kept.lines(taken.key) == [record]


def test_a_record_in_an_envelope_is_the_same_as_one_without(door: StreamEntry) -> None:
    (wrapped,) = bodies("wrapped-record")
    assert door.take(wrapped).key == door.take(bodies("records")[0]).key


@pytest.mark.parametrize(
    "body",
    ["", "nonsense", "[]", '"text"', "{}", '{"dataset":"sp-traffic"}', '{"Type":"Notification","Message":"{}"}',
     '{"a":"\\ud800"}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_record_is_refused_and_the_others_are_kept(door: StreamEntry, body: str) -> None:
    taken = door.take(body, bodies("records")[0])

    assert taken.records == 1
    assert list(taken.faults) == ["m0"]
    assert isinstance(taken.faults["m0"], BadInput)


def test_without_storage_every_record_comes_again(door: StreamEntry) -> None:
    door.kept.is_down = True

    taken = door.take(*bodies("records"), "nonsense")

    assert (taken.key, taken.records) == ("", 0)
    assert {name: type(fault) for name, fault in taken.faults.items()} == {
        "m0": Unavailable,
        "m1": Unavailable,
        "m2": Unavailable,
        "m3": BadInput,
    }


@pytest.mark.parametrize("dataset", ACCOUNTS)
@pytest.mark.parametrize("place", range(len(REGIONS)))
def test_each_account_that_amazon_documents_is_confirmed_in_its_region(
    door: StreamEntry, dataset: str, place: int
) -> None:
    region = list(REGIONS)[place]
    topic = f"arn:aws:sns:{region}:{ACCOUNTS[dataset][place]}:{dataset}"

    assert door.take(confirmation(TopicArn=topic)).confirmed == 1

    (call,) = door.stub.calls
    assert call.path == f"/{REGIONS[region]}/"
    assert call.query == {
        "Action": "ConfirmSubscription",
        "TopicArn": topic,
        "Token": "2336412f37fb687f5d51e6e2425f00a1",
    }


def test_an_account_that_the_deployment_adds_is_confirmed(door: StreamEntry) -> None:
    topic = "arn:aws:sns:us-east-1:555555555555:ads-campaign-management-campaigns"
    assert door.take(confirmation(TopicArn=topic)).confirmed == 1


@pytest.mark.parametrize(
    "topic",
    [
        "arn:aws:sns:us-east-1:111122223333:sp-traffic",  # anybody's
        "arn:aws:sns:eu-west-1:906013806264:sp-traffic",  # Amazon's account of another region
        "arn:aws:sns:eu-central-1:906013806264:sp-traffic",  # a region without topics
        "arn:aws:sqs:us-east-1:906013806264:sp-traffic",
        "arn:aws:sns:us-east-1:906013806264:sp-traffic/../x",
        "arn:aws:sns:us-east-1:906013806264:sp\ntraffic",
        "",
        7,
    ],
)
def test_a_subscription_to_anybody_else_s_topic_is_refused_before_anything_is_called(
    door: StreamEntry, topic: Any
) -> None:
    given = json.loads(confirmation()) | {"TopicArn": topic}
    taken = door.take(json.dumps(given))

    assert isinstance(taken.faults["m0"], BadInput)
    assert door.stub.calls == []


@pytest.mark.parametrize(
    "link",
    [
        url("http://sns.us-east-1.amazonaws.com/"),
        url("https://sns.eu-west-1.amazonaws.com/"),
        url("https://sns.us-east-1.amazonaws.com.evil.example/"),
        url("https://evil.example/sns.us-east-1.amazonaws.com/"),
        url("https://sns.us-east-1.amazonaws.com@evil.example/"),
        url("https://user@sns.us-east-1.amazonaws.com/"),
        url("https://sns.us-east-1.amazonaws.com:8443/"),
        url("https://169.254.169.254/"),
        url("https://[::1"),
        url("https://sns.us-east-1.amazonaws.com/", topic="arn:aws:sns:us-east-1:111122223333:x"),
        url("https://sns.us-east-1.amazonaws.com/", token="another"),
        url("https://sns.us-east-1.amazonaws.com/").replace("ConfirmSubscription", "DeleteTopic"),
        url("https://sns.us-east-1.amazonaws.com/") + "&Action=DeleteTopic",
        "",
    ],
)
def test_a_confirmation_that_leads_elsewhere_is_refused_before_anything_is_called(door: StreamEntry, link: str) -> None:
    taken = door.take(confirmation(SubscribeURL=link))

    assert isinstance(taken.faults["m0"], BadInput)
    assert door.stub.calls == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(500), Transient),
        (Answer(429), Transient),
        (Answer(400, b"<Error/>"), BadInput),
        (Answer(403), BadInput),
        (Answer(302, b"", {"Location": "https://evil.example/"}), BadInput),
    ],
)
def test_what_sns_does_not_confirm_is_asked_again_only_where_that_may_help(
    door: StreamEntry, answer: Answer, fault: type[Exception]
) -> None:
    door.stub.route = lambda _: answer

    taken = door.take(confirmation(), bodies("records")[0])

    assert type(taken.faults["m0"]) is fault
    assert (taken.confirmed, taken.records) == (0, 1)


def test_the_end_of_a_subscription_is_acknowledged(door: StreamEntry) -> None:
    message = json.loads(confirmation()) | {"Type": "UnsubscribeConfirmation"}
    assert door.take(json.dumps(message)) == Taken("", 0, 0, {})
    assert door.stub.calls == []


@pytest.mark.parametrize("topic", ["arn:aws:sns:us-east-1:111122223333:sp-traffic", None])
def test_an_envelope_of_anybody_else_is_refused(door: StreamEntry, topic: str | None) -> None:
    message = json.loads(bodies("wrapped-record")[0]) | {"TopicArn": topic}
    assert isinstance(door.take(json.dumps(message)).faults["m0"], BadInput)


def test_the_queue_lets_in_the_accounts_that_the_door_confirms() -> None:
    regions = template().written["Mappings"]["Stream"]
    assert {region: sorted(found["Accounts"]) for region, found in regions.items()} == {
        region: sorted(each[place] for each in ACCOUNTS.values()) for place, region in enumerate(REGIONS)
    }


def test_the_queue_s_policy_names_amazon_s_topics_of_the_region_and_those_that_are_added() -> None:
    (policy,) = (each for name, each in template().of("AWS::SQS::QueuePolicy").items() if name == "StreamQueuePolicy")
    _, send, review = policy["PolicyDocument"]["Statement"]
    assert (send["Principal"], send["Action"]) == ({"Service": "sns.amazonaws.com"}, "sqs:SendMessage")
    assert _evaluated(send["Condition"]["ArnLike"]["aws:SourceArn"]) == [
        f"arn:aws:sns:*:{account}:*" for account in (*NA, "555555555555", "666666666666")
    ]
    assert review["Principal"] == {"AWS": "arn:aws:iam::926844853897:role/ReviewerRole"}
    assert review["Action"] == "sqs:GetQueueAttributes"


def test_a_deployment_without_the_stream_lets_nobody_in() -> None:
    policy = deployed(AmazonStream="false").of("AWS::SQS::QueuePolicy")["StreamQueuePolicy"]
    assert [statement["Effect"] for statement in policy["PolicyDocument"]["Statement"]] == ["Deny"]


NA = template().written["Mappings"]["Stream"]["us-east-1"]["Accounts"]


def _evaluated(node: Any) -> Any:
    """What CloudFormation makes of the policy's list in us-east-1 with two further accounts."""
    if isinstance(node, list):
        return [_evaluated(each) for each in node]
    if not isinstance(node, dict):
        return node
    ((function, argument),) = node.items()
    functions: dict[str, Callable[[Any], Any]] = {
        "Ref": lambda name: {"StreamAccounts": ["555555555555", "666666666666"]}[name],
        "Fn::FindInMap": lambda _: NA,
        "Fn::Join": lambda given: given[0].join(given[1]),
        "Fn::Split": lambda given: given[1].split(given[0]),
        "Fn::Sub": lambda given: _substituted(*given),
    }
    return functions[function](argument if function in {"Fn::Sub", "Fn::FindInMap"} else _evaluated(argument))


def _substituted(text: str, variables: Mapping[str, Any]) -> str:
    for name, value in variables.items():
        text = text.replace(f"${{{name}}}", _evaluated(value))
    return text
