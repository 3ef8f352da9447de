"""DynamoDB: tables with a string hash key `pk` and a string range key `sk`, as the core has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from sandbox.aws.expressions import apply, check_used, condition, key_terms, names_of, update
from sandbox.aws.refusals import CONDITION, Refused, invalid
from sandbox.aws.shelves import ItemShelf, KeySpan, MemoryItems, StoredItem
from sandbox.aws.values import GivenNames, Item, Value, check, weigh

_MOST_BYTES = 400 * 1024
_MOST_PAGE_BYTES = 1 << 20
_MOST_WRITES, _MOST_READS, _MOST_TRANSACTED = 25, 100, 100
_MOST_KEY_BYTES = {"pk": 2048, "sk": 1024}
_MOST_TOKENS = 1000
_ENCODE = msgspec.json.encode


class DynamoDB:
    """The tables. `changed` is told of each write: table, the item before, the item after."""

    def __init__(self, tables: Iterable[str], shelf: ItemShelf | None = None) -> None:
        self._tables = set(tables)
        self._shelf: ItemShelf = MemoryItems() if shelf is None else shelf
        self._transacted: dict[str, bytes] = {}
        """What was done, by the requests' tokens: the newest. DynamoDB forgets them after ten minutes."""
        self.changed: Callable[[str, Item | None, Item | None], None] = lambda *_: None
        self.leave: Callable[[list[Any]], int] = lambda _entries: 0
        """How many entries of a batch are left undone: those at its end."""

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One API call. Raises Refused."""
        calls: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
            "Query": self._query,
            "BatchGetItem": self._batch_get,
            "BatchWriteItem": self._batch_write,
            "TransactWriteItems": self._transact_write,
        }
        if operation not in calls:
            raise NotImplementedError(f"there is no double of DynamoDB's {operation}: add it to {__file__}")
        return calls[operation](params)

    def drop(self, table: str) -> None:
        """Forget a table."""
        self._tables.remove(table)
        self._shelf.drop(table)

    def items(self, table: str, pk: str = "") -> list[Item]:
        """All items of a table, or of one partition, to look at."""
        self._check_table(table)
        found = self._shelf.partition(table, pk, KeySpan()) if pk else self._shelf.every(table)
        return [stored.item for stored in found]

    def weighed(self, table: str) -> Iterator[tuple[Item, int]]:
        """All items of a table with their sizes, as DynamoDB counts them."""
        return ((item, weigh({"M": item})) for item in self.items(table))

    def expire(self, table: str, now: float) -> int:
        """Delete the items whose time to live has ended, as DynamoDB does some time after; returns how many."""
        over = [
            (item["pk"]["S"], item["sk"]["S"])
            for item in self.items(table)
            if "expires" in item and int(item["expires"]["N"]) <= now
        ]
        for pk, sk in over:
            self._shelf.put(table, pk, sk, None)
        return len(over)

    # --- reading

    def _get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name = params["TableName"]
        found = self._find(name, params["Key"])
        answer: dict[str, Any] = {"ConsumedCapacity": _units(name, 0.5)}
        if found is not None:
            answer["Item"] = found.copy
        return answer

    def _query(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name, given = params["TableName"], names_of(params)
        parsed = condition(params["KeyConditionExpression"])
        used = parsed.used
        kept = condition(params["FilterExpression"]) if params.get("FilterExpression") else None
        check_used(used | (kept.used if kept else frozenset()), given)
        terms = key_terms(parsed, given)
        asked = terms.get("pk")
        if asked is None or asked[0] != "=" or asked[1][0] is None or len(parsed.terms) > 2:
            raise invalid("Query condition missed key schema element: pk")
        self._check_table(name)
        found = self._page(name, asked[1][0].get("S", ""), terms.get("sk"), params)
        items, size, last = list[Item](), 0, None
        limit = params.get("Limit")
        looked = 0
        for stored in found:
            if not parsed.holds(stored.item, given):
                continue
            if looked == limit or (items and size + len(stored.packed) > _MOST_PAGE_BYTES):
                break
            looked, size, last = looked + 1, size + len(stored.packed), stored
            if kept is None or kept.holds(stored.item, given):
                items.append(stored.copy)
        else:
            if limit is None or looked < limit:
                last = None
        answer: dict[str, Any] = {"Items": items, "Count": len(items), "ScannedCount": looked}
        if last is not None:
            answer["LastEvaluatedKey"] = {"pk": last.copy["pk"], "sk": last.copy["sk"]}
        return answer | {"ConsumedCapacity": _units(name, max(0.5, size / 8192))}

    def _page(
        self, name: str, pk: str, asked: tuple[str, tuple[Value | None, ...]] | None, params: Mapping[str, Any]
    ) -> Iterator[StoredItem]:
        """The items from the start key on, in the asked direction."""
        start, forward = params.get("ExclusiveStartKey"), params.get("ScanIndexForward", True)
        span = _span(asked)
        if start is None:
            return self._shelf.partition(name, pk, span, forward=forward)
        _check_key(start)
        after = start["sk"]["S"].encode()
        if forward:
            span = KeySpan(max(span.first, after + b"\0"), span.last)
            return self._shelf.partition(name, pk, span)
        last = after if span.last is None else min(span.last, after)
        found = self._shelf.partition(name, pk, KeySpan(span.first, last), forward=False)
        return (stored for stored in found if stored.item["sk"]["S"].encode() < after)

    def _batch_get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        wanted = [(name, key) for name, asked in params["RequestItems"].items() for key in asked["Keys"]]
        if len(wanted) > _MOST_READS:
            raise invalid("Too many items requested for the BatchGetItem call")
        _check_distinct([(name, _check_key(key)) for name, key in wanted])
        done = len(wanted) - self.leave(wanted)
        answer: dict[str, Any] = {"Responses": {name: [] for name in params["RequestItems"]}, "UnprocessedKeys": {}}
        for name, key in wanted[:done]:
            found = self._find(name, key)
            if found is not None:
                answer["Responses"][name].append(found.copy)
        for name, key in wanted[done:]:
            about = {field: value for field, value in params["RequestItems"][name].items() if field != "Keys"}
            answer["UnprocessedKeys"].setdefault(name, {"Keys": [], **about})["Keys"].append(key)
        return answer | {"ConsumedCapacity": [_units(name, 0.5 * done) for name in params["RequestItems"]]}

    # --- writing

    def _put(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name, item = params["TableName"], params["Item"]
        _check_item(item)
        given = names_of(params)
        self._check_condition(name, item, params, given, frozenset())
        return self._store(name, item, item, params)

    def _update(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name, key, given = params["TableName"], params["Key"], names_of(params)
        _check_key(key)
        parsed = update(params["UpdateExpression"]) if params.get("UpdateExpression") else None
        if parsed and any(given.name(str(path[0])) in {"pk", "sk"} for _, path, _ in parsed.actions):
            raise invalid("One or more parameter values were invalid: Cannot update attribute that is part of the key")
        old = self._check_condition(name, key, params, given, parsed.used if parsed else frozenset())
        base = dict(old.item) if old else {part: key[part] for part in ("pk", "sk")}
        fresh = apply(parsed, base, given) if parsed else base
        _check_item(fresh)
        return self._store(name, key, fresh, params)

    def _delete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name, key = params["TableName"], params["Key"]
        _check_key(key)
        self._check_condition(name, key, params, names_of(params), frozenset())
        return self._store(name, key, None, params)

    def _batch_write(self, params: Mapping[str, Any]) -> dict[str, Any]:
        asked = [(name, each) for name, requests in params["RequestItems"].items() for each in requests]
        if not 1 <= len(asked) <= _MOST_WRITES:
            raise invalid(f"1 to {_MOST_WRITES} items per BatchWriteItem, not {len(asked)}")
        keys = []
        for name, each in asked:
            if "PutRequest" in each:
                _check_item(each["PutRequest"]["Item"])
                keys.append((name, _check_key(each["PutRequest"]["Item"], whole=False)))
            else:
                keys.append((name, _check_key(each["DeleteRequest"]["Key"])))
        _check_distinct(keys)
        done = len(asked) - self.leave(asked)
        for (name, each), (_, key) in list(zip(asked, keys, strict=True))[:done]:
            item = each["PutRequest"]["Item"] if "PutRequest" in each else None
            self._write(name, key, item)
        left: dict[str, list[Any]] = {}
        for name, each in asked[done:]:
            left.setdefault(name, []).append(each)
        units = [_units(name, float(done)) for name in params["RequestItems"]]
        return {"UnprocessedItems": left, "ConsumedCapacity": units}

    def _transact_write(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Puts, updates and deletes. A request that is sent again (by its token) is not done again."""
        token = params.get("ClientRequestToken")
        if token in self._transacted:
            if self._transacted[token] != _ENCODE(params["TransactItems"]):
                raise Refused("IdempotentParameterMismatchException", "The token was used with other parameters.")
            return {"ConsumedCapacity": []}
        writes = [(kind, write) for each in params["TransactItems"] for kind, write in each.items()]
        if not 1 <= len(writes) <= _MOST_TRANSACTED:
            raise invalid(f"1 to {_MOST_TRANSACTED} items per TransactWriteItems, not {len(writes)}")
        for kind, write in writes:
            if kind == "Put":
                _check_item(write["Item"])
        _check_distinct([(write["TableName"], _check_key(_key_of(write))) for _, write in writes])
        reasons = [self._reason(write) for _, write in writes]
        if any(reason["Code"] != "None" for reason in reasons):
            codes = ", ".join(reason["Code"] for reason in reasons)
            said = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
            raise Refused("TransactionCanceledException", said, CancellationReasons=reasons)
        for kind, write in writes:
            {"Put": self._put, "Update": self._update, "Delete": self._delete}[kind](write)
        if token:
            self._transacted[token] = _ENCODE(params["TransactItems"])
            if len(self._transacted) > _MOST_TOKENS:
                del self._transacted[next(iter(self._transacted))]
        return {"ConsumedCapacity": []}

    def _reason(self, write: Mapping[str, Any]) -> dict[str, str]:
        parsed = update(write["UpdateExpression"]) if write.get("UpdateExpression") else None
        used = parsed.used if parsed else frozenset()
        try:
            self._check_condition(write["TableName"], _key_of(write), write, names_of(write), used)
        except Refused as refused:
            if refused.code != CONDITION:
                raise
            return {"Code": "ConditionalCheckFailed", "Message": refused.message}
        return {"Code": "None"}

    # --- inside

    def _check_table(self, name: str) -> None:
        if name not in self._tables:
            raise Refused("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")

    def _find(self, name: str, key: Item) -> StoredItem | None:
        self._check_table(name)
        return self._shelf.find(name, *_check_key(key))

    def _check_condition(
        self, name: str, key: Item, params: Mapping[str, Any], given: GivenNames, used: frozenset[str]
    ) -> StoredItem | None:
        """The stored item. Raises ConditionalCheckFailedException."""
        old = self._find(name, {part: key[part] for part in ("pk", "sk")})
        text = params.get("ConditionExpression")
        parsed = condition(text) if text else None
        check_used(used | (parsed.used if parsed else frozenset()), given)
        if parsed is not None and not parsed.holds(old.item if old else {}, given):
            wanted = params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and old is not None
            shown: dict[str, Any] = {"Item": old.copy} if wanted and old else {}
            raise Refused(CONDITION, "The conditional request failed", **shown)
        return old

    def _store(self, name: str, key: Item, fresh: Item | None, params: Mapping[str, Any]) -> dict[str, Any]:
        old, new = self._write(name, (key["pk"]["S"], key["sk"]["S"]), fresh)
        size = max(len(each.packed) for each in (old, new) if each) if old or new else 1
        answer: dict[str, Any] = {"ConsumedCapacity": _units(name, -(-size // 1024))}
        shown = {"ALL_NEW": new, "ALL_OLD": old}.get(params.get("ReturnValues", "NONE"))
        return answer | ({"Attributes": shown.copy} if shown else {})

    def _write(self, name: str, key: tuple[str, str], item: Item | None) -> tuple[StoredItem | None, StoredItem | None]:
        self._check_table(name)
        old, new = self._shelf.put(name, *key, item)
        self.changed(name, old.item if old else None, new.item if new else None)
        return old, new


def _span(asked: tuple[str, tuple[Value | None, ...]] | None) -> KeySpan:
    """Where a key condition's range keys can be."""
    if asked is None:
        return KeySpan()
    operator, values = asked
    keys = [value["S"].encode() for value in values if value is not None and "S" in value]
    if len(keys) < len(values):
        return KeySpan()
    first, last = keys[0], keys[-1]
    if operator == "BETWEEN" and last < first:
        said = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
        raise invalid(f"Invalid KeyConditionExpression: {said}")
    if operator in {"=", "BETWEEN"}:
        return KeySpan(first, last)
    if operator == "begins_with":
        return KeySpan(first, first + b"\xff")
    return KeySpan(b"", last) if operator in {"<", "<="} else KeySpan(first)


def _key_of(write: Mapping[str, Any]) -> Item:
    """The key of what a transaction writes."""
    whole: Item = write["Item"] if "Item" in write else write["Key"]
    return {part: whole[part] for part in whole if part in {"pk", "sk"}}


def _check_item(item: Item) -> None:
    for value in item.values():
        check(value)
    _check_key(item, whole=False)
    if len(_ENCODE(item)) > _MOST_BYTES // 4 and sum(len(n.encode()) + weigh(v) for n, v in item.items()) > _MOST_BYTES:
        raise invalid("Item size has exceeded the maximum allowed size")


def _check_key(key: Mapping[str, Value], *, whole: bool = True) -> tuple[str, str]:
    """The primary key. `whole`: nothing else may be there."""
    if whole and key.keys() != {"pk", "sk"}:
        raise invalid("The provided key element does not match the schema")
    for name, most in _MOST_KEY_BYTES.items():
        value = key.get(name)
        if value is None or "S" not in value:
            raise invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
        if not 1 <= len(value["S"].encode()) <= most:
            raise invalid(f"One or more parameter values are not valid: key {name} is empty or over {most} bytes")
    return key["pk"]["S"], key["sk"]["S"]


def _check_distinct(keys: list[tuple[str, tuple[str, str]]]) -> None:
    if len(set(keys)) != len(keys):
        raise invalid("Provided list of item keys contains duplicates")


def _units(name: str, units: float) -> dict[str, Any]:
    return {"TableName": name, "CapacityUnits": float(units)}
