"""When a piece of work ends that goes on at the pace that was measured so far. Pure.

The times between two ends are not independent: several tasks work at once, and pauses (brakes, quotas, runs that go
first) come now and then and are long. So the spread is taken from blocks of ends that follow each other, whose lengths
have the pauses in them, and the range is that of a prediction: it has the spread of what is to come and the error of
the mean. A pause of a kind that never came so far is in no estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import variance
from typing import NamedTuple

ENOUGH = 12
"""Ends that a pace takes."""
_BLOCKS = {4: 2.353, 6: 2.015, 10: 1.833, 20: 1.729}
"""Into how many blocks the ends are cut, with the 95 % quantile of Student's t for as many. The widest range counts."""
_KNOWN = 0.12
"""No pace is known better than by this share: what is still to come has other pauses than what was."""


class Range(NamedTuple):
    """Seconds: the likely ones, and those at least and at most with nine chances in ten."""

    likely: float
    at_least: float
    at_most: float

    def then(self, seconds: float) -> Range:
        """After a wait of so many seconds."""
        return Range(*(part + seconds for part in self))

    def no_sooner(self, seconds: float) -> Range:
        """Where another way takes so many seconds at this pace."""
        share = max(1.0, seconds / self.likely) if self.likely else 1.0
        return Range(*(part * share for part in self))

    def together(self, other: Range) -> Range:
        """The end of both, which go on side by side."""
        return Range(*map(max, self, other))


def remaining(left: int, began: float, ends: Sequence[float], now: float, longest: float = 0.0) -> Range | None:
    """How long `left` tasks take, of which others ended at these times (Unix seconds, in order) since work `began`.

    `longest` is how long the slowest of them took: when the last task is begun, so much may still come. None where
    fewer than `ENOUGH` have ended.
    """
    if len(ends) < ENOUGH:
        return None
    late = max(0.0, now - ends[-1] - (ends[-1] - began) / len(ends))  # a pause that lasts
    each = (ends[-1] + late - began) / len(ends)
    error = max(_error(left, began, ends, late, count) for count in _BLOCKS if count <= len(ends))
    likely, least = each * left, each * left * _KNOWN
    return Range(likely, max(0.0, likely - max(error, least)), likely + max(error, least) + longest)


def _error(left: int, began: float, ends: Sequence[float], late: float, count: int) -> float:
    """How far the end may lie from the likely one, by as many blocks of ends that follow each other."""
    size = len(ends) // count
    first = len(ends) - count * size
    marks = [ends[first - 1] if first else began, *ends[first + size - 1 :: size]]
    blocks = [later - earlier for earlier, later in pairwise(marks)]
    blocks[-1] += late
    return sqrt(variance(blocks) / size * left * (1 + left / (count * size))) * _BLOCKS[count]
