"""Rows that a platform splits further than we do, added up by entity and day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.model.metrics import BadRow, Deltas, MetricRow
from adweir.platforms.connector import RowBatch

_BATCH = 4096


class RowSums:
    """Sums by entity, day and currency. Raises TooLarge for more of them than memory should hold.

    A sum that lacks a part is none: where one of its rows cannot be read, that entity's day has no row.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], MetricRow] = {}
        self._partial: set[tuple[str, str]] = set()

    def add(self, batch: RowBatch) -> list[BadRow]:
        """Take in rows; unknown stays unknown. Returns the bad ones."""
        self._add_rows(batch.rows)
        self._partial.update((bad.entity_id, bad.day) for bad in batch.bad if bad.entity_id)
        if len(self._rows) + len(self._partial) > limits.MAX_SUMMED_ROWS:
            raise TooLarge(f"more than {limits.MAX_SUMMED_ROWS} sums of an entity's day: pull fewer days at a time")
        return batch.bad

    def _add_rows(self, rows: Sequence[MetricRow]) -> None:
        for row in rows:
            key = (row.entity_id, row.day, row.currency)
            held = self._rows.get(key)
            if held is None:
                self._rows[key] = row
                continue
            held.impressions = _plus(held.impressions, row.impressions)
            held.clicks = _plus(held.clicks, row.clicks)
            held.conversions = _plus(held.conversions, row.conversions)
            held.spend = _plus(held.spend, row.spend)
            held.revenue = _plus(held.revenue, row.revenue)
            if row.rounding is not None:
                held.rounding = row.rounding if held.rounding is None else _both(held.rounding, row.rounding)

    def renamed(self, name: Callable[[str], str]) -> RowSums:
        """The sums under other names of their entities; what then has the same name is added up. Empties this one."""
        found = RowSums()
        found._partial = {(name(entity), day) for entity, day in self._partial}
        while self._rows:
            _, row = self._rows.popitem()
            row.entity_id = name(row.entity_id)
            found._add_rows([row])
        return found

    def batches(self) -> Iterator[RowBatch]:
        """The sums."""
        rows = [row for (entity, day, _), row in self._rows.items() if (entity, day) not in self._partial]
        for at in range(0, len(rows), _BATCH):
            yield RowBatch(rows[at : at + _BATCH], [])


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _both(one: Deltas, other: Deltas) -> Deltas:
    return cast("Deltas", tuple(a + b for a, b in zip(one, other, strict=True)))
