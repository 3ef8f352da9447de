"""Pipelines: asked for with arguments through the API, the command line and a job; and a user's workflow that sums."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import duckdb

from ops.demo.truth import Figures, numbers, total
from support.river import River, adweir, true_numbers


def test_given_a_range_when_a_pipeline_is_asked_for_then_its_days_are_pulled_in_batches_and_are_the_world_s(
    river: River,
) -> None:
    meta, start, end = river.clients["mori"].meta, river.day(163), river.day(160)
    args = {"source_platform": "facebook", "account_id": meta, "date_range": {"start": start, "end": end}}

    asked = river.api.post("/api/v1/workflows/ad/runs", {"args": args | {"batch_size": 3}})

    run = river.ended(asked["run_id"], "succeeded")
    assert (run["args"]["source_platform"], run["args"]["batch_size"]) == ("meta_ads", 3)
    result = run["result"]
    assert (result["success"], result["error"]) == (True, None)
    assert result["records_processed"] >= run["rows_stored"] > 0
    assert result["duration_seconds"] > 0
    tasks = river.api.get(f"/api/v1/runs/{run['run_id']}/tasks", limit=100)["tasks"]
    assert sorted(task["window"] for task in tasks if task["dataset"] == "ad_daily") == [
        f"{start}..{river.day(161)}",
        f"{end}..{end}",
    ]
    assert river.holds(meta, start, end)
    kinds = {each["kind"] for each in river.api.get("/api/v1/stage-kinds")["stage_kinds"]}
    states = {stage["name"]: stage["state"] for stage in run["stages"]}
    assert states["reconcile"] == ("ended" if "reconcile" in kinds else "left_out")


def test_given_the_same_pipeline_on_the_command_line_and_as_a_job_then_both_end_with_a_result(river: River) -> None:
    mori, start, end = river.clients["mori"], river.day(167), river.day(166)
    days = f"date_range={start}..{end}"

    said = adweir(
        river.home, "workflows", "run", "ad", "source_platform=meta", f"account_id={mori.meta}", days, "validate=false",
        "--wait", "200",
    )  # fmt: skip

    assert json.loads(said.splitlines()[-1])["success"]
    assert river.holds(mori.meta, start, end)

    adweir(
        river.home, "jobs", "create", "pipe", "account", "daily 07:00", f"account_id={mori.amazon}",
        f"date_range={river.day(41)}..{river.day(40)}", "validate=false",
    )  # fmt: skip
    run = river.ended(river.api.post("/api/v1/jobs/pipe/run")["run_id"], "succeeded")
    assert (run["trigger"], run["result"]["success"]) == ("job:pipe", True)
    assert set(run["stages"][1]["datasets"]) == {"campaign_daily"}
    assert run["scope"]["profiles"] == [f"amazon_ads#{mori.amazon}"]
    adweir(river.home, "jobs", "remove", "pipe", "--yes")


def test_given_a_user_s_workflow_that_pulls_and_then_sums_when_it_ran_then_the_sums_are_the_platform_s(
    river: River, tmp_path: Path
) -> None:
    mori, start, end = river.clients["mori"], river.day(147), river.day(135)
    pull = {"kind": "pull", "datasets": ["campaign_daily", "account_daily"], "platforms": ["meta"], "reach": "whole"}
    sums = {"kind": "aggregate", "after": ["pulls"], "levels": ["platform", "campaign"], "grains": ["day", "week"]}
    river.api.put("/api/v1/workflows/summed", {"stages": [{"name": "pulls"} | pull, {"name": "sums"} | sums]})
    scope = {"accounts": [mori.account_id], "profiles": [mori.meta], "start": start, "end": end}

    run = river.ended(river.api.post("/api/v1/workflows/summed/runs", {"scope": scope})["run_id"], "succeeded")

    tasks = river.api.get(f"/api/v1/runs/{run['run_id']}/tasks", limit=100)["tasks"]
    (task,) = (task for task in tasks if task["kind"] == "aggregate")
    assert (task["account_id"], task["counts"]["aggregates"]) == (mori.account_id, 4)
    files = {
        (each["level"], each["grain"]): each
        for each in river.api.get(f"/api/v1/accounts/{mori.account_id}/aggregates")["aggregates"]
    }
    by_day = rows_of(files["campaign", "day"]["url"], tmp_path)
    ours = [row for row in by_day if row["account_id"] == mori.meta and start <= str(row["date"]) <= end]
    assert all(row["complete"] for row in ours)
    truth = river.world.get("truth", profile_id=mori.meta, start=start, end=end, level="campaign")["rows"]
    assert {(row["campaign_id"], str(row["date"])): numbers(row) for row in ours if not row["unattributed"]} == {
        (row["entity_id"], row["date"]): true_numbers(row) for row in truth
    }
    days: dict[str, Figures] = {}
    for row in ours:
        days[str(row["date"])] = total([days.get(str(row["date"]), Figures()), numbers(row)])
    assert {day: found for day, found in days.items() if any(found)} == river.totals(mori.meta, start, end)
    weeks = by_week(rows_of(files["platform", "week"]["url"], tmp_path), river.day(8))
    assert weeks == by_week(reported(river, mori.account_id), river.day(8))
    assert len({currency for _, _, currency in weeks}) > 1


def rows_of(link: str, place: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file that the API links."""
    with urllib.request.urlopen(link, timeout=60) as answer:  # noqa: S310  a link of the sandbox's own
        (place / "sums.parquet").write_bytes(answer.read())
    with duckdb.connect() as reader:
        found = reader.execute("SELECT * FROM read_parquet(?)", [str(place / "sums.parquet")])
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def by_week(rows: list[dict[str, Any]], last: str) -> dict[tuple[str, ...], Figures]:
    """Rows of weeks that begin by a day: sums end yesterday, and the world is a day ahead."""
    weeks = {(row["platform"], str(row["week"]), row["currency"]): numbers(row) for row in rows}
    return {week: found for week, found in weeks.items() if week[1] <= last}


def reported(river: River, account_id: str) -> list[dict[str, Any]]:
    """A client's weeks by platform, as a report has them."""
    metrics = ("impressions", "clicks", "conversions", "spend", "revenue")
    asked = {
        "name": "weeks",
        "time_range": {"start_date": river.day(400), "end_date": river.day(0)},
        "metrics": [{"name": name} for name in metrics],
        "dimensions": [{"name": "platform"}, {"name": "week"}],
        "segments": [{"name": "client", "values": [account_id]}],
    }
    rows: list[dict[str, Any]] = river.api.post("/api/v1/reports", asked)["data"]
    return rows
