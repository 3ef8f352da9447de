"""Any dropped file as a table: the header's own texts, and rows of cells as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from typing import BinaryIO, Protocol

from adweir.model.metrics import BadRow
from adweir.platforms.files.content import Content
from adweir.platforms.files.delimited import ANY, Chunk, Delimited, FilePlace, Form
from adweir.platforms.files.lines import Record

_SHOWN = 2_000


class FileTable(Protocol):
    """A file in one of the formats. `header`: its columns as they are written, stripped."""

    header: list[str]

    def chunks(self, start: FilePlace | None = None) -> Iterator[Chunk]:
        """The rows, or those from a place on. Each chunk says where the next one begins.

        May be called again, after which the earlier iterator is not to be used.

        Raises BadInput when the file as a whole cannot be read; that may come after good rows.
        """
        ...


def open_table(stream: BinaryIO, size: int, form: Form = ANY) -> FileTable:
    """The table in a seekable stream; `size` is the stored file's, before it is unpacked.

    Raises BadInput for what is no table: no header, damaged or a bomb.
    """
    return Delimited(lambda: Content(stream, size, form.encoding), form)


def records(table: FileTable, start: FilePlace | None = None) -> Iterator[Record | BadRow]:
    """The rows of a table, lazily: a Record whose cells are stripped, or a BadRow where there are none."""
    for chunk in table.chunks(start):
        found: Iterator[Record | BadRow] = _good(chunk, table.header)
        yield from merge(found, iter(chunk.bad), key=_number) if chunk.bad else found


def _good(chunk: Chunk, header: Sequence[str]) -> Iterator[Record | BadRow]:
    strip = str.strip
    for number, text, row in zip(chunk.numbers, chunk.texts, chunk.rows, strict=True):
        yield Record(number, text[:_SHOWN], dict(zip(header, map(strip, row), strict=True)))


def _number(found: Record | BadRow) -> int:
    return found.number if isinstance(found, Record) else found.line
