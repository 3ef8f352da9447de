"""A file's records in our columns, in its order: they wait until the file has said how it writes numbers and dates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.model.numerals import Undecided
from adweir.platforms.files.lines import LineFault, Record
from adweir.platforms.files.mapped import BoundMapping

_SHOWN = 2_000
_SHOWS_CELLS = ("ambiguous", "consistent")
"""Rules about a whole file whose messages show a cell."""


def mapped(
    found: Iterable[Record | BadRow], bound: BoundMapping, *, personal: bool = False
) -> Iterator[Record | BadRow]:
    """Records of a file in our columns, in its order; rows to skip are left out.

    `personal`: for files with data of persons, what goes into quarantine are the mapped columns alone. Raises BadInput
    for a file whose numbers or dates can be read in two ways.
    """
    reader = InOrder(bound, personal=personal)
    for each in found:
        yield from reader.take(each)
    yield from reader.rest()


class InOrder:
    """Takes a file's records one by one; `mapped` says what it gives and raises.

    `waiting`: those that it could not read yet.
    """

    def __init__(self, bound: BoundMapping, *, personal: bool = False) -> None:
        self.waiting: list[Record] = []
        self._bound = bound
        self._personal = personal

    def take(self, found: Record | BadRow) -> Iterator[Record | BadRow]:
        """What can be read by now, in the file's order but for lines at fault."""
        if isinstance(found, BadRow):
            yield found._replace(raw="") if self._personal else found
            return
        record, bound = found, self._bound
        if self._personal:
            record = record._replace(source=shown({name: record.cell.get(name, "") for name in bound.columns}))
        try:
            if self.waiting:
                bound.learn(record)
            self.waiting.append(record)
            yield from self._settled()
            if len(self.waiting) > limits.MAX_UNDECIDED_ROWS:
                raise _ambiguous(self.waiting[0], bound)
        except BadInput as error:
            raise self._said_of(error) from None

    def rest(self) -> Iterator[Record | BadRow]:
        """What is left when the file is over."""
        try:
            if self.waiting and self._bound.has_point(self.waiting):
                yield from self._settled()
            if self.waiting:
                raise _ambiguous(self.waiting[0], self._bound)
        except BadInput as error:
            raise self._said_of(error) from None

    def _settled(self) -> Iterator[Record | BadRow]:
        """What can be read by now; the others go on waiting."""
        waiting, self.waiting = self.waiting, []
        for place, record in enumerate(waiting):
            try:
                made = _read(record, self._bound)
            except Undecided:
                self.waiting = waiting[place:] if place else waiting
                return
            except LineFault as fault:
                yield record.bad(fault)
                continue
            if made is not None:
                yield made

    def _said_of(self, error: BadInput) -> BadInput:
        """A fault of the whole file, without a cell of one with data of persons."""
        about = error.details[0] if error.details else {}
        if not self._personal or about.get("rule") not in _SHOWS_CELLS:
            return error
        message = (
            "numbers or dates can be read in two ways, or are written in two: "
            "say the decimal mark (decimal) or the order of dates (date_order) in the mapping"
        )
        return BadInput(message, error.details)


def shown(cell: dict[str, str]) -> str:
    """Mapped columns as what quarantine shows of a row with data of persons."""
    return json.dumps(cell, ensure_ascii=False)[:_SHOWN]


def _read(record: Record, bound: BoundMapping) -> Record | None:
    """A row that cannot be read may hold, in a later cell, what says how to read it."""
    try:
        return bound.read(record)
    except Undecided:
        bound.learn(record)
        return bound.read(record)


def _ambiguous(record: Record, bound: BoundMapping) -> BadInput:
    try:
        bound.read(record)
        shown = ""
    except Undecided as cell:
        shown = str(cell)[:40]
    return BadInput(
        f"{shown!r} in line {record.number} can be read in two ways, and no other line says which: "
        "say the decimal mark (decimal) or the order of dates (date_order) in the mapping",
        [{"field": "decimal", "rule": "ambiguous"}],
    )
