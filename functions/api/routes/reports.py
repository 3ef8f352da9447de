"""Reports."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adweir.runtime.http import Answer
from adweir.runtime.routes import Request, Route


class Named(BaseModel):
    """A metric or a dimension by its name."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]


Moment = Annotated[str, StringConstraints(min_length=10, max_length=40)]


class TimeRange(BaseModel):
    """Inclusive dates (`2026-11-01`) or datetimes (`2026-11-01T09:00:00+01:00`).

    A date, and a datetime without an offset, mean the time zone of each ad account. A day or an hour counts when any
    moment of it lies within the range.
    """

    model_config = ConfigDict(extra="forbid")
    start_date: Moment
    end_date: Moment


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
    """JSON, HTML and Markdown come in the answer; a CSV that is too large for it by a redirect (303) to its file."""
    from adweir.reporting.delivery import deliver
    from adweir.reporting.formats import check_format
    from adweir.reporting.ranges import parse_range
    from adweir.reporting.reports import ReportRequest, report

    app, asked = request.app, request.body(NewReport)
    check_format(asked.format)
    now = app.clock.now()
    wanted = ReportRequest(
        name=asked.name,
        range=parse_range(asked.time_range.start_date, asked.time_range.end_date, now.date()),
        metrics=[metric.name for metric in asked.metrics],
        dimensions=[dimension.name for dimension in asked.dimensions],
        segments=asked.segments,
    )
    key = f"exports/{now:%Y/%m/%d}/{app.new_id()}.{asked.format}"
    sent = deliver(report(app.queries, wanted), asked.format, app.raw, key)
    headers = {"Cache-Control": "no-store"} | ({"Location": sent.location} if sent.location else {})
    return Response(303 if sent.location else 200, sent.content_type, sent.text, headers=headers)


ROUTES = (Route("POST", "/api/v1/reports", create, "Make a report (json, csv, html, markdown)", "read", NewReport),)
