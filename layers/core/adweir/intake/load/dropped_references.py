"""Reference data in dropped files → the catalog, row by row as it is written; the newest file wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from adweir.intake.load.commit import Committer
from adweir.model import limits
from adweir.model.data_types import DataType
from adweir.model.errors import TooLarge
from adweir.model.metrics import BadRow
from adweir.model.platforms import Platform
from adweir.platforms.files.lines import LineFault, Record
from adweir.platforms.files.reference_rows import keyed_cells
from adweir.platforms.files.references import ReferenceFiles
from adweir.quality.quarantine import Quarantine
from adweir.store.catalog.references import ReferenceRow
from adweir.store.metrics.buckets import can_be_key

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

_LOOKS = 500
_AT_ONCE = 1000
_Rows = dict[str, ReferenceRow]


class ReferenceFile(NamedTuple):
    """A file of reference data: what it holds, whose it is, and its records with canonical cells."""

    data_type: DataType
    source: Platform
    account_id: str
    records: Iterable[Record | BadRow]

    @classmethod
    def of(cls, files: ReferenceFiles, account_id: str, stream: BinaryIO, size: int) -> ReferenceFile:
        """A dropped file. Raises BadInput when it cannot be read as a whole."""
        return cls(files.data_type, files.source, account_id, files.records(stream, size))


class DroppedReferences:
    """Stores the rows of a file of reference data. Repeated, it changes nothing."""

    def __init__(self, catalog: Catalog, committer: Committer) -> None:
        self._catalog = catalog
        self._committer = committer

    def load(
        self, file: ReferenceFile, as_of: str, quarantine: Quarantine, remaining: Callable[[], float]
    ) -> dict[str, Any]:
        """Store the good rows; returns what the receipt says of them.

        Raises BadInput, TooLarge for more rows than are held in memory or read in time, NotReady when the time is up:
        the same file again goes on.
        """
        rows, number, repeated, least = _Rows(), 0, 0, remaining() / 2
        for number, found in enumerate(file.records, 1):
            if number > limits.MAX_DROPPED_REFERENCES or (number % _LOOKS == 0 and remaining() < least):
                raise TooLarge(f"the file has too many lines for one load: {number} until now; split it")
            if isinstance(found, BadRow):
                quarantine.add(found)
                continue
            try:
                repeated += not _take(rows, found, file)
            except LineFault as fault:
                quarantine.add(found.bad(fault))
        changes = self._store(file, rows, as_of, remaining)
        counts = {"rows_read": number, "rows_stored": len(rows), "duplicates": repeated, "slots_changed": changes}
        return counts | {"stored_for": [f"{file.source}#{file.data_type.name}"] if rows else []}

    def _store(self, file: ReferenceFile, rows: _Rows, as_of: str, remaining: Callable[[], float]) -> int:
        """Put the rows; returns how many are new or changed."""
        changes, left = 0, iter(rows.values())
        while batch := list(islice(left, _AT_ONCE)):
            self._committer.check_time(remaining)
            added, changed, _ = self._catalog.put_references(file.account_id, file.data_type.name, batch, as_of)
            changes += added + changed
        return changes


def _take(rows: _Rows, record: Record, file: ReferenceFile) -> bool:
    """Take a record's row; False where the same one is there. Raises LineFault, of two that differ for the second."""
    made = keyed_cells(record, file.data_type)
    row = ReferenceRow(file.source, made.key, made.cells)
    if not can_be_key(f"{row.source}#{row.key}"):
        raise LineFault("", "id", "says too much to be told apart by it")
    known = rows.setdefault(row.key, row)
    if known != row:
        raise LineFault("", "conflict", "says something else than an earlier line of the same key")
    return known is row
