"""Any dropped file as a table: the header's own texts, and rows of cells as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from typing import BinaryIO, Protocol

from adweir.model.metrics import BadRow
from adweir.platforms.files.content import Content
from adweir.platforms.files.delimited import ANY, Delimited, Form
from adweir.platforms.files.json_table import JsonTable, begins_json
from adweir.platforms.files.lines import Record
from adweir.platforms.files.parquet_table import ParquetTable
from adweir.platforms.files.text_lines import Chunk

_SHOWN = 2_000
_PEEK = 1 << 12
_PARQUET = b"PAR1"


class FileTable(Protocol):
    """A file in one of the formats. `header`: its columns as they are written, stripped."""

    header: list[str]

    def chunks(self) -> Iterator[Chunk]:
        """The rows. May be called again, after which the earlier iterator is not to be used.

        Raises BadInput when the file as a whole cannot be read; that may come after good rows.
        """
        ...


def open_table(stream: BinaryIO, size: int, form: Form = ANY) -> FileTable:
    """The table in a seekable stream; `size` is the stored file's, before it is unpacked.

    Raises BadInput for what is no table: another format, no header, damaged or a bomb.
    """

    def content() -> Content:
        return Content(stream, size, form.encoding)

    head = content().read(_PEEK)
    if head.startswith(_PARQUET):
        return ParquetTable(content, size)
    if begins_json(head):
        return JsonTable(content)
    return Delimited(content, form)


def records(table: FileTable) -> Iterator[Record | BadRow]:
    """The rows of a table, lazily: a Record whose cells are stripped, or a BadRow where there are none."""
    for chunk in table.chunks():
        yield from records_of(chunk, table.header)


def records_of(chunk: Chunk, header: Sequence[str]) -> Iterator[Record | BadRow]:
    """The same of a part of a table."""
    found: Iterator[Record | BadRow] = _good(chunk, header)
    return merge(found, iter(chunk.bad), key=_number) if chunk.bad else found


def _good(chunk: Chunk, header: Sequence[str]) -> Iterator[Record | BadRow]:
    strip = str.strip
    for number, text, row in zip(chunk.numbers, chunk.texts, chunk.rows, strict=True):
        yield Record(number, text[:_SHOWN], dict(zip(header, map(strip, row), strict=True)))


def _number(found: Record | BadRow) -> int:
    return found.number if isinstance(found, Record) else found.line
