"""The catalog's items: one model for all of them, and what the other files of this room share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from adweir.model.entities import Entity
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.paging import from_token, to_token
from adweir.store.dynamo.tables import CatalogItem, JsonText

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

    from adweir.model.times import Clock


E = TypeVar("E", bound=Entity)


class Item(CatalogItem):
    """Any item of the catalog. Values that conditions compare are attributes; the rest is in `body`."""

    state = UnicodeAttribute(null=True)
    as_of = UnicodeAttribute(null=True)
    removed_at = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    body = JsonText(null=True)


class Effect(Enum):
    """What storing an object changed."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Items(Keyed[Item]):
    """Reading and writing items, the base of every part of the catalog."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Item, "catalog", clock)

    def _entity(self, kind: type[E], item: Item) -> E:
        """An item as the entity that it holds, without fields that another version added. Raises UnreadableItem."""
        return self._parsed(item, lambda item: kind.model_validate(item.body, extra="ignore"))

    def _entities(self, kind: type[E], items: Iterable[Item]) -> Iterator[E]:
        """Items as entities, but those that cannot be read (`unreadable`)."""
        return self._readable(items, lambda item: kind.model_validate(item.body, extra="ignore"))

    def _page(self, pk: str, limit: int, token: str) -> tuple[list[Item], str]:
        """One page of a partition and the token of the next, "" after the last. Raises BadInput for a wrong token."""
        items = list(self._query(pk, after=from_token(pk, token), limit=limit + 1))
        return items[:limit], to_token(pk, items[limit - 1].sk) if len(items) > limit else ""


def version_of(item: Item | None) -> int:
    """The version that an item was read with; 0 for none, and for one that was stored before its kind had versions."""
    return 0 if item is None else int(item.version or 0)


def as_read(item: Item | None) -> Condition:
    """The item is still as it was read; None: there is none."""
    if item is None:
        absent: Condition = Item.pk.does_not_exist()
        return absent
    version = Item.version == item.version if item.version else Item.version.does_not_exist()
    same: Condition = version & Item.pk.exists()
    return same
