"""A whole series at once: in order of time, with the cadence that its times show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from adweir.insight.anomalies.detector import score_all
from adweir.insight.anomalies.settings import DAY_SECONDS, Note, Scored, SeriesSettings
from adweir.insight.anomalies.times import usual_step


def step_of(times: Iterable[int]) -> int:
    """Seconds from one value to the next, for most of them: gaps and times that come twice do not count.

    A day where there is nothing to tell it by.
    """
    ordered = sorted(set(times))
    steps = Counter(usual_step(later - earlier) for earlier, later in pairwise(ordered))
    if not steps:
        return DAY_SECONDS
    return max(steps, key=lambda step: (steps[step], -step))


def within_lookback(times: Sequence[int], lookback: float | None) -> list[bool]:
    """Which of some times are in the last `lookback` seconds before the newest one, that one included. None: all."""
    if lookback is None or not times:
        return [True] * len(times)
    newest = max(times)
    return [at > newest - lookback for at in times]


def score_series(points: Sequence[tuple[int, float | None]], settings: SeriesSettings) -> list[Scored]:
    """Score (at, value) in any order → their scores, in the order given. Of one time, the last one given is learned.

    A value that is None is not scored: its note says `no_value`, and its `value` is 0.
    """
    found = [Scored(at, 0.0, note=Note.NO_VALUE) for at, _ in points]
    order = sorted((i for i, (_, value) in enumerate(points) if value is not None), key=lambda i: points[i][0])
    values = ((at, value) for at, value in (points[i] for i in order) if value is not None)
    for i, scored in zip(order, score_all(values, settings), strict=True):
        found[i] = scored
    return found
