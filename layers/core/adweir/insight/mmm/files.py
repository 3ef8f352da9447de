"""Writes the tables of a media-mix dataset, CSV and Parquet, and says what they are, as the manifest has it."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from adweir.insight.mmm.exports import geox_rows, robyn_columns, robyn_rows
from adweir.insight.mmm.gates import Finding, Severity
from adweir.insight.mmm.steps import MixSteps
from adweir.insight.mmm.tidy import guard
from adweir.insight.mmm.wide import Cadence, Wide
from adweir.insight.parquet import to_parquet


class FileKeeper(Protocol):
    """Where files are kept, by key."""

    def put(self, key: str, body: BinaryIO, *, content_type: str) -> object:
        """Keep a file."""
        ...


class MixTable(NamedTuple):
    """A table of a dataset and what is wrong with it; its name is that of its folder."""

    name: str
    wide: Wide
    findings: list[Finding]

    @property
    def is_ready(self) -> bool:
        """Whether it is stored: no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


class TableFiles:
    """Writes files below a folder and puts them where they are kept."""

    def __init__(self, objects: FileKeeper, place: Path, steps: MixSteps) -> None:
        self._objects = objects
        self._place = place
        self._steps = steps

    def entry(self, root: str, table: MixTable) -> dict[str, Any]:
        """The manifest's entry of a table; one with an error is described, not stored."""
        wide, ready = table.wide, table.is_ready
        entry: dict[str, Any] = {
            "ready": ready,
            "cadence": wide.cadence.value,
            "target": wide.target,
            "channels": list(wide.channels),
            "media": wide.media,
            "reach": list(wide.reach),
            "organic": list(wide.organic),
            "controls": list(wide.controls),
            "geos": list(wide.geos),
            "dropped": [asdict(dropped) for dropped in wide.dropped],
            "findings": [asdict(finding) for finding in table.findings],
            "rows": wide.size,
            "first": wide.times[0] if wide.times else None,
            "last": wide.times[-1] if wide.times else None,
        }
        if ready:
            where = f"{root}/{table.name}"
            folder = self._place / table.name
            folder.mkdir()
            types = dict.fromkeys(("geo", "time"), "VARCHAR") | dict.fromkeys(wide.columns, "DOUBLE")
            entry["files"] = self._table(where, folder / "mmm_input.csv", wide.rows(), types)
            entry |= self._for_regions(where, folder, wide) if wide.geos else self._national(where, folder, wide)
        return entry

    def _national(self, where: str, folder: Path, wide: Wide) -> dict[str, Any]:
        """What there is of a national table only: Robyn's file, and the features."""
        from adweir.insight.mmm.features.table import definitions, features  # noqa: PLC0415 - numpy

        columns = robyn_columns(wide)
        files = self._table(where, folder / "mmm_robyn.csv", robyn_rows(wide, columns))
        with self._steps.of("features"):
            found = features(wide)
        self._steps.count("features", wide.size)
        target = folder / "features.csv"
        types = found.write(target)
        made = {**found.facts, "definitions": definitions(wide.cadence), "files": self.store(where, target, types)}
        return {"robyn": columns | {"files": files}, "features": made}

    def _for_regions(self, where: str, folder: Path, wide: Wide) -> dict[str, Any]:
        """What there is of a table by region only: GeoX's file. It takes days, no weeks."""
        if wide.cadence is not Cadence.DAILY:
            return {}
        types = {"date": "VARCHAR", "location": "VARCHAR"}
        return {"geox": {"files": self._table(where, folder / "mmm_geox.csv", geox_rows(wide), types)}}

    def _table(
        self, where: str, target: Path, rows: Iterable[list[str]], types: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Store rows, the first of them a header, as CSV and Parquet; columns without a type are numbers, `time` is
        text."""
        with self._steps.of("dataset"), target.open("w", encoding="utf-8", newline="") as file:
            writer, lines = csv.writer(file, lineterminator="\n"), iter(rows)
            header = next(lines)
            writer.writerow(header)
            writer.writerows(lines)
        known = {"time": "VARCHAR", **(types or {})}
        return self.store(where, target, {name: known.get(name, "DOUBLE") for name in header})

    def store(self, root: str, csv_file: Path, types: Mapping[str, str], *, formulas: bool = False) -> dict[str, Any]:
        """Store a CSV and its Parquet twin; `{"csv": {"key", "sha256"}, "parquet": ...}`.

        With `formulas`, texts that a spreadsheet would run have an apostrophe in front, in the CSV only.
        """
        with self._steps.of("dataset"):
            parquet = _twin(csv_file, types, formulas=formulas)
        stored = {}
        for kind, path, content_type in (
            ("csv", csv_file, "text/csv; charset=utf-8"),
            ("parquet", parquet, "application/vnd.apache.parquet"),
        ):
            key = f"{root}/{path.name}"
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                with self._steps.of("load"):
                    self._objects.put(key, file, content_type=content_type)
            stored[kind] = {"key": key, "sha256": digest}
        return stored


def _twin(csv_file: Path, types: Mapping[str, str], *, formulas: bool) -> Path:
    """The Parquet file of a CSV, in which `formulas` then have an apostrophe."""
    parquet = csv_file.with_suffix(".parquet")
    to_parquet(csv_file, parquet, types)
    if formulas:
        plain = csv_file.rename(csv_file.with_suffix(".plain"))
        with (
            plain.open(encoding="utf-8", newline="") as source,
            csv_file.open("w", encoding="utf-8", newline="") as target,
        ):
            guard(source, target)
    return parquet
