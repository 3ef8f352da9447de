"""Registers: records that are stated again and again, of which the newest statement counts, and their sums.

An order is exported today, and again when it was refunded, cancelled or moved to another day or campaign. A register is
one object in S3 that has, for each record, what its newest statement said: where it counts (an entity and a day) and
with which amounts, or that it does not count. The sums follow from that alone, so that the order in which files arrive,
repetitions and kills cannot change them.

As a fold (`store.folds`) it is replaced on condition that nobody else replaced it since it was read. `as_of` grows with
each revision, and what is stored elsewhere from a register takes it as its stamp. Beside it, `<key>.stored` has the
revision whose sums are stored: whoever comes after a worker that was killed stores what that one left, too.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from struct import Struct
from typing import NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.errors import Throttled, TooLarge, UnreadableItem
from adweir.model.tasks import Stamp
from adweir.model.times import Clock, iso, parse_instant
from adweir.store.folds import FoldObjects

REGISTERS = "registers/"
"""Where registers are stored. They stay as long as the bucket: without them, a later file would be all that counts."""
_TRIES = 6
_FIRST_WAIT = 0.05
_TICK = timedelta(microseconds=1)
_ID_BYTES = 16
_RNG = random.Random()  # noqa: S311  for waits
_ENTRY = Struct("<IIqqB")
"""The numbers of its statement and of its place (0: it does not count), conversions, revenue, and whether the latter is
known."""


class CountedAt(NamedTuple):
    """Where a record counts. `day` is ISO."""

    entity_id: str
    day: str


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


class PlaceSums(NamedTuple):
    """The sum of a place. Revenue is None where no record of it has one; a place that has none anymore has zeros."""

    conversions: int = 0
    revenue: int | None = 0


class _Body(msgspec.Struct, array_like=True, frozen=True):
    """A register as it is stored. `changed` by place: the revision that changed its sum last."""

    revision: int
    as_of: str
    stamps: list[Stamp]
    places: list[CountedAt]
    changed: list[int]
    about: dict[str, EntityAbout]
    ids: bytes
    entries: bytes


@dataclass(slots=True)
class Register:
    """The state of one register."""

    revision: int = 0
    as_of: str = ""
    changed: dict[CountedAt, int] = field(default_factory=dict)
    about: dict[str, EntityAbout] = field(default_factory=dict)
    _stamps: list[Stamp] = field(default_factory=list)
    _places: list[CountedAt] = field(default_factory=list)
    _entries: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many records it has."""
        return len(self._entries)

    def newer(self, stamp: Stamp, stated: Mapping[bytes, Stated]) -> dict[bytes, Stated]:
        """The statements that are newer than what the register has of their records."""
        ranks = [stamp > known for known in self._stamps]
        found = {}
        for record, each in stated.items():
            entry = self._entries.get(record)
            if entry is None or ranks[_ENTRY.unpack(entry)[0]]:
                found[record] = each
        return found

    def take(self, stamp: Stamp, new: Mapping[bytes, Stated], about: Mapping[str, EntityAbout], now: str) -> None:
        """The next revision, as of `now`: all of `new`, and what is known of its entities."""
        self.revision, self.as_of = self.revision + 1, now
        statement = len(self._stamps)
        self._stamps.append(stamp)
        numbers = {place: number for number, place in enumerate(self._places, 1)}
        for record, each in new.items():
            place = 0
            if each.place is not None:
                place = numbers.get(each.place, 0)
                if not place:
                    self._places.append(each.place)
                    place = numbers[each.place] = len(self._places)
                self.about[each.place.entity_id] = about[each.place.entity_id]
            said = (place, each.conversions, each.revenue or 0, each.revenue is not None)
            before = self._entries.get(record)
            known = _ENTRY.unpack(before)[1:] if before else (0, 0, 0, False)
            self._entries[record] = _ENTRY.pack(statement, *said)
            if said != known:
                for number in {place, known[0]} - {0}:
                    self.changed[self._places[number - 1]] = self.revision

    def sums(self, stored: int, stated: Iterable[Stated]) -> dict[CountedAt, PlaceSums]:
        """The sums of the places that changed after the revision `stored`, and of those that are stated."""
        asked = {place for place, revision in self.changed.items() if revision > stored}
        asked.update(each.place for each in stated if each.place is not None)
        wanted = {number for number, place in enumerate(self._places, 1) if place in asked}
        conversions, revenues = defaultdict[int, int](int), dict[int, int]()
        counted = set()
        for _, number, conversion, revenue, is_known in self._unpacked():
            if number in wanted:
                counted.add(number)
                conversions[number] += conversion
                if is_known:
                    revenues[number] = revenues.get(number, 0) + revenue
        return {
            self._places[number - 1]: PlaceSums(conversions[number], revenues.get(number))
            if number in counted
            else PlaceSums()
            for number in sorted(wanted)
        }

    def encode(self, stored: int) -> bytes:
        """As `decode` reads it, without the empty places whose zeros are stored, and without what no record is of."""
        used, of_places = set(), set()
        for statement, number, *_ in self._unpacked():
            used.add(statement)
            of_places.add(number)
        kept = [
            (number, place)
            for number, place in enumerate(self._places, 1)
            if number in of_places or self.changed.get(place, 0) > stored
        ]
        stamps = {old: new for new, old in enumerate(sorted(used))}
        places = {0: 0} | {old: new for new, (old, _) in enumerate(kept, 1)}
        entities = {place.entity_id for _, place in kept}
        body = _Body(
            self.revision,
            self.as_of,
            [self._stamps[old] for old in stamps],
            [place for _, place in kept],
            [self.changed.get(place, 0) for _, place in kept],
            {entity: about for entity, about in self.about.items() if entity in entities},
            b"".join(self._entries),
            b"".join(_ENTRY.pack(stamps[said], places[number], *rest) for said, number, *rest in self._unpacked()),
        )
        return msgspec.msgpack.encode(body)

    @classmethod
    def decode(cls, body: bytes) -> Register:
        """Raises ValueError."""
        found = msgspec.msgpack.decode(body, type=_Body)
        ids = [found.ids[at : at + _ID_BYTES] for at in range(0, len(found.ids), _ID_BYTES)]
        entries = [found.entries[at : at + _ENTRY.size] for at in range(0, len(found.entries), _ENTRY.size)]
        return cls(
            found.revision,
            found.as_of,
            dict(zip(found.places, found.changed, strict=True)),
            found.about,
            found.stamps,
            found.places,
            dict(zip(ids, entries, strict=True)),
        )

    def _unpacked(self) -> Iterator[tuple[int, int, int, int, bool]]:
        return map(_ENTRY.unpack, self._entries.values())


class Restated(NamedTuple):
    """A register's sums to be stored: those that the statements are about, and what others left.

    `as_of` is the register's, `revision` what `Registers.stored` takes once all of them are stored.
    """

    revision: int
    as_of: str
    sums: Mapping[CountedAt, PlaceSums]
    about: Mapping[str, EntityAbout]


class Registers:
    """States records in registers."""

    def __init__(
        self,
        objects: FoldObjects,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random = _RNG,
    ) -> None:
        self._objects = objects
        self._clock = clock
        self._sleep = sleep
        self._rng = rng

    def state(
        self, key: str, stamp: Stamp, stated: Mapping[bytes, Stated], about: Mapping[str, EntityAbout]
    ) -> Restated:
        """Take the statements that are newer than what is known, and return the sums to be stored.

        `stated` by the record's id (`folds.counted_once`); `about` has each entity that it names. Repeated, it changes
        nothing. Raises Throttled (others keep changing the register), TooLarge (it would have more records than it
        may; nothing is taken), UnreadableItem, Unavailable.
        """
        wait = _FIRST_WAIT
        for _ in range(_TRIES):
            stored = self._revision(key)[0]  # first: of places that others store meanwhile, the sums are stored twice
            register, tag = self._read(key)
            new = register.newer(stamp, stated)
            if new:
                register.take(stamp, new, about, self._next(register))
                if register.size > limits.MAX_REGISTERED_RECORDS:
                    raise TooLarge(
                        f"the source has more than {limits.MAX_REGISTERED_RECORDS} records of this type by now: give "
                        "further ones another source, such as shop_2027",
                        key=key,
                    )
            if not new or self._objects.swap(key, register.encode(stored), tag):
                sums = register.sums(stored, stated.values())
                return Restated(register.revision, register.as_of, sums, register.about)
            self._pause(wait)
            wait *= 2
        raise Throttled(f"{key} keeps changing", retry_after=2.0)

    def stored(self, key: str, revision: int) -> None:
        """Note that all sums of a revision are stored. Raises Throttled, Unavailable."""
        wait = _FIRST_WAIT
        for _ in range(_TRIES):
            known, tag = self._revision(key)
            if known >= revision or self._objects.swap(_marker(key), str(revision).encode(), tag):
                return
            self._pause(wait)
            wait *= 2
        raise Throttled(f"{_marker(key)} keeps changing", retry_after=2.0)

    def _read(self, key: str) -> tuple[Register, str]:
        found = self._objects.tagged(key)
        if found is None:
            return Register(), ""
        body, tag = found
        try:
            return Register.decode(body), tag
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

    def _next(self, register: Register) -> str:
        now = self._clock.now()
        return iso(max(now, parse_instant(register.as_of) + _TICK) if register.as_of else now)

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds * self._rng.uniform(0.5, 1.5))


def _marker(key: str) -> str:
    return f"{key}.stored"
