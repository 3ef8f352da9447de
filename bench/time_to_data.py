"""Time to data: from a platform's daily run to all ad rows of a 7-day window stored and right, on the sandbox.

Every asynchronous report takes 5 s on the platforms' side, reports are polled every second. First one run pulls all
five platforms on cold functions; then, the world a day older so that every day is pulled again, one run per platform on
warm ones. The baseline in the same run is the floor: the library's client for that platform, a thread per ad account,
that knows the ad accounts, asks for the same rows, polls every second, and has no queue, no check and no table. Last
line: one JSON object.

    python bench/time_to_data.py
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

import adweir  # noqa: E402
from adweir.model.messages import Scope, StartRun  # noqa: E402
from bench.on_a_sandbox import register, sandbox, wrong_rows  # noqa: E402
from ops.client import Api  # noqa: E402
from ops.demo.world import WorldDoors  # noqa: E402
from ops.target import Deployment, sandbox_target  # noqa: E402
from sandbox.platforms import platform_urls  # noqa: E402

LIMIT_SECONDS = 9.0
REPORT_SECONDS = 5.0
GIVE_UP_SECONDS = 180.0
DAYS = 7


def window(world: WorldDoors) -> tuple[date, date]:
    return world.day(DAYS), world.day(1)


def fire(target: Deployment, api: Api, world: WorldDoors, *platforms: str) -> tuple[float, float]:
    """Fire the daily schedule for `platforms` (none: all); seconds until their ad rows and until the run was over."""
    (start, end), now = (day.isoformat() for day in window(world)), world.now
    run_id = f"bench-{'-'.join(platforms) or 'all'}"
    begin = time.monotonic()
    scope = Scope(platforms=platforms, start=start, end=end)
    target.app().queues.runs.send(StartRun(workflow="daily", scheduled_at=now, scope=scope, run_id=run_id))
    seen: list[tuple[float, dict[str, int]]] = []
    while time.monotonic() - begin < GIVE_UP_SECONDS:
        run = api.find(f"/api/v1/runs/{run_id}")
        stages = (run or {}).get("stages", [])
        seen += [(time.monotonic() - begin, s["datasets"]["ad_daily"]) for s in stages if "ad_daily" in s["datasets"]]
        if run and run["state"] != "running":
            if run["state"] != "succeeded" or not seen:
                raise SystemExit(f"the run ended {run['state']}: {run['failed_tasks']}")
            # A stage's total grows while it is planned and is final in the end.
            total = seen[-1][1]["total"]
            return next(at for at, counts in seen if counts["done"] == total), time.monotonic() - begin
        time.sleep(0.1)
    raise SystemExit("the run did not end")


def floor(description: dict[str, Any], world: WorldDoors, platform: str) -> float:
    """Seconds in which the library brings the same rows of all ad accounts, which it knows beforehand."""
    urls = platform_urls(description["platforms_url"])[platform]

    def rows(secret: dict[str, Any], profile: dict[str, Any]) -> int:
        client = adweir.client(platform, urls=urls, **secret)
        report = client.create_report_request(profile, window(world), "ad_daily")
        while client.get_report(report)["state"] == "pending":
            time.sleep(1)
        return sum(1 for _ in client.download_report(report))

    secrets = [
        {name: value for name, value in body.items() if name not in {"platform", "label"}}
        for client in world.get("credentials")["accounts"]
        for body in client["credentials"].values()
        if body["platform"] == platform
    ]
    profiles = [
        (each, row)
        for each in secrets
        for row in adweir.client(platform, urls=urls, **each).get_profiles()
        if row["status"] == "active"
    ]
    begin = time.monotonic()
    with ThreadPoolExecutor(len(profiles)) as pool:
        if not sum(pool.map(rows, *zip(*profiles, strict=True))):
            raise SystemExit(f"{platform} has no rows in the window")
    return time.monotonic() - begin


def main() -> int:
    """Measure and print. Returns 1 when a platform misses the limit or a row is wrong."""
    platforms = {}
    with sandbox() as description:
        api = Api(description["api_url"], description["api_key"])
        world = WorldDoors(description["platforms_url"])
        target = sandbox_target(description)
        register(api, world.get("credentials")["accounts"])
        world.post("switches", {"kind": "report_seconds", "seconds": REPORT_SECONDS})
        cold, cold_ended = fire(target, api, world)
        world.post("clock", {"advance_days": 1})
        for platform in sorted({profile["platform"] for profile in api.get("/api/v1/profiles")["profiles"]}):
            warm, ended = fire(target, api, world, platform)
            bare = floor(description, world, platform)
            print(f"{platform:<12} rows stored after {warm:5.1f} s, run over after {ended:5.1f} s; floor {bare:4.1f} s")
            platforms[platform] = {
                "warm_seconds": round(warm, 2),
                "run_ended_seconds": round(ended, 2),
                "floor_seconds": round(bare, 2),
                "ratio_to_floor": round(warm / bare, 2),
            }
        wrong = wrong_rows(api, world, DAYS)
    print(f"all platforms at once, cold functions: {cold:.1f} s, run over after {cold_ended:.1f} s; {wrong} wrong rows")
    result = {
        "bench": "time_to_data",
        "report_seconds": REPORT_SECONDS,
        "platforms": platforms,
        "cold_seconds": round(cold, 2),
        "cold_run_ended_seconds": round(cold_ended, 2),
        "limit_seconds": LIMIT_SECONDS,
        "wrong_rows": wrong,
    }
    print(json.dumps(result))
    return 0 if not wrong and all(each["warm_seconds"] <= LIMIT_SECONDS for each in platforms.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
