"""One seed, from its story to what came of it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from adweir.model.entities import Credential, Profile
from adweir.model.messages import ObjectArrived
from adweir.model.times import iso
from adweir.runtime.app import App
from adweir.store.catalog.store import Catalog
from sandbox.aws.botocore_calls import answered_by, services
from sandbox.aws.dynamodb import DynamoDB
from sandbox.aws.events import OwnBus, Secrets
from sandbox.aws.s3 import S3
from sandbox.aws.sqs import Sqs
from sandbox.aws.values import Item
from simulation import rules
from simulation.calls import Calls
from simulation.containers import ALL, BUCKET, CATALOG, LEDGER, PLATFORMS, QUEUES, TABLES, Parts, settings_of, traced
from simulation.fleet import Fleet
from simulation.platform import NAME
from simulation.platform.client import worlds
from simulation.scheduler import Scheduler, SimulatedClock
from simulation.story import ACCOUNT, BRANCHES, PROFILE, Story, story_of
from simulation.trace import Trace
from simulation.weather import Fault, Sky
from simulation.world import World

LONGEST_SECONDS = 8 * 3600.0
_SECRET = "adweir/simulated"
UNFOLLOWED = "unfollowed"
"""Where the ledger has what came outside of runs; the next sweep begins a run that follows it."""


@dataclass
class Outcome:
    """What came of a seed: the rules that were broken, and the size of the run."""

    seed: int
    faults: list[str]
    calls: int
    seconds: float
    fingerprint: int
    trace: list[str] = field(default_factory=list)


class Simulation:
    """The parts of one run."""

    stands_in = True
    """Whether datasets and scores are left out (`containers.AccountStandIn`)."""

    def __init__(self, seed: int, *, keep: bool = False, story: Story | None = None) -> None:
        """`story`: what is told in place of the seed's own."""
        self.story = story = story or story_of(seed)
        self.longest = LONGEST_SECONDS + max((wish.after for wish in story.wishes), default=0.0)
        rng = random.Random(f"run {seed}")
        self.scheduler = scheduler = Scheduler(rng, story.start.timestamp())
        self.trace = Trace(scheduler, keep=keep)
        self.dynamodb = DynamoDB(TABLES)
        clock = SimulatedClock(scheduler)
        self.s3, self.secrets = S3(BUCKET, clock.now), Secrets(clock.now)
        self.sqs = Sqs(QUEUES, lambda: scheduler.now)
        self.events = OwnBus()
        answer = services(
            dynamodb=self.dynamodb, s3=self.s3, sqs=self.sqs, events=self.events, secretsmanager=self.secrets
        )
        self.calls = Calls(scheduler, Sky(story.weather, rng), rng, answer, self.trace)
        self.dynamodb.leave = self.sqs.leave = self.events.leave = self.calls.leave
        self.world = World(story, rng, lambda: scheduler.now, self._platform)
        self.parts = parts = Parts(scheduler, rng, scheduler.pause, self.trace, story.habits.spec, self.stands_in)
        self.fleet = Fleet(scheduler, self.sqs, rng, parts, self.trace, story.workers)
        self.fleet.twice = story.late
        self.watch = rules.Watch(self)
        self._rng = rng
        self._asked = 0

    def run(self) -> Outcome:
        """Tell the story to its end."""
        scheduler, story = self.scheduler, self.story
        with answered_by(self.calls), self._set_up():
            for wish in story.wishes:
                scheduler.at(scheduler.now + wish.after, partial(self._wish, wish.message))
            scheduler.idle = self.fleet.idle
            scheduler.at(scheduler.now + 300.0, self.fleet.sweep)
            ended = scheduler.run(self._is_over, scheduler.now + self.longest)
            scheduler.close()
            faults = [*self.fleet.faults, *self.watch.faults]
            if not ended:
                faults.append("it never ends")
            if not faults:
                faults += rules.at_the_end(self, self._reader().metrics)
        return Outcome(
            story.seed,
            faults,
            self.calls.count,
            scheduler.now - story.start.timestamp(),
            self.calls.fingerprint,
            self.trace.lines,
        )

    def _is_over(self) -> bool:
        if self.watch.faults or self.fleet.faults:
            return True
        if self._asked < len(self.story.wishes) or self._arriving or not self.fleet.quiet:
            return False
        return not self.dynamodb.items(LEDGER, "open-runs") and not self.dynamodb.items(LEDGER, UNFOLLOWED)

    def _wish(self, message: Any) -> None:
        self._asked += 1
        self.trace.say(f"asked for: {message.model_dump_json()}")
        self.fleet.send(message)

    _arriving = 0

    def _arrived(self, key: str) -> None:
        """S3 tells EventBridge, which tells the queue: soon, or late."""
        if key.startswith("raw/"):
            late = self._rng.random() < self.story.late
            delay = self._rng.uniform(30.0, 900.0) if late else self._rng.uniform(0.05, 2.0)
            self._arriving += 1
            self.fleet.arrive(ObjectArrived(bucket=BUCKET, key=key).model_dump_json(), delay)
            self.scheduler.at(self.scheduler.now + delay, self._here)

    def _here(self) -> None:
        self._arriving -= 1

    def _platform(self, what: str) -> bool:
        """A question to the platform is a turn; True when its reply is lost."""
        self.trace.say(f"platform: {what}")
        fault = self.calls.at_platform()
        self.scheduler.pause(self.calls.latency() * 5)
        return fault is Fault.LOST or (self.story.habits.faults > 0 and self._rng.random() < 0.05)

    @contextmanager
    def _set_up(self) -> Iterator[None]:
        self.secrets.call("CreateSecret", {"Name": _SECRET, "SecretString": '{"token": "a-token-of-the-simulation"}'})
        for item in _catalog(json.dumps(self.story.habits.flow)):
            self.dynamodb.call("PutItem", {"TableName": CATALOG, "Item": item})
        self.dynamodb.changed = self.watch.changed
        self.s3.arrived = self._arrived
        worlds.append(self.world)
        try:
            with traced(self.trace):
                yield
        finally:
            worlds.remove(self.world)

    def _reader(self) -> App:
        app = App(
            settings_of(ALL[0]),
            SimulatedClock(self.scheduler),
            self._rng,
            platforms=PLATFORMS[self.story.habits.spec],
        )
        app.__dict__["raw"] = None
        return app


@cache
def _catalog(flow: str) -> list[Item]:
    """The catalog of a story: a client with a credential and an ad account, and a stored workflow."""
    own = DynamoDB(TABLES)
    clock = SimulatedClock(Scheduler(random.Random(0), 1_790_000_000.0))
    with answered_by(services(dynamodb=own)):
        catalog = Catalog(clock)
        catalog.create_account(ACCOUNT, "Acme", "a@b.example")
        catalog.put_credential(Credential(account_id=ACCOUNT, platform=NAME, secret_id=_SECRET))
        profile = Profile(
            account_id=ACCOUNT, platform=NAME, profile_id=PROFILE, name=PROFILE, currency="EUR", timezone="UTC"
        )
        catalog.put_objects([profile], iso(clock.now()))
        catalog.put_workflow(BRANCHES, flow)
    return own.items(CATALOG)
