"""A partner's report → the rows of one advertiser, as the file is downloaded.

The report has the rows of all advertisers of the partner, and each of them stores what it brings. So a row is stored
once, with the advertiser that it belongs to, instead of once per advertiser.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from adweir.model.errors import BadInput, RequestRejected
from adweir.platforms.csv_pieces import CsvPiece, pieces_of
from adweir.platforms.trade_desk.columns import ADVERTISER


class NotTold(RequestRejected):
    """The rows of a partner's report do not say whose they are."""


def own_rows(chunks: Iterator[bytes], advertiser_id: str) -> Iterator[bytes]:
    """The header and the advertiser's rows; an empty file stays one.

    A row that does not have the header's number of cells is kept: nobody can tell whose it is. Raises NotTold for a
    file without the advertisers' column, RequestRejected for what is not a CSV file, as the iterator does.
    """
    found = _read(chunks)
    first = next(found, None)
    if first is None:
        return iter(())
    header = [name.strip() for name in first.rows[0]]
    if ADVERTISER not in header:
        raise NotTold(
            f"the partner's report has no column {ADVERTISER!r}: add it to the template, or set the credential's field"
            " reports to advertiser"
        )
    width, place = len(header), header.index(ADVERTISER)
    return (
        piece.chosen([(piece is first and number == 0) or own for number, own in enumerate(flags)])
        for piece in chain((first,), found)
        if any(flags := _owned(piece, width, place, advertiser_id)) or piece is first
    )


def _owned(piece: CsvPiece, width: int, place: int, advertiser_id: str) -> list[bool]:
    columns = piece.columns(width, (place,))
    if columns is not None:
        return [text == advertiser_id for text in columns[place]]
    return [len(row) != width or row[place] == advertiser_id for row in piece.rows]


def _read(chunks: Iterator[bytes]) -> Iterator[CsvPiece]:
    """The pieces. The pull is what fails where the file cannot be read: it may be whole when it is asked for again."""
    try:
        yield from pieces_of(chunks)
    except BadInput as error:
        raise RequestRejected(f"the partner's report: {error.message}") from None
