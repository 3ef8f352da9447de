"""Rows that are parts of a number: added up per entity and day while a file is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, count
from operator import add
from typing import Any, cast

from adweir.model.columns import MetricColumns
from adweir.model.metrics import Slot, plus
from adweir.platforms.files.batches import DropBatch, Wanted
from adweir.platforms.files.normalize import Target

SUM_BYTES = 700
"""About what a sum takes, with its key and its texts."""
_SHOWN = 2_000
_TOGETHER = 2_000
"""Sums that are handed on together."""
_ABOUT = ("campaign_id", "ad_group_id", "currency", "ad_product", "line")
_Key = tuple[str, str, int]


class _TargetSums:
    """The sums of one target, each with the place and text of its first line."""

    def __init__(self) -> None:
        self.places: dict[_Key, int] = {}
        self.slots: list[Slot] = []
        self.about: dict[str, list[Any]] = {name: [] for name in _ABOUT}
        self.texts: list[str] = []

    def add(self, rows: MetricColumns, texts: Sequence[str], wanted: Sequence[bool] | None) -> None:
        keys: list[_Key] = list(zip(rows.entity_id, rows.day, rows.hour, strict=True))
        slots = cast("list[Slot]", list(zip(*rows.figures, strict=True)))
        about: dict[str, Sequence[Any]] = {name: getattr(rows, name) for name in _ABOUT}
        if wanted is not None:
            keys, slots, texts = (list(compress(each, wanted)) for each in (keys, slots, texts))  # type: ignore[assignment]
            about = {name: list(compress(column, wanted)) for name, column in about.items()}
        new = set(keys)
        if len(new) < len(keys) or not self.places.keys().isdisjoint(new):
            first = self._add_known(keys, slots)
            keys, slots = list(compress(keys, first)), list(compress(slots, first))
            texts, about = list(compress(texts, first)), {n: list(compress(each, first)) for n, each in about.items()}
        else:
            self.places.update(zip(keys, count(len(self.places))))
            self.slots += slots
        self.texts += [text[:_SHOWN] for text in texts]
        for name, column in about.items():
            self.about[name] += column

    def _add_known(self, keys: Sequence[_Key], slots: Sequence[Slot]) -> list[bool]:
        """Add each row to its sum; returns which were the first of theirs."""
        places, sums, first = self.places, self.slots, []
        for key, slot in zip(keys, slots, strict=True):
            place = places.setdefault(key, len(sums))
            first.append(place == len(sums))
            if place == len(sums):
                sums.append(slot)
            elif None in slot or None in sums[place]:
                sums[place] = plus(sums[place], slot)
            else:
                sums[place] = cast("Slot", tuple(map(add, sums[place], slot)))
        return first


class RowParts:
    """The sums of a file."""

    def __init__(self) -> None:
        self._sums: dict[Target, _TargetSums] = {}

    @property
    def held(self) -> int:
        """About how many bytes they take."""
        return sum(len(each.places) for each in self._sums.values()) * SUM_BYTES

    def add(self, parts: DropBatch, wanted: Wanted | None = None) -> None:
        """Add rows to their sums; of those that are wanted, None for all."""
        kept = wanted(parts) if wanted else None
        if kept is not None and not any(kept):
            return
        whole = kept is None or all(kept)
        self._sums.setdefault(parts.target, _TargetSums()).add(
            MetricColumns.of(parts.rows), parts.texts, None if whole else kept
        )

    def batches(self) -> Iterator[DropBatch]:
        """All sums, those of each target in the order of their first lines."""
        for target, sums in self._sums.items():
            keys = list(sums.places)
            for start in range(0, len(keys), _TOGETHER):
                part = slice(start, start + _TOGETHER)
                entities, days, hours = zip(*keys[part], strict=True)
                figures = zip(*sums.slots[part], strict=True)
                impressions, clicks, conversions, spend, revenue = figures
                about: dict[str, Any] = {name: column[part] for name, column in sums.about.items()}
                rows = MetricColumns(
                    entities, days, impressions, clicks, conversions, spend, revenue, hour=hours, unknown=True, **about
                )
                yield DropBatch(target, rows, sums.texts[part])
