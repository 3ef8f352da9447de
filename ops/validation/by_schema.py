"""Checks a file's rows by a schema, under the file's own names of columns (docs/library.md, Checking rows)."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.metrics import BadRow
from adweir.platforms import REGISTRY
from adweir.platforms.files.delimited import Form
from adweir.platforms.files.lines import Record
from adweir.platforms.files.table import open_table, records
from adweir.quality import schema as language
from adweir.quality.checking import CheckedRows, Schema
from adweir.quality.repairs import NUMBER, Repair, Repairs
from ops.errors import CommandFailed
from ops.validation.findings import CountedTable, FaultCounter, FileFindings, FoundFault

_SHOWN = 40
_FLAGS = {"true": True, "false": False}


def read_schema(path: Path) -> Schema:
    """The schema in a JSON file. Raises CommandFailed that names each wrong rule."""
    try:
        return language.compile(msgspec.json.decode(path.read_bytes()), REGISTRY.parse)
    except msgspec.DecodeError as error:
        raise CommandFailed(f"{path.name} is no JSON: {error}") from None
    except Unprocessable as error:
        said = ((one["field"], one.get("rule", ""), one["message"]) for one in error.details)
        told = "; ".join(" ".join(filter(None, each)) for each in said)
        raise CommandFailed(f"{path.name}: {told[:500]}") from None


def check_by_schema(stream: BinaryIO, size: int, schema: Schema, now: datetime) -> FileFindings:
    """What the schema says of a file's rows. An empty cell is a field that is not there. Raises BadInput."""
    names = {each.name for each in schema.fields}
    form = Form(is_header=lambda cells: names.issuperset(filter(None, cells)) or len(names.intersection(cells)) > 1)
    table = CountedTable(open_table(stream, size, form))
    with FaultCounter() as faults:
        rows = _CheckedLines(schema, now, faults)
        rows.learn(table)
        table.filled.clear()
        rows.check(table)
        refused, warned = rows.findings()
        return FileFindings(
            read_as="by the schema",
            lines=rows.count,
            rows=rows.count,
            bad_rows=rows.bad_rows,
            columns=table.columns({name: name for name in names}),
            refused=refused,
            warned=warned,
            repaired=rows.repaired(),
            notes=[f"no column is called {name}" for name in sorted(names.difference(table.header))],
        )


class _CheckedLines:
    def __init__(self, schema: Schema, now: datetime, faults: FaultCounter) -> None:
        self._schema = schema
        self._repairs = Repairs(schema)
        self._rows = CheckedRows(schema, now)
        self._lines = array("Q")
        self._faults = faults
        self._flags = [each.name for each in schema.fields if each.rules.get("type") == "boolean"]
        self._repaired = Counter[tuple[str, str]]()
        self._first: dict[tuple[str, str], tuple[int, Repair]] = {}

    @property
    def count(self) -> int:
        return len(self._lines) + self._faults.rows

    @property
    def bad_rows(self) -> int:
        return self._rows.bad_rows + self._faults.rows

    def learn(self, table: CountedTable) -> None:
        """Find out how the file writes its numbers."""
        self._repairs.learn(_cells(found) for found in records(table) if isinstance(found, Record))

    def check(self, table: CountedTable) -> None:
        self._rows.take(self._read(table))

    def _read(self, table: CountedTable) -> Iterator[Mapping[str, Any]]:
        for found in records(table):
            if isinstance(found, BadRow):
                self._faults.add(found)
                continue
            self._lines.append(found.number)
            made, repairs = self._repairs.repaired(_cells(found))
            for each in repairs:
                if each.rule != NUMBER:  # in a file numbers are text
                    self._repaired[each.rule, each.field] += 1
                    self._first.setdefault((each.rule, each.field), (found.number, each))
            for name in self._flags:
                made[name] = _FLAGS.get(str(made.get(name)).lower(), made.get(name))
            yield made

    def findings(self) -> tuple[list[FoundFault], list[FoundFault]]:
        """What is refused, and what is warned of, that of most rows first."""
        refused, warned = self._faults.faults(), list[FoundFault]()
        for place in range(len(self._rows.units)):
            (warned if self._rows.is_tolerated(place) else refused).extend(self._found(place))
        return sorted(refused, key=_of_rows, reverse=True), sorted(warned, key=_of_rows, reverse=True)

    def _found(self, place: int) -> Iterator[FoundFault]:
        unit, tally = self._rows.units[place], self._rows.tallies[place]
        for rule, count in tally.by_rule.items():
            issues = [issue for issue in tally.issues if issue["rule"] == rule] or tally.issues
            lines = tuple(self._lines[issue["row"]] for issue in issues[: limits.MAX_LINES_NAMED])
            text, value = issues[0]["message"].removeprefix(f"{unit.name} "), issues[0]["value"]
            shown = "" if value is None else f": {str(value)[:_SHOWN]!r}"
            yield FoundFault(unit.name, rule, text + shown, count, lines)

    def repaired(self) -> list[FoundFault]:
        """What was read otherwise than it is written."""
        found = []
        for (rule, name), count in self._repaired.most_common():
            line, first = self._first[rule, name]
            text = f"{str(first.before)[:_SHOWN]!r} is read as {'nothing' if first.after is None else first.after}"
            found.append(FoundFault(name, rule, text, count, (line,)))
        return found


def _of_rows(fault: FoundFault) -> int:
    return fault.rows


def _cells(record: Record) -> dict[str, Any]:
    return {name: text for name, text in record.cell.items() if text}
