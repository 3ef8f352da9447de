"""From a z to an answer: threshold, minimum effect and volume, cool-down."""

from __future__ import annotations

from math import isfinite

from adweir.insight.anomalies.settings import Note, Scored, SeriesSettings

Z_END = 1000.0
"""A z is cut off here, so that it stays a number that can be added and drawn."""
_JUST_BELOW = 0.499999


def bounded(z: float) -> float:
    return min(max(z, -Z_END), Z_END) if isfinite(z) else Z_END


def judged(found: Scored, settings: SeriesSettings, alarmed: int | None, expected: int, volume: float) -> Scored:
    """Whether `found`, of which `z` and `basis` are known, is an anomaly; if its z is too far off and it is not, why.

    `alarmed` is when the series last had an anomaly, `expected` how many of its anomalies were marked as expected,
    `volume` what `min_volume` is compared with.
    """
    threshold = settings.threshold_of(found.basis, expected)
    size = abs(found.z)
    if size < threshold:
        return found._replace(score=min(size / (size + threshold), _JUST_BELOW), threshold=threshold, note=None)
    note = _withheld(found, settings, alarmed, volume) or found.note
    if note is not None:
        return found._replace(score=_JUST_BELOW, threshold=threshold, note=note)
    return found._replace(score=max(size / (size + threshold), 0.5), anomaly=True, threshold=threshold)


def _withheld(found: Scored, settings: SeriesSettings, alarmed: int | None, volume: float) -> Note | None:
    if volume < settings.min_volume:
        return Note.LOW_VOLUME
    usual = found.expected or 0.0
    if abs(found.value - usual) < settings.min_effect * abs(usual):
        return Note.SMALL_EFFECT
    if alarmed is not None and found.at - alarmed < settings.cool_down:
        return Note.COOL_DOWN
    return None
