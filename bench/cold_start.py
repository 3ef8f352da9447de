"""Cold start: what each function imports, and its first clients, against `import boto3` alone.

Whole processes, interpreter start included but not its end, which Lambda never waits for, run in turns so that noise
hits all alike; the median counts. A function passes with imports at most 2.0 x and init (imports, `build(…)` and the
clients of its first message) at most 3.0 x the baseline. Last line: one JSON object.

    python bench/cold_start.py [--rounds 9]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMPORTS_LIMIT, INIT_LIMIT = 2.0, 3.0
FIRST_CLIENTS = {
    "webhooks": ("secrets", "raw", "catalog"),
    "orchestrate": ("ledger", "catalog", "sqs"),
    "collect": ("ledger", "catalog", "secrets", "raw", "sqs", "http"),
    "poll_reports": ("ledger", "catalog", "secrets", "raw", "sqs", "http"),
    "validate": ("raw", "ledger", "metrics", "sqs"),
    "etl": ("metrics", "catalog", "raw"),
    "curate": ("metrics", "catalog", "raw"),
    "detect": ("metrics", "catalog", "findings"),
    "learn": ("metrics", "catalog", "findings"),
    "enrich": ("catalog", "findings"),
    "features": ("metrics", "catalog", "findings", "raw"),
    "api": ("catalog", "ledger", "sqs"),
    "authorize": ("catalog",),
}
TABLES = """
from adweir.store.dynamo import tables
tables.bind(*app.app.settings.tables)
tables.LedgerItem._get_connection().connection.client
"""
"""The DynamoDB client is made with the first call; every function makes one."""
LEAVE = "import os; os._exit(0)"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "PYTHONPATH": str(ROOT / "layers" / "core"),
    "BUCKET": "b",
    "BUS_NAME": "b",
    "LANDING_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/landing",
    "LEDGER_TABLE": "ledger",
    "CATALOG_TABLE": "catalog",
    "METRICS_TABLE": "metrics",
    "FINDINGS_TABLE": "findings",
    "RUNS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/runs",
    "REPORTS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/reports",
    "COLLECT_QUEUES": "https://sqs.us-east-1.amazonaws.com/1/collect-{platform}",
    "ETL_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/etl",
    "CURATE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/curate",
    "DETECT_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/detect",
    "LEARN_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/learn",
    "ENRICH_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/enrich",
    "FEATURES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/features",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
OUTSIDE = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With that variable each process would compile all sources again: about 80 ms for `api`."""


def seconds(code: str, folder: Path) -> float:
    """Wall seconds of one fresh interpreter that runs `code` in `folder` and leaves without tidying up."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"{code}\n{LEAVE}"], cwd=folder, env=OUTSIDE | ENVIRONMENT, check=True)
    return time.perf_counter() - begin


def main() -> int:
    """Measure, print a table and the JSON line; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    variants: dict[tuple[str, str], tuple[str, Path]] = {("boto3", "imports"): ("import boto3", ROOT)}
    for name, clients in FIRST_CLIENTS.items():
        folder = ROOT / "functions" / name
        variants[name, "imports"] = ("import app", folder)
        used = "".join(f"app.app.{client}\n" for client in clients)
        variants[name, "init"] = (f"import app\n{used}{TABLES}", folder)
    samples: dict[tuple[str, str], list[float]] = {variant: [] for variant in variants}
    for code, folder in variants.values():
        seconds(code, folder)  # writes the .pyc files that a deployed layer brings along
    for _ in range(rounds):
        for variant, (code, folder) in variants.items():
            samples[variant].append(seconds(code, folder))
    medians = {variant: statistics.median(values) for variant, values in samples.items()}
    base = medians.pop(("boto3", "imports"))
    ratios = {f"{name}_{kind}": round(value / base, 2) for (name, kind), value in medians.items()}
    missed = [
        key for key, ratio in ratios.items() if ratio > (IMPORTS_LIMIT if key.endswith("_imports") else INIT_LIMIT)
    ]
    print(f"{'function':14}{'imports':>9}{'init':>9}   x import boto3 ({base * 1000:.0f} ms, whole process)")
    for name in FIRST_CLIENTS:
        print(f"{name:14}{ratios[f'{name}_imports']:>9.2f}{ratios[f'{name}_init']:>9.2f}")
    print(json.dumps({"bench": "cold_start", "baseline_ms": round(base * 1000), "ratios": ratios, "missed": missed}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
