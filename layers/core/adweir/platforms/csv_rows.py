"""A report's CSV → metric rows: by column where all rows of a piece can be read, else one by one.

A platform says which cells are read and what they mean; a row that cannot be read costs itself only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import compress
from operator import itemgetter
from typing import NamedTuple

from adweir.model.columns import MetricColumns
from adweir.model.metrics import BadRow, MetricRow
from adweir.platforms.connector import RowBatch
from adweir.platforms.csv_pieces import CsvPiece
from adweir.platforms.rounding import Roundings

Column = Sequence[str]


class Cells(NamedTuple):
    """The cells of some rows by column, and the number of each row."""

    columns: Mapping[int, Column]
    lines: Sequence[int]


class CsvReader(ABC):
    """How the rows of one file become ours. `width`: the cells of a row; `places`: two or more that are read of it."""

    def __init__(self, width: int, places: Sequence[int]) -> None:
        self._width = width
        self._places = places
        self._pick = itemgetter(*places)
        self._roundings = Roundings()

    @abstractmethod
    def columns(self, cells: Cells) -> MetricColumns:
        """The rows, of which there is at least one. Raises ValueError (field, message) where one cannot be read."""

    @abstractmethod
    def bad(self, cells: Cells, error: ValueError) -> BadRow:
        """The only row of these cells, which cannot be read, for quarantine: with its key where that can."""

    def own(self, cells: Cells) -> Cells:
        """The cells of those rows that are the profile's."""
        return cells

    def read(self, piece: CsvPiece, skip: int = 0) -> RowBatch:
        """The rows of a piece but for the first ones."""
        bad: list[BadRow] = []
        columns = piece.columns(self._width, self._places)
        if columns is None:
            cells, bad = self._parsed(piece.rows[skip:], piece.first + skip)
        else:
            lines = range(piece.first + skip, piece.first + piece.count)
            cells = Cells({place: column[skip:] for place, column in columns.items()}, lines)
        cells = self.own(cells) if cells.lines else cells
        if not cells.lines:
            return RowBatch([], bad)
        try:
            self._roundings.clear()
            return RowBatch(self.columns(cells), bad)
        except ValueError:
            found = self._one_by_one(cells)
            return RowBatch(found.rows, [*bad, *found.bad])

    def _parsed(self, rows: list[list[str]], first: int) -> tuple[Cells, list[BadRow]]:
        """The cells of the rows, and the rows with another number of cells than the header has."""
        lines: Sequence[int] = range(first, first + len(rows))
        kept = [len(row) == self._width for row in rows]
        bad = [self._odd(line, row) for line, row, whole in zip(lines, rows, kept, strict=True) if not whole]
        if bad:
            rows, lines = list(compress(rows, kept)), list(compress(lines, kept))
        if not rows:
            return Cells({}, []), bad
        return Cells(dict(zip(self._places, zip(*map(self._pick, rows), strict=True), strict=True)), lines), bad

    def _one_by_one(self, cells: Cells) -> RowBatch:
        good, bad = list[MetricRow](), list[BadRow]()
        for place, line in enumerate(cells.lines):
            one = Cells({at: [column[place]] for at, column in cells.columns.items()}, [line])
            self._roundings.clear()
            try:
                good += self.columns(one)
            except ValueError as error:
                bad.append(self.bad(one, error))
        return RowBatch(good, bad)

    def _odd(self, line: int, row: list[str]) -> BadRow:
        message = f"has {len(row)} cells, the header {self._width}"
        return BadRow(line, row, [{"field": "", "rule": "fields", "message": message}])


def kept(cells: Cells, wanted: Sequence[bool]) -> Cells:
    """The cells of the rows that are wanted."""
    columns = {at: list(compress(column, wanted)) for at, column in cells.columns.items()}
    return Cells(columns, list(compress(cells.lines, wanted)))
