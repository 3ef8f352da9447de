"""The features of stored media-mix datasets: facts of each series, and what each period has. It needs no numpy.

`features.table` makes them; the manifest has the facts, a file the periods.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.model.errors import NotFound, Unprocessable

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore

_TABLE = re.compile(r"(?:days=([1-9][0-9]{0,3})/)?(daily|weekly)")


class FeaturesAsked(NamedTuple):
    """Which table, where there are several (`daily`, `weekly`; of the last 90 days alone `days=90/daily`), and of which
    channel the periods are shown: of none where it is empty."""

    currency: str = ""
    table: str = "daily"
    channel: str = ""


def manifests(objects: RawStore, account_id: str) -> Iterator[dict[str, Any]]:
    """The manifests of a client's datasets; of single campaigns and of the last days, too. Raises Unavailable."""
    for found in objects.list(f"mmm/{account_id}/"):
        if found.key.endswith("/mmm_manifest.json"):
            yield {"campaign_id": None, **json.loads(objects.get_bytes(found.key), parse_float=Decimal)}


def featured(objects: RawStore, account_id: str, campaign_id: str, asked: FeaturesAsked) -> dict[str, Any]:
    """The features of a client's table, or of one of its campaigns' where that has an id. Numbers are exact decimals,
    None where there is no value. Raises NotFound, Unprocessable, Unavailable."""
    manifest, entry = _table_of(manifests(objects, account_id), campaign_id or account_id, campaign_id, asked)
    facts, channels = entry["features"], entry["channels"]
    if asked.channel and asked.channel not in channels:
        raise _refused("channel", f"{asked.channel[:60]!r} is none of the table's channels: {', '.join(channels)}")
    return {
        "campaign_id": manifest["campaign_id"],
        "currency": manifest["currency"],
        "table": asked.table,
        "first": entry["first"],
        "last": entry["last"],
        "definitions": facts["definitions"],
        "kpi": {"name": entry["target"], **facts["kpi"]},
        "channels": [{"channel": channel, **facts["channels"][channel]} for channel in channels],
        "periods": [*_periods(objects, entry, asked.channel)] if asked.channel else [],
        "files": facts["files"],
    }


def _table_of(
    found: Iterable[Mapping[str, Any]], subject: str, campaign_id: str, asked: FeaturesAsked
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The one dataset that is asked for, and its table."""
    named = _TABLE.fullmatch(asked.table)
    if named is None:
        raise _refused("table", "national tables have features: daily or weekly; of the last days alone days=90/daily")
    days = int(named[1]) if named[1] else None
    fits = [
        each
        for each in found
        if (each["campaign_id"] or "") == campaign_id
        and each.get("lookback_days") == days
        and asked.currency in {"", each["currency"]}
    ]
    if not fits:
        raise NotFound(f"{subject} has no such dataset: POST .../etl makes it, GET .../mmm lists those that there are")
    if len(fits) > 1:
        known = ", ".join(each["currency"] for each in fits)
        raise _refused("currency", f"datasets of several: give one of {known}, as in currency={fits[0]['currency']}")
    (manifest,) = fits
    entry: Mapping[str, Any] = manifest["tables"].get(named[2], {})
    if "features" not in entry:
        errors = "; ".join(each["message"] for each in entry.get("findings", ()) if each["severity"] == "error")
        raise NotFound(f"the table {asked.table} in {manifest['currency']} is not stored: {errors or 'it has no rows'}")
    return manifest, entry


def _periods(objects: RawStore, entry: Mapping[str, Any], channel: str) -> Iterator[dict[str, Any]]:
    text = objects.get_bytes(entry["features"]["files"]["csv"]["key"]).decode()
    header, *rows = csv.reader(io.StringIO(text))
    owners = {name: _owner(name, entry) for name in header[1:]}
    for time, *values in rows:
        parts: dict[str, dict[str, Decimal | None]] = {"channel": {}, "kpi": {}, "calendar": {}}
        for (name, owner), value in zip(owners.items(), values, strict=True):
            place = {channel: "channel", entry["target"]: "kpi", "": "calendar"}.get(owner)
            if place:
                parts[place][name.removeprefix(f"{owner}_") if owner else name] = Decimal(value) if value else None
        yield {"time": time, **parts}


def _owner(column: str, entry: Mapping[str, Any]) -> str:
    """Whose column it is: a channel's, the KPI's, or nobody's, of the calendar. `amazon` begins as `amazon_sp` does."""
    known = [name for name in (*entry["channels"], entry["target"]) if column.startswith(f"{name}_")]
    return max(known, key=len, default="")


def _refused(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field}: {message}", [{"field": field, "message": message}])
