"""What a backfill costs the daily run: the same daily run alone and amid a backfill of three years, on one sandbox.

All clients of the sandbox are backfilled at once. The daily runs alone come first, each on the world as it is, so all
pull the same days again. A run amid the backfill begins while the backfill has all of its places. Last line: one JSON
object.

    python bench/backfill.py
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from adweir.model.messages import StartRun  # noqa: E402
from bench.on_a_sandbox import register, run_to_end, sandbox  # noqa: E402
from ops.client import Api  # noqa: E402
from ops.demo.world import WorldDoors  # noqa: E402
from ops.target import Deployment, sandbox_target  # noqa: E402
from sandbox.lifecycle import Options  # noqa: E402

RUNS = 3
HISTORY_DAYS = 10
YEARS_DAYS = 3 * 365
BETWEEN_SECONDS = 4.0
"""The backfill has its places again by then."""
LIMIT = 1.5


def daily(target: Deployment, world: WorldDoors, number: int) -> float:
    """Seconds that a daily run takes."""
    at = world.now + timedelta(seconds=number)
    return run_to_end(target, StartRun(workflow="daily", scheduled_at=at, run_id=f"bench-{number}"))[1]


def main() -> int:
    """Measure and print. Returns 1 when a daily run waits too long for the backfill."""
    with sandbox(Options(parameters={"HistoryDays": str(HISTORY_DAYS)})) as description:
        api = Api(description["api_url"], description["api_key"])
        world = WorldDoors(description["platforms_url"])
        target = sandbox_target(description)
        clients = register(api, world.get("credentials")["accounts"])
        daily(target, world, 0)  # the first pulls more
        alone = [daily(target, world, number) for number in range(1, RUNS + 1)]
        first, last = (world.day(ago).isoformat() for ago in (YEARS_DAYS, 1))
        runs = [
            api.post("/api/v1/ingestion/backfill", {"account_id": client, "start": first, "end": last})["run_id"]
            for client in clients
        ]
        amid = []
        for number in range(RUNS + 1, 2 * RUNS + 1):
            time.sleep(BETWEEN_SECONDS)
            amid.append(daily(target, world, number))
        found = [api.get(f"/api/v1/runs/{run_id}") for run_id in runs]
    windows = [sum(run["backfill"]["windows"][name] for run in found) for name in ("done", "total")]
    is_amid = any(run["state"] == "running" for run in found)
    ratio = median(amid) / median(alone)
    print(
        f"daily run alone {median(alone):.1f} s, amid a backfill {median(amid):.1f} s;"
        f" {windows[0]} of {windows[1]} windows"
    )
    result = {
        "bench": "backfill",
        "alone_seconds": [round(each, 2) for each in alone],
        "amid_seconds": [round(each, 2) for each in amid],
        "ratio": round(ratio, 2),
        "limit_ratio": LIMIT,
        "windows_done": windows[0],
        "windows_total": windows[1],
    }
    print(json.dumps(result))
    return 0 if is_amid and ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
