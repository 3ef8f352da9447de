"""Where the DynamoDB double keeps its items: in memory, in the order of the UTF-8 bytes of their range keys."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import msgspec

from sandbox.aws.values import Item

_DECODE = msgspec.json.Decoder(Item).decode
_ENCODE = msgspec.json.encode


class StoredItem:
    """An item: as conditions read it, and as bytes, of which every reader gets an own copy."""

    __slots__ = ("item", "packed")

    def __init__(self, item: Item) -> None:
        self.packed = _ENCODE(item)
        self.item: Item = _DECODE(self.packed)

    @classmethod
    def read(cls, packed: bytes) -> StoredItem:
        """An item as it was packed."""
        stored = cls.__new__(cls)
        stored.packed, stored.item = packed, _DECODE(packed)
        return stored

    @property
    def copy(self) -> Item:
        return _DECODE(self.packed)


class KeySpan(NamedTuple):
    """Range keys from `first` to `last`, both included; `last` None: to the end. What it holds may be more than a key
    condition wants, never less."""

    first: bytes = b""
    last: bytes | None = None


class ItemShelf(Protocol):
    """The items of all tables, by table, hash key and range key."""

    def find(self, table: str, pk: str, sk: str) -> StoredItem | None:
        """An item."""
        ...

    def put(self, table: str, pk: str, sk: str, item: Item | None) -> tuple[StoredItem | None, StoredItem | None]:
        """Put an item, or delete it; what was there before, and what is there now."""
        ...

    def partition(self, table: str, pk: str, span: KeySpan, *, forward: bool = True) -> Iterator[StoredItem]:
        """The items of a hash key in the order of their range keys, or against it."""
        ...

    def every(self, table: str) -> Iterator[StoredItem]:
        """All items of a table, by their keys."""
        ...

    def drop(self, table: str) -> None:
        """Forget a table's items."""
        ...


class _Partition:
    """The items of one hash key."""

    def __init__(self) -> None:
        self.order: list[bytes] = []
        self.items: dict[str, StoredItem] = {}

    def put(self, sk: str, stored: StoredItem | None) -> None:
        """Put an item, or delete it."""
        key = sk.encode()
        if stored is not None:
            if sk not in self.items:
                insort(self.order, key)
            self.items[sk] = stored
        elif self.items.pop(sk, None) is not None:
            del self.order[bisect_left(self.order, key)]


class MemoryItems:
    """`ItemShelf` in memory."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, _Partition]] = {}

    def find(self, table: str, pk: str, sk: str) -> StoredItem | None:
        part = self._tables.get(table, {}).get(pk)
        return None if part is None else part.items.get(sk)

    def put(self, table: str, pk: str, sk: str, item: Item | None) -> tuple[StoredItem | None, StoredItem | None]:
        part = self._tables.setdefault(table, {}).setdefault(pk, _Partition())
        old, new = part.items.get(sk), None if item is None else StoredItem(item)
        part.put(sk, new)
        return old, new

    def partition(self, table: str, pk: str, span: KeySpan, *, forward: bool = True) -> Iterator[StoredItem]:
        part = self._tables.get(table, {}).get(pk)
        if part is None:
            return
        begin = bisect_left(part.order, span.first)
        end = len(part.order) if span.last is None else bisect_left(part.order, span.last + b"\0")
        keys = part.order[begin:end]
        for key in keys if forward else reversed(keys):
            yield part.items[key.decode()]

    def every(self, table: str) -> Iterator[StoredItem]:
        parts = self._tables.get(table, {})
        for pk in sorted(parts):
            yield from self.partition(table, pk, KeySpan())

    def drop(self, table: str) -> None:
        self._tables.pop(table, None)
