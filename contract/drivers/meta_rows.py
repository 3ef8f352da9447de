"""Meta's records, which every client passes on nearly as they are, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from driver import Job, Row, metric_row, object_row

LEVELS = {"campaign": "campaign_id", "ad_group": "adset_id", "ad": "ad_id"}
HOUR = "hourly_stats_aggregated_by_advertiser_time_zone"
PARTS = {
    "insights ad hourly": (HOUR,),
    "insights campaign hourly": (HOUR,),
    "insights ad age gender": ("age", "gender"),
}
FIELDS = ["account_id", *LEVELS.values(), "impressions", "clicks", "spend", "actions", "action_values"]


def level_of(record: Mapping[str, Any]) -> dict[str, object]:
    """The ids that an insights record has, from the campaign's down."""
    return {level: record[name] for level, name in LEVELS.items() if record.get(name)}


def insights_row(job: Job, stream: str, record: Mapping[str, Any]) -> Row:
    """An insights record. Its breakdowns are ids; Meta reports conversions with none of those that are compared."""
    parts = PARTS.get(stream, ())
    ids = level_of(record) | {part: record[part] for part in parts if part != HOUR}
    if HOUR in parts:
        ids["hour"] = record[HOUR][:2]
    metrics = {name: record[name] for name in ("impressions", "clicks", "spend")}
    if not parts:
        metrics["conversions"] = _converted(record, "actions", job.conversion)
        metrics["revenue"] = _converted(record, "action_values", job.conversion)
    return metric_row(stream, record["date_start"][:10], ids, metrics)  # Singer makes it a time


def insights_rows(job: Job, stream: str, records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Insights records; those that lack their breakdown (Meta does not name every hour) are nobody's row."""
    for record in records:
        if all(record.get(part) for part in PARTS.get(stream, ())):
            yield insights_row(job, stream, record)


def _converted(record: Mapping[str, Any], name: str, kind: str) -> object:
    found = [action["value"] for action in record.get(name) or [] if action["action_type"] == kind]
    return found[0] if found else 0


def listed_row(stream: str, level: str, record: Mapping[str, Any]) -> Row:
    """A campaign, an ad set or an ad in a list, with its parents and when it was last changed."""
    row = object_row(stream, level_of({**record, LEVELS[level]: record["id"]}), name=record["name"])
    return {**row, "updated": record["updated_time"]}


def creative_row(stream: str, record: Mapping[str, Any]) -> Row:
    """A creative in a list."""
    return object_row(stream, {"creative": record["id"]}, name=record["name"])
