"""`mass_vanish`: where no account total decides, a pull that would zero much stored spend waits for a second opinion.

It weighs the pull's own slice, by day and currency. Each suspicious day is a question of its own, kept until a pull of
the slice answers it, so that two windows of one series do not stand in each other's way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
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

SHARE = 5
"""More than a fifth of a day's stored spend."""
SETTLED = timedelta(days=3)
"""Days older than this are settled enough to protect."""
_SPEND = METRICS.index("spend")
_DayCurrency = tuple[str, str]


class Vanishing:
    """Adds up, by settled day of a pull's window and by currency, the spend stored in its slice, and what of it the
    pull would zero. `settled_before` is the first day that is too young, ISO."""

    def __init__(self, pull: Pull) -> None:
        self._pull = pull
        self._stored: Counter[_DayCurrency] = Counter()
        self._zeroed: Counter[_DayCurrency] = Counter()
        today = local_date(parse_instant(pull.stamp.as_of), pull.timezone)
        self.settled_before = (today - SETTLED).isoformat()

    def add(self, partition: Partition, bucket: Bucket, merged: Merged) -> None:
        """Count one entity's stored bucket and what the pull would make of it."""
        pull = self._pull
        if not contains(pull.slice, pull.level, bucket.entity_id, bucket.parents):
            return
        after = merged.bucket.slots if merged.bucket else {}
        for name, (_, day) in partition.names.items():
            slot = bucket.slots.get(name)
            spend = slot.numbers[_SPEND] if slot else None
            if slot and spend and day < self.settled_before:
                key = day, slot.currency or pull.currency
                self._stored[key] += spend
                if name not in after or not after[name].numbers[_SPEND]:
                    self._zeroed[key] += spend

    @property
    def suspicious(self) -> list[str]:
        """The days on which more than a fifth of the spend in some currency would be zeroed."""
        return sorted({key[0] for key, zeroed in self._zeroed.items() if zeroed * SHARE > self._stored[key]})

    @property
    def question(self) -> str:
        """What the pull would zero on the suspicious days, in words."""
        days = set(self.suspicious)
        zeroed, stored = (_in_words(sums, days) for sums in (self._zeroed, self._stored))
        return f"the pull would zero {zeroed} of {stored} of stored spend on {len(days)} days"


def _in_words(sums: Mapping[_DayCurrency, int], days: Collection[str]) -> str:
    """The exact sum per currency."""
    by_currency: Counter[str] = Counter()
    for (day, currency), spend in sums.items():
        if day in days:
            by_currency[currency] += spend
    return " and ".join(f"{from_micros(spend)} {currency}" for currency, spend in sorted(by_currency.items()))


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
            key, stamp = item["sk"]["S"], Stamp.parse(item["stamp"]["S"])
            if not key.startswith(self._sk("")):
                continue
            if parse_instant(stamp.as_of) < oldest:
                self._table.delete(self._pk, key)
            else:
                found[key.removeprefix(self._sk(""))] = stamp
        return found

    def _sk(self, day: str) -> str:
        return f"{RESERVED}{self._pull.slice}#{day}"
