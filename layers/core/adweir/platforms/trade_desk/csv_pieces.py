"""Streams a CSV file of any size: pieces of whole records, each as the list of its rows.

A record ends at a line break that is not inside quotes, which is one with an even number of quotes before it (RFC 4180:
a quote within quotes is written twice).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from adweir.model.errors import BadInput

CHUNK = 1 << 18
MAX_RECORD_BYTES = 1 << 20
"""One record: names have some hundred characters. More is a quote that does not end."""
_BOM = b"\xef\xbb\xbf"


class CsvPiece(NamedTuple):
    """Some consecutive records; `first` is the 1-based number of the first one, the header being number 1."""

    first: int
    rows: list[list[str]]


def pieces(stream: BinaryIO, size: int = CHUNK) -> Iterator[CsvPiece]:
    """The file's records, about `size` bytes at a time; empty lines are left out.

    Raises BadInput for text that is not UTF-8 or not CSV, and for a record that has no end.
    """
    held, first, begun = b"", 1, False
    while True:
        chunk = stream.read(size)
        text = held + chunk
        if not begun and len(text) >= len(_BOM):
            text, begun = text.removeprefix(_BOM), True
        end = _end(text) if chunk else len(text)
        held = text[end:]
        if len(held) > MAX_RECORD_BYTES:
            raise BadInput(f"a record has more than {MAX_RECORD_BYTES} bytes", row=first)
        rows = _rows(text[:end], first)
        if rows:
            yield CsvPiece(first, rows)
            first += len(rows)
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


def _rows(data: bytes, first: int) -> list[list[str]]:
    if not data:
        return []
    try:
        return [row for row in csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True) if row]
    except UnicodeDecodeError:
        raise BadInput(f"the report is not UTF-8 after record {first - 1}", row=first) from None
    except csv.Error as error:
        raise BadInput(f"the report is not CSV after record {first - 1}: {error}", row=first) from None


def csv_page(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as CSV with a header; a row without a column has an empty cell there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "replace")
