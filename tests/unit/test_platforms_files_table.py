"""Files as tables: what the cells are, and which lines are at fault."""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.platforms.files import text_lines
from adweir.platforms.files.delimited import ANY, Form
from adweir.platforms.files.lines import Record
from adweir.platforms.files.table import FileTable, open_table, records
from adweir.platforms.files.text_lines import Lines
from support.bounds import at_the_bound, refuses


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


@pytest.mark.parametrize("before", ["x\ty\tz\n", '"x\n"\ty\tz\n'])
def test_tabs_alone_are_a_record_of_empty_cells_or_none_at_all(before: str) -> None:
    """Whether the lines around them are split at once or one by one."""
    found = cells(f"a\tb\tc\n{before}\t\t\n\t\n\n".encode(), Form(delimiter="\t"))

    assert found[1:] == [{"a": "", "b": "", "c": ""}]


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


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('[{"a":1.50,"b":{"c":"x"}},{"a":1e-7,"d":null,"b":{"c":5.0}}]', [("1.50", "x"), ("0.0000001", "5")]),
        ('{"a":1.50,"b":{"c":" x "}}\n\n{"a":12345678901234567890.5}', [("1.50", "x"), ("12345678901234567890.5", "")]),
        ('{"a":true,"b":{"c":[1,{"d":2}]}}', [("true", '[1,{"d":2}]')]),
        ('{"n":[1,2],"rows":[{"a":1},{"a":2,"b":{"c":"]"}}],"next":{"x":[1]}}', [("1", ""), ("2", "]")]),
        ('{\n "r": [\n {"a":"\\ud83d\\ude00"}, {"a":"\\ud83d","b":{"c":0}}]\n}', [("\U0001f600", ""), ("\ufffd", "0")]),
        ('\ufeff[ {"a":1e400,"b":{"c":-0.0}} ]', [("1e400", "-0")]),
    ],
)  # fmt: skip
def test_json_of_each_shape_is_a_table_whose_numbers_are_as_they_were_written(
    text: str, rows: list[tuple[str, str]]
) -> None:
    found = [(found.get("a"), found.get("b.c", "")) for found in cells(text.encode())]

    assert found == rows


def test_a_json_object_that_cannot_be_read_costs_itself() -> None:
    for text in ('[{"a":1},7,{"a":2}]', '{"a":1}\n[7]\n{"a":2}', '{"a":1}\n{"a":\n{"a":2}'):
        assert cells(text.encode()) == [{"a": "1"}, (2, "json"), {"a": "2"}]


@pytest.mark.parametrize(
    "text",
    [
        '[{"a":1}',
        '[{"a":1}]x',
        '{"a":{"b":1}',
        '{"a":[{"b":1}],"c":[{"d":1}]}',
        '{"a":[{"b":1',
        "[[1]]",
        "{}",
        '{"a":1',
    ],
)
def test_json_that_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        cells(text.encode())


@at_the_bound("MAX_DROP_ITEM_BYTES", as_if=50)
def test_an_object_of_a_json_file(size: int, fits: bool) -> None:
    found = cells(('[{"a":"' + "x" * (size - 8) + '"},{"a":"y"}]').encode())

    assert found[1] == {"a": "y"}
    assert (found[0] == (1, "json")) is not fits


def zipped(*names: str, data: bytes = b"a,b\n1,2\n", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("names", [["a.csv"], ["export/a.csv", "export/", "__MACOSX/export/._a.csv", ".DS_Store"]])
def test_the_only_file_of_a_zip_archive_is_read(names: list[str]) -> None:
    assert cells(zipped(*names)) == [{"a": "1", "b": "2"}]
    assert cells(zipped(*names, data=b'[{"a":1}]', method=zipfile.ZIP_STORED)) == [{"a": "1"}]


def flagged(data: bytes) -> bytes:
    """An archive whose file says that it is encrypted."""
    at = data.index(b"PK\x01\x02")
    return data[: at + 8] + b"\x01" + data[at + 9 :]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (zipped("a.csv", "b.csv"), "has 2 files"),
        (zipped(), "has 0 files"),
        (zipped("../a.csv"), "leads out of it"),
        (zipped("a/..\\..\\b.csv"), "leads out of it"),
        (zipped("/etc/a.csv"), "leads out of it"),
        (zipped("C:\\a.csv"), "leads out of it"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "save the sheet as CSV"),
        (zipped("a.csv", method=zipfile.ZIP_LZMA), "packed by method 14"),
        (flagged(zipped("a.csv")), "encrypted"),
        (zipped("a.csv")[:60], "damaged"),
        (zipped("a.csv").replace(b"\xad", b"\xae", 1)[:-1], "damaged"),
        (zipped("a.csv", data=b"0" * (17 << 20)), "unpacks to more than 16777216 bytes"),
        (zipped("a.zip", data=zipped("a.csv")), "packed twice"),
        (gzip.compress(gzip.compress(b"a,b")), "packed twice"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "save the sheet as CSV"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "7-Zip"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\0" * 5000, "NUL"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=re.escape(says)):
        cells(data)


def test_entries_of_an_archive_that_overlap_are_refused() -> None:
    """Two names for the same bytes, of which one is what systems put beside a file."""
    data = zipped(".DS_Store", "a.csv")
    at = data.rindex(b"PK\x01\x02")
    with pytest.raises(BadInput, match="damaged"):
        cells(data[: at + 42] + b"\0\0\0\0" + data[at + 46 :])


@at_the_bound("MAX_ZIP_DIRECTORY_BYTES", as_if=200)
def test_the_directory_of_an_archive(size: int, fits: bool) -> None:
    file, info = io.BytesIO(), zipfile.ZipInfo("a.csv")
    info.comment = b"x" * (size - 46 - len(info.filename))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, b"a\n1\n")
    with refuses(BadInput, fits=fits):
        assert cells(file.getvalue()) == [{"a": "1"}]


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two rows of each type that files have."""
    file = tmp_path_factory.mktemp("parquet") / "a.parquet"
    with duckdb.connect(config={"threads": 1}) as database:
        database.sql(
            "SELECT i::int AS id, DATE '2026-11-18' AS day, TIMESTAMP '2026-11-18' + INTERVAL (i) HOUR AS at, "
            "12.5::decimal(18,6) AS exact, 0.1::double + 0.2::double AS double, 1e-7::double AS small, "
            "5::double AS five, 3.3::float AS short, 'nan'::double AS nothing, NULL::varchar AS empty, "
            "'two\nlines' AS text, {'name': 'x', 'deep': {'n': 1}} AS source, true AS flag FROM range(2) t(i)"
        ).write_parquet(str(file))
    return file.read_bytes()


def test_parquet_is_a_table_whose_decimals_are_exact(parquet: bytes) -> None:
    first, second = cells(parquet)

    assert first == {
        "id": "0", "day": "2026-11-18", "at": "2026-11-18", "exact": "12.500000", "double": "0.30000000000000004",
        "small": "0.0000001", "five": "5", "short": "3.3", "nothing": "", "empty": "", "text": "two\nlines",
        "source.name": "x", "source.deep.n": "1", "flag": "true",
    }  # fmt: skip
    assert (second["id"], second["at"]) == ("1", "2026-11-18 01:00:00")


def test_hostile_parquet_is_refused_without_its_texts(parquet: bytes) -> None:
    for data in (parquet[:200], b"PAR1" + bytes(100) + b"PAR1", parquet[:-30] + b"\xff" * 22 + parquet[-8:]):
        with pytest.raises(BadInput, match="the Parquet file cannot be read") as refused:
            cells(data)
        assert "/" not in refused.value.message


def test_the_reader_of_parquet_finds_pythons_own_library_and_gets_no_credential(
    parquet: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Lambda, Python does not start without that path."""
    python = tmp_path / "python"
    python.write_text("""#!/bin/sh\nprintf '["%s", "%s"]' "$LD_LIBRARY_PATH" "$AWS_SECRET_ACCESS_KEY"\n""")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    assert opened(parquet).header == [sysconfig.get_config_var("LIBDIR"), ""]


@at_the_bound("MAX_PARQUET_GROUP_BYTES")
def test_a_row_group_of_a_parquet_file(
    parquet: bytes, size: int, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(parquet)
    sums = "SELECT sum(total_uncompressed_size) FROM parquet_metadata($1)"
    ((unpacked,),) = duckdb.execute(sums, [str(tmp_path / "a")]).fetchall()
    monkeypatch.setattr(limits, "MAX_PARQUET_GROUP_BYTES", int(unpacked) - (not fits))
    with refuses(BadInput, fits=fits):
        assert opened(parquet).header


PIECES = st.lists(
    st.sampled_from(["a,b,c", "1,2,3", '"x', 'y"', '"q""q",,', "", "\r", "é", "\0", "z" * 50, '1,"two\nlines",3']),
    max_size=25,
)


@given(PIECES, st.integers(1, 40))
def test_however_a_file_is_cut_into_blocks_the_records_are_the_same(lines: list[str], size: int) -> None:
    data = "\n".join(["a,b,c", *lines]).encode()
    whole = list(records(opened(data)))
    kept, text_lines._BLOCK = text_lines._BLOCK, size
    try:
        assert list(records(opened(data))) == whole
    finally:
        text_lines._BLOCK = kept


@pytest.mark.parametrize("before", [0, 1, 4, 9])
@pytest.mark.parametrize(("length", "longer"), [(5, False), (8, False), (9, True), (13, True)])
def test_a_line_that_is_too_long_is_found_wherever_it_begins(before: int, length: int, longer: bool) -> None:
    text = "\n".join(["x" * before, "y" * length, "z"])

    lines = Lines(text)

    assert (lines.has_longer(8), len(lines)) == (longer or before == 9, 3)
    assert list(lines) == text.split("\n")
    assert (lines[1], lines[1:]) == ("y" * length, ["y" * length, "z"])
