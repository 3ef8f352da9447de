"""What one task costs on AWS: requests, capacity units and US dollars by kind of task, from planned to stored.

The real parts and the sandbox's platforms run in one process on moto. Two days of the daily workflow are run, and the
second is counted: numbers are pulled again and partly restated, lists come unchanged. `entity_task` is the mean of the
lists of campaigns, ads and so on, `report_task` the mean of the daily reports that answer at the third poll and whose
28 days lie in two months (Meta's). Each has its share of planning, of the end of its run, and of three sweeps.
`planning` is one stage of 1,000 profiles x 5 data sets, all at once, coverage, task rows, markers and messages.

DynamoDB's units follow from the stored items by AWS's rules (tests/support/aws_calls.py). A message is three SQS
requests: sent (ten per request where planning sends them), received, deleted. S3 tells EventBridge of every object.
A function's seconds are its own CPU time here, scaled to its share of a processor, and the waits of `WAITS`, which
are assumptions. Prices: bench/prices.json. Last line: one JSON object.

    python bench/calls.py
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core"), str(ROOT / "tests")]

import boto3  # noqa: E402
import requests  # noqa: E402
from moto import mock_aws  # noqa: E402
from moto.dynamodb import models as moto_tables  # noqa: E402
from moto.dynamodb.models.table import Table  # noqa: E402

from adweir.model.datasets import Dataset  # noqa: E402
from adweir.model.entities import Profile  # noqa: E402
from adweir.model.messages import Message, PlanStage, Scope, StartRun, Sweep, TaskMessage  # noqa: E402
from adweir.model.platforms import Platform  # noqa: E402
from adweir.model.runs import CurrentStage, Run  # noqa: E402
from adweir.model.tasks import Task  # noqa: E402
from adweir.model.times import iso  # noqa: E402
from adweir.platforms import REGISTRY  # noqa: E402
from adweir.runtime.settings import Settings  # noqa: E402
from adweir.store.dynamo import tables  # noqa: E402
from sandbox.outside import Outside  # noqa: E402
from sandbox.platforms import platform_urls, population, stand_ins  # noqa: E402
from sandbox.platforms.base import StandIn  # noqa: E402
from sandbox.server import PlatformServer  # noqa: E402
from support.aws_calls import AwsCalls, Call  # noqa: E402
from support.clock import FrozenClock  # noqa: E402
from support.machine import Machine  # noqa: E402
from support.outlets import MemoryQueue  # noqa: E402
from support.template import template  # noqa: E402

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "POWERTOOLS_TRACE_DISABLED": "true",
}
META, AMAZON = Platform("meta_ads"), Platform("amazon_ads")
ANCHOR = date(2026, 11, 7)
"""The 28 days before lie in two months, and both have days that the platform still restates."""
POLLS = 3
SWEEPS = 3
"""A run that takes a quarter of an hour is swept three times."""
PROFILES, DATASETS = 1000, 5
MOST = {"entity_task": 12, "report_task": 30, "planning": 8000}
MOST_USD = 0.25
FUNCTIONS = {
    "runs": "OrchestrateFunction",
    "collect": "CollectFunction",
    "reports": "PollReportsFunction",
    "landing": "ValidateFunction",
    "etl": "EtlFunction",
    "curate": "CurateFunction",
    "detect": "DetectFunction",
    "learn": "LearnFunction",
    "enrich": "EnrichFunction",
    "features": "FeaturesFunction",
}
WAITS = {"dynamodb": 0.005, "s3": 0.03, "secretsmanager": 0.02, "sqs": 0.01, "events": 0.01, "platform": 0.6}
"""Seconds that a function waits for one answer."""
PROCESSOR_MB = 1769
"""Memory with which a function has one processor (AWS Lambda, Configure function memory)."""
LOG_BYTES = 380
"""Lambda's own START, END and REPORT lines of an invocation."""
METRIC_BYTES = 350
"""A line of embedded metrics."""
TRACED = 0.05
"""X-Ray's default share of the invocations beyond one per second."""


class Work(NamedTuple):
    """What an invocation was about: the queue, and the platform's data set ("" for the run's own messages)."""

    queue: str
    dataset: str

    def __str__(self) -> str:
        return f"{self.queue} {self.dataset}"


class Bill:
    """What was used, as lines of the price table, and how many requests that were."""

    def __init__(self) -> None:
        self.used: defaultdict[str, float] = defaultdict(float)
        self.requests: defaultdict[str, float] = defaultdict(float)

    def add(self, other: Bill, share: float = 1.0) -> Bill:
        """Add a share of another bill."""
        for name, amount in other.used.items():
            self.used[name] += amount * share
        for name, amount in other.requests.items():
            self.requests[name] += amount * share
        return self

    def priced(self) -> dict[str, float]:
        """US dollars by line of the price table."""
        prices = json.loads((ROOT / "bench" / "prices.json").read_text())["prices"]
        return {name: amount * prices[name]["usd"] for name, amount in self.used.items() if amount}

    def figures(self) -> dict[str, Any]:
        """The bill for the report."""
        found = {f"{name}_requests": round(self.requests[name], 2) for name in ("dynamodb", "sqs", "s3")}
        units = {f"{kind}_units": round(self.used[f"dynamodb_{kind}_unit"], 2) for kind in ("write", "read")}
        priced = {name: float(f"{usd:.3g}") for name, usd in self.priced().items()}
        return found | units | {"usd": float(f"{sum(self.priced().values()):.4g}"), "usd_by_line": priced}


class Meter:
    """What the functions of one machine use, by work. It takes the place of the log's stream."""

    def __init__(self) -> None:
        self.calls = AwsCalls()
        self.invocations: Counter[Work] = Counter()
        self.cpu: defaultdict[Work, float] = defaultdict(float)
        self.log_bytes: Counter[Work] = Counter()
        self.now: Work | None = None

    def clear(self) -> None:
        """Begin to count anew."""
        self.calls.clear()
        for counter in (self.invocations, self.cpu, self.log_bytes):
            counter.clear()

    @contextmanager
    def counting(self, machine: Machine) -> Iterator[None]:
        """Count what the machine does in `at`."""
        send, send_many, ask, meter = MemoryQueue.send, MemoryQueue.send_many, requests.Session.send, self

        def sent(queue: MemoryQueue, message: Message, *, delay: int = 0, group: str = "") -> None:
            meter._count("sqs", "SendMessage")
            send(queue, message, delay=delay, group=group)

        def sent_many(queue: MemoryQueue, messages: Iterable[tuple[Message, str]]) -> None:
            known, work = list(messages), meter.now
            meter.now = None
            send_many(queue, known)
            meter.now = work
            for _ in range(ceil(len(known) / 10)):
                meter._count("sqs", "SendMessageBatch")

        def asked(session: requests.Session, request: Any, **how: Any) -> Any:
            meter._count("platform", "")
            return ask(session, request, **how)

        handler = machine.app.logger.handlers[0]
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(self)
        with ExitStack() as stack:
            # moto copies whole tables before each transaction, which here never has to be undone.
            stack.enter_context(mock.patch.object(moto_tables, "copy", SimpleNamespace(deepcopy=_copied)))
            stack.enter_context(mock.patch.object(MemoryQueue, "send", sent))
            stack.enter_context(mock.patch.object(MemoryQueue, "send_many", sent_many))
            stack.enter_context(mock.patch.object(requests.Session, "send", asked))
            stack.enter_context(self.calls.counting())
            yield

    @contextmanager
    def at(self, work: Work, machine: Machine) -> Iterator[None]:
        """One invocation."""
        about, events = str(work), len(machine.bus.events)
        began, engine = time.thread_time(), self.calls.engine_seconds[about]
        self.now, self.calls.about = work, about
        self.invocations[work] += 1
        try:
            yield
        finally:
            self.cpu[work] += time.thread_time() - began - (self.calls.engine_seconds[about] - engine)
            for _ in machine.bus.events[events:]:
                self._count("events", "PutEvents")
            self.now, self.calls.about = None, ""

    def bill(self, *works: Work) -> Bill:
        """What all invocations of these works used."""
        total = Bill()
        for work in works:
            total.add(self._bill(work))
        return total

    def _bill(self, work: Work) -> Bill:
        about, count = str(work), self.invocations[work]
        service, operation = Counter[str](), Counter[str]()
        for call, n in self.calls.requests.items():
            if call.about == about:
                service[call.service] += n
                operation[call.operation] += n
        listed, landed = operation["PutObject"] + operation["ListObjectsV2"], operation["PutObject"]
        sent_by_eventbridge = count if work.queue == "landing" else 0
        memory = _memory(FUNCTIONS[work.queue])
        seconds = self.cpu[work] / min(1.0, memory / PROCESSOR_MB)
        seconds += sum(WAITS[name] * n for name, n in service.items())
        logged = self.log_bytes[work] + LOG_BYTES * count + METRIC_BYTES * service["events"]
        bill = Bill()
        bill.requests.update(
            dynamodb=service["dynamodb"], s3=service["s3"], sqs=service["sqs"] + sent_by_eventbridge + 2 * count
        )
        bill.used.update(
            dynamodb_write_unit=self.calls.write_units[about],
            dynamodb_read_unit=self.calls.read_units[about],
            sqs_request=bill.requests["sqs"],
            s3_put=listed,
            s3_get=service["s3"] - listed,
            eventbridge_event=service["events"] + landed,
            secrets_request=service["secretsmanager"],
            lambda_request=count,
            lambda_arm64_gb_second=seconds * memory / 1024,
            logs_gb=logged / 1e9,
            xray_trace=count * TRACED,
        )
        return bill

    def write(self, text: str) -> int:
        """What is logged: only its length counts."""
        if self.now:
            self.log_bytes[self.now] += len(text.encode())
        return len(text)

    def flush(self) -> None:
        """There is nothing to flush."""

    def _count(self, service: str, operation: str) -> None:
        if self.now:
            self.calls.requests[Call(str(self.now), service, operation)] += 1


class CountedMachine(Machine):
    """A machine whose invocations are counted, and whose reports are ready at the third poll."""

    def __init__(self, settings: Settings, clock: FrozenClock, meter: Meter, outside: Outside | None = None) -> None:
        super().__init__(settings, clock, REGISTRY)
        self._meter = meter
        self._outside = outside

    def _deliver(self, queue: str, message: Any) -> None:
        if message.not_before > self.clock.now().timestamp():
            self.queues.named()[queue].send(message)  # SQS still hides it
            return
        dataset = ""
        if isinstance(message, TaskMessage):
            found = self.app.ledger.get_task(message.run_id, message.task_id)
            task = found if isinstance(found, Task) else None
            dataset = f"{task.platform}:{task.dataset}" if task else str(found.kind) if found else ""
            if task and queue == "reports" and message.attempt + 1 >= POLLS and self._outside:
                self._outside.state.reports[task.report_id]["seconds"] = 0.0
        elif queue == "landing":
            _, platform, _, dataset, _ = message.key.split("/")
            dataset = f"{platform}:{dataset}"
        with self._meter.at(Work(queue, dataset), self):
            super()._deliver(queue, message)

    def handle(self, queue: str, message: Message) -> None:
        """Deliver one message, and again as long as its function asks for it; what it sends others stays in queues."""
        waiting = [message]
        while waiting:
            for each in waiting:
                self.clock.advance(max(0.0, each.not_before - self.clock.now().timestamp() + 1))
                self._deliver(queue, each)
            waiting = [each for each in self.queues.named()[queue].take() if type(each) is type(message)]


def _copied(kept: Any) -> Any:
    return kept if isinstance(kept, Table) else copy.deepcopy(kept)


def _memory(function: str) -> int:
    found: dict[str, Any] = template().of("AWS::Lambda::Function")[function]
    return int(found["MemorySize"])


def settings(**values: Any) -> Settings:
    """Settings of a deployment on moto, with its tables."""
    names = {"catalog": "catalog", "metrics": "metrics", "ledger": "ledger", "findings": "findings"}
    tables.bind(*names.values())
    for schema in tables.schemas():
        boto3.client("dynamodb").create_table(**schema)
    named = {f"{name}_table": table for name, table in names.items()}
    return Settings(**named, bucket="bucket", bus_name="bus", history_days=28, **values)


def measured_platforms() -> list[StandIn]:
    """The platforms whose tasks are measured: one answers in pages, one in reports, which the bench finishes."""
    return [each for each in stand_ins() if each.platform in (META, AMAZON)]


@mock_aws
def tasks() -> dict[str, Any]:
    """Two days of the daily workflow; the second is counted."""
    present = measured_platforms()
    outside = Outside(anchor=ANCHOR, report_seconds=1e9, population=population(present))
    clock, meter = FrozenClock(datetime(ANCHOR.year, ANCHOR.month, ANCHOR.day, 6, tzinfo=UTC)), Meter()
    with PlatformServer(outside, present) as server:
        machine = CountedMachine(settings(platform_urls=platform_urls(server.url)), clock, meter, outside)
        app = machine.app
        for company in outside.world.companies:
            app.catalog.create_account(company.key, company.name, company.email)
            for name, body in company.credentials.items():
                platform, _, label = name.partition(":")
                app.registration.register(company.key, platform, body, label)
        with meter.counting(machine):
            machine.run(StartRun(workflow="daily", scheduled_at=clock.now(), run_id="first"))
            clock.advance(86_400)
            outside.move(timedelta(days=1))
            meter.clear()
            machine.run(StartRun(workflow="daily", scheduled_at=clock.now(), run_id="second"))
        run = app.ledger.get_run("second")
        if run is None or run.state != "succeeded":
            raise SystemExit(f"the run ended {run}")
        return per_task(meter, list(app.ledger.pulls("second")))


def per_task(meter: Meter, planned: list[Task]) -> dict[str, Any]:
    """The mean task of each kind, and what a million of the rows that it brings would cost."""
    shared = meter.bill(*(work for work in meter.invocations if work.queue == "runs"))
    bills = {}
    chosen: dict[str, Callable[[Task], bool]] = {
        "entity_task": lambda task: task.dataset.grain is None and task.dataset is not Dataset.PROFILES,
        "report_task": lambda task: bool(task.report_id) and task.platform == META,
    }
    for name, wanted in chosen.items():
        ours = [task for task in planned if wanted(task)]
        names = {f"{task.platform}:{task.dataset}" for task in ours}
        bill = meter.bill(*(work for work in meter.invocations if work.dataset in names))
        bills[name] = Bill().add(bill, 1 / len(ours)).add(shared, 1 / len(planned))
    rows = [task.counts["rows_read"] for task in planned if chosen["report_task"](task)]
    ads = next(task for task in planned if task.platform == META and task.dataset is Dataset.AD_DAILY)
    return {"bills": bills, "rows": sum(rows) / len(rows), "window": str(ads.window)}


@mock_aws
def planning() -> tuple[Bill, Bill]:
    """A stage of 1,000 profiles x 5 data sets, and one sweep over its tasks."""
    clock, meter = FrozenClock(datetime(ANCHOR.year, ANCHOR.month, ANCHOR.day, 6, tzinfo=UTC)), Meter()
    machine = CountedMachine(settings(), clock, meter)
    app = machine.app
    app.catalog.create_account("acme", "Acme", "data@acme.example")
    app.catalog.put_objects(_profiles(), iso(clock.now()))
    chosen = Scope(datasets=("ad_daily", "ad_group_daily", "campaign_daily", "campaigns", "ads"))
    current = (CurrentStage("pulls"),)
    run = Run(run_id="r", workflow="daily", scheduled_at=iso(clock.now()), scope=chosen, current=current)
    app.ledger.create_run(run)
    bills = []
    for message in (PlanStage(run_id="r", stage="pulls"), Sweep()):
        meter.clear()
        with meter.counting(machine):
            machine.handle("runs", message)
        bills.append(meter.bill(*meter.invocations))
    planned = sum(1 for _ in app.ledger.tasks("r"))
    if planned != PROFILES * DATASETS:
        raise SystemExit(f"{planned} tasks were planned")
    return bills[0], bills[1]


def _profiles() -> Iterator[Profile]:
    for number in range(PROFILES):
        yield Profile(
            account_id="acme",
            platform=META,
            profile_id=str(1_042_000_000 + number),
            name=f"Shop {number}",
            currency="EUR",
            timezone="Europe/Berlin",
        )


def main() -> int:
    """Measure and print. Returns 1 when a limit is missed."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    os.environ |= ENVIRONMENT
    stage, sweep = planning()
    measured = tasks()
    bills: dict[str, Bill] = measured["bills"]
    for bill in bills.values():
        bill.add(sweep, SWEEPS / PROFILES / DATASETS)
    report = {
        "bench": "calls",
        **{name: bill.figures() for name, bill in {**bills, "planning": stage, "sweep": sweep}.items()},
        "rows_per_report": round(measured["rows"], 1),
        "report_window": measured["window"],
        "usd_per_million_rows": round(sum(bills["report_task"].priced().values()) / measured["rows"] * 1e6, 4),
        "limits": MOST | {"usd_per_million_rows": MOST_USD},
    }
    figures = {name: report[name]["dynamodb_requests"] for name in MOST}
    report["passed"] = report["usd_per_million_rows"] <= MOST_USD and all(figures[name] <= MOST[name] for name in MOST)
    for name in (*MOST, "sweep"):
        print(f"{name:12}", {key: value for key, value in report[name].items() if key != "usd_by_line"})
    print(json.dumps(report))
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
