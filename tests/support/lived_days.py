"""Days of an ad account as they really are: a weekday pattern, a trend, noise that lasts, launches, pauses, days off.

Made up from a seed. What is planted is added by who uses it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import exp, log, sqrt


@dataclass
class LivedDays:
    """An ad account's days from `first` on, each with rows, rows without conversions, and a score.

    `kind` says what befalls it: `steady`, `new` (the first third of its days is missing), `ends` (it stops on a day of
    the last third), `fades` (it stops over weeks), `idle_weekend` (no row on a weekend of the last third).
    """

    seed: int
    count: int = 100
    kind: str = "steady"
    first: date = date(2026, 8, 1)
    rows: dict[str, int] = field(default_factory=dict)
    nulls: dict[str, int] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        level = rng.uniform(log(8), log(500))
        weekend, slope = rng.choice((1.0, 0.85, 0.6, 0.3)), rng.uniform(-0.006, 0.009)
        spread, memory = rng.uniform(0.02, 0.13), rng.uniform(0.0, 0.6)
        share, noise = rng.choice((0.0, 0.002, 0.04, 0.3)), 0.0
        end = rng.randrange(self.count * 2 // 3, self.count) if self.kind in {"ends", "fades"} else self.count
        for number in range(self.count):
            day = self.first + timedelta(days=number)
            noise = memory * noise + _heavy(rng) * spread
            level += slope + _happens(rng)
            level = min(max(level, log(4)), log(3000))
            usual = exp(level + noise) * (weekend if day.weekday() > 4 else 1.0)
            if rng.random() < 0.01:
                usual *= rng.uniform(0.3, 0.8)  # a holiday
            rows = max(round(usual), 1)
            if self.kind == "fades" and number > end - 21:
                rows = round(rows * max(end - number, 0) / 21)
            if number < (self.count // 3 if self.kind == "new" else 0) or number >= end:
                rows = 0
            if self.kind == "idle_weekend" and self.count - 18 <= number < self.count - 11 and day.weekday() > 4:
                rows = 0
            name = day.isoformat()
            own = min(max(share * exp(rng.gauss(0, 0.3)), 0.0), 1.0)
            self.rows[name] = rows
            self.nulls[name] = sum(rng.random() < own for _ in range(rows)) if own else 0
            self.scores[name] = 0.59 if rng.random() < 0.01 else min(rng.gauss(0.965, 0.012), 1.0)

    def drop(self, days: range, share: float) -> None:
        """Only a share of the rows of these days (by number) comes."""
        for name in list(self.rows)[days.start : days.stop]:
            self.rows[name] = max(round(self.rows[name] * share), 1)
            self.nulls[name] = min(self.nulls[name], self.rows[name])


KINDS = ("steady", "steady", "steady", "new", "ends", "fades", "idle_weekend")
"""How often each befalls an ad account."""


def _heavy(rng: random.Random) -> float:
    """Noise with the tails of Student's t with five degrees of freedom, standard deviation 1."""
    return rng.gauss(0, 1) / sqrt(rng.gammavariate(2.5, 2) / 5) * sqrt(3 / 5)


def _happens(rng: random.Random) -> float:
    """A campaign begins or ends: how much it changes the level, 0 on most days."""
    return rng.uniform(-0.25, 0.35) if rng.random() < 0.02 else 0.0
