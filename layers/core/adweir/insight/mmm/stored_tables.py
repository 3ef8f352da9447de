"""A stored media-mix table, read back as the manifest and its CSV say it: what a fit is made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adweir.insight.mmm.wide import Cadence, Wide

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore

_DAYS = {Cadence.DAILY: 1, Cadence.WEEKLY: 7}


def read_table(objects: RawStore, entry: Mapping[str, Any]) -> Wide:
    """The wide table of a manifest's entry that is `ready`. Raises NotFound, Unavailable."""
    text = objects.get_bytes(entry["files"]["csv"]["key"]).decode()
    header, *rows = csv.reader(io.StringIO(text))
    cells = dict(zip(header, zip(*rows, strict=True), strict=True))
    geos = list(entry["geos"])
    media = entry["media"]
    return Wide(
        cadence=Cadence(entry["cadence"]),
        times=cells["time"][: len(rows) // max(1, len(geos))],
        columns={name: [*map(Decimal, cells[name])] for name in header if name not in ("geo", "time")},
        channels=entry["channels"],
        organic=entry["organic"],
        dropped=(),
        geos=geos,
        controls=entry["controls"],
        reach=entry["reach"],
        by_spend=[name for name in entry["channels"] if media.get(name) == f"{name}_spend"],
        target=entry["target"],
    )


def days_of(entry: Mapping[str, Any]) -> int:
    """How many days a manifest's entry of a table spans; 0 where it has no row."""
    if not entry["first"]:
        return 0
    first, last = date.fromisoformat(entry["first"]), date.fromisoformat(entry["last"])
    return (last - first).days + _DAYS[Cadence(entry["cadence"])]


def settled_share(wide: Wide, last_settled: str | None) -> float:
    """The share of a table's periods whose days no platform restates any more."""
    length = timedelta(days=_DAYS[wide.cadence] - 1)
    ends = [(date.fromisoformat(first) + length).isoformat() for first in wide.times]
    return sum(end <= (last_settled or "") for end in ends) / len(ends) if ends else 0.0
