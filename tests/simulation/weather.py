"""What goes wrong, and where: a few faults a run, so that every run can end."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Fault(StrEnum):
    """What becomes of a call."""

    KILLED_BEFORE = "the worker dies before it"
    KILLED_AFTER = "the worker dies after it"
    LOST = "its reply is lost, and the SDK sends it again"
    SILENT = "it is done, but no try gets a reply"
    REFUSED = "it is refused, each time that the SDK tries"
    STALLED = "the worker's process freezes after it, for longer than its time-out"
    HALF = "a part of its batch is left undone"


_KINDS = (
    Fault.KILLED_BEFORE,
    Fault.KILLED_AFTER,
    Fault.KILLED_AFTER,
    Fault.LOST,
    Fault.SILENT,
    Fault.REFUSED,
    Fault.STALLED,
    Fault.STALLED,
    Fault.STALLED,
)
HOLDING = "a worker that holds a lease"
_PLACES = ("orchestrate", "collect", "poll_reports", "validate", HOLDING, HOLDING)
"""Where faults happen; most of what can go wrong is where one worker at a time may be."""
_LATEST = 60
_BATCHES = frozenset({"BatchGetItem", "BatchWriteItem", "SendMessageBatch", "PutEvents"})


class Strike(NamedTuple):
    """A fault, at this call in a place (a function, or `HOLDING`), counted over all invocations."""

    place: str
    call: int
    fault: Fault


@dataclass(frozen=True)
class Weather:
    """The faults of a run. `half`: how likely a batch is done by half, `halves`: how often at most."""

    strikes: tuple[Strike, ...]
    half: float
    halves: int

    @classmethod
    def drawn(cls, rng: random.Random) -> Weather:
        """Of a seed: clear, or some faults."""
        strikes = (
            Strike(rng.choice(_PLACES), rng.randint(1, rng.choice((20, _LATEST))), rng.choice(_KINDS))
            for _ in range(rng.choice((0, 1, 2, 3, 4)))
        )
        return cls(tuple(strikes), rng.choice((0.0, 0.3)), rng.randint(1, 3))


_CALLS_PER_DAY = {"orchestrate": 3500, "collect": 400, "poll_reports": 450, "validate": 1100, HOLDING: 850}
"""About as many a day has with 25 runs of one ad account."""
_STRIKES_PER_DAY, _HALVES_PER_DAY = 6, 10


def climate(rng: random.Random, days: int) -> Weather:
    """The faults of many days, some on each."""
    strikes = []
    for day in range(days):
        for _ in range(_STRIKES_PER_DAY):
            place = rng.choice(_PLACES)
            call = day * _CALLS_PER_DAY[place] + rng.randint(1, _CALLS_PER_DAY[place])
            strikes.append(Strike(place, call, rng.choice(_KINDS)))
    return Weather(tuple(strikes), 0.01, _HALVES_PER_DAY * days)


class Sky:
    """Says what becomes of each call of one run."""

    def __init__(self, weather: Weather, rng: random.Random) -> None:
        self._strikes = {(strike.place, strike.call): strike.fault for strike in weather.strikes}
        self._half = weather.half
        self._halves = weather.halves
        self._rng = rng
        self._calls: Counter[str] = Counter()

    def fault(self, function: str, operation: str, *, holding: bool) -> Fault | None:
        """What happens to a function's call."""
        struck = self._struck(function) or (self._struck(HOLDING) if holding else None)
        if struck is None and operation in _BATCHES and self._halves and self._rng.random() < self._half:
            self._halves -= 1
            return Fault.HALF
        return struck

    def _struck(self, place: str) -> Fault | None:
        self._calls[place] += 1
        return self._strikes.get((place, self._calls[place]))
