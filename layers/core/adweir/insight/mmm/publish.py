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

import json
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adweir.insight.mmm.beside import NATIONAL
from adweir.insight.mmm.files import MixTable, TableFiles
from adweir.insight.mmm.gates import check
from adweir.insight.mmm.gather import WHOLE, Gatherer, MixAsked, MixFound, lacking
from adweir.insight.mmm.steps import MixSteps
from adweir.insight.mmm.tidy import COLUMNS
from adweir.insight.mmm.wide import Cadence, build
from adweir.model.errors import NotFound
from adweir.model.times import Clock

if TYPE_CHECKING:
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore

_SCHEMA = 2
_MANIFEST = "mmm_manifest.json"


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

    def publish(self, account_id: str, asked: MixAsked = WHOLE, steps: MixSteps | None = None) -> list[dict[str, Any]]:
        """Make the account's datasets that are not up to date, and return the manifests of all. `steps` gets the rows
        and seconds of each step added.

        Raises NotFound when there is no such account, or when it has no such campaign.
        """
        account = self._catalog.account(account_id)
        gatherer = Gatherer(self._catalog, self._queries, self._clock, account, asked)
        manifests = []
        for currency, profiles in gatherer.by_currency():
            found = gatherer.found(currency, profiles)
            if found is not None:
                root = asked.root(account.account_id, currency)
                own = MixSteps(self._clock.monotonic)
                manifests.append(self._publish_currency(root, gatherer, found, own))
                if steps is not None:
                    steps.add(own)
        return manifests

    def _publish_currency(self, root: str, gatherer: Gatherer, found: MixFound, steps: MixSteps) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            tidy = place / "ad_reporting.csv"
            with steps.of("extract"):
                written = gatherer.fill(found, tidy)
            steps.count("extract", written.count)
            with steps.of("aggregate"):
                tables = tables_of(found)
            steps.count("aggregate", sum(table.wide.size for table in tables))
            inputs, before = found.hashed(tidy, (table.wide.rows() for table in tables)), self._manifest(root)
            if before.get("inputs") == inputs:
                return before
            if before:
                self._put_manifest(root, before | {"inputs": None})  # its files are about to be replaced
            files = TableFiles(self._objects, place, steps)
            stored = files.store(root, tidy, dict(COLUMNS), formulas=written.has_formulas)
            manifest: dict[str, Any] = {
                "schema": _SCHEMA,
                **found.about,
                "geos": found.about.get("regions", {}).get("regions", []),
                "files": {"ad_reporting": stored | {"rows": written.count}},
                "tables": {table.name: files.entry(root, table) for table in tables},
                "inputs": inputs,
            }
            manifest["steps"] = steps.shown()
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
