"""A line of a dropped file as cells by column, whatever the file's format and data type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from adweir.model import limits
from adweir.model.errors import AdweirError
from adweir.model.metrics import BadRow
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser

KNOWN = "known"
"""The rule that a line breaks which names something that is not stored (yet): dropped again, the file may repair it."""


_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]*)?E\+[0-9]{2}")
"""What spreadsheets make of long ids: those of several objects look the same."""


class LineFault(Exception):
    """What is wrong with a line, and in which column."""

    def __init__(self, field: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.field, self.rule = field, rule


class Record(NamedTuple):
    """A line: its 1-based number, its text for quarantine, and its stripped cells by the name of their column.

    The name is the file's own, until a mapping has made it canonical.
    """

    number: int
    source: str
    cell: dict[str, str]
    counts: bool = True
    """Whether it meets the mapping's filters. One that does not has only the cell that tells it apart."""

    def bad(self, fault: LineFault) -> BadRow:
        """The line as one that cannot be stored."""
        return BadRow(self.number, self.source, [error(fault.field, fault.rule, str(fault))])


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
    if "E+" in value and _ROUNDED.fullmatch(value):
        raise LineFault(name, "rounded", "was rounded by a spreadsheet, as 1.2E+17: export it as text")
    return value


def error(field: str, rule: str, message: str) -> dict[str, str]:
    """A fault of a line, as `BadRow` has them."""
    return {"field": field, "rule": rule, "message": f"{field or 'the line'} {message}"}
