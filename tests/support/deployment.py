"""What `ops` commands work on in tests: the stack's outputs, as CloudFormation names them."""

from __future__ import annotations

from adweir.runtime.settings import Settings
from ops.target import Deployment


def deployed(settings: Settings, **others: str) -> Deployment:
    """A deployment with the names of these settings; `others` are further outputs."""
    return Deployment(
        {
            "CatalogTable": settings.catalog_table,
            "MetricsTable": settings.metrics_table,
            "LedgerTable": settings.ledger_table,
            "FindingsTable": settings.findings_table,
            "Bucket": settings.bucket,
            "BusName": settings.bus_name,
            "SecretPrefix": "adweir",
            **others,
        },
        settings.platform_urls,
    )
