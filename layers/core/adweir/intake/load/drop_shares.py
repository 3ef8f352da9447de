"""Shares of a file whose rows take more memory than there is: each is loaded by a pass over the file of its own.

A share is a range of the file's rows in the order of (target, month, place of the entity). No two shares have a row of
the same entity and day, so passes load what one load would: equal rows are duplicates, and of different ones the first
of the file counts. Most partitions of the store are in one share alone.

Orders, deals and leads are cut by the hashes of their ids instead, since each is remembered and any of them may be of
any day: a share states its records, and stores the sums of the days that they are of.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple
from zlib import crc32

from adweir.model.columns import MetricColumns
from adweir.model.metrics import Grain, Level
from adweir.model.platforms import Platform
from adweir.platforms.files.batches import DropBatch
from adweir.platforms.files.file_rows import ALL_IDS, IdRange
from adweir.platforms.files.normalize import Target

_PLACES = 1 << 32
_SLOTS_OF_DAY = 32
_SAMPLE = 100_000
"""Months of entities that are counted; of more, each second one, and so on."""


class Bound(NamedTuple):
    """Where a share ends and the next begins. `place`: that of entities of the month, 0 to 2^32."""

    target: Target
    month: str
    place: int

    def to_json(self) -> list[Any]:
        """As a state keeps it."""
        return [*self.target, self.month, self.place]

    @classmethod
    def of_json(cls, value: Sequence[Any]) -> Bound:
        """The bound that `to_json` gave."""
        platform, profile_id, level, grain, currency, month, place = value
        target = Target(Platform(platform), profile_id, Level(level), Grain(grain), currency)
        return cls(target, month, int(place))


class Share(NamedTuple):
    """Rows from a bound on to before another one, None where there is none; of orders and the like, those of `ids`."""

    number: int = 0
    start: Bound | None = None
    end: Bound | None = None
    ids: IdRange = ALL_IDS

    @property
    def is_first(self) -> bool:
        """Whether it is the one that rows belong to that have no key; of `ids`, their reader knows."""
        return self.start is None

    def of(self, batch: DropBatch) -> Sequence[bool]:
        """Which rows of a batch belong to it."""
        size = len(batch.rows)
        if self.start is None and self.end is None:
            return [True] * size
        days, entities = _keys(batch)
        months = {month: self._places(batch.target, month) for month in {day[:7] for day in days}}
        if all(each == (0, _PLACES) for each in months.values()):
            return [True] * size
        if all(low >= high for low, high in months.values()):
            return [False] * size
        kept = []
        for day, entity in zip(days, entities, strict=True):
            low, high = months[day[:7]]
            kept.append(low < high and (high - low == _PLACES or low <= place_of(entity) < high))
        return kept

    def _places(self, target: Target, month: str) -> tuple[int, int]:
        """Which places of entities of a month belong to it."""
        low, high = 0, _PLACES
        if self.start is not None:
            if (target, month) < self.start[:2]:
                return 0, 0
            if (target, month) == self.start[:2]:
                low = self.start.place
        if self.end is not None:
            if (target, month) > self.end[:2]:
                return 0, 0
            if (target, month) == self.end[:2]:
                high = self.end.place
        return low, high


WHOLE = Share()


class ShareCounter:
    """Counts a file's rows, to cut it into shares. `adds_up`: rows of one entity and day, or hour, become one."""

    def __init__(self, *, adds_up: bool = False) -> None:
        self._adds_up = adds_up
        self._rows: Counter[tuple[Target, str]] = Counter()
        self._sample: defaultdict[tuple[Target, str], dict[str, int]] = defaultdict(dict)
        """Entities of a month; of rows that add up, which days and hours each has, a bit for each."""
        self._size, self._every = 0, 1

    def take(self, batch: DropBatch) -> None:
        """Count the rows of a batch."""
        days, entities = _keys(batch)
        months = [day[:7] for day in days]
        for month, rows in Counter(months).items():
            self._rows[batch.target, month] += rows
        for month, entity in set(zip(months, entities, strict=True)):
            known = self._sample[batch.target, month]
            if entity not in known and place_of(entity) % self._every == 0:
                known[entity] = 0
                self._size += 1
        if self._adds_up:
            self._take_slots(batch)
        while self._size > _SAMPLE:
            self._every *= 2
            for known in self._sample.values():
                for entity in [each for each in known if place_of(each) % self._every]:
                    del known[entity]
            self._size = sum(map(len, self._sample.values()))

    def _take_slots(self, batch: DropBatch) -> None:
        rows = MetricColumns.of(batch.rows)
        slots = zip(rows.entity_id, rows.day, rows.hour, strict=True)
        for entity, day, hour in set(slots):
            known = self._sample[batch.target, day[:7]]
            if entity in known:
                known[entity] |= 1 << (int(day[8:]) * _SLOTS_OF_DAY + max(hour, 0))

    def bounds(self, most: int, row_bytes: int, entity_bytes: int) -> list[Bound]:
        """Where to cut, so that each share takes about `most` bytes. A share has whole months where they fit."""
        found, held = list[Bound](), 0
        for key in sorted(self._rows):
            sample = self._sample.get(key, {})
            rows = self._rows[key]
            if self._adds_up:
                rows = min(rows, self._every * sum(map(int.bit_count, sample.values())))
            size = rows * row_bytes + self._every * sum(entity_bytes + 2 * len(each) for each in sample)
            if held and held + size > most:
                found.append(Bound(*key, 0))
                held = 0
            parts = -(-size // most)
            found += [Bound(*key, _PLACES * part // parts) for part in range(1, parts)]
            held = size // parts if parts > 1 else held + size
        return found


def shares(bounds: Sequence[Bound]) -> list[Share]:
    """The shares between bounds, and before the first and after the last."""
    return [Share(number, *pair) for number, pair in enumerate(pairwise([None, *bounds, None]))]


def shares_of_ids(number: int) -> list[Share]:
    """So many shares of records with ids."""
    return [Share(each, ids=ALL_IDS.part(each, number)) for each in range(number)]


def place_of(entity_id: str) -> int:
    """Where an entity stands, 0 to 2^32: evenly, and always at the same place."""
    return crc32(entity_id.encode("utf-8", "surrogatepass"))


def _keys(batch: DropBatch) -> tuple[Sequence[str], Sequence[str]]:
    days = getattr(batch.rows, "day", None)
    if days is not None:
        return days, batch.rows.entity_id  # type: ignore[attr-defined]  # columns
    return [row.day for row in batch.rows], [row.entity_id for row in batch.rows]
