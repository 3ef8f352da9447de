"""Writes a partition's changes files, and finds those that a load left behind before it was stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import BinaryIO, NamedTuple, Protocol

from adweir.model.metrics import Series
from adweir.model.tasks import Cause, Pull
from adweir.model.times import Clock
from adweir.store.metrics import changes
from adweir.store.metrics.buckets import Partition
from adweir.store.metrics.changes import ChangesHeader, ChangesKey
from adweir.store.metrics.spool import WriteSpool

_FORMAT = 1
_TICK = timedelta(microseconds=1)


class Listed(Protocol):
    """An entry of a listing."""

    @property
    def key(self) -> str: ...


class ChangesStore(Protocol):
    """Where changes files go: the raw store."""

    def put_once(
        self, key: str, body: bytes | BinaryIO, metadata: Mapping[str, str] | None = None, content_type: str = ""
    ) -> bool: ...
    def list(self, prefix: str, start_after: str = "") -> Iterable[Listed]: ...
    def folders(self, prefix: str) -> Iterable[str]: ...
    def metadata(self, key: str) -> dict[str, str]: ...
    def open_stream(self, key: str) -> BinaryIO: ...


class Left(NamedTuple):
    """A file that a load left, and how many slots it says were changed, those zeroed among them."""

    key: str
    changed: int
    zeroed: int


@dataclass(slots=True)
class Counts:
    """What loading changed, over all partitions of a pull."""

    changed: int = 0
    unchanged: int = 0
    zeroed: int = 0
    changes_keys: list[str] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Add what was changed in a partition."""
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.zeroed += other.zeroed
        self.changes_keys += other.changes_keys

    def recall(self, left: Iterable[Left]) -> None:
        """Count what files of a stopped load already say, unless this attempt has found more.

        Each says all that its attempt was going to change: what one wrote, the next found done.
        """
        files = list(left)
        self.changed = max([self.changed, *(file.changed for file in files)])
        self.zeroed = max([self.zeroed, *(file.zeroed for file in files)])
        self.changes_keys[:0] = [file.key for file in files]


class Journal:
    """The changes files of partitions. Raises Unavailable."""

    def __init__(self, store: ChangesStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def left(self, pull: Pull, series: Series, partition: Partition) -> list[Left]:
        """The files that loads of this pull have put for a partition, the oldest first."""
        name = changes.load_name(pull)
        after = changes.earliest(pull, series, partition.suffix)
        found = []
        for entry in self._store.list(changes.folder(series, partition.suffix), after):
            if ChangesKey.parse(entry.key).by == name:
                about = self._store.metadata(entry.key)
                found.append(Left(entry.key, int(about["changed"]), int(about["zeroed"])))
        return found

    def put(
        self, load: tuple[Pull, Series, Partition], spool: WriteSpool, counts: Counts, *, newest: str, fence: int
    ) -> str:
        """Put the file of a load. Returns its time, which comes after `newest`, the time of the newest one known."""
        pull, series, partition = load
        now = self._clock.now()
        if newest:
            now = max(now, ChangesKey("", newest, "").at + _TICK)
        folder = changes.folder(series, partition.suffix)
        key = ChangesKey(folder, changes.time_text(now, fence), changes.load_name(pull))
        about = {"changed": str(counts.changed), "zeroed": str(counts.zeroed), "as-of": pull.stamp.as_of}
        self._store.put_once(str(key), spool.changes_file(), about, "application/gzip")
        counts.changes_keys.append(str(key))
        return key.time


def header(pull: Pull, series: Series, partition: Partition, continues: Iterable[str]) -> ChangesHeader:
    """The header of a pull's file in a partition of a series, which may be another than the pull's own."""
    return ChangesHeader(
        format=_FORMAT,
        platform=str(series.platform),
        profile_id=series.profile_id,
        account_id=pull.account_id,
        level=series.level.value,
        breakdown=series.breakdown,
        grain=series.grain.value,
        source=pull.source.value,
        partition=partition.suffix,
        slice=pull.slice,
        window=str(pull.window),
        as_of=pull.stamp.as_of,
        task_id=pull.stamp.task_id,
        generation=pull.generation,
        load=pull.stamp.load,
        cause=cause_of(pull, series),
        definition=pull.definition,
        currency=pull.currency,
        continues=tuple(continues),
    )


def cause_of(pull: Pull, series: Series) -> Cause:
    """Why a pull's load changes a partition."""
    if series != pull.series:
        return Cause.TOTAL
    return Cause(pull.source.value) if pull.cause is Cause.PULL else pull.cause
