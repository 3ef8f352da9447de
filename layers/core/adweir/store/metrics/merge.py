"""Newest pull wins: what a pull makes of one entity's bucket. Pure functions.

Each slot is a register that the newest pull answering for it decides. A complete pull answers for every slot of its
slice and window (one it did not bring is gone), a partial one only for what it brings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from adweir.model.metrics import Slot
from adweir.model.tasks import Pull
from adweir.store.metrics.brought import Parents
from adweir.store.metrics.buckets import Bucket, Partition, StoredSlot, claimed, contains
from adweir.store.metrics.coverage import Coverage, newer


class SlotChange(NamedTuple):
    """A slot whose numbers change. `hour` is -1 for a day; `old` or `new` is None where there is no slot."""

    day: str
    hour: int
    old: Slot | None
    new: Slot | None


@dataclass(frozen=True, slots=True)
class Merged:
    """`bucket` is None when nothing remains; `dirty` when the stored item has to change."""

    bucket: Bucket | None
    changes: list[SlotChange]
    dirty: bool
    unchanged: int


@dataclass(frozen=True, slots=True)
class Merger:
    """Merges a pull into one partition. `complete` may be false though the pull's own flag is true."""

    pull: Pull
    complete: bool
    partition: Partition
    coverage: Coverage
    holes: Mapping[str, frozenset[str]]
    currency: str = ""

    def merge(self, entity_id: str, stored: Bucket | None, brought: Mapping[str, Slot], parents: Parents) -> Merged:
        """The entity's bucket after the pull. `brought` by slot key, days outside the partition included."""
        pull = self.pull
        if brought:
            parents = claimed(pull.slice, parents)
        bucket = (stored or Bucket(entity_id, parents)).with_parents(parents)
        inside = self.complete and contains(pull.slice, pull.level, entity_id, bucket.parents)
        slots = dict(stored.slots) if stored else {}
        changes: list[SlotChange] = []
        dirty, unchanged = False, 0
        names = self.partition.names
        for name, (key, day) in names.items():
            numbers = brought.get(key)
            hole = entity_id in self.holes.get(day, ())
            old = slots.get(name)
            if numbers is None and (not inside or hole or old is None):
                continue
            known = newer(
                old.stamp if old else None, self.coverage.answered(day, pull.level, entity_id, bucket.parents)
            )
            if known is not None and pull.stamp <= known:
                unchanged += numbers is not None
                continue
            new = None
            if numbers is not None:
                new = StoredSlot(numbers, None if inside and not hole else pull.stamp, self.currency)
            if new == old:
                unchanged += 1
                continue
            dirty = True
            if (old and old.numbers) != numbers:
                hour = int(name[1:]) if name[0] == "h" else -1
                changes.append(SlotChange(day, hour, old.numbers if old else None, numbers))
            else:
                unchanged += 1
            if new is None:
                del slots[name]
            else:
                slots[name] = new
        if dirty:
            bucket.slots = slots
        else:
            bucket = stored or bucket
        return Merged(bucket if bucket.slots else None, changes, dirty, unchanged)
