"""What a pull brought: the accumulator that the loader fills row by row and `MetricStore.load` takes.

One table per day or hour, 40 packed bytes per entity in it, every repeated text kept once: about 150 bytes per stored
entity-day, whatever the size of the raw bytes and however often the same rows arrive.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, cast

from adweir.model.columns import MetricColumns
from adweir.model.metrics import MetricRow, Slot
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
        self._slots: dict[str, dict[str, _Packed]] = {}
        """By slot key, then entity."""
        self._parents: dict[str, Parents] = {}
        self._quarantined: dict[str, set[str]] = {}
        self._texts = _Texts()
        self.incomplete = False
        self.currency = ""
        self.adjusting = Adjusting()
        self.size = 0
        self._some_unusual = False

    def offer(self, row: MetricRow) -> bool | None:
        """Take a row unless its key is there: True, taken; None, there with the same numbers; False, with others."""
        entity_id = self._texts[row.entity_id]
        if entity_id not in self._parents:
            texts = self._texts
            parents = Parents(texts[row.campaign_id], texts[row.ad_group_id], texts[row.ad_product])
            self._parents[entity_id] = parents
            self.currency = self.currency or row.currency
        key = row.day if row.hour < 0 else slot_key(row.day, row.hour)
        slots = self._slots.get(key)
        if slots is None:
            slots = self._slots[key] = {}
        packed = self._pack_one(row.slot)
        held = slots.setdefault(entity_id, packed)
        if held is packed:
            self.size += 1
            return True
        return None if held == packed else False

    def take(self, columns: MetricColumns) -> list[int]:
        """Take all rows whose key is not there yet; the places of the others, for which `offer` says what they are."""
        texts, slots = self._texts, self._slots
        entities = list(map(texts.__getitem__, columns.entity_id))
        if not all(map(self._parents.__contains__, entities)):
            about = zip(entities, columns.campaign_id, columns.ad_group_id, columns.ad_product, strict=True)
            for entity_id, *parents in about:
                if entity_id not in self._parents:
                    self._parents[entity_id] = Parents(*map(texts.__getitem__, parents))
            self.currency = self.currency or columns.currency[0]
        keys: Sequence[str] = columns.day
        if any(hour >= 0 for hour in set(columns.hour)):
            keys = list(map(slot_key, columns.day, columns.hour))
        distinct = set(keys)
        for key in distinct:
            slots.setdefault(key, {})
        if len(distinct) == 1 and len(set(entities)) == len(entities) and slots[keys[0]].keys().isdisjoint(entities):
            slots[keys[0]].update(zip(entities, self._packed(columns), strict=True))
            self.size += len(entities)
            return []
        left = []
        for place, (key, entity_id, packed) in enumerate(zip(keys, entities, self._packed(columns), strict=True)):
            if slots[key].setdefault(entity_id, packed) is not packed:
                left.append(place)
        self.size += len(keys) - len(left)
        return left

    def has(self, entity_id: str, day: str, hour: int = -1) -> bool:
        """Whether a row with this key was added."""
        return entity_id in self._slots.get(slot_key(day, hour), ())

    def knows(self, entity_id: str) -> bool:
        """Whether a row of this entity was added."""
        return entity_id in self._parents

    def quarantined(self, entity_id: str, day: str) -> None:
        """A row of this entity and day came but cannot be stored: the stored value is kept."""
        self._quarantined.setdefault(self._texts[day], set()).add(self._texts[entity_id])

    def entities(self) -> list[str]:
        """The entities with rows, in DynamoDB's order: UTF-8 bytes sort as code points do."""
        return sorted(self._parents)

    def slots(self, entity_id: str) -> dict[str, Slot]:
        """An entity's slots by slot key; empty when it brought none."""
        return self.reader(self._slots)(entity_id)

    def reader(self, keys: Iterable[str]) -> Callable[[str], dict[str, Slot]]:
        """The function from an entity to its slots of these keys."""
        present = {key: self._slots[key] for key in keys if key in self._slots}
        tables, usual = list(present.values()), not self._some_unusual

        def read(entity_id: str) -> dict[str, Slot]:
            packed = [each for table in tables if (each := table.get(entity_id)) is not None]
            brought = present if len(packed) == len(tables) else [key for key in present if entity_id in present[key]]
            slots = _unpack_all(b"".join(packed)) if usual else map(_unpack, packed)  # type: ignore[arg-type]
            return dict(zip(brought, slots, strict=True))

        return read

    def parents(self, entity_id: str) -> Parents:
        """An entity's parents as its first row gave them."""
        return self._parents.get(entity_id, NO_PARENTS)

    def holes(self, day: str) -> frozenset[str]:
        """The entities with a quarantined row on this day."""
        return frozenset(self._quarantined.get(day, ()))

    def days(self) -> set[str]:
        """The days with a row or a quarantined row."""
        return {key[:10] for key in self._slots} | self._quarantined.keys()

    def __iter__(self) -> Iterator[tuple[str, str, Slot]]:
        """(entity id, slot key, slot) of each row."""
        for key, slots in self._slots.items():
            for entity_id, packed in slots.items():
                yield entity_id, key, _unpack(packed)

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
