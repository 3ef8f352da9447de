"""Relative days in each time zone, and the days that a range is compared with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.times import DAY, Window
from adweir.reporting.comparing import parse_comparison, said_range
from adweir.reporting.ranges import TimeSpan, parse_words
from adweir.reporting.relative import RELATIVE, Before, days_of
from support.bounds import at_the_bound, refuses

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
"""A Monday in London, Tuesday in Tokyo."""


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("today", "2026-11-23", "2026-11-23"),
        ("yesterday", "2026-11-22", "2026-11-22"),
        ("last_7_days", "2026-11-16", "2026-11-22"),
        ("last_1_days", "2026-11-22", "2026-11-22"),
        ("this_week", "2026-11-23", "2026-11-23"),
        ("last_week", "2026-11-16", "2026-11-22"),
        ("this_month", "2026-11-01", "2026-11-23"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("this_quarter", "2026-10-01", "2026-11-23"),
        ("last_quarter", "2026-07-01", "2026-09-30"),
        ("this_year", "2026-01-01", "2026-11-23"),
        ("last_year", "2025-01-01", "2025-12-31"),
    ],
)
def test_words_mean_days(words: str, first: str, last: str) -> None:
    assert str(days_of(words, date(2026, 11, 23))) == f"{first}..{last}"


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(RELATIVE))
def test_ranges_touch_and_end_with_yesterday_or_today(today: date, words: str) -> None:
    days = days_of(words, today)
    assert days.start <= days.end <= today
    if words.startswith("this_"):
        assert days_of(f"last_{words[5:]}", today).end == days.start - DAY


def test_each_time_zone_has_its_own_days_and_the_answer_says_which() -> None:
    span = parse_words("yesterday", NOW)

    assert str(span.window("Europe/London")) == "2026-11-22..2026-11-22"
    assert str(span.window("Asia/Tokyo")) == "2026-11-23..2026-11-23"
    assert span.hours("Asia/Tokyo") == (("2026-11-23", 0), ("2026-11-23", 23))
    assert said_range(span, ["Asia/Tokyo", "Europe/London"]) == {
        "relative": "yesterday",
        "start_date": "2026-11-22",
        "end_date": "2026-11-23",
        "zones": {
            "Asia/Tokyo": {"start_date": "2026-11-23", "end_date": "2026-11-23"},
            "Europe/London": {"start_date": "2026-11-22", "end_date": "2026-11-22"},
        },
    }


@at_the_bound("MAX_QUERY_DAYS")
def test_other_words_and_too_many_days_are_refused_with_the_known_ones(size: int, *, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        parse_words(f"last_{size}_days", NOW)
    for words in ("tomorrow", "last_0_days", "last_7_weeks", "this_decade", ""):
        with pytest.raises(Unprocessable, match="known are today, yesterday, last_7_days"):
            parse_words(words, NOW)
    assert limits.MAX_QUERY_DAYS < 10_000  # four digits are read


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 900))
def test_the_previous_period_is_as_long_and_ends_the_day_before(start: date, length: int) -> None:
    days = Window(start, start + timedelta(days=length - 1))
    before = Before.PERIOD.window(days)

    assert (before.length, before.end) == (length, start - DAY)
    assert [Before.PERIOD.compared_with(day, days) for day in before.days()] == list(days.days())


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 900))
def test_a_year_before_are_the_same_dates_and_each_day_has_one_that_it_is_compared_with(
    start: date, length: int
) -> None:
    days = Window(start, start + timedelta(days=length - 1))
    before = Before.YEAR.window(days)

    same = [f"{day.year - 1}{day:-%m-%d}" for day in days.days() if (day.month, day.day) != (2, 29)]
    found = [str(day) for day in before.days()] if before.length > 0 else []
    assert [day for day in found if not day.endswith("-02-29")] == same
    compared = [Before.YEAR.compared_with(date.fromisoformat(day), days) for day in found]
    assert all(days.start <= day <= days.end for day in compared)
    assert compared == sorted(compared)


def test_nothing_lies_a_year_before_29_february_alone() -> None:
    leap = TimeSpan(date(2028, 2, 29), date(2028, 2, 29))
    found = parse_comparison("previous_year", leap, NOW)
    assert found
    assert found.span.window("UTC").length < 1


def test_given_datetimes_the_other_range_has_the_same_times() -> None:
    span = TimeSpan(datetime(2026, 11, 2, 9, tzinfo=UTC), datetime(2026, 11, 2, 17, tzinfo=UTC))
    found = parse_comparison("previous_period", span, NOW)
    assert found
    assert found.span.hours("UTC") == (("2026-11-01", 9), ("2026-11-01", 17))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("last_week", "known: previous_period, previous_year"),
        ({"start_date": "2026-11-01"}, "a start_date and an end_date"),
        ({"start_date": "2026-11-02", "end_date": "2026-11-01"}, "must not end before it starts"),
    ],
)
def test_another_comparison_is_refused(given: str | dict[str, str], said: str) -> None:
    with pytest.raises(Unprocessable, match=said):
        parse_comparison(given, TimeSpan(date(2026, 11, 1), date(2026, 11, 2)), NOW)


@pytest.mark.parametrize("how", list(Before))
def test_there_is_nothing_before_the_calendar(how: Before) -> None:
    with pytest.raises(Unprocessable, match="no days so early"):
        parse_comparison(how.value, TimeSpan(date(2, 1, 1), date(2, 1, 9)), NOW)
