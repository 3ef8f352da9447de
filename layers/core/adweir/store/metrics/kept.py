"""What is kept of an ad account, and whether it has changed: found without reading it.

Each load that writes to a partition puts a changes file first, so the folders of these files name all partitions that
there are. And each load rewrites the partition's `!coverage` under a fence of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.metrics import SOURCE_ORDER, Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.store.metrics import changes
from adweir.store.metrics.buckets import prefix
from adweir.store.metrics.coverage import COVERAGE
from adweir.store.metrics.journal import ChangesStore
from adweir.store.metrics.partitions import ItemKey, Readable

_LEVELS, _GRAINS = frozenset(Level), tuple(Grain)
_PULLED = {(each.breakdown, each.grain) for each in Dataset}
_SPLIT = {name: tuple(grain for grain in Grain if (name, grain) in _PULLED) for name, _ in _PULLED if name}
"""Breakdown → the grains that it is pulled in."""
_AT_ONCE = 100 // len(SOURCE_ORDER)
"""Partitions that a request asks of: it takes a hundred keys, and each source has its own copy."""


class KeptSeries(NamedTuple):
    """A series, and how the keys of its partitions end: months, or days for hours, in order."""

    series: Series
    suffixes: list[str]


def kept(files: ChangesStore, platform: Platform, profile_id: str, *, plain_days: bool = False) -> Iterator[KeptSeries]:
    """The series of an ad account that something was loaded into, or only those of days without a breakdown.

    A request per thousand names of each folder. Only pulls bring a breakdown, so that no other folders of it are there.
    """
    root = f"{changes.PREFIX}{platform}/{profile_id}/"
    for name in files.folders(root):
        level, _, breakdown = name.partition("_by_")
        if level in _LEVELS and not (plain_days and breakdown):
            for grain in (Grain.DAY,) if plain_days else _SPLIT.get(breakdown, _GRAINS):
                suffixes = list(files.folders(f"{root}{name}/{grain}/"))
                if suffixes:
                    yield KeptSeries(Series(platform, profile_id, Level(level), grain, breakdown), suffixes)


class KeptVersion(NamedTuple):
    """What tells the state of a series' partition apart from every other one, of all sources."""

    series: Series
    suffix: str
    version: str


def versions(table: Readable, every: Iterable[KeptSeries]) -> Iterator[KeptVersion]:
    """The versions of all that is kept, in its order. A request per 25 partitions, whichever series they are of."""
    waiting = ((series, suffix) for series, suffixes in every for suffix in suffixes)
    while part := list(islice(waiting, _AT_ONCE)):
        asked = {f"{prefix(of, source)}#{suffix}": (of, suffix) for of, suffix in part for source in SOURCE_ORDER}
        found: dict[tuple[Series, str], list[bytes]] = {}
        for item in table.get_many(ItemKey(pk, COVERAGE) for pk in asked):
            found.setdefault(asked[item["pk"]["S"]], []).append(msgspec.json.encode(item, order="sorted"))
        for each in part:
            if each in found:
                yield KeptVersion(*each, hashlib.sha256(b"\n".join(found[each])).hexdigest()[:16])
