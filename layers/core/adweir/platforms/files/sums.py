"""Rows that are parts of a number: added up per entity and day while a file is read."""

from __future__ import annotations

from collections.abc import Iterator

from adweir.model.metrics import MetricRow, plus
from adweir.platforms.files.normalize import DropRow, Target

_HELD_BYTES = 700
"""About what a sum takes, with its key and its texts."""


class RowParts:
    """The sums of a file, each with the place and text of its first line."""

    def __init__(self) -> None:
        self._sums: dict[tuple[Target, str, str, int], DropRow] = {}

    @property
    def held(self) -> int:
        """About how many bytes they take."""
        return len(self._sums) * _HELD_BYTES

    def add(self, part: DropRow) -> None:
        """Add a row to its sum."""
        row = part.row
        key = (part.target, row.entity_id, row.day, row.hour)
        known = self._sums.get(key)
        if known is None:
            self._sums[key] = part
        else:
            _add(known.row, row)

    def rows(self) -> Iterator[DropRow]:
        """All sums, in the order of their first lines."""
        yield from self._sums.values()


def _add(total: MetricRow, row: MetricRow) -> None:
    total.impressions, total.clicks, total.conversions, total.spend, total.revenue = plus(total.slot, row.slot)
