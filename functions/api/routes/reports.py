"""Reports."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Discriminator, Field, StringConstraints, Tag

from adweir.model import limits
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.times import iso
from adweir.runtime.app import App
from adweir.runtime.http import Answer
from adweir.runtime.routes import Here, Resource
from routes.fields import AS_KNOWN_AT, CHANGED_SINCE, WORDS, Given, OneOf, PastInstant, one, several
from routes.large import EXPORT, LARGE, bounds, export, sent

Word = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_WORD_CHARS)]
Moment = Annotated[
    str,
    StringConstraints(min_length=10, max_length=limits.MAX_WORD_CHARS),
    Field(examples=["2026-11-01", "2026-11-01T09:00:00+01:00"]),
]


def _metrics() -> tuple[str, ...]:
    from adweir.reporting.report_names import METRICS
    from adweir.reporting.series import SERIES

    of_series = dict.fromkeys(name for each in SERIES.values() for name in each.numbers)
    return (*METRICS, *(name for name in of_series if name not in METRICS))


def _dimensions() -> tuple[str, ...]:
    from adweir.reporting.dimensions import DIMENSIONS
    from adweir.reporting.report_names import SHORT_NAMES
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


def _is_text(given: Any) -> str:
    return "|words" if isinstance(given, str) else "|dates"


def _dates_or(words: Any) -> Any:
    """A range of dates, or words; a fault is reported of that which was meant."""
    return Annotated[Annotated[words, Tag("|words")] | Annotated[ReportRange, Tag("|dates")], Discriminator(_is_text)]


_BEFORE = "The range to compare with: previous_period, previous_year (the same dates), or dates."
_ORDER = "Columns to sort by, with `-` before one the greatest first; unknown values come last."
_LIMIT = "Show so many rows of each currency; the others are one row that sums them."
_PER = "Show so many rows of each value of these dimensions."
_NAMES = "Show names beside ids."
_CONVERT = "The currency to show amounts in, by the client's rates."
_SOURCE = "Whose rates, where there are several sources."
_THROUGH = "The currency that rates may be crossed through, as EUR."


class NewReport(Given):
    """Metrics by dimensions over a time range. A segment keeps rows: `{"name": <dimension>, "values": [...]}`, of names
    (`campaign_name`, ...) also `{"name", "contains": [...]}`, of statuses `campaign_status`, ...

    With `include_live`, today and other days that only hours cover are answered by their hours. Each of the dimensions
    age, gender, country, region, device, placement and search_term selects the breakdown that has it.

    With a `data_type`, the report is of that series, which belongs to no ad platform: its metrics and dimensions are
    the fields that `retrieve` shows.
    """

    name: str = Field(default="report", max_length=limits.MAX_NAME_CHARS)
    time_range: _dates_or(Annotated[Word, Field(description=WORDS, examples=["last_7_days"])])  # type: ignore[valid-type]
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
    order: list[Word] = Field(default=[], max_length=limits.MAX_REPORT_ORDERS, description=_ORDER)
    limit: int | None = Field(default=None, ge=1, le=limits.MAX_REPORT_LIMIT, description=_LIMIT)
    limit_per: list[Word] = Field(default=[], max_length=limits.MAX_REPORT_DIMENSIONS, description=_PER)
    names: bool = Field(default=False, strict=True, description=_NAMES)
    compare: _dates_or(Annotated[Word, Field(description=_BEFORE)]) | None = None  # type: ignore[valid-type]
    convert_to: Word | None = Field(default=None, description=_CONVERT, examples=["EUR"])
    rates_source: Word | None = Field(default=None, description=_SOURCE)
    rates_through: Word | None = Field(default=None, description=_THROUGH)


class AskedReport(Given):
    """The same report as a query. A filter is a segment; of names (`campaign_name`, ...) it is a part of them."""

    metrics: str = several("Without it impressions, clicks, conversions, spend")
    dimensions: str = several("Dimensions")
    time_range: str = one(WORDS)
    start_date: str = one("The first day, without time_range.")
    end_date: str = one("The last day.")
    order: str = several(_ORDER.removesuffix("."))
    limit: int | None = Field(default=None, ge=1, le=limits.MAX_REPORT_LIMIT, description=_LIMIT)
    limit_per: str = several(_PER.removesuffix("."))
    names: bool = Field(default=False, description=_NAMES)
    compare: str = one(_BEFORE.replace("or dates", "or dates as 2026-10-01..2026-10-31"))
    convert_to: str = one(_CONVERT)
    rates_source: str = one(_SOURCE)
    rates_through: str = one(_THROUGH)
    include_live: bool = Field(default=False, description="Answer days that are not over by their hours.")
    as_known_at: str = one(AS_KNOWN_AT)
    format: str = one("json, csv, html or markdown.")
    data_type: str = one("A series that belongs to no ad platform.")
    platform: str = several("Platforms or aliases")
    account_id: str = several("Client companies (acc_…) or ad accounts")
    client_account_id: str = several("Client companies")
    profile_id: str = several("Ad accounts")
    currency: str = several("Currencies of ad accounts")
    campaign_id: str = several("Campaigns of platforms, or across them (cmp_…)")
    ad_group_id: str = several("Ad groups")
    ad_id: str = several("Ads")
    keyword_id: str = several("Keywords")
    arm_id: str = several("Arms of cross-platform campaigns")
    age: str = several("Ages")
    gender: str = several("Genders")
    country: str = several("Countries")
    region: str = several("Regions")
    device: str = several("Devices")
    placement: str = several("Placements")
    search_term: str = several("Search terms")
    conversion_action: str = several("Conversion actions")
    shop: str = several("Shops")
    account_name: str = several("Parts of ad accounts' names")
    campaign_name: str = several("Parts of names")
    ad_group_name: str = several("Parts of names")
    ad_name: str = several("Parts of names")
    keyword_name: str = several("Parts of keywords' texts")
    campaign_status: str = several("Statuses")
    ad_group_status: str = several("Statuses")
    ad_status: str = several("Statuses")
    keyword_status: str = several("Statuses")


reports = Resource("Reports", "Metrics by dimensions, in the format that you need")


def _content() -> dict[str, Any]:
    from routes.report_answers import REPORT

    return REPORT


_ROUTE: dict[str, Any] = {"limited": True, "content": _content, "others": {202: EXPORT, 303: LARGE}}
"""What both routes of reports have in common."""


@reports.route("POST", "/api/v1/reports", "Make a report", **_ROUTE)
def create_report(app: Here, asked: NewReport) -> Answer:
    """A JSON or CSV that is too large for the answer comes as a redirect (303) to its file. One that takes longer than
    an answer may becomes an export (202): the same request within an hour is the same export.

    Numbers are exact: read them as decimals, not as floats. Below the account level, a row with null ids and
    `unattributed: true` is what the others leave of the account's total, so that rows add up to it.

    With `compare`, each metric has three columns more: `spend_before`, `spend_difference`, `spend_change` (a fraction);
    they are null where nothing was pulled. With `limit`, the row that sums the rest says of how many rows in `others`.
    With `convert_to`, `conversion` has each rate that was used; days without one are a 422 that names them.
    """
    words, dates = _given_range(asked.time_range)
    compare = asked.compare.model_dump() if isinstance(asked.compare, ReportRange) else asked.compare
    wanted = {
        "name": asked.name,
        "words": words,
        "start": dates[0],
        "end": dates[1],
        "metrics": [metric.name for metric in asked.metrics],
        "dimensions": [dimension.name for dimension in asked.dimensions],
        "segments": asked.segments,
        "live": asked.include_live,
        "report_of": asked.data_type,
        "order": asked.order,
        "limit": asked.limit or 0,
        "limit_per": asked.limit_per,
        "names": asked.names,
        "compare": compare,
        "convert_to": asked.convert_to or "",
        "rates_source": asked.rates_source or "",
        "rates_through": asked.rates_through or "",
    }
    return _report(app, asked.format, (asked.as_known_at, asked.changed_since), wanted)


@reports.route("GET", "/api/v1/reports", "Get a report", **_ROUTE)
def get_report(app: Here, asked: Annotated[AskedReport, Query()]) -> Answer:
    """What `POST` makes, for spreadsheets, scripts and links: `format=csv` is a table with a header line, whose texts
    no spreadsheet takes for formulas. How fresh it is stands in the headers `Adweir-As-Of`, `Adweir-Complete-Through`
    and `Adweir-Days-Missing`.
    """
    from adweir.reporting.queried import report_in_texts

    given = asked.model_dump(exclude_defaults=True)
    if asked.time_range and (asked.start_date or asked.end_date):
        message = "a range is time_range, or start_date and end_date"
        raise Unprocessable(message, [{"field": "query.time_range", "message": message}])
    return _report(app, asked.format or "json", (asked.as_known_at or None, None), report_in_texts(given))


def _given_range(given: Any) -> tuple[str, tuple[str, str]]:
    """The words of a range, or its dates."""
    return (given, ("", "")) if isinstance(given, str) else ("", (given.start_date, given.end_date))


def _report(app: App, format_name: str, past: tuple[str | None, str | None], asked: dict[str, Any]) -> Answer:
    """Make a report: in the answer, as a file, or as an export. `past`: the moments that it names."""
    from adweir.reporting.delivery import EXPORTED, deliver
    from adweir.reporting.exported import ExportedReport
    from adweir.reporting.formats import check_format
    from adweir.reporting.moments import parse_moments
    from adweir.reporting.reports import report

    check_format(format_name)
    now = app.clock.now()
    moments = parse_moments(*past, now)
    wanted = ExportedReport(
        format=format_name,
        asked_at=iso(now),
        as_known_at=iso(moments.as_known_at) if moments.as_known_at else None,
        changed_since=iso(moments.changed_since) if moments.changed_since else None,
        **asked,
    )
    queries = app.queries.known_at(moments.as_known_at) if moments.as_known_at else app.queries
    try:
        made = report(queries.within(bounds(app)), wanted.request(moments))
    except TooLarge:
        if format_name not in EXPORTED:
            raise
        return export(app, wanted, moments)
    delivered = deliver(made, format_name, app.raw, f"exports/{now:%Y/%m/%d}/{app.new_id()}.{format_name}")
    return sent(delivered, None if format_name == "json" else made.freshness)
