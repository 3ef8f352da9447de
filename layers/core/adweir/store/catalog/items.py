"""The catalog's items: one model for all of them, and the operations that the other files of this room share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from adweir.model.errors import Unavailable
from adweir.store.dynamo.paging import from_token, to_token
from adweir.store.dynamo.tables import CatalogItem

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

    from adweir.model.times import Clock

_REFUSED = "ConditionalCheckFailedException"
_GET_BATCH = 100


class Item(CatalogItem):
    """Any item of the catalog. Values that conditions compare are attributes; the rest is in `body`."""

    state = UnicodeAttribute(null=True)
    as_of = UnicodeAttribute(null=True)
    removed_at = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    body = JSONAttribute(null=True)


class Effect(Enum):
    """What storing an object changed."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@contextmanager
def storage() -> Iterator[None]:
    """Turns DynamoDB's errors into ours. Raises Unavailable."""
    try:
        yield
    except PynamoDBException as error:
        raise Unavailable(
            f"the catalog does not answer: {error.cause_response_code or type(error).__name__}"
        ) from error


class Items:
    """Reading and writing items, the base of every part of the catalog.

    All methods raise Unavailable when DynamoDB does not answer.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def _fetch(self, pk: str, sk: str) -> Item | None:
        """A consistent read, or None."""
        with storage():
            try:
                return Item.get(pk, sk, consistent_read=True)
            except Item.DoesNotExist:
                return None

    def _fetch_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """Consistent reads of many items, in batches."""
        found: dict[tuple[str, str], Item] = {}
        pending = iter(dict.fromkeys(keys))
        while batch := tuple(islice(pending, _GET_BATCH)):
            with storage():
                for item in Item.batch_get(batch, consistent_read=True):
                    found[item.pk, item.sk] = item
        return found

    def _query(self, pk: str, prefix: str = "", *, after: str = "", limit: int | None = None) -> Iterator[Item]:
        """The items of a partition in key order, read consistently, from the one after the sort key `after`."""
        with storage():
            yield from Item.query(
                pk,
                Item.sk.startswith(prefix) if prefix else None,
                consistent_read=True,
                last_evaluated_key={"pk": {"S": pk}, "sk": {"S": after}} if after else None,
                limit=limit,
            )

    def _put(self, item: Item, condition: Condition | None = None) -> bool:
        """Put an item; False when the condition does not hold."""
        with storage():
            try:
                item.save(condition=condition)
            except PynamoDBException as error:
                if error.cause_response_code == _REFUSED:
                    return False
                raise
        return True

    def _change(self, pk: str, sk: str, actions: Sequence[Action], condition: Condition) -> bool:
        """Update an item; False when the condition does not hold."""
        with storage():
            try:
                Item(pk, sk).update(actions=list(actions), condition=condition)
            except PynamoDBException as error:
                if error.cause_response_code == _REFUSED:
                    return False
                raise
        return True

    def _drop(self, pk: str, sk: str) -> None:
        with storage():
            Item(pk, sk).delete()

    def _page(self, pk: str, limit: int, token: str) -> tuple[list[Item], str]:
        """One page of a partition and the token of the next, "" after the last. Raises BadInput for a wrong token."""
        items = list(self._query(pk, after=from_token(pk, token), limit=limit + 1))
        return items[:limit], to_token(pk, items[limit - 1].sk) if len(items) > limit else ""
