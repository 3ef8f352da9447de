"""The lines of a dropped file as cells by column, whatever the file's data type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from adweir.model import limits
from adweir.model.errors import AdweirError
from adweir.model.metrics import BadRow
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser
from adweir.platforms.files import wire

_SHOWN = 2_000


class LineFault(Exception):
    """What is wrong with a line, and in which column."""

    def __init__(self, field: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.field, self.rule = field, rule


class Record(NamedTuple):
    """A line: its 1-based number, its text for quarantine, and its cells by canonical column."""

    number: int
    source: str
    cell: dict[str, str]

    def bad(self, fault: LineFault) -> BadRow:
        """The line as one that cannot be stored."""
        return BadRow(self.number, self.source, [_error(fault.field, fault.rule, str(fault))])


def records(stream: BinaryIO, size: int, columns: wire.Columns) -> Iterator[Record | BadRow]:
    """The lines of a file, lazily: a BadRow with its number for each that has no cells. Empty lines are skipped.

    `size` is the stored file's. Raises BadInput when the file as a whole cannot be read: no header, columns missing,
    gzip corrupt or a bomb; that may come after good lines.
    """
    content = wire.lines(wire.opened(stream), size)
    names = wire.header(next(content, None), columns)
    for line in content:
        if line.data is None:
            yield BadRow(line.number, "", [_error("", "length", f"is longer than {limits.MAX_DROP_LINE_BYTES} bytes")])
        elif line.data.strip():
            yield _record(names, line.number, line.data)


def _record(names: list[str], number: int, data: bytes) -> Record | BadRow:
    source = data[:_SHOWN].decode("utf-8", "replace")
    try:
        values = wire.cells(data)
    except ValueError as error:
        return BadRow(number, source, [_error("", "csv", str(error))])
    if len(values) != len(names):
        return BadRow(number, source, [_error("", "fields", f"has {len(values)} fields, the header {len(names)}")])
    return Record(number, source, {name: value.strip() for name, value in zip(names, values, strict=True)})


def platform_of(cell: dict[str, str], parse_platform: PlatformParser) -> Platform:
    """The platform that a line names. Raises LineFault."""
    try:
        return parse_platform(cell["platform"])
    except AdweirError as error:
        raise LineFault("platform", "allowed", error.message) from None


def profile_of(cell: dict[str, str]) -> str:
    """The ad account that a line names. Raises LineFault."""
    profile_id = identity(cell, "profile_id")
    if not profile_id:
        raise LineFault("profile_id", "required", "is required")
    return profile_id


def identity(cell: Mapping[str, str], name: str) -> str:
    """An id that can be part of a key, "" for none. Raises LineFault."""
    value = cell.get(name, "")
    # "#" separates the parts of our storage keys; "!" begins the items that are not entities.
    if len(value) > limits.MAX_OBJECT_ID_CHARS or "#" in value or value.startswith("!") or not value.isprintable():
        raise LineFault(
            name,
            "format",
            f"must be at most {limits.MAX_OBJECT_ID_CHARS} printable characters without #, not beginning with !",
        )
    return value


def _error(field: str, rule: str, message: str) -> dict[str, str]:
    return {"field": field, "rule": rule, "message": f"{field or 'the line'} {message}"}
