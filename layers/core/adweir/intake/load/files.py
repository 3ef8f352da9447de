"""Dropped files (docs/drops.md): whose they are, how they are read, stored, and what their receipts say.

A drop is idempotent by its bytes. The same bytes again, as another version or under another name of the account, change
nothing and get a receipt that names the drop that is loaded. There are three exceptions: when that drop had lines of an
unknown profile, dropping it again after the profile is listed stores them; when the mapping has changed since then, a
new drop or a replay of the object is read by the new one; and a replay of its quarantine reads it again in any case.
Good lines are stored, bad ones quarantined by line number.

A file whose rows take more memory than there is is loaded in shares (`drop_shares`): one invocation finds out that it
is, one counts its rows, then one loads each share. The receipt comes after the last.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, cast

from adweir.intake.load.commit import Allowance, Committer, Origin
from adweir.intake.load.drop_keys import OWN_INVOICES, DropKey, account_in, data_types_in
from adweir.intake.load.drop_receipts import DropReceipts
from adweir.intake.load.drop_shares import WHOLE, Bound, Share, ShareCounter
from adweir.intake.load.dropped_invoices import DroppedInvoices
from adweir.intake.load.dropped_kept import DroppedKept
from adweir.intake.load.dropped_rows import ENTITY_BYTES, ROW_BYTES, DropFacts, DroppedRows, Outgrown, register_key
from adweir.intake.load.holding import HeldBack
from adweir.model import limits, trace
from adweir.model.arrivals import Arrival
from adweir.model.data_types import DATA_TYPES
from adweir.model.errors import AdweirError, NotFound, NotReady, TooLarge
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import BadRow
from adweir.model.ports import platform_or_name
from adweir.model.times import Clock, iso, latest_date, parse_instant
from adweir.platforms.files.file_rows import ALL_IDS
from adweir.platforms.files.invoices import read_invoices
from adweir.platforms.files.kept_files import KeptFiles
from adweir.platforms.files.lines import KNOWN
from adweir.platforms.files.reading import FileReader, FileReaders
from adweir.platforms.files.sums import SUM_BYTES
from adweir.platforms.files.table import FileTable, open_table
from adweir.quality.quarantine import Quarantine

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger.receipts import Receipts
    from adweir.store.raw.store import ObjectHead, RawStore
    from adweir.store.registers import Registers

PERSONAL = {"adweir-personal": "yes"}
"""The tag by which objects with personal data expire (template.yaml): in keys of drops the account comes first."""
WRITTEN_AT = "written-at"
"""The object's own metadata that says when it was written (`model.times.iso`)."""
_BEFORE_S3 = 2005
_IN_MEMORY = 4 << 20
_SLOW_CUT = 4
"""A file that is read slowly comes in such parts of the memory: each is stored in a fifth of the time."""
_SAMPLED_IDS = 64
"""One in so many orders is counted to know how much memory all take."""
_SUMMED = ("rows_stored", "duplicates", "slots_changed", "rows_quarantined")
Remaining = Callable[[], float]


class DropLoader:
    """Loads dropped files and leaves a receipt of each, in S3 and in the ledger."""

    def __init__(
        self,
        stores: tuple[RawStore, Catalog, Registers],
        receipts: Receipts,
        committer: Committer,
        clock: Clock,
        readers: FileReaders,
    ) -> None:
        self._raw, self._catalog, self._registers = stores
        self._receipts = DropReceipts(self._raw, receipts)
        self._readers = readers
        self._committer = committer
        self._clock = clock
        self._kept_rows = DroppedKept(self._catalog, committer, readers.profile)
        self._invoices = DroppedInvoices(self._catalog, committer, readers)

    def load(self, message: ObjectArrived, remaining: Remaining) -> None:
        """Load one file, or a share of it.

        Raises BadInput for a file that cannot be read as a whole (nothing of it is stored), NotReady for a file that is
        loaded in shares: the same message goes on with the next one.
        """
        if any(map(is_personal, data_types_in(message.key))):  # before anything else: a file that is refused goes, too
            self._raw.tag(message.key, PERSONAL, message.version_id)
        key = DropKey.parse(message.key)
        account_id = key.account_id
        trace.add(account_id=account_id)
        head = self._raw.head(message.key, message.version_id)
        if head.size > limits.MAX_DROP_BYTES:
            raise TooLarge(f"a drop has at most {limits.MAX_DROP_BYTES} bytes, this one {head.size}; split it")
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            drop = DropFacts(
                message=message,
                account_id=account_id,
                version=_version(message, head),
                as_of=written_at(head, self._clock.now()),
                size=head.size,
                sha256=self._copy(message, cast("BinaryIO", spool)),
                days=drop_days(self._clock.now().date(), latest_date(self._clock.now())),
            )
            self._catalog.account(account_id)
            reader = self._reader(key)
            known_as = reader.known_as if reader else ""
            reading = self._receipts.reading(drop, known_as, message.load)
            if reading.done_by:
                if reading.done_by != f"{message.key} {drop.version}":
                    self._receipts.put(drop, {"state": "duplicate", "duplicate_of": reading.done_by})
                return
            drop = replace(drop, reading=reading.number)
            result = self._result(drop, cast("BinaryIO", spool), reader, remaining)
            self._hold(drop, key, result)
            has_unknown = result.pop("has_unknown")
            self._receipts.put(drop, {"state": "loaded"} | result)
            if not has_unknown:  # else the same file is the repair, once the profile is listed
                self._receipts.remember(drop, reading, known_as)

    def _hold(self, drop: DropFacts, named: DropKey, result: dict[str, Any]) -> None:
        """List what the file left in quarantine. A replay of it finds the same version of the same object."""
        data_type, key = named.data_type, result["quarantine_key"]
        held = HeldBack(
            rows=result["rows_quarantined"],
            reasons=result["reasons"],
            first=tuple(result["first_quarantined"]),
            keys=tuple(result.get("quarantine_keys") or ([key] if key else [])),
            version_id=drop.version,
            personal=is_personal(data_type),
        )
        origin = Origin(data_type, drop.task_id, drop.message.key, load=drop.reading, account_id=drop.account_id)
        self._committer.hold(replace(origin, platform=named.source), held)

    def _reader(self, key: DropKey) -> FileReader | KeptFiles | None:
        """How such files are read, None for invoices. Raises BadInput."""
        account_id, source, data_type = key[:3]
        if key.records:
            return self._readers.records(account_id, source, data_type)
        if (source, data_type) == OWN_INVOICES:
            return None
        kept = self._readers.kept(account_id, source, data_type)
        return kept or self._readers.reader(account_id, source, data_type)

    def _result(
        self, drop: DropFacts, stream: BinaryIO, reader: FileReader | KeptFiles | None, remaining: Remaining
    ) -> dict[str, Any]:
        """Load a file; what its receipt says of it."""
        if isinstance(reader, FileReader):
            return self._rows(drop, stream, reader, remaining)
        kept = self._kept(drop, stream, reader, remaining) if reader else self._bills(drop, stream, remaining)
        self._committer.arrived(drop.account_id, Arrival.FILE)
        return kept

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """A file that cannot be read as a whole: a receipt that says why. A file that is gone needs none."""
        try:
            head = self._raw.head(message.key, message.version_id)
        except NotFound:
            return
        self._receipts.reject(message, _version(message, head), head, error)
        origin = Origin("file", "", message.key, account_id=account_in(message.key))
        self._committer.breach(origin, f"{error.code}: {error.message}")
        self._committer.not_moved(message, error, _version(message, head))

    def _copy(self, message: ObjectArrived, spool: BinaryIO) -> str:
        """The object into a file of ours; returns its SHA-256."""
        digest = hashlib.sha256()
        total = 0
        with self._raw.open_stream(message.key, message.version_id) as stream:
            while piece := stream.read(1 << 20):
                total += len(piece)
                if total > limits.MAX_DROP_BYTES:
                    raise TooLarge(f"a drop has at most {limits.MAX_DROP_BYTES} bytes; split it")
                digest.update(piece)
                spool.write(piece)
        spool.seek(0)
        return digest.hexdigest()

    def _rows(self, drop: DropFacts, stream: BinaryIO, reader: FileReader, remaining: Remaining) -> dict[str, Any]:
        """What is loaded, for the receipt. Raises NotReady while shares are left."""
        table, plan = open_table(stream, drop.size, reader.form), self._receipts.plan(drop)
        try:
            if plan is None:
                return self._load(drop, table, reader, remaining, WHOLE)
            if plan.shares is None:
                if reader.bind(table.header).by_id:
                    ids = self._count_ids(drop, table, reader, remaining, plan.cut)
                    self._receipts.put_plan(drop, plan.cut, [], ids)
                else:
                    self._receipts.put_plan(drop, plan.cut, self._count(drop, table, reader, remaining, plan.cut))
                raise NotReady("the file is loaded in shares, the first one next", after=0)
            results = []
            for share in plan.shares:
                result = self._receipts.share(drop, plan.cut, share.number)
                if result is None:
                    result = self._load(drop, table, reader, remaining, share)
                    self._receipts.put_share(drop, plan.cut, share.number, result)
                    if share is not plan.shares[-1]:
                        raise NotReady(f"share {share.number + 1} of {len(plan.shares)} is loaded", after=0)
                results.append(result)
            return _summed(results, by_id=plan.shares[0].ids != ALL_IDS)
        except Outgrown as outgrown:
            # Shares are cut by an estimate: where one takes more, all are cut anew.
            self._receipts.put_plan(drop, outgrown.parts * (plan.cut if plan else 1))
            raise NotReady("the file is loaded in shares, its rows are counted next", after=0) from None

    def _load(
        self, drop: DropFacts, table: FileTable, reader: FileReader, remaining: Remaining, share: Share
    ) -> dict[str, Any]:
        """Read the file and store its rows, or those of a share.

        Raises Outgrown before anything is stored: also when reading takes half of the time, for storing takes as much;
        of a share, TooLarge when it takes four fifths.
        """
        least = remaining() * (0.5 if share is WHOLE else 0.2)
        with Quarantine(shows=not reader.personal) as quarantine:
            found = DroppedRows(drop, self._readers.profile, quarantine, share)
            rows = reader.bind(table.header)
            if rows.by_id:
                rows.only(share.ids)

            def check(lines: int) -> None:
                if remaining() < least:
                    _too_slow(share, lines)
                found.check_memory(rows.held)

            wanted = None if share is WHOLE or rows.by_id else share.of
            found.read(rows.batches(found.counted(table, check), wanted))
            found.check_memory(rows.held)
            origin = Origin("file", drop.task_id, drop.message.key, load=share.number, account_id=drop.account_id)
            # Tagged as it is put: of a load that is killed between the two, a copy would never expire.
            key = quarantine.store(self._raw, origin.quarantine_key, PERSONAL if reader.personal else None)
            said = rows.statements
            restated = found.restate(self._registers, said) if said else None
            stored = found.store(self._committer, Allowance(remaining), origin, key)
            if said and restated:
                self._registers.stored(register_key(drop, said.target), restated.revision)
            facts = {"rows_read": found.lines, "rows_left_out": dict(rows.left_out)}
            return facts | stored | _held_back(quarantine, key)

    def _count(
        self, drop: DropFacts, table: FileTable, reader: FileReader, remaining: Remaining, cut: int
    ) -> list[Bound]:
        """Where to cut the file into shares of the memory that there is, divided by `cut`."""
        rows, least = reader.bind(table.header), remaining() / 10
        counter = ShareCounter(adds_up=rows.adds_up)
        with Quarantine() as quarantine:
            found = DroppedRows(drop, self._readers.profile, quarantine)

            def check(lines: int) -> None:
                if remaining() < least:
                    raise TooLarge(f"the file takes too long to read: {lines} lines until now; split it")

            for batch in rows.parts(found.counted(table, check)):
                if not isinstance(batch, BadRow):
                    found.meet(batch.target)
                    counter.take(batch)
        row_bytes, most = ROW_BYTES + rows.adds_up * SUM_BYTES, limits.MAX_DROP_HELD_BYTES
        bounds = counter.bounds(max(most // cut, 1), row_bytes, ENTITY_BYTES)
        _check_shares(len(bounds) + 1)
        return bounds

    def _count_ids(self, drop: DropFacts, table: FileTable, reader: FileReader, remaining: Remaining, cut: int) -> int:
        """Into how many shares of ids to cut the file, by what a sample of the ids takes."""
        rows, least = reader.bind(table.header), remaining() / 10
        rows.only(ALL_IDS.part(0, _SAMPLED_IDS))
        with Quarantine() as quarantine:
            found = DroppedRows(drop, self._readers.profile, quarantine)

            def check(lines: int) -> None:
                if remaining() < least:
                    raise TooLarge(f"the file takes too long to read: {lines} lines until now; split it")

            for _ in rows.batches(found.counted(table, check)):
                pass
        # A file comes here with a cut of two. Hashes are even: a tenth more than is counted is enough room.
        needed = -(-rows.held * _SAMPLED_IDS * cut * 11 // (20 * limits.MAX_DROP_HELD_BYTES))
        number = max(needed, cut)
        _check_shares(number)
        return number

    def _bills(self, drop: DropFacts, stream: BinaryIO, remaining: Remaining) -> dict[str, Any]:
        """Invoices: what was stored, for the receipt."""
        origin = Origin("file", drop.task_id, drop.message.key, account_id=drop.account_id)
        with Quarantine() as quarantine:
            parse = self._readers.parse_platform
            if DropKey.parse(drop.message.key).records:
                parse = partial(platform_or_name, parse=parse)
            lines = read_invoices(stream, drop.size, parse)
            found = self._invoices.load(lines, origin, iso(drop.as_of), quarantine, remaining)
            key = quarantine.store(self._raw, origin.quarantine_key)
            if quarantine.rows:
                self._committer.breach(origin, "rows_quarantined", rows=quarantine.rows, quarantine_key=key)
            return found.counts | _held_back(quarantine, key) | {"has_unknown": found.has_unknown}

    def _kept(self, drop: DropFacts, stream: BinaryIO, files: KeptFiles, remaining: Remaining) -> dict[str, Any]:
        """Reference data and objects: what was stored, for the receipt."""
        origin = Origin("file", drop.task_id, drop.message.key, account_id=drop.account_id)
        with Quarantine() as quarantine:
            found, counts = self._kept_rows.read(
                files, drop.account_id, files.records(stream, drop.size), quarantine, remaining
            )
            key = quarantine.store(self._raw, origin.quarantine_key)
            if quarantine.rows:
                self._committer.breach(origin, "rows_quarantined", rows=quarantine.rows, quarantine_key=key)
            # Times of S3 are whole seconds: what another mapping reads of the same object is a little newer.
            as_of = drop.as_of + timedelta(milliseconds=drop.reading)
            counts |= self._kept_rows.store(found, iso(as_of), remaining)
            return counts | _held_back(quarantine, key)


def written_at(head: ObjectHead, now: datetime) -> datetime:
    """When an object was written: S3's times are whole seconds, so whoever writes several a second may say it exactly.

    A time that has not come is not believed: nothing could be newer for as long. Nor is one before S3 was there.
    """
    try:
        said = parse_instant(head.metadata.get(WRITTEN_AT, ""))
    except ValueError:
        return head.last_modified
    return said if said <= now and said.year > _BEFORE_S3 else head.last_modified


def is_personal(data_type: str) -> bool:
    """Whether files of a data type hold personal data."""
    known = DATA_TYPES.get(data_type)
    return known is not None and known.personal


def _too_slow(share: Share, lines: int) -> NoReturn:
    """Raises Outgrown where a smaller share may be stored in what is left of the time, else TooLarge."""
    if share is WHOLE:
        raise Outgrown(_SLOW_CUT)
    raise TooLarge(f"the file takes too long to read: {lines} lines until now; split it")


def _check_shares(number: int) -> None:
    if number > limits.MAX_DROP_SHARES:
        raise TooLarge(f"the file would be loaded in more than {limits.MAX_DROP_SHARES} shares; split it")


def _held_back(quarantine: Quarantine, key: str) -> dict[str, Any]:
    """What a receipt says of the lines that were not stored."""
    return {
        "rows_quarantined": quarantine.rows,
        "reasons": dict(quarantine.reasons.most_common(limits.MAX_DROP_REASONS)),
        "first_quarantined": sorted(quarantine.named, key=_line),
        "quarantine_key": key,
        "has_unknown": bool(quarantine.reasons[KNOWN]),
    }


def _line(named: dict[str, Any]) -> int:
    return int(named["line"])


def _summed(parts: Sequence[dict[str, Any]], *, by_id: bool) -> dict[str, Any]:
    """What shares brought, as one load would say it; `by_id`, each left out rows of its own ids."""
    left_out: Counter[str] = Counter()
    for part in parts if by_id else parts[:1]:
        left_out.update(part["rows_left_out"])
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part["reasons"])
    first = sorted((line for part in parts for line in part["first_quarantined"]), key=_line)
    keys = [part["quarantine_key"] for part in parts if part["quarantine_key"]]
    return {name: sum(part[name] for part in parts) for name in _SUMMED} | {
        "rows_read": parts[0]["rows_read"],
        "rows_left_out": dict(left_out),
        "stored_for": sorted({name for part in parts for name in part["stored_for"]}),
        "reasons": dict(reasons.most_common(limits.MAX_DROP_REASONS)),
        "first_quarantined": first[: limits.MAX_QUARANTINED_NAMED],
        "quarantine_key": keys[0] if keys else "",
        "quarantine_keys": keys,
        "has_unknown": any(part["has_unknown"] for part in parts),
        "shares": len(parts),
    }


def _version(message: ObjectArrived, head: ObjectHead) -> str:
    """The object's version; in a bucket without versions, the time of the write."""
    return message.version_id or head.version_id or head.last_modified.strftime("%Y%m%dT%H%M%SZ")


@lru_cache(maxsize=2)
def drop_days(today: date, last: date) -> frozenset[str]:
    """The days that a drop may have: from as far back as it may reach to the one that is the latest anywhere."""
    first = today - timedelta(days=limits.MAX_DROP_AGE_DAYS)
    return frozenset((first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1))
