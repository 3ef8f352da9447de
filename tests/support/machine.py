"""A whole adweir in one process: the real parts from the composition root, moto's AWS, queues and bus in memory.

Messages pass through the real queue consumers, so that the error tree means here what it means in a function.
"""

from __future__ import annotations

import random
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from adweir.model import limits
from adweir.model.messages import Message, ObjectArrived
from adweir.platforms import Platforms
from adweir.runtime import workers
from adweir.runtime.app import App
from adweir.runtime.consumer import Consumer
from adweir.runtime.settings import Settings
from support.clock import FrozenClock
from support.empty_aws import make_bucket
from support.outlets import MemoryBus, MemoryQueue, MemoryQueues

LOADED_PREFIXES = ("raw/", "webhooks/", "drops/")
MOST_ROUNDS = 500


class MachineQueues(MemoryQueues):
    """The queues; a record's ARN ends with its queue's name."""

    def of(self, arn: str) -> MemoryQueue:
        return self.named()[arn.rpartition(":")[2]]

    def named(self) -> dict[str, MemoryQueue]:
        return {
            "runs": self.runs,
            "collect": self.collecting,
            "reports": self.reports,
            "landing": self.landing,
            **self.workers,
        }


class Invocation:
    """What Lambda hands to a function."""

    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


class Machine:
    """Runs until every queue is empty; when all messages wait, the clock moves to the first that is due."""

    def __init__(self, settings: Settings, clock: FrozenClock, platforms: Platforms) -> None:
        make_bucket(settings.bucket)
        self.clock = clock
        self.app = App(settings, clock, random.Random(1), platforms=platforms, sleep=lambda _: None)
        self.queues, self.bus = MachineQueues(), MemoryBus()
        self.app.__dict__.update(queues=self.queues, bus=self.bus)
        self._arrived: set[str] = set()
        self._consumers = consumers_of(self.app)

    def run(self, *messages: Message) -> None:
        """Send messages to the runs queue and work until nothing is left to do."""
        for message in messages:
            self.queues.runs.send(message)
        for _ in range(MOST_ROUNDS):
            self._announce_objects()
            taken = {name: queue.take() for name, queue in self.queues.named().items()}
            if not any(taken.values()):
                return
            self._wait_for_the_first([message for batch in taken.values() for message in batch])
            for name, batch in taken.items():
                for message in batch:
                    if self._is_due(message):
                        self._deliver(name, message)
                    else:
                        self.queues.named()[name].messages.append(message)
        raise AssertionError(f"still busy after {MOST_ROUNDS} rounds: {self.queues.named()}")

    def _announce_objects(self) -> None:
        """What S3's notifications do. It looks into moto's bucket: to list all objects takes longer than a round."""
        bucket = self.app.settings.bucket
        for key in sorted(set(s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys) - self._arrived):
            self._arrived.add(key)
            if key.startswith(LOADED_PREFIXES):
                self.queues.landing.send(ObjectArrived(bucket=bucket, key=key))

    def _wait_for_the_first(self, messages: list[Message]) -> None:
        due = min(message.not_before for message in messages)
        if due > (now := self.clock.now().timestamp()):
            self.clock.advance(due - now + 1)

    def _is_due(self, message: Message) -> bool:
        """Whether a queue hands it over. What is to wait longer than messages do, a function looks at."""
        return not 0 < message.not_before - self.clock.now().timestamp() <= limits.MAX_MESSAGE_WAIT_SECONDS

    def _deliver(self, queue: str, message: Message) -> None:
        record = {
            "messageId": "m",
            "receiptHandle": "r",
            "body": message.model_dump_json(),
            "eventSourceARN": f"arn:aws:sqs:us-east-1:1:{queue}",
        }
        failures = self._consumers[queue]({"Records": [record]}, Invocation())["batchItemFailures"]
        assert not failures, f"the {queue} queue's function failed at {message}: its log says why"


def consumers_of(app: App) -> dict[str, Consumer[Any]]:
    """What the functions of the pipeline do with a batch, by the name of the queue that they read."""
    return {
        "runs": workers.orchestrate(app),
        "collect": workers.collect(app),
        "reports": workers.poll_reports(app),
        "etl": workers.etl(app),
        "curate": workers.curate(app),
        "detect": workers.detect(app),
        "learn": workers.learn(app),
        "enrich": workers.enrich(app),
        "features": workers.features(app),
        "landing": workers.validate(app),
    }
