"""Reads the buckets of many partitions: while one page is worked on, the next ones are on their way.

The pages of a partition can only be asked for one after another, at some 50 ms each; those of several partitions at
once. What waits are the bytes of a page per thread, at most 3 MB, so that memory does not grow with the partitions.
"""

from __future__ import annotations

import concurrent.futures
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property, partial
from itertools import groupby
from typing import Any, NamedTuple

from adweir.model.errors import Unavailable
from adweir.model.metrics import Grain
from adweir.store.metrics.buckets import RESERVED
from adweir.store.metrics.slots import PARENT_FIELDS, SLOT_NAMES, StoredBucket, batch_decoder, page_decoder

_AHEAD = 3
"""Partitions that are asked for before it is their turn."""
_THREADS = 4
_KEYS = 100
"""Keys per request: DynamoDB's limit."""
_AT_ONCE = 1000
"""Keys whose items are in memory at once, unless those of one partition are more."""
_FIRST = chr(ord(RESERVED) + 1)
"""Before every entity id, and after every sort key that is not one."""
TRIES = 8


class Asked(NamedTuple):
    """Buckets to read: of a partition, whose slots are of a grain, those with these keys (None: all of them), and of
    their slots at least the named ones."""

    pk: str
    grain: Grain
    names: Collection[str]
    keys: Collection[str] | None = None


class Caller(NamedTuple):
    """How the table is asked: `ask(operation, **request)` answers the bytes; `charge` notes the units consumed."""

    table: Callable[[], str]
    ask: Callable[..., bytes]
    charge: Callable[[Any], None]
    back_off: Callable[[int], None]


class ReadAhead:
    """Reads buckets, several requests at once. Raises Unavailable."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def read(self, asked: Sequence[Asked]) -> Iterator[Iterator[StoredBucket]]:
        """See `Readable.buckets`."""
        for whole, some in groupby(asked, key=lambda each: each.keys is None):
            run = list(some)
            yield from self._whole(run) if whole else self._by_key(run)

    def _whole(self, asked: Sequence[Asked]) -> Iterator[Iterator[StoredBucket]]:
        begun: list[Callable[[], bytes]] = []
        for index, each in enumerate(asked):
            if len(asked) == 1:
                begun.append(partial(self._query, each))
            begun += [self._begin(self._query, other) for other in asked[len(begun) : index + 1 + _AHEAD]]
            yield self._pages(each, begun[index])

    def _pages(self, asked: Asked, begun: Callable[[], bytes]) -> Iterator[StoredBucket]:
        decode = page_decoder(asked.grain).decode
        while True:
            page = decode(begun())
            self._caller.charge(page.ConsumedCapacity)
            after = page.LastEvaluatedKey
            if after:
                begun = self._begin(self._query, asked, after)
            yield from page.Items
            if not after:
                return

    def _query(self, asked: Asked, after: dict[str, Any] | None = None) -> bytes:
        request = {
            "TableName": self._caller.table(),
            "KeyConditionExpression": "pk = :pk AND sk >= :first",
            "ExpressionAttributeValues": {":pk": {"S": asked.pk}, ":first": {"S": _FIRST}},
            "ConsistentRead": True,
            **_projection(asked.grain, asked.names),
            **({"ExclusiveStartKey": after} if after else {}),
        }
        return self._caller.ask("Query", **request)

    def _by_key(self, asked: Sequence[Asked]) -> Iterator[Iterator[StoredBucket]]:
        waiting: list[Asked] = []
        for each in asked:
            if waiting and sum(len(other.keys or ()) for other in (*waiting, each)) > _AT_ONCE:
                yield from self._group(waiting)
                waiting = []
            waiting.append(each)
        yield from self._group(waiting)

    def _group(self, asked: Sequence[Asked]) -> Iterator[Iterator[StoredBucket]]:
        keys = sorted({(each.pk, key) for each in asked for key in each.keys or ()})
        found: dict[str, list[StoredBucket]] = defaultdict(list)
        if keys:
            grain, names = asked[0].grain, {name for each in asked for name in each.names}
            parts = [keys[start : start + _KEYS] for start in range(0, len(keys), _KEYS)]
            one = len(parts) == 1  # most often: it needs no thread
            begun = [(partial if one else self._begin)(self._batch, part, grain, names) for part in parts]
            for part in begun:
                for item in part():
                    found[item.pk.S].append(item)
        for each in asked:
            yield iter(sorted(found[each.pk], key=lambda item: item.sk.S))

    def _batch(self, keys: Sequence[tuple[str, str]], grain: Grain, names: Iterable[str]) -> list[StoredBucket]:
        table, decode = self._caller.table(), batch_decoder(grain).decode
        how = {"ConsistentRead": True, **_projection(grain, list(names))}
        waiting: list[Any] = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
        found: list[StoredBucket] = []
        for attempt in range(1, TRIES + 1):
            answer = decode(self._caller.ask("BatchGetItem", RequestItems={table: {"Keys": waiting, **how}}))
            self._caller.charge(answer.ConsumedCapacity)
            found += answer.Responses.get(table, [])
            waiting = answer.UnprocessedKeys.get(table, {}).get("Keys", [])
            if not waiting:
                return found
            self._caller.back_off(attempt)
        raise Unavailable(f"DynamoDB left {len(waiting)} keys unread")

    def _begin(self, call: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
        """Begin a call in a thread; what comes back waits for its answer."""
        return self._pool.submit(call, *arguments).result

    @cached_property
    def _pool(self) -> concurrent.futures.ThreadPoolExecutor:
        return concurrent.futures.ThreadPoolExecutor(_THREADS, "buckets")


def _projection(grain: Grain, names: Collection[str]) -> dict[str, str]:
    """What to answer with: all of an item, unless half of its slots are not needed. No name is a reserved word."""
    if 2 * len(names) > len(SLOT_NAMES[grain]):
        return {}
    return {"ProjectionExpression": ", ".join((*PARENT_FIELDS, *sorted(names)))}
