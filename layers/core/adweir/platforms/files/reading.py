"""How a dropped file becomes rows: its form, a mapping's names for its columns, and what its data type makes of them.

Each part is chosen by the file's source and data type; `FileReader` puts them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, Protocol

from adweir.model.entities import Profile
from adweir.model.mappings import Mapping
from adweir.model.metrics import BadRow
from adweir.model.ports import PlatformParser
from adweir.platforms.files.batches import DropBatch, batches_of
from adweir.platforms.files.delimited import ANY, Form
from adweir.platforms.files.file_rows import FileRows, Statements
from adweir.platforms.files.kept_files import KeptFiles
from adweir.platforms.files.lines import Record
from adweir.platforms.files.mapped import BoundMapping, form_of, mapped
from adweir.platforms.files.normalize import DropRow, Target
from adweir.platforms.files.own_rows import own_rows
from adweir.platforms.files.table import FileTable, open_table, records


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

    def batches(self, table: FileTable) -> Iterator[DropBatch | BadRow]:
        """All rows of the file, and what cannot be stored."""
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
            return _MappedRows(BoundMapping(mapping, header), rows(), personal=personal)

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

    def profile(self, account_id: str, target: Target, /) -> Profile | None:
        """The profile of a row's target; None where the account has no such one."""
        ...


class _MappedRows:
    """What a mapping and a data type make of a file."""

    def __init__(self, bound: BoundMapping, rows: FileRows, *, personal: bool) -> None:
        self._bound, self._rows, self._personal = bound, rows, personal

    @property
    def held(self) -> int:
        return self._rows.held

    @property
    def statements(self) -> Statements | None:
        return self._rows.statements

    @property
    def left_out(self) -> Counter[str]:
        return self._bound.left_out + self._rows.left_out

    def batches(self, table: FileTable) -> Iterator[DropBatch | BadRow]:
        return batches_of(self._all(records(table)))

    def _all(self, found: Iterable[Record | BadRow]) -> Iterator[DropRow | BadRow]:
        read = self._rows.read
        for each in mapped(found, self._bound, personal=self._personal):
            row = each if isinstance(each, BadRow) else read(each)
            if row is not None:
                yield row
        yield from self._rows.rest()


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
