"""How a dropped file becomes rows: its form, a mapping's names for its columns, and what its data type makes of them.

Each part is chosen by the file's source and data type; `FileReader` puts them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, Protocol

from adweir.model.entities import Profile
from adweir.model.errors import AdweirError
from adweir.model.mappings import Mapping
from adweir.model.metrics import BadRow
from adweir.model.numerals import Undecided
from adweir.model.ports import PlatformParser
from adweir.platforms.files.batches import DropBatch, Wanted, batches_of
from adweir.platforms.files.by_column import Unusual
from adweir.platforms.files.delimited import ANY, Form
from adweir.platforms.files.file_rows import FileRows, IdRange, Statements
from adweir.platforms.files.in_order import InOrder
from adweir.platforms.files.kept_files import KeptFiles
from adweir.platforms.files.lines import LineFault, Record
from adweir.platforms.files.mapped import BoundMapping, form_of
from adweir.platforms.files.mapped_columns import MappedColumns
from adweir.platforms.files.normalize import DropRow, Target
from adweir.platforms.files.own_rows import own_rows
from adweir.platforms.files.sums import RowParts
from adweir.platforms.files.table import FileTable, open_table, records_of
from adweir.platforms.files.text_lines import Chunk

_LEAST, _PARTS = 100, 8
"""Rows that are read one by one where one of them is unusual; parts of a larger piece."""


class TableRows(Protocol):
    """Reads one file, of a known header."""

    @property
    def left_out(self) -> Counter[str]:
        """The rows that are no data, by reason."""
        ...

    @property
    def held(self) -> int:
        """About how many bytes of memory it takes until the file is over."""
        ...

    @property
    def statements(self) -> Statements | None:
        """What it says of each record that later files may state again; None where rows state their days."""
        ...

    @property
    def by_id(self) -> bool:
        """Whether each record has an id that is remembered, so that some of them may be read alone."""
        ...

    def only(self, ids: IdRange, /) -> None:
        """Read these records alone (`by_id`). What is at fault before its id is known is of those from 0 on."""
        ...

    @property
    def adds_up(self) -> bool:
        """Whether rows of one entity and day are parts of its number."""
        ...

    def batches(self, table: FileTable, wanted: Wanted | None = None, /) -> Iterator[DropBatch | BadRow]:
        """All rows of the file, and what cannot be stored. Of rows that add up, those of `wanted` may be all that
        come."""
        ...

    def parts(self, table: FileTable) -> Iterator[DropBatch | BadRow]:
        """The same before anything is added up."""
        ...


class FileReader(NamedTuple):
    """How the files of a source and data type are read.

    `bind` makes of a header, as the file has it, what reads its records; it raises BadInput for one that cannot be
    read. `personal`: such files hold personal data, so that only what `bind` makes of a record may leave them.
    `known_as` is the mapping's digest: the same bytes by another mapping are another reading.
    """

    bind: Callable[[Sequence[str]], TableRows]
    form: Form = ANY
    personal: bool = False
    known_as: str = ""

    @classmethod
    def mapped(cls, mapping: Mapping, rows: Callable[[], FileRows], *, personal: bool = False) -> FileReader:
        """By a mapping; `rows` gives what makes rows of one file's records."""

        def bind(header: Sequence[str]) -> TableRows:
            return _MappedRows(BoundMapping(mapping, header), rows(), header, personal=personal)

        return cls(bind, form_of(mapping), personal, mapping.digest)


class FileReaders(Protocol):
    """Who reads an account's files."""

    parse_platform: PlatformParser

    def reader(self, account_id: str, source: str, data_type: str, /) -> FileReader:
        """How the files of a source and data type are read. Raises BadInput for what nothing reads."""
        ...

    def kept(self, account_id: str, source: str, data_type: str, /) -> KeptFiles | None:
        """How files of reference data and of objects are read; None for other data types. Raises BadInput."""
        ...

    def records(self, account_id: str, source: str, data_type: str, /) -> FileReader | KeptFiles | None:
        """How records in our own columns are read, whatever the mapping of their source; None for invoices.

        Raises BadInput.
        """
        ...

    def profile(self, account_id: str, target: Target, /) -> Profile | None:
        """The profile of a row's target; None where the account has no such one."""
        ...


class _MappedRows:
    """What a mapping and a data type make of a file: by column where nothing is unusual, else one by one."""

    def __init__(self, bound: BoundMapping, rows: FileRows, header: Sequence[str], *, personal: bool) -> None:
        self._bound, self._rows, self._header = bound, rows, header
        self._by_column = MappedColumns(bound, header, rows.converts)
        self._in_order = InOrder(bound, personal=personal)
        self._sums = RowParts()
        self.adds_up, self.by_id = rows.adds_up, rows.by_id

    def only(self, ids: IdRange, /) -> None:
        self._rows.ids = ids

    @property
    def held(self) -> int:
        return self._rows.held + self._sums.held

    @property
    def statements(self) -> Statements | None:
        return self._rows.statements

    @property
    def left_out(self) -> Counter[str]:
        return self._rows.left_out + self._bound.left_out if self._is_first else Counter(self._rows.left_out)

    @property
    def _is_first(self) -> bool:
        return self._rows.ids.start == 0

    def batches(self, table: FileTable, wanted: Wanted | None = None, /) -> Iterator[DropBatch | BadRow]:
        for found in self.parts(table):
            if isinstance(found, BadRow) or not self.adds_up:
                yield found
            else:
                self._sums.add(found, wanted)
        yield from self._sums.batches()

    def parts(self, table: FileTable) -> Iterator[DropBatch | BadRow]:
        for chunk in table.chunks():
            for bad in chunk.bad:
                yield from batches_of(self._made_of(self._in_order.take(bad)))
            yield from self._read(Chunk(chunk.numbers, chunk.texts, None, (), chunk.columns))
        yield from batches_of(self._made_of(self._in_order.rest()))

    def _read(self, chunk: Chunk) -> Iterator[DropBatch | BadRow]:
        """A piece of the file; a smaller one where it holds something unusual."""
        size, found = len(chunk.numbers), None
        may_be = self._rows.by_column and not self._in_order.waiting
        if may_be:
            found = self._all_at_once(chunk)
        if found is not None:
            yield from found
        elif size > _LEAST and may_be:
            step = -(-size // _PARTS)
            for start in range(0, size, step):
                yield from self._read(chunk.part(start, start + step))
        else:
            yield from batches_of(self._one_by_one(chunk))

    def _all_at_once(self, chunk: Chunk) -> list[DropBatch] | None:
        """The rows of a piece; None where they have to be read one by one. Nothing is taken in then."""
        try:
            made, left_out = self._by_column.read(chunk)
            found = self._rows.batches(made) if made.size else []
        except (Unusual, LineFault, Undecided, AdweirError):
            return None
        self._bound.left_out += left_out
        return found

    def _one_by_one(self, chunk: Chunk) -> Iterator[DropRow | BadRow]:
        for found in records_of(chunk, self._header):
            yield from self._made_of(self._in_order.take(found))

    def _made_of(self, records: Iterable[Record | BadRow]) -> Iterator[DropRow | BadRow]:
        for each in records:
            if isinstance(each, BadRow):
                if self._is_first:
                    yield each
                continue
            row = self._rows.read(each)
            if row is not None:
                yield row


def own_metrics(parse_platform: PlatformParser) -> FileReader:
    """The reader of metrics in our own columns."""
    return FileReader(own_rows(parse_platform))


def read_drop(stream: BinaryIO, size: int, reader: FileReader) -> Iterator[DropBatch | BadRow]:
    """The rows of a file, lazily, and a BadRow with its number for each malformed one.

    Empty lines are skipped. `size` is the stored file's. Raises BadInput when the file as a whole cannot be read: no
    header, columns missing, damaged or a bomb; that may come after good rows.
    """
    table = open_table(stream, size, reader.form)
    return reader.bind(table.header).batches(table)
