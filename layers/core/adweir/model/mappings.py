"""How files of a source are read: which of their columns is which of our fields, and how it is written.

A `Mapping`'s JSON is what `GET/PUT /api/v1/mappings/{source}` and the bucket hold; docs/mappings.md explains each
field.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from adweir.model import limits
from adweir.model.data_types import DATA_TYPES, Kind
from adweir.model.errors import BadInput
from adweir.model.times import is_zone

SOURCE_PATTERN = r"^[a-z][a-z0-9_]{1,39}$"
CURRENCY_SLOT = "{currency}"
"""In the name of a column: a currency's code or sign, as in `Amount spent (EUR)`."""

SourceName = Annotated[str, StringConstraints(pattern=SOURCE_PATTERN, max_length=40)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$", max_length=40)]
ColumnName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.MAX_NAME_CHARS)]
Text = Annotated[str, StringConstraints(max_length=limits.MAX_NAME_CHARS)]
Names = Annotated[tuple[ColumnName, ...], Field(max_length=limits.MAX_MAPPING_NAMES)]
TextEncoding = Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
"""Of text without a byte order mark."""
Texts = Annotated[tuple[Text, ...], Field(max_length=limits.MAX_MAPPING_NAMES)]


class Unit(StrEnum):
    """What a column counts in. MINOR: a currency's smallest unit, such as cents; PERCENT: 12.5 is 0.125."""

    ONES = "ones"
    THOUSANDS = "thousands"
    PERCENT = "percent"
    MINOR = "minor"
    MICROS = "micros"


RANGE = ("range_start", "range_end")
"""Fields that only mappings have: the days that a row is of, where it need not be a single one."""
NUMBERS = frozenset({Kind.COUNT, Kind.AMOUNT, Kind.NUMBER, Kind.EXACT})
DAYS = frozenset({Kind.DAY, Kind.MOMENT})


def kinds_of(data_type: str) -> dict[str, Kind]:
    """What a mapping of a data type can fill, and how the cells of each field are written. Raises ValueError."""
    known = DATA_TYPES.get(data_type)
    if known is None:
        raise ValueError(f"data_type is unknown; known: {', '.join(sorted(DATA_TYPES))}")
    kinds = {column.name: column.kind for column in known.columns}
    return kinds | (dict.fromkeys(RANGE, Kind.DAY) if "date" in kinds else {})


class _MappingPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class MappedColumn(_MappingPart):
    """A field of ours and the column that it is read from.

    `names`: the column's names, one per language or version of the tool. Where a file has several of them, a row's
    value is that of the first which is not empty. `plus` and `minus`: columns that are added and taken away, those that
    the file has.
    """

    field: FieldName
    names: Names = Field(min_length=1)
    unit: Unit = Unit.ONES
    required: bool = Field(default=False, description="Whether a file without this column is refused.")
    plus: Names = ()
    minus: Names = ()


class RowRule(_MappingPart):
    """Rows by the text of a cell, in any case: it begins with one of `begins`, is one of `equals`, or is empty.

    `column`: the column's names; without one, the first column of the file. `optional`: in `keep`, a file without the
    column keeps all rows.
    """

    column: Names = ()
    begins: Texts = ()
    equals: Texts = ()
    empty: bool = False
    optional: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.begins or self.equals or self.empty):
            raise ValueError("a rule has begins, equals or empty")
        return self


class FileForm(_MappingPart):
    """What is known of the file's form; all of it is found out where it is not said."""

    delimiter: Literal[",", ";", "\t", "|"] | None = None
    encoding: TextEncoding | None = None
    preamble: int | None = Field(
        default=None, ge=0, le=limits.MAX_PREAMBLE_LINES, description="Lines before the header."
    )


class Mapping(_MappingPart):
    """How files of one source and data type are read."""

    source: SourceName
    data_type: FieldName
    columns: tuple[MappedColumn, ...] = Field(min_length=1, max_length=limits.MAX_DROP_COLUMNS)
    constants: dict[FieldName, Text] = Field(
        default={}, max_length=limits.MAX_MAPPING_NAMES, description="Fields with the same value in all rows."
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="The decimal mark; without it, it is found out from all numbers of a file."
    )
    date_order: Literal["ymd", "dmy", "mdy"] | None = Field(
        default=None, description="The order of a date's parts; without it, it is found out from all dates of a file."
    )
    timezone: Text = Field(
        default="", description="The IANA zone of times without an offset; the ad account's by default."
    )
    empty: Texts = Field(default=(), description="Further texts that mean that a cell is empty.")
    skip: tuple[RowRule, ...] = Field(
        default=(), max_length=limits.MAX_MAPPING_NAMES, description="Rows that are no data, such as totals."
    )
    keep: tuple[RowRule, ...] = Field(
        default=(), max_length=limits.MAX_MAPPING_NAMES, description="Of the others, only rows that meet all of these."
    )
    adds_up: bool = Field(
        default=False,
        description="Whether rows of one object and day are parts of it; else the first one counts.",
    )
    form: FileForm = FileForm()
    header_from: Text = Field(default="", description="Where the names of the columns were seen.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        fields = [column.field for column in self.columns]
        kinds = kinds_of(self.data_type)
        unknown = sorted({*fields, *self.constants} - kinds.keys())
        if unknown:
            known = ", ".join(kinds)
            raise ValueError(f"{self.data_type} has no field {', '.join(unknown)}; known: {known}")
        twice = {field for field in fields if fields.count(field) > 1}
        if twice:
            raise ValueError(f"each field has one entry in columns; several: {', '.join(sorted(twice))}")
        both = self.constants.keys() & set(fields)
        if both:
            raise ValueError(f"in columns and in constants: {', '.join(sorted(both))}")
        wrong = [field for field in self.constants if kinds[field] in DAYS | NUMBERS]
        if wrong:
            raise ValueError(f"no constant can be {', '.join(sorted(wrong))}")
        for column in self.columns:
            if kinds[column.field] not in NUMBERS and (column.unit != Unit.ONES or column.plus or column.minus):
                raise ValueError(f"{column.field} is no number: it has no unit, no plus and no minus")
        return self._bounded()

    def _bounded(self) -> Self:
        named = [name for column in self.columns for name in (*column.names, *column.plus, *column.minus)]
        in_minor = any(column.unit is Unit.MINOR for column in self.columns)
        says = self.column("currency") or "currency" in self.constants or any(CURRENCY_SLOT in name for name in named)
        if in_minor and not says:
            raise ValueError(
                "money in minor units needs a currency: a column, a constant or {currency} in a column's name"
            )
        if self.timezone and not is_zone(self.timezone):
            raise ValueError("timezone is not the name of an IANA time zone")
        if len(self.model_dump_json()) > limits.MAX_MAPPING_CHARS:
            raise ValueError(f"a mapping has at most {limits.MAX_MAPPING_CHARS} characters as JSON")
        return self

    @property
    def digest(self) -> str:
        """What tells mappings apart that read a file in different ways."""
        said = self.model_dump_json(exclude={"header_from"})
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def column(self, field: str) -> MappedColumn | None:
        """The entry of a field, None where no column has it."""
        return next((column for column in self.columns if column.field == field), None)


def parse_mapping(value: Any) -> Mapping:
    """JSON as Python values, or its text as bytes → Mapping. Raises BadInput that names each fault and its place."""
    try:
        if isinstance(value, bytes):
            return Mapping.model_validate_json(value)
        return Mapping.model_validate(value)
    except ValidationError as error:
        faults = [
            {
                "field": ".".join(str(part) for part in fault["loc"]) or "mapping",
                "message": fault["msg"].removeprefix("Value error, "),
            }
            for fault in error.errors(include_url=False, include_input=False)[: limits.MAX_REQUEST_FAULTS]
        ]
        named = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults[:5])
        raise BadInput(f"not a mapping: {named}"[: 4 * limits.MAX_REASON_CHARS], faults) from None
