"""Registers: records that are stated again and again, of which the newest statement counts, and their sums.

An order is exported today, and again when it was refunded, cancelled or moved to another day or campaign. A register
has, for each record, what its newest statement said: where it counts (an entity and a day) and with which amounts, or
that it does not count. The sums follow from that alone, so that the order in which files arrive, repetitions and kills
cannot change them.

It is kept in shards (`register_shards`): records by the hashes of their ids, and the sums of places by day. A shard is
never changed: what it becomes is another object, and the register itself lists those that count. That list is replaced
on condition that nobody else replaced it since it was read, as a fold is, so that all shards change at once or none
does. Memory and requests are those of the shards that the statements fall into. Shards that count no longer are deleted
by whoever replaces the list, also those that a worker left who was killed before that.

`as_of` grows with each revision, and what is stored elsewhere from a register takes it as its stamp. Beside it,
`<key>.stored` has the revision whose sums are stored: whoever comes after a worker that was killed stores what that one
left, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from hashlib import blake2b
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from adweir.model import limits
from adweir.model.errors import TooLarge, UnreadableItem
from adweir.model.tasks import Stamp
from adweir.model.times import Clock, iso, parse_instant
from adweir.store.register_shards import CountedAt, EntityAbout, ShardAt, ShardRecords, ShardSums, Stated, Sum, by_shard
from adweir.store.swaps import SwapObjects, Swaps

REGISTERS = "registers/"
"""Where registers are stored. They stay as long as the bucket: without them, a later file would be all that counts."""
_T = TypeVar("_T")
_TICK = timedelta(microseconds=1)
_NOTHING = ShardAt(b"", "", 0)


class HasKey(Protocol):
    """An object of a list."""

    @property
    def key(self) -> str: ...


class RegisterObjects(SwapObjects, Protocol):
    """Where registers are kept: the raw store."""

    def put_once(self, key: str, body: bytes, /) -> bool: ...
    def list(self, prefix: str, /) -> Iterator[HasKey]: ...
    def delete(self, keys: Iterable[str], /) -> None: ...


class PlaceSums(NamedTuple):
    """The sum of a place. Revenue is None where no record of it has one; a place that has none anymore has zeros."""

    conversions: int = 0
    revenue: int | None = 0


class Restated(NamedTuple):
    """A register's sums to be stored: those that the statements are about, and what others left.

    `as_of` is the register's, `revision` what `Registers.stored` takes once all of them are stored.
    """

    revision: int
    as_of: str
    sums: Mapping[CountedAt, PlaceSums]
    about: Mapping[str, EntityAbout]


class _Register(msgspec.Struct, array_like=True, frozen=True):
    """A register as it is stored: its shards, each in the order of their starts."""

    revision: int
    as_of: str
    records: tuple[ShardAt, ...]
    sums: tuple[ShardAt, ...]


class _Statement(NamedTuple):
    """What `state` is given."""

    stamp: Stamp
    records: Mapping[bytes, Stated]
    about: Mapping[str, EntityAbout]


class _Moved(Exception):
    """A shard is gone: another worker replaced it since the register was read."""


class Registers:
    """States records in registers."""

    def __init__(self, objects: RegisterObjects, clock: Clock, swaps: Swaps) -> None:
        self._objects = objects
        self._clock = clock
        self._swaps = swaps

    def state(
        self, key: str, stamp: Stamp, stated: Mapping[bytes, Stated], about: Mapping[str, EntityAbout]
    ) -> Restated:
        """Take the statements that are newer than what is known, and return the sums to be stored.

        `stated` by the record's id (`folds.counted_once`); `about` has each entity that it names. Repeated, it changes
        nothing. Raises Throttled (others keep changing the register), TooLarge (it would have more records than it
        may; nothing is taken), UnreadableItem, Unavailable.
        """
        statement = _Statement(stamp, stated, about)
        return self._swaps.until_done(key, lambda: self._stated(key, statement))

    def known(self, key: str, records: Iterable[bytes]) -> list[bytes]:
        """Those of the records that anything was stated of. Raises Throttled, UnreadableItem, Unavailable."""
        wanted = sorted(records)

        def once() -> list[bytes] | None:
            register, _ = self._read(key)
            try:
                shards = by_shard(register.records, wanted)
                return [each for at, keys in shards if keys for each in self._records(key, at).known(keys)]
            except _Moved:
                return None

        return self._swaps.until_done(key, once)

    def stored(self, key: str, revision: int) -> None:
        """Note that all sums of a revision are stored. Raises Throttled, Unavailable."""

        def once() -> bool | None:
            known, tag = self._revision(key)
            return known >= revision or self._objects.swap(_marker(key), str(revision).encode(), tag) or None

        self._swaps.until_done(_marker(key), once)

    def _stated(self, key: str, statement: _Statement) -> Restated | None:
        """What `state` returns; None when another worker replaced the register meanwhile."""
        stored = self._revision(key)[0]  # first: of places that others store meanwhile, the sums are stored twice
        before, tag = self._read(key)
        try:
            register = self._next(key, before, statement, stored)
            if register is not before:
                if not self._objects.swap(key, msgspec.msgpack.encode(register), tag):
                    return None
                self._sweep(key, register)
            return self._restated(key, register, stored, statement.records.values())
        except _Moved as gone:
            if self._read(key)[1] == tag:
                raise UnreadableItem(f"the register {key} has lost its part {gone}", key=key) from None
            return None

    def _next(self, key: str, register: _Register, stated: _Statement, stored: int) -> _Register:
        """The next revision, whose new shards are stored; the register itself where nothing is new."""
        revision, changes = register.revision + 1, dict[CountedAt, Sum]()
        records, shards = list[ShardAt](), by_shard(register.records, sorted(stated.records))
        for at, keys in shards:
            shard = self._records(key, at) if keys else ShardRecords()
            new = shard.newer(stated.stamp, keys)
            if not new:
                records.append(at)
                continue
            for start, part, own in shard.cut(at.start, new):
                part.take(stated.stamp, own, stated.records, changes)
                records.append(ShardAt(start, self._put(key, "i", revision, part.encode()), part.size))
        if [*register.records] == records:
            return register
        if sum(at.size for at in records) > limits.MAX_REGISTERED_RECORDS:
            raise TooLarge(
                f"the source has more than {limits.MAX_REGISTERED_RECORDS} records of this type by now: give "
                "further ones another source, such as shop_2027",
                key=key,
            )
        now = self._clock.now()
        as_of = max(now, parse_instant(register.as_of) + _TICK) if register.as_of else now
        sums = tuple(self._summed(key, register, changes, stated.about, stored))
        return _Register(revision, iso(as_of), tuple(records), sums or (_NOTHING,))

    def _summed(
        self,
        key: str,
        register: _Register,
        changes: Mapping[CountedAt, Sum],
        about: Mapping[str, EntityAbout],
        stored: int,
    ) -> Iterator[ShardAt]:
        """The shards of sums with these changes."""
        places, revision = {place.order: place for place in changes}, register.revision + 1
        for at, keys in by_shard(register.sums, sorted(places)):
            if not keys:
                yield at
                continue
            shard = self._sums(key, at)
            shard.take(revision, {places[each]: changes[places[each]] for each in keys}, about)
            for start, part in shard.cut(at.start, stored):
                yield ShardAt(start, self._put(key, "s", revision, part.encode()), len(part.sums))

    def _restated(self, key: str, register: _Register, stored: int, stated: Iterable[Stated]) -> Restated:
        """The sums of the places that changed after the revision `stored`, and of those that are stated."""
        asked = {each.place.order: each.place for each in stated if each.place is not None}
        sums, about = dict[CountedAt, PlaceSums](), dict[str, EntityAbout]()
        for at, keys in by_shard(register.sums, sorted(asked)):
            if not keys and _revision_of(at.name) <= stored:
                continue
            shard, wanted = self._sums(key, at), {asked[each] for each in keys}
            for place, each in shard.sums.items():
                if place in wanted or shard.changed[place] > stored:
                    sums[place] = _shown(each)
                    about[place.entity_id] = shard.about[place.entity_id]
        return Restated(register.revision, register.as_of, sums, about)

    def _put(self, key: str, kind: str, revision: int, body: bytes) -> str:
        """Store a shard; its name. Equal names have equal bodies, so that repeated, nothing is left over."""
        name = f"{kind}{revision}-{blake2b(body, digest_size=16).hexdigest()}"
        self._objects.put_once(f"{key}/{name}", body)
        return name

    def _sweep(self, key: str, register: _Register) -> None:
        """Delete the shards that count no longer. One of a later revision may be another worker's, who is about to
        replace the register; one of this or an earlier revision that is not listed never will be."""
        prefix, listed = f"{key}/", {at.name for at in (*register.records, *register.sums)}
        names = [each.key.removeprefix(prefix) for each in self._objects.list(prefix)]
        gone = [each for each in names if each not in listed and _revision_of(each) <= register.revision]
        self._objects.delete(prefix + each for each in gone)

    def _read(self, key: str) -> tuple[_Register, str]:
        found = self._objects.tagged(key)
        if found is None:
            return _Register(0, "", (_NOTHING,), (_NOTHING,)), ""
        body, tag = found
        return self._decoded(key, lambda: msgspec.msgpack.decode(body, type=_Register)), tag

    def _records(self, key: str, at: ShardAt) -> ShardRecords:
        return self._decoded(key, lambda: ShardRecords.decode(self._shard(key, at))) if at.name else ShardRecords()

    def _sums(self, key: str, at: ShardAt) -> ShardSums:
        return self._decoded(key, lambda: ShardSums.decode(self._shard(key, at))) if at.name else ShardSums()

    def _shard(self, key: str, at: ShardAt) -> bytes:
        found = self._objects.tagged(f"{key}/{at.name}")
        if found is None:
            raise _Moved(at.name)
        return found[0]

    def _decoded(self, key: str, decode: Callable[[], _T]) -> _T:
        try:
            return decode()
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise UnreadableItem(f"the register {key} cannot be read: {error}"[:300], key=key) from None

    def _revision(self, key: str) -> tuple[int, str]:
        found = self._objects.tagged(_marker(key))
        if found is None:
            return 0, ""
        body, tag = found
        try:
            return int(body), tag
        except ValueError:
            raise UnreadableItem(f"{_marker(key)} is no number", key=key) from None


def _marker(key: str) -> str:
    return f"{key}.stored"


def _revision_of(name: str) -> int:
    """The revision that a shard was made for."""
    return int(name[1:].partition("-")[0]) if name else 0


def _shown(found: Sum) -> PlaceSums:
    if not found.records:
        return PlaceSums()
    return PlaceSums(found.conversions, found.revenue if found.known else None)
