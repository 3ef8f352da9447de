"""Mappings of files that were stored: `mappings#<account>` / `<source>#<data type>`, for all accounts `mappings#` / ….

They are kept as JSON (`model.mappings`): what does not load files need not know their model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.errors import Conflict
from adweir.store.catalog.items import Item, Items, as_read

EVERYONE = ""
"""In place of an account's id: for files of all accounts."""
_DELETED, _IN_USE = "deleted", "active"
"""A mapping that is deleted leaves its item: who may store mappings need not be able to delete items."""
_LAST = "\U0010ffff"
_TRIES = 5


class StoredMapping(NamedTuple):
    """A mapping as JSON, and whose it is: an account's, or `EVERYONE`'s. `version` grows with each change of a stored
    one; 0 of one that is not stored."""

    account_id: str
    source: str
    data_type: str
    body: dict[str, Any]
    version: int = 0


class StoredMappings(Items):
    """Mappings by account, source and data type."""

    def put_mapping(self, given: StoredMapping, read: int | None = None) -> None:
        """Store it in place of the one of its account, source and data type.

        `read` is the version that the caller means to replace, 0 for none. Raises Conflict where there is another by
        now, and for one too many.
        """
        key = _key(given.account_id, given.source, given.data_type)
        for _ in range(_TRIES):
            item = self._fetch(*key)
            version = _version(item) if item is not None and item.state != _DELETED else 0
            if read not in {None, version}:
                break
            if not version:
                self._check_room(key[0], is_new=item is None)
            if self._put(Item(*key, state=_IN_USE, version=_next(item), body=given.body), as_read(item)):
                return
        raise _meanwhile(given.source, given.data_type)

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

    def delete_mapping(self, account_id: str, source: str, data_type: str, read: int | None = None) -> bool:
        """Forget a mapping; returns whether there was one. Raises Conflict where it has not the version that was
        `read`, if one is given."""
        key = _key(account_id, source, data_type)
        for _ in range(_TRIES):
            item = self._fetch(*key)
            if item is None or item.state == _DELETED:
                return False
            if read not in {None, _version(item)}:
                break
            if self._put(Item(*key, state=_DELETED, version=_next(item)), as_read(item)):
                return True
        raise _meanwhile(source, data_type)


def _key(account_id: str, source: str, data_type: str) -> tuple[str, str]:
    return f"mappings#{account_id}", f"{source}#{data_type}"


def _stored(item: Item) -> StoredMapping:
    source, _, data_type = item.sk.partition("#")
    return StoredMapping(item.pk.partition("#")[2], source, data_type, item.body or {}, _version(item))


def _version(item: Item) -> int:
    """One that was stored before mappings had versions has the first."""
    return int(item.version or 1)


def _next(item: Item | None) -> int:
    return 1 if item is None else _version(item) + 1


def _meanwhile(source: str, data_type: str) -> Conflict:
    return Conflict(f"someone else is changing the mapping of {source}/{data_type} at the same moment; try again")
