"""Dropped files that hold no numbers of days (reference data, objects), as records with canonical cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from adweir.model.data_types import DataType
from adweir.model.mappings import Mapping
from adweir.model.metrics import BadRow
from adweir.platforms.files.file_rows import FileContext
from adweir.platforms.files.in_order import mapped
from adweir.platforms.files.lines import Record
from adweir.platforms.files.mapped import BoundMapping, form_of
from adweir.platforms.files.table import FileTable, open_table, records


class KeptFiles(NamedTuple):
    """How the files of a source and data type are read, and whose they are."""

    data_type: DataType
    context: FileContext
    mapping: Mapping

    @property
    def known_as(self) -> str:
        """The mapping's digest: the same bytes by another mapping are another reading."""
        return self.mapping.digest

    def records(self, stream: BinaryIO, size: int) -> Iterator[Record | BadRow]:
        """The rows of a file, lazily. Raises BadInput when it cannot be read as a whole."""
        return self.records_of(open_table(stream, size, form_of(self.mapping)))

    def records_of(self, table: FileTable) -> Iterator[Record | BadRow]:
        """The same of an open table."""
        return mapped(records(table), BoundMapping(self.mapping, table.header))
