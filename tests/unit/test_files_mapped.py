"""Mappings bound to a header: columns by name, numbers and dates of one language per file, rows that are no data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.mappings import Mapping, parse_mapping
from adweir.model.metrics import BadRow
from adweir.platforms.files import builtin
from adweir.platforms.files.in_order import mapped
from adweir.platforms.files.lines import Record
from adweir.platforms.files.mapped import BoundMapping
from support.bounds import at_the_bound, refuses


def mapping(**changes: Any) -> Mapping:
    columns = [
        {"field": "campaign_name", "names": ["Campaign", "Kampagne"]},
        {"field": "date", "names": ["Day", "Tag"]},
        {"field": "impressions", "names": ["Impr.", "Impressionen"]},
        {"field": "clicks", "names": ["Clicks", "Klicks"]},
        {"field": "spend", "names": ["Cost", "Kosten", "Spent ({currency})"], "required": True},
    ]
    said = {"source": "tool", "data_type": "campaign_performance", "columns": columns}
    return parse_mapping(said | {"constants": {"platform": "google_ads"}} | changes)


def read(said: Mapping, header: str, *lines: str, personal: bool = False) -> list[Record | BadRow]:
    names = header.split("|")
    bound = BoundMapping(said, names)
    rows = (
        Record(number, line, dict(zip(names, line.split("|"), strict=True)))
        for number, line in enumerate(lines, start=2)
    )
    return list(mapped(rows, bound, personal=personal))


def cells(found: Sequence[Record | BadRow], *fields: str) -> list[tuple[str, ...]]:
    return [tuple(each.cell.get(name, "") for name in fields) for each in found if isinstance(each, Record)]


def faults(found: Sequence[Record | BadRow]) -> list[tuple[int, str]]:
    return [(each.line, each.errors[0]["message"]) for each in found if isinstance(each, BadRow)]


def test_a_german_and_an_english_export_give_the_same_rows() -> None:
    english = read(mapping(), "Campaign|Day|Impr.|Clicks|Cost", "Spring|2026-01-15|1,234|5|1050.5")
    german = read(mapping(), " kampagne |Tag|Impressionen|Klicks|Kosten", "Spring|15.01.2026|1.234|5|1.050,50")

    assert cells(english, "date", "impressions", "clicks", "spend") == [("2026-01-15", "1234", "5", "1050.5")]
    assert [each.cell for each in english if isinstance(each, Record)] == [
        each.cell for each in german if isinstance(each, Record)
    ]


def test_a_row_has_the_constants() -> None:
    (row,) = read(mapping(), "Campaign|Day|Impr.|Clicks|Cost", "Spring|2026-01-15|1|0|0")

    assert isinstance(row, Record)
    assert (row.cell["platform"], row.cell["campaign_name"]) == ("google_ads", "Spring")


def test_a_file_without_days_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match=r"no column of days \(Day or Tag\).*Export it by day"):
        read(mapping(), "Campaign|Impr.|Clicks|Cost", "Spring|1|0|0")


def test_a_file_without_a_required_column_is_refused_with_its_names() -> None:
    with pytest.raises(BadInput, match=r"no column for spend \(Cost or Kosten or Spent"):
        read(mapping(), "Campaign|Day|Impr.|Clicks", "Spring|2026-01-15|1|0")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("shopfy", "no mapping of the source shopfy.*did you mean shopify"),
        ("zzzzzz", "no mapping of the source zzzzzz, so adweir's own columns are expected$"),
        ("shopify", r"\(date or day\)$"),
    ],
)
def test_a_file_of_a_source_without_a_mapping_is_refused_with_the_nearest_one(source: str, says: str) -> None:
    own = builtin.find("adweir", "orders")
    assert own is not None
    with pytest.raises(BadInput, match=says):
        read(own.model_copy(update={"source": source}), "Name|Created at|Total", "#1|2026-11-18|50.00")


def test_a_column_that_comes_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="two columns are called 'Cost'"):
        read(mapping(), "Campaign|Day|Cost|cost", "Spring|2026-01-15|1|0")


@pytest.mark.parametrize(
    ("header", "line", "says"),
    [
        ("Campaign|Day|Spent ($)|cur", "Spring|2026-01-15|1.5|EUR", "currency is EUR, but the column's name says $"),
        ("Campaign|Day|Cost|cur", "Spring|2026-01-15|kr. 1.5|EUR", "currency is EUR, but the cell of spend says kr"),
        ("Campaign|Day|Spent ($)|cur", "Spring|2026-01-15|kr 1.5|", "currency is $, but the cell of spend says kr"),
        ("Campaign|Day|Spent ($)|cur", "Spring|2026-01-15|1.5 €|", "currency is EUR, but the column's name says $"),
        ("Campaign|Day|Spent ($)|cur", "Spring|2026-01-15|$1.5|cad", ""),
        ("Campaign|Day|Spent ($)|cur", "Spring|2026-01-15|US$1.5|", ""),
        ("Campaign|Day|Cost|cur", "Spring|2026-01-15|¥1.5|CNY", ""),
    ],
)
def test_a_sign_of_several_currencies_fits_each_of_them_and_no_other(header: str, line: str, says: str) -> None:
    columns = [each.model_dump() for each in mapping().columns] + [{"field": "currency", "names": ["cur"]}]

    found = read(mapping(columns=columns, decimal="."), header, line)

    assert [message.partition(":")[0] for _, message in faults(found)] == ([says] if says else [])


def test_columns_of_signs_that_no_currency_shares_are_refused() -> None:
    columns = [each.model_dump() for each in mapping().columns]
    more = [*columns, {"field": "revenue", "names": ["Won ({currency})"]}]
    with pytest.raises(BadInput, match="several currencies"):
        read(mapping(columns=more), "Campaign|Day|Spent ($)|Won (€)", "Spring|2026-01-15|1|2")


def test_the_currency_stands_in_the_header() -> None:
    found = read(mapping(), "Campaign|Day|Spent (EUR)", "Spring|2026-01-15|1.5")
    sign = read(mapping(), "Campaign|Day|Spent (€)", "Spring|2026-01-15|1.5")
    several = read(mapping(), "Campaign|Day|Spent ($)", "Spring|2026-01-15|1.5")

    assert cells([*found, *sign, *several], "currency") == [("EUR",), ("EUR",), ("",)]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("12,60 €", "12.6"),
        ("€12.60", "12.6"),
        ("12.5", "12.5"),
        ("(1,234.50)", "-1234.5"),
        ("-$1,234.50", "-1234.5"),
        ("1 234,56", "1234.56"),
        ("1'234.56", "1234.56"),
        ("12,34,567.80", "1234567.8"),
        ("1.2e-05", "0.000012"),
        ("12.340000000000002", "12.34"),
        ("0,5", "0.5"),
        (".5", "0.5"),
        ("1234.567", "1234.567"),
        (" --", ""),
        ("<5", ""),
        ("< 10%", ""),
    ],
)
def test_an_amount_is_read_however_it_is_written(text: str, plain: str) -> None:
    found = read(mapping(), "Campaign|Day|Cost", f"Spring|2026-01-15|{text.strip()}")

    assert cells(found, "spend") == [(plain,)]


@pytest.mark.parametrize("text", ["1,2,3", "1.2.3,4", "12,345,6", "five", "1 23", "1_000", "٣", "=1+2"])
def test_what_is_no_number_is_quarantined(text: str) -> None:
    found = read(mapping(decimal="."), "Campaign|Day|Cost", f"Spring|2026-01-15|{text}")

    assert faults(found) == [(2, f"spend is not a number: {text!r}")]


def test_rows_wait_until_the_file_shows_its_decimal_mark() -> None:
    found = read(
        mapping(),
        "Campaign|Day|Cost",
        "Spring|2026-01-15|1,234",
        "Spring|2026-01-16|7",
        "Spring|2026-01-17|2,50",
        "Spring|2026-01-18|1,234",
    )

    assert cells(found, "date", "spend") == [
        ("2026-01-15", "1.234"),
        ("2026-01-16", "7"),
        ("2026-01-17", "2.5"),
        ("2026-01-18", "1.234"),
    ]


def test_a_file_that_never_shows_its_decimal_mark_is_refused() -> None:
    with pytest.raises(BadInput, match=r"'1,234' in line 2 can be read in two ways.*decimal"):
        read(mapping(), "Campaign|Day|Cost", "Spring|2026-01-15|1,234", "Spring|2026-01-16|9,876")


def test_the_mapping_says_the_decimal_mark() -> None:
    found = read(mapping(decimal="."), "Campaign|Day|Cost", "Spring|2026-01-15|1,234")

    assert cells(found, "spend") == [("1234",)]


def test_a_file_with_numbers_of_two_languages_is_refused() -> None:
    with pytest.raises(BadInput, match=r"two ways, '2,50' and '2\.50'"):
        read(mapping(), "Campaign|Day|Cost", "Spring|2026-01-15|2,50", "Spring|2026-01-16|2.50")


def test_a_column_of_whole_numbers_shows_which_mark_is_of_thousands() -> None:
    found = read(mapping(), "Campaign|Day|Impr.|Cost", "Spring|2026-01-15|1,234|1.234")

    assert cells(found, "impressions", "spend") == [("1234", "1.234")]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-15", "2026-01-15"),
        ("20260115", "2026-01-15"),
        ("15.01.2026", "2026-01-15"),
        ("15.1.26", "2026-01-15"),
        ("1/15/2026", "2026-01-15"),
        ("15/01/2026", "2026-01-15"),
        ("Jan 15, 2026", "2026-01-15"),
        ("15. Januar 2026", "2026-01-15"),
        ("Thu, 15 Jan 2026", "2026-01-15"),
        ("2026-01-15 23:30:00 +0000", "2026-01-15T23:30:00+00:00"),
        ("2026-01-15T23:30:00.000Z", "2026-01-15T23:30:00+00:00"),
        ("2026-01-15 23:30:00", "2026-01-15"),
        ("2026-05-01 01:00:00 +0300", "2026-05-01T01:00:00+03:00"),
        ("2026-05-01T00:30+05:30", "2026-05-01T00:30:00+05:30"),
        ("1/15/2026 11:00:00 PM|7", "2026-01-15"),
    ],
)
def test_a_day_is_read_however_it_is_written_and_a_moment_stays_one(text: str, day: str) -> None:
    names = ["Campaign", "Day", "Cost"]
    row = Record(2, "", dict(zip(names, ["Spring", text, "1"], strict=True)))

    assert cells(list(mapped([row], BoundMapping(mapping(), names))), "date") == [(day,)]


@pytest.mark.parametrize(
    "text", ["2026-13-01", "2026-02-30", "32.01.2026", "2026-01", "yesterday", "1/2/3/2026", "15 Foo 2026"]
)
def test_what_is_no_day_is_quarantined(text: str) -> None:
    found = read(mapping(), "Campaign|Day|Cost", f"Spring|{text}|1")

    assert [line for line, _ in faults(found)] == [2]


def test_the_order_of_day_and_month_is_one_answer_per_file() -> None:
    found = read(mapping(), "Campaign|Day|Cost", "Spring|1/2/2026|1", "Spring|13/2/2026|1")
    said = read(mapping(date_order="mdy"), "Campaign|Day|Cost", "Spring|1/2/2026|1")

    assert cells([*found, *said], "date") == [("2026-02-01",), ("2026-02-13",), ("2026-01-02",)]
    with pytest.raises(BadInput, match="two orders"):
        read(mapping(), "Campaign|Day|Cost", "Spring|13/2/2026|1", "Spring|2/13/2026|1")
    with pytest.raises(BadInput, match="read in two ways"):
        read(mapping(), "Campaign|Day|Cost", "Spring|1/2/2026|1")


def test_rows_of_a_range_have_no_day() -> None:
    columns = [
        {"field": "campaign_id", "names": ["Campaign ID"]},
        {"field": "date", "names": ["Day"]},
        {"field": "range_start", "names": ["Reporting starts"]},
        {"field": "range_end", "names": ["Reporting ends"]},
        {"field": "spend", "names": ["Spent"]},
    ]
    found = read(
        mapping(columns=columns),
        "Campaign ID|Reporting starts|Reporting ends|Spent",
        "1|2026-01-15|2026-01-15|1",
        "1|2026-01-15|2026-01-31|1",
    )
    by_day = read(
        mapping(columns=columns),
        "Campaign ID|Day|Reporting starts|Reporting ends|Spent",
        "1|2026-01-16|2026-01-15|2026-01-31|1",
    )

    assert cells([*found, *by_day], "date") == [("2026-01-15",), ("2026-01-16",)]
    assert faults(found) == [(3, "date is missing: the row is of 2026-01-15 to 2026-01-31. Export it by day")]


def test_totals_are_skipped_and_a_campaign_that_is_called_like_one_is_not() -> None:
    columns = [
        {"field": "campaign_id", "names": ["Campaign"]},
        {"field": "date", "names": ["Day"]},
        {"field": "spend", "names": ["Cost"]},
    ]
    said = mapping(columns=columns, skip=[{"begins": ["Total: ", "Gesamt: "]}, {"column": ["Day"], "empty": True}])
    found = read(
        said, "Campaign|Day|Cost", "Total Wine|2026-01-15|1", "total: Account|2026-01-15|1", "1||1", "Total:|--|2"
    )

    assert cells(found, "campaign_id") == [("Total Wine",), ("Total:",)]


def test_only_rows_that_meet_the_filters_are_read() -> None:
    said = mapping(keep=[{"column": ["Status"], "equals": ["Paid", "refunded"]}])
    found = read(said, "Campaign|Day|Cost|Status", "Spring|2026-01-15|1|paid", "Spring|2026-01-16|1|voided")

    assert cells(found, "date") == [("2026-01-15",)]
    with pytest.raises(BadInput, match="no column Status, by which its rows are chosen"):
        read(said, "Campaign|Day|Cost", "Spring|2026-01-15|1")


@pytest.mark.parametrize(
    ("unit", "text", "currency", "expected"),
    [
        ("micros", "1234567", "EUR", "1.234567"),
        ("thousands", "1.5", "EUR", "1500"),
        ("percent", "12.5 %", "EUR", "0.125"),
        ("minor", "1234", "EUR", "12.34"),
        ("minor", "1234", "jpy", "1234"),
        ("minor", "1234", "KWD", "1.234"),
        ("minor", "12345", "CLF", "1.2345"),
    ],
)
def test_a_unit_scales_a_number(unit: str, text: str, currency: str, expected: str) -> None:
    columns = [
        {"field": "campaign_id", "names": ["c"]},
        {"field": "currency", "names": ["cur"]},
        {"field": "date", "names": ["d"]},
        {"field": "spend", "names": ["s"], "unit": unit},
    ]
    found = read(mapping(columns=columns), "c|cur|d|s", f"1|{currency}|2026-01-15|{text}")

    assert cells(found, "spend") == [(expected,)]


def test_columns_are_added_and_taken_away() -> None:
    columns = [
        {"field": "campaign_id", "names": ["c"]},
        {"field": "date", "names": ["d"]},
        {"field": "impressions", "names": ["i1"], "plus": ["i2", "i3"]},
        {"field": "revenue", "names": ["Total"], "minus": ["Refunded"]},
    ]
    found = read(
        mapping(columns=columns), "c|d|i1|i2|Total|Refunded", "1|2026-01-15|1|2|10.5|0.5", "1|2026-01-16||2||3"
    )

    assert cells(found, "impressions", "revenue") == [("3", "10"), ("2", "")]


def test_the_first_column_that_is_not_empty_counts() -> None:
    columns = [
        {"field": "campaign_id", "names": ["c"]},
        {"field": "date", "names": ["d"]},
        {"field": "conversions", "names": ["qualified", "conversions"]},
    ]
    found = read(mapping(columns=columns), "c|d|conversions|qualified", "1|2026-01-15|5|7", "1|2026-01-16|5|")

    assert cells(found, "conversions") == [("7",), ("5",)]


def test_of_personal_data_only_mapped_columns_are_quarantined() -> None:
    found = read(mapping(), "Campaign|Day|Cost|Email", "Spring|yesterday|1|jane@example.com", personal=True)

    (bad,) = found
    assert isinstance(bad, BadRow)
    assert bad.raw == '{"Campaign": "Spring", "Day": "yesterday", "Cost": "1"}'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": []}, "columns"),
        ({"surprise": 1}, "surprise"),
        ({"source": "../x"}, "source"),
        ({"columns": [{"field": "spend", "names": ["a"]}, {"field": "spend", "names": ["b"]}]}, "one entry in columns"),
        ({"constants": {"spend": "1"}}, "in columns and in constants: spend"),
        ({"constants": {"clicks": "1"}}, "in columns and in constants: clicks"),
        ({"constants": {"revenue": "1"}}, "no constant can be revenue"),
        ({"columns": [{"field": "date", "names": ["a"], "unit": "micros"}]}, "date is no number"),
        ({"columns": [{"field": "spend", "names": ["a"], "unit": "minor"}]}, "needs a currency"),
        ({"skip": [{"column": ["a"]}]}, "begins, equals or empty"),
    ],
)
def test_a_wrong_mapping_is_refused_with_what_is_wrong(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        mapping(**change)


def test_a_mappings_json_reads_back_as_itself() -> None:
    assert parse_mapping(mapping().model_dump_json().encode()) == mapping()


@at_the_bound("MAX_MAPPING_NAMES")
def test_a_column_has_many_names_at_most(size: int, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        mapping(columns=[{"field": "campaign_id", "names": [f"n{each}" for each in range(size)]}])


@at_the_bound("MAX_PREAMBLE_LINES")
def test_a_preamble_is_short(size: int, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        mapping(form={"preamble": size})


@at_the_bound("MAX_MAPPING_CHARS")
def test_a_mapping_is_short(size: int, fits: bool) -> None:
    def rules(*lengths: int) -> list[dict[str, Any]]:
        return [{"equals": ["x" * length for length in lengths[at::5]]} for at in range(5)]

    missing = size - len(mapping(skip=rules(*[0] * 400)).model_dump_json())
    share, rest = divmod(missing, 400)
    with refuses(BadInput, fits=fits):
        mapping(skip=rules(*[share + 1] * rest, *[share] * (400 - rest)))


@at_the_bound("MAX_UNDECIDED_ROWS", as_if=20)
def test_not_many_rows_wait_for_a_decimal_mark(size: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_UNDECIDED_ROWS", 20)
    lines = [f"Spring|2026-01-15|{number},234" for number in range(1, size + 1)]
    with refuses(BadInput, fits=fits):
        found = read(mapping(), "Campaign|Day|Cost", *lines, "Spring|2026-01-15|0,5")
        assert len(found) == size + 1


@at_the_bound("MAX_NUMBER_CHARS")
def test_a_number_has_few_characters(size: int, fits: bool) -> None:
    found = read(mapping(), "Campaign|Day|Cost", f"Spring|2026-01-15|0.{'0' * (size - 2)}")

    assert len(cells(found)) == fits


@at_the_bound("MAX_KNOWN_CELLS", as_if=3)
def test_not_all_texts_of_a_column_are_remembered(size: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KNOWN_CELLS", 3)
    names = ["Campaign", "Day", "Cost"]
    bound = BoundMapping(mapping(), names)
    rows = [Record(n, "", dict(zip(names, ["Spring", "2026-01-15", f"{n}.5"], strict=True))) for n in range(size)]

    assert len(list(mapped(rows, bound))) == size
    assert len(bound.numbers[0].known) == (size if fits else 1)
