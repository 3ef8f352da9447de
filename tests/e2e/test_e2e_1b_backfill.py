"""A backfill on the running system: older days come from the newest back, right to the unit, and no day comes twice."""

from __future__ import annotations

from datetime import date, timedelta

from adweir.model.times import Window
from support.river import River

DAYS = 35


def test_given_older_days_when_they_are_backfilled_then_they_are_the_platforms_own_and_come_from_the_newest_back(
    river: River,
) -> None:
    profile_id = river.clients["halden"].meta
    end = date.fromisoformat(river.day(0)) - timedelta(days=200)  # the days of three and four months ago are the files'
    asked = {"account_id": profile_id, "start": str(end - timedelta(days=DAYS - 1)), "end": str(end)}

    run_id = river.api.post("/api/v1/ingestion/backfill", asked)["run_id"]
    river.ended(run_id, "succeeded")
    again = river.ended(river.api.post("/api/v1/ingestion/backfill", asked)["run_id"], "succeeded")

    assert river.stored(profile_id, asked["start"], asked["end"]) == river.truth(
        profile_id, asked["start"], asked["end"]
    )
    found = river.api.get(f"/api/v1/runs/{run_id}")
    assert found["backfill"]["platforms"][0]["whole_since"] == asked["start"]
    windows, (pulled,) = found["backfill"]["windows"], [each for each in found["stages"] if each["datasets"]]
    assert windows["done"] == windows["total"] == pulled["done"] == pulled["total"] > 0
    tasks = river.api.get(f"/api/v1/runs/{run_id}/tasks", limit=200)["tasks"]
    by_day = sorted(
        (task["created_at"], task["window"]) for task in tasks if (task["dataset"] or "").endswith("_daily")
    )
    ends = [Window.parse(window).end for _, window in by_day]
    assert ends == sorted(ends, reverse=True)
    tasks = river.api.get(f"/api/v1/runs/{again['run_id']}/tasks")["tasks"]
    assert {task["dataset"] for task in tasks if task["kind"] == "pull"} <= {"invoices"}
