"""The pipeline's own state."""

from __future__ import annotations

from adweir.model.errors import Unprocessable
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Request, Route


def health(request: Request) -> Answer:
    from adweir.pipeline.health import health as examine
    from adweir.runtime.depths import queue_depths

    app = request.app
    return answer(examine(app.ledger, app.catalog, lambda: queue_depths(app.sqs, app.settings), app.clock))


def metrics(request: Request) -> Answer:
    from adweir.pipeline.health import metrics as measure

    return answer(measure(request.app.ledger))


def quality(request: Request) -> Answer:
    platform, profile_id = request.query.get("platform"), request.query.get("profile_id")
    if not platform or not profile_id:
        raise Unprocessable("platform and profile_id are required", [{"field": "profile_id", "message": "is required"}])
    from adweir.model.platforms import parse_platform

    reports = request.app.findings.quality(f"{parse_platform(platform)}#{profile_id}", min(request.limit, 200))
    return answer({"reports": reports})


ROUTES = (
    Route("GET", "/api/v1/pipeline/health", health, "The pipeline's state, part by part"),
    Route("GET", "/api/v1/pipeline/metrics", metrics, "Counts, durations and failures by stage and platform"),
    Route("GET", "/api/v1/quality", quality, "A profile's quality reports", query=("platform", "profile_id", "limit")),
)
