"""Loading without I/O: decode → normalize → clean → check → score → merged bucket items, on one core.

    python bench/load.py [--rows 500000] [--ads 18000] [--rounds 3]

Meta: pages of 500 insights rows of about 1.1 kB. Amazon: one report, a single array. Both are made once, on disk;
Meta's are gzipped and unpacked as they are read, which is timed apart and subtracted. Rates are rows per second of
processor time: other work on the machine does not count. Each part runs in a process of its own, because peak memory
is a process's. Ours ends with the items as the JSON text that BatchWriteItem sends; the changes file, the spool and the
requests are not in it (bench/store.py has them).

The baseline is DuckDB with one thread on the same bodies: pages split into rows by msgspec.Raw, read as JSON lines
with typed columns and exact decimals, summed by ad and day into a table. It checks nothing, scores nothing and makes
no items. Both take turns, and their sums must be equal; the ratio is the median over the rounds. The last line is one
JSON object. Exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import io
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "core"))

import duckdb
import msgspec

from adweir.model.datasets import Dataset
from adweir.model.metrics import Grain, Level, Series, Source, plus
from adweir.model.money import MICRO
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import PullContext
from adweir.platforms.json_array import read_array
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.quality.score import score
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import Bucket, encoded, partitions
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.job import Job, Loaded

PAGE = 500
REPORT = 200_000
"""Rows of the report."""
START = date(2026, 10, 20)
AS_OF = "2026-11-20T06:00:00.000000Z"
FLOOR, AIM, MEMORY = 0.5, 1.0, 300


class Timer:
    """Adds up the processor time of what is not measured."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def aside(self) -> Iterator[None]:
        started = time.process_time()
        yield
        self.seconds += time.process_time() - started


class Work(NamedTuple):
    """What a part reads: the bodies of a platform in `folder`, `times` over, of `rows` rows of `ads` ads."""

    folder: Path
    platform: str
    rows: int
    ads: int
    times: int = 1

    @property
    def window(self) -> Window:
        return Window(START, START + timedelta(days=-(-self.rows // self.ads) - 1))

    def bodies(self, timer: Timer) -> Iterator[BinaryIO]:
        for _ in range(self.times):
            with (self.folder / self.platform).open("rb") as file:
                if self.platform == "amazon_ads":
                    yield file
                    continue
                while length := int.from_bytes(file.read(4), "big"):
                    with timer.aside():
                        body = gzip.decompress(file.read(length))
                    yield io.BytesIO(body)


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


def make(folder: Path, rows: int, ads: int) -> None:
    """Write the bodies: gzipped pages, each after its length, and a report."""
    names = [(START + timedelta(days=n)).isoformat() for n in range(-(-rows // ads))]
    with (folder / "meta_ads").open("wb") as out:
        for first in range(0, rows, PAGE):
            page = range(first, min(first + PAGE, rows))
            data = [meta_row(n % ads, names[n // ads], n * 7919 % 104729) for n in page]
            packed = gzip.compress(json.dumps({"data": data}, separators=(",", ":")).encode(), 1)
            out.write(len(packed).to_bytes(4, "big") + packed)
    with (folder / "amazon_ads").open("wb") as out:
        for n in range(min(rows, REPORT)):
            out.write(b"," if n else b"[")
            out.write(json.dumps(amazon_row(n % ads, names[n // ads], n * 7919 % 104729)).encode())
        out.write(b"]")


class Kept:
    """The buckets that a load writes; counts their slots."""

    def __init__(self, loaded: Iterable[Loaded]) -> None:
        self._loaded = loaded
        self.slots = 0

    def __iter__(self) -> Iterator[Bucket]:
        for loaded in self._loaded:
            bucket = loaded.merged.bucket
            if bucket is not None:
                self.slots += len(bucket.slots)
                yield bucket


def load(work: Work, timer: Timer) -> dict[str, Any]:
    """The real path, as `intake.load.pulls` walks it, up to the items that would be written."""
    platform, slice_ = Platform(work.platform), ALL if work.platform == "meta_ads" else "sp"
    series = Series(platform, "1234567890", Level.AD, Grain.DAY)
    pull = Pull(*series[:4], Source.PULL, slice_, work.window, Stamp(AS_OF, "task"), complete=True, currency="USD")
    about = PullContext("acme", series.profile_id, Dataset.AD_DAILY, slice_, work.window, AS_OF, "USD", "UTC", "seller")
    rows, reader = PullRows(), REGISTRY.normalizer(platform)
    with Quarantine() as quarantine:
        loop = RowLoop(pull, [day.isoformat() for day in work.window.days()], rows, quarantine)
        for number, body in enumerate(work.bodies(timer), 1):
            for batch in reader.metric_batches(Page(number, body), about):
                loop.take(batch.rows, batch.bad, number)
        loop.finish()
    scored = score(loop.tally, Grain.DAY, datetime(2026, 11, 20, 6, tzinfo=UTC), datetime(2026, 11, 20, 7, tzinfo=UTC))
    items = slots = 0
    job = Job.of(pull, rows)
    for partition in partitions(series, Source.PULL, work.window):
        kept = Kept(job.walk(job.merger(partition, Coverage(), Coverage()), ()))
        items += sum(len(item) > 0 for item in encoded(partition.pk, kept))
        slots += kept.slots
    with timer.aside():
        sums = reduce(plus, (slot for _, _, slot in rows))
    if (scored.overall != 1.0 and not loop.tally.duplicates) or slots != rows.size or quarantine.rows:
        raise SystemExit(f"wrong result: score {scored}, {slots} slots of {rows.size} rows, {quarantine.rows} bad")
    return {"rows": loop.tally.read, "items": items, "distinct": rows.size, "sums": sums}


class MetaRows(msgspec.Struct):
    """A page whose rows stay undecoded."""

    data: list[msgspec.Raw]


_AMOUNT = "DECIMAL(18,6)"
_FIRST = "list_filter({}, lambda each: each.action_type = 'omni_purchase')[1].value"
_COLUMNS = {
    "meta_ads": {
        "adset_id": "VARCHAR",
        "ad_id": "VARCHAR",
        "date_start": "DATE",
        "impressions": "BIGINT",
        "clicks": "BIGINT",
        "spend": _AMOUNT,
        "actions": f"STRUCT(action_type VARCHAR, value {_AMOUNT})[]",
        "action_values": f"STRUCT(action_type VARCHAR, value {_AMOUNT})[]",
    },
    "amazon_ads": {
        "adGroupId": "BIGINT",
        "adId": "BIGINT",
        "date": "DATE",
        "impressions": "BIGINT",
        "clicks": "BIGINT",
        "cost": _AMOUNT,
        "purchases7d": _AMOUNT,
        "sales7d": _AMOUNT,
    },
}
_KEY = {"meta_ads": "adset_id, ad_id, date_start", "amazon_ads": "adGroupId, adId, date"}
_FIGURES = {
    "meta_ads": ("impressions", "clicks", _FIRST.format("actions"), "spend", _FIRST.format("action_values")),
    "amazon_ads": ("impressions", "clicks", "purchases7d", "cost", "sales7d"),
}


def baseline(work: Work, timer: Timer) -> dict[str, Any]:
    """DuckDB: split, read with types, sum."""

    def rows(body: BinaryIO) -> Iterator[list[msgspec.Raw]]:
        if work.platform == "meta_ads":
            yield page.decode(body.read()).data
        else:
            for piece in read_array(body, msgspec.Raw):
                yield cast("list[msgspec.Raw]", piece.rows)

    read, page = 0, msgspec.json.Decoder(MetaRows)
    figures = ", ".join(f"sum({figure}) AS f{place}" for place, figure in enumerate(_FIGURES[work.platform]))
    typed = f"read_json($1, format='newline_delimited', columns={_COLUMNS[work.platform]})"
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as lines, duckdb.connect(config={"threads": 1}) as database:
        database.execute("SET enable_progress_bar = false")
        for body in work.bodies(timer):
            for split in rows(body):
                read += len(split)
                lines.write(b"\n".join(split) + b"\n")
        lines.flush()
        key = _KEY[work.platform]
        made = f"CREATE TABLE sums AS SELECT {key}, {figures} FROM {typed} GROUP BY {key}"  # noqa: S608  no input
        database.execute(made, [lines.name])
        with timer.aside():
            found = database.execute("SELECT count(*), sum(COLUMNS('f.')) FROM sums").fetchone() or ()
    distinct, *sums = map(int, (found[0], *found[1:3], *(Decimal(amount) * MICRO for amount in found[3:])))
    return {"rows": read, "items": 0, "distinct": distinct, "sums": tuple(sums)}


Part = Callable[[Work, Timer], dict[str, Any]]


def _measure(part: Part, work: Work, out: Any) -> None:
    timer = Timer()
    REGISTRY.normalizer(Platform(work.platform))  # imported once per container; nor does the import of DuckDB count
    gc.freeze()  # as `validate` does before its first message
    started, cpu = time.perf_counter(), time.process_time()
    result = part(work, timer)
    seconds = time.process_time() - cpu - timer.seconds
    out.put(
        result
        | {
            "cpu_seconds": round(seconds, 3),
            "rows_per_second": round(result["rows"] / seconds),
            "wall_seconds_with_unpacking": round(time.perf_counter() - started, 2),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
    )


def measured(part: Part, work: Work) -> dict[str, Any]:
    """Run one part in a fresh process."""
    fresh = multiprocessing.get_context("spawn")
    out = fresh.Queue()
    process = fresh.Process(target=_measure, args=(part, work, out))
    process.start()
    while process.is_alive() and out.empty():
        time.sleep(0.05)
    if out.empty():
        raise SystemExit(f"{part.__name__} ended without a result")
    result: dict[str, Any] = out.get()
    process.join()
    return result


def compared(work: Work, rounds: int) -> dict[str, Any]:
    """Ours and the baseline in turns; of each the round with the median rate, and the median ratio."""
    pairs = [(measured(load, work), measured(baseline, work)) for _ in range(rounds)]
    for ours, theirs in pairs:
        if any(ours[name] != theirs[name] for name in ("rows", "distinct", "sums")):
            raise SystemExit(f"{work.platform}: the sums differ: {ours} and {theirs}")
    ratio = statistics.median(ours["rows_per_second"] / theirs["rows_per_second"] for ours, theirs in pairs)
    ours, theirs = (
        sorted(each, key=lambda part: part["rows_per_second"])[rounds // 2] for each in zip(*pairs, strict=True)
    )
    return {"ours": ours, "duckdb": theirs, "of_duckdb": round(ratio, 2)}


def main() -> int:
    """Measure, print a table and the JSON line; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--ads", type=int, default=18_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows, ads = options.rows, options.ads
    sample = json.dumps(
        {"data": [meta_row(n, START.isoformat(), n * 7919) for n in range(PAGE)]}, separators=(",", ":")
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, rows, ads)
        meta = compared(Work(folder, "meta_ads", rows, ads), options.rounds)
        amazon = compared(Work(folder, "amazon_ads", min(rows, REPORT), ads), options.rounds)
        again = measured(load, Work(folder, "meta_ads", rows, ads, 10))
    parts = {
        "meta": meta["ours"],
        "meta_duckdb": meta["duckdb"],
        "meta_ten_times": again,
        "amazon": amazon["ours"],
        "amazon_duckdb": amazon["duckdb"],
    }
    for name, part in parts.items():
        print(
            f"{name:15} {part['rows']:>9,} rows  {part['rows_per_second']:>8,} rows/s  peak {part['peak_mb']:>4} MB"
            f"  {part['items']:>7,} items"
        )
    print(f"{'of DuckDB':15} Meta {meta['of_duckdb']}, Amazon {amazon['of_duckdb']}")
    met = {
        f"Meta at least {FLOOR} of DuckDB": meta["of_duckdb"] >= FLOOR,
        f"Amazon at least {FLOOR} of DuckDB": amazon["of_duckdb"] >= FLOOR,
        f"at most {MEMORY} MB": max(meta["ours"]["peak_mb"], amazon["ours"]["peak_mb"]) <= MEMORY,
        "ten times over in the same memory": again["peak_mb"] <= MEMORY,
    }
    answer = {
        "bench": "load",
        "row_bytes": len(sample) // PAGE,
        "aim": AIM,
        **parts,
        "of_duckdb": {"meta": meta["of_duckdb"], "amazon": amazon["of_duckdb"]},
        "met": met,
        "ok": all(met.values()),
    }
    print(json.dumps(answer))
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
