"""What Lambda, its queues and its schedule do for a deployment, in one process: one message after the other."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pynamodb.connection import Connection

from adweir.library.lone import checked_urls
from adweir.model import limits
from adweir.model.errors import Unavailable, Unprocessable
from adweir.model.messages import ObjectArrived, Sweep
from adweir.model.operation_metrics import OperationMetric
from adweir.pipeline.object_replays import LOADED
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector, OwnTokens
from adweir.runtime import workers
from adweir.runtime.app import App
from adweir.runtime.meter import Meter
from adweir.runtime.settings import Settings
from adweir.store.dynamo import tables
from adweir.store.ledger.leases import LEASES
from sandbox.aws.botocore_calls import services
from sandbox.aws.clients import OwnClient
from sandbox.aws.dynamodb import DynamoDB
from sandbox.aws.events import OwnBus, Secrets
from sandbox.aws.s3 import S3
from sandbox.aws.sqs import DEAD, SentMessage, Sqs

if TYPE_CHECKING:
    from adweir.model.entities import Credential
    from adweir.model.times import Clock
    from sandbox.aws.disk import Disk

TABLES = ("catalog", "metrics", "ledger", "findings")
BUCKET = "data"
_URL = "https://queues.invalid/"
_FUNCTION_SECONDS = 300
_SWEEP_SECONDS = 60.0
_AGAIN_SECONDS = 2.0
"""After a fault of ours."""
_LOOK_SECONDS = 1.0
"""Between two looks while everything waits."""
_ONE_AT_A_TIME = threading.RLock()
"""PynamoDB's models are the process's: one system works at a time."""
log = logging.getLogger("adweir.local")
log.addHandler(logging.NullHandler())  # a script that wants to see more says so


def settings(urls: Mapping[str, Mapping[str, str]], history_days: int) -> Settings:
    """What template.yaml would hand to the functions. Raises Unprocessable."""
    if not 1 <= history_days <= limits.MAX_BACKFILL_DAYS:
        said = f"history_days is from 1 to {limits.MAX_BACKFILL_DAYS}"
        raise Unprocessable(said, [{"field": "history_days", "message": said}])
    named = {REGISTRY.parse(name): each for name, each in urls.items()}
    return Settings(
        **{f"{name}_table": name for name in TABLES},
        bucket=BUCKET,
        bus_name="bus",
        runs_queue_url=f"{_URL}runs",
        collect_queues=f"{_URL}collect-{{platform}}",
        reports_queue_url=f"{_URL}reports",
        landing_queue_url=f"{_URL}landing",
        etl_queue_url=f"{_URL}etl",
        curate_queue_url=f"{_URL}curate",
        detect_queue_url=f"{_URL}detect",
        learn_queue_url=f"{_URL}learn",
        enrich_queue_url=f"{_URL}enrich",
        features_queue_url=f"{_URL}features",
        dead_letter_queues=f"{_URL}{DEAD}{{queue}}",
        platform_urls={str(name): dict(checked_urls(REGISTRY.spec(name), each)) for name, each in named.items()},
        poll_seconds=1.0,
        poll_max_seconds=60.0,
        function_timeout_seconds=_FUNCTION_SECONDS,
        history_days=history_days,
    )


class LocalApp(App):
    """The product's parts. Access tokens stay in memory, and nothing is written to CloudWatch."""

    answer: Callable[[str, str, Mapping[str, Any]], dict[str, Any]]

    def client(self, service: str) -> Any:
        return OwnClient(service, self.answer)

    @cached_property
    def logger(self) -> Any:
        return _LocalLog()

    @cached_property
    def meter(self) -> Meter:
        return _NoMeter()

    @cached_property
    def _tokens(self) -> OwnTokens:
        return OwnTokens(self.clock)

    def connector(self, credential: Credential, route: str = "") -> Connector:
        values = self.secrets.get(credential.secret_id, str(credential.version))
        return self._connect(credential, values, self._tokens, route)


class Machine:
    """A system's parts at work. `disk` is None for one in memory."""

    def __init__(
        self, given: Settings, clock: Clock, disk: Disk | None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.disk = disk
        self._clock = clock
        self._sleep = sleep
        self._turn = threading.RLock()  # the metric store reads with several threads
        self.app = LocalApp(given, clock, sleep=sleep)
        self.app.answer = self._answer
        names = *given.queue_urls(self.app.platforms), "delivery"
        now = lambda: clock.now().timestamp()  # noqa: E731  the double's form of a clock
        self.sqs = Sqs(names, now, shelf=disk.messages if disk else None)
        self._bus = OwnBus()
        s3 = S3(BUCKET, clock.now, disk.objects if disk else None)
        s3.arrived = self._arrived
        self._aws = services(
            dynamodb=DynamoDB(TABLES, disk.items if disk else None),
            s3=s3,
            sqs=self.sqs,
            events=self._bus,
            secretsmanager=Secrets(clock.now),
        )
        self._dynamodb = OwnClient("dynamodb", self._answer)
        self._next_sweep = clock.monotonic() + _SWEEP_SECONDS
        self._is_new = disk is not None
        """Whether a process before this one may have stopped amid its work."""
        self._at_work: tuple[SentMessage, int] | None = None
        """The message that is worked on, and how often it was received before."""

    @contextmanager
    def in_place(self) -> Iterator[LocalApp]:
        """The app, for a block in which its stores are this system's."""
        with _ONE_AT_A_TIME, tables.lent(_connection(self._dynamodb), *TABLES):
            yield self.app

    def work(self, is_over: Callable[[], bool], patience: float) -> bool:
        """Work until nothing is left to do now and it is over; False where that takes longer than `patience` seconds.

        To be called in place. Raises Unavailable where a message failed too often.
        """
        end, before = self._clock.monotonic() + patience, self._dead
        self._give_back()
        while True:
            self._sweep()
            ready = next(((name, sent) for name in self._order for sent in self.sqs.visible(name)), None)
            if ready is not None:
                self._deliver(*ready)
            elif is_over():
                return True
            else:
                self._check_dead(before)
                self._wait(end)
            if self._clock.monotonic() >= end:
                return is_over()

    def try_again(self) -> int:
        """Send again what failed too often; how much that was."""
        with self._whole():
            return sum(self.sqs.dig_up(name) for name in self._order)

    def close(self) -> None:
        if self.disk is not None:
            self.disk.close()

    # --- AWS

    def _answer(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        with self._turn, self._whole():
            answer = self._aws(service, operation, params)
            self._bus.published.clear()  # nobody listens
            return answer

    def _whole(self) -> AbstractContextManager[None]:
        return self.disk.call() if self.disk else nullcontext()

    def _arrived(self, key: str) -> None:
        if key.startswith(LOADED):
            body = ObjectArrived(bucket=BUCKET, key=key).model_dump_json()
            self.sqs.call("SendMessage", {"QueueUrl": f"{_URL}landing", "MessageBody": body})

    # --- messages

    @cached_property
    def _order(self) -> tuple[str, ...]:
        """The queues, those first whose work makes room."""
        first = ("runs", "landing", "reports", "etl", "curate", "detect", "learn", "enrich", "features")
        return (*first, *(name for name in self.sqs.queues if name not in first))

    @cached_property
    def _consumers(self) -> Mapping[str, Callable[[Mapping[str, Any], Any], Mapping[str, Any]]]:
        app, collect = self.app, workers.collect(self.app)
        own: dict[str, Callable[[Mapping[str, Any], Any], Mapping[str, Any]]] = {
            "runs": workers.orchestrate(app),
            "landing": workers.validate(app),
            "reports": workers.poll_reports(app),
            "etl": workers.etl(app),
            "curate": workers.curate(app),
            "detect": workers.detect(app),
            "learn": workers.learn(app),
            "enrich": workers.enrich(app),
            "features": workers.features(app),
        }
        return {name: own.get(name, collect) for name in self._order}

    def _deliver(self, name: str, sent: SentMessage) -> None:
        self._at_work = sent, sent.receives
        self.sqs.take(sent, 6.0 * _FUNCTION_SECONDS)
        hidden, handle = sent.visible_at, sent.handle
        record = {
            "messageId": sent.id,
            "receiptHandle": handle,
            "body": sent.body,
            "eventSourceARN": f"arn:aws:sqs:local:0:{name}",
            "attributes": {"MessageGroupId": sent.group, "ApproximateReceiveCount": str(sent.receives)},
        }
        failed = self._consumers[name]({"Records": [record]}, _Invocation(self._clock))["batchItemFailures"]
        if not failed:
            self._answer("sqs", "DeleteMessage", {"QueueUrl": _URL + name, "ReceiptHandle": handle})
        else:
            with self._whole():
                if sent.receives >= limits.MAX_RECEIVES:
                    self.sqs.bury(name, sent)
                elif sent.visible_at == hidden:
                    self.sqs.put_back(name, sent, _AGAIN_SECONDS)
        self._at_work = None

    @property
    def _dead(self) -> dict[str, int]:
        """How many messages of each queue failed too often."""
        return {name: len(line.dead) for name, line in self.sqs.queues.items()}

    def _check_dead(self, before: Mapping[str, int]) -> None:
        """Raises Unavailable where a message failed too often since then: older ones do not hold up a new run."""
        for name, line in self.sqs.queues.items():
            if len(line.dead) > before[name]:
                first = line.dead[before[name]]
                reason = self.app.ledger.last_words.of([first.id]).get(first.id, "unknown")
                raise Unavailable(
                    f"the run cannot go on: {len(line.dead)} messages of the queue {name} failed {first.receives}"
                    f" times, one of them because of {reason}; `resume` tries them again"
                )

    def _sweep(self) -> None:
        if self._clock.monotonic() >= self._next_sweep:
            self._next_sweep = self._clock.monotonic() + _SWEEP_SECONDS
            self.app.queues.runs.send(Sweep())

    def _wait(self, end: float) -> None:
        """Until the next message is due, but for a moment at most: a wait can be interrupted."""
        now, at = self._clock.now().timestamp(), self._clock.monotonic()
        dues = (sent.visible_at - now for line in self.sqs.queues.values() for sent in line.messages)
        seconds = min([*dues, self._next_sweep - at, end - at, _LOOK_SECONDS])
        self._sleep(max(0.01, seconds))

    def _give_back(self) -> None:
        """What a process held that stopped amid its work is free: nobody else has this system."""
        if not (self._is_new or self._at_work):
            return
        if self._at_work:  # the message is as if it had not been received
            sent, receives = self._at_work
            sent.receives, sent.visible_at = receives, self._clock.now().timestamp()
        self.sqs.load()
        self._next_sweep = self._clock.monotonic()
        ledger = self.app.ledger
        for name in self.disk.items.partitions("ledger", LEASES) if self.disk else ():
            ledger.free(name.removeprefix(LEASES))
        now = self._clock.now().timestamp()
        for run in ledger.runs_open():
            for task in ledger.tasks(run.run_id):
                if task.hold_until > now and not task.state.is_terminal:
                    ledger.release(task)
        self._is_new, self._at_work = False, None


def _connection(client: Any) -> Connection:
    """PynamoDB's connection with this client, which there is no public way to give it."""
    connection = Connection()
    connection._client = client  # noqa: SLF001
    return connection


class _Invocation:
    """What Lambda tells a function: here, too, work that takes long is handed on."""

    aws_request_id = "local"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._end = clock.monotonic() + _FUNCTION_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - self._clock.monotonic()) * 1000)


class _LocalLog:
    """The functions' logger, as part of Python's: the logger `adweir.local`."""

    def info(self, text: str, extra: object = None) -> None:
        log.info("%s %s", text, extra or "")

    def warning(self, text: str, extra: object = None) -> None:
        log.warning("%s %s", text, extra or "")

    def error(self, text: str, extra: object = None) -> None:
        log.error("%s %s", text, extra or "")

    def exception(self, text: str, extra: object = None) -> None:
        log.error("%s %s\n%s", text, extra or "", traceback.format_exc())


class _NoMeter(Meter):
    """Writes no metrics: nothing here reads them."""

    def __init__(self) -> None:
        """It needs nothing."""

    def share(self, name: OperationMetric, percent: float, function: str) -> None:
        """See `Meter`."""

    def count(self, found: Mapping[OperationMetric, int]) -> None:
        """See `Meter`."""
