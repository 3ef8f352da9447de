"""`adweir.detect`: the detector of anomalies on any series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any

from adweir.insight.anomalies.series import score_series, step_of, within_lookback
from adweir.insight.anomalies.settings import DAY_SECONDS, Method, Scored, SeriesSettings
from adweir.insight.anomalies.times import number_of, seconds_of
from adweir.model import limits
from adweir.model.errors import BadInput, TooLarge, Unprocessable


def detect(
    series: Mapping[Any, Any] | Iterable[Any],
    threshold: float | None = None,
    lookback: int | timedelta | None = None,
    method: str = "robust",
) -> list[dict[str, Any]]:
    """Score each value of a series against those before it → a dict per value, in the order given.

    `series` is a dict of times and values, pairs of them in any order, or numbers alone, which are of consecutive days.
    `threshold` is in deviations; without one it is 3.5 for days, 5 for shorter steps, and 3 for a z-score. `lookback`,
    in days, leaves out what is older than that before the newest time. `method` is `robust` or `zscore`.

    A dict has `timestamp` (as it was given), `value`, `score` (0 to 1, an anomaly from 0.5 on), `z`, `anomaly`,
    `expected`, `severity` and `note` (docs/anomalies.md). Raises Unprocessable,
    BadInput that names the place, TooLarge.
    """
    ways = [each.value for each in Method]
    if method not in ways or (threshold is not None and not threshold > 0):
        what = f"method is one of {', '.join(ways)}" if method not in ways else "threshold is a number above 0"
        raise Unprocessable(what, [{"field": what.split(maxsplit=1)[0], "message": what}])
    given = _points(series)
    span = lookback.total_seconds() if isinstance(lookback, timedelta) else lookback and lookback * DAY_SECONDS
    is_within = within_lookback([at for _, at, _ in given], span)
    given = [each for each, is_kept in zip(given, is_within, strict=True) if is_kept]
    settings = SeriesSettings.of_step(step_of(at for _, at, _ in given), threshold, Method(method))
    scored = score_series([(at, value) for _, at, value in given], settings)
    return [
        {"timestamp": time, "value": value} | answer(found)
        for (time, _, value), found in zip(given, scored, strict=True)
    ]


def answer(found: Scored) -> dict[str, Any]:
    """A score as callers see it."""
    return {
        "score": round(found.score, 6),
        "z": found.z,
        "anomaly": found.anomaly,
        "expected": found.expected,
        "severity": found.severity.value if found.severity else None,
        "note": found.note.value if found.note else None,
    }


def _points(series: Mapping[Any, Any] | Iterable[Any]) -> list[tuple[Any, int, float | None]]:
    found: list[tuple[Any, int, float | None]] = []
    entries = series.items() if isinstance(series, Mapping) else series
    for place, each in enumerate(islice(entries, limits.MAX_SCORED_ROWS + 1)):
        if place >= limits.MAX_SCORED_ROWS:
            raise TooLarge(f"more than {limits.MAX_SCORED_ROWS:,} values: score the series in parts, or coarser steps")
        is_pair = isinstance(each, (tuple, list))
        try:
            time, value = each if is_pair else (place, each)
            found.append((time, seconds_of(time) if is_pair else place * DAY_SECONDS, number_of(value)))
        except (TypeError, ValueError) as error:
            raise BadInput(
                f"value {place} of the series: {error}", [{"field": str(place), "message": str(error)}]
            ) from None
    return found
