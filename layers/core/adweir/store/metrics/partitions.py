"""The Metrics table on the wire: whole partitions read in order, changed items written in paced batches.

This uses PynamoDB's connection without its models: the attributes of a bucket vary, and a partition has thousands of
them. Units are those that DynamoDB reports as consumed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.errors import Transient, Unavailable
from adweir.model.times import Clock
from adweir.store.dynamo import tables
from adweir.store.dynamo.wire import answered, fast_wire
from adweir.store.metrics.ahead import TRIES, Asked, Caller, ReadAhead
from adweir.store.metrics.buckets import RESERVED, Raw, ToWrite
from adweir.store.metrics.slots import StoredBucket, decoded

if TYPE_CHECKING:
    from pynamodb.connection import Connection

UNITS_A_SECOND = 900
"""Below the 1,000 that one partition takes."""
_BATCH = 25
_KEYS = 100
_PAGE = 300
"""Items per query page: an item takes forty times its bytes on the wire as Python objects."""
_AFTER_LISTS = RESERVED + chr(ord(RESERVED) + 1)
"""Before every sort key that is not a list's."""
_CONDITION = "ConditionalCheckFailedException"


class ItemKey(NamedTuple):
    """The primary key of an item."""

    pk: str
    sk: str


class Readable(Protocol):
    """A table that can be read, consistently. `Raw` items carry their keys `pk` and `sk`."""

    def get(self, pk: str, sk: str) -> Raw | None:
        """One item."""
        ...

    def get_many(self, keys: Iterable[ItemKey]) -> list[Raw]:
        """The items that exist, sorted by their keys."""
        ...

    def query(self, pk: str) -> Iterator[Raw]:
        """A whole partition without its lists, sorted by the bytes of `sk`."""
        ...

    def lists(self, pk: str) -> Iterator[Raw]:
        """The lists of a partition (`store.metrics.members`)."""
        ...

    def buckets(self, asked: Sequence[Asked]) -> Iterator[Iterator[StoredBucket]]:
        """The buckets of each of the partitions, sorted by the bytes of their ids.

        Those of a partition have to be read before those of the next but three are asked for.
        """
        for pk, grain, _, keys in asked:
            found = self.query(pk) if keys is None else self.get_many(ItemKey(pk, key) for key in keys)
            yield (decoded(grain, item) for item in found if not item["sk"]["S"].startswith(RESERVED))


class Table(Readable, Protocol):
    """What the metric store needs of a table."""

    read_units: float
    write_units: float

    def write(self, items: Iterable[ToWrite]) -> None:
        """Put items of one partition in batches; an item that has only its keys is deleted."""
        ...

    def put(self, item: Raw, *, fence: int | None) -> None:
        """Put one item. With `fence`, only if the stored one has this fence (0: none is stored) or the item's own.

        Raises Transient.
        """
        ...

    def delete(self, pk: str, sk: str) -> None:
        """Delete one item."""
        ...


class MetricsTable:
    """`Table` in DynamoDB. Raises Unavailable when DynamoDB does not do what was asked."""

    def __init__(
        self, clock: Clock, sleep: Callable[[float], None] = time.sleep, rng: random.Random | None = None
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311  jitter, not secrets
        self._connection: Connection | None = None
        self._ahead = ReadAhead(Caller(lambda: self._name, self._body, self._charge, self._back_off))
        self.read_units = 0.0
        self.write_units = 0.0

    def get(self, pk: str, sk: str) -> Raw | None:
        answer = self._call("GetItem", TableName=self._name, Key=_key(pk, sk), ConsistentRead=True)
        self.read_units += _units(answer)
        item: Raw | None = answer.get("Item")
        return item

    def get_many(self, keys: Iterable[ItemKey]) -> list[Raw]:
        found: list[Raw] = []
        waiting = [_key(*key) for key in sorted(set(keys))]
        for attempt in range(1, TRIES + 1):
            left: list[Raw] = []
            for start in range(0, len(waiting), _KEYS):
                request = {self._name: {"Keys": waiting[start : start + _KEYS], "ConsistentRead": True}}
                answer = self._call("BatchGetItem", RequestItems=request)
                self.read_units += _units(answer)
                found += answer["Responses"].get(self._name, [])
                left += answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if not left:
                return sorted(found, key=key_of)
            waiting = left
            self._back_off(attempt)
        raise Unavailable(f"DynamoDB left {len(waiting)} keys unread")

    def query(self, pk: str) -> Iterator[Raw]:
        return self._query(pk, "sk >= :border")

    def lists(self, pk: str) -> Iterator[Raw]:
        return self._query(pk, "sk < :border")

    def _query(self, pk: str, condition: str) -> Iterator[Raw]:
        request: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": f"pk = :pk AND {condition}",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":border": {"S": _AFTER_LISTS}},
            "ConsistentRead": True,
            "Limit": _PAGE,
        }
        while True:
            answer = self._call("Query", **request)
            self.read_units += _units(answer)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def buckets(self, asked: Sequence[Asked]) -> Iterator[Iterator[StoredBucket]]:
        self._connected()  # once, before there are threads
        return self._ahead.read(asked)

    def write(self, items: Iterable[ToWrite]) -> None:
        began, charged = self._clock.monotonic(), 0.0
        requests = ({"PutRequest": {"Item": i}} if len(i) > 2 else {"DeleteRequest": {"Key": i}} for i in items)
        while batch := list(islice(requests, _BATCH)):
            charged += self._write_batch(batch)
            ahead = charged / UNITS_A_SECOND - (self._clock.monotonic() - began)
            if ahead > 0:
                self._sleep(ahead)

    def put(self, item: Raw, *, fence: int | None) -> None:
        request: dict[str, Any] = {"TableName": self._name, "Item": item}
        if fence is not None:
            before = "fence = :fence" if fence else "attribute_not_exists(fence)"
            # A write whose reply was lost is sent again, and finds its own fence, which nobody else has.
            request["ConditionExpression"] = f"{before} OR fence = :own"
            request["ExpressionAttributeValues"] = {":own": item["fence"]}
            if fence:
                request["ExpressionAttributeValues"][":fence"] = {"N": str(fence)}
        try:
            self.write_units += _units(self._call("PutItem", **request))
        except _Refused as refused:
            raise Transient(f"another loader took over {item['pk']['S']}") from refused

    def delete(self, pk: str, sk: str) -> None:
        self.write_units += _units(self._call("DeleteItem", TableName=self._name, Key=_key(pk, sk)))

    def _write_batch(self, batch: list[dict[str, Any]]) -> float:
        charged = 0.0
        for attempt in range(1, TRIES + 1):
            answer = self._call("BatchWriteItem", RequestItems={self._name: batch})
            charged += _units(answer)
            batch = answer.get("UnprocessedItems", {}).get(self._name, [])
            if not batch:
                self.write_units += charged
                return charged
            self._back_off(attempt)
        self.write_units += charged
        raise Unavailable(f"DynamoDB left {len(batch)} items unwritten")

    def _back_off(self, attempt: int) -> None:
        self._sleep(self._rng.uniform(0.5, 1.0) * min(5.0, 0.05 * 2**attempt))

    @property
    def _name(self) -> str:
        return tables.MetricsItem.Meta.table_name

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = fast_wire(tables.connect())
        return self._connection

    def _body(self, operation: str, **request: Any) -> bytes:
        """The bytes of an answer full of items, also where something beneath botocore answers without any."""
        answer = self._ask(operation, **request)
        return answered(answer) or msgspec.json.encode(answer)

    def _charge(self, capacity: Any) -> None:
        self.read_units += _units({"ConsumedCapacity": capacity})

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        answer = self._ask(operation, **request)
        body = answered(answer)
        return answer if body is None else msgspec.json.decode(body)

    def _ask(self, operation: str, **request: Any) -> dict[str, Any]:
        try:
            return dict(self._connected().dispatch(operation, request))
        except ClientError as error:
            code = error.response["Error"].get("Code", "")
            if code == _CONDITION:
                raise _Refused from error
            raise Unavailable(f"the metrics table does not answer {operation}: {code}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the metrics table does not answer {operation}: {type(error).__name__}") from error


class _Refused(Exception):
    """A condition did not hold."""


def key_of(item: Raw) -> ItemKey:
    """An item's primary key."""
    return ItemKey(item["pk"]["S"], item["sk"]["S"])


def _key(pk: str, sk: str) -> Raw:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _units(answer: dict[str, Any]) -> float:
    charged = answer.get("ConsumedCapacity") or {}
    if isinstance(charged, list):
        return sum(float(each.get("CapacityUnits", 0.0)) for each in charged)
    return float(charged.get("CapacityUnits", 0.0))
