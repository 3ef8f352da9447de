"""What the tests' botocore and moto remember changes no answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore import hooks
from moto.dynamodb.models.dynamo_type import DynamoType


def test_an_event_has_the_name_that_botocore_gives_it() -> None:
    aliases = dict(hooks.EVENT_ALIASES)
    ours = hooks.EventAliaser(hooks.HierarchicalEmitter())
    botocores = hooks.EventAliaser(
        hooks.HierarchicalEmitter(), aliases
    )  # with aliases of its own, nothing is remembered
    events = [f"before-call.{name}.Anything" for name in aliases] + list(aliases)

    for event in events * 2:
        assert ours._alias_event_name(event) == botocores._alias_event_name(event)  # type: ignore[attr-defined]


def test_a_handler_is_asked_whether_it_takes_every_argument() -> None:
    def takes(**every: Any) -> None: ...
    def refuses(one: int) -> None: ...

    assert [bool(hooks.accepts_kwargs(handler)) for handler in (takes, refuses) * 2] == [True, False] * 2
    assert bool(hooks.accepts_kwargs(hooks.HierarchicalEmitter().emit))
    assert not hooks.accepts_kwargs(hooks.HierarchicalEmitter().unregister)


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ({"S": "1"}, "1"),
        ({"N": "1.50"}, Decimal("1.5")),
        ({"BOOL": True}, True),
        ({"NULL": True}, None),
        ({"NS": ["1", "2"]}, {Decimal(1), Decimal(2)}),
        ({"L": [{"N": "1"}, {"S": "a"}]}, [Decimal(1), "a"]),
        ({"M": {"a": {"N": "1"}}}, {"a": Decimal(1)}),
    ],
)
def test_a_stored_value_compares_as_its_type_says(stored: dict[str, Any], value: Any) -> None:
    assert DynamoType(stored).cast_value == value


@pytest.mark.usefixtures("aws")
def test_a_query_is_answered_with_its_partition_in_order_and_an_index_over_all_partitions() -> None:
    dynamodb = boto3.client("dynamodb")
    schema = {"HASH": "pk", "RANGE": "sk"}
    by_kind = [{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    dynamodb.create_table(
        TableName="some",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for kind, name in schema.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "kind")],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[{"IndexName": "kinds", "KeySchema": by_kind, "Projection": {"ProjectionType": "ALL"}}],
    )
    for pk, sk in (("b", "2"), ("a", "3"), ("a", "1"), ("b", "1"), ("a", "2")):
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "kind": {"S": "k"}}
        dynamodb.put_item(TableName="some", Item=item)

    def asked(name: str, value: str, **how: Any) -> list[str]:
        values = {":v": {"S": value}}
        condition = f"{name} = :v"
        found = dynamodb.query(
            TableName="some", KeyConditionExpression=condition, ExpressionAttributeValues=values, **how
        )
        return [item["pk"]["S"] + item["sk"]["S"] for item in found["Items"]]

    assert asked("pk", "a") == ["a1", "a2", "a3"]
    assert asked("pk", "a", ScanIndexForward=False, Limit=2) == ["a3", "a2"]
    assert asked("pk", "c") == []
    assert sorted(asked("kind", "k", IndexName="kinds")) == ["a1", "a2", "a3", "b1", "b2"]
    assert len(dynamodb.scan(TableName="some")["Items"]) == 5
    assert asked("pk", "b") == ["b1", "b2"]
