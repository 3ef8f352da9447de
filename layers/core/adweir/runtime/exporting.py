"""Puts together what makes exports, for `etl`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adweir.reporting.exports import Exporter
    from adweir.reporting.query import Queries
    from adweir.runtime.app import App


def exporter_of(app: App) -> Exporter:
    """Makes reports that are too large for an answer; it hands on with a tenth of the function's time left.

    Where there are tables for SQL, Athena makes those that it can.
    """
    from adweir.reporting.exports import Exporter

    def queries(accounts: frozenset[str]) -> Queries:
        return (app.limited_to(accounts) if accounts else app).queries

    warehouse = None
    if app.athena is not None:
        from adweir.insight.curated.answers import CuratedReports
        from adweir.runtime.curating import curator_parts

        warehouse = CuratedReports(app.athena, app.raw, curator_parts(app, app.queries))
    return Exporter(app.ledger.exports, app.raw, app.queues.etl, queries, app.settings.margin_seconds, warehouse)
