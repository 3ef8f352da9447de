"""Publishes an account's media-mix datasets: tidy and wide, CSV and Parquet, and the manifest that lists them.

One dataset per account and currency (money is never summed across currencies), under `mmm/<account>/<currency>/`; what
somebody asked for alone is beside it, under `campaign=<id>/` and `days=<number>/`:

    ad_reporting.csv|.parquet            the tidy layer, exact decimals
    daily|weekly/mmm_input.csv|.parquet  the wide layer; Parquet has doubles and `time` as text, as Meridian wants it
    daily|weekly/mmm_robyn, features     the slim file for Robyn; features of the series
    geo_daily|geo_weekly/mmm_input       the wide layer by region, where every ad account was pulled so; mmm_geox
    mmm_manifest.json                    written last: the files that it lists, with their SHA-256, are complete

The same stored metrics give the same bytes. The manifest has a hash of what its dataset is made of, `inputs`: where
that is the same, nothing is made or stored.
"""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.mmm.beside import NATIONAL
from adweir.insight.mmm.exports import geox_rows, robyn_columns, robyn_rows
from adweir.insight.mmm.gates import Finding, Severity, check
from adweir.insight.mmm.gather import WHOLE, Gatherer, MixAsked, MixFound, lacking
from adweir.insight.mmm.tidy import COLUMNS, guard
from adweir.insight.mmm.wide import Cadence, Wide, build
from adweir.insight.parquet import to_parquet
from adweir.model.errors import NotFound
from adweir.model.times import Clock

if TYPE_CHECKING:
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore

_SCHEMA = 2
_MANIFEST = "mmm_manifest.json"


class MixTable(NamedTuple):
    """A table of a dataset and what is wrong with it; its name is that of its folder."""

    name: str
    wide: Wide
    findings: list[Finding]

    @property
    def is_ready(self) -> bool:
        """Whether it is stored: no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


class Publisher:
    """Builds and stores the datasets of accounts."""

    def __init__(
        self,
        catalog: Catalog,
        queries: Queries,
        objects: RawStore,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._queries = queries
        self._objects = objects
        self._clock = clock

    def publish(self, account_id: str, asked: MixAsked = WHOLE) -> list[dict[str, Any]]:
        """Make the account's datasets that are not up to date, and return the manifests of all.

        Raises NotFound when there is no such account, or when it has no such campaign.
        """
        account = self._catalog.account(account_id)
        gatherer = Gatherer(self._catalog, self._queries, self._clock, account, asked)
        manifests = []
        for currency, profiles in gatherer.by_currency():
            found = gatherer.found(currency, profiles)
            if found is not None:
                root = asked.root(account.account_id, currency)
                manifests.append(self._publish_currency(root, gatherer, found))
        return manifests

    def _publish_currency(self, root: str, gatherer: Gatherer, found: MixFound) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            tidy = place / "ad_reporting.csv"
            written = gatherer.fill(found, tidy)
            tables = tables_of(found)
            inputs, before = found.hashed(tidy, (table.wide.rows() for table in tables)), self._manifest(root)
            if before.get("inputs") == inputs:
                return before
            if before:
                self._put_manifest(root, before | {"inputs": None})  # its files are about to be replaced
            stored = self._store(root, tidy, dict(COLUMNS), formulas=written.has_formulas)
            manifest: dict[str, Any] = {
                "schema": _SCHEMA,
                **found.about,
                "geos": found.about.get("regions", {}).get("regions", []),
                "files": {"ad_reporting": stored | {"rows": written.count}},
                "tables": {table.name: self._entry(root, place, table) for table in tables},
                "inputs": inputs,
            }
            self._put_manifest(root, manifest)
        return manifest

    def _manifest(self, root: str) -> dict[str, Any]:
        """The manifest that is stored; empty when there is none."""
        try:
            found: dict[str, Any] = json.loads(self._objects.get_bytes(f"{root}/{_MANIFEST}"))
        except NotFound:
            return {}
        return found

    def _put_manifest(self, root: str, manifest: Mapping[str, Any]) -> None:
        body = json.dumps(manifest, indent=2).encode() + b"\n"
        self._objects.put(f"{root}/{_MANIFEST}", BytesIO(body), content_type="application/json")

    def _entry(self, root: str, place: Path, table: MixTable) -> dict[str, Any]:
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
            folder = place / table.name
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
        found = features(wide)
        target = folder / "features.csv"
        types = found.write(target)
        made = {**found.facts, "definitions": definitions(wide.cadence), "files": self._store(where, target, types)}
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
        with target.open("w", encoding="utf-8", newline="") as file:
            writer, lines = csv.writer(file, lineterminator="\n"), iter(rows)
            header = next(lines)
            writer.writerow(header)
            writer.writerows(lines)
        known = {"time": "VARCHAR", **(types or {})}
        return self._store(where, target, {name: known.get(name, "DOUBLE") for name in header})

    def _store(self, root: str, csv_file: Path, types: Mapping[str, str], *, formulas: bool = False) -> dict[str, Any]:
        """Store a CSV and its Parquet twin; `{"csv": {"key", "sha256"}, "parquet": ...}`.

        With `formulas`, texts that a spreadsheet would run have an apostrophe in front, in the CSV only.
        """
        parquet = csv_file.with_suffix(".parquet")
        to_parquet(csv_file, parquet, types)
        if formulas:
            plain = csv_file.rename(csv_file.with_suffix(".plain"))
            with (
                plain.open(encoding="utf-8", newline="") as source,
                csv_file.open("w", encoding="utf-8", newline="") as target,
            ):
                guard(source, target)
        stored = {}
        for kind, path, content_type in (
            ("csv", csv_file, "text/csv; charset=utf-8"),
            ("parquet", parquet, "application/vnd.apache.parquet"),
        ):
            key = f"{root}/{path.name}"
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                self._objects.put(key, file, content_type=content_type)
            stored[kind] = {"key": key, "sha256": digest}
        return stored


def tables_of(found: MixFound) -> list[MixTable]:
    """The tables of a dataset: national, and by region where there are any; daily and weekly."""
    parts = [("", found.window, {NATIONAL: found.national}, (found.uncovered, found.unknown))]
    regions = found.regions
    if regions.window is not None:
        parts.append(("geo_", regions.window, dict(regions.sums), (regions.uncovered, regions.unknown)))
    tables = []
    for prefix, whole, sums, (uncovered, unknown) in parts:
        window = found.beside.within(whole)
        lacks = {day for day in uncovered if window.start <= day <= window.end}
        for cadence in Cadence:
            wide = build(sums, window, found.channels, cadence, found.beside)
            findings = [*check(wide, lacks, unknown), *found.findings, *lacking(found, sums, window)]
            tables.append(MixTable(f"{prefix}{cadence}", wide, findings))
    return tables
