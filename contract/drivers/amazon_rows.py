"""Amazon's records, which every client passes on nearly as they are, as rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver import Job, Row, metric_row, object_row

IDS = {
    "campaignId": "campaign",
    "adGroupId": "ad_group",
    "adId": "ad",
    "keywordId": "keyword",
    "targetId": "keyword",
    "targetingId": "keyword",
}
NAMED = ("campaigns", "ad_groups")


def ids_of(record: Mapping[str, Any]) -> dict[str, object]:
    """A record's own and its parents' ids, by what they are the ids of."""
    return {kind: record[name] for name, kind in IDS.items() if record.get(name) is not None}


def report_row(job: Job, stream: str, record: Mapping[str, Any]) -> Row:
    """A line of a daily report. Sponsored Products have a column for each attribution window, the others one."""
    product = stream.partition(" ")[0]
    suffix = f"{job.click_windows[product]}d" if product == "sp" else ""
    metrics = {
        "impressions": record["impressions"],
        "clicks": record["clicks"],
        "spend": record["cost"],
        "conversions": record[f"purchases{suffix}"],
        "revenue": record[f"sales{suffix}"],
    }
    return metric_row(stream, record["date"], ids_of(record), metrics)


def listed_row(stream: str, record: Mapping[str, Any]) -> Row:
    """A campaign, an ad group, an ad or a keyword in a list: its state in capitals, its name where it has one."""
    kind = stream.partition(" ")[2]
    texts = {"state": str(record["state"]).upper()}
    if kind in NAMED:
        texts["name"] = record["name"]
    if kind == "keywords":
        texts |= {"text": record["keywordText"], "match": str(record["matchType"]).upper()}
    return object_row(stream, ids_of(record), **texts)


def profile_row(record: Mapping[str, Any]) -> Row:
    """An advertiser's profile."""
    texts = {"currency": record["currencyCode"], "timezone": record["timezone"], "kind": record["accountInfo"]["type"]}
    return object_row("profiles", {"account": record["profileId"]}, **texts)
