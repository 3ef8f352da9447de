"""What the weekdays of an ad account are like, from its own history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from adweir.insight.ad_features.windows import Days
from adweir.model.metrics import METRICS
from adweir.model.times import DAY

MIN_DAYS = 14
_SHRINK = 2
"""Mean days that each weekday is taken together with: an index of two weeks is half way to 1."""
_WEEK, _AROUND = 7, 3
_CLICKS = METRICS.index("clicks")


def weekday_indices(days: Days, through: date) -> list[float] | None:
    """Clicks of each weekday as a part of those of the week around it, Monday first; the seven have the mean 1.

    `days` end on `through`. A day counts whose seven, three before and three after it, are known, so that a trend does
    not matter. Each weekday is shrunken to 1, by what two mean days weigh. None of fewer than 14 such days, or without
    a click.
    """
    clicks = [None if slot is None else slot[_CLICKS] for slot in days]
    own, around, count = [0] * _WEEK, [0] * _WEEK, 0
    for place in range(_AROUND, len(clicks) - _AROUND):
        week = _known(clicks[place - _AROUND : place + _AROUND + 1])
        if week is not None:
            weekday = (through - (len(clicks) - 1 - place) * DAY).weekday()
            own[weekday] += _WEEK * week[_AROUND]
            around[weekday] += sum(week)
            count += 1
    total = sum(around)
    if count < MIN_DAYS or total == 0:
        return None
    prior = _SHRINK * total / count
    raw = [(mine + prior) / (whole + prior) for mine, whole in zip(own, around, strict=True)]
    mean = sum(raw) / _WEEK
    return [each / mean for each in raw]


def _known(week: Sequence[int | None]) -> list[int] | None:
    known = [each for each in week if each is not None]
    return known if len(known) == _WEEK else None
