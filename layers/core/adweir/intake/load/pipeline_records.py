"""Records of the data pipeline's calls: checked as a file would be, and put into the bucket, where they are loaded.

They are loaded as any file under `drops/` is, by the one function that writes metrics. A call to store waits for what
that function says of the object; one that is killed meanwhile changes nothing of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from adweir.intake.doors.given_records import GivenRecords, fault_of, refuse
from adweir.intake.load.drop_keys import DropKey
from adweir.intake.load.dropped_invoices import check_bills, read_bills
from adweir.intake.load.dropped_kept import KeptReader
from adweir.intake.load.dropped_rows import DropFacts, DroppedRows, register_key
from adweir.intake.load.files import PERSONAL, WRITTEN_AT, drop_days, is_personal
from adweir.model import limits
from adweir.model.data_types import StoredAs
from adweir.model.datasets import Dataset
from adweir.model.entities import own_profile_id
from adweir.model.errors import BadInput, Conflict, Throttled, Unprocessable
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import BadRow, Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.ports import platform_or_name
from adweir.model.times import Clock, Window, iso, latest_date
from adweir.platforms.files.file_rows import Statements
from adweir.platforms.files.invoices import lines_of
from adweir.platforms.files.kept_files import KeptFiles
from adweir.platforms.files.normalize import Target
from adweir.platforms.files.series_rows import record_id
from adweir.platforms.files.table import open_table
from adweir.quality.quarantine import Quarantine
from adweir.store.catalog.objects import object_key
from adweir.store.catalog.references import ReferenceRow
from adweir.store.metrics.brought import slot_key

if TYPE_CHECKING:
    from random import Random

    from adweir.intake.load.file_readers import ClientFiles
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger
    from adweir.store.metrics.store import MetricStore
    from adweir.store.raw.store import RawStore
    from adweir.store.registers import Registers

_T = TypeVar("_T")
_DATASETS = {"campaigns": Dataset.CAMPAIGNS, "ads": Dataset.ADS, "keywords": Dataset.KEYWORDS}
Remaining = Callable[[], float]
_encoder = msgspec.json.Encoder(decimal_format="number")
_LEAST_SECONDS = 2.0
"""With less left of the call, it is answered."""
_FIRST_WAIT, _LONGEST_WAIT, _LOOKS = 0.05, 0.5, 200
"""Seconds between two looks at the receipt, and the most looks."""
_LEASE_SECONDS = 35
"""Longer than a call may take: whoever died gives way after it."""
_WAITING = timedelta(days=14)
"""How long an accepted call may be loaded: its message is as long among the dead letters at most."""


class LandedRecords(NamedTuple):
    """The object of a call's records, and its version."""

    object_key: str
    version: str
    task_id: str
    at: datetime


class StoredCall(NamedTuple):
    """What came of a call to store. `receipt` is None where the records are in the bucket, and will be stored later."""

    landed: LandedRecords
    receipt: dict[str, Any] | None
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class RecordStores:
    """Where records go, and where is looked what is there."""

    raw: RawStore
    catalog: Catalog
    metrics: MetricStore
    registers: Registers
    ledger: Ledger
    files: ClientFiles


class _RecordKey(NamedTuple):
    """What tells a row apart in the store, and how an answer names it."""

    place: tuple[str, ...]
    named: dict[str, str]


class PipelineRecords:
    """Lands records, and stores them."""

    def __init__(self, stores: RecordStores, clock: Clock, sleep: Callable[[float], None], rng: Random) -> None:
        self._stores = stores
        self._clock = clock
        self._sleep = sleep
        self._rng = rng

    def land(self, given: GivenRecords, unique: str) -> LandedRecords:
        """Put the records into the bucket, from where they are loaded. Raises Unprocessable, Unavailable."""
        return self._put(given, *self._drop(given, unique))

    def _put(self, given: GivenRecords, drop: DropFacts, body: bytes) -> LandedRecords:
        tags = PERSONAL if is_personal(given.data_type.name) else None
        written = {WRITTEN_AT: iso(drop.as_of)}
        version = self._stores.raw.put(drop.message.key, body, written, "application/json", tags)
        return LandedRecords(drop.message.key, version, drop.task_id, drop.as_of)

    def check(self, given: GivenRecords) -> list[dict[str, Any]]:
        """What storing the records would refuse, as answers list it; nothing is stored. Raises Unprocessable."""
        drop, body = self._drop(given, "check")
        return _DryRun(self._stores, given, drop).read(body)[0]

    def store(self, given: GivenRecords, unique: str, *, upsert: bool, remaining: Remaining) -> StoredCall:
        """Store the records. Without `upsert` none of them may be there.

        Two calls of one client and data type take turns. Raises Unprocessable and Conflict, which name the records,
        before anything is written; Throttled (others hold what is needed), Unavailable.
        """
        with self._turn(given, remaining):
            drop, body = self._drop(given, unique)
            dry = _DryRun(self._stores, given, drop)
            faults, keys = dry.read(body)
            refuse(faults)
            waiting = self._waiting(given)
            if not upsert:
                _refuse_waiting(waiting)
                _refuse_existing(dry.existing(keys))
            warnings = dry.overridden(keys)  # before anything is written: whoever cannot be told can ask again
            landed = self._put(given, drop, body)
            receipt = self._receipt(landed, remaining)
            if receipt is None:
                noted = {"objects": waiting | {_receipt_of(landed): iso(landed.at)}}
                self._stores.ledger.receipts.put(_place(given), noted, _WAITING)
            if receipt and receipt["state"] == "rejected":
                raise Unprocessable(f"the records cannot be stored: {receipt['reason']}", receipt["details"])
            return StoredCall(landed, receipt, warnings)

    def _receipt(self, landed: LandedRecords, remaining: Remaining) -> dict[str, Any] | None:
        """What the function says that hears of the object and loads it; None where the time is up before.

        Nobody is asked to wait for long: that function has its own concurrency, and turns by client.
        """
        receipts, name, wait = self._stores.ledger.receipts, _receipt_of(landed), _FIRST_WAIT
        for _ in range(_LOOKS):
            found = receipts.get(name)
            if found is not None or remaining() < _LEAST_SECONDS:
                return found
            self._sleep(wait * self._rng.uniform(0.75, 1.25))
            wait = min(wait * 1.5, _LONGEST_WAIT)
        return None

    @contextmanager
    def _turn(self, given: GivenRecords, remaining: Remaining) -> Iterator[None]:
        """One call of a client and data type at a time: what one found absent, no other stores meanwhile."""
        with ExitStack() as held:
            lease = partial(self._stores.ledger.lease, _place(given), _LEASE_SECONDS)
            self._patiently(lambda: held.enter_context(lease()), remaining)
            yield

    def _waiting(self, given: GivenRecords) -> dict[str, str]:
        """The receipts to come of calls that were accepted, and when each call was. What they store cannot be seen yet.

        Raises Throttled when they are too many.
        """
        receipts, oldest = self._stores.ledger.receipts, iso(self._clock.now() - _WAITING)
        noted: dict[str, str] = (receipts.get(_place(given)) or {}).get("objects", {})
        waiting = {name: noted[name] for name in receipts.missing(noted) if noted[name] > oldest}
        if len(waiting) >= limits.MAX_WAITING_STORES:
            first = next(iter(waiting))
            raise Throttled(f"{len(waiting)} calls are accepted and not loaded yet: {first} first", retry_after=30)
        return waiting

    def _patiently(self, work: Callable[[], _T], remaining: Remaining) -> _T:
        """Try again while others hold what is needed. Raises Throttled when the time is up."""
        for _ in range(_LOOKS):
            with suppress(Throttled):
                return work()
            if remaining() < _LEAST_SECONDS:
                break
            self._sleep(self._rng.uniform(0.2, 0.6))
        return work()

    def _drop(self, given: GivenRecords, unique: str) -> tuple[DropFacts, bytes]:
        """The records as a file of this moment. No two calls have the same bytes: what comes again later is newer."""
        now = self._clock.now()
        try:
            body = _encoder.encode({"written_at": iso(now), "call": unique, "records": given.rows})
        except UnicodeEncodeError:
            raise Unprocessable(
                "a text is not UTF-8", [{"field": "data.records", "message": "a text is not UTF-8"}]
            ) from None
        name = f"{now:%Y%m%dT%H%M%S.%f}-{unique[:20]}.json"
        key = DropKey(given.account_id, given.source, given.data_type.name, name, records=True)
        drop = DropFacts(
            message=ObjectArrived(bucket=self._stores.raw.bucket, key=str(key)),
            account_id=given.account_id,
            version="",
            as_of=now,
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            days=drop_days(now.date(), latest_date(now)),
        )
        return drop, body


class _DryRun:
    """Reads records as loading them would, up to where they would be stored."""

    def __init__(self, stores: RecordStores, given: GivenRecords, drop: DropFacts) -> None:
        self._stores = stores
        self._given = given
        self._drop = drop

    def read(self, body: bytes) -> tuple[list[dict[str, Any]], list[_RecordKey]]:
        """What is wrong with the records, and what tells those apart that are right. Raises Unprocessable."""
        given, files = self._given, self._stores.files
        with _RecordFaults(given) as refused:
            try:
                reader = files.records(given.account_id, given.source, given.data_type.name)
                if reader is None:
                    return refused.faults, list(self._bills(body, refused))
                if isinstance(reader, KeptFiles):
                    return refused.faults, list(self._kept(body, reader, refused))
                table = open_table(BytesIO(body), len(body), reader.form)
                rows = reader.bind(table.header)
                found = DroppedRows(self._drop, files.profile_to_be, refused)
                found.read(rows.batches(found.counted(table, lambda _: None)))
                said = rows.statements
                return refused.faults, list(self._records(said) if said else _slots(found))
            except BadInput as error:
                named = str(error.details[0].get("field", "")) if error.details else ""
                if named in given.data_type.names and not any(named in row for row in given.rows):
                    of_each = range(len(given.rows))
                    return [fault_of(number, named, "is required", rule="required") for number in of_each], []
                told = [{"field": "data.records", "message": error.message}]
                raise Unprocessable(f"the records cannot be stored: {error.message}", told) from None

    def existing(self, keys: Sequence[_RecordKey]) -> list[_RecordKey]:
        """Those that are stored already. Raises Unavailable."""
        given, stores = self._given, self._stores
        kind, account_id, source = given.data_type, given.account_id, given.source
        there: set[tuple[str, ...]]
        if kind.stored_as is StoredAs.REFERENCE:
            there = {(source, row.key) for row in stores.catalog.references(account_id, kind.name, source)}
        elif kind.stored_as is StoredAs.OBJECTS:
            there = self._objects(keys)
        elif kind.stored_as is StoredAs.BILLS:
            months = {key.place[:3] for key in keys}
            there = {
                (*month, invoice.invoice_id)
                for month in months
                for invoice in stores.catalog.invoices(Platform(month[0]), month[1], month[2], month[2])
            }
        elif kind.known_by:
            ids = [bytes.fromhex(key.place[0]) for key in keys]
            there = {(each.hex(),) for each in stores.registers.known(self._register(), ids)}
        else:
            there = self._numbers(keys)
        return [key for key in keys if key.place in there]

    def overridden(self, keys: Sequence[_RecordKey]) -> list[str]:
        """Where rows are of days that the platform's own pull answers for: readers prefer that."""
        said = []
        own, is_of_ads = own_profile_id(self._given.account_id), self._given.data_type.stored_as is StoredAs.ADS
        for whose, days in _days_of(keys).items() if is_of_ads else ():
            platform, profile_id, level, grain = whose
            if profile_id != own:
                series = Series(Platform(platform), profile_id, Level(level), Grain(grain))
                pulled = {
                    day.isoformat()
                    for day, state in self._stores.metrics.days(series, _window(days)).items()
                    if state.slices
                }
                if hidden := sorted(days & pulled):
                    more = f" and {len(hidden) - 1} more days" if len(hidden) > 1 else ""
                    said.append(
                        f"{platform} {profile_id}: on {hidden[0]}{more} readers answer with what the platform "
                        "reported; these records are read with the filter source: file"
                    )
        return said[: limits.MAX_WARNINGS]

    def _register(self) -> str:
        level = self._given.data_type.level or Level.KPI
        return register_key(self._drop, Target(self._given.source, "", level, Grain.DAY))

    def _objects(self, keys: Sequence[_RecordKey]) -> set[tuple[str, ...]]:
        dataset = _DATASETS[self._given.data_type.name]
        owners = {key.place[:2] for key in keys}
        return {
            (platform, profile_id, object_key(item))
            for platform, profile_id in owners
            for item in self._stores.catalog.objects(Platform(platform), profile_id, dataset)
        }

    def _numbers(self, keys: Sequence[_RecordKey]) -> set[tuple[str, ...]]:
        """The stored entity-days and -hours of the series and days that keys are of, of whatever source."""
        there = set()
        for whose, days in _days_of(keys).items():
            platform, profile_id, level, grain = whose
            series = Series(Platform(platform), profile_id, Level(level), Grain(grain))
            for row in self._stores.metrics.read(series, _window(days)):
                there.add((*whose, row.entity_id, slot_key(row.day, row.hour)))
        return there

    def _records(self, said: Statements) -> Iterator[_RecordKey]:
        known_by = self._given.data_type.known_by
        own = own_profile_id(self._given.account_id)
        texts = [str(row.get(known_by, "")) for row in self._given.rows]
        names = {record_id(own, text): text for text in texts}
        for record in said.stated:
            yield _RecordKey((record.hex(),), {known_by: names.get(record, "")})

    def _kept(self, body: bytes, files: KeptFiles, refused: _RecordFaults) -> Iterator[_RecordKey]:
        reader, records = KeptReader(self._stores.files.profile_to_be), files.records(BytesIO(body), len(body))
        keeper, _ = reader.read(files, self._given.account_id, records, refused, lambda: 1e9)
        for row in keeper.rows.values():
            if isinstance(row, ReferenceRow):
                told = {name: row.cells[name] for name in self._given.data_type.key if name in row.cells}
                yield _RecordKey((row.source, row.key), told)
            else:
                yield _RecordKey(
                    (row.platform, row.profile_id, object_key(row)), {"platform": row.platform, "id": row.id}
                )

    def _bills(self, body: bytes, refused: _RecordFaults) -> Iterator[_RecordKey]:
        parse = partial(platform_or_name, parse=self._stores.files.parse_platform)
        lines = lines_of(open_table(BytesIO(body), len(body)), parse)
        bills, _, _ = read_bills(lines, refused, lambda _: None)
        check_bills(bills, self._given.account_id, self._stores.files.profile_to_be)
        for document, bill in bills.items():
            if bill.fault and not refused.faults:
                number = min((record.number for record, _ in bill.lines.values()), default=1)
                refused.add(BadRow(number, "", [{"field": "", "rule": "whole", "message": bill.fault}]))
            yield _RecordKey(
                tuple(map(str, document)), {name: str(value) for name, value in document._asdict().items()}
            )


class _RecordFaults(Quarantine):
    """Collects what is wrong with records, by the place of each."""

    def __init__(self, given: GivenRecords) -> None:
        super().__init__()
        self._given = given
        self.faults: list[dict[str, Any]] = []

    def add(self, bad: BadRow, page: int = 0) -> None:  # noqa: ARG002  of one page
        self.rows += 1
        for error in bad.errors:
            name = str(error.get("field", ""))
            message = str(error.get("message", "")).removeprefix(f"{name or 'the line'} ")
            if name == "entity_id" and name not in self._given.data_type.names:
                name = ""  # what tells a row apart is made of several fields
            self.faults.append(fault_of(bad.line - 1, name, message, rule=str(error.get("rule", ""))))


def _days_of(keys: Sequence[_RecordKey]) -> dict[tuple[str, ...], set[str]]:
    """The days of rows by what they are of."""
    days: dict[tuple[str, ...], set[str]] = {}
    for key in keys:
        days.setdefault(key.place[:4], set()).add(key.place[5][:10])
    return days


def _window(days: set[str]) -> Window:
    return Window(date.fromisoformat(min(days)), date.fromisoformat(max(days)))


def _slots(found: DroppedRows) -> Iterator[_RecordKey]:
    """The entity-days, or -hours, of rows."""
    for target, entity_id, at in found.slots():
        place = (target.platform, target.profile_id, target.level.value, target.grain.value, entity_id, at)
        named = {"platform": str(target.platform), "profile_id": target.profile_id, "level": target.level.value}
        yield _RecordKey(place, named | {"entity_id": entity_id, "date": at})


def _place(given: GivenRecords) -> str:
    """What takes turns: calls of a client and data type."""
    return f"store#{given.account_id}#{given.data_type.name}"


def _receipt_of(landed: LandedRecords) -> str:
    return f"{landed.object_key}.{landed.version}"


def _refuse_waiting(waiting: Mapping[str, str]) -> None:
    """Raises Conflict where there are any: they may store what this call may not replace."""
    if waiting:
        first = next(iter(waiting))
        message = f"upsert is false, and records of an earlier call are not loaded yet ({first}); nothing was stored"
        why = "ask again when the earlier call's records have their receipt"
        raise Conflict(message, [{"field": "data.records", "message": why}])


def _refuse_existing(keys: Sequence[_RecordKey]) -> None:
    """Raises Conflict where there are any: it names them."""
    if keys:
        shown = [{"field": "data.records", "message": "is stored already", "key": key.named} for key in keys]
        first = ", ".join(f"{name} {value}" for name, value in keys[0].named.items())
        more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        message = f"upsert is false, and stored already: {first}{more}; nothing was stored"
        raise Conflict(message, shown[: limits.MAX_REQUEST_FAULTS])
