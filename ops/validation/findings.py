"""What is found in a file that is checked: its columns, and what is wrong by field and rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adweir.model import limits
from adweir.model.metrics import BadRow
from adweir.platforms.files.table import FileTable
from adweir.platforms.files.text_lines import Chunk
from adweir.quality.quarantine import Quarantine


@dataclass(frozen=True, slots=True)
class FoundFault:
    """A rule that rows break: in how many, the first of their lines, and what the first one says."""

    field: str
    rule: str
    message: str
    rows: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CheckedColumn:
    """A column of the file: the field that it is, "" for one that is not read, and how many cells are not empty."""

    name: str
    field: str
    filled: int


@dataclass(frozen=True, slots=True)
class FileFindings:
    """A checked file. `read_as` says how it was read, `lines` are all that were, `rows` those of them with data.

    `refused` and `warned` are what rows break, `repaired` is what is not stored as it is written.
    `bad_rows` are those that would not be stored. `notes` are sentences about the file as a whole. `next` is what
    `adweir drop` needs to know to load it.
    """

    read_as: str
    lines: int
    rows: int
    bad_rows: int
    columns: Sequence[CheckedColumn]
    refused: Sequence[FoundFault]
    warned: Sequence[FoundFault]
    repaired: Sequence[FoundFault] = ()
    notes: Sequence[str] = ()
    next: str | None = None


@dataclass(slots=True)
class _Fault:
    message: str
    rows: int = 0
    lines: list[int] = field(default_factory=list)


class FaultCounter(Quarantine):
    """Refused rows, counted by field and rule instead of being kept."""

    def __init__(self) -> None:
        super().__init__()
        self._faults: dict[tuple[str, str, str], _Fault] = {}

    def add(self, bad: BadRow, page: int = 0) -> None:  # noqa: ARG002  a file is one page
        """Count a row for each rule that it breaks."""
        self.rows += 1
        for error in bad.errors:
            name, rule = str(error.get("field", "")), str(error.get("rule", ""))
            self.reasons[rule] += 1
            message = str(error.get("message") or f"{name}: {rule}")
            fault = self._fault(name, rule, message)
            fault.rows += 1
            if len(fault.lines) < limits.MAX_LINES_NAMED:
                fault.lines.append(bad.line)

    def _fault(self, name: str, rule: str, message: str) -> _Fault:
        """Those that say the same but for the cell, which comes last in a message."""
        kind = name, rule, message.partition(": '")[0] if len(self._faults) < limits.MAX_DROP_REASONS else ""
        return self._faults.setdefault(kind, _Fault(message))

    def faults(self) -> list[FoundFault]:
        """Those of most rows first."""
        found = [
            FoundFault(name, rule, each.message, each.rows, tuple(sorted(each.lines)))
            for (name, rule, _), each in self._faults.items()
        ]
        return sorted(found, key=lambda each: (-each.rows, each.lines))


class CountedTable:
    """A table whose filled cells are counted by column as its rows are read."""

    def __init__(self, table: FileTable) -> None:
        self.header = table.header
        self.filled: Counter[int] = Counter()
        self._table = table

    def chunks(self) -> Iterator[Chunk]:
        """The table's rows."""
        for chunk in self._table.chunks():
            for place, column in enumerate(chunk.columns):
                self.filled[place] += sum(map(bool, column))
            yield chunk

    def columns(self, fields: dict[str, str]) -> list[CheckedColumn]:
        """The columns in the file's order; `fields` says which field a column is."""
        return [CheckedColumn(name, fields.get(name, ""), self.filled[at]) for at, name in enumerate(self.header)]
