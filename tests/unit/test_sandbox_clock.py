"""The sandbox's clock: which schedules it reads, when it sends, and what it makes up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.clock import SandboxClock
from sandbox.event_scheduler import Rhythm
from sandbox.queues import NoQueue
from support.clock import FrozenClock
from support.job_world import MemoryScheduler

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Sent:
    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send(self, arn: str, bodies: list[str]) -> None:
        if arn == "arn:gone":
            raise NoQueue(arn)
        self.bodies += bodies


@pytest.fixture
def scheduler(clock: FrozenClock) -> MemoryScheduler:
    return MemoryScheduler(clock)


def put(scheduler: MemoryScheduler, expression: str, name: str = "a", **more: Any) -> None:
    target = {"Arn": more.pop("arn", "arn:runs"), "Input": '{"at":"<aws.scheduler.scheduled-time>"}'}
    fields = {"GroupName": "g", "State": "ENABLED", "ScheduleExpressionTimezone": "UTC", "Target": target}
    scheduler.create_schedule(Name=name, ScheduleExpression=expression, **(fields | more))


def ticked(scheduler: MemoryScheduler, *seconds: int) -> list[str]:
    """The messages of ticks so many seconds after noon, by a clock that begins at noon."""
    sent = Sent()
    ticking = SandboxClock(scheduler, sent, NOON)  # type: ignore[arg-type]
    for each in seconds:
        ticking.tick(NOON + timedelta(seconds=each))
    return [body.removeprefix('{"at":"').removesuffix('"}') for body in sent.bodies]


def test_each_minute_is_sent_once_with_the_time_that_was_due(scheduler: MemoryScheduler) -> None:
    put(scheduler, "cron(0/2 * * * ? *)")

    assert ticked(scheduler, 0, 59, 61, 119, 120, 121, 200, 245) == ["2026-11-20T12:02:00Z", "2026-11-20T12:04:00Z"]


def test_a_machine_that_slept_gets_the_last_hour_and_no_more(scheduler: MemoryScheduler) -> None:
    put(scheduler, "cron(0 * * * ? *)")

    assert ticked(scheduler, 5 * 3600 + 60) == ["2026-11-20T17:00:00Z"]


def test_disabled_schedules_and_minutes_before_a_change_are_not_sent(scheduler: MemoryScheduler) -> None:
    put(scheduler, "cron(1 12 * * ? *)", State="DISABLED")
    put(scheduler, "cron(1 12 * * ? *)", name="b", arn="arn:gone")
    scheduler._clock.advance(90)
    put(scheduler, "cron(1,5 12 * * ? *)", name="c")

    assert ticked(scheduler, 600) == ["2026-11-20T12:05:00Z"]


def test_a_schedule_that_was_changed_is_read_again(scheduler: MemoryScheduler) -> None:
    put(scheduler, "cron(2 12 * * ? *)")
    sent = Sent()
    ticking = SandboxClock(scheduler, sent, NOON)  # type: ignore[arg-type]
    ticking.tick(NOON + timedelta(seconds=61))
    scheduler._clock.advance(70)
    put(scheduler, "cron(3 12 * * ? *)")

    ticking.tick(NOON + timedelta(seconds=300))

    assert sent.bodies == ['{"at":"2026-11-20T12:03:00Z"}']


def test_a_minute_that_could_not_be_sent_is_tried_again(scheduler: MemoryScheduler) -> None:
    put(scheduler, "cron(1 12 * * ? *)")
    sent = Sent()
    ticking = SandboxClock(scheduler, sent, NOON)  # type: ignore[arg-type]
    scheduler.refuses = "InternalServerException"
    with pytest.raises(Exception, match="Internal"):
        ticking.tick(NOON + timedelta(seconds=61))
    scheduler.refuses = ""

    assert ticking.tick(NOON + timedelta(seconds=62)) == 1


@pytest.mark.parametrize(
    ("expression", "zone", "fires", "does_not"),
    [
        ("rate(5 minutes)", "UTC", "2026-11-20T12:10", "2026-11-20T12:11"),
        ("rate(1 day)", "America/New_York", "2026-11-21T12:00", "2026-11-20T11:00"),
        ("cron(30 2 * * ? *)", "America/Los_Angeles", "2026-11-01T10:30", "2026-03-08T10:30"),
        ("cron(30 1 * * ? *)", "America/Los_Angeles", "2026-11-01T08:30", "2026-11-01T09:30"),
        ("cron(0 0 ? * 6L 2026-2027)", "UTC", "2026-11-27T00:00", "2026-11-20T00:00"),
        ("cron(0 0 ? * TUE#2 *)", "UTC", "2026-11-10T00:00", "2026-11-03T00:00"),
        ("cron(0 0 15W * ?)", "UTC", "2026-11-16T00:00", "2026-11-15T00:00"),
        ("cron(0 0 L FEB ? *)", "UTC", "2028-02-29T00:00", "2028-02-28T00:00"),
        ("at(2026-11-20T12:00:00)", "UTC", "", "2026-11-20T12:00"),
    ],
)
def test_a_schedule_fires_as_the_user_guide_says(expression: str, zone: str, fires: str, does_not: str) -> None:
    rhythm = Rhythm(expression, zone, NOON)

    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (fires, does_not) if text]
    assert [rhythm.fires(moment) for moment in moments] == ([True, False] if fires else [False])
