"""The rows of a dropped file until they are stored: by profile, level and grain, in bounded memory."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import compress
from typing import Any

from adweir.intake.load.commit import Allowance, Committer, Origin
from adweir.intake.load.drop_keys import OWN, DropKey
from adweir.intake.load.drop_shares import WHOLE, Share
from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.entities import Profile
from adweir.model.errors import BadInput
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import BadRow, MetricRow, Source
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window, is_zone
from adweir.platforms.files.batches import DropBatch
from adweir.platforms.files.file_rows import Statements
from adweir.platforms.files.lines import KNOWN
from adweir.platforms.files.normalize import Target
from adweir.platforms.files.table import FileTable
from adweir.platforms.files.text_lines import Chunk
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows
from adweir.store.register_shards import CountedAt, EntityAbout, Stated
from adweir.store.registers import REGISTERS, PlaceSums, Registers, Restated

_LOOKS = 500
"""Lines between two looks at the time and the memory."""
ROW_BYTES, ENTITY_BYTES = 120, 470
"""What a row, and an entity without its texts, were measured to take until they are stored."""

ProfileOf = Callable[[str, Target], Profile | None]


class Outgrown(Exception):
    """The rows take more memory or time than there is: the file has to be loaded in several passes."""

    def __init__(self, parts: int = 2) -> None:
        super().__init__(parts)
        self.parts = parts
        """In how many parts what is loaded at once is cut."""


@dataclass(frozen=True, slots=True)
class DropFacts:
    """A dropped file: whose, which version, how large, its checksum, and the days that it may have."""

    message: ObjectArrived
    account_id: str
    version: str
    as_of: datetime
    size: int
    sha256: str
    days: frozenset[str]
    reading: int = 0
    """How many other mappings these bytes were read by before."""

    @property
    def task_id(self) -> str:
        said = "\x1f".join(["drop", self.account_id, self.sha256, *self._kind])
        return hashlib.sha256(said.encode()).hexdigest()[:20]

    @property
    def name(self) -> str:
        """Of its receipt: the key and the version."""
        return f"{self.message.key}.{self.version}"

    @property
    def same_bytes(self) -> str:
        """The receipt of these bytes, whatever their name: as another data type or of another source they say
        something else."""
        return "/".join(["sha256", self.account_id, self.sha256, *self._kind])

    @property
    def _kind(self) -> Sequence[str]:
        """Source and data type, none for adweir's own metrics."""
        key = DropKey.parse(self.message.key)
        if key.records:
            return key.source, key.data_type, "records"
        return () if (key.source, key.data_type) == OWN else (key.source, key.data_type)

    @property
    def stamp(self) -> Stamp:
        """What orders files: the later one counts, and of one file the later reading."""
        return Stamp.of(self.as_of, self.task_id)._replace(load=self.reading)

    def load_of(self, target: Target) -> str:
        """The task id of a load: rows of several currencies of one profile are loads of their own."""
        return f"{self.task_id}.{target.currency}" if target.currency else self.task_id


@dataclass(slots=True)
class _Group:
    """The rows of one target."""

    pull: Pull
    rows: PullRows
    loop: RowLoop
    held: int = 0
    """About how many bytes of memory the rows take."""

    def take(self, rows: Sequence[MetricRow]) -> None:
        columns = MetricColumns.of(rows)
        own = self.pull.currency
        if own and "" in columns.currency:  # filled here, a column at once, as `clean` would fill each
            none = [not code for code in columns.currency]
            columns = replace(columns, currency=[code or own for code in columns.currency])
            self.loop.cleaning.add_many("currency", "currency", "", own, list(compress(columns.line, none)))
        known = self.rows.known
        self.loop.take(columns, ())
        new = self.rows.texts_from(known)
        self.held += len(rows) * ROW_BYTES + len(new) * ENTITY_BYTES + sum(map(_bytes, zip(*new, strict=True)))


def _bytes(texts: Sequence[str]) -> int:
    whole = "".join(texts)
    return len(whole) if whole.isascii() else sum(len(each) if each.isascii() else 4 * len(each) for each in texts)


class DroppedRows:
    """Takes the rows of one file, or of one share of it."""

    def __init__(self, drop: DropFacts, profile_of: ProfileOf, quarantine: Quarantine, share: Share = WHOLE) -> None:
        self._drop = drop
        self._profile_of = profile_of
        self._quarantine = quarantine
        self._share = share
        self._groups: dict[Target, _Group] = {}
        self._unknown: dict[Target, str] = {}
        self.lines = 0
        self.left_out: Counter[str] = Counter()

    def read(self, found: Iterator[DropBatch | BadRow]) -> None:
        """All rows into their groups. Raises what `take` raises."""
        for each in found:
            if not isinstance(each, BadRow):
                self._take(each)
            elif self._share.is_first:  # what has no key belongs to no share
                self._quarantine.add(each)
        for group in self._groups.values():
            group.loop.finish()

    def meet(self, target: Target) -> None:
        """Look the target's profile up: where it is made by its first row, this row is the file's first."""
        self._group(target)

    def counted(self, table: FileTable, check: Callable[[int], None]) -> FileTable:
        """The table; its lines are counted as they are read, and `check` looks at their number now and then."""
        return _Counted(table, self, check)

    @property
    def loops(self) -> list[RowLoop]:
        """What took the rows, one for each profile, level and grain."""
        return [group.loop for group in self._groups.values()]

    def slots(self) -> Iterator[tuple[Target, str, str]]:
        """The entity and the slot's key of each good row, with what it is of."""
        for target, group in self._groups.items():
            for entity_id, key, _ in group.rows:
                yield target, entity_id, key

    def check_memory(self, held: int = 0) -> None:
        """Raises Outgrown: killed for its memory, the function would receive the file again and leave no receipt."""
        if held + sum(group.held for group in self._groups.values()) > limits.MAX_DROP_HELD_BYTES:
            raise Outgrown

    def restate(self, registers: Registers, said: Statements) -> Restated:
        """State the records whose rows are good; the rows to be stored are then the sums of all that count.

        A record whose row is quarantined stays as an earlier file stated it. Raises what `Registers.state` does.
        """
        for record in [record for record, each in said.stated.items() if not self._is_good(each, said)]:
            del said.stated[record]  # in place: there are millions of them
        key = register_key(self._drop, said.target)
        restated = registers.state(key, self._drop.stamp, said.stated, said.about)
        rows = defaultdict[Target, PullRows](PullRows)
        for place, sums in restated.sums.items():
            about = restated.about[place.entity_id]
            target = said.target._replace(currency=about.currency)
            group = self._group(target)
            if group is not None:
                rows[target].offer(_row(place, sums, about, group.pull.currency))
        for target, found in rows.items():  # a target of refused rows alone keeps these, to report them
            group = self._groups[target]
            group.pull = replace(group.pull, stamp=group.pull.stamp._replace(as_of=restated.as_of))
            group.rows = found
        return restated

    def _is_good(self, stated: Stated, said: Statements) -> bool:
        if stated.place is None:
            return self._share.is_first
        target = said.target._replace(currency=said.about[stated.place.entity_id].currency)
        group = self._groups.get(target)
        return group is not None and group.rows.has(*stated.place)

    def store(self, committer: Committer, allowance: Allowance, origin: Origin, quarantine_key: str) -> dict[str, Any]:
        """Store each group; the order of groups is fixed, so a repetition does the same. Returns what was stored."""
        stored: Counter[str] = Counter()
        profiles, reported = list[str](), 0
        for target in sorted(self._groups):
            group = self._groups[target]
            days = sorted(group.rows.days())
            if days:
                window = Window(date.fromisoformat(days[0]), date.fromisoformat(days[-1]))
                pull = replace(group.pull, window=window)
                of_load = replace(origin, task_id=self._drop.load_of(target))
                stored.update(committer.store(pull, group.rows, group.loop, of_load, quarantine_key, allowance))
                profiles.append("#".join(filter(None, target)))
                reported += group.loop.rejected
        if self._quarantine.rows > reported:  # lines that no load is of, or loads of nothing but refused days
            committer.breach(origin, "rows_quarantined", rows=self._quarantine.rows, quarantine_key=quarantine_key)
        return {name: stored[name] for name in ("rows_stored", "duplicates", "slots_changed")} | {
            "stored_for": profiles
        }

    def _take(self, batch: DropBatch) -> None:
        kept = self._share.of(batch)
        if not any(kept):
            return
        rows, texts = batch.rows, batch.texts
        if not all(kept):
            rows, texts = chosen(rows, kept), list(compress(texts, kept))
        group = self._group(batch.target)
        if group is not None:
            group.take(rows)
            return
        fault = {"field": "profile_id", "rule": KNOWN, "message": self._unknown[batch.target]}
        for row, text in zip(rows, texts, strict=True):
            self._quarantine.add(BadRow(row.line, text[:2_000], [fault], row.entity_id, row.day))

    def _group(self, target: Target) -> _Group | None:
        """Where rows of this target go; None when its profile is not the account's or has no days (see `unknown`)."""
        group = self._groups.get(target)
        if group is not None or target in self._unknown:
            return group
        if len(self._groups) + len(self._unknown) >= limits.MAX_DROP_GROUPS:
            raise BadInput(
                f"a drop names at most {limits.MAX_DROP_GROUPS} combinations of profile, level and grain; split it"
            )
        drop = self._drop
        profile = self._profile_of(drop.account_id, target)
        if profile is None:
            self._unknown[target] = f"account {drop.account_id} has no profile {target.profile_id} on {target.platform}"
            return None
        if not is_zone(profile.timezone):
            self._unknown[target] = f"profile {target.profile_id} has an unknown time zone, {profile.timezone[:60]!r}"
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
            stamp=drop.stamp._replace(task_id=drop.load_of(target)),
            complete=False,
            currency=target.currency or profile.currency,
            timezone=profile.timezone,
            account_id=drop.account_id,
        )
        group = _Group(pull, rows, RowLoop(pull, drop.days, rows, self._quarantine))
        self._groups[target] = group
        return group


class _Counted:
    """A table whose lines are counted."""

    def __init__(self, table: FileTable, rows: DroppedRows, check: Callable[[int], None]) -> None:
        self.header = table.header
        self._table, self._rows, self._check = table, rows, check

    def chunks(self) -> Iterator[Chunk]:
        for chunk in self._table.chunks():
            before = self._rows.lines
            after = before + len(chunk.numbers) + len(chunk.bad)
            for lines in range(before - before % _LOOKS + _LOOKS, after + 1, _LOOKS):
                self._rows.lines = lines
                self._check(lines)
            self._rows.lines = after
            yield chunk


def register_key(drop: DropFacts, target: Target) -> str:
    """Where what an account's files of a source and level say of each record is kept."""
    return f"{REGISTERS}{drop.account_id}/{target.platform}/{target.level}"


def _row(place: CountedAt, sums: PlaceSums, about: EntityAbout, currency: str) -> MetricRow:
    return MetricRow(
        entity_id=place.entity_id,
        day=place.day,
        impressions=None,
        clicks=None,
        conversions=sums.conversions,
        spend=None,
        revenue=sums.revenue,
        campaign_id=about.campaign_id,
        ad_product=about.ad_product,
        currency=about.currency or currency,
    )


def chosen(rows: Sequence[MetricRow], kept: Sequence[bool]) -> Sequence[MetricRow]:
    """The rows that are kept; columns stay columns."""
    if not isinstance(rows, MetricColumns):
        return list(compress(rows, kept))
    names = MetricRow.__struct_fields__[:-1]
    columns: dict[str, Any] = {name: list(compress(getattr(rows, name), kept)) for name in names}
    return replace(rows, **columns)
