"""Records as callers of the data pipeline write them → rows in adweir's own columns, with what was filled in.

What a record does not say is filled in here, before anything is stored, so that the stored object says it by itself:
the source, the client, its own profile, its local today, its currency. A value is taken as it is written: whether it
can be stored is for the reader of the rows to say (`intake.load.pipeline_records`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from adweir.intake.doors.bound_records import of_bound_objects
from adweir.model import limits
from adweir.model.data_types import DATA_TYPES, Column, DataType, Kind, StoredAs
from adweir.model.entities import SHOWN_OWN, Account, own_profile_id
from adweir.model.errors import NotFound, TooLarge, Unprocessable
from adweir.model.ids import IdKind
from adweir.model.metrics import AD_LEVELS, Level
from adweir.model.money import to_micros
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser, platform_named
from adweir.model.terms import Terms
from adweir.model.times import is_zone, iso, local_date, local_hour

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

INTERNAL = "internal"
"""The source of records that name none."""
_NUMBERS = frozenset({Kind.COUNT, Kind.AMOUNT, Kind.NUMBER, Kind.EXACT, Kind.HOUR})
_AMOUNTS = frozenset({Kind.AMOUNT, Kind.NUMBER})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DAY_CHARS = len("2026-11-21")
_ALSO = {"cost": "spend", "day": "date", "timestamp": "date", "adset_id": "ad_group_id", "invoice": "invoice_id"}
_ACCOUNT_DAY = ("spend", "impressions", "clicks", "conversions", "revenue")
_WITH_PROFILE = frozenset({StoredAs.ADS, StoredAs.OBJECTS, StoredAs.BILLS})
_NAMES_PLATFORM = frozenset({"metrics", "invoices"})
"""Data types whose rows name their platform; of the others an absent one is the source."""
_MONEY = frozenset({"revenue", "spend", "incremental_revenue"})


class AskedRecords(NamedTuple):
    """A call's records, and what it says of all of them; "" where it does not."""

    data_type: str
    records: Sequence[Mapping[str, Any]]
    source: str = ""
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class GivenRecords:
    """Records in adweir's own columns, one row each in the same order.

    `assumed`: what was filled in, by name; a list where it was not the same in all records. `not_stored`: the names of
    fields that the data type has no column for. `faults`: what is wrong with records as they are written (`fault_of`).
    """

    account_id: str
    source: Platform
    data_type: DataType
    rows: list[dict[str, Any]]
    assumed: dict[str, Any]
    not_stored: list[str]
    faults: list[dict[str, Any]]


def data_type_named(name: str) -> DataType:
    """Raises Unprocessable that lists the known ones."""
    known = DATA_TYPES.get(name)
    if known is None:
        message = f"unknown data_type {name[:40]!r}; known: {', '.join(DATA_TYPES)}"
        raise Unprocessable(message, [{"field": "data_type", "message": "is unknown", "known": list(DATA_TYPES)}])
    return known


class RecordForm:
    """Makes rows of records."""

    def __init__(self, catalog: Catalog, parse_platform: PlatformParser, now: datetime) -> None:
        self._catalog = catalog
        self._parse_platform = parse_platform
        self._now = now

    def read(self, asked: AskedRecords) -> GivenRecords:
        """The rows. Raises TooLarge, NotFound (no such client), Unprocessable for what is wrong with the call."""
        kind = data_type_named(asked.data_type)
        check_number(asked.records)
        if not asked.records:
            raise Unprocessable("there are no records", [{"field": "data.records", "message": "needs at least one"}])
        source = self._source(asked.source)
        account, profile_id = self._account(asked)
        filled = _Filled(self._catalog, kind, account, self._catalog.terms(account), self._now)
        if not asked.source:
            filled.assume("source", INTERNAL)
        if not (asked.account_id or any(_client_of(record) for record in asked.records)):
            filled.assume("account_id", account.account_id)
        rows, faults = [], list[dict[str, Any]]()
        records, unbound = list(asked.records), dict[int, tuple[str, str]]()
        if kind.stored_as is StoredAs.ADS:
            records, unbound = of_bound_objects(self._catalog, account.account_id, records)
        for number, record in enumerate(records):
            row = _Row(number, kind, record)
            if number in unbound:
                row.refuse(*unbound[number])
            row.read()
            filled.fill(row, source, profile_id, self._platform)
            faults += row.faults
            rows.append(row.cells)
        not_stored = sorted({name for record in records for name in record} - _column_names(kind))
        shown = not_stored[: limits.MAX_WARNINGS]
        return GivenRecords(account.account_id, source, kind, rows, filled.assumed, shown, faults)

    def _source(self, text: str) -> Platform:
        try:
            return platform_named(text or INTERNAL, self._parse_platform)
        except ValueError:
            message = "is a platform, or a name of yours: 2 to 40 lower-case letters, digits and _"
            raise Unprocessable(f"source {message}", [{"field": "source", "message": message}]) from None

    def _platform(self, text: str) -> Platform | None:
        try:
            return platform_named(text, self._parse_platform)
        except ValueError:
            return None  # the row's reader says so

    def _account(self, asked: AskedRecords) -> tuple[Account, str]:
        """The client that all records are of, and the ad account where it was named in its place."""
        named = {_client_of(record) for record in asked.records} - {""}
        profile_id = ""
        if asked.account_id and not IdKind.ACCOUNT.names(asked.account_id):
            owners = {each.account_id for each in self._catalog.profiles() if each.profile_id == asked.account_id}
            if len(owners) != 1:
                message = f"there is no ad account {asked.account_id[:64]!r}, or it is of several clients"
                raise NotFound(message, [{"field": "account_id", "message": "is unknown"}])
            profile_id, named = asked.account_id, named | owners
        elif asked.account_id:
            named |= {asked.account_id}
        if len(named) > 1:
            message = "records of one call are of one client account"
            known = sorted(named)[: limits.MAX_WARNINGS]
            raise Unprocessable(message, [{"field": "account_id", "message": message, "named": known}])
        if not named:
            known_accounts = self._catalog.accounts()
            if len(known_accounts) != 1:
                message = f"account_id is required: there are {len(known_accounts)} accounts"
                raise Unprocessable(message, [{"field": "account_id", "message": "is required"}])
            named = {known_accounts[0].account_id}
        return self._catalog.account(named.pop()), profile_id


def check_number(records: Sequence[Any]) -> None:
    """Raises TooLarge for more records than a call may have."""
    if len(records) > limits.MAX_CHECKED_RECORDS:
        message = f"at most {limits.MAX_CHECKED_RECORDS} records per call, and these are {len(records)}"
        raise TooLarge(
            f"{message}: put a file under drops/<account_id>/<source>/<data_type>/ instead",
            [{"field": "data.records", "message": message}],
        )


def refuse(faults: Sequence[Mapping[str, Any]]) -> None:
    """Raises Unprocessable where there are faults: it names the first ones, and how many there are."""
    if faults:
        shown = [dict(fault) for fault in faults[: limits.MAX_REQUEST_FAULTS]]
        more = f", {len(faults)} faults in all" if len(faults) > 1 else ""
        raise Unprocessable(f"{shown[0]['field']}: {shown[0]['message']}{more}; nothing was stored", shown)


def fault_of(number: int, name: str, message: str, **more: Any) -> dict[str, Any]:
    """What is wrong with a record, as answers list it; `number` counts from 0."""
    at = f"data.records.{number}.{name}" if name else f"data.records.{number}"
    return {"field": at, "row": number, "message": message} | more


def _client_of(record: Mapping[str, Any]) -> str:
    """The client that a record names, "" for none."""
    for name in ("client_account_id", "account_id"):
        value = record.get(name)
        if isinstance(value, str) and IdKind.ACCOUNT.names(value):
            return value
    return ""


def _aliases(kind: DataType) -> dict[str, str]:
    """Other names of a data type's columns: of answers, of pushes, and what people call them."""
    found = dict(_ALSO)
    if kind.level is Level.ACCOUNT:
        found |= {f"daily_{name}": name for name in _ACCOUNT_DAY}
    if kind.level is Level.KEYWORD:
        found["keyword"] = "keyword_text"
    if kind.stored_as is StoredAs.OBJECTS and kind.level:
        own = "keyword_text" if kind.level is Level.KEYWORD else f"{kind.level}_name"
        found |= {"id": f"{kind.level}_id", "name": own, "text": own}
    return {name: column for name, column in found.items() if column in kind.names and name not in kind.names}


def _column_names(kind: DataType) -> set[str]:
    """The fields of a record that are read."""
    whose = {"account_id", "client_account_id"}
    return {*kind.names, *_aliases(kind), *whose}


@dataclass(slots=True)
class _Row:
    """A record being read: `cells` by column, and what is wrong with it."""

    number: int
    kind: DataType
    record: Mapping[str, Any]
    cells: dict[str, Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)

    def read(self) -> None:
        """Take the record's fields into cells."""
        columns, also = {column.name: column for column in self.kind.columns}, _aliases(self.kind)
        less = "date" if "hour" in columns and "hour" not in self.record else "timestamp"
        both = {"date", "timestamp"} <= self.record.keys()
        for name, value in self.record.items():
            if both and name == less:
                continue
            column = columns.get(also.get(name, name))
            if column is None or value is None or value == "":
                continue
            cell = self._cell(name, column, value)
            if self.cells.setdefault(column.name, cell) != cell:
                self.refuse(name, f"says something else than another field of the record that is the {column.name}")
        if not self.cells and not self.faults:
            self.refuse("", f"has no field of {self.kind.name}; known: {', '.join(self.kind.names)}")

    def refuse(self, name: str, message: str) -> None:
        """Note a fault."""
        self.faults.append(fault_of(self.number, name, message))

    def _cell(self, name: str, column: Column, value: Any) -> Any:
        if isinstance(value, bool):
            if column.kind is not Kind.FLAG:
                self.refuse(name, "must not be true or false")
            return str(value).lower()
        if column.kind in _AMOUNTS:
            self._check_amount(name, value)
        if isinstance(value, int | Decimal):
            return value if column.kind in _NUMBERS or name == "timestamp" else str(value)
        if not isinstance(value, str):
            self.refuse(name, "must be a text or a number")
            return ""
        if column.kind in _NUMBERS and not _NUMBER.fullmatch(value.strip()):
            self.refuse(name, "must be a number, with a point for the decimals")
        if not value.isprintable():
            self.refuse(name, "must be printable")
        return value.strip()

    def _check_amount(self, name: str, value: Any) -> None:
        """Files may have amounts that are rounded; what a call hands over is stored as it is, or not at all."""
        text = value.strip() if isinstance(value, str) else value
        if isinstance(text, int | Decimal) or (isinstance(text, str) and _NUMBER.fullmatch(text)):
            try:
                to_micros(text)
            except (ValueError, ArithmeticError) as error:
                self.refuse(name, f"cannot be stored: {error}")


class _Filled:
    """Fills in what records do not say."""

    def __init__(self, catalog: Catalog, kind: DataType, account: Account, terms: Terms, now: datetime) -> None:
        self._catalog = catalog
        self._kind = kind
        self._own = own_profile_id(account.account_id)
        self._account, self._terms, self._now = account, terms, now
        self._today = local_date(now, terms.timezone).isoformat()
        self._found: dict[str, dict[Any, None]] = {}
        self._profiles: dict[tuple[str, str], Terms] = {}

    @property
    def assumed(self) -> dict[str, Any]:
        """What was filled in."""
        return {name: next(iter(said)) if len(said) == 1 else list(said) for name, said in self._found.items()}

    def assume(self, name: str, value: Any) -> None:
        """Note that this was filled in."""
        self._found.setdefault(name, {})[value] = None

    def fill(self, row: _Row, source: Platform, profile_id: str, platform_of: Callable[[str], Platform | None]) -> None:
        """Give a row what it lacks. `profile_id` is the ad account that the call names."""
        cells = row.cells
        terms = self._terms
        if self._kind.stored_as in _WITH_PROFILE:
            if self._kind.name in _NAMES_PLATFORM and not cells.get("platform"):
                cells["platform"] = str(source)
                self.assume("platform", str(source))
            self._fill_profile(row, profile_id)
            terms = self._terms_of(platform_of(str(cells.get("platform") or source)), str(cells.get("profile_id", "")))
        self._fill_time(row, terms)
        self._fill_currency(cells, terms)
        if self._kind.level is None and "level" in self._kind.names and not cells.get("level"):
            cells["level"] = next((level for level in reversed(AD_LEVELS) if cells.get(f"{level}_id")), Level.ACCOUNT)
            self.assume("level", cells["level"])

    def _fill_profile(self, row: _Row, profile_id: str) -> None:
        cells, given = row.cells, row.record.get("account_id")
        is_id = isinstance(given, str | int) and not isinstance(given, bool)
        named = str(given).strip() if is_id else ""
        if named and not IdKind.ACCOUNT.names(named) and cells.setdefault("profile_id", named) != named:
            row.refuse("account_id", "names another ad account than profile_id")
        if cells.get("profile_id") in {SHOWN_OWN, None} and not cells.get("profile_name"):
            if "profile_id" not in cells:
                self.assume("profile_id", profile_id or SHOWN_OWN)
            cells["profile_id"] = self._own if "profile_id" in cells else profile_id or self._own

    def _terms_of(self, platform: Platform | None, profile_id: str) -> Terms:
        """Currency and time zone of an ad account; the client's where it is not known."""
        if platform is None or profile_id in {"", self._own}:
            return self._terms
        found = self._profiles.get((platform, profile_id))
        if found is None:
            known, own = self._catalog.profile(platform, profile_id), self._terms
            if known is not None and known.account_id == self._account.account_id and is_zone(known.timezone):
                own = Terms(known.currency, known.timezone)
            found = self._profiles[platform, profile_id] = own
        return found

    def _fill_time(self, row: _Row, terms: Terms) -> None:
        cells = row.cells
        if "date" not in self._kind.required:
            return
        if cells.get("date") in {None, ""}:  # 0 is a moment, in 1970
            cells["date"] = self._today
            self.assume("date", self._today)
            return
        try:
            if isinstance(cells["date"], int | Decimal):
                cells["date"] = iso(datetime.fromtimestamp(float(cells["date"]), UTC))
            if self._kind.level is None and len(cells["date"]) > _DAY_CHARS:  # whose reader takes days and hours
                cells["date"], hour = _local(datetime.fromisoformat(cells["date"]), terms.timezone)
                cells.setdefault("hour", hour)
            elif "hour" in self._kind.names:
                cells.setdefault("hour", "")  # of a moment, whose reader takes both from it
        except (ValueError, OverflowError, OSError):
            row.refuse("timestamp" if "timestamp" in row.record else "date", "must be a date and time in ISO 8601")

    def _fill_currency(self, cells: dict[str, Any], terms: Terms) -> None:
        """Amounts that do not say their currency are in the ad account's, or in the client's."""
        kind = self._kind
        if "currency" not in kind.names or cells.get("currency") or cells.get("profile_name"):
            return  # of an ad account that is found by its name, its reader knows the currency
        of_client = kind.stored_as is StoredAs.SERIES and "value" not in kind.names
        of_test = kind.stored_as is StoredAs.REFERENCE and bool(_MONEY & cells.keys())
        if kind.stored_as in _WITH_PROFILE or of_client or of_test:
            cells["currency"] = terms.currency
            self.assume("currency", terms.currency)


def _local(when: datetime, timezone: str) -> tuple[str, int]:
    """The day and the hour of a moment in a time zone, or of a local time."""
    day, hour = local_hour(when, ZoneInfo(timezone)) if when.tzinfo else (when.date(), when.hour)
    return day.isoformat(), hour
