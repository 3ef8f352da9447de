"""The routes of the API, one file a resource."""

from __future__ import annotations

from adweir.runtime.routes import Route
from routes import accounts, credentials, data_pipeline, datasets, describe, ingestion, keys, pipeline, reports, runs

ROUTES: tuple[Route, ...] = (
    *accounts.ROUTES,
    *credentials.ROUTES,
    *ingestion.ROUTES,
    *runs.ROUTES,
    *data_pipeline.ROUTES,
    *reports.ROUTES,
    *pipeline.ROUTES,
    *datasets.ROUTES,
    *keys.ROUTES,
)
ROUTES = (*ROUTES, *describe.routes(ROUTES))
