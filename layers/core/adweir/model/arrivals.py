"""What came outside of runs: data that no stage of a run follows, so that a run of `refresh` does.

A name says how it came and what it changed: `file`, or `push by hour` where it changed hours only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from adweir.model.metrics import Grain, Source


class Arrival(StrEnum):
    """How it came: by a door, from what was stored before, or by a run that did not follow it.

    LATE: a pull that was stored after its task had ended otherwise. CUT_SHORT: a run that ended before its own stages
    had worked on what it loaded.
    """

    FILE = "file"
    PUSH = "push"
    STREAM = "stream"
    REPLAY = "replay"
    LATE = "late pull"
    CUT_SHORT = "run cut short"

    @classmethod
    def of(cls, source: Source, *, is_replay: bool) -> Arrival | None:
        """How a load's rows came; None for a pull, which belongs to a task."""
        if source is Source.PULL:
            return cls.REPLAY if is_replay else None
        return cls(source.value)


_BY_HOUR = " by hour"


def named(arrival: Arrival, grain: Grain | None = None) -> str:
    """What a mark is called; `grain` is that of the numbers, None for what has none."""
    return f"{arrival}{_BY_HOUR}" if grain is Grain.HOUR else str(arrival)


def changes_days(names: Iterable[str]) -> bool:
    """Whether any of them changed more than hours, of which neither scores nor media-mix datasets are made."""
    return any(not name.endswith(_BY_HOUR) for name in names)


def said(arrived: Mapping[str, int]) -> str:
    """What came and in how many loads, for people: `file: 2 loads, push by hour: 1 load`; "" where nothing did."""
    return ", ".join(f"{name}: {count} load{'' if count == 1 else 's'}" for name, count in sorted(arrived.items()))
