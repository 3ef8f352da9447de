"""The river: rows of all platforms through the whole sandbox to stored metrics, and whose code takes the time.

One run pulls, for all clients, every level and breakdown by day that the platforms have, of as many days as have
`--rows` rows: orchestrate plans, collect and poll_reports pull into raw objects, validate loads them into DynamoDB. It
is the first run, so that every row is stored. The time is from its message to its end; reconciling and what is made of
the days afterwards are not part of it. In the end the ads and levels of 28 days are compared with the platforms' truth.

Whose time it is: psutil adds up the processor time of each process by its role. `platforms` (they make up the numbers
and answer) and `ministack` (all of AWS, and the start of functions) stand in for what others run. In the workers of
functions bench/sampler books the processor time on the package whose code runs (100 samples per second of it), which
tells boto3 and other libraries from adweir. Rows/s per core are rows per second of processor time: of all processes,
and of adweir's code alone. What a process used after the last look before its end, at most a quarter of a second, is
missing. Last line: one JSON object.

    python bench/river.py [--rows 1000000]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

import psutil  # noqa: E402

from adweir.model.datasets import Dataset  # noqa: E402
from adweir.model.messages import Scope, StartRun  # noqa: E402
from adweir.model.metrics import Grain  # noqa: E402
from adweir.pipeline.workflows import workflow  # noqa: E402
from bench.on_a_sandbox import register, run_to_end, sandbox, wrong_rows  # noqa: E402
from bench.sampler.sitecustomize import OURS, SAMPLER  # noqa: E402
from ops.client import Api  # noqa: E402
from ops.demo.world import WorldDoors  # noqa: E402
from ops.target import sandbox_target  # noqa: E402
from sandbox import processes  # noqa: E402
from sandbox.home import Home  # noqa: E402
from sandbox.lifecycle import Options  # noqa: E402
from sandbox.ministack import client_factory  # noqa: E402

ROWS = 1_000_000
ROWS_PER_DAY = 7_000
"""What the sandbox's clients have at least."""
MOST_DAYS = 1000
GIVE_UP_SECONDS = 1800.0
WORKFLOW = "platform"
"""Its stages are pulls and nothing else where it is told not to validate."""
DATASETS = tuple(
    dataset for dataset in workflow(WORKFLOW).accepts if dataset is Dataset.PROFILES or dataset.grain is Grain.DAY
)
LOOK_SECONDS = 0.25
CHECKED_DAYS = 28
"""Every platform still keeps these."""
_WORKER = re.compile(r"ministack-lambda-adweir-(.+)-\w{8}/")


class Processors:
    """Adds up the processor seconds of a sandbox's processes by role, while the block runs."""

    def __init__(self, home: Home) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.functions: set[str] = set()
        self._parents = {recorded.pid: recorded.name for recorded in processes.load(home.running)}
        self._roles: dict[tuple[int, float], str] = {}
        self._spent: dict[tuple[int, float], float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self.seconds.clear()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        for pid, name in self._parents.items():
            parent = psutil.Process(pid)
            for process in (parent, *parent.children(recursive=True)):
                try:
                    key, times = (process.pid, process.create_time()), process.cpu_times()
                    role = self._roles.get(key) or self._role(process, name)
                except psutil.NoSuchProcess:
                    continue
                spent = times.user + times.system
                self.seconds[role] += spent - self._spent.get(key, 0.0)
                self._spent[key] = spent

    def _role(self, process: psutil.Process, parent: str) -> str:
        """A function for a worker, which has its parent's command line at first."""
        found = _WORKER.search(" ".join(process.cmdline()))
        if found is None:
            return parent
        self.functions.add(found[1])
        self._roles[process.pid, process.create_time()] = found[1]
        return found[1]


def sample_functions(description: dict[str, Any], folder: str) -> None:
    """Have the workers of all functions write to `folder` whose code they run."""
    functions = client_factory(description["aws_endpoint_url"])("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        for found in page["Functions"]:
            variables = found["Environment"]["Variables"]
            variables |= {"PYTHONPATH": str(ROOT / "bench" / "sampler"), "BENCH_SAMPLES": folder}
            functions.update_function_configuration(
                FunctionName=found["FunctionName"], Environment={"Variables": variables}
            )


def sampled(folder: str) -> Counter[str]:
    """Nanoseconds of the functions' threads by package."""
    sums: Counter[str] = Counter()
    for path in Path(folder).glob("*.json"):
        sums.update(json.loads(path.read_text()))
    return sums


def measure(days: int, samples: str) -> dict[str, Any]:
    """Pull `days` on a sandbox of their own. Raises SystemExit when the run does not succeed."""
    with sandbox(Options(parameters={"HistoryDays": str(days)})) as description:
        api, world = Api(description["api_url"], description["api_key"]), WorldDoors(description["platforms_url"])
        target = sandbox_target(description)
        register(api, world.get("credentials")["accounts"])
        sample_functions(description, samples)
        start, end = (world.day(ago).isoformat() for ago in (days, 1))
        scope = Scope(datasets=DATASETS, start=start, end=end)
        wanted = StartRun(
            workflow=WORKFLOW, scheduled_at=world.now, scope=scope, args={"validate": False}, run_id="bench-river"
        )
        before = sampled(samples)
        with Processors(Home(Path(description["logs"]).parent)) as processors:
            run, seconds = run_to_end(target, wanted, GIVE_UP_SECONDS)
        by_package = sampled(samples)
        by_package.subtract(before)
        tasks = list(target.app().ledger.pulls(wanted.run_id))
        if run.state != "succeeded" or run.tasks_failed:
            failed = [(task.id, task.error) for task in tasks if task.error][:5]
            counts = f"{run.tasks_failed} of {run.tasks_total} tasks"
            raise SystemExit(f"the run ended {run.state}, {counts} failed: {failed}")
        rows = sum(task.counts.get("rows_stored", 0) for task in tasks if task.dataset.grain)
        wrong = wrong_rows(api, world, min(days, CHECKED_DAYS))
    return {
        "rows": rows,
        "days": days,
        "tasks": run.tasks_total,
        "wrong_rows": wrong,
        "seconds": round(seconds, 1),
        "rows_per_s": round(rows / seconds),
        **shares(processors, by_package, rows),
    }


def shares(processors: Processors, by_package: Counter[str], rows: int) -> dict[str, Any]:
    """Where the processor time went, without the sampler's own."""
    booked = sum(by_package.values())
    in_functions = sum(processors.seconds[name] for name in processors.functions)
    own = in_functions * by_package[OURS] / booked
    by_role = sorted(processors.seconds.items(), key=lambda role: -role[1])
    used = sum(processors.seconds.values()) - in_functions * by_package[SAMPLER] / booked
    return {
        "cores": os.cpu_count(),
        "cpu_seconds": round(used, 1),
        "rows_per_s_per_core": round(rows / used),
        "own_rows_per_s_per_core": round(rows / own),
        "outside_share": round(1 - own / used, 3),
        "cpu_seconds_by_role": {name: round(each, 1) for name, each in by_role},
        "share_of_functions_by_package": {name: round(each / booked, 3) for name, each in by_package.most_common(12)},
    }


def main() -> int:
    """Measure and print. Returns 1 when rows are wrong or fewer than were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args().rows
    days = -(-rows // ROWS_PER_DAY)
    if not 1 <= days <= MOST_DAYS:
        parser.error(f"--rows: 1 to {MOST_DAYS * ROWS_PER_DAY:,}")
    with tempfile.TemporaryDirectory() as samples:
        found = measure(days, samples)
    print(
        f"{found['rows']:,} rows in {found['seconds']:.0f} s: {found['rows_per_s']:,} rows/s;"
        f" per core {found['rows_per_s_per_core']:,} rows/s, of adweir's own code {found['own_rows_per_s_per_core']:,}"
    )
    print(f"{found['outside_share']:.0%} of {found['cpu_seconds']:.0f} s of processor time outside adweir's code:")
    for table in ("cpu_seconds_by_role", "share_of_functions_by_package"):
        print(f"  {table.replace('_', ' ')}: {', '.join(f'{name} {each}' for name, each in found[table].items())}")
    print(json.dumps({"bench": "river", "asked_rows": rows, **found}))
    return 0 if not found["wrong_rows"] and found["rows"] >= rows else 1


if __name__ == "__main__":
    sys.exit(main())
