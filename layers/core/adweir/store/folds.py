"""Folds: totals of records that add up, each record counted once.

Some sources send what was added since they last sent something: Amazon Marketing Stream sends differences of an hour's
numbers, a lead form sends one lead. The newest of such records says nothing; their sum does. They come more than once
and in any order. A fold is one object in S3 with the ids of all records that it counted and the sums that these make.
It is replaced on condition that nobody else replaced it since it was read (`If-Match`), so two workers lose nothing,
and a record is counted with its id or not at all, wherever a worker is killed.

`as_of` grows with each revision. What is stored elsewhere from a fold takes it as its stamp: then the newest revision
wins there too, whichever worker writes last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import zip_longest
from struct import iter_unpack
from typing import NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.errors import TooLarge, UnreadableItem
from adweir.model.times import Clock, iso, parse_instant
from adweir.store.swaps import SwapObjects, Swaps

FOLDS = "folds/"
"""Where folds are stored. Their objects go some weeks after their last change (template.yaml, `folds-go`)."""
_ID_BYTES = 16
_TICK = timedelta(microseconds=1)


def counted_once(text: str) -> bytes:
    """A record's id as folds keep it: a hash, so that any id takes 16 bytes, and none can be read from the object."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=_ID_BYTES).digest()


class Delta(NamedTuple):
    """What one record adds. `id` (`counted_once`) is the record's; `amounts` are added to those of `key`, place by
    place, in the caller's units."""

    id: bytes
    key: str
    amounts: tuple[int, ...]


class Fold(msgspec.Struct, frozen=True):
    """The state of one fold.

    `ids` are those of all counted records, one after another. `sums`: key → its amounts as text (`"120,-2,1940000"`),
    of any size; read them with `amounts`.
    """

    revision: int = 0
    as_of: str = ""
    ids: bytes = b""
    sums: dict[str, str] = {}

    def amounts(self, key: str) -> tuple[int, ...]:
        """The sums of a key; () of one that no record named."""
        text = self.sums.get(key)
        return tuple(map(int, text.split(","))) if text else ()

    @property
    def known(self) -> frozenset[bytes]:
        """The ids of all counted records."""
        return frozenset(id_ for (id_,) in iter_unpack(f"{_ID_BYTES}s", self.ids))

    @property
    def size(self) -> int:
        """How many records were counted."""
        return len(self.ids) // _ID_BYTES


class Folded(NamedTuple):
    """A fold that holds all of the given records, and how many of them it did not hold before."""

    fold: Fold
    counted: int


class Folds:
    """Adds records to folds."""

    def __init__(self, objects: SwapObjects, clock: Clock, swaps: Swaps) -> None:
        self._objects = objects
        self._clock = clock
        self._swaps = swaps

    def add(self, key: str, deltas: Iterable[Delta]) -> Folded:
        """Count each record that the fold has not counted yet, and return the fold.

        Of several records with one id the first counts. Records that were all counted before write nothing.
        Raises Throttled (others keep changing the fold), TooLarge (it would hold more than it may; nothing is
        counted), UnreadableItem, Unavailable.
        """
        given = {delta.id: delta for delta in reversed(list(deltas))}

        def once() -> Folded | None:
            fold, tag = self._read(key)
            known = fold.known
            new = [delta for id_, delta in reversed(given.items()) if id_ not in known]
            if not new:
                return Folded(fold, 0)
            grown = self._grown(key, fold, new)
            return Folded(grown, len(new)) if self._objects.swap(key, msgspec.json.encode(grown), tag) else None

        return self._swaps.until_done(key, once)

    def first(self, key: str, said: str) -> str:
        """What was said first under `key`: this, unless others were quicker. For a record that several folds could
        count: the one that is said first does. Raises Throttled, UnreadableItem, Unavailable."""

        def once() -> str | None:
            if self._objects.swap(key, said.encode(), ""):
                return said
            found = self._objects.tagged(key)
            return None if found is None else str(found[0], errors="replace")

        return self._swaps.until_done(key, once)

    def _read(self, key: str) -> tuple[Fold, str]:
        found = self._objects.tagged(key)
        if found is None:
            return Fold(), ""
        body, tag = found
        try:
            return msgspec.json.decode(body, type=Fold), tag
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnreadableItem(f"the fold {key} cannot be read: {error}"[:300], key=key) from None

    def _grown(self, key: str, fold: Fold, new: list[Delta]) -> Fold:
        """The next revision. Raises TooLarge."""
        sums = dict(fold.sums)
        added: dict[str, tuple[int, ...]] = {}
        for delta in new:
            before = added[delta.key] if delta.key in added else fold.amounts(delta.key)
            added[delta.key] = tuple(a + b for a, b in zip_longest(before, delta.amounts, fillvalue=0))
        sums.update(_texts(added))
        if fold.size + len(new) > limits.MAX_FOLDED_RECORDS or len(sums) > limits.MAX_FOLDED_KEYS:
            most = f"{limits.MAX_FOLDED_RECORDS} records and {limits.MAX_FOLDED_KEYS} keys"
            raise TooLarge(f"{key} would hold more than {most}", key=key)
        now = self._clock.now()
        if fold.as_of:
            now = max(now, parse_instant(fold.as_of) + _TICK)
        ids = b"".join((fold.ids, *(delta.id for delta in new)))
        return Fold(fold.revision + 1, iso(now), ids, sums)


def _texts(sums: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    return {key: ",".join(map(str, amounts)) for key, amounts in sums.items()}
