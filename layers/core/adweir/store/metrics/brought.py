"""What a pull brought: the accumulator that the loader fills row by row and `MetricStore.load` takes.

One table per day or hour, 40 packed bytes per entity in it, every repeated text kept once: about 150 bytes per stored
entity-day, whatever the size of the raw bytes and however often the same rows arrive. In the tables entities are
numbers: those that come one after another lie side by side in memory, which texts do not.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, compress, islice
from operator import attrgetter
from typing import NamedTuple, cast

from adweir.model.columns import MetricColumns
from adweir.model.metrics import METRICS, MetricRow, Slot
from adweir.store.metrics.adjusting import Adjusting

_KNOWN = struct.Struct("<5q")
_SOME_UNKNOWN = struct.Struct("<5qB")
"""Unknown numbers as 0, then a byte whose bits say which: bit 0 for the first number."""
_pack = _KNOWN.pack
_unpack_all = cast("Callable[[bytes], Iterator[Slot]]", _KNOWN.iter_unpack)
_Packed = bytes | Slot  # a slot with a number that does not fit stays as it is


class Parents(NamedTuple):
    """What all slots of an entity share. On the platforms an object never changes its parents."""

    campaign_id: str
    ad_group_id: str
    ad_product: str


NO_PARENTS = Parents("", "", "")
_CAMPAIGN = attrgetter("campaign_id")


class _Texts(dict[str, str]):
    """Each text once: `texts[text]` is always the same object."""

    def __missing__(self, text: str) -> str:
        self[text] = text
        return text


def slot_key(day: str, hour: int = -1) -> str:
    """A slot's key: the local date, `2026-11-21`, or with the local hour, `2026-11-21T07`."""
    return day if hour < 0 else f"{day}T{hour:02d}"


class PullRows:
    """The good rows of one pull, and the keys of those that were quarantined.

    `incomplete` is set by the loader when the pull cannot answer for what it did not bring (paging broke off, or a
    bad row's key could not be read); `load` then treats the pull as partial. `currency` is that of all rows,
    `adjusting` what became of rows on their way.
    """

    __slots__ = (
        "_ids",
        "_numbers",
        "_parents",
        "_quarantined",
        "_slots",
        "_some_unusual",
        "_texts",
        "adjusting",
        "currency",
        "incomplete",
        "size",
    )

    def __init__(self) -> None:
        self._slots: dict[str, dict[int, _Packed]] = {}
        """By slot key, then the entity's number."""
        self._numbers: dict[str, int] = {}
        """By entity, the place of its id and of its parents."""
        self._ids: list[str] = []
        self._parents: list[Parents] = []
        self._quarantined: dict[str, set[str]] = {}
        self._texts = _Texts()
        self.incomplete = False
        self.currency = ""
        self.adjusting = Adjusting()
        self.size = 0
        self._some_unusual = False

    def offer(self, row: MetricRow) -> bool | None:
        """Take a row unless its key is there: True, taken; None, there with the same numbers; False, with others."""
        number = self._numbers.get(row.entity_id)
        if number is None:
            number = self._new(row.entity_id, row.campaign_id, row.ad_group_id, row.ad_product)
            self.currency = self.currency or row.currency
        key = row.day if row.hour < 0 else slot_key(row.day, row.hour)
        slots = self._slots.get(key)
        if slots is None:
            slots = self._slots[key] = {}
        packed = self._pack_one(row.slot)
        held = slots.setdefault(number, packed)
        if held is packed:
            self.size += 1
            return True
        return None if held == packed else False

    def numbers(self, entities: Iterable[str]) -> list[int | None]:
        """The number that each entity has here; None for those of which no row was taken."""
        return list(map(self._numbers.get, entities))

    def campaign(self, entity_id: str) -> str | None:
        """An entity's campaign; None where no row of it was taken."""
        number = self._numbers.get(entity_id)
        return None if number is None else self._parents[number].campaign_id

    def campaigns(self, numbers: Iterable[int]) -> Iterator[str]:
        """The campaign of each of these entities."""
        return map(_CAMPAIGN, map(self._parents.__getitem__, numbers))

    def take(self, columns: MetricColumns, numbers: Sequence[int | None]) -> list[int]:
        """Take all rows whose key is not there yet; the places of the others, for which `offer` says what they are.

        `numbers` are those of the entities.
        """
        if None in numbers:
            numbers = self._all_numbers(columns)
        known, slots = cast("Sequence[int]", numbers), self._slots
        keys: Sequence[str] = columns.day
        if any(hour >= 0 for hour in set(columns.hour)):
            keys = list(map(slot_key, columns.day, columns.hour))
        distinct = set(keys)
        for key in distinct:
            slots.setdefault(key, {})
        packed = self._packed(columns)
        if len(distinct) == 1:
            table, new = slots[keys[0]], dict(zip(known, packed, strict=True))
            if len(new) == len(known) and table.keys().isdisjoint(new):
                table.update(new)
                self.size += len(new)
                return []
        left = []
        for place, (key, number, each) in enumerate(zip(keys, known, packed, strict=True)):
            if slots[key].setdefault(number, each) is not each:
                left.append(place)
        self.size += len(keys) - len(left)
        return left

    def _all_numbers(self, columns: MetricColumns) -> list[int]:
        """The numbers of entities of which some are new."""
        numbers = self._numbers
        about = zip(columns.entity_id, columns.campaign_id, columns.ad_group_id, columns.ad_product, strict=True)
        for entity_id, *parents in about:
            if entity_id not in numbers:
                self._new(entity_id, *parents)
        self.currency = self.currency or columns.currency[0]
        return list(map(numbers.__getitem__, columns.entity_id))

    def _new(self, entity_id: str, *parents: str) -> int:
        """The number of an entity whose first row this is."""
        number, entity_id = len(self._ids), self._texts[entity_id]
        self._numbers[entity_id] = number
        self._ids.append(entity_id)
        self._parents.append(Parents(*map(self._texts.__getitem__, parents)))
        return number

    def has(self, entity_id: str, day: str, hour: int = -1) -> bool:
        """Whether a row with this key was added."""
        return self._numbers.get(entity_id) in self._slots.get(slot_key(day, hour), {})

    def knows(self, entity_id: str) -> bool:
        """Whether a row of this entity was added."""
        return entity_id in self._numbers

    @property
    def known(self) -> int:
        """How many entities have rows."""
        return len(self._ids)

    def texts_from(self, place: int) -> list[tuple[str, ...]]:
        """The id and the parents of each entity from a place on, in the order of their first rows."""
        return [(self._ids[at], *self._parents[at]) for at in range(place, len(self._ids))]

    def quarantined(self, entity_id: str, day: str) -> None:
        """A row of this entity and day came but cannot be stored: the stored value is kept."""
        self._quarantined.setdefault(self._texts[day], set()).add(self._texts[entity_id])

    def entities(self) -> list[str]:
        """The entities with rows, in DynamoDB's order: UTF-8 bytes sort as code points do."""
        return sorted(self._ids)

    def slots(self, entity_id: str) -> dict[str, Slot]:
        """An entity's slots by slot key; empty when it brought none."""
        return self.reader(self._slots)(entity_id)

    def reader(self, keys: Iterable[str]) -> Callable[[str], dict[str, Slot]]:
        """The function from an entity to its slots of these keys."""
        present = {key: self._slots[key] for key in keys if key in self._slots}
        tables, usual = list(present.values()), not self._some_unusual

        def read(entity_id: str) -> dict[str, Slot]:
            number = self._numbers.get(entity_id, -1)
            packed = [each for table in tables if (each := table.get(number)) is not None]
            brought = present if len(packed) == len(tables) else [key for key in present if number in present[key]]
            slots = _unpack_all(b"".join(packed)) if usual else map(_unpack, packed)  # type: ignore[arg-type]
            return dict(zip(brought, slots, strict=True))

        return read

    def many(self, keys: Iterable[str]) -> Callable[[Sequence[str]], Iterator[tuple[tuple[str, ...], list[Slot]]]]:
        """The function from entities with rows to the keys, of these in their order, that each has, and its slots."""
        present = tuple(key for key in keys if key in self._slots)
        tables, usual = [self._slots[key] for key in present], not self._some_unusual

        def read(entities: Sequence[str]) -> Iterator[tuple[tuple[str, ...], list[Slot]]]:
            numbers = list(map(self._numbers.__getitem__, entities))
            found = list(zip(*(map(table.get, numbers) for table in tables), strict=True)) or [()] * len(numbers)
            packed = list(filter(None, chain.from_iterable(found)))
            slots = _unpack_all(b"".join(packed)) if usual else map(_unpack, packed)
            for each in found:
                brought = present if all(each) else tuple(compress(present, each))
                yield brought, list(islice(slots, len(brought)))

        return read

    def parents(self, entity_id: str) -> Parents:
        """An entity's parents as its first row gave them."""
        number = self._numbers.get(entity_id)
        return NO_PARENTS if number is None else self._parents[number]

    def holes(self, day: str) -> frozenset[str]:
        """The entities with a quarantined row on this day."""
        return frozenset(self._quarantined.get(day, ()))

    def sizes(self) -> Counter[str]:
        """Day → its rows."""
        sizes: Counter[str] = Counter()
        for key, slots in self._slots.items():
            sizes[key[:10]] += len(slots)
        return sizes

    def unknown(self) -> dict[str, Counter[str]]:
        """Day → metric → the rows that do not have it; looks at each row."""
        found: dict[str, Counter[str]] = {}
        for key, slots in self._slots.items() if self._some_unusual else ():
            for packed in slots.values():
                if not isinstance(packed, bytes) or len(packed) != _KNOWN.size:
                    missing = [name for name, number in zip(METRICS, _unpack(packed), strict=True) if number is None]
                    found.setdefault(key[:10], Counter()).update(missing)
        return found

    def days(self) -> set[str]:
        """The days with a row or a quarantined row."""
        return {key[:10] for key in self._slots} | self._quarantined.keys()

    def __iter__(self) -> Iterator[tuple[str, str, Slot]]:
        """(entity id, slot key, slot) of each row."""
        for key, slots in self._slots.items():
            for number, packed in slots.items():
                yield self._ids[number], key, _unpack(packed)

    def __len__(self) -> int:
        """The number of distinct keys."""
        return self.size

    def _packed(self, columns: MetricColumns) -> list[_Packed]:
        try:
            return list(map(_pack, *columns.figures))
        except struct.error:
            return [self._pack_one(slot) for slot in cast("Iterator[Slot]", zip(*columns.figures, strict=True))]

    def _pack_one(self, slot: Slot) -> _Packed:
        try:
            return _pack(*slot)
        except struct.error:  # an unknown number, or one past 64 bits
            return self._unusual(slot)

    def _unusual(self, slot: Slot) -> _Packed:
        self._some_unusual = True
        unknown = sum(number is None and 1 << place for place, number in enumerate(slot))
        try:
            return _SOME_UNKNOWN.pack(*(number or 0 for number in slot), unknown)
        except struct.error:
            return slot


def _unpack(packed: _Packed) -> Slot:
    if not isinstance(packed, bytes):
        return packed
    if len(packed) == _KNOWN.size:
        return cast("Slot", _KNOWN.unpack(packed))
    *numbers, unknown = _SOME_UNKNOWN.unpack(packed)
    return cast("Slot", tuple(None if unknown >> place & 1 else number for place, number in enumerate(numbers)))
