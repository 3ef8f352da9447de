"""A dry run of a dropped file: read, checked and counted by what loads it, up to where it would be stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Facts
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from adweir.intake.load.drop_keys import OWN, OWN_INVOICES, PREFIX, DropKey
from adweir.intake.load.dropped_invoices import read_bills
from adweir.intake.load.dropped_kept import KeptReader
from adweir.intake.load.dropped_rows import DropFacts, DroppedRows, Outgrown
from adweir.model import limits
from adweir.model.data_types import DataType, StoredAs
from adweir.model.mappings import Mapping
from adweir.model.messages import ObjectArrived
from adweir.model.platforms import Platform
from adweir.model.times import latest_date
from adweir.platforms import REGISTRY
from adweir.platforms.files import own
from adweir.platforms.files.headers import HeaderNames
from adweir.platforms.files.invoices import lines_of
from adweir.platforms.files.kept_files import KeptFiles
from adweir.platforms.files.mapped import form_of
from adweir.platforms.files.reading import FileReader
from adweir.platforms.files.table import open_table
from adweir.quality.row_rules import Rule
from adweir.quality.rules import RULES, RowLoop
from ops.errors import CommandFailed
from ops.validation.alone import ACCOUNT, mapping_of, profile_of, reader_of
from ops.validation.findings import CountedTable, FaultCounter, FileFindings, FoundFault

_BY_NAME: Facts[str, Rule] = {rule.name: rule for rule in RULES}
_ENDLESS = 1e9
_NOT_LOOKED_UP = "not looked up here: whose ad accounts these are, and objects by their names"


class DryRun:
    """Checks one file of a source and data type, by a mapping where one is given."""

    def __init__(self, source: Platform, kind: DataType, mapping: Mapping | None, now: datetime) -> None:
        self._source, self._kind, self._now = source, kind, now
        self._mapping = mapping or (None if (source, kind.name) in {OWN, OWN_INVOICES} else mapping_of(source, kind))
        origin = "the given mapping" if mapping else "built in"
        self._title = f"as {source}/{kind.name} ({origin})"
        self._not_known = [_NOT_LOOKED_UP] if kind.stored_as in {StoredAs.ADS, StoredAs.OBJECTS} else []
        self._next = "" if (source, kind.name) == OWN else f"--as {source}/{kind.name}"

    def check(self, stream: BinaryIO, size: int, name: str) -> FileFindings:
        """What loading the file would find. Raises CommandFailed, BadInput for a file that is not read at all."""
        DropKey.parse(f"{PREFIX}{ACCOUNT}/{name}")
        if (self._source, self._kind.name) == OWN_INVOICES:
            return self._bills(stream, size)
        reader = reader_of(self._source, self._kind, self._mapping)
        if isinstance(reader, KeptFiles):
            return self._kept(stream, size, reader)
        return self._numbers(stream, size, reader, name)

    def _numbers(self, stream: BinaryIO, size: int, reader: FileReader, name: str) -> FileFindings:
        table = CountedTable(open_table(stream, size, reader.form))
        rows = reader.bind(table.header)
        with FaultCounter() as faults:
            found = DroppedRows(self._facts(name, size), profile_of, faults)
            try:
                found.read(rows.batches(found.counted(table, lambda _: found.check_memory(rows.held))))
            except Outgrown:
                raise CommandFailed(f"{name} has more rows than are checked at once: split it to check it") from None
            repeated = sum(loop.tally.duplicates for loop in found.loops)
            notes = [f"left out: {times:,} {why.replace('_', ' ')}" for why, times in rows.left_out.items()]
            return FileFindings(
                read_as=self._title,
                lines=found.lines,
                rows=found.lines - sum(rows.left_out.values()),
                bad_rows=faults.rows,
                columns=table.columns(self._fields(table.header)),
                refused=faults.faults(),
                warned=_warned(found.loops),
                repaired=_repaired(found.loops),
                notes=[*notes, *_twice(repeated), *self._not_known],
                next=self._next,
            )

    def _facts(self, name: str, size: int) -> DropFacts:
        """The file as a drop of this moment."""
        last = latest_date(self._now)
        age = (last - self._now.date()).days + limits.MAX_DROP_AGE_DAYS
        return DropFacts(
            message=ObjectArrived(bucket="", key=str(DropKey(ACCOUNT, self._source, self._kind.name, name))),
            account_id=ACCOUNT,
            version="",
            as_of=self._now,
            size=size,
            sha256="",
            days=frozenset((last - timedelta(days=n)).isoformat() for n in range(age + 1)),
        )

    def _kept(self, stream: BinaryIO, size: int, files: KeptFiles) -> FileFindings:
        table = CountedTable(open_table(stream, size, form_of(files.mapping)))
        with FaultCounter() as faults:
            _, counts = KeptReader(profile_of).read(files, ACCOUNT, files.records_of(table), faults, lambda: _ENDLESS)
            return FileFindings(
                read_as=self._title,
                lines=counts["rows_read"],
                rows=counts["rows_read"],
                bad_rows=faults.rows,
                columns=table.columns(self._fields(table.header)),
                refused=faults.faults(),
                warned=(),
                notes=[*_twice(counts["duplicates"]), *self._not_known],
                next=self._next,
            )

    def _bills(self, stream: BinaryIO, size: int) -> FileFindings:
        table = CountedTable(open_table(stream, size))
        with FaultCounter() as faults:
            bills, lines, lost = read_bills(lines_of(table, REGISTRY.parse), faults, lambda _: None)
            held = sum(len(bill.lines) for bill in bills.values() if bill.fault or lost)
            notes = [f"held back with them: {held:,} that would be good, for a bill is stored whole"] if held else []
            return FileFindings(
                read_as=self._title,
                lines=lines,
                rows=lines,
                bad_rows=faults.rows + held,
                columns=table.columns(dict(zip(table.header, own.INVOICES.canonical(table.header), strict=True))),
                refused=faults.faults(),
                warned=(),
                notes=[*notes, _NOT_LOOKED_UP],
                next=self._next,
            )

    def _fields(self, header: list[str]) -> dict[str, str]:
        """Which field each column of the file is."""
        if self._mapping is None:
            names = own.METRICS.canonical(header)
            known = set(self._kind.names)
            return {column: name for column, name in zip(header, names, strict=True) if name in known}
        found, columns = dict[str, str](), HeaderNames(header)
        for column in self._mapping.columns:
            for each in (column.names, column.plus, column.minus):
                found |= {one.name: column.field for one in columns.find(each)}
        return found


def _warned(loops: Sequence[RowLoop]) -> list[FoundFault]:
    """The warnings of all rows that would be stored, those of most rows first."""
    counts, lines = Counter[tuple[str, str]](), dict[tuple[str, str], list[int]]()
    for tally in (loop.tally for loop in loops):
        for broken, some in tally.lines.items():
            if _BY_NAME[broken[0]].severity == "warn":
                counts[broken] += tally.failures[broken]
                lines.setdefault(broken, []).extend(some)
    return [
        FoundFault(
            field, rule, _BY_NAME[rule].message, count, tuple(sorted(lines[rule, field])[: limits.MAX_LINES_NAMED])
        )
        for (rule, field), count in counts.most_common()
    ]


def _repaired(loops: Sequence[RowLoop]) -> list[FoundFault]:
    """What cleaning changed, those of most rows first."""
    counts, first = Counter[tuple[str, str]](), dict[tuple[str, str], dict[str, Any]]()
    for log in (loop.cleaning for loop in loops):
        counts.update(log.counts)
        for sample in log.samples:
            first.setdefault((sample["rule"], sample["field"]), sample)
    return [
        _repair(rule, field, count, first[rule, field])
        for (rule, field), count in counts.most_common()
        if (rule, field) in first
    ]


def _repair(rule: str, field: str, count: int, first: dict[str, Any]) -> FoundFault:
    return FoundFault(field, rule, f"{first['before']!r} is read as {first['after']!r}", count, (first["line"],))


def _twice(repeated: int) -> list[str]:
    return [f"not counted: {repeated:,} came twice"] if repeated else []
