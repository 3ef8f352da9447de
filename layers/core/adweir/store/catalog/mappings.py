"""Mappings of files that were stored: `mappings#<account>` / `<source>#<data type>`, for all accounts `mappings#` / ….

They are kept as JSON (`model.mappings`): what does not load files need not know their model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.errors import Conflict
from adweir.store.catalog.items import Item, Items

EVERYONE = ""
"""In place of an account's id: for files of all accounts."""
_DELETED, _IN_USE = "deleted", "active"
"""A mapping that is deleted leaves its item: who may store mappings need not be able to delete items."""
_LAST = "\U0010ffff"


class StoredMapping(NamedTuple):
    """A mapping as JSON, and whose it is: an account's, or `EVERYONE`'s."""

    account_id: str
    source: str
    data_type: str
    body: dict[str, Any]


class StoredMappings(Items):
    """Mappings by account, source and data type."""

    def put_mapping(self, given: StoredMapping) -> None:
        """Store it in place of the one of its account, source and data type. Raises Conflict for one too many."""
        key = _key(given.account_id, given.source, given.data_type)
        item = self._fetch(*key)
        if item is None or item.state == _DELETED:
            self._check_room(key[0], is_new=item is None)
        self._put(Item(*key, state=_IN_USE, body=given.body))

    def _check_room(self, pk: str, *, is_new: bool) -> None:
        """Raises Conflict where no further mapping may be stored."""
        deleted = [item.state == _DELETED for item in self._query(pk)]
        if deleted.count(False) >= limits.MAX_STORED_MAPPINGS:
            raise Conflict(f"at most {limits.MAX_STORED_MAPPINGS} mappings are stored: delete one first")
        if is_new and len(deleted) >= limits.MAX_KEPT_MAPPINGS:
            raise Conflict("too many mappings were stored and deleted: use a source and data type that had one before")

    def mappings_for(self, account_id: str, source: str, data_type: str) -> list[StoredMapping]:
        """The account's own mapping and that of all accounts, in this order; those that there are."""
        keys = [_key(owner, source, data_type) for owner in dict.fromkeys((account_id, EVERYONE))]
        items = self._fetch_many(keys)
        return [_stored(items[key]) for key in keys if key in items and items[key].state != _DELETED]

    def list_mappings(self, account_id: str, source: str = "") -> Iterator[StoredMapping]:
        """The mappings of an account (or `EVERYONE`), of one source or of all, by source and data type."""
        pk, first = _key(account_id, source, "")
        found = self._query(pk, first, up_to=first + _LAST) if source else self._query(pk)
        return (_stored(item) for item in found if item.state != _DELETED)

    def delete_mapping(self, account_id: str, source: str, data_type: str) -> bool:
        """Forget a mapping; returns whether there was one."""
        item = Item(*_key(account_id, source, data_type), state=_DELETED)
        return self._put(item, Item.pk.exists() & (Item.state != _DELETED))


def _key(account_id: str, source: str, data_type: str) -> tuple[str, str]:
    return f"mappings#{account_id}", f"{source}#{data_type}"


def _stored(item: Item) -> StoredMapping:
    source, _, data_type = item.sk.partition("#")
    return StoredMapping(item.pk.partition("#")[2], source, data_type, item.body or {})
