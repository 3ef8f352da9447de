"""The whole system under test: its own sandbox, driven through the public entrances and inspected through AWS APIs."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import sys
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import psutil

from adweir.platforms import REGISTRY
from ops.client import Api
from ops.demo.truth import Figures, numbers, total
from ops.demo.world import WorldDoors
from sandbox import processes
from sandbox.forks import NAME_CHARS
from sandbox.home import Home
from sandbox.ministack import client_factory
from support.template import ROOT

T = TypeVar("T")
PATIENCE = 300.0
"""The longest wait for anything, in seconds, on a busy machine; a working story needs a fraction of it."""
_REDRIVES = 2
HISTORY_DAYS = 28
"""Days that the first run pulls; the world's older days are for stories that need days never pulled."""

CROWD = 5
"""Small ad accounts of further clients in the stories' world, for the soak."""
PLATFORMS = ("meta_ads", "amazon_ads")
"""Those that the stories are about: two, because every daily run of the stories pulls everything of each."""
OTHERS = sorted(str(spec.name) for spec in REGISTRY.specs() if spec.name not in PLATFORMS and not spec.described)

_OPTIONS = ("--audit", "--awkward", "--pace", "drill", "--set", f"HistoryDays={HISTORY_DAYS}")

Stored = dict[tuple[str, str], Figures]
"""Figures by entity and day."""


@dataclass(frozen=True)
class Client:
    """A client company that was registered: its account here, and the first of its ad accounts on each platform."""

    key: str
    account_id: str
    meta: str
    amazon: str
    description: dict[str, Any]


def adweir(home: Home, *arguments: str) -> str:
    """Run the operator's command line; returns what it printed."""
    command = [sys.executable, "-m", "ops.cli", "--home", str(home.path), *arguments]
    done = subprocess.run(  # noqa: S603  our own command
        command, cwd=ROOT, env=command_environment(), capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, f"adweir {' '.join(arguments)}: {done.stdout}\n{done.stderr}"
    return done.stdout


def command_environment() -> dict[str, str]:
    """What the command line needs and nothing of the test session's own."""
    return {
        "PYTHONPATH": os.pathsep.join((str(ROOT / "layers/core"), str(ROOT))),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }


class River:
    """One sandbox that runs, with two client companies once `register` was called."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.clients: dict[str, Client] = {}
        self._timers: list[threading.Timer] = []

    # -- its life ----------------------------------------------------------------------------------------------------

    def up(self, *options: str) -> dict[str, Any]:
        """Start it, with these options of `adweir up` in place of the stories' own."""
        adweir(self.home, "up", *(options or _OPTIONS))
        self.description = self.home.read()
        self.api = Api(self.description["api_url"], self.description["api_key"])
        self.world = WorldDoors(self.description["platforms_url"])
        self.aws = client_factory(self.description["aws_endpoint_url"])
        self.sqs, self.s3, self.dynamodb = self.aws("sqs"), self.aws("s3"), self.aws("dynamodb")
        self.bucket = self.description["stack"]["Bucket"]
        return self.description

    def close(self) -> None:
        """Close all connections: a stopping server waits for them."""
        for timer in self._timers:
            timer.cancel()
        for client in (self.sqs, self.s3, self.dynamodb):
            client.close()
        self.api.close()

    def down(self) -> None:
        self.close()
        adweir(self.home, "down")

    def register(self, *keys: str) -> None:
        """Accounts, credentials of `PLATFORMS` and webhook secrets of these clients, through the API."""
        for found in self.world.get("credentials")["accounts"]:
            if found["key"] not in keys:
                continue
            about = {name: found[name] for name in ("company_name", "primary_contact_email")}
            account_id = self.api.post("/api/v1/accounts", about)["account_id"]
            self.connect(account_id, found["credentials"], PLATFORMS)
            secrets, ids = found["webhooks"], found["profile_ids"]
            meta = {"secret": secrets["meta_app_secret"], "verify_token": secrets["meta_verify_token"]}
            path = f"/api/v1/accounts/{account_id}/webhook-secrets"
            self.api.put(f"{path}/meta", meta)
            self.api.put(f"{path}/amazon", {"secret": secrets["push_secret"]})
            key = found["key"]
            amazon = next(iter(ids.get("amazon_ads", [])), "")
            self.clients[key] = Client(key, account_id, ids["meta_ads"][0], amazon, found)

    def connect(self, account_id: str, credentials: Mapping[str, Any], platforms: Collection[str]) -> None:
        """Store a client's credentials of these platforms; their names may carry a label."""
        for name, credential in credentials.items():
            if name.partition(":")[0] in platforms:
                self.api.post(f"/api/v1/accounts/{account_id}/credentials", credential)

    # -- the world ---------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.world.get("clock")["now"])

    def day(self, ago: int) -> str:
        """The date this many days before the world's first today."""
        return (date.fromisoformat(self.world.get("clock")["anchor"]) - timedelta(days=ago)).isoformat()

    @contextmanager
    def misbehaving(self, kind: str, **options: Any) -> Iterator[None]:
        """The platforms misbehave while the block runs."""
        self.world.post("switches", {"kind": kind} | options)
        try:
            yield
        finally:
            self.world.post("switches", {"clear": kind})

    def switches(self) -> list[str]:
        """The kinds that are still on."""
        return [switch["kind"] for switch in self.world.get("switches")["switches"]]

    def requests(self) -> list[dict[str, Any]]:
        """What the platforms were asked, the last few thousand."""
        found: list[dict[str, Any]] = self.world.get("requests", limit="5000")["requests"]
        return found

    def truth(self, profile_id: str, start: str, end: str) -> Stored:
        """What the platform knows at this moment of its ads' days."""
        rows = self.world.get("truth", profile_id=profile_id, start=start, end=end)["rows"]
        return {(row["entity_id"], row["date"]): true_numbers(row) for row in rows if start <= row["date"] <= end}

    def totals(self, profile_id: str, start: str, end: str) -> dict[str, Figures]:
        """The platform's own totals of an ad account by day; days without activity are left out."""
        rows = self.world.get("truth", profile_id=profile_id, start=start, end=end, level="account")["rows"]
        return {row["date"]: true_numbers(row) for row in rows if any(true_numbers(row))}

    def summed(self, profile_id: str, level: str, start: str, end: str) -> dict[str, Figures]:
        """What the API answers at a level, summed by day; days that sum to nothing are left out."""
        filters = {"profile_id": profile_id, "date_range": {"start": start, "end": end}}
        days: dict[str, list[Figures]] = defaultdict(list)
        for row in self.api.records(f"{level}_performance", filters):
            days[row["date"]].append(numbers({name.removeprefix("daily_"): value for name, value in row.items()}))
        return {day: total(rows) for day, rows in days.items() if any(total(rows))}

    def begin_sync(self, client: Client) -> str:
        """Begin to pull everything of a client; returns the run's id."""
        run_id: str = self.api.post(f"/api/v1/ingestion/sync-account/{client.account_id}", {})["run_id"]
        return run_id

    def sync(self, client: Client, *states: str) -> dict[str, Any]:
        """Pull everything of a client; returns the run."""
        return self.ended(self.begin_sync(client), *(states or ("succeeded",)))

    # -- runs --------------------------------------------------------------------------------------------------------

    def repull(self, profiles: Sequence[str], start: str, end: str, *, slice_: str = "all") -> str:
        """Start a run over these days of daily ad numbers; returns its id."""
        scope = {"profiles": list(profiles), "datasets": ["ad_daily"], "slice": slice_, "start": start, "end": end}
        run_id: str = self.api.post("/api/v1/workflows/repull/runs", {"scope": scope})["run_id"]
        return run_id

    def run(self, run_id: str) -> dict[str, Any]:
        """A run as the API shows it; {} until its first message was read."""
        return self.api.find(f"/api/v1/runs/{run_id}") or {}

    def ended(self, run_id: str, *states: str) -> dict[str, Any]:
        """Wait until a run has ended in one of these states."""
        until(lambda: self.state(run_id) not in {"", "running"}, run_id, pause=0.1)
        run = self.run(run_id)
        assert run["state"] in states, run
        return run

    def state(self, run_id: str) -> str:
        """A run's state as it is stored, "" before it began: one request, where the API takes five and a function."""
        key, table = {"pk": {"S": f"run#{run_id}"}, "sk": {"S": "run"}}, self.description["stack"]["LedgerTable"]
        found = self.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
        return str(found["state"]["S"]) if found else ""

    def succeeded(self, run_id: str) -> dict[str, Any]:
        """Wait until a run has succeeded; returns it.

        On a busy machine tasks may wait in their queues until the drill's deadline of a minute is past: these are
        redriven, as an operator would do, and the test session says so. What fails for another reason, or three times,
        fails.
        """
        for _ in range(_REDRIVES):
            run = self.ended(run_id, "succeeded", "partial", "failed")
            if run["state"] == "succeeded":
                return run
            late = run["failed_tasks"]
            assert late, run
            assert {(task["error"] or {}).get("code") for task in late} == {"deadline"}, run
            warnings.warn(f"{run_id}: {len(late)} tasks missed their deadline and are redriven", stacklevel=2)
            self.redrive(run_id)
        return self.ended(run_id, "succeeded")

    def redrive(self, run_id: str, body: Mapping[str, Any] | None = None) -> None:
        """Ask for the failed tasks again, and wait until the run has started again."""
        ended_at = self.run(run_id)["ended_at"]
        self.api.post(f"/api/v1/runs/{run_id}/redrive", body or {})
        until(lambda: self.run(run_id)["ended_at"] != ended_at, f"the redrive of {run_id}")

    def fire(self, workflow: str) -> dict[str, Any]:
        """What the schedule would send at the world's time, and the run it makes, ended well."""
        return self.succeeded(adweir(self.home, "fire", workflow, "--at", self.now.isoformat()).strip())

    # -- what is stored ----------------------------------------------------------------------------------------------

    def stored(self, profile_id: str, start: str, end: str) -> Stored:
        """The ads' days as the API answers them, without what they leave of the account."""
        filters = {"profile_id": profile_id, "date_range": {"start": start, "end": end}}
        rows = self.api.records("ad_performance", filters)
        return {(f"{row['ad_group_id']}~{row['ad_id']}", row["date"]): numbers(row) for row in rows if row["ad_id"]}

    def holds(self, profile_id: str, start: str, end: str) -> bool:
        """Whether what is stored of these days is the truth, and something."""
        return self.stored(profile_id, start, end) == self.truth(profile_id, start, end) != {}

    def holds_product(self, profile_id: str, start: str, end: str, product: str) -> bool:
        """Whether exactly the rows of one ad product are stored, as they are in truth."""
        rows = self.world.get("truth", profile_id=profile_id, start=start, end=end)["rows"]
        ours = {(row["entity_id"], row["date"]) for row in rows if row["ad_product"] == product}
        truth = {key: value for key, value in self.truth(profile_id, start, end).items() if key in ours}
        return self.stored(profile_id, start, end) == truth != {}

    def table(self, name: str) -> dict[tuple[str, str], Any]:
        """Every item of a table of the stack, by its keys."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.description["stack"][f"{name}Table"])
        return {(item["pk"]["S"], item["sk"]["S"]): item for page in pages for item in page["Items"]}

    def keys(self, prefix: str) -> list[str]:
        """The bucket's keys under a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def lines(self, key: str) -> list[dict[str, Any]]:
        """The entries of a gzipped JSON-lines object."""
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]

    def drop(self, name: str, content: bytes) -> str:
        """Put a file where other systems hand files in; returns its version."""
        answer = self.s3.put_object(Bucket=self.bucket, Key=f"drops/{name}", Body=content)
        return str(answer["VersionId"])

    # -- queues and workers ------------------------------------------------------------------------------------------

    def queue(self, name: str) -> str:
        """The URL of one of the stack's queues."""
        return str(self.sqs.get_queue_url(QueueName=f"adweir-{name}")["QueueUrl"])

    def depth(self, name: str) -> int:
        """Messages waiting, in work or delayed."""
        names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue(name), AttributeNames=names)["Attributes"]
        return sum(int(count) for count in found.values())

    def in_work(self, name: str) -> int:
        """Messages that a worker has."""
        attribute = "ApproximateNumberOfMessagesNotVisible"
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue(name), AttributeNames=[attribute])["Attributes"]
        return int(found[attribute])

    def sweep_after(self, *seconds: float) -> None:
        """Send what the sweep's schedule sends every five minutes, so many seconds from now."""
        message = {"QueueUrl": self.queue("runs"), "MessageBody": json.dumps({"kind": "sweep"})}
        for wait in seconds:
            timer = threading.Timer(wait, self.sqs.send_message, kwargs=message)
            timer.start()
            self._timers.append(timer)

    @contextmanager
    def deaf(self, function: str, queue: str, *, forgets: bool = True) -> Iterator[None]:
        """The function takes nothing from the queue while the block runs, and afterwards nothing that came meanwhile,
        unless it `forgets` nothing."""
        functions, url = self.aws("lambda"), self.queue(queue)
        mappings = functions.list_event_source_mappings(FunctionName=f"adweir-{function}")["EventSourceMappings"]
        (ours,) = [mapping["UUID"] for mapping in mappings if mapping["EventSourceArn"].endswith(f":adweir-{queue}")]
        functions.update_event_source_mapping(UUID=ours, Enabled=False)
        try:
            yield
        finally:
            if forgets:
                self.sqs.purge_queue(QueueUrl=url)
            functions.update_event_source_mapping(UUID=ours, Enabled=True)
            functions.close()

    def quiet(self, *names: str) -> None:
        """Wait until these queues are empty and nothing is in work."""
        until(lambda: not any(self.depth(name) for name in names), f"quiet on {names}")

    def watch(self) -> None:
        """Keep a copy of everything that is said on the bus, for `said`."""
        events, bus = self.aws("events"), self.description["stack"]["BusName"]
        url = self.sqs.create_queue(QueueName="overheard")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="overheard", EventBusName=bus, EventPattern=json.dumps({"source": ["adweir"]}))
        events.put_targets(Rule="overheard", EventBusName=bus, Targets=[{"Id": "overheard", "Arn": arn}])
        self._heard: list[dict[str, Any]] = []

    def said(self, kind: str, **facts: Any) -> list[dict[str, Any]]:
        """The events of a kind since `watch`, with these fields."""
        url = self.sqs.get_queue_url(QueueName="overheard")["QueueUrl"]
        while found := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in found:
                self._heard.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        details = (event["detail"] for event in self._heard if event["detail-type"] == kind)
        return [detail for detail in details if facts.items() <= detail.items()]

    def kill_workers(self, function: str) -> int:
        """Kill the function's worker processes, which are children of this sandbox's own cloud; returns how many."""
        killed: list[psutil.Process] = []
        for recorded in processes.load(self.home.running):
            if recorded.name != "ministack" or not recorded.alive():
                continue
            for child in psutil.Process(recorded.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if works_for(child, function):
                        child.kill()
                        killed.append(child)
        psutil.wait_procs(killed, timeout=1)  # what comes next does not meet one that is about to end
        return len(killed)


def works_for(process: psutil.Process, function: str) -> bool:
    """Whether a process is a worker of a function: a fork has its name, others have it in their command."""
    named = process.name() == f"adweir-{function}"[:NAME_CHARS]
    return named or any(f"ministack-lambda-adweir-{function}-" in part for part in process.cmdline())


def true_numbers(row: dict[str, Any]) -> Figures:
    """A row of the world's truth → counts and millionths."""
    conversions, spend, revenue = (row[f"{name}_micros"] for name in ("conversions", "spend", "revenue"))
    return Figures(row["impressions"], row["clicks"], conversions, spend, revenue)


def until(look: Callable[[], T], what: str, *, pause: float = 0.2) -> T:
    """Call `look` until it returns something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(pause)
    raise AssertionError(f"{what}: nothing after {PATIENCE:.0f} s")


def alive(home: Path) -> list[str]:
    """The command lines of processes that have to do with a sandbox: by its path among arguments, folder, variables."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "environ", "status"]):
        about = process.info
        traces = [*(about["cmdline"] or []), about["cwd"] or "", *(about["environ"] or {}).values()]
        if about["status"] != psutil.STATUS_ZOMBIE and any(str(home) in trace for trace in traces):
            found.append(" ".join(about["cmdline"] or []))
    return found
