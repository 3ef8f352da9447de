"""Metrics as they were known at a moment: what is stored now, with everything undone that was written since.

Changes files hold each item as it was before a load (`store.metrics.changes`). So a partition at a moment is the
partition now, each item replaced by its image in the earliest file after that moment, and the same code reads both.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import NamedTuple, TypeVar

import msgspec

from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.model.metrics import METRICS, Grain, Level, Mark, Series, Source
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.store.metrics import changes
from adweir.store.metrics.ahead import Asked
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition, Raw, partitions
from adweir.store.metrics.changes import ChangedSlot, ChangesHeader, ChangesKey, ItemImage, read_changes, read_slots
from adweir.store.metrics.journal import ChangesStore
from adweir.store.metrics.partitions import ItemKey, Readable, key_of
from adweir.store.metrics.slots import StoredBucket, decoded

T = TypeVar("T")
_Images = dict[str, bytes | None]
"""Sort key → the item as JSON, None where there was none. As bytes it takes a fortieth of the memory."""
_EVER = datetime.min.replace(tzinfo=UTC, year=1970)
_FEW = 2
"""Folders that are looked into whether they are there or not."""
_PART = 1000
"""Items between two looks for new changes files."""


class Change(NamedTuple):
    """A slot that changed, and the load that changed it. `at` is when that load began to write.

    The currencies are those of the slot's numbers; "" is the profile's.
    """

    at: datetime
    header: ChangesHeader
    slot: ChangedSlot
    old_currency: str
    new_currency: str


class PastTable(Readable):
    """The Metrics table as it was known at a moment. Raises Unavailable, TooLarge.

    Loads go on while it is read, perhaps for minutes. A load puts its changes file before it writes its first item, so
    files are listed after items were read: whatever these show, the file that undoes it is found.
    """

    def __init__(self, table: Readable, files: ChangesStore, moment: datetime) -> None:
        self._table = table
        self._files = files
        self._moment = moment
        self._images: dict[str, _Images] = {}
        self._undone: set[str] = set()
        self._size = _Size()

    def get(self, pk: str, sk: str) -> Raw | None:
        now = self._table.get(pk, sk)
        images = self._since(pk)
        return _decode(images[sk]) if sk in images else now

    def get_many(self, keys: Iterable[ItemKey]) -> list[Raw]:
        asked = set(keys)
        now = self._table.get_many(asked)
        images = self._of_all({key.pk for key in asked})
        same = (item for item in now if _sk(item) not in images[item["pk"]["S"]])
        changed = (item for key in asked for item in _existing(images[key.pk], [key.sk]))
        return sorted([*same, *changed], key=key_of)

    def query(self, pk: str) -> Iterator[Raw]:
        return self._then(pk, self._table.query(pk), _sk, lambda item: item)

    def lists(self, pk: str) -> Iterator[Raw]:
        return self._table.lists(pk)  # nobody is ever taken off them

    def buckets(self, asked: Sequence[Asked]) -> Iterator[Iterator[StoredBucket]]:
        for each, now in zip(asked, self._table.buckets(asked), strict=True):
            yield self._then(each.pk, now, lambda bucket: bucket.entity_id, partial(_bucket, each))

    def _then(
        self, pk: str, now: Iterator[T], sk_of: Callable[[T], str], make: Callable[[Raw], T | None]
    ) -> Iterator[T]:
        """What a partition held, of what it holds now. `make`: of an item's image, None where it was not asked for."""
        read_until, at_end = "", False
        while not at_end:
            part = list(islice(now, _PART))
            images, at_end = self._since(pk), len(part) < _PART
            until = "" if at_end else sk_of(part[-1])
            changed = sorted(sk for sk in images if read_until < sk and (at_end or sk <= until))
            made = (found for item in _existing(images, changed) if (found := make(item)) is not None)
            yield from heapq.merge((each for each in part if sk_of(each) not in images), made, key=sk_of)
            read_until = until

    def _since(self, pk: str) -> _Images:
        """The images of a partition's items that have changed until now."""
        return self._of_all({pk})[pk]

    def _of_all(self, pks: Iterable[str]) -> dict[str, _Images]:
        """Those of several partitions. Sources share a folder: it is listed once. Each file is read once."""
        listings: dict[str, list[ChangesKey]] = {}
        for pk in pks:
            series, source, suffix = _parse(pk)
            folder = changes.folder(series, suffix)
            if folder not in listings:
                listings[folder] = list(listed(self._files, series, suffix, self._moment))
            images = self._images.setdefault(pk, {})
            for key in listings[folder]:
                if key.source is source and str(key) not in self._undone:
                    self._undo(str(key), images)
        return self._images

    def _undo(self, key: str, images: _Images) -> None:
        """Add a file's images; those of the files before it, which are older, stay."""
        self._size.add_file()
        with closing(self._files.open_stream(key)) as file:
            for line in read_changes(file)[1]:
                if isinstance(line, ItemImage) and line.item not in images:
                    self._size.add_item()
                    images[line.item] = msgspec.json.encode(line.was) if line.was is not None else None
        self._undone.add(key)


@dataclass(slots=True)
class _Size:
    """What was read for one answer, within its bounds. Raises TooLarge."""

    files: int = 0
    items: int = 0

    def add_file(self) -> None:
        self.files += 1
        if self.files > limits.MAX_CHANGES_FILES:
            raise TooLarge(f"more than {limits.MAX_CHANGES_FILES} loads since then: ask for fewer days or profiles")

    def add_item(self) -> None:
        self.items += 1
        if self.items > limits.MAX_PAST_ITEMS:
            raise TooLarge(f"more than {limits.MAX_PAST_ITEMS} rows changed since then: ask for fewer days or profiles")


def listed(files: ChangesStore, series: Series, suffix: str, after: datetime) -> Iterator[ChangesKey]:
    """The files of a partition, of every source, whose loads began to write after a moment; the oldest first."""
    folder = changes.folder(series, suffix)
    for entry in files.list(folder, changes.after(series, suffix, after)):
        yield ChangesKey.parse(entry.key)


def skips_none(_key: ChangesKey) -> bool:
    """Has every changes file read."""
    return False


def changed(
    files: ChangesStore,
    series: Series,
    window: Window,
    since: datetime,
    until: datetime,
    skips: Callable[[ChangesKey], bool] = skips_none,
) -> Iterator[Change]:
    """The slots of a window's days that changed after `since` and not after `until`, in the order of the loads.

    `skips` is asked of each file, and says which is not to be read. A load that was stopped and repeated
    may say the same twice. Raises TooLarge, Unavailable.
    """
    size = _Size()
    for partition in _changed(files, series, window):
        days = frozenset(partition.days)
        for key in listed(files, series, partition.suffix, since):
            at = key.at
            if at > until:
                break
            if skips(key):
                continue
            size.add_file()
            with closing(files.open_stream(str(key))) as file:
                header, lines = read_changes(file)
                others: dict[str, dict[str, str]] = {}
                for line in lines:
                    if isinstance(line, ItemImage):
                        found = _other_currencies(line, header.currency)
                        if found:
                            size.add_item()
                            others[line.item] = found
                    elif line.day in days:
                        old = line.currency or others.get(line.entity_id, {}).get(_name(line), header.currency)
                        is_same = line.new == line.old and line.new_mark is not Mark.NONE
                        yield Change(at, header, line, old, old if line.currency or is_same else header.currency)


def _changed(files: ChangesStore, series: Series, window: Window) -> list[Partition]:
    """The partitions that have changes files. Of several, as of the days of hours, the folders are listed first: most
    days have none."""
    found = list(partitions(series, Source.PULL, window))
    if len(found) <= _FEW:
        return found
    there = frozenset(files.folders(changes.folders(series)))
    return [each for each in found if each.suffix in there]


def restated(files: ChangesStore, series: Series, window: Window) -> Iterator[ChangesHeader | ChangedSlot]:
    """What loads of pulls have changed in a window's days: the header of each load, then its slots; by month, then in
    the order of the loads. A load that changed no number has a header too. Raises TooLarge, Unavailable.
    """
    size = _Size()
    for partition in partitions(series, Source.PULL, window):
        days = frozenset(partition.days)
        for key in listed(files, series, partition.suffix, _EVER):
            if key.source is Source.PULL:
                size.add_file()
                with closing(files.open_stream(str(key))) as file:
                    header, slots = read_slots(file)
                    yield header
                    yield from (slot for slot in slots if slot.day in days)


def _other_currencies(image: ItemImage, usual: str) -> dict[str, str]:
    """Slot name → its currency, of an item's slots that are not in the usual one: its profile has changed currency."""
    if image.was is None or image.item.startswith(RESERVED):
        return {}
    plain = image.was.get("cur", {"S": ""})["S"] == usual
    if plain and all(len(value.get("L", ())) <= len(METRICS) for value in image.was.values()):
        return {}  # as most: without decoding all of its slots
    slots = Bucket.decode(image.was).slots
    return {name: slot.currency for name, slot in slots.items() if slot.currency != usual}


def _name(slot: ChangedSlot) -> str:
    """The slot's name in its item."""
    return f"d{slot.day[8:]}" if slot.hour is None else f"h{slot.hour:02d}"


def _parse(pk: str) -> tuple[Series, Source, str]:
    """A partition key in its parts; the reverse of `buckets.prefix`."""
    platform, profile, level, grain, source, suffix = pk.split("#")
    name, _, breakdown = level.partition("/")
    return Series(Platform(platform), profile, Level(name), Grain(grain), breakdown), Source(source), suffix


def _decode(image: bytes | None) -> Raw | None:
    return None if image is None else msgspec.json.decode(image)


def _existing(images: _Images, sks: Iterable[str]) -> Iterator[Raw]:
    for sk in sks:
        item = _decode(images.get(sk))
        if item is not None:
            yield item


def _bucket(asked: Asked, item: Raw) -> StoredBucket | None:
    """An item as a bucket; None where it is none, or not among those asked for."""
    sk = _sk(item)
    if sk.startswith(RESERVED) or (asked.keys is not None and sk not in asked.keys):
        return None
    return decoded(asked.grain, item)


def _sk(item: Raw) -> str:
    sk: str = item["sk"]["S"]
    return sk
