"""What readers answer of a level, as rows of a CSV file that SQL goes on with. Amounts stay in millionths."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from adweir.insight.parquet import CsvLines
from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge
from adweir.model.metrics import IN_GROUP, METRICS, SERIES_LEVELS, Level, Mark
from adweir.model.series_ids import said_in
from adweir.reporting.dimensions import RowValues
from adweir.reporting.levels import FINENESS
from adweir.reporting.reading import DayCoverage, ReadRow
from adweir.reporting.totals import KEPT

_TEXT, _COUNT, _FLAG = "VARCHAR", "BIGINT", "BOOLEAN"
IDS = ("campaign_id", "ad_group_id", "own_id", "entity_id", "breakdown_value", "series_name", "geo")
ROWS: Mapping[str, str] = {
    "date": "DATE",
    "hour": "INTEGER",
    **dict.fromkeys((*IDS, "ad_product", "currency"), _TEXT),
    **dict.fromkeys(METRICS, _COUNT),
    **dict.fromkeys(("source", "as_of", "task_id", "definition", "answered_by"), _TEXT),
    **dict.fromkeys(("kept", "held", "unattributed"), _FLAG),
}
"""Of the file of rows: column → SQL type."""
DAYS: Mapping[str, str] = {
    "date": "DATE",
    "pulled_at": _TEXT,
    "complete": _FLAG,
    "settled": _FLAG,
    "missing": _TEXT,
    "quality": "DOUBLE",
}
"""Of the file of days: column → SQL type."""
_LOOKS = 5000
"""Rows between two looks at the time."""


class TooManyRows(TooLarge):
    """A month of an ad account has more rows than its tables can be made of. Other months are made all the same."""


class _StagedIds(NamedTuple):
    """What a row says of its object, in the order of `IDS`. Empty where the level has no such part, or nobody knows."""

    campaign_id: str | None = None
    ad_group_id: str | None = None
    own_id: str | None = None
    entity_id: str | None = None
    breakdown_value: str | None = None
    series_name: str | None = None
    geo: str | None = None


def stage_rows(
    rows: Iterable[ReadRow], asked: tuple[Profile, Level, str], target: Path, check: Callable[[], None]
) -> int:
    """Write the rows that answer for a profile's level and breakdown; how many they are. Raises TooManyRows, and
    whatever `check` raises."""
    profile, level, breakdown = asked
    ids, count = _ids_of(level, breakdown), 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(CsvLines(file))
        writer.writerow(ROWS)
        for count, read in enumerate(rows, 1):
            if not count % _LOOKS:
                check()
            if count > limits.MAX_CURATED_ROWS:
                most = f"more than {limits.MAX_CURATED_ROWS:,} rows of a level"
                said = "the tables for SQL do not have what is newer of it, reports do"
                raise TooManyRows(f"a month of {profile.platform} {profile.profile_id} has {most}: {said}")
            row = read.row
            writer.writerow(
                (
                    row.day,
                    row.hour if row.hour >= 0 else None,
                    *ids(read),
                    row.ad_product,
                    row.currency or profile.currency,
                    *row.slot,
                    None if read.is_rest else row.source,
                    row.as_of,
                    row.task_id,
                    row.definition,
                    read.level,
                    KEPT in read.marks,
                    row.mark is Mark.HELD,
                    read.is_rest,
                )
            )
    return count


def stage_days(covered: Mapping[date, DayCoverage], scores: Mapping[str, float], target: Path) -> None:
    """Write what the answer of each day rests on. `scores`: day (ISO) → its quality."""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(CsvLines(file))
        writer.writerow(DAYS)
        for day, one in sorted(covered.items()):
            whole = one.whole and not one.missing
            score = scores.get(day.isoformat())
            writer.writerow((day, one.pulled_at, whole, one.settled, " ".join(one.missing), score))


def _ids_of(level: Level, breakdown: str) -> Callable[[ReadRow], _StagedIds]:
    if level in SERIES_LEVELS:
        return _of_series
    values = RowValues(breakdown)
    has_campaign, has_group = level is not Level.ACCOUNT, level not in FINENESS[:2]
    has_own, is_account = level in IN_GROUP, level is Level.ACCOUNT

    def ids(read: ReadRow) -> _StagedIds:
        values.show(read)
        campaign = values.campaign_id() or None if has_campaign else None
        group = values.ad_group_id() or None if has_group else None
        own = values.own_id() or None if has_own else None
        entity = None
        if not (is_account or read.is_rest):
            finest = own if has_own else group if has_group else campaign
            entity = f"{group}~{own}" if own and group else finest
        return _StagedIds(campaign, group, own, entity, values.value if breakdown else None)

    return ids


def _of_series(read: ReadRow) -> _StagedIds:
    said: Mapping[str, Any] = said_in(read.row.entity_id)
    return _StagedIds(
        read.row.campaign_id or None,
        entity_id=read.row.entity_id,
        series_name=said.get("name"),
        geo=said.get("geo"),
    )
