"""Changes files: what each load changed in a partition, kept as long as the raw objects (docs/data-model.md, "What was
known when").

    changes/<platform>/<profile>/<level>/<grain>/<month or day>/
        <time>-<fence>.<source>.<task>.<generation>[.<load>].jsonl.gz

Time and fence grow strictly from load to load of a partition, and the time lies between the taking of the partition's
lease and the first write. A file is gzipped JSON lines: a header, then the slots whose visible numbers or mark changed,
and before those of an item that was written or deleted the item as it was. So a partition as it was at a
moment is the partition as it is now, with each item replaced by its image in the earliest file after that moment.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, BinaryIO, NamedTuple

import msgspec

from adweir.model.metrics import Mark, Series, Slot, Source
from adweir.model.tasks import Cause, Pull
from adweir.model.times import parse_instant

PREFIX = "changes/"
_ENDING = ".jsonl.gz"
_TIME = "%Y%m%dT%H%M%S%fZ"
_SKEW = timedelta(days=1)
"""How far a platform's clock, which stamps reports, may be ahead of ours."""


class ChangesKey(NamedTuple):
    """A changes file's key in parts. `time` as text sorts as the times do; `by` is source, task, generation, load."""

    folder: str
    time: str
    by: str

    def __str__(self) -> str:
        return f"{self.folder}{self.time}.{self.by}{_ENDING}"

    @classmethod
    def parse(cls, key: str) -> ChangesKey:
        folder, _, name = key.rpartition("/")
        time, _, by = name.removesuffix(_ENDING).partition(".")
        return cls(f"{folder}/", time, by)

    @property
    def at(self) -> datetime:
        """When the load began to write."""
        return parse_instant(datetime.strptime(self.time.partition("-")[0] + "+0000", f"{_TIME}%z").isoformat())

    @property
    def source(self) -> Source:
        """The source whose partition changed."""
        return Source(self.by.partition(".")[0])


def folder(series: Series, suffix: str) -> str:
    """Where the files of a partition are, whatever its source; `suffix` is its month, or its day for hours."""
    return f"{folders(series)}{suffix}/"


def folders(series: Series) -> str:
    """Where the folders of a series' partitions are."""
    level = f"{series.level}_by_{series.breakdown}" if series.breakdown else series.level
    return f"{PREFIX}{series.platform}/{series.profile_id}/{level}/{series.grain}/"


def after(series: Series, suffix: str, moment: datetime) -> str:
    """The key after which those files come whose loads began to write after a moment."""
    return f"{folder(series, suffix)}{moment.strftime(_TIME)}~"


def load_name(pull: Pull) -> str:
    """`ChangesKey.by` of the files that a pull's load makes."""
    load = f".{pull.stamp.load}" if pull.stamp.load else ""
    return f"{pull.source}.{pull.stamp.task_id}.{pull.generation}{load}"


def earliest(pull: Pull, series: Series, suffix: str) -> str:
    """A key that comes before each file that this pull can have made in a partition."""
    return after(series, suffix, parse_instant(pull.stamp.as_of) - _SKEW)


def time_text(moment: datetime, fence: int) -> str:
    """`ChangesKey.time`."""
    return f"{moment.strftime(_TIME)}-{fence:010d}"


class ChangesHeader(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line. `source` is the partition's, `task_id` that of the pull whose load changed it.

    `continues`: files of the same load that was stopped before; lines of theirs may come again here.
    """

    format: int
    platform: str
    profile_id: str
    account_id: str
    level: str
    breakdown: str
    grain: str
    source: str
    partition: str
    slice: str
    window: str
    as_of: str
    task_id: str
    generation: int
    load: int
    cause: Cause
    definition: str
    currency: str
    continues: tuple[str, ...] = ()


class ChangedSlot(msgspec.Struct, frozen=True):
    """A slot whose visible numbers or mark changed; None where there was, or is, none to be seen.

    `hour` is None for a day, and 24 more for the second pass of an hour. `lag`: days from the slot's day to the local
    day on which the pull began. `currency`: where the numbers that are left stay in another than the pull's.
    """

    entity_id: str
    day: str
    hour: int | None
    old: Slot | None
    new: Slot | None
    lag: int
    old_mark: Mark
    new_mark: Mark
    cause: Cause
    campaign_id: str = ""
    ad_group_id: str = ""
    ad_product: str = ""
    currency: str = ""


class ItemImage(msgspec.Struct, frozen=True):
    """An item before the load: `item` is its sort key, `was` the item on DynamoDB's wire, None where there was none."""

    item: str
    was: dict[str, Any] | None


_IMAGE = b'{"item":'
_header = msgspec.json.Decoder(ChangesHeader)
_slot = msgspec.json.Decoder(ChangedSlot)
_image = msgspec.json.Decoder(ItemImage)


def read_slots(file: BinaryIO) -> tuple[ChangesHeader, Iterator[ChangedSlot]]:
    """A changes file without its images."""
    lines = gzip.GzipFile(fileobj=file)
    header = _header.decode(lines.readline())
    return header, (_slot.decode(line) for line in lines if not line.startswith(_IMAGE))


def read_changes(file: BinaryIO) -> tuple[ChangesHeader, Iterator[ChangedSlot | ItemImage]]:
    """A changes file: its header, and its lines as they are read."""
    lines = gzip.GzipFile(fileobj=file)
    header = _header.decode(lines.readline())
    return header, (_image.decode(line) if line.startswith(_IMAGE) else _slot.decode(line) for line in lines)
