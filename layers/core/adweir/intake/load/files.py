"""File drops in our own columns (docs/data-model.md, "File drops").

A drop is idempotent by its bytes. The same bytes again, as another version or under another name of the account, change
nothing and get a receipt that names the first drop. The exception: when the first drop had lines of an unknown profile,
dropping it again after the profile is listed stores them. Good lines are stored, bad ones quarantined by line number.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from adweir.intake.load.commit import Allowance, Committer, Origin
from adweir.intake.load.drop_keys import OWN_INVOICES, DropKey, account_in
from adweir.intake.load.dropped_invoices import DroppedInvoices
from adweir.intake.load.dropped_references import DroppedReferences, ReferenceFile
from adweir.model import limits, trace
from adweir.model.entities import Profile
from adweir.model.errors import AdweirError, BadInput, NotFound, TooLarge
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import BadRow, MetricRow, Source
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Clock, Window, is_zone, iso
from adweir.platforms.files.lines import KNOWN, Record
from adweir.platforms.files.normalize import Target
from adweir.platforms.files.reading import FileReader, FileReaders
from adweir.platforms.files.table import open_table, records
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows
from adweir.store.raw.store import ObjectHead

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger.receipts import Receipts
    from adweir.store.raw.store import RawStore

_IN_MEMORY = 4 << 20
_BATCH = 500
_ROW_BYTES, _ENTITY_BYTES = 120, 470
"""What a row, and an entity without its texts, were measured to take until they are stored."""
_REMEMBERED = timedelta(days=limits.MAX_DROP_AGE_DAYS + 1)
"""So long the bytes of a drop are known: afterwards none of its days can be dropped anymore."""


@dataclass(slots=True)
class _Group:
    """The rows of one profile, level and grain."""

    profile: Profile
    pull: Pull
    rows: PullRows
    loop: RowLoop
    waiting: list[MetricRow] = field(default_factory=list)
    held: int = 0
    """About how many bytes of memory the rows take."""

    def add(self, row: MetricRow) -> None:
        self.waiting.append(row)
        if len(self.waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        new = {row.entity_id: row for row in self.waiting if not self.rows.knows(row.entity_id)}
        self.held += len(self.waiting) * _ROW_BYTES + sum(map(_entity_bytes, new.values()))
        self.loop.take(self.waiting, ())
        self.waiting = []


def _entity_bytes(row: MetricRow) -> int:
    texts = row.entity_id, row.campaign_id, row.ad_group_id, row.ad_product
    return _ENTITY_BYTES + sum(len(text) if text.isascii() else 4 * len(text) for text in texts)


@dataclass(slots=True)
class _Drop:
    """One file being read."""

    message: ObjectArrived
    account_id: str
    version: str
    as_of: datetime
    size: int
    sha256: str
    quarantine: Quarantine
    days: frozenset[str]
    groups: dict[Target, _Group] = field(default_factory=dict)
    unknown: dict[Target, str] = field(default_factory=dict)
    lines: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def task_id(self) -> str:
        return hashlib.sha256(f"drop\x1f{self.account_id}\x1f{self.sha256}".encode()).hexdigest()[:20]

    @property
    def same_bytes(self) -> str:
        """The receipt of these bytes, whatever their name."""
        return f"sha256/{self.account_id}/{self.sha256}"

    def check_memory(self, held: int = 0) -> None:
        """Raises TooLarge: killed for its memory, the function would receive the file again and leave no receipt."""
        if held + sum(group.held for group in self.groups.values()) > limits.MAX_DROP_HELD_BYTES:
            raise TooLarge(f"the file names too many ads for one load: {self.lines} lines until now; split it")


class DropLoader:
    """Loads dropped files and leaves a receipt of each, in S3 and in the ledger."""

    def __init__(
        self,
        raw: RawStore,
        catalog: Catalog,
        receipts: Receipts,
        committer: Committer,
        clock: Clock,
        readers: FileReaders,
    ) -> None:
        self._raw = raw
        self._catalog = catalog
        self._receipts = receipts
        self._readers = readers
        self._committer = committer
        self._clock = clock
        self._references = DroppedReferences(catalog, committer)
        self._invoices = DroppedInvoices(catalog, committer, readers.parse_platform)

    def load(self, message: ObjectArrived, remaining: Callable[[], float]) -> None:
        """Load one file. Raises BadInput for a file that cannot be read as a whole (nothing of it is stored)."""
        account_id, source, data_type, _ = DropKey.parse(message.key)
        trace.add(account_id=account_id)
        head = self._raw.head(message.key, message.version_id)
        if head.size > limits.MAX_DROP_BYTES:
            raise TooLarge(f"a drop has at most {limits.MAX_DROP_BYTES} bytes, this one {head.size}; split it")
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool, Quarantine() as quarantine:
            digest = self._copy(message, cast("BinaryIO", spool))
            drop = _Drop(
                message=message,
                account_id=account_id,
                version=_version(message, head),
                as_of=head.last_modified,
                size=head.size,
                sha256=digest,
                quarantine=quarantine,
                days=_days(self._clock.now().date(), limits.MAX_DROP_AGE_DAYS),
            )
            first = self._receipts.get(drop.same_bytes)
            if first is not None:
                if (first["key"], first["version"]) != (message.key, drop.version):
                    self._receipt(drop, {"state": "duplicate", "duplicate_of": f"{first['key']} {first['version']}"})
                return
            self._catalog.account(account_id)
            if (source, data_type) == OWN_INVOICES:
                counts, has_unknown = self._bills(drop, cast("BinaryIO", spool), remaining)
            elif files := self._readers.references(account_id, source, data_type):
                found = ReferenceFile.of(files, account_id, cast("BinaryIO", spool), drop.size)
                counts, has_unknown = self._kept(drop, found, remaining), False
            else:
                reader = self._readers.reader(account_id, source, data_type)
                self._read(drop, cast("BinaryIO", spool), reader, remaining)
                counts = self._store(drop, Allowance(remaining))
                has_unknown = bool(quarantine.reasons[KNOWN])
            self._receipt(drop, {"state": "loaded"} | counts)
            if not has_unknown:  # else the same file is the repair, once the profile is listed
                first_drop = {"key": message.key, "version": drop.version}
                self._receipts.put(drop.same_bytes, first_drop, _REMEMBERED)

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """A file that cannot be read as a whole: a receipt that says why. A file that is gone needs none."""
        try:
            head = self._raw.head(message.key, message.version_id)
        except NotFound:
            return
        version = _version(message, head)
        self._put_receipt(
            f"{message.key}.{version}",
            {
                "key": message.key,
                "version": version,
                "account_id": account_in(message.key),
                "size": head.size,
                "last_modified": iso(head.last_modified),
                "state": "rejected",
                "code": error.code,
                "reason": error.message[:1000],
                "details": error.details[: limits.MAX_DROP_REASONS] if isinstance(error, BadInput) else [],
            },
        )
        origin = Origin("file", "", message.key, account_id=account_in(message.key))
        self._committer.breach(origin, f"{error.code}: {error.message}")

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

    def _read(self, drop: _Drop, stream: BinaryIO, reader: FileReader, remaining: Callable[[], float]) -> None:
        """All rows into their groups.

        Raises TooLarge when that takes half of the time, for storing takes as much, or more memory than there is.
        """
        least, table = remaining() / 2, open_table(stream, drop.size, reader.form)
        rows = reader.bind(table.header)

        def counted() -> Iterator[Record | BadRow]:
            for record in records(table):
                drop.lines += 1
                if drop.lines % _BATCH == 0:
                    if remaining() < least:
                        raise TooLarge(f"the file takes too long to read: {drop.lines} lines until now; split it")
                    drop.check_memory(rows.held)
                yield record

        for found in rows.rows(counted()):
            if isinstance(found, BadRow):
                drop.quarantine.add(found)
                continue
            group = self._group(drop, found.target)
            if group is None:
                fault = {"field": "profile_id", "rule": KNOWN, "message": drop.unknown[found.target]}
                drop.quarantine.add(BadRow(found.row.line, found.source, [fault], found.row.entity_id, found.row.day))
            else:
                group.add(found.row)
        for group in drop.groups.values():
            group.flush()
            group.loop.finish()
        drop.check_memory()
        drop.left_out = rows.left_out

    def _group(self, drop: _Drop, target: Target) -> _Group | None:
        """Where rows of this target go; None when its profile is not the account's or has no days (see `unknown`)."""
        group = drop.groups.get(target)
        if group is not None or target in drop.unknown:
            return group
        if len(drop.groups) + len(drop.unknown) >= limits.MAX_DROP_GROUPS:
            raise BadInput(
                f"a drop names at most {limits.MAX_DROP_GROUPS} combinations of profile, level and grain; split it"
            )
        profile = self._readers.profile(drop.account_id, target)
        if profile is None:
            drop.unknown[target] = f"account {drop.account_id} has no profile {target.profile_id} on {target.platform}"
            return None
        if not is_zone(profile.timezone):
            drop.unknown[target] = f"profile {target.profile_id} has an unknown time zone, {profile.timezone[:60]!r}"
            return None
        rows = PullRows()
        day = drop.as_of.date()
        pull = Pull(
            platform=target.platform,
            profile_id=target.profile_id,
            level=target.level,
            grain=target.grain,
            source=Source.FILE,
            slice=ALL,
            window=Window(day, day),
            stamp=Stamp.of(drop.as_of, _load_of(drop, target)),
            complete=False,
            currency=target.currency or profile.currency,
            timezone=profile.timezone,
            account_id=drop.account_id,
        )
        group = _Group(profile, pull, rows, RowLoop(pull, drop.days, rows, drop.quarantine))
        drop.groups[target] = group
        return group

    def _store(self, drop: _Drop, allowance: Allowance) -> dict[str, Any]:
        """Quarantine first, then each group; the order of groups is fixed, so a repetition does the same."""
        origin = Origin("file", drop.task_id, drop.message.key, account_id=drop.account_id)
        key = drop.quarantine.store(self._raw, origin.quarantine_key)
        stored: Counter[str] = Counter()
        profiles = []
        for target in sorted(drop.groups):
            group = drop.groups[target]
            days = sorted(group.rows.days())
            if days:
                window = Window(date.fromisoformat(days[0]), date.fromisoformat(days[-1]))
                pull = replace(group.pull, window=window)
                of_load = replace(origin, task_id=_load_of(drop, target))
                counts = self._committer.store(pull, group.rows, group.loop, of_load, key, allowance)
                stored.update(counts)
                profiles.append("#".join(filter(None, target)))
        if drop.quarantine.rows > sum(group.loop.rejected for group in drop.groups.values()):
            self._committer.breach(origin, "rows_quarantined", rows=drop.quarantine.rows, quarantine_key=key)
        return {
            "rows_read": drop.lines,
            "rows_stored": stored["rows_stored"],
            "duplicates": stored["duplicates"],
            "slots_changed": stored["slots_changed"],
            "stored_for": profiles,
            "rows_left_out": dict(drop.left_out),
        } | _held_back(drop.quarantine, key)

    def _bills(self, drop: _Drop, stream: BinaryIO, remaining: Callable[[], float]) -> tuple[dict[str, Any], bool]:
        """Invoices: what was stored, and whether lines named an unknown profile."""
        origin = Origin("file", drop.task_id, drop.message.key, account_id=drop.account_id)
        found = self._invoices.load(stream, drop.size, origin, iso(drop.as_of), drop.quarantine, remaining)
        key = drop.quarantine.store(self._raw, origin.quarantine_key)
        if drop.quarantine.rows:
            self._committer.breach(origin, "rows_quarantined", rows=drop.quarantine.rows, quarantine_key=key)
        return found.counts | _held_back(drop.quarantine, key), found.has_unknown

    def _kept(self, drop: _Drop, file: ReferenceFile, remaining: Callable[[], float]) -> dict[str, Any]:
        """Reference data: what was stored."""
        origin = Origin("file", drop.task_id, drop.message.key, account_id=drop.account_id)
        counts = self._references.load(file, iso(drop.as_of), drop.quarantine, remaining)
        key = drop.quarantine.store(self._raw, origin.quarantine_key)
        if drop.quarantine.rows:
            self._committer.breach(origin, "rows_quarantined", rows=drop.quarantine.rows, quarantine_key=key)
        return counts | _held_back(drop.quarantine, key)

    def _receipt(self, drop: _Drop, result: dict[str, Any]) -> None:
        self._put_receipt(
            f"{drop.message.key}.{drop.version}",
            {
                "key": drop.message.key,
                "version": drop.version,
                "account_id": drop.account_id,
                "task_id": drop.task_id,
                "sha256": drop.sha256,
                "size": drop.size,
                "last_modified": iso(drop.as_of),
            }
            | result,
        )

    def _put_receipt(self, name: str, receipt: dict[str, Any]) -> None:
        """Store a receipt: in S3 for whoever dropped the file, in the ledger for the API.

        The first receipt of a version stays, because a repetition changes nothing; only a success replaces a failure.
        """
        raw, key = self._raw, f"receipts/{name}.json"
        body = json.dumps(receipt, indent=2, sort_keys=True).encode()
        if not raw.put_once(key, body, content_type="application/json"):
            kept = json.loads(raw.get_bytes(key))
            if kept["state"] != "rejected" or receipt["state"] == "rejected":
                receipt = kept
            else:
                raw.put(key, body, content_type="application/json")
        self._receipts.put_listed(name, receipt)


def _held_back(quarantine: Quarantine, key: str) -> dict[str, Any]:
    """What a receipt says of the lines that were not stored."""
    reasons = dict(quarantine.reasons.most_common(limits.MAX_DROP_REASONS))
    return {"rows_quarantined": quarantine.rows, "reasons": reasons, "quarantine_key": key}


def _load_of(drop: _Drop, target: Target) -> str:
    """The task id of a load: rows of several currencies of one profile are loads of their own."""
    return f"{drop.task_id}.{target.currency}" if target.currency else drop.task_id


def _version(message: ObjectArrived, head: ObjectHead) -> str:
    """The object's version; in a bucket without versions, the time of the write."""
    return message.version_id or head.version_id or head.last_modified.strftime("%Y%m%dT%H%M%SZ")


@lru_cache(maxsize=2)
def _days(today: date, oldest: int) -> frozenset[str]:
    """The days that a drop may have: back to that many days ago, and tomorrow, which somewhere it is already."""
    first = today - timedelta(days=oldest)
    return frozenset((first + timedelta(days=n)).isoformat() for n in range(oldest + 2))
