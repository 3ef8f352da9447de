"""Pulling: 50,000 rows of daily ads from a loopback server to a raw object, in each platform's protocol.

Four programs pull the same bodies (bench/formats). Two bring bytes: *requests*, a bare loop that saves each body to a
file, which it then puts; and *pull*, the real path: connector, RawWriter (compression and checksum in its thread), the
put. Two bring rows: *json*, the bare loop that decodes each body and counts its rows; and *library*, `adweir.client`,
whose rows are checked and canonical. Every figure is the program in a fresh process (rows/s from the first request to
the object stored, or to the last row; its peak memory beside it); programs take turns, and the best round counts,
because other work on the machine can only slow a round. The server is another process; S3 is MiniStack, started for
this, or, with "no put", a file. The targets are for Meta, whose pages are small: of a file, pull unpacks and packs what
the bare loop only saves. Last line: one JSON object.

    python bench/pull.py [--rounds 5] [--rows 50000] [--only meta_ads]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from bench.formats import FORMATS  # noqa: E402
from bench.formats.answers import ACCOUNT, SECRETS, TOKEN, serve, window  # noqa: E402

BUCKET, KEY = "bench-pull", "baseline"
RATIO_LIMIT, MEMORY_LIMIT_MB = 0.7, 120.0
MODES = {"no_put": ("requests", "pull", "json", "library"), "put": ("requests", "pull")}
TODAY = datetime.now(UTC).date()


def s3_client(endpoint: str) -> Any:
    import boto3

    return boto3.client("s3", endpoint_url=endpoint)


def bodies(platform: str, url: str) -> Iterator[bytes]:
    """What a bare client fetches, body by body."""
    import requests

    with requests.Session() as session:

        def asked(path: str, method: str = "GET") -> bytes:
            answer = session.request(method, f"{url}{path}", timeout=60)
            answer.raise_for_status()
            return answer.content

        if platform == "meta_ads":
            following = re.compile(rb'"next":"[^"]*(/v26.0[^"]*)"')
            path = f"/v26.0/act_{ACCOUNT}/insights?access_token={TOKEN}"
            while path:
                yield (body := asked(path))
                found = following.search(body[-400:])
                path = found[1].decode() if found else ""
        elif platform == "tiktok_ads":
            number, pages = 1, 1
            while number <= pages:
                yield (body := asked(f"/open_api/v1.3/report/integrated/get/?page={number}"))
                if number == 1 and (said := re.search(rb'"total_page":(\d+)', body[:400])):
                    pages = int(said[1])
                number += 1
        elif platform == "google_ads":
            yield asked(f"/v26/customers/{ACCOUNT}/googleAds:searchStream", "POST")
        else:
            yield asked("/file/0" if platform == "amazon_ads" else "/v3/file.csv")


DECODED: dict[str, Callable[[bytes], int]] = {
    "meta_ads": lambda body: len(json.loads(body)["data"]),
    "amazon_ads": lambda body: len(json.loads(gzip.decompress(body))),
    "google_ads": lambda body: sum(len(batch["results"]) for batch in json.loads(body)),
    "tiktok_ads": lambda body: len(json.loads(body)["data"]["list"]),
    "trade_desk": lambda body: sum(1 for _ in csv.DictReader(io.StringIO(body.decode()))),
}
"""The rows of a body, as dicts."""


def by_requests(platform: str, url: str, endpoint: str, folder: Path) -> float:
    """The baseline in bytes: each body saved to a file, which is put when there is an endpoint."""
    s3 = s3_client(endpoint) if endpoint else None
    path = folder / "bodies"
    begin = time.perf_counter()
    with path.open("wb") as file:
        for body in bodies(platform, url):
            file.write(body)
    if s3:
        with path.open("rb") as file:
            s3.put_object(Bucket=BUCKET, Key=KEY, Body=file)
    return time.perf_counter() - begin


def by_json(platform: str, url: str, rows: int) -> float:
    """The baseline in rows: each body decoded."""
    begin = time.perf_counter()
    check(sum(DECODED[platform](body) for body in bodies(platform, url)), rows)
    return time.perf_counter() - begin


class FileS3:
    """The store for "no put": a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put_object(self, **request: Any) -> None:
        with (self._folder / "object.gz").open("wb") as file:
            shutil.copyfileobj(request["Body"], file)


def by_pull(platform: str, url: str, endpoint: str, folder: Path) -> float:
    """The real path, from the connector to the raw object."""
    from adweir.model.datasets import Dataset
    from adweir.model.entities import Credential
    from adweir.model.platforms import Platform
    from adweir.model.tasks import Task
    from adweir.model.times import Window, iso
    from adweir.platforms import REGISTRY
    from adweir.platforms.connector import Mode, OwnTokens, Wiring
    from adweir.platforms.session import new_session
    from adweir.runtime.clock import SystemClock
    from adweir.store.raw.store import PullHeader, RawStore
    from sandbox.platforms import platform_urls

    name, form = Platform(platform), FORMATS[platform]
    own, spec = platform_urls(url)[platform], REGISTRY.spec(name)
    s3: Any = s3_client(endpoint) if endpoint else FileS3(folder)
    span = Window(*window(TODAY))
    task = Task("r", "s", "a", name, ACCOUNT, Dataset.AD_DAILY, form.slice, span, deadline=0)
    credential = Credential(account_id="a", platform=name, secret_id="s")  # noqa: S106
    with new_session() as session:
        clock = SystemClock()
        urls = lambda at, route: spec.url(at, route, own)  # noqa: E731
        connector = REGISTRY.connect(
            credential, SECRETS[platform], Wiring(urls, session, clock, random.Random(1), OwnTokens(clock))
        )
        begin = time.perf_counter()
        # Each round has its own key: a second put to the same key would do nothing.
        header = PullHeader.of(task, as_of=iso(datetime.now(UTC)))
        header = PullHeader.parse(header.metadata() | {"task-id": f"{os.getpid()}"})
        report_id = ""
        if connector.mode(task) is Mode.REPORT:
            report_id = connector.create_report(task).id
            connector.report(task, report_id)
        last = False
        with RawStore(s3, BUCKET).writer(header) as writer:
            for page in connector.report_pages(task, report_id) if report_id else connector.pages(task):
                writer.write(page)
                last = page.last
            writer.commit(complete=last)
        if not last or writer.existed:
            raise RuntimeError("the pull did not reach its end")
        return time.perf_counter() - begin


def by_library(platform: str, url: str, rows: int) -> float:
    """The rows of `adweir.client`."""
    import adweir
    from sandbox.platforms import platform_urls

    secret: dict[str, Any] = dict(SECRETS[platform])
    client = adweir.client(platform, urls=platform_urls(url)[platform], **secret)
    profile = {"profile_id": ACCOUNT, "account_id": ACCOUNT, "name": "Kestrel", "currency": "USD", "timezone": "UTC"}
    begin = time.perf_counter()
    report = client.create_report_request(profile, window(TODAY))
    check(sum(1 for _ in client.download_report(report)), rows)
    return time.perf_counter() - begin


def check(found: int, rows: int) -> None:
    if found != rows:
        raise RuntimeError(f"found {found} of {rows} rows")


def child(platform: str, program: str, url: str, endpoint: str, rows: int) -> None:
    """One measurement; prints its seconds and the process's peak memory in MB."""
    import requests  # noqa: F401  imports are not measured

    with tempfile.TemporaryDirectory() as name:
        programs = {
            "requests": lambda: by_requests(platform, url, endpoint, Path(name)),
            "pull": lambda: by_pull(platform, url, endpoint, Path(name)),
            "json": lambda: by_json(platform, url, rows),
            "library": lambda: by_library(platform, url, rows),
        }
        seconds = programs[program]()
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """The largest resident size so far. Linux keeps the parent's in ru_maxrss across fork and exec: ask /proc there."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) / 1024
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@contextmanager
def served(platform: str, rows: int) -> Iterator[tuple[str, int]]:
    """The platform in a process of its own: its URL, and the bytes per row."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", "--only", platform, "--rows", str(rows)], stdout=subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise RuntimeError("no pipe to the server")
        said = json.loads(process.stdout.readline())
        yield said["url"], said["bytes_per_row"]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """MiniStack with an empty bucket: its endpoint."""
    import socket

    from sandbox.ministack import start_ministack
    from sandbox.processes import stop

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = start_ministack(folder, port, "127.0.0.1")
    try:
        endpoint = f"http://127.0.0.1:{port}"
        s3_client(endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        stop(running)


def measured(platform: str, program: str, url: str, endpoint: str, rows: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", program, "--only", platform, "--rows", str(rows)]
    done = subprocess.run(
        [*command, "--url", url, "--endpoint", endpoint], check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def compare(platform: str, rows: int, rounds: int, endpoint: str) -> dict[str, Any]:
    """All programs in turns, with and without the put."""
    report: dict[str, Any] = {}
    with served(platform, rows) as (url, size):
        report["bytes_per_row"] = size
        for mode, programs in MODES.items():
            target = endpoint if mode == "put" else ""
            runs: dict[str, list[dict[str, float]]] = {program: [] for program in programs}
            for program in programs * (rounds + 1):
                runs[program].append(measured(platform, program, url, target, rows))
            for program in programs:
                kept = runs[program][1:]  # the first warms the disk's cache
                rate, peak = rows / min(run["seconds"] for run in kept), max(run["peak_mb"] for run in kept)
                report[f"{program}_{mode}_rows_per_s"] = round(rate)
                report[f"{program}_{mode}_peak_mb"] = round(peak, 1)
                print(f"{platform:<10} {mode:<6} {program:<8} {rate:10,.0f} rows/s   peak {peak:6.1f} MB", flush=True)
            pulled, bare = report[f"pull_{mode}_rows_per_s"], report[f"requests_{mode}_rows_per_s"]
            report[f"ratio_{mode}"] = round(pulled / bare, 3)
    report["ratio_rows"] = round(report["library_no_put_rows_per_s"] / report["json_no_put_rows_per_s"], 3)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--only", choices=FORMATS, help="one platform")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    parser.add_argument("--endpoint", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.only, arguments.rows, TODAY)
        return 0
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    if arguments.child:
        child(arguments.only, arguments.child, arguments.url, arguments.endpoint, arguments.rows)
        return 0
    platforms = {}
    with tempfile.TemporaryDirectory() as name, s3_server(Path(name)) as endpoint:
        for platform in [arguments.only] if arguments.only else FORMATS:
            platforms[platform] = compare(platform, arguments.rows, arguments.rounds, endpoint)
    meta = platforms.get("meta_ads")
    passed = meta is None or (
        min(meta["ratio_no_put"], meta["ratio_put"]) >= RATIO_LIMIT
        and max(meta["pull_no_put_peak_mb"], meta["pull_put_peak_mb"]) <= MEMORY_LIMIT_MB
    )
    print(json.dumps({"bench": "pull", "rows": arguments.rows, "platforms": platforms, "passed": passed}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
