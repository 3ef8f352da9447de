"""The dropped file as bytes: plain or gzip, read line by line within limits, and its header.

One line is one record; a quoted field may hold commas and doubled quotes, but no line break. So each fault has a line
number and a broken quote spoils one line, not the rest of the file.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import IO, BinaryIO, NamedTuple, cast

from adweir.model import limits
from adweir.model.errors import BadInput

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


class Columns(NamedTuple):
    """The columns that a file has to have, and other names of columns."""

    required: tuple[str, ...]
    aliases: Mapping[str, str]


METRICS = Columns(
    ("platform", "profile_id", "level", "date", "impressions", "clicks", "spend"),
    {"cost": "spend", "adset_id": "ad_group_id", "day": "date"},
)
INVOICES = Columns(("platform", "profile_id", "month", "kind", "amount"), {"invoice": "invoice_id"})


class Line(NamedTuple):
    """A line's 1-based number and its bytes without the line end; None: it was too long."""

    number: int
    data: bytes | None


def opened(stream: BinaryIO) -> BinaryIO:
    """The file's content, unpacked when it begins as gzip does. The stream must be seekable and at its start."""
    magic = stream.read(2)
    stream.seek(0)
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb")) if magic == _GZIP else stream


def lines(stream: IO[bytes], size: int) -> Iterator[Line]:
    """Lines of the unpacked content; `size` is the file's as stored, to recognise a gzip bomb.

    Raises BadInput when the gzip data is corrupt or cut off, or unpacks to more bytes or lines than is reasonable.
    """
    number = total = 0
    most = min(limits.MAX_DROP_UNPACKED_BYTES, max(limits.MIN_DROP_UNPACKED_BYTES, size * limits.MAX_DROP_RATIO))
    while True:
        data, length = _read_line(stream, most - total)
        total += length
        if total > most:
            raise BadInput(f"the file unpacks to more than {most} bytes", [{"field": "file", "rule": "size"}])
        if not length:
            return
        number += 1
        if number > limits.MAX_DROP_LINES:
            most_lines = f"the file has more than {limits.MAX_DROP_LINES} lines; split it"
            raise BadInput(most_lines, [{"field": "file", "rule": "lines"}])
        if number == 1 and data is not None:
            data = data.removeprefix(_BOM)
        yield Line(number, data)


def _read_line(stream: IO[bytes], left: int) -> tuple[bytes | None, int]:
    """A line (None: over-long, skipped) and how many bytes it took."""
    max_line = limits.MAX_DROP_LINE_BYTES
    try:
        data = stream.readline(max_line + 2)
        length = len(data)
        if length < max_line + 2 or data.endswith(b"\n"):
            line = data.rstrip(b"\r\n")
            return (line if len(line) <= max_line else None), length
        while data and not data.endswith(b"\n") and length <= left:
            data = stream.readline(max_line)
            length += len(data)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"the gzip file is damaged: {error}", [{"field": "file", "rule": "gzip"}]) from None
    return None, length


def cells(data: bytes) -> list[str]:
    """A line's fields. Raises ValueError that says what is wrong."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    if "\0" in text:
        raise ValueError("has a NUL character")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise ValueError(f"is not CSV: {error}") from None


def header(line: Line | None, wanted: Columns = METRICS) -> list[str]:
    """The canonical column names, in the file's order; unknown ones stay as they are. Raises BadInput."""
    if line is None or line.data is None:
        raise BadInput("the file has no header line", [{"field": "header", "rule": "required"}])
    try:
        names = [name.strip().lower() for name in cells(line.data)]
    except ValueError as error:
        raise BadInput(f"the header {error}", [{"field": "header", "rule": "csv"}]) from None
    columns = [wanted.aliases.get(name, name) for name in names]
    faults = [
        {"field": name, "rule": "required", "message": "missing"} for name in wanted.required if name not in columns
    ]
    faults += [
        {"field": name[:100], "rule": "unique", "message": "given twice"}
        for name, times in Counter(columns).items()
        if times > 1
    ]
    if len(columns) > limits.MAX_DROP_COLUMNS:
        faults.append({"field": "header", "rule": "columns", "message": f"has over {limits.MAX_DROP_COLUMNS} columns"})
    if faults:
        named = ", ".join(f"{fault['field']} {fault['message']}" for fault in faults[:10])
        raise BadInput(f"the header is wrong: {named}", faults)
    return columns
