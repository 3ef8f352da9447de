"""Whether the newest days of an ad account look as the weeks before let expect: rows per day, missing values, scores.

Each rule is quiet for what is lawful. It judges several days in a row by robust statistics of the days before them,
asks for a change that matters besides one that is unlikely, and has another limit for the end than for the beginning.

Sources: the median absolute deviation as a scale that outliers do not move (Rousseeuw and Croux, "Alternatives to the
Median Absolute Deviation", 1993); the weekday pattern and the level taken out on a logarithmic scale, then a z-score by
that scale; shares by a binomial control chart with overdispersion (Laney, "Improved Control Charts for Attributes",
2002). bench/drift.py measures how often they are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, log, sqrt
from statistics import median

from adweir.model.breaches import Judgement
from adweir.model.times import DAY

RUN = 3
"""Days in a row that are judged together: one odd day is no drift, nor is an odd weekend of fewer rows."""
LEAST_ROWS = 8
"""Rows per day that there have to be as a rule: of fewer, which are good as they are, one campaign more is half."""
HISTORY_DAYS = 56
"""Days before the judged ones from which the expectation of rows is made."""
READ_DAYS = HISTORY_DAYS + 21
"""Days before today that a look reads: more than it uses, as the newest are not settled and some have no rows."""
SHORT_HISTORY_DAYS = 28
"""The same for missing values and scores."""
LEAST_DAYS = 21
"""Days of them that there have to be."""
_LEVEL_DAYS = 21
"""The newest of them, of which the level is the median. A change that lasts for more than half of them is the new
level."""
_IDLE_DAYS = 7
"""Days without a row after which nothing is delivered any more."""
_NORMAL = 1.4826
"""Makes the median absolute deviation of normal noise its standard deviation."""
_LEAST_SCALE = 0.08
"""Of the logarithm of rows: days that differ less than this are no sign of an ad account without any noise."""
_LEAST_WEEKDAYS = 3
"""Days of one weekday that it takes to know how it differs from the others."""
_FEW, _MANY = 0.5, 3.0
"""Shares of the expected rows: each judged day of a fall has at most the first, of a rise at least the second."""
_FEW_Z, _MANY_Z, _QUIET_Z = -4.0, 5.0, 3.0
"""z-scores: what each judged day of a fall or a rise reaches besides, and below what none is unusual any more."""
_USUAL = (0.7, 2.0)
"""Shares of the expected rows between which a day is as usual again."""
_STEP, _FADED, _STEP_DAYS = 0.55, 0.75, 14
"""A fall at once: to at most the first share of the days before it, which had at least the second share of the level;
it began at most so many days ago."""
_NULL_Z, _NULL_RISE, _NULL_REST, _LEAST_NULLS = 5.0, 0.05, 0.025, 3
"""A rise of missing values: its z-score, by how much the share rises, and in how many rows at least; it is over where
each day's share is above the usual one by less than `_NULL_REST`."""
_CHI_MEDIAN = 0.455
"""The median of the chi-squared distribution of one degree of freedom."""
_LEAST_SCORES = 14
"""Scores before the judged ones that there have to be."""
_SCORE_DROP, _SCORE_REST, _SCORE_SCALE = 0.1, 0.05, 0.02
"""By how much scores fall at least; it is over where they are below the usual one by at most `_SCORE_REST`; their
least scale."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What the newest days say: the first of the judged days, the mean of their values, and what was expected.

    UNSURE where there are too few days to say anything.
    """

    judgement: Judgement
    since: str = ""
    value: float = 0.0
    expected: float = 0.0
    is_idle: bool = False


NO_DRIFT = Drift(Judgement.UNSURE)


def rows_drift(rows: Mapping[str, int]) -> Drift:
    """Rows by settled day (ISO), in order. Days without rows are left out: nothing was delivered on them, as on a
    weekend without a budget or after a campaign's end, and a lost delivery differs from the ad account's total."""
    delivered = {day: count for day, count in rows.items() if count > 0}
    if not delivered:
        return NO_DRIFT
    days = sorted(delivered)
    if date.fromisoformat(max(rows)) - date.fromisoformat(days[-1]) >= _IDLE_DAYS * DAY:
        return Drift(Judgement.GOOD, days[-1], is_idle=True)
    judged = days[-RUN:]
    before = _between(days[:-RUN], judged[0], HISTORY_DAYS)
    if len(before) < LEAST_DAYS:
        return NO_DRIFT
    logs = {day: log(delivered[day]) for day in (*before, *judged)}
    usual = _weekdays({day: logs[day] for day in before})
    plain = {day: value - usual[_weekday(day)] for day, value in logs.items()}
    level = median(plain[day] for day in before[-_LEVEL_DAYS:])
    if exp(level) < LEAST_ROWS:
        return Drift(Judgement.GOOD, judged[0])
    around = _around({day: plain[day] for day in before})
    rest = [plain[day] - around[day] for day in before]
    expected = [exp(level + usual[_weekday(day)]) for day in judged]
    scale = max(_scale(rest), _LEAST_SCALE, 0.7 / exp(level))
    off = [(exp(plain[day] - level), (plain[day] - level) / scale) for day in judged]
    over = [exp(plain[day] - max(level, *around.values())) for day in judged]
    few = all(ratio <= _FEW and z <= _FEW_Z for ratio, z in off) and _is_step(
        [plain[day] for day in (*before, *judged)], level
    )
    many = all(ratio >= _MANY and z >= _MANY_Z for (_, z), ratio in zip(off, over, strict=True))
    fine = all(_USUAL[0] <= ratio <= _USUAL[1] or abs(z) < _QUIET_Z for ratio, z in off)
    value = sum(delivered[day] for day in judged) / RUN
    return Drift(_judgement(bad=few or many, good=fine), judged[0], value, sum(expected) / RUN)


def nulls_drift(days: Sequence[tuple[str, int, int]]) -> Drift:
    """(settled day, rows without the value, rows), in order. Only a rise is a drift."""
    counted = [each for each in days if each[2] > 0]
    judged, before = counted[-RUN:], counted[:-RUN]
    if before:
        first = (date.fromisoformat(judged[0][0]) - SHORT_HISTORY_DAYS * DAY).isoformat()
        before = [each for each in before if each[0] >= first]
    if len(before) < LEAST_DAYS // 2:
        return NO_DRIFT
    missing, rows = sum(each[1] for each in before), sum(each[2] for each in before)
    usual = (missing + 0.5) / (rows + 1)
    spread = usual * (1 - usual)
    squares = [(missed - count * usual) ** 2 / (count * spread) for _, missed, count in before]
    more = max(1.0, median(squares) / _CHI_MEDIAN) if missing else 1.0
    found = [(missed / count - usual, sqrt(more * spread / count)) for _, missed, count in judged]
    lost, counted_rows = sum(each[1] for each in judged), sum(each[2] for each in judged)
    share = lost / counted_rows
    z = (share - usual) / sqrt(more * spread / counted_rows)
    matters = max(_NULL_RISE, min(0.8 * usual, 0.5 * (1 - usual)))
    bad = z >= _NULL_Z and lost >= _LEAST_NULLS and all(rise >= max(matters, 2 * unit) for rise, unit in found)
    good = all(rise < max(_NULL_REST, _QUIET_Z * unit) for rise, unit in found)
    return Drift(_judgement(bad=bad, good=good and not bad), judged[0][0], share, usual)


def scores_drift(days: Sequence[tuple[str, float]]) -> Drift:
    """(settled day, score), in order. Only a drop is a drift. A score that is often low by itself is not told: the drop
    has to be below what one day in ten has."""
    judged, before = days[-RUN:], days[:-RUN][-SHORT_HISTORY_DAYS:]
    if len(before) < _LEAST_SCORES:
        return NO_DRIFT
    values = sorted(score for _, score in before)
    usual = median(values)
    scale = max(_scale(values), _SCORE_SCALE)
    low = min(usual - max(_SCORE_DROP, 4 * scale), values[len(values) // 10] - _SCORE_REST)
    bad = all(score <= low for _, score in judged)
    good = all(score >= usual - max(_SCORE_REST, 2 * scale) for _, score in judged)
    value = sum(score for _, score in judged) / RUN
    return Drift(_judgement(bad=bad, good=good), judged[0][0], value, usual)


def _is_step(values: Sequence[float], level: float) -> bool:
    """Whether the newest values, on a logarithmic scale, fell at once from about their level and stayed down: campaigns
    that end one after the other fade."""
    for at in range(len(values) - RUN, max(len(values) - _STEP_DAYS, RUN), -1):
        last = median(values[at - RUN : at])
        if last >= level + log(_FADED) and max(values[at:]) <= last + log(_STEP):
            return True
    return False


def _judgement(*, bad: bool, good: bool) -> Judgement:
    return Judgement.BAD if bad else Judgement.GOOD if good else Judgement.UNSURE


def _between(days: Sequence[str], end: str, most: int) -> list[str]:
    """The days before `end`, at most so many days away."""
    first = (date.fromisoformat(end) - most * DAY).isoformat()
    return [day for day in days if first <= day < end]


def _weekday(day: str) -> int:
    return date.fromisoformat(day).weekday()


def _weekdays(logs: Mapping[str, float]) -> dict[int, float]:
    """Weekday → how far its days are from the level around them; 0 for one that is hardly known."""
    around = _around(logs)
    found: dict[int, list[float]] = {}
    for day, value in logs.items():
        found.setdefault(_weekday(day), []).append(value - around[day])
    return {place: median(found[place]) if len(found.get(place, ())) >= _LEAST_WEEKDAYS else 0.0 for place in range(7)}


def _around(values: Mapping[str, float]) -> dict[str, float]:
    """Day → the median of the seven days around it."""
    days = sorted(values)
    return {day: median(values[each] for each in days[max(0, at - 3) : at + 4]) for at, day in enumerate(days)}


def _scale(values: Sequence[float]) -> float:
    """The robust standard deviation of values."""
    middle = median(values)
    return _NORMAL * median(abs(value - middle) for value in values)
