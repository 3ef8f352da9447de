"""What the detector is told of a series, and what it answers for a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

HOUR_SECONDS = 3600
DAY_SECONDS = 86_400
_EXPECTED_STEP = 0.25
_RAISED_TO = 2.0


class Method(StrEnum):
    """How a series is scored once there is enough of it."""

    ROBUST = "robust"
    ZSCORE = "zscore"


class ScoreBasis(StrEnum):
    """What a value was compared with: nothing, the mean of all values before it, or the learned level and season."""

    NONE = "none"
    ZSCORE = "zscore"
    ROBUST = "robust"


class Note(StrEnum):
    """Why a value was not scored, or not alarmed although its z is beyond the threshold."""

    INSUFFICIENT_HISTORY = "insufficient_history"
    COOL_DOWN = "cool_down"
    SMALL_EFFECT = "small_effect"
    LOW_VOLUME = "low_volume"
    RETURNED = "returned"
    """The series is back where it was before a level shift."""
    RECURRING = "recurring"
    """As far off as it was several times before."""
    LATE = "late"
    """Older than a value that was learned: scored, not learned."""
    NO_VALUE = "no_value"
    BEFORE_LOOKBACK = "before_lookback"
    """Older than what was asked for: neither scored nor learned."""


class AnomalySeverity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


def severity_of(z: float) -> AnomalySeverity:
    """Of an anomaly: critical from 5 deviations on, warning from 4, info below."""
    size = abs(z)
    if size >= 5:
        return AnomalySeverity.CRITICAL
    return AnomalySeverity.WARNING if size >= 4 else AnomalySeverity.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSettings:
    """How one series is scored. Times are whole seconds; `daily()` and `hourly()` have the measured values.

    `period` places of `place` seconds each make one season: seven weekdays, 24 hours of the day. `threshold` is the
    robust score's, `cold_threshold` the z-score's, in deviations. `min_effect` is the least change that alarms, as a
    share of what was expected; `min_volume` the least that the value or what was expected has to reach.
    """

    method: Method = Method.ROBUST
    place: int = DAY_SECONDS
    period: int = 7
    threshold: float = 3.5
    cold_threshold: float = 3.0
    level_rate: float = 0.2
    season_rate: float = 0.08
    spread_rate: float = 0.025
    tail: float = 1.2
    """How much farther than normal residuals those of a series reach, until it has shown it itself."""
    tail_rate: float = 0.03
    clip: float = 2.5
    floor: float = 0.03
    """The least deviation that counts as one: 3 % of the value."""
    min_values: int = 14
    """Values before the z-score says anything."""
    warm_up: int = 28
    """Values before the robust score takes over: four seasons."""
    cool_down: int = 0
    """Seconds after an alarm without another one."""
    shift_after: int = 5
    """Values on one side, one after the other, that make a level shift."""
    step: int = DAY_SECONDS
    """Seconds between two values."""
    recurring_for: int = 120 * DAY_SECONDS
    """Seconds for which an excursion is remembered."""
    recurring_from: int = 3
    """Excursions after which another one like them is no anomaly; of zeros one less."""
    recurring_longer: int = 0
    """Values by which it may be longer than they were."""
    gap: int = 28 * DAY_SECONDS
    """Seconds without a value after which the level is learned anew."""
    min_effect: float = 0.0
    min_volume: float = 0.0
    ahead: bool = False
    """Values may be far ahead of what was learned: no gap is too long, and a deviation grows with the distance."""

    @classmethod
    def daily(cls, threshold: float | None = None, method: Method = Method.ROBUST) -> SeriesSettings:
        """For one value a day. A `threshold` holds for both scores."""
        return cls.of_step(DAY_SECONDS, threshold, method)

    @classmethod
    def hourly(cls, threshold: float | None = None, method: Method = Method.ROBUST) -> SeriesSettings:
        """For one value an hour: the season is the hour of the day."""
        return cls.of_step(HOUR_SECONDS, threshold, method)

    @classmethod
    def of_step(cls, step: int, threshold: float | None = None, method: Method = Method.ROBUST) -> SeriesSettings:
        """For one value in `step` seconds. Below a day the season is the hour of the day, from a day on the weekday."""
        found = cls(method=method)
        if step < DAY_SECONDS:
            per_day, hours = DAY_SECONDS // max(step, 1), step / HOUR_SECONDS
            found = cls(
                method=method,
                place=HOUR_SECONDS,
                period=24,
                threshold=5.0,
                level_rate=min(0.01 * hours, 0.2),
                season_rate=0.05 * min(hours, 1.0),
                spread_rate=min(0.005 * hours, 0.025),
                tail=1.0,
                tail_rate=0.0,
                warm_up=max(4 * 24, 2 * per_day),
                step=step,
                cool_down=DAY_SECONDS,
                shift_after=max(5, per_day),
                gap=7 * DAY_SECONDS,
            )
        elif step > DAY_SECONDS:
            found = cls(method=method, place=step, period=1, step=step, recurring_for=120 * step, gap=28 * step)
        return found if threshold is None else replace(found, threshold=threshold, cold_threshold=threshold)

    def threshold_of(self, basis: ScoreBasis, expected: int) -> float:
        """The threshold of a series of which `expected` anomalies were marked as expected: a quarter more for each."""
        base = self.threshold if basis is ScoreBasis.ROBUST else self.cold_threshold
        return base * min(1 + _EXPECTED_STEP * expected, _RAISED_TO)


class Scored(NamedTuple):
    """One value's score. `anomaly` is true exactly where `score` is at least 0.5.

    `z` is the distance from `expected` in deviations, with its sign (0 without a basis); `score` is 0 to 1, and 0.5 at
    the threshold. `threshold` is what held for this value, raised by feedback where there was some.
    """

    at: int
    value: float
    expected: float | None = None
    z: float = 0.0
    score: float = 0.0
    anomaly: bool = False
    basis: ScoreBasis = ScoreBasis.NONE
    threshold: float = 0.0
    note: Note | None = None

    @property
    def severity(self) -> AnomalySeverity | None:
        """None where there is no anomaly."""
        return severity_of(self.z) if self.anomaly else None
