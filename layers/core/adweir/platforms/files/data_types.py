"""Records with canonical cells → rows to store, for the data types that hold numbers (`model.data_types`).

`rows_of` gives what reads the records of one file. Rows of orders, deals, leads and visits are parts of a number: they
add up per entity and day, and come when the file is over.
"""

from __future__ import annotations

from adweir.model.data_types import DataType, StoredAs
from adweir.platforms.files.ad_rows import AdRows
from adweir.platforms.files.file_rows import FileContext, FileRows
from adweir.platforms.files.series_rows import SeriesRows


def rows_of(data_type: DataType, context: FileContext, *, adds_up: bool = False) -> FileRows:
    """What reads a file of a data type with numbers (stored as ADS or SERIES).

    `adds_up`: rows of one object and day are parts of its number, as in an export that is split by device.
    """
    if data_type.stored_as is StoredAs.SERIES:
        return SeriesRows(data_type, context)
    return AdRows(data_type, context, adds_up=adds_up)
