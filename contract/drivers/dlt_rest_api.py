"""dlt: its REST source, which is told in a configuration where the platform is and what to ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dlt.sources.rest_api import rest_api_source
from driver import Job, Row, run
from meta_rows import FIELDS, creative_row, insights_rows, listed_row

LISTS = {"campaigns": "campaign", "adsets": "ad_group", "ads": "ad"}
LEVELS = {"account": "account", "campaign": "campaign", "adset": "ad_group", "ad": "ad"}
PARENTS = {"campaigns": "", "adsets": ",campaign_id", "ads": ",campaign_id,adset_id"}
STATUSES = ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "WITH_ISSUES", "CAMPAIGN_PAUSED", "ADSET_PAUSED"]


def resource(job: Job, name: str, edge: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{job.sandbox}/v26.0/",
                "auth": {"type": "bearer", "token": job.credential["access_token"]},
                "paginator": {"type": "json_link", "next_url_path": "paging.next"},
            },
            "resources": [
                {
                    "name": name,
                    "endpoint": {"path": f"act_{job.profile_id}/{edge}", "params": params, "data_selector": "data"},
                }
            ],
        }
    )
    return iter(source.resources[name])


def as_text(value: object) -> str:
    """JSON whose braces are doubled: dlt takes single ones for expressions of its own."""
    return json.dumps(value).replace("{", "{{").replace("}", "}}")


def insights(job: Job) -> Iterator[Row]:
    for at, (level, ours) in enumerate(LEVELS.items()):
        params = {
            "level": level,
            "fields": ",".join(FIELDS[: at + 1] + FIELDS[len(LEVELS) :]),
            "time_increment": 1,
            "time_range": as_text({"since": job.starts[f"insights {ours}"], "until": job.end}),
            "limit": 50,
        }
        if at:
            every = [{"field": f"{level}.effective_status", "operator": "IN", "value": statuses(level)}]
            params["filtering"] = as_text(every)
        records = resource(job, f"{level}_insights", "insights", params)
        yield from insights_rows(job, f"insights {ours}", records)


def statuses(level: str) -> list[str]:
    """Those that a level has: what is below a campaign is paused with it."""
    return STATUSES[: {"campaign": -2, "adset": -1}.get(level, len(STATUSES))]


def lists(job: Job) -> Iterator[Row]:
    since = int(datetime.fromisoformat(job.bookmark).timestamp())
    for edge, level in LISTS.items():
        base = {"fields": f"name,updated_time{PARENTS[edge]}", "limit": 20}
        kind = edge.removesuffix("s")
        every = {"effective_status": as_text(statuses(kind))}
        later = [{"field": f"{kind}.updated_time", "operator": "GREATER_THAN", "value": since}]
        questions = {
            f"{level}s": base,
            f"every {level}": base | every,
            f"every {level} since": base | every | {"filtering": as_text(later)},
        }
        for stream, params in questions.items():
            for record in resource(job, edge, edge, params):
                yield listed_row(stream, level, record)


def creatives(job: Job) -> Iterator[Row]:
    for record in resource(job, "adcreatives", "adcreatives", {"fields": "name", "limit": 20}):
        yield creative_row("creatives", record)


run({f.__name__: f for f in (insights, lists, creatives)})
