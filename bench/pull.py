"""Pulling: 50,000 Meta insights rows (1.1 kB each, 500 per page) from a loopback server to raw objects.

Ours is the real path: MetaConnector over Http, RawWriter (compression and checksum in its thread), the put. The
baseline is a bare requests loop that follows `paging.next` and saves the bytes to a file, which it then puts. It finds
`paging.next` without decoding the rows; the same loop with `response.json()` is shown beside it. Every figure is the
pull in a fresh process of its own (rows/s from the first request to the object stored; the process's whole time and
peak memory beside it); variants take turns, and the best round counts, because other work on the machine can only slow
a round. The server is another process and serves pages rendered beforehand; S3 is MiniStack, started for this, or, with
"no put", a file. Last line: one JSON object.

    python bench/pull.py [--rounds 7] [--rows 50000]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import socketserver
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = 500
BUCKET, KEY = "bench-pull", "baseline"
RATIO_LIMIT, MEMORY_LIMIT_MB = 0.7, 120.0
VARIANTS = ("requests", "requests_json", "ours")


def insight(index: int, rng: random.Random) -> dict[str, Any]:
    """A row as Meta sends it, about 1.1 kB."""
    clicks, bought = rng.randrange(1, 90), rng.randrange(1, 9)

    def action(kind: str, value: str) -> dict[str, str]:
        return {"action_type": kind, "value": value, "7d_click": value, "1d_view": "0"}

    day = f"2026-11-{index % 28 + 1:02}"
    revenue = f"{rng.randrange(1000, 90000) / 100:.2f}"
    return {
        "account_id": "1234567890",
        "account_currency": "USD",
        "campaign_id": f"23850000000{index % 40:06}",
        "campaign_name": f"Prospecting broad {index % 40}",
        "adset_id": f"23851000000{index % 400:06}",
        "adset_name": f"Lookalike 1% {index % 400}",
        "ad_id": f"23852000000{index // 28:06}",
        "ad_name": f"Carousel {rng.getrandbits(48):x}",
        "impressions": str(rng.randrange(200, 90_000)),
        "clicks": str(clicks),
        "inline_link_clicks": str(clicks // 2),
        "ctr": f"{rng.random() * 3:.6f}",
        "spend": f"{rng.randrange(100, 20000) / 100:.2f}",
        "reach": str(rng.randrange(100, 80_000)),
        "frequency": f"{1 + rng.random():.6f}",
        "actions": [
            action("link_click", str(clicks)),
            action("landing_page_view", str(clicks // 2)),
            action("omni_purchase", str(bought)),
            action("purchase", str(bought)),
            action("offsite_conversion.fb_pixel_purchase", str(bought)),
        ],
        "action_values": [action("omni_purchase", revenue), action("purchase", revenue)],
        "purchase_roas": [{"action_type": "omni_purchase", "value": f"{rng.random() * 9:.6f}"}],
        "quality_ranking": "AVERAGE",
        "date_start": day,
        "date_stop": day,
    }


def serve(rows: int) -> None:
    """Print the port, then serve the pages until killed."""
    rng = random.Random(7)
    count = -(-rows // PAGE)

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while request := self.rfile.readline():
                while self.rfile.readline().strip():
                    continue
                after = re.search(rb"[?&]after=(\d+)", request)
                self.wfile.write(answers[int(after[1]) if after else 0])

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/v26.0/act_1234567890/insights?limit={PAGE}&access_token=T"
        answers = []
        for number in range(count):
            first = number * PAGE
            paging: dict[str, Any] = {"cursors": {"before": str(number), "after": str(number + 1)}}
            if number + 1 < count:
                paging["next"] = f"{url}&after={number + 1}"
            data = [insight(index, rng) for index in range(first, min(first + PAGE, rows))]
            body = json.dumps({"data": data, "paging": paging}, separators=(",", ":")).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            answers.append(head.encode() + body)
        print(server.server_address[1], sum(map(len, answers)) // rows, flush=True)
        server.serve_forever()


def s3_client(endpoint: str) -> Any:
    import boto3

    return boto3.client("s3", endpoint_url=endpoint)


def bare(port: int, endpoint: str, folder: Path, *, decode: bool) -> float:
    """The baseline: seconds from the first request to the bytes saved (and put, when there is an endpoint)."""
    import requests

    s3 = s3_client(endpoint) if endpoint else None
    following = re.compile(rb'"next":"([^"]*)"\}\}$')
    begin = time.perf_counter()
    url: str | None = f"http://127.0.0.1:{port}/v26.0/act_1234567890/insights?limit={PAGE}&access_token=T"
    path = folder / "pages.json"
    with requests.Session() as session, path.open("wb") as file:
        while url:
            answer = session.get(url, timeout=60)
            answer.raise_for_status()
            file.write(answer.content)
            if decode:
                url = answer.json()["paging"].get("next")
            else:
                found = following.search(answer.content[-400:])
                url = found[1].decode() if found else None
    if s3:
        with path.open("rb") as file:
            s3.put_object(Bucket=BUCKET, Key=KEY, Body=file)
    return time.perf_counter() - begin


class FileS3:
    """The store for "no put": a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put_object(self, **request: Any) -> None:
        with (self._folder / "object.gz").open("wb") as file:
            shutil.copyfileobj(request["Body"], file)


def ours(port: int, endpoint: str, folder: Path) -> float:
    """Our pull: seconds from the first request to the raw object stored."""
    import requests

    from adweir.model.datasets import Dataset
    from adweir.model.entities import Credential
    from adweir.model.platforms import Platform
    from adweir.model.tasks import Task
    from adweir.model.times import Window, iso
    from adweir.platforms import REGISTRY
    from adweir.platforms.connector import Wiring
    from adweir.runtime.clock import SystemClock
    from adweir.store.raw.store import PullHeader, RawStore

    s3: Any = s3_client(endpoint) if endpoint else FileS3(folder)
    window = Window(date(2026, 11, 1), date(2026, 11, 28))
    task = Task("r", "s", "a", Platform("meta_ads"), "1234567890", Dataset.AD_DAILY, "all", window, deadline=0)
    credential = Credential(account_id="a", platform=Platform("meta_ads"), secret_id="s")  # noqa: S106
    with requests.Session() as session:
        secret = {"access_token": "T", "app_secret": "S"}
        no_tokens: Any = None  # this platform's tokens do not expire
        wiring = Wiring(
            lambda _name, _route: f"http://127.0.0.1:{port}", session, SystemClock(), random.Random(), no_tokens
        )
        connector = REGISTRY.connect(credential, secret, wiring)
        begin = time.perf_counter()
        # Each round has its own key: a second put to the same key would do nothing.
        header = PullHeader.of(task, as_of=iso(datetime.now(UTC)))
        header = PullHeader.parse(header.metadata() | {"task-id": f"{os.getpid()}"})
        last = False
        with RawStore(s3, BUCKET).writer(header) as writer:
            for page in connector.pages(task):
                writer.write(page)
                last = page.last
            writer.commit(complete=last)
        if not last or writer.existed:
            raise RuntimeError("the pull did not reach its end")
        return time.perf_counter() - begin


def child(variant: str, port: int, endpoint: str) -> None:
    """One measurement; prints its seconds and the process's peak memory in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if variant == "ours":
            seconds = ours(port, endpoint, folder)
        else:
            seconds = bare(port, endpoint, folder, decode=variant == "requests_json")
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
def pages_server(rows: int) -> Iterator[tuple[int, int]]:
    """The page server in its own process: its port, and the bytes per row."""
    process = subprocess.Popen([sys.executable, __file__, "--serve", "--rows", str(rows)], stdout=subprocess.PIPE)
    try:
        if process.stdout is None:
            raise RuntimeError("no pipe to the server")
        port, size = process.stdout.readline().split()
        yield int(port), int(size)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """MiniStack with an empty bucket: its endpoint."""
    sys.path.insert(0, str(ROOT))
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


def measure(variant: str, port: int, endpoint: str) -> dict[str, float]:
    begin = time.perf_counter()
    command = [sys.executable, __file__, "--child", variant, "--port", str(port), "--endpoint", endpoint]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result | {"process_seconds": time.perf_counter() - begin}


def compare(rows: int, rounds: int) -> dict[str, Any]:
    """All variants in turns, with and without the put."""
    report: dict[str, Any] = {"bench": "pull", "rows": rows, "s3": "ministack"}
    with tempfile.TemporaryDirectory() as name, pages_server(rows) as (port, size), s3_server(Path(name)) as endpoint:
        report["bytes_per_row"] = size
        for mode, target in (("no_put", ""), ("put", endpoint)):
            runs: dict[str, list[dict[str, float]]] = {variant: [] for variant in VARIANTS}
            for variant in VARIANTS * (rounds + 1):
                runs[variant].append(measure(variant, port, target))
            for variant in VARIANTS:
                kept = runs[variant][1:]  # the first warms the disk's cache
                rate = rows / min(run["seconds"] for run in kept)
                whole = min(run["process_seconds"] for run in kept)
                peak = max(run["peak_mb"] for run in kept)
                report[f"{variant}_{mode}_rows_per_s"] = round(rate)
                report[f"{variant}_{mode}_process_s"] = round(whole, 3)
                report[f"{variant}_{mode}_peak_mb"] = round(peak, 1)
                print(f"{mode:7} {variant:14} {rate:10,.0f} rows/s   process {whole:6.3f} s   peak {peak:6.1f} MB")
            report[f"ratio_{mode}"] = round(
                report[f"ours_{mode}_rows_per_s"] / report[f"requests_{mode}_rows_per_s"], 3
            )
    report["peak_mb"] = max(report["ours_no_put_peak_mb"], report["ours_put_peak_mb"])
    report["passed"] = (
        min(report["ratio_no_put"], report["ratio_put"]) >= RATIO_LIMIT and report["peak_mb"] <= MEMORY_LIMIT_MB
    )
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--endpoint", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.rows)
        return 0
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": str(ROOT / "layers" / "core"),
    }
    if arguments.child:
        child(arguments.child, arguments.port, arguments.endpoint)
        return 0
    report = compare(arguments.rows, arguments.rounds)
    print(json.dumps(report))
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
