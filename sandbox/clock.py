"""The sandbox's clock: it sends what EventBridge Scheduler would, once a minute: `python -m sandbox.clock --aws URL`.

It reads the schedules where the API and the template have put them, in MiniStack. What was due while it did not run is
not made up, but for the last hour of a machine that slept: as long as the template's retry policy lets a message wait.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.event_scheduler import Rhythm, minutes_between
from sandbox.ministack import client_factory
from sandbox.queues import EndpointQueues, NoQueue, OutsideQueues

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
LONGEST_SLEEP = timedelta(hours=1)
_EVERY_SCHEDULE = 100_000
"""MiniStack lists so many as it is asked for, and knows no further page."""
_PAUSE_SECONDS = 0.2
log = logging.getLogger("sandbox.clock")


class Scheduled(NamedTuple):
    """An enabled schedule: when it fires, since when it is as it is, and what it sends where."""

    rhythm: Rhythm
    since: datetime
    arn: str
    body: str


class SandboxClock:
    """Sends what is due. `schedules` is a client of EventBridge Scheduler, `queues` sends to SQS by ARN."""

    def __init__(self, schedules: Any, queues: OutsideQueues, now: datetime) -> None:
        self._schedules = schedules
        self._queues = queues
        self._known: dict[tuple[str, str], tuple[datetime, Scheduled | None]] = {}
        self.until = now
        """Up to this moment everything was sent."""

    def tick(self, now: datetime) -> int:
        """Send what was due since the last tick; how many messages. Each minute counts as sent once all of it is."""
        sent = 0
        due = minutes_between(max(self.until, now - LONGEST_SLEEP), now)
        schedules = list(self._enabled()) if due else []
        for minute in due:
            for one in schedules:
                if minute > one.since and one.rhythm.fires(minute):
                    self._send(one, minute)
                    sent += 1
            self.until = minute
        return sent

    def _send(self, one: Scheduled, minute: datetime) -> None:
        try:
            self._queues.send(one.arn, [one.body.replace(SCHEDULED_TIME, f"{minute:%Y-%m-%dT%H:%M:%SZ}")])
        except NoQueue:
            log.warning("%s fired, and there is no queue %s", one.rhythm.expression, one.arn)

    def _enabled(self) -> Iterator[Scheduled]:
        """The schedules that are enabled now; those that have not changed are not read again."""
        known = {}
        for listed in self._schedules.list_schedules(MaxResults=_EVERY_SCHEDULE)["Schedules"]:
            key, changed = (listed["GroupName"], listed["Name"]), listed["LastModificationDate"]
            before = self._known.get(key)
            known[key] = before if before and before[0] == changed else (changed, self._read(*key))
        self._known = known
        yield from (one for _, one in known.values() if one is not None)

    def _read(self, group: str, name: str) -> Scheduled | None:
        found = self._schedules.get_schedule(GroupName=group, Name=name)
        if found["State"] != "ENABLED":
            return None
        created = found["CreationDate"].astimezone(UTC)
        rhythm = Rhythm(
            found["ScheduleExpression"],
            found.get("ScheduleExpressionTimezone") or "UTC",
            found.get("StartDate", created),
        )
        since = found["LastModificationDate"].astimezone(UTC)
        return Scheduled(rhythm, since, found["Target"]["Arn"], found["Target"].get("Input", "{}"))


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="sandbox.clock", description=__doc__)
    parser.add_argument("--aws", required=True, help="the endpoint of the AWS whose schedules fire")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    done = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: done.set())
    clock = SandboxClock(client_factory(asked.aws)("scheduler"), EndpointQueues(asked.aws), datetime.now(UTC))
    while not done.wait(_pause(datetime.now(UTC))):
        try:
            if sent := clock.tick(datetime.now(UTC)):
                log.info("%d schedules fired", sent)
        except (
            BotoCoreError,
            ClientError,
            RuntimeError,
        ) as error:  # MiniStack is busy or restarts: the minute is tried again
            log.warning("AWS does not answer: %s", error)
            done.wait(1)
    return 0


def _pause(now: datetime) -> float:
    """Seconds until just after the next whole minute."""
    return 60 - now.second - now.microsecond / 1e6 + _PAUSE_SECONDS


if __name__ == "__main__":
    sys.exit(main())
