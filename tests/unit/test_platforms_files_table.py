"""Files as tables: what the cells are, and which lines are at fault."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.platforms.files import delimited
from adweir.platforms.files.delimited import ANY, Form
from adweir.platforms.files.lines import Record
from adweir.platforms.files.table import FileTable, open_table, records
from support.bounds import at_the_bound


def opened(data: bytes, form: Form = ANY) -> FileTable:
    return open_table(io.BytesIO(data), len(data), form)


def cells(data: bytes, form: Form = ANY) -> list[Any]:
    """The cells of each record by its column; of a fault, its line and rule."""
    return [
        found.cell if isinstance(found, Record) else (found.line, found.errors[0]["rule"])
        for found in records(opened(data, form))
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out_from_the_header_and_the_lines_after_it(mark: str) -> None:
    lines = [["Tag", "7 Tage, Umsatz gesamt (€)", "Name"], ["1.11.2026", '"12,60 €"', "a b"], ["2.11.2026", "0", "c"]]
    if mark == ",":
        lines[0][1] = f'"{lines[0][1]}"'
    data = "\n".join(mark.join(line) for line in lines).encode()

    table = opened(data)

    assert table.header == ["Tag", "7 Tage, Umsatz gesamt (€)", "Name"]
    assert [found.cell["Name"] for found in records(table) if isinstance(found, Record)] == ["a b", "c"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_says_the_encoding(encoding: str, pack: Any) -> None:
    mark = "" if encoding in {"utf-8-sig", "utf-16"} else "\ufeff"
    data = f"{mark}a,b\nü,\U0001f600\n".encode(encoding)

    assert cells(pack(data)) == [{"a": "ü", "b": "\U0001f600"}]


def test_a_mapping_names_the_encoding_of_a_file_without_a_byte_order_mark() -> None:
    data = "Kampagne,Kosten\nMüller,1\n".encode("cp1252")

    assert cells(data) == [(2, "csv")]
    assert cells(data, Form(encoding="cp1252")) == [{"Kampagne": "Müller", "Kosten": "1"}]
    (fault,) = records(opened(data))
    assert isinstance(fault, BadRow)
    assert "save the file as UTF-8, or name its encoding in the mapping" in fault.errors[0]["message"]


@pytest.mark.parametrize("encoding", ["base64", "rot13", "klingon", "utf-16-le"])
def test_an_encoding_that_is_none_or_not_the_file_s_is_refused(encoding: str) -> None:
    with pytest.raises(BadInput) as refused:
        cells(b"a,b\n1,2\n3", Form(encoding=encoding))
    assert refused.value.details[0]["rule"] == "encoding"


NOTES = 'id,note,total,x\n1,"two\nlines, and ""quotes""",5,y\n2,none,6,y\n'


def test_a_quoted_cell_may_have_line_breaks() -> None:
    found = cells(NOTES.encode())

    assert found == [
        {"id": "1", "note": 'two\nlines, and "quotes"', "total": "5", "x": "y"},
        {"id": "2", "note": "none", "total": "6", "x": "y"},
    ]
    assert [each.number for each in records(opened(NOTES.encode())) if isinstance(each, Record)] == [2, 4]


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        (['1,"open,5,y', "2,none,6,y", "3,none,6,y"], [2]),
        (['1,"open,5,y', "2,none,6,y", '3,no"ne",6,y'], [2]),
        (['1,a,5,"open', "2,none,6,y", '3,a,5,"open'], [2, 4]),
        (['1,a,5,"open', "2,none,6,y", '3,a,5,"'], [2, 4]),
        (['1,"open\n\n\n', "2,none,6,y"], [2]),
        (['1,"' + "x\n" * 300, "2,none,6,y"], [2, *range(3, 302)]),
        (['1,"a\nb",2', "2,none,6,y"], [2, 3]),
    ],
)
def test_a_quote_that_does_not_end_costs_its_line_and_not_the_rest(lines: list[str], faults: list[int]) -> None:
    found = cells(("id,note,total,x\n" + "\n".join(lines)).encode())

    assert [each[0] for each in found if isinstance(each, tuple)][: len(faults)] == faults
    assert {"id": "2", "note": "none", "total": "6", "x": "y"} in found


@at_the_bound("MAX_DROP_RECORD_LINES", as_if=20)
def test_the_lines_of_a_record(size: int, fits: bool) -> None:
    text = "x\n" * (size - 1)
    assert (cells(f'a,b\n1,"{text}"\n'.encode()) == [{"a": "1", "b": text.strip()}]) is fits


@at_the_bound("MAX_PREAMBLE_LINES", as_if=10)
def test_the_lines_before_a_header(size: int, fits: bool) -> None:
    data = "# a line\n" * size + "a,b\n1,2\n"
    form = Form(is_header=lambda found: list(found) == ["a", "b"])
    if fits:
        assert cells(data.encode(), form) == [{"a": "1", "b": "2"}]
    else:
        with pytest.raises(BadInput):
            cells(data.encode(), form)


def test_lines_before_the_header_are_left_out_where_the_header_can_be_told() -> None:
    google = 'Campaign report\n"January 1, 2026 - January 31, 2026"\nDay,Campaign,Cost\n2026-01-01,a,1\n'
    form = Form(is_header=lambda found: "Campaign" in found)

    assert cells(google.encode(), form) == [{"Day": "2026-01-01", "Campaign": "a", "Cost": "1"}]
    assert cells(google.encode(), Form(preamble=2)) == [{"Day": "2026-01-01", "Campaign": "a", "Cost": "1"}]
    assert cells(b"# GA4\n#\n\nCountry,Users\nDE,1\n") == [{"Country": "DE", "Users": "1"}]
    assert cells(b'sep=;\r\n"a,b";c\r\n1;2\r\n') == [{"a,b": "1", "c": "2"}]


def test_a_footer_is_left_out_where_a_mapping_knows_it_and_else_reported() -> None:
    salesforce = 'Name,Amount,Stage\na,1,won\n\n"Grand Totals (5,700 records)"\nCopyright (c) 2026 x\n'
    form = Form(is_footer=lambda found: found[0].startswith(("Grand Totals", "Copyright")))

    assert cells(salesforce.encode(), form) == [{"Name": "a", "Amount": "1", "Stage": "won"}]
    assert cells(salesforce.encode())[1:] == [(4, "fields"), (5, "fields")]


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")
TABLES = st.lists(st.lists(st.text(CHARACTERS, max_size=6), min_size=3, max_size=3), max_size=12)


@given(TABLES, st.sampled_from([",", ";", "\t"]), st.booleans())
def test_what_a_csv_writer_wrote_is_read_as_it_was(rows: list[list[str]], mark: str, quoted: bool) -> None:
    """Of three columns, so that no line inside of quotes looks like a record."""
    text = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=mark, quoting=quoting, lineterminator="\n")
    writer.writerows([["a", "b", "c"], *rows])

    found = cells(text.getvalue().encode(), Form(delimiter=mark))

    assert found == [dict(zip("abc", map(str.strip, row), strict=True)) for row in rows]


PIECES = st.lists(
    st.sampled_from(["a,b,c", "1,2,3", '"x', 'y"', '"q""q",,', "", "\r", "é", "\0", "z" * 50, '1,"two\nlines",3']),
    max_size=25,
)


@given(PIECES, st.integers(1, 40))
def test_however_a_file_is_cut_into_blocks_the_records_are_the_same(lines: list[str], size: int) -> None:
    data = "\n".join(["a,b,c", *lines]).encode()
    whole = list(records(opened(data)))
    kept, delimited._BLOCK = delimited._BLOCK, size
    try:
        assert list(records(opened(data))) == whole
        table = opened(data)
        for place in [chunk.after for chunk in table.chunks()]:
            rest = [each for each in whole if _number(each) > place.number]
            assert list(records(table, place)) == rest
    finally:
        delimited._BLOCK = kept


def _number(found: Record | BadRow) -> int:
    return found.number if isinstance(found, Record) else found.line
