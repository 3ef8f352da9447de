"""Where the scores of an ad account's days are going: the newest days beside those before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adweir.quality.score import WEIGHTS, mean

DAYS = 7
"""Days on each side: a week has each weekday once."""
_STEADY = 0.01
"""A change of the score that says nothing."""


def trend(days: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The means of the last days (the oldest comes first) and of as many before; `direction` in one word."""
    scored = [day for day in days if day["score"] is not None]
    last, before = scored[-DAYS:], scored[-2 * DAYS : -DAYS]
    now, then = _means(last), _means(before)
    change = None if now["score"] is None or then["score"] is None else round(now["score"] - then["score"], 6)
    return {"last": now, "before": then, "change": change, "direction": _direction(change)}


def _direction(change: float | None) -> str:
    if change is None:
        return "unknown"
    if abs(change) < _STEADY:
        return "steady"
    return "better" if change > 0 else "worse"


def _means(days: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    dimensions = {name: _mean([day["dimensions"].get(name) for day in days]) for name in WEIGHTS}
    return {"days": len(days), "score": _mean([day["score"] for day in days]), "dimensions": dimensions}


def _mean(values: Sequence[float | None]) -> float | None:
    found = mean(value for value in values if value is not None)
    return None if found is None else round(found, 6)
