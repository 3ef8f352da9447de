"""`mass_vanish`: a pull that would zero much stored spend is held back until a second pull confirms it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from adweir.model.errors import MassVanish
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import local_date, parse_instant
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition
from adweir.store.metrics.merge import Merged
from adweir.store.metrics.partitions import Table

SHARE = (1, 5)
"""More than a fifth of the stored spend."""
SETTLED = timedelta(days=3)
"""Days older than this are settled enough to protect."""


@dataclass(slots=True)
class Vanishing:
    """Adds up the spend that is stored on the settled days of a pull's window, and what of it the pull would zero."""

    pull: Pull
    stored: int = 0
    zeroed: int = 0
    days: set[str] = field(default_factory=set)

    @property
    def settled_before(self) -> str:
        """The first day that is too young, ISO."""
        return (local_date(parse_instant(self.pull.stamp.as_of), self.pull.timezone) - SETTLED).isoformat()

    def add(self, partition: Partition, bucket: Bucket, merged: Merged, before: str) -> None:
        """Count one entity's stored bucket and what the pull would make of it."""
        for name, slot in bucket.slots.items():
            _, day = partition.names.get(name, ("", before))
            if day < before:
                self.stored += slot.numbers[3] or 0
        for change in merged.changes:
            if change.day < before and change.old and change.old[3] and not (change.new and change.new[3]):
                self.zeroed += change.old[3]
                self.days.add(change.day)

    @property
    def too_much(self) -> bool:
        part, whole = SHARE
        return self.zeroed * whole > self.stored * part


class Proposals:
    """Held-back pulls, one item per series and slice: the oldest one that no second pull has confirmed."""

    def __init__(self, table: Table, series: str, pull: Pull) -> None:
        self._table = table
        self._pk, self._sk = f"{series}#vanish", f"{RESERVED}{pull.slice}"
        self._pull = pull

    def agreed(self, days: set[str]) -> bool:
        """Whether an older pull of another task already proposed to zero some of these days."""
        item = self._table.get(self._pk, self._sk)
        if item is None:
            return False
        other = Stamp.parse(item["stamp"]["S"])
        return (
            other < self._pull.stamp
            and other.task_id != self._pull.stamp.task_id
            and not days.isdisjoint(item["days"]["S"].split())
        )

    def hold_back(self, vanishing: Vanishing) -> None:
        """Remember the pull and raise MassVanish, unless an older one agrees."""
        if self.agreed(vanishing.days):
            return
        item = self._table.get(self._pk, self._sk)
        stamp, days = self._pull.stamp, sorted(vanishing.days)
        if item is None or Stamp.parse(item["stamp"]["S"]) > stamp or not self._near(item["days"]["S"], days):
            self._table.put(
                {
                    "pk": {"S": self._pk},
                    "sk": {"S": self._sk},
                    "stamp": {"S": str(stamp)},
                    "days": {"S": " ".join(days)},
                    "zeroed": {"N": str(vanishing.zeroed)},
                    "stored": {"N": str(vanishing.stored)},
                },
                fence=None,
            )
        raise MassVanish(
            f"the pull would zero {vanishing.zeroed / 1e6:.2f} of {vanishing.stored / 1e6:.2f} stored spend",
            zeroed=vanishing.zeroed,
            stored=vanishing.stored,
            days=len(days),
        )

    def settle(self) -> None:
        """Drop an older held-back pull for days that this pull, now let through, answers for."""
        item = self._table.get(self._pk, self._sk)
        if item is None or Stamp.parse(item["stamp"]["S"]) > self._pull.stamp:
            return
        window = self._pull.window
        if any(window.start <= date.fromisoformat(day) <= window.end for day in item["days"]["S"].split()):
            self._table.delete(self._pk, self._sk)

    @staticmethod
    def _near(stored: str, days: list[str]) -> bool:
        return not set(days).isdisjoint(stored.split())
