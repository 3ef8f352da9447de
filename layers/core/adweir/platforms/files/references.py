"""Dropped files of reference data as records with canonical cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from adweir.model.data_types import DataType
from adweir.model.mappings import Mapping
from adweir.model.metrics import BadRow
from adweir.model.platforms import Platform
from adweir.platforms.files.lines import Record
from adweir.platforms.files.mapped import BoundMapping, form_of, mapped
from adweir.platforms.files.table import open_table, records


class ReferenceFiles(NamedTuple):
    """How the files of a source and data type are read."""

    data_type: DataType
    source: Platform
    mapping: Mapping

    def records(self, stream: BinaryIO, size: int) -> Iterator[Record | BadRow]:
        """The rows of a file, lazily. Raises BadInput when it cannot be read as a whole."""
        table = open_table(stream, size, form_of(self.mapping))
        return mapped(records(table), BoundMapping(self.mapping, table.header))
