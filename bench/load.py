"""Loading without I/O: decode → normalize → clean → check → score → merged bucket items, on one core.

    python bench/load.py [--rows 500000] [--ads 18000] [--rounds 3] [--only meta_ads] [--bytes 0] [--seconds 300]
                         [--mapped-seconds 300]

Each platform's rows in its own form (bench/formats). They are made once, on disk; pages are gzipped and unpacked as
they are read, which is timed apart and subtracted. Rates are rows per second of processor time: other work on the
machine does not count. Each part runs in a process of its own, because peak memory
is a process's. Ours ends with the items as the JSON text that BatchWriteItem sends; the changes file, the spool and the
requests are not in it (bench/store.py has them).

The baseline is DuckDB with one thread on the same bodies: pages split into rows by msgspec.Raw, read as JSON lines
with typed columns and exact decimals, summed by ad and day into a table; CSV it reads itself. It checks nothing,
scores nothing and makes no items. Both take turns, and their sums must be equal; the ratio is the median over the
rounds.

Dropped files (`drops`, bench/formats/drops.py) in adweir's own columns go against DuckDB twice: doing the same with the
rows, checks and months included, and only reading and summing; the first ratio has the aim. `mapped` is a file of
another tool, against itself only. With `--bytes`, a file of that size of each of both kinds is loaded as well, by
invocations of at most `--seconds` of processor time, those of `mapped` of `--mapped-seconds`: time, memory and
invocations; their totals are those that DuckDB finds. A mapped file takes longer to read, so that no number of seconds
cuts both kinds into shares and refuses none. The last line is one JSON object. Exits with 1 when a target is missed.
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
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import duckdb

from adweir.model.datasets import Dataset
from adweir.model.metrics import Grain, Level, Series, Source, plus
from adweir.model.money import MICRO
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import PullContext
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.quality.score import score
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import Bucket, encoded, partitions
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.job import Job, Loaded
from bench.formats import FORMATS, drops, make

START = date(2026, 10, 20)
AS_OF = "2026-11-20T06:00:00.000000Z"
AIM, MEMORY = 1.0, 300
DROPS_AIM, DROPS_MEMORY = 0.25, 1500
"""Of dropped files: the share of DuckDB's rate at the same work, and the most megabytes of a large file."""


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
    seconds: float = 300.0
    mapped_seconds: float = 300.0

    @property
    def window(self) -> Window:
        return Window(START, START + timedelta(days=-(-self.rows // self.ads) - 1))

    @property
    def file(self) -> Path:
        return self.folder / self.platform

    def bodies(self, timer: Timer) -> Iterator[BinaryIO]:
        for _ in range(self.times):
            with self.file.open("rb") as file:
                if not FORMATS[self.platform].page:
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
    label: str
    media: str


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
    platform, form = Platform(work.platform), FORMATS[work.platform]
    slice_ = form.slice
    series = Series(platform, "1234567890", Level.AD, Grain.DAY)
    pull = Pull(*series[:4], Source.PULL, slice_, work.window, Stamp(AS_OF, "task"), complete=True, currency="USD")
    about = PullContext("acme", series.profile_id, Dataset.AD_DAILY, slice_, work.window, AS_OF, "USD", "UTC", "seller")
    rows, reader = PullRows(), REGISTRY.normalizer(platform)
    with Quarantine() as quarantine:
        loop = RowLoop(pull, [day.isoformat() for day in work.window.days()], rows, quarantine)
        for number, body in enumerate(work.bodies(timer), 1):
            for batch in reader.metric_batches(Page(number, body, form.label, form.media), about):
                loop.take(batch.rows, batch.bad, number)
        loop.finish()
    scored = score(loop.tally, Grain.DAY, pull.stamp, datetime(2026, 11, 20, 7, tzinfo=UTC))
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


def baseline(work: Work, timer: Timer) -> dict[str, Any]:
    """DuckDB: split, read with types, sum."""
    form, read = FORMATS[work.platform], 0
    figures = ", ".join(f"sum({figure}) AS f{place}" for place, figure in enumerate(form.figures))
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as lines, duckdb.connect(config={"threads": 1}) as database:
        database.execute("SET enable_progress_bar = false")
        for body in work.bodies(timer) if form.split else ():
            for split in form.split(body) if form.split else ():
                read += len(split)
                lines.write(b"\n".join(split) + b"\n")
        lines.flush()
        typed, file = f"read_json($1, format='newline_delimited', columns={form.columns})", lines.name
        if not form.split:
            typed, file = f"read_csv($1, header=true, columns={form.columns})", str(work.file)
        made = f"CREATE TABLE sums AS SELECT {form.key}, {figures} FROM {typed} GROUP BY {form.key}"  # noqa: S608  no input
        database.execute(made, [file])
        with timer.aside():
            found = database.execute("SELECT count(*), sum(COLUMNS('f.')) FROM sums").fetchone() or ()
    distinct, impressions, clicks, *amounts = found
    whole = [int(one if place in form.micros else Decimal(one) * MICRO) for place, one in enumerate(amounts, 2)]
    return {
        "rows": read or work.rows,
        "items": 0,
        "distinct": int(distinct),
        "sums": (int(impressions), int(clicks), *whole),
    }


def dropped(work: Work, timer: Timer) -> dict[str, Any]:
    """A dropped file in adweir's own columns."""
    return drops.load(work.file, drops.OWN, work.rows, timer.aside, work.seconds)


def mapped(work: Work, timer: Timer) -> dict[str, Any]:
    """A dropped file of another tool."""
    return drops.load(work.file, drops.MAPPED, work.rows, timer.aside, work.mapped_seconds)


def dropped_checked(work: Work, timer: Timer) -> dict[str, Any]:
    """The same work in DuckDB."""
    return drops.checked(work.file, work.rows, timer.aside)


def dropped_bare(work: Work, timer: Timer) -> dict[str, Any]:
    """Reading and summing alone in DuckDB."""
    return drops.bare(work.file, work.rows, timer.aside)


def mapped_bare(work: Work, timer: Timer) -> dict[str, Any]:
    """Reading and summing a file of another tool alone, in DuckDB."""
    return drops.hours(work.file, work.rows, timer.aside)


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


def compared(work: Work, rounds: int, part: Part = load, other: Part = baseline) -> dict[str, Any]:
    """Ours and the baseline in turns; of each the round with the median rate, and the median ratio."""
    pairs = [(measured(part, work), measured(other, work)) for _ in range(rounds)]
    for ours, theirs in pairs:
        if any(ours[name] != theirs[name] for name in ("rows", "distinct", "sums")):
            raise SystemExit(f"{work.platform}: the sums differ: {ours} and {theirs}")
    ratio = statistics.median(ours["rows_per_second"] / theirs["rows_per_second"] for ours, theirs in pairs)
    ours, theirs = (
        sorted(each, key=lambda part: part["rows_per_second"])[rounds // 2] for each in zip(*pairs, strict=True)
    )
    return {"ours": ours, "duckdb": theirs, "of_duckdb": round(ratio, 2)}


class Found(NamedTuple):
    """What was measured, the shares of DuckDB's rates, and which targets are met."""

    parts: dict[str, dict[str, Any]]
    shares: dict[str, float]
    met: dict[str, bool]


def of_platforms(folder: Path, names: Iterable[str], rows: int, ads: int, rounds: int) -> Found:
    """Measure what the platforms send."""
    days = [(START + timedelta(days=n)).isoformat() for n in range(-(-rows // ads))]
    parts: dict[str, dict[str, Any]] = {}
    shares: dict[str, float] = {}
    for platform in names:
        form = FORMATS[platform]
        own = min(rows, form.most)
        make(folder / platform, form, (form.row(n % ads, days[n // ads], n * 7919 % 104729) for n in range(own)))
        work = Work(folder, platform, own, ads)
        found = compared(work, rounds)
        parts |= {platform: found["ours"], f"{platform} in DuckDB": found["duckdb"]}
        shares[platform] = found["of_duckdb"]
        if platform == "meta_ads":
            parts["meta_ads ten times"] = measured(load, work._replace(times=10))
        work.file.unlink()
    met = {f"{name} at least {FORMATS[name].floor} of DuckDB": shares[name] >= FORMATS[name].floor for name in shares}
    return Found(parts, shares, met | _small(parts, MEMORY))


_LARGE = (
    ("drops, large", drops.OWN, dropped, dropped_bare),
    ("mapped, large", drops.MAPPED, mapped, mapped_bare),
)


def of_drops(work: Work, rounds: int, size: int) -> Found:
    """Measure dropped files of so many rows; of so many bytes as well."""
    drops.write(work.file, drops.OWN, work.ads, work.rows)
    same, bare = (compared(work, rounds, dropped, other) for other in (dropped_checked, dropped_bare))
    parts = {"drops": same["ours"], "drops in DuckDB": same["duckdb"], "drops in bare DuckDB": bare["duckdb"]}
    shares = {"drops": same["of_duckdb"], "drops, of bare": bare["of_duckdb"]}
    fewer = work._replace(rows=drops.write(work.file, drops.MAPPED, work.ads, work.rows // 5))
    parts["drops, mapped"] = measured(mapped, fewer)
    for name, kind, ours, theirs in _LARGE if size else ():
        large = work._replace(rows=drops.write(work.file, kind, work.ads, 1 << 40, size))
        found = compared(large, 1, ours, theirs)
        parts |= {name: found["ours"], f"{name}, in DuckDB": found["duckdb"]}
    work.file.unlink()
    met = {f"drops at least {DROPS_AIM} of DuckDB": shares["drops"] >= DROPS_AIM}
    return Found(parts, shares, met | _small(parts, DROPS_MEMORY))


def _small(parts: dict[str, dict[str, Any]], most: int) -> dict[str, bool]:
    return {f"{name} in {most} MB": part["peak_mb"] <= most for name, part in parts.items() if "DuckDB" not in name}


def main() -> int:
    """Measure, print a table and the JSON line; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--ads", type=int, default=18_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=[*FORMATS, "drops"], help="these alone")
    parser.add_argument("--bytes", type=float, default=0, help="of dropped files that are loaded as well")
    parser.add_argument("--seconds", type=float, default=300.0, help="of an invocation that loads a dropped file")
    parser.add_argument("--mapped-seconds", type=float, default=300.0, help="of one that loads a file of another tool")
    options = parser.parse_args()
    rows, ads, rounds, only = options.rows, options.ads, options.rounds, options.only or [*FORMATS, "drops"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [of_platforms(folder, [each for each in FORMATS if each in only], rows, ads, rounds)]
        if "drops" in only:
            work = Work(folder, "meta_ads", rows, ads, 1, options.seconds, options.mapped_seconds)
            found.append(of_drops(work, rounds, int(options.bytes)))
    parts, shares, met = (dict(chain.from_iterable(each.items() for each in kind)) for kind in zip(*found, strict=True))
    for name, part in parts.items():
        print(
            f"{name:20} {part['rows']:>9,} rows  {part['rows_per_second']:>9,} rows/s  peak {part['peak_mb']:>4} MB"
            f"  {part['items']:>7,} items"
        )
    print("of DuckDB: " + ", ".join(f"{name} {share}" for name, share in shares.items()))
    answer = {"bench": "load", "aim": AIM, **parts, "of_duckdb": shares, "met": met, "ok": all(met.values())}
    print(json.dumps(answer))
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
