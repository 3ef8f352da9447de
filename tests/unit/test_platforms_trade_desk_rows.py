"""The Trade Desk's CSV → rows: formats, columns and what is added up, on files that are written here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput, TooLarge
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.slices import ALL
from adweir.model.times import Window
from adweir.platforms.connector import PageInHand, PullContext
from adweir.platforms.csv_pieces import MAX_RECORD_BYTES, CsvPiece, pieces
from adweir.platforms.trade_desk.columns import COST
from adweir.platforms.trade_desk.normalize import NORMALIZER
from adweir.platforms.trade_desk.options import TradeDeskOptions
from adweir.platforms.trade_desk.written import NumberTexts, day_reader
from support.bounds import at_the_bound, refuses

KEYS = ["Date", "Advertiser ID", "Campaign ID", "Ad Group ID", "Creative ID"]
PLAIN = [*KEYS, "Impressions", "Clicks", COST]
ROW = ["2026-11-01", "abc1234", "c1", "g1", "k1", "1200", "34", "45.67"]
WINDOW = Window(date(2026, 11, 1), date(2026, 11, 7))


def file_of(header: list[str], *rows: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def read(
    body: bytes, dataset: Dataset = Dataset.AD_DAILY, label: str = "Sortable US", **options: Any
) -> tuple[list[MetricRow], list[BadRow]]:
    chosen = TradeDeskOptions.model_validate(options)
    context = PullContext("a", "abc1234", dataset, ALL, WINDOW, "now", "USD", "UTC", options=chosen)
    rows: list[MetricRow] = []
    bad: list[BadRow] = []
    for batch in NORMALIZER.metric_batches(PageInHand(1, label, "csv", io.BytesIO(body)), context):
        rows += batch.rows
        bad += batch.bad
    return rows, bad


def one(body: bytes, **how: Any) -> MetricRow:
    (row,), bad = read(body, **how)
    assert not bad
    return row


# -- columns ----------------------------------------------------------------------------------------------------------


def test_columns_are_found_by_name_in_any_order_among_others() -> None:
    header = ["Creative", *reversed(PLAIN), "Advertiser Currency Code", "Bids"]
    row = one(file_of(header, ["Banner", *reversed(ROW), "EUR", "9"]))
    assert (row.entity_id, row.campaign_id, row.ad_group_id, row.day) == ("g1~k1", "c1", "g1", "2026-11-01")
    assert (row.slot, row.currency) == ((1200, 34, None, 45_670_000, None), "EUR")


@pytest.mark.parametrize(
    "missing", ["Date", "Campaign ID", "Ad Group ID", "Creative ID", "Impressions", "Clicks", COST]
)
def test_a_missing_column_is_an_error_that_names_it(missing: str) -> None:
    place = PLAIN.index(missing)
    other = "Advertiser Cost (USD)" if missing == COST else "Something else"
    with pytest.raises(BadInput, match="is missing"):
        read(file_of([*PLAIN[:place], other, *PLAIN[place + 1 :]], ROW))


def test_a_column_that_is_given_twice_is_an_error() -> None:
    with pytest.raises(BadInput, match="Clicks is given twice"):
        read(file_of([*PLAIN, "Clicks"], [*ROW, "1"]))


@pytest.mark.parametrize(
    ("options", "conversions", "revenue"),
    [
        ({}, 3, 30),
        ({"basis": "click"}, 2, 20),
        ({"basis": "view"}, 1, 10),
        ({"conversions": ["01", "02"]}, 10, 100),
        ({"conversions": ["02"]}, 7, 70),
    ],
)
def test_conversions_are_the_chosen_parts_and_never_the_totals(
    options: dict[str, Any], conversions: int, revenue: int
) -> None:
    kinds = {
        "Click Conversion": ("2", "5"),
        "Click Conversion Revenue": ("20", "50"),
        "View Through Conversion": ("1", "2"),
        "View Through Conversion Revenue": ("10", "20"),
        "Total Click + View Conversions": ("900", "900"),
        "Conversion Touch": ("900", "900"),
        "Conversion Touch Revenue": ("900", "900"),
        "Time Weighted Decay Conversion": ("1.5", "900"),
    }
    header = [*PLAIN, *(f"{number} - {kind}" for number in ("01", "02") for kind in kinds)]
    values = [cells[place] for place in (0, 1) for cells in kinds.values()]
    row = one(file_of(header, [*ROW, *values]), **options)
    assert (row.conversions, row.revenue) == (conversions * 1_000_000, revenue * 1_000_000)


@pytest.mark.parametrize(
    "name", ["Buy - t4g1 - IdentityAlliance", "Buy [IdentityAlliance]", "Buy - now - t4g1 - Adbrain"]
)
def test_a_pixel_s_columns_are_chosen_by_its_tag(name: str) -> None:
    header = [*PLAIN, f"{name} - Click Conversion", f"{name} - View Through Conversion"]
    tag = "t4g1" if "t4g1" in name else "Buy"
    row = one(file_of(header, [*ROW, "2", "1"]), conversions=[tag])
    assert (row.conversions, row.revenue) == (3_000_000, None)
    assert one(file_of(header, [*ROW, "2", "1"]), conversions=["other"]).conversions is None


def test_a_pixel_under_two_models_needs_a_choice() -> None:
    header = [*PLAIN, "Buy - t1 - IdentityAlliance - Click Conversion", "Buy - t1 - Household - Click Conversion"]
    body = file_of(header, [*ROW, "2", "5"])
    with pytest.raises(BadInput, match="choose one: Household, IdentityAlliance"):
        read(body, conversions=["Buy"])
    assert one(body, conversions=["Buy"], cross_device="Household").conversions == 5_000_000


def test_conversions_that_a_file_does_not_have_are_unknown() -> None:
    assert one(file_of(PLAIN, ROW)).slot == (1200, 34, None, 45_670_000, None)


# -- levels and sums --------------------------------------------------------------------------------------------------


def test_extra_dimensions_are_added_up_to_the_day_of_the_ad() -> None:
    header = [*PLAIN, "Deal ID", "Frequency", "01 - Click Conversion"]
    rows, bad = read(
        file_of(header, [*ROW, "d1", "1.5", "1"], [*ROW, "d2", "2.5", "2"], ["2026-11-02", *ROW[1:], "d1", "1", "4"])
    )
    assert not bad
    found = {row.day: row.slot for row in rows}
    assert found == {
        "2026-11-01": (2400, 68, 3_000_000, 91_340_000, None),
        "2026-11-02": (1200, 34, 4_000_000, 45_670_000, None),
    }


@pytest.mark.parametrize(
    ("dataset", "entities"), [(Dataset.AD_GROUP_DAILY, {"g1", "g2"}), (Dataset.CAMPAIGN_DAILY, {"c1"})]
)
def test_a_coarser_level_is_the_sum_of_the_same_file(dataset: Dataset, entities: set[str]) -> None:
    other = [*ROW[:3], "g2", "k1", *ROW[5:]]
    rows, _ = read(file_of(PLAIN, ROW, other, [*ROW[:4], "k2", *ROW[5:]]), dataset)
    assert {row.entity_id for row in rows} == entities
    assert sum(row.spend or 0 for row in rows) == 3 * 45_670_000


def test_a_breakdown_has_its_value_behind_the_ad() -> None:
    header = [*PLAIN, "Country"]
    rows, _ = read(file_of(header, [*ROW, "Österreich"], [*ROW, ""]), Dataset.AD_BY_COUNTRY_DAILY)
    assert {row.entity_id for row in rows} == {"g1~k1~Österreich", "g1~k1~unknown"}
    with pytest.raises(BadInput, match="Country is missing"):
        read(file_of(PLAIN, ROW), Dataset.AD_BY_COUNTRY_DAILY)


@pytest.mark.parametrize(
    ("columns", "cells", "value"),
    [
        (["Region"], ["Bayern"], "Bayern"),
        (["Metro"], ["Dallas TX"], "Dallas TX"),
        (["Metro", "Region"], ["D", "TX"], "TX"),
    ],
)
def test_a_campaign_is_split_by_region_or_where_a_report_has_none_by_market(
    columns: list[str], cells: list[str], value: str
) -> None:
    header, own = [*PLAIN, *columns], [*ROW, *cells]
    row = one(file_of(header, own, [*own[:4], "k2", *own[5:]]), dataset=Dataset.CAMPAIGN_BY_REGION_DAILY)
    assert (row.entity_id, row.campaign_id, row.ad_group_id, row.spend) == (f"c1~{value}", "c1", "", 2 * 45_670_000)
    with pytest.raises(BadInput, match="Region is missing"):
        read(file_of(PLAIN, ROW), Dataset.CAMPAIGN_BY_REGION_DAILY)


@pytest.mark.parametrize("column", ["Region", "Metro"])
def test_places_of_one_name_are_added_up(column: str) -> None:
    """A report names places and has no ids of them: there is a Limburg in two countries, a Portland in two states."""
    rows = file_of([*PLAIN, column], [*ROW, "Limburg"], [*ROW[:5], "5", "1", "0.33", "Limburg"])
    row = one(rows, dataset=Dataset.AD_BY_REGION_DAILY)
    assert (row.entity_id, row.impressions, row.spend) == ("g1~k1~Limburg", 1205, 46_000_000)


def test_other_advertisers_of_the_partner_are_left_out() -> None:
    rows, bad = read(file_of(PLAIN, [ROW[0], "other77", *ROW[2:5], "x", "", "y"], ROW))
    assert ([row.line for row in rows], bad) == ([3], [])


def test_a_sum_that_lacks_a_part_is_none() -> None:
    bad_part = [*ROW[:5], "x", *ROW[6:], "d1"]
    rows, bad = read(file_of([*PLAIN, "Deal ID"], [*ROW, "d2"], bad_part, ["2026-11-02", *ROW[1:], "d1"]))
    assert [row.day for row in rows] == ["2026-11-02"]
    assert [each.day for each in bad] == ["2026-11-01"]


@at_the_bound("MAX_SUMMED_ROWS", as_if=2)
def test_as_many_days_of_ads_are_added_up_as_memory_holds(size: int, *, fits: bool) -> None:
    days = [[f"2026-11-0{day}", *ROW[1:], "d"] for day in range(1, size + 1)]
    with refuses(TooLarge, fits=fits):
        assert len(read(file_of([*PLAIN, "Deal ID"], *days))[0]) == size


# -- formats ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "day", "cells"),
    [
        ("Sortable US", "2026-11-01", ["1,200", "34", "1,045.67"]),
        ("Sortable US", "2026-11-01T00:00:00", ["1200", "34", "1045.67"]),
        ("US US", "11/01/2026", ["1,200", "34", "1045.67"]),
        ("US US", "11/1/2026 12:00:00 AM", ["1,200", "34", "1045.670"]),
        ("International International", "01/11/2026", ["1.200", "34", "1.045,67"]),
        ("International International", "1/11/2026", ["1 200", "34", "1045,67"]),
        ("international international", "1/11/2026", ["1\u00a0200", "34", "1\u202f045,67"]),
    ],
)
def test_numbers_and_dates_are_read_as_they_are_declared(label: str, day: str, cells: list[str]) -> None:
    row = one(file_of(PLAIN, [day, *ROW[1:5], *cells]), label=label)
    assert (row.day, row.slot) == ("2026-11-01", (1200, 34, None, 1_045_670_000, None))


@pytest.mark.parametrize(
    ("label", "cells", "field"),
    [
        ("Sortable US", ["1200", "34", "1.045,67"], "spend"),
        ("Sortable US", ["1,2,00", "34", "1"], "impressions"),
        ("Sortable International", ["1200", "34", "45.67"], "spend"),
        ("Sortable US", ["many", "34", "1"], "impressions"),
        ("Sortable US", ["1200", "3.4", "1"], "clicks"),
        ("Sortable US", ["1200", "34", "nan"], "spend"),
    ],
)
def test_a_number_of_another_format_is_a_bad_row_with_its_key(label: str, cells: list[str], field: str) -> None:
    rows, (bad,) = (
        read(file_of(PLAIN, ROW, [*ROW[:5], *cells]), label="Sortable US")
        if label == "Sortable US"
        else read(file_of(PLAIN, [*ROW[:7], "45,67"], [*ROW[:5], *cells]), label=label)
    )
    assert len(rows) == 1
    assert (bad.line, bad.entity_id, bad.day, bad.errors[0]["field"]) == (3, "g1~k1", "2026-11-01", field)


def test_a_date_of_another_format_is_a_bad_row_without_a_key() -> None:
    rows, (bad,) = read(file_of(PLAIN, ROW, ["01/11/2026", *ROW[1:]]))
    assert (len(rows), bad.line, bad.entity_id, bad.errors[0]["field"]) == (1, 3, "", "date")


@pytest.mark.parametrize("label", ["Local US", "Sortable Local"])
def test_a_format_that_nobody_knows_is_refused(label: str) -> None:
    with pytest.raises(BadInput, match="'Local'"):
        read(file_of(PLAIN, ROW), label=label)


def test_a_cell_too_many_costs_its_row_alone() -> None:
    rows, (bad,) = read(file_of(PLAIN, ROW, [*ROW, "?"], ["2026-11-02", *ROW[1:]]))
    assert [row.line for row in rows] == [2, 4]
    assert (bad.line, bad.errors[0]["rule"]) == (3, "fields")


def test_more_than_six_decimals_are_rounded_and_said_so() -> None:
    row = one(file_of(PLAIN, [*ROW[:7], "0.12345675"]))
    assert row.spend == 123_457
    assert row.rounding is not None
    summed, _ = read(file_of([*PLAIN, "Deal ID"], [*ROW[:7], "0.12345675", "a"], [*ROW[:7], "0.12345675", "b"]))
    assert summed[0].rounding is not None
    assert summed[0].rounding[3] == 2 * row.rounding[3]


@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf", file_of(PLAIN), b"\xef\xbb\xbf" + file_of(PLAIN)])
def test_an_empty_file_and_a_header_alone_have_no_rows(body: bytes) -> None:
    assert read(body) == ([], [])


# -- CSV --------------------------------------------------------------------------------------------------------------

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)
TABLES = st.lists(st.lists(CELLS, min_size=2, max_size=4).filter(any), max_size=20)


def split_at(data: bytes, size: int) -> Iterator[list[str]]:
    for piece in pieces(io.BytesIO(data), size):
        yield from piece.rows


@given(TABLES, st.integers(1, 64), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_table_is_read_as_it_was_written_wherever_it_is_cut(
    table: list[list[str]], size: int, line_end: str, bom: bool
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(table)
    data = (b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode()
    if not bom and data.startswith(b"\xef\xbb\xbf"):
        return
    assert list(split_at(data, size)) == table


LINES = st.lists(st.lists(st.text('a1,"\r\n ', max_size=3), min_size=1, max_size=4), max_size=6)


@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 4))
def test_columns_that_are_split_at_once_are_those_of_the_records(
    lines: list[list[str]], line_end: str, ended: bool, width: int
) -> None:
    text = line_end.join(map(",".join, lines)) + (line_end if ended else "")
    piece = CsvPiece(1, text)
    columns = piece.columns(width, range(width))
    if columns is None:
        return
    assert {place: [row[place] for row in piece.rows] for place in range(width)} == columns
    assert {len(row) for row in piece.rows} <= {width}
    assert piece.count == len(piece.rows)


def test_records_of_one_width_without_quotes_need_no_parser() -> None:
    assert CsvPiece(1, "a,b\r\n1,2\r\n3,\r\n").columns(2, (1,)) == {1: ["b", "2", ""]}
    assert CsvPiece(1, "a,b\n1\n2,3,4\n").columns(2, (0,)) is None


@given(st.binary(max_size=200), st.integers(1, 64))
def test_any_bytes_are_read_or_refused(data: bytes, size: int) -> None:
    with suppress(BadInput):  # and nothing else is raised
        assert all(len(row) > 0 for row in split_at(data, size))


def test_a_quote_without_an_end_is_refused_before_it_fills_memory() -> None:
    with pytest.raises(BadInput, match="has more than"):
        list(split_at(b'"' + b"%01000d\n" % 0 * (MAX_RECORD_BYTES // 500), 1 << 18))


@given(st.decimals(0, 10**9, places=4), st.sampled_from(["US", "International"]))
def test_a_grouped_number_is_the_plain_one(amount: Any, declared: str) -> None:
    grouped = f"{amount:,.4f}"
    if declared == "International":
        grouped = grouped.translate(str.maketrans(",.", ".,"))
    assert NumberTexts(declared).one(grouped) == f"{amount:.4f}"


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_date_is_the_same_in_every_format(day: date) -> None:
    texts = {"Sortable": day.isoformat(), "US": f"{day:%m/%d/%Y}", "International": f"{day:%d/%m/%Y}"}
    assert {day_reader(declared)(text) for declared, text in texts.items()} == {day.isoformat()}
