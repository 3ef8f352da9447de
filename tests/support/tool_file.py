"""A file as another tool exports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class File(NamedTuple):
    """A file of a tool: its header, what is between two columns, and some rows, of which empty cells are left out."""

    header: str
    rows: Sequence[Mapping[str, str]]
    mark: str = ","


Cases = dict[str, tuple[str, str, File, File, dict[str, str]]]
"""By source: the source, a data type, the file in two languages or notations, and what both add up to."""
NUMBERS = {"impressions": "1234", "clicks": "56", "spend": "1050.5", "conversions": "4.5", "revenue": "99.9"}
