"""The offline table: Parquet below `curated/features/`, an object per ad account and month of `as_of`. Rows are added
to it and never changed: what was recorded as of a moment stays so, whatever is restated afterwards."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adweir.insight.ad_features.entity import Row
from adweir.insight.curated.entities import parsed_table
from adweir.insight.curated.layout import FIRST_MONTH, owner_name, partition_of, tables
from adweir.insight.parquet import CsvLines, copy_out, engine, quoted
from adweir.model.errors import NotReady
from adweir.model.feature_columns import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

    from adweir.model.entities import Profile
    from adweir.store.raw.curated import CuratedObjects

_MEMORY = "1GB"
"""Of DuckDB: a month of 20,000 ads has 600,000 rows."""


class OfflineFeatures:
    """The offline table of a deployment, whose connected platforms are given. Raises Unavailable."""

    def __init__(self, objects: CuratedObjects, platforms: Sequence[str]) -> None:
        self._objects = objects
        self._platforms = tuple(sorted(platforms))
        self._table = tables(self._platforms)["features"]

    def rows(self, profile: Profile, as_of: str) -> list[Row]:
        """The rows that were added as of a moment; none where that did not happen."""
        found = self._objects.tagged(self._key(profile, as_of))
        if found is None:
            return []
        with _workplace() as (place, connection):
            old = place / "old.parquet"
            old.write_bytes(found[0])
            asked = connection.execute(
                f"SELECT {', '.join(TYPES)} FROM read_parquet({quoted(old)}) WHERE as_of = TRY_CAST(? AS TIMESTAMP)",  # noqa: S608
                [as_of],
            )
            return [_row(each) for each in asked.fetchall()]

    def add(self, profile: Profile, as_of: str, rows: Iterable[Row], done: str) -> None:
        """Add rows as of a moment, which is later than that of any other. `done`: the moment of the last rows that are
        everywhere. Raises NotReady where somebody else has added rows since: whoever comes next ends that first."""
        key = self._key(profile, as_of)
        found = self._objects.tagged(key)
        with _workplace() as (place, connection):
            parts = [f"SELECT * FROM {parsed_table(self._table, _staged(rows, place / 'fresh.csv'))}"]  # noqa: S608
            if found is not None:
                old = place / "old.parquet"
                old.write_bytes(found[0])
                _check(connection, old, done)
                parts.append(f"SELECT * FROM read_parquet({quoted(old)})")  # noqa: S608
            whole = place / "whole.parquet"
            columns = ", ".join(TYPES)
            both = " UNION ALL BY NAME ".join(parts)
            copy_out(connection, f"SELECT {columns} FROM ({both}) ORDER BY as_of, level, entity_id", whole)  # noqa: S608
            if not self._objects.swap(key, whole.read_bytes(), found[1] if found else ""):
                raise _overtaken()

    def _key(self, profile: Profile, as_of: str) -> str:
        platform = str(profile.platform)
        owner = owner_name(platform, profile.profile_id, self._platforms)
        return self._table.key((partition_of(platform, self._platforms), as_of[: len(FIRST_MONTH)]), owner)


@contextmanager
def _workplace() -> Iterator[tuple[Path, DuckDBPyConnection]]:
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder), memory=_MEMORY) as connection:
        yield Path(folder), connection


def _check(connection: DuckDBPyConnection, old: Path, done: str) -> None:
    ((newest,),) = connection.execute(f"SELECT max(as_of) FROM read_parquet({quoted(old)})").fetchall()  # noqa: S608
    if newest is not None and _moment(newest) > done:
        raise _overtaken()


def _overtaken() -> NotReady:
    return NotReady("another worker records features of the same ad account", after=60)


def _staged(rows: Iterable[Row], target: Path) -> Path:
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(CsvLines(file))
        writer.writerow(TYPES)
        writer.writerows(row.values() for row in rows)
    return target


def _row(values: Sequence[Any]) -> Row:
    """A row as it was recorded. A text that is empty is none: a CSV has no difference."""
    return {name: _plain(value) for name, value in zip(TYPES, values, strict=True)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return _moment(value)
    return value.isoformat() if isinstance(value, date) else value


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="microseconds") + "Z"
