"""Reading: a year of 10,000 ads by month, one campaign's year and its ads' year, and coverage with many slices.

The real path: Queries and MetricsTable with botocore over HTTP. What answers is a stand-in for DynamoDB in a process of
its own, on a free loopback port: it serves prepared items in pages of at most 1 MB of item bytes, as DynamoDB does, and
counts what it was asked for. Each figure is a process of its own, whose address space is limited to the memory of the
API's function. Its CPU-seconds are those of the report: `read_seconds` until its numbers are summed, the rest for the
text. `lambda_seconds` are all of them at the share of a processor that comes with the memory. An answer has
`API_SECONDS`, and `READING` of them for its numbers: what takes longer becomes an export. The baseline of the year
reads the same pages one after another and decodes them with the json module, adding up nothing. That of many slices is
the same month with one slice. Last line: one JSON object.

    python bench/reads.py [--ads 10000] [--slices 1000]
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

START, END = date(2025, 11, 1), date(2026, 10, 31)
"""Twelve whole months, settled long before NOW."""
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CAMPAIGN = f"2385000{1:012}"
ASKED: dict[str, tuple[list[str], list[dict[str, Any]], date]] = {
    "year_by_month": (["ad", "month"], [], START),
    "campaign_year": (["campaign", "date"], [{"name": "campaign", "values": [CAMPAIGN]}], START),
    "ads_of_campaign": (["ad", "month"], [{"name": "campaign", "values": [CAMPAIGN]}], START),
    "one_slice": (["ad"], [], date(2026, 10, 1)),
    "many_slices": (["ad"], [], date(2026, 10, 1)),
}
"""Dimensions, segments and the first day of each report."""
CPU_RATIO, MEMORY_MB, SLICES_RATIO, ITEMS = 1.5, 700, 1.5, 25
"""At most: CPU over the baseline's, memory of the process, many slices over one, items of a campaign's year (12 of its
own, 12 of coverage, one of today's month)."""
OF_CAMPAIGN = 50
"""Ads of a campaign: with its lists and coverage, at most 52 items a month are read of its ads."""
LAMBDA_MB, LAMBDA_CPU, API_SECONDS, READING = 1024, 1024 / 1769, 29, 0.75
"""The API's function: memory, its share of a processor (AWS Lambda, Configure function memory), time-out, and the share
of it for reading (functions/api/routes/large.py)."""


def ids(ad: int) -> tuple[str, str, str]:
    """Entity id, campaign id, ad group id as Meta's are."""
    group = f"2385100{ad // 10:012}"
    return f"{group}~2385200{ad:012}", f"2385000{ad // 50:012}", group


# --- what answers


class Data:
    """The items of one profile: account, campaigns and ads, the same numbers in each month."""

    def __init__(self, ads: int, slices: int) -> None:
        from adweir.store.metrics.brought import Parents

        rng = random.Random(7)
        campaigns = sorted({ids(ad)[1] for ad in range(ads)})
        of_ads = {ids(ad)[0]: Parents(ids(ad)[1], ids(ad)[2], "") for ad in range(ads)}
        entities = {"account": {"1": Parents("", "", "")}, "campaign": dict.fromkeys(campaigns, Parents("", "", ""))}
        self.slices = slices
        self.campaigns = campaigns
        self.items: dict[str, list[tuple[str, bytes, int]]] = {
            level: [self._item(entity, parents, rng) for entity, parents in sorted(those.items())]
            for level, those in (entities | {"ad": of_ads}).items()
        }
        self.listed = self.lists()
        self.coverage: dict[str, Any] = {}
        self.by_key = {(level, sk): body for level, those in self.items.items() for sk, body, _ in those}
        self.counts = {"requests": 0, "items": 0, "bytes": 0}
        self.lock = threading.Lock()

    def _item(self, entity: str, parents: Any, rng: random.Random) -> tuple[str, bytes, int]:
        from adweir.store.metrics.buckets import Bucket, StoredSlot

        slots = {}
        for day in range(1, 32):
            clicks = rng.randrange(1, 900)
            spend = clicks * rng.randrange(20, 300) * 10_000
            slots[f"d{day:02d}"] = StoredSlot((clicks * 60, clicks, clicks * 100_000, spend, spend * 3), None, "USD")
        item = json.loads(bytes(Bucket(entity, parents, slots).encode("")))
        item.pop("pk")
        return entity, json.dumps(item, separators=(",", ":")).encode()[1:], 1000

    def lists(self) -> dict[str, bytes]:
        """Those of a month's ads, by sort key."""
        found: dict[str, list[str]] = {}
        for ad in range(len(self.items["ad"])):
            found.setdefault(f"!!{ids(ad)[1]}", []).append(ids(ad)[0])
        return {sk: json.dumps({"sk": {"S": sk}, "ids": {"SS": named}}).encode()[1:] for sk, named in found.items()}

    def of(self, pk: str) -> list[tuple[str, bytes, int]]:
        _, _, level, grain, source, month = pk.split("#")
        stored = grain == "day" and source == "pull" and START.isoformat()[:7] <= month <= END.isoformat()[:7]
        return self.items.get(level, []) if stored else []

    def covered(self, pk: str) -> Any:
        """The coverage item of a partition."""
        from adweir.model.tasks import Stamp
        from adweir.store.metrics.coverage import Coverage, ListState, SliceAnswer

        if pk not in self.coverage:
            all_of_it = SliceAnswer(Stamp("2026-11-19T00:00:00.000000Z", "t"), {})
            answers = {"all": all_of_it} | {
                f"campaign={campaign}": SliceAnswer(Stamp(f"2026-11-19T00:00:01.{number:06}Z", f"t{number}"), {})
                for number, campaign in enumerate(self.campaigns_of(pk))
            }
            found = Coverage({f"{pk[-7:]}-{day:02d}": answers for day in range(1, 32)}, listing=ListState.ALL)
            self.coverage[pk] = found.encode(pk)
        return self.coverage[pk]

    def campaigns_of(self, pk: str) -> list[str]:
        """Campaigns that were pulled again one by one."""
        if "#ad#" not in pk or self.slices < 2:
            return []
        return (self.campaigns + [f"2385999{number:012}" for number in range(self.slices)])[: self.slices]

    def query(self, asked: dict[str, Any]) -> bytes:
        pk = asked["ExpressionAttributeValues"][":pk"]["S"]
        items, after = self.of(pk), asked.get("ExclusiveStartKey", {}).get("sk", {}).get("S", "")
        first = bisect.bisect_right([sk for sk, _, _ in items], after) if after else 0
        page = items[first : first + (1 << 20) // 1000]
        head = b'{"pk":{"S":"' + pk.encode() + b'"},'
        more = b""
        if first + len(page) < len(items):
            more = b',"LastEvaluatedKey":' + json.dumps({"pk": {"S": pk}, "sk": {"S": page[-1][0]}}).encode()
        return self._counted(
            b'{"Items":[' + b",".join(head + body for _, body, _ in page) + b"]" + more + b"}", len(page)
        )

    def batch(self, asked: dict[str, Any]) -> bytes:
        ((table, request),) = asked["RequestItems"].items()
        found: list[Any] = []
        for pk, sk in ((key["pk"]["S"], key["sk"]["S"]) for key in request["Keys"]):
            if self.of(pk) and sk == "!coverage":
                found.append(self.covered(pk))
            level = pk.split("#")[2]
            body = self.listed.get(sk) if level == "ad" and sk.startswith("!!") else self.by_key.get((level, sk))
            if body and self.of(pk):
                found.append(json.loads(b"{" + body) | {"pk": {"S": pk}})
        return self._counted(json.dumps({"Responses": {table: found}, "UnprocessedKeys": {}}).encode(), len(found))

    def _counted(self, body: bytes, items: int) -> bytes:
        with self.lock:
            for name, count in (("requests", 1), ("items", items), ("bytes", len(body))):
                self.counts[name] += count
        return body


def serve(ads: int, slices: int) -> None:
    """Answer until stopped; the first line names the port."""
    data = Data(ads, slices)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._send(json.dumps(data.counts).encode())

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_query = self.headers["X-Amz-Target"].endswith(".Query")
            self._send(data.query(asked) if is_query else data.batch(asked))

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


# --- what asks


def ask(name: str) -> tuple[int, float]:
    """Make a report; the number of its rows, and the process's CPU-seconds when they were summed."""
    from adweir.model.entities import Profile
    from adweir.model.platforms import Platform
    from adweir.platforms import REGISTRY
    from adweir.reporting.formats import as_json
    from adweir.reporting.query import Queries
    from adweir.reporting.ranges import TimeSpan
    from adweir.reporting.reports import ReportRequest, report
    from adweir.store.catalog.store import Catalog
    from adweir.store.dynamo import tables
    from adweir.store.metrics.store import MetricStore, Patience

    class Clock:
        def now(self) -> datetime:
            return NOW

        def monotonic(self) -> float:
            return time.monotonic()

    class OneProfile(Catalog):
        def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> list[Profile]:
            about = {"account_id": "acc_a", "platform": Platform("meta_ads"), "profile_id": "1", "name": "Main"}
            return [Profile.model_validate(about | {"currency": "USD", "timezone": "UTC"})]

    tables.bind("catalog", "metrics", "ledger", "findings")
    nothing: Any = None
    store = MetricStore(Patience(Clock(), 60), nothing, nothing, slices=REGISTRY.slices)
    dimensions, segments, start = ASKED[name]
    metrics = ["impressions", "clicks", "conversions", "spend", "revenue", "roas"]
    queries = Queries(OneProfile(Clock()), store, REGISTRY, Clock())
    made = report(queries, ReportRequest("r", TimeSpan(start, END), metrics, dimensions, segments))
    summed = time.process_time()
    as_json(made)
    return len(made.rows), summed


def decode_everything() -> int:
    """The baseline: a bare client reads the year's ads."""
    count = 0
    for month in (
        f"{year}-{month:02d}" for year, month in ((2025, 11), (2025, 12), *((2026, m) for m in range(1, 11)))
    ):
        asked: dict[str, Any] = {"ExpressionAttributeValues": {":pk": {"S": f"meta_ads#1#ad#day#pull#{month}"}}}
        while True:
            headers = {"X-Amz-Target": "DynamoDB_20120810.Query"}
            request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(asked).encode(), headers)  # noqa: S310
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                page = json.loads(answer.read())
            count += len(page["Items"])
            if "LastEvaluatedKey" not in page:
                break
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    return count


def child(name: str) -> None:
    """One figure, alone in its process."""
    if name != "bare_year":
        resource.setrlimit(resource.RLIMIT_AS, (LAMBDA_MB << 20, LAMBDA_MB << 20))
    began, wall = time.process_time(), time.monotonic()
    rows, summed = (decode_everything(), time.process_time()) if name == "bare_year" else ask(name)
    used, took = time.process_time() - began, time.monotonic() - wall
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    print(
        json.dumps(
            {
                "rows": rows,
                "cpu_seconds": round(used, 2),
                "read_seconds": round(summed - began, 2),
                "lambda_seconds": round(used / LAMBDA_CPU, 1),
                "wall_seconds": round(took, 2),
                "peak_mb": round(peak),
            }
        )
    )


def figure(name: str, ads: int, slices: int) -> dict[str, Any]:
    """A figure against a server of its own."""
    here = [sys.executable, __file__, "--ads", str(ads)]
    with subprocess.Popen([*here, "--slices", str(slices), "--serve"], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            url = f"http://127.0.0.1:{port}"
            environment = os.environ | {"AWS_ENDPOINT_URL": url}
            output = subprocess.run(
                [*here, "--child", name], check=True, capture_output=True, text=True, env=environment
            )
            with urllib.request.urlopen(url) as answer:
                counts = json.loads(answer.read())
        finally:
            server.terminate()
    found: dict[str, Any] = json.loads(output.stdout.splitlines()[-1]) | counts
    print(f"{name:14}", found, flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ads", type=int, default=10_000)
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child", choices=("bare_year", *ASKED), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
    if arguments.serve:
        serve(arguments.ads, arguments.slices)
    if arguments.child:
        child(arguments.child)
        return 0
    found = {
        name: figure(name, arguments.ads, arguments.slices if name == "many_slices" else 1)
        for name in ("bare_year", *ASKED)
    }
    cpu = found["year_by_month"]["cpu_seconds"] / found["bare_year"]["cpu_seconds"]
    slices = found["many_slices"]["cpu_seconds"] / found["one_slice"]["cpu_seconds"]
    passed = (
        cpu <= CPU_RATIO
        and found["year_by_month"]["peak_mb"] <= MEMORY_MB
        and slices <= SLICES_RATIO
        and found["campaign_year"]["items"] <= ITEMS
        and found["ads_of_campaign"]["items"] <= 12 * (OF_CAMPAIGN + 2) + 1
        and found["year_by_month"]["lambda_seconds"] <= API_SECONDS
        and found["year_by_month"]["read_seconds"] / LAMBDA_CPU <= API_SECONDS * READING
    )
    ratios = {"year_cpu_ratio": round(cpu, 2), "slices_cpu_ratio": round(slices, 2)}
    print(json.dumps({"bench": "reads", "ads": arguments.ads, "passed": passed, **ratios, **found}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
