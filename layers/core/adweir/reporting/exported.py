"""What an export is of: a report, or records of `retrieve`. As it is stored until it is made, and how it is made.

Both are read piece by piece of their range, and their rows follow one another in one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from adweir.model.times import iso
from adweir.reporting.arranged import Arrangement
from adweir.reporting.comparing import parse_comparison
from adweir.reporting.converting import parse_conversion
from adweir.reporting.dimensions import Key
from adweir.reporting.formats import CSV, csv_rows, to_json
from adweir.reporting.moments import Moments, parse_moments
from adweir.reporting.query import Answer, Bounds, Queries
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan, parse_range, parse_words
from adweir.reporting.records import RecordPlan, RecordRequest, StoredRecords
from adweir.reporting.reports import MetricReport, ReportPlan, ReportRequest, about, plan, zones
from adweir.reporting.totals import RowSum


class ExportedReport(msgspec.Struct, frozen=True):
    """A report as it is stored until it is made: what was asked for, and when."""

    format: str
    name: str
    start: str
    end: str
    metrics: list[str]
    dimensions: list[str]
    segments: list[dict[str, Any]]
    live: bool
    asked_at: str
    as_known_at: str | None = None
    changed_since: str | None = None
    report_of: str = ""
    words: str = ""
    order: list[str] = []
    limit: int = 0
    limit_per: list[str] = []
    names: bool = False
    compare: str | dict[str, str] | None = None
    convert_to: str = ""
    rates_source: str = ""
    rates_through: str = ""

    @property
    def is_relative(self) -> bool:
        """Whether its days depend on when it is asked for."""
        return bool(self.words)

    def request(self, moments: Moments) -> ReportRequest:
        """What the report is to hold. Raises Unprocessable."""
        now = moments.now
        span = parse_words(self.words, now) if self.words else parse_range(self.start, self.end, now.date())
        return ReportRequest(
            self.name,
            span,
            self.metrics,
            self.dimensions,
            self.segments,
            live=self.live,
            moments=moments,
            data_type=self.report_of,
            arranged=Arrangement(tuple(self.order), self.limit, tuple(self.limit_per)),
            names=self.names,
            compare=parse_comparison(self.compare, span, now),
            convert=parse_conversion(self.convert_to, self.rates_source, self.rates_through),
        )

    def made_of(self, queries: Queries) -> ReportExport:
        """How it is made of these queries. Raises Unprocessable."""
        moments = parse_moments(self.as_known_at, self.changed_since, datetime.fromisoformat(self.asked_at))
        request = self.request(moments)
        past = queries.known_at(moments.now)
        return ReportExport(past, self.format, request, moments, plan(past, request))


class ExportedRecords(msgspec.Struct, frozen=True):
    """Records of `retrieve`, all of them, in the same way."""

    data_type: str
    filters: dict[str, Any]
    live: bool
    asked_at: str
    as_known_at: str | None = None
    changed_since: str | None = None
    format: str = "json"

    @property
    def is_relative(self) -> bool:
        """Whether its days depend on when it is asked for."""
        return isinstance(self.filters.get("date_range"), str)

    def made_of(self, queries: Queries) -> RecordsExport:
        """How they are made of these queries. Raises Unprocessable."""
        moments = parse_moments(self.as_known_at, self.changed_since, datetime.fromisoformat(self.asked_at))
        past = queries.known_at(moments.now)
        request = RecordRequest(self.data_type, self.filters, live=self.live, moments=moments)
        made = StoredRecords(past.catalog, past).plan(request, moments.now)
        return RecordsExport(past, self.data_type, moments, made)


Asked = ExportedReport | ExportedRecords


def stored(asked: Mapping[str, Any]) -> Asked:
    """What was stored of an export."""
    if "data_type" in asked:
        return msgspec.convert(dict(asked), ExportedRecords)
    return msgspec.convert(dict(asked), ExportedReport)


@dataclass(frozen=True, slots=True)
class FileHead:
    """What is known of a whole export when its rows are made."""

    rows: int
    sums: Mapping[Key, RowSum]
    coverage: list[dict[str, Any]]
    adjustments: list[dict[str, Any]]
    warnings: list[str]
    compared: Mapping[str, Any] = field(default_factory=dict)
    rates: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class ReportExport:
    """A report, of queries as of when it was asked for. Raises TooLarge, Unavailable."""

    queries: Queries
    format: str
    request: ReportRequest
    moments: Moments
    plan: ReportPlan

    @property
    def range(self) -> TimeSpan:
        return self.request.range

    @property
    def columns(self) -> tuple[str, ...]:
        return self.plan.columns

    @property
    def unit(self) -> str:
        """The smallest piece whose rows belong to no other, `day` or `month`; "" where there is none."""
        return "" if self.plan.is_whole else _unit(self.plan.query)

    def answer(self, piece: TimeSpan, bounds: Bounds) -> Answer:
        """The answer for a piece of the range."""
        return self.plan.answer(self.queries.within(bounds), piece)

    def rows(self, found: Answer) -> Iterable[dict[str, Any]]:
        """The rows of an answer."""
        return self.plan.rows(self.queries, found, lookup=False)

    def compared(self, found: Answer) -> dict[str, Any]:
        """What the head says of the range that this one is compared with."""
        return self.plan.compared(self.queries, found)

    def sums(self, found: Answer) -> Mapping[Key, RowSum]:
        """What an answer adds to the totals."""
        return self.plan.sums(found)

    def ends(self, head: FileHead) -> tuple[bytes, bytes]:
        """What the file has before its rows, and after them."""
        if self.format == CSV:
            return csv_rows(self.columns, [], head=True).encode(), b""
        said = (self.plan.totals(head.sums), head.coverage, head.adjustments, head.warnings)
        notes = about(self.queries, self.plan.query, self.moments)
        more = (zones(self.queries, self.plan.query), head.compared)
        converted = self.plan.converted(head.rates)
        report = MetricReport(self.request.name, self.range, self.columns, [], *said, notes, *more, **converted)
        return to_json(report.head | {"row_count": head.rows})[:-1] + b',"data":[', b"]}"


@dataclass(frozen=True, slots=True)
class RecordsExport:
    """Records as JSON: what `retrieve` would answer if one answer could have all. Raises TooLarge, Unavailable."""

    queries: Queries
    data_type: str
    moments: Moments
    plan: RecordPlan
    format: str = "json"
    columns: tuple[str, ...] = ()

    @property
    def range(self) -> TimeSpan:
        return self.plan.range

    @property
    def unit(self) -> str:
        """As that of a report."""
        return _unit(self.plan.query) if self.plan.query else ""

    def answer(self, piece: TimeSpan, bounds: Bounds) -> Answer:
        """The answer for a piece of the range."""
        return self.plan.answer(self.queries.within(bounds), piece)

    def rows(self, found: Answer) -> Iterator[dict[str, Any]]:
        """The records of an answer."""
        return self.plan.records(found)

    def compared(self, _found: Answer) -> dict[str, Any]:
        """Nothing: records are compared with none."""
        return {}

    def sums(self, _found: Answer) -> Mapping[Key, RowSum]:
        """Nothing: records have no totals."""
        return {}

    def ends(self, head: FileHead) -> tuple[bytes, bytes]:
        """What the file has before its records, and after them."""
        changes = self.plan.changed(self.queries)
        result = {
            "retrieved_at": iso(self.moments.answered_at),
            **self.moments.notes,
            "total": head.rows,
            "coverage": head.coverage,
            "warnings": head.warnings,
            **(changes.answer if changes else {}),
            "records_count": head.rows,
            "next_token": None,
            "status": "success",
        }
        said = to_json({"success": True, "data_type": self.data_type, "result": result})
        return said[:-2] + b',"records":[', b"]}}"


Export = ReportExport | RecordsExport


def _unit(query: Query) -> str:
    dimensions = set(query.dimensions)
    if dimensions & {"date", "hour"}:
        return "day"
    return "month" if "month" in dimensions and "week" not in dimensions else ""
