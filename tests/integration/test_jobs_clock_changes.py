"""What a job lists as its next times is when it fires, over the nights on which clocks change.

The sandbox's clock works out by itself when EventBridge Scheduler would fire (sandbox/event_scheduler.py).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adweir.model.schedules import following
from support.clock import FrozenClock
from support.job_world import JobWorld

pytestmark = pytest.mark.usefixtures("tables")

NIGHTS = {  # the first moment by the changed clocks
    "America/New_York": ("2027-03-14T07:00", "2027-11-07T06:00"),
    "Europe/Berlin": ("2027-03-28T01:00", "2027-10-31T01:00"),
    "Australia/Lord_Howe": ("2027-10-02T15:30", "2027-04-03T15:00"),
    "Africa/Casablanca": ("2026-03-22T02:00", "2026-02-15T02:00"),
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "hourly": {"type": "hourly", "minute": 15},
    "left-out": {"type": "daily", "at": "02:15"},
    "twice": {"type": "daily", "at": "01:45"},
    "midnight": {"type": "daily", "at": "00:00"},
    "weekly": {"type": "weekly", "weekday": "sunday", "at": "02:45"},
    "interval": {"type": "interval", "every": "90 minutes"},
    "days": {"type": "interval", "every": "1 day"},
    "cron": {"type": "cron", "cron": "0/15 0-4 ? * SAT,SUN *"},
    "every-hour": {"type": "cron", "cron": "30 * * * ? *"},
}
DAY = timedelta(days=1)


def night(zone: str, place: int) -> datetime:
    """A moment of a change of clocks."""
    moment = datetime.fromisoformat(NIGHTS[zone][place]).replace(tzinfo=UTC)
    before, after = (moment + timedelta(seconds=each) for each in (-1, 0))
    shift = after.astimezone(ZoneInfo(zone)).utcoffset() - before.astimezone(ZoneInfo(zone)).utcoffset()  # type: ignore[operator]
    assert (shift > timedelta()) is (place == 0), "the tables of zones have changed"
    return moment


@pytest.mark.parametrize("place", [0, 1], ids=["forward", "back"])
@pytest.mark.parametrize("zone", NIGHTS)
def test_listed_times_are_fired_times_in_the_night_of_a_clock_change(zone: str, place: int) -> None:
    # given jobs of every type, on the evening before
    change = night(zone, place)
    world = JobWorld(FrozenClock(change - DAY + timedelta(seconds=7)))
    for name, schedule in SCHEDULES.items():
        world.jobs.create({"name": name, "workflow": "hourly", "schedule": schedule, "timezone": zone})
    until = change + DAY
    listed = {
        job.name: [each for each in following(job.timing(), world.clock.now(), 100) if each <= until]
        for job in world.catalog.jobs()
    }

    # when the night passes
    fired = world.pass_time(until)

    # then each fired when it was listed, no more and no less, and the time that was due is the run's
    found = {name: [message.scheduled_at for message in fired if message.name == name] for name in SCHEDULES}
    assert found == listed
    assert all(found[name] for name in ("hourly", "midnight", "interval", "cron", "days"))


@pytest.mark.parametrize(("place", "hours", "skipped"), [(0, 23, 1), (1, 25, 0)], ids=["forward", "back"])
def test_what_the_night_does_to_each_type(place: int, hours: int, skipped: int) -> None:
    zone = "Europe/Berlin"
    change = night(zone, place)
    midnight = change.astimezone(ZoneInfo(zone)).replace(hour=0)
    world = JobWorld(FrozenClock((midnight - timedelta(seconds=1)).astimezone(UTC)))
    for name in ("hourly", "left-out", "every-hour"):
        fields = {"name": name, "workflow": "hourly", "schedule": SCHEDULES[name], "timezone": zone}
        world.jobs.create(fields)

    fired = world.pass_time((midnight + DAY).astimezone(UTC) - timedelta(minutes=1))

    count = {name: sum(message.name == name for message in fired) for name in ("hourly", "left-out", "every-hour")}
    assert count == {"hourly": hours, "left-out": 1 - skipped, "every-hour": hours}


def test_what_fired_is_a_run_of_that_time_and_one_run_though_it_is_delivered_twice() -> None:
    change = night("America/New_York", 1)
    world = JobWorld(FrozenClock(change - timedelta(hours=2)))
    fields = {"name": "night", "workflow": "hourly", "schedule": SCHEDULES["twice"], "timezone": "America/New_York"}
    world.jobs.create(fields)

    world.start_fired(world.pass_time(change + DAY))

    runs = world.runs_of("night")
    assert [run.scheduled_at[:16] for run in runs] == ["2027-11-07T05:45"], "the first 01:45 of two"
    assert runs[0].run_id.startswith("run_night-20271107T054500-")
    assert runs[0].workflow == "hourly"
