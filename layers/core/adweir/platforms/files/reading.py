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
from adweir.platforms.files import own
from adweir.platforms.files.delimited import ANY, Form
from adweir.platforms.files.file_rows import FileRows
from adweir.platforms.files.lines import LineFault, Record
from adweir.platforms.files.mapped import BoundMapping, form_of, mapped
from adweir.platforms.files.normalize import DropRow, Target, drop_row
from adweir.platforms.files.references import ReferenceFiles
from adweir.platforms.files.table import open_table, records


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

    def rows(self, found: Iterable[Record | BadRow]) -> Iterator[DropRow | BadRow]:
        """All records of the file → its rows, and what cannot be stored."""
        ...


class FileReader(NamedTuple):
    """How the files of a source and data type are read.

    `bind` makes of a header, as the file has it, what reads its records; it raises BadInput for one that cannot be
    read. `personal`: such files hold personal data, so that only what `bind` makes of a record may leave them.
    """

    bind: Callable[[Sequence[str]], TableRows]
    form: Form = ANY
    personal: bool = False

    @classmethod
    def mapped(cls, mapping: Mapping, rows: Callable[[], FileRows], *, personal: bool = False) -> FileReader:
        """By a mapping; `rows` gives what makes rows of one file's records."""

        def bind(header: Sequence[str]) -> TableRows:
            return _MappedRows(BoundMapping(mapping, header), rows(), personal=personal)

        return cls(bind, form_of(mapping), personal)


class FileReaders(Protocol):
    """Who reads an account's files."""

    parse_platform: PlatformParser

    def reader(self, account_id: str, source: str, data_type: str, /) -> FileReader:
        """How the files of a source and data type are read. Raises BadInput for what nothing reads."""
        ...

    def references(self, account_id: str, source: str, data_type: str, /) -> ReferenceFiles | None:
        """How files of reference data are read; None for those of other data types. Raises BadInput."""
        ...

    def profile(self, account_id: str, target: Target, /) -> Profile | None:
        """The profile of a row's target, None where the account has no such one."""
        ...


class _MappedRows:
    """What a mapping and a data type make of a file."""

    def __init__(self, bound: BoundMapping, rows: FileRows, *, personal: bool) -> None:
        self._bound, self._rows, self._personal = bound, rows, personal

    @property
    def held(self) -> int:
        return self._rows.held

    @property
    def left_out(self) -> Counter[str]:
        return self._bound.left_out + self._rows.left_out

    def rows(self, found: Iterable[Record | BadRow]) -> Iterator[DropRow | BadRow]:
        read = self._rows.read
        for each in mapped(found, self._bound, personal=self._personal):
            row = each if isinstance(each, BadRow) else read(each)
            if row is not None:
                yield row
        yield from self._rows.rest()


class _OwnRows:
    """Metrics in our own columns."""

    held = 0

    def __init__(self, header: Sequence[str], parse_platform: PlatformParser) -> None:
        self.left_out: Counter[str] = Counter()
        self._canonical = own.METRICS.bind(header)
        self._parse_platform = parse_platform

    def rows(self, found: Iterable[Record | BadRow]) -> Iterator[DropRow | BadRow]:
        for each in found:
            if isinstance(each, BadRow):
                yield each
                continue
            try:
                yield drop_row(self._canonical(each), self._parse_platform)
            except LineFault as fault:
                yield each.bad(fault)


def own_metrics(parse_platform: PlatformParser) -> FileReader:
    """The reader of metrics in our own columns."""
    return FileReader(lambda header: _OwnRows(header, parse_platform))


def read_drop(stream: BinaryIO, size: int, reader: FileReader) -> Iterator[DropRow | BadRow]:
    """The rows of a file, lazily: a DropRow for each good line, a BadRow with its number for each malformed one.

    Empty lines are skipped. `size` is the stored file's. Raises BadInput when the file as a whole cannot be read: no
    header, columns missing, damaged or a bomb; that may come after good rows.
    """
    table = open_table(stream, size, reader.form)
    return reader.bind(table.header).rows(records(table))
