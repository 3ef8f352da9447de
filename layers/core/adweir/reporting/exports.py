"""Exports: reports and records that are too large for an answer, made part by part and put together as one file.

A part is a piece of the range whose rows belong to no other: a month where the rows have a date, less where a month has
too many groups. Each part is an object of its own, named for its days. What the file's head adds up so far is stored
beside it with the names of the parts: a worker whose time runs out hands on to the next message, and two workers may
cut the range differently at the same time. All parts show the metrics as they were known when the export was asked for;
one that is asked for anew has a folder of its own.

Some are made of the rows of a warehouse's query instead (`reporting.warehouse`), with the same content. Where it cannot
answer, or does not, a message says so: no worker asks it again.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import msgspec

from adweir.model import limits
from adweir.model.errors import AdweirError, NotFound, NotReady, Throttled, TooLarge, Unavailable
from adweir.model.log import log
from adweir.model.messages import MakeExport
from adweir.model.ports import Queue
from adweir.model.times import DAY
from adweir.reporting.adjustments import Adjustments
from adweir.reporting.converting import merged_rates, read_again
from adweir.reporting.exported import Export, FileHead, stored
from adweir.reporting.formats import CSV, FORMATS, csv_rows, json_rows
from adweir.reporting.query import Answer, Bounds, Queries
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.totals import RowSum
from adweir.reporting.warehouse import BulkQuery, BulkQuestion, BulkRow, BulkState, Warehouse, bulk_question
from adweir.store.ledger.exports import RUNNING, ExportRecord, Exports

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore

_ALL_DAYS = 31
_COPIED = 1 << 20
_BATCH = 1000
_PART_ROWS = 200_000
"""Of a warehouse's result: some ten seconds."""
_ALL = -1
_FIRST_LOOK, _LAST_LOOK, _GROWTH = 2.0, 60.0, 1.5
"""Seconds between two looks at a query, the first and the longest."""

QueriesOf = Callable[[frozenset[str]], Queries]
"""Queries for a key of these accounts; of all when there are none."""


class _Progress(msgspec.Struct):
    """What is made so far: the next part begins at `begin` ("": there is none) and has at most `days`; the names of the
    parts, their rows and bytes, and what the head says of them. `sums`: currency (none: []) → five numbers, unknown
    counts. `place`: where in a query's result the next part begins, `_ALL` after the last one."""

    begin: str
    days: int = _ALL_DAYS
    parts: list[str] = []
    rows: int = 0
    size: int = 0
    sums: list[tuple[list[str], list[int | None], dict[str, int]]] = []
    adjustments: dict[str, dict[str, list[str]]] = {}
    coverage: list[dict[str, Any]] = []
    warnings: list[str] = []
    compared: dict[str, Any] = {}
    rates: list[dict[str, Any]] = []
    place: int = 0


@dataclass(slots=True)
class _Made:
    """An export at work."""

    record: ExportRecord
    of: Export
    progress: _Progress
    done_here: int = field(default=0)

    @property
    def folder(self) -> str:
        asked_at = datetime.fromisoformat(self.record.requested_at)
        return f"exports/{self.record.export_id}/{asked_at:%Y%m%dT%H%M%S%f}/"

    @property
    def last(self) -> date:
        return _day(self.of.range.end)


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A question to a warehouse, and the message that goes on with it."""

    warehouse: Warehouse
    asked: BulkQuestion
    message: MakeExport


class Exporter:
    """Makes exports. With less than `margin` seconds left it hands on to the next message."""

    def __init__(
        self,
        exports: Exports,
        raw: RawStore,
        queue: Queue,
        queries: QueriesOf,
        margin: float,
        warehouse: Warehouse | None = None,
    ) -> None:
        self._exports = exports
        self._raw = raw
        self._queue = queue
        self._queries = queries
        self._margin = margin
        self._warehouse = warehouse

    def make(self, message: MakeExport, remaining: Callable[[], float]) -> None:
        """Make the parts that there is time for, and after the last one the file.

        Raises TooLarge, Unprocessable, Unavailable; NotReady and Throttled where a query has to be looked at again.
        """
        record = self._exports.get(message.export_id)
        if record is None or record.state != RUNNING:
            return
        made = self._begun(record, message)
        if made is None:
            return
        asked = None if message.stored or self._warehouse is None else bulk_question(made.of)
        if self._warehouse and asked and (message.query or not message.part):
            self._by_warehouse(_Elsewhere(self._warehouse, asked, message), made, remaining)
        elif message.query:
            self._leave_to_store(message.export_id)
        else:
            self._from_store(made, remaining)

    def _from_store(self, made: _Made, remaining: Callable[[], float]) -> None:
        bounds = Bounds(limits.MAX_EXPORT_GROUPS, remaining, self._margin)
        while made.progress.begin:
            if made.done_here and remaining() < 2 * self._margin:
                return self._hand_on(made)
            if not self._make_part(made, bounds):
                return self._hand_on(made)
        if made.done_here and remaining() < 4 * self._margin:
            return self._hand_on(made)
        self._put_together(made)
        return None

    def fail(self, export_id: str, reason: str) -> None:
        """Record why it cannot be made."""
        self._exports.failed(export_id, reason)

    def _begun(self, record: ExportRecord, message: MakeExport) -> _Made | None:
        """The export at the message's part; None where the message is of an earlier asking."""
        made = _Made(record, stored(record.asked).made_of(self._queries(record.accounts)), _Progress(""))
        if message.part:
            try:
                state = self._raw.get_bytes(f"{made.folder}{_state_name(message.query, message.part)}")
            except NotFound:
                return None
            made.progress = msgspec.json.decode(state, type=_Progress)
            read_again((*made.progress.rates, *made.progress.compared.get("conversion", {}).get("rates", ())))
        else:
            made.progress.begin = _day(made.of.range.start).isoformat()
        made.progress.days = message.days or made.progress.days
        return made

    def _hand_on(self, made: _Made) -> None:
        progress, export_id = made.progress, made.record.export_id
        message = MakeExport(export_id=export_id, part=len(progress.parts), days=progress.days, stored=True)
        self._queue.send(message, group=export_id)

    def _by_warehouse(self, way: _Elsewhere, made: _Made, remaining: Callable[[], float]) -> None:
        """Begin the query, look at it, or copy its rows; or leave the export to a worker that reads the store."""
        message, export_id = way.message, way.message.export_id
        try:
            if message.part or (message.query and self._is_ready(way)):
                self._copy(way, made, remaining)
                return
            begun = None if message.query else self._begin_query(way, made, remaining)
        except (Throttled, Unavailable) as error:
            if message.part or message.attempt < limits.MAX_EXPORT_LOOKS:
                raise NotReady(error.message, after=_wait(message.attempt)) from error
            begun = None
        if begun is None:
            self._leave_to_store(export_id)
            return
        look = MakeExport(export_id=export_id, query=begun.query_id, basis=begun.basis)
        self._queue.send(look, delay=round(_FIRST_LOOK), group=export_id)

    def _leave_to_store(self, export_id: str) -> None:
        """Have it made from the store, by a worker that has all its time."""
        self._queue.send(MakeExport(export_id=export_id, stored=True), group=export_id)

    def _begin_query(self, way: _Elsewhere, made: _Made, remaining: Callable[[], float]) -> BulkQuery | None:
        bounds = Bounds(remaining=remaining, margin=self._margin)
        token = hashlib.sha256(f"{made.record.export_id} {made.record.requested_at}".encode()).hexdigest()
        try:
            return way.warehouse.begin(way.asked, token, bounds.check_time)
        except TooLarge:
            return None

    def _is_ready(self, way: _Elsewhere) -> bool:
        """Whether the query has rows to copy; False where it never will. Raises NotReady, Throttled, Unavailable."""
        message = way.message
        state = way.warehouse.state(way.asked, BulkQuery(message.query, message.basis))
        if state is BulkState.RUNNING and message.attempt < limits.MAX_EXPORT_LOOKS:
            raise NotReady("the query of an export goes on", after=_wait(message.attempt))
        if state is BulkState.RUNNING:
            try:
                way.warehouse.stop(message.query)
            except AdweirError as error:
                log.warning("a query was not stopped", extra={"query_id": message.query, "reason": error.message})
        return state is BulkState.READY

    def _copy(self, way: _Elsewhere, made: _Made, remaining: Callable[[], float]) -> None:
        """Make the parts of a query's rows that there is time for, and after the last one the file."""
        progress, message = made.progress, way.message
        rows: Iterator[BulkRow] = iter(())
        if progress.place != _ALL:
            rows = way.warehouse.rows(way.asked, message.query, progress.place)
        following = next(rows, None)
        while following is not None and not (made.done_here and remaining() < 2 * self._margin):
            rows = chain([following], rows)
            with tempfile.TemporaryFile() as file:
                count, place = self._write_bulk(made, islice(rows, _PART_ROWS), file)
                following = next(rows, None)
                progress.place = _ALL if following is None else place
                self._put_part(made, file, f"part-{message.query}-{len(progress.parts)}")
            progress.rows += count
            made.done_here += 1
            self._put_state(made, message.query)
        if following is not None or (made.done_here and remaining() < 4 * self._margin):
            self._queue.send(
                message.model_copy(update={"part": len(progress.parts), "attempt": 0}), group=message.export_id
            )
            return
        self._put_together(made)

    def _write_bulk(self, made: _Made, rows: Iterator[BulkRow], file: IO[bytes]) -> tuple[int, int]:
        """Write rows of a query: how many, and where in its result the next one begins."""
        count, place = 0, 0
        while batch := list(islice(rows, _BATCH)):
            count += self._write(made, Answer(groups={row.key: RowSum(row.slot) for row in batch}), file)
            place = batch[-1].next
        return count, place

    def _make_part(self, made: _Made, bounds: Bounds) -> bool:
        """Make the next part, or note that it has to be smaller. False when there is no time left for it.

        Raises TooLarge where it cannot be smaller.
        """
        progress = made.progress
        begin = date.fromisoformat(progress.begin)
        end = _end(made, begin)
        try:
            found = made.of.answer(_piece(made.of.range, begin, end), bounds)
        except TooLarge:
            late = bounds.remaining() < bounds.margin
            if late and made.done_here:
                return False
            progress.days = ((end - begin).days + 1) // 2
            if _end(made, begin) >= end:
                raise
            return not late
        with tempfile.TemporaryFile() as file:
            rows = self._write(made, found, file)
            self._put_part(made, file, f"part-{begin}-{end}")
        _add(made, found, rows)
        progress.begin = "" if end >= made.last else (end + DAY).isoformat()
        progress.days = _ALL_DAYS if progress.begin.endswith("-01") else progress.days
        made.done_here += 1
        self._put_state(made, "")
        return True

    def _put_part(self, made: _Made, file: BinaryIO, name: str) -> None:
        """Store the rows that were written. Raises TooLarge."""
        progress = made.progress
        progress.size += file.tell()
        if progress.size > limits.MAX_EXPORT_BYTES:
            raise TooLarge(f"the file has more than {limits.MAX_EXPORT_BYTES >> 30} GiB: ask for less at once")
        file.seek(0)
        progress.parts.append(name)
        self._raw.put(made.folder + name, file)

    def _put_state(self, made: _Made, query: str) -> None:
        progress = made.progress
        self._raw.put(f"{made.folder}{_state_name(query, len(progress.parts))}", msgspec.json.encode(progress))

    def _write(self, made: _Made, found: Answer, file: IO[bytes]) -> int:
        """Write the rows of a part; between two of JSON there is a comma."""
        count = 0
        for lines in _batches(made.of.rows(found)):
            if made.of.format == CSV:
                file.write(csv_rows(made.of.columns, lines).encode())
            else:
                file.write(b",\n" if made.progress.rows or count else b"")
                file.write(json_rows(lines))
            count += len(lines)
        return count

    def _put_together(self, made: _Made) -> None:
        progress = made.progress
        sums = {tuple(key): _sum(slot, unknown) for key, slot, unknown in progress.sums}
        adjustments = Adjustments.of(progress.adjustments).answer()
        rests_on = (progress.coverage, adjustments, progress.warnings, progress.compared, progress.rates)
        said = FileHead(progress.rows, sums, *rests_on)
        before, after = made.of.ends(said)
        with tempfile.TemporaryFile() as file:
            file.write(before)
            for part in progress.parts:
                with self._raw.open_stream(made.folder + part) as rows:
                    while data := rows.read(_COPIED):
                        file.write(data)
            file.write(after)
            file.seek(0)
            key = f"{made.folder}report.{made.of.format}"
            self._raw.put(key, file, content_type=FORMATS[made.of.format][0])
        self._exports.ready(made.record, key, progress.rows)


def _state_name(query: str, parts: int) -> str:
    return f"state-{query}-{parts}.json" if query else f"state-{parts}.json"


def _wait(looks: int) -> float:
    """Seconds until the next look at a query."""
    return float(min(_FIRST_LOOK * _GROWTH**looks, _LAST_LOOK))


def _end(made: _Made, begin: date) -> date:
    """The last day of the part that begins on a day.

    Where the range begins or ends at a moment, a profile's first or last day may be a day off: the parts at its edges
    have two days at least.
    """
    unit, span, last = made.of.unit, made.of.range, made.last
    if not unit:
        return last
    of_month = (begin.replace(day=1) + timedelta(days=32)).replace(day=1) - DAY
    end = min(of_month, last, begin + (max(made.progress.days, 1) - 1) * DAY if unit == "day" else of_month)
    if unit == "day":
        if isinstance(span.start, datetime) and begin == _day(span.start):
            end = max(end, begin + DAY)
        if isinstance(span.end, datetime) and end >= last - DAY:
            end = last
    elif isinstance(span.start, datetime) or isinstance(span.end, datetime):
        end = last
    return min(end, last)


def _piece(span: TimeSpan, begin: date, end: date) -> TimeSpan:
    first = span.start if begin == _day(span.start) else begin
    return replace(span, start=first, end=span.end if end >= _day(span.end) else end)


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _add(made: _Made, found: Answer, rows: int) -> None:
    """Add a part to what the head says."""
    progress = made.progress
    sums = {tuple(key): _sum(slot, unknown) for key, slot, unknown in progress.sums}
    for key, total in made.of.sums(found).items():
        if key in sums:
            sums[key].merge(total)
        else:
            sums[key] = total
    progress.sums = [(list(key), list(total.slot), total.unknown) for key, total in sums.items()]
    adjustments = Adjustments.of(progress.adjustments)
    adjustments.merge(found.adjustments)
    progress.adjustments = adjustments.state()
    progress.coverage += found.coverage.answer()
    progress.compared = made.of.compared(found)
    progress.rates = merged_rates(progress.rates, found.rates)
    progress.warnings += [warning for warning in found.warnings if warning not in progress.warnings]
    progress.rows += rows


def _sum(slot: list[int | None], unknown: Mapping[str, int]) -> RowSum:
    impressions, clicks, conversions, spend, revenue = slot
    found = RowSum((impressions, clicks, conversions, spend, revenue))
    found.unknown = dict(unknown)
    return found


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
