"""Records in a file's own columns → records in ours, as a mapping says (docs/mappings.md).

What can be decided once per file is: `BoundMapping` looks up the columns in the header, then each row costs a look into
a dict per column. Rows wait only until the file has shown what its decimal mark is (`numerals`).
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.mappings import Kind, MappedColumn, Mapping, RowRule, Unit, kind_of
from adweir.model.metrics import BadRow
from adweir.platforms.files.calendar_days import CalendarDays
from adweir.platforms.files.headers import HeaderNames
from adweir.platforms.files.lines import LineFault, Record
from adweir.platforms.files.numerals import Numerals, Undecided, as_text, is_masked, scaled

_EMPTY = frozenset({"--", "-", "\u2013", "\u2014", "null", "none", "nan", "n/a", "#n/a"})
"""What stands for nothing in columns of numbers, days and ids."""
_POWERS = {Unit.ONES: 0, Unit.THOUSANDS: 3, Unit.PERCENT: -2, Unit.MICROS: -6}
_MINOR_DIGITS = dict.fromkeys(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"], 0
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
"""Decimals of the currencies that do not have two (ISO 4217)."""
_OWN = ("campaign", "ad_group")
"""Levels whose own id is the entity's."""
_SHOWN = 2_000
_LEVELS = ("keyword", "ad", "ad_group", "campaign")


class KnownObjects(Protocol):
    """What an account has, for files that name things. Each raises LineFault that says what is missing."""

    def profile(self, platform: str, named: str) -> str:
        """The id of the ad account of this id or name; of "" the only one of the platform."""
        ...

    def identify(self, level: str, cell: dict[str, str]) -> None:
        """Put the ids of the objects that a row names into its cells; `level` is the row's."""
        ...

    def zone(self, platform: str, profile_id: str) -> ZoneInfo | None:
        """The time zone of an ad account, of "" the client account's own; None where it has none."""
        ...


class _Number(NamedTuple):
    """A field that is a number: the columns that it is read from, and what is known of their texts."""

    field: str
    column: str
    whole: bool
    unit: Unit
    known: dict[str, str]
    others: tuple[str, ...]
    plus: tuple[str, ...]
    minus: tuple[str, ...]


class _Rule(NamedTuple):
    column: str
    begins: tuple[str, ...]
    equals: frozenset[str]

    def meets(self, cell: dict[str, str]) -> bool:
        text = cell.get(self.column, "").casefold()
        return text in self.equals or text.startswith(self.begins)


class BoundMapping:
    """A mapping for the files of one header. Raises BadInput for a header that lacks what the mapping needs."""

    def __init__(self, mapping: Mapping, header: Sequence[str], known: KnownObjects) -> None:
        self.mapping = mapping
        self._known = known
        self._header = HeaderNames(header)
        zone = ZoneInfo(mapping.timezone) if mapping.timezone else None
        self._numerals, self._calendar = Numerals(mapping.decimal), CalendarDays(mapping.date_order, zone)
        self._empty = _EMPTY | {text.strip().casefold() for text in mapping.empty}
        self._more_empty = frozenset(text.strip() for text in mapping.empty)
        self._constants = dict(mapping.constants)
        self._currency = ""
        self._texts: list[tuple[str, str, tuple[str, ...]]] = []
        self._numbers: list[_Number] = []
        self._days: list[tuple[str, str, tuple[str, ...]]] = []
        self._bind_columns()
        self.columns = self._used()
        """The file's columns that the mapping reads: no other leaves the file."""
        self._skip = [rule for each in mapping.skip for rule in self._rule(each)]
        self._keep = [self._needed(each) for each in mapping.keep]
        self._platform_rows = is_of_ads(mapping.data_type)
        self._level = "" if "level" in {field for field, _, _ in self._texts} else self._level_of_file()
        self._profiles: dict[tuple[str, str], str] = {}
        self._hourly = mapping.data_type.endswith("_hourly")

    def read(self, record: Record) -> Record | None:
        """A record with our columns, None for a row to skip. Raises LineFault, BadInput, Undecided (see `mapped`)."""
        cell = record.cell
        if any(rule.meets(cell) for rule in self._skip) or not all(rule.meets(cell) for rule in self._keep):
            return None
        made = dict(self._constants)
        empty = self._more_empty
        for field, column, others in self._texts:
            text = cell.get(column, "")
            if others and not text:
                text = next((cell[other] for other in others if cell.get(other)), "")
            made[field] = "" if text in empty or (text == "--" and not field.endswith("_name")) else text
        if self._currency and not made.get("currency"):
            made["currency"] = self._currency
        self._take_numbers(cell, made)
        if self._platform_rows:
            self._take_profile(made)
        self._take_days(cell, made)
        if self._platform_rows:
            if self._level:
                made["level"] = self._level
            level = made.get("level", "").lower()
            if not _has_ids(level, made):
                self._known.identify(level, made)
        return Record(record.number, record.source, made)

    def learn(self, record: Record) -> None:
        """Take in what a row's cells say of the file's decimal mark and order of dates."""
        for number in self._numbers:
            for column in (number.column, *number.others, *number.plus, *number.minus):
                self._numerals.learn(record.cell.get(column, ""), whole=number.whole)
        for _, column, others in self._days:
            for each in (column, *others):
                self._calendar.learn(record.cell.get(each, ""))

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
            if kind_of(column.field) in {Kind.COUNT, Kind.AMOUNT}:
                self._bind_number(column, [each.name for each in found])
                self._take_currency({each.currency for each in found if each.currency})
            else:
                first, *others = (each.name for each in found)
                kind = self._days if kind_of(column.field) is Kind.DAY else self._texts
                kind.append((column.field, first, tuple(others)))
        if missing:
            named = "; ".join(f"{column.field} ({' or '.join(column.names[:4])})" for column in missing[:10])
            raise _wrong(f"the file has no column for {named}", missing[0].field)
        dated = {field for field, _, _ in self._days}
        if {"range_start", "range_end"} & dated and "date" in dated:
            self._days = [each for each in self._days if each[0] == "date"]
        wanted = self.mapping.column("date") or self.mapping.column("range_start")
        if wanted and not dated:
            raise _wrong(
                f"the file has no column of days ({' or '.join(wanted.names[:4])}): its rows are of the whole range "
                "that was exported. Export it by day",
                "date",
            )

    def _bind_number(self, column: MappedColumn, found: list[str]) -> None:
        plus, minus = (tuple(each.name for each in self._header.find(names)) for names in (column.plus, column.minus))
        whole = kind_of(column.field) is Kind.COUNT and column.unit is Unit.ONES
        self._numbers.append(_Number(column.field, found[0], whole, column.unit, {}, tuple(found[1:]), plus, minus))

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
        return [_Rule(column, begins, equals) for column in columns]

    def _needed(self, rule: RowRule) -> _Rule:
        found = self._rule(rule)
        if not found:
            raise _wrong(f"the file has no column {' or '.join(rule.column[:4])}, by which its rows are chosen", "keep")
        return found[0]

    def _level_of_file(self) -> str:
        """Of the constants, of the data type, or of the finest object that has a column."""
        if "level" in self.mapping.constants or not self._platform_rows:
            return ""
        level = self.mapping.data_type.removesuffix("_hourly").removesuffix("_performance")
        if level in {*_LEVELS, "account"}:
            return level
        has = {field for field, _, _ in self._texts} | set(self.mapping.constants)
        return next((each for each in _LEVELS if {f"{each}_id", f"{each}_name"} & has), "account")

    def _take_numbers(self, cell: dict[str, str], made: dict[str, str]) -> None:
        for number in self._numbers:
            text = cell.get(number.column, "")
            if number.plus or number.minus:
                made[number.field] = self._sum(number, cell, made)
                continue
            if number.others and self._is_empty(text):
                text = next((cell[each] for each in number.others if not self._is_empty(cell.get(each, ""))), "")
            value = number.known.get(text)
            if value is None:
                value = self._number(number, text, made)
                if len(number.known) >= limits.MAX_KNOWN_CELLS:
                    number.known.clear()
                if number.unit is not Unit.MINOR:  # what a text means there depends on the row's currency
                    number.known[text] = value
            made[number.field] = value

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
                power = -_MINOR_DIGITS.get(_currency(made), 2)
            if number.whole:
                whole, _, part = plain.partition(".")
                return whole if not part.strip("0") else plain
            return scaled(plain, power)
        except ValueError as error:
            raise LineFault(number.field, "number", f"{error}: {text[:40]!r}") from None

    def _sum(self, number: _Number, cell: dict[str, str], made: dict[str, str]) -> str:
        """Of several columns; empty ones count as nothing, of empty ones alone it is empty."""
        firsts = [column for column in (number.column, *number.others) if not self._is_empty(cell.get(column, ""))][:1]
        total, any_given = Decimal(0), False
        for sign, columns in ((1, (*firsts, *number.plus)), (-1, number.minus)):
            for column in columns:
                text = self._number(number, cell.get(column, ""), made)
                if text:
                    total += sign * Decimal(text)
                    any_given = any_given or sign == 1
        return as_text(total) if any_given else ""

    def _take_profile(self, made: dict[str, str]) -> None:
        """The ad account by id, by name, or the only one."""
        asked = (made.get("platform", ""), made.get("profile_id") or made.pop("profile_name", ""))
        made.pop("profile_name", None)
        found = self._profiles.get(asked)
        if found is None:
            found = self._known.profile(*asked)
            if len(self._profiles) < limits.MAX_DROP_GROUPS:
                self._profiles[asked] = found
        made["profile_id"] = found

    def _take_days(self, cell: dict[str, str], made: dict[str, str]) -> None:
        for field, column, others in self._days:
            text = cell.get(column, "") or next((cell[each] for each in others if cell.get(each)), "")
            if not text or text.casefold() in self._empty:
                made[field] = ""
                continue
            zone = self._known.zone(made.get("platform", ""), made.get("profile_id", ""))
            try:
                day, hour = self._calendar.read(text, zone)
            except (ValueError, OverflowError) as error:
                raise LineFault(field, "format", f"{error}: {text[:40]!r}") from None
            made[field] = day
            if field == "date" and self._hourly and hour >= 0:
                made.setdefault("hour", str(hour))
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


def is_of_ads(data_type: str) -> bool:
    """Whether rows of a data type are numbers of an ad account."""
    return data_type == "metrics" or data_type.removesuffix("_hourly").endswith("_performance")


def _has_ids(level: str, made: dict[str, str]) -> bool:
    if level == "account" or made.get("entity_id"):
        return True
    return bool(made.get(f"{level}_id")) and (level in _OWN or bool(made.get("ad_group_id")))


def _shown(record: Record, bound: BoundMapping) -> str:
    return json.dumps({column: record.cell.get(column, "") for column in bound.columns}, ensure_ascii=False)[:_SHOWN]


def _currency(made: dict[str, str]) -> str:
    return made.get("currency", "").upper()


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
