"""Pipelines: asked for with arguments through the API, the command line and a job."""

from __future__ import annotations

import json

from support.river import River, adweir


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
    adweir(river.home, "jobs", "remove", "pipe")
