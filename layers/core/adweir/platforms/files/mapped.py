"""Records in a file's own columns → records in ours, as a mapping says (docs/mappings.md).

What can be decided once per file is: `BoundMapping` looks up the columns in the header, then each row costs a look into
a dict per column. Rows wait only until the file has shown what its decimal mark is (`numerals`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adweir.model import limits
from adweir.model.data_types import DATA_TYPES, Kind
from adweir.model.errors import BadInput
from adweir.model.mappings import DAYS, NUMBERS, RANGE, MappedColumn, Mapping, RowRule, Unit, kinds_of
from adweir.model.metrics import BadRow
from adweir.model.money import minor_digits
from adweir.platforms.files import builtin
from adweir.platforms.files.calendar_days import CalendarDays
from adweir.platforms.files.delimited import Form
from adweir.platforms.files.headers import HeaderNames, currency_of
from adweir.platforms.files.lines import LineFault, Record
from adweir.platforms.files.numerals import Numerals, Undecided, as_text, exactly, is_masked, scaled, unit_of

_EMPTY = frozenset({"--", "-", "\u2013", "\u2014", "null", "none", "nan", "n/a", "#n/a"})
"""What stands for nothing in columns of numbers, days and ids."""
_POWERS = {Unit.ONES: 0, Unit.THOUSANDS: 3, Unit.PERCENT: -2, Unit.MICROS: -6}
_MONEY = frozenset({
    "spend", "revenue", "refunded", "amount", "tax", "value",
    "incremental_revenue", "incremental_revenue_lower", "incremental_revenue_upper",
})  # fmt: skip
_SHOWN = 2_000
_DAY_CHARS, _LOCAL_CHARS = len("2026-01-15"), len("2026-01-15T10:00:00")
_SHOWS_CELLS = ("ambiguous", "consistent")
"""Rules about a whole file whose messages show a cell."""
NO_DATA, FILTERED = "no_data", "filtered"
"""Why rows are left out: they are totals or the like; they do not meet the mapping's filters."""


class _Number(NamedTuple):
    """A field that is a number: the columns that it is read from, and what is known of their texts."""

    field: str
    column: str
    whole: bool
    unit: Unit
    known: dict[str, str]
    said: dict[str, str]
    """The currencies in texts that name one."""
    others: tuple[str, ...]
    plus: tuple[str, ...]
    minus: tuple[str, ...]

    @property
    def is_alone(self) -> bool:
        """Whether a cell's text says all: no other column counts, and not the row's currency."""
        return not (self.others or self.plus or self.minus) and self.unit is not Unit.MINOR


class _Rule(NamedTuple):
    column: str
    begins: tuple[str, ...]
    equals: frozenset[str]

    known: dict[str, bool]

    def meets(self, cell: dict[str, str]) -> bool:
        text = cell.get(self.column, "")
        found = self.known.get(text)
        if found is None:
            folded = text.casefold()
            found = folded in self.equals or folded.startswith(self.begins)
            if len(self.known) < limits.MAX_KNOWN_CELLS:
                self.known[text] = found
        return found


class BoundMapping:
    """A mapping for the files of one header. Raises BadInput for a header that lacks what the mapping needs."""

    def __init__(self, mapping: Mapping, header: Sequence[str]) -> None:
        self.mapping = mapping
        self._kinds = kinds_of(mapping.data_type)
        self._header = HeaderNames(header)
        zone = ZoneInfo(mapping.timezone) if mapping.timezone else None
        self._numerals, self._calendar = Numerals(mapping.decimal), CalendarDays(mapping.date_order, zone)
        self._empty = _EMPTY | {text.strip().casefold() for text in mapping.empty}
        self._more_empty = frozenset(text.strip() for text in mapping.empty)
        self._known_days: dict[str, str] = {}
        self._constants = dict(mapping.constants)
        self._currency = ""
        self._texts: list[tuple[str, str, tuple[str, ...]]] = []
        self._numbers: list[_Number] = []
        self._days: list[tuple[str, str, tuple[str, ...]]] = []
        self._bind_columns()
        self._names_currencies = False
        self._alone = [each for each in self._numbers if each.is_alone]
        self._together = [each for each in self._numbers if not each.is_alone]
        self.columns = self._used()
        """The file's columns that the mapping reads: no other leaves the file."""
        self._skip = [rule for each in mapping.skip for rule in self._rule(each)]
        self._keep = [self._needed(each) for each in mapping.keep]
        self._hourly = mapping.data_type.endswith("_hourly")
        self.left_out: Counter[str] = Counter()
        """Rows that were skipped, by reason."""

    def read(self, record: Record) -> Record | None:
        """A record with our columns, None for a row to skip. Raises LineFault, BadInput, Undecided (see `mapped`)."""
        cell = record.cell
        for rule in self._skip:
            if rule.meets(cell):
                self.left_out[NO_DATA] += 1
                return None
        for rule in self._keep:
            if not rule.meets(cell):
                self.left_out[FILTERED] += 1
                return self._uncounted(record)
        made = dict(self._constants)
        empty = self._more_empty
        for field, column, others in self._texts:
            text = cell.get(column, "")
            if others and not text:
                text = next((cell[other] for other in others if cell.get(other)), "")
            made[field] = "" if text in empty or (text == "--" and not field.endswith("_name")) else text
        if self._currency:
            _agree(made, self._currency, "the column's name")
        self._take_numbers(cell, made)
        if self._names_currencies:
            self._check_currencies(cell, made)
        self._take_days(cell, made)
        return Record(record.number, record.source, made)

    def _uncounted(self, record: Record) -> Record | None:
        """A record that the filters leave out, with what it is known by: it may have counted in an earlier file."""
        known_by = DATA_TYPES[self.mapping.data_type].known_by
        for field, column, others in self._texts if known_by else ():
            if field == known_by:
                text = next((record.cell[each] for each in (column, *others) if record.cell.get(each)), "")
                return Record(record.number, record.source, {field: text}, counts=False)
        return None

    def learn(self, record: Record) -> None:
        """Take in what a row's cells say of the file's decimal mark and order of dates."""
        for number in self._numbers:
            for column in (number.column, *number.others, *number.plus, *number.minus):
                self._numerals.learn(record.cell.get(column, ""), whole=number.whole)
        for _, column, others in self._days:
            for each in (column, *others):
                self._calendar.learn(record.cell.get(each, ""))

    def has_point(self, rows: Sequence[Record]) -> bool:
        """Settle that a file in our own columns has the decimal point, as they are documented, where no cell has a
        comma. Returns whether the mark is known by now."""
        is_own = all(column.names[0] == column.field for column in self.mapping.columns)
        columns = [column for each in self._numbers for column in (each.column, *each.others)]
        if is_own and not any("," in row.cell.get(column, "") for row in rows for column in columns):
            self._numerals.settle(self._numerals.decimal or ".")
        return bool(self._numerals.decimal)

    def _bind_columns(self) -> None:
        missing = []
        for column in self.mapping.columns:
            found = self._header.find(column.names)
            if not found:
                if column.required:
                    missing.append(column)
                continue
            for each in found:
                if self._header.is_twice(each.name):
                    raise _wrong(f"two columns are called {each.name[:60]!r}", each.name)
            if self._kinds[column.field] in NUMBERS:
                self._bind_number(column, [each.name for each in found])
                self._take_currency({each.currency for each in found if each.currency})
            else:
                first, *others = (each.name for each in found)
                bound = self._days if self._kinds[column.field] in DAYS else self._texts
                bound.append((column.field, first, tuple(others)))
        if missing:
            named = "; ".join(f"{column.field} ({' or '.join(column.names[:4])})" for column in missing[:10])
            raise _wrong(f"the file has no column for {named}{builtin.meant(self.mapping)}", missing[0].field)
        dated = {field for field, _, _ in self._days}
        if dated.intersection(RANGE) and "date" in dated:
            self._days = [each for each in self._days if each[0] == "date"]
        wanted = self.mapping.column("date") or self.mapping.column("range_start")
        if wanted and not dated and "date" in DATA_TYPES[self.mapping.data_type].required:
            raise _wrong(
                f"the file has no column of days ({' or '.join(wanted.names[:4])}): its rows are of the whole range "
                "that was exported. Export it by day",
                "date",
            )

    def _bind_number(self, column: MappedColumn, found: list[str]) -> None:
        plus, minus = (tuple(each.name for each in self._header.find(names)) for names in (column.plus, column.minus))
        whole = self._kinds[column.field] is Kind.COUNT and column.unit is Unit.ONES
        self._numbers.append(_Number(column.field, found[0], whole, column.unit, {}, {}, tuple(found[1:]), plus, minus))

    def _take_currency(self, said: set[str]) -> None:
        """Of a column's name. Columns of two currencies in one file cannot both be the profile's."""
        if self._currency:
            said.add(self._currency)
        if len(said) > 1:
            raise _wrong(f"the columns are in several currencies: {', '.join(sorted(said))}", "currency")
        self._currency = next(iter(said), "")

    def _used(self) -> tuple[str, ...]:
        texts = [name for _, first, others in (*self._texts, *self._days) for name in (first, *others)]
        numbers = [name for each in self._numbers for name in (each.column, *each.others, *each.plus, *each.minus)]
        return tuple(dict.fromkeys([*texts, *numbers]))

    def _rule(self, rule: RowRule) -> list[_Rule]:
        """The rule for each column of the file that it is about."""
        columns = [each.name for each in self._header.find(rule.column)] if rule.column else self._header.names[:1]
        equals = frozenset([*(text.strip().casefold() for text in rule.equals), *([""] if rule.empty else [])])
        begins = tuple(text.casefold() for text in rule.begins)
        return [_Rule(column, begins, equals, {}) for column in columns]

    def _needed(self, rule: RowRule) -> _Rule:
        found = self._rule(rule)
        if not found:
            raise _wrong(f"the file has no column {' or '.join(rule.column[:4])}, by which its rows are chosen", "keep")
        return found[0]

    def _take_numbers(self, cell: dict[str, str], made: dict[str, str]) -> None:
        for number in self._alone:
            text = cell.get(number.column, "")
            value = number.known.get(text)
            if value is None:
                value = self._number(number, text, made)
                if len(number.known) >= limits.MAX_KNOWN_CELLS:
                    number.known.clear()
                    number.said.clear()
                    self._note_currency(number, text)
                number.known[text] = value
            made[number.field] = value
        for number in self._together:
            made[number.field] = self._sum(number, cell, made)

    def _is_empty(self, text: str) -> bool:
        return not text or text.casefold() in self._empty or is_masked(text)

    def _number(self, number: _Number, text: str, made: dict[str, str]) -> str:
        """A cell as the canonical text of its field, "" for an empty or a masked one."""
        if self._is_empty(text):
            return ""
        try:
            plain = self._numerals.plain(text, whole=number.whole)
            power = _POWERS.get(number.unit)
            if power is None:
                power = -_minor_digits(made)
            self._note_currency(number, text)
            if number.whole:
                whole, _, part = plain.partition(".")
                return whole if not part.strip("0") else plain
            return exactly(plain, power) if self._kinds[number.field] is Kind.EXACT else scaled(plain, power)
        except ValueError as error:
            raise LineFault(number.field, "number", f"{error}: {text[:40]!r}") from None

    def _note_currency(self, number: _Number, text: str) -> None:
        """Of a cell such as `€12.50`: it is the row's."""
        if number.field in _MONEY and not text.isdecimal() and (currency := currency_of(unit_of(text))):
            if len(number.said) >= limits.MAX_KNOWN_CELLS:
                number.said.clear()
            number.said[text] = currency
            self._names_currencies = True

    def _check_currencies(self, cell: dict[str, str], made: dict[str, str]) -> None:
        """The row's currency where only its amounts say it. Raises LineFault where two places say two."""
        for number in self._numbers:
            for column in (number.column, *number.others, *number.plus, *number.minus) if number.said else ():
                said = number.said.get(cell.get(column, ""))
                if said:
                    _agree(made, said, f"the cell of {number.field}")

    def _sum(self, number: _Number, cell: dict[str, str], made: dict[str, str]) -> str:
        """Of several columns; empty ones count as nothing, of empty ones alone it is empty."""
        firsts = [column for column in (number.column, *number.others) if not self._is_empty(cell.get(column, ""))][:1]
        if not (number.plus or number.minus):
            return self._number(number, cell[firsts[0]], made) if firsts else ""
        total, any_given = Decimal(0), False
        for sign, columns in ((1, (*firsts, *number.plus)), (-1, number.minus)):
            for column in columns:
                text = self._number(number, cell.get(column, ""), made)
                if text:
                    total += sign * Decimal(text)
                    any_given = any_given or sign == 1
        return as_text(total) if any_given else ""

    def _take_days(self, cell: dict[str, str], made: dict[str, str]) -> None:
        for field, column, others in self._days:
            text = cell.get(column, "") or next((cell[each] for each in others if cell.get(each)), "")
            if not text or text.casefold() in self._empty:
                made[field] = ""
                continue
            when = self._known_days.get(text)
            if when is None:
                try:
                    when = self._calendar.read(text)
                except ValueError as error:
                    raise LineFault(field, "format", f"{error}: {text[:40]!r}") from None
                if len(self._known_days) >= limits.MAX_KNOWN_CELLS:
                    self._known_days.clear()
                self._known_days[text] = when
            if field == "date" and self._hourly and len(when) == _LOCAL_CHARS:
                made.setdefault("hour", str(int(when[11:13])))
            made[field] = when if len(when) > _LOCAL_CHARS else when[:_DAY_CHARS]
        if "range_start" in made:
            start, end = made.pop("range_start"), made.pop("range_end", "")
            if end not in {"", start}:
                raise LineFault("date", "range", f"is missing: the row is of {start} to {end}. Export it by day")
            made["date"] = start


def mapped(
    found: Iterable[Record | BadRow], bound: BoundMapping, *, personal: bool = False
) -> Iterator[Record | BadRow]:
    """Records of a file in our columns, in its order; rows to skip are left out.

    `personal`: for files with data of persons, what goes into quarantine are the mapped columns alone. Raises BadInput
    for a file whose numbers or dates can be read in two ways.
    """
    try:
        yield from _in_order(found, bound, personal=personal)
    except BadInput as error:
        about = error.details[0] if error.details else {}
        if not personal or about.get("rule") not in _SHOWS_CELLS:
            raise
        message = (
            "numbers or dates can be read in two ways, or are written in two: "
            "say the decimal mark (decimal) or the order of dates (date_order) in the mapping"
        )
        raise BadInput(message, error.details) from None


def _in_order(found: Iterable[Record | BadRow], bound: BoundMapping, *, personal: bool) -> Iterator[Record | BadRow]:
    waiting: list[Record] = []
    for each in found:
        if isinstance(each, BadRow):
            yield each._replace(raw="") if personal else each
            continue
        record = each._replace(source=_shown(each, bound)) if personal else each
        if waiting:
            waiting.append(record)
            bound.learn(record)
            waiting = yield from _settled(waiting, bound)
            if len(waiting) > limits.MAX_UNDECIDED_ROWS:
                raise _ambiguous(waiting[0], bound)
            continue
        waiting = yield from _settled([record], bound)
    if waiting and bound.has_point(waiting):
        waiting = yield from _settled(waiting, bound)
    if waiting:
        raise _ambiguous(waiting[0], bound)


def _settled(waiting: list[Record], bound: BoundMapping) -> Generator[Record | BadRow, None, list[Record]]:
    """Yield what can be read by now; returns the rest."""
    for place, record in enumerate(waiting):
        try:
            made = _read(record, bound)
        except Undecided:
            return waiting[place:] if place else waiting
        except LineFault as fault:
            yield record.bad(fault)
            continue
        if made is not None:
            yield made
    return []


def _read(record: Record, bound: BoundMapping) -> Record | None:
    """A row that cannot be read may hold, in a later cell, what says how to read it."""
    try:
        return bound.read(record)
    except Undecided:
        bound.learn(record)
        return bound.read(record)


def is_header(mapping: Mapping, cells: Sequence[str]) -> bool:
    """Whether a line of a file is the header of this mapping: it has all that is required, and two columns at least."""
    names = HeaderNames(cells)
    found = [bool(names.find(column.names)) for column in mapping.columns]
    return sum(found) >= min(2, len(found)) and all(
        has or not column.required for has, column in zip(found, mapping.columns, strict=True)
    )


def is_footer(mapping: Mapping, cells: Sequence[str]) -> bool:
    """Whether a line that has not as many cells as the header is one to skip, by the rules about the first column."""
    first = next(iter(cells), "").strip().casefold()
    return any(
        first.startswith(tuple(text.casefold() for text in rule.begins)) or first in map(str.casefold, rule.equals)
        for rule in mapping.skip
        if not rule.column
    )


def form_of(mapping: Mapping) -> Form:
    """What a mapping says of a file's form."""
    return Form(
        mapping.form.delimiter or "",
        mapping.form.encoding or "",
        mapping.form.preamble,
        lambda cells: is_header(mapping, cells),
        lambda cells: is_footer(mapping, cells),
    )


def _shown(record: Record, bound: BoundMapping) -> str:
    return json.dumps({column: record.cell.get(column, "") for column in bound.columns}, ensure_ascii=False)[:_SHOWN]


def _minor_digits(made: dict[str, str]) -> int:
    currency = made.get("currency", "").upper()
    if not currency:
        raise LineFault("currency", "required", "is required: it says what the smallest unit is")
    return minor_digits(currency)


def _agree(made: dict[str, str], said: str, where: str) -> None:
    """Take a row's currency from another place than its own cell. Raises LineFault where they differ."""
    known = made.get("currency", "")
    if not known:
        made["currency"] = said
    elif known.upper() != said:
        raise LineFault("currency", "consistent", f"is {known[:3]}, but {where} says {said}")


def _wrong(message: str, field: str) -> BadInput:
    return BadInput(message, [{"field": field[: limits.MAX_NAME_CHARS], "rule": "mapping", "message": message}])


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
