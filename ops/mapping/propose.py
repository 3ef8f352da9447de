"""A header and the first rows → what each column is, and the mapping that says so.

First come the built-in mappings, then words in seven languages, checked against what the cells look like. What follows
from other columns (rates, costs per click) is left out on purpose; what is not certain is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from adweir.model.data_types import DATA_TYPES
from adweir.model.mappings import CURRENCY_SLOT, SOURCE_PATTERN, MappedColumn, Mapping, RowRule, Unit
from adweir.platforms.files.headers import HeaderNames
from ops.mapping import words
from ops.mapping.fields import NOT_NEEDED, FileColumn, FoundField, fields_of
from ops.mapping.known import find
from ops.mapping.matching import grouped, label_of
from ops.mapping.shapes import Looks, shape_of
from ops.mapping.types import data_type_of

ROWS = 200
"""How many of the first rows are looked at."""


@dataclass(frozen=True)
class Suggestion:
    """What a column is: a field, "" for one that is not read; why; whether that is sure.

    `sign`: `plus` or `minus` where it is added to the field's own column, or subtracted from it.
    """

    column: str
    field: str
    why: str
    sure: bool = True
    unit: Unit = Unit.ONES
    name: str = ""
    samples: tuple[str, ...] = ()
    sign: str = ""


@dataclass(frozen=True)
class Proposal:
    """A mapping that is proposed. `notes` are what to know of it. `is_known`: `built_in` reads it as it is."""

    source: str
    data_type: str
    columns: tuple[Suggestion, ...]
    constants: Dict[str, str] = field(default_factory=dict)
    skip: tuple[RowRule, ...] = ()
    keep: tuple[RowRule, ...] = ()
    adds_up: bool = False
    notes: tuple[str, ...] = ()
    built_in: Mapping | None = None
    is_known: bool = False

    @property
    def unsure(self) -> tuple[Suggestion, ...]:
        """The columns to ask about."""
        return tuple(each for each in self.columns if not each.sure)

    def answered(self, column: str, field_name: str) -> Proposal:
        """With a column that somebody said; another column of that field is no longer read."""
        said = []
        for each in self.columns:
            if each.column == column:
                said.append(replace(each, field=field_name, sure=True, why="you said so"))
            elif field_name and each.field == field_name:
                said.append(replace(each, field="", sure=True, why=f"{column} is it"))
            else:
                said.append(each)
        return replace(self, columns=tuple(said), built_in=None, is_known=False)

    def with_constants(self, values: Dict[str, str]) -> Proposal:
        """With fields that somebody gave one value for all rows; their columns are no longer read."""
        if not values:
            return self
        built_in = self.built_in
        if built_in is not None:
            left = tuple(column for column in built_in.columns if column.field not in values)
            built_in = built_in.model_copy(update={"columns": left, "constants": {**built_in.constants, **values}})
        return replace(
            self,
            columns=tuple(replace(c, field="", why="you gave it") if c.field in values else c for c in self.columns),
            constants={**self.constants, **values},
            notes=tuple(note for note in self.notes if note not in {f"no column is the {name}" for name in values}),
            built_in=built_in,
            is_known=False,
        )

    def mapping(self) -> Mapping:
        """The mapping. Raises ValueError for one that cannot be."""
        if self.built_in is not None and self.built_in.source == self.source:
            return self.built_in
        taken = [
            MappedColumn(field=each.field, names=(each.name or each.column,), unit=each.unit)
            for each in self.columns
            if each.field
        ]
        return Mapping(
            source=self.source,
            data_type=self.data_type,
            columns=tuple(taken),
            constants={name: text for name, text in self.constants.items() if name not in {c.field for c in taken}},
            skip=self.skip,
            keep=self.keep,
            adds_up=self.adds_up,
            header_from="proposed by adweir map",
        )


def propose(
    header: Sequence[str], rows: Sequence[Dict[str, str]], *, source: str = "", data_type: str = "", file: str = ""
) -> Proposal:
    """What a file's columns are. `source` and `data_type` where they are known; `file` is its name."""
    known = find(header, source, data_type)
    if known is not None and source in {"", known.source}:
        return _built_in(known, header, rows)
    labels = grouped([label_of(name) for name in header])
    columns = [FileColumn(label, shape_of([row.get(label.column, "") for row in rows])) for label in labels]
    kind = data_type or data_type_of(columns)
    found = fields_of(kind, columns)
    constants = _constants(kind, columns, found)
    return Proposal(
        source=source or _source_of(file),
        data_type=kind,
        columns=tuple(_suggestion(column, found) for column in columns),
        constants=constants,
        skip=_skipped(rows, found),
        keep=_kept(kind, columns, rows),
        adds_up=DATA_TYPES[kind].adds_up or _has_parts(kind, columns, rows, found),
        notes=tuple(_notes(kind, columns, found)),
    )


def _built_in(known: Mapping, header: Sequence[str], rows: Sequence[Dict[str, str]]) -> Proposal:
    names, of = HeaderNames(header), dict[str, tuple[str, str]]()
    for column in known.columns:
        for sign, called in (("", column.names), ("plus", column.plus), ("minus", column.minus)):
            for each in names.find(called):
                of.setdefault(each.name, (column.field, sign))
    columns = [
        Suggestion(
            name,
            of[name][0] if name in of else "",
            f"a column of {known.source}" if name in of else NOT_NEEDED,
            samples=shape_of([row.get(name, "") for row in rows]).samples,
            sign=of[name][1] if name in of else "",
        )
        for name in header
    ]
    dated = {"date", "range_start"} & {field for field, _ in of.values()}
    notes = [] if dated else ["the file has no column of days: export it by day, else its rows have no day"]
    return Proposal(
        known.source,
        known.data_type,
        tuple(columns),
        known.constants,
        known.skip,
        known.keep,
        known.adds_up,
        tuple(notes),
        known,
        is_known=True,
    )


def _suggestion(column: FileColumn, found: Dict[str, FoundField]) -> Suggestion:
    label = column.label
    mine = next(((name, each) for name, each in found.items() if each.column == label.column), None)
    if mine is None:
        return Suggestion(label.column, "", column.left_out, sure=not column.doubtful, samples=column.shape.samples)
    name, each = mine
    written = label.name if CURRENCY_SLOT in label.name and name in _NUMBERS else label.column
    unit = label.unit if name in _NUMBERS else Unit.ONES
    return Suggestion(label.column, name, each.why, each.sure, unit, written, column.shape.samples)


def _constants(kind: str, columns: Sequence[FileColumn], found: Dict[str, FoundField]) -> dict[str, str]:
    """A series that has no name of its own is called as its column is."""
    if kind in {"kpi_series", "controls"} and "name" not in found and "value" in found:
        return {"name": next(c.label.words for c in columns if c.label.column == found["value"].column)[:40]}
    return {}


def _skipped(rows: Sequence[Dict[str, str]], found: Dict[str, FoundField]) -> tuple[RowRule, ...]:
    """Rows without a day are totals."""
    day = found.get("date")
    if day is None or all(row.get(day.column, "").strip() for row in rows):
        return ()
    return (RowRule(column=(day.column,), empty=True),)


def _kept(kind: str, columns: Sequence[FileColumn], rows: Sequence[Dict[str, str]]) -> tuple[RowRule, ...]:
    """Of orders those that were paid, of deals those that were won, where a column says so."""
    wanted = {"orders": words.PAID, "deals": words.WON}.get(kind)
    if wanted is None:
        return ()
    for column in columns:
        if not column.label.tokens & words.STATE or column.shape.looks is not Looks.TEXT:
            continue
        texts = {row.get(column.label.column, "").strip() for row in rows} - {""}
        taken = sorted(text for text in texts if words.plain(text) in wanted)
        if taken and (len(taken) < len(texts) or kind == "deals"):
            return (RowRule(column=(column.label.column,), equals=tuple(taken)),)
    return ()


def _has_parts(
    kind: str, columns: Sequence[FileColumn], rows: Sequence[Dict[str, str]], found: Dict[str, FoundField]
) -> bool:
    """Whether an object and day has several rows, or a column that cuts it."""
    if not kind.endswith(("_performance", "_performance_hourly")):
        return False
    if any(column.label.tokens & words.CUTS for column in columns):
        return True
    keys = [each.column for name, each in found.items() if name.endswith(("_id", "_name", "_text")) or name in _WHEN]
    seen = Counter(tuple(row.get(key, "") for key in keys) for row in rows)
    return any(times > 1 for times in seen.values())


_NUMBERS = frozenset({"impressions", "clicks", "spend", "conversions", "revenue", "refunded", "value", "amount"})
"""Fields that may have a unit, and a currency in their column's name."""
_WHEN = frozenset({"date", "hour", "platform"})


def _notes(kind: str, columns: Sequence[FileColumn], found: Dict[str, FoundField]) -> list[str]:
    required = [name for name in DATA_TYPES[kind].required if name not in found]
    notes = [f"no column is the {name}" for name in required if name not in {"date", "name"}]
    if "date" in required and "range_start" not in found:
        notes.append("the file has no column of days: export it by day, else its rows have no day")
    if DATA_TYPES[kind].one_of and not set(DATA_TYPES[kind].one_of) & set(found):
        notes.append(f"no column is one of {', '.join(DATA_TYPES[kind].one_of)}")
    said = {c.label.currency for c in columns if c.label.currency}
    if len(said) > 1:
        notes.append(f"columns are in several currencies: {', '.join(sorted(said))}")
    return notes


def _source_of(file: str) -> str:
    """A name for the source, of the file's: `Criteo Report 2026-01.csv` → `criteo_report`."""
    stem = PurePath(file).name.partition(".")[0]
    parts = [each for each in words.plain(stem).split() if not any(letter.isdigit() for letter in each)]
    name = "_".join(parts)[:40].strip("_")
    return name if re.match(SOURCE_PATTERN, name) else "files"
