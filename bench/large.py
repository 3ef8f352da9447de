"""One pull of many ads over two months, loaded by `validate` whatever its time-out.

    python bench/large.py [--ads 10000] [--days 61] [--seconds 40]
    python bench/large.py --ads 100000 --seconds 300     the function as it is deployed; takes a quarter of an hour

The function's own app.py loads a raw object of Meta's pages from the simulation's doubles of S3, SQS and EventBridge;
DynamoDB's double is a process of its own, so that the peak memory is the function's. Each invocation has `--seconds`,
its time-out: what does not fit goes on in another one, from the message that it leaves in the queue. Time
is the function's own processor time, 10 ms for every AWS call, and the pauses in which it paces its writes, which pass
at once. Then another process reads everything back: the sums of each month, and every number of a thousand ads, have
to be those of the pull to the cent. The last line is one JSON object. Exits with 1 when an invocation would have been
killed, when a number is wrong, or when the function needs more memory than it has.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core"), str(ROOT / "tests")]

import msgspec  # noqa: E402
from botocore.response import StreamingBody  # noqa: E402

from adweir.model.datasets import Dataset  # noqa: E402
from adweir.model.entities import Profile  # noqa: E402
from adweir.model.messages import ObjectArrived  # noqa: E402
from adweir.model.metrics import Grain, Level, Series, Slot, Source, plus  # noqa: E402
from adweir.model.money import MICRO  # noqa: E402
from adweir.model.platforms import Platform  # noqa: E402
from adweir.model.tasks import Task, TaskState  # noqa: E402
from adweir.model.times import Window, iso  # noqa: E402
from adweir.platforms import REGISTRY  # noqa: E402
from adweir.platforms.connector import Page  # noqa: E402
from adweir.runtime import app as composition  # noqa: E402
from adweir.runtime.app import App  # noqa: E402
from adweir.store.dynamo import tables  # noqa: E402
from adweir.store.raw.header import PullHeader  # noqa: E402
from sandbox.aws import dynamodb as double  # noqa: E402
from sandbox.aws import shelves  # noqa: E402
from sandbox.aws.botocore_calls import answered_by  # noqa: E402
from sandbox.aws.events import OwnBus  # noqa: E402
from sandbox.aws.refusals import Refused  # noqa: E402
from sandbox.aws.s3 import S3, Stored, about  # noqa: E402
from sandbox.aws.sqs import Sqs  # noqa: E402
from sandbox.aws.values import weigh  # noqa: E402
from simulation.containers import BUCKET, METRICS, QUEUES, TABLES, Function, settings_of  # noqa: E402

META = Platform("meta_ads")
PROFILE = "1234567890"
FIRST = date(2026, 10, 1)
PAGE = 500
A_CALL = 0.01
"""Seconds that a function waits for AWS's answer; DynamoDB's pace is counted by itself."""
SAMPLE = 1000
MOST_INVOCATIONS = 200


def slot(ad: int, day: int) -> tuple[int, int, int, int]:
    """Impressions, clicks, purchases and spend in cents of an ad on a day of the pull."""
    seed = (ad * 61 + day) * 7919 % 104_729
    return 1000 + seed % 9000, 4 + seed % 90, seed % 4, seed % 30_000


def numbers(ad: int, day: int) -> Slot:
    """The same as it has to be stored: counts, and millionths."""
    impressions, clicks, bought, cents = slot(ad, day)
    return impressions, clicks, bought * MICRO, cents * MICRO // 100, bought * 31_750_000


def row(ad: int, day: int, name: str) -> str:
    """A row as Meta sends it."""
    impressions, clicks, bought, cents = slot(ad, day)
    actions = "" if not bought else (
        f'"actions":[{{"action_type":"omni_purchase","value":"{bought}","7d_click":"{bought}"}}],'
        f'"action_values":[{{"action_type":"omni_purchase","value":"{bought * 31.75:.2f}"}}],'
    )  # fmt: skip
    return (
        f'{{"account_currency":"USD","campaign_id":"{23850000000 + ad // 100}","adset_id":"{23851000000 + ad // 10}",'
        f'"ad_id":"{23852000000 + ad}","impressions":"{impressions}","clicks":"{clicks}",{actions}'
        f'"spend":"{cents // 100}.{cents % 100:02}","date_start":"{name}","date_stop":"{name}"}}'
    )


def entity(ad: int) -> str:
    """An ad's id as it is stored."""
    return f"{23851000000 + ad // 10}~{23852000000 + ad}"


# --- DynamoDB, in a process of its own


class _Small:
    """A stored item of which only packed bytes are kept: the double's own form is forty times as large."""

    __slots__ = ("_packed",)

    def __init__(self, item: dict[str, Any]) -> None:
        self._packed = zlib.compress(msgspec.json.encode(item), 1)

    @property
    def packed(self) -> bytes:
        return zlib.decompress(self._packed)

    @property
    def item(self) -> dict[str, Any]:
        return dict(msgspec.json.decode(self.packed))

    copy = item


def serve(doors: list[Connection]) -> None:
    """DynamoDB for several processes, until the last has gone. Writes are charged by what items weigh."""
    with mock.patch.object(shelves, "StoredItem", _Small):
        dynamo = double.DynamoDB(TABLES)
        while doors:
            for door in cast("list[Connection]", wait(doors)):
                try:
                    operation, params = msgspec.json.decode(door.recv_bytes())
                except EOFError:
                    doors.remove(door)
                    continue
                try:
                    answer = dynamo.call(operation, params)
                    if operation == "BatchWriteItem":
                        answer["ConsumedCapacity"] = _units(params)
                    door.send_bytes(msgspec.json.encode([None, answer]))
                except Refused as refused:
                    door.send_bytes(msgspec.json.encode([[refused.code, refused.message], None]))


def _units(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    units = 0
    for request in params["RequestItems"][METRICS]:
        item = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
        units += -(-sum(len(name) + weigh(value) for name, value in item.items()) // 1024)
    return [{"TableName": METRICS, "CapacityUnits": float(units)}]


def client(door: Connection) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """What asks this DynamoDB, one thread at a time."""
    turn = Lock()

    def ask(operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        with turn:
            door.send_bytes(msgspec.json.encode([operation, params]))
            error, answer = msgspec.json.decode(door.recv_bytes())
        if error:
            raise Refused(*error)
        return dict(answer)

    return ask


# --- the function


class Clock:
    """Processor time and what was waited for."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self.waited = 0.0

    def monotonic(self) -> float:
        return time.process_time() + self.waited

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def wait(self, seconds: float) -> None:
        self.waited += seconds


class DiskS3(S3):
    """The bucket, its bodies in files."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        super().__init__(BUCKET, now)
        self._folder = folder

    def _put(self, params: Mapping[str, Any]) -> dict[str, Any]:
        body, path = params["Body"], self._folder / hashlib.sha256(params["Key"].encode()).hexdigest()
        with path.open("wb") as out:
            if isinstance(body, bytes):
                out.write(body)
            else:
                while piece := body.read(1 << 20):
                    out.write(piece)
        answer = super()._put({**params, "Body": b"", "ChecksumSHA256": None})
        stored = self.objects[params["Key"]]
        self.objects[params["Key"]] = Stored(str(path).encode(), stored.metadata, stored.at, stored.etag)
        return answer

    def _get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        path = Path(self.objects[params["Key"]].body.decode())
        said = about(self.objects[params["Key"]]) | {"ContentLength": path.stat().st_size}
        return said | {"Body": StreamingBody(path.open("rb"), path.stat().st_size)}


class Cloud:
    """AWS as one process sees it, and its time."""

    def __init__(self, door: Connection, folder: Path, start: datetime) -> None:
        self.clock = Clock(start)
        self.calls: Counter[str] = Counter()
        self.units = 0.0
        self.s3 = DiskS3(folder, self.clock.now)
        self.sqs = Sqs(QUEUES, lambda: self.clock.now().timestamp())
        self.events = OwnBus()
        self._dynamodb = client(door)

    def __call__(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        self.clock.wait(A_CALL)
        self.calls[f"{service} {operation}"] += 1
        if service == "dynamodb":
            return self._dynamodb(operation, params)
        return dict(getattr(self, service).call(operation, params))


def function(seconds: int) -> Function:
    return Function("validate", "landing", seconds, 1)


def app_of(cloud: Cloud, seconds: int) -> App:
    """The function's parts, on the bench's clock."""
    app = App(
        settings_of(function(seconds)), cloud.clock, service="validate", platforms=REGISTRY, sleep=cloud.clock.wait
    )
    app.__dict__.update(meter=mock.Mock(), logger=logging.getLogger("bench"))
    return app


def store(app: App, window: Window, ads: int) -> str:
    """The task, and its pull as `collect` leaves it in the bucket; returns the object's key."""
    about: dict[str, Any] = {"account_id": "acme", "platform": META, "profile_id": PROFILE}
    app.catalog.put_objects([Profile(name="Large", currency="USD", timezone="UTC", **about)], iso(app.clock.now()))
    due = int(app.clock.now().timestamp()) + 21_600
    task = Task(run_id="r", stage="pulls", dataset=Dataset.AD_DAILY, slice="all", window=window, deadline=due,
                currency="USD", **about)  # fmt: skip
    app.ledger.plan(task)
    claimed = app.ledger.claim("r", task.id, 0, 60)
    if claimed is None:
        raise SystemExit("nobody else can hold the task")
    with app.raw.writer(PullHeader.of(claimed, as_of=iso(app.clock.now()))) as writer:
        for body in pages(window, ads):
            writer.write(Page(body, "https://graph.facebook.example/insights", 200, last=True))
        key = writer.commit(complete=True)
    app.ledger.landed(claimed, key, iso(app.clock.now()))
    return key


def pages(window: Window, ads: int) -> Iterator[bytes]:
    for day, at in enumerate(window.days()):
        for first in range(0, ads, PAGE):
            rows = (row(ad, day, at.isoformat()) for ad in range(first, min(first + PAGE, ads)))
            yield f'{{"data":[{",".join(rows)}]}}'.encode()


def work(door: Connection, report: Connection, folder: Path, given: argparse.Namespace) -> None:
    """Load the pull, invocation by invocation, and say what that took."""
    window = Window(FIRST, FIRST + timedelta(days=given.days - 1))
    cloud = Cloud(door, folder, datetime(2026, 12, 1, 6, tzinfo=UTC))
    with answered_by(cloud):
        tables.bind(*TABLES)
        app = app_of(cloud, given.seconds)
        with mock.patch("adweir.store.metrics.partitions.fast_wire", lambda connection: connection):
            key = store(app, window, given.ads)
            scope: dict[str, Any] = {"__name__": "function_validate"}
            with mock.patch.object(composition, "build", return_value=app):
                exec(compile((ROOT / "functions/validate/app.py").read_text(), "app.py", "exec"), scope)  # noqa: S102
            report.send(run(cloud, app, scope["handler"], key, given.seconds))


def run(cloud: Cloud, app: App, handler: Callable[..., Any], key: str, seconds: int) -> dict[str, Any]:
    """Deliver the object's message, and each that it leaves, until none is left."""
    landing = cloud.sqs.queues["landing"]
    app.queues.landing.send(ObjectArrived(bucket=BUCKET, key=key))
    base, times = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, list[float]()
    cloud.calls.clear()
    while landing.messages and len(times) < MOST_INVOCATIONS:
        message = landing.messages.pop(0)
        cloud.clock.wait(max(0.0, message.visible_at - cloud.clock.now().timestamp()))
        began = cloud.clock.monotonic()

        def left(began: float = began) -> int:
            return int((began + seconds - cloud.clock.monotonic()) * 1000)

        about = {"messageId": message.id, "receiptHandle": "h", "eventSourceARN": "arn:aws:sqs:us-east-1:1:landing"}
        answer = handler(
            {"Records": [about | {"body": message.body, "attributes": {"ApproximateReceiveCount": "1"}}]},
            SimpleNamespace(aws_request_id=f"i{len(times)}", get_remaining_time_in_millis=left),
        )
        if answer["batchItemFailures"]:
            raise SystemExit("the function failed")
        times.append(round(cloud.clock.monotonic() - began, 1))
        print(f"  invocation {len(times)}: {times[-1]} s", flush=True)
    (task,) = app.ledger.tasks("r")
    return {
        "state": str(task.state), "error": task.error, "invocations": len(times), "seconds": times,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, "base_mb": base >> 10,
        "calls": dict(cloud.calls),
    }  # fmt: skip


# --- what was stored


def check(door: Connection, folder: Path, given: argparse.Namespace) -> list[str]:
    """Read everything back: what is wrong."""
    cloud = Cloud(door, folder, datetime(2026, 12, 1, 7, tzinfo=UTC))
    window = Window(FIRST, FIRST + timedelta(days=given.days - 1))
    sample = {entity(ad): ad for ad in range(0, given.ads, max(1, given.ads // SAMPLE))}
    sums, wanted, wrong, rows = dict[str, Any](), dict[str, Any](), list[str](), 0
    with answered_by(cloud), mock.patch("adweir.store.metrics.partitions.fast_wire", lambda connection: connection):
        tables.bind(*TABLES)
        series = Series(META, PROFILE, Level.AD, Grain.DAY)
        for stored in app_of(cloud, given.seconds).metrics.read(series, window, sources=(Source.PULL,)):
            month, rows = stored.day[:7], rows + 1
            sums[month] = plus(sums[month], stored.slot) if month in sums else stored.slot
            ad = sample.get(stored.entity_id)
            if ad is not None and stored.slot != numbers(ad, (date.fromisoformat(stored.day) - FIRST).days):
                wrong.append(f"{stored.entity_id} on {stored.day}: {stored.slot}")
    for day, at in enumerate(window.days()):
        for ad in range(given.ads):
            month, one = f"{at:%Y-%m}", numbers(ad, day)
            wanted[month] = plus(wanted[month], one) if month in wanted else one
    wrong += [
        f"{month}: {sums.get(month)} instead of {wanted[month]}" for month in wanted if sums.get(month) != wanted[month]
    ]
    if rows != given.ads * given.days:
        wrong.append(f"{rows} rows instead of {given.ads * given.days}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ads", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=61)
    parser.add_argument("--seconds", type=int, default=40, help="validate's time-out")
    given = parser.parse_args()
    os.environ.update(
        {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
    )
    from support.template import template  # here: the function's process must not have it in memory

    most = template().resources["ValidateFunction"]["Properties"]["MemorySize"]
    spawn = multiprocessing.get_context("spawn")
    (ours, one), (theirs, two), (told, tell) = spawn.Pipe(), spawn.Pipe(), spawn.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        dynamo = spawn.Process(target=serve, args=([one, two],), daemon=True)
        dynamo.start()
        worker = spawn.Process(target=work, args=(theirs, tell, Path(folder), given), daemon=True)
        worker.start()
        for each in (one, two, theirs, tell):
            each.close()
        try:
            result = told.recv()
        except EOFError:
            return 1
        worker.join()
        print(f"  {result['state']} in {result['invocations']} invocations, at most {result['peak_mb']} MB", flush=True)
        wrong = check(ours, Path(folder), given)
        ours.close()
        dynamo.join()
    result |= {"ads": given.ads, "rows": given.ads * given.days, "timeout": given.seconds, "memory_mb": most}
    result["passed"] = (
        not wrong
        and result["state"] == TaskState.LOADED
        and max(result["seconds"]) < given.seconds
        and result["peak_mb"] < most
    )
    for fault in wrong[:10]:
        print(f"wrong: {fault}")
    print(json.dumps(result))
    return 0 if result["passed"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
