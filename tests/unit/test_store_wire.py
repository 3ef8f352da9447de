"""DynamoDB's answers without botocore's walk over each value are the answers that botocore makes of them."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from botocore import endpoint
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserFactory
from hypothesis import given
from hypothesis import strategies as st
from moto.core.botocore_stubber import MockRawResponse
from pynamodb.connection import Connection

from adweir.store.dynamo import wire

HEADERS = HeadersDict({"x-amzn-RequestId": "r1", "Content-Type": "application/x-amz-json-1.0", "x-amz-crc32": "1"})
DYNAMODB = ServiceModel(Loader().load_service_model("dynamodb", "service-2"), service_name="dynamodb")
PLAIN: tuple[dict[str, Any], ...] = (
    {"S": "ä\n"},
    {"N": "-1.5e-7"},
    {"BOOL": False},
    {"NULL": True},
    {"SS": ["a"]},
    {"NS": ["1"]},
    {"L": []},
)
BINARY: tuple[dict[str, Any], ...] = {"B": base64.b64encode(b"\x00\xff").decode()}, {"BS": ["AQID"]}
nested = st.recursive(
    st.sampled_from([*PLAIN, *BINARY]) | st.builds(lambda text: {"S": text}, st.text()),
    lambda values: (
        st.builds(lambda found: {"L": found}, st.lists(values, max_size=3))
        | st.builds(lambda found: {"M": found}, st.dictionaries(st.text(max_size=3), values, max_size=3))
    ),
    max_leaves=8,
)


def both(operation: str, answer: Any, status: int = 200) -> tuple[Any, Any]:
    """What botocore makes of an answer's JSON, and what the tables' connection does."""
    shape: Any = DYNAMODB.operation_model(operation).output_shape
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response = {"status_code": status, "headers": HEADERS, "body": body}
    botocores = ResponseParserFactory().create_parser("json")
    found = wire.PlainParsers().create_parser("json").parse(response, shape)
    return botocores.parse(response, shape), found


@given(st.dictionaries(st.text(max_size=4), nested, max_size=4))
def test_an_item_is_what_botocore_reads_whatever_it_holds(item: dict[str, Any]) -> None:
    for operation, answer in (
        ("GetItem", {"Item": item, "ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}}),
        ("Query", {"Items": [item, item], "Count": 2, "ScannedCount": 2, "LastEvaluatedKey": item}),
    ):
        botocores, ours = both(operation, answer)
        assert ours == botocores


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("GetItem", {}),
        ("PutItem", b""),
        (
            "BatchGetItem",
            {"Responses": {"t": [{"a": PLAIN[0]}]}, "UnprocessedKeys": {"t": {"Keys": [{"a": PLAIN[0]}]}}},
        ),
        ("BatchWriteItem", {"UnprocessedItems": {"t": [{"PutRequest": {"Item": {"a": PLAIN[1]}}}]}}),
        ("UpdateItem", {"Attributes": {"a": {"M": {"b": PLAIN[1]}}}}),
        ("TransactWriteItems", {"ConsumedCapacity": [{"TableName": "t", "Table": {"CapacityUnits": 1}}]}),
        ("GetItem", {"Item": {"a": PLAIN[0]}, "ConsumedCapacity": None}),
        ("GetItem", b'{"Item": {"a": {"S": "\\u0042", "B" : "AQID"}}}'),
        ("DescribeTable", {"Table": {"TableName": "t", "CreationDateTime": 1795485221.5}}),
    ],
)
def test_an_answer_is_what_botocore_reads(operation: str, answer: Any) -> None:
    botocores, ours = both(operation, answer)

    assert ours == botocores


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_is_what_botocore_reads(status: int) -> None:
    body = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "no", "Item": {}}
    botocores, ours = both("PutItem", body, status)

    assert ours == botocores
    assert ours["Error"]["Code"] == "ConditionalCheckFailedException"


def test_plain_answers_are_not_walked_through() -> None:
    class NoParser:
        def parse(self, _response: Any, _shape: Any) -> Any:
            raise AssertionError("botocore was asked")

    shape = DYNAMODB.operation_model("GetItem").output_shape
    response = {"status_code": 200, "headers": HEADERS, "body": b'{"Item": {"pk": {"S": "a"}}}'}

    assert wire._PlainParser(NoParser()).parse(response, shape)["Item"] == {"pk": {"S": "a"}}


GOOD = b'{"Item": {"pk": {"S": "a"}}}'


def asked(monkeypatch: pytest.MonkeyPatch, *bodies: bytes) -> Any:
    """What a connection answers where these come, one after the other. All have the checksum of the good one."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setattr(endpoint.time, "sleep", lambda _: None)  # type: ignore[attr-defined]
    coming = iter(bodies)

    def answer(**_: Any) -> AWSResponse:
        headers: Any = HeadersDict({"x-amzn-RequestId": "r1", "x-amz-crc32": str(zlib.crc32(GOOD))})
        return AWSResponse("http://127.0.0.1:1/", 200, headers, MockRawResponse(next(coming)))

    connection: Any = wire.plain_wire(Connection("us-east-1", max_retry_attempts=2))
    connection.session.register("before-send.dynamodb", answer)
    return connection.dispatch("GetItem", {"TableName": "t", "Key": {"pk": {"S": "a"}}})


@pytest.mark.parametrize("damaged", [GOOD[:-5], GOOD[:-3] + b"\xff}}", b"<html>"])
def test_an_answer_that_was_damaged_on_its_way_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, damaged: bytes
) -> None:
    assert asked(monkeypatch, damaged, GOOD)["Item"] == {"pk": {"S": "a"}}


def test_answers_that_are_all_damaged_are_no_answer_without_an_item(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(wire.DamagedAnswer):
        asked(monkeypatch, GOOD[:-5], GOOD[:-5], GOOD[:-5])
