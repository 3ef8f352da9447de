"""What the feed tells: channels by day in adweir's own columns, and placements by day in the owner's own words."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.world import World, WorldProfile

COLUMNS = (
    "platform", "profile_id", "level", "date", "campaign_id", "impressions", "clicks", "spend", "conversions",
    "revenue", "currency",
)  # fmt: skip
NAMED = "internal"
"""The platform that the rows in adweir's own columns name."""
Spoilt = Mapping[str, Mapping[str, Any]]
"""The switches that spoil an answer, with their options."""
_UNITS = Decimal(1_000_000)


def own_columns(world: World, profile: WorldProfile, start: date, end: date, spoilt: Spoilt | None = None) -> str:
    """A CSV of the channels."""
    rows = [
        {
            "platform": NAMED,
            "profile_id": profile.id,
            "level": "campaign",
            "date": row["date"],
            "campaign_id": row["campaign_id"],
            "impressions": row["impressions"],
            "clicks": row["clicks"],
            "spend": row["spend_micros"] / _UNITS,
            "conversions": row["conversions_micros"] / _UNITS,
            "revenue": row["revenue_micros"] / _UNITS,
            "currency": profile.currency,
        }
        for row in world.truth(profile, start, end, "campaign")
    ]
    columns = list(COLUMNS)
    for kind, options in (spoilt or {}).items():
        if kind == "empty":
            rows = []
        elif kind == "missing_column":
            columns.remove(str(options.get("column", "spend")))
        elif kind == "bad_row" and rows:
            rows[0] |= _malformed(str(options.get("mode")), "campaign_id", "impressions")
    text = io.StringIO(newline="")
    out = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    out.writeheader()
    out.writerows(rows)
    return text.getvalue()


def document(world: World, profile: WorldProfile, day: date, spoilt: Spoilt | None = None) -> dict[str, Any]:
    """A day's placements by channel; money in cents."""
    minor = profile.minor_micros
    of_channel: dict[str, list[dict[str, Any]]] = {campaign.id: [] for campaign in profile.campaigns}
    names = {ad.id: ad.name for _, _, ad in profile.ads()}
    placements = []
    for row in world.truth(profile, day, day, "ad"):
        placement = {
            "id": row["ad_id"],
            "title": names[row["ad_id"]],
            "shown": row["impressions"],
            "visits": row["clicks"],
            "cost_cents": row["spend_micros"] // minor,
            "orders": row["conversions_micros"] // 1_000_000,
            "turnover_cents": row["revenue_micros"] // minor,
        }
        placements.append(placement)
        of_channel[row["campaign_id"]].append(placement)
    for kind, options in (spoilt or {}).items():
        if kind == "empty":
            of_channel = {}
        elif kind == "missing_column":
            for placement in placements:
                placement.pop(str(options.get("column", "cost_cents")), None)
        elif kind == "bad_row" and placements:
            placements[0] |= _malformed(str(options.get("mode")), "id", "shown")
    channels = [
        {"code": campaign.id, "title": campaign.name, "placements": of_channel[campaign.id]}
        for campaign in profile.campaigns
        if campaign.id in of_channel
    ]
    return {"day": day.isoformat(), "currency": profile.currency, "channels": channels}


def objects(world: World, profile: WorldProfile, start: date, end: date) -> Iterator[tuple[str, bytes]]:
    """What a nightly job writes below a prefix: key and content, two objects a day."""
    for number in range((end - start).days + 1):
        day = start + timedelta(days=number)
        yield f"columns/{day}.csv", own_columns(world, profile, day, day).encode()
        body = json.dumps(document(world, profile, day), ensure_ascii=False).encode()
        yield f"placements/dt={day}/part-0000.json.gz", gzip.compress(body, mtime=0)


def _malformed(mode: str, key: str, count: str) -> dict[str, Any]:
    return {"no_key": {key: ""}, "text": {count: "many"}}.get(mode, {count: -5})
