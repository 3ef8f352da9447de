"""Puts together what makes and reads the tables of `curated/`, for `curate` and `etl`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.insight.curated.parts import CuratorParts
from adweir.model.platforms import Platform
from adweir.store.raw.curated import CuratedObjects

if TYPE_CHECKING:
    from adweir.reporting.query import Queries
    from adweir.runtime.resources import Resources


def curator_parts(app: Resources, queries: Queries) -> CuratorParts:
    """What the tables are made with. Who asks whether one is up to date has to ask with the same."""

    def reported(platform: str) -> str:
        known = app.platforms.spec(Platform(platform)).dbt_name if platform in app.platforms else ""
        return known or platform

    connected = tuple(sorted(spec.name for spec in app.platforms.specs()))
    objects = CuratedObjects(app.raw)
    return CuratorParts(app.catalog, queries, app.metrics, app.findings.scores, objects, connected, reported)
