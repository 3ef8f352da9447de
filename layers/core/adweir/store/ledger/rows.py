"""The ledger's items: one model for all of them, and the operations that the other files of this room share.

Every write is one item, with a condition where it decides something. History expires after 90 days; DynamoDB deletes it
late, so reading always filters it and conditions treat an expired item as absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from adweir.model.errors import Unavailable
from adweir.model.times import Clock, epoch
from adweir.store.dynamo.tables import LedgerItem

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

HISTORY = timedelta(days=90)
_REFUSED = "ConditionalCheckFailedException"


class Row(LedgerItem):
    """Any item of the ledger. What a condition compares or a counter adds is an attribute; the rest is in `body`."""

    state = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    generation = NumberAttribute(null=True)
    attempts = NumberAttribute(null=True)
    deadline = NumberAttribute(null=True)
    accept_vanish = NumberAttribute(null=True)
    until = NumberAttribute(null=True)
    fence = NumberAttribute(null=True)
    failures = NumberAttribute(null=True)
    probe_until = NumberAttribute(null=True)
    version = NumberAttribute(null=True)
    as_of = UnicodeAttribute(null=True)
    report_id = UnicodeAttribute(null=True)
    object_key = UnicodeAttribute(null=True)
    parts = UnicodeAttribute(null=True)
    cursor = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    body = JSONAttribute(null=True)
    error = JSONAttribute(null=True)
    counts = JSONAttribute(null=True)


@contextmanager
def storage() -> Iterator[None]:
    """Turns DynamoDB's errors into ours. Raises Unavailable."""
    try:
        yield
    except PynamoDBException as error:
        raise Unavailable(f"the ledger does not answer: {error.cause_response_code or type(error).__name__}") from error


class Rows:
    """Reading and writing items, the base of every part of the ledger."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def _now(self) -> int:
        return epoch(self._clock.now())

    def _expires(self) -> int:
        return epoch(self._clock.now() + HISTORY)

    def _row(self, pk: str, sk: str, **values: Any) -> Row:
        return Row(pk, sk, expires=self._expires(), **values)

    def _absent(self) -> Condition:
        absent: Condition = Row.pk.does_not_exist() | (Row.expires <= self._now())
        return absent

    def _alive(self) -> Condition:
        alive: Condition = Row.expires > self._now()
        return alive

    def _fetch(self, pk: str, sk: str) -> Row | None:
        """A consistent read; None when the item is absent or expired."""
        with storage():
            try:
                row = Row.get(pk, sk, consistent_read=True)
            except Row.DoesNotExist:
                return None
        return row if (row.expires or 0) > self._now() else None

    def _fetch_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row]:
        """Consistent reads of many items in batches of 100; absent and expired ones are left out."""
        found: dict[tuple[str, str], Row] = {}
        pending = iter(keys)
        while batch := tuple(islice(pending, 100)):
            with storage():
                for row in Row.batch_get(batch, consistent_read=True):
                    if (row.expires or 0) > self._now():
                        found[row.pk, row.sk] = row
        return found

    def _query(
        self,
        pk: str,
        prefix: str = "",
        *,
        after: str = "",
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Items of a partition in key order, read consistently, starting after the sort key `after`."""
        condition = Row.sk.startswith(prefix) if prefix else None
        start = {"pk": {"S": pk}, "sk": {"S": after}} if after else None
        given = 0
        with storage():
            for row in Row.query(
                pk,
                condition,
                consistent_read=True,
                scan_index_forward=not newest_first,
                last_evaluated_key=start,
                page_size=limit,
            ):
                if (row.expires or 0) <= self._now():
                    continue
                yield row
                given += 1
                if given == limit:
                    return

    def _put(self, row: Row, condition: Condition | None = None) -> bool:
        """Put an item; False when the condition does not hold."""
        with storage():
            try:
                row.save(condition=condition)
            except PynamoDBException as error:
                if error.cause_response_code == _REFUSED:
                    return False
                raise
        return True

    def _change(self, pk: str, sk: str, actions: Sequence[Action], condition: Condition | None = None) -> Row | None:
        """Update an item; the updated item, or None when the condition does not hold."""
        row = Row(pk, sk)
        with storage():
            try:
                row.update(actions=list(actions), condition=condition)
            except PynamoDBException as error:
                if error.cause_response_code == _REFUSED:
                    return None
                raise
        return row

    def _drop(self, pk: str, sk: str, condition: Condition | None = None) -> bool:
        """Delete an item; False when the condition does not hold."""
        with storage():
            try:
                Row(pk, sk).delete(condition=condition)
            except PynamoDBException as error:
                if error.cause_response_code == _REFUSED:
                    return False
                raise
        return True
