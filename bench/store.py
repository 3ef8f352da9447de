"""Storing: a re-pull of 28 days x 2,000 ads with 5 % of the numbers changed, against one item per row with boto3.

Ours is the real path: PullRows, MetricStore.load with the ledger's leases, changes file in S3, buckets, coverage. The
baseline is boto3's `batch_writer`, one item per row (it cannot know what changed, so it writes every row). Each figure
is a fresh process of its own: CPU-seconds are the whole process, imports and making the rows included. The tables are
on MiniStack, started for this on a free loopback port. Write units are those that it reports, which it derives from
item sizes as AWS does; it charges a query flat, so read units are computed here from the stored items by AWS's rule
(4 kB per unit, consistent). 5 % counts single numbers: every fifth row or so differs in one of its five. Last line: one
JSON object.

    python bench/store.py [--ads 2000] [--start 2026-10-24]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DAYS, CHANGED, LIMIT = 28, 0.05, 12
VARIANTS = ("rows-only", "baseline-first", "baseline-again", "ours-first", "ours-again", "ours-replay")
BUCKET, BASELINE = "bench-store", "bench-baseline"


def numbers(ads: int, start: date, *, again: bool) -> Any:
    """(ad, day, [impressions, clicks, conversions, spend, revenue]); `again` changes 5 % of the numbers."""
    rng, changes = random.Random(7), random.Random(8)
    for ad in range(ads):
        for offset in range(DAYS):
            clicks = rng.randrange(1, 900)
            spend = clicks * rng.randrange(200_000, 3_000_000) // 10_000 * 10_000
            row = [clicks * rng.randrange(40, 90), clicks, rng.randrange(0, 60) * 1_000_000, spend, spend * 3]
            if again:
                row = [number + changes.randrange(1, 9) if changes.random() < CHANGED else number for number in row]
            yield ad, (start + timedelta(days=offset)).isoformat(), row


def ids(ad: int) -> tuple[str, str, str]:
    """Entity id, campaign id, ad group id as Meta's are: 18 digits."""
    group = f"2385100{ad // 10:011}"
    return f"{group}~2385200{ad:011}", f"2385000{ad // 100:011}", group


def baseline(ads: int, start: date, *, again: bool) -> float:
    import boto3

    client = boto3.resource("dynamodb")
    units = 0.0

    def ask(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def count(parsed: dict[str, Any], **_: Any) -> None:
        nonlocal units
        units += sum(each["CapacityUnits"] for each in parsed["ConsumedCapacity"])

    events = client.meta.client.meta.events
    events.register("provide-client-params.dynamodb.BatchWriteItem", ask)
    events.register("after-call.dynamodb.BatchWriteItem", count)
    with client.Table(BASELINE).batch_writer() as writer:
        for ad, day, row in numbers(ads, start, again=again):
            entity, campaign, group = ids(ad)
            item: dict[str, Any] = {
                "pk": "meta_ads#1234567890#ad#day",
                "sk": f"{entity}#{day}",
                "campaign_id": campaign,
                "ad_group_id": group,
                "currency": "USD",
                "as_of": "2026-11-21T06:00:00Z",
            }
            item |= dict(zip(("impressions", "clicks", "conversions", "spend", "revenue"), row, strict=True))
            writer.put_item(Item=item)
    return units


def rows_of(ads: int, start: date, *, again: bool) -> Any:
    from adweir.model.metrics import MetricRow
    from adweir.store.metrics.brought import PullRows

    rows = PullRows()
    for ad, day, row in numbers(ads, start, again=again):
        entity, campaign, group = ids(ad)
        impressions, clicks, conversions, spend, revenue = row
        rows.offer(
            MetricRow(entity, day, impressions, clicks, conversions, spend, revenue, campaign, group, currency="USD")
        )
    return rows


def ours(ads: int, start: date, *, again: bool) -> Any:
    import boto3

    from adweir.model.metrics import Grain, Level, Source
    from adweir.model.platforms import Platform
    from adweir.model.tasks import Pull, Stamp
    from adweir.model.times import Window
    from adweir.store.dynamo import tables
    from adweir.store.ledger import Ledger
    from adweir.store.metrics.store import MetricStore, Patience
    from adweir.store.raw.store import RawStore

    class Clock:
        def now(self) -> datetime:
            return datetime.now(UTC)

        def monotonic(self) -> float:
            return time.monotonic()

    tables.bind("c", "bench-metrics", "bench-ledger", "f")
    store = MetricStore(Patience(Clock(), 330), Ledger(Clock()), RawStore(boto3.client("s3"), BUCKET))
    stamp = Stamp(f"2026-11-2{2 if again else 1}T06:00:00.000000Z", f"task{int(again)}")
    window = Window(start, start + timedelta(days=DAYS - 1))
    pull = Pull(Platform("meta_ads"), "1234567890", Level.AD, Grain.DAY, Source.PULL, "all", window, stamp, True)  # noqa: FBT003
    return store.load(pull, rows_of(ads, start, again=again))


def child(variant: str, ads: int, start: date) -> None:
    """One figure, alone in its process."""
    began, again = time.monotonic(), not variant.endswith("first")
    figures: dict[str, Any] = {}
    if variant == "rows-only":
        rows_of(ads, start, again=True)
    elif variant.startswith("baseline"):
        figures["write_units"] = baseline(ads, start, again=again)
    else:
        outcome = ours(ads, start, again=again)
        figures = {"write_units": outcome.write_units, "slots_changed": outcome.slots_changed}
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures |= {
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "wall_seconds": round(time.monotonic() - began, 2),
        "peak_mb": peak_mb(),
    }
    print(json.dumps(figures))


def peak_mb() -> float:
    """This process's peak memory; getrusage would answer with the parent's from before the exec."""
    status = Path("/proc/self/status").read_text()
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


def read_units() -> float:
    """What one consistent read of every partition costs, by AWS's rule, from what is stored."""
    import boto3

    sys.path.append(str(ROOT / "tests"))
    from adweir.store.metrics.buckets import LISTS
    from support.aws_calls import item_bytes

    sizes: dict[str, int] = {}
    for page in boto3.client("dynamodb").get_paginator("scan").paginate(TableName="bench-metrics"):
        for item in (each for each in page["Items"] if not each["sk"]["S"].startswith(LISTS)):  # as loads read
            sizes[item["pk"]["S"]] = sizes.get(item["pk"]["S"], 0) + item_bytes(item)
    return float(sum(ceil(size / 4096) for size in sizes.values()))


def compare(ads: int, start: date) -> dict[str, Any]:
    """Run every variant against a MiniStack of its own."""
    sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]
    from adweir.store.dynamo import tables
    from sandbox.ministack import start_ministack
    from sandbox.processes import choose_port, stop

    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        port = choose_port(None)
        engine = start_ministack(Path(folder), port, "127.0.0.1")
        try:
            os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
            import boto3

            tables.bind(BASELINE, "bench-metrics", "bench-ledger", "bench-findings")
            dynamodb = boto3.client("dynamodb")
            for schema in tables.schemas():
                dynamodb.create_table(**schema)
            boto3.client("s3").create_bucket(Bucket=BUCKET)
            for variant in VARIANTS:
                command = [
                    sys.executable,
                    __file__,
                    "--child",
                    variant,
                    "--ads",
                    str(ads),
                    "--start",
                    start.isoformat(),
                ]
                output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                figures[variant] = json.loads(output.splitlines()[-1])
                print(f"{variant:16}", figures[variant], flush=True)
            units = read_units()
        finally:
            stop(engine)
    ratio = figures["baseline-again"]["write_units"] / figures["ours-again"]["write_units"]
    passed = ratio >= LIMIT and figures["ours-replay"]["write_units"] == 0
    return {
        "bench": "store",
        "engine": "ministack",
        "rows": ads * DAYS,
        "write_units_ratio": round(ratio, 1),
        "write_units_ratio_limit": LIMIT,
        "cpu_ratio": round(figures["baseline-again"]["cpu_seconds"] / figures["ours-again"]["cpu_seconds"], 2),
        "read_units_of_one_pass": units,
        "passed": passed,
        **{name.replace("-", "_"): value for name, value in figures.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ads", type=int, default=2000)
    parser.add_argument("--start", type=date.fromisoformat, default=date(2026, 10, 24))
    parser.add_argument("--child", choices=VARIANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": str(ROOT / "layers" / "core"),
    }
    if arguments.child:
        child(arguments.child, arguments.ads, arguments.start)
        return 0
    report = compare(arguments.ads, arguments.start)
    print(json.dumps(report))
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
