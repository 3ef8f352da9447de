"""Reading and writing items by their keys: the base of the catalog and of the ledger.

Reads are consistent. Every write is one item, with a condition where it decides something. A reply can be lost after
the write was done, and the SDK sends it again: each write leaves a token of its own in the item (`writer`), so that it
is not refused because of what it did itself. Another write of the item replaces the token.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from pydantic import ValidationError
from pynamodb.exceptions import PynamoDBException
from pynamodb.transactions import TransactWrite

from adweir.model import limits
from adweir.model.errors import BadInput, Unavailable, UnreadableItem
from adweir.model.log import log
from adweir.store.dynamo.tables import KeyedItem, shared_connection

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

    from adweir.model.times import Clock

_I = TypeVar("_I", bound=KeyedItem)
Key = tuple[str, str]
"""An item's partition key and sort key."""
_Change: TypeAlias = "tuple[Key, Sequence[Action], Condition]"
_Drop: TypeAlias = "tuple[Key, Condition]"
_T = TypeVar("_T")
_REFUSED = "ConditionalCheckFailedException"
_CANCELLED = "TransactionCanceledException"
_GET_BATCH = 100
_PUT_BATCH = 25
_TOKEN_BYTES = 9


class Keyed(Generic[_I]):
    """The items of one model. `name` is what messages call the table.

    All methods raise Unavailable when DynamoDB does not answer.
    """

    def __init__(self, model: type[_I], name: str, clock: Clock) -> None:
        self._model = model
        self._name = name
        self._clock = clock
        self.unreadable: dict[tuple[str, str], str] = {}
        """Keys of items that were left out because they cannot be read, and why."""

    @property
    def table(self) -> str:
        """The table's name."""
        return self._model.Meta.table_name

    def items(self, raw: Iterable[dict[str, Any]]) -> dict[Key, _I]:
        """Items as DynamoDB answers them, by key; those that do not count are left out."""
        known = (self._model.from_raw_data(one) for one in raw)
        return {(item.pk, item.sk): item for item in known if self._is_there(item)}

    def _is_there(self, _item: _I) -> bool:
        """Whether a stored item counts; one that does not is never read."""
        return True

    @contextmanager
    def _storage(self) -> Iterator[None]:
        """Turns DynamoDB's errors into ours. Raises Unavailable."""
        try:
            yield
        except PynamoDBException as error:
            reason = _code(error) or type(error.cause or error).__name__
            raise Unavailable(f"the {self._name} does not answer: {reason}") from error

    def _fetch(self, pk: str, sk: str) -> _I | None:
        """An item, or None."""
        with self._storage():
            try:
                item = self._model.get(pk, sk, consistent_read=True)
            except self._model.DoesNotExist:
                return None
        return item if self._is_there(item) else None

    def _fetch_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], _I]:
        """Items by their keys, read in batches; absent ones are left out."""
        found: dict[tuple[str, str], _I] = {}
        pending = iter(dict.fromkeys(keys))
        while batch := tuple(islice(pending, _GET_BATCH)):
            with self._storage():
                for item in self._model.batch_get(batch, consistent_read=True):
                    if self._is_there(item):
                        found[item.pk, item.sk] = item
        return found

    def _query(
        self,
        pk: str,
        prefix: str = "",
        *,
        up_to: str = "",
        after: str = "",
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[_I]:
        """Items of a partition in key order, starting after the sort key `after`.

        Those whose sort key begins with `prefix`, or with `up_to` those from `prefix` to that sort key: none where that
        comes before it, which DynamoDB would refuse.
        """
        if up_to and up_to < prefix:
            return
        named = self._model.sk.between(prefix, up_to) if up_to else self._model.sk.startswith(prefix)
        given = 0
        with self._storage():
            for item in self._model.query(
                pk,
                named if prefix else None,
                consistent_read=True,
                scan_index_forward=not newest_first,
                last_evaluated_key={"pk": {"S": pk}, "sk": {"S": after}} if after else None,
                page_size=limit,
            ):
                if not self._is_there(item):
                    continue
                yield item
                given += 1
                if given == limit:
                    return

    def _query_keys(self, pk: str, first: str, last: str, limit: int | None = None) -> list[str]:
        """The sort keys of a partition from one to another, at most so many."""
        names, between = ["pk", "sk"], self._model.sk.between(first, last)
        with self._storage():
            found = self._model.query(
                pk, between, consistent_read=True, attributes_to_get=names, limit=limit, page_size=limit
            )
            return [item.sk for item in found]

    def _readable(self, items: Iterable[_I], read: Callable[[_I], _T]) -> Iterator[_T]:
        """What `read` makes of items. One that it cannot read is logged, named in `unreadable`, and left out."""
        for item in items:
            try:
                yield self._parsed(item, read)
            except UnreadableItem as error:
                log.warning(error.message)

    def _parsed(self, item: _I, read: Callable[[_I], _T]) -> _T:
        """What `read` makes of an item. Raises UnreadableItem."""
        key = item.pk, item.sk
        try:
            found = read(item)
        except (AttributeError, LookupError, TypeError, ValueError, BadInput) as error:
            reason = _why(error)[: limits.MAX_REASON_CHARS]
            self.unreadable[key] = reason
            if len(self.unreadable) > limits.MAX_FAULTS_NAMED:
                del self.unreadable[next(iter(self.unreadable))]
            raise UnreadableItem(f"{item.pk} {item.sk} in the {self._name} cannot be read: {reason}") from error
        if self.unreadable:
            self.unreadable.pop(key, None)
        return found

    def _put(self, item: _I, condition: Condition | None = None) -> bool:
        """Put an item; False when the condition does not hold."""
        item.writer = new_token()
        own = None if condition is None else condition | (self._model.writer == item.writer)
        return self._holds(lambda: item.save(condition=own))

    def _put_many(self, items: Iterable[_I]) -> None:
        """Put items of different keys, each in place of what is there, 25 in a request. What DynamoDB leaves unwritten
        is put item by item: the SDK waits between its tries, with jitter."""
        pending = iter(items)
        while batch := list(islice(pending, _PUT_BATCH)):
            for item in batch:
                item.writer = new_token()
            with self._storage():
                unwritten = self._model.put_batch(batch)
            for item in unwritten:
                self._put(item)

    def _put_together(self, puts: Sequence[tuple[_I, Condition]]) -> bool:
        """Put items in one transaction of at most 100; False when any of their conditions does not hold, or somebody
        else writes one of them at this moment: then nothing is put."""

        def put(writes: TransactWrite, token: str) -> None:
            for item, condition in puts:
                item.writer = token
                writes.save(item, condition)

        return self._transact(put)

    def _change_and_drop(self, pairs: Iterable[tuple[_Change, _Drop]]) -> bool:
        """Change items and delete one with each, in one transaction of at most 50 pairs; False as `_put_together`."""

        def write(writes: TransactWrite, token: str) -> None:
            for (key, actions, condition), (gone, ours) in pairs:
                writes.update(self._model(*key), [*actions, self._model.writer.set(token)], condition)
                writes.delete(self._model(*gone), ours)

        return self._transact(write)

    def _transact(self, write: Callable[[TransactWrite, str], None]) -> bool:
        token = new_token()
        try:
            with self._storage(), TransactWrite(token, connection=shared_connection()) as writes:
                write(writes, token)
        except Unavailable as error:
            if isinstance(error.__cause__, PynamoDBException) and _code(error.__cause__) == _CANCELLED:
                return False
            raise
        return True

    def _change(
        self, pk: str, sk: str, actions: Sequence[Action], condition: Condition | None = None, *, token: str = ""
    ) -> _I | None:
        """Update an item; the updated item, or None when the condition does not hold. `token` names this write."""
        item, token = self._model(pk, sk), token or new_token()
        own = None if condition is None else condition | (self._model.writer == token)
        marked = [*actions, self._model.writer.set(token)]
        return item if self._holds(lambda: item.update(actions=marked, condition=own)) else None

    def _hold(self, pk: str, sk: str, actions: Sequence[Action], condition: Condition, give_back: Action) -> _I | None:
        """`_change` for a write that takes hold of an item, which others then wait for.

        When no reply comes at all, what may have been taken is given back. Raises Unavailable.
        """
        token = new_token()
        try:
            return self._change(pk, sk, actions, condition, token=token)
        except Unavailable:
            with suppress(Unavailable):  # then the hold expires
                self._change(pk, sk, [give_back], self._model.writer == token)
            raise

    def _drop(self, pk: str, sk: str, condition: Condition | None = None) -> bool:
        """Delete an item; False when the condition does not hold."""
        return self._holds(lambda: self._model(pk, sk).delete(condition=condition))

    def _holds(self, write: Callable[[], object]) -> bool:
        """Write; False when the write's condition does not hold."""
        with self._storage():
            try:
                write()
            except PynamoDBException as error:
                if _code(error) == _REFUSED:
                    return False
                raise
        return True


def _why(error: Exception) -> str:
    """Why an item cannot be read, in one line without its values."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return f"{type(error).__name__}: {error}"


def new_token() -> str:
    """A random name for one write."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def _code(error: PynamoDBException) -> str:
    """DynamoDB's error code, "" when there was no answer. PynamoDB's own property fails then: the cause's response
    is None."""
    answer = getattr(error.cause, "response", None) or {}
    return str(answer.get("Error", {}).get("Code", ""))
