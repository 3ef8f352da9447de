"""What the built-in mappings are made of."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from typing import Any

from adweir.model.mappings import MappedColumn, Mapping, RowRule, Unit

Columns = Iterable[MappedColumn]


def column(
    field: str,
    *names: str,
    unit: Unit = Unit.ONES,
    required: bool = False,
    plus: tuple[str, ...] = (),
    minus: tuple[str, ...] = (),
) -> MappedColumn:
    """A field and the names of its column."""
    return MappedColumn(field=field, names=names, unit=unit, required=required, plus=plus, minus=minus)


def begins(*texts: str, column: tuple[str, ...] = ()) -> RowRule:
    """Rows whose cell begins with one of these; without a column, the first cell."""
    return RowRule(column=column, begins=texts)


def equals(*texts: str, column: tuple[str, ...] = ()) -> RowRule:
    """Rows whose cell is one of these."""
    return RowRule(column=column, equals=texts)


def empty(*names: str) -> RowRule:
    """Rows without anything in a column; of several columns that a file has, in one of them."""
    return RowRule(column=names, empty=True)


def by_level(source: str, common: Columns, levels: Dict[str, Columns], **said: Any) -> tuple[Mapping, ...]:
    """One mapping per level: the common columns and those of the level."""
    shared = tuple(common)
    return tuple(
        Mapping(source=source, data_type=f"{level}_performance", columns=(*own, *shared), **said)
        for level, own in levels.items()
    )
