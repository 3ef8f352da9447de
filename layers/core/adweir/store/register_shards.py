"""The shards of a register (`store.registers`): some of its records, or the sums of some of its places.

A shard has the keys from its start on to before that of the next one: hashes of ids, or days with entities. One that
would have more than `limits.MAX_SHARD_RECORDS` is cut.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.tasks import Stamp

_ID_BYTES = 16
_ENTRY = Struct("<IIqqB")
"""The numbers of its statement and of its place (0: it does not count), conversions, revenue, and whether the latter is
known."""


class CountedAt(NamedTuple):
    """Where a record counts. `day` is ISO."""

    entity_id: str
    day: str

    @property
    def order(self) -> bytes:
        """By what shards of sums are sorted."""
        return f"{self.day}\x1f{self.entity_id}".encode(errors="surrogatepass")


class EntityAbout(NamedTuple):
    """What all records of an entity share. `currency` as the records state it, "" for the account's."""

    currency: str = ""
    campaign_id: str = ""
    ad_product: str = ""


class Stated(NamedTuple):
    """What a statement says of a record, in millionths; `place` None: that it does not count."""

    place: CountedAt | None
    conversions: int = 0
    revenue: int | None = None


UNCOUNTED = Stated(None)


class Sum(NamedTuple):
    """The sum of a place: of so many records, of which so many have a revenue. As a difference, what changes it."""

    records: int = 0
    conversions: int = 0
    known: int = 0
    revenue: int = 0

    def plus(self, other: Sum) -> Sum:
        return Sum(*map(int.__add__, self, other))


class ShardAt(NamedTuple):
    """A shard's first possible key, its name ("": nothing is stored yet), and how many keys it has."""

    start: bytes
    name: str
    size: int


def by_shard(shards: Sequence[ShardAt], keys: Sequence[bytes]) -> Iterator[tuple[ShardAt, Sequence[bytes]]]:
    """Each shard, in order, with those of the sorted keys that fall into it."""
    starts = [shard.start for shard in shards[1:]]
    cuts = [0, *(bisect_left(keys, start) for start in starts), len(keys)]
    for number, shard in enumerate(shards):
        yield shard, keys[cuts[number] : cuts[number + 1]]


def _parts(keys: Iterable[bytes], start: bytes) -> Iterator[tuple[bytes, Sequence[bytes]]]:
    """The keys of a shard in parts that it may have, each with its start: half full, so that they can grow."""
    found = sorted(keys)
    step = len(found)
    if step > limits.MAX_SHARD_RECORDS:
        step = max(limits.MAX_SHARD_RECORDS // 2, 1)
    for at in range(0, len(found), step):
        yield (found[at] if at else start), found[at : at + step]


class _RecordsBody(msgspec.Struct, array_like=True, frozen=True):
    """A shard of records as it is stored."""

    stamps: list[Stamp]
    places: list[CountedAt]
    ids: bytes
    entries: bytes


@dataclass(slots=True)
class ShardRecords:
    """What the newest statement said of each of some records."""

    _stamps: list[Stamp] = field(default_factory=list)
    _places: list[CountedAt] = field(default_factory=list)
    _entries: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many records it has."""
        return len(self._entries)

    def known(self, records: Iterable[bytes]) -> list[bytes]:
        """Those of the records that it has."""
        return [each for each in records if each in self._entries]

    def newer(self, stamp: Stamp, records: Sequence[bytes]) -> Sequence[bytes]:
        """Those of the records of which a statement with this stamp is newer than what is known."""
        ranks = [stamp > known for known in self._stamps]
        entries = self._entries
        return [each for each in records if each not in entries or ranks[_ENTRY.unpack(entries[each])[0]]]

    def cut(self, start: bytes, new: Sequence[bytes]) -> Iterator[tuple[bytes, ShardRecords, Sequence[bytes]]]:
        """This shard, or what it is cut into once it has the new records: each part's start, and the new ones in it."""
        added = sum(each not in self._entries for each in new)
        if self.size + added <= limits.MAX_SHARD_RECORDS:
            yield start, self, new
            return
        are_new = frozenset(new)
        for begin, keys in _parts(self._entries.keys() | are_new, start):
            own = {each: self._entries[each] for each in keys if each in self._entries}
            yield begin, ShardRecords([*self._stamps], [*self._places], own), [each for each in keys if each in are_new]

    def take(
        self, stamp: Stamp, new: Iterable[bytes], stated: Mapping[bytes, Stated], changes: dict[CountedAt, Sum]
    ) -> None:
        """Take the statements of the new records, and add what changes to the sums of places."""
        statement = len(self._stamps)
        self._stamps.append(stamp)
        numbers = {place: number for number, place in enumerate(self._places, 1)}
        for record in new:
            each, place = stated[record], 0
            if each.place is not None:
                place = numbers.get(each.place, 0)
                if not place:
                    self._places.append(each.place)
                    place = numbers[each.place] = len(self._places)
            said = (place, each.conversions, each.revenue or 0, each.revenue is not None)
            before = self._entries.get(record)
            known = _ENTRY.unpack(before)[1:] if before else (0, 0, 0, False)
            self._entries[record] = _ENTRY.pack(statement, *said)
            if said != known:
                self._change(known, -1, changes)
                self._change(said, 1, changes)

    def _change(self, said: tuple[int, int, int, bool], sign: int, changes: dict[CountedAt, Sum]) -> None:
        number, conversions, revenue, is_known = said
        if number:
            place = self._places[number - 1]
            added = Sum(sign, sign * conversions, sign * is_known, sign * revenue)
            before = changes.get(place)
            changes[place] = before.plus(added) if before else added

    def encode(self) -> bytes:
        """As `decode` reads it, without the statements and places that no record is of."""
        unpacked = [_ENTRY.unpack(entry) for entry in self._entries.values()]
        used, of_places = {entry[0] for entry in unpacked}, {entry[1] for entry in unpacked} - {0}
        stamps = {old: new for new, old in enumerate(sorted(used))}
        places = {0: 0} | {old: new for new, old in enumerate(sorted(of_places), 1)}
        body = _RecordsBody(
            [self._stamps[old] for old in stamps],
            [self._places[old - 1] for old in places if old],
            b"".join(self._entries),
            b"".join(_ENTRY.pack(stamps[said], places[number], *rest) for said, number, *rest in unpacked),
        )
        return msgspec.msgpack.encode(body)

    @classmethod
    def decode(cls, body: bytes) -> ShardRecords:
        """Raises ValueError."""
        found = msgspec.msgpack.decode(body, type=_RecordsBody)
        ids = [found.ids[at : at + _ID_BYTES] for at in range(0, len(found.ids), _ID_BYTES)]
        entries = [found.entries[at : at + _ENTRY.size] for at in range(0, len(found.entries), _ENTRY.size)]
        return cls(found.stamps, found.places, dict(zip(ids, entries, strict=True)))


class _SumsBody(msgspec.Struct, array_like=True, frozen=True):
    """A shard of sums as it is stored: numbers as text, for they have any size."""

    places: list[CountedAt]
    sums: list[str]
    changed: list[int]
    about: dict[str, EntityAbout]


@dataclass(slots=True)
class ShardSums:
    """The sums of some places; `changed`: the revision that changed each last."""

    sums: dict[CountedAt, Sum] = field(default_factory=dict)
    changed: dict[CountedAt, int] = field(default_factory=dict)
    about: dict[str, EntityAbout] = field(default_factory=dict)

    def take(self, revision: int, changes: Mapping[CountedAt, Sum], about: Mapping[str, EntityAbout]) -> None:
        """Add what a revision changes."""
        for place, change in changes.items():
            self.sums[place] = self.sums.get(place, Sum()).plus(change)
            self.changed[place] = revision
            if place.entity_id in about:
                self.about[place.entity_id] = about[place.entity_id]

    def cut(self, start: bytes, stored: int) -> Iterator[tuple[bytes, ShardSums]]:
        """This shard, or what it is cut into, without the empty places whose zeros are stored since that revision."""
        kept = {place.order: place for place, each in self.sums.items() if each.records or self.changed[place] > stored}
        for begin, keys in _parts(kept, start):
            places = [kept[key] for key in keys]
            yield (
                begin,
                ShardSums(
                    {place: self.sums[place] for place in places},
                    {place: self.changed[place] for place in places},
                    {place.entity_id: self.about[place.entity_id] for place in places},
                ),
            )

    def encode(self) -> bytes:
        sums = [",".join(map(str, each)) for each in self.sums.values()]
        return msgspec.msgpack.encode(_SumsBody([*self.sums], sums, [*self.changed.values()], self.about))

    @classmethod
    def decode(cls, body: bytes) -> ShardSums:
        """Raises ValueError."""
        found = msgspec.msgpack.decode(body, type=_SumsBody)
        sums = [Sum(*map(int, each.split(","))) for each in found.sums]
        changed = dict(zip(found.places, found.changed, strict=True))
        return cls(dict(zip(found.places, sums, strict=True)), changed, found.about)
