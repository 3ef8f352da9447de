"""What is lawful is no drift, and a drift is one that begins once and ends once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adweir.model.breaches import Judgement
from adweir.quality.drift import READ_DAYS, RUN, Drift, nulls_drift, rows_drift, scores_drift
from support.lived_days import KINDS, LivedDays

LOOKED = 30
PLANTED = range(75, 82)
"""Days that are spoiled, by number; those after them are as before."""


def rows(lived: LivedDays, days: list[str]) -> Drift:
    return rows_drift({day: lived.rows[day] for day in days})


def nulls(lived: LivedDays, days: list[str]) -> Drift:
    return nulls_drift([(day, lived.nulls[day], lived.rows[day]) for day in days])


def scores(lived: LivedDays, days: list[str]) -> Drift:
    return scores_drift([(day, lived.scores[day]) for day in days if lived.rows[day]])


Rule = Callable[[LivedDays, list[str]], Drift]


def told(lived: LivedDays, rule: Rule) -> list[Judgement]:
    """What is told over the last month, each day looked at."""
    found, is_open = list[Judgement](), False
    for until in range(lived.count - LOOKED, lived.count + 1):
        said = rule(lived, list(lived.rows)[max(until - READ_DAYS, 0) : until]).judgement
        if said is (Judgement.GOOD if is_open else Judgement.BAD):
            is_open = not is_open
            found.append(said)
    return found


@pytest.mark.parametrize("rule", [rows, nulls, scores])
@pytest.mark.parametrize("kind", sorted(set(KINDS)))
def test_a_quiet_month_gives_no_message(kind: str, rule: Rule) -> None:
    for seed in range(24):
        assert told(LivedDays(seed, kind=kind), rule) == [], f"seed {seed}"


@pytest.mark.parametrize("seed", range(6))
def test_rows_that_fall_away_are_told_once_and_once_when_they_are_back(seed: int) -> None:
    lived = LivedDays(seed)
    lived.drop(PLANTED, 0.3)
    assert told(lived, rows) == [Judgement.BAD, Judgement.GOOD]


def test_rows_that_multiply_are_told_and_a_growth_is_not() -> None:
    lived = LivedDays(3)
    for day in list(lived.rows)[PLANTED.start : PLANTED.stop]:
        lived.rows[day] *= 5
    assert told(lived, rows)[0] is Judgement.BAD
    grown = {day: round(40 * 1.03**number) for number, day in enumerate(LivedDays(3).rows)}
    assert rows_drift(grown).judgement is Judgement.GOOD


def test_a_handful_of_rows_is_too_few_to_say_anything() -> None:
    few = {day: 3 if number > 90 else 7 for number, day in enumerate(LivedDays(3).rows)}
    assert rows_drift(few).judgement is Judgement.GOOD
    assert rows_drift({day: count * 2 for day, count in few.items()}).judgement is Judgement.BAD


def test_a_level_that_lasts_is_the_new_usual() -> None:
    lived = LivedDays(1)
    lived.drop(range(75, lived.count), 0.3)
    assert told(lived, rows) == [Judgement.BAD, Judgement.GOOD]


@pytest.mark.parametrize("seed", range(6))
def test_values_that_are_missing_are_told_once_and_once_when_they_are_back(seed: int) -> None:
    lived = LivedDays(seed)
    for day in list(lived.rows)[PLANTED.start : PLANTED.stop]:
        lived.nulls[day] = max(lived.nulls[day], round(0.9 * lived.rows[day]))
    assert told(lived, nulls) == [Judgement.BAD, Judgement.GOOD]


def test_a_column_that_nobody_reports_is_no_drift() -> None:
    days = [(f"2026-10-{day:02}", 40, 40) for day in range(1, 31)]
    assert nulls_drift(days).judgement is Judgement.GOOD
    assert nulls_drift(days[:10]).judgement is Judgement.UNSURE, "too few days to say anything"


@pytest.mark.parametrize("seed", range(6))
def test_scores_that_drop_are_told_once_and_once_when_they_are_back(seed: int) -> None:
    lived = LivedDays(seed)
    for day in list(lived.rows)[PLANTED.start : PLANTED.stop]:
        lived.scores[day] -= 0.3
    assert told(lived, scores) == [Judgement.BAD, Judgement.GOOD]


def test_scores_that_are_often_low_are_not_told_again_and_again() -> None:
    days = [(f"2026-10-{day:02}", 0.59 if day % 4 == 0 or day > 27 else 0.97) for day in range(1, 31)]
    assert scores_drift(days).judgement is not Judgement.BAD


def test_nothing_is_delivered_any_more_and_nothing_is_said_of_too_few_days() -> None:
    lived = list(LivedDays(2).rows.items())
    over = rows_drift(dict(lived) | {f"2026-11-{day:02}": 0 for day in range(9, 17)})
    assert (over.judgement, over.is_idle) == (Judgement.GOOD, True)
    assert rows_drift(dict(lived[: 20 + RUN])).judgement is Judgement.UNSURE
    assert rows_drift({day: 0 for day, _ in lived}).judgement is Judgement.UNSURE
