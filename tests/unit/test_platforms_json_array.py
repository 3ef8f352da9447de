"""Streaming one huge JSON array in pieces gives what a whole parse gives."""

from __future__ import annotations

import io
import json
import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.errors import BadInput
from adweir.platforms.json_array import Unreadable, read_array

TEXT = st.one_of(
    st.text(max_size=12),
    st.lists(
        st.sampled_from(["},{", "} , {", "}\n,\n{", '"', "\\", "[", "]", "{", "}", "é", "\U0001f600", "\x00"]),
        max_size=6,
    ).map("".join),
)
VALUE: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
ROW = st.dictionaries(TEXT, VALUE, max_size=4)
LAYOUT = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])


def collect(data: bytes, row_type: Any = dict[str, Any], **options: Any) -> list[Any]:
    rows: list[Any] = []
    for piece in read_array(io.BytesIO(data), row_type, **options):
        assert piece.first == len(rows) + 1
        rows += piece.rows
    return rows


@given(
    batches=st.lists(st.lists(ROW, max_size=5), max_size=6),
    layout=LAYOUT,
    chunk=st.integers(1, 64),
)
@settings(max_examples=60, deadline=None)
def test_batches_of_rows_are_told_apart_by_what_a_batch_begins_with(
    batches: list[list[Any]], layout: dict[str, Any], chunk: int
) -> None:
    data = json.dumps([{"results": rows} for rows in batches], **layout).encode()
    between = re.compile(rb'\}[ \t\r\n]*,[ \t\r\n]*\{(?=[ \t\r\n]*"results")')
    assert collect(data, chunk=chunk, boundary=between) == json.loads(data)


def test_a_large_batch_does_not_wait_for_the_end_of_the_array() -> None:
    # given two batches of many rows, of which only the first and the beginning of the second have arrived
    batch = b'{"results":[%s]}' % b",".join(b'{"id":%d}' % number for number in range(1000))
    stream = io.BytesIO(b"[" + batch + b"," + batch[:8000])
    between = re.compile(rb'\}[ \t\r\n]*,[ \t\r\n]*\{(?=[ \t\r\n]*"results")')
    # when they are read in small pieces
    pieces = read_array(stream, dict[str, Any], chunk=512, boundary=between)
    # then the first one is there
    assert next(pieces).rows == [json.loads(batch)]


class Row(msgspec.Struct):
    id: int
    name: str = ""


@given(
    rows=st.lists(ROW, max_size=12), layout=LAYOUT, chunk=st.integers(1, 64), space=st.sampled_from(["", " \n", "\t"])
)
@settings(max_examples=120, deadline=None)
def test_any_array_in_any_pieces_is_what_a_whole_parse_gives(
    rows: list[Any], layout: dict[str, Any], chunk: int, space: str
) -> None:
    data = (space + json.dumps(rows, **layout) + space).encode()
    assert collect(data, chunk=chunk) == json.loads(data)


@given(rows=st.lists(ROW, min_size=1, max_size=6), cut=st.integers(1, 200), chunk=st.integers(1, 64))
@settings(max_examples=80, deadline=None)
def test_a_truncated_array_is_refused_after_rows_that_were_whole(rows: list[Any], cut: int, chunk: int) -> None:
    data = json.dumps(rows).encode()
    cut = min(cut, len(data))
    seen: list[Any] = []
    with pytest.raises(BadInput):  # noqa: PT012  what came before the fault counts
        for piece in read_array(io.BytesIO(data[:-cut]), dict[str, Any], chunk=chunk):
            seen += piece.rows
    assert seen == rows[: len(seen)]


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_a_row_of_the_wrong_type_is_handed_back_and_its_neighbours_are_read(chunk: int) -> None:
    data = b'[{"id":1},{"id":"x},{"},{"id":3,"name":"a"}, 7]'
    good, bad, last, number = collect(data, Row, chunk=chunk)
    assert (good, last) == (Row(1), Row(3, "a"))
    assert isinstance(bad, Unreadable)
    assert json.loads(bad.raw) == {"id": "x},{"}
    assert "id" in bad.message
    assert isinstance(number, Unreadable)


@pytest.mark.parametrize("data", [b"[]", b" [ ] ", b"\xef\xbb\xbf[]\n"])
def test_an_empty_array_has_no_rows(data: bytes) -> None:
    assert collect(data, chunk=1) == []


@pytest.mark.parametrize(
    "data", [b"", b"  ", b"{}", b"null", b"[", b'[{"a":1},]', b'[{"a":1}', b'[{"a":1}] x', b'[{"a":1}{"b":2}]', b"[{]"]
)
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_bytes_that_are_not_an_array_are_bad_input(data: bytes, chunk: int) -> None:
    with pytest.raises(BadInput):
        collect(data, chunk=chunk)


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("chunk", [7, 1 << 20])
@pytest.mark.parametrize("wrong", [b'{"id":"x"}', b'{"id":5}', b'{"id":6,"name":"\\ud800"}'])
def test_an_element_that_is_nested_too_deep_costs_no_other(chunk: int, wrong: bytes) -> None:
    rows = collect(b'[{"id":1},{"id":2,"x":%s} , %s,{"id":3,"name":"},{"}]' % (DEEP, wrong), Row, chunk=chunk)
    assert [row.id for row in (rows[0], rows[-1])] == [1, 3]
    assert rows[1].message == "nested too deep"
    assert len(rows) == 4


def test_a_string_without_an_end_beside_a_deep_element_is_refused_in_time() -> None:
    with pytest.raises(BadInput):
        collect(b'[{"id":1,"x":%s},{"name":"%s' % (DEEP, b'\\"' * 300_000), Row)


@pytest.mark.parametrize("end", [b",]", b"", b"}]", b"]]", b"],"])
def test_beside_a_deep_element_an_array_that_does_not_end_well_is_refused(end: bytes) -> None:
    with pytest.raises(BadInput):
        collect(b'[{"id":1,"x":%s}%s' % (DEEP, end), Row)


@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_half_of_a_surrogate_pair_is_read_as_the_replacement_character(chunk: int) -> None:
    text = rb'[{"id":1,"name":"a\ud800b"},{"id":2,"name":"\\ud800 \ud83d\ude00 \ude00\""},{"id":3,"other":"\uDBFF"}]'
    first, second, third = collect(text, Row, chunk=chunk)
    assert (first, second, third) == (Row(1, "a\ufffdb"), Row(2, '\\ud800 \U0001f600 \ufffd"'), Row(3))


@pytest.mark.parametrize("number", [b"1E99999999999999999999", b"1E-99999999999999999999"])
def test_a_number_that_no_decimal_can_hold_costs_one_row(number: bytes) -> None:
    class Priced(msgspec.Struct):
        cost: Decimal

    good, bad, last = collect(b'[{"cost":1},{"cost":%s},{"cost":2}]' % number, Priced)
    assert (good, last) == (Priced(Decimal(1)), Priced(Decimal(2)))
    assert isinstance(bad, Unreadable)


@pytest.mark.parametrize("chunk", [7, 1 << 20])
@pytest.mark.parametrize("bad", [b'{"id":NaN}', b'{"id":01}', b'{"name":"\xff"}', b'{"id":2,"id"}', b'{"id":2,"x":+1}'])
def test_an_element_that_is_not_json_costs_no_other(chunk: int, bad: bytes) -> None:
    good, spoiled, last = collect(b'[{"id":1}, %s ,{"id":3,"name":"},{"}]' % bad, Row, chunk=chunk)
    assert (good, last) == (Row(1), Row(3, "},{"))
    assert isinstance(spoiled, Unreadable)
    assert spoiled.raw.strip() == bad


def test_one_endless_element_does_not_fill_the_memory() -> None:
    data = b'[{"a":"' + b"x" * 4000 + b'"},{"a":"y"}]'
    with pytest.raises(BadInput, match="no row ends"):
        collect(data, chunk=16, max_piece=256)
