"""Rows of stored buckets: of one source's copy of a partition, and of several copies of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, cast

from adweir.model.metrics import Level, Mark, Slot, Source
from adweir.model.tasks import Stamp
from adweir.model.times import HOURS_A_DAY
from adweir.store.metrics.brought import Parents
from adweir.store.metrics.buckets import Partition, StoredSlot, around
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.slots import SlotValue, StoredBucket, stored_slot

_NUMBERS = 5


class StoredRow(NamedTuple):
    """One slot. `hour` is 0-23, the same for both passes of a repeated hour, and -1 for a day.

    `as_of` is when its pull began, None when no coverage says so yet. `definition` says how conversions and revenue
    were counted, in the platform's words; "" is the platform's default. `task_id` is its task's, "" where `as_of` is
    None and of what no task brought.
    """

    entity_id: str
    campaign_id: str
    ad_group_id: str
    ad_product: str
    currency: str
    day: str
    hour: int
    slot: Slot
    source: Source
    as_of: str | None
    mark: Mark = Mark.NONE
    definition: str = ""
    task_id: str = ""


class SummedRows(NamedTuple):
    """Rows of one entity that were added up: all known, without a mark, in one currency.

    `row` has the sums, and of the rows' days the first one; `days` are all of them, and `numbers` their numbers, five
    for each day. Its `as_of` and `definition` are nobody's.
    """

    row: StoredRow
    days: tuple[str, ...]
    numbers: list[int]


Bundle = Callable[[str], Hashable]
"""Day (ISO) → what it is added up with: rows of one entity, partition and currency whose days give the same. None: the
day is not read."""


class _Slots(NamedTuple):
    """Some slots of a partition's items: their days, and what gets them from an item, in that order."""

    names: tuple[str, ...]
    days: tuple[str, ...]
    get: Callable[[Any], tuple[SlotValue | None, ...]]

    @classmethod
    def of(cls, names: Iterable[tuple[str, str]]) -> _Slots:
        """`names`: (slot name, day)."""
        found = list(names)
        get: Callable[[Any], Any] = attrgetter(*(name for name, _ in found))
        if len(found) == 1:
            only, get = get, lambda item: (only(item),)
        return cls(tuple(name for name, _ in found), tuple(day for _, day in found), get)

    def found(self, bucket: StoredBucket) -> list[tuple[str, str, SlotValue]]:
        """The slots that an item has: name, day, value."""
        slots = zip(self.names, self.days, self.get(bucket), strict=True)
        return [(name, day, value) for name, day, value in slots if value is not None]


class _ShownPull(NamedTuple):
    """What a row says of the pull that it is from."""

    as_of: str | None
    definition: str
    task_id: str

    @classmethod
    def of(cls, stamp: Stamp | None, coverage: Coverage, definition: str = "") -> _ShownPull:
        """`definition`: the row's own."""
        if stamp is None:
            return cls(None, definition, "")
        return cls(stamp.as_of, definition or coverage.definitions.get(stamp, ""), stamp.task_id)


class Shelf:
    """One source's copy of a partition."""

    def __init__(self, rank: int, source: Source, partition: Partition, coverage: Coverage, level: Level) -> None:
        self.rank = rank
        self.source = source
        self.partition = partition
        self.coverage = coverage
        self._level = level
        self._held = coverage.held
        self._slots = _Slots.of((name, day) for name, (_, day) in partition.names.items())
        self._hours = {name: int(name[1:]) % HOURS_A_DAY if name[0] == "h" else -1 for name in partition.names}
        self._stamps: dict[tuple[str, ...], dict[str, Stamp | None]] = {}
        self._pulls: dict[tuple[str, ...], dict[str, _ShownPull]] = {}

    @property
    def days(self) -> frozenset[str]:
        """The days that are read."""
        return frozenset(self._slots.days)

    def whole(self, day: str, slices: Collection[str]) -> bool:
        """Whether pulls of all these slices, or of all that are applicable, answer for a day."""
        return day in self.coverage.days and self.coverage.known(day).issuperset(slices)

    def answered(self, day: str, entity_id: str, parents: Parents, slices: tuple[str, ...]) -> Stamp | None:
        """`Coverage.answered`; `slices` are those around the entity."""
        if entity_id in self._held:
            return self.coverage.answered(day, self._level, entity_id, parents)
        return self._newest(day, slices)

    def _newest(self, day: str, slices: tuple[str, ...]) -> Stamp | None:
        known = self._stamps.setdefault(slices, {})
        if day not in known:
            of_day = self.coverage.days.get(day, {})
            known[day] = max((of_day[name].stamp for name in slices if name in of_day), default=None)
        return known[day]

    def shown(
        self, slot: StoredSlot, day: str, entity_id: str, parents: Parents, slices: tuple[str, ...]
    ) -> tuple[Stamp | None, Mark]:
        """`Coverage.shown`."""
        if slot.stamp is None and entity_id not in self._held:
            return self.answered(day, entity_id, parents, slices), Mark.NONE
        return self.coverage.shown(slot, day, self._level, entity_id, parents)

    def slots(self, bucket: StoredBucket) -> list[tuple[str, str, SlotValue]]:
        """An item's slots: name, day, value."""
        return self._slots.found(bucket)

    def rows(self, bucket: StoredBucket, slots: Iterable[tuple[str, str, SlotValue]]) -> Iterator[StoredRow]:
        """The rows of some slots of an item, without those that are gone."""
        entity_id, parents, currency = bucket.entity_id, bucket.parents, bucket.currency
        slices, coverage = around(self._level, entity_id, parents), self.coverage
        pulls = None if entity_id in self._held else self._pulls.setdefault(slices, {})
        for name, day, value in slots:
            if pulls is not None and len(value.L) == _NUMBERS:  # as most: nothing stands beside the numbers
                as_of, definition, task_id = pulls.get(day) or self._shown_pull(pulls, day, slices)
                numbers = cast("Slot", tuple([part.N for part in value.L]))
                mark, in_currency = Mark.NONE, currency
            else:
                slot = stored_slot(value, currency)
                stamp, mark = self.shown(slot, day, entity_id, parents, slices)
                if mark is Mark.KEPT and day in coverage.gone:
                    continue
                as_of, definition, task_id = _ShownPull.of(stamp, coverage, slot.definition)
                numbers, in_currency = slot.numbers, slot.currency
            yield StoredRow(
                entity_id,
                *parents,
                in_currency,
                day,
                self._hours[name],
                numbers,
                self.source,
                as_of,
                mark,
                definition,
                task_id,
            )

    def _shown_pull(self, known: dict[str, _ShownPull], day: str, slices: tuple[str, ...]) -> _ShownPull:
        """What rows say of the newest pull of a day, of entities without a quarantined row."""
        found = known[day] = _ShownPull.of(self._newest(day, slices), self.coverage)
        return found

    def answers(self, day: str, owner: StoredBucket, whole: Collection[str], *, stored: bool) -> bool:
        """Whether it says that an entity has no numbers on a day. `stored`: the entity is on this shelf; `owner` is its
        bucket here, or on another one."""
        entity_id, parents = owner.entity_id, owner.parents
        slices = around(self._level, entity_id, parents)
        if self.answered(day, entity_id, parents, slices) is not None:
            return True
        return not (parents.ad_product or stored) and self.whole(day, whole)


class Bundles:
    """A shelf's slots by what they are added up with."""

    def __init__(self, shelf: Shelf, bundle: Bundle) -> None:
        self._shelf = shelf
        self._plain = not shelf.coverage.held
        labels: dict[Hashable, list[tuple[str, str]]] = {}
        for name, (_, day) in shelf.partition.names.items():
            label = bundle(day)
            if label is not None:
                labels.setdefault(label, []).append((name, day))
        self._bundles = [_Slots.of(names) for names in labels.values() if len(names) > 1]
        alone = [names[0] for names in labels.values() if len(names) == 1]
        self._alone = _Slots.of(alone) if alone else None
        self._days: dict[tuple[str, ...], tuple[str, ...]] = {}

    def sums(self, bucket: StoredBucket) -> Iterator[StoredRow | SummedRows]:
        """An item's rows, added up where they are alike; the others one by one."""
        if self._alone is not None:
            yield from self._one_by_one(bucket, self._alone)
        for bundle in self._bundles:
            slots = bundle.get(bucket)
            try:
                numbers = [part.N for slot in slots for part in slot.L]  # type: ignore[union-attr]
                days = bundle.days
            except AttributeError:  # no slot on some day
                found = [(day, slot) for day, slot in zip(bundle.days, slots, strict=True) if slot is not None]
                if not found:
                    continue
                numbers = [part.N for _, slot in found for part in slot.L]
                named = tuple([day for day, _ in found])
                days = self._days.setdefault(named, named)
            if self._plain and None not in numbers and len(numbers) == _NUMBERS * len(days) and len(days) > 1:
                yield self._summed(bucket, days, cast("list[int]", numbers))
            else:
                yield from self._one_by_one(bucket, bundle)

    def _summed(self, bucket: StoredBucket, days: tuple[str, ...], numbers: list[int]) -> SummedRows:
        sums = cast("Slot", tuple([sum(numbers[place::_NUMBERS]) for place in range(_NUMBERS)]))
        row = StoredRow(bucket.sk.S, *bucket.parents, bucket.currency, days[0], -1, sums, self._shelf.source, None)
        return SummedRows(row, days, numbers)

    def _one_by_one(self, bucket: StoredBucket, bundle: _Slots) -> Iterator[StoredRow]:
        return self._shelf.rows(bucket, bundle.found(bucket))


def rows_of(copies: Mapping[int, StoredBucket], shelves: Sequence[Shelf], whole: Collection[str]) -> list[StoredRow]:
    """The rows of one entity, by time and source. On each day the first source decides that has a slot, or answers
    that there is none; the rows of the others are marked as overridden.

    `copies` by the rank of their shelf. `whole`: the slices that together answer for everything. An entity whose ad
    product nobody knows is in one of them.
    """
    any_copy = next(iter(copies.values()))
    taken: set[str] = set()
    rows: list[StoredRow] = []
    for shelf in shelves:
        bucket = copies.get(shelf.rank)
        owner = bucket or any_copy
        found = shelf.slots(bucket) if bucket else []
        mine = {day for _, day, _ in found}
        shown = shelf.rows(owner, found)
        rows += [row._replace(mark=Mark.OVERRIDDEN) if row.day in taken else row for row in shown]
        left = (day for day in shelf.days if day not in mine)
        mine |= {day for day in left if shelf.answers(day, owner, whole, stored=bucket is not None)}
        taken |= mine
    return sorted(rows, key=lambda row: (row.day, row.hour))
