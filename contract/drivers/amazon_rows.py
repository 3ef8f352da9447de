"""Amazon's records, which every client passes on nearly as they are, as rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver import Job, Row, metric_row, object_row

LEVELS = {"campaign": "campaignId", "ad_group": "adGroupId", "ad": "adId", "keyword": "keywordId"}
NAMED = ("campaigns", "ad_groups")


def report_row(job: Job, stream: str, record: Mapping[str, Any]) -> Row:
    """A line of a daily report. Sponsored Products have a column for each attribution window, the others one."""
    product = stream.partition(" ")[0]
    suffix = f"{job.click_windows[product]}d" if product == "sp" else ""
    ids = {level: record[name] for level, name in LEVELS.items() if record.get(name) is not None}
    metrics = {
        "impressions": record["impressions"],
        "clicks": record["clicks"],
        "spend": record["cost"],
        "conversions": record[f"purchases{suffix}"],
        "revenue": record[f"sales{suffix}"],
    }
    return metric_row(stream, record["date"], ids, metrics)


def listed_row(stream: str, record: Mapping[str, Any]) -> Row:
    """A campaign, an ad group, an ad or a keyword in a list: its state in capitals, its name where it has one."""
    kind = stream.partition(" ")[2]
    ids = {level: record[name] for level, name in LEVELS.items() if record.get(name) is not None}
    texts = {"state": str(record["state"]).upper()}
    if kind in NAMED:
        texts["name"] = record["name"]
    if kind == "keywords":
        texts |= {"text": record["keywordText"], "match": str(record["matchType"]).upper()}
    return object_row(stream, ids, **texts)


def profile_row(record: Mapping[str, Any]) -> Row:
    """An advertiser's profile."""
    texts = {"currency": record["currencyCode"], "timezone": record["timezone"], "kind": record["accountInfo"]["type"]}
    return object_row("profiles", {"account": record["profileId"]}, **texts)
