"""Newest pull wins: what a pull makes of one entity's bucket. Pure functions.

Each slot is a register that the newest pull answering for it decides. A complete pull answers for every slot of its
slice and window, a partial one only for what it brings. A slot that a complete pull did not bring is deleted; where
account totals decide absence it stays with the stamp of the pull that brought it, and is then called missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import overload

import msgspec
from msgspec.structs import replace

from adweir.model.metrics import Mark, Slot
from adweir.model.tasks import Pull, Stamp
from adweir.store.metrics.brought import Parents
from adweir.store.metrics.buckets import Bucket, Partition, PlainSlots, StoredSlot, claimed, contains, places
from adweir.store.metrics.coverage import Coverage, newer
from adweir.store.metrics.totals import DaySums


class SlotChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A slot whose visible numbers or mark may change. `hour` is -1 for a day; None where no number is to be seen.

    `missing`: the verdict about the day's missing rows decides between `new` and nothing. `was_missing`: so it did
    before. `currency` is that of `new`, of `old` where there is none.
    """

    day: str
    hour: int
    old: Slot | None
    new: Slot | None
    old_mark: Mark = Mark.NONE
    new_mark: Mark = Mark.NONE
    missing: bool = False
    was_missing: bool = False
    recounted: bool = False
    currency: str = ""

    @property
    def seen(self) -> bool:
        """Whether readers see a difference."""
        return self.old != self.new or self.old_mark != self.new_mark or self.recounted


class Arrivals(Sequence[SlotChange]):
    """The changes of slots that were not there before, made anew each time that they are looked at."""

    __slots__ = ("_currency", "_days", "_hours", "_numbers")

    def __init__(self, days: Sequence[str], hours: Sequence[int], numbers: Sequence[Slot], currency: str) -> None:
        self._days, self._hours, self._numbers, self._currency = days, hours, numbers, currency

    def __iter__(self) -> Iterator[SlotChange]:
        make = partial(SlotChange, currency=self._currency)
        return map(make, self._days, self._hours, repeat(None), self._numbers)

    def __len__(self) -> int:
        return len(self._days)

    @overload
    def __getitem__(self, place: int) -> SlotChange: ...
    @overload
    def __getitem__(self, place: slice) -> list[SlotChange]: ...
    def __getitem__(self, place: int | slice) -> SlotChange | list[SlotChange]:
        return list(self)[place]


class Merged(msgspec.Struct, frozen=True):
    """`bucket` is None when nothing remains; `dirty` when the stored item has to change."""

    bucket: Bucket | None
    changes: Sequence[SlotChange]
    dirty: bool
    unchanged: int


@dataclass(frozen=True, slots=True)
class Merger:
    """Merges a pull into one partition.

    `complete` may be false though the pull's own flag is true. `goal` is the coverage after the pull. With `sums`
    absence is decided by account totals, and they add up the days.
    """

    pull: Pull
    complete: bool
    partition: Partition
    coverage: Coverage
    goal: Coverage
    holes: Mapping[str, frozenset[str]]
    currency: str
    sums: DaySums | None = None
    _held: frozenset[str] = field(init=False)
    _covered: dict[str, tuple[str, str]] = field(init=False)
    _uncovered: dict[str, tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        names, days = self.partition.names, self.coverage.days
        object.__setattr__(self, "_held", self.coverage.held | self.goal.held)
        object.__setattr__(self, "_covered", {name: at for name, at in names.items() if at[1] in days})
        object.__setattr__(self, "_uncovered", {name: at for name, at in names.items() if at[1] not in days})

    def merge(self, entity_id: str, stored: Bucket | None, brought: Mapping[str, Slot], parents: Parents) -> Merged:
        """The entity's bucket after the pull. `brought` by slot key, days outside the partition included."""
        pull = self.pull
        if brought:
            parents = claimed(pull.slice, parents)
        bucket = stored.with_parents(parents) if stored else Bucket(entity_id, parents)
        inside = self.complete and contains(pull.slice, pull.level, entity_id, bucket.parents)
        slots = dict(stored.slots) if stored else {}
        held = entity_id in self._held
        fresh = inside and not held and slots.keys().isdisjoint(self._uncovered)
        changes = self._bring(slots, brought) if fresh else []
        names = self._covered if fresh else self.partition.names
        left, unchanged = self._compared(names, slots, brought, answers=inside and not held)
        dirty = bool(changes)
        for name, day, old, numbers in left:
            hole = held and entity_id in self.holes.get(day, ())
            new = old
            if numbers is not None or (inside and not hole):
                new = self._decided(bucket, day, old, numbers, answers=inside and not hole)
            if new != old:
                dirty = True
                if new is None:
                    del slots[name]
                else:
                    slots[name] = new
            change = self._change(bucket, name, day, old, new, held=held)
            if change is not None and (change.missing or change.seen):
                changes.append(change)
            elif numbers is not None:
                unchanged += 1
        dirty = (stored is not None and self._renamed(bucket, stored, brought)) or dirty
        if dirty:
            bucket.slots = slots
        else:
            bucket = stored or bucket
        return Merged(bucket if bucket.slots else None, changes, dirty, unchanged)

    def first(self, entity_id: str, keys: tuple[str, ...], numbers: Sequence[Slot], parents: Parents) -> Merged:
        """`merge` of an entity that is not stored, faster. `keys` of what it brought are in the partition's order."""
        claims = claimed(self.pull.slice, parents)
        inside = self.complete and contains(self.pull.slice, self.pull.level, entity_id, claims)
        known = inside or (not self.complete and self.sums is None)
        if not keys or not known or self._covered or entity_id in self._held:
            return self.merge(entity_id, None, dict(zip(keys, numbers, strict=True)), parents)
        names, days, hours = places(keys)
        if not inside:
            slots = PlainSlots(names, numbers, self.currency, self.pull.stamp, self.pull.definition)
            return Merged(
                Bucket(entity_id, claims, slots), Arrivals(days, hours, numbers, self.currency), dirty=True, unchanged=0
            )
        if self.sums is not None:
            for day, slot in zip(days, numbers, strict=True):
                self.sums.add(day, slot)
        bucket = Bucket(entity_id, claims, PlainSlots(names, numbers, self.currency))
        return Merged(bucket, Arrivals(days, hours, numbers, self.currency), dirty=True, unchanged=0)

    def _renamed(self, bucket: Bucket, stored: Bucket, brought: Mapping[str, Slot]) -> bool:
        """Whether the pull changes the stored parents.

        What it names of them counts where it brings a slot, also if newer numbers stay, and only there: so the order of
        the loads makes no difference.
        """
        if bucket.parents == stored.parents:
            return False
        if any(key in brought for key, _ in self.partition.names.values()):
            return True
        bucket.parents = stored.parents
        return False

    def _compared(
        self,
        names: Mapping[str, tuple[str, str]],
        slots: Mapping[str, StoredSlot],
        brought: Mapping[str, Slot],
        *,
        answers: bool,
    ) -> tuple[list[tuple[str, str, StoredSlot | None, Slot | None]], int]:
        """The slots that the pull may change, as (name, day, stored, brought), and the number of the others it brings.

        What is brought as it is stored stays as it is, whichever pull is the newer one, if both answer for the entity.
        """
        left, unchanged, currency, sums = [], 0, self.currency, self.sums
        for name, (key, day) in names.items():
            numbers, old = brought.get(key), slots.get(name)
            if numbers is None and old is None:
                continue
            if answers and numbers is not None and old == StoredSlot(numbers, None, currency):
                unchanged += 1
                if sums is not None:
                    sums.add(day, numbers)
            else:
                left.append((name, day, old, numbers))
        return left, unchanged

    def _bring(self, slots: dict[str, StoredSlot], brought: Mapping[str, Slot]) -> list[SlotChange]:
        """Add what was brought on days that no pull covers and that have no slots, as `_decided` would: faster."""
        currency, sums, changes = self.currency, self.sums, list[SlotChange]()
        for name, (key, day) in self._uncovered.items():
            numbers = brought.get(key)
            if numbers is not None:
                slots[name] = StoredSlot(numbers, None, currency)
                hour = int(name[1:]) if name[0] == "h" else -1
                changes.append(SlotChange(day, hour, None, numbers, currency=currency))
                if sums is not None:
                    sums.add(day, numbers)
        return changes

    def _decided(
        self, bucket: Bucket, day: str, old: StoredSlot | None, numbers: Slot | None, *, answers: bool
    ) -> StoredSlot | None:
        """The slot after the pull. `answers`: the pull also answers for the slot if it did not bring it."""
        stamp = self.pull.stamp
        answered = self.coverage.answered(day, self.pull.level, bucket.entity_id, bucket.parents)
        mine = (old.stamp or answered) if old else None
        if numbers is None:
            if old is None or not _outranks(stamp, mine):
                return old
            if self.sums is None or mine is None:
                return None
            return old if old.stamp else replace(old, stamp=mine, definition=self.coverage.definitions.get(mine, ""))
        if not _outranks(stamp, mine if self.sums else newer(mine, answered)):
            return old
        if answers and _outranks(stamp, answered):
            return StoredSlot(numbers, None, self.currency)
        return StoredSlot(numbers, stamp, self.currency, self.pull.definition)

    def _change(
        self, bucket: Bucket, name: str, day: str, old: StoredSlot | None, new: StoredSlot | None, *, held: bool
    ) -> SlotChange | None:
        """The slot as readers see it before and after; None where nothing can differ. Adds it to the day's sums."""
        slot = new or old
        if slot is None:
            return None
        was, now = old.numbers if old else None, new.numbers if new else None
        old_mark = new_mark = Mark.NONE
        missing = was_missing = False
        if held or (old and old.stamp) or (new and new.stamp):
            about = (day, self.pull.level, bucket.entity_id, bucket.parents)
            old_mark = self.coverage.shown(old, *about)[1] if old else Mark.NONE
            new_mark = self.goal.shown(new, *about)[1] if new else Mark.NONE
            missing, was_missing = new_mark is Mark.KEPT, old_mark is Mark.KEPT
            if was_missing and day in self.coverage.gone:
                was, old_mark = None, Mark.NONE
        if self.sums is not None and now is not None:
            (self.sums.miss if missing else self.sums.add)(day, now)
        recounted = bool(old and new and old.currency != new.currency)
        if new == old and old_mark is new_mark and not missing:
            return None
        hour = int(name[1:]) if name[0] == "h" else -1
        return SlotChange(day, hour, was, now, old_mark, new_mark, missing, was_missing, recounted, slot.currency)


def _outranks(stamp: Stamp, known: Stamp | None) -> bool:
    return known is None or stamp > known
