"""Reports; large ones are answered with a link."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adweir.model import limits
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Request, Route

LINK_SECONDS = 900


class Named(BaseModel):
    """A metric or a dimension by its name."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class TimeRange(BaseModel):
    """Inclusive dates."""

    model_config = ConfigDict(extra="forbid")
    start_date: date
    end_date: date


class NewReport(BaseModel):
    """Metrics by dimensions over a time range; a segment is `{"name": <dimension>, "values": [...]}`."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="report", max_length=200)
    time_range: TimeRange
    metrics: list[Named] = Field(min_length=1, max_length=30)
    dimensions: list[Named] = Field(default=[], max_length=12)
    segments: list[dict[str, Any]] = Field(default=[], max_length=20)
    format: str = Field(default="json", max_length=20)


def create(request: Request) -> Answer:
    from adweir.reporting.formats import check_format, render
    from adweir.reporting.reports import report

    app, asked = request.app, request.body(NewReport)
    check_format(asked.format)
    now = app.clock.now()
    found = report(
        app.queries,
        now.date(),
        name=asked.name,
        start=asked.time_range.start_date.isoformat(),
        end=asked.time_range.end_date.isoformat(),
        metrics=[metric.name for metric in asked.metrics],
        dimensions=[dimension.name for dimension in asked.dimensions],
        segments=asked.segments,
    )
    content_type, body = render(found, asked.format)
    if len(body) <= limits.MAX_INLINE_REPORT_BYTES:
        return Response(200, content_type, body.decode(), headers={"Cache-Control": "no-store"})
    key = f"exports/{now:%Y/%m/%d}/{app.new_id()}.{asked.format}"
    app.raw.put(key, body, content_type=content_type)
    link = {"download_url": app.raw.presign(key, LINK_SECONDS), "expires_in": LINK_SECONDS, "key": key}
    return answer(found.head | link | {"bytes": len(body)})


ROUTES = (Route("POST", "/api/v1/reports", create, "Make a report (json, csv)", "read", NewReport),)
