"""Schedules of jobs: what EventBridge Scheduler is told, and the times that follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.schedules import CronTiming, FiringTimes, Schedule, following
from sandbox.event_scheduler import Rhythm, minutes_between
from support.bounds import at_the_bound, refuses

NOW = datetime(2026, 11, 22, 17, 40, 30, tzinfo=UTC)
DAILY = {"type": "daily", "at": "02:30"}


def timing(schedule: dict[str, Any], timezone: str = "UTC", now: datetime = NOW) -> FiringTimes:
    return Schedule.model_validate(schedule).timing(timezone, now)


def times(schedule: dict[str, Any], timezone: str = "UTC", now: datetime = NOW, count: int = 3) -> list[str]:
    return [f"{at:%Y-%m-%dT%H:%M}" for at in following(timing(schedule, timezone, now), now, count)]


@pytest.mark.parametrize(
    ("schedule", "timezone", "expression", "evaluated_in"),
    [
        ({"type": "hourly"}, "UTC", "cron(0 * * * ? *)", "UTC"),
        ({"type": "hourly", "minute": 15}, "Asia/Kathmandu", "cron(30 * * * ? *)", "UTC"),
        (DAILY, "Europe/Berlin", "cron(30 2 * * ? *)", "Europe/Berlin"),
        ({"type": "weekly", "weekday": "Sunday", "at": "08:00"}, "UTC", "cron(0 8 ? * 1 *)", "UTC"),
        ({"type": "weekly", "weekday": "sat", "at": "23:59"}, "UTC", "cron(59 23 ? * 7 *)", "UTC"),
        ({"type": "interval", "every": "15 minutes"}, "Asia/Tokyo", "rate(15 minutes)", "UTC"),
        ({"type": "interval", "every": "90m"}, "UTC", "rate(90 minutes)", "UTC"),
        ({"type": "interval", "every": "1 hour"}, "UTC", "rate(1 hour)", "UTC"),
        ({"type": "interval", "every": "48 hours"}, "UTC", "rate(2 days)", "UTC"),
        ({"type": "cron", "cron": "*/30 9 ? * MON *"}, "Asia/Tokyo", "cron(0/30 9 ? * 2 *)", "Asia/Tokyo"),
        ({"type": "cron", "cron": "10 * * * ? *"}, "Europe/Berlin", "cron(10 * * * ? *)", "UTC"),
        ({"type": "cron", "cron": "0/20 * ? * * *"}, "Asia/Kathmandu", "cron(15,35,55 * * * ? *)", "UTC"),
        ({"type": "cron", "cron": "0/30 * ? * 1-7 *"}, "Australia/Lord_Howe", "cron(0,30 * * * ? *)", "UTC"),
        ({"type": "cron", "cron": "0 * * * ? *"}, "Australia/Lord_Howe", "cron(0 * * * ? *)", "Australia/Lord_Howe"),
        ({"type": "cron", "cron": "0 * ? * 2-6 *"}, "Europe/Berlin", "cron(0 * ? * 2-6 *)", "Europe/Berlin"),
        ({"type": "cron", "cron": "0 * * * ? 2027"}, "Europe/Berlin", "cron(0 * * * ? 2027)", "Europe/Berlin"),
        ({"type": "cron", "cron": "0 0-22 * * ? *"}, "Europe/Berlin", "cron(0 0-22 * * ? *)", "Europe/Berlin"),
    ],
)
def test_what_the_scheduler_is_told(
    schedule: dict[str, Any], timezone: str, expression: str, evaluated_in: str
) -> None:
    found = timing(schedule, timezone)

    assert (found.expression, found.timezone) == (expression, evaluated_in)


@pytest.mark.parametrize(
    ("schedule", "field", "said"),
    [
        ({"type": "daily"}, "at", "is needed for daily"),
        ({"type": "weekly", "at": "05:00"}, "weekday", "is needed for weekly"),
        (DAILY | {"weekday": "monday"}, "weekday", "does not belong to daily"),
        ({"type": "interval"}, "every", "is needed for interval"),
        ({"type": "daily", "at": "5:30"}, "at", "is not a clock time such as 05:30"),
        ({"type": "daily", "at": "24:00"}, "at", "is not a clock time"),
        ({"type": "weekly", "weekday": "someday", "at": "05:00"}, "weekday", "is not one of monday, tuesday"),
        ({"type": "interval", "every": "often"}, "every", "such as 6 hours"),
        ({"type": "interval", "every": "0 hours"}, "every", "is not between 15 minutes and 365 days"),
        ({"type": "cron", "cron": "0 5 * * *"}, "cron", "has to be ?"),
        ({"type": "cron", "cron": "0/5 * * * ?"}, "cron", "5 minutes apart; 15 at least"),
    ],
)
def test_a_schedule_is_refused_with_the_field_and_what_to_do(schedule: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        timing(schedule)

    (detail,) = refused.value.details
    assert detail["field"] == f"schedule.{field}"
    assert said in detail["message"]


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(Unprocessable) as refused:
        timing({"type": "weekly", "minute": 5})

    assert {detail["field"] for detail in refused.value.details} == {
        "schedule.weekday",
        "schedule.at",
        "schedule.minute",
    }


def test_an_interval_is_counted_from_when_it_was_set_whatever_clocks_do() -> None:
    every = {"type": "interval", "every": "2 days"}

    assert times(every) == ["2026-11-24T17:40", "2026-11-26T17:40", "2026-11-28T17:40"]
    later = following(timing(every), NOW + timedelta(days=3), 1)
    assert later == [datetime(2026, 11, 26, 17, 40, tzinfo=UTC)], "a later look stays on the same grid"
    assert timing(every).start(NOW + timedelta(days=3)) == later[0], "the Scheduler begins at the next of its times"
    assert timing(DAILY).start(NOW) is None


def test_the_night_of_the_scheduler_s_own_documentation() -> None:
    """02:30 every day in America/Los_Angeles: skipped in spring, and in autumn once, before the shift."""
    spring, autumn = datetime(2027, 3, 13, 0, 0, tzinfo=UTC), datetime(2027, 11, 6, 18, 0, tzinfo=UTC)
    one_thirty = {"type": "daily", "at": "01:30"}  # since 2007 clocks in California go back from 02:00 to 01:00

    assert times(DAILY, "America/Los_Angeles", spring) == ["2027-03-13T10:30", "2027-03-15T09:30", "2027-03-16T09:30"]
    assert times(one_thirty, "America/Los_Angeles", autumn) == [
        "2027-11-07T08:30",
        "2027-11-08T09:30",
        "2027-11-09T09:30",
    ]


def test_the_times_that_a_year_leaves_out_are_known() -> None:
    found = timing(DAILY, "Europe/Berlin")
    assert isinstance(found, CronTiming)

    left_out = found.left_out(NOW, NOW + timedelta(days=366))

    assert left_out == [datetime(2027, 3, 28, 2, 30)]  # noqa: DTZ001  clocks never show it
    assert found.left_out(NOW, NOW + timedelta(days=30)) == []


def test_hourly_in_a_zone_of_half_hours_counts_every_hour_that_passes() -> None:
    """Lord Howe's clocks go back by half an hour on 2027-04-04: the minute is that of the day when it was set."""
    before = datetime(2027, 4, 3, 13, 0, tzinfo=UTC)

    assert times({"type": "hourly", "minute": 15}, "Australia/Lord_Howe", before, 4) == [
        "2027-04-03T13:15",
        "2027-04-03T14:15",
        "2027-04-03T15:15",
        "2027-04-03T16:15",
    ]


@at_the_bound("MIN_JOB_MINUTES")
def test_the_nearest_times_of_a_job(size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        timing({"type": "interval", "every": f"{2 * limits.MIN_JOB_MINUTES - size} minutes"})
    with refuses(Unprocessable, fits=fits):
        timing({"type": "cron", "cron": f"0,{2 * limits.MIN_JOB_MINUTES - size} 5 * * ?"})


@at_the_bound("MAX_JOB_INTERVAL_DAYS")
def test_the_longest_interval_of_a_job(size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        timing({"type": "interval", "every": f"{size} days"})


MINUTES = st.sampled_from(["0", "30", "*/15", "0/20", "5,35", "10-50/20"])
HOURS = st.sampled_from(["*", "0", "1-3", "*/6", "2/5", "0,23"])
IN_MONTH = st.sampled_from(["*", "L", "1W", "15W", "28W", "1/3", "27-31", "5,25"])
IN_WEEK = st.sampled_from(["*", "L", "6L", "SUNL", "MON-FRI", "1#1", "SUN#5", "2,4,6", "1/2"])
DAYS = st.one_of(IN_MONTH.map(lambda day: (day, "?")), IN_WEEK.map(lambda day: ("?", day)))
MONTHS = st.sampled_from(["*", "3,10,11", "MAR-NOV", "1/2"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])


@given(MINUTES, HOURS, DAYS, MONTHS, ZONES, st.integers(0, 1100))
def test_the_sandbox_s_scheduler_which_shares_no_code_fires_at_the_same_times(
    minutes: str, hours: str, named: tuple[str, str], months: str, zone: str, day: int
) -> None:
    found = timing({"type": "cron", "cron": f"{minutes} {hours} {named[0]} {months} {named[1]} *"}, zone)
    since = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    until = since + timedelta(days=2)

    listed = [at for at in following(found, since, 300) if at <= until]

    rhythm = Rhythm(found.expression, found.timezone, since)
    assert [minute for minute in minutes_between(since, until) if rhythm.fires(minute)] == listed
