"""Times and values of a series as others write them, as the detector takes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from math import isfinite, isnan
from typing import SupportsFloat

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time, whatever the zone
_MILLISECONDS = 100_000_000_000
"""From here on a number is milliseconds: as seconds it would be the year 5138."""
_NOTHING = frozenset({"", "nan", "na", "n/a", "null", "none", "-", "--"})
_USUAL_STEPS = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400, 604_800)
_NEAR = 0.1
_MOST = 1e100
"""Of a value: a sum of squares of larger ones is no number any more."""
_SHOWN = 40


def seconds_of(value: object) -> int:
    """A time → seconds as its own clock shows them: wall time where it has a zone, UTC where it is Unix time.

    Takes dates, datetimes, ISO 8601 and Unix seconds (or milliseconds), as text or numbers. Raises ValueError.
    """
    if isinstance(value, datetime):
        return int((value.replace(tzinfo=None) - _EPOCH).total_seconds())
    if isinstance(value, date):
        return (value - _EPOCH.date()).days * 86_400
    text = str(value).strip()
    try:
        number = float(text) if len(text) != 8 or not text.isdigit() else None  # 20261101 is a date
    except ValueError:
        number = None
    if number is not None and isfinite(number):
        seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
        return seconds_of(_at(seconds, text))
    try:
        return seconds_of(datetime.fromisoformat(text))
    except ValueError:
        raise ValueError(
            f"{text[:_SHOWN]!r} is no time: write 2026-11-01, 2026-11-01T05:00:00 or Unix seconds"
        ) from None


def _at(seconds: float, text: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text[:_SHOWN]!r} is out of range: Unix time is in seconds") from None


def number_of(value: SupportsFloat | str | None) -> float | None:
    """A value → float; None where there is none (empty, NaN, null). Raises ValueError."""
    if value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{str(value)[:_SHOWN]!r} is no number: write 1234.56, without signs and separators") from None
    if isnan(number):
        return None
    if not isfinite(number):
        raise ValueError(f"{str(value)[:_SHOWN]!r} is infinite: leave the value empty where there is none")
    if abs(number) > _MOST:
        raise ValueError(f"{str(value)[:_SHOWN]!r} is too large: no number may be beyond {_MOST:g}")
    return number


def usual_step(step: int) -> int:
    """The usual cadence that a distance of two times is nearly, such as 3,602 s: an hour."""
    return next((usual for usual in _USUAL_STEPS if abs(step - usual) <= _NEAR * usual), step)


def repeated(times: Iterable[int]) -> int:
    """How many times were there before."""
    seen: set[int] = set()
    count = 0
    for at in times:
        count += at in seen
        seen.add(at)
    return count
