"""Rows of dropped files one by one."""

from __future__ import annotations

import io

from adweir.model.metrics import BadRow
from adweir.platforms.files.normalize import DropRow
from adweir.platforms.files.reading import FileReader, read_drop


def rows_of(data: bytes, reader: FileReader) -> list[DropRow | BadRow]:
    """What a file says, by line."""
    found: list[DropRow | BadRow] = []
    for each in read_drop(io.BytesIO(data), len(data), reader):
        if isinstance(each, BadRow):
            found.append(each)
        else:
            found += [DropRow(each.target, *pair) for pair in zip(each.rows, each.texts, strict=True)]
    return sorted(found, key=lambda one: one.line if isinstance(one, BadRow) else one.row.line)
