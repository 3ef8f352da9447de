"""Which pulls stored numbers come from: what a replay has to load again."""

from __future__ import annotations

from collections import defaultdict

from adweir.model.metrics import Series, Source
from adweir.model.tasks import Stamp
from adweir.model.times import Window
from adweir.store.metrics.buckets import RESERVED, Bucket, partitions
from adweir.store.metrics.coverage import COVERAGE, Coverage
from adweir.store.metrics.partitions import Table


def answering(table: Table, series: Series, window: Window) -> dict[Stamp, set[str]]:
    """The pulls that answer in a window → the days (ISO dates) on which each does. Raises Unavailable.

    They are the newest complete pull of each slice, the older ones that remain in its holes, and those that stand in
    the slots themselves: pulls that were not complete, and rows that were kept though a newer pull did not bring them.
    """
    found: dict[Stamp, set[str]] = defaultdict(set)
    for partition in partitions(series, Source.PULL, window):
        for item in table.query(partition.pk):
            if item["sk"]["S"] == COVERAGE:
                _from_coverage(Coverage.decode(item), set(partition.days), found)
            elif not item["sk"]["S"].startswith(RESERVED):
                for name, slot in Bucket.decode(item).slots.items():
                    if slot.stamp is not None and name in partition.names:
                        found[slot.stamp].add(partition.names[name][1])
    return dict(found)


def _from_coverage(coverage: Coverage, days: set[str], found: dict[Stamp, set[str]]) -> None:
    for day in days & coverage.days.keys():
        for answer in coverage.days[day].values():
            found[answer.stamp].add(day)
            for was in answer.holes.values():
                if was is not None:
                    found[was].add(day)
