"""Absence decided by account totals: whether the rows of a day that its newest pulls no longer bring are gone.

Where a platform reports account totals, a row that a complete pull does not bring keeps its numbers and its stamp: it
is *missing*, for deleting an ad on a platform never changes history. All missing rows of a day are decided together,
since the total does not say which of them it lost: they are gone when the day's rest (account total minus the level's
rows) does not grow by dropping them. The verdict depends on what is stored alone, so any order of loads ends in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from adweir.model.metrics import METRICS, Grain, Level, Series, Slot, Source, plus
from adweir.model.tasks import Stamp
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition, prefix
from adweir.store.metrics.coverage import COVERAGE, Coverage
from adweir.store.metrics.partitions import Table

DECIDED = (Level.CAMPAIGN, Level.AD_GROUP, Level.AD, Level.KEYWORD)
"""The levels whose missing rows account totals decide."""

_IMPRESSIONS, _SPEND = METRICS.index("impressions"), METRICS.index("spend")
_FIRST = (_SPEND, _IMPRESSIONS)
_ELSE = tuple(METRICS.index(name) for name in ("clicks", "conversions", "revenue"))


class Total(NamedTuple):
    """An account's numbers of a day, and the pull that brought them."""

    stamp: Stamp
    slot: Slot


class DaySums:
    """The sums of a level's rows by day: of those that count, and of those that are missing."""

    def __init__(self, days: Iterable[str]) -> None:
        self._brought = {day: [0] * len(METRICS) for day in days}
        self._missing: dict[str, list[int]] = {}

    def add(self, day: str, slot: Slot) -> None:
        """Count a row of the day."""
        _add(self._brought[day], slot)

    def miss(self, day: str, slot: Slot) -> None:
        """Count a missing row of the day."""
        _add(self._missing.setdefault(day, [0] * len(METRICS)), slot)

    @property
    def days(self) -> frozenset[str]:
        """The days with missing rows."""
        return frozenset(self._missing)

    def gone(self, day: str, newest: Stamp | None, total: Total | None) -> bool:
        """Whether the missing rows of a day are gone; `newest` is the newest complete pull of the level and day.

        Without a total that is at least as new they are kept. Spend and impressions decide; where the missing rows
        have neither, their other numbers do. A number that the total does not know decides for keeping.
        """
        if total is None or (newest is not None and total.stamp < newest):
            return False
        missing, brought = self._missing[day], self._brought[day]
        asked = _FIRST if missing[_SPEND] or missing[_IMPRESSIONS] else _ELSE
        for metric in asked:
            known = total.slot[metric]
            if known is None or abs(known - brought[metric]) > abs(known - brought[metric] - missing[metric]):
                return False
        return True


def _add(sums: list[int], slot: Slot) -> None:
    for metric, number in enumerate(slot):
        if number:
            sums[metric] += number


def read_totals(table: Table, series: Series, partition: Partition) -> dict[str, Total]:
    """Day → the account's newest total, from the account's partition of the same month, read consistently.

    A day whose newest row was quarantined has none; a pulled day without a row has a total of zero.
    """
    account = series._replace(level=Level.ACCOUNT, grain=Grain.DAY, breakdown="")
    coverage, sums, held = Coverage(), dict[str, Slot](), set[str]()
    for item in table.query(f"{prefix(account, Source.PULL)}#{partition.suffix}"):
        if item["sk"]["S"] == COVERAGE:
            coverage = Coverage.decode(item)
        if item["sk"]["S"].startswith(RESERVED):
            continue
        bucket = Bucket.decode(item)
        for name, slot in bucket.slots.items():
            if name in partition.names:
                day = partition.names[name][1]
                sums[day] = plus(sums[day], slot.numbers) if day in sums else slot.numbers
                if coverage.answer(day, Level.ACCOUNT, bucket.entity_id, bucket.parents)[1]:
                    held.add(day)
    found = {}
    for day in partition.days:
        stamp = coverage.newest_of_day(day)
        if stamp is not None and day not in held:
            found[day] = Total(stamp, sums.get(day, (0, 0, 0, 0, 0)))
    return found
