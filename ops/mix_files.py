"""The CSV files of `adweir mmm fit`: a table of KPI, spend and controls, and experiments.

Comma, semicolon or tab separate fields, a byte order mark is skipped, and rows may come in any order. Numbers have a
decimal point, days are written as 2026-11-01: anything else is an error that says where it is and what to write.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adweir.insight.mmm.fit.frame import Floats, LiftTest, MixFrame
from adweir.model import limits
from ops.errors import CommandFailed

LIFT_COLUMNS = ("channel", "first", "last", "spend", "effect", "low", "high")
_SEPARATORS = (",", ";", "\t")
_NO_NUMBER = frozenset({"", "-", "na", "n/a", "nan", "none", "null", "#n/a"})
Names = tuple[str, ...]


class ColumnRoles(NamedTuple):
    """Which columns are what. Without `geo` the file is one country's."""

    day: str
    kpi: str
    channels: Names
    controls: Names
    geo: str = ""
    population: str = ""

    @property
    def columns(self) -> Names:
        """All of them, in the order in which faults are looked for."""
        others = (each for each in (self.geo, self.population) if each)
        return (self.day, *others, self.kpi, *self.channels, *self.controls)


class FileRow(NamedTuple):
    """A row, and the line of the file that it ends on."""

    number: int
    fields: Mapping[str, str]


def names_of(text: str) -> Names:
    """`A, B` as names."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def read_frame(file: Path, roles: ColumnRoles, lift: Path | None = None) -> MixFrame:
    """A CSV file with one row per period, or per geo and period. Raises CommandFailed; what is wrong with the numbers,
    the fit says.
    """
    if twice := [name for place, name in enumerate(roles.columns) if name in roles.columns[:place]]:
        raise CommandFailed(
            f"the column {twice[0]!r} is named twice: each is one of date, KPI, channel, control or geo"
        )
    lines = _lines(file, roles.columns)
    days = {line.number: _day(line.fields[roles.day], _place(file, line, roles.day)) for line in lines}
    geos = tuple(sorted({_geo(file, line, roles) for line in lines}))
    dates = tuple(sorted(set(days.values())))
    grid = _grid(file, lines, lambda line: (_geo(file, line, roles), days[line.number]))
    ordered = [[_cell(file, grid, geo, day) for day in dates] for geo in geos]

    def columns(names: Names) -> Floats:
        found = [
            [[_number(line.fields[name], _place(file, line, name)) for line in row] for row in ordered]
            for name in names
        ]
        return np.array(found, dtype=np.float64).reshape(len(names), len(geos), len(dates))

    return MixFrame(
        dates=dates,
        kpi=columns((roles.kpi,))[0],
        channels=roles.channels,
        spend=columns(roles.channels),
        control_names=roles.controls,
        controls=columns(roles.controls),
        geos=geos,
        population=_people(geos, columns((roles.population,))[0]) if roles.population else None,
        lift_tests=tuple(_tests(lift)) if lift else (),
    )


def _geo(file: Path, line: FileRow, roles: ColumnRoles) -> str:
    if not roles.geo:
        return ""
    if not (name := line.fields[roles.geo].strip()):
        raise CommandFailed(f"{_place(file, line, roles.geo)} is empty: each row needs its geo")
    return name


def _grid(
    file: Path, lines: Sequence[FileRow], key: Callable[[FileRow], tuple[str, date]]
) -> dict[tuple[str, date], FileRow]:
    found: dict[tuple[str, date], FileRow] = {}
    for line in lines:
        geo, day = place = key(line)
        if place in found:
            one, unit = (f"{day} of {geo}", "geo and period") if geo else (f"{day}", "period")
            also = "" if geo else "; where rows are of regions, name their columns with --geo and --population"
            raise CommandFailed(
                f"{file.name}: line {line.number}: {one} is there twice (line {found[place].number}): a file has one"
                f" row per {unit}{also}"
            )
        found[place] = line
    return found


def _cell(file: Path, grid: Mapping[tuple[str, date], FileRow], geo: str, day: date) -> FileRow:
    if (geo, day) not in grid:
        raise CommandFailed(
            f"{file.name}: {geo} has no row for {day}: each geo needs each period, with 0 where nothing ran"
        )
    return grid[geo, day]


def _people(geos: Names, population: Floats) -> Floats:
    """(G,): of (G, T), which is the same in each row of a geo."""
    for geo, values in zip(geos, population, strict=True):
        if (values != values[0]).any() and not np.isnan(values).all():
            other = float(values[values != values[0]][0])
            said = f"the population of {geo or 'the file'} is {values[0]:g} and {other:g}"
            raise CommandFailed(f"{said}: it has to be the same in all rows")
    return population[:, 0]


def _lines(file: Path, needed: Names) -> list[FileRow]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            separator = _separator(stream.readline(), needed)
            stream.seek(0)
            return list(_read(csv.DictReader(stream, delimiter=separator), file, needed))
    except UnicodeDecodeError:
        raise CommandFailed(f"{file.name} is not UTF-8 text: save it as 'CSV UTF-8'") from None
    except csv.Error as error:
        raise CommandFailed(f"{file.name} is not a CSV file: {error}") from None


def _separator(header: str, needed: Names) -> str:
    """The one by which most of the columns are found."""

    def found(separator: str) -> int:
        names = next(csv.reader([header], delimiter=separator), [])
        return len({name.strip() for name in names}.intersection(needed))

    return max(_SEPARATORS, key=found)


def _read(reader: csv.DictReader[str], file: Path, needed: Names) -> Iterator[FileRow]:
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    for name in needed:
        if name not in header:
            raise CommandFailed(f"{file.name} has no column {name!r}; it has {', '.join(header) or 'none'}")
        if header.count(name) > 1:
            raise CommandFailed(f"{file.name} has two columns {name!r}: rename one")
    for count, row in enumerate(reader):
        if None in row or None in row.values():
            raise CommandFailed(f"{file.name}: line {reader.line_num} has not as many fields as the header")
        if count == limits.MAX_MIX_ROWS:
            raise CommandFailed(f"{file.name} has more than {limits.MAX_MIX_ROWS:,} rows: leave out the oldest ones")
        yield FileRow(reader.line_num, row)


def _place(file: Path, line: FileRow, column: str) -> str:
    return f"{file.name}: line {line.number}: {column}"


def _day(text: str, where: str) -> date:
    """A day, or its midnight: many programs export days so."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.replace(hour=0, minute=0, second=0, microsecond=0) != found:
        raise CommandFailed(f"{where}: {text!r} is not a day such as 2026-11-01: write it like that, year first")
    return found.date()


def _number(text: str, where: str) -> float:
    """What stands for a number that is missing is one: the frame says of which day."""
    if text.strip().lower() in _NO_NUMBER:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise CommandFailed(
            f"{where}: {text!r} is not a number such as 1234.5: no currency, no thousands separator, a decimal point"
        ) from None


def _tests(file: Path) -> Iterator[LiftTest]:
    for line in _lines(file, LIFT_COLUMNS):
        spend, effect, low, high = (_number(line.fields[name], _place(file, line, name)) for name in LIFT_COLUMNS[3:])
        first, last = (_day(line.fields[name], _place(file, line, name)) for name in ("first", "last"))
        geos = names_of((line.fields.get("geos") or "").replace(";", ","))
        yield LiftTest(line.fields["channel"], first, last, spend, effect, low, high, geos)
