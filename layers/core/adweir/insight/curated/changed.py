"""What changed after it was stored: rows of changes files, as a CSV file that SQL goes on with."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adweir.insight.curated.queries import units
from adweir.insight.parquet import CsvLines
from adweir.model.metrics import METRICS, NO_NUMBERS
from adweir.model.times import HOURS_A_DAY, iso
from adweir.store.metrics.changes import ChangesKey
from adweir.store.metrics.store import Change

EVER = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
"""Until when to read: a load's clock may be ahead of ours, and nobody looks again at a month that does not change."""
_AGAIN = timedelta(days=1)
"""Loads of several sources write beside each other, and put their files in any order: so far back files are looked for
that were not read yet."""
_LOOKS = 5000
_AMOUNTS = METRICS[2:]
_TEXTS = ("campaign_id", "ad_group_id", "entity_id", "ad_product", "source", "cause")
_MARKS = ("old_mark", "new_mark", "old_currency", "new_currency", "task_id", "slice")
CHANGES: Mapping[str, str] = {
    "changed_at": "VARCHAR",
    "date": "DATE",
    "hour": "INTEGER",
    **dict.fromkeys(_TEXTS, "VARCHAR"),
    "lag": "INTEGER",
    **{f"{when}_{name}": "BIGINT" for when in ("old", "new") for name in METRICS},
    **dict.fromkeys((*_MARKS, "as_of"), "VARCHAR"),
}
"""Of the file: column → SQL type."""


class ReadFiles:
    """Changes files of a series: those that were read before, by name, and all that are there now."""

    def __init__(self, before: Collection[str]) -> None:
        self._before = frozenset(before)
        self._found: list[ChangesKey] = []
        self.has_new = False
        """Whether a file is there that was not read before."""

    @property
    def since(self) -> datetime:
        """After which moment files may be there that were not read before."""
        return max(ChangesKey.parse(name).at for name in self._before) - _AGAIN

    def skips(self, key: ChangesKey) -> bool:
        """Whether a file was read before."""
        self._found.append(key)
        is_known = _name(key) in self._before
        self.has_new |= not is_known
        return is_known

    @property
    def names(self) -> list[str]:
        """Those that are read now and that will be listed again."""
        ends = max((key.at for key in self._found), default=EVER) - _AGAIN
        return [_name(key) for key in self._found if key.at > ends]


def _name(key: ChangesKey) -> str:
    """With the day of hours, which has a folder of its own."""
    return f"{key.folder.split('/')[-2]}/{key.time}.{key.by}"


def since(newest: datetime) -> datetime:
    """After which moment to read, where a table has changes until `newest` (UTC, without a zone)."""
    return newest.replace(tzinfo=UTC) - _AGAIN


def stage_changes(found: Iterable[Change], currency: str, target: Path, check: Callable[[], None]) -> None:
    """Write changes; `currency` is the ad account's. Raises TooLarge, and whatever `check` raises."""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(CsvLines(file))
        writer.writerow(CHANGES)
        for number, change in enumerate(found):
            if not number % _LOOKS:
                check()
            slot, header = change.slot, change.header
            writer.writerow(
                (
                    iso(change.at),
                    slot.day,
                    None if slot.hour is None else slot.hour % HOURS_A_DAY,
                    slot.campaign_id,
                    slot.ad_group_id,
                    slot.entity_id,
                    slot.ad_product,
                    header.source,
                    slot.cause,
                    slot.lag,
                    *(slot.old or NO_NUMBERS),
                    *(slot.new or NO_NUMBERS),
                    slot.old_mark,
                    slot.new_mark,
                    (change.old_currency or currency) if slot.old else None,
                    (change.new_currency or currency) if slot.new else None,
                    header.task_id,
                    header.slice,
                    header.as_of,
                )
            )


def change_rows(source: str) -> str:
    """The rows of the table `changes`, of staged ones."""
    amounts = {f"{when}_{name}" for when in ("old", "new") for name in _AMOUNTS}
    moments = {"changed_at", "as_of"}
    columns = ", ".join(
        f"{units(name) if name in amounts else f'CAST({name} AS TIMESTAMP)' if name in moments else name} AS {name}"
        for name in CHANGES
    )
    return f"SELECT {columns}, o.* EXCLUDE (reported_platform) FROM ({source}) CROSS JOIN owner o"  # noqa: S608
