"""Which level answers for a day. The only place that decides it, for every reader.

Levels answer for themselves: a finer one may lack what the coarser one has (deleted objects, spend without ads). So on
each day, of a profile's series that differ in their level only,

1. the level that is asked answers where it was pulled whole: all slices of its dataset; those that the platform called
   not applicable are not missing;
2. else the nearest finer level that was pulled whole and whose dataset's spec says that it sums to its parent, as do
   those between the two;
3. else the level that is asked with what a pull of some of its slices, or of one campaign, brought;
4. else what there is (files, pushes, pulls that broke off): of the level that is asked, then of a finer one that was
   pulled whole, then of each finer one. By day, a pull that broke off counts only for days that are over
   (`reporting.reading`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from adweir.model.metrics import Level
from adweir.model.ports import ServedDataset
from adweir.model.settling import is_settled
from adweir.model.slices import ALL
from adweir.model.times import local_date, parse_instant
from adweir.store.metrics.store import DayState

FINENESS = (Level.ACCOUNT, Level.CAMPAIGN, Level.AD_GROUP, Level.AD)
NO_STATE = DayState({}, frozenset())


class Standing(IntEnum):
    """How much of a level's day was pulled: nothing, some slices, all of them."""

    NONE = 0
    PART = 1
    WHOLE = 2


class Answering(NamedTuple):
    """The levels that may answer for a day: the first of them that has rows, else the last one.

    `whole`: what answers was pulled whole and stands for all of the level that was asked.
    """

    levels: tuple[Level, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Rung:
    """One level of a ladder: its dataset's spec (None: the platform does not serve it) and what was pulled, by day."""

    level: Level
    spec: ServedDataset | None
    days: Mapping[date, DayState]

    def standing(self, day: date) -> Standing:
        """How much of the day was pulled."""
        pulled = self.days.get(day, NO_STATE).slices.keys()
        if not pulled:
            return Standing.NONE
        is_whole = ALL in pulled or (self.spec is not None and not self.missing(day))
        return Standing.WHOLE if is_whole else Standing.PART

    def missing(self, day: date) -> tuple[str, ...]:
        """The slices of the dataset that were not pulled, and are applicable."""
        state = self.days.get(day, NO_STATE)
        if ALL in state.slices or self.spec is None:
            return ()
        return tuple(slice_ for slice_ in self.spec.slices if slice_ not in state.known)

    def pulled_at(self, day: date) -> str | None:
        """Since when the day is known as it is stored: of the pulls that make it up, the oldest; None without any."""
        state = self.days.get(day, NO_STATE)
        needed = [name for name in (self.spec.slices if self.spec else ()) if name not in state.not_applicable]
        whole = [state.slices[ALL].as_of] if ALL in state.slices else []
        if needed and all(name in state.slices for name in needed):
            whole.append(min(state.slices[name].as_of for name in needed))
        return max(whole) if whole else min((each.as_of for each in state.slices.values()), default=None)

    def settled(self, day: date, today: date, timezone: str) -> bool:
        """Whether the day's stored numbers are whole and final; `today` is the profile's."""
        pulled_at = self.pulled_at(day)
        if self.spec is None or pulled_at is None or self.standing(day) is not Standing.WHOLE:
            return False
        pulled_on = local_date(parse_instant(pulled_at), timezone)
        return is_settled(day, today, pulled_on, self.spec.settles_after_days)


class Ladder:
    """A profile's rungs, from coarse to fine."""

    def __init__(self, rungs: Iterable[Rung]) -> None:
        self.rungs = {rung.level: rung for rung in rungs}

    def answering(self, asked: Level, day: date) -> Answering:
        """Who answers for the day. `asked` is one of the rungs."""
        own, *finer = self._from(asked)
        if own.standing(day) is Standing.WHOLE:
            return Answering((asked,), whole=True)
        sums = True
        whole: Rung | None = None
        for rung in finer:
            sums = sums and (rung.spec is None or rung.spec.sums_to_parent)
            if rung.standing(day) is Standing.WHOLE:
                if sums and rung.spec:
                    return Answering((rung.level,), whole=True)
                whole = whole or rung
        if own.standing(day) is Standing.PART:
            return Answering((asked,), whole=False)
        if whole:
            return Answering((asked, whole.level), whole=False)
        return Answering((asked, *_until_part(finer, day)), whole=False)

    def reference(self, asked: Level) -> Rung | None:
        """The rung whose pulls are due for a question: of the level itself, or the nearest finer one that is served."""
        return next((rung for rung in self._from(asked) if rung.spec), None)

    def _from(self, asked: Level) -> Sequence[Rung]:
        rungs = list(self.rungs.values())
        return rungs[list(self.rungs).index(asked) :]


def _until_part(rungs: Iterable[Rung], day: date) -> Iterator[Level]:
    for rung in rungs:
        yield rung.level
        if rung.standing(day) is Standing.PART:
            return
