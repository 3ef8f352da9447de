"""The pipeline's functions as Lambda runs them: their real app.py, one container after another, warm until it dies."""

from __future__ import annotations

import gc
import logging
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any
from unittest import mock

from adweir.insight.ad_features.recorder import FeatureCounts
from adweir.insight.anomalies.watch import Watched
from adweir.model.log import log
from adweir.platforms import Platforms
from adweir.runtime import app as composition
from adweir.runtime.app import App
from adweir.runtime.settings import Settings, queue_part
from adweir.store.dynamo import keyed, tables
from adweir.store.metrics import partitions
from simulation.platform import NAME
from simulation.scheduler import SimulatedClock
from simulation.trace import Trace
from support.account_stand_in import DOERS, AccountStandIn

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("catalog", "metrics", "ledger", "findings")
CATALOG, METRICS, LEDGER, FINDINGS = TABLES
BUCKET = "data"
URL = "https://sqs.us-east-1.amazonaws.com/1/"
SETTLE_SECONDS = 400
PLATFORMS = {
    "plain": Platforms({str(NAME): "simulation.platform"}),
    "totals": Platforms({str(NAME): "simulation.platform.totals"}),
    "hours": Platforms({str(NAME): "simulation.platform.hours"}),
}
"""Simulated Ads: as it is, with account totals, and with hours."""


@dataclass(frozen=True)
class Function:
    """A function: the queue that it reads, its time-out in seconds, messages per invocation."""

    name: str
    queue: str
    timeout: int
    batch: int


COLLECT_QUEUE = f"collect-{queue_part(NAME)}"
ALL = (
    Function("orchestrate", "runs", 20, 10),
    Function("collect", COLLECT_QUEUE, 20, 1),
    Function("poll_reports", "reports", 20, 1),
    Function("validate", "landing", 20, 1),
    Function("etl", "etl", 20, 1),
    Function("curate", "curate", 20, 1),
    Function("detect", "detect", 20, 1),
    Function("learn", "learn", 20, 1),
    Function("enrich", "enrich", 20, 1),
    Function("features", "features", 20, 1),
)
QUEUES = tuple(function.queue for function in ALL)


class Container:
    """One process of a function. `handler` is the function's own."""

    def __init__(self, function: Function, parts: Parts) -> None:
        app = App(
            settings_of(function),
            SimulatedClock(parts.clock_of, parts.rng.uniform(-0.05, 0.05)),
            random.Random(parts.rng.getrandbits(32)),
            service=function.name,
            platforms=PLATFORMS[parts.spec],
            sleep=parts.sleep,
        )
        app.__dict__.update(
            _session=SharedClients(),
            logger=_Logger(parts.trace),
            meter=NoMeter(),
            http=None,
        )
        stands_in = AccountStandIn(app)
        for name in DOERS:
            doer = stands_in if parts.stands_in else getattr(app, name)
            app.__dict__[name] = Noted(doer, parts)
        scope: dict[str, Any] = {"__name__": f"function_{function.name}"}
        with mock.patch.object(composition, "build", return_value=app):
            exec(_code(function.name), scope)  # noqa: S102  the function's own app.py
        self.handler: Callable[[dict[str, Any], Any], dict[str, list[dict[str, str]]]] = scope["handler"]


@dataclass(frozen=True)
class Parts:
    """What containers are made with."""

    clock_of: Any
    rng: random.Random
    sleep: Callable[[float], None]
    trace: Trace
    spec: str
    """Which of `PLATFORMS`."""
    stands_in: bool = True
    """Whether `AccountStandIn` does what is done for the account: datasets take long to make."""
    work: list[tuple[str, float]] = field(default_factory=list)
    """What was done for the account, in order: the kind, and when it began."""


class Noted:
    """Notes what one of `DOERS`, or its stand-in, has done for an account, and when it began."""

    def __init__(self, doer: Any, parts: Parts) -> None:
        self._doer = doer
        self._parts = parts

    def publish(self, account_id: str, *how: Any) -> list[Any]:
        begun = self._parts.clock_of.now
        manifests: list[Any] = self._doer.publish(account_id, *how)
        self._parts.work.append(("etl", begun))
        return manifests

    def score(self, account_id: str, remaining: object, margin: float) -> int:
        begun = self._parts.clock_of.now
        scored: int = self._doer.score(account_id, remaining, margin)
        self._parts.work.append(("reconcile", begun))
        return scored

    def curate(self, account_id: str, *how: Any) -> dict[str, int]:
        begun = self._parts.clock_of.now
        made: dict[str, int] = self._doer.curate(account_id, *how)
        self._parts.work.append(("curate", begun))
        return made

    def look(self, account_id: str, *how: Any) -> Watched:
        begun = self._parts.clock_of.now
        found: Watched = self._doer.look(account_id, *how)
        self._parts.work.append(("detect", begun))
        return found

    def learn(self, account_id: str, *how: Any) -> dict[str, int]:
        begun = self._parts.clock_of.now
        counts: dict[str, int] = self._doer.learn(account_id, *how)
        self._parts.work.append(("learn", begun))
        return counts

    def enrich(self, account_id: str, *how: Any) -> dict[str, int]:
        begun = self._parts.clock_of.now
        counts: dict[str, int] = self._doer.enrich(account_id, *how)
        self._parts.work.append(("enrich", begun))
        return counts

    def record(self, account_id: str, *how: Any) -> FeatureCounts:
        begun = self._parts.clock_of.now
        counts: FeatureCounts = self._doer.record(account_id, *how)
        self._parts.work.append(("features", begun))
        return counts


@cache
def _code(name: str) -> CodeType:
    path = ROOT / "functions" / name / "app.py"
    return compile(path.read_text(), str(path), "exec")


@cache
def settings_of(function: Function) -> Settings:
    return Settings(
        catalog_table=CATALOG,
        metrics_table=METRICS,
        ledger_table=LEDGER,
        findings_table=FINDINGS,
        bucket=BUCKET,
        bus_name="bus",
        runs_queue_url=URL + "runs",
        collect_queues=URL + "collect-{platform}",
        reports_queue_url=URL + "reports",
        landing_queue_url=URL + "landing",
        etl_queue_url=URL + "etl",
        curate_queue_url=URL + "curate",
        detect_queue_url=URL + "detect",
        learn_queue_url=URL + "learn",
        enrich_queue_url=URL + "enrich",
        features_queue_url=URL + "features",
        poll_seconds=30.0,
        poll_max_seconds=60.0,
        report_timeout_seconds=600,
        task_deadline_seconds=5400,
        function_timeout_seconds=function.timeout,
        history_days=2,
        stale_after_seconds=SETTLE_SECONDS,
    )


class SharedClients:
    """Hands out real clients of botocore, one a service for the whole process: making one takes 50 ms."""

    def create_client(self, service: str, config: object) -> Any:
        return shared_client(service)


@cache
def shared_client(service: str) -> Any:
    """A service's client."""
    from botocore.session import get_session

    return get_session().create_client(service, region_name="us-east-1")


class NoMeter:
    """Writes no metrics, whatever it is asked to."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_about, **_options: None


class _Logger:
    """The functions' logger: its lines go into the trace."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def info(self, text: str, extra: object = None) -> None:
        self._trace.say(f"log: {text} {extra or ''}")

    warning = error = info

    def exception(self, text: str) -> None:
        import sys

        self._trace.say(f"log: {text}: {sys.exc_info()[1]!r}")


class _ToTrace(logging.Handler):
    """The core's log lines, as part of the trace of the run that is under way."""

    traces: list[Trace] = []  # noqa: RUF012  the newest counts

    def emit(self, record: logging.LogRecord) -> None:
        if self.traces:
            self.traces[-1].say(
                f"log: {record.getMessage()} {record.exc_info[1]!r}" if record.exc_info else record.getMessage()
            )


@contextmanager
def one_process() -> Iterator[None]:
    """What a process of simulations shares: clients, one PynamoDB connection, silence."""
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    handlers, propagate, level = log.handlers, log.propagate, log.level
    with mock.patch.dict(os.environ, environment):
        tables.reset()
        tables.bind(*TABLES)
        connection = tables.connect()
        with (
            mock.patch.object(tables, "connect", return_value=connection),
            mock.patch.object(partitions, "fast_wire", lambda connection: connection),
            mock.patch.object(keyed, "new_token", _Tokens()),
            mock.patch.object(gc, "freeze"),  # containers come and go here, and leave garbage
        ):
            log.handlers, log.propagate = [_ToTrace()], False
            log.setLevel(logging.INFO)
            try:
                yield
            finally:
                log.handlers, log.propagate = handlers, propagate
                log.setLevel(level)
                tables.reset()


@contextmanager
def traced(trace: Trace) -> Iterator[None]:
    """The core's log lines go into this trace."""
    _ToTrace.traces.append(trace)
    try:
        yield
    finally:
        _ToTrace.traces.remove(trace)


class _Tokens:
    """Names of writes, each another."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self) -> str:
        self._count += 1
        return f"w{self._count}"
