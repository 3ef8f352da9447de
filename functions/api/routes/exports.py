"""Exports: reports that are too large for an answer."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from adweir.model.errors import NotFound
from adweir.runtime.routes import Here, Resource
from routes.fields import Instant, OneOf, Shown

ExportId = Annotated[str, Field(description="The export's id.", examples=["exp_5f0c1d2e3b4a59687786"])]
ExportPath = Annotated[str, Path(description="The export's id, exp_….")]


class ExportAnswer(Shown):
    """An export and how far it is."""

    export_id: ExportId
    state: Annotated[str, OneOf("running", "ready", "failed")]
    format: str = Field(examples=["csv"])
    requested_at: Instant = Field(description="It shows the metrics as they were known then.")
    rows: int | None = Field(description="null until it is ready.")
    download_url: str | None = Field(description="Its file, when it is ready: good for 15 minutes, ask again for more.")
    expires_at: Instant = Field(description="When the file is deleted.")
    reason: str | None = Field(description="Why it failed.")


exports = Resource("Exports", "Reports that are too large for an answer, as files")


@exports.route("GET", "/api/v1/exports/{export_id}", "Get an export", limited=True)
def get_export(app: Here, export_id: ExportPath) -> ExportAnswer:
    """Ask every few seconds until its `state` is `ready` or `failed`. The rows come by range of days, in order."""
    from adweir.reporting.delivery import LINK_SECONDS

    record = app.ledger.exports.get(export_id)
    if record is None or (app.accounts and not (record.accounts and record.accounts <= app.accounts)):
        raise NotFound(f"there is no export {export_id[:64]}", [{"field": "export_id", "message": "is unknown"}])
    return ExportAnswer(
        export_id=record.export_id,
        state=record.state,
        format=str(record.asked.get("format", "")),
        requested_at=record.requested_at,
        rows=record.rows if record.key else None,
        download_url=app.raw.presign(record.key, LINK_SECONDS) if record.key else None,
        expires_at=record.expires_at,
        reason=record.reason or None,
    )
