"""Streams a CSV file of any size: pieces of whole records, by row or by column.

A record ends at a line break that is not inside quotes, which is one with an even number of quotes before it (RFC 4180:
a quote within quotes is written twice).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, BinaryIO

from adweir.model.errors import BadInput

CHUNK = 1 << 18
MAX_RECORD_BYTES = 1 << 20
"""One record: names have some hundred characters. More is a quote that does not end."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class CsvPiece:
    """Some consecutive records; `first` is the 1-based number of the first one, the header being number 1."""

    first: int
    text: str
    delimiter: str = ","

    @cached_property
    def rows(self) -> list[list[str]]:
        """The records; empty lines are left out. Raises BadInput for text that is not CSV."""
        text = io.StringIO(self.text, newline="")
        try:
            return [row for row in csv.reader(text, strict=True, delimiter=self.delimiter) if row]
        except csv.Error as error:
            raise BadInput(f"the report is not CSV after record {self.first - 1}: {error}", row=self.first) from None

    def columns(self, width: int, places: Iterable[int]) -> dict[int, list[str]] | None:
        """These columns of the records, split at once: half of the time that a parser takes.

        None where the text needs one, or where a record has another number of cells.
        """
        text = self._lines
        if text is None:
            return None
        cells = text.removesuffix("\n").replace("\n", ",\n,").split(",")
        # One cell that is a line's end follows each record but the last: then all have their cells.
        if len(cells) + 1 != (width + 1) * self.count or set(cells[width :: width + 1]) - {"\n"}:
            return None
        return {place: cells[place :: width + 1] for place in places}

    def chosen(self, kept: Sequence[bool]) -> bytes:
        """The records that are kept, one flag each; as they are written where that takes no parser."""
        if self._lines is None:
            text = io.StringIO(newline="")
            csv.writer(text).writerows(compress(self.rows, kept))
            return text.getvalue().encode()
        lines = self.text.removesuffix("\n").split("\n")
        return "".join([f"{line}\n" for line in compress(lines, kept)]).encode()

    @cached_property
    def count(self) -> int:
        """The number of records."""
        text = self._lines
        return len(self.rows) if text is None else text.count("\n") + (not text.endswith("\n"))

    @cached_property
    def _lines(self) -> str | None:
        """The text when its records are its lines, each ended by `\\n`; None where it needs a parser."""
        text = self.text.replace("\r\n", "\n") if "\r" in self.text else self.text
        plain = text and not text.startswith("\n") and not any(sign in text for sign in ('"', "\r", "\n\n"))
        return text if plain else None


def pieces(stream: BinaryIO, size: int = CHUNK) -> Iterator[CsvPiece]:
    """The file's records, about `size` bytes at a time.

    Raises BadInput for text that is not UTF-8 or not CSV, and for a record that has no end.
    """
    return pieces_of(iter(lambda: stream.read(size), b""))


def pieces_of(chunks: Iterator[bytes], delimiter: str = ",") -> Iterator[CsvPiece]:
    """The same of a file that comes in chunks."""
    held, first, begun = b"", 1, False
    while True:
        chunk = next(chunks, b"")
        text = held + chunk
        if not begun and len(text) >= len(_BOM):
            text, begun = text.removeprefix(_BOM), True
        end = _end(text) if chunk else len(text)
        held = text[end:]
        if len(held) > MAX_RECORD_BYTES:
            raise BadInput(f"a record has more than {MAX_RECORD_BYTES} bytes", row=first)
        piece = CsvPiece(first, _decoded(text[:end], first), delimiter)
        if piece.count:
            yield piece
            first += piece.count
        if not chunk:
            return


def _end(text: bytes) -> int:
    """Where the last whole record ends. Each byte is counted once, however many line breaks are inside quotes."""
    at = text.rfind(b"\n")
    inside = at >= 0 and text.count(b'"', 0, at) % 2 == 1
    while inside and at >= 0:
        before = text.rfind(b"\n", 0, at)
        inside ^= text.count(b'"', max(before, 0), at) % 2 == 1
        at = before
    return at + 1


def _decoded(data: bytes, first: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"the report is not UTF-8 after record {first - 1}", row=first) from None


def csv_page(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as CSV with a header; a row without a column has an empty cell there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "replace")
