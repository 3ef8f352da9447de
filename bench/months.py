"""What a month costs on AWS for a small, a middle and a large advertiser: the tables of docs/costs.md.

Two parts are measured on moto, with the sandbox's platforms. The fixed part is what the workflows of a day use per ad
account: the daily one as it is on its second day, an hourly and a weekly one, and the sweeps. The part that grows is
what one more ad uses: a re-pull of 28 days, two months of them, in which 5 % of the numbers changed. Rows per ad,
levels and raw bytes per row are those of the sandbox's world. Storage is what twelve months have left behind. Prices:
bench/prices.json. Last line: one JSON object.

    python bench/months.py
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core"), str(ROOT / "tests")]

import boto3  # noqa: E402
from moto import mock_aws  # noqa: E402

from adweir.model.messages import StartRun, Sweep  # noqa: E402
from adweir.model.metrics import Grain, Level, Source  # noqa: E402
from adweir.model.platforms import Platform  # noqa: E402
from adweir.model.tasks import Pull, Stamp  # noqa: E402
from adweir.model.times import Window, iso  # noqa: E402
from adweir.store.ledger import Ledger  # noqa: E402
from adweir.store.metrics.store import MetricStore, Patience  # noqa: E402
from adweir.store.raw.store import RawStore  # noqa: E402
from bench.calls import ANCHOR, ENVIRONMENT, Bill, CountedMachine, Meter, Work, measured_platforms, settings  # noqa: E402
from bench.store import DAYS, rows_of  # noqa: E402
from sandbox.outside import Outside  # noqa: E402
from sandbox.platforms import platform_urls, population  # noqa: E402
from sandbox.server import PlatformServer  # noqa: E402
from support.aws_calls import AwsCalls, item_bytes  # noqa: E402
from support.clock import FrozenClock  # noqa: E402
from support.template import template  # noqa: E402

ADS = 400
MONTH_DAYS, MONTH_WEEKS, MONTHS_KEPT = 30, 4.35, 12
SWEEP_MINUTES = 5
ROWS_PER_SECOND = 100_000
"""What a second of one processor loads (bench/load.py)."""
PROFILES_PER_CREDENTIAL = 10
VENDOR_USD_PER_MILLION = 15.0
"""Airbyte Cloud, rows of API sources: docs.airbyte.com/platform/cloud/managing-airbyte-cloud/manage-credits, as read
on 2026-11-22. Every row of a look-back window that is read again is charged again."""


class Advertiser(NamedTuple):
    """Ad accounts, and the ads with delivery in all of them."""

    name: str
    profiles: int
    ads: int


ADVERTISERS = (Advertiser("small", 5, 500), Advertiser("middle", 50, 20_000), Advertiser("large", 1000, 500_000))


class Run(NamedTuple):
    """What one run of a workflow used and brought."""

    bill: Bill
    rows: int
    raw_bytes: int


class World(NamedTuple):
    """The sandbox's company: how large it is, and what its workflows use. `series`: custom metrics that they write."""

    profiles: int
    ads: int
    daily: Run
    hourly: Run
    weekly: Run
    sweep: Bill
    series: frozenset[tuple[str, ...]]


class Ad(NamedTuple):
    """What one ad uses when its 28 days are pulled again, and what it keeps stored per month."""

    bill: Bill
    month_bytes: float


@mock_aws
def world() -> World:
    """Run the workflows of the sandbox's first company; the daily one twice."""
    outside = Outside(anchor=ANCHOR, report_seconds=1e9, population=population(measured_platforms()))
    clock, meter = FrozenClock(datetime(ANCHOR.year, ANCHOR.month, ANCHOR.day, 6, tzinfo=UTC)), Meter()
    with PlatformServer(outside, measured_platforms()) as server, contextlib.redirect_stdout(io.StringIO()) as printed:
        machine = CountedMachine(settings(platform_urls=platform_urls(server.url)), clock, meter, outside)
        app, company = machine.app, outside.world.companies[0]
        app.catalog.create_account("acme", "Acme", "data@acme.example")
        for name, body in company.credentials.items():
            platform, _, label = name.partition(":")
            app.registration.register("acme", platform, body, label)

        def run(workflow: str, run_id: str) -> Run:
            meter.clear()
            before = sum(info.size for info in app.raw.list("raw/"))
            machine.run(StartRun(workflow=workflow, scheduled_at=clock.now(), run_id=run_id))
            ended = app.ledger.get_run(run_id)
            if ended is None or ended.state != "succeeded":
                raise SystemExit(f"{workflow} ended {ended}")
            rows = sum((task.counts or {}).get("rows_read", 0) for task in app.ledger.tasks(run_id))
            size = sum(info.size for info in app.raw.list("raw/")) - before
            return Run(meter.bill(*meter.invocations), rows, size)

        with meter.counting(machine):
            run("daily", "first")
            clock.advance(86_400)
            outside.move(timedelta(days=1))
            daily, hourly, weekly = run("daily", "second"), run("hourly", "third"), run("weekly", "fourth")
            meter.clear()
            machine.handle("runs", Sweep())
            sweep = meter.bill(Work("runs", ""))
        profiles = len(app.catalog.profiles("acme"))
    ads = sum(len(profile.delivering()) for profile in company.profiles)
    return World(profiles, ads, daily, hourly, weekly, sweep, _series(printed.getvalue()))


def _series(printed: str) -> frozenset[tuple[str, ...]]:
    """The custom metrics that embedded lines write: name and values of the dimensions."""
    known = set()
    for line in printed.splitlines():
        if '"_aws"' not in line:
            continue
        embedded = json.loads(line)
        for each in embedded["_aws"]["CloudWatchMetrics"]:
            for names in each["Dimensions"]:
                place = sorted(str(embedded[name]) for name in names)
                known |= {(metric["Name"], *place) for metric in each["Metrics"]}
    return frozenset(known)


def _watched() -> frozenset[tuple[str, ...]]:
    """The custom metrics that alarms watch, which the runs here may not have written."""
    alarms = template().of("AWS::CloudWatch::Alarm").values()
    ours = (alarm for alarm in alarms if alarm.get("Namespace") == "adweir")
    return frozenset(
        (alarm["MetricName"], *sorted(str(each["Value"]) for each in alarm.get("Dimensions", ()))) for alarm in ours
    )


@mock_aws
def ad() -> Ad:
    """Load 28 days of ads over two months, then once more with 5 % of the numbers changed; the second is counted."""
    start = ANCHOR - timedelta(days=DAYS - 1)
    clock, calls = FrozenClock(datetime(ANCHOR.year, ANCHOR.month, ANCHOR.day, 6, tzinfo=UTC)), AwsCalls()
    made = settings()
    boto3.client("s3").create_bucket(Bucket=made.bucket)
    store = MetricStore(Patience(clock, 330), Ledger(clock), RawStore(boto3.client("s3"), made.bucket))
    window = Window(start, ANCHOR)
    for again in (False, True):
        clock.advance(86_400)
        stamp = Stamp(iso(clock.now()), f"task{int(again)}")
        pull = Pull(Platform("meta_ads"), "1", Level.AD, Grain.DAY, Source.PULL, "all", window, stamp, complete=True)
        calls.about = "again" if again else ""
        with calls.counting():
            store.load(pull, rows_of(ADS, start, again=again))
    bill = Bill()
    bill.used.update(
        dynamodb_write_unit=calls.write_units["again"] / ADS,
        dynamodb_read_unit=calls.read_units["again"] / ADS,
        lambda_arm64_gb_second=DAYS / ROWS_PER_SECOND * int(_validate()["MemorySize"]) / 1024,
    )
    items = boto3.client("dynamodb").scan(TableName=made.metrics_table)["Items"]
    return Ad(bill, sum(map(item_bytes, items)) / len(items))


def _validate() -> Any:
    return template().of("AWS::Lambda::Function")["ValidateFunction"]


def month(advertiser: Advertiser, known: World, one: Ad, hourly_runs: int = MONTH_DAYS * 24) -> dict[str, float]:
    """US dollars per line of the price table, of the twelfth month."""
    share, usual = advertiser.profiles / known.profiles, known.ads / known.profiles
    more = max(0.0, advertiser.ads - advertiser.profiles * usual)
    rows_per_ad = known.daily.rows / known.ads
    grown = rows_per_ad / DAYS * (MONTH_DAYS + MONTH_WEEKS * known.weekly.rows / known.daily.rows)
    total = Bill()
    total.add(known.daily.bill, share * MONTH_DAYS).add(known.weekly.bill, share * MONTH_WEEKS)
    total.add(known.hourly.bill, share * hourly_runs)
    total.add(known.sweep, MONTH_DAYS * 24 * 60 / SWEEP_MINUTES)
    total.add(one.bill, more * grown)
    hourly = Bill()
    units = {name: known.hourly.bill.used[name] / known.ads for name in ("dynamodb_write_unit", "dynamodb_read_unit")}
    hourly.used.update(units)
    total.add(hourly, more * hourly_runs)
    raw = (known.daily.raw_bytes * MONTH_DAYS + known.hourly.raw_bytes * hourly_runs) / known.ads
    stored = advertiser.ads * rows_per_ad / DAYS * one.month_bytes * MONTHS_KEPT / 1e9
    total.used.update(
        s3_gb_month=advertiser.ads * raw * MONTHS_KEPT / 1e9,
        dynamodb_gb_month=stored,
        dynamodb_pitr_gb_month=stored,
        secret_month=max(2, advertiser.profiles / PROFILES_PER_CREDENTIAL),
        alarm_month=len(template().of("AWS::CloudWatch::Alarm")),
        metric_month=len(known.series | _watched()),
    )
    priced: dict[str, float] = total.priced()
    return priced


def main() -> int:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    os.environ |= ENVIRONMENT
    known, one = world(), ad()
    report: dict[str, Any] = {
        "bench": "months",
        "metrics": len(known.series | _watched()),
        "vendor_usd_per_million": VENDOR_USD_PER_MILLION,
    }
    for advertiser in ADVERTISERS:
        lines = month(advertiser, known, one)
        rows = advertiser.ads * known.daily.rows / known.ads * MONTH_DAYS
        report[advertiser.name] = {
            "profiles": advertiser.profiles,
            "ads": advertiser.ads,
            "rows": round(rows),
            "usd": round(sum(lines.values()), 2),
            "usd_without_hourly": round(sum(month(advertiser, known, one, hourly_runs=0).values()), 2),
            "usd_by_service": {name: round(usd, 2) for name, usd in _services(lines).items()},
            "vendor_usd": round(rows / 1e6 * VENDOR_USD_PER_MILLION),
        }
        print(f"{advertiser.name:8}", report[advertiser.name])
    print(json.dumps(report))
    return 0


def _services(lines: dict[str, float]) -> dict[str, float]:
    """The lines of the price table by service, the dearest first."""
    found: dict[str, float] = {}
    names = {"secret": "secrets", "alarm": "cloudwatch", "metric": "cloudwatch", "logs": "cloudwatch"}
    for line, usd in lines.items():
        word = line.partition("_")[0]
        service = names.get(word, word)
        found[service] = found.get(service, 0.0) + usd
    return dict(sorted(found.items(), key=lambda each: -each[1]))


if __name__ == "__main__":
    sys.exit(main())
