"""The rows of a piece of a file in our columns, all at once: what `BoundMapping.read` makes of them one by one.

Each different text of a column is read once, plain numbers of a column together. What is not certain is left to
`in_order`: rows at fault, and what depends on which cell of the file comes first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import compress

from adweir.model import limits
from adweir.model.mappings import Unit
from adweir.model.numerals import OTHER_MARK
from adweir.platforms.files import cells
from adweir.platforms.files.by_column import Column, Unusual, amounts, chosen, counts, or_none, per_text, remembered
from adweir.platforms.files.currencies import SIGN, agree
from adweir.platforms.files.mapped import (
    FILTERED,
    NO_DATA,
    BoundMapping,
    NumberColumn,
    currency_in,
    day_of_range,
    day_or_moment,
)
from adweir.platforms.files.text_lines import Chunk

Convert = Callable[[Mapping[str, str], str], int]
"""What makes a number of a cell, as `cells` has them."""
Figures = Sequence[int | None]


class CanonicalRows:
    """Rows with our columns: their numbers in the file, their texts, cells by field, and the numbers that are read."""

    def __init__(
        self,
        lines: Sequence[int],
        texts: Sequence[str],
        cells: Mapping[str, Column],
        figures: Mapping[str, Figures],
    ) -> None:
        self.lines, self.texts, self._cells, self._figures = lines, texts, cells, figures
        self.size = len(lines)

    def column(self, name: str) -> Column:
        """The texts of a field; empty ones where no column says it."""
        return self._cells.get(name) or [""] * self.size

    def said(self, *names: str) -> list[tuple[str, ...]]:
        """What each row says in some fields."""
        return list(zip(*map(self.column, names), strict=True)) if names else [()] * self.size

    def figures(self, name: str) -> Figures:
        """The numbers of a field, None for unknown ones."""
        return self._figures.get(name) or [None] * self.size

    def at(self, places: Sequence[int]) -> CanonicalRows:
        """Some of the rows."""
        if len(places) == self.size:
            return self
        return CanonicalRows(
            chosen(self.lines, places),
            chosen(self.texts, places),
            {name: chosen(column, places) for name, column in self._cells.items()},
            {name: chosen(column, places) for name, column in self._figures.items()},
        )


class MappedColumns:
    """Reads pieces of one file. `converts`: how the numbers that are asked for are read."""

    def __init__(self, bound: BoundMapping, header: Sequence[str], converts: Mapping[str, Convert]) -> None:
        self._bound, self._converts = bound, converts
        self._places = {name: at for at, name in enumerate(header)}
        self._known: dict[str, dict[tuple[str, ...], tuple[int | None, str]]] = {}

    def read(self, chunk: Chunk) -> tuple[CanonicalRows, Counter[str]]:
        """The rows of a piece, and how many are left out, by reason. Raises Unusual, LineFault."""
        lines, texts, left_out = chunk.numbers, chunk.texts, Counter[str]()
        if not lines:
            return CanonicalRows((), (), {}, {}), left_out
        column = _Stripped(chunk.columns, self._places)
        wanted = self._wanted(column, len(lines), left_out)
        if wanted is not None:
            lines, texts = list(compress(lines, wanted)), list(compress(texts, wanted))
        if not lines:
            return CanonicalRows((), (), {}, {}), left_out
        found = _Piece(self._bound, column.only(wanted), len(lines))
        said = [self._figures(found, number) for number in self._bound.numbers]
        found.take_currencies([each for _, each in said if each])
        names = [number.field for number in self._bound.numbers]
        figures = {name: numbers for name, (numbers, _) in zip(names, said, strict=True)}
        figures |= {name: self._constant(found, name) for name in self._converts if name in self._bound.constants}
        return CanonicalRows(lines, texts, found.made, figures), left_out

    def _wanted(self, column: _Stripped, size: int, left_out: Counter[str]) -> list[bool] | None:
        """Which rows are data that is asked for; None: all."""
        skipped, kept = [False] * size, [True] * size
        for rule in self._bound.skip:
            skipped = [a or b for a, b in zip(skipped, per_text(rule.meets, column(rule.column)), strict=True)]
        for rule in self._bound.keep:
            kept = [a and b for a, b in zip(kept, per_text(rule.meets, column(rule.column)), strict=True)]
        if not any(skipped) and all(kept):
            return None
        found = [not no and yes for no, yes in zip(skipped, kept, strict=True)]
        left_out[NO_DATA], left_out[FILTERED] = sum(skipped), size - sum(skipped) - sum(found)
        return found

    def _constant(self, found: _Piece, name: str) -> Figures:
        text = self._bound.constants[name]
        return [self._converts[name]({name: text}, name) if text else None] * found.size

    def _figures(self, found: _Piece, number: NumberColumn) -> tuple[Figures, Column]:
        """A field's numbers, and what its cells say of their currency, none of a column that says nothing."""
        if number.is_alone:
            try:
                return self._plainly(found.column(number.column), number), ()
            except Unusual:
                pass
        known = self._known.setdefault(number.field, {})
        about = [*map(found.column, number.columns), *([found.currency] if number.unit is Unit.MINOR else [])]

        def convert(texts: tuple[str, ...]) -> tuple[int | None, str]:
            return self._number(number, texts)

        both = remembered(convert, known, list(zip(*about, strict=True)), limits.MAX_KNOWN_CELLS)
        numbers, said = zip(*both, strict=True)
        return numbers, said if any(said) else ()

    def _number(self, number: NumberColumn, texts: tuple[str, ...]) -> tuple[int | None, str]:
        """One row's number, and what its cells say of its currency."""
        bound, columns = self._bound, number.columns
        cell = dict(zip(columns, texts, strict=False))
        named = {currency_in(number, cell[name]) for name in bound.counted(number, cell)} - {""}
        if len(named) > 1:
            raise Unusual
        if not (bound.numerals.decimal or all(text.isdecimal() or bound.is_empty(text) for text in cell.values())):
            raise Unusual
        made = {"currency": texts[-1]} if number.unit is Unit.MINOR else {}
        text, convert = bound.number_text(number, cell, made), self._converts.get(number.field)
        return convert({number.field: text}, number.field) if convert and text else None, "".join(named)

    def _plainly(self, column: Column, number: NumberColumn) -> Figures:
        """Numbers that are digits with marks and nothing else. Raises Unusual."""
        convert = self._converts.get(number.field)
        if convert is cells.count and number.unit is Unit.ONES:
            return or_none(lambda texts: counts(self._unmarked(texts)), column)
        if convert in {cells.amount, cells.number} and number.unit is Unit.ONES:
            return or_none(lambda texts: amounts(self._unmarked(texts)), column)
        if convert in {cells.amount, cells.number} and number.unit is Unit.MICROS:
            return or_none(counts, column)
        raise Unusual

    def _unmarked(self, texts: Column) -> Column:
        """Numbers without marks between thousands, and with a point. Raises Unusual where that is not certain."""
        joined, mark = "\n".join(texts), self._bound.numerals.decimal
        if not mark:
            if "." in joined or "," in joined:
                raise Unusual
            return texts
        if OTHER_MARK[mark] in joined:
            if not _GROUPED[mark].fullmatch(joined):
                raise Unusual
            joined = joined.replace(OTHER_MARK[mark], "")
        elif mark == ".":
            return texts
        found = joined.replace(",", ".").split("\n")
        if len(found) != len(texts):
            raise Unusual
        return found


class _Stripped:
    """The columns of a piece by name, without spaces around their cells; each is made when it is asked for."""

    def __init__(self, columns: Sequence[Column], places: Mapping[str, int]) -> None:
        self._columns, self._places = columns, places
        self._made: dict[str, Column] = {}
        self._wanted: Sequence[bool] | None = None

    def __call__(self, name: str) -> Column:
        found = self._made.get(name)
        if found is None:
            column = self._columns[self._places[name]]
            if self._wanted is not None:
                column = list(compress(column, self._wanted))
            found = self._made[name] = list(map(str.strip, column))
        return found

    def only(self, wanted: Sequence[bool] | None) -> _Stripped:
        """The same of some of the rows."""
        if wanted is not None:
            self._made, self._wanted = {}, wanted
        return self


class _Piece:
    """What is known of a piece: the file's columns, and ours as far as they are made."""

    def __init__(self, bound: BoundMapping, column: Callable[[str], Column], size: int) -> None:
        self._bound, self.column, self.size = bound, column, size
        self.made: dict[str, Column] = {name: [text] * size for name, text in bound.constants.items()}
        for field, name, others in bound.texts:
            texts, empty = self._first(name, others), bound.empty_texts(field)
            self.made[field] = texts if empty.isdisjoint(texts) else ["" if each in empty else each for each in texts]
        if bound.currencies:
            self._agree([[said] * size for said in bound.currencies])
        self._take_days()

    @property
    def currency(self) -> Column:
        """What each row says so far."""
        return self.made.get("currency", [""] * self.size)

    def take_currencies(self, said: Sequence[Column]) -> None:
        """Take in what cells say of their currency. Raises LineFault where two places say two."""
        if said:
            self._agree(said)

    def _first(self, name: str, others: Sequence[str]) -> Column:
        """Of several columns, each row's first text."""
        found = self.column(name)
        for other in others:
            if all(found):
                break
            found = [text or more for text, more in zip(found, self.column(other), strict=True)]
        return found

    def _agree(self, said: Sequence[Column]) -> None:
        def agreed(texts: tuple[str, ...]) -> tuple[str, str]:
            own = {"currency": texts[0]} | ({SIGN: texts[1]} if texts[1] else {})
            for text in filter(None, texts[2:]):
                agree(own, text, "a cell")
            return own["currency"], own.get(SIGN, "")

        signs = self.made.get(SIGN, [""] * self.size)
        about = list(zip(self.currency, signs, *said, strict=True))
        found = remembered(agreed, {}, about, len(about))
        currencies, signs = (list(each) for each in zip(*found, strict=True))
        self.made["currency"] = currencies
        if any(signs):
            self.made[SIGN] = signs

    def _take_days(self) -> None:
        bound, made = self._bound, self.made

        def day(text: str) -> str:
            if not bound.calendar.is_plain(text):
                raise Unusual
            return day_or_moment(bound.day_text("", text))

        for field, name, others in bound.days:
            made[field] = per_text(day, self._first(name, others))
        if "range_start" in made:
            start = made.pop("range_start")
            about = list(zip(start, made.pop("range_end", [""] * self.size), strict=True))
            made["date"] = remembered(lambda both: day_of_range(*both), {}, about, len(about))


def _grouped(mark: str) -> re.Pattern[str]:
    one = rf"(?:[0-9]{{1,3}}(?:[{OTHER_MARK[mark]}][0-9]{{3}})+|[0-9]+)(?:[{mark}][0-9]*)?"
    return re.compile(rf"{one}(?:\n{one})*")


_GROUPED = {mark: _grouped(mark) for mark in OTHER_MARK}
"""Numbers of which some have marks between thousands."""
