"""Rows of a dropped file, some of one target at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from adweir.model.metrics import BadRow, MetricRow
from adweir.platforms.files.normalize import DropRow, Target

_TOGETHER = 500


class DropBatch(NamedTuple):
    """Rows of one target, and what each said, for quarantine."""

    target: Target
    rows: Sequence[MetricRow]
    texts: Sequence[str]


Wanted = Callable[[DropBatch], Sequence[bool]]
"""Which rows of a batch are asked for."""


def batches_of(rows: Iterator[DropRow | BadRow]) -> Iterator[DropBatch | BadRow]:
    """Rows one by one → batches; what cannot be stored comes as it is. The rows of a target keep their order."""
    waiting: dict[Target, tuple[list[MetricRow], list[str]]] = {}
    count = 0
    for found in rows:
        if isinstance(found, BadRow):
            yield found
            continue
        some = waiting.get(found.target)
        if some is None:
            some = waiting[found.target] = ([], [])
        some[0].append(found.row)
        some[1].append(found.source)
        count += 1
        if count == _TOGETHER:
            for target, (kept, texts) in waiting.items():
                yield DropBatch(target, kept, texts)
            waiting, count = {}, 0
    for target, (kept, texts) in waiting.items():
        yield DropBatch(target, kept, texts)
