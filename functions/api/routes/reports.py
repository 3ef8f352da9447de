"""Reports."""

from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.model.times import iso
from adweir.runtime.app import App
from adweir.runtime.http import Answer
from adweir.runtime.routes import Here, Resource
from routes.fields import AS_KNOWN_AT, CHANGED_SINCE, Given, OneOf, PastInstant
from routes.large import EXPORT, bounds, export

if TYPE_CHECKING:
    from adweir.reporting.moments import Moments

Word = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_WORD_CHARS)]
Moment = Annotated[
    str,
    StringConstraints(min_length=10, max_length=limits.MAX_WORD_CHARS),
    Field(examples=["2026-11-01", "2026-11-01T09:00:00+01:00"]),
]


def _metrics() -> tuple[str, ...]:
    from adweir.reporting.reports import METRICS
    from adweir.reporting.series import SERIES

    of_series = dict.fromkeys(name for each in SERIES.values() for name in each.numbers)
    return (*METRICS, *(name for name in of_series if name not in METRICS))


def _dimensions() -> tuple[str, ...]:
    from adweir.reporting.dimensions import DIMENSIONS
    from adweir.reporting.reports import SHORT_NAMES
    from adweir.reporting.series import SERIES

    known = dict.fromkeys((*DIMENSIONS, *SHORT_NAMES))
    return (*known, *dict.fromkeys(name for each in SERIES.values() for name in each.fields if name not in known))


def _data_types() -> tuple[str, ...]:
    from adweir.reporting.series import SERIES

    return ("", *SERIES)


def _formats() -> tuple[str, ...]:
    from adweir.reporting.formats import FORMATS

    return tuple(FORMATS)


class NamedMetric(Given):
    """A metric by its name."""

    name: Annotated[Word, OneOf(known=_metrics)]


class NamedDimension(Given):
    """A dimension by its name."""

    name: Annotated[Word, OneOf(known=_dimensions)]


class ReportRange(Given):
    """Inclusive dates (`2026-11-01`) or datetimes (`2026-11-01T09:00:00+01:00`).

    A date, and a datetime without an offset, mean the time zone of each ad account. A day or an hour counts when any
    moment of it lies within the range.
    """

    start_date: Moment
    end_date: Moment


class NewReport(Given):
    """Metrics by dimensions over a time range. A segment keeps rows: `{"name": <dimension>, "values": [...]}`.

    With `include_live`, today and other days that only hours cover are answered by their hours. Each of the dimensions
    age, gender, country, region, device, placement and search_term selects the breakdown that has it.

    With a `data_type`, the report is of that series, which belongs to no ad platform: its metrics and dimensions are
    the fields that `retrieve` shows.
    """

    name: str = Field(default="report", max_length=limits.MAX_NAME_CHARS)
    time_range: ReportRange
    metrics: list[NamedMetric] = Field(min_length=1, max_length=limits.MAX_REPORT_METRICS)
    dimensions: list[NamedDimension] = Field(default=[], max_length=limits.MAX_REPORT_DIMENSIONS)
    segments: list[dict[str, Any]] = Field(
        default=[],
        max_length=limits.MAX_REPORT_SEGMENTS,
        examples=[[{"name": "currency", "values": ["EUR"]}]],
    )
    format: Annotated[str, Field(max_length=limits.MAX_WORD_CHARS), OneOf(known=_formats)] = "json"
    data_type: Annotated[str, Field(max_length=limits.MAX_WORD_CHARS), OneOf(known=_data_types)] = ""
    include_live: bool = Field(default=False, strict=True)
    as_known_at: PastInstant | None = Field(default=None, description=AS_KNOWN_AT)
    changed_since: PastInstant | None = Field(default=None, description=CHANGED_SINCE)


reports = Resource("Reports", "Metrics by dimensions, in the format that you need")


def _content() -> dict[str, Any]:
    from routes.answers import REPORT

    return REPORT


_LARGE = {
    "description": "The JSON or CSV is too large for an answer: download it from Location within 15 minutes.",
    "headers": {"Location": {"schema": {"type": "string", "format": "uri"}}},
    "content": {kind: {"schema": {"type": "string", "maxLength": 0}} for kind in ("application/json", "text/csv")},
}


@reports.route(
    "POST",
    "/api/v1/reports",
    "Make a report",
    limited=True,
    content=_content,
    others={202: EXPORT, 303: _LARGE},
)
def create_report(app: Here, asked: NewReport) -> Answer:
    """A JSON or CSV that is too large for the answer comes as a redirect (303) to its file. One that takes longer than
    an answer may becomes an export (202): the same request within an hour is the same export.

    Numbers are exact: read them as decimals, not as floats. Below the account level, a row with null ids and
    `unattributed: true` is what the others leave of the account's total, so that rows add up to it.
    """
    from adweir.reporting.delivery import EXPORTED, deliver
    from adweir.reporting.formats import check_format
    from adweir.reporting.moments import parse_moments
    from adweir.reporting.ranges import parse_range
    from adweir.reporting.reports import ReportRequest, report

    check_format(asked.format)
    now = app.clock.now()
    moments = parse_moments(asked.as_known_at, asked.changed_since, now)
    queries = app.queries.known_at(moments.as_known_at) if moments.as_known_at else app.queries
    wanted = ReportRequest(
        name=asked.name,
        range=parse_range(asked.time_range.start_date, asked.time_range.end_date, moments.now.date()),
        metrics=[metric.name for metric in asked.metrics],
        dimensions=[dimension.name for dimension in asked.dimensions],
        segments=asked.segments,
        live=asked.include_live,
        moments=moments,
        data_type=asked.data_type,
    )
    key = f"exports/{now:%Y/%m/%d}/{app.new_id()}.{asked.format}"
    try:
        made = report(queries.within(bounds(app)), wanted)
    except TooLarge:
        if asked.format not in EXPORTED:
            raise
        return _export(app, asked, moments)
    sent = deliver(made, asked.format, app.raw, key)
    headers = {"Cache-Control": "no-store"} | ({"Location": sent.location} if sent.location else {})
    return Response(303 if sent.location else 200, sent.content_type, sent.text, headers=headers)


def _export(app: App, asked: NewReport, moments: "Moments") -> Answer:
    """Ask for the report as an export."""
    from adweir.reporting.exported import ExportedReport

    known_at, changed_since = moments.as_known_at, moments.changed_since
    report = ExportedReport(
        format=asked.format,
        name=asked.name,
        start=asked.time_range.start_date,
        end=asked.time_range.end_date,
        metrics=[metric.name for metric in asked.metrics],
        dimensions=[dimension.name for dimension in asked.dimensions],
        segments=asked.segments,
        live=asked.include_live,
        asked_at=iso(moments.answered_at),
        as_known_at=iso(known_at) if known_at else None,
        changed_since=iso(changed_since) if changed_since else None,
        report_of=asked.data_type,
    )
    return export(app, report, moments)
