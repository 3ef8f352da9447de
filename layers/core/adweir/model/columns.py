"""Metric rows by column: a column is checked, converted and packed many times faster than its numbers one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from msgspec.structs import astuple

from adweir.model.metrics import Deltas, MetricRow

_FIELDS = MetricRow.__struct_fields__[:-1]
"""All but `rounding`, which few rows have."""
_FIGURES = slice(_FIELDS.index("impressions"), _FIELDS.index("revenue") + 1)


@dataclass(frozen=True, slots=True, eq=False)
class MetricColumns(Sequence[MetricRow]):
    """Rows that can be read, by column: a field has the values of all rows under the name that it has in one row.

    As a sequence it has the rows, which are made anew each time. `rounded` has the rounding of those that have one, by
    their place. `unknown`: some number may be None.
    """

    entity_id: Sequence[str]
    day: Sequence[str]
    impressions: Sequence[int | None]
    clicks: Sequence[int | None]
    conversions: Sequence[int | None]
    spend: Sequence[int | None]
    revenue: Sequence[int | None]
    campaign_id: Sequence[str]
    ad_group_id: Sequence[str]
    hour: Sequence[int]
    currency: Sequence[str]
    ad_product: Sequence[str]
    line: Sequence[int]
    rounded: Mapping[int, Deltas] = field(default_factory=dict)
    unknown: bool = False

    @classmethod
    def of(cls, rows: Sequence[MetricRow]) -> MetricColumns:
        """The same rows; of columns, themselves."""
        if isinstance(rows, MetricColumns):
            return rows
        columns: list[Any] = list(zip(*map(astuple, rows), strict=True)) if rows else [()] * len(_FIELDS)
        rounded = {place: row.rounding for place, row in enumerate(rows) if row.rounding is not None}
        unknown = any(type(None) in set(map(type, numbers)) for numbers in columns[_FIGURES])
        return cls(**dict(zip(_FIELDS, columns, strict=False)), rounded=rounded, unknown=unknown)

    @property
    def figures(self) -> tuple[Sequence[int | None], ...]:
        """The numbers, in the order of `METRICS`."""
        return self.impressions, self.clicks, self.conversions, self.spend, self.revenue

    def __len__(self) -> int:
        return len(self.entity_id)

    def __iter__(self) -> Iterator[MetricRow]:
        columns: list[Iterable[Any]] = [getattr(self, name) for name in _FIELDS]
        make: Callable[..., MetricRow] = MetricRow
        return map(make, *columns, map(self.rounded.get, range(len(self))))

    @overload
    def __getitem__(self, place: int) -> MetricRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[MetricRow]: ...
    def __getitem__(self, place: int | slice) -> MetricRow | list[MetricRow]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        make: Callable[..., MetricRow] = MetricRow
        return make(*(getattr(self, name)[place] for name in _FIELDS), self.rounded.get(place % len(self)))
