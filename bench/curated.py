"""Tables for SQL: a year of 10,000 ads by month, asked of `curated/` with DuckDB, and what making a month takes.

The month is made by the curator, of a store and a bucket in memory. All seconds are those of one processor. Memory is
what the process grows by while the month is made, so that the store in memory does not count. A Lambda function has
`LAMBDA_MB` for it and half of its time-out. The year is that month twelve times, and its answer is fetched into Python.
The baseline of the question reads the same columns of the same files and groups nothing. Last line: one JSON object.

    python bench/curated.py [--ads 10000]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core"), str(ROOT / "tests")]

import duckdb  # noqa: E402

from adweir.model.entities import Ad  # noqa: E402
from adweir.model.metrics import MetricRow  # noqa: E402
from support.curated_world import CuratedWorld  # noqa: E402
from support.reading_world import ACCOUNT, AD, CAMPAIGN, LOSSY, ONE  # noqa: E402

MONTH, DAYS = "2026-10", 31
QUESTION_SECONDS, MOST_RATIO, LAMBDA_MB, LAMBDA_SECONDS = 2.0, 25.0, 3008, 600
MOST_MB = 1500
"""Of the function's memory; the rest is for the interpreter and what reads the store."""
LAMBDA_CPU = min(1.0, LAMBDA_MB / 1769)
YEAR = [f"2025-{month:02d}" for month in range(11, 13)] + [f"2026-{month:02d}" for month in range(1, 11)]


def a_month(ads: int) -> CuratedWorld:
    """What an account with so many ads has pulled in a month."""
    rng, days = random.Random(7), [f"{MONTH}-{day:02d}" for day in range(1, DAYS + 1)]

    def rows(entity: str, campaign: str = "", group: str = "") -> list[MetricRow]:
        found = []
        for day in days:
            clicks = rng.randrange(1, 900)
            spend = clicks * rng.randrange(20, 300) * 10_000
            numbers = (clicks * 60, clicks, clicks * 100_000, spend, spend * 3)
            found.append(MetricRow(entity, day, *numbers, campaign, group, currency="USD"))
        return found

    homes = {f"a{ad}": (f"c{ad // 50}", f"g{ad // 10}") for ad in range(ads)}
    named = [
        Ad(
            platform=LOSSY,
            profile_id="p1",
            id=ad,
            name=f"Ad {ad}",
            campaign_id=campaign,
            ad_group_id=group,
            landing_page_url=f"https://shop.example/{ad}?utm_campaign={campaign}",
        )
        for ad, (campaign, group) in homes.items()
    ]
    world = CuratedWorld(ONE, objects=named)
    world.stored.table.batch = 1000
    span = (days[0], days[-1])
    world.pull(ACCOUNT, *rows("p1"), days=span)
    campaigns = dict.fromkeys(campaign for campaign, _ in homes.values())
    world.pull(CAMPAIGN, *(row for campaign in campaigns for row in rows(campaign, campaign)), days=span)
    world.pull(AD, *(row for ad, (c, g) in homes.items() for row in rows(f"{g}~{ad}", c, g)), days=span)
    return world


def made(world: CuratedWorld) -> dict[str, float]:
    """Make the month's tables; the processor's seconds, and the megabytes that the process grew by."""
    Path("/proc/self/clear_refs").write_text("5")
    before, began = _memory("VmRSS"), time.process_time()
    world.curate(seconds=1e9)
    used = time.process_time() - began
    return {"cpu_seconds": round(used, 1), "grown_mb": round(_memory("VmHWM") - before)}


def asked(world: CuratedWorld, folder: Path) -> dict[str, float]:
    """Ask of the year: the best of three times, in seconds of the processor."""
    (key,) = [key for key in world.keys if "metrics/" in key and "/level=ad/" in key and f"month={MONTH}" in key]
    source = folder / "month.parquet"
    source.write_bytes(world.content[key])
    with duckdb.connect(config={"threads": 1}) as connection:
        for month in YEAR:
            place = folder / f"month={month}"
            place.mkdir()
            shifted = f"CAST(date + CAST(DATE '{month}-01' - DATE '{MONTH}-01' AS INTEGER) AS DATE) AS date"
            connection.execute(
                f"COPY (SELECT * REPLACE ({shifted}) FROM '{source}') TO '{place / 'p1.parquet'}' "  # noqa: S608
                "(FORMAT parquet, COMPRESSION zstd)"
            )
        year = (
            f"read_parquet('{folder}/month=*/*.parquet', hive_partitioning = true, hive_types = {{'month': VARCHAR}})"
        )
        numbers = "SUM(impressions), SUM(clicks), SUM(conversions), SUM(spend), SUM(revenue)"
        plain = _best(connection, f"SELECT {numbers}, COUNT(ad_id), COUNT(month) FROM {year}")  # noqa: S608
        whole = _best(connection, f"SELECT ad_id, ad_name, month, {numbers} FROM {year} GROUP BY 1, 2, 3")  # noqa: S608
        ((rows,),) = connection.execute(f"SELECT COUNT(*) FROM {year}").fetchall()  # noqa: S608
    size = sum(file.stat().st_size for file in folder.rglob("month=*/*.parquet"))
    return {"rows": rows, "mb": round(size / 1e6, 1), "plain_seconds": round(plain, 3), "seconds": round(whole, 3)}


def _best(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    took = []
    for _ in range(3):
        began = time.process_time()
        connection.execute(query).fetchall()
        took.append(time.process_time() - began)
    return min(took)


def _memory(name: str) -> float:
    return int(Path("/proc/self/status").read_text().partition(f"{name}:")[2].split()[0]) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ads", type=int, default=10_000)
    arguments = parser.parse_args()
    world = a_month(arguments.ads)
    month = made(world)
    print("month", month, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        year = asked(world, Path(folder))
    print("year ", year, flush=True)
    ratio = year["seconds"] / year["plain_seconds"]
    lambda_seconds = month["cpu_seconds"] / LAMBDA_CPU
    passed = (
        year["seconds"] <= QUESTION_SECONDS
        and ratio <= MOST_RATIO
        and lambda_seconds <= LAMBDA_SECONDS / 2
        and month["grown_mb"] <= MOST_MB
    )
    report = {"bench": "curated", "ads": arguments.ads, "passed": passed, "year_ratio": round(ratio, 2)}
    print(json.dumps({**report, "lambda_seconds": round(lambda_seconds, 1), "month": month, "year": year}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
