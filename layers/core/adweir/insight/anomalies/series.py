"""A whole series at once: in order of time, with the cadence that its times show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from adweir.insight.anomalies.detector import score_all
from adweir.insight.anomalies.settings import DAY_SECONDS, Scored, SeriesSettings


def step_of(times: Iterable[int]) -> int:
    """Seconds from one value to the next, for most of them: gaps and times that come twice do not count.

    A day where there is nothing to tell it by.
    """
    ordered = sorted(set(times))
    steps = Counter(later - earlier for earlier, later in pairwise(ordered))
    if not steps:
        return DAY_SECONDS
    return max(steps, key=lambda step: (steps[step], -step))


def score_series(points: Sequence[tuple[int, float]], settings: SeriesSettings) -> list[Scored]:
    """Score (at, value) in any order → their scores, in the order given. Of one time, the last one given is learned."""
    order = sorted(range(len(points)), key=lambda i: points[i][0])
    scored = score_all((points[i] for i in order), settings)
    found = dict(zip(order, scored, strict=True))
    return [found[i] for i in range(len(points))]
