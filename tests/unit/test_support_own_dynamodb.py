"""A request that goes without a message of HTTP is answered as one that goes the whole way."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError, ParamValidationError

from adweir.runtime.settings import Settings
from support import own_dynamodb

KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
ITEM = {**KEY, "packed": {"B": b"\x00\xff"}, "count": {"N": "3"}, "words": {"L": [{"S": "one"}, {"NULL": True}]}}
TAKEN = {"ConditionExpression": "attribute_not_exists(pk)"}


def answers(table: str) -> list[Any]:
    """What a client is told of requests that are granted, refused and never sent; in order."""
    client: Any = boto3.Session("testing", "testing", region_name="us-east-1").client("dynamodb")
    asked: list[tuple[str, dict[str, Any]]] = [
        ("put_item", {"TableName": table, "Item": ITEM, "ReturnConsumedCapacity": "TOTAL"}),
        ("put_item", {"TableName": table, "Item": ITEM, **TAKEN}),
        ("put_item", {"TableName": table, "Item": ITEM, **TAKEN, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
        ("get_item", {"TableName": table, "Key": KEY}),
        ("get_item", {"TableName": table, "Key": {**KEY, "sk": {"S": "2"}}}),
        ("get_item", {"TableName": "nobody's", "Key": KEY}),
        (
            "query",
            {
                "TableName": table,
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": {"S": "a"}},
            },
        ),
        ("batch_get_item", {"RequestItems": {table: {"Keys": [KEY]}}}),
        ("transact_write_items", {"TransactItems": [{"Put": {"TableName": table, "Item": ITEM, **TAKEN}}]}),
        ("delete_item", {"TableName": table, "Key": KEY, "ReturnValues": "ALL_OLD"}),
        ("put_item", {"TableName": table, "Item": {**KEY, "packed": {"B": "text"}}}),
        ("get_item", {"TableName": table, "Key": KEY}),
        ("put_item", {"TableName": table, "Item": {**KEY, "count": {"N": 3}}}),
        ("put_item", {"TableName": table, "Item": {**KEY, "words": {"L": [{"M": {"one": "two"}}]}}}),
        ("batch_get_item", {"RequestItems": {table: {"Keys": [{**KEY, "sk": 1}]}}}),
        ("transact_write_items", {"TransactItems": [{"Put": {"TableName": table, "Item": {"pk": {"S": b"a"}}}}]}),
        ("get_item", {"TableName": table, "Key": KEY, "Consistent": True}),
    ]
    return [_told(getattr(client, name), about) for name, about in asked]


def _told(ask: Any, about: dict[str, Any]) -> Any:
    try:
        return ask(**about)
    except ClientError as refused:
        return type(refused).__name__, refused.response
    except ParamValidationError as wrong:
        return str(wrong)


def test_the_short_way_tells_what_the_whole_one_does(
    aws: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages, way = list[str](), Endpoint._do_get_response  # type: ignore[attr-defined]
    make: Any = Endpoint.create_request

    def made(self: Any, params: Any, operation: Any) -> Any:
        messages.append(operation.name)
        return make(self, params, operation)

    def told() -> list[Any]:
        messages.clear()
        with monkeypatch.context() as patch:
            own_dynamodb.answer_in_place_of_moto(settings.tables, patch)
            return answers(settings.metrics_table)

    monkeypatch.setattr(Endpoint, "create_request", made)
    short = told()
    refused, wrong = ([each for each in short if isinstance(each, kind)] for kind in (tuple, str))
    assert len(messages) == len(refused) == 4
    assert len(wrong) == 5

    def watched(*about: Any) -> Any:
        return way(*about)

    monkeypatch.setattr(Endpoint, "_do_get_response", watched)

    assert told() == short
    assert len(messages) == len(short) - len(wrong)
