"""Time to data: from the schedule firing to all rows of a 7-day window stored and right, on the sandbox.

Every asynchronous report takes 5 s on the platforms' side, reports are polled every second. Measured twice: on cold
functions, then (the world a day older, so that every day is pulled again) on warm ones. The baseline in the same run is
the floor: a bare client that knows the profiles, asks for all reports at once, polls every second, downloads and keeps
the bytes, with no queue, no check and no table. Last line: one JSON object.

    python bench/time_to_data.py
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from adweir.model.messages import Scope, StartRun  # noqa: E402
from adweir.store.catalog.keys import SCOPES  # noqa: E402
from ops.client import Api  # noqa: E402
from ops.commands import create_key  # noqa: E402
from ops.demo.truth import numbers  # noqa: E402
from ops.demo.world import WorldDoors  # noqa: E402
from ops.target import Deployment, sandbox_target  # noqa: E402
from sandbox import lifecycle  # noqa: E402
from sandbox.lifecycle import Home, Options  # noqa: E402

LIMIT_SECONDS = 9.0
REPORT_SECONDS = 5.0
GIVE_UP_SECONDS = 120.0


@contextmanager
def sandbox() -> Iterator[dict[str, Any]]:
    """A sandbox in a temporary folder, stopped afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        try:
            make_key = lambda found: create_key(sandbox_target(found), "bench", SCOPES)  # noqa: E731
            yield lifecycle.up(home, ROOT, Options(), make_key).description
        finally:
            lifecycle.down(home)


def register(api: Api, world: WorldDoors) -> None:
    for client in world.get("credentials")["accounts"]:
        body = {"company_name": client["company_name"], "primary_contact_email": client["primary_contact_email"]}
        account = api.post("/api/v1/accounts", body)
        for credential in client["credentials"].values():
            api.post(f"/api/v1/accounts/{account['account_id']}/credentials", credential)


def span(now: datetime) -> dict[str, str]:
    """The seven newest days that are over in every time zone: a run leaves out what is today for an ad account."""
    return {"start": (now.date() - timedelta(days=8)).isoformat(), "end": (now.date() - timedelta(days=2)).isoformat()}


def fire(target: Deployment, api: Api, now: datetime, name: str) -> tuple[float, float]:
    """Fire the daily schedule for the `span` of `now`; seconds until the rows and until the run was over."""
    window = span(now)
    begin = time.monotonic()
    target.app().queues.runs.send(
        StartRun(workflow="daily", scheduled_at=now, scope=Scope(**window), run_id=f"bench-{name}")
    )
    rows: float | None = None
    while time.monotonic() - begin < GIVE_UP_SECONDS:
        run = api.find(f"/api/v1/runs/bench-{name}")
        daily = next(
            (s["datasets"]["ad_daily"] for s in (run or {}).get("stages", []) if "ad_daily" in s["datasets"]), None
        )
        # The stage is fully planned once an entity of the last profile is there; a run's total is final when it ended.
        if daily and rows is None and daily["done"] == daily["total"] == expected_tasks():
            rows = time.monotonic() - begin
        if run and run["state"] != "running":
            if run["state"] != "succeeded" or rows is None:
                raise SystemExit(f"the run ended {run['state']}: {run['failed_tasks']}")
            return rows, time.monotonic() - begin
        time.sleep(0.1)
    raise SystemExit("the run did not end")


def expected_tasks() -> int:
    """Metric pulls of a week: one per Meta profile, one per slice (sp, sb, sd) of an Amazon profile."""
    return 2 * 1 + 2 * 3


def wrong_rows(api: Api, world: WorldDoors, now: datetime) -> int:
    """How many of the window's rows differ from the platforms' truth."""
    days = span(now)
    truth = {
        (row["entity_id"], row["date"]): (
            row["impressions"], row["clicks"], row["conversions_micros"], row["spend_micros"], row["revenue_micros"],
        )
        for row in world.get("truth", **days)["rows"]
    }  # fmt: skip
    stored = {
        (f"{row['ad_group_id']}~{row['ad_id']}", row["date"]): numbers(row)
        for row in api.records("ad_performance", {"date_range": days})
    }
    if not truth:
        raise SystemExit("the world has no rows in the window")
    return sum(1 for key in truth.keys() | stored.keys() if truth.get(key) != stored.get(key))


def floor(platforms_url: str, world: WorldDoors, now: datetime) -> float:
    """The bare client: all Amazon reports of the window asked for at once, polled every second, downloaded."""
    start, end = (now.date() - timedelta(days=offset) for offset in (7, 1))
    begin = time.monotonic()
    session = requests.Session()
    open_reports = [
        (headers, _create(session, platforms_url, headers, start, end, kind))
        for headers in _amazon_profiles(session, platforms_url, world)
        for kind in ("SPONSORED_PRODUCTS", "SPONSORED_BRANDS", "SPONSORED_DISPLAY")
    ]
    while open_reports:
        time.sleep(1)
        waiting = []
        for headers, report_id in open_reports:
            found = session.get(f"{platforms_url}/reporting/reports/{report_id}", headers=headers, timeout=10).json()
            if found["status"] == "COMPLETED":
                requests.get(found["url"], timeout=10).raise_for_status()
            else:
                waiting.append((headers, report_id))
        open_reports = waiting
    return time.monotonic() - begin


_REPORTS = {
    "SPONSORED_PRODUCTS": ("spAdvertisedProduct", "advertiser", "purchases7d", "sales7d"),
    "SPONSORED_BRANDS": ("sbAds", "ads", "purchases", "sales"),
    "SPONSORED_DISPLAY": ("sdAdvertisedProduct", "advertiser", "purchases", "sales"),
}


def _create(session: requests.Session, url: str, headers: dict[str, str], start: date, end: date, kind: str) -> str:
    report, group, conversions, sales = _REPORTS[kind]
    body = {
        "name": f"floor {kind}",
        "startDate": start.isoformat(),
        "endDate": end.isoformat(),
        "configuration": {
            "adProduct": kind,
            "groupBy": [group],
            "columns": ["date", "campaignId", "adGroupId", "adId", "impressions", "clicks", "cost", conversions, sales],
            "reportTypeId": report,
            "timeUnit": "DAILY",
            "format": "GZIP_JSON",
        },
    }
    answer = session.post(f"{url}/reporting/reports", json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    report_id: str = answer.json()["reportId"]
    return report_id


def _amazon_profiles(session: requests.Session, url: str, world: WorldDoors) -> list[dict[str, str]]:
    headers = []
    for client in world.get("credentials")["accounts"]:
        secret = client["credentials"]["amazon_ads"]
        form = {key: secret[key] for key in ("client_id", "client_secret", "refresh_token")}
        token = session.post(f"{url}/auth/o2/token", data=form | {"grant_type": "refresh_token"}, timeout=10).json()
        common = {
            "Authorization": f"Bearer {token['access_token']}",
            "Amazon-Advertising-API-ClientId": secret["client_id"],
        }
        headers += [common | {"Amazon-Advertising-API-Scope": id_} for id_ in client["profile_ids"]["amazon_ads"]]
    return headers


def main() -> int:
    """Measure and print. Returns 1 when the limit is missed or a row is wrong."""
    with sandbox() as description:
        api = Api(description["api_url"], description["api_key"])
        world = WorldDoors(description["platforms_url"])
        target = sandbox_target(description)
        register(api, world)
        world.post("switches", {"kind": "report_seconds", "seconds": REPORT_SECONDS})
        now = datetime.now(UTC).replace(microsecond=0)
        cold, _ = fire(target, api, now, "cold")
        world.post("clock", {"advance_days": 1})
        tomorrow = now + timedelta(days=1)
        warm, ended = fire(target, api, tomorrow, "warm")
        wrong = wrong_rows(api, world, tomorrow)
        world.post("clock", {"advance_days": 1})
        bare = floor(description["platforms_url"], world, tomorrow + timedelta(days=1))
    result = {
        "bench": "time_to_data",
        "report_seconds": REPORT_SECONDS,
        "warm_seconds": round(warm, 2),
        "cold_seconds": round(cold, 2),
        "run_ended_seconds": round(ended, 2),
        "floor_seconds": round(bare, 2),
        "ratio_to_floor": round(warm / bare, 2),
        "limit_seconds": LIMIT_SECONDS,
        "wrong_rows": wrong,
    }
    print(f"all rows stored after {warm:.1f} s (cold functions {cold:.1f} s); a bare client needs {bare:.1f} s")
    print(json.dumps(result))
    return 0 if warm <= LIMIT_SECONDS and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
