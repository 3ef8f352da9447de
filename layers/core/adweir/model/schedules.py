"""When a job fires: its schedule as a caller writes it, the expression that EventBridge Scheduler gets, and the times.

A clock time that the night of a clock change leaves out is skipped; one that comes twice fires the first time only
(the Scheduler's user guide, "Daylight savings time"). An hour counts as it passes: `hourly` is evaluated in UTC, so it
fires 23 and 25 times on those days. So is a cron expression that names every hour of every day, which would lose the
hour that comes twice. So is `interval`, from its anchor on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import Annotated, Final, Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adweir.model import limits
from adweir.model.cron import Cron
from adweir.model.errors import BadInput, Unprocessable
from adweir.model.times import DAY, is_zone

Short = Annotated[str, StringConstraints(max_length=limits.MAX_WORD_CHARS)]
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NO_ZONE: Final = "is not the name of an IANA zone"
_UNITS: Final = {"minute": 1, "hour": 60, "day": 24 * 60}
_EVERY = re.compile(r"([0-9]{1,6}) ?(m|h|d|minutes?|hours?|days?)")
_CLOCK_TIME = re.compile("([01][0-9]|2[0-3]):([0-5][0-9])")


class ScheduleType(StrEnum):
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    INTERVAL = "interval"
    CRON = "cron"


_NEEDS: Final = {
    ScheduleType.HOURLY: (),
    ScheduleType.DAILY: ("at",),
    ScheduleType.WEEKLY: ("weekday", "at"),
    ScheduleType.INTERVAL: ("every",),
    ScheduleType.CRON: ("cron",),
}
_TAKES: Final = _NEEDS | {ScheduleType.HOURLY: ("minute",)}


class Schedule(BaseModel):
    """A schedule by its type: `hourly` at a `minute` (0 when left out), `daily` `at` a time, `weekly` on a `weekday`
    `at` a time, `interval` `every` so often, or a `cron` expression in EventBridge Scheduler's dialect."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    type: ScheduleType
    minute: int | None = Field(default=None, ge=0, le=59, description="Of `hourly`: the minute of the hour.")
    at: Short | None = Field(default=None, description="Of `daily` and `weekly`: the clock time.", examples=["05:30"])
    weekday: Short | None = Field(default=None, description="Of `weekly`: the day.", examples=["monday"])
    every: Short | None = Field(default=None, description="Of `interval`: how often.", examples=["6 hours"])
    cron: Annotated[str, StringConstraints(max_length=limits.MAX_CRON_CHARS)] | None = Field(
        default=None,
        description="Of `cron`: minutes, hours, day of month, month, day of week, year, as EventBridge Scheduler"
        " reads them.",
        examples=["0 6 ? * MON-FRI *"],
    )

    def timing(self, timezone: str, anchor: datetime) -> FiringTimes:
        """When it fires in an IANA zone. `anchor` is when the schedule was set: an interval is counted from there.

        Raises Unprocessable that names each wrong field.
        """
        given = [name for name in _fields() if getattr(self, name) is not None]
        faults = {name: f"is needed for {self.type}" for name in _NEEDS[self.type] if name not in given}
        faults |= {name: f"does not belong to {self.type}" for name in given if name not in _TAKES[self.type]}
        if faults:
            raise _refused(faults)
        zone = _zone(timezone)
        match self.type:
            case ScheduleType.INTERVAL:
                return RateTiming(_minutes_of(self.every or ""), anchor.replace(second=0, microsecond=0))
            case ScheduleType.HOURLY:
                return CronTiming(Cron.parse(f"{_minute_in_utc(self.minute or 0, zone, anchor)} * * * ? *"), "UTC")
            case ScheduleType.CRON:
                cron = _checked(self.cron or "")
                minutes = _minutes_in_utc(cron, zone, anchor) if cron.is_every_hour else ()
                if minutes:
                    return CronTiming(Cron.parse(f"{','.join(map(str, minutes))} * * * ? *"), "UTC")
                return CronTiming(cron, timezone)
        clock = _clock_time(self.at or "")
        days = "* * ?" if self.type is ScheduleType.DAILY else f"? * {_weekday(self.weekday or '')}"
        return CronTiming(Cron.parse(f"{clock.minute} {clock.hour} {days} *"), timezone)


class FiringTimes(Protocol):
    """When a schedule fires, and how EventBridge Scheduler is told."""

    @property
    def expression(self) -> str: ...
    @property
    def timezone(self) -> str:
        """The zone in which EventBridge Scheduler evaluates the expression."""
        ...

    def start(self, now: datetime) -> datetime | None:
        """The first time, for an expression that does not say by itself when it begins."""
        ...

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Its times after a moment, in UTC and in order."""
        ...


@dataclass(frozen=True, slots=True)
class CronTiming:
    """Fires at the clock times of a cron expression."""

    cron: Cron
    timezone: str

    @property
    def expression(self) -> str:
        return f"cron({self.cron.text})"

    def start(self, now: datetime) -> datetime | None:  # noqa: ARG002  a cron expression begins at once
        return None

    def after(self, moment: datetime) -> Iterator[datetime]:
        zone = ZoneInfo(self.timezone)
        first = moment.astimezone(zone).date() - DAY
        instants = (_instant(local, zone) for local in self.cron.times(first))
        return (instant for instant in instants if instant is not None and instant > moment)

    def left_out(self, since: datetime, until: datetime) -> list[datetime]:
        """The clock times of a span of instants that do not exist: there it does not fire. They have no zone."""
        zone = ZoneInfo(self.timezone)
        first, last = (each.astimezone(zone).replace(tzinfo=None) for each in (since, until))
        found = []
        for local in self.cron.times(first.date()):
            if local > last:
                break
            if local > first and _instant(local, zone) is None:
                found.append(local)
        return found


@dataclass(frozen=True, slots=True)
class RateTiming:
    """Fires every so many minutes that pass, counted from its anchor: the first time one interval after it."""

    minutes: int
    anchor: datetime

    @property
    def expression(self) -> str:
        unit = max((name for name, size in _UNITS.items() if self.minutes % size == 0), key=lambda name: _UNITS[name])
        number = self.minutes // _UNITS[unit]
        return f"rate({number} {unit}{'' if number == 1 else 's'})"

    @property
    def timezone(self) -> str:
        return "UTC"

    def start(self, now: datetime) -> datetime | None:
        return next(self.after(now))

    def after(self, moment: datetime) -> Iterator[datetime]:
        step = timedelta(minutes=self.minutes)
        at = self.anchor + max(1, (moment - self.anchor) // step + 1) * step
        while True:
            yield at
            at += step


def following(timing: FiringTimes, moment: datetime, count: int) -> list[datetime]:
    """The next times after a moment, in UTC; fewer where a cron expression's years end."""
    return list(islice(timing.after(moment), count))


def _instant(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant at which a zone's clocks show a time; None where they never do."""
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == local else None


def _minute_in_utc(minute: int, zone: ZoneInfo, anchor: datetime) -> int:
    """The minute of UTC's hours at which a zone's clocks show a minute; in a zone that changes its clocks by less than
    an hour (Australia/Lord_Howe), as they are when the schedule is set."""
    offset = anchor.astimezone(zone).utcoffset() or timedelta()
    return (minute - offset // timedelta(minutes=1)) % 60


def _minutes_in_utc(cron: Cron, zone: ZoneInfo, anchor: datetime) -> tuple[int, ...]:
    """The minutes of UTC's hours at which a zone's clocks show an expression's; none where its clock changes of less
    than an hour (Australia/Lord_Howe) make them others."""
    weeks = (anchor + timedelta(weeks=week) for week in range(54))
    shifts = {(each.astimezone(zone).utcoffset() or timedelta()) // timedelta(minutes=1) % 60 for each in weeks}
    found = {tuple(sorted((minute - shift) % 60 for minute in cron.minutes)) for shift in shifts}
    return found.pop() if len(found) == 1 else ()


def _checked(text: str) -> Cron:
    try:
        cron = Cron.parse(text)
    except BadInput as error:
        raise _refused({"cron": error.message}) from None
    nearest = cron.nearest_minutes()
    if nearest < limits.MIN_JOB_MINUTES:
        raise _refused({"cron": f"two of its times are {nearest} minutes apart; {limits.MIN_JOB_MINUTES} at least"})
    return cron


def _minutes_of(text: str) -> int:
    """`6 hours`, `90 minutes`, `2d` → minutes."""
    found = _EVERY.fullmatch(text.strip().lower())
    if found is None:
        raise _refused({"every": f"{text[:20]!r} is not a number of minutes, hours or days such as 6 hours"})
    minutes = int(found[1]) * next(size for unit, size in _UNITS.items() if unit[0] == found[2][0])
    least, most = limits.MIN_JOB_MINUTES, limits.MAX_JOB_INTERVAL_DAYS
    if not least <= minutes <= most * _UNITS["day"]:
        raise _refused({"every": f"{text[:20]!r} is not between {least} minutes and {most} days"})
    return minutes


def _clock_time(text: str) -> time:
    found = _CLOCK_TIME.fullmatch(text.strip())
    if found is None:
        raise _refused({"at": f"{text[:20]!r} is not a clock time such as 05:30"})
    return time(int(found[1]), int(found[2]))


def _weekday(text: str) -> int:
    """A day's name, whole or its first three letters → its number in EventBridge's weeks, which begin on Sunday."""
    for place, name in enumerate(WEEKDAYS):
        if text.strip().lower() in {name, name[:3]}:
            return (place + 1) % 7 + 1
    raise _refused({"weekday": f"{text[:20]!r} is not one of {', '.join(WEEKDAYS)}"})


def _zone(name: str) -> ZoneInfo:
    if not is_zone(name):
        message = f"{name[:60]!r} {NO_ZONE}"
        raise Unprocessable(
            f"the schedule is refused: timezone: {message}", [{"field": "timezone", "message": message}]
        )
    return ZoneInfo(name)


def _fields() -> list[str]:
    return [name for name in Schedule.model_fields if name != "type"]


def _refused(faults: dict[str, str]) -> Unprocessable:
    details = [{"field": f"schedule.{name}", "message": message} for name, message in faults.items()]
    return Unprocessable.listing("the schedule is refused", details)
