"""Reports: dimensions and segments by either name, the formats, and how a report is delivered."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.reporting.delivery import EXPORTED, deliver
from adweir.reporting.formats import FORMATS, as_csv, as_html, as_json, as_markdown, check_format
from adweir.reporting.query import Queries
from adweir.reporting.ranges import TimeSpan, parse_range
from adweir.reporting.reports import MetricReport, ReportRequest, report
from adweir.store.metrics.store import StoredRow
from adweir.store.raw.store import RawStore
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.listed import ListedCatalog, ListedMetrics

TODAY = date(2026, 11, 21)
SPAN = TimeSpan(date(2026, 11, 1), date(2026, 11, 30))
META, AMAZON = Platform("meta_ads"), Platform("amazon_ads")


PROFILES = [
    Profile(account_id=client, platform=each, profile_id=id_, name="n", currency=currency, timezone="Europe/Berlin")
    for client, each, id_, currency in (("acc_a", META, "1", "EUR"), ("acc_b", AMAZON, "2", "USD"))
]


def rows(series: Series, _: Sequence[Source]) -> Iterator[StoredRow]:
    """Each profile has one campaign with a row per hour of 2 November, and the day's row of the same sums."""
    if series.level is not Level.CAMPAIGN:
        return
    for hour in range(24) if series.grain is Grain.HOUR else (-1,):
        count = 24 if hour < 0 else 1
        slot = (count * 10, count, 0, count * 1_500_000, 0)
        yield StoredRow(f"c{series.profile_id}", "", "", "", "", "2026-11-02", hour, slot, Source.PULL, None)


def made(metrics: list[str], dimensions: list[str], *segments: Any, span: TimeSpan = SPAN) -> MetricReport:
    catalog, stored = ListedCatalog(PROFILES), ListedMetrics(rows)
    queries = Queries(catalog, stored, REGISTRY, FrozenClock())
    return report(queries, ReportRequest("r", span, metrics, dimensions, segments))


def test_a_dimension_has_a_short_name_and_its_column_the_name_that_was_asked_for() -> None:
    found = made(["clicks"], ["account", "client", "campaign"])
    assert found.columns == ("account", "client", "campaign", "clicks")
    assert found.rows == [
        {"account": "1", "client": "acc_a", "campaign": "c1", "clicks": 24},
        {"account": "2", "client": "acc_b", "campaign": "c2", "clicks": 24},
    ]
    assert made(["clicks"], ["account_id", "client_account_id"]).rows[0] == {
        "account_id": "1",
        "client_account_id": "acc_a",
        "clicks": 24,
    }


@pytest.mark.parametrize(
    "segment",
    [
        {"name": "account", "values": ["1"]},
        {"name": "account", "value": "acc_a"},
        {"name": "account_id", "values": ["acc_a", "3"]},
        {"name": "client", "value": "acc_a"},
        {"field": "platform", "value": "facebook"},
        {"name": "campaign", "values": ["c1", "c9"]},
    ],
)
def test_a_segment_takes_either_name_and_either_kind_of_id(segment: dict[str, Any]) -> None:
    assert made(["clicks"], ["account"], segment).rows == [{"account": "1", "clicks": 24}]


def test_segments_all_have_to_match() -> None:
    first = {"name": "account", "values": ["1", "2"]}
    assert [
        row["account"] for row in made(["clicks"], ["account"], first, {"name": "client", "value": "acc_b"}).rows
    ] == ["2"]
    assert [row["account"] for row in made(["clicks"], ["account"], first, {"name": "account", "value": "2"}).rows] == [
        "2"
    ]


@pytest.mark.parametrize(("client", "left"), [("acc_a", ["1"]), ("acc_b", [])])
def test_segments_by_a_client_s_id_and_by_its_ad_account_s_match_together(client: str, left: list[str]) -> None:
    by_client, by_ad_account = {"name": "account", "value": client}, {"name": "account_id", "values": ["1", "3"]}
    for segments in ((by_client, by_ad_account), (by_ad_account, by_client), (by_client, by_ad_account, by_client)):
        assert [row["account"] for row in made(["clicks"], ["account"], *segments).rows] == left


@pytest.mark.parametrize(
    "segment", [{}, {"name": "account"}, {"name": "mood", "value": "x"}, {"name": 1, "value": "x"}]
)
def test_a_wrong_segment_is_refused_with_its_place(segment: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable) as caught:
        made(["clicks"], [], {"name": "account", "value": "1"}, segment)
    assert caught.value.details[0]["field"].startswith("segments[1]")


def test_hours_outside_of_the_range_do_not_count_and_days_are_never_cut() -> None:
    span = parse_range("2026-11-02T09:30:00+01:00", "2026-11-02T12:00:00+01:00", TODAY)
    assert [row["hour"] for row in made(["clicks"], ["hour"], span=span).rows] == [9, 10, 11, 12]
    assert made(["clicks"], ["date"], span=span).rows == [{"date": "2026-11-02", "clicks": 48}]


@at_the_bound("MAX_QUERY_GROUPS", as_if=24)
def test_an_answer_has_at_most_so_many_groups(size: int, fits: bool) -> None:
    last = {"name": "account", "values": ["1"] if fits else ["1", "2"]}
    with refuses(TooLarge, fits=fits):
        assert len(made(["clicks"], ["account", "hour"], last).rows) == size


def test_money_is_per_currency_and_totals_add_up() -> None:
    found = made(["cost", "clicks"], ["platform"])
    assert found.columns == ("platform", "currency", "cost", "clicks")
    assert [row["currency"] for row in found.rows] == ["USD", "EUR"]
    assert found.totals == [
        {"currency": "EUR", "cost": Decimal(36), "clicks": 24},
        {"currency": "USD", "cost": Decimal(36), "clicks": 24},
    ]
    assert made(["clicks"], ["platform"]).totals == [{"clicks": 48}]


ODD = MetricReport(
    "Q4 <b>|</b>\n# plan",
    SPAN,
    ("campaign", "spend", "ctr"),
    [
        {"campaign": "=HYPERLINK(1)", "spend": Decimal("1234567.891200"), "ctr": None},
        {"campaign": 'a|b\\c\n<script>,"x"', "spend": Decimal("0.000001"), "ctr": Decimal("0.5")},
    ],
    [{"spend": Decimal("1234567.891201"), "ctr": None}],
)


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "td":
            self.cells[-1] += data.strip("\n")


def test_json_has_the_rows_in_data_and_exact_numbers() -> None:
    text = as_json(ODD)
    answer = json.loads(text, parse_float=Decimal)
    assert answer["time_range"] == {"start_date": "2026-11-01", "end_date": "2026-11-30"}
    assert (answer["row_count"], answer["columns"]) == (2, ["campaign", "spend", "ctr"])
    assert answer["data"] == ODD.rows
    assert "1234567.891200" in text


def test_a_datetime_s_range_is_shown_as_it_was_asked_for() -> None:
    span = parse_range("2026-11-01T09:30:00+01:00", "2026-11-02", TODAY)
    assert MetricReport("r", span, (), [], []).head["time_range"] == {
        "start_date": "2026-11-01T09:30:00+01:00",
        "end_date": "2026-11-02",
    }


def test_csv_is_exact_and_no_spreadsheet_runs_it() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(ODD), newline="")))
    assert rows == [
        ["campaign", "spend", "ctr"],
        ["'=HYPERLINK(1)", "1234567.891200", ""],
        ['a|b\\c\n<script>,"x"', "0.000001", "0.5"],
    ]


def test_html_is_a_page_in_which_names_are_text() -> None:
    page = as_html(ODD)
    cells = Cells()
    cells.feed(page)
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>Q4 &lt;b&gt;" in page
    assert not {"script", "b"} & set(cells.tags)
    assert cells.cells[:3] == ["=HYPERLINK(1)", "1234567.891200", ""]
    assert cells.cells[-3:] == ["", "1234567.891201", ""]


def test_markdown_keeps_every_row_on_one_line_and_every_cell_in_its_column() -> None:
    lines = as_markdown(ODD).splitlines()
    assert lines[0] == "# Q4 &lt;b&gt;\\|&lt;/b&gt; # plan"
    assert lines[4:] == [
        "| campaign | spend | ctr |",
        "| --- | ---: | ---: |",
        "| =HYPERLINK(1) | 1234567.891200 |  |",
        '| a\\|b\\\\c &lt;script&gt;,"x" | 0.000001 | 0.5 |',
        "|  | **1234567.891201** |  |",
    ]


def test_an_unknown_format_is_refused_with_the_known() -> None:
    with pytest.raises(Unprocessable, match="json, csv, html, markdown"):
        check_format("pdf")


class Exports(RawStore):
    def __init__(self) -> None:
        self.stored: dict[str, tuple[Any, str]] = {}

    def put(self, key: str, body: Any, metadata: Any = None, content_type: str = "", tags: Any = None) -> str:
        self.stored[key] = (body, content_type)
        return ""

    def presign(self, key: str, seconds: int = 900) -> str:
        return f"https://bucket.test/{key}?{seconds}"


def of_size(rows: int) -> MetricReport:
    return MetricReport("r", SPAN, ("c",), [{"c": "x"} for _ in range(rows)], [])


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_report_that_fits_is_in_the_answer(name: str) -> None:
    exports = Exports()
    sent = deliver(ODD, name, exports, "exports/1")
    assert (sent.content_type, sent.location, exports.stored) == (FORMATS[name][0], "", {})
    assert sent.text == FORMATS[name][1](ODD)


# A CSV's line ends take four bytes in a JSON string, and the answer's quotes two: 2 + 5 for the header + 5 per row.
@at_the_bound("MAX_INLINE_REPORT_BYTES", as_if=52)
def test_a_csv_is_a_csv_on_both_sides_of_the_limit(size: int, fits: bool) -> None:
    exports, report = Exports(), of_size(9)
    report.rows[0]["c"] += "x" * (size - 52)

    sent = deliver(report, "csv", exports, "exports/1")

    assert sent.content_type.startswith("text/csv")
    if fits:
        assert (sent.text, sent.location, exports.stored) == ("c\r\n" + "x\r\n" * 9, "", {})
    else:
        assert (sent.text, sent.location) == ("", "https://bucket.test/exports/1?900")
        assert exports.stored == {"exports/1": (b"c\r\nxx\r\n" + b"x\r\n" * 8, sent.content_type)}


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in EXPORTED])
def test_another_format_that_does_not_fit_is_refused_with_what_to_do(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_INLINE_REPORT_BYTES", 100)
    exports = Exports()
    with pytest.raises(TooLarge, match=r"9 rows .* shorter time_range, or for the format json or csv"):
        deliver(of_size(9), name, exports, "exports/1")
    assert exports.stored == {}
