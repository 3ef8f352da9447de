"""tap-facebook: Singer's tap, by its command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from driver import Job, Row, command, run
from meta_rows import creative_row, insights_row, listed_row

BUFFER_DAYS = 1
INSIGHTS = {
    "ads_insights": "insights ad",
    "ads_insights_age_and_gender": "insights ad age gender",
    "ads_insights_hourly_advertiser": "insights ad hourly",
}
LEVELS = {"campaigns": "campaign", "adsets": "ad_group", "ads": "ad"}


def tap(
    job: Job, streams: list[str], *, begin: str = "", every: bool = False, since: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Discover, select all fields of some streams, sync: stream and record by record."""
    first = date.fromisoformat(begin or job.end) + timedelta(days=BUFFER_DAYS)  # it reads so many days before it again
    config = {
        "start_date": f"{first}T00:00:00Z",
        "end_date": f"{job.end}T00:00:00Z",
        "account_id": job.profile_id,
        "access_token": job.credential["access_token"],
        "insights_buffer_days": str(BUFFER_DAYS),
        "include_deleted": str(every).lower(),
        "result_return_limit": 25,
    }
    state = {"bookmarks": {stream: {"updated_time": since} for stream in streams}} if since else {}
    Path("config.json").write_text(json.dumps(config))
    Path("state.json").write_text(json.dumps(state))
    printed, fault = command("tap-facebook", "--config", "config.json", "--discover")
    if fault:
        raise RuntimeError(fault)
    catalog = json.loads(printed)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
    Path("catalog.json").write_text(json.dumps(catalog))
    files = ("--config", "config.json", "--properties", "catalog.json", "--state", "state.json")
    printed, fault = command("tap-facebook", *files)
    for message in map(json.loads, printed.splitlines()):
        if message["type"] == "RECORD":
            yield message["stream"], message["record"]
    if fault:
        raise RuntimeError(fault)


def insights(job: Job) -> Iterator[Row]:
    for name, stream in INSIGHTS.items():
        if stream in job.streams:
            for _, record in tap(job, [name], begin=job.starts[stream]):
                yield insights_row(job, stream, record)


def lists(job: Job) -> Iterator[Row]:
    for stream, record in tap(job, list(LEVELS)):
        yield listed_row(f"{LEVELS[stream]}s", LEVELS[stream], record)


def deleted_too(job: Job) -> Iterator[Row]:
    for stream, record in tap(job, list(LEVELS), every=True):
        yield listed_row(f"every {LEVELS[stream]}", LEVELS[stream], record)


def bookmarked(job: Job) -> Iterator[Row]:
    for stream, record in tap(job, list(LEVELS), every=True, since=job.bookmark):
        yield listed_row(f"every {LEVELS[stream]} since", LEVELS[stream], record)


def creatives(job: Job) -> Iterator[Row]:
    for _, record in tap(job, ["adcreative"]):
        yield creative_row("creatives", record)


run({f.__name__: f for f in (insights, lists, deleted_too, bookmarked, creatives)})
