"""The whole of adweir in one process: its real parts, one platform's stand-in, AWS as the simulation's doubles.

A run takes as long as its waits say, by a clock that goes from one message to the next. What the ledger said meanwhile
of each task is kept, as an operator would have seen it.
"""

from __future__ import annotations

import random
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

from adweir.intake.load import pulls
from adweir.model.datasets import Dataset
from adweir.model.flows import WORKERS
from adweir.model.messages import Message, ObjectArrived, Scope, StartRun, Sweep
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.model.tasks import Task, TaskState
from adweir.pipeline.late import Late
from adweir.pipeline.watch import look, see
from adweir.platforms.session import new_session
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan
from adweir.runtime.app import App
from adweir.runtime.settings import Settings
from adweir.store.dynamo import tables
from adweir.store.metrics import partitions
from faults.post import Letter, Lines, Post
from faults.small_world import ORIGIN, SmallWorld, ToSmallWorld
from sandbox.aws.botocore_calls import answered_by, services
from sandbox.aws.dynamodb import DynamoDB
from sandbox.aws.events import OwnBus, Secrets
from sandbox.aws.s3 import S3
from sandbox.aws.values import Item
from simulation.containers import BUCKET, TABLES, NoMeter, SharedClients, shared_client
from support.account_stand_in import DOERS, AccountStandIn
from support.clock import FrozenClock
from support.machine import Invocation, consumers_of

REGISTERED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_MOST_LETTERS = 3000
_SWEEP_SECONDS = 300
_SLOT = re.compile(r"d\d\d")


class Seen(NamedTuple):
    """What the ledger said of a task after a message about it: its state, and what it waits for or failed of.

    `seconds`: how long it is to wait. `at`: seconds since the tests' run began.
    """

    at: float
    profile_id: str
    dataset: str
    state: str
    code: str
    reason: str
    seconds: float


class Brake(NamedTuple):
    """A brake that was on: its key without the platform, and for how many seconds."""

    key: str
    state: str
    seconds: int


@dataclass(frozen=True)
class _Registered:
    """What is stored once every client's credential is registered and its ad accounts are listed."""

    items: dict[str, list[Item]]
    secrets: dict[str, str]


class System:
    """One system. Time begins a minute after its clients were registered."""

    def __init__(self, platform: str, clock: FrozenClock) -> None:
        self.platform = Platform(platform)
        self.clock = clock
        self.begun = clock.now().timestamp()
        self.post = Post(clock)
        self.world = SmallWorld(platform, lambda: clock.now().timestamp(), self._worked_on)
        self.dynamodb, self.events, self.secrets = DynamoDB(TABLES), OwnBus(), Secrets(clock.now)
        self.s3 = S3(BUCKET, clock.now)
        self.s3.arrived = self._arrived
        self.queues = Lines(self.post)
        self.seen: list[Seen] = []
        self.brakes: list[Brake] = []
        self.log: list[str] = []
        self.app = self._made()
        self._consumers = consumers_of(self.app)

    def _made(self) -> App:
        settings = Settings(
            **{f"{name}_table": name for name in TABLES},
            bucket=BUCKET,
            bus_name="bus",
            platform_urls=self.world.urls,
            history_days=2,
        )
        app = App(settings, self.clock, random.Random(7), sleep=self.clock.advance)
        session = new_session()
        session.mount(ORIGIN, ToSmallWorld(self.world))
        app.__dict__.update(
            _session=SharedClients(), logger=_Log(self.log), meter=NoMeter(), http=session, queues=self.queues
        )
        app.__dict__.update(dict.fromkeys(DOERS, AccountStandIn(app)))
        return app

    def _worked_on(self) -> str:
        return str(getattr(self.post.open.body, "profile_id", "")) if self.post.open else ""

    # --- running

    def run(self, *messages: Message) -> None:
        """Send messages to the runs queue, and work until no message is left but that of the sweep."""
        for message in messages:
            self.queues.runs.send(message)
        sweep = Sweep()
        self.queues.runs.send(sweep, delay=_SWEEP_SECONDS)
        for _ in range(_MOST_LETTERS):
            letter = self.post.take()
            if letter is None or (letter.body is sweep and self.post.is_empty):
                return
            self._deliver(letter)
            if letter.body is sweep:
                self.queues.runs.send(sweep, delay=_SWEEP_SECONDS)
        raise AssertionError(f"still busy after {_MOST_LETTERS} messages: {self.log[-20:]}")

    def _deliver(self, letter: Letter) -> None:
        record = {
            "messageId": "m",
            "receiptHandle": str(letter.number),
            "body": letter.body.model_dump_json(),
            "eventSourceARN": f"arn:aws:sqs:us-east-1:1:{letter.queue}",
            "attributes": {"MessageGroupId": letter.group, "ApproximateReceiveCount": str(letter.receives)},
        }
        if self._consumers[letter.queue]({"Records": [record]}, Invocation())["batchItemFailures"]:
            self.post.failed(letter)
        if letter.queue not in {"runs", *WORKERS.values()}:
            self._look(letter.body)

    def _arrived(self, key: str) -> None:
        if key.startswith(pulls.PREFIX):
            self.queues.landing.send(ObjectArrived(bucket=BUCKET, key=key), delay=1)

    def _look(self, message: Message) -> None:
        """Note what the ledger says of the message's task, and which brakes are on."""
        run_id, task_id = getattr(message, "run_id", ""), getattr(message, "task_id", "")
        task = self.app.ledger.get_pull(run_id, task_id) if task_id else None
        if task is None:
            return
        now = self.clock.now().timestamp()
        said = task.waits or task.error
        if said:
            until = float(said.get("until", 0) or 0)
            self.seen.append(
                Seen(
                    now - self.begun,
                    task.profile_id,
                    task.dataset.value,
                    task.state.value,
                    said["code"],
                    str(said.get("reason") or said.get("message")),
                    until - now if until else 0.0,
                )
            )
        for each in self.app.ledger.brakes.on(self.platform):
            brake = Brake(each.key.partition(":")[2], each.state, round(each.until - now))
            if brake not in self.brakes:
                self.brakes.append(brake)

    # --- what there is

    def tasks(self, run_id: str) -> list[Task]:
        """A run's tasks."""
        return list(self.app.ledger.pulls(run_id))

    def states(self, run_id: str, profile_id: str) -> set[TaskState]:
        """The states of an ad account's tasks in a run."""
        return {task.state for task in self.tasks(run_id) if task.profile_id == profile_id}

    def watched(self) -> dict[str, int]:
        """What the sweep would publish for the alarms now, without zeros."""
        view = see(self.app.ledger, self.app.catalog)
        late = Late.of(kept.breach for kept in self.app.monitor.known().values())
        found = look(self.app.ledger, self.app.catalog, self.clock, view, late)
        return {name: number for name, number in found.items() if number and name != "SweepsEnded"}

    def told(self, name: str) -> list[dict[str, Any]]:
        """The bus events of a name."""
        return [detail for kind, detail in self.events.published if kind == name]

    def numbers(self, start: str, end: str) -> dict[tuple[str, str, str], tuple[int | None, ...]]:
        """What readers get of the ads' days: (ad account, ad group~ad, day) → the five numbers."""
        span = TimeSpan(date.fromisoformat(start), date.fromisoformat(end))
        query = Query(span, ("profile_id", "ad_group_id", "ad_id", "date"), level=Level.AD, rest=False)
        return {
            (profile_id, f"{group}~{ad}", day): total.slot
            for (profile_id, group, ad, day, _currency), total in self.app.queries.answer(query).groups.items()
        }

    def slots(self) -> int:
        """How many days of objects are stored, whoever's and wherever: what is stored twice is counted twice."""
        return sum(1 for item in self.dynamodb.items("metrics") for name in item if _SLOT.fullmatch(name))


class _Log:
    """The functions' logger; what it is told is kept, to be read where a test fails."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def info(self, text: str, extra: object = None) -> None:
        self._lines.append(f"{text} {extra or ''}")

    warning = error = info

    def exception(self, text: str) -> None:
        self._lines.append(f"{text}: {traceback.format_exc()}")


@contextmanager
def opened(platform: str) -> Iterator[System]:
    """A system whose three ad accounts are registered and listed, and of which no number was pulled yet."""
    known = _registered(platform)
    with _in_place(platform, 60.0) as system:
        for table, items in known.items.items():
            for item in items:
                system.dynamodb.call("PutItem", {"TableName": table, "Item": item})
        for name, value in known.secrets.items():
            system.secrets.call("CreateSecret", {"Name": name, "SecretString": value})
        yield system


@contextmanager
def _in_place(platform: str, later: float) -> Iterator[System]:
    clock = FrozenClock(REGISTERED)
    clock.advance(later)
    tables.reset()
    tables.bind(*TABLES)
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    with (
        mock.patch.dict("os.environ", environment),
        mock.patch.object(tables, "connect", return_value=_connection()),
        mock.patch.object(partitions, "fast_wire", lambda connection: connection),
    ):
        system = System(platform, clock)
        doubles = services(dynamodb=system.dynamodb, s3=system.s3, events=system.events, secretsmanager=system.secrets)
        try:
            with answered_by(doubles):
                yield system
        finally:
            tables.reset()


def _connection() -> Any:
    """PynamoDB's, with the client that all have."""
    made: Any = tables.connect()
    made._client = shared_client("dynamodb")
    return made


@cache
def _registered(platform: str) -> _Registered:
    """Clients register their credentials, and a daily run lists their ad accounts."""
    with _in_place(platform, 0.0) as system:
        app = system.app
        secrets: dict[str, str] = {}
        for company in system.world.companies:
            app.catalog.create_account(company.key, company.name, company.email)
            for label, body in company.bodies(platform).items():
                stored, check = app.registration.register(company.key, platform, body, label)
                assert not check.unchecked, check
                answer = system.secrets.call("GetSecretValue", {"SecretId": stored.secret_id})
                secrets[stored.secret_id] = answer["SecretString"]
        listing = Scope(datasets=(Dataset.PROFILES.value,))
        system.run(StartRun(workflow="daily", scheduled_at=REGISTERED, run_id="listed", scope=listing))
        found = {profile.profile_id for profile in app.catalog.profiles()}
        assert found >= {profile.id for profile in system.world.profiles}, system.log
        return _Registered({name: system.dynamodb.items(name) for name in TABLES}, secrets)
