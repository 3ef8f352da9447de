"""Records in a file's own columns → records in ours, as a mapping says (docs/mappings.md).

What can be decided once per file is: `BoundMapping` looks up the columns in the header, then each row costs a look into
a dict per column. `in_order` has the rows wait until the file has shown what its decimal mark is (`numerals`), and
`mapped_columns` reads whole columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adweir.model import limits
from adweir.model.data_types import DATA_TYPES, Kind
from adweir.model.errors import BadInput
from adweir.model.mappings import DAYS, NUMBERS, RANGE, MappedColumn, Mapping, RowRule, Unit, kinds_of
from adweir.model.money import minor_digits
from adweir.model.numerals import NOTHING, Numerals, as_text, currency_of, exactly, is_masked, may_mean, scaled
from adweir.platforms.files import builtin
from adweir.platforms.files.calendar_days import CalendarDays
from adweir.platforms.files.currencies import agree, named_in
from adweir.platforms.files.delimited import Form
from adweir.platforms.files.headers import HeaderNames
from adweir.platforms.files.lines import LineFault, Record

_POWERS = {Unit.ONES: 0, Unit.THOUSANDS: 3, Unit.PERCENT: -2, Unit.MICROS: -6}
_MONEY = frozenset({
    "spend", "revenue", "refunded", "amount", "tax", "value",
    "incremental_revenue", "incremental_revenue_lower", "incremental_revenue_upper",
})  # fmt: skip
_DAY_CHARS, _LOCAL_CHARS = len("2026-01-15"), len("2026-01-15T10:00:00")
NO_DATA, FILTERED = "no_data", "filtered"
"""Why rows are left out: they are totals or the like; they do not meet the mapping's filters."""


class NumberColumn(NamedTuple):
    """A field that is a number: the columns that it is read from, and what is known of their texts."""

    field: str
    column: str
    whole: bool
    unit: Unit
    known: dict[str, str]
    said: dict[str, str]
    """The currencies, and signs of several, in texts that have one."""
    others: tuple[str, ...]
    plus: tuple[str, ...]
    minus: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All that it is read from."""
        return (self.column, *self.others, *self.plus, *self.minus)

    @property
    def is_alone(self) -> bool:
        """Whether a cell's text says all: no other column counts, and not the row's currency."""
        return len(self.columns) == 1 and self.unit is not Unit.MINOR


class BoundRule(NamedTuple):
    """A rule about the rows of a file, by the texts of one column."""

    column: str
    begins: tuple[str, ...]
    equals: frozenset[str]

    known: dict[str, bool]

    def meets(self, text: str) -> bool:
        """Whether a cell with this text is one that the rule is about."""
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
        self.numerals, self.calendar = Numerals(mapping.decimal), CalendarDays(mapping.date_order, zone)
        self._empty = NOTHING | {text.strip().casefold() for text in mapping.empty}
        own_empty = frozenset(text.strip() for text in mapping.empty)
        self._empty_texts = (own_empty | {"--"}, own_empty)
        self._known_days: dict[str, str] = {}
        self.constants = dict(mapping.constants)
        self.currencies: tuple[str, ...] = ()
        """The currency, or the sign of several, that the columns' names say."""
        self.texts: list[tuple[str, str, tuple[str, ...]]] = []
        self.numbers: list[NumberColumn] = []
        self.days: list[tuple[str, str, tuple[str, ...]]] = []
        self._bind_columns()
        self._names_currencies = False
        self._alone = [each for each in self.numbers if each.is_alone]
        self._together = [each for each in self.numbers if not each.is_alone]
        self.columns = self._used()
        """The file's columns that the mapping reads: no other leaves the file."""
        self.skip = [rule for each in mapping.skip for rule in self._rule(each)]
        self.keep = [found for each in mapping.keep if (found := self._needed(each))]
        self._hourly = mapping.data_type.endswith("_hourly")
        self.left_out: Counter[str] = Counter()
        """Rows that were skipped, by reason."""

    def read(self, record: Record) -> Record | None:
        """A record with our columns, None for a row to skip. Raises LineFault, BadInput, Undecided (see `mapped`)."""
        cell = record.cell
        for rule in self.skip:
            if rule.meets(cell.get(rule.column, "")):
                self.left_out[NO_DATA] += 1
                return None
        for rule in self.keep:
            if not rule.meets(cell.get(rule.column, "")):
                self.left_out[FILTERED] += 1
                return self._uncounted(record)
        made = dict(self.constants)
        for field, column, others in self.texts:
            text = cell.get(column, "")
            if others and not text:
                text = next((cell[other] for other in others if cell.get(other)), "")
            made[field] = "" if text in self.empty_texts(field) else text
        for said in self.currencies:
            agree(made, said, "the column's name")
        self._take_numbers(cell, made)
        if self._names_currencies:
            self._check_currencies(cell, made)
        self._take_days(cell, made)
        return Record(record.number, record.source, made)

    def _uncounted(self, record: Record) -> Record | None:
        """A record that the filters leave out, with what it is known by: it may have counted in an earlier file."""
        known_by = DATA_TYPES[self.mapping.data_type].known_by
        for field, column, others in self.texts if known_by else ():
            if field == known_by:
                text = next((record.cell[each] for each in (column, *others) if record.cell.get(each)), "")
                return Record(record.number, record.source, {field: text}, counts=False)
        return None

    def empty_texts(self, field: str) -> frozenset[str]:
        """What stands for nothing in the column of a text."""
        return self._empty_texts[field.endswith("_name")]

    def learn(self, record: Record) -> None:
        """Take in what a row's cells say of the file's decimal mark and order of dates."""
        for number in self.numbers:
            for column in number.columns:
                self.numerals.learn(record.cell.get(column, ""), whole=number.whole)
        for _, column, others in self.days:
            for each in (column, *others):
                self.calendar.learn(record.cell.get(each, ""))

    def has_point(self, rows: Sequence[Record]) -> bool:
        """Settle that a file in our own columns has the decimal point, as they are documented, where no cell has a
        comma. Returns whether the mark is known by now."""
        is_own = all(column.names[0] == column.field for column in self.mapping.columns)
        columns = [column for each in self.numbers for column in (each.column, *each.others)]
        if is_own and not any("," in row.cell.get(column, "") for row in rows for column in columns):
            self.numerals.settle(self.numerals.decimal or ".")
        return bool(self.numerals.decimal)

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
                bound = self.days if self._kinds[column.field] in DAYS else self.texts
                bound.append((column.field, first, tuple(others)))
        if missing:
            named = "; ".join(f"{column.field} ({' or '.join(column.names[:4])})" for column in missing[:10])
            raise _wrong(f"the file has no column for {named}{builtin.meant(self.mapping)}", missing[0].field)
        dated = {field for field, _, _ in self.days}
        if dated.intersection(RANGE) and "date" in dated:
            self.days = [each for each in self.days if each[0] == "date"]
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
        self.numbers.append(
            NumberColumn(column.field, found[0], whole, column.unit, {}, {}, tuple(found[1:]), plus, minus)
        )

    def _take_currency(self, said: set[str]) -> None:
        """Of a column's name. Columns of two currencies in one file cannot both be the profile's."""
        said |= {*self.currencies}
        codes, signs = {each for each in said if currency_of(each)}, {each for each in said if not currency_of(each)}
        if max(len(codes), len(signs)) > 1 or not all(may_mean(sign, code) for sign in signs for code in codes):
            raise _wrong(f"the columns are in several currencies: {', '.join(sorted(said))}", "currency")
        self.currencies = (*codes, *signs)

    def _used(self) -> tuple[str, ...]:
        texts = [name for _, first, others in (*self.texts, *self.days) for name in (first, *others)]
        numbers = [name for each in self.numbers for name in each.columns]
        return tuple(dict.fromkeys([*texts, *numbers]))

    def _rule(self, rule: RowRule) -> list[BoundRule]:
        """The rule for each column of the file that it is about."""
        columns = [each.name for each in self._header.find(rule.column)] if rule.column else self._header.names[:1]
        equals = frozenset([*(text.strip().casefold() for text in rule.equals), *([""] if rule.empty else [])])
        begins = tuple(text.casefold() for text in rule.begins)
        return [BoundRule(column, begins, equals, {}) for column in columns]

    def _needed(self, rule: RowRule) -> BoundRule | None:
        found = self._rule(rule)
        if not found and rule.optional:
            return None
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

    def number_text(self, number: NumberColumn, cell: dict[str, str], made: dict[str, str]) -> str:
        """A number of a row as canonical text, "" for an unknown one. `made`: its currency, where the unit needs it.

        Raises LineFault, Undecided, BadInput.
        """
        return self._number(number, cell[number.column], made) if number.is_alone else self._sum(number, cell, made)

    def is_empty(self, text: str) -> bool:
        """Whether the cell of a number says none."""
        return not text or text.casefold() in self._empty or is_masked(text)

    def _number(self, number: NumberColumn, text: str, made: dict[str, str]) -> str:
        """A cell as the canonical text of its field, "" for an empty or a masked one."""
        if self.is_empty(text):
            return ""
        try:
            plain = self.numerals.plain(text, whole=number.whole)
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

    def _note_currency(self, number: NumberColumn, text: str) -> None:
        """Of a cell such as `€12.50`: it is the row's."""
        if currency := currency_in(number, text):
            if len(number.said) >= limits.MAX_KNOWN_CELLS:
                number.said.clear()
            number.said[text] = currency
            self._names_currencies = True

    def _check_currencies(self, cell: dict[str, str], made: dict[str, str]) -> None:
        """The row's currency where only its amounts say it. Raises LineFault where two places say two."""
        for number in self.numbers:
            for column in self.counted(number, cell) if number.said else ():
                text = cell[column]
                said = number.said.get(text) if number.is_alone else currency_in(number, text)
                if said:
                    agree(made, said, f"the cell of {number.field}")

    def counted(self, number: NumberColumn, cell: dict[str, str]) -> list[str]:
        """The columns that a row's number is read from."""
        parts = [name for name in (*number.plus, *number.minus) if not self.is_empty(cell.get(name, ""))]
        return self._firsts(number, cell) + parts

    def _firsts(self, number: NumberColumn, cell: dict[str, str]) -> list[str]:
        """Of the columns that stand for each other, the one that counts in a row; none of empty ones."""
        return [name for name in (number.column, *number.others) if not self.is_empty(cell.get(name, ""))][:1]

    def _sum(self, number: NumberColumn, cell: dict[str, str], made: dict[str, str]) -> str:
        """Of several columns; empty ones count as nothing, of empty ones alone it is empty."""
        firsts = self._firsts(number, cell)
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

    def day_text(self, field: str, text: str) -> str:
        """A cell as a day, a local time or a moment, "" for an empty one. Raises LineFault, Undecided, BadInput."""
        if not text or text.casefold() in self._empty:
            return ""
        when = self._known_days.get(text)
        if when is None:
            try:
                when = self.calendar.read(text)
            except ValueError as error:
                raise LineFault(field, "format", f"{error}: {text[:40]!r}") from None
            if len(self._known_days) >= limits.MAX_KNOWN_CELLS:
                self._known_days.clear()
            self._known_days[text] = when
        return when

    def _take_days(self, cell: dict[str, str], made: dict[str, str]) -> None:
        for field, column, others in self.days:
            text = cell.get(column, "") or next((cell[each] for each in others if cell.get(each)), "")
            when = self.day_text(field, text)
            if field == "date" and self._hourly and len(when) == _LOCAL_CHARS:
                made.setdefault("hour", str(int(when[11:13])))
            made[field] = day_or_moment(when)
        if "range_start" in made:
            made["date"] = day_of_range(made.pop("range_start"), made.pop("range_end", ""))


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


def _minor_digits(made: dict[str, str]) -> int:
    currency = made.get("currency", "").upper()
    if not currency:
        raise LineFault("currency", "required", "is required: it says what the smallest unit is")
    return minor_digits(currency)


def currency_in(number: NumberColumn, text: str) -> str:
    """What the cell of an amount says of its currency (`named_in`), "" for nothing."""
    return named_in(text) if number.field in _MONEY and not text.isdecimal() else ""


def day_or_moment(when: str) -> str:
    """A moment as it is, of a local time its day."""
    return when if len(when) > _LOCAL_CHARS else when[:_DAY_CHARS]


def day_of_range(start: str, end: str) -> str:
    """The day of a row that has a range of one day. Raises LineFault for a longer one."""
    if end not in {"", start}:
        raise LineFault("date", "range", f"is missing: the row is of {start} to {end}. Export it by day")
    return start


def _wrong(message: str, field: str) -> BadInput:
    return BadInput(message, [{"field": field[: limits.MAX_NAME_CHARS], "rule": "mapping", "message": message}])
