"""Loading without I/O: decode → normalize → clean → check → score → merged bucket items, on one core.

    python bench/load.py [--rows 500000] [--ads 18000]

Pages of 500 Meta insights rows of about 1.1 kB are kept gzipped and unpacked as they are read, so that their bytes are
never all in memory. Making them is timed apart and subtracted; rates are rows per second of processor time: other work
on the machine does not count. Each part runs in a process of its own, because peak memory is a process's. The
baseline is a bare prototype on the same pages: decode with msgspec, one dict of tuples, no checks, no score. The last
line is one JSON object. Exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "core"))

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.money import to_micros
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import PullContext
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.quality.score import score
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import partitions
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.job import Job

PAGE = 500
START = date(2026, 10, 20)
AS_OF = "2026-11-20T06:00:00.000000Z"
FLOOR, AIM, MEMORY = 60_000, 100_000, 300


class Page(NamedTuple):
    """A page as the raw store hands it out."""

    number: int
    stream: BinaryIO
    label: str = ""
    media: str = "json"


def meta_row(ad: int, day: str, seed: int) -> dict[str, Any]:
    """A row as Meta sends it with the fields that the connector and its users ask for, about 1.1 kB."""
    clicks, bought = seed % 90, seed % 4
    row: dict[str, Any] = {
        "account_id": "1234567890",
        "account_currency": "USD",
        "campaign_id": str(23850000000000000 + ad // 100),
        "campaign_name": f"Prospecting {ad // 100} | broad | conversions",
        "adset_id": str(23851000000000000 + ad // 10),
        "adset_name": f"Ad set {ad // 10} | 25-54 | feed",
        "ad_id": str(23852000000000000 + ad),
        "ad_name": f"Carousel {ad} | spring | variant {ad % 7}",
        "impressions": str(1000 + seed % 9000),
        "clicks": str(clicks),
        "inline_link_clicks": str(clicks // 2),
        "ctr": "2.833333",
        "spend": f"{seed % 300}.{seed % 100:02}",
        "reach": str(900 + seed % 8000),
        "frequency": "1.090909",
        "cpc": "1.343235",
        "cpm": "38.058333",
        "objective": "OUTCOME_SALES",
        "optimization_goal": "OFFSITE_CONVERSIONS",
        "attribution_setting": "7d_click_1d_view",
        "engagement_rate_ranking": "AVERAGE",
        "conversion_rate_ranking": "ABOVE_AVERAGE",
    }
    if bought and clicks >= bought:
        kinds = ("link_click", "omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
        row["actions"] = [
            {"action_type": kind, "value": str(bought), "7d_click": str(bought), "1d_view": "0"} for kind in kinds
        ]
        row["action_values"] = [
            {"action_type": "omni_purchase", "value": f"{bought * 31}.75", "7d_click": f"{bought * 31}.75"}
        ]
        row["purchase_roas"] = [{"action_type": "omni_purchase", "value": "6.804248"}]
    return row | {"quality_ranking": "AVERAGE", "date_start": day, "date_stop": day}


def amazon_row(ad: int, day: str, seed: int) -> dict[str, Any]:
    """A row of Amazon's Sponsored Products report, with every column that is requested."""
    bought = seed % 4 if seed % 90 >= 4 else 0
    sales = {
        f"{name}{window}": bought * each
        for window in ("1d", "7d", "14d", "30d")
        for name, each in (
            ("purchases", 1),
            ("sales", 31.75),
            ("purchasesSameSku", 1),
            ("attributedSalesSameSku", 31.75),
        )
    }
    return {
        "date": day,
        "campaignId": 300000000000000 + ad // 100,
        "adGroupId": 400000000000000 + ad // 10,
        "adId": 500000000000000 + ad,
        "impressions": 1000 + seed % 9000,
        "clicks": seed % 90,
        "cost": seed % 30000 / 100,
        **sales,
        "campaignBudgetCurrencyCode": "USD",
    }


def pages(rows: int, ads: int, times: int, timer: list[float]) -> Iterator[BinaryIO]:
    """The pages, made once and kept gzipped; the time that making and unpacking takes is added to `timer[0]`."""
    started = time.process_time()
    kept = []
    days = -(-rows // ads)
    names = [(START + timedelta(days=n)).isoformat() for n in range(days)]
    for first in range(0, rows, PAGE):
        data = [meta_row(n % ads, names[n // ads], (n * 7919) % 104729) for n in range(first, min(first + PAGE, rows))]
        kept.append(gzip.compress(json.dumps({"data": data}, separators=(",", ":")).encode(), 1))
    timer[0] += time.process_time() - started
    for _ in range(times):
        for packed in kept:
            started = time.process_time()
            body = gzip.decompress(packed)
            timer[0] += time.process_time() - started
            yield io.BytesIO(body)


def context(platform: Platform, window: Window) -> PullContext:
    slice_ = ALL if platform == Platform("meta_ads") else "sp"
    return PullContext("acme", "1234567890", Dataset.AD_DAILY, slice_, window, AS_OF, "USD", "UTC", "seller")


def load(bodies: Iterator[BinaryIO], platform: Platform, window: Window) -> dict[str, int]:
    """The real path, as `intake.load.pulls` walks it, up to the items that would be written."""
    pull = Pull(
        platform,
        "1234567890",
        Level.AD,
        Grain.DAY,
        Source.PULL,
        ALL if platform == Platform("meta_ads") else "sp",
        window,
        Stamp(AS_OF, "task"),
        complete=True,
        currency="USD",
    )
    rows = PullRows()
    reader, about = REGISTRY.normalizer(platform), context(platform, window)
    with Quarantine() as quarantine:
        loop = RowLoop(pull, [day.isoformat() for day in window.days()], rows, quarantine)
        for number, body in enumerate(bodies, 1):
            for batch in reader.metric_batches(Page(number, body), about):
                loop.take(batch.rows, batch.bad, number)
        loop.finish()
    scored = score(loop.tally, Grain.DAY, datetime(2026, 11, 20, 6, tzinfo=UTC), datetime(2026, 11, 20, 7, tzinfo=UTC))
    items = slots = 0
    for partition in partitions(Series(platform, "1234567890", Level.AD, Grain.DAY), Source.PULL, window):
        merger = Job.of(pull, rows).merger(partition, Coverage(), Coverage())
        for entity_id in rows.entities():
            merged = merger.merge(entity_id, None, rows.slots(entity_id), rows.parents(entity_id))
            if merged.bucket is not None:
                slots += len(merged.bucket.encode(partition.pk)) > 0 and len(merged.bucket.slots)
                items += 1
    if (scored.overall != 1.0 and not loop.tally.duplicates) or slots != rows.size or quarantine.rows:
        raise SystemExit(f"wrong result: score {scored}, {slots} slots of {rows.size} rows, {quarantine.rows} bad")
    return {"rows": loop.tally.read, "items": items, "distinct": rows.size}


class _Row(msgspec.Struct):
    ad_id: str
    date_start: str
    impressions: str
    clicks: str
    spend: str


class _Page(msgspec.Struct):
    data: list[_Row]


def prototype(bodies: Iterator[BinaryIO], _platform: Platform, _window: Window) -> dict[str, int]:
    """The baseline: decode and keep."""
    decode = msgspec.json.Decoder(_Page).decode
    kept: dict[tuple[str, str], tuple[int, int, int]] = {}
    read = 0
    for body in bodies:
        for row in decode(body.read()).data:
            kept[row.ad_id, row.date_start] = (int(row.impressions), int(row.clicks), to_micros(row.spend))
            read += 1
    return {"rows": read, "items": 0, "distinct": len(kept)}


def amazon(rows: int, ads: int, timer: list[float]) -> Iterator[BinaryIO]:
    """One report, on disk: the pull's bytes come from S3, and count for no memory."""
    started = time.process_time()
    names = [(START + timedelta(days=n)).isoformat() for n in range(-(-rows // ads))]
    with tempfile.TemporaryFile() as body:
        for n in range(rows):
            body.write(b"," if n else b"[")
            body.write(json.dumps(amazon_row(n % ads, names[n // ads], n * 7919 % 104729)).encode())
        body.write(b"]")
        body.seek(0)
        timer[0] += time.process_time() - started
        yield body


def _measure(work: Callable[..., dict[str, int]], source: str, args: tuple[int, int, int], out: Any) -> None:
    rows, ads, times = args
    platform = Platform("meta_ads") if source == "meta" else Platform("amazon_ads")
    window = Window(START, START + timedelta(days=-(-rows // ads) - 1))
    timer = [0.0]
    bodies = pages(rows, ads, times, timer) if source == "meta" else amazon(rows, ads, timer)
    started, cpu = time.perf_counter(), time.process_time()
    result = work(bodies, platform, window)
    seconds = time.process_time() - cpu - timer[0]
    out.put(
        result
        | {
            "cpu_seconds": round(seconds, 3),
            "rows_per_second": round(result["rows"] / seconds),
            "wall_seconds_with_making": round(time.perf_counter() - started, 2),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
    )


def measured(work: Callable[..., dict[str, int]], source: str, *args: int) -> dict[str, Any]:
    """Run one part in a fresh process."""
    fresh = multiprocessing.get_context("spawn")
    out = fresh.Queue()
    process = fresh.Process(target=_measure, args=(work, source, args, out))
    process.start()
    while process.is_alive() and out.empty():
        time.sleep(0.05)
    if out.empty():
        raise SystemExit(f"{work.__name__} ended without a result")
    result: dict[str, Any] = out.get()
    process.join()
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--ads", type=int, default=18_000)
    options = parser.parse_args()
    rows, ads = options.rows, options.ads
    sample = json.dumps(
        {"data": [meta_row(n, START.isoformat(), n * 7919) for n in range(PAGE)]}, separators=(",", ":")
    )
    parts = {
        "prototype": measured(prototype, "meta", rows, ads, 1),
        "meta": measured(load, "meta", rows, ads, 1),
        "meta_ten_times": measured(load, "meta", rows, ads, 10),
        "amazon": measured(load, "amazon", min(rows, 200_000), ads, 1),
    }
    for name, part in parts.items():
        print(
            f"{name:15} {part['rows']:>9,} rows  {part['rows_per_second']:>8,} rows/s  peak {part['peak_mb']:>4} MB"
            f"  {part['items']:>7,} items"
        )
    met = {
        f"at least {FLOOR} rows/s": parts["meta"]["rows_per_second"] >= FLOOR,
        f"at most {MEMORY} MB": parts["meta"]["peak_mb"] <= MEMORY,
        "ten times over in the same memory": parts["meta_ten_times"]["peak_mb"] <= MEMORY,
    }
    answer = {
        "bench": "load",
        "row_bytes": len(sample) // PAGE,
        "aim": AIM,
        **parts,
        "met": met,
        "ok": all(met.values()),
    }
    print(json.dumps(answer))
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
