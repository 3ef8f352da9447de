"""Counts the AWS requests of a process on moto, and the capacity units that DynamoDB would charge for them.

moto charges every request one unit, so units are worked out from the stored items by AWS's rules: a write costs one
unit per kB of the larger of the item before and after (in a transaction two), a consistent read one per 4 kB, another
read half of that.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import ceil
from typing import Any, NamedTuple
from unittest import mock

from botocore.endpoint import Endpoint

from adweir.store.dynamo.wire import answered
from support.own_dynamodb import stored

_WRITE_UNIT, _READ_UNIT = 1024, 4096


class Call(NamedTuple):
    """What a request was made for, and what it asked of which service."""

    about: str
    service: str
    operation: str


class AwsCalls:
    """Requests, units, and the seconds that moto took, by what `about` said when they were made.

    What is done while `about` is "" is not counted.
    """

    def __init__(self) -> None:
        self.about = ""
        self.requests: Counter[Call] = Counter()
        self.write_units: Counter[str] = Counter()
        self.read_units: defaultdict[str, float] = defaultdict(float)
        self.engine_seconds: defaultdict[str, float] = defaultdict(float)

    def clear(self) -> None:
        """Begin to count anew."""
        for counter in (self.requests, self.write_units, self.read_units, self.engine_seconds):
            counter.clear()

    def of(self, service: str, about: str = "") -> int:
        """How many requests went to a service, of all or for one matter."""
        return sum(n for call, n in self.requests.items() if call.service == service and about in ("", call.about))

    @contextmanager
    def counting(self) -> Iterator[AwsCalls]:
        """Count what is asked in the block; inside of `mock_aws`."""
        ask, calls = Endpoint.make_request, self

        def make_request(endpoint: Endpoint, model: Any, request: dict[str, Any]) -> Any:
            if not calls.about:
                return ask(endpoint, model, request)
            began, about = time.thread_time(), calls.about
            try:
                return calls._counted(about, model, request, lambda: ask(endpoint, model, request))
            finally:
                calls.engine_seconds[about] += time.thread_time() - began

        with mock.patch.object(Endpoint, "make_request", make_request):
            yield self

    def _counted(self, about: str, model: Any, request: dict[str, Any], ask: Any) -> Any:
        service, operation = model.service_model.service_name, model.name
        self.requests[Call(about, service, operation)] += 1
        if service != "dynamodb":
            return ask()
        body = json.loads(request["body"])
        keys = list(_written(operation, body))
        before = _sizes(keys)
        answer = ask()
        larger = map(max, before, _sizes(keys))
        times = 2 if operation == "TransactWriteItems" else 1
        self.write_units[about] += times * sum(max(1, ceil(size / _WRITE_UNIT)) for size in larger)
        self.read_units[about] += _read_units(operation, body, answer[1])
        return answer


def _sizes(keys: Sequence[tuple[str, dict[str, Any]]]) -> list[int]:
    """Bytes of the stored items, 0 where there is none."""
    found = [stored(table, key) for table, key in keys]
    return [item_bytes(item) if item else 0 for item in found]


def _written(operation: str, body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Table and key of each item that a request writes."""
    if operation == "PutItem":
        yield body["TableName"], _key(body["Item"])
    elif operation in {"UpdateItem", "DeleteItem"}:
        yield body["TableName"], body["Key"]
    elif operation == "TransactWriteItems":
        for one in body["TransactItems"]:
            (write,) = one.values()
            yield write["TableName"], _key(write["Item"]) if "Item" in write else write["Key"]
    elif operation == "BatchWriteItem":
        for table, requests in body["RequestItems"].items():
            for one in requests:
                yield table, one["DeleteRequest"]["Key"] if "DeleteRequest" in one else _key(one["PutRequest"]["Item"])


def _key(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"pk": item["pk"], "sk": item["sk"]}


def _read_units(operation: str, body: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    packed = answered(answer)
    answer = answer if packed is None else json.loads(packed)
    if operation == "GetItem":
        return _charged([answer.get("Item", {})], consistent=body.get("ConsistentRead", False))
    if operation == "Query":
        size = sum(map(item_bytes, answer["Items"]))
        return max(1, ceil(size / _READ_UNIT)) * (1.0 if body.get("ConsistentRead") else 0.5)
    if operation != "BatchGetItem":
        return 0.0
    units = 0.0
    for table, asked in body["RequestItems"].items():
        found = answer["Responses"].get(table, [])
        items = [*found, *({} for _ in range(len(asked["Keys"]) - len(found)))]
        units += _charged(items, consistent=asked.get("ConsistentRead", False))
    return units


def _charged(items: Sequence[Mapping[str, Any]], *, consistent: bool) -> float:
    return sum(max(1, ceil(item_bytes(item) / _READ_UNIT)) for item in items) * (1.0 if consistent else 0.5)


def item_bytes(item: Mapping[str, Any]) -> int:
    """An item's size by AWS's rule: names, texts, (digits + 1) / 2 + 1 per number, 3 per list or map, 1 per element."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    if "S" in value:
        return len(value["S"].encode())
    if "N" in value:
        number: str = value["N"]
        return (len(number.lstrip("-").strip("0")) + 1) // 2 + 1 + number.startswith("-")
    if "L" in value:
        return 3 + sum(1 + _value_bytes(each) for each in value["L"])
    if "M" in value:
        return 3 + sum(1 + len(name.encode()) + _value_bytes(each) for name, each in value["M"].items())
    return 1
