"""`mass_vanish`: where no account total decides, a pull that would zero much stored spend waits for a second opinion.

It weighs the pull's own slice, by day and currency. Each suspicious day is a question of its own, kept until a pull of
the slice answers it, so that two windows of one series do not stand in each other's way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from adweir.model import limits
from adweir.model.errors import MassVanish
from adweir.model.metrics import METRICS
from adweir.model.money import from_micros
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import local_date, parse_instant
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition, contains
from adweir.store.metrics.merge import Merged
from adweir.store.metrics.partitions import Table

SHARE = (1, 5)
"""More than a fifth of a day's stored spend."""
SETTLED = timedelta(days=3)
"""Days older than this are settled enough to protect."""
_SPEND = METRICS.index("spend")
_DayCurrency = tuple[str, str]


@dataclass(slots=True)
class Vanishing:
    """Adds up, by settled day of a pull's window and by currency, the spend stored in its slice, and what of it the
    pull would zero."""

    pull: Pull
    stored: Counter[_DayCurrency] = field(default_factory=Counter)
    zeroed: Counter[_DayCurrency] = field(default_factory=Counter)
    settled_before: str = field(init=False)
    """The first day that is too young, ISO."""

    def __post_init__(self) -> None:
        today = local_date(parse_instant(self.pull.stamp.as_of), self.pull.timezone)
        self.settled_before = (today - SETTLED).isoformat()

    def add(self, partition: Partition, bucket: Bucket, merged: Merged) -> None:
        """Count one entity's stored bucket and what the pull would make of it."""
        before = self.settled_before
        if not contains(self.pull.slice, self.pull.level, bucket.entity_id, bucket.parents):
            return
        currencies: dict[tuple[str, int], str] = {}
        for name, slot in bucket.slots.items():
            _, day = partition.names.get(name, ("", before))
            if day < before:
                currency = slot.currency or self.pull.currency
                currencies[day, int(name[1:]) if name[0] == "h" else -1] = currency
                self.stored[day, currency] += slot.numbers[_SPEND] or 0
        for change in merged.changes:
            spend = change.old[_SPEND] if change.old else None
            if change.day < before and spend and not (change.new and change.new[_SPEND]):
                self.zeroed[change.day, currencies[change.day, change.hour]] += spend

    @property
    def suspicious(self) -> list[str]:
        """The days on which more than a fifth of the spend in some currency would be zeroed."""
        part, whole = SHARE
        return sorted({key[0] for key, zeroed in self.zeroed.items() if zeroed * whole > self.stored[key] * part})

    @property
    def question(self) -> str:
        """What the pull would zero on the suspicious days, in words."""
        days = set(self.suspicious)
        zeroed, stored = (_in_words(sums, days) for sums in (self.zeroed, self.stored))
        return f"the pull would zero {zeroed} of {stored} of stored spend on {len(days)} days"


def _in_words(sums: Mapping[_DayCurrency, int], days: Collection[str]) -> str:
    """The exact sum per currency."""
    by_currency: Counter[str] = Counter()
    for (day, currency), spend in sums.items():
        if day in days:
            by_currency[currency] += spend
    return " and ".join(f"{from_micros(spend):f} {currency}" for currency, spend in sorted(by_currency.items()))


class Proposals:
    """The questions of held-back pulls: one item per series, slice and day, of the oldest pull that asks."""

    def __init__(self, table: Table, series: str, pull: Pull) -> None:
        self._table = table
        self._pk = f"{series}#vanish"
        self._pull = pull

    def hold_back(self, vanishing: Vanishing) -> None:
        """Raise MassVanish and remember the days, unless an older pull of another task asked about each of them."""
        stamp, open_, suspicious = self._pull.stamp, self._open(), vanishing.suspicious
        if all(day in open_ and open_[day] < stamp and open_[day].task_id != stamp.task_id for day in suspicious):
            return
        for day in suspicious:
            if day not in open_ or open_[day] > stamp:
                item = {"pk": {"S": self._pk}, "sk": {"S": self._sk(day)}, "stamp": {"S": str(stamp)}}
                self._table.put(item, fence=None)
        raise MassVanish(vanishing.question, days=len(suspicious))

    def settle(self) -> None:
        """Drop the questions that this pull, now let through, answers."""
        window = self._pull.window
        for day, stamp in self._open().items():
            if stamp <= self._pull.stamp and window.start.isoformat() <= day <= window.end.isoformat():
                self._table.delete(self._pk, self._sk(day))

    def _open(self) -> dict[str, Stamp]:
        """Day → the pull that asked, of this slice. Questions that are too old are dropped."""
        oldest = parse_instant(self._pull.stamp.as_of) - timedelta(days=limits.MAX_VANISH_QUESTION_DAYS)
        found: dict[str, Stamp] = {}
        for item in self._table.query(self._pk):
            slice_, _, day = item["sk"]["S"].rpartition("#")
            if slice_ != f"{RESERVED}{self._pull.slice}":
                continue
            stamp = Stamp.parse(item["stamp"]["S"])
            if parse_instant(stamp.as_of) < oldest:
                self._table.delete(self._pk, self._sk(day))
            else:
                found[day] = stamp
        return found

    def _sk(self, day: str) -> str:
        return f"{RESERVED}{self._pull.slice}#{day}"
