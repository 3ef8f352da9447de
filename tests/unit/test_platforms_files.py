"""Dropped CSV files, and notifications of them."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.intake.load.arrivals import parse_notification
from adweir.model.errors import BadInput
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import BadRow
from adweir.platforms import REGISTRY
from adweir.platforms.files.normalize import DropRow
from adweir.platforms.files.reading import own_metrics
from support.dropped import rows_of

HEADER = "platform,profile_id,level,date,campaign_id,impressions,clicks,spend,conversions,note"
LINE = "meta,1,campaign,2026-11-01,c1,100,5,12.34,1.5,hello"


def read(data: bytes) -> list[DropRow | BadRow]:
    return rows_of(data, own_metrics(REGISTRY.parse))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda data: b"\xef\xbb\xbf" + data])
def test_plain_gzip_and_bom_read_alike(pack: object) -> None:
    (found,) = read(pack(f"{HEADER}\r\n{LINE}\r\n".encode()))  # type: ignore[operator]
    assert isinstance(found, DropRow)
    assert (found.target.platform, found.row.entity_id, found.row.line) == ("meta_ads", "c1", 2)
    assert (found.row.spend, found.row.conversions, found.row.revenue) == (12_340_000, 1_500_000, None)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("a,b", "fields"),
        (LINE.replace("meta", "myspace"), "allowed"),
        (LINE.replace("2026-11-01", "1.11.2026"), "format"),
        (LINE.replace("12.34", "12.3456789"), "number"),
        (LINE.replace("12.34", "-1"), "number"),
        (LINE.replace("12.34", "-0.000001"), "number"),
        (LINE.replace("12.34", "٣"), "number"),
        (LINE.replace("12.34", "NaN"), "number"),
        (LINE.replace(",100,", ",1e3,"), "integer"),
        (LINE.replace(",100,", ",,"), "required"),
        (LINE.replace(",100,", ",1000000000000000,"), "integer"),
        (LINE.replace(",100,", ",0000000000000100,"), "integer"),
        (LINE.replace(",100,", ',"100,100",'), "integer"),
        (LINE.replace("c1", "c#1"), "format"),
        (LINE.replace("c1", ""), "required"),
        (LINE.replace("hello", '"hel'), "csv"),
        (LINE.replace("hello", "x" * 70_000), "length"),
    ],
)
def test_a_malformed_line_is_reported_by_number_and_its_neighbours_are_read(line: str, rule: str) -> None:
    first, second, third = read(f"{HEADER}\n{LINE}\n{line}\n{LINE}".encode())
    assert isinstance(first, DropRow)
    assert isinstance(third, DropRow)
    assert isinstance(second, BadRow)
    assert (second.line, second.errors[0]["rule"]) == (3, rule)


@pytest.mark.parametrize(("text", "impressions"), [("000000000000100", 100), ("999999999999999", 999_999_999_999_999)])
def test_a_count_has_at_most_fifteen_digits_zeros_before_it_included(text: str, impressions: int) -> None:
    found = read(f"{HEADER}\n{LINE}\n{LINE.replace(',100,', f',{text},')}\n".encode())

    assert [row.row.impressions for row in found if isinstance(row, DropRow)] == [100, impressions]


WIDE = "platform,profile_id,level,date,hour,entity_id,campaign_id,ad_group_id,ad_id,impressions,clicks,spend,revenue"


@pytest.mark.parametrize(
    ("line", "entity", "hour"),
    [
        ("meta,1,account,2026-11-01,,,,,,1,1,1,", "1", -1),
        ("meta,1,campaign,2026-11-01,07,,c1,,,1,1,1,2.5", "c1", 7),
        ("meta,1,ad,2026-11-01,23,,c1,g1,a1,1,1,1,", "g1~a1", 23),
        ("meta,1,ad,2026-11-01,,g1~a1,c1,,,1,1,1,", "g1~a1", -1),
        ("meta,1,ad,2026-11-01,,g1~a1,c1,g1,,1,1,1,", "g1~a1", -1),
        ("meta,1,ad,2026-11-01,,,c1,g1,x~a1,1,1,1,", "g1~x~a1", -1),
    ],
)
def test_the_entity_is_given_or_made_of_the_other_ids(line: str, entity: str, hour: int) -> None:
    (found,) = read(f"{WIDE}\n{line}\n".encode())
    assert isinstance(found, DropRow)
    assert (found.row.entity_id, found.row.hour) == (entity, hour)
    assert found.row.ad_group_id == ("g1" if found.target.level == "ad" else "")


@pytest.mark.parametrize(
    ("line", "field", "rule"),
    [
        ("meta,1,campaign,2026-11-01,24,,c1,,,1,1,1,", "hour", "range"),
        ("meta,1,campaign,2026-11-01,,c2,c1,,,1,1,1,", "entity_id", "consistent"),
        ("meta,1,ad,2026-11-01,,a1,,,,1,1,1,", "entity_id", "format"),
        ("meta,1,ad,2026-11-01,,,,,a1,1,1,1,", "entity_id", "required"),
        ("meta,1,ad,2026-11-01,,g1~a1,,g2,,1,1,1,", "ad_group_id", "consistent"),
        ("meta,1,ad,2026-11-01,,,,g~1,a1,1,1,1,", "ad_group_id", "consistent"),
        ("meta,1,campaign,2026-11-01,,!x,,,,1,1,1,", "entity_id", "format"),
        ("meta,1,planet,2026-11-01,,c1,,,,1,1,1,", "level", "allowed"),
        ("meta,,campaign,2026-11-01,,c1,,,,1,1,1,", "profile_id", "required"),
        ("meta,1,campaign,2026-11-31,,c1,,,,1,1,1,", "date", "format"),
        ("meta,1,campaign,2026-11-01,,c1,,,,1,1,,", "spend", "required"),
        ("meta,1,campaign,2026-11-01,,c1,,,,1,1,1,1_0", "revenue", "number"),
        ("meta,1,campaign,2026-11-01,,c1,,,,1,1,-1,", "spend", "number"),
    ],
)
def test_a_line_that_contradicts_itself_is_reported_by_field(line: str, field: str, rule: str) -> None:
    (found,) = read(f"{WIDE}\n{line}\n".encode())
    assert isinstance(found, BadRow)
    assert (found.errors[0]["field"], found.errors[0]["rule"]) == (field, rule)


@pytest.mark.parametrize("data", [b"", b"a,b\n", HEADER.replace("date", "clicks").encode(), b"\xff\xfe\n"])
def test_a_file_without_the_required_header_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        read(data)


@pytest.mark.parametrize(("text", "spend"), [("0", 0), ("0.000001", 1), ("-0", 0), ("1." + "0" * 50, 1_000_000)])
def test_nothing_and_the_smallest_amount_are_amounts(text: str, spend: int) -> None:
    (found,) = read(f"{HEADER}\n{LINE.replace('12.34', text)}\n".encode())

    assert isinstance(found, DropRow)
    assert found.row.spend == spend


def test_given_an_amount_that_cannot_be_stored_when_read_then_the_reason_is_a_sentence() -> None:
    (fault,) = read(f"{HEADER}\n{LINE.replace('12.34', '12.3456789')}\n".encode())

    assert isinstance(fault, BadRow)
    assert fault.errors[0]["message"] == "spend cannot be stored: more than six decimals: '12.3456789'"


def test_a_cut_off_gzip_and_a_bomb_are_refused() -> None:
    packed = gzip.compress(f"{HEADER}\n{LINE}\n".encode())
    with pytest.raises(BadInput):
        read(packed[:-4])
    with pytest.raises(BadInput):
        read(gzip.compress(f"{HEADER}\n".encode() + (b"0" * 60_000 + b"\n") * 700))  # 42 MB


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for content in (data, b"\x1f\x8b" + data, f"{HEADER}\n".encode() + data):
        try:
            found = read(content)
        except BadInput:
            continue
        for entry in found:
            if isinstance(entry, DropRow):
                assert all(number is None or number >= 0 for number in entry.row.slot)
                assert entry.row.entity_id


CELLS = st.sampled_from(["meta", "1", "ad", "campaign", "2026-11-01", "-1", "1e5", "", "1_0", "0.5"])


@given(st.lists(CELLS, max_size=10))
def test_no_cells_make_a_bad_row_good(cells: list[str]) -> None:
    for entry in read(f"{HEADER}\n{','.join(cells)}".encode()):
        if isinstance(entry, DropRow):
            assert all(number is None or number >= 0 for number in entry.row.slot)
            assert "_" not in "".join(cells)


def test_notifications_of_all_shapes() -> None:
    bridge = {
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "b"}, "object": {"key": "drops/a b+c.csv", "size": 3, "version-id": "v"}},
    }
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "drops/a+b%2Bc.csv"}}}
    own = ObjectArrived(bucket="b", key="raw/x", size=1)
    assert parse_notification(json.dumps(bridge))[0].key == "drops/a b+c.csv"
    assert parse_notification(json.dumps({"Records": [record]}))[0].key == "drops/a b+c.csv"
    assert parse_notification(json.dumps({"Event": "s3:TestEvent"})) == []
    assert parse_notification(own.model_dump_json()) == [own]


@pytest.mark.parametrize(
    "body",
    [
        *["", "[]", "{}", '{"Records": 7}', '{"Records": [{}]}', '{"detail-type": "Object Created"}'],
        '{"bucket": "b", "key": "raw/half of a pair: \\ud800"}',
        '{"bucket": "b", "key": "raw/x", "size": -1}',
        "[" * 100_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
    ],
)
def test_a_poisoned_notification_is_bad_input(body: str) -> None:
    with pytest.raises(BadInput):
        parse_notification(body)


@given(st.text(max_size=100))
def test_no_text_crashes_the_notification_parser(body: str) -> None:
    with pytest.raises(BadInput):
        parse_notification(body)
