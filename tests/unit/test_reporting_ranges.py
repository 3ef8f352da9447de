"""Time ranges: dates and datetimes, and which local days and hours they mean."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.times import DAY
from adweir.reporting.ranges import TimeSpan, parse_range

TODAY = date(2026, 11, 21)
NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"


def days(asked: TimeSpan, timezone: str) -> tuple[str, str]:
    start, end = asked.window(timezone)
    return start.isoformat(), end.isoformat()


@pytest.mark.parametrize("timezone", [NEW_YORK, BERLIN, "UTC"])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-01", "2026-11-30"),
        ("2026-11-01T00:00:00", "2026-11-30T23:59:59"),
        ("2026-11-01T00:00:00", "2026-11-30T00:00:00"),
        ("2026-11-01", "2026-11-30T12:00:00.5"),
    ],
)
def test_dates_and_naive_datetimes_mean_the_days_of_each_profile(start: str, end: str, timezone: str) -> None:
    assert days(parse_range(start, end, TODAY), timezone) == ("2026-11-01", "2026-11-30")


def test_a_datetime_with_an_offset_is_one_moment_everywhere() -> None:
    asked = parse_range("2026-11-01T00:00:00Z", "2026-11-02T23:30:00+00:00", TODAY)
    assert days(asked, "UTC") == ("2026-11-01", "2026-11-02")
    assert days(asked, NEW_YORK) == ("2026-10-31", "2026-11-02")
    assert days(asked, BERLIN) == ("2026-11-01", "2026-11-03")


def test_hours_are_those_that_a_moment_of_the_range_lies_in() -> None:
    asked = parse_range("2026-11-02T09:30:00+01:00", "2026-11-02T12:00:00+01:00", TODAY)
    assert asked.hours(BERLIN) == (("2026-11-02", 9), ("2026-11-02", 12))
    assert asked.hours(NEW_YORK) == (("2026-11-02", 3), ("2026-11-02", 6))
    assert parse_range("2026-11-02", "2026-11-03", TODAY).hours(BERLIN) == (("2026-11-02", 0), ("2026-11-03", 23))


def test_missing_ends_mean_the_last_thirty_days_and_the_day_that_has_begun_in_the_east() -> None:
    assert days(parse_range(None, None, TODAY), "UTC") == ("2026-10-24", "2026-11-22")
    assert days(parse_range("2026-11-20", "", TODAY), "UTC") == ("2026-11-20", "2026-11-22")
    assert days(parse_range(None, "2026-01-30T08:00:00", TODAY), "UTC") == ("2026-01-01", "2026-01-30")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-02", "2026-11-01"),
        ("2026-11-02T10:00:00Z", "2026-11-02T10:00:00+01:00"),
        ("2026-11-02T10:00:00", "2026-11-01"),
        ("20261101", "20261102"),
        ("2026-W45-1", "2026-W45-2"),
        ("2026-11-01 10:00:00", "2026-11-02"),
        ("2026-11-01T25:00:00", "2026-11-02"),
        ("2026-13-01", "2026-13-02"),
        (1_793_491_200, 1_793_577_600),
        (["2026-11-01"], "2026-11-02"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("9999-12-31T23:00:00-12:00", "9999-12-31"),
        ("", "0001-01-02"),
    ],
)
def test_a_malformed_range_is_refused_with_its_field(start: Any, end: Any) -> None:
    with pytest.raises(Unprocessable) as caught:
        parse_range(start, end, TODAY, field="filters.date_range")
    assert [detail["field"] for detail in caught.value.details] == ["filters.date_range"]


def test_a_range_has_at_most_so_many_days() -> None:
    longest = TODAY - (limits.MAX_QUERY_DAYS - 1) * DAY
    assert parse_range(longest.isoformat(), TODAY.isoformat(), TODAY).window("UTC").length == limits.MAX_QUERY_DAYS
    with pytest.raises(Unprocessable, match=str(limits.MAX_QUERY_DAYS)):
        parse_range((longest - DAY).isoformat(), TODAY.isoformat(), TODAY)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_a_range_or_refused(start: str, end: str) -> None:
    try:
        asked = parse_range(start, end, TODAY)
    except Unprocessable:
        return
    assert asked.window("Pacific/Kiritimati").length >= 1


@given(st.datetimes(), st.datetimes(), st.sampled_from(["", "Z", "+14:00", "-12:00"]))
def test_any_two_datetimes_are_a_range_or_refused(start: Any, end: Any, offset: str) -> None:
    try:
        asked = parse_range(start.isoformat() + offset, end.isoformat() + offset, TODAY)
    except Unprocessable:
        return
    for timezone in (NEW_YORK, "Pacific/Kiritimati", "Etc/GMT+12"):
        first, last = asked.hours(timezone)
        assert first <= last
        assert asked.window(timezone).length >= 1
