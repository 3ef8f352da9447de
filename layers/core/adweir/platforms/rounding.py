"""What rounding to millionths added to the amounts of a row, where a platform sent more decimals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeVar

from adweir.model.metrics import Deltas

T = TypeVar("T")
U = TypeVar("U")

CONVERSIONS, SPEND, REVENUE = 2, 3, 4
"""Places of the amounts in a slot."""


class Rounding:
    """What rounding added to the amounts of one row; `clear` before the next."""

    __slots__ = ("added",)

    def __init__(self) -> None:
        self.added: list[tuple[int, Decimal]] = []

    def clear(self) -> None:
        self.added.clear()

    def deltas(self) -> Deltas | None:
        """By the places of a slot; None where nothing was rounded."""
        if not self.added:
            return None
        found = [Decimal(0)] * 5
        for place, delta in self.added:
            found[place] += delta
        impressions, clicks, conversions, spend, revenue = found
        return impressions, clicks, conversions, spend, revenue


class Roundings:
    """What rounding added to the amounts of the rows of a page, by their place."""

    __slots__ = ("_found", "row")

    def __init__(self) -> None:
        self.row = Rounding()
        """Takes that of the value that is read."""
        self._found: dict[int, Rounding] = {}

    def each(self, read: Callable[[T], U], values: Iterable[T]) -> list[U]:
        """A column's values, read one by one."""
        found = []
        for place, value in enumerate(values):
            found.append(read(value))
            if self.row.added:
                self._found.setdefault(place, Rounding()).added += self.row.added
                self.row.clear()
        return found

    def clear(self) -> None:
        """Before the next page."""
        self.row.clear()
        self._found.clear()

    def deltas(self) -> dict[int, Deltas]:
        """By place."""
        return {place: deltas for place, row in self._found.items() if (deltas := row.deltas())}
