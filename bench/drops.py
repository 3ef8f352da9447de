"""Dropped CSV without I/O: our own columns → checked rows → merged bucket items; and a large file in shares.

    python bench/drops.py [--rows 500000] [--ads 18000] [--rounds 3] [--bytes 0]

Ours and DuckDB with one thread, which reads the same file with typed columns and sums by ad and day, take turns, each
in a process of its own; their sums must be equal. Ours also checks, scores nothing away, and makes the items as the
JSON text that BatchWriteItem sends. Rates are rows per second of processor time, the ratio is the median over the
rounds. With `--bytes`, a file of that size is loaded as `validate` does, an invocation after the other: time, memory
and invocations. The last line is one JSON object. Exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import duckdb

from adweir.intake.load.commit import Allowance, Committer, Origin
from adweir.intake.load.file_readers import ClientFiles
from adweir.intake.load.files import DropLoader
from adweir.model.entities import Account, Profile
from adweir.model.errors import NotReady
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import METRICS, Series, Slot, plus
from adweir.model.money import MICRO
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull
from adweir.platforms import REGISTRY
from adweir.quality.rules import RowLoop
from adweir.store.catalog.store import Catalog
from adweir.store.ledger.receipts import Receipts
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import encoded, partitions
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.job import Job
from adweir.store.raw.store import ObjectHead, RawStore
from support.clock import FrozenClock

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
START = date(2025, 5, 1)
KEY = "drops/acc/numbers.csv"
AIM, FLOOR, MEMORY = 0.25, 0.1, 1500
"""The share of DuckDB's rate that is aimed at, and the least; and the most megabytes of a large file."""
_TYPES = {
    "platform": "VARCHAR", "profile_id": "VARCHAR", "level": "VARCHAR", "date": "DATE", "campaign_id": "VARCHAR",
    "ad_group_id": "VARCHAR", "ad_id": "VARCHAR", "impressions": "BIGINT", "clicks": "BIGINT",
    "spend": "DECIMAL(18,6)", "conversions": "DECIMAL(18,6)", "revenue": "DECIMAL(18,6)", "currency": "VARCHAR",
}  # fmt: skip


class Asked(NamedTuple):
    """A file, its rows, and of how many ads."""

    file: str
    rows: int
    ads: int


def write(asked: Asked, most: int = 1 << 60) -> int:
    """Write the file, until it has that many bytes; returns its rows."""
    size = 0
    with Path(asked.file).open("w", encoding="utf-8", buffering=1 << 20) as file:
        size += file.write(",".join(_TYPES) + "\n")
        for number in range(asked.rows):
            ad, day = number % asked.ads, START + timedelta(days=number // asked.ads)
            seed = number * 7919 % 104729
            size += file.write(
                f"meta_ads,1234567890,ad,{day},{23850000000000000 + ad // 100},{23851000000000000 + ad // 10},"
                f"{23852000000000000 + ad},{seed + 100},{seed % 90},{seed // 100}.{seed % 100:02},"
                f"{seed % 90 // 10}.{5 * (seed % 90 > 0)},"
                f"{seed % 977}.25,USD\n"
            )
            if size >= most:
                return number + 1
    return asked.rows


class Bucketless(RawStore):
    """The bucket with one dropped file; what is written is thrown away."""

    def __init__(self, file: str) -> None:
        self._file = Path(file)

    def head(self, key: str, version_id: str = "") -> ObjectHead:
        return ObjectHead(self._file.stat().st_size, NOW, "v1", {})

    def open_stream(self, key: str, version_id: str = "") -> BinaryIO:
        return io.BufferedReader(self._file.open("rb", buffering=0), 1 << 18)

    def put(self, key: str, body: Any, *_: Any, **__: Any) -> None:
        """Nothing is kept."""

    def put_once(self, key: str, body: Any, *_: Any, **__: Any) -> bool:
        return True


class Client(Catalog):
    """A client with one ad account."""

    def __init__(self) -> None:
        super().__init__(FrozenClock(NOW))

    def account(self, account_id: str) -> Account:
        return Account(account_id="acc", company_name="n", primary_contact_email="a@b.example")

    def profile(self, platform: Platform, profile_id: str) -> Profile | None:
        named: dict[str, Any] = {"account_id": "acc", "name": "n", "timezone": "Europe/Berlin", "currency": "USD"}
        return Profile(platform=platform, profile_id=profile_id, **named)


class InMemory(Receipts):
    """Receipts in memory."""

    def __init__(self) -> None:
        super().__init__(FrozenClock(NOW))
        self.kept: dict[str, dict[str, Any]] = {}

    def put(self, key: str, receipt: Mapping[str, Any], lasts: timedelta = timedelta()) -> bool:
        self.kept[key] = json.loads(json.dumps(receipt))
        return True

    def put_listed(self, key: str, receipt: Mapping[str, Any]) -> None:
        self.put(key, receipt)

    def get(self, key: str) -> dict[str, Any] | None:
        return self.kept.get(key)


class Items(Committer):
    """Makes the items that would be written."""

    def __init__(self) -> None:
        self.items = self.slots = 0
        self.sums: Slot = (0, 0, 0, 0, 0)
        self.aside = 0.0

    def store(
        self, pull: Pull, brought: PullRows, loop: RowLoop, origin: Origin, quarantine_key: str, allowance: Allowance
    ) -> dict[str, int]:
        series = Series(pull.platform, pull.profile_id, pull.level, pull.grain)
        job = Job.of(pull, brought)
        for partition in partitions(series, pull.source, pull.window):
            loaded = job.walk(job.merger(partition, Coverage(), Coverage()), ())
            buckets = (each.merged.bucket for each in loaded if each.merged.bucket is not None)
            self.items += sum(len(item) > 0 for item in encoded(partition.pk, buckets))
        began = time.process_time()
        self.slots += brought.size
        self.sums = reduce(plus, (slot for _, _, slot in brought), self.sums)
        self.aside += time.process_time() - began
        return {"rows_stored": brought.size, "duplicates": loop.tally.duplicates, "slots_changed": brought.size}

    def breach(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""


def invocations(asked: Asked, items: Items) -> tuple[dict[str, Any], list[float]]:
    """Load the file as `validate` does; returns its receipt and the seconds that each invocation took."""
    catalog, receipts = Client(), InMemory()
    readers = ClientFiles(catalog, REGISTRY, lambda *_: None)
    loader = DropLoader(Bucketless(asked.file), catalog, receipts, items, FrozenClock(NOW), readers)
    message, took = ObjectArrived(bucket="b", key=KEY), list[float]()
    while True:
        began = time.perf_counter()
        try:
            loader.load(message, lambda began=began: 300.0 - (time.perf_counter() - began))  # type: ignore[misc]
        except NotReady:
            took.append(round(time.perf_counter() - began, 1))
            continue
        took.append(round(time.perf_counter() - began, 1))
        return receipts.kept[f"{KEY}.v1"], took


def ours(asked: Asked) -> dict[str, Any]:
    """The real path up to the items that would be written."""
    items = Items()
    receipt, took = invocations(asked, items)
    if receipt["rows_quarantined"] or receipt["rows_stored"] != asked.rows:
        raise SystemExit(f"wrong result: {receipt}")
    sums = [number or 0 for number in items.sums]
    return {"sums": sums, "items": items.items, "aside": items.aside, "invocations": took}


def theirs(asked: Asked) -> dict[str, Any]:
    """DuckDB: read with types, sum by ad and day."""
    figures = ", ".join(f"sum({name}) AS {name}" for name in METRICS)
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute("SET enable_progress_bar = false")
        typed = f"read_csv($1, header=true, columns={_TYPES})"
        key = "ad_group_id, ad_id, date"
        database.execute(f"CREATE TABLE sums AS SELECT {key}, {figures} FROM {typed} GROUP BY {key}", [asked.file])  # noqa: S608  no input
        total = ", ".join(f"sum({name})" for name in METRICS)
        found = database.execute(f"SELECT {total} FROM sums").fetchone() or ()  # noqa: S608  no input
    sums = [int(found[0]), int(found[1]), *(int(Decimal(amount) * MICRO) for amount in found[2:])]
    return {"sums": sums, "aside": 0.0}


Part = Callable[[Asked], dict[str, Any]]


def _measure(part: Part, asked: Asked, out: Any) -> None:
    gc.freeze()  # as `validate` does before its first message
    began, wall = time.process_time(), time.perf_counter()
    result = part(asked)
    seconds = time.process_time() - began - result.pop("aside")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    facts = {"cpu_seconds": round(seconds, 2), "wall_seconds": round(time.perf_counter() - wall, 1)}
    out.put(result | facts | {"rows_per_second": round(asked.rows / seconds), "peak_mb": round(peak)})


def measured(part: Part, asked: Asked) -> dict[str, Any]:
    """Run one part in a fresh process."""
    fresh = multiprocessing.get_context("spawn")
    out = fresh.Queue()
    process = fresh.Process(target=_measure, args=(part, asked, out))
    process.start()
    while process.is_alive() and out.empty():
        time.sleep(0.05)
    if out.empty():
        raise SystemExit(f"{part.__name__} ended without a result")
    result: dict[str, Any] = out.get()
    process.join()
    return result


def pairs(asked: Asked, rounds: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Both in turns. Ends the program where their sums differ."""
    for _ in range(rounds):
        mine, other = measured(ours, asked), measured(theirs, asked)
        if mine["sums"] != other["sums"]:
            raise SystemExit(f"the sums differ: {mine} and {other}")
        yield mine, other


def main() -> int:
    """Measure, print what was found and the JSON line; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--ads", type=int, default=18_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bytes", type=float, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asked = Asked(f"{folder}/drop.csv", options.rows, options.ads)
        write(asked)
        found = list(pairs(asked, options.rounds))
        ratio = round(statistics.median(a["rows_per_second"] / b["rows_per_second"] for a, b in found), 2)
        middle = sorted(found, key=lambda pair: pair[0]["rows_per_second"])[len(found) // 2]
        answer: dict[str, Any] = {
            "bench": "drops",
            "ours": middle[0],
            "duckdb": middle[1],
            "of_duckdb": ratio,
            "aim": AIM,
        }
        met = {f"at least {FLOOR} of DuckDB": ratio >= FLOOR}
        if options.bytes:
            large = Asked(asked.file, 1 << 40, options.ads)
            large = large._replace(rows=write(large, int(options.bytes)))
            answer["large"] = measured(ours, large) | {"rows": large.rows}
            met[f"a large file in {MEMORY} MB"] = answer["large"]["peak_mb"] <= MEMORY
    print(json.dumps(answer | {"met": met, "ok": all(met.values())}))
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
