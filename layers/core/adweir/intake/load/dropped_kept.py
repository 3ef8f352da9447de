"""Dropped files that hold no numbers of days → the catalog: reference data as it is written, objects by their ids.

The newest file wins, row by row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from adweir.intake.load.commit import Committer
from adweir.model import limits
from adweir.model.data_types import StoredAs
from adweir.model.entities import PlatformObject, Profile
from adweir.model.errors import TooLarge
from adweir.model.metrics import BadRow, Grain, Level
from adweir.platforms.files.currencies import check_sign
from adweir.platforms.files.kept_files import KeptFiles
from adweir.platforms.files.lines import KNOWN, LineFault, Record
from adweir.platforms.files.normalize import Target
from adweir.platforms.files.object_rows import object_of
from adweir.platforms.files.reference_rows import keyed_cells
from adweir.quality.quarantine import Quarantine
from adweir.store.catalog.objects import object_key
from adweir.store.catalog.references import ReferenceRow
from adweir.store.metrics.buckets import can_be_key

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

_LOOKS = 500
_AT_ONCE = 1000
_R = TypeVar("_R")
Remaining = Callable[[], float]
ProfileOf = Callable[[str, Target], Profile | None]


class KeptReader:
    """Reads such files."""

    def __init__(self, profile_of: ProfileOf) -> None:
        self._profile_of = profile_of

    def read(
        self,
        files: KeptFiles,
        account_id: str,
        records: Iterator[Record | BadRow],
        quarantine: Quarantine,
        remaining: Remaining,
    ) -> tuple[_Keeper[Any], dict[str, int]]:
        """The good rows of a file's records, and counts for its receipt.

        Raises BadInput, TooLarge for more rows than are held in memory or read in time.
        """
        keeper: _Keeper[Any]
        if files.data_type.stored_as is StoredAs.REFERENCE:
            keeper = _References(files, account_id)
        else:
            keeper = _Objects(files, account_id, self._profile_of)
        number, repeated, least = 0, 0, remaining() / 2
        for number, found in enumerate(records, 1):
            if number > limits.MAX_DROPPED_REFERENCES or (number % _LOOKS == 0 and remaining() < least):
                raise TooLarge(f"the file has too many lines for one load: {number} until now; split it")
            if isinstance(found, BadRow):
                quarantine.add(found)
                continue
            try:
                repeated += not keeper.take(found)
            except LineFault as fault:
                quarantine.add(found.bad(fault))
        return keeper, {"rows_read": number, "duplicates": repeated}


class DroppedKept(KeptReader):
    """Stores their rows. Repeated, it changes nothing."""

    def __init__(self, catalog: Catalog, committer: Committer, profile_of: ProfileOf) -> None:
        super().__init__(profile_of)
        self._catalog = catalog
        self._committer = committer

    def store(self, keeper: _Keeper[Any], as_of: str, remaining: Remaining) -> dict[str, Any]:
        """Put the rows; returns what the receipt says. Raises NotReady when the time is up: the same file goes on."""
        changes, left = 0, iter(keeper.rows.values())
        while batch := list(islice(left, _AT_ONCE)):
            self._committer.check_time(remaining)
            added, changed, _ = keeper.put(self._catalog, batch, as_of)
            changes += added + changed
        return {"rows_stored": len(keeper.rows), "slots_changed": changes, "stored_for": sorted(keeper.stored_for())}


class _Keeper(ABC, Generic[_R]):
    """The rows of one file by what tells them apart."""

    def __init__(self, files: KeptFiles, account_id: str) -> None:
        self._files = files
        self._account_id = account_id
        self.rows: dict[str, _R] = {}

    def take(self, record: Record) -> bool:
        """Take a record's row; False where it is there. Raises LineFault, of two that differ for the second one."""
        key, row = self._row(record)
        if not can_be_key(key):
            raise LineFault("", "id", "says too much to be told apart by it")
        known = self.rows.setdefault(key, row)
        if known != row:
            raise LineFault("", "conflict", "says something else than an earlier line of the same key")
        return known is row

    @abstractmethod
    def put(self, catalog: Catalog, rows: list[_R], as_of: str) -> tuple[int, int, int]:
        """Store rows; how many were (added, changed, unchanged)."""

    @abstractmethod
    def stored_for(self) -> Iterable[str]:
        """What a receipt calls the places of the rows."""

    @abstractmethod
    def _row(self, record: Record) -> tuple[str, _R]:
        """What tells a record's row apart, and the row. Raises LineFault."""


class _References(_Keeper[ReferenceRow]):
    def put(self, catalog: Catalog, rows: list[ReferenceRow], as_of: str) -> tuple[int, int, int]:
        return catalog.put_references(self._account_id, self._files.data_type.name, rows, as_of)

    def stored_for(self) -> Iterator[str]:
        yield from {f"{row.source}#{self._files.data_type.name}" for row in self.rows.values()}

    def _row(self, record: Record) -> tuple[str, ReferenceRow]:
        made, source = keyed_cells(record, self._files.data_type), self._files.context.source
        if not made.cells.get("currency"):
            check_sign(record.cell, self._files.context.currency)
        return f"{source}#{made.key}", ReferenceRow(source, made.key, made.cells)


class _Objects(_Keeper[PlatformObject]):
    def __init__(self, files: KeptFiles, account_id: str, profile_of: ProfileOf) -> None:
        super().__init__(files, account_id)
        self._profile_of = profile_of
        self._known: dict[Target, bool] = {}

    def put(self, catalog: Catalog, rows: list[PlatformObject], as_of: str) -> tuple[int, int, int]:
        return catalog.put_objects(rows, as_of)

    def stored_for(self) -> Iterator[str]:
        yield from {f"{item.platform}#{item.profile_id}#{self._files.data_type.name}" for item in self.rows.values()}

    def _row(self, record: Record) -> tuple[str, PlatformObject]:
        item = object_of(record, self._files.data_type, self._files.context)
        target = Target(item.platform, item.profile_id, Level.ACCOUNT, Grain.DAY)
        if target not in self._known:
            self._known[target] = self._profile_of(self._account_id, target) is not None
        if not self._known[target]:
            raise LineFault("profile_id", KNOWN, f"is not one of the account's on {item.platform}")
        return f"{item.platform}#{item.profile_id}#{object_key(item)}", item
